// Package queuetest puts invented records of package dedupe into the tables, as a sync and an import would leave them.
// Only tests and bench import it.
package queuetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/dedupe"
)

// moment is when everything began.
var moment = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// Plant writes records into districts that exist and are empty: districts says which of them a record's number means.
// Records keep their ids as users. conn must see over the wall. Who holds a role now, or had a Clever user, becomes a
// record of Clever's; the others become accounts of the app's own file, each with a user made for it.
func Plant(ctx context.Context, conn *pgx.Conn, districts map[int64]int64, records []dedupe.Record) error {
	p := &planter{rows: map[string][][]any{}, districts: districts, schools: map[[2]int64]bool{}, taken: map[[2]string]bool{}}
	for _, d := range districts {
		p.add("imports", d, int64(1), "accounts", "accounts.csv", "applied", moment, moment)
	}
	for i := range records {
		r := records[i]
		r.Schools = append([]int64{}, r.Schools...) // an empty array rather than none
		slices.Sort(r.Schools)
		r.Schools = slices.Compact(r.Schools)
		p.record(&r)
	}
	for _, t := range tables {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{t.name}, strings.Fields(t.columns), pgx.CopyFromRows(p.rows[t.name]))
		if err != nil {
			return fmt.Errorf("plant %s: %w", t.name, err)
		}
		if !strings.Contains(t.columns, " id") {
			continue
		}
		if _, err := conn.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT coalesce(max(id), 1) FROM `+t.name+`))`, t.name); err != nil {
			return fmt.Errorf("plant %s: %w", t.name, err)
		}
	}
	_, err := conn.Exec(ctx, `ANALYZE`)
	return err
}

var tables = []struct{ name, columns string }{
	{"schools", "district_id id clever_id listed name name_key created_at changed_at"},
	{"users", "district_id id clever_id first_name middle_name last_name email name_key email_key role_count created_at changed_at ended_at"},
	{"user_search", "district_id user_id name_key current doc school_ids"},
	{"identities", "district_id kind value user_id role created_at ended_at"},
	{"role_grants", "district_id id user_id record_id role source legacy_id sis_id number sis_key number_key name_key since ended_at"},
	{"role_grant_schools", "district_id grant_id school_id user_id role is_primary name_key since ended_at"},
	{"imports", "district_id id kind file_name state started_at beat_at"},
	{"imported_accounts", "district_id id app_id role legacy_id first_name middle_name last_name email sis_id number name_key school_ids state user_id import_id digest changed_at"},
}

type planter struct {
	rows      map[string][][]any
	districts map[int64]int64
	schools   map[[2]int64]bool
	taken     map[[2]string]bool
	grants    int64
}

func (p *planter) add(table string, values ...any) { p.rows[table] = append(p.rows[table], values) }

func (p *planter) record(r *dedupe.Record) {
	d := p.districts[r.District]
	for _, s := range r.Schools {
		if at := [2]int64{d, s}; !p.schools[at] {
			p.schools[at] = true
			name := fmt.Sprintf("School %d", s)
			p.add("schools", d, s, fmt.Sprintf("school-%d", s), true, name, strings.ToLower(name), moment, moment)
		}
	}
	name := r.Names[0]
	last := strings.TrimSpace(name.Surname + " " + name.Suffix)
	email := ""
	if len(r.Emails) > 0 {
		email = r.Emails[0]
	}
	key := strings.ToLower(last + " " + name.Given)
	user, roles, ended := "", 0, any(nil)
	current := slices.ContainsFunc(r.Roles, func(role dedupe.Role) bool { return role.Current })
	for _, id := range r.Clever {
		if id.User {
			user = id.Value
		}
	}
	if user != "" && !current {
		ended = moment
	}
	for _, role := range r.Roles {
		if role.Current {
			roles++
		}
	}
	var cleverID any
	if user != "" {
		cleverID = user
	}
	p.add("users", d, r.ID, cleverID, name.Given, name.Middle, last, email, key, strings.ToLower(email), roles, moment, moment, ended)
	p.add("user_search", d, r.ID, key, ended == nil, key+" "+strings.ToLower(email), r.Schools)
	if user == "" {
		p.imported(d, r, name, last, email, key)
		return
	}
	p.clever(d, r, user, key, ended)
}

// clever writes identities and grants: ids that are no user's belong to the roles, one for one, and those beyond them
// to roles that Clever took away.
func (p *planter) clever(d int64, r *dedupe.Record, user, key string, ended any) {
	p.add("identities", d, "clever", user, r.ID, "", moment, ended)
	var legacy []string
	for _, id := range r.Clever {
		if !id.User {
			legacy = append(legacy, id.Value)
		}
	}
	for i, value := range legacy {
		var until any
		if i >= len(r.Roles) {
			until = moment
		}
		if taken := [2]string{strconv.FormatInt(d, 10), value}; !p.taken[taken] { // an id leads to whom it led to first
			p.taken[taken] = true
			p.add("identities", d, "legacy", value, r.ID, "", moment, until)
		}
	}
	for i, role := range r.Roles {
		p.grants++
		id, until := "", any(nil)
		if i < len(legacy) {
			id = legacy[i]
		}
		if !role.Current {
			until = moment
		}
		sis, number := numbers(r, role.Role)
		p.add("role_grants", d, p.grants, r.ID, r.ID, string(role.Role), "clever", id, sis, number, sis, number, key, moment, until)
		if role.Role == access.DistrictAdmin {
			continue
		}
		for at, s := range r.Schools {
			p.add("role_grant_schools", d, p.grants, s, r.ID, string(role.Role), at == 0, key, moment, until)
		}
	}
}

// imported writes an account of the file for each role that the record or one of its numbers is of.
func (p *planter) imported(d int64, r *dedupe.Record, name dedupe.Name, last, email, key string) {
	var roles []access.Role
	for _, role := range r.Roles {
		roles = append(roles, role.Role)
	}
	for _, n := range r.Numbers {
		for role, of := range map[access.Role]string{access.Teacher: dedupe.TeacherSIS, access.Staff: dedupe.StaffID} {
			if n.Space == of && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	legacy := ""
	if len(r.Clever) > 0 {
		legacy = r.Clever[0].Value
	}
	for i, role := range roles {
		sis, number := numbers(r, role)
		p.add("imported_accounts", d, r.ID*4+int64(i), fmt.Sprintf("app-%d-%d", r.ID, i), string(role), legacy,
			name.Given, name.Middle, last, email, sis, number, key, r.Schools, "unmatched", r.ID, int64(1), []byte{}, moment)
	}
}

func numbers(r *dedupe.Record, role access.Role) (sis, number string) {
	for _, n := range r.Numbers {
		switch {
		case role == access.Teacher && n.Space == dedupe.TeacherSIS, role == access.Staff && n.Space == dedupe.StaffID:
			sis = n.Value
		case role == access.Teacher && n.Space == dedupe.TeacherNumber:
			number = n.Value
		}
	}
	return sis, number
}
