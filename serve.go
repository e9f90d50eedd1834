package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"hallpass/clever"
	"hallpass/dedupe/merge"
	"hallpass/dedupe/queue"
	"hallpass/handlers"
	"hallpass/imports"
	"hallpass/jobs"
	"hallpass/models"
	"hallpass/models/cluster"
	"hallpass/roster"
)

// callbackPath is where Clever sends people back to. It is registered with Clever for every app, so it never changes.
const callbackPath = "/signin/clever/callback"

// serve runs the console for real districts. It refuses to start on missing settings or on a schema that is not this
// program's, so that nobody meets the mistake first on a page.
func serve(ctx context.Context, args []string, out, errOut io.Writer) error {
	if err := parse(flag.NewFlagSet("serve", flag.ContinueOnError), args, errOut); err != nil {
		return err
	}
	c, err := loadConfig(os.LookupEnv, needs{clever: true, console: true, keys: true})
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.stop()
	store, err := openStore(ctx, c, db.url)
	if err != nil {
		return err
	}
	defer store.Close()
	client, err := cleverClient(c)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, "HALLPASS_ADDR", c.addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Hallpass is at %s (listening on %s)\n", c.baseURL, listener.Addr())
	return console(ctx, c, store, client, listener, db.done)
}

// console answers requests and works off jobs until ctx is cancelled or the database has gone.
func console(ctx context.Context, c config, store *models.Store, client *clever.Client, listener net.Listener, databaseGone <-chan struct{}) error {
	runner, err := jobs.New(store, jobs.Work{
		Sync:       jobs.FullSync(store, client, roster.Options{Log: c.log}),
		Follow:     jobs.FollowEvents(store, client, roster.Options{Log: c.log}),
		Duplicates: func(ctx context.Context, district int64) error { return queue.Refresh(ctx, store, district) },
		Import:     func(ctx context.Context, district, id int64) error { return imports.Work(ctx, store, district, id) },
		Bulk:       func(ctx context.Context, district, id int64) error { return merge.Bulk(ctx, store, district, id) },
		CutOver:    func(ctx context.Context, district int64) error { return imports.CutOver(ctx, store, district) },
		Poll:       jobs.PollConnections(store, client, c.log),
	}, c.log)
	if err != nil {
		return err
	}
	e, err := handlers.New(handlers.Config{
		Store: store, Clever: client, Renderer: templRenderer{}, Enqueue: runner.Enqueue, EnqueueImport: runner.EnqueueImport, EnqueueBulk: runner.EnqueueBulk, BaseURL: c.baseURL,
		CookieKeys: c.cookieKeys, IdleLimit: c.sessionIdle, AbsoluteLimit: c.sessionLength, Log: c.log,
	})
	if err != nil {
		return err
	}
	if err := runner.Start(ctx); err != nil {
		return fmt.Errorf("start background work: %w", err)
	}
	server := &http.Server{
		Handler: e, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	case <-databaseGone:
		err = errors.New("the private PostgreSQL server has stopped: see the log above, then start again")
	}
	// Requests under way and the slice of work in hand may finish; nothing new begins.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, ignoreClosed(server.Shutdown(end)), runner.Stop(end))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// database is the server that DATABASE_URL names, or a private cluster of ours.
type database struct {
	url  string
	done <-chan struct{} // closed when a private server ends; nil for one that is not ours
	stop func()
}

func openDatabase(ctx context.Context, c config) (database, error) {
	if c.databaseURL != "" {
		return database{url: c.databaseURL, stop: func() {}}, nil
	}
	return privateDatabase(ctx, cluster.Options{Dir: c.dataDir, Log: c.log})
}

func privateDatabase(ctx context.Context, o cluster.Options) (database, error) {
	private, err := cluster.Start(ctx, o)
	if err != nil {
		return database{}, err
	}
	stop := func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := private.Stop(end); err != nil {
			o.Log.ErrorContext(ctx, "private PostgreSQL server did not stop cleanly", "error", err)
		}
	}
	url, err := private.EnsureDatabase(ctx, "hallpass")
	if err != nil {
		stop()
		return database{}, err
	}
	return database{url: url, done: private.Done(), stop: stop}, nil
}

// openStore opens a database whose schema is this program's.
func openStore(ctx context.Context, c config, url string) (*models.Store, error) {
	store, err := models.Open(ctx, models.Config{URL: url, MaxConns: 16, Catalogue: c.catalogue, TokenKeys: c.tokenKeys})
	if err != nil {
		return nil, err
	}
	if err := store.SchemaCurrent(ctx); err != nil {
		store.Close()
		return nil, fmt.Errorf("%w: run hallpass migrate up", err)
	}
	return store, nil
}

func cleverClient(c config) (*clever.Client, error) {
	return clever.New(clever.Config{
		APIURL: c.cleverAPIURL, AuthURL: c.cleverOAuth, ClientID: c.cleverID, ClientSecret: c.cleverSecret,
		RedirectURL: c.baseURL + callbackPath, Log: c.log,
	})
}

// listen opens an address, and says in plain words when somebody else has it.
func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another address with %s", addr, err, setting)
	}
	return l, nil
}

// randomKey is a cookie key for one run of the demo.
func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}
