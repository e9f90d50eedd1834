// Package access decides who may do what, where, and says why.
//
// It owns roles, views, the catalogue of permissions, rules, overrides and Decide, and it is pure: facts in, verdict and
// trace out.
// It reads no database, no clock and no request. Where facts come from is the business of models, and what a
// refusal looks like that of handlers and views.
package access

import "slices"

// Role is what Clever, or a district admin by hand, says a user is. Values Hallpass does not know are kept as they
// came; they give nothing.
type Role string

// The roles of Clever's API v3, by their keys in user.roles.
const (
	Student       Role = "student"
	Teacher       Role = "teacher"
	Staff         Role = "staff"
	DistrictAdmin Role = "district_admin"
	Contact       Role = "contact"
)

// Roles lists the known roles, those with the widest reach first: the order of tables and menus.
func Roles() []Role { return []Role{DistrictAdmin, Staff, Teacher, Student, Contact} }

// Known reports whether r is a role of Clever's API v3.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// WorksHere reports whether the role can have rules: those of students, contacts and unknown roles give nothing.
func (r Role) WorksHere() bool { return r == Teacher || r == Staff || r == DistrictAdmin }

// DistrictWide reports whether the role reaches every school without naming any.
func (r Role) DistrictWide() bool { return r == DistrictAdmin }

// Source says where a role grant came from.
type Source string

// A role grant is Clever's, or a district admin's.
const (
	FromClever Source = "clever"
	ByHand     Source = "manual"
)

// SchoolTechLead is the staff label that adds the help-desk permissions. Labels are free text in Clever's
// specification, so unknown ones are kept and give nothing.
const SchoolTechLead = "SchoolTechLead"

// Grant is one role that a user holds now. Ended grants are not facts.
type Grant struct {
	Role    Role
	Labels  []string // staff labels
	Schools []int64  // Hallpass school ids; empty for district admins and contacts
	Source  Source
}

// Kind is the size of a place.
type Kind string

// Places, from the nearest to the widest.
const (
	Section  Kind = "section"
	School   Kind = "school"
	District Kind = "district"
)

// width orders the kinds, so that a question can be widened to the size a permission is about.
func (k Kind) width() int { return slices.Index([]Kind{Section, School, District}, k) }

// Place is where something is to be done: one section, one school or the district. Ids are Hallpass's own. A section
// carries its school; the district needs no id, because an actor acts in one district only.
type Place struct {
	Kind    Kind
	School  int64 // of a school or section
	Section int64 // of a section
}

// AtSection, AtSchool and InDistrict make places.
func AtSection(section, school int64) Place {
	return Place{Kind: Section, Section: section, School: school}
}

// AtSchool is one school.
func AtSchool(school int64) Place { return Place{Kind: School, School: school} }

// InDistrict is the whole district.
func InDistrict() Place { return Place{Kind: District} }

// widen makes the place as large as kind, the smallest a permission is asked about.
func (p Place) widen(kind Kind) Place {
	if p.Kind.width() >= kind.width() {
		return p
	}
	if kind == School {
		return AtSchool(p.School)
	}
	return InDistrict()
}

// Contains reports whether o lies in p: a section in its school, everything in the district.
func (p Place) Contains(o Place) bool {
	switch p.Kind {
	case District:
		return true
	case School:
		return o.Kind != District && o.School == p.School
	case Section:
		return o.Kind == Section && o.Section == p.Section
	}
	return false
}

// Narrower reports that the place is smaller than a permission of that scope can be asked about.
func (p Place) Narrower(scope Kind) bool { return p.Kind.width() < scope.width() }
