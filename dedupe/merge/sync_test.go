package merge_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/dedupe/merge"
	"hallpass/models"
)

// holdings are somebody's roles with their schools' names and the sections taught, in words.
func (s *stage) holdings(user int64) (held []string) {
	s.t.Helper()
	s.read(func(tx *models.Tx) error {
		in, err := tx.UserFacts(s.t.Context(), user)
		if errors.Is(err, models.ErrNotFound) {
			held = []string{"nobody"}
			return nil
		}
		if err != nil {
			return err
		}
		for _, g := range in.Grants {
			held = append(held, fmt.Sprintf("%s at %d", g.Role, len(g.Schools)))
		}
		for range in.Teaches {
			held = append(held, "section")
		}
		return nil
	})
	slices.Sort(held)
	return held
}

// found are the people whom a search lists.
func (s *stage) found(q string) (ids []int64) {
	s.t.Helper()
	s.read(func(tx *models.Tx) error {
		list, err := tx.Users(s.t.Context(), access.Reach{District: true}, models.UserFilter{Q: q})
		for _, r := range list.Rows {
			ids = append(ids, r.ID)
		}
		return err
	})
	return ids
}

// A merge stands through whatever Clever sends about either record, what each record gives follows it, and taking the
// merge back gives each record what Clever says of it by then.
func TestMergeSurvivesEverySync(t *testing.T) {
	s := newStage(t)
	s.fresh("syncs")
	roster := []models.RosterUser{admin("first"), admin("second")}
	for i := range 6 {
		roster = append(roster, teacher(fmt.Sprint("other-", i), "school-1"))
	}
	// Each sync gets fresh records: writing them works out their digests.
	sync := func(one, two *models.RosterUser, sections ...models.RosterSection) {
		t.Helper()
		list := slices.Clone(roster)
		for _, u := range []*models.RosterUser{one, two} {
			if u != nil {
				list = append(list, *u)
			}
		}
		s.sync(list, sections)
	}
	one := func() *models.RosterUser { return new(teacher("one", "school-1")) }
	two := func() *models.RosterUser { return new(staff("two", "school-2")) }
	a := section("a", "school-1", "one")
	b := section("b", "school-2", "two")
	sync(one(), two(), a, b)
	survivor, loser, first, second := s.user("one"), s.user("two"), s.user("first"), s.user("second")
	r := merge.Request{Members: []int64{survivor, loser}, Keep: survivor}
	_, hash := s.look(first, r)
	m, err := s.mergeAll(first, second, r, hash)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, user int64, want ...string) {
		t.Helper()
		slices.Sort(want)
		if diff := cmp.Diff(want, s.holdings(user)); diff != "" {
			t.Errorf("%s: holds -want +got\n%s", what, diff)
		}
	}
	expect("merged", survivor, "teacher at 1", "staff at 1", "section", "section")
	expect("merged", loser, "nobody")
	if s.user("two") != survivor {
		t.Error("the merged record's Clever id leads elsewhere")
	}

	before := s.dump()
	sync(one(), two(), a, b)
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("a sync that brings nothing new writes:\n%s", diff)
	}

	gained := two()
	gained.Grants = append(gained.Grants, models.RosterGrant{Role: "teacher", LegacyID: "t-two", Schools: []string{"school-2"}})
	gained.Email = "renamed@example.org"
	sync(one(), gained, a, b)
	expect("a role gained on the merged record", survivor, "teacher at 1", "teacher at 1", "staff at 1", "section", "section")
	if got := s.found("renamed@example.org"); !slices.Equal(got, []int64{survivor}) {
		t.Errorf("the merged record's new address finds %v", got)
	}
	sync(one(), two(), a, b)
	expect("that role lost", survivor, "teacher at 1", "staff at 1", "section", "section")

	sync(one(), nil, a)
	expect("the merged record gone", survivor, "teacher at 1", "section")
	sync(one(), two(), a, b)
	expect("the merged record back", survivor, "teacher at 1", "staff at 1", "section", "section")

	sync(nil, two(), b)
	expect("the survivor's own record gone", survivor, "staff at 1", "section")
	sync(nil, two(), b) // writes the sections anew
	before = s.dump()
	sync(nil, two(), b)
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("the survivor's own record ends again:\n%s", diff)
	}

	d, u, err := s.unmerge(second, m.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u.Since == 0 || len(d.Differs) == 0 {
		t.Errorf("%d rows changed since, %d differ: Clever has changed some", u.Since, len(d.Differs))
	}
	sync(nil, two(), b)
	expect("taken back", survivor, "nobody")
	expect("taken back", loser, "staff at 1", "section")
	sync(one(), two(), a, b)
	expect("the survivor back", survivor, "teacher at 1", "section")
	expect("the survivor back", loser, "staff at 1", "section")
	if s.user("two") != loser {
		t.Error("the record that was given back is not found by its Clever id")
	}
}

// Events bring the same as a full sync, also about merged records.
func TestMergeSurvivesEvents(t *testing.T) {
	s := newStage(t)
	s.fresh("events")
	roster := []models.RosterUser{admin("first"), admin("second"), teacher("one", "school-1"), staff("two", "school-2")}
	s.sync(roster, []models.RosterSection{section("a", "school-1", "one"), section("b", "school-2", "two")})
	survivor, loser, first, second := s.user("one"), s.user("two"), s.user("first"), s.user("second")
	r := merge.Request{Members: []int64{survivor, loser}, Keep: survivor}
	_, hash := s.look(first, r)
	if _, err := s.mergeAll(first, second, r, hash); err != nil {
		t.Fatal(err)
	}
	events := func(c models.RosterChanges) {
		t.Helper()
		s.write(func(tx *models.Tx) error { _, err := tx.WriteChanges(t.Context(), &c); return err })
		// What events leave is what a count of everything comes to.
		before := s.dump()
		s.write(func(tx *models.Tx) error { return tx.Settle(t.Context()) })
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("events leave something to settle:\n%s", diff)
		}
	}
	moved := staff("two", "school-3")
	events(models.RosterChanges{Users: []models.RosterUser{moved}})
	if got := s.holdings(survivor); !slices.Equal(got, []string{"section", "section", "staff at 1", "teacher at 1"}) {
		t.Errorf("moved: %v", got)
	}
	events(models.RosterChanges{Sections: []models.RosterSection{section("b", "school-2"), section("c", "school-3", "two", "one")}})
	if got := s.holdings(survivor); !slices.Equal(got, []string{"section", "section", "staff at 1", "teacher at 1"}) {
		t.Errorf("another section: %v", got)
	}
	events(models.RosterChanges{Gone: map[models.RosterType][]string{models.RosterUsers: {"one"}}})
	if got := s.holdings(survivor); !slices.Contains(got, "staff at 1") || slices.Contains(got, "teacher at 1") {
		t.Errorf("the survivor's own record gone: %v", got)
	}
	events(models.RosterChanges{Gone: map[models.RosterType][]string{models.RosterUsers: {"two"}}})
	if got := s.holdings(survivor); !slices.Equal(got, []string{"nobody"}) {
		t.Errorf("both gone: %v", got)
	}
	events(models.RosterChanges{Users: []models.RosterUser{staff("two", "school-2")}})
	if got := s.holdings(survivor); !slices.Contains(got, "staff at 1") {
		t.Errorf("one back: %v", got)
	}
}
