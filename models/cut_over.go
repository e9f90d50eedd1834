package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/audit"
)

// What becomes of accounts that lead to nobody, from the cut-over on.
const (
	CutOverKeep    = "keep"
	CutOverArchive = "archive"
)

// CutOver is what a district decided about its cut-over.
type CutOver struct {
	At     *time.Time // nil: no date is set, and old ids open accounts
	Rest   string     // CutOverKeep or CutOverArchive
	Change int64      // the receipt of setting the date; 0: never
	Done   int64      // the receipt of carrying it out; 0: not yet
}

// Passed reports that the date has come, whether or not its job has run.
func (c CutOver) Passed(now time.Time) bool { return c.At != nil && !now.Before(*c.At) }

// CutOver reads what is decided.
func (tx *Tx) CutOver(ctx context.Context) (CutOver, error) {
	rows, err := scan[CutOver](ctx, tx, `SELECT cut_over_at AS at, cut_over_rest AS rest, coalesce(cut_over_change, 0) AS change, coalesce(cut_over_done, 0) AS done
		FROM districts WHERE district_id = @district`, map[string]any{"district": tx.actor.District})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return CutOver{}, fmt.Errorf("cut-over: %w", err)
	}
	return rows[0], nil
}

// SetCutOver sets the date, or none, and what becomes of the rest. One that was carried out stays so.
func (tx *Tx) SetCutOver(ctx context.Context, c CutOver) error {
	n, err := exec(ctx, tx, `UPDATE districts SET cut_over_at = ?, cut_over_rest = ?, cut_over_change = ?, cut_over_done = NULL WHERE district_id = ?`,
		c.At, c.Rest, c.Change, tx.actor.District)
	return changedOne(n, err, "set cut-over of district", tx.actor.District)
}

// CutOverRole is how many accounts of a role a cut-over would archive.
type CutOverRole struct {
	Role   access.Role `json:"role"`
	N      int         `json:"n"`
	ByHand int         `json:"by_hand,omitempty"` // of them, whose person holds a role given by hand
}

// left are, in SQL, the accounts a that lead to nobody in Clever, with the person h who stands for each, if somebody does.
const left = `imported_accounts a
	LEFT JOIN users u ON u.district_id = a.district_id AND u.id = a.user_id
	LEFT JOIN users h ON h.district_id = a.district_id AND h.id = coalesce(u.merged_into, u.id)
	WHERE a.district_id = current_district() AND a.state = 'unmatched' AND h.clever_id IS NULL`

// PlanCutOver counts what the cut-over would archive now, by role.
func (tx *Tx) PlanCutOver(ctx context.Context) ([]CutOverRole, error) {
	rows, err := scan[CutOverRole](ctx, tx, `SELECT x.role, count(*) AS n, count(*) FILTER (WHERE EXISTS (
			SELECT FROM role_grants g WHERE g.district_id = current_district() AND g.user_id = x.home AND g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > @now))) AS by_hand
		FROM (SELECT a.role, h.id AS home FROM `+left+`) x GROUP BY 1 ORDER BY 1`, map[string]any{"now": tx.now})
	if err != nil {
		return nil, fmt.Errorf("plan cut-over: %w", err)
	}
	return rows, nil
}

// CutOverCounts is what a cut-over came to, or its undo.
type CutOverCounts struct {
	Rest     string        `json:"rest,omitempty"`
	Accounts int           `json:"accounts"`
	People   int           `json:"people"` // who stood for them and ended, or came back
	Found    int           `json:"found,omitempty"`
	Roles    []CutOverRole `json:"roles,omitempty"`
}

// DueCutOver says by whom and in which view the date was set, if it has come and nothing was done yet. ErrNotFound:
// there is nothing to do.
func (tx *Tx) DueCutOver(ctx context.Context) (Change, error) {
	c, err := tx.CutOver(ctx)
	if err != nil {
		return Change{}, err
	}
	if !c.Passed(tx.now) || c.Done != 0 || c.Change == 0 {
		return Change{}, fmt.Errorf("due cut-over: %w", ErrNotFound)
	}
	return tx.Change(ctx, c.Change)
}

