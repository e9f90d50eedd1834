package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	var err error
	if ids == nil {
		err = d.everybody(ctx, tx)
	} else if len(ids) > 0 {
		err = d.some(ctx, tx, ids, true)
	}
	if err != nil {
		return d, fmt.Errorf("read duplicate records: %w", err)
	}
	return d, nil
}

// DuplicateNames is DuplicateRows with what tells names and addresses: People and Imported.
func (tx *Tx) DuplicateNames(ctx context.Context, ids []int64) (d DuplicateRows, err error) {
	if len(ids) > 0 {
		err = d.some(ctx, tx, ids, false)
	}
	if err != nil {
		return d, fmt.Errorf("read names of duplicate records: %w", err)
	}
	return d, nil
}

const (
	duplicatePerson = `u.id, coalesce(u.clever_id, ''), u.first_name, u.middle_name, u.last_name, u.email, u.ended_at IS NULL FROM users u WHERE u.district_id = $1 AND `
	duplicateGrant  = `SELECT g.user_id, g.role, g.legacy_id, g.sis_id, g.number, g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > $3), g.id FROM role_grants g
		WHERE g.district_id = $1 AND g.user_id = `
	duplicateSchool   = `SELECT s.user_id, s.school_id, bool_or(s.ended_at IS NULL) FROM role_grant_schools s WHERE s.district_id = $1 AND s.user_id = `
	duplicateIdentity = `i.kind, i.value, i.ended_at IS NULL FROM identities i WHERE i.district_id = $1 AND i.kind IN ('clever', 'legacy') AND i.user_id = `
	duplicateAccount  = `SELECT a.user_id, max(a.last_sign_in_at) AS used FROM accounts a WHERE a.district_id = $1 AND a.user_id = `
	duplicateImport   = `a.role, a.legacy_id, coalesce((SELECT l.clever_id FROM migrated_ids l WHERE l.district_id = $1 AND l.legacy_id = a.legacy_id AND a.legacy_id <> ''), ''),
		a.first_name, a.middle_name, a.last_name, a.email, a.sis_id, a.number, a.school_ids, a.last_used_at, a.id
		FROM imported_accounts a WHERE a.district_id = $1 AND a.user_id = `
	// homeRecords are people's own records and those that were merged into them.
	homeRecords = `(SELECT x.id AS home, u.id FROM unnest($2::bigint[]) x(id), LATERAL (
		SELECT x.id UNION ALL (SELECT m.id FROM users m WHERE m.district_id = $1 AND m.merged_into = x.id)) u(id)) w`
)

// everybody reads all employees. Whatever is asked is asked once for each person, by index: so many are beyond what
// the planner makes of an array.
func (d *DuplicateRows) everybody(ctx context.Context, tx *Tx) error {
	if err := tx.beginLong(ctx); err != nil {
		return err
	}
	var homes []int64
	var home int64
	b := &pgx.Batch{}
	collect(b, employees, []any{tx.actor.District}, []any{&home}, func() { homes = append(homes, home) })
	if err := tx.send(ctx, "find people", b); err != nil || len(homes) == 0 {
		return err
	}
	args := []any{tx.actor.District, homes}
	d.askPeople(b, byKey("bigint", `SELECT w.id AS home, `+duplicatePerson+`u.id = w.id`)+` UNION ALL `+
		byKey("bigint", `SELECT w.id, `+duplicatePerson+`u.merged_into = w.id`)+` ORDER BY 1, 2`, args)
	d.askGrants(b, byKey("bigint", duplicateGrant+`w.id`)+` ORDER BY 1, r.id`, append(args, tx.now))
	d.askSchools(b, byKey("bigint", duplicateSchool+`w.id GROUP BY 1, 2`)+` ORDER BY 1, 2`, args)
	d.askAccounts(b, byKey("bigint", duplicateAccount+`w.id GROUP BY 1`)+` WHERE r.used IS NOT NULL ORDER BY 1`, args)
	d.askRecords(b, args, true)
	return tx.send(ctx, "read duplicate records", b)
}

