package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// object is a piece of planted JSON; its keys come out sorted.
type object = map[string]any

// planter collects the planted records of a district.
type planter struct {
	d   *district
	err error
}

func (p *planter) plant(c *collection, o object) {
	if p.err != nil {
		return
	}
	o["district"] = p.d.id
	for _, key := range []string{"created", "last_modified"} {
		if o[key] == nil {
			o[key] = plantedAt
		}
	}
	raw, err := json.Marshal(o)
	if err != nil {
		p.err = fmt.Errorf("sandbox: plant record: %w", err)
		return
	}
	x, err := newExtra(raw)
	if err != nil {
		p.err = err
		return
	}
	c.put(x)
	c.whole = append(c.whole, x)
}

func (p *planter) user(id, first, middle, last string, email any, roles object) {
	p.plant(p.d.users, object{"id": id, "name": object{"first": first, "middle": middle, "last": last}, "email": email, "roles": roles})
}

func (p *planter) school(k int) string { return p.d.schools.ids.id(k % p.d.nSchools) }

func (p *planter) email(local string) string { return local + "@" + p.d.domain }

// legacy ids of planted roles: what stands behind them is the planted user's
// number and a digit for the role.
func legacy(number, role int) string { return fmt.Sprintf("60bb0f0190b5540a11%02x000%d", number, role) }

func teacherRole(number int, school string, more ...string) object {
	return object{
		"school": school, "schools": append([]string{school}, more...), "sis_id": fmt.Sprintf("T-%d", 9000+number),
		"teacher_number": strconv.Itoa(9000 + number), "state_id": "", "title": "", "legacy_id": legacy(number, 1),
		"credentials": object{"district_username": fmt.Sprintf("t%d", 9000+number)},
	}
}

func staffRole(number int, label, title string, schools ...string) object {
	return object{
		"schools": schools, "staff_id": fmt.Sprintf("S-%d", 9000+number), "roles": []string{label}, "title": title,
		"department": "", "legacy_id": legacy(number, 2),
	}
}

func adminRole(number int, title string) object {
	return object{"title": title, "legacy_id": legacy(number, 3)}
}

func studentRole(id string, number int, grade, school string) object {
	return object{
		"school": school, "schools": []string{school}, "enrollments": []object{}, "sis_id": fmt.Sprintf("P-%d", 9000+number),
		"student_number": strconv.Itoa(9000 + number), "state_id": "", "grade": grade, "graduation_year": "", "legacy_id": id,
	}
}

func contactRole(number int, students ...string) object {
	var rel []object
	for _, s := range students {
		rel = append(rel, object{"student": s, "relationship": "Parent", "type": "Primary"})
	}
	return object{"phone": "", "phone_type": "Cell", "sis_id": "", "legacy_id": legacy(number, 4), "student_relationships": rel}
}

// plantAll lays the cases that hurt over the first district.
func (d *district) plantAll() error {
	p := &planter{d: d}
	if !d.main {
		// The wall between districts must hold although email and SIS id agree.
		role := teacherRole(0x20, p.school(0))
		role["sis_id"] = "42"
		p.user(SameEmailOtherUserID, "Daniela", "", "Brakusova", "danny.brakus@kestrelvalley.example", object{"teacher": role})
		return p.err
	}
	a, b, c := p.school(1), p.school(0), p.school(2)
	p.user(SeedUserID, "Danny", "D", "Brakus", p.email("danny.brakus"), object{
		"teacher": object{
			"school": SeedTeacherSchool, "schools": []string{SeedTeacherSchool}, "sis_id": "42", "teacher_number": "42",
			"state_id": "", "title": "", "legacy_id": SeedTeacherLegacy,
		},
		"staff": object{
			"schools": []string{SeedStaffSchool}, "staff_id": "74002", "roles": []string{"PortalOnly"}, "title": "",
			"department": "", "legacy_id": SeedStaffLegacy,
		},
		"district_admin": nil,
	})
	p.employees(a, b, c)
	p.families(a)
	p.oddities(a, b)
	p.classes(a, b, c)
	return p.err
}

