package models

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// Accounts follow the district's strategy. Under per_role each working role that somebody holds has one, and the
// account of all roles is retired; under consolidated it is the other way round. Nothing is deleted: an account that
// comes back is the same one, with the data the app hung on it.

// AccountPlan is what fitting accounts to a strategy does, in numbers.
type AccountPlan struct {
	People  int // with an account that is made, brought back or retired
	Several int // of them, who have several accounts under the separate strategy
	Made    int
	Back    int // retired before, in use again
	Retired int
	// Examples are the first five people by name who have several accounts under the separate strategy, each with the
	// roles of those.
	Examples []AccountExample
}

// AccountExample is one person with several accounts under the one Clever id.
type AccountExample struct {
	ID    int64
	Name  string
	Roles []access.Role
}

// separate are the accounts that the strategy per_role wants: one for each working role held by somebody current.
const separate = `SELECT DISTINCT g.user_id, g.role FROM role_grants g
	  JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id AND u.ended_at IS NULL
	 WHERE g.district_id = @district AND g.role IN ('teacher', 'staff', 'district_admin') AND g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > @now)`

// single are the people whom the strategy consolidated gives back their one account: those with separate ones in use.
const single = `SELECT DISTINCT a.user_id, ''::text AS role FROM accounts a WHERE a.district_id = @district AND a.role <> '' AND a.retired_at IS NULL`

// wanted picks between the two by the strategy to fit to, and folded are the accounts in use that it has no place for.
func wanted(to access.Strategy) (wanted, folded string) {
	if to == access.PerRole {
		return separate, `a.role = '' AND EXISTS (SELECT FROM wanted w WHERE w.user_id = a.user_id)`
	}
	return single, `a.role <> ''`
}

// PlanAccounts counts what FitAccounts would do, and writes nothing.
func (tx *Tx) PlanAccounts(ctx context.Context, to access.Strategy) (p AccountPlan, err error) {
	want, folded := wanted(to)
	args := map[string]any{"district": tx.actor.District, "now": tx.now}
	rows, err := scan[struct{ People, Several, Made, Back, Retired int }](ctx, tx, `WITH wanted AS MATERIALIZED (`+want+`), moves AS (
			SELECT w.user_id, CASE WHEN a.id IS NULL THEN 'made' ELSE 'back' END AS move
			  FROM wanted w LEFT JOIN accounts a ON a.district_id = @district AND a.user_id = w.user_id AND a.role = w.role
			 WHERE a.id IS NULL OR a.retired_at IS NOT NULL
			UNION ALL
			SELECT a.user_id, 'retired' FROM accounts a WHERE a.district_id = @district AND a.retired_at IS NULL AND `+folded+`)
		SELECT count(DISTINCT user_id) AS people, count(*) FILTER (WHERE move = 'made') AS made, count(*) FILTER (WHERE move = 'back') AS back,
		       count(*) FILTER (WHERE move = 'retired') AS retired,
		       (SELECT count(*) FROM (`+severalAccounts(to)+`) s) AS several FROM moves`, args)
	if err != nil {
		return p, fmt.Errorf("plan accounts: %w", err)
	}
	r := rows[0]
	p = AccountPlan{People: r.People, Several: r.Several, Made: r.Made, Back: r.Back, Retired: r.Retired}
	examples, err := scan[struct {
		UserID int64
		Roles  []access.Role
	}](ctx, tx, `SELECT s.user_id, s.roles FROM (`+severalAccounts(to)+`) s
		  JOIN users u ON u.district_id = @district AND u.id = s.user_id ORDER BY u.name_key, u.id LIMIT `+fmt.Sprint(maxExamples), args)
	if err != nil {
		return p, fmt.Errorf("plan accounts: %w", err)
	}
	ids := make([]int64, len(examples))
	for i, e := range examples {
		ids[i] = e.UserID
	}
	names, err := tx.UserNames(ctx, ids)
	if err != nil {
		return p, err
	}
	for _, e := range examples {
		p.Examples = append(p.Examples, AccountExample{ID: e.UserID, Name: names[e.UserID], Roles: e.Roles})
	}
	return p, nil
}

// severalAccounts are the people with more than one separate account: those to come, or those that are there.
func severalAccounts(to access.Strategy) string {
	from := `(` + separate + `) x`
	if to == access.Consolidated {
		from = `accounts x WHERE x.district_id = @district AND x.role <> '' AND x.retired_at IS NULL`
	}
	return `SELECT x.user_id, array_agg(x.role ORDER BY x.role) AS roles FROM ` + from + ` GROUP BY x.user_id HAVING count(*) > 1`
}

