package roster

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

// world is a sandbox over HTTP, a client of it and a store on a fresh database.
type world struct {
	*testing.T
	sandbox *sandbox.Sandbox
	client  *clever.Client
	store   *models.Store
	look    *pgx.Conn // sees everything, for assertions
	url     string    // of the sandbox
}

type change struct {
	sandbox func(*sandbox.Options)
	client  func(*clever.Config)
	store   func(*models.Config)
}

func newWorld(t *testing.T, c change) *world {
	t.Helper()
	opt := sandbox.Options{Seed: 7, Users: 1200, ClientID: "app", ClientSecret: "secret", RateLimit: -1}
	if c.sandbox != nil {
		c.sandbox(&opt)
	}
	box, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	t.Cleanup(server.Close)
	cfg := clever.Config{
		APIURL: server.URL, AuthURL: server.URL, ClientID: "app", ClientSecret: "secret", PageSize: 250,
		MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, MaxAttempts: 3, PageTimeout: time.Minute,
	}
	if c.client != nil {
		c.client(&cfg)
	}
	client, err := clever.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := modelstest.URL(t)
	mc := models.Config{URL: db, MaxConns: 8}
	if c.store != nil {
		c.store(&mc)
	}
	store, err := models.Open(t.Context(), mc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	look, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(context.Background()) })
	return &world{t, box, client, store, look, server.URL}
}

// sync runs one full sync that must succeed.
func (w *world) sync() models.SyncRun {
	w.Helper()
	run, err := Full(w.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
	if err != nil {
		w.Fatalf("sync: %v", err)
	}
	if run.State != models.SyncDone || run.FinishedAt == nil {
		w.Fatalf("sync is %s", run.State)
	}
	return run
}

// held runs one full sync that the brake must stop.
func (w *world) held() models.SyncRun {
	w.Helper()
	run, err := Full(w.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
	if err != nil {
		w.Fatalf("sync: %v", err)
	}
	if run.State != models.SyncHeld || run.FinishedAt == nil {
		w.Fatalf("sync is %s", run.State)
	}
	return run
}

// unbraked lets the district's runs take whatever they will.
func (w *world) unbraked() {
	w.Helper()
	b := models.Brake{Shares: map[models.BrakeType]int{}, People: 1 << 30}
	for _, t := range models.BrakeTypes() {
		b.Shares[t] = 100
	}
	w.must(w.system().Write(w.Context(), func(tx *models.Tx) error { return tx.SetBrake(w.Context(), b) }))
}

// of gives what the run did with one type.
func of(run models.SyncRun, t models.RosterType) models.SyncProgress {
	for _, p := range run.Progress {
		if p.Type == t {
			return p
		}
	}
	return models.SyncProgress{}
}

// text reads one value of the database as text.
func (w *world) text(sql string, args ...any) string {
	w.Helper()
	var s *string
	if err := w.look.QueryRow(w.Context(), `SELECT (`+sql+`)::text`, args...).Scan(&s); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
	if s == nil {
		return "NULL"
	}
	return *s
}

func (w *world) is(want, sql string, args ...any) {
	w.Helper()
	if got := w.text(sql, args...); got != want {
		w.Errorf("got %q, want %q from %s %v", got, want, sql, args)
	}
}

// roster are the tables that a sync of unchanged records must leave alone, with what orders their rows.
var roster = []string{
	"schools", "terms", "users", "identities", "accounts", "role_grants", "role_grant_schools",
	"contact_students", "sections", "section_teachers", "section_students", "section_strangers", "head_counts", "user_search", "sessions",
}

// marks tells for each table which row versions it has: it differs after any insert, update or delete.
func (w *world) marks(where string) map[string]string {
	w.Helper()
	marks := map[string]string{}
	for _, t := range roster {
		marks[t] = w.text(`SELECT count(*) || ' ' || coalesce(md5(string_agg(ctid || ':' || xmin, ',' ORDER BY ctid)), '') FROM ` + t + where)
	}
	return marks
}

func (w *world) system() models.Scope {
	w.Helper()
	id, err := w.store.DistrictID(w.Context(), sandbox.SeedDistrictID)
	if err != nil {
		w.Fatal(err)
	}
	return w.store.As(access.System(id, "test"))
}
