package models_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// person is a user as the test knows one, to hold the list's answers against.
type person struct {
	models.RosterUser
	id    int64
	ended bool
}

type village struct {
	store    *models.Store
	district int64
	schools  map[string]int64 // Clever id to ours
	names    map[string]string
	people   []person
}

var (
	villageSurnames = []string{"Garcia", "García-López", "Nguyen", "O'Brien", "Li", "Lima", "100%_Real", "Kepler"}
	villageNames    = []string{"Ana", "José", "Wei", "Ọlá", "Bo"}
	villageRoles    = []string{"student", "teacher", "staff", "district_admin", "contact"}
	villageTime     = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
)

// settle writes a few hundred people of few names, so that ties and shared words are common.
func settle(t testing.TB, n int) *village {
	t.Helper()
	v := &village{store: modelstest.New(t), schools: map[string]int64{}, names: map[string]string{"s1": "Kepler Middle", "s2": "Orion High", "s3": "Árbol Elementary"}}
	v.district = modelstest.District(t, v.store, "village")
	seenSchools := &models.Seen{}
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error {
		var schools []models.RosterSchool
		for _, id := range slices.Sorted(func(yield func(string) bool) {
			for id := range v.names {
				if !yield(id) {
					return
				}
			}
		}) {
			schools = append(schools, models.RosterSchool{CleverID: id, Name: v.names[id], Created: villageTime, Modified: villageTime})
		}
		_, err := tx.WriteSchools(t.Context(), schools, seenSchools)
		return err
	})
	var page []models.RosterUser
	for i := range n {
		u := models.RosterUser{
			CleverID: fmt.Sprintf("6%023x", i*7), First: villageNames[i*i%len(villageNames)], Last: villageSurnames[i*i/3%len(villageSurnames)],
			Email: fmt.Sprintf("p%d@%s.example", i%(n/2), []string{"lake", "hill"}[i%2]), Created: villageTime, Modified: villageTime.Add(time.Duration(i/2) * time.Hour),
		}
		if i%11 == 0 {
			u.Email = ""
		}
		role := villageRoles[i%len(villageRoles)]
		g := models.RosterGrant{Role: role, LegacyID: fmt.Sprintf("7%023x", i), SISID: fmt.Sprintf("SIS-%d", 1000+i)}
		switch i % 7 { // ids as schools write them
		case 1:
			g.SISID = fmt.Sprintf("2024-%05d", 900+i)
		case 2:
			g.SISID, g.Number = []string{"Li", "b", "Q7", "-"}[i%4], fmt.Sprintf("T-%d", 100+i%30)
		case 3:
			g.Number = fmt.Sprintf("T %d", 100+i%30)
		}
		if role != "district_admin" && role != "contact" {
			g.Schools = []string{fmt.Sprintf("s%d", 1+i%3)}
		}
		u.Grants = []models.RosterGrant{g}
		if role == "teacher" && i%4 == 1 {
			u.Grants = append(u.Grants, models.RosterGrant{Role: "staff", Schools: []string{"s1", "s2"}})
		}
		page = append(page, u)
	}
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error {
		_, err := tx.WriteUsers(t.Context(), page, &models.Seen{})
		return err
	})
	left := func(i int) bool { return i%13 == 5 }
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error { // the others leave
		stay := &models.Seen{}
		var again []models.RosterUser
		for i, u := range page {
			if !left(i) {
				again = append(again, u)
			}
		}
		if _, err := tx.WriteUsers(t.Context(), again, stay); err != nil {
			return err
		}
		if _, err := tx.EndUnseen(t.Context(), map[models.RosterType]*models.Seen{
			models.RosterSchools: seenSchools, models.RosterTerms: {}, models.RosterUsers: stay, models.RosterSections: {},
		}); err != nil {
			return err
		}
		return tx.CountHeads(t.Context())
	})
	modelstest.Read(t, v.store, v.district, func(tx *models.Tx) error {
		for _, s := range []string{"s1", "s2", "s3"} {
			school, err := tx.School(t.Context(), s)
			if err != nil {
				return err
			}
			v.schools[s] = school.ID
		}
		for i, u := range page {
			id, err := tx.UserByCleverID(t.Context(), u.CleverID)
			if err != nil {
				return err
			}
			p := person{RosterUser: u, id: id, ended: left(i)}
			if p.ended {
				p.Modified = villageTime.AddDate(1, 0, 0) // leaving is a change, all of them at one moment after every other
			}
			v.people = append(v.people, p)
		}
		return nil
	})
	return v
}

