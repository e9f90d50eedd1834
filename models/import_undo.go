package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hallpass/audit"
)

// UndoPlan says what taking an import back would do, and why it cannot be, if it cannot.
type UndoPlan struct {
	Removed  int   // accounts that the file brought
	Restored int   // accounts that it changed, or that it linked, as they were
	Ended    int   // people who were made for accounts
	Later    int64 // an import after it that must be taken back first; 0: none
	Decided  int   // people made for its accounts about whom something was decided since
}

// Blocked reports that the import cannot be taken back as things are.
func (p UndoPlan) Blocked() bool { return p.Later != 0 || p.Decided > 0 }

// decidedAbout holds, in SQL, for people u made for accounts about whom somebody decided something.
const decidedAbout = `(u.merged_into IS NOT NULL
	OR EXISTS (SELECT FROM users m WHERE m.district_id = current_district() AND m.merged_into = u.id)
	OR EXISTS (SELECT FROM pair_decisions p WHERE p.district_id = current_district() AND (p.lo = u.id OR p.hi = u.id) AND p.ended_at IS NULL)
	OR EXISTS (SELECT FROM overrides o WHERE o.district_id = current_district() AND o.user_id = u.id)
	OR EXISTS (SELECT FROM role_grants g WHERE g.district_id = current_district() AND g.user_id = u.id))`

// newHere are, in SQL, the accounts a that the import $1 brought.
const newHere = `imported_accounts a WHERE a.district_id = current_district() AND a.import_id = $1
	AND NOT EXISTS (SELECT FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = $1 AND x.key = 'a:' || a.app_id)`

