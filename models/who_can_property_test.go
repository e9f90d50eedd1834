package models_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// smallDistrict is a random district as Decide is told of it. Ids count from 1 within it: schools to 3, sections to 6
// with section s at school 1+s%3, users to 6.
type smallDistrict struct {
	id     int64
	policy *access.Policy
	users  []smallUser
	closed map[int64]bool // sections that have ended
	sql    pgx.Batch
}

type smallUser struct {
	id    int64
	ended bool
	facts access.Facts
}

const smallSchools, smallSections, smallUsers = 3, 6, 6

func drawRoleOf(t *rapid.T) access.Role {
	return rapid.SampledFrom([]access.Role{access.Teacher, access.Staff, access.DistrictAdmin, access.Student, "librarian"}).Draw(t, "role")
}

func drawPermissionOf(t *rapid.T) access.Permission {
	all := access.ShippedCatalogue().Definitions()
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "permission")].Permission
}

func smallPlaces() []access.Place {
	places := []access.Place{access.InDistrict()}
	for s := int64(1); s <= smallSchools; s++ {
		places = append(places, access.AtSchool(s))
	}
	for s := int64(1); s <= smallSections; s++ {
		places = append(places, access.AtSection(s, 1+s%smallSchools))
	}
	return places
}

// seldom is true in one case of n.
func seldom(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == 1 }

// drawDistrict draws a district and the SQL that makes it so.
func drawDistrict(t *rapid.T, id int64, now time.Time) *smallDistrict {
	d := &smallDistrict{id: id, closed: map[int64]bool{}}
	var changes []access.RuleChange
	for range rapid.IntRange(0, 10).Draw(t, "rules") {
		c := access.RuleChange{Role: drawRoleOf(t), Permission: drawPermissionOf(t), Given: rapid.Bool().Draw(t, "given")}
		if c.Role == access.Staff {
			c.Label = rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "label")
		}
		same := func(o access.RuleChange) bool {
			return o.Role == c.Role && o.Label == c.Label && o.Permission == c.Permission
		}
		if c.Role.WorksHere() && !slices.ContainsFunc(changes, same) {
			changes = append(changes, c)
			d.sql.Queue(`INSERT INTO role_rules VALUES ($1, $2, $3, $4, $5)`, id, c.Role, c.Label, c.Permission, c.Given)
		}
	}
	combining := rapid.SampledFrom(access.Combinings()).Draw(t, "combining")
	strategy := rapid.SampledFrom([]access.Strategy{access.Consolidated, access.Consolidated, access.PerRole}).Draw(t, "strategy")
	d.policy = access.NewPolicy(access.ShippedCatalogue(), changes, combining, strategy)
	d.sql.Queue(`UPDATE districts SET combining = $2, strategy = $3, policy_version = nextval('policy_versions') WHERE district_id = $1`, id, combining, strategy)
	for s := int64(1); s <= smallSchools; s++ {
		d.sql.Queue(`INSERT INTO schools (district_id, id, clever_id, listed, name, name_key, created_at, changed_at) OVERRIDING SYSTEM VALUE
			VALUES ($1, $2, $3, true, $3, $3, now(), now())`, id, s, fmt.Sprint("school-", s))
	}
	for s := int64(1); s <= smallSections; s++ {
		var ended *time.Time
		if d.closed[s] = seldom(t, 6, "section ended"); d.closed[s] {
			ended = &now
		}
		d.sql.Queue(`INSERT INTO sections (district_id, id, clever_id, school_id, name, name_key, created_at, changed_at, ended_at) OVERRIDING SYSTEM VALUE
			VALUES ($1, $2, $3, $4, $3, $3, now(), now(), $5)`, id, s, fmt.Sprint("section-", s), 1+s%smallSchools, ended)
	}
	for u := int64(1); u <= smallUsers; u++ {
		d.drawUser(t, u, now)
	}
	return d
}

