package models

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hallpass/audit"
)

// waiting holds, in SQL, for imported accounts a that a person of Clever's may still be found for: also those given up
// at the cut-over, because districts return late.
const waiting = `a.district_id = current_district() AND a.legacy_id <> '' AND a.why NOT IN ('contact', 'history') AND a.state <> 'linked'`

// MatchAccounts looks again for the people of accounts that lead to nobody yet, after Clever brought people, and says
// how many it linked. It belongs into the transaction that ends a sync.
func (tx *Tx) MatchAccounts(ctx context.Context) (int, error) { return tx.rematch(ctx, `true`, 0) }

// MatchPerson links an old account of somebody who signs in. While a sync or an import writes, it leaves that to them.
func (tx *Tx) MatchPerson(ctx context.Context, user int64) error {
	of := `a.legacy_id IN (SELECT i.value FROM identities i WHERE i.district_id = current_district() AND i.user_id = ` + fmt.Sprint(user) + ` AND i.kind IN ('clever', 'legacy'))`
	var some bool
	if err := tx.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM imported_accounts a WHERE `+waiting+` AND a.state <> 'ambiguous' AND `+of+`)`).Scan(&some); err != nil || !some {
		return wrap("match person", err)
	}
	free, err := tx.tryRoster(ctx)
	if err != nil || !free {
		return wrap("match person", err)
	}
	_, err = tx.rematch(ctx, of, 0)
	return err
}

// rematch judges the waiting accounts for which where holds, and settles those that are better off now. An import that
// causes it is told how they were before.
func (tx *Tx) rematch(ctx context.Context, where string, cause int64) (linked int, err error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("match accounts again: %w", err) }
	var some bool
	if err := tx.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM imported_accounts a WHERE `+waiting+` AND `+where+`)`).Scan(&some); err != nil || !some {
		if err != nil {
			return fail(err)
		}
		return 0, nil
	}
	if err := tx.dropMatching(ctx); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE candidates ON COMMIT DROP AS SELECT a.app_id, a.role, a.legacy_id FROM imported_accounts a WHERE `+waiting+` AND `+where); err != nil {
		return fail(err)
	}
	if err := tx.judge(ctx); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `DELETE FROM fate f USING imported_accounts a WHERE a.district_id = current_district() AND a.app_id = f.app_id
		AND (f.state NOT IN ('linked', 'ambiguous') OR f.state = a.state)`); err != nil {
		return fail(err)
	}
	fates, err := tx.fates(ctx)
	if err != nil {
		return fail(err)
	}
	if len(fates) == 0 {
		return 0, tx.dropMatching(ctx)
	}
	if cause != 0 {
		if _, err := tx.conn.Exec(ctx, rememberAccounts+`FROM fate f JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id`+rememberUsers,
			pgx.NamedArgs{"import": cause}); err != nil {
			return fail(err)
		}
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE named ON COMMIT DROP AS
		SELECT a.app_id, u.first_name, u.middle_name, u.last_name, u.email, u.name_key, u.email_key, s.doc FROM fate f
		  JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id
		  JOIN users u ON u.district_id = current_district() AND u.id = a.user_id
		  JOIN user_search s ON s.district_id = current_district() AND s.user_id = u.id`); err != nil {
		return fail(err)
	}
	if err := tx.settleFates(ctx); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `INSERT INTO dedupe_keys (district_id, hash, user_id)
		SELECT a.district_id, $1::bigint, a.user_id FROM fate f JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id WHERE a.user_id IS NOT NULL
		UNION SELECT current_district(), $1::bigint, l.id FROM left_alone l ON CONFLICT DO NOTHING`, changedMark); err != nil {
		return fail(err)
	}
	if err := tx.dropMatching(ctx); err != nil {
		return fail(err)
	}
	if err := tx.CountHeads(ctx); err != nil {
		return fail(err)
	}
	data := map[string]any{}
	for _, f := range fates {
		data[string(f.State)+"_"+string(f.Role)] = f.N
		if f.State == AccountLinked {
			linked += f.N
		}
	}
	return linked, tx.Audit(ctx, audit.Entry{Action: audit.AccountsLinked, Subject: fmt.Sprintf("district:%d", tx.actor.District), Data: data})
}