// PlanUndo works out what taking an import back would do now.
func (tx *Tx) PlanUndo(ctx context.Context, id int64) (p UndoPlan, err error) {
	if err := tx.beginLong(ctx); err != nil {
		return p, fmt.Errorf("plan undo of import %d: %w", id, err)
	}
	err = tx.conn.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM `+newHere+`) + (SELECT count(*) FROM migrated_ids m WHERE m.district_id = current_district() AND m.import_id = $1),
		(SELECT count(*) FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = $1),
		(SELECT count(DISTINCT u.id) FROM users u JOIN (SELECT a.user_id FROM `+newHere+`) a ON a.user_id = u.id
		  WHERE u.district_id = current_district() AND u.clever_id IS NULL AND u.ended_at IS NULL),
		coalesce((SELECT max(id) FROM imports WHERE district_id = current_district() AND id > $1 AND state IN ('applying', 'applied', 'undoing')), 0),
		(SELECT count(DISTINCT u.id) FROM users u JOIN (SELECT a.user_id FROM `+newHere+`) a ON a.user_id = u.id
		  WHERE u.district_id = current_district() AND u.clever_id IS NULL AND `+decidedAbout+`)`, id).Scan(&p.Removed, &p.Restored, &p.Ended, &p.Later, &p.Decided)
	return p, wrap(fmt.Sprintf("plan undo of import %d", id), err)
}

// ErrBlocked says that an import cannot be taken back: PlanUndo says why.
var ErrBlocked = errors.New("it cannot be taken back")

// UndoImport takes back what an import did, all of it or nothing. Accounts that it brought are gone, those that it
// changed are as they were, and people made for its accounts end.
func (tx *Tx) UndoImport(ctx context.Context, id int64) (Import, error) {
	fail := func(err error) (Import, error) { return Import{}, fmt.Errorf("undo import %d: %w", id, err) }
	i, err := tx.takeUp(ctx, id, ImportUndoing)
	if err != nil {
		return fail(err)
	}
	p, err := tx.PlanUndo(ctx, id)
	if err != nil {
		return fail(err)
	}
	if p.Blocked() {
		return fail(ErrBlocked)
	}
	args := pgx.NamedArgs{"import": id, "now": tx.now}
	for _, step := range []string{
		`DROP TABLE IF EXISTS left_alone`,
		`CREATE TEMP TABLE left_alone (id bigint) ON COMMIT DROP`,
		`INSERT INTO left_alone SELECT DISTINCT u.id FROM imported_accounts a JOIN users u ON u.district_id = current_district() AND u.id = a.user_id AND u.clever_id IS NULL
		  WHERE a.district_id = current_district() AND (a.import_id = @import
		     OR EXISTS (SELECT FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import AND x.key = 'a:' || a.app_id))`,
		`UPDATE identities i SET ended_at = @now FROM imported_accounts a WHERE a.district_id = current_district() AND a.import_id = @import
		    AND i.district_id = current_district() AND i.kind = 'account' AND i.value = a.app_id AND i.ended_at IS NULL`,
		`DELETE FROM imported_accounts a WHERE a.district_id = current_district() AND a.import_id = @import
		    AND NOT EXISTS (SELECT FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import AND x.key = 'a:' || a.app_id)`,
		`UPDATE imported_accounts a SET role = w.role, legacy_id = w.legacy_id, first_name = w.first_name, middle_name = w.middle_name, last_name = w.last_name,
			email = w.email, sis_id = w.sis_id, number = w.number, name_key = w.name_key, schools = w.schools, school_ids = w.school_ids, last_used_at = w.last_used_at,
			state = w.state, why = w.why, user_id = w.user_id, account_id = w.account_id, import_id = w.import_id, digest = w.digest, changed_at = @now
		   FROM import_undo x, jsonb_populate_record(NULL::imported_accounts, x.was->'account') w
		  WHERE x.district_id = current_district() AND x.import_id = @import AND x.key LIKE 'a:%' AND a.district_id = current_district() AND a.app_id = w.app_id`,
		`UPDATE users u SET first_name = w.first_name, middle_name = w.middle_name, last_name = w.last_name, email = w.email, name_key = w.name_key, email_key = w.email_key,
			changed_at = @now, ended_at = NULL
		   FROM import_undo x, jsonb_populate_record(NULL::users, x.was->'user') w
		  WHERE x.district_id = current_district() AND x.import_id = @import AND jsonb_typeof(x.was->'user') = 'object'
		    AND u.district_id = current_district() AND u.id = (x.was->'account'->>'user_id')::bigint`,
		`UPDATE user_search s SET name_key = x.was->'user'->>'name_key', doc = x.was->'user'->>'doc', current = true
		   FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import AND jsonb_typeof(x.was->'user') = 'object'
		    AND s.district_id = current_district() AND s.user_id = (x.was->'account'->>'user_id')::bigint`,
		`UPDATE accounts c SET retired_at = NULL FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import AND jsonb_typeof(x.was->'user') = 'object'
		    AND c.district_id = current_district() AND c.user_id = (x.was->'account'->>'user_id')::bigint AND c.folded_into IS NULL`,
		`UPDATE identities i SET user_id = a.user_id, role = a.role, ended_at = NULL FROM import_undo x, imported_accounts a
		  WHERE x.district_id = current_district() AND x.import_id = @import AND a.district_id = current_district() AND x.key = 'a:' || a.app_id AND a.user_id IS NOT NULL
		    AND i.district_id = current_district() AND i.kind = 'account' AND i.value = a.app_id`,
		`DELETE FROM migrated_ids m WHERE m.district_id = current_district() AND m.import_id = @import
		    AND NOT EXISTS (SELECT FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import AND x.key = 'm:' || m.legacy_id)`,
		`UPDATE migrated_ids m SET clever_id = x.was->>'clever_id', import_id = (x.was->>'import_id')::bigint FROM import_undo x
		  WHERE x.district_id = current_district() AND x.import_id = @import AND m.district_id = current_district() AND x.key = 'm:' || m.legacy_id`,
		`DELETE FROM import_undo x WHERE x.district_id = current_district() AND x.import_id = @import`,
	} {
		if _, err := tx.conn.Exec(ctx, step, args); err != nil {
			return fail(err)
		}
	}
	if err := tx.endStandIns(ctx); err != nil {
		return fail(err)
	}
	n := NewChange{Token: i.Token, Action: audit.AccountsTakenOut, Subject: i.subject(), Plan: i.Plan, Before: i.Counts, After: map[string]any{"removed": p.Removed, "restored": p.Restored, "ended": p.Ended}}
	if i.ChangeID != nil {
		n.Undoes = *i.ChangeID
	}
	change, err := tx.closeImport(ctx, i, n)
	if err != nil {
		return fail(err)
	}
	if err := tx.moveImport(ctx, id, ImportUndoing, `state = 'undone', undo_id = @change, finished_at = @now`, map[string]any{"change": change}); err != nil {
		return fail(err)
	}
	return tx.Import(ctx, id)
}

// KeepImport lets an import stay applied that was to be taken back and cannot be.
func (tx *Tx) KeepImport(ctx context.Context, id int64) error {
	return tx.moveImport(ctx, id, ImportUndoing, `state = 'applied', error = 'blocked'`, map[string]any{})
}
