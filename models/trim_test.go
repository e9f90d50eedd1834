package models_test

import (
	"testing"
	"time"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestTrimKeepsWhatIsNotOver: what is old and over goes, in small pieces and of one district alone; runs, what waits for
// a person, and what is young stay.
func TestTrimKeepsWhatIsNotOver(t *testing.T) {
	url := modelstest.URL(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	store := modelstest.Open(t, url, func() time.Time { return now })
	look := connect(t, url)
	here, there := modelstest.District(t, store, "here"), modelstest.District(t, store, "there")
	for _, d := range []int64{here, there} {
		modelstest.Write(t, store, d, func(tx *models.Tx) error {
			_, err := tx.WriteUsers(t.Context(), []models.RosterUser{{CleverID: "one", Last: "One"}}, &models.Seen{})
			return err
		})
		for _, run := range []struct {
			kind, state string
			days        int // since it was over
			decided     bool
		}{
			{"full", "done", 100, false},
			{"full", "done", 80, false},
			{"full", "discarded", 100, true},
			{"full", "discarded", 80, true},
			{"full", "released", 100, true},
			{"full", "held", 100, false},
			{"events", "running", 100, false},
		} {
			at := now.AddDate(0, 0, -run.days)
			var id int64
			err := look.QueryRow(t.Context(), `INSERT INTO sync_runs (district_id, kind, state, requested_at, finished_at, beat_at, decided_at)
				VALUES ($1, $2, $3::text, $4::timestamptz, CASE WHEN $3 <> 'running' THEN $4::timestamptz END, $4::timestamptz, CASE WHEN $5 THEN $4::timestamptz END) RETURNING id`, d, run.kind, run.state, at, run.decided).Scan(&id)
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{
				`INSERT INTO sync_changes (district_id, run_id, user_id, kind) SELECT $1, $2, n, 'left' FROM generate_series(1, 5) n`,
				`INSERT INTO held_records (district_id, run_id, type, record_id) SELECT $1, $2, 'users', n FROM generate_series(1, 5) n`,
				`INSERT INTO held_effects (district_id, run_id, user_id, permission, gained) SELECT $1, $2, n, 'grades.edit', false FROM generate_series(1, 5) n`,
			} {
				if _, err := look.Exec(t.Context(), sql, d, id); err != nil {
					t.Fatal(err)
				}
			}
			if run.state == "released" { // and its release has not been applied yet
				if _, err := look.Exec(t.Context(), `INSERT INTO sync_runs (district_id, kind, state, requested_at, holds) VALUES ($1, 'release', 'requested', $2, $3)`, d, at, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		for n, ended := range []int{40, 31, 29, 0} {
			if _, err := look.Exec(t.Context(), `INSERT INTO sessions (district_id, token_hash, user_id, code_hash, created_at, seen_at, expires_at)
				SELECT district_id, sha256((district_id || '-' || $2::integer)::bytea), id, '', $3::timestamptz, $3::timestamptz, $3::timestamptz FROM users WHERE district_id = $1`, d, n, now.AddDate(0, 0, -ended)); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := counts(t, look, there)
	var all models.Trimmed
	slices := 0
	for more := true; more; slices++ {
		modelstest.Write(t, store, here, func(tx *models.Tx) error {
			n, err := tx.Trim(t.Context(), 3)
			if n.Changes > 3 || n.Held > 3 || n.Effects > 3 || n.Sessions > 3 {
				t.Errorf("one slice took %+v", n)
			}
			all.Changes, all.Held, all.Effects, all.Sessions = all.Changes+n.Changes, all.Held+n.Held, all.Effects+n.Effects, all.Sessions+n.Sessions
			more = n.Any()
			return err
		})
	}
	// Changes go with four runs of six that are over; lists with the one that was discarded long ago.
	if want := (models.Trimmed{Changes: 20, Held: 5, Effects: 5, Sessions: 2}); all != want || slices < 8 {
		t.Errorf("trimmed %+v in %d slices, want %+v", all, slices, want)
	}
	for table, want := range map[string]string{
		"sync_changes": "done 80,discarded 80,running 100", "held_records": "done 100,done 80,discarded 80,released 100,held 100,running 100",
		"held_effects": "done 100,done 80,discarded 80,released 100,held 100,running 100",
	} {
		got := value(t, look, `SELECT string_agg(x.what, ',' ORDER BY x.id) FROM (SELECT DISTINCT r.id, r.state || ' ' || extract(day FROM '2026-11-22 12:00Z'::timestamptz - r.requested_at) AS what
			FROM `+table+` c JOIN sync_runs r ON r.district_id = c.district_id AND r.id = c.run_id WHERE c.district_id = (SELECT district_id FROM districts WHERE clever_id = 'here')) x`)
		if got != want {
			t.Errorf("%s are left of %s, want %s", table, got, want)
		}
	}
	if got := value(t, look, `SELECT count(*)::text FROM sync_runs WHERE district_id = (SELECT district_id FROM districts WHERE clever_id = 'here')`); got != "8" {
		t.Errorf("%s runs are left of 8", got)
	}
	for table, n := range counts(t, look, there) {
		if n != before[table] {
			t.Errorf("the other district's %s has %d rows and had %d", table, n, before[table])
		}
	}
}
