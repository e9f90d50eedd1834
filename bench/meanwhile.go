package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	barMeanwhile = 2.0  // median of a page while a full sync runs, over its idle one
	barEvents    = 60.0 // seconds for manyEvents
	manyEvents   = 10_000

	meanwhileTurn = 200 * time.Millisecond // of one page: short, so that each has several while the sync runs
	idleRounds    = 6
)

// meanwhileFigures are those of a console and of events beside a district's full syncs.
type meanwhileFigures struct {
	Events        int                `json:"events"`
	EventsSeconds float64            `json:"events_seconds"`
	Idle          map[string]float64 `json:"page_p50_ms_idle"`
	Busy          map[string]float64 `json:"page_p50_ms_while_a_full_sync_runs"`
}

// meanwhile takes the figures of events, and of pages while a full sync writes.
func (w *world) meanwhile(ctx context.Context, o options) (err error) {
	f := &meanwhileFigures{Idle: map[string]float64{}, Busy: map[string]float64{}}
	w.report.Meanwhile = f
	fmt.Fprintln(w.report.out, "\nEvents, by a process of their own; pages at one client while a full sync writes one person in fifty anew")
	if err := w.events(ctx, o, f); err != nil {
		return err
	}
	stop, err := w.serveConsole(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	console, err := w.signIn(ctx)
	if err != nil {
		return err
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	views, err := w.views(ctx, o)
	if err != nil {
		return err
	}
	views = slices.DeleteFunc(views, func(v view) bool { return !v.judged })
	one := func(ctx context.Context, v view) (sample, error) {
		var requests [][]byte
		for _, path := range v.product {
			requests = append(requests, console.request(path, v.gzip))
		}
		return drive(ctx, console.address, requests, 1, meanwhileTurn)
	}
	idle := map[string][]time.Duration{}
	for n := range idleRounds {
		for _, v := range views {
			s, err := one(ctx, v)
			if err != nil {
				return fmt.Errorf("page %q: %w", v.name, err)
			}
			if n > 0 { // the first turn warms up
				idle[v.name] = append(idle[v.name], s.p50)
			}
		}
	}
	if err := w.change(o, "Ramona"); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.syncOnce(ctx, "--full")
		done <- err
	}()
	took := map[string][]time.Duration{}
	for n := 0; ; n++ {
		v := views[n%len(views)]
		s, err := one(ctx, v)
		if err != nil {
			return errors.Join(fmt.Errorf("page %q: %w", v.name, err), <-done)
		}
		select {
		case err := <-done: // this turn may have been idle in part
			if err != nil {
				return err
			}
			middles(f.Busy, took)
			middles(f.Idle, idle)
			w.report.meanwhile(views)
			return nil
		default:
		}
		took[v.name] = append(took[v.name], s.p50)
	}
}

// idle waits until the console has done what it found to do: what events changed is compared for duplicates.
func (w *world) idle(ctx context.Context) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for swept := false; !swept; {
		err := w.owner.QueryRow(ctx, `SELECT coalesce(bool_and(state = 'completed') AND bool_or(kind = 'sync_sweep'), false) FROM river_job`).Scan(&swept)
		if err != nil {
			return fmt.Errorf("wait for the console: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// middles puts into the figures the middle of what each page took.
func middles(figures map[string]float64, took map[string][]time.Duration) {
	for name, all := range took {
		slices.Sort(all)
		figures[name] = ms(all[len(all)/2])
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// events edits so many people, and times how long it takes until the console would show it.
func (w *world) events(ctx context.Context, o options, f *meanwhileFigures) error {
	f.Events = min(manyEvents, o.users/2)
	for i := range f.Events {
		if err := w.clever.EditUser(w.clever.UserIDAt(i), func(user map[string]any) { user["email"] = fmt.Sprintf("moved%d@example.org", i) }); err != nil {
			return err
		}
	}
	figures, err := w.syncOnce(ctx)
	f.EventsSeconds = figures.Total
	return err
}

func (r *report) meanwhile(views []view) {
	f := r.Meanwhile
	seconds := f.EventsSeconds * manyEvents / float64(f.Events)
	r.bar(seconds <= barEvents, "events: %s taken over in %.1f s, which is %.1f s for %s, at most %.0f", thousands(int64(f.Events)), f.EventsSeconds, seconds, thousands(manyEvents), barEvents)
	for _, v := range views {
		idle, busy := f.Idle[v.name], f.Busy[v.name]
		if busy == 0 {
			fmt.Fprintf(r.out, "  info    %s: the sync was over before its turn\n", v.name)
			continue
		}
		r.bar(busy <= barMeanwhile*idle, "%s: median %.2f ms while a full sync runs, %.2f idle, %.2f ×, at most %.0f", v.name, busy, idle, busy/idle, barMeanwhile)
	}
}
