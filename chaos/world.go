package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

const clientID, clientSecret = "chaos", "chaos"

// pageLimit is how many records the pretend Clever gives at most: with few, a run has many moments to die at.
const pageLimit = "100"

// world is everything that is broken, and what it is compared with.
type world struct {
	options
	out    io.Writer
	random *rand.Rand // of the main goroutine
	now    func() time.Time

	folder  string // temporary
	program string // the built hallpass
	keeper  *keeper
	server  *server
	ends    []func(context.Context) error

	clever    *sandbox.Sandbox
	cleverURL string
	traffic   *traffic
	edits     *edits
	addresses []string // host:port that consoles may have

	trial   *base // what is broken
	control *base // follows the same district and is never broken
	figures figures
}

// base is one database with the product's schema.
type base struct {
	name string
	url  string
	look *pgxpool.Pool    // past row-level security
	rows map[string]int64 // of tables from which nothing is ever deleted, when they were last counted
}

func newWorld(ctx context.Context, o options, out io.Writer, now func() time.Time) (_ *world, err error) {
	w := &world{options: o, out: out, now: now, random: rand.New(rand.NewPCG(o.seed, 0)), traffic: &traffic{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end(ctx))
		}
	}()
	if w.keeper, err = startKeeper(ctx); err != nil {
		return nil, err
	}
	w.ends = append(w.ends, func(context.Context) error { return w.keeper.end() })
	if w.folder, err = os.MkdirTemp("", "hallpass-chaos-"); err != nil {
		return nil, fmt.Errorf("make temporary folder: %w", err)
	}
	w.keeper.tell(word{Folder: w.folder})
	w.ends = append(w.ends, func(context.Context) error { return os.RemoveAll(w.folder) })
	if err := os.Chmod(w.folder, 0o711); err != nil { // the server's account passes through
		return nil, fmt.Errorf("open temporary folder: %w", err)
	}
	w.program = filepath.Join(w.folder, "hallpass")
	build := exec.CommandContext(ctx, "go", "build", "-o", w.program, "hallpass")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build hallpass: %w\n%s", err, said)
	}
	for range 2 {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		w.addresses = append(w.addresses, address)
	}
	if err := w.startClever(ctx); err != nil {
		return nil, err
	}
	if w.server, err = w.newServer(ctx, filepath.Join(w.folder, "server")); err != nil {
		return nil, err
	}
	if w.trial, err = w.newBase(ctx, w.server, "trial"); err != nil {
		return nil, err
	}
	if w.control, err = w.newBase(ctx, w.server, "control"); err != nil {
		return nil, err
	}
	for _, b := range []*base{w.trial, w.control} {
		if err := w.begin(ctx, b); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// newServer starts a database server in a folder that is made for it.
func (w *world) newServer(ctx context.Context, folder string, settings ...string) (*server, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make database folder: %w", err)
	}
	s, err := newServer(ctx, folder, w.random, settings...)
	if err != nil {
		return nil, err
	}
	w.keeper.tell(word{Server: s})
	w.ends = append(w.ends, s.stop)
	return s, nil
}

// newBase makes a database with the product's schema.
func (w *world) newBase(ctx context.Context, s *server, name string) (*base, error) {
	if err := s.create(ctx, name); err != nil {
		return nil, err
	}
	b := &base{name: name, url: s.url(name, ""), rows: map[string]int64{}}
	if _, err := models.MigrateUp(ctx, b.url); err != nil {
		return nil, err
	}
	var err error
	if b.look, err = pgxpool.New(ctx, b.url); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	w.ends = append(w.ends, func(context.Context) error { b.look.Close(); return nil })
	return b, nil
}

// begin switches the district on, as an operator does who has found it in Clever's list, and brings it in.
func (w *world) begin(ctx context.Context, b *base) error {
	for _, args := range [][]string{{"connections", "find"}, {"connections", "on", w.clever.DistrictID()}} {
		c, err := w.started(ctx, w.environ(b.url, w.cleverURL, w.addresses[0]), args...)
		if err != nil {
			return err
		}
		if err := c.wait(ctx); err != nil {
			return fmt.Errorf("switch the district on: %w\n%s", err, c.said())
		}
	}
	if err := w.synced(ctx, b, "--full"); err != nil {
		return err
	}
	// What changes between two comparisons may be a large part of so small a district. The brake has tests of its own.
	_, err := b.look.Exec(ctx, `UPDATE districts SET brake_people = 1000000,
		brake_shares = '{"schools": 100, "sections": 100, "student": 100, "teacher": 100, "staff": 100, "district_admin": 100, "contact": 100}'`)
	if err != nil {
		return fmt.Errorf("loosen the brake: %w", err)
	}
	return nil
}

// freeAddress is one nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (w *world) startClever(ctx context.Context) (err error) {
	o := sandbox.Options{Seed: w.seed, Users: w.users, ClientID: clientID, ClientSecret: clientSecret, RateLimit: -1, Now: w.now}
	for _, address := range w.addresses {
		o.RedirectURLs = append(o.RedirectURLs, "http://"+address+"/signin/clever/callback")
	}
	if w.clever, err = sandbox.New(o); err != nil {
		return err
	}
	w.edits = newEdits(w.clever, w.users, w.seed)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the pretend Clever: %w", err)
	}
	server := &http.Server{Handler: w.traffic.watch(w.clever.Handler()), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	w.ends = append(w.ends, func(context.Context) error { return server.Close() })
	w.cleverURL = "http://" + l.Addr().String()
	return nil
}

// end tears everything down, the newest first.
func (w *world) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	var errs []error
	for _, end := range slices.Backward(w.ends) {
		errs = append(errs, end(ctx))
	}
	w.ends = nil
	return errors.Join(errs...)
}

// environ is what the built program is told. Settings of the person at this machine do not reach it.
func (w *world) environ(database, cleverURL, console string) []string {
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("A", 32)))
	env := []string{
		"DATABASE_URL=" + database, "HALLPASS_ADDR=" + console, "HALLPASS_BASE_URL=http://" + console,
		"HALLPASS_CLEVER_CLIENT_ID=" + clientID, "HALLPASS_CLEVER_CLIENT_SECRET=" + clientSecret,
		"HALLPASS_CLEVER_API_URL=" + cleverURL, "HALLPASS_CLEVER_AUTH_URL=" + cleverURL, "HALLPASS_COOKIE_KEY=" + key, "HALLPASS_TOKEN_KEYS=chaos:" + key,
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// traffic stands before the pretend Clever, and knows when a run has begun to ask.
type traffic struct {
	mu     sync.Mutex
	waiter chan struct{}
}

func (t *traffic) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		if t.waiter != nil {
			close(t.waiter)
			t.waiter = nil
		}
		t.mu.Unlock()
		if q := r.URL.Query(); q.Get("limit") != "" {
			q.Set("limit", pageLimit)
			r.URL.RawQuery = q.Encode()
		}
		next.ServeHTTP(rw, r)
	})
}

// asked is closed by the next request.
func (t *traffic) asked() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiter == nil {
		t.waiter = make(chan struct{})
	}
	return t.waiter
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// somewhere is a random moment within a stretch.
func (w *world) somewhere(within time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(max(int64(within), 1)))
}