// FitAccounts makes, brings back and retires accounts for the strategy. It keeps the roster from being written
// meanwhile: a page of people written under the strategy before would keep its accounts. ErrTooSlow: a sync did not
// let go in time.
func (tx *Tx) FitAccounts(ctx context.Context, to access.Strategy) error {
	if err := tx.awaitRoster(ctx, personWait); err != nil {
		return fmt.Errorf("fit accounts: %w", err)
	}
	want, folded := wanted(to)
	args := pgx.NamedArgs{"district": tx.actor.District, "now": tx.now}
	// One statement: which accounts are folded is read from the moment before any is made.
	_, err := tx.conn.Exec(ctx, `WITH wanted AS MATERIALIZED (`+want+`), made AS (
			INSERT INTO accounts (district_id, user_id, role, created_at) SELECT @district, w.user_id, w.role, @now FROM wanted w
			 WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.district_id = @district AND a.user_id = w.user_id AND a.role = w.role)
		), back AS (
			UPDATE accounts a SET retired_at = NULL FROM wanted w
			 WHERE a.district_id = @district AND a.user_id = w.user_id AND a.role = w.role AND a.retired_at IS NOT NULL
		)
		UPDATE accounts a SET retired_at = @now WHERE a.district_id = @district AND a.retired_at IS NULL AND `+folded, args)
	if err != nil {
		return fmt.Errorf("fit accounts: %w", err)
	}
	// An account of the old days is kept in the one that takes its place, where there is one.
	_, err = tx.conn.Exec(ctx, `UPDATE imported_accounts a SET account_id = c.id FROM users u, accounts c
		WHERE a.district_id = @district AND a.account_id IS NOT NULL AND u.district_id = @district AND u.id = a.user_id
		  AND c.district_id = @district AND c.user_id = coalesce(u.merged_into, u.id) AND c.role = CASE WHEN @to = 'per_role' THEN a.role ELSE '' END
		  AND c.retired_at IS NULL AND a.account_id <> c.id`, pgx.NamedArgs{"district": tx.actor.District, "to": string(to)})
	if err != nil {
		return fmt.Errorf("fit old accounts: %w", err)
	}
	return nil
}

// EnsureAccounts gives one person the accounts that the district's strategy wants for the roles held now: after a
// role was given by hand.
func (tx *Tx) EnsureAccounts(ctx context.Context, user int64) error {
	b := &pgx.Batch{}
	queueAccounts(b, tx.actor.District, []int64{user}, tx.now)
	return tx.send(ctx, "accounts of user", b)
}

// queueAccounts is EnsureAccounts for a page of people with a working role, after their grants were written. Each
// statement looks up by key, and under the other strategy does nothing.
func queueAccounts(b *pgx.Batch, district int64, users []int64, now time.Time) {
	const under = ` (SELECT d.strategy FROM districts d WHERE d.district_id = $1) = `
	const current = `WHERE` + under + `'per_role' AND g.role IN ('teacher', 'staff', 'district_admin') AND g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $3)`
	b.Queue(`INSERT INTO accounts (district_id, user_id, created_at) SELECT $1, r.id, $3 FROM unnest($2::bigint[]) r(id)
		WHERE`+under+`'consolidated' AND NOT EXISTS (SELECT FROM accounts a WHERE a.district_id = $1 AND a.user_id = r.id AND a.role = '')`, district, users, now)
	b.Queue(`INSERT INTO accounts (district_id, user_id, role, created_at) SELECT DISTINCT $1::bigint, g.user_id, g.role, $3::timestamptz
		FROM unnest($2::bigint[]) r(id) JOIN role_grants g ON g.district_id = $1 AND g.user_id = r.id `+current+` AND NOT EXISTS (SELECT FROM accounts a WHERE a.district_id = $1 AND a.user_id = g.user_id AND a.role = g.role)`, district, users, now)
	b.Queue(`UPDATE accounts a SET retired_at = CASE WHEN a.role = '' THEN $3::timestamptz END
		FROM (SELECT DISTINCT g.user_id, x.role FROM unnest($2::bigint[]) r(id) JOIN role_grants g ON g.district_id = $1 AND g.user_id = r.id, LATERAL (VALUES (g.role), ('')) x(role)
			`+current+`) w
		WHERE a.district_id = $1 AND a.user_id = w.user_id AND a.role = w.role AND (a.retired_at IS NULL) = (a.role = '')`, district, users, now)
}