// CarryOutCutOver archives what leads to nobody, if that was chosen, once the date has come: everything in one
// transaction, and once. ErrNotFound: there is nothing to do.
func (tx *Tx) CarryOutCutOver(ctx context.Context) (Change, error) {
	fail := func(err error) (Change, error) { return Change{}, fmt.Errorf("carry out cut-over: %w", err) }
	if err := tx.LockAccess(ctx); err != nil {
		return fail(err)
	}
	if err := tx.beginRoster(ctx); err != nil {
		return fail(err)
	}
	set, err := tx.DueCutOver(ctx)
	if err != nil {
		return fail(err)
	}
	c, err := tx.CutOver(ctx)
	if err != nil {
		return fail(err)
	}
	counts := CutOverCounts{Rest: c.Rest}
	if counts.Roles, err = tx.PlanCutOver(ctx); err != nil {
		return fail(err)
	}
	if c.Rest == CutOverArchive {
		if err := tx.chooseLeft(ctx, &counts); err != nil {
			return fail(err)
		}
	}
	// The token follows from what is carried out, so that no second receipt of it can be.
	sum := sha256.Sum256(fmt.Appendf(nil, "cut-over %d", set.ID))
	done, err := tx.RecordChange(ctx, NewChange{
		Token: hex.EncodeToString(sum[:16]), Action: audit.CutOverDone, Subject: fmt.Sprintf("district:%d", tx.actor.District), Plan: sum[:], Before: struct{}{}, After: counts,
	})
	if err != nil {
		return fail(err)
	}
	if _, err := exec(ctx, tx, `UPDATE districts SET cut_over_done = ? WHERE district_id = ?`, done.ID, tx.actor.District); err != nil {
		return fail(err)
	}
	if c.Rest != CutOverArchive {
		return done, nil
	}
	if err := tx.archiveLeft(ctx, done.ID); err != nil {
		return fail(err)
	}
	return done, tx.afterCutOver(ctx)
}

func (tx *Tx) afterCutOver(ctx context.Context) error {
	if err := tx.CountHeads(ctx); err != nil {
		return err
	}
	return tx.WantSuggestions(ctx)
}

