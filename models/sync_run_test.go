package models_test

import (
	"errors"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

func TestOneOpenSyncInADistrict(t *testing.T) {
	now := time.Now()
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, func() time.Time { return now })
	one, two := modelstest.District(t, store, "d1"), modelstest.District(t, store, "d2")
	request := func(district int64) (run models.SyncRun, created bool) {
		t.Helper()
		modelstest.Write(t, store, district, func(tx *models.Tx) (err error) {
			run, created, err = tx.RequestSync(t.Context())
			return err
		})
		return run, created
	}
	first, created := request(one)
	again, second := request(one)
	if !created || second || again.ID != first.ID {
		t.Errorf("runs %d (%v) and %d (%v)", first.ID, created, again.ID, second)
	}
	if other, created := request(two); !created || other.ID == first.ID {
		t.Errorf("another district's request gave run %d (%v)", other.ID, created)
	}
	start := func(id int64) error {
		return store.As(access.System(one, "test")).Write(t.Context(), func(tx *models.Tx) error {
			_, err := tx.StartSync(t.Context(), id)
			return err
		})
	}
	if err := start(first.ID); err != nil {
		t.Fatal(err)
	}
	if err := start(first.ID); !errors.Is(err, models.ErrConflict) {
		t.Errorf("started twice: %v", err)
	}
	if err := start(0); !errors.Is(err, models.ErrConflict) {
		t.Errorf("a second run started: %v", err)
	}
	progress := []models.SyncProgress{{Type: models.RosterUsers, Pages: 2, Read: 2000, Created: 7, Done: true}}
	modelstest.Write(t, store, one, func(tx *models.Tx) error { return tx.SaveSyncProgress(t.Context(), first.ID, progress) })

	// Signs of life keep it; two minutes without one lose it.
	now = now.Add(119 * time.Second)
	modelstest.Write(t, store, one, func(tx *models.Tx) error { return tx.BeatSync(t.Context(), first.ID) })
	now = now.Add(119 * time.Second)
	if _, created := request(one); created {
		t.Error("a living run was given up")
	}
	now = now.Add(2 * time.Second)
	next, created := request(one)
	if !created || next.ID == first.ID {
		t.Error("a lost run blocks the next")
	}
	modelstest.Read(t, store, one, func(tx *models.Tx) error {
		runs, err := tx.SyncRuns(t.Context(), 0, 10)
		if err != nil {
			return err
		}
		if len(runs) != 2 || runs[0].ID != next.ID || runs[1].State != models.SyncFailed || runs[1].Error == "" || runs[1].Progress[0] != progress[0] {
			t.Errorf("runs %+v", runs)
		}
		older, err := tx.SyncRuns(t.Context(), next.ID, 10)
		if len(older) != 1 || older[0].ID != first.ID {
			t.Errorf("before run %d: %+v", next.ID, older)
		}
		if _, err := tx.SyncRun(t.Context(), 1<<40); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an unknown run: %v", err)
		}
		return err
	})
	// Whoever was given up for lost may write no more.
	err := store.As(access.System(one, "test")).Write(t.Context(), func(tx *models.Tx) error { return tx.SaveSyncProgress(t.Context(), first.ID, progress) })
	if !errors.Is(err, models.ErrConflict) {
		t.Errorf("a lost run saved progress: %v", err)
	}
	// Another district's run is not there.
	err = store.As(access.System(two, "test")).Read(t.Context(), func(tx *models.Tx) error { _, err := tx.SyncRun(t.Context(), first.ID); return err })
	if !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another district's run: %v", err)
	}
}

// TestALongPageKeepsItsSignsOfLife: what a page of minutes saves at its end does not take back the signs of life that
// the run gave meanwhile.
func TestALongPageKeepsItsSignsOfLife(t *testing.T) {
	now := time.Now()
	store := modelstest.Open(t, modelstest.URL(t), func() time.Time { return now })
	district := modelstest.District(t, store, "d1")
	var run models.SyncRun
	modelstest.Write(t, store, district, func(tx *models.Tx) (err error) {
		run, err = tx.StartSync(t.Context(), 0)
		return err
	})
	modelstest.Write(t, store, district, func(page *models.Tx) error {
		now = now.Add(5 * time.Minute)
		modelstest.Write(t, store, district, func(tx *models.Tx) error { return tx.BeatSync(t.Context(), run.ID) })
		return page.SaveSyncProgress(t.Context(), run.ID, nil)
	})
	modelstest.Write(t, store, district, func(tx *models.Tx) error {
		lost, err := tx.FailLostSyncs(t.Context())
		if lost != 0 {
			t.Errorf("%d living runs were given up", lost)
		}
		return err
	})
}

// TestRunsOfADistrictFollowEachOther: a run begins when it has its turn, which may be long after it asked for it.
func TestRunsOfADistrictFollowEachOther(t *testing.T) {
	for _, kind := range []string{"full", "events"} {
		now := time.Now().Truncate(time.Second)
		store := modelstest.Open(t, modelstest.URL(t), func() time.Time { return now })
		district := modelstest.District(t, store, "d1")
		var first, second models.SyncRun
		modelstest.Write(t, store, district, func(tx *models.Tx) (err error) {
			first, err = tx.StartSync(t.Context(), 0)
			return err
		})
		modelstest.Write(t, store, district, func(waits *models.Tx) (err error) {
			now = now.Add(time.Minute)
			modelstest.Write(t, store, district, func(tx *models.Tx) error {
				first, err = tx.FinishSync(t.Context(), first.ID, nil)
				return err
			})
			now = now.Add(time.Minute)
			if kind == "full" {
				second, err = waits.StartSync(t.Context(), 0)
			} else {
				second, err = waits.StartEvents(t.Context())
			}
			return err
		})
		if second.StartedAt == nil || second.StartedAt.Before(*first.FinishedAt) {
			t.Errorf("%s: the second began at %v, the first ended at %v", kind, second.StartedAt, first.FinishedAt)
		}
	}
}
