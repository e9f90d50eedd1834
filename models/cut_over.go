package models

import (
	"context"
	"fmt"
	"time"
)

// What becomes of unmatched accounts at the cut-over.
const (
	CutOverKeep    = "keep"
	CutOverArchive = "archive"
)

// SetCutOver notes when old ids stop to be looked for and what becomes of accounts that lead to nobody by then; nil is
// no date. What follows from it at this moment is for SettleCutOver.
func (tx *Tx) SetCutOver(ctx context.Context, at *time.Time, rest string) error {
	n, err := exec(ctx, tx, `UPDATE districts SET cut_over_at = ?, cut_over_rest = ? WHERE district_id = ?`, at, rest, tx.actor.District)
	return changedOne(n, err, "set cut-over of district", tx.actor.District)
}

// SettleCutOver archives the unmatched accounts once the district's date has come, if that was chosen, and brings them
// back if the date is moved or another choice was made. The people made for them end, and come back, with them. It says
// how many accounts it moved; mostly none.
func (tx *Tx) SettleCutOver(ctx context.Context) (int, error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("settle cut-over: %w", err) }
	var archive, some bool
	err := tx.conn.QueryRow(ctx, `SELECT x.archive, EXISTS (SELECT FROM imported_accounts a WHERE a.district_id = $1 AND a.state = CASE WHEN x.archive THEN 'unmatched' ELSE 'archived' END AND a.why <> 'contact')
		FROM (SELECT coalesce(d.cut_over_at <= $2, false) AND d.cut_over_rest = 'archive' AS archive FROM districts d WHERE d.district_id = $1) x`, tx.actor.District, tx.now).Scan(&archive, &some)
	if err != nil {
		return fail(err)
	}
	if !some {
		return 0, nil
	}
	if err := tx.beginRoster(ctx); err != nil {
		return fail(err)
	}
	from, to := AccountArchived, AccountUnmatched
	// Nobody who was merged meanwhile, or has another account, ends with this one.
	people := `u.clever_id IS NULL AND u.merged_into IS NULL AND u.ended_at IS NOT NULL`
	ended, current := `NULL`, `true`
	if archive {
		from, to = AccountUnmatched, AccountArchived
		people = `u.clever_id IS NULL AND u.merged_into IS NULL AND u.ended_at IS NULL
			AND NOT EXISTS (SELECT FROM imported_accounts o WHERE o.district_id = $1 AND o.user_id = u.id AND o.state <> 'archived')
			AND NOT EXISTS (SELECT FROM users l WHERE l.district_id = $1 AND l.merged_into = u.id)`
		ended, current = `$2`, `false`
	}
	if _, err := tx.conn.Exec(ctx, `DROP TABLE IF EXISTS moved`); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE moved (user_id bigint) ON COMMIT DROP`); err != nil {
		return fail(err)
	}
	var n int
	err = tx.conn.QueryRow(ctx, `WITH gone AS (
			UPDATE imported_accounts a SET state = $3, changed_at = $2 WHERE a.district_id = $1 AND a.state = $4 AND a.why <> 'contact'
			   AND NOT EXISTS (SELECT FROM users u WHERE u.district_id = $1 AND u.id = a.user_id AND u.merged_into IS NOT NULL)
			RETURNING a.user_id
		), kept AS (
			INSERT INTO moved SELECT DISTINCT user_id FROM gone WHERE user_id IS NOT NULL
		) SELECT count(*) FROM gone`, tx.actor.District, tx.now, string(to), string(from)).Scan(&n)
	if err != nil || n == 0 {
		return n, wrap("settle cut-over", err)
	}
	for _, step := range []string{
		`UPDATE users u SET ended_at = ` + ended + `::timestamptz, changed_at = $2 FROM moved m WHERE u.district_id = $1 AND u.id = m.user_id AND ` + people,
		`DELETE FROM moved m USING users u WHERE u.district_id = $1 AND u.id = m.user_id AND (u.changed_at <> $2 OR u.clever_id IS NOT NULL)`,
		`UPDATE user_search s SET current = ` + current + ` FROM moved m WHERE s.district_id = $1 AND s.user_id = m.user_id AND s.current <> ` + current + ` AND $2::timestamptz IS NOT NULL`,
		`UPDATE accounts a SET retired_at = ` + ended + `::timestamptz FROM moved m WHERE a.district_id = $1 AND a.user_id = m.user_id AND a.folded_into IS NULL AND $2::timestamptz IS NOT NULL`,
	} {
		if _, err := tx.conn.Exec(ctx, step, tx.actor.District, tx.now); err != nil {
			return fail(err)
		}
	}
	if err := tx.CountHeads(ctx); err != nil {
		return fail(err)
	}
	return n, tx.WantSuggestions(ctx)
}
