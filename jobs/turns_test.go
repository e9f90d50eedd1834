package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestSmallDistrictsDoNotWaitForHugeOnes: there are two places and two syncs that do not end before every small one
// has. If a huge one kept its place for as long as it lasts, none of this would end.
func TestSmallDistrictsDoNotWaitForHugeOnes(t *testing.T) {
	w := newWorld(t)
	const huge, small = 2, 9
	var mu sync.Mutex
	var order []string // of ends
	working, most := 0, 0
	left := small
	smallDone := make(chan struct{})
	began := map[int64]int{} // huge districts, by the order in which they began
	allHuge := make(chan struct{})
	work := func(deed func()) { // one page
		mu.Lock()
		working++
		most = max(most, working)
		mu.Unlock()
		deed()
		mu.Lock()
		working--
		mu.Unlock()
	}
	isHuge := map[int64]bool{}
	r := w.runner(func(ctx context.Context, district, run int64, rest func()) error {
		if isHuge[district] {
			mu.Lock()
			if began[district] = len(began) + 1; len(began) == huge {
				close(allHuge)
			}
			mu.Unlock()
			for {
				work(func() {})
				rest()
				select {
				case <-smallDone:
					mu.Lock()
					order = append(order, "huge")
					mu.Unlock()
					return nil
				case <-ctx.Done():
					return ctx.Err()
				default:
				}
			}
		}
		for range 3 * sliceSteps { // more than one slice: it must rest too, and come back
			work(func() {})
			rest()
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, "small")
		if left--; left == 0 {
			close(smallDone)
		}
		return ctx.Err()
	})
	done := outcome(t, r)
	enqueue := func(cleverID string) {
		t.Helper()
		d := modelstest.District(t, w.store, cleverID)
		var run models.SyncRun
		modelstest.Write(t, w.store, d, func(tx *models.Tx) (err error) {
			run, _, err = tx.RequestSync(t.Context())
			return err
		})
		if err := r.Enqueue(t.Context(), d, run.ID); err != nil {
			t.Fatal(err)
		}
	}
	for i := range huge {
		name := fmt.Sprintf("huge-%d", i)
		isHuge[modelstest.District(t, w.store, name)] = true
		enqueue(name)
	}
	w.start(r)
	wait(t, allHuge)
	for i := range small {
		enqueue(fmt.Sprintf("small-%d", i))
	}
	for range huge + small {
		wait(t, done)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := append(slices.Repeat([]string{"small"}, small), slices.Repeat([]string{"huge"}, huge)...); !slices.Equal(order, want) {
		t.Errorf("they ended as %v", order)
	}
	if most > syncPlaces {
		t.Errorf("%d worked at once, on %d places", most, syncPlaces)
	}
}

func TestTurns(t *testing.T) {
	turns := newTurns(1)
	if err := turns.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Who gives up waiting leaves no gap in the row.
	gone, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- turns.take(gone) }()
	for waiting(turns) < 1 {
	}
	next := make(chan error)
	go func() { next <- turns.take(t.Context()) }()
	for waiting(turns) < 2 {
	}
	leave()
	if err := wait(t, left); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	turns.give()
	if err := wait(t, next); err != nil {
		t.Error(err)
	}
	// One whose wait ends has no place, and gives none back.
	s := &slice{turns: turns, left: 1, held: true}
	go func() { next <- turns.take(t.Context()) }()
	for waiting(turns) < 1 {
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := s.step(over); err == nil || s.held {
		t.Errorf("%v, held %v", err, s.held)
	}
	s.end()
	if err := wait(t, next); err != nil || turns.free != 0 {
		t.Errorf("%v, %d free places while one is taken", err, turns.free)
	}
	turns.give()
	if turns.free != 1 {
		t.Errorf("%d free places", turns.free)
	}
}

func waiting(t *turns) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

func TestPausedDistrictHasNoTimetable(t *testing.T) {
	w := newWorld(t)
	r, err := New(w.store, Work{
		Sync:   func(context.Context, int64, int64, func()) error { return nil },
		Follow: func(context.Context, int64) (bool, int64, error) { return false, 0, nil },
	}, nil) // never started
	if err != nil {
		t.Fatal(err)
	}
	w.synced()
	turn := func(to models.Switch) {
		t.Helper()
		err := w.store.As(access.System(w.district, "test")).Write(t.Context(), func(tx *models.Tx) error {
			_, err := tx.SetSwitch(t.Context(), to)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	turn(models.SwitchPaused)
	w.later.Add(int64(28 * 3600e9))
	w.sweep(r)
	w.is("0 0", `SELECT (SELECT count(*) FROM river_job) || ' ' || (SELECT count(*) FROM sync_runs WHERE state = 'requested')`)
	turn(models.SwitchOn)
	w.sweep(r)
	w.is("1 nightly", `SELECT count(*) || ' ' || max(cause) FROM sync_runs WHERE state = 'requested'`)
	w.is("true", `SELECT count(*) > 0 FROM river_job WHERE kind = 'follow_events'`)
}

func TestTokenListIsLookedAtOnce(t *testing.T) {
	w := newWorld(t)
	looked := make(chan bool, 10)
	r, err := New(w.store, Work{
		Sync: func(context.Context, int64, int64, func()) error { return nil },
		Poll: func(context.Context) error { looked <- true; return nil },
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := outcomeOf(t, r, connectionsArgs{}.Kind())
	w.start(r)
	wait(t, done)
	wait(t, looked)
	for range 3 { // more programs, or one that starts anew, ask for nothing more in the same five minutes
		if _, err := r.client.Insert(t.Context(), connectionsArgs{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// Of two stretches, if the test begins at the end of one.
	w.is("true", `SELECT count(*) BETWEEN 1 AND 2 FROM river_job WHERE kind = 'poll_connections'`)
}
