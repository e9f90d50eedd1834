package access

import (
	"maps"
	"slices"
)

// Way is a kind of deed that would turn an answer round.
type Way string

// What would give a permission.
const (
	SwitchView    Way = "switch_view"    // wear another of the person's own views
	AddTeacher    Way = "add_teacher"    // the school lists the person as a teacher of the section
	AddStaff      Way = "add_staff"      // the school lists the person as staff there, with Label if there is one
	GiveRole      Way = "give_role"      // a district admin gives the role by hand
	AllowOverride Way = "allow_override" // an override allows it at Place
)

// What would take one away.
const (
	DropTeacher  Way = "drop_teacher"  // the school takes the person off the section
	DropRole     Way = "drop_role"     // the role ends at Place: in the school's system, or by hand where it was given so
	DenyOverride Way = "deny_override" // an override denies it at Place
)

// What may do either.
const (
	EndOverride Way = "end_override" // Override ends
	ChangeRule  Way = "change_rule"  // the rule for Role, and Label, gives the permission, or no longer does: Given
)

// Remedy is one deed that by itself would turn an answer round. Only the fields that its Way speaks of are set.
type Remedy struct {
	Way      Way
	View     View
	Role     Role
	Label    string
	Source   Source // of the role to drop
	Place    Place
	Override int64
	Given    bool
}

