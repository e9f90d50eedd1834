package models

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// AccountState says where an old account is.
type AccountState string

// The states of an imported account.
const (
	AccountLinked    AccountState = "linked"    // with a person whom Clever lists
	AccountAmbiguous AccountState = "ambiguous" // one of several that lead to the same person
	AccountUnmatched AccountState = "unmatched" // leads to nobody in Clever
	AccountArchived  AccountState = "archived"  // never to be matched, or given up at the cut-over
)

// AccountStates are all of them, in the order of pages.
var AccountStates = []AccountState{AccountLinked, AccountAmbiguous, AccountUnmatched, AccountArchived}

// Why an account is in its state.
const (
	WhyContact   = "contact"    // contacts are built anew
	WhyNoID      = "no_id"      // the file names no id of Clever's
	WhyNotFound  = "not_found"  // nobody in Clever has or had the id
	WhyNotHere   = "not_here"   // Clever's own list names the person, who is not shared with this app
	WhyOtherRole = "other_role" // the id is of somebody who never held such a role
	WhySeveral   = "several"    // several accounts lead to one person
	WhyHistory   = "history"    // something was decided about the account's own person meanwhile
)

// employee holds, in SQL, for roles that a person may hold several of.
const employeeRoles = `('teacher', 'staff', 'district_admin')`

// judge works out where accounts belong: those of the temporary table candidates (app_id, role, legacy_id), into the
// temporary table fate (app_id, role, state, why, user_id). An old id is looked up among those of every role, whether or
// not Clever still lists it, and then in Clever's own list. Students kept their id. user_id is the record that the id
// leads to, also where that is a merged one.
func (tx *Tx) judge(ctx context.Context) error {
	const slot = `CASE WHEN (SELECT d.strategy FROM districts d WHERE d.district_id = current_district()) = 'per_role' THEN %s.role ELSE '' END`
	sql := `CREATE TEMP TABLE fate ON COMMIT DROP AS
		WITH led AS MATERIALIZED (
			SELECT c.app_id, c.role, c.legacy_id, m.clever_id AS became,
			       CASE WHEN c.role = 'student' THEN coalesce(v.user_id, l.user_id) ELSE coalesce(l.user_id, v.user_id, w.user_id) END AS led
			  FROM candidates c
			  LEFT JOIN identities l   ON l.district_id = current_district() AND l.kind = 'legacy' AND l.value = c.legacy_id
			  LEFT JOIN identities v   ON v.district_id = current_district() AND v.kind = 'clever' AND v.value = c.legacy_id
			  LEFT JOIN migrated_ids m ON m.district_id = current_district() AND m.legacy_id = c.legacy_id
			  LEFT JOIN identities w   ON w.district_id = current_district() AND w.kind = 'clever' AND w.value = m.clever_id
		), held AS MATERIALIZED (
			SELECT g.record_id, bool_or(g.role IN ` + employeeRoles + `) AS employee, bool_or(g.role = 'student') AS student
			  FROM (SELECT DISTINCT led FROM led WHERE led IS NOT NULL) x JOIN role_grants g ON g.district_id = current_district() AND g.record_id = x.led
			 GROUP BY 1
		), fits AS MATERIALIZED (
			SELECT l.*, l.led IS NOT NULL AND l.role <> 'contact' AND coalesce(CASE WHEN l.role = 'student' THEN h.student ELSE h.employee END, true) AS fits
			  FROM led l LEFT JOIN held h ON h.record_id = l.led
		), counted AS MATERIALIZED (
			SELECT f.*, count(*) FILTER (WHERE f.fits) OVER (PARTITION BY f.led, ` + fmt.Sprintf(slot, "f") + `) AS several FROM fits f
		), others AS MATERIALIZED (
			SELECT x.led, x.slot, count(*) AS n FROM (
				SELECT a.user_id AS led, ` + fmt.Sprintf(slot, "a") + ` AS slot
				  FROM (SELECT DISTINCT led FROM fits WHERE fits) y JOIN imported_accounts a ON a.district_id = current_district() AND a.user_id = y.led
				 WHERE NOT EXISTS (SELECT FROM candidates c WHERE c.app_id = a.app_id)
				UNION ALL
				SELECT y.led, ` + fmt.Sprintf(slot, "a") + `
				  FROM (SELECT DISTINCT led FROM fits WHERE fits) y
				  JOIN users u ON u.district_id = current_district() AND u.merged_into = y.led
				  JOIN imported_accounts a ON a.district_id = current_district() AND a.user_id = u.id
				 WHERE NOT EXISTS (SELECT FROM candidates c WHERE c.app_id = a.app_id)) x
			 GROUP BY 1, 2
		), states AS (
			SELECT c.*, CASE WHEN c.role = 'contact' THEN 'archived' WHEN NOT c.fits THEN 'unmatched'
			                 WHEN c.several + coalesce(o.n, 0) > 1 THEN 'ambiguous' ELSE 'linked' END AS state
			  FROM counted c LEFT JOIN others o ON o.led = c.led AND o.slot = ` + fmt.Sprintf(slot, "c") + `
		)
		SELECT s.app_id, s.role, s.state, CASE WHEN s.fits THEN s.led END AS user_id,
		       CASE WHEN s.state = 'linked' THEN '' WHEN s.state = 'ambiguous' THEN 'several' WHEN s.state = 'archived' THEN 'contact'
		            WHEN s.led IS NOT NULL THEN 'other_role' WHEN s.legacy_id = '' THEN 'no_id' WHEN s.became IS NOT NULL THEN 'not_here' ELSE 'not_found' END AS why
		  FROM states s`
	for _, step := range []string{`ANALYZE candidates`, sql, `ANALYZE fate`} {
		if _, err := tx.conn.Exec(ctx, step); err != nil {
			return fmt.Errorf("match accounts: %w", err)
		}
	}
	return nil
}

