package access_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hallpass/access"
)

// do carries a remedy out as those would who are told of it: the test's own idea of what the words mean.
func do(r access.Remedy, f access.Facts, p access.Permission, rules []access.RuleChange, combining access.Combining, strategy access.Strategy) access.Facts {
	grant := func(g access.Grant) {
		f.Grants = slices.Clone(f.Grants)
		for i, held := range f.Grants {
			if held.Role == g.Role && held.Source == g.Source {
				f.Grants[i].Schools = slices.Concat(held.Schools, g.Schools)
				f.Grants[i].Labels = slices.Concat(held.Labels, g.Labels)
				return
			}
		}
		f.Grants = append(f.Grants, g)
	}
	switch r.Way {
	case access.SwitchView:
		f.View = r.View
	case access.AddTeacher:
		grant(access.Grant{Role: access.Teacher, Source: access.FromClever, Schools: []int64{r.Place.School}})
		f.Teaches = append(slices.Clone(f.Teaches), r.Place)
	case access.AddStaff:
		grant(access.Grant{Role: access.Staff, Source: access.FromClever, Schools: []int64{r.Place.School}, Labels: []string{r.Label}})
	case access.GiveRole:
		grant(access.Grant{Role: r.Role, Source: access.ByHand, Schools: []int64{r.Place.School}})
	case access.DropTeacher:
		f.Teaches = slices.DeleteFunc(slices.Clone(f.Teaches), func(at access.Place) bool { return at.Section == r.Place.Section })
	case access.DropRole:
		f.Grants = slices.Clone(f.Grants)
		for i, g := range f.Grants {
			if g.Role == r.Role && g.Source == r.Source {
				f.Grants[i].Schools = slices.DeleteFunc(slices.Clone(g.Schools), func(s int64) bool { return s == r.Place.School })
			}
		}
		f.Grants = slices.DeleteFunc(f.Grants, func(g access.Grant) bool {
			return g.Role == r.Role && g.Source == r.Source && (r.Place.Kind == access.District || len(g.Schools) == 0)
		})
	case access.AllowOverride, access.DenyOverride:
		f.Overrides = append(slices.Clone(f.Overrides), access.Override{ID: 99, Permission: p, Place: r.Place, Allow: r.Way == access.AllowOverride})
	case access.EndOverride:
		f.Overrides = slices.Clone(f.Overrides)
		for i := range f.Overrides {
			if f.Overrides[i].ID == r.Override {
				f.Overrides[i].Ends = f.Now
			}
		}
	case access.ChangeRule:
		f.Policy = access.NewPolicy(access.ShippedCatalogue(), append(slices.Clone(rules), access.RuleChange{Role: r.Role, Label: r.Label, Permission: p, Given: r.Given}), combining, strategy)
	}
	return f
}

// Doing what a page says would change an answer changes it, and there is always something that would.
func TestRemediesTurnTheAnswer(t *testing.T) {
	seen := map[access.Way]int{}
	rapid.Check(t, func(t *rapid.T) {
		var rules []access.RuleChange
		for range rapid.IntRange(0, 8).Draw(t, "rules") {
			rules = append(rules, access.RuleChange{Role: drawRole(t), Permission: drawPermission(t), Given: rapid.Bool().Draw(t, "given")})
		}
		combining := rapid.SampledFrom(access.Combinings()).Draw(t, "combining")
		strategy := rapid.SampledFrom([]access.Strategy{access.Consolidated, access.PerRole}).Draw(t, "strategy")
		f := drawFacts(t)
		f.Policy = access.NewPolicy(access.ShippedCatalogue(), rules, combining, strategy)
		f.Grants = onePerSource(f.Grants)
		p := drawPermission(t)
		if len(f.Overrides) > 0 && rapid.Bool().Draw(t, "about an override") {
			p = f.Overrides[0].Permission
		}
		at := rapid.SampledFrom(everyPlace()).Draw(t, "at")
		v := f.Decide(p, at)
		list := f.Remedies(p, at)
		if v.Allowed && !slices.ContainsFunc(list, func(r access.Remedy) bool { return r.Way == access.DenyOverride }) {
			t.Fatalf("nothing could take %s at %+v away: %+v", p, at, v)
		}
		for _, r := range list {
			seen[r.Way]++
			if after := do(r, f, p, rules, combining, strategy).Decide(p, at); after.Allowed == v.Allowed {
				t.Fatalf("%+v was to change %s at %+v and did not:\nbefore %+v\nafter  %+v", r, p, at, v, after)
			}
		}
		if slices.ContainsFunc(f.Grants, func(g access.Grant) bool { return g.Role == access.Student || g.Role == access.Contact }) {
			for _, r := range list {
				if r.Way == access.AddTeacher || r.Way == access.AddStaff || r.Way == access.GiveRole {
					t.Fatalf("offers a second role to a student or contact: %+v", r)
				}
			}
		}
	})
	for _, w := range []access.Way{access.SwitchView, access.AllowOverride, access.DenyOverride, access.EndOverride, access.ChangeRule} {
		if seen[w] == 0 && !t.Failed() {
			t.Errorf("%s was never proposed: the cases are too poor to prove anything", w)
		}
	}
}

// onePerSource keeps the first grant of each role and gives it a source, as the database does.
func onePerSource(grants []access.Grant) (kept []access.Grant) {
	for i, g := range grants {
		if i%2 == 1 {
			g.Source = access.ByHand
		} else {
			g.Source = access.FromClever
		}
		if !slices.ContainsFunc(kept, func(o access.Grant) bool { return o.Role == g.Role && o.Source == g.Source }) {
			kept = append(kept, g)
		}
	}
	return kept
}

// The remedies of the example that everybody knows.
func TestRemediesOfATeacherNextDoor(t *testing.T) {
	f := access.Facts{Policy: shipped, View: access.ViewAll, Now: now, Grants: []access.Grant{{Role: access.Teacher, Schools: []int64{1}, Source: access.FromClever}}}
	at := access.AtSection(7, 1)
	want := []access.Remedy{
		{Way: access.AddTeacher, Role: access.Teacher, Place: at},
		{Way: access.AllowOverride, Place: at},
	}
	if got := f.Remedies("grades.edit", at); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	f.Teaches = []access.Place{at}
	want = []access.Remedy{
		{Way: access.DropTeacher, Role: access.Teacher, Place: at},
		{Way: access.DenyOverride, Place: at},
		{Way: access.ChangeRule, Role: access.Teacher},
	}
	if got := f.Remedies("grades.edit", at); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