func (d *smallDistrict) drawUser(t *rapid.T, id int64, now time.Time) {
	u := smallUser{id: id, ended: seldom(t, 10, "user ended"), facts: access.Facts{Policy: d.policy, Now: now}}
	var ended *time.Time
	if u.ended {
		ended = &now
	}
	// Two have the same name, so that a page can end between them.
	d.sql.Queue(`INSERT INTO users (district_id, id, clever_id, last_name, name_key, email_key, created_at, changed_at, ended_at) OVERRIDING SYSTEM VALUE
		VALUES ($1, $2, $3, $4, $4, '', now(), now(), $5)`, d.id, id, fmt.Sprint("user-", id), fmt.Sprint("name ", id/2), ended)
	var held []string
	for g := range rapid.IntRange(0, 3).Draw(t, "grants") {
		grant := access.Grant{Role: drawRoleOf(t), Source: rapid.SampledFrom([]access.Source{access.FromClever, access.ByHand}).Draw(t, "source"), Labels: []string{}}
		if key := string(grant.Role) + string(grant.Source); slices.Contains(held, key) {
			continue
		} else {
			held = append(held, key)
		}
		if grant.Role == access.Staff {
			grant.Labels = append(grant.Labels, rapid.SliceOfN(rapid.SampledFrom([]string{"A", "B", access.SchoolTechLead}), 0, 2).Draw(t, "labels")...)
		}
		current := !seldom(t, 7, "grant ended")
		var endedAt, endsAt *time.Time
		if !current {
			endedAt = &now
		}
		if grant.Source == access.ByHand {
			endsAt = drawEnd(t, now)
			current = current && (endsAt == nil || endsAt.After(now))
		}
		grantID := id*10 + int64(g)
		d.sql.Queue(`INSERT INTO role_grants (district_id, id, user_id, record_id, role, source, labels, name_key, since, ended_at, ends_at) OVERRIDING SYSTEM VALUE
			VALUES ($1, $2, $3, $3, $4, $5, $6, '', now(), $7, $8)`, d.id, grantID, id, grant.Role, grant.Source, grant.Labels, endedAt, endsAt)
		for s := int64(1); s <= smallSchools && grant.Role != access.DistrictAdmin; s++ {
			if !rapid.Bool().Draw(t, "at school") {
				continue
			}
			var left *time.Time
			if seldom(t, 6, "left the school") {
				left = &now
			} else {
				grant.Schools = append(grant.Schools, s)
			}
			d.sql.Queue(`INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since, ended_at)
				VALUES ($1, $2, $3, $4, $5, false, '', now(), $6)`, d.id, grantID, s, id, grant.Role, left)
		}
		if current {
			u.facts.Grants = append(u.facts.Grants, grant)
		}
	}
	for s := int64(1); s <= smallSections; s++ {
		if rapid.IntRange(1, 3).Draw(t, "teaches") == 1 {
			d.sql.Queue(`INSERT INTO section_teachers VALUES ($1, $2, $3, true)`, d.id, s, id)
			if !d.closed[s] {
				u.facts.Teaches = append(u.facts.Teaches, access.AtSection(s, 1+s%smallSchools))
			}
		}
	}
	d.users = append(d.users, u)
}

// drawEnd draws no end, one that has passed, or this moment, which has passed too, or one to come.
func drawEnd(t *rapid.T, now time.Time) *time.Time {
	switch rapid.IntRange(0, 5).Draw(t, "end") {
	case 0:
		return new(now.Add(-time.Hour))
	case 1:
		return new(now)
	case 2:
		return new(now.Add(time.Hour))
	}
	return nil
}