// matches is what the filter means, said as plainly as possible.
func (v *village) matches(p person, reach access.Reach, f models.UserFilter) bool {
	held := func(role access.Role, school int64) bool {
		return slices.ContainsFunc(p.Grants, func(g models.RosterGrant) bool {
			return (role == "" || g.Role == string(role)) && (school == 0 || slices.ContainsFunc(g.Schools, func(s string) bool { return v.schools[s] == school }))
		})
	}
	if !reach.District && !slices.ContainsFunc(reach.Schools, func(s int64) bool { return held("", s) }) {
		return false
	}
	if !reach.District && f.School == 0 && slices.Contains([]access.Role{access.Student, access.Teacher, access.Staff}, f.Role) &&
		!slices.ContainsFunc(reach.Schools, func(s int64) bool { return held(f.Role, s) }) {
		return false
	}
	if (f.Role != "" || f.School != 0) && !held(f.Role, f.School) || f.Several && (p.ended || len(p.Grants) < 2) {
		return false
	}
	if f.Status == models.Imported { // the village is all Clever's
		return false
	}
	if f.Status == models.Ended && !p.ended || f.Status != models.Ended && f.Status != models.Any && p.ended {
		return false
	}
	for typed := range strings.FieldsSeq(f.Q) {
		folded, id := models.Fold(typed), strings.ToLower(typed)
		if folded == "" {
			continue
		}
		texts := []string{models.Fold(p.First), models.Fold(p.Last), models.Fold(p.Email)}
		found := true
		for w := range strings.FieldsSeq(folded) {
			found = found && slices.ContainsFunc(texts, func(s string) bool {
				if len([]rune(w)) < 3 {
					return strings.Contains(" "+s, " "+w)
				}
				return strings.Contains(s, w)
			})
		}
		is := func(have string) bool {
			have = strings.ToLower(have)
			return have == id || len(id) >= 3 && strings.ContainsAny(id, "0123456789") && strings.HasPrefix(have, id)
		}
		found = found || is(p.CleverID)
		for _, g := range p.Grants {
			for _, s := range g.Schools {
				start := ""
				if len(folded) < 3 { // so few letters only begin a word
					start = " "
				}
				found = found || len(folded) > 1 && strings.Contains(" "+models.Fold(v.names[s]), start+folded)
			}
			found = found || is(g.LegacyID) || is(g.SISID) || is(g.Number)
		}
		if !found {
			return false
		}
	}
	return true
}

// expect is the whole list in order.
func (v *village) expect(reach access.Reach, f models.UserFilter) []int64 {
	var found []person
	for _, p := range v.people {
		if v.matches(p, reach, f) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b person) int {
		var c int
		switch strings.TrimPrefix(f.Sort, "-") {
		case "email":
			c = cmp.Compare(models.Fold(a.Email), models.Fold(b.Email))
		case "changed":
			c = a.Modified.Compare(b.Modified)
		default:
			c = cmp.Or(cmp.Compare(models.Fold(a.Last), models.Fold(b.Last)), cmp.Compare(models.Fold(a.First), models.Fold(b.First)))
		}
		c = cmp.Or(c, cmp.Compare(a.id, b.id))
		if strings.HasPrefix(f.Sort, "-") {
			c = -c
		}
		return c
	})
	ids := make([]int64, len(found))
	for i, p := range found {
		ids[i] = p.id
	}
	return ids
}

// walk reads the whole list page by page, then back again, and checks that both ways agree.
func (v *village) walk(ctx context.Context, t *rapid.T, reach access.Reach, f models.UserFilter) (ids []int64, first models.UserList) {
	list := func(f models.UserFilter) (l models.UserList) {
		err := v.store.As(access.System(v.district, "test")).Read(ctx, func(tx *models.Tx) (err error) {
			l, err = tx.Users(ctx, reach, f)
			return err
		})
		if err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		return l
	}
	page := list(f)
	first = page
	var pages [][]int64
	for {
		var p []int64
		for _, r := range page.Rows {
			if !r.Pinned {
				p = append(p, r.ID)
			}
		}
		pages = append(pages, p)
		ids = append(ids, p...)
		if page.Next == "" {
			break
		}
		f.After = page.Next
		if page = list(f); len(page.Rows) == 0 {
			t.Fatalf("%+v: a next page without rows", f)
		}
	}
	f.After = ""
	for i := len(pages) - 2; i >= 0 && len(pages[i+1]) > 0; i-- {
		f.Before = page.Prev
		page = list(f)
		back := slices.DeleteFunc(rowIDs(page), func(id int64) bool { // on top of the first page they stood before
			return i == 0 && slices.ContainsFunc(first.Rows, func(r models.UserRow) bool { return r.Pinned && r.ID == id })
		})
		if !slices.Equal(back, pages[i]) {
			t.Fatalf("%+v: back to page %d: %v, forth it was %v", f, i+1, back, pages[i])
		}
	}
	if page.Prev != "" {
		t.Fatalf("%+v: the first page has one before it", f)
	}
	return ids, first
}

