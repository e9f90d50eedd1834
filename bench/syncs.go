package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// syncFigures are what one run of `hallpass sync` took.
type syncFigures struct {
	Read    map[string]int     `json:"read"`    // records, by type
	Seconds map[string]float64 `json:"seconds"` // by type; settling the planner after a type counts for the next one
	Total   float64            `json:"total_seconds"`
	PeakMB  float64            `json:"peak_mb"` // of the sync's process
	Rows    map[string]int64   `json:"rows_written"`
}

// usersPerSecond is the rate of the record type that is nearly all of a district.
func (f syncFigures) usersPerSecond() float64 { return float64(f.Read["users"]) / f.Seconds["users"] }

// rosterRows counts the rows written to the tables of the roster, and names all tables written to.
func (f syncFigures) rosterRows() (roster int64, all string) {
	var said []string
	for _, table := range slices.Sorted(maps.Keys(f.Rows)) {
		if !bookkeeping[table] {
			roster += f.Rows[table]
		}
		said = append(said, fmt.Sprintf("%s %s", table, thousands(f.Rows[table])))
	}
	return roster, strings.Join(said, ", ")
}

// bookkeeping is what every run writes about itself.
var bookkeeping = map[string]bool{"sync_runs": true, "event_cursors": true, "districts": true, "head_counts": true, "audit_entries": true, "fact_changes": true}

// syncs takes the figures of three syncs (everything new, nothing changed, one in fifty changed) and of the
// yardstick beside them.
func (w *world) syncs(ctx context.Context, o options) error {
	r := w.report
	fmt.Fprintln(r.out, "\nSync, in a process of its own; the yardstick loads the same rows by COPY and INSERT … ON CONFLICT")
	if err := w.switchOn(ctx); err != nil {
		return err
	}
	first, err := w.measuredSync(ctx)
	if err != nil {
		return err
	}
	r.sync("first", first)
	if err := w.owner.QueryRow(ctx, `SELECT district_id FROM district_ids WHERE clever_id = $1`, w.clever.DistrictID()).Scan(&w.district); err != nil {
		return fmt.Errorf("find district: %w", err)
	}
	var bare *yardstick
	if !o.skipYardstick {
		if bare, err = w.newYardstick(ctx); err != nil {
			return err
		}
		defer bare.close(ctx)
		if err := bare.measure(ctx, "first"); err != nil {
			return err
		}
		if o.repeat {
			err = bare.measure(ctx, "unchanged")
		} else {
			err = bare.drop(ctx)
		}
		if err != nil {
			return err
		}
	}
	again, err := w.measuredSync(ctx)
	if err != nil {
		return err
	}
	r.sync("unchanged", again)
	if err := w.change(o, "Quincy"); err != nil {
		return err
	}
	changed, err := w.measuredSync(ctx)
	if err != nil {
		return err
	}
	r.sync("changed", changed)
	if bare != nil && o.repeat {
		if err := bare.read(ctx); err != nil {
			return err
		}
		if err := bare.measure(ctx, "changed"); err != nil {
			return err
		}
		if err := bare.drop(ctx); err != nil {
			return err
		}
	}
	r.syncBars()
	if err := w.meanwhile(ctx, o); err != nil {
		return err
	}
	return w.held(ctx)
}

// change gives one generated person in fifty another middle name, and Clever's stamp with it.
func (w *world) change(o options, middle string) error {
	n := 0
	for i := 0; i < o.users-o.users/10; i += 45 { // the last ids may be fewer than asked for: "about"
		err := w.clever.EditUser(w.clever.UserIDAt(i), func(user map[string]any) {
			if name, ok := user["name"].(map[string]any); ok {
				name["middle"] = middle
				n++
			}
		})
		if err != nil {
			return err
		}
	}
	w.report.Edited = n
	return nil
}

// measuredSync is syncOnce with the rows it wrote, from PostgreSQL's own counters.
func (w *world) measuredSync(ctx context.Context) (syncFigures, error) {
	before, err := w.written(ctx)
	if err != nil {
		return syncFigures{}, err
	}
	f, err := w.syncOnce(ctx, "--full")
	if err != nil {
		return f, err
	}
	after, err := w.written(ctx)
	if err != nil {
		return f, err
	}
	f.Rows = map[string]int64{}
	for table, n := range after {
		if n -= before[table]; n > 0 {
			f.Rows[table] = n
		}
	}
	return f, nil
}

// written reads how many rows were inserted, updated and deleted so far, by table. Servers of connections just closed
// hand in their counts as they end, so it waits until they are gone.
func (w *world) written(ctx context.Context) (map[string]int64, error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for n := 1; n > 0; {
		if err := w.owner.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hallpass'`).Scan(&n); err != nil {
			return nil, fmt.Errorf("count rows written: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
	rows, err := w.owner.Query(ctx, `SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables`)
	if err != nil {
		return nil, fmt.Errorf("count rows written: %w", err)
	}
	defer rows.Close()
	counts := map[string]int64{}
	for rows.Next() {
		var table string
		var n int64
		if err := rows.Scan(&table, &n); err != nil {
			return nil, fmt.Errorf("count rows written: %w", err)
		}
		counts[table] = n
	}
	return counts, rows.Err()
}