// chooseLeft fills the temporary tables given, the accounts to archive, and going, the people who stand for nothing else.
func (tx *Tx) chooseLeft(ctx context.Context, counts *CutOverCounts) error {
	for _, step := range []string{
		`DROP TABLE IF EXISTS given, going`,
		`CREATE TEMP TABLE given ON COMMIT DROP AS SELECT a.id, a.app_id, h.id AS home FROM ` + left,
		`ANALYZE given`,
		`CREATE TEMP TABLE going ON COMMIT DROP AS
		 SELECT u.id FROM users u
		  WHERE u.district_id = current_district() AND u.clever_id IS NULL AND u.ended_at IS NULL
		    AND coalesce(u.merged_into, u.id) IN (
		      SELECT home FROM given WHERE home IS NOT NULL EXCEPT
		      SELECT coalesce(o.merged_into, o.id) FROM imported_accounts b JOIN users o ON o.district_id = b.district_id AND o.id = b.user_id
		       WHERE b.district_id = current_district() AND NOT EXISTS (SELECT FROM given g WHERE g.id = b.id))`,
		`ANALYZE going`,
	} {
		if _, err := tx.conn.Exec(ctx, step); err != nil {
			return fmt.Errorf("choose accounts: %w", err)
		}
	}
	err := tx.conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM given), (SELECT count(*) FROM going)`).Scan(&counts.Accounts, &counts.People)
	return wrap("count accounts", err)
}

// archiveLeft keeps the rows that it changes, and archives.
func (tx *Tx) archiveLeft(ctx context.Context, change int64) error {
	for _, step := range []string{
		`INSERT INTO cut_over_rows (district_id, change_id, table_name, key, was)
		 SELECT current_district(), @change::bigint, 'imported_accounts', a.id::text, to_jsonb(a) FROM given g JOIN imported_accounts a ON a.district_id = current_district() AND a.id = g.id
		 UNION ALL
		 SELECT current_district(), @change::bigint, 'users', u.id::text, to_jsonb(u) FROM going g JOIN users u ON u.district_id = current_district() AND u.id = g.id
		 UNION ALL
		 SELECT current_district(), @change::bigint, 'user_search', s.user_id::text, to_jsonb(s) FROM going g JOIN user_search s ON s.district_id = current_district() AND s.user_id = g.id WHERE s.current
		 UNION ALL
		 SELECT current_district(), @change::bigint, 'accounts', c.id::text, to_jsonb(c) FROM going g JOIN accounts c ON c.district_id = current_district() AND c.user_id = g.id WHERE c.retired_at IS NULL
		 UNION ALL
		 SELECT current_district(), @change::bigint, 'identities', i.value, to_jsonb(i) FROM given g JOIN identities i ON i.district_id = current_district() AND i.kind = 'account' AND i.value = g.app_id
		  WHERE i.ended_at IS NULL`,
		`UPDATE imported_accounts a SET state = 'archived', why = 'cut_over', user_id = NULL, account_id = NULL, changed_at = @now FROM given g WHERE a.district_id = current_district() AND a.id = g.id`,
		`UPDATE users u SET ended_at = @now, changed_at = @now FROM going g WHERE u.district_id = current_district() AND u.id = g.id`,
		`UPDATE user_search s SET current = false FROM going g WHERE s.district_id = current_district() AND s.user_id = g.id AND s.current`,
		`UPDATE accounts c SET retired_at = @now FROM going g WHERE c.district_id = current_district() AND c.user_id = g.id AND c.retired_at IS NULL`,
		`UPDATE identities i SET ended_at = @now FROM given g WHERE i.district_id = current_district() AND i.kind = 'account' AND i.value = g.app_id AND i.ended_at IS NULL`,
		`UPDATE sessions x SET revoked_at = @now FROM going g WHERE x.district_id = current_district() AND x.user_id = g.id AND x.revoked_at IS NULL`,
		`DROP TABLE given, going`,
	} {
		if _, err := tx.conn.Exec(ctx, step, pgx.NamedArgs{"change": change, "now": tx.now}); err != nil {
			return fmt.Errorf("archive accounts: %w", err)
		}
	}
	return nil
}

// back are, in SQL, the accounts a that the cut-over @change archived and that are archived still, with their images r.
const back = `cut_over_rows r JOIN imported_accounts a ON a.district_id = r.district_id AND a.id = r.key::bigint AND a.state = 'archived' AND a.why = 'cut_over'
	WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'imported_accounts'`

// backPeople are, in SQL, the people u who ended with those accounts, with their images r: as long as nobody gave them
// back since, and one of their accounts comes back.
const backPeople = `cut_over_rows r JOIN users u ON u.district_id = r.district_id AND u.id = r.key::bigint AND u.ended_at = @moment
	WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'users'
	  AND coalesce(u.merged_into, u.id) IN (SELECT coalesce(o.merged_into, o.id) FROM returning_accounts b JOIN users o ON o.district_id = current_district() AND o.id = b.user_id)`

// PlanCutOverUndo counts what taking a cut-over back would bring back now. Found are accounts that found their people
// since, which stay where they are.
func (tx *Tx) PlanCutOverUndo(ctx context.Context, done Change) (c CutOverCounts, err error) {
	var was CutOverCounts
	if err := json.Unmarshal(done.After, &was); err != nil {
		return c, fmt.Errorf("read change %d: %w", done.ID, err)
	}
	err = tx.conn.QueryRow(ctx, `WITH returning_accounts AS (SELECT (r.was->>'user_id')::bigint AS user_id FROM `+back+`)
		SELECT (SELECT count(*) FROM returning_accounts), (SELECT count(*) FROM `+backPeople+`)`,
		pgx.NamedArgs{"change": done.ID, "moment": done.MadeAt}).Scan(&c.Accounts, &c.People)
	if err != nil {
		return c, fmt.Errorf("plan undo of cut-over: %w", err)
	}
	c.Rest, c.Found = was.Rest, was.Accounts-c.Accounts
	return c, nil
}

// UndoCutOver brings back what a cut-over archived, row by row as it was, and removes the date if no
// other was set since. What found its people since stays there. ErrTooSlow: a sync did not let go in time.
func (tx *Tx) UndoCutOver(ctx context.Context, done Change) (CutOverCounts, error) {
	fail := func(err error) (CutOverCounts, error) {
		return CutOverCounts{}, fmt.Errorf("undo cut-over: %w", err)
	}
	if err := tx.awaitRoster(ctx, 2*personWait); err != nil {
		return fail(err)
	}
	counts, err := tx.PlanCutOverUndo(ctx, done)
	if err != nil {
		return fail(err)
	}
	if _, err := exec(ctx, tx, `UPDATE districts SET cut_over_at = NULL, cut_over_done = NULL, cut_over_change = NULL WHERE district_id = ? AND cut_over_done = ?`, tx.actor.District, done.ID); err != nil {
		return fail(err)
	}
	for _, step := range []string{
		`DROP TABLE IF EXISTS returning_accounts, returning_people`,
		`CREATE TEMP TABLE returning_accounts (id bigint, app_id text, user_id bigint) ON COMMIT DROP`,
		`CREATE TEMP TABLE returning_people (id bigint) ON COMMIT DROP`,
		`INSERT INTO returning_accounts SELECT a.id, a.app_id, (r.was->>'user_id')::bigint FROM ` + back,
		`INSERT INTO returning_people SELECT u.id FROM ` + backPeople,
		`UPDATE imported_accounts a SET state = w.state, why = w.why, user_id = w.user_id, account_id = w.account_id, changed_at = w.changed_at
		   FROM returning_accounts b, cut_over_rows r, jsonb_populate_record(NULL::imported_accounts, r.was) w
		  WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'imported_accounts' AND r.key = b.id::text
		    AND a.district_id = current_district() AND a.id = b.id`,
		`UPDATE users u SET ended_at = w.ended_at, changed_at = w.changed_at
		   FROM returning_people p, cut_over_rows r, jsonb_populate_record(NULL::users, r.was) w
		  WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'users' AND r.key = p.id::text
		    AND u.district_id = current_district() AND u.id = p.id`,
		`UPDATE user_search s SET current = true FROM returning_people p, cut_over_rows r
		  WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'user_search' AND r.key = p.id::text
		    AND s.district_id = current_district() AND s.user_id = p.id`,
		`UPDATE accounts c SET retired_at = NULL FROM returning_people p, cut_over_rows r
		  WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'accounts' AND r.key = c.id::text
		    AND c.district_id = current_district() AND c.user_id = p.id AND c.retired_at = @moment`,
		`UPDATE identities i SET ended_at = NULL FROM returning_accounts b, cut_over_rows r
		  WHERE r.district_id = current_district() AND r.change_id = @change AND r.table_name = 'identities' AND r.key = b.app_id
		    AND i.district_id = current_district() AND i.kind = 'account' AND i.value = b.app_id AND i.ended_at = @moment`,
		`DROP TABLE returning_accounts, returning_people`,
	} {
		if _, err := tx.conn.Exec(ctx, step, pgx.NamedArgs{"change": done.ID, "moment": done.MadeAt}); err != nil {
			return fail(err)
		}
	}
	return counts, tx.afterCutOver(ctx)
}

// OldID is where an id from the days of API v2 leads whoever signs in under it.
type OldID struct {
	User     int64 // whom it opens; 0: nobody
	Archived bool  // the account was archived at the cut-over
	Over     bool  // since the cut-over only the person's own Clever id opens it
}

// OldID looks up whom an old id opens: the id of a role, or of an account of the app's old days. Until the cut-over it
// opens whoever has it; from then on only an account that was kept although it leads to nobody, which has no other id.
func (tx *Tx) OldID(ctx context.Context, id string) (o OldID, err error) {
	c, err := tx.CutOver(ctx)
	if err != nil {
		return o, err
	}
	rows, err := scan[struct {
		User     *int64
		Known    bool
		Archived bool
	}](ctx, tx, `SELECT x.user, x.known, x.archived FROM (
			SELECT h.id AS user, h.clever_id IS NOT NULL AS known, false AS archived, 0 AS first, 0::bigint AS id FROM identities i
			  JOIN users u ON u.district_id = i.district_id AND u.id = i.user_id
			  JOIN users h ON h.district_id = i.district_id AND h.id = coalesce(u.merged_into, u.id)
			 WHERE i.district_id = @district AND i.kind = 'legacy' AND i.value = @id
			UNION ALL
			SELECT h.id, h.clever_id IS NOT NULL, a.state = 'archived' AND a.why = 'cut_over', CASE WHEN h.id IS NOT NULL THEN 1 ELSE 2 END, a.id FROM imported_accounts a
			  LEFT JOIN users u ON u.district_id = a.district_id AND u.id = a.user_id
			  LEFT JOIN users h ON h.district_id = a.district_id AND h.id = coalesce(u.merged_into, u.id)
			 WHERE a.district_id = @district AND a.legacy_id = @id AND a.legacy_id <> '' AND a.role IN `+employeeRoles+`) x
		ORDER BY x.first, x.id LIMIT 1`, map[string]any{"district": tx.actor.District, "id": id})
	if err != nil {
		return o, fmt.Errorf("old id: %w", err)
	}
	if len(rows) == 0 {
		return o, nil
	}
	switch r := rows[0]; {
	case r.Archived:
		o.Archived = true
	case r.User == nil:
	case r.Known && c.Passed(tx.now):
		o.Over = true
	default:
		o.User = *r.User
	}
	return o, nil
}
