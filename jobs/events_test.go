package jobs

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
	"hallpass/roster"
)

func TestNightIsTheDistrictsOwn(t *testing.T) {
	d := models.District{DistrictID: 61, TimeZone: "America/Los_Angeles", SyncHour: 2} // a minute past the hour
	for now, want := range map[string]string{
		"2026-01-10T10:00:59Z": "2026-01-09T10:01:00Z", // 02:00:59 in the district
		"2026-01-10T10:01:00Z": "2026-01-10T10:01:00Z",
		"2026-07-10T10:01:00Z": "2026-07-10T09:01:00Z", // summer time
		"2026-03-01T00:30:00Z": "2026-02-28T10:01:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := night(at, d).UTC().Format(time.RFC3339); got != want {
			t.Errorf("at %s the night was %s, want %s", now, got, want)
		}
	}
}

func (w *world) synced() {
	w.Helper()
	modelstest.Write(w.T, w.store, w.district, func(tx *models.Tx) error {
		run, err := tx.StartSync(w.Context(), 0)
		if err != nil {
			return err
		}
		if err := tx.RosterSynced(w.Context(), "v3.1", ""); err != nil {
			return err
		}
		_, err = tx.FinishSync(w.Context(), run.ID, nil)
		return err
	})
}

func (w *world) sweep(r *Runner) {
	w.Helper()
	if err := r.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func TestTimetable(t *testing.T) {
	w := newWorld(t)
	r, err := New(w.store, Work{
		Sync:   func(context.Context, int64, int64, func()) error { return nil },
		Follow: func(context.Context, int64) (bool, int64, error) { return false, 0, nil },
	}, nil) // never started
	if err != nil {
		t.Fatal(err)
	}
	w.sweep(r)
	w.is("0", `SELECT count(*) FROM river_job`) // never synced: nothing is asked for by itself
	w.is("0", `SELECT count(*) FROM sync_runs`)
	w.synced()
	w.sweep(r)
	w.is("0", `SELECT count(*) FROM sync_runs WHERE state = 'requested'`)
	w.is("true", `SELECT count(*) BETWEEN 1 AND 2 FROM river_job WHERE kind = 'follow_events'`)
	for range 3 {
		w.sweep(r)
	}
	// One for each five minutes on the wall, of which the test may see two.
	w.is("true", `SELECT count(*) BETWEEN 1 AND 2 FROM river_job WHERE kind = 'follow_events'`)
	w.later.Add(int64(28 * time.Hour)) // a night has passed
	for range 2 {
		w.sweep(r)
	}
	w.is("1 nightly", `SELECT count(*) || ' ' || max(cause) FROM sync_runs WHERE state = 'requested'`)
}

// TestEventsAreFollowedInTheBackground, by slices that let others have their turn.
func TestEventsAreFollowedInTheBackground(t *testing.T) {
	w := newWorld(t)
	box, err := sandbox.New(sandbox.Options{Seed: 3, Users: 300, ClientID: "app", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	defer server.Close()
	client, err := clever.New(clever.Config{APIURL: server.URL, AuthURL: server.URL, ClientID: "app", ClientSecret: "secret", PageSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roster.Full(t.Context(), w.store, client, sandbox.SeedDistrictID, roster.Options{}); err != nil {
		t.Fatal(err)
	}
	for i := range 35 {
		if err := box.EditUser(box.UserIDAt(i), func(u map[string]any) { u["email"] = "moved@example.org" }); err != nil {
			t.Fatal(err)
		}
	}
	r, err := New(w.store, Work{Sync: FullSync(w.store, client, roster.Options{}), Follow: FollowEvents(w.store, client, roster.Options{Events: 20})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := outcomeOf(t, r, EventsArgs{}.Kind())
	w.start(r) // sweeps at once
	for {
		if e := wait(t, done); e.Kind != river.EventKindJobSnoozed && e.Kind != river.EventKindJobCompleted {
			t.Fatalf("the job ended with %s", e.Kind)
		}
		var moved int
		if err := w.look.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE email = 'moved@example.org'`).Scan(&moved); err != nil {
			t.Fatal(err)
		}
		if moved == 35 {
			break
		}
	}
	w.is("2", `SELECT count(*) FROM sync_runs WHERE kind = 'events' AND state = 'done'`)
}