// settleFates gives the accounts of fate their state, and what follows from it: employees who are with nobody of
// Clever's get a person of their own, from the temporary table newcomers' names, and whoever is with a person of
// Clever's needs none any more.
func (tx *Tx) settleFates(ctx context.Context) error {
	steps := []string{
		// What somebody decided about an account's own person is not thrown away by finding the person in Clever.
		`UPDATE fate f SET state = 'ambiguous', why = 'history' FROM imported_accounts a JOIN users u ON u.district_id = current_district() AND u.id = a.user_id AND u.clever_id IS NULL
		  WHERE a.district_id = current_district() AND a.app_id = f.app_id AND f.state = 'linked' AND f.role <> 'student' AND ` + decidedAbout,
		`CREATE TEMP TABLE left_alone ON COMMIT DROP AS
		 SELECT DISTINCT u.id FROM fate f JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id
		   JOIN users u ON u.district_id = current_district() AND u.id = a.user_id AND u.clever_id IS NULL
		  WHERE f.state IN ('linked', 'archived') OR f.role NOT IN ` + employeeRoles,
		`UPDATE imported_accounts a SET state = f.state, why = f.why, changed_at = @now, account_id = NULL,
		        user_id = CASE WHEN f.state = 'linked' THEN f.user_id WHEN f.role IN ` + employeeRoles + ` AND f.state <> 'archived' THEN
		          (SELECT u.id FROM users u WHERE u.district_id = current_district() AND u.id = a.user_id AND u.clever_id IS NULL) END
		   FROM fate f WHERE a.district_id = current_district() AND a.app_id = f.app_id`,
		// Back from before: the person made for the account the last time.
		`UPDATE imported_accounts a SET user_id = u.id
		   FROM fate f, identities i, users u
		  WHERE a.district_id = current_district() AND a.app_id = f.app_id AND a.user_id IS NULL AND f.role IN ` + employeeRoles + ` AND f.state IN ('ambiguous', 'unmatched')
		    AND i.district_id = current_district() AND i.kind = 'account' AND i.value = a.app_id
		    AND u.district_id = current_district() AND u.id = i.user_id AND u.clever_id IS NULL`,
		`CREATE TEMP TABLE newcomers ON COMMIT DROP AS
		 SELECT a.app_id, a.role, nextval('users_id_seq') AS id FROM fate f JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id
		  WHERE a.user_id IS NULL AND f.role IN ` + employeeRoles + ` AND f.state IN ('ambiguous', 'unmatched')`,
		`ANALYZE newcomers`,
		`INSERT INTO users (district_id, id, first_name, middle_name, last_name, email, name_key, email_key, created_at, changed_at) OVERRIDING SYSTEM VALUE
		 SELECT current_district(), n.id, r.first_name, r.middle_name, r.last_name, r.email, r.name_key, r.email_key, @now, @now
		   FROM newcomers n JOIN named r ON r.app_id = n.app_id`,
		`UPDATE imported_accounts a SET user_id = n.id FROM newcomers n WHERE a.district_id = current_district() AND a.app_id = n.app_id`,
		// Whoever stands for an account, new or not: named as the account is, to be found, current, and with an account.
		`CREATE TEMP TABLE stands ON COMMIT DROP AS
		 SELECT DISTINCT ON (a.user_id) a.user_id AS id, a.app_id, a.role, a.school_ids, a.last_used_at FROM fate f
		   JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id
		  WHERE a.user_id IS NOT NULL AND a.state IN ('ambiguous', 'unmatched') ORDER BY a.user_id, a.id`,
		`ANALYZE stands`,
		`UPDATE users u SET first_name = r.first_name, middle_name = r.middle_name, last_name = r.last_name, email = r.email, name_key = r.name_key,
		        email_key = r.email_key, changed_at = @now, ended_at = NULL
		   FROM stands s JOIN named r ON r.app_id = s.app_id WHERE u.district_id = current_district() AND u.id = s.id
		    AND (u.first_name, u.middle_name, u.last_name, u.email, u.ended_at) IS DISTINCT FROM (r.first_name, r.middle_name, r.last_name, r.email, NULL)`,
		`INSERT INTO user_search (district_id, user_id, name_key, current, doc, school_ids)
		 SELECT current_district(), s.id, r.name_key, true, r.doc, s.school_ids FROM stands s JOIN named r ON r.app_id = s.app_id
		   JOIN users u ON u.district_id = current_district() AND u.id = s.id AND u.merged_into IS NULL
		 ON CONFLICT (district_id, user_id) DO UPDATE SET name_key = excluded.name_key, current = true, doc = excluded.doc, school_ids = excluded.school_ids
		  WHERE (user_search.name_key, user_search.current, user_search.doc, user_search.school_ids) IS DISTINCT FROM (excluded.name_key, true, excluded.doc, excluded.school_ids)`,
		`INSERT INTO accounts (district_id, user_id, role, created_at, last_sign_in_at)
		 SELECT current_district(), s.id, ` + accountSlot("s.role") + `, @now, s.last_used_at FROM stands s
		 ON CONFLICT (district_id, user_id, role) DO UPDATE SET retired_at = CASE WHEN accounts.folded_into IS NULL THEN NULL ELSE accounts.retired_at END`,
		// The app's own id leads to whoever has the account.
		`INSERT INTO identities (district_id, kind, value, user_id, role, created_at)
		 SELECT current_district(), 'account', a.app_id, a.user_id, a.role, @now FROM fate f
		   JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id WHERE a.user_id IS NOT NULL
		 ON CONFLICT (district_id, kind, value) DO UPDATE SET user_id = excluded.user_id, role = excluded.role, ended_at = NULL
		  WHERE (identities.user_id, identities.role, identities.ended_at) IS DISTINCT FROM (excluded.user_id, excluded.role, NULL)`,
		`UPDATE identities i SET ended_at = @now FROM fate f JOIN imported_accounts a ON a.district_id = current_district() AND a.app_id = f.app_id AND a.user_id IS NULL
		  WHERE i.district_id = current_district() AND i.kind = 'account' AND i.value = a.app_id AND i.ended_at IS NULL`,
		`UPDATE imported_accounts a SET account_id = c.id
		   FROM fate f, users u, accounts c
		  WHERE a.district_id = current_district() AND a.app_id = f.app_id AND a.role IN ` + employeeRoles + `
		    AND u.district_id = current_district() AND u.id = a.user_id
		    AND c.district_id = current_district() AND c.user_id = coalesce(u.merged_into, u.id) AND c.role = ` + accountSlot("a.role"),
	}
	for _, step := range steps {
		if _, err := tx.conn.Exec(ctx, step, pgx.NamedArgs{"now": tx.now}); err != nil {
			return fmt.Errorf("settle matches: %w", err)
		}
	}
	return tx.endStandIns(ctx)
}