// drawOverrides gives each user some overrides, some of them no longer standing.
func (d *smallDistrict) drawOverrides(t *rapid.T, now time.Time, about []access.Permission) {
	number := int64(0)
	for i := range d.users {
		u := &d.users[i]
		for range rapid.IntRange(0, 3).Draw(t, "overrides") {
			number++
			o := access.Override{ID: number, Permission: rapid.SampledFrom(about).Draw(t, "of"), Allow: rapid.Bool().Draw(t, "allow"), Place: rapid.SampledFrom(smallPlaces()).Draw(t, "at")}
			endKind, ended := "none", (*time.Time)(nil)
			ends := drawEnd(t, now)
			var role *access.Role
			switch {
			case ends != nil:
				endKind, o.Ends = "date", *ends
			case seldom(t, 3, "with role"):
				endKind, role = "role", new(drawRoleOf(t))
				o.WithRole = *role
			}
			if seldom(t, 6, "override ended") {
				ended = &now
			}
			same := func(e access.Override) bool {
				return e.Permission == o.Permission && e.Allow == o.Allow && e.Place == o.Place
			}
			if ended == nil && slices.ContainsFunc(u.facts.Overrides, same) {
				continue // only one may stand
			}
			var school, section *int64
			if o.Place.Kind != access.District {
				school = &o.Place.School
			}
			if o.Place.Kind == access.Section {
				section = &o.Place.Section
			}
			d.sql.Queue(`INSERT INTO overrides (district_id, id, user_id, permission, allow, place_kind, school_id, section_id, reason, note, end_kind, ends_at, end_role, created_by, created_at, ended_at)
				OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'other', 'x', $9, $10, $11, $3, now(), $12)`,
				d.id, o.ID, u.id, o.Permission, o.Allow, o.Place.Kind, school, section, endKind, ends, role, ended)
			if ended == nil {
				u.facts.Overrides = append(u.facts.Overrides, o)
			}
		}
	}
}

// may is the oracle: what Decide says of a user in a view, or in any of their views.
func (u smallUser) may(p access.Permission, at access.Place, view access.View) bool {
	if u.ended {
		return false
	}
	f := u.facts
	f.View = view
	if view != models.AnyView {
		return f.Decide(p, at).Allowed
	}
	views := []access.View{access.ViewAll}
	if f.Policy.Combining() == access.ViewInUse {
		views = append(views, f.Policy.Views(f.Grants)...)
	}
	return slices.ContainsFunc(views, func(v access.View) bool { f.View = v; return f.Decide(p, at).Allowed })
}

