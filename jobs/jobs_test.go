package jobs

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
	"hallpass/roster"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

type world struct {
	*testing.T
	store    *models.Store
	look     *pgx.Conn
	later    atomic.Int64 // how far the store's clock is ahead
	district int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	url := modelstest.URL(t)
	w := &world{T: t}
	w.store = modelstest.Open(t, url, func() time.Time { return time.Now().Add(time.Duration(w.later.Load())) })
	w.district = modelstest.District(t, w.store, sandbox.SeedDistrictID)
	look, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(context.Background()) })
	w.look = look
	return w
}

func (w *world) request() (run models.SyncRun, created bool) {
	w.Helper()
	modelstest.Write(w.T, w.store, w.district, func(tx *models.Tx) (err error) {
		run, created, err = tx.RequestSync(w.Context())
		return err
	})
	return run, created
}

func (w *world) is(want, sql string) {
	w.Helper()
	var got string
	if err := w.look.QueryRow(w.Context(), `SELECT coalesce((`+sql+`)::text, 'NULL')`).Scan(&got); err != nil {
		w.Fatal(err)
	}
	if got != want {
		w.Errorf("got %q, want %q from %s", got, want, sql)
	}
}

func (w *world) runner(sync Sync) *Runner {
	w.Helper()
	r, err := New(w.store, Work{Sync: sync}, nil)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) start(r *Runner) {
	w.Helper()
	if err := r.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			w.Error(err)
		}
	})
}

// outcome waits for a job that works for a sync.
func outcome(t *testing.T, r *Runner) <-chan *river.Event {
	t.Helper()
	return outcomeOf(t, r, SyncArgs{}.Kind())
}

func outcomeOf(t *testing.T, r *Runner, kind string) <-chan *river.Event {
	t.Helper()
	events, cancel := r.client.SubscribeConfig(&river.SubscribeConfig{
		Kinds: []river.EventKind{river.EventKindJobCompleted, river.EventKindJobFailed, river.EventKindJobCancelled, river.EventKindJobSnoozed},
	})
	t.Cleanup(cancel)
	syncs := make(chan *river.Event, 10)
	go func() {
		for e := range events {
			if e.Job.Kind == kind {
				syncs <- e
			}
		}
	}()
	return syncs
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(3 * time.Minute):
		t.Fatal("nothing happened for three minutes")
		panic("unreachable")
	}
}

func TestRequestedSyncRunsToItsEnd(t *testing.T) {
	w := newWorld(t)
	box, err := sandbox.New(sandbox.Options{Seed: 3, Users: 300, ClientID: "app", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	defer server.Close()
	client, err := clever.New(clever.Config{APIURL: server.URL, AuthURL: server.URL, ClientID: "app", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	r := w.runner(FullSync(w.store, client, roster.Options{}))
	done := outcome(t, r)
	w.start(r)
	run, created := w.request()
	if again, second := w.request(); !created || second || again.ID != run.ID {
		t.Errorf("two requests gave runs %d (%v) and %d (%v)", run.ID, created, again.ID, second)
	}
	for range 2 {
		if err := r.Enqueue(t.Context(), w.district, run.ID); err != nil {
			t.Fatal(err)
		}
	}
	if e := wait(t, done); e.Kind != river.EventKindJobCompleted {
		t.Errorf("job ended with %s", e.Kind)
	}
	w.is("done", `SELECT state FROM sync_runs`)
	w.is("1", `SELECT count(*) FROM river_job WHERE kind = 'full_sync'`)
	w.is("true", `SELECT count(*) > 300 FROM users`)
}

func TestFailedSyncIsNotRetriedButSeen(t *testing.T) {
	w := newWorld(t)
	calls := 0
	r := w.runner(func(ctx context.Context, district, run int64, _ func()) error {
		calls++
		err := w.store.As(access.System(district, "full sync")).Write(ctx, func(tx *models.Tx) error {
			_, err := tx.FailSync(ctx, run, models.SyncFailure{Text: "no"})
			return err
		})
		return errors.Join(errors.New("no luck"), err)
	})
	done := outcome(t, r)
	w.start(r)
	run, _ := w.request()
	if err := r.Enqueue(t.Context(), w.district, run.ID); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, done); e.Kind != river.EventKindJobFailed || calls != 1 {
		t.Errorf("job ended with %s after %d calls", e.Kind, calls)
	}
	w.is("discarded", `SELECT state FROM river_job WHERE kind = 'full_sync'`)
	w.later.Add(int64(time.Hour))
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is("1", `SELECT count(*) FROM river_job WHERE kind = 'full_sync'`)
}

func TestSweeperFindsWhatACrashLeft(t *testing.T) {
	w := newWorld(t)
	r := w.runner(func(context.Context, int64, int64, func()) error { return nil }) // never started
	run, _ := w.request()
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is("0", `SELECT count(*) FROM river_job`) // too young
	w.later.Add(int64(10 * time.Second))
	for range 2 {
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.is("1", `SELECT count(*) FROM river_job WHERE kind = 'full_sync'`)

	// A program takes the job and dies before it begins the run.
	if _, err := w.look.Exec(t.Context(), `UPDATE river_job SET state = 'running', attempted_at = now(), attempt = 1 WHERE kind = 'full_sync'`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		later time.Duration
		jobs  string
	}{{time.Minute, "1"}, {time.Minute, "2"}, {0, "2"}, {time.Minute, "2"}, {2 * time.Minute, "3"}, {15 * time.Minute, "4"}} {
		w.later.Add(int64(c.later))
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.is(c.jobs, `SELECT count(*) FROM river_job WHERE kind = 'full_sync'`)
	}

	// Another takes it up, begins and dies.
	modelstest.Write(t, w.store, w.district, func(tx *models.Tx) error {
		_, err := tx.StartSync(t.Context(), run.ID)
		return err
	})
	w.later.Add(int64(3 * time.Minute))
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is("failed", `SELECT state FROM sync_runs`)
	w.is("sync.requested sync.failed", `SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entries`)
	if _, created := w.request(); !created {
		t.Error("a lost run blocks the next")
	}
}

func TestStopEndsARunningSync(t *testing.T) {
	w := newWorld(t)
	started, ended := make(chan bool, 1), make(chan error, 1)
	r := w.runner(func(ctx context.Context, _, _ int64, _ func()) error {
		started <- true
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, _ := w.request()
	if err := r.Enqueue(t.Context(), w.district, run.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, started)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the sync ended with %v", err)
	}
}

// TestTrimGoesThroughEveryDistrict by the store's clock, until nothing old is left.
func TestTrimGoesThroughEveryDistrict(t *testing.T) {
	w := newWorld(t)
	modelstest.District(t, w.store, "another")
	if _, err := w.look.Exec(t.Context(), `WITH r AS (INSERT INTO sync_runs (district_id, kind, state, requested_at, finished_at) SELECT district_id, 'full', 'done', now(), now() FROM districts RETURNING *)
		INSERT INTO sync_changes (district_id, run_id, user_id, kind) SELECT district_id, id, n, 'left' FROM r, generate_series(1, 5100) n`); err != nil {
		t.Fatal(err)
	}
	r := w.runner(nil)
	if err := r.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is("10200", `SELECT count(*) FROM sync_changes`)
	w.later.Add(int64(models.KeepLists + time.Hour))
	if err := r.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is("0", `SELECT count(*) FROM sync_changes`)
	w.is("2", `SELECT count(*) FROM sync_runs`)
}
