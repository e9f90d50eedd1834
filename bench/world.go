package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/cluster"
)

// settings of the database server: those of a machine that has room for a million people in memory, with
// write-ahead log enough that no checkpoint falls into the middle of a load.
var settings = map[string]string{
	"shared_buffers": "2GB", "work_mem": "32MB", "maintenance_work_mem": "512MB", "effective_cache_size": "6GB", "max_wal_size": "8GB",
}

const clientID, clientSecret = "bench", "bench"

// world is everything the figures are taken of.
type world struct {
	report  *report
	folder  string // temporary
	program string // the built hallpass
	cluster *cluster.Cluster
	plans   *planLog
	url     string
	owner   *pgxpool.Pool // past row-level security: for counting, and for choosing what to ask
	ends    []func() error

	clever     *sandbox.Sandbox
	cleverURL  string
	console    string // host:port the console will have
	consoleURL string
	district   int64 // known after the first sync
}

func newWorld(ctx context.Context, o options, r *report) (_ *world, err error) {
	w := &world{report: r, plans: &planLog{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end(ctx))
		}
	}()
	if w.folder, err = os.MkdirTemp("", "hallpass-bench-"); err != nil {
		return nil, fmt.Errorf("make temporary folder: %w", err)
	}
	w.ends = append(w.ends, func() error { return os.RemoveAll(w.folder) })
	w.program = filepath.Join(w.folder, "hallpass")
	build := exec.CommandContext(ctx, "go", "build", "-o", w.program, "hallpass")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build hallpass: %w\n%s", err, said)
	}
	if w.console, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	w.consoleURL = "http://" + w.console
	if err := w.startClever(ctx, o); err != nil {
		return nil, err
	}
	return w, w.startDatabase(ctx, o.data)
}

// freeAddress is one nobody listens on. The sandbox must know the console's before the console is there.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (w *world) startClever(ctx context.Context, o options) (err error) {
	w.clever, err = sandbox.New(sandbox.Options{
		Seed: o.seed, Users: o.users, Schools: o.schools, ClientID: clientID, ClientSecret: clientSecret, RateLimit: -1,
		RedirectURLs: []string{w.consoleURL + "/signin/clever/callback"},
	})
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the pretend Clever: %w", err)
	}
	server := &http.Server{Handler: w.clever.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	w.ends = append(w.ends, server.Close)
	w.cleverURL = "http://" + l.Addr().String()
	return nil
}

func (w *world) startDatabase(ctx context.Context, folder string) (err error) {
	w.cluster, err = cluster.Start(ctx, cluster.Options{Dir: folder, ThrowAway: true, Settings: settings, Log: slog.New(w.plans)})
	if err != nil {
		return err
	}
	w.ends = append(w.ends, func() error {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return w.cluster.Stop(stop)
	})
	if w.url, err = w.migrated(ctx, "hallpass"); err != nil {
		return err
	}
	if w.owner, err = pgxpool.New(ctx, w.url); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	w.ends = append(w.ends, func() error { w.owner.Close(); return nil })
	return nil
}

// migrated makes a database with the product's schema.
func (w *world) migrated(ctx context.Context, name string) (string, error) {
	url, err := w.cluster.EnsureDatabase(ctx, name)
	if err != nil {
		return "", err
	}
	if _, err := models.MigrateUp(ctx, url); err != nil {
		return "", err
	}
	return url, nil
}

// end tears everything down, the newest first.
func (w *world) end(context.Context) error {
	var errs []error
	for _, end := range slices.Backward(w.ends) {
		errs = append(errs, end())
	}
	w.ends = nil
	return errors.Join(errs...)
}

// findDistrict looks whether the district is there from an earlier run: complete, because its last sync has ended.
func (w *world) findDistrict(ctx context.Context) (found bool, err error) {
	err = w.owner.QueryRow(ctx, `SELECT d.district_id FROM districts d WHERE d.clever_id = $1 AND d.synced_at IS NOT NULL`, w.clever.DistrictID()).Scan(&w.district)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find district: %w", err)
	}
	return true, nil
}

// settle brings the tables to rest, as autovacuum does in time, so that the figures of pages are not those of the
// minutes after a load.
func (w *world) settle(ctx context.Context) error {
	for _, sql := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := w.owner.Exec(ctx, sql); err != nil {
			return fmt.Errorf("settle database: %w", err)
		}
	}
	return nil
}