// some reads the people of some records, all that is known or only what tells their names, in one round trip unless one
// of them was merged.
func (d *DuplicateRows) some(ctx context.Context, tx *Tx, ids []int64, all bool) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	args := []any{tx.actor.District, ids}
	d.People = make([]DuplicatePerson, 0, len(ids))
	b := &pgx.Batch{}
	d.askPeople(b, `SELECT coalesce(u.merged_into, u.id), `+duplicatePerson+`u.id = ANY($2::bigint[])`, args)
	d.askPeople(b, `SELECT u.merged_into, `+duplicatePerson+`u.merged_into = ANY($2::bigint[])`, args)
	if all {
		d.askGrants(b, duplicateGrant+`ANY($2::bigint[]) ORDER BY 1, g.id`, append(args, tx.now))
		d.askSchools(b, duplicateSchool+`ANY($2::bigint[]) GROUP BY 1, 2 ORDER BY 1, 2`, args)
		d.askAccounts(b, duplicateAccount+`ANY($2::bigint[]) GROUP BY 1 HAVING max(a.last_sign_in_at) IS NOT NULL ORDER BY 1`, args)
		d.askIdentities(b, `SELECT i.user_id, `+duplicateIdentity+`ANY($2::bigint[]) ORDER BY 1, 2, 3`, args)
	}
	d.askImported(b, `SELECT a.user_id, `+duplicateImport+`ANY($2::bigint[]) ORDER BY 1, a.id`, args)
	if err := tx.send(ctx, "read duplicate records", b); err != nil {
		return err
	}
	slices.SortFunc(d.People, func(a, b DuplicatePerson) int { return cmp.Or(cmp.Compare(a.Home, b.Home), cmp.Compare(a.ID, b.ID)) })
	homes := make([]int64, len(d.People))
	var joined []int64 // those who have more records than their own
	merged := false    // one of the ids is such a record
	for i, p := range d.People {
		homes[i] = p.Home
		if p.Home != p.ID {
			joined = append(joined, p.Home)
			_, asked := slices.BinarySearch(ids, p.ID)
			merged = merged || asked
		}
	}
	if merged {
		*d = DuplicateRows{}
		return d.some(ctx, tx, homes, all)
	}
	return d.join(ctx, tx, slices.Compact(joined), all)
}

// join reads anew what stays with each record of those who have several.
func (d *DuplicateRows) join(ctx context.Context, tx *Tx, homes []int64, all bool) error {
	if len(homes) == 0 {
		return nil
	}
	several := func(home int64) bool { _, found := slices.BinarySearch(homes, home); return found }
	d.Identities = slices.DeleteFunc(d.Identities, func(i DuplicateIdentity) bool { return several(i.Home) })
	d.Imported = slices.DeleteFunc(d.Imported, func(m DuplicateImport) bool { return several(m.Home) })
	b := &pgx.Batch{}
	d.askRecords(b, []any{tx.actor.District, homes}, all)
	if err := tx.send(ctx, "read merged records", b); err != nil {
		return err
	}
	slices.SortStableFunc(d.Identities, func(a, b DuplicateIdentity) int { return cmp.Compare(a.Home, b.Home) })
	slices.SortStableFunc(d.Imported, func(a, b DuplicateImport) int { return cmp.Compare(a.Home, b.Home) })
	return nil
}

// askRecords asks for what stays with a record, by the people to whom records belong.
func (d *DuplicateRows) askRecords(b *pgx.Batch, args []any, all bool) {
	if all {
		d.askIdentities(b, `SELECT w.home, r.* FROM `+homeRecords+`, LATERAL (SELECT `+duplicateIdentity+`w.id OFFSET 0) r ORDER BY 1, 2, 3`, args)
	}
	d.askImported(b, `SELECT w.home, r.* FROM `+homeRecords+`, LATERAL (SELECT `+duplicateImport+`w.id OFFSET 0) r ORDER BY 1, r.id`, args)
}

func (d *DuplicateRows) askPeople(b *pgx.Batch, sql string, args []any) {
	var p DuplicatePerson
	collect(b, sql, args, []any{&p.Home, &p.ID, &p.CleverID, &p.First, &p.Middle, &p.Last, &p.Email, &p.Current}, func() { d.People = append(d.People, p) })
}

func (d *DuplicateRows) askGrants(b *pgx.Batch, sql string, args []any) {
	var g DuplicateGrant
	collect(b, sql, args, []any{&g.Home, &g.Role, &g.LegacyID, &g.SISID, &g.Number, &g.Current, nil}, func() { d.Grants = append(d.Grants, g) })
}

func (d *DuplicateRows) askSchools(b *pgx.Batch, sql string, args []any) {
	var s DuplicateSchool
	collect(b, sql, args, []any{&s.Home, &s.School, &s.Current}, func() { d.Schools = append(d.Schools, s) })
}

func (d *DuplicateRows) askIdentities(b *pgx.Batch, sql string, args []any) {
	var i DuplicateIdentity
	collect(b, sql, args, []any{&i.Home, &i.Kind, &i.Value, &i.Current}, func() { d.Identities = append(d.Identities, i) })
}

func (d *DuplicateRows) askAccounts(b *pgx.Batch, sql string, args []any) {
	var a DuplicateAccount
	collect(b, sql, args, []any{&a.Home, &a.LastUsedAt}, func() { d.Accounts = append(d.Accounts, a) })
}

// askImported reads imported accounts by where they are, which may be a record merged since.
func (d *DuplicateRows) askImported(b *pgx.Batch, sql string, args []any) {
	var m DuplicateImport
	collect(b, sql, args,
		[]any{&m.Home, &m.Role, &m.LegacyID, &m.CleverID, &m.First, &m.Middle, &m.Last, &m.Email, &m.SISID, &m.Number, &m.Schools, &m.LastUsedAt, nil},
		func() { d.Imported = append(d.Imported, m); m.Schools = nil })
}

// beginLong gives the statements of a background job more time than a page's have, and none of the roster's lock.
func (tx *Tx) beginLong(ctx context.Context) error {
	_, err := tx.conn.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, rosterTime)
	return err
}
