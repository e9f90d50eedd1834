package access

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// effectAt reads the difference at a place out of the effects, as their documentation says to.
func effectAt(list []Effect, at Place, p Permission, view View, scope Kind) (before, after, found bool) {
	for at = at.widen(scope); ; at = at.around() {
		for _, e := range list {
			if e.Place == at && e.Permission == p && (e.Views == nil || slices.Contains(e.Views, view)) {
				return e.Before, e.After, true
			}
		}
		if at.Kind == District {
			return false, false, false
		}
	}
}

var effectNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// drawFacts makes facts of a person among three schools with two sections each; 4 is a school nobody is at.
func drawFacts(t *rapid.T, policy *Policy, name string) Facts {
	f := Facts{Policy: policy, Now: effectNow}
	for _, role := range []Role{Teacher, Staff, DistrictAdmin} {
		if rapid.IntRange(0, 2).Draw(t, name+" has "+string(role)) > 0 {
			continue
		}
		g := Grant{Role: role, Source: rapid.SampledFrom([]Source{FromClever, ByHand}).Draw(t, "source")}
		if role != DistrictAdmin {
			g.Schools = rapid.SliceOfNDistinct(rapid.Int64Range(1, 3), 1, 2, rapid.ID).Draw(t, "schools")
		}
		if role == Staff && rapid.Bool().Draw(t, "tech lead") {
			g.Labels = []string{SchoolTechLead}
		}
		f.Grants = append(f.Grants, g)
	}
	for _, section := range rapid.SliceOfNDistinct(rapid.Int64Range(1, 6), 0, 3, rapid.ID).Draw(t, name+" teaches") {
		f.Teaches = append(f.Teaches, AtSection(section, (section+1)/2))
	}
	definitions := policy.Catalogue.Definitions()
	for i := range rapid.IntRange(0, 4).Draw(t, name+" overrides") {
		d := rapid.SampledFrom(definitions).Draw(t, "permission")
		places := []Place{InDistrict()}
		if d.Scope != District {
			places = append(places, AtSchool(rapid.Int64Range(1, 3).Draw(t, "school")))
		}
		if d.Scope == Section {
			section := rapid.Int64Range(1, 6).Draw(t, "section")
			places = append(places, AtSection(section, (section+1)/2))
		}
		f.Overrides = append(f.Overrides, Override{
			ID: int64(i + 1), Permission: d.Permission, Allow: rapid.Bool().Draw(t, "allow"), Place: rapid.SampledFrom(places).Draw(t, "place"),
			Ends: rapid.SampledFrom([]time.Time{{}, effectNow.Add(time.Hour), effectNow.Add(-time.Hour)}).Draw(t, "ends"),
		})
	}
	return f
}

// Whatever two states are compared, the effects say of every place, named or not, what Decide says before and after.
func TestEffectsAreWhatDecideSaysBeforeAndAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := NewPolicy(ShippedCatalogue(), nil, rapid.SampledFrom(Combinings()).Draw(t, "combining"), Consolidated)
		before, after := drawFacts(t, policy, "before"), drawFacts(t, policy, "after")
		list := Effects(before, after)
		places := []Place{InDistrict(), AtSchool(4), AtSection(99, 4), AtSection(98, 1)}
		for school := range int64(3) {
			places = append(places, AtSchool(school+1), AtSection(2*school+1, school+1), AtSection(2*school+2, school+1))
		}
		for _, view := range lensesOf(before, after) {
			was, is := before, after
			was.View, is.View = view, view
			for _, d := range policy.Catalogue.Definitions() {
				for _, at := range places {
					wantBefore, wantAfter := was.Decide(d.Permission, at).Allowed, is.Decide(d.Permission, at).Allowed
					gotBefore, gotAfter, found := effectAt(list, at, d.Permission, view, d.Scope)
					if !found && wantBefore != wantAfter || found && (gotBefore != wantBefore || gotAfter != wantAfter) {
						t.Fatalf("%s at %+v in view %s: effects say %v to %v (found %v), Decide says %v to %v\n%+v",
							d.Permission, at, view, gotBefore, gotAfter, found, wantBefore, wantAfter, list)
					}
				}
			}
		}
	})
}

func TestNothingChangesWithoutAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t, NewPolicy(ShippedCatalogue(), nil, rapid.SampledFrom(Combinings()).Draw(t, "combining"), Consolidated), "facts")
		if list := Effects(f, f); len(list) > 0 {
			t.Fatalf("effects of no change: %+v", list)
		}
	})
}

// Where the district changes and a school has been so already, a section of it that is not so has a line of its own:
// the school's would speak for it.
func TestASectionInAPlaceThatIsPassedOverSpeaksForItself(t *testing.T) {
	before := Facts{Policy: ShippedPolicy(ShippedCatalogue()), Now: effectNow, Overrides: []Override{
		{ID: 1, Permission: "grades.edit", Place: AtSection(7, 1)},
		{ID: 2, Permission: "grades.edit", Allow: true, Place: AtSchool(1)},
	}}
	after := before
	after.Overrides = append(slices.Clone(before.Overrides), Override{ID: 3, Permission: "grades.edit", Allow: true, Place: InDistrict()})
	list := Effects(before, after)
	for _, want := range []Effect{
		{Place: InDistrict(), After: true}, {Place: AtSchool(1), Before: true, After: true}, {Place: AtSection(7, 1)}, {Place: AtSection(8, 1), Before: true, After: true},
	} {
		was, is, found := effectAt(list, want.Place, "grades.edit", ViewAll, Section)
		if !found || was != want.Before || is != want.After {
			t.Errorf("%+v: effects say %v to %v (found %v), want %v to %v\n%+v", want.Place, was, is, found, want.Before, want.After, list)
		}
	}
}

// A school-wide override leaves a section with a nearer one as it is, and says so.
func TestANearerOverrideIsShownToStay(t *testing.T) {
	before := Facts{Policy: ShippedPolicy(ShippedCatalogue()), Now: effectNow, Overrides: []Override{
		{ID: 1, Permission: "grades.edit", Place: AtSection(7, 1)},
	}}
	after := before
	after.Overrides = append(slices.Clone(before.Overrides), Override{ID: 2, Permission: "grades.edit", Allow: true, Place: AtSchool(1)})
	got := Effects(before, after)
	want := []Effect{
		{Place: AtSchool(1), Permission: "grades.edit", After: true},
		{Place: AtSection(7, 1), Permission: "grades.edit"},
	}
	if len(got) != 2 || got[0].Place != want[0].Place || !got[0].Widens() || got[1].Place != want[1].Place || got[1].Changes() {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
