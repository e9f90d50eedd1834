package models

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// DuplicateRows is all that is known of some people for telling whether two of them are one, as the tables have it and
// in the order of their ids. Home is always the person to whom a record belongs: itself, or whom it was merged into.
type DuplicateRows struct {
	People     []DuplicatePerson // homes and the records merged into them
	Grants     []DuplicateGrant
	Schools    []DuplicateSchool
	Identities []DuplicateIdentity
	Accounts   []DuplicateAccount
	Imported   []DuplicateImport
}

// DuplicatePerson is one record's own row. Middle names and the rest may be empty.
type DuplicatePerson struct {
	Home, ID                   int64
	CleverID                   string // "" before Clever knows the record
	First, Middle, Last, Email string
	Current                    bool // Clever lists it, or it waits for Clever
}

// DuplicateGrant is one role with the ids that a school system gave with it.
type DuplicateGrant struct {
	Home                    int64
	Role                    access.Role
	LegacyID, SISID, Number string
	Current                 bool
}

// DuplicateSchool is a school at which somebody works, or used to.
type DuplicateSchool struct {
	Home, School int64
	Current      bool
}

// DuplicateIdentity is an outside id of Clever's that leads to somebody: kind clever or legacy.
type DuplicateIdentity struct {
	Home    int64
	Kind    string
	Value   string
	Current bool
}

// DuplicateAccount says when an account of the app was used last.
type DuplicateAccount struct {
	Home       int64
	LastUsedAt time.Time
}

// DuplicateImport is what an imported account says of somebody. CleverID is what Clever's own list makes of its old id.
type DuplicateImport struct {
	Home                       int64
	Role                       access.Role
	LegacyID, CleverID         string
	First, Middle, Last, Email string
	SISID, Number              string
	Schools                    []int64
	LastUsedAt                 *time.Time
}

// employees are those who may be duplicates at all: everybody who ever held a role of an employee, and whoever an
// employee's imported account stands for.
const employees = `
	SELECT DISTINCT coalesce(u.merged_into, u.id) AS id
	  FROM (SELECT g.user_id AS id FROM role_grants g WHERE g.district_id = $1 AND g.role IN ('teacher', 'staff', 'district_admin')
	        UNION
	        SELECT a.user_id FROM imported_accounts a WHERE a.district_id = $1 AND a.user_id IS NOT NULL AND a.role IN ('teacher', 'staff', 'district_admin')) x
	  JOIN users u ON u.district_id = $1 AND u.id = x.id
	 ORDER BY 1`

