package access

import "slices"

// Difference is what becomes of one person when the policy around the same roles, sections and overrides changes. A
// permission is in a set if that happens at some place; at another one the opposite may.
type Difference struct {
	Gained Set // may not before, may after
	Lost   Set // may before, may not after
	Bound  Set // may before with all roles together, after only in one view at a time
	Freed  Set // the other way round
}

// Empty reports that nothing changes.
func (d Difference) Empty() bool { return d == Difference{} }

// Compare holds what someone may do under two policies side by side, with no view named, as an app asks that knows no
// views. Where a district decides by the view in use, people with several views can name one: what they may do in any
// of them counts as theirs, and as bound to it. The facts' own policy and view are ignored.
//
// Only places that the facts name can differ from the district around them, so those and the district are compared.
func (f Facts) Compare(before, after *Policy) (d Difference) {
	for _, at := range f.places() {
		freeBefore, mayBefore := f.able(before, at)
		freeAfter, mayAfter := f.able(after, at)
		d.Gained = d.Gained.Or(mayAfter.Without(mayBefore))
		d.Lost = d.Lost.Or(mayBefore.Without(mayAfter))
		d.Bound = d.Bound.Or(freeBefore.And(mayAfter).Without(freeAfter))
		d.Freed = d.Freed.Or(freeAfter.And(mayBefore).Without(freeBefore))
	}
	return d
}

// able is what the facts allow at a place under a policy: free without naming a view, and in all, if need be in one
// view.
func (f Facts) able(p *Policy, at Place) (free, may Set) {
	f.Policy, f.View = p, ""
	free = f.Holds(at)
	may = free
	if p.Combining() != ViewInUse {
		return free, may
	}
	for _, view := range p.Views(f.Grants) {
		f.View = view
		may = may.Or(f.Holds(at))
	}
	return free, may
}

// places lists where policies can make a difference to the facts: a teacher's sections, the schools of staff, where
// overrides are, and the district for everywhere else.
func (f Facts) places() []Place {
	places := []Place{InDistrict()}
	for _, g := range f.Grants {
		switch g.Role {
		case Staff:
			for _, s := range g.Schools {
				places = append(places, AtSchool(s))
			}
		case Teacher:
			for _, s := range f.Teaches {
				places = append(places, AtSection(s.Section, s.School))
			}
		default: // everywhere, or nowhere
		}
	}
	for _, o := range f.Overrides {
		places = append(places, o.Place)
	}
	if len(places) > 8 { // two grants of one role name their places twice
		slices.SortFunc(places, comparePlaces)
		places = slices.Compact(places)
	}
	return places
}

func comparePlaces(a, b Place) int {
	for _, d := range []int64{int64(a.Kind.width() - b.Kind.width()), a.School - b.School, a.Section - b.Section} {
		if d != 0 {
			return int(d)
		}
	}
	return 0
}
