package sandbox

import (
	"net/http"
	"slices"
)

// related answers /kind/id/relation.
func (q *request) related(kind, id, relation string) {
	d := q.who.district
	if q.who.user != "" && id != q.who.user {
		q.notFound()
		return
	}
	c := d.collection(kind)
	if c == nil {
		q.notFound()
		return
	}
	e, ok := c.find(id)
	if !ok {
		q.notFound()
		return
	}
	switch {
	case relation == "district":
		q.one("districts", d.id, d.ownRecord(q.v31()), nil)
		return
	case relation == "resources" && kind != "schools" && kind != "terms":
		q.listOf(&collection{kind: "resources"}, nil, []string{})
		return
	}
	switch kind {
	case "users":
		q.ofUser(e, id, relation)
	case "schools":
		q.ofSchool(id, relation)
	case "sections":
		q.ofSection(e, relation)
	case "courses", "terms":
		q.ofCourseOrTerm(kind, id, relation)
	}
}

func (q *request) ofUser(e entry, id, relation string) {
	d := q.who.district
	roles := d.rolesOf(e)
	switch {
	case relation == "schools":
		q.listOf(d.schools, nil, d.schoolsOf(e, q.URL.Query().Get("primary") == "true"))
	case relation == "sections":
		q.listOf(d.sections, nil, d.sectionsOf(id))
	case relation == "myteachers" && roles&isStudent != 0:
		q.listOf(d.users, nil, d.fromSections(id, func(f facts) []string { return f.teachers }))
	case relation == "mystudents" && roles&isTeacher != 0:
		q.listOf(d.users, nil, d.fromSections(id, func(f facts) []string { return f.students }))
	case relation == "mystudents" && roles&isContact != 0:
		q.listOf(d.users, nil, d.studentsOfContact(e))
	case relation == "mycontacts" && roles&isStudent != 0:
		q.listOf(d.users, nil, d.contactsOf(e, id))
	case relation == "myteachers", relation == "mystudents", relation == "mycontacts":
		q.listOf(d.users, nil, []string{})
	default:
		q.notFound()
	}
}

func (q *request) ofSchool(id, relation string) {
	d := q.who.district
	k, generated := d.schools.ids.index(id)
	switch relation {
	case "users":
		byRole, fits := q.byRole("users", "staff", "student", "teacher")
		if !fits {
			return
		}
		primary := q.URL.Query().Get("primary") == "true"
		q.listOf(d.users, func(u entry) bool {
			return (byRole == nil || byRole(u)) && d.touches(u, id, k, generated, primary)
		}, nil)
	case "sections":
		from, to := 0, 0
		if generated {
			from, to = d.sectionsAt(k)
		}
		q.listOf(d.sections, func(s entry) bool {
			if s.extra != nil {
				return slices.Contains(s.extra.schools, id)
			}
			return from <= s.gen && s.gen < to
		}, nil)
	case "terms":
		q.listOf(d.termList, nil, nil)
	case "courses":
		q.listOf(d.courses, func(c entry) bool { return generated && slices.Contains(coursesAt(schoolLevel(k)), c.gen) }, nil)
	default:
		q.notFound()
	}
}

// touches says whether one of a user's roles names the school. Admins and
// contacts name none.
func (d *district) touches(u entry, school string, k int, generated, primary bool) bool {
	if u.extra != nil {
		if primary {
			return slices.Contains(u.extra.primary, school)
		}
		return slices.Contains(u.extra.schools, school)
	}
	if !generated {
		return false
	}
	var buf [24]place
	for _, p := range d.places(u.gen, buf[:0]) {
		if p.school == k && (p.primary || !primary) {
			return true
		}
	}
	return false
}

func (q *request) ofSection(e entry, relation string) {
	d := q.who.district
	f := d.sectionFacts(e)
	switch relation {
	case "users":
		role := q.URL.Query().Get("role")
		_, fits := q.byRole("users", "student", "teacher")
		if !fits {
			return
		}
		ids := []string{}
		if role != "student" {
			ids = append(ids, f.teachers...)
		}
		if role != "teacher" {
			ids = append(ids, f.students...)
		}
		q.listOf(d.users, nil, ids)
	case "school":
		q.oneOf(d.schools, f.schools)
	case "term":
		q.oneOf(d.termList, []string{f.term})
	case "course":
		q.oneOf(d.courses, []string{f.course})
	default:
		q.notFound()
	}
}