// Every reverse question that SQL answers has the answer that Decide gives one by one. Each district is asked many
// questions, so that ten thousand cases take seconds.
func TestReverseQuestionsAgreeWithDecide(t *testing.T) {
	url := modelstest.URL(t)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	store := modelstest.Open(t, url, func() time.Time { return now })
	conn := connect(t, url)
	cases, districts := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		districts++
		d := drawDistrict(rt, modelstest.District(t, store, fmt.Sprint("small-", districts)), now)
		about := rapid.SliceOfN(rapid.Custom(drawPermissionOf), 4, 4).Draw(rt, "about")
		d.drawOverrides(rt, now, about)
		if err := conn.SendBatch(t.Context(), &d.sql).Close(); err != nil {
			rt.Fatal(err)
		}
		views := []access.View{models.AnyView, access.ViewAll, "", access.View(drawRoleOf(rt))}
		err := store.As(access.System(d.id, "test")).Read(t.Context(), func(tx *models.Tx) error {
			for _, p := range about {
				for _, at := range smallPlaces() {
					view := rapid.SampledFrom(views).Draw(rt, "view")
					if err := d.askWho(rt, t.Context(), tx, p, at, view); err != nil {
						return err
					}
					cases += len(d.users)
				}
				if err := d.askInSections(rt, t.Context(), tx, p, 1+int64(districts)%smallSchools, rapid.SampledFrom(views).Draw(rt, "view")); err != nil {
					return err
				}
			}
			u := rapid.SampledFrom(d.users).Draw(rt, "user")
			view := rapid.SampledFrom(views[1:]).Draw(rt, "view")
			cases += len(smallPlaces())
			if err := d.askWhat(rt, t.Context(), tx, u, view); err != nil || u.ended {
				return err
			}
			return d.askWhere(rt, t.Context(), tx, u, about[0], view)
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
	t.Logf("%d cases in %d districts", cases, districts)
	if os.Getenv("CI") == "true" && cases < 10_000 && !t.Failed() {
		t.Errorf("%d cases are fewer than 10,000", cases)
	}
}

// askWho compares the list, page by page, with everybody of whom Decide says yes.
func (d *smallDistrict) askWho(t *rapid.T, ctx context.Context, tx *models.Tx, p access.Permission, at access.Place, view access.View) error {
	var want, got []int64
	for _, u := range d.users { // by name, and so by id
		if u.may(p, at, view) {
			want = append(want, u.id)
		}
	}
	q := models.WhoQuestion{Permission: p, Place: at, View: view, Limit: 2}
	for {
		list, err := tx.WhoCan(ctx, q)
		if err != nil {
			return err
		}
		if len(list.Rows) > 0 && (list.Count != len(want) || list.AtLeast) {
			t.Fatalf("%s at %+v in view %q: counts %d, want %v", p, at, view, list.Count, want)
		}
		for _, r := range list.Rows {
			got = append(got, r.ID)
		}
		if list.Next == "" {
			break
		}
		q.After = list.Next
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s at %+v in view %q, %s: SQL says %v, Decide %v", p, at, view, d.policy.Combining(), got, want)
	}
	return nil
}

func (d *smallDistrict) askInSections(t *rapid.T, ctx context.Context, tx *models.Tx, p access.Permission, school int64, view access.View) error {
	want, got := map[int64]int{}, map[int64]int{}
	def, _, _ := d.policy.Catalogue.Find(p)
	for _, u := range d.users {
		if def.Scope != access.Section || u.may(p, access.AtSchool(school), view) {
			continue
		}
		for s := int64(1); s <= smallSections; s++ {
			if 1+s%smallSchools == school && !d.closed[s] && u.may(p, access.AtSection(s, school), view) {
				want[u.id]++
			}
		}
	}
	list, err := tx.WhoCanInSections(ctx, models.WhoQuestion{Permission: p, Place: access.AtSchool(school), View: view})
	if err != nil {
		return err
	}
	for _, r := range list.Rows {
		got[r.ID] = r.Sections
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s in sections of school %d in view %q, %s: SQL says %v, Decide %v", p, school, view, d.policy.Combining(), got, want)
	}
	return nil
}

func (d *smallDistrict) askWhat(t *rapid.T, ctx context.Context, tx *models.Tx, u smallUser, view access.View) error {
	places := smallPlaces()
	sets, err := tx.WhatCan(ctx, u.id, places, view)
	if err != nil {
		return err
	}
	for i, at := range places {
		for bit, def := range d.policy.Catalogue.Definitions() {
			if want := u.may(def.Permission, at, view); sets[i].Has(bit) != want {
				t.Fatalf("user %d, %s at %+v in view %q, %s: SQL says %v, Decide %v", u.id, def.Permission, at, view, d.policy.Combining(), !want, want)
			}
		}
	}
	return nil
}

func (d *smallDistrict) askWhere(t *rapid.T, ctx context.Context, tx *models.Tx, u smallUser, p access.Permission, view access.View) error {
	for _, kind := range []access.Kind{access.School, access.Section} {
		var want, got []int64
		for _, at := range smallPlaces() {
			id := at.Section
			if kind == access.School {
				id = at.School
			}
			if at.Kind == kind && (kind != access.Section || !d.closed[id]) && u.may(p, at, view) {
				want = append(want, id)
			}
		}
		q := models.WhereQuestion{User: u.id, Permission: p, Kind: kind, View: view, Limit: 2}
		for {
			list, err := tx.Where(ctx, q)
			if err != nil {
				return err
			}
			for _, r := range list.Rows {
				got = append(got, r.ID)
			}
			if q.After = list.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("where user %d may %s, by %s, in view %q: SQL says %v, Decide %v", u.id, p, kind, view, got, want)
		}
	}
	return nil
}