func rowIDs(l models.UserList) (ids []int64) {
	for _, r := range l.Rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// Whatever strategy answers, a list holds exactly the people who match, once each, in order, both ways.
func TestUsersAreExactlyThoseWhoMatch(t *testing.T) {
	v := settle(t, 300)
	words := []string{
		"", "", "", "garcia", "GARCÍA lopez", "li", "b", "kepler", "arbol jose", "obrien", "100%_real", "%", "_", "p1", "hill.example", "sis-10", "sis-1042", "nobody", "700000000000000000000010", "lake wei",
		"GARCÍA-LÓPEZ", "garcia-wei", "kepler-middle", "2024-009", "2024-00901", "2024 00901", "t-118", "T-1", "T-118 garcia", "q7", "Q7 nguyen", "li b", "le", "ke", "le garcia", "hill garcia", "example kepler", "-", "- wei", "T 1",
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := models.UserFilter{
			Q:       rapid.SampledFrom(words).Draw(rt, "q"),
			Role:    access.Role(rapid.SampledFrom(append([]string{"", ""}, villageRoles...)).Draw(rt, "role")),
			Status:  rapid.SampledFrom([]models.Status{"", models.Current, models.Any, models.Ended, models.Imported}).Draw(rt, "status"),
			Several: rapid.IntRange(0, 4).Draw(rt, "several") == 0,
			Sort:    rapid.SampledFrom([]string{"", "name", "-name", "email", "-email", "changed", "-changed"}).Draw(rt, "sort"),
			Limit:   rapid.SampledFrom([]int{1, 7, 25, 50}).Draw(rt, "limit"),
		}
		if s := rapid.SampledFrom([]string{"", "", "s1", "s2", "s3"}).Draw(rt, "school"); s != "" {
			f.School = v.schools[s]
		}
		reach := access.Reach{District: true}
		if rapid.Bool().Draw(rt, "confined") {
			reach = access.Reach{Schools: []int64{v.schools["s1"], v.schools["s3"]}}
		}
		want := v.expect(reach, f)
		if len(want) > 40 && f.Limit == 1 {
			f.Limit = 25
		}
		got, first := v.walk(t.Context(), rt, reach, f)
		for _, r := range first.Rows { // exact matches are shown once, on top
			if r.Pinned {
				got = append(got, r.ID)
				if !slices.Contains(want, r.ID) {
					want = append(want, r.ID)
				}
			}
		}
		if slices.ContainsFunc(first.Rows, func(r models.UserRow) bool { return r.Pinned }) {
			slices.Sort(got)
			got = slices.Compact(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%+v in %+v:\n got %v\nwant %v", f, reach, got, want)
		}
		if !first.AtLeast && first.Count != len(want) || first.AtLeast && first.Count > len(want) {
			rt.Fatalf("%+v: counted %d (at least: %v), there are %d", f, first.Count, first.AtLeast, len(want))
		}
	})
}

func TestForgedCursorsAreRefused(t *testing.T) {
	v := settle(t, 30)
	for _, c := range []string{"x", "!!", "e30", strings.Repeat("A", 10_000), "eyJzIjoiZW1haWwiLCJrIjoiIiwiaSI6MX0"} {
		err := v.store.As(access.System(v.district, "test")).Read(t.Context(), func(tx *models.Tx) error {
			_, err := tx.Users(t.Context(), access.Reach{District: true}, models.UserFilter{After: c})
			return err
		})
		if !errors.Is(err, models.ErrBadCursor) {
			t.Errorf("cursor %.20q: %v", c, err)
		}
	}
	for key, want := range map[string]error{
		"0000-01-01T00:00:00Z":                models.ErrBadCursor, // PostgreSQL has no year 0
		"0001-01-01T00:00:00+23:59":           models.ErrBadCursor, // year 0 in UTC
		"9999-12-31T23:59:59-23:59":           models.ErrBadCursor,
		"x":                                   models.ErrBadCursor,
		"2020-01-01T00:00:00+23:59":           nil, // more than PostgreSQL takes for an offset
		"2020-01-01T00:00:00,5Z":              nil,
		"2020-01-01T00:00:00.123456789+01:00": nil,
	} {
		c := base64.RawURLEncoding.EncodeToString([]byte(`{"s":"changed","k":"` + key + `","i":1}`))
		err := v.store.As(access.System(v.district, "test")).Read(t.Context(), func(tx *models.Tx) error {
			_, err := tx.Users(t.Context(), access.Reach{District: true}, models.UserFilter{After: c, Sort: "changed"})
			return err
		})
		if !errors.Is(err, want) {
			t.Errorf("cursor at %q: %v, want %v", key, err, want)
		}
	}
}
