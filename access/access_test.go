package access_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hallpass/access"
)

var shipped = access.ShippedPolicy(access.ShippedCatalogue())

var update = flag.Bool("update", false, "write the golden tables anew")

// The table of who may do what by the shipped rules is in testdata, so that a change of policy is a visible diff.
func TestShippedRules(t *testing.T) {
	var b strings.Builder
	own := access.Place{Kind: access.Section, Section: 7, School: 1}
	people := []struct {
		name  string
		grant access.Grant
	}{
		{"student", access.Grant{Role: access.Student, Schools: []int64{1}}},
		{"contact", access.Grant{Role: access.Contact}},
		{"unknown role", access.Grant{Role: "librarian", Schools: []int64{1}}},
		{"teacher of 7 at 1", access.Grant{Role: access.Teacher, Schools: []int64{1}}},
		{"staff at 1", access.Grant{Role: access.Staff, Labels: []string{"PortalOnly"}, Schools: []int64{1}}},
		{"tech lead at 1", access.Grant{Role: access.Staff, Labels: []string{access.SchoolTechLead}, Schools: []int64{1}}},
		{"district admin", access.Grant{Role: access.DistrictAdmin}},
	}
	places := []access.Place{own, access.AtSection(8, 1), access.AtSection(9, 2), access.AtSchool(1), access.AtSchool(2), access.InDistrict()}
	for _, p := range people {
		fmt.Fprintf(&b, "%s\n", p.name)
		f := access.Facts{Grants: []access.Grant{p.grant}, View: access.ViewAll, Policy: shipped}
		if p.grant.Role == access.Teacher {
			f.Teaches = []access.Place{own}
		}
		for _, d := range access.ShippedCatalogue().Definitions() {
			fmt.Fprintf(&b, "  %-18s", d.Permission)
			for _, at := range places {
				mark := "."
				if f.Decide(d.Permission, at).Allowed {
					mark = "yes"
				}
				fmt.Fprintf(&b, " %-18s", fmt.Sprintf("%s %d/%d %s", at.Kind, at.Section, at.School, mark))
			}
			b.WriteString("\n")
		}
	}
	const golden = "testdata/shipped_rules.txt"
	got := strings.ReplaceAll(b.String(), " \n", "\n")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the shipped rules changed (-was +is); if that is meant, run with -update:\n%s", diff)
	}
}

func drawFacts(t *rapid.T) access.Facts {
	school := rapid.Int64Range(1, 3)
	f := access.Facts{Policy: drawPolicy(t), Now: now}
	for range rapid.IntRange(0, 4).Draw(t, "grants") {
		f.Grants = append(f.Grants, access.Grant{
			Role: drawRole(t), Labels: rapid.SliceOfN(rapid.SampledFrom([]string{"A", "B", access.SchoolTechLead}), 0, 2).Draw(t, "labels"),
			Schools: rapid.SliceOfN(school, 0, 3).Draw(t, "schools"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "sections") {
		s := rapid.Int64Range(1, 6).Draw(t, "section")
		f.Teaches = append(f.Teaches, access.AtSection(s, 1+s%3))
	}
	f.Overrides = drawOverrides(t)
	f.View = access.View(rapid.SampledFrom([]string{"all", "teacher", "staff", "district_admin", "student"}).Draw(t, "view"))
	return f
}

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func drawPolicy(t *rapid.T) *access.Policy {
	return drawRules(t, rapid.SampledFrom(access.Combinings()).Draw(t, "combining"),
		rapid.SampledFrom([]access.Strategy{access.Consolidated, access.Consolidated, access.PerRole}).Draw(t, "strategy"))
}

func drawRules(t *rapid.T, combining access.Combining, strategy access.Strategy) *access.Policy {
	var changes []access.RuleChange
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		c := access.RuleChange{Role: drawRole(t), Permission: drawPermission(t), Given: rapid.Bool().Draw(t, "given")}
		if c.Role == access.Staff {
			c.Label = rapid.SampledFrom([]string{"", "", "A", "B"}).Draw(t, "label")
		}
		changes = append(changes, c)
	}
	return access.NewPolicy(access.ShippedCatalogue(), changes, combining, strategy)
}

func drawOverrides(t *rapid.T) (list []access.Override) {
	for id := range rapid.Int64Range(0, 4).Draw(t, "overrides") {
		o := access.Override{
			ID: id + 1, Permission: drawPermission(t), Allow: rapid.Bool().Draw(t, "allow"),
			Place: rapid.SampledFrom(everyPlace()).Draw(t, "place"),
		}
		if d, _, _ := access.ShippedCatalogue().Find(o.Permission); d.Scope != access.Section {
			o.Place = rapid.SampledFrom([]access.Place{access.InDistrict(), access.AtSchool(1), access.AtSchool(2)}).Draw(t, "wider place")
		}
		switch rapid.IntRange(0, 4).Draw(t, "end") {
		case 0:
			o.Ends = now.Add(time.Hour)
		case 1:
			o.Ends = now
		case 2:
			o.WithRole = drawRole(t)
		}
		list = append(list, o)
	}
	return list
}

func drawRole(t *rapid.T) access.Role {
	return rapid.SampledFrom(append(access.Roles(), "librarian")).Draw(t, "role")
}

func drawPermission(t *rapid.T) access.Permission {
	all := access.ShippedCatalogue().Definitions()
	return all[rapid.IntRange(0, len(all)-1).Draw(t, "permission")].Permission
}

func everyPlace() []access.Place {
	places := []access.Place{access.InDistrict()}
	for s := int64(1); s <= 3; s++ {
		places = append(places, access.AtSchool(s))
	}
	for s := int64(1); s <= 6; s++ {
		places = append(places, access.AtSection(s, 1+s%3))
	}
	return places
}

// Lists are limited by Reach and pages by Decide: they must be the same wall.
func TestReachAgreesWithDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := drawFacts(t), drawPermission(t)
		r := f.Reach(p)
		for _, at := range everyPlace() {
			inReach := r.Contains(at)
			v := f.Decide(p, at)
			if v.Place != at { // asked about something smaller than the permission knows
				continue
			}
			if v.Allowed != inReach {
				t.Fatalf("%s at %+v: Decide says %v, Reach %+v", p, at, v.Allowed, r)
			}
		}
	})
}

