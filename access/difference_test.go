package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hallpass/access"
)

// TestDifferenceIsWhatDecideAnswers asks Decide about every place there is, not only those that the facts name, in
// every view that the person has.
func TestDifferenceIsWhatDecideAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, before, after := drawFacts(t), drawPolicy(t), drawPolicy(t)
		got := f.Compare(before, after)
		may := func(p *access.Policy, permission access.Permission, at access.Place) (free, any bool) {
			g := f
			g.Policy, g.View = p, ""
			free = g.Decide(permission, at).Allowed
			any = free
			if p.Combining() == access.ViewInUse {
				for _, v := range p.Views(f.Grants) {
					g.View = v
					any = any || g.Decide(permission, at).Allowed
				}
			}
			return free, any
		}
		var want access.Difference
		for _, d := range access.ShippedCatalogue().Definitions() {
			one := access.ShippedCatalogue().Set(d.Permission)
			for _, at := range append(everyPlace(), access.AtSchool(77), access.AtSection(99, 77)) {
				free0, may0 := may(before, d.Permission, at)
				free1, may1 := may(after, d.Permission, at)
				if !may0 && may1 {
					want.Gained = want.Gained.Or(one)
				}
				if may0 && !may1 {
					want.Lost = want.Lost.Or(one)
				}
				if free0 && may1 && !free1 {
					want.Bound = want.Bound.Or(one)
				}
				if free1 && may0 && !free0 {
					want.Freed = want.Freed.Or(one)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-Decide +Compare):\n%s", diff)
		}
	})
}

// TestAmendedRulesAreMinimal: what a district decided is what differs from the catalogue, whatever it tried before.
func TestAmendedRulesAreMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := access.ShippedCatalogue()
		var changes, wanted []access.RuleChange
		for range rapid.IntRange(0, 3).Draw(t, "rounds") {
			var cells []access.RuleChange
			for range rapid.IntRange(0, 8).Draw(t, "cells") {
				cell := access.RuleChange{
					Role:       rapid.SampledFrom([]access.Role{access.Teacher, access.Staff, access.DistrictAdmin}).Draw(t, "role"),
					Permission: drawPermission(t), Given: rapid.Bool().Draw(t, "given"),
				}
				if cell.Role == access.Staff {
					cell.Label = rapid.SampledFrom([]string{"", "A", access.SchoolTechLead}).Draw(t, "label")
				}
				cells = append(cells, cell)
			}
			changes, wanted = c.Amend(changes, cells), append(wanted, cells...)
		}
		for _, ch := range changes {
			if ch.Given == c.Default(ch.Role, ch.Label, ch.Permission) {
				t.Fatalf("%+v says what the catalogue says", ch)
			}
		}
		last := map[[3]string]bool{}
		for _, w := range wanted {
			last[[3]string{string(w.Role), w.Label, string(w.Permission)}] = w.Given
		}
		p := access.NewPolicy(c, changes, access.MostPrivileged, access.Consolidated)
		for at, given := range last {
			if p.Rule(access.Role(at[0]), at[1], access.Permission(at[2])) != given {
				t.Fatalf("%v: want %t after %+v", at, given, changes)
			}
		}
	})
}
