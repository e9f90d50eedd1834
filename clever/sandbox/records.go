package sandbox

import (
	"strconv"
	"time"
)

// collections lays out the ids and joins them to what writes the records.
func (d *district) collections() {
	space := func(kind string, n int, start, span uint64) idSpace {
		return newIDSpace(d.seed, kind, d.number, n, start, span)
	}
	d.schools = &collection{kind: "schools", ids: space("schools", d.nSchools, 0x63850300, 0x9000), record: d.appendSchool}
	if d.main {
		d.schools.ids.first = []string{SeedStaffSchool, SeedTeacherSchool}
	}
	// The span of the users' ids takes in the planted ones, so that those stand
	// in the middle of the list.
	d.users = &collection{kind: "users", ids: space("users", d.nUsers(), 0x6385a000, 0x4fa6000), record: d.appendUser}
	d.courses = &collection{kind: "courses", ids: space("courses", len(courses), 0x63860000, 0x8000), record: d.appendCourse}
	d.termList = &collection{kind: "terms", ids: space("terms", len(d.terms), 0x63870000, 0x8000), record: d.appendTerm}
	d.sections = &collection{kind: "sections", ids: space("sections", d.nSections(), 0x64c00000, 0x3000000), record: d.appendSection}
}

func (d *district) appendSchool(b []byte, k int) []byte {
	l := schoolLevel(k)
	b = append(b, `{"id":"`...)
	b = d.schools.ids.append(b, k)
	b = append(b, `","district":"`...)
	b = append(b, d.id...)
	b = append(b, `","name":"`...)
	b = append(b, d.schoolName(k)...)
	b = append(b, `","sis_id":"`...)
	b = strconv.AppendInt(b, int64(100+k), 10)
	b = append(b, `","school_number":"`...)
	b = strconv.AppendInt(b, int64(100+k), 10)
	b = append(b, `","state_id":"","low_grade":"`...)
	b = append(b, l.grades[0]...)
	b = append(b, `","high_grade":"`...)
	b = append(b, l.grades[len(l.grades)-1]...)
	b = append(b, `","phone":"","created":"`...)
	b = append(b, stamps[k%64]...)
	b = append(b, `","last_modified":"`...)
	b = append(b, stamps[64+k%64]...)
	return append(b, `"}`...)
}

func (d *district) appendCourse(b []byte, i int) []byte {
	b = append(b, `{"id":"`...)
	b = d.courses.ids.append(b, i)
	b = append(b, `","district":"`...)
	b = append(b, d.id...)
	b = append(b, `","name":"`...)
	b = append(b, courses[i].name...)
	b = append(b, `","number":"C`...)
	b = strconv.AppendInt(b, int64(100+i), 10)
	return append(b, `"}`...)
}

// appendTerm writes the first term's dates as Clever's spec has them and the
// others' as its docs have them.
func (d *district) appendTerm(b []byte, i int) []byte {
	layout := time.DateOnly
	if i == 0 {
		layout = "2006-01-02T15:04:05.000Z"
	}
	t := d.terms[i]
	b = append(b, `{"id":"`...)
	b = d.termList.ids.append(b, i)
	b = append(b, `","district":"`...)
	b = append(b, d.id...)
	b = append(b, `","name":"`...)
	b = append(b, t.name...)
	b = append(b, `","start_date":"`...)
	b = t.start.AppendFormat(b, layout)
	b = append(b, `","end_date":"`...)
	b = t.end.AppendFormat(b, layout)
	return append(b, `"}`...)
}

// sectionCourse draws a course that the section's school has.
func (d *district) sectionCourse(q int) int {
	fit := coursesAt(schoolLevel(d.sectionCohort(q).school))
	return fit[mix(d.seed^7, uint64(q))%uint64(len(fit))]
}

func (d *district) sectionTerm(q int) int {
	return int(mix(d.seed^8, uint64(q)) % uint64(len(d.terms)))
}

func (d *district) appendSection(b []byte, q int) []byte {
	c := d.sectionCohort(q)
	course := d.sectionCourse(q)
	primary, second, shared := d.sectionTeachers(q)
	period := 1 + (q-c.section)/c.groups
	b = append(b, `{"id":"`...)
	b = d.sections.ids.append(b, q)
	b = append(b, `","district":"`...)
	b = append(b, d.id...)
	b = append(b, `","school":"`...)
	b = d.schools.ids.append(b, c.school)
	b = append(b, `","name":"`...)
	b = append(b, courses[course].name...)
	b = append(b, " - "...)
	if primary >= 0 {
		_, last, _ := d.userName(primary)
		b = append(append(b, last.name...), " - "...)
	}
	b = strconv.AppendInt(b, int64(period), 10)
	b = append(b, `","sis_id":"SEC-`...)
	b = strconv.AppendInt(b, int64(q+1), 10)
	b = append(b, `","section_number":"`...)
	b = strconv.AppendInt(b, int64(1+(q-c.section)%c.groups), 10)
	b = append(b, `","period":"`...)
	b = strconv.AppendInt(b, int64(period), 10)
	b = append(b, `","grade":"`...)
	b = append(b, schoolLevel(c.school).grades[c.grade]...)
	b = append(b, `","subject":"`...)
	b = append(b, courses[course].subject...)
	b = append(b, `","course":"`...)
	b = d.courses.ids.append(b, course)
	b = append(b, `","term_id":`...)
	if q%17 == 5 {
		b = append(b, "null"...)
	} else {
		b = append(d.termList.ids.append(append(b, '"'), d.sectionTerm(q)), '"')
	}
	b = append(b, `,"teacher":`...)
	if primary < 0 {
		b = append(b, `null,"teachers":[`...)
	} else {
		b = append(d.users.ids.append(append(b, '"'), primary), '"')
		b = append(b, `,"teachers":["`...)
		b = append(d.users.ids.append(b, primary), '"')
		if shared {
			b = append(d.users.ids.append(append(b, `,"`...), second), '"')
		}
	}
	b = append(b, `],"students":[`...)
	var buf [64]int
	for n, s := range d.sectionStudents(q, buf[:0]) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(d.users.ids.append(append(b, '"'), d.studentsFrom()+s), '"')
	}
	b = append(b, `],"created":"`...)
	b = append(b, stamps[q%100]...)
	b = append(b, `","last_modified":"`...)
	b = append(b, stamps[100+q%800]...)
	return append(b, `"}`...)
}

// ownRecord writes the district's own record.
func (d *district) ownRecord(v31 bool) []byte {
	now := d.opt.Now().UTC()
	self := d.front.Load()
	b := []byte(`{"id":"`)
	b = append(b, d.id...)
	b = append(b, `","name":"`...)
	b = append(b, self.name...)
	b = append(b, `","portal_url":"https://clever.com/in/`...)
	b = append(b, d.domain...)
	b = append(b, `","sis_type":"sftp","error":"","state":"`...)
	b = append(b, self.state...)
	b = append(b, `","launch_date":"2022-11-28","last_sync":"`...)
	b = now.Truncate(2*time.Hour).AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","login_methods":["Clever Badges","Clever Passwords"],"pause_start":null,"pause_end":null`...)
	if v31 {
		b = append(b, `,"last_attendance_sync":null,"lms_type":"","lms_state":""`...)
	}
	return append(b, '}')
}