func (p *planter) employees(a, b, c string) {
	d := p.school(3)
	p.user(ThreeSchoolsUserID, "Imani", "", "Adeyemi-Cole", p.email("imani.adeyemicole"), object{
		"teacher": teacherRole(1, a, d), "staff": staffRole(1, "PortalOnly", "Reading Coach", b, c),
	})
	p.user(AllRolesUserID, "Rosalind", "J", "Fenwick", p.email("rosalind.fenwick"), object{
		"teacher": teacherRole(2, b), "staff": staffRole(2, "SchoolTechLead", "Dean", a), "district_admin": adminRole(2, "Curriculum Lead"),
	})
	p.user(TeacherUserID, "Hannah", "", "Whitlock", p.email("hannah.whitlock"), object{"teacher": teacherRole(3, a)})
	p.user(StaffUserID, "Desmond", "", "Okafor", p.email("desmond.okafor"), object{"staff": staffRole(4, "PortalOnly", "Counselor", b)})
	p.user(TechLeadUserID, "Linh", "", "Trần-Ellison", p.email("linh.tranellison"), object{"staff": staffRole(5, "SchoolTechLead", "Technology Lead", a, c)})
	p.user(DistrictAdminUserID, "Marisol", "", "Quintero-Hale", p.email("marisol.quinterohale"), object{
		"district_admin": adminRole(6, "Director of Technology"),
	})
	p.user(AdminTeacherUserID, "Casimir", "", "Brzezicki", p.email("casimir.brzezicki"), object{
		"teacher": teacherRole(0x16, c), "district_admin": adminRole(0x16, ""),
	})
	p.user(NoRolesUserID, "Priya", "", "Venkataraman", p.email("priya.venkataraman"), object{})
	var all []string
	for k := range min(p.d.nSchools, 250) {
		all = append(all, p.school(k))
	}
	p.user(ManySchoolsUserID, "Bronwyn", "", "Applewhite", p.email("bronwyn.applewhite"), object{
		"staff": staffRole(0x12, "PortalOnly", "Nurse", all...),
	})
	p.user(FirstTwinUserID, "Jonathan", "R", "Castellane", p.email("jonathan.castellane"), object{"teacher": teacherRole(0x18, a)})
	p.user(SecondTwinUserID, "Jon", "", "Castellane", p.email("jon.castellane"), object{"staff": staffRole(0x19, "PortalOnly", "", b)})
}

func (p *planter) families(a string) {
	student := studentRole(StudentUserID, 7, "7", a)
	student["enrollments"] = []object{{
		"school": a, "start_date": p.d.terms[0].start.Format(stampLayout),
		"end_date": p.d.terms[len(p.d.terms)-1].end.Format(stampLayout),
	}}
	p.user(StudentUserID, "Theo", "", "Marchetti", p.email("theo.marchetti"), object{"student": student})
	contact := func(id, last, email string, number int, students ...string) {
		p.plant(p.d.users, object{"id": id, "name": object{"last": last}, "email": email, "roles": object{"contact": contactRole(number, students...)}})
	}
	contact(ContactUserID, "Marchetti, Gina", "gina.marchetti@home."+p.d.domain, 8, StudentUserID, NoEnrollmentsUserID)
	contact(SharedEmailContactID, "Whitlock, Hannah", p.email("hannah.whitlock"), 0xa, SensitiveUserID)
	p.user(NoEnrollmentsUserID, "Vera", "", "Marchetti", "", object{"student": studentRole(NoEnrollmentsUserID, 0x14, "6", a)})
	// Every field that the product must never store, to prove that it does not.
	s := studentRole(SensitiveUserID, 0x15, "8", a)
	sensitive := object{
		"dob": "4/17/2013", "gender": "X", "race": "Two or More Races", "hispanic_ethnicity": "Y", "ell_status": "Y",
		"frl_status": "Reduced", "iep_status": "Active", "section_504_status": "Y", "gifted_status": "N", "home_language": "Quechua",
		"home_language_code": "que", "disability": object{"disability_status": "Y", "disability_type": "Autism", "disability_code": "aut"},
		"preferred_name": object{"first": "Wren", "middle": "", "last": ""},
		"location":       object{"address": "12 Nowhere Lane", "city": "Kestrel Valley", "state": "NM", "zip": "00000", "lat": "", "lon": ""},
	}
	maps.Copy(s, sensitive)
	p.user(SensitiveUserID, "Wilhelmina", "", "Whitlock", p.email("wilhelmina.whitlock"), object{"student": s})
}

