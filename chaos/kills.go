package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// compareEvery is how many kills lie between two comparisons.
const compareEvery = 25

// spread is how long a run of each kind lasts, as far as it is known, so that moments of death fall all over it.
type spread map[string]time.Duration

func (s spread) learn(kind string, took time.Duration) {
	if before, known := s[kind]; known {
		took = (3*before + took) / 4
	}
	s[kind] = took
}

// kills ends `hallpass sync` by kill -9 at random moments, while the district changes, and starts it again. Between one
// comparison and the next there are runs of both kinds, or of events alone: a full sync would heal what events lost.
func (w *world) kills(ctx context.Context, part *figure) error {
	lasts := spread{"full": 500 * time.Millisecond, "events": 100 * time.Millisecond}
	late := 0
	for part.Done < w.killed {
		kind, args, edits := "full", byFull, w.random.IntN(4)
		alone := part.Done/compareEvery%2 == 0
		if alone || w.random.IntN(2) == 0 {
			kind, args, edits = "events", byEvents, 1+w.random.IntN(30)
		}
		if err := w.edits.some(edits); err != nil {
			return err
		}
		asked := w.traffic.asked()
		c, err := w.syncing(ctx, w.trial.url, w.cleverURL, args...)
		if err != nil {
			return err
		}
		select {
		case <-asked:
		case <-c.done:
		case <-ctx.Done():
			c.kill()
			return ctx.Err()
		}
		began := w.now()
		if err := w.live(ctx, w.somewhere(lasts[kind]+lasts[kind]/10), c); err != nil {
			c.kill()
			return err
		}
		took := w.now().Sub(began)
		killed := c.kill()
		amid, err := w.buried(ctx, w.trial)
		if err != nil {
			return err
		}
		switch {
		case !killed && c.err == nil:
			lasts.learn(kind, took)
			late++
			continue
		case !killed && !strings.Contains(c.said(), "under way"): // a full sync that a dead program asked for goes before events
			return fmt.Errorf("%w: a sync that nothing disturbed failed: %w\n%s", errBroken, c.err, c.said())
		case !killed:
			continue
		}
		lasts[kind] += lasts[kind] / 100 // it was still at work: moments may lie later
		part.Done++
		if amid {
			part.Amid++
		}
		if part.Done%compareEvery == 0 || part.Done == w.killed {
			way := w.eitherWay()
			if alone {
				way = byEvents
			}
			if err := w.compare(ctx, part, w.trial, way); err != nil {
				return err
			}
		}
		if part.Done%(4*compareEvery) == 0 {
			w.progress(part, w.killed)
		}
	}
	part.What = plural(late, "run was through before its kill", "runs were through before their kill")
	return nil
}

// live lets time pass while a run is at work, with an edit of the district somewhere in it. It ends with the run.
func (w *world) live(ctx context.Context, d time.Duration, c *child) error {
	first := w.somewhere(d)
	for i, d := range []time.Duration{first, d - first} {
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-c.done:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i == 0 && w.random.IntN(2) == 0 {
			if err := w.edits.some(1); err != nil {
				return err
			}
		}
	}
	return nil
}
