package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// rivals lets two consoles and two commands want one district at the same time; now and then one of the consoles dies.
func (w *world) rivals(ctx context.Context, part *figure) (err error) {
	consoles := make([]*console, len(w.addresses))
	browsers := make([]*browser, len(w.addresses))
	for i := range consoles {
		if consoles[i], err = w.serving(ctx, w.trial.url, w.cleverURL, w.addresses[i]); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, consoles[i].stop(ctx)) }()
		if browsers[i], err = w.visit(ctx, w.addresses[i]); err != nil {
			return err
		}
	}
	won, stoodBack, killed := 0, 0, 0
	for part.Done < w.replicas {
		if err := w.edits.some(1 + w.random.IntN(10)); err != nil {
			return err
		}
		errs := make(chan error, 5)
		var all sync.WaitGroup
		for _, b := range browsers {
			all.Go(func() { errs <- w.syncNow(ctx, b) })
		}
		var counts sync.Mutex
		for _, args := range [][]string{{"--full"}, nil} {
			all.Go(func() {
				c, err := w.syncing(ctx, w.trial.url, w.cleverURL, args...)
				if err == nil {
					err = c.wait(ctx)
				}
				counts.Lock()
				defer counts.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, errBroken) || ctx.Err() != nil:
					errs <- err
				case strings.Contains(c.said(), "under way") || strings.Contains(c.said(), "being followed"):
					stoodBack++
				default:
					errs <- fmt.Errorf("%w: a sync failed: %w\n%s", errBroken, err, c.said())
				}
			})
		}
		dies := w.random.IntN(4) == 0
		if err := pause(ctx, w.somewhere(300*time.Millisecond)); err != nil {
			all.Wait()
			return err
		}
		all.Wait()
		if dies {
			i := w.random.IntN(len(consoles))
			if consoles[i].kill() {
				killed++
			}
			if consoles[i], err = w.serving(ctx, w.trial.url, w.cleverURL, w.addresses[i]); err != nil {
				return err
			}
			// A run of the other console looks frozen by this too: whoever presses first gives it up for lost.
			if _, err := w.age(ctx, w.trial); err != nil {
				return err
			}
			errs <- w.syncNow(ctx, browsers[i])
		}
		close(errs)
		for err := range errs {
			if err != nil {
				return err
			}
		}
		if err := w.rests(ctx, w.trial); err != nil {
			return err
		}
		part.Done++
		if part.Done%fewer == 0 || part.Done == w.replicas {
			if err := w.compare(ctx, part, w.trial, w.eitherWay()); err != nil {
				return err
			}
			w.progress(part, w.replicas)
		}
	}
	part.What = fmt.Sprintf("of the commands %d ran and %d stood back; %s", won, stoodBack, plural(killed, "console died", "consoles died"))
	return nil
}

// rests waits until no run of the district is wanted or under way.
func (w *world) rests(ctx context.Context, b *base) error {
	until := w.now().Add(patience)
	for {
		var open int
		if err := b.look.QueryRow(ctx, `SELECT count(*) FROM sync_runs WHERE state IN ('requested', 'running')`).Scan(&open); err != nil {
			return fmt.Errorf("count open runs: %w", err)
		}
		if open == 0 {
			return nil
		}
		if w.now().After(until) {
			return fmt.Errorf("%w: %d runs are still open after %s", errBroken, open, patience)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
