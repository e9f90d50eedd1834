package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// consoleKills ends `hallpass serve` by kill -9 while it works a sync off or takes an override, and starts it again.
func (w *world) consoleKills(ctx context.Context, part *figure) error {
	lasts, presses := 500*time.Millisecond, 30*time.Millisecond
	var b *browser
	var inHand struct {
		deed
		outcome
		there bool
	}
	counts := map[outcome]int{}
	for part.Done < w.consoles {
		if err := w.edits.some(w.random.IntN(4)); err != nil {
			return err
		}
		c, err := w.serving(ctx, w.trial.url, w.cleverURL, w.addresses[0])
		if err != nil {
			return err
		}
		err = func() error {
			if b == nil {
				if b, err = w.visit(ctx, c.address); err != nil {
					return err
				}
			}
			if inHand.there {
				if err := w.hold(ctx, part, b, w.trial, inHand.deed, inHand.outcome); err != nil {
					return err
				}
				counts[inHand.outcome]++
				inHand.there = false
			}
			if w.random.IntN(2) == 0 {
				asked := w.traffic.asked()
				if err := w.syncNow(ctx, b); err != nil {
					return err
				}
				select {
				case <-asked:
				case <-time.After(2 * time.Second): // a nudge that died with the console before is the sweeper's to renew
				case <-ctx.Done():
					return ctx.Err()
				}
				return w.live(ctx, w.somewhere(lasts), c.child)
			}
			d, err := deeds[w.random.IntN(len(deeds))](w, ctx, b, w.trial)
			if err != nil {
				return err
			}
			inHand.deed, inHand.there = d, true
			pressed := make(chan error, 1)
			go func() {
				var err error
				inHand.outcome, err = b.press(ctx, d)
				pressed <- err
			}()
			if err := pause(ctx, w.somewhere(presses)); err != nil {
				return err
			}
			c.kill()
			err = <-pressed
			if presses += presses / 10; inHand.outcome == made { // half of them are to die on the way
				presses -= presses / 5
			}
			return err
		}()
		killed := c.kill()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, c.said())
		}
		if !killed {
			return fmt.Errorf("%w: the console ended by itself: %w\n%s", errBroken, c.err, c.said())
		}
		amid, err := w.buried(ctx, w.trial)
		if err != nil {
			return err
		}
		part.Done++
		if amid {
			part.Amid++
		}
		if part.Done%compareEvery == 0 || part.Done == w.consoles {
			if err := w.compare(ctx, part, w.trial, w.eitherWay()); err != nil {
				return err
			}
			w.progress(part, w.consoles)
		}
	}
	part.What = fmt.Sprintf("overrides: %d made, %d without an answer, %d refused", counts[made], counts[unknown], counts[refused])
	return nil
}

// syncNow presses the button on the page of syncs. Where one is under way already, that is the one.
func (w *world) syncNow(ctx context.Context, b *browser) error {
	a, err := b.post(ctx, b.home+"syncs", nil)
	if err != nil || a.status != http.StatusSeeOther {
		return fmt.Errorf("%w: Sync now was answered with status %d: %w", errBroken, a.status, err)
	}
	return nil
}