func (q *request) oneOf(c *collection, ids []string) {
	if len(ids) == 1 {
		if e, ok := c.find(ids[0]); ok {
			q.one(c.kind, ids[0], q.record(c, nil, e), nil)
			return
		}
	}
	q.s.fail(q.w, http.StatusNotFound, "Resource not found")
}

func (q *request) ofCourseOrTerm(kind, id, relation string) {
	d := q.who.district
	of := func(s entry) string {
		f := d.sectionFacts(s)
		if kind == "terms" {
			return f.term
		}
		return f.course
	}
	switch relation {
	case "sections":
		q.listOf(d.sections, func(s entry) bool { return of(s) == id }, nil)
	case "schools":
		course, _ := d.courses.ids.index(id)
		q.listOf(d.schools, func(s entry) bool {
			if s.extra != nil || kind == "terms" {
				return true
			}
			return slices.Contains(coursesAt(schoolLevel(s.gen)), course)
		}, nil)
	default:
		q.notFound()
	}
}

// sectionFacts says of any section what planted ones have written down.
func (d *district) sectionFacts(e entry) facts {
	if e.extra != nil {
		return e.extra.facts
	}
	q := e.gen
	f := facts{schools: []string{d.schools.ids.id(d.sectionCohort(q).school)}, course: d.courses.ids.id(d.sectionCourse(q))}
	if q%17 != 5 {
		f.term = d.termList.ids.id(d.sectionTerm(q))
	}
	if primary, second, shared := d.sectionTeachers(q); primary >= 0 {
		f.teachers = []string{d.users.ids.id(primary)}
		if shared {
			f.teachers = append(f.teachers, d.users.ids.id(second))
		}
	}
	for _, s := range d.sectionStudents(q, nil) {
		f.students = append(f.students, d.users.ids.id(d.studentsFrom()+s))
	}
	return f
}

func (d *district) schoolsOf(e entry, primary bool) []string {
	if e.extra != nil {
		if primary {
			return append([]string{}, e.extra.primary...)
		}
		return append([]string{}, e.extra.schools...)
	}
	ids := []string{}
	for _, p := range d.places(e.gen, nil) {
		if p.primary || !primary {
			ids = append(ids, d.schools.ids.id(p.school))
		}
	}
	return ids
}

// sectionsOf are the ids of the sections that a user teaches or sits in.
func (d *district) sectionsOf(id string) []string {
	ids := []string{}
	for _, x := range d.sections.extras() {
		if x.json != nil && (slices.Contains(x.teachers, id) || slices.Contains(x.students, id)) {
			ids = append(ids, x.id)
		}
	}
	i, generated := d.users.ids.index(id)
	if !generated {
		return ids
	}
	var own []int
	switch d.roleMask(i) &^ (isStaff | isDistrictAdmin) {
	case isTeacher:
		own = d.teacherSections(i)
	case isStudent:
		own = d.studentSections(i - d.studentsFrom())
	}
	for _, q := range own {
		ids = append(ids, d.sections.ids.id(q))
	}
	return ids
}

// fromSections gathers people from the sections of one person.
func (d *district) fromSections(id string, of func(facts) []string) []string {
	ids := []string{}
	for _, s := range d.sections.some(d.sectionsOf(id)) {
		ids = append(ids, of(d.sectionFacts(s))...)
	}
	return ids
}

func (d *district) studentsOfContact(e entry) []string {
	ids := []string{}
	if e.extra != nil {
		return append(ids, e.extra.students...)
	}
	for _, s := range d.contactStudents(e.gen - d.contactsFrom()) {
		ids = append(ids, d.users.ids.id(d.studentsFrom()+s))
	}
	return ids
}

func (d *district) contactsOf(e entry, id string) []string {
	ids := []string{}
	for _, x := range d.users.extras() {
		if x.json != nil && x.roles&isContact != 0 && slices.Contains(x.students, id) {
			ids = append(ids, x.id)
		}
	}
	if e.extra == nil {
		for _, c := range d.studentContacts(e.gen - d.studentsFrom()) {
			ids = append(ids, d.users.ids.id(d.contactsFrom()+c))
		}
	}
	return ids
}