// Remedies lists what would change the answer to a question, one deed at a time, the least far-reaching first: what
// would allow it where it is refused, what would take it away where it is allowed. Each turns the answer in the view
// that the facts are asked in. Whoever is a student or a contact is never offered another role.
func (f Facts) Remedies(p Permission, at Place) (list []Remedy) {
	v := f.Decide(p, at)
	if !v.Known {
		return nil
	}
	for _, r := range f.candidates(v) {
		if f.after(r, p).Decide(p, at).Allowed != v.Allowed && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}

// candidates are deeds worth trying on the facts.
func (f Facts) candidates(v Verdict) (list []Remedy) {
	add := func(r Remedy) { list = append(list, r) }
	if !v.Allowed {
		for _, view := range f.Policy.Views(f.Grants) {
			if view != v.View {
				add(Remedy{Way: SwitchView, View: view})
			}
		}
	}
	for _, s := range v.Trace {
		if s.Override != nil && s.Override.Allow == v.Allowed {
			add(Remedy{Way: EndOverride, Override: s.Override.ID})
		}
	}
	if v.Allowed {
		f.addLosses(v, add)
	} else {
		f.addGains(v, add)
	}
	for i, s := range v.Trace {
		if s.Override == nil && s.Role.WorksHere() && f.reaches(f.Grants[i], v.Place) {
			add(Remedy{Way: ChangeRule, Role: s.Role, Label: s.Label, Given: !v.Allowed})
		}
	}
	return list
}

func (f Facts) addGains(v Verdict, add func(Remedy)) {
	single := slices.ContainsFunc(f.Grants, func(g Grant) bool { return g.Role == Student || g.Role == Contact })
	if !single {
		if v.Place.Kind == Section {
			add(Remedy{Way: AddTeacher, Role: Teacher, Place: v.Place})
		}
		if v.Place.Kind != District {
			school := AtSchool(v.Place.School)
			for _, g := range f.Policy.Givers(v.Permission) {
				if g.Role == Staff {
					add(Remedy{Way: AddStaff, Role: Staff, Label: g.Label, Place: school})
				}
			}
			add(Remedy{Way: GiveRole, Role: Staff, Place: school})
		} else {
			add(Remedy{Way: GiveRole, Role: DistrictAdmin, Place: InDistrict()})
		}
	}
	add(Remedy{Way: AllowOverride, Place: v.Place})
}

func (f Facts) addLosses(v Verdict, add func(Remedy)) {
	for i, s := range v.Trace {
		switch {
		case s.Override != nil || !s.Decides:
		case s.Role == Teacher:
			add(Remedy{Way: DropTeacher, Role: Teacher, Place: v.Place})
		case s.Role == Staff:
			add(Remedy{Way: DropRole, Role: Staff, Source: f.Grants[i].Source, Place: AtSchool(v.Place.School)})
		default:
			add(Remedy{Way: DropRole, Role: s.Role, Source: f.Grants[i].Source, Place: InDistrict()})
		}
	}
	add(Remedy{Way: DenyOverride, Place: v.Place})
}

// after is the facts as they would be once the deed is done.
func (f Facts) after(r Remedy, p Permission) Facts {
	switch r.Way {
	case SwitchView:
		f.View = r.View
	case AddTeacher:
		f.Teaches = append(slices.Clone(f.Teaches), r.Place)
		f = f.holding(Grant{Role: Teacher, Schools: []int64{r.Place.School}, Source: FromClever})
	case AddStaff:
		g := Grant{Role: Staff, Schools: []int64{r.Place.School}, Source: FromClever}
		if r.Label != "" {
			g.Labels = []string{r.Label}
		}
		f = f.holding(g)
	case GiveRole:
		g := Grant{Role: r.Role, Source: ByHand}
		if r.Place.Kind == School {
			g.Schools = []int64{r.Place.School}
		}
		f = f.holding(g)
	case DropTeacher:
		f.Teaches = slices.DeleteFunc(slices.Clone(f.Teaches), func(at Place) bool { return at.Section == r.Place.Section })
	case DropRole:
		f = f.dropping(r)
	case AllowOverride, DenyOverride:
		f.Overrides = append(slices.Clone(f.Overrides), Override{Permission: p, Place: r.Place, Allow: r.Way == AllowOverride})
	case EndOverride:
		f.Overrides = slices.DeleteFunc(slices.Clone(f.Overrides), func(o Override) bool { return o.ID == r.Override })
	case ChangeRule:
		f.Policy = f.Policy.with(r.Role, r.Label, p, r.Given)
	}
	return f
}

// holding adds a grant, or what it adds to the one that the person has of its role and source: there is never a
// second of both.
func (f Facts) holding(more Grant) Facts {
	f.Grants = slices.Clone(f.Grants)
	i := slices.IndexFunc(f.Grants, func(g Grant) bool { return g.Role == more.Role && g.Source == more.Source })
	if i < 0 {
		f.Grants = append(f.Grants, more)
		return f
	}
	g := &f.Grants[i]
	g.Schools = append(slices.Clone(g.Schools), more.Schools...)
	g.Labels = append(slices.Clone(g.Labels), more.Labels...)
	return f
}

// dropping ends a role at a school, or altogether where that was its last or it names none.
func (f Facts) dropping(r Remedy) Facts {
	var grants []Grant
	for _, g := range f.Grants {
		if g.Role == r.Role && g.Source == r.Source {
			if r.Place.Kind == District {
				continue
			}
			g.Schools = slices.DeleteFunc(slices.Clone(g.Schools), func(s int64) bool { return s == r.Place.School })
			if len(g.Schools) == 0 {
				continue
			}
		}
		grants = append(grants, g)
	}
	f.Grants = grants
	return f
}

// with is the policy with one rule given or not.
func (p *Policy) with(role Role, label string, permission Permission, given bool) *Policy {
	_, at, known := p.Catalogue.Find(permission)
	if !known {
		return p
	}
	var one Set
	one.add(at)
	set := func(s Set) Set {
		if given {
			return s.Or(one)
		}
		return s.Without(one)
	}
	changed := *p
	changed.given = maps.Clone(p.given)
	of := changed.given[role]
	if label == "" {
		of.base = set(of.base)
	} else {
		of.labels = maps.Clone(of.labels)
		if of.labels == nil {
			of.labels = map[string]Set{}
		}
		of.labels[label] = set(of.labels[label])
	}
	changed.given[role] = of
	return &changed
}
