package models

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// userState is what the tables hold of a user beside the user's own row.
type userState struct {
	nameKey  string
	names    [3]string // first, middle, last
	email    string
	grants   []grantState
	legacy   []string // current legacy ids
	students map[string]RosterContactStudent
}

type grantState struct {
	id, user                              int64
	role                                  string
	manual                                bool
	legacyID, sisID, number, title, grade string
	labels                                []string
	since                                 time.Time
	current                               bool
	schools                               []grantSchoolState
}

type grantSchoolState struct {
	grant, school    int64
	primary, current bool
	since            time.Time
}

func (g *grantState) same(r *RosterGrant) bool {
	return g.legacyID == r.LegacyID && g.sisID == r.SISID && g.number == r.Number && g.title == r.Title &&
		g.grade == r.Grade && slices.Equal(g.labels, r.Labels)
}

func (g *grantState) school(id int64) (grantSchoolState, bool) {
	for _, s := range g.schools {
		if s.school == id {
			return s, true
		}
	}
	return grantSchoolState{}, false
}

// worked reports whether the user ever held a role of an employee.
func (s *userState) worked() bool {
	return slices.ContainsFunc(s.grants, func(g grantState) bool {
		return g.role == "teacher" || g.role == "staff" || g.role == "district_admin"
	})
}

// readPast reads what is held of the page's known users, and takes ids for the grants that may be new.
func (p *userPage) readPast(ctx context.Context) error {
	known := map[int64]*userState{}
	var ids, homes []int64
	grants := 0
	for _, u := range p.people {
		grants += len(u.Grants)
		if u.known {
			u.past = &userState{students: map[string]RosterContactStudent{}}
			known[u.id] = u.past
			ids, homes = append(ids, u.id), append(homes, u.home)
		}
	}
	b := &pgx.Batch{}
	newIDs(b, "role_grants", grants, &p.ids)
	if len(ids) > 0 {
		args := []any{p.tx.actor.District, ids}
		var user int64
		var text string
		var names [3]string
		var email string
		collect(b, byKey("bigint", `SELECT u.id, u.name_key, u.first_name, u.middle_name, u.last_name, u.email FROM users u WHERE u.district_id = $1 AND u.id = w.id`), args,
			[]any{&user, &text, &names[0], &names[1], &names[2], &email}, func() { known[user].nameKey, known[user].names, known[user].email = text, names, email })
		collect(b, byKey("bigint", `SELECT i.user_id, i.value FROM identities i WHERE i.district_id = $1 AND i.user_id = w.id AND i.kind = 'legacy' AND i.ended_at IS NULL`),
			args, []any{&user, &text}, func() { known[user].legacy = append(known[user].legacy, text) })
		var s RosterContactStudent
		collect(b, byKey("bigint", `SELECT c.contact_id, c.student_clever_id, c.relationship, c.kind FROM contact_students c WHERE c.district_id = $1 AND c.contact_id = w.id`),
			args, []any{&user, &s.Student, &s.Relationship, &s.Kind}, func() { known[user].students[s.Student] = s })
		var g grantState
		// What a record gave is its person's, and still its own.
		const byRecord = `SELECT r.* FROM unnest($2::bigint[], $3::bigint[]) w(id, home), LATERAL (`
		args = append(args, homes)
		collect(b, byRecord+`SELECT g.id, g.record_id, g.role, g.source = 'manual', g.legacy_id, g.sis_id, g.number, g.title, g.grade, g.labels, g.since, g.ended_at IS NULL FROM role_grants g WHERE g.district_id = $1 AND g.user_id = w.home AND g.record_id = w.id OFFSET 0) r`, args,
			[]any{&g.id, &g.user, &g.role, &g.manual, &g.legacyID, &g.sisID, &g.number, &g.title, &g.grade, &g.labels, &g.since, &g.current},
			func() { known[g.user].grants = append(known[g.user].grants, g); g.labels = nil })
		var gs grantSchoolState
		collect(b, byRecord+`SELECT w.id, s.grant_id, s.school_id, s.is_primary, s.since, s.ended_at IS NULL FROM role_grant_schools s WHERE s.district_id = $1 AND s.user_id = w.home OFFSET 0) r`, args,
			[]any{&user, &gs.grant, &gs.school, &gs.primary, &gs.since, &gs.current}, func() {
				for i := range known[user].grants {
					if g := &known[user].grants[i]; g.id == gs.grant {
						g.schools = append(g.schools, gs)
					}
				}
			})
	}
	return p.tx.send(ctx, "read users", b)
}

// idSet is a small set of ids.
type idSet struct{ ids []int64 }

func (s *idSet) add(id int64) {
	if !s.has(id) {
		s.ids = append(s.ids, id)
	}
}

func (s *idSet) has(id int64) bool { return slices.Contains(s.ids, id) }

func (s *idSet) list() []int64 {
	slices.Sort(s.ids)
	return s.ids
}
