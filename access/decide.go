package access

import "slices"

// Facts is all that Decide looks at.
type Facts struct {
	Grants  []Grant
	Teaches []Place // sections taught, each with its school
	View    View    // the hat worn now; ViewAll counts every role
	Rules   []Rule
}

// Outcome is what one step of a decision came to.
type Outcome string

// Outcomes of a step.
const (
	Allows     Outcome = "allows"       // this grant's rule gives the permission at the place
	OutOfReach Outcome = "out_of_reach" // the rule gives it, but not at this place
	NotGiven   Outcome = "not_given"    // no rule gives it to this role
	NotInView  Outcome = "not_in_view"  // it would allow, but that role is not the view in use
)

// Step is one role grant as Decide considered it.
type Step struct {
	Role    Role
	Label   string // the staff label whose rule decided, if one did
	Outcome Outcome
}

// Verdict is the answer to one question with the steps that led to it, in the order considered.
type Verdict struct {
	Allowed    bool
	Permission Permission
	Place      Place // as widened to the permission's scope
	Trace      []Step
}

// OtherView returns a view, of those the user holds, that would allow what this verdict refuses.
func (v Verdict) OtherView() (View, bool) {
	for _, s := range v.Trace {
		if s.Outcome == NotInView {
			return View(s.Role), true
		}
	}
	return "", false
}

// Decide answers whether the facts allow permission p at a place. A permission that no catalogue knows is refused.
func (f Facts) Decide(p Permission, at Place) Verdict {
	v := Verdict{Permission: p, Place: at}
	scope, known := scopes[p]
	if !known {
		return v
	}
	v.Place = at.widen(scope)
	for _, g := range f.Grants {
		s := Step{Role: g.Role, Outcome: NotGiven}
		if label, given := f.gives(g, p); given {
			s.Label, s.Outcome = label, OutOfReach
			if f.reaches(g, v.Place) {
				s.Outcome = NotInView
				if f.View.wears(g.Role) {
					s.Outcome, v.Allowed = Allows, true
				}
			}
		}
		v.Trace = append(v.Trace, s)
	}
	return v
}

// DecideAny answers whether the facts allow p at one of the places, and returns the first verdict that allows or,
// failing that, one that another view would allow, or the last one. A person is at several places at once, and to
// see the person it is enough to see one of them.
func (f Facts) DecideAny(p Permission, places []Place) Verdict {
	last := f.Decide(p, InDistrict())
	for _, at := range places {
		if last.Allowed {
			break
		}
		v := f.Decide(p, at)
		if _, other := last.OtherView(); v.Allowed || !other {
			last = v
		}
	}
	return last
}

// Reach is everywhere a permission is held: the whole district, or else these schools and these sections.
type Reach struct {
	District bool
	Schools  []int64
	Sections []int64
}

// Empty reports that the permission is held nowhere.
func (r Reach) Empty() bool { return !r.District && len(r.Schools) == 0 && len(r.Sections) == 0 }

// Reach answers where the facts allow p. It agrees with Decide: a place is within reach if and only if Decide allows
// p there.
func (f Facts) Reach(p Permission) Reach {
	var r Reach
	scope, known := scopes[p]
	if !known {
		return r
	}
	for _, g := range f.Grants {
		if _, given := f.gives(g, p); !given || !f.View.wears(g.Role) {
			continue
		}
		switch {
		case g.Role.DistrictWide():
			return Reach{District: true}
		case g.Role == Staff && scope.width() <= School.width():
			r.Schools = append(r.Schools, g.Schools...)
		case g.Role == Teacher && scope == Section:
			for _, s := range f.Teaches {
				r.Sections = append(r.Sections, s.Section)
			}
		}
	}
	slices.Sort(r.Schools)
	slices.Sort(r.Sections)
	r.Schools, r.Sections = slices.Compact(r.Schools), slices.Compact(r.Sections)
	return r
}

// gives reports whether a rule gives p to the grant's role, and by which label.
func (f Facts) gives(g Grant, p Permission) (label string, given bool) {
	for _, r := range f.Rules {
		if r.Role == g.Role && (r.Label == "" || slices.Contains(g.Labels, r.Label)) && slices.Contains(r.Permissions, p) {
			return r.Label, true
		}
	}
	return "", false
}

// reaches reports whether the grant's role extends to the place. Students, contacts and unknown roles reach nowhere.
func (f Facts) reaches(g Grant, at Place) bool {
	switch {
	case g.Role.DistrictWide():
		return true
	case g.Role == Staff:
		return at.Kind != District && slices.Contains(g.Schools, at.School)
	case g.Role == Teacher:
		return at.Kind == Section && slices.ContainsFunc(f.Teaches, func(s Place) bool { return s.Section == at.Section })
	}
	return false
}
