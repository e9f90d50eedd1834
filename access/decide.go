package access

import (
	"slices"
	"time"
)

// Facts is all that Decide looks at.
type Facts struct {
	Policy    *Policy
	Grants    []Grant
	Teaches   []Place    // sections taught, each with its school
	Overrides []Override // of this user; those that have ended may be among them
	View      View       // the hat worn now; ViewAll and "" count every role
	Now       time.Time  // for the ends of overrides
}

// Outcome is what one step of a decision came to.
type Outcome string

// Outcomes of a step about a role grant.
const (
	Allows     Outcome = "allows"       // this grant's rule gives the permission at the place
	OutOfReach Outcome = "out_of_reach" // the rule gives it, but not at this place
	NotGiven   Outcome = "not_given"    // no rule gives it to this role
	NotInView  Outcome = "not_in_view"  // it would allow, but that role is not the view in use
	Withholds  Outcome = "withholds"    // the role reaches the place and does not give it, and every role must
)

// Outcomes of a step about an override.
const (
	OverrideAllows Outcome = "override_allows"
	OverrideDenies Outcome = "override_denies"
	Outranked      Outcome = "outranked" // a nearer override, or a deny at the same place, decides
)

// Step is one role grant or one override as Decide considered it.
type Step struct {
	Role     Role
	Label    string // the staff label whose rule decided, if one did
	Source   Source // where the role grant came from
	Override *Override
	Outcome  Outcome
	Decides  bool // the verdict rests on this step
}

// Verdict is the answer to one question with the steps that led to it: role grants in their order, then overrides,
// the one that decides first.
type Verdict struct {
	Allowed    bool
	Permission Permission
	Known      bool  // the catalogue has the permission
	Place      Place // as widened to the permission's scope
	Combining  Combining
	View       View // the view whose roles counted; "" when none did
	Trace      []Step
}

// OtherView returns a view, of those the user holds, that would allow what this verdict refuses.
func (v Verdict) OtherView() (View, bool) {
	if v.Allowed {
		return "", false
	}
	other := View("")
	for _, s := range v.Trace {
		if s.Override != nil {
			return "", false // what an override denies, it denies in every view
		}
		if s.Outcome == NotInView && other == "" {
			other = View(s.Role)
		}
	}
	return other, other != ""
}

// Decide answers whether the facts allow permission p at a place. A permission that the catalogue does not know is
// refused.
func (f Facts) Decide(p Permission, at Place) Verdict {
	v := Verdict{Permission: p, Place: at}
	if f.Policy == nil {
		return v
	}
	d, bit, known := f.Policy.Catalogue.Find(p)
	v.Combining, v.View, v.Known = f.Policy.Combining(), f.worn(), known
	if !known {
		return v
	}
	v.Place = at.widen(d.Scope)
	v.Trace = make([]Step, 0, len(f.Grants))
	for _, g := range f.Grants {
		s := Step{Role: g.Role, Source: g.Source, Outcome: NotGiven}
		label, given := f.Policy.by(g, bit)
		reaches, worn := f.reaches(g, v.Place), v.View.wears(g.Role)
		switch {
		case given && !reaches:
			s.Label, s.Outcome = label, OutOfReach
		case given && !worn:
			s.Label, s.Outcome = label, NotInView
		case given:
			s.Label, s.Outcome = label, Allows
		case reaches && worn && v.Combining == LeastPrivileged:
			s.Outcome = Withholds
		}
		v.Trace = append(v.Trace, s)
	}
	v.combineRoles()
	v.override(f.applicable(p, v.Place))
	return v
}

// combineRoles comes to the verdict of the roles alone and marks the steps it rests on. Several grants of one role,
// Clever's and one by hand, are one voice: the one that gives more.
func (v *Verdict) combineRoles() {
	for i, s := range v.Trace {
		if s.Outcome == Withholds && slices.ContainsFunc(v.Trace, func(o Step) bool { return o.Role == s.Role && o.Outcome == Allows }) {
			v.Trace[i].Outcome = NotGiven
		}
	}
	decisive := Allows
	if slices.ContainsFunc(v.Trace, func(s Step) bool { return s.Outcome == Withholds }) {
		decisive = Withholds
	}
	for i := range v.Trace {
		if v.Trace[i].Outcome == decisive {
			v.Trace[i].Decides, v.Allowed = true, decisive == Allows
		}
	}
}

// override lets the first of the applicable overrides decide in the roles' place.
func (v *Verdict) override(list []Override) {
	for i := range list {
		s := Step{Override: &list[i], Outcome: Outranked}
		if i == 0 {
			for j := range v.Trace {
				v.Trace[j].Decides = false
			}
			s.Decides, s.Outcome, v.Allowed = true, OverrideDenies, list[i].Allow
			if list[i].Allow {
				s.Outcome = OverrideAllows
			}
		}
		v.Trace = append(v.Trace, s)
	}
}

// DecideAny answers whether the facts allow p at one of the places, and returns the first verdict that allows or,
// failing that, one that another view would allow, or the last one. A person is at several places at once, and to
// see the person it is enough to see one of them. What is at no place is the district's.
func (f Facts) DecideAny(p Permission, places []Place) Verdict {
	if len(places) == 0 {
		return f.Decide(p, InDistrict())
	}
	var last Verdict
	for i, at := range places {
		v := f.Decide(p, at)
		if _, other := last.OtherView(); i == 0 || v.Allowed || !other {
			last = v
		}
		if last.Allowed {
			break
		}
	}
	return last
}

// Holds is everything the facts allow at a place: it has a permission if and only if Decide allows it there. Those
// with a wider scope are asked about the wider place.
func (f Facts) Holds(at Place) Set {
	if f.Policy == nil {
		return Set{}
	}
	var held Set
	for _, scope := range []Kind{Section, School, District} {
		scoped := f.Policy.Catalogue.scoped[scope.width()]
		if !scoped.Empty() {
			held = held.Or(f.holdsAt(at.widen(scope)).And(scoped))
		}
	}
	return held
}

// holdsAt is what roles and overrides give at exactly this place.
func (f Facts) holdsAt(at Place) Set {
	var held Set
	worn, every, any := f.worn(), f.Policy.Combining() == LeastPrivileged, false
	for i, g := range f.Grants {
		if !worn.wears(g.Role) || !f.reaches(g, at) {
			continue
		}
		given := f.Policy.Gives(g.Role, g.Labels)
		if !every {
			held = held.Or(given)
			continue
		}
		if slices.ContainsFunc(f.Grants[:i], func(o Grant) bool { return o.Role == g.Role && f.reaches(o, at) }) {
			continue // counted with the first grant of the role
		}
		for _, o := range f.Grants[i+1:] {
			if o.Role == g.Role && f.reaches(o, at) {
				given = given.Or(f.Policy.Gives(o.Role, o.Labels))
			}
		}
		if any {
			given = given.And(held)
		}
		held, any = given, true
	}
	for _, kind := range []Kind{District, School, Section} { // the nearer has the later, and so the last, word
		var allow, deny Set
		for _, o := range f.Overrides {
			if _, bit, known := f.Policy.Catalogue.Find(o.Permission); known && o.Place.Kind == kind && o.Place.Contains(at) && o.InForce(f.Now, f.Grants) {
				if o.Allow {
					allow.add(bit)
				} else {
					deny.add(bit)
				}
			}
		}
		held = held.Or(allow).Without(deny)
	}
	return held
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