// The trace is what people are shown, so it must be what decided.
func TestTraceAgreesWithVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := drawFacts(t), drawPermission(t)
		for _, at := range everyPlace() {
			v := f.Decide(p, at)
			allows := slices.ContainsFunc(v.Trace, func(s access.Step) bool {
				return s.Decides && (s.Outcome == access.Allows || s.Outcome == access.OverrideAllows)
			})
			denies := slices.ContainsFunc(v.Trace, func(s access.Step) bool {
				return s.Decides && (s.Outcome == access.Withholds || s.Outcome == access.OverrideDenies)
			})
			if v.Allowed != allows || allows && denies || len(v.Trace) < len(f.Grants) {
				t.Fatalf("%+v", v)
			}
			if other, ok := v.OtherView(); ok {
				g := f
				g.View = other
				if !g.Decide(p, at).Allowed {
					t.Fatalf("offers the %s view, which does not allow %s at %+v", other, p, at)
				}
			}
		}
	})
}

func TestHoldsAgreesWithDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		for _, at := range everyPlace() {
			held := f.Holds(at)
			for i, d := range access.ShippedCatalogue().Definitions() {
				if v := f.Decide(d.Permission, at); v.Allowed != held.Has(i) {
					t.Fatalf("%s at %+v: %+v, Holds says %v", d.Permission, at, v, held.Has(i))
				}
			}
		}
	})
}

func TestMoreRolesNeverTakeAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := drawFacts(t), drawPermission(t)
		f.Policy = drawRules(t, access.MostPrivileged, access.Consolidated) // elsewhere roles take away from one another
		more := f
		more.Grants = append(slices.Clone(f.Grants), access.Grant{Role: drawRole(t), Schools: []int64{2}, Source: access.ByHand})
		for _, at := range everyPlace() {
			if f.Decide(p, at).Allowed && !more.Decide(p, at).Allowed {
				t.Fatalf("%s at %+v was lost by gaining a role", p, at)
			}
		}
	})
}

// A deny at a nearer place, or at the same one, beats whatever allows.
func TestNearerDenyWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		d := rapid.SampledFrom(access.ShippedCatalogue().Definitions()).Draw(t, "definition")
		at := f.Decide(d.Permission, rapid.SampledFrom(everyPlace()).Draw(t, "at")).Place // none smaller than the permission knows
		f.Overrides = append(f.Overrides, access.Override{ID: 99, Permission: d.Permission, Place: at})
		if v := f.Decide(d.Permission, at); v.Allowed {
			t.Fatalf("%+v", v)
		}
	})
}

func TestEndedOverridesChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := drawFacts(t), drawPermission(t)
		g := f
		for _, o := range drawOverrides(t) {
			o.Ends = now.Add(-time.Minute)
			g.Overrides = append(slices.Clone(g.Overrides), o)
		}
		for _, at := range everyPlace() {
			if diff := cmp.Diff(f.Decide(p, at), g.Decide(p, at), cmp.AllowUnexported(access.Policy{})); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestStudentsAndContactsHaveNoView(t *testing.T) {
	for _, role := range []access.Role{access.Student, access.Contact, "librarian"} {
		if v := shipped.Views([]access.Grant{{Role: role, Schools: []int64{1}}}); len(v) != 0 {
			t.Errorf("%s: %v", role, v)
		}
	}
	got := shipped.Views([]access.Grant{{Role: access.Teacher}, {Role: access.Staff}, {Role: access.Contact}, {Role: access.DistrictAdmin}})
	if diff := cmp.Diff([]access.View{"district_admin", "staff", "teacher", "all"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownPermissionIsRefused(t *testing.T) {
	f := access.Facts{Grants: []access.Grant{{Role: access.DistrictAdmin}}, View: access.ViewAll, Policy: shipped}
	if v := f.Decide("grades.burn", access.InDistrict()); v.Allowed {
		t.Errorf("%+v", v)
	}
}

func BenchmarkDecide(b *testing.B) {
	f := access.Facts{View: access.ViewAll, Policy: shipped, Grants: []access.Grant{
		{Role: access.Teacher, Schools: []int64{1}}, {Role: access.Staff, Schools: []int64{2, 3}},
	}, Teaches: []access.Place{access.AtSection(1, 1), access.AtSection(2, 1), access.AtSection(3, 1)}}
	for b.Loop() {
		f.Decide("grades.edit", access.AtSection(3, 1))
	}
}