// DuplicateRows reads the records of some people, whoever they are, or of every employee where ids is nil. A merged
// record's id stands for the person it was merged into.
func (tx *Tx) DuplicateRows(ctx context.Context, ids []int64) (DuplicateRows, error) {
	var d DuplicateRows
	fail := func(err error) (DuplicateRows, error) { return d, fmt.Errorf("read duplicate records: %w", err) }
	district := tx.actor.District
	var homes []int64
	var home int64
	merged := true // one of them has records that were merged
	each := func() { homes = append(homes, home) }
	b := &pgx.Batch{}
	if ids == nil {
		if err := tx.beginLong(ctx); err != nil {
			return fail(err)
		}
		collect(b, employees, []any{district}, []any{&home}, each)
	} else {
		collect(b, `SELECT DISTINCT coalesce(u.merged_into, u.id) FROM users u WHERE u.district_id = $1 AND u.id = ANY($2::bigint[]) ORDER BY 1`,
			[]any{district, ids}, []any{&home}, each)
		collect(b, `SELECT EXISTS (SELECT FROM users m WHERE m.district_id = $1 AND m.merged_into IN (
			SELECT coalesce(u.merged_into, u.id) FROM users u WHERE u.district_id = $1 AND u.id = ANY($2::bigint[])))`, []any{district, ids}, []any{&merged}, func() {})
	}
	if err := tx.send(ctx, "find people", b); err != nil {
		return fail(err)
	}
	if len(homes) == 0 {
		return d, nil
	}
	args := []any{district, homes}
	var p DuplicatePerson
	columns := `u.id, coalesce(u.clever_id, ''), u.first_name, u.middle_name, u.last_name, u.email, u.ended_at IS NULL FROM users u WHERE u.district_id = $1 AND `
	sql := byKey("bigint", `SELECT w.id AS home, `+columns+`u.id = w.id`)
	records := `(SELECT x.id AS home, x.id FROM unnest($2::bigint[]) x(id)) w`
	if merged {
		sql += ` UNION ALL ` + byKey("bigint", `SELECT w.id, `+columns+`u.merged_into = w.id`)
		records = `(SELECT x.id AS home, u.id FROM unnest($2::bigint[]) x(id), LATERAL (
			SELECT x.id UNION ALL (SELECT m.id FROM users m WHERE m.district_id = $1 AND m.merged_into = x.id)) u(id)) w`
	}
	collect(b, sql+` ORDER BY 1, 2`,
		args, []any{&p.Home, &p.ID, &p.CleverID, &p.First, &p.Middle, &p.Last, &p.Email, &p.Current}, func() { d.People = append(d.People, p) })
	var g DuplicateGrant
	collect(b, byKey("bigint", `SELECT g.user_id, g.role, g.legacy_id, g.sis_id, g.number, g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $3), g.id FROM role_grants g
		WHERE g.district_id = $1 AND g.user_id = w.id`)+` ORDER BY 1, r.id`, append(args, tx.now),
		[]any{&g.Home, &g.Role, &g.LegacyID, &g.SISID, &g.Number, &g.Current, nil}, func() { d.Grants = append(d.Grants, g) })
	var s DuplicateSchool
	collect(b, byKey("bigint", `SELECT s.user_id, s.school_id, bool_or(s.ended_at IS NULL) FROM role_grant_schools s
		WHERE s.district_id = $1 AND s.user_id = w.id GROUP BY 1, 2`)+` ORDER BY 1, 2`, args,
		[]any{&s.Home, &s.School, &s.Current}, func() { d.Schools = append(d.Schools, s) })
	var i DuplicateIdentity
	collect(b, `SELECT w.home, r.* FROM `+records+`, LATERAL (
			SELECT i.kind, i.value, i.ended_at IS NULL FROM identities i WHERE i.district_id = $1 AND i.user_id = w.id AND i.kind IN ('clever', 'legacy') OFFSET 0) r
		ORDER BY 1, 2, 3`, args, []any{&i.Home, &i.Kind, &i.Value, &i.Current}, func() { d.Identities = append(d.Identities, i) })
	var a DuplicateAccount
	collect(b, byKey("bigint", `SELECT a.user_id, max(a.last_sign_in_at) AS used FROM accounts a WHERE a.district_id = $1 AND a.user_id = w.id GROUP BY 1`)+
		` WHERE r.used IS NOT NULL ORDER BY 1`, args, []any{&a.Home, &a.LastUsedAt}, func() { d.Accounts = append(d.Accounts, a) })
	askImported(b, records, args, &d.Imported)
	return d, tx.send(ctx, "read duplicate records", b)
}

// askImported reads imported accounts by where they are, which may be a record merged since.
func askImported(b *pgx.Batch, records string, args []any, into *[]DuplicateImport) {
	var m DuplicateImport
	collect(b, `SELECT w.home, r.* FROM `+records+`, LATERAL (
			SELECT a.role, a.legacy_id, coalesce((SELECT l.clever_id FROM migrated_ids l WHERE l.district_id = $1 AND l.legacy_id = a.legacy_id AND a.legacy_id <> ''), ''),
			       a.first_name, a.middle_name, a.last_name, a.email, a.sis_id, a.number, a.school_ids, a.last_used_at, a.id
			  FROM imported_accounts a WHERE a.district_id = $1 AND a.user_id = w.id OFFSET 0) r
		ORDER BY 1, r.id`, args,
		[]any{&m.Home, &m.Role, &m.LegacyID, &m.CleverID, &m.First, &m.Middle, &m.Last, &m.Email, &m.SISID, &m.Number, &m.Schools, &m.LastUsedAt, nil},
		func() { *into = append(*into, m); m.Schools = nil })
}

// beginLong gives the statements of a background job more time than a page's have, and none of the roster's lock.
func (tx *Tx) beginLong(ctx context.Context) error {
	_, err := tx.conn.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, rosterTime)
	return err
}
