package sandbox

import (
	"strconv"
	"time"
)

// Roles as bits, in the order in which Clever's spec names them.
const (
	isContact = 1 << iota
	isDistrictAdmin
	isStaff
	isStudent
	isTeacher
)

var roleBits = map[string]int{
	"contact": isContact, "district_admin": isDistrictAdmin, "staff": isStaff,
	"student": isStudent, "teacher": isTeacher,
}

// Every teacher in five is also staff at other schools, as districts have it
// with coaches and coordinators.
func (d *district) teacherIsStaff(t int) bool {
	return mix(d.seed^1, uint64(t))%5 == 0 && d.nSchools > 1
}

// A few teachers are district admins too.
func (d *district) teacherIsAdmin(t int) bool { return t%(d.nTeachers/(d.nAdmins/2+1)+1) == 1 }

func (d *district) roleMask(i int) int {
	switch {
	case i < d.staffFrom():
		m := isTeacher
		if d.teacherIsStaff(i) {
			m |= isStaff
		}
		if d.teacherIsAdmin(i) {
			m |= isDistrictAdmin
		}
		return m
	case i < d.adminsFrom():
		return isStaff
	case i < d.studentsFrom():
		return isDistrictAdmin
	case i < d.contactsFrom():
		return isStudent
	}
	return isContact
}

// place is a school that a user's role names.
type place struct {
	school, role int
	primary      bool
}

// places appends the schools of generated user i, role by role.
func (d *district) places(i int, to []place) []place {
	h := mix(d.seed^2, uint64(i))
	other := func(k, step int) int {
		return (k + 1 + int(h>>8%uint64(d.nSchools-1)+uint64(step))%(d.nSchools-1)) % d.nSchools
	}
	switch {
	case i < d.staffFrom():
		k := d.teacherSchool(i)
		to = append(to, place{k, isTeacher, true})
		if h%9 == 4 {
			to = append(to, place{other(k, 2), isTeacher, false})
		}
		if d.teacherIsStaff(i) {
			for s := range 1 + int(h>>4%3) {
				to = append(to, place{other(k, s), isStaff, false})
			}
		}
	case i < d.adminsFrom():
		k := (i - d.staffFrom()) % d.nSchools
		to = append(to, place{k, isStaff, false})
		for s := range []int{0, 0, 0, 1, 2, 5, 11, 0}[h%8] {
			if s >= d.nSchools-1 {
				break
			}
			to = append(to, place{other(k, s), isStaff, false})
		}
	case i >= d.studentsFrom() && i < d.contactsFrom():
		k := d.studentCohort(i - d.studentsFrom()).school
		to = append(to, place{k, isStudent, true})
		if h%1000 < d.secondSchool {
			to = append(to, place{other(k, 0), isStudent, false})
		}
	}
	return to
}

// contactStudents are the students of contact c: one, or one and a sibling.
func (d *district) contactStudents(c int) []int {
	s := c * d.nStudents / d.nContacts
	if mix(d.seed^3, uint64(c))%10 < 3 && s+1 < d.nStudents {
		return []int{s, s + 1}
	}
	return []int{s}
}

// studentContacts turns contactStudents round.
func (d *district) studentContacts(s int) []int {
	var out []int
	guess := s * d.nContacts / d.nStudents
	for c := max(guess-2, 0); c <= guess+2 && c < d.nContacts; c++ {
		for _, t := range d.contactStudents(c) {
			if t == s {
				out = append(out, c)
			}
		}
	}
	return out
}

// userName draws a name. Employees get each pair of names once, so that an
// email leads to one of them; one in twenty-three shares the name of the
// colleague before and has a number in the email instead.
func (d *district) userName(i int) (first, last word, number int) {
	h := mix(d.seed^4, uint64(i))
	if i >= d.studentsFrom() {
		if i >= d.contactsFrom() {
			c := i - d.contactsFrom()
			_, last, _ = d.userName(d.studentsFrom() + d.contactStudents(c)[0])
			return pick(firstNames, h>>5), last, c + 1
		}
		return pick(firstNames, h), pick(lastNames, h>>32), i - d.studentsFrom() + 1
	}
	if i%23 == 7 {
		first, last, number = d.userName(i - 1)
		return first, last, max(number, 1) + 1
	}
	n := len(firstNames) * len(lastNames)
	c := (i*7919 + int(d.seed%uint64(n))) % n
	if i >= n {
		number = 10 * (i / n)
	}
	return firstNames[c%len(firstNames)], lastNames[(c/len(firstNames)+c%len(firstNames))%len(lastNames)], number
}

// stamps are timestamps to draw from, so that none is formatted in a list.
var stamps = func() (out [1024]string) {
	t := time.Date(2024, 7, 15, 5, 0, 0, 0, time.UTC)
	for i := range out {
		out[i] = t.Format("2006-01-02T15:04:05.000Z")
		t = t.Add(17*time.Hour + 13*time.Second + 211*time.Millisecond)
	}
	return out
}()

func (d *district) appendEmail(b []byte, i int) []byte {
	first, last, number := d.userName(i)
	b = append(b, first.slug...)
	b = append(b, '.')
	b = append(b, last.slug...)
	if number > 0 {
		b = strconv.AppendInt(b, int64(number), 10)
	}
	b = append(b, '@')
	if i >= d.contactsFrom() {
		b = append(b, "home."...)
	}
	return append(b, d.domain...)
}

// hasEmail: one employee in forty, one student in thirty and a third of the
// contacts have none.
func (d *district) hasEmail(i int) bool {
	h := mix(d.seed^5, uint64(i))
	switch {
	case i < d.studentsFrom():
		return h%40 != 0
	case i < d.contactsFrom():
		return h%30 != 0
	}
	return h%3 != 0
}

func (d *district) appendUser(b []byte, i int) []byte {
	h := mix(d.seed^6, uint64(i))
	b = append(b, `{"id":"`...)
	b = d.users.ids.append(b, i)
	b = append(b, `","district":"`...)
	b = append(b, d.id...)
	b = append(b, `","created":"`...)
	b = append(b, stamps[h%200]...)
	b = append(b, `","last_modified":"`...)
	b = append(b, stamps[h%200+h>>9%800]...)
	b = append(b, `","name":{`...)
	first, last, _ := d.userName(i)
	if i >= d.contactsFrom() {
		b = append(b, `"last":"`...)
		b = append(append(append(b, last.name...), ", "...), first.name...)
	} else {
		b = append(append(b, `"first":"`...), first.name...)
		b = append(b, `","middle":"`...)
		if h>>20%3 == 0 {
			b = append(b, 'A'+byte(h>>24%26))
		}
		b = append(append(b, `","last":"`...), last.name...)
	}
	b = append(b, '"', '}')
	switch {
	case d.hasEmail(i):
		b = append(b, `,"email":"`...)
		b = append(d.appendEmail(b, i), '"')
	case h>>30%3 == 0:
		b = append(b, `,"email":""`...)
	case h>>30%3 == 1:
		b = append(b, `,"email":null`...)
	}
	b = append(b, `,"roles":{`...)
	var buf [24]place
	places := d.places(i, buf[:0])
	switch {
	case i < d.staffFrom():
		b = d.appendTeacher(b, i, places)
	case i < d.adminsFrom():
		b = d.appendStaff(b, i, places, h>>32%4 == 0)
	case i < d.studentsFrom():
		b = d.appendAdmin(b, i)
	case i < d.contactsFrom():
		b = d.appendStudent(b, i, places, h)
	default:
		b = d.appendContact(b, i, h)
	}
	return append(b, '}', '}')
}
