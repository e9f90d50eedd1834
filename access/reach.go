package access

import "slices"

// Reach is everywhere a permission is held: the whole district or else these schools and these sections, and in
// either case not where an override, or a role that withholds, says no.
type Reach struct {
	District bool
	Schools  []int64
	Sections []int64
	// NotSchools lie in the district, and NotSections in it or in Schools, and are out of reach.
	NotSchools  []int64
	NotSections []int64
}

// Empty reports that the permission is held nowhere.
func (r Reach) Empty() bool { return !r.District && len(r.Schools) == 0 && len(r.Sections) == 0 }

// Whole reports that nothing in the district is out of reach.
func (r Reach) Whole() bool { return r.District && len(r.NotSchools) == 0 && len(r.NotSections) == 0 }

// Contains reports whether a place is within reach.
func (r Reach) Contains(at Place) bool {
	school := slices.Contains(r.Schools, at.School) || r.District && !slices.Contains(r.NotSchools, at.School)
	switch at.Kind {
	case District:
		return r.District
	case School:
		return school
	case Section:
		return slices.Contains(r.Sections, at.Section) || school && !slices.Contains(r.NotSections, at.Section)
	}
	return false
}

// Reach answers where the facts allow p. It agrees with Decide: a place of the permission's scope or wider is within
// reach if and only if Decide allows p there. Only places that the facts name can differ from the place around them,
// so only those are asked about.
func (f Facts) Reach(p Permission) Reach {
	if f.Policy == nil {
		return Reach{}
	}
	d, _, known := f.Policy.Catalogue.Find(p)
	if !known {
		return Reach{}
	}
	r := Reach{District: f.Decide(p, InDistrict()).Allowed}
	if d.Scope == District {
		return r
	}
	schools, sections := f.named(p)
	for _, at := range schools {
		switch allowed := f.Decide(p, at).Allowed; {
		case allowed && !r.District:
			r.Schools = append(r.Schools, at.School)
		case !allowed && r.District:
			r.NotSchools = append(r.NotSchools, at.School)
		}
	}
	if d.Scope == School {
		return r
	}
	for _, at := range sections {
		switch allowed, around := f.Decide(p, at).Allowed, r.Contains(AtSchool(at.School)); {
		case allowed && !around:
			r.Sections = append(r.Sections, at.Section)
		case !allowed && around:
			r.NotSections = append(r.NotSections, at.Section)
		}
	}
	return r
}

// named lists the schools and sections that can make a difference to p, each once and in order.
func (f Facts) named(p Permission) (schools, sections []Place) {
	for _, g := range f.Grants {
		for _, s := range g.Schools {
			schools = append(schools, AtSchool(s))
		}
	}
	for _, s := range f.Teaches {
		sections = append(sections, AtSection(s.Section, s.School))
	}
	for _, o := range f.Overrides {
		switch {
		case o.Permission != p:
		case o.Place.Kind == School:
			schools = append(schools, o.Place)
		case o.Place.Kind == Section:
			sections = append(sections, o.Place)
		}
	}
	by := func(id func(Place) int64) func(a, b Place) int {
		return func(a, b Place) int { return int(id(a) - id(b)) }
	}
	slices.SortFunc(schools, by(func(p Place) int64 { return p.School }))
	slices.SortFunc(sections, by(func(p Place) int64 { return p.Section }))
	return slices.Compact(schools), slices.Compact(sections)
}