// accountSlot is, in SQL, the role of the account that an old account of a role becomes.
func accountSlot(role string) string {
	return `CASE WHEN (SELECT d.strategy FROM districts d WHERE d.district_id = current_district()) = 'per_role' THEN ` + role + ` ELSE '' END`
}

// endStandIns ends the people of left_alone for whom no account needs one any more. They were made for an account only,
// nothing was decided about them, and Clever never knew them.
func (tx *Tx) endStandIns(ctx context.Context) error {
	for _, step := range []string{
		`DELETE FROM left_alone l WHERE EXISTS (SELECT FROM imported_accounts a WHERE a.district_id = current_district() AND a.user_id = l.id)`,
		`UPDATE users u SET ended_at = @now, changed_at = @now FROM left_alone l WHERE u.district_id = current_district() AND u.id = l.id AND u.ended_at IS NULL`,
		`UPDATE user_search s SET current = false FROM left_alone l WHERE s.district_id = current_district() AND s.user_id = l.id AND s.current`,
		`UPDATE accounts a SET retired_at = @now FROM left_alone l WHERE a.district_id = current_district() AND a.user_id = l.id AND a.retired_at IS NULL`,
	} {
		if _, err := tx.conn.Exec(ctx, step, pgx.NamedArgs{"now": tx.now}); err != nil {
			return fmt.Errorf("end people of accounts: %w", err)
		}
	}
	return nil
}

// dropMatching forgets the temporary tables of a matching, so that the same transaction can match again.
func (tx *Tx) dropMatching(ctx context.Context) error {
	if _, err := tx.conn.Exec(ctx, `DROP TABLE IF EXISTS candidates, fate, left_alone, newcomers, named, stands`); err != nil {
		return fmt.Errorf("match accounts: %w", err)
	}
	return nil
}

// fates counts what judge found.
func (tx *Tx) fates(ctx context.Context) ([]ImportFate, error) {
	rows, err := scan[struct {
		State AccountState
		Role  access.Role
		Why   string
		N     int
	}](ctx, tx, `SELECT state, role, why, count(*) AS n FROM fate GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, nil)
	if err != nil {
		return nil, fmt.Errorf("count matches: %w", err)
	}
	fates := make([]ImportFate, len(rows))
	for i, r := range rows {
		fates[i] = ImportFate(r)
	}
	return fates, nil
}
