package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// fewer is how many slower troubles lie between two comparisons.
const fewer = 10

// restarts takes the database away from under a sync, a console's pages and an override, and brings it back.
func (w *world) restarts(ctx context.Context, part *figure) (err error) {
	c, err := w.serving(ctx, w.trial.url, w.cleverURL, w.addresses[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop(ctx)) }()
	b, err := w.visit(ctx, c.address)
	if err != nil {
		return err
	}
	l := w.load(ctx, b)
	defer func() { part.What += l.end(w, part) }()
	counts := map[outcome]int{}
	for part.Done < w.restarted {
		if err := w.edits.some(1 + w.random.IntN(30)); err != nil {
			return err
		}
		d, err := deeds[w.random.IntN(len(deeds))](w, ctx, b, w.trial)
		if err != nil {
			return err
		}
		asked := w.traffic.asked()
		s, err := w.syncing(ctx, w.trial.url, w.cleverURL, w.eitherWay()...)
		if err != nil {
			return err
		}
		select {
		case <-asked:
		case <-s.done:
		}
		if err := pause(ctx, w.somewhere(400*time.Millisecond)); err != nil {
			return errors.Join(err, s.wait(ctx))
		}
		pressed := make(chan error, 1)
		var came outcome
		go func() {
			var err error
			came, err = b.press(ctx, d)
			pressed <- err
		}()
		if err := pause(ctx, w.somewhere(80*time.Millisecond)); err != nil {
			return errors.Join(err, s.wait(ctx))
		}
		err = w.server.restart(ctx)
		if err == nil {
			err = w.awake(ctx, w.trial, w.control)
		}
		if err != nil {
			return errors.Join(err, s.wait(ctx))
		}
		part.Done++
		if err := <-pressed; err != nil {
			return err
		}
		if err := s.wait(ctx); errors.Is(err, errBroken) || ctx.Err() != nil {
			return err
		} else if err != nil {
			part.Amid++ // it ended with an error, and left the rest to the next run
		}
		if err := w.heals(ctx, b, c); err != nil {
			return err
		}
		if err := w.hold(ctx, part, b, w.trial, d, came); err != nil {
			return err
		}
		counts[came]++
		if part.Done%fewer == 0 || part.Done == w.restarted {
			if err := w.compare(ctx, part, w.trial, w.eitherWay()); err != nil {
				return err
			}
			w.progress(part, w.restarted)
		}
	}
	part.What = fmt.Sprintf("overrides: %d made, %d without an answer, %d refused; ", counts[made], counts[unknown], counts[refused])
	return nil
}

// heals waits until a console shows pages again, without anybody's help.
func (w *world) heals(ctx context.Context, b *browser, c *console) error {
	if err := w.ready(ctx, c); err != nil {
		return err
	}
	until := w.now().Add(patience)
	for {
		status, _, err := b.get(ctx, b.console+b.home+"users")
		if err == nil && status == http.StatusOK {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if w.now().After(until) {
			return fmt.Errorf("%w: pages still answer with %d after %s: %w", errBroken, status, patience, err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
