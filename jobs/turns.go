package jobs

import (
	"context"
	"sync"
)

// turns lets only so many work at once, and everybody in the order in which they asked. Who has worked for a slice
// rests: the place goes to whoever waits longest, and comes back in its turn.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting []chan struct{}
}

func newTurns(places int) *turns { return &turns{free: places} }

// take waits for a place, or for the end of ctx.
func (t *turns) take(ctx context.Context) error {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	t.waiting = append(t.waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	for i, c := range t.waiting {
		if c == mine {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			t.mu.Unlock()
			return ctx.Err()
		}
	}
	t.mu.Unlock()
	t.give() // it came in the same moment
	return ctx.Err()
}

// give passes the place on.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.free++
		return
	}
	next := t.waiting[0]
	t.waiting = t.waiting[1:]
	close(next)
}

// slice is one job's share of the work: it has a place, or is about to get one.
type slice struct {
	turns *turns
	left  int // steps until it rests
	held  bool
}

// step counts one piece of work that is done, and rests when the slice is used up. It fails with the end of ctx, and
// then has no place.
func (s *slice) step(ctx context.Context) error {
	if s.left--; s.left > 0 {
		return nil
	}
	s.left = sliceSteps
	s.turns.give()
	s.held = false
	if err := s.turns.take(ctx); err != nil {
		return err
	}
	s.held = true
	return nil
}

// end gives the place back, if there is one.
func (s *slice) end() {
	if s.held {
		s.held = false
		s.turns.give()
	}
}
