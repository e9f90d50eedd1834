package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/imports"
	"hallpass/models"
	"hallpass/models/cluster"
	"hallpass/roster"
)

// demo brings up an invented district with its own Clever, a throw-away database and the console, and says who can
// sign in. Nothing is left behind unless a data folder was named.
func demo(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` of the console")
	sandboxAddr := flags.String("sandbox-addr", "127.0.0.1:8081", "`address` of the pretend Clever")
	users := flags.Int("users", 6000, "about how many people the district has")
	seed := flags.Uint64("seed", 1, "the district is invented anew for each seed, and the same for the same one")
	data := flags.String("data", "", "`folder` to keep the database in (default: a temporary one, removed at the end)")
	verbose := flags.Bool("v", false, "log requests and the database's own messages")
	if err := parse(flags, args, errOut); err != nil {
		return err
	}
	if *users < 100 {
		return fmt.Errorf("%w: demo: --users must be 100 or more", errUsage)
	}
	s := &settings{env: os.LookupEnv}
	catalogue := s.catalogue("HALLPASS_CATALOGUE") // an app tries its own here first
	if err := s.err(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if *verbose {
		log = slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	console1, err := listen(ctx, "--addr", *addr)
	if err != nil {
		return err
	}
	defer console1.Close()
	pretend, err := listen(ctx, "--sandbox-addr", *sandboxAddr)
	if err != nil {
		return err
	}
	keys, err := models.ParseKeyring("demo:" + base64.StdEncoding.EncodeToString(randomKey())) // thrown away at the end
	if err != nil {
		return err
	}
	c := config{
		baseURL: "http://" + console1.Addr().String(), cleverAPIURL: "http://" + pretend.Addr().String(), cleverOAuth: "http://" + pretend.Addr().String(),
		cleverID: "demo", cleverSecret: "demo", cookieKeys: [][]byte{randomKey()}, sessionIdle: 2 * time.Hour, sessionLength: 12 * time.Hour, catalogue: catalogue, tokenKeys: keys.Always(), log: log,
	}
	sb, stopSandbox, err := pretendClever(c, pretend, *users, *seed)
	if err != nil {
		return err
	}
	defer stopSandbox()

	fmt.Fprintf(out, "Starting a private PostgreSQL server and an invented district (seed %d)\n", *seed)
	db, err := privateDatabase(ctx, cluster.Options{Dir: *data, ThrowAway: true, Log: log})
	if err != nil {
		return err
	}
	defer db.stop()
	if _, err := models.MigrateUp(ctx, db.url); err != nil {
		return err
	}
	store, err := openStore(ctx, c, db.url)
	if err != nil {
		return err
	}
	defer store.Close()
	client, err := cleverClient(c)
	if err != nil {
		return err
	}
	if err := switchOn(ctx, store, client, sb.DistrictID()); err != nil {
		return err
	}
	if _, err := roster.Full(ctx, store, client, sb.DistrictID(), roster.Options{Progress: progressTo(out), Log: log}); err != nil {
		return err
	}
	if err := importOldApp(ctx, store, sb, out); err != nil {
		return err
	}
	welcome(out, c, sb, db.url)
	return console(ctx, c, store, client, console1, db.done)
}

// importOldApp brings in the accounts of an app of the days of API v2, by the way that any file comes in.
func importOldApp(ctx context.Context, store *models.Store, sb *sandbox.Sandbox, out io.Writer) error {
	id, err := store.DistrictID(ctx, sb.DistrictID())
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := sb.OldApp(&file); err != nil {
		return err
	}
	i, err := imports.File(ctx, store, id, "old-app.csv", int64(file.Len()), &file, false)
	if err != nil {
		return err
	}
	if i.State != models.ImportApplied {
		return fmt.Errorf("import the old app's accounts: %s", i.Error)
	}
	fmt.Fprintf(out, "  accounts  %9d of the old app  %d linked, %d ambiguous, %d unmatched, %d archived\n", i.RowsRead,
		i.Counts.In(models.AccountLinked), i.Counts.In(models.AccountAmbiguous), i.Counts.In(models.AccountUnmatched), i.Counts.In(models.AccountArchived))
	return nil
}

// switchOn finds the invented district in the token list, as any other, and switches it on.
func switchOn(ctx context.Context, store *models.Store, client *clever.Client, district string) error {
	if _, err := roster.Poll(ctx, store, client, nil); err != nil {
		return err
	}
	id, err := store.DistrictID(ctx, district)
	if err != nil {
		return err
	}
	return store.As(access.System(id, "demo")).Write(ctx, func(tx *models.Tx) error {
		_, err := tx.SetSwitch(ctx, models.SwitchOn)
		return err
	})
}

// pretendClever serves the sandbox over real HTTP.
func pretendClever(c config, listener net.Listener, users int, seed uint64) (*sandbox.Sandbox, func(), error) {
	sb, err := sandbox.New(sandbox.Options{
		Seed: seed, Users: users, ClientID: c.cleverID, ClientSecret: c.cleverSecret, Log: c.log,
		RedirectURLs: []string{c.baseURL + callbackPath}, RateLimit: -1,
	})
	if err != nil {
		listener.Close()
		return nil, nil, fmt.Errorf("pretend Clever: %w", err)
	}
	server := &http.Server{Handler: sb.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return sb, func() { server.Close() }, nil
}

// welcome prints the addresses and a table of people worth being.
func welcome(out io.Writer, c config, sb *sandbox.Sandbox, database string) {
	fmt.Fprintf(out, "\nHallpass is at %s\nThe pretend Clever is at %s; whoever is signed in there comes through.\nChange its people and schools at %s/people, then press Sync now in Hallpass.\n\nWho can sign in:\n", c.baseURL, c.cleverOAuth, c.cleverOAuth)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range sb.People() {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", p.Label, p.Name, p.Email)
	}
	table.Flush()
	admin := sb.People()[0]
	fmt.Fprintf(out, "\nIn a browser: open %s and choose a person.\nIn a script:  curl -sLc jar -b jar '%s/signin?as=%s' && curl -sLc jar -b jar %s/signin/clever\nIts database: DATABASE_URL='%s'\nStop with Ctrl-C.\n",
		c.baseURL, c.cleverOAuth, strings.ReplaceAll(admin.Email, "+", "%2B"), c.baseURL, database)
}
