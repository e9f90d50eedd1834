// Package cluster runs Hallpass's own private PostgreSQL server from the
// PostgreSQL programs found on the machine.
//
// It owns the data folder (made once, locked against a second program), the
// server process (a child that dies with us) and the private Unix socket that
// is the only way in: there is no TCP port. It turns what can go wrong on
// somebody's laptop into one paragraph that says what to do.
//
// It leaves to others what is inside the databases: schema, roles, rows. It is
// not used at all where DATABASE_URL names a server.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Owner is the superuser of every private cluster. It has no password: who can
// reach the socket is decided by the mode of the folder the socket is in.
const Owner = "hallpass_owner"

// port only names the socket file; nothing listens on TCP.
const port = "5432"

// readyWithin bounds the wait for a server whose caller set no deadline. It is
// long because replaying the log after a crash is part of starting.
const readyWithin = 5 * time.Minute

// Options says which server to run. The zero value is not usable: give Dir, or
// ThrowAway.
type Options struct {
	// Dir is the data folder; made (mode 0700; 0711 for root, whose server
	// account must pass through) if it is not there. A folder that holds
	// anything else is refused and left as it is. Empty together with
	// ThrowAway means a temporary folder that Stop removes; those left by
	// programs that were killed are removed by the next such Start.
	Dir string
	// ThrowAway trades safety for speed (fsync, synchronous_commit and
	// full_page_writes off; a killed server forgets its last half second): for
	// demos and tests only. A folder keeps the kind it was made with, and
	// starting it as the other kind is ErrOtherKind: running real data without
	// fsync, once and by mistake, can lose it, and data written without fsync
	// does not become safe by a later start.
	ThrowAway bool
	// Log gets the server's own log lines at debug level and unusual events
	// above it. Nil discards.
	Log *slog.Logger
	// Now is the clock for waiting, ages and the date in the marker file. Nil
	// means time.Now.
	Now func() time.Time
	// Settings are further postgresql.conf settings, such as shared_buffers.
	// Those that guard the socket, the data or people's names are refused.
	Settings map[string]string
	// BinDir is the folder of the PostgreSQL programs; empty searches the usual
	// places (see Find).
	BinDir string
	// Cache, with ThrowAway, is a folder in which the outcome of initdb is kept
	// and copied from at the next start: 0.1 s in place of 1 s or more.
	Cache string
	// Outlive lets the server live on when this program ends without Stop, so
	// that a person can look at what a test left.
	Outlive bool
}

// Cluster is a running private server.
type Cluster struct {
	folder  *folder
	socket  string
	server  *process
	version version
	o       Options

	stop    sync.Once
	stopErr error
	stopped chan struct{}
	asked   chan struct{}
}

// Start brings the server of o up and returns when it answers queries. On a
// fresh folder it runs initdb first; after a crash it waits for recovery. ctx
// bounds the start only (5 minutes if it has no deadline); what is half done
// when it ends is stopped, and the next Start begins anew.
//
// The errors a person can do something about are an *Error of one of the
// kinds Err…; its text is complete and made to be shown as it is.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	return start(ctx, o, usualPlaces())
}

func start(ctx context.Context, o Options, where places) (_ *Cluster, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readyWithin)
		defer cancel()
	}
	found, err := where.programs(ctx, o.BinDir)
	if err != nil {
		return nil, err
	}
	f, err := claim(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Cluster{folder: f, o: o, stopped: make(chan struct{}), asked: make(chan struct{})}
	defer func() {
		if err != nil {
			// Why it did not start matters more than what could not be tidied.
			_ = c.cleanUp(context.WithoutCancel(ctx))
		}
	}()
	who, err := serverAccount(f.pg())
	if err != nil {
		return nil, err
	}
	prog, err := f.choose(found)
	if err != nil {
		return nil, err
	}
	c.version = prog.version
	if err := settle(ctx, f.pg(), o.Log); err != nil {
		return nil, err
	}
	copied, err := c.prepareData(ctx, prog, who)
	if err != nil {
		return nil, err
	}
	err = c.run(ctx, prog, who)
	if err != nil && copied && ctx.Err() == nil {
		// A cached copy can be torn, by a power cut for one. It holds nothing
		// that initdb cannot make again.
		o.Log.WarnContext(ctx, "cached database folder does not start, making a new one", "reason", err)
		c.server.kill()
		if err := dropCache(o, prog); err != nil {
			return nil, err
		}
		if err := f.forget(); err != nil {
			return nil, err
		}
		if _, err := c.prepareData(ctx, prog, who); err != nil {
			return nil, err
		}
		err = c.run(ctx, prog, who)
	}
	if err != nil {
		return nil, err
	}
	go c.watch()
	return c, nil
}

// URL is the address of database on this server, for pgx and lib/pq alike, as
// the superuser Owner. It works for the account this program runs as, and for root.
func (c *Cluster) URL(database string) string {
	u := url.URL{Scheme: "postgres", Path: "/" + database}
	u.RawQuery = url.Values{"host": {c.socket}, "port": {port}, "user": {Owner}}.Encode()
	return u.String()
}

// EnsureDatabase makes the database if it is not there and returns its URL.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	if !there {
		if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
			return "", fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return c.URL(name), nil
}

// Dir is the data folder, which the caller does not know where Options left it empty.
func (c *Cluster) Dir() string { return c.folder.dir }

// Version is the major version of the server, 15 or higher.
func (c *Cluster) Version() int { return c.version.major }

// Pid is the process id of the server.
func (c *Cluster) Pid() int { return c.server.cmd.Process.Pid }

// Done is closed when the server has ended, whether by Stop or by itself.
func (c *Cluster) Done() <-chan struct{} { return c.server.done }

// Err says why the server ended by itself; nil while it runs and after Stop.
func (c *Cluster) Err() error {
	select {
	case <-c.asked:
		return nil
	default:
	}
	select {
	case <-c.server.done:
		return serverFailed(c.folder.dir, c.server)
	default:
		return nil
	}
}

// watch puts an end nobody asked for into the log.
func (c *Cluster) watch() {
	<-c.server.done
	if err := c.Err(); err != nil {
		c.o.Log.Error("private database ended", "reason", err)
	}
}

// Stop shuts the server down (fast: open transactions are rolled back, data
// checkpointed), removes the socket folder and releases the data folder. It
// may be called again and from several goroutines; all get the same answer.
// When ctx ends first the server is stopped hard, which costs only the time
// of a recovery at the next Start.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stop.Do(func() {
		close(c.asked)
		c.stopErr = c.server.shutdown(ctx, c.o.ThrowAway && c.folder.temporary)
		if err := c.cleanUp(ctx); c.stopErr == nil {
			c.stopErr = err
		}
		close(c.stopped)
	})
	<-c.stopped
	return c.stopErr
}

// cleanUp leaves nothing running and nothing behind but the data.
func (c *Cluster) cleanUp(ctx context.Context) error {
	if c.server != nil {
		c.server.kill()
	}
	var errs []error
	if c.socket != "" {
		errs = append(errs, os.RemoveAll(c.socket))
	}
	if c.folder.temporary {
		// Backends of a killed server may still be on their way out.
		errs = append(errs, settle(ctx, c.folder.pg(), c.o.Log), os.RemoveAll(c.folder.dir))
	}
	return errors.Join(append(errs, c.folder.release())...)
}