func (p *planter) oddities(a, b string) {
	p.user(NullEmailUserID, "Otis", "", "Underhill", nil, object{"teacher": teacherRole(0xb, a)})
	p.user(NonASCIIUserID, "Ọláyínká", "Þóra", "Nguyễn-Łukaszewicz", p.email("olayinka.nl"), object{"teacher": teacherRole(0xc, a)})
	p.user(LongNameUserID, strings.Repeat("Maximiliana ", 41)+"Ottoline", strings.Repeat("Ω", 500), strings.Repeat("Featherstone", 41)+"haughley",
		p.email("maximiliana"), object{"teacher": teacherRole(0xd, a)})
	p.user(RightToLeftUserID, "ليلى", "", "الحدّاد", p.email("layla.hd"), object{"teacher": teacherRole(0xe, b)})
	p.user(ScriptUserID, `<script>alert("x")</script>`, `'"&`, `O'Neil</td><img src=x onerror=alert(1)>`, p.email("script"), object{
		"teacher": teacherRole(0xf, b),
	})
	p.user(UnknownRoleUserID, "Delphine", "", "Ravenel", p.email("delphine.ravenel"), object{
		"staff": staffRole(0x10, "PortalOnly", "", b), UnknownRole: object{"schools": []string{b}, "legacy_id": legacy(0x10, 9)},
	})
	p.user(UnknownLabelUserID, "Reuben", "", "Stonebridge", p.email("reuben.stonebridge"), object{"staff": staffRole(0x11, UnknownLabel, "", b)})
	p.user(UnsharedSchoolUserID, "Tobias", "", "Desrosiers", p.email("tobias.desrosiers"), object{"teacher": teacherRole(0x13, UnsharedSchoolID)})
	p.plant(p.d.users, object{"id": AbsentFieldsUserID, "name": object{"first": "Cleo", "middle": nil, "last": "Hollis"}, "roles": object{
		"student": nil, "contact": nil, "teacher": object{"school": a, "schools": []string{a}, "sis_id": "", "title": nil, "legacy_id": legacy(0x17, 1)},
	}})
}

func (p *planter) classes(a, b, c string) {
	d := p.d
	section := func(id, school, name, subject string, course int, term any, teachers []string, students []string) {
		var teacher any
		if len(teachers) > 0 {
			teacher = teachers[0]
		}
		p.plant(d.sections, object{
			"id": id, "school": school, "name": name, "sis_id": "SEC-P-" + id[22:], "section_number": "", "period": "2",
			"grade": "", "subject": subject, "course": d.courses.ids.id(course), "term_id": term, "teacher": teacher, "teachers": teachers,
			"students": students,
		})
	}
	first := d.termList.ids.id(0)
	section(CoTaughtSectionID, a, "Humanities - Whitlock and Brakus", "social studies", 9, first,
		[]string{TeacherUserID, SeedUserID}, append(p.pupils(1, 18), StudentUserID, SensitiveUserID))
	section(OutsideSectionID, p.school(3), "Reading Workshop - Adeyemi-Cole", "english/language arts", 1, first,
		[]string{ThreeSchoolsUserID}, p.pupils(3, 12))
	section(NullTermSectionID, a, "Lunchtime Chess - Whitlock", "other", 5, nil, []string{TeacherUserID}, append(p.pupils(1, 6), NoEnrollmentsUserID))
	section(NoTeacherSectionID, b, "Study Hall", "", 20, "", []string{}, p.pupils(0, 9))
	section(SeedUserSectionID, a, "Pre-Algebra - Brakus - 4", "math", 7, first, []string{SeedUserID}, append(p.pupils(1, 22), StudentUserID))
	section(AllRolesSectionID, b, "Composition - Fenwick - 1", "english/language arts", 17, first, []string{AllRolesUserID}, p.pupils(0, 20))
	section(AdminTeacherSectionID, c, "Art and Music - Brzezicki", "arts and music", 5, first, []string{AdminTeacherUserID}, p.pupils(2, 15))
}

// pupils are ids of the first generated students of school k.
func (p *planter) pupils(k, n int) []string {
	d := p.d
	var out []string
	for _, c := range d.cohorts {
		for s := c.from; c.school == k%d.nSchools && s < c.to && len(out) < n; s++ {
			out = append(out, d.users.ids.id(d.studentsFrom()+s))
		}
	}
	return out
}

// personas are the planted people in the order in which they are offered.
func (d *district) personas() []Persona {
	if !d.main {
		return []Persona{d.persona("Teacher in the other district", SameEmailOtherUserID)}
	}
	return []Persona{
		d.persona("District admin", DistrictAdminUserID),
		d.persona("School staff", StaffUserID),
		d.persona("School Tech Lead", TechLeadUserID),
		d.persona("Teacher", TeacherUserID),
		d.persona("Teacher and staff", SeedUserID),
		d.persona("Teacher, staff at two schools", ThreeSchoolsUserID),
		d.persona("Teacher, staff and district admin", AllRolesUserID),
		d.persona("Student", StudentUserID),
		d.persona("Contact", ContactUserID),
		d.persona("No role shared", NoRolesUserID),
	}
}

func (d *district) persona(label, id string) Persona {
	p := Persona{Label: label, ID: id}
	e, ok := d.users.find(id)
	if !ok {
		return p
	}
	p.Name, p.Email = e.extra.name, e.extra.email
	for _, role := range []string{"teacher", "staff", "district_admin", "student", "contact"} {
		if e.extra.roles&roleBits[role] != 0 {
			p.Roles = append(p.Roles, role)
		}
	}
	return p
}
