package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"hallpass/models/modelstest"
)

// age makes what a dead program left running look as old as it would be if a person had come to look: nobody waits out
// the two minutes of silence after which a run counts as lost, and its nudge too. A run that is at work meanwhile looks frozen.
func (w *world) age(ctx context.Context, b *base) (amid bool, err error) {
	tag, err := b.look.Exec(ctx, `UPDATE sync_runs SET beat_at = beat_at - interval '1 hour' WHERE state = 'running'`)
	if err != nil {
		return false, fmt.Errorf("age lost runs: %w", err)
	}
	_, err = b.look.Exec(ctx, `UPDATE sync_runs SET requested_at = requested_at - interval '1 hour' WHERE state = 'requested'`)
	if err != nil {
		return false, fmt.Errorf("age lost nudges: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// buried waits until PostgreSQL has noticed that whoever was at work is dead: what it was told last may still be done.
func (w *world) buried(ctx context.Context, b *base) (amid bool, err error) {
	until := w.now().Add(patience)
	for n := 1; ; {
		err := b.look.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hallpass' AND datname = $1`, b.name).Scan(&n)
		switch {
		case err != nil:
			return false, fmt.Errorf("bury the dead: %w", err)
		case n == 0:
			return w.age(ctx, b)
		case w.now().After(until):
			return false, fmt.Errorf("%w: %d connections of dead programs are still there after %s", errBroken, n, patience)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return false, err
		}
	}
}

// byFull and byEvents are the two ways for `hallpass sync` to bring a district in step.
var byFull, byEvents = []string{"--full"}, []string(nil)

func (w *world) eitherWay() []string {
	if w.random.IntN(2) == 0 {
		return byFull
	}
	return byEvents
}

// settle lets the trial come to rest, first in the given way: whatever was left behind, the next run or, where a full sync
// is asked for already, the one after brings everything.
func (w *world) settle(ctx context.Context, b *base, first []string) error {
	var said []string
	for try := range 3 {
		if _, err := w.age(ctx, b); err != nil {
			return err
		}
		args := byFull
		if try == 0 {
			args = first
		}
		c, err := w.syncing(ctx, b.url, w.cleverURL, args...)
		if err != nil {
			return err
		}
		if err = c.wait(ctx); err == nil {
			return nil
		}
		if errors.Is(err, errBroken) || ctx.Err() != nil {
			return err
		}
		said = append(said, c.said())
	}
	return fmt.Errorf("%w: after the trouble was over, no sync of three came through:\n%s", errBroken, said)
}

// compare brings the trial to rest in one way and the control up to date, and counts the rows in which they differ.
func (w *world) compare(ctx context.Context, part *figure, b *base, way []string) error {
	return w.compareWith(ctx, part, b, w.control, way)
}

func (w *world) compareWith(ctx context.Context, part *figure, b, control *base, way []string) error {
	if err := w.settle(ctx, b, way); err != nil {
		return err
	}
	if err := w.synced(ctx, control, "--full"); err != nil {
		return err
	}
	want, err := modelstest.State(ctx, control.look)
	if err != nil {
		return err
	}
	got, err := modelstest.State(ctx, b.look)
	if err != nil {
		return err
	}
	part.Compared++
	for _, name := range slices.Sorted(maps.Keys(want)) {
		lacking, extra := without(want[name], got[name]), without(got[name], want[name])
		part.Differences += len(lacking) + len(extra)
		for _, row := range lacking[:min(len(lacking), 3)] {
			w.find("%s, %s: lacks %s", part.Name, name, row)
		}
		for _, row := range extra[:min(len(extra), 3)] {
			w.find("%s, %s: has %s", part.Name, name, row)
		}
	}
	return w.sound(ctx, part, b)
}

// without gives the lines of a that b has not.
func without(a, b []string) (left []string) {
	counts := map[string]int{}
	for _, line := range b {
		counts[line]++
	}
	for _, line := range a {
		if counts[line]--; counts[line] < 0 {
			left = append(left, line)
		}
	}
	return left
}

// lasting are the tables from which nothing is ever deleted.
var lasting = []string{
	"users", "identities", "accounts", "role_grants", "schools", "sections", "terms", "overrides", "changes", "audit_entries",
	"merges", "merge_members", "merge_rows", "pair_decisions", "imported_accounts",
}

// promises are questions whose answer is 0 in a database at rest.
var promises = map[string]string{
	"runs that the brake holds, though nothing large was taken away": `SELECT count(*) FROM sync_runs WHERE state = 'held'`,
	// A run that looks lost is the next one's or the sweeper's to mark.
	"runs that nobody works on": `SELECT count(*) FROM sync_runs WHERE state = 'requested' OR state = 'running' AND beat_at > now() - interval '30 minutes'`,
	"runs of one district at the same time": `SELECT count(*) FROM sync_runs a JOIN sync_runs b ON a.district_id = b.district_id AND a.id < b.id
		WHERE a.state = 'done' AND b.state = 'done' AND a.started_at < b.finished_at AND b.started_at < a.finished_at`,
	"changes without their audit entry": `SELECT count(*) FROM changes c WHERE NOT EXISTS (SELECT FROM audit_entries a WHERE a.district_id = c.district_id AND a.id = c.audit_id AND a.action = c.kind)`,
	"overrides without exactly one change that made them": `SELECT count(*) FROM overrides o WHERE 1 <> (SELECT count(*) FROM changes c
		WHERE c.district_id = o.district_id AND c.kind = 'override.created' AND c.after->>'override' = o.id::text)`,
	"changes without the override they made": `SELECT count(*) FROM changes c WHERE c.kind = 'override.created' AND NOT EXISTS (SELECT FROM overrides o
		WHERE o.district_id = c.district_id AND c.after->>'override' = o.id::text)`,
	"merges without exactly one change that made them": `SELECT count(*) FROM merges m WHERE m.state IN ('merged', 'unmerged') AND 1 <> (SELECT count(*) FROM changes c
		WHERE c.district_id = m.district_id AND c.subject = 'merge:' || m.id AND c.kind = 'users.merged')`,
	"merges taken back without exactly one change that says so": `SELECT count(*) FROM merges m WHERE (m.state = 'unmerged')::int <> (SELECT count(*) FROM changes c
		WHERE c.district_id = m.district_id AND c.subject = 'merge:' || m.id AND c.kind = 'users.unmerged')`,
	"merges without the rows that undo them": `SELECT count(*) FROM merges m WHERE m.state IN ('merged', 'unmerged')
		AND NOT EXISTS (SELECT FROM merge_rows r WHERE r.district_id = m.district_id AND r.merge_id = m.id)`,
	"records merged by no merge that stands": `SELECT count(*) FROM users u WHERE u.merged_into IS NOT NULL AND NOT EXISTS (SELECT FROM merges m
		JOIN merge_members x ON x.district_id = m.district_id AND x.merge_id = m.id WHERE m.district_id = u.district_id AND x.user_id = u.id AND m.state = 'merged')`,
	"members of merges that are nobody's": `SELECT count(*) FROM merges m JOIN merge_members x ON x.district_id = m.district_id AND x.merge_id = m.id
		JOIN users u ON u.district_id = m.district_id AND u.id = x.user_id WHERE m.state = 'merged' AND u.merged_into IS NULL`,
	"roles left with merged records": `SELECT count(*) FROM users u JOIN role_grants g ON g.district_id = u.district_id AND g.user_id = u.id WHERE u.merged_into IS NOT NULL`,
	"done runs without one audit entry each": `SELECT count(*) FROM sync_runs r WHERE r.state = 'done' AND 1 <> (SELECT count(*) FROM audit_entries a
		WHERE a.district_id = r.district_id AND a.subject = 'sync:' || r.id AND a.action = 'sync.finished')`,
}

// sound looks for what must never be, whatever Clever says meanwhile.
func (w *world) sound(ctx context.Context, part *figure, b *base) error {
	for _, name := range slices.Sorted(maps.Keys(promises)) {
		var n int
		if err := b.look.QueryRow(ctx, promises[name]).Scan(&n); err != nil {
			return fmt.Errorf("look for %s: %w", name, err)
		}
		if n > 0 {
			part.Differences += n
			w.find("%s: %d %s", part.Name, n, name)
		}
	}
	for _, table := range lasting {
		var n int64
		if err := b.look.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return fmt.Errorf("count %s: %w", table, err)
		}
		if before := b.rows[table]; n < before {
			part.Differences += int(before - n)
			w.find("%s: %d rows of %s are lost", part.Name, before-n, table)
		}
		b.rows[table] = n
	}
	return w.verified(ctx, b)
}

// awake waits until a server that may be recovering answers, and forgets the connections from before.
func (w *world) awake(ctx context.Context, bases ...*base) error {
	until := w.now().Add(patience)
	for _, b := range bases {
		b.look.Reset()
		for {
			err := b.look.Ping(ctx)
			if err == nil {
				break
			}
			if ctx.Err() != nil || w.now().After(until) {
				return fmt.Errorf("%w: the database does not answer: %w", errBroken, err)
			}
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}
