package sandbox

import (
	"strconv"
	"time"
)

// appendLegacy writes a role's id from before v3, which no two roles share.
func (d *district) appendLegacy(b []byte, role, i int) []byte {
	b = append(b, `"legacy_id":"`...)
	b = appendHex(b, 0x60bb1000+uint64(i), 8)
	b = append(b, d.users.ids.machine[:]...)
	b = appendHex(b, uint64(role)<<20|uint64(i)&0xfffff, 6)
	return append(b, '"')
}

func (d *district) appendSchools(b []byte, places []place, role int) []byte {
	b = append(b, `"schools":[`...)
	for _, p := range places {
		if p.role == role {
			b = append(b, '"')
			b = d.schools.ids.append(b, p.school)
			b = append(b, '"', ',')
		}
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, ']', ',')
}

func (d *district) appendTeacher(b []byte, i int, places []place) []byte {
	b = append(b, `"teacher":{"school":"`...)
	b = d.schools.ids.append(b, places[0].school)
	b = append(b, `",`...)
	b = d.appendSchools(b, places, isTeacher)
	b = append(b, `"sis_id":"T`...)
	b = strconv.AppendInt(b, int64(100000+i), 10)
	b = append(b, `","teacher_number":"`...)
	b = strconv.AppendInt(b, int64(40000+i), 10)
	b = append(b, `","state_id":"","title":"`...)
	if i%11 == 0 {
		b = append(b, "Department Head"...)
	}
	b = append(b, '"', ',')
	b = append(d.appendLegacy(b, 1, i), '}')
	if d.teacherIsStaff(i) {
		b = append(b, ',')
		b = d.appendStaff(b, i, places, i%3 == 0)
	}
	if d.teacherIsAdmin(i) {
		b = append(b, ',')
		b = d.appendAdmin(b, i)
	}
	return b
}

var staffTitles = [...]string{"", "Counselor", "Registrar", "Instructional Coach", "Assistant Principal", "Office Manager", "Librarian"}

func (d *district) appendStaff(b []byte, i int, places []place, techLead bool) []byte {
	b = append(b, `"staff":{`...)
	b = d.appendSchools(b, places, isStaff)
	b = append(b, `"staff_id":"`...)
	b = strconv.AppendInt(b, int64(700000+i), 10)
	if techLead {
		b = append(b, `","roles":["SchoolTechLead"],"title":"`...)
	} else {
		b = append(b, `","roles":["PortalOnly"],"title":"`...)
	}
	b = append(b, staffTitles[i%len(staffTitles)]...)
	b = append(b, `","department":"",`...)
	return append(d.appendLegacy(b, 2, i), '}')
}

func (d *district) appendAdmin(b []byte, i int) []byte {
	b = append(b, `"district_admin":{"title":"",`...)
	return append(d.appendLegacy(b, 3, i), '}')
}

func (d *district) appendStudent(b []byte, i int, places []place, h uint64) []byte {
	s := i - d.studentsFrom()
	c := d.studentCohort(s)
	b = append(b, `"student":{"school":"`...)
	b = d.schools.ids.append(b, c.school)
	b = append(b, `",`...)
	b = d.appendSchools(b, places, isStudent)
	b = append(b, `"enrollments":[`...)
	if h>>40%4 == 0 {
		b = append(b, `{"school":"`...)
		b = d.schools.ids.append(b, c.school)
		b = append(b, `","start_date":"`...)
		b = d.terms[0].start.AppendFormat(b, time.DateOnly)
		b = append(b, `","end_date":"`...)
		b = d.terms[len(d.terms)-1].end.AppendFormat(b, time.DateOnly)
		b = append(b, `"}`...)
	}
	b = append(b, `],"sis_id":"`...)
	b = strconv.AppendInt(b, int64(1_000_000+s), 10)
	b = append(b, `","student_number":"`...)
	b = strconv.AppendInt(b, int64(2_000_000+s), 10)
	b = append(b, `","state_id":"","grade":"`...)
	grade := schoolLevel(c.school).grades[c.grade]
	b = append(b, grade...)
	b = append(b, `","graduation_year":"`...)
	year, err := strconv.Atoi(grade)
	if err != nil {
		year = 0 // kindergarten
	}
	b = strconv.AppendInt(b, int64(d.terms[len(d.terms)-1].end.Year()+12-year), 10)
	b = append(b, `","legacy_id":"`...)
	b = d.users.ids.append(b, i)
	return append(b, `"}`...)
}

func (d *district) appendContact(b []byte, i int, h uint64) []byte {
	b = append(b, `"contact":{"phone":"","phone_type":"`...)
	b = append(b, [...]string{"Cell", "Home", "Work", ""}[h>>40%4]...)
	b = append(b, `","sis_id":"",`...)
	b = d.appendLegacy(b, 4, i)
	b = append(b, `,"student_relationships":[`...)
	for n, s := range d.contactStudents(i - d.contactsFrom()) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"student":"`...)
		b = d.users.ids.append(b, d.studentsFrom()+s)
		b = append(b, `","relationship":"`...)
		b = append(b, [...]string{"Parent", "Parent", "Parent", "Grandparent", "Aunt/Uncle", ""}[h>>44%6]...)
		b = append(b, `","type":"`...)
		b = append(b, [...]string{"Parent/Guardian", "Primary", "Emergency", "Family"}[h>>48%4]...)
		b = append(b, `"}`...)
	}
	return append(b, ']', '}')
}
