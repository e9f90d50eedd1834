package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5"
)

// peopled are the tables with everything of people that a merge may touch, and what is counted of it.
var peopled = []string{
	"users", "identities", "accounts", "role_grants", "role_grant_schools", "section_teachers", "section_students", "contact_students", "overrides",
	"user_preferences", "imported_accounts", "user_search", "head_counts", "sections", "section_strangers",
}

// image is a row as text but for moments that a sign-in moves.
const image = `to_jsonb(t) - 'confirmed_at' - 'last_sign_in_at'`

// everything is every row of those tables.
func (m *merging) everything(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	for _, table := range peopled {
		rows, err := m.on.look.Query(ctx, `SELECT (`+image+`)::text FROM `+table+` t`)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
		if all[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
	}
	return all, nil
}

// same counts the rows that are not as they were, unless Clever changes some.
func (m *merging) same(ctx context.Context, when string, before map[string][]string) error {
	if !m.alone {
		return nil
	}
	now, err := m.everything(ctx)
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(now)) {
		for what, rows := range map[string][]string{"lost": without(before[table], now[table]), "new": without(now[table], before[table])} {
			m.part.Differences += len(rows)
			for _, row := range rows[:min(len(rows), 3)] {
				m.find("%s, %s: a row of %s is %s: %s", m.part.Name, when, table, what, row)
			}
		}
	}
	return nil
}

// whole looks, before anybody does anything else, whether what was pressed when the console died is there whole or not at all.
func (m *merging) whole(ctx context.Context, d *pressed) error {
	var merge int64
	var kind, state string
	var sound, clean bool
	err := m.on.look.QueryRow(ctx, `SELECT m.id, c.kind, m.state, m.before_sum IS NOT NULL AND m.after_sum IS NOT NULL AND (m.state = 'unmerged') = (m.unmerged_sum IS NOT NULL),
			coalesce(m.differs = '[]' AND m.unmerged_sum = m.before_sum, false)
		FROM changes c JOIN merges m ON m.district_id = c.district_id AND c.subject = 'merge:' || m.id WHERE c.token = $1`, d.token()).Scan(&merge, &kind, &state, &sound, &clean)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return m.same(ctx, "after a death that left no change", d.before)
	case err != nil:
		return fmt.Errorf("look for a merge: %w", err)
	}
	side, want := "after", "merged"
	switch kind {
	case "users.unmerged":
		side, want = "before", "unmerged"
	case "merge.proposed": // moves nothing
		return m.same(ctx, "after a proposal", d.before)
	}
	if state != want || !sound || state == "unmerged" && m.alone && !clean {
		m.part.Differences++
		m.find("%s: merge %d is %s, sums %t, identical %t, after %s", m.part.Name, merge, state, sound, clean, kind)
	}
	if !m.alone {
		return nil
	}
	n, err := m.unlike(ctx, merge, side)
	if err == nil && n > 0 {
		m.part.Differences += n
		m.find("%s: %d rows of merge %d are not what its record says", m.part.Name, n, merge)
	}
	return err
}

// unlike counts the rows of a merge that are not as it kept them, before itself or after.
func (m *merging) unlike(ctx context.Context, merge int64, side string) (n int, err error) {
	err = pgx.BeginFunc(ctx, m.on.look, func(tx pgx.Tx) error {
		// As the merge wrote them.
		if _, err := tx.Exec(ctx, `SET LOCAL TimeZone = 'UTC'`); err != nil {
			return err
		}
		for _, table := range peopled {
			var some int
			err := tx.QueryRow(ctx, `SELECT count(*) FROM merge_rows r LEFT JOIN `+table+` t ON t.district_id = r.district_id AND to_jsonb(t) @> r.key
				WHERE r.merge_id = $1 AND r.table_name = $2 AND (r.`+side+` - 'confirmed_at' - 'last_sign_in_at') IS DISTINCT FROM `+image, merge, table).Scan(&some)
			if err != nil {
				return err
			}
			n += some
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("compare merge %d: %w", merge, err)
	}
	return n, nil
}

// takeBack takes every merge back that stands, by the same pages and undisturbed.
func (m *merging) takeBack(ctx context.Context, last *pressed) (err error) {
	if _, err := m.age(ctx, m.on); err != nil {
		return err
	}
	c, err := m.serving(ctx, m.on.url, m.cleverURL, m.addresses[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop(ctx)) }()
	if last != nil {
		if err := m.hold(ctx, m.part, last.by, m.on, last.deed, last.outcome); err != nil {
			return err
		}
	}
	for tries := 0; ; tries++ {
		d, none, err := m.undoing(ctx)
		if err != nil {
			return err
		}
		if none {
			break
		}
		o, err := m.first.press(ctx, d)
		if err != nil {
			return err
		}
		// A sync may have changed a person between the page and the button: then the page is shown again.
		if o != made && (m.alone || tries > 20) {
			return fmt.Errorf("%w: a merge was not taken back though nothing was in the way: outcome %d", errBroken, o)
		}
	}
	if err := m.saysIdentical(ctx); err != nil {
		return err
	}
	return m.rests(ctx, m.on)
}

// saysIdentical looks at the pages of the merges that were taken back last.
func (m *merging) saysIdentical(ctx context.Context) error {
	rows, err := m.on.look.Query(ctx, `SELECT id FROM merges WHERE state = 'unmerged' AND differs = '[]' AND unmerged_sum = before_sum ORDER BY id DESC LIMIT 3`)
	if err != nil {
		return fmt.Errorf("list merges: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("list merges: %w", err)
	}
	for _, id := range ids {
		status, page, err := m.first.get(ctx, fmt.Sprintf("%s%smerges/%d", m.first.console, m.first.home, id))
		if err != nil || status != http.StatusOK || !bytes.Contains(page, []byte("identical to before the merge")) {
			m.part.Differences++
			m.find("%s: the page of merge %d does not say that it is as before: status %d, %v", m.part.Name, id, status, err)
		}
	}
	return m.on.look.QueryRow(ctx, `SELECT count(*) FROM merges WHERE state = 'unmerged' AND differs = '[]' AND unmerged_sum = before_sum`).Scan(&m.identical)
}
