package sandbox

import (
	"sort"
	"strconv"
	"sync/atomic"
	"time"
)

// district is the plan of one generated district: how many of each kind, who
// belongs to which school. Its memory grows with the schools, not the people.
//
// Users lie in this order: teachers by school, staff, district admins,
// students by school and grade, contacts. Sections lie by school and grade.
type district struct {
	opt    *Options
	seed   uint64
	number int  // 0 or 1
	main   bool // the first one, which has the planted people
	id     string
	name   string
	domain string

	nSchools, nTeachers, nStaff, nAdmins, nStudents, nContacts int
	secondSchool                                               uint64 // per mille of students who attend two schools

	teachersTo []int // per school: teachers of schools 0..k
	cohorts    []cohort
	sectionsTo []int // per school: sections of schools 0..k
	terms      []term

	users, schools, sections, courses, termList *collection
	people                                      []Persona

	feed   feed
	front  atomic.Pointer[front]
	linked atomic.Pointer[linked]
	// What is not shared: schools, and what sharing them again brings back. The
	// feed's lock guards both.
	unshared map[string]bool
	whole    map[string]whole
}

// cohort is one grade at one school. Its students sit in rounds × groups
// sections: each round deals all of them out to the groups anew.
type cohort struct {
	school, grade int
	from, to      int // students
	section       int // first section
	groups        int
}

// front is what the district's own record says of itself and can be edited.
type front struct{ name, state string }

type term struct {
	name       string
	start, end time.Time
}

const groupSize = 25

func newDistrict(opt *Options, number int) *district {
	d := &district{opt: opt, seed: mix(opt.Seed, uint64(number)), number: number, main: number == 0}
	users := opt.Users
	d.nSchools = opt.Schools
	if d.main {
		d.id, d.name, d.domain = SeedDistrictID, "Kestrel Valley Unified School District", "kestrelvalley.example"
	} else {
		users, d.nSchools = 300, 4
		d.id, d.name, d.domain = OtherDistrictID, "Juniper Flats Independent School District", "juniperflats.example"
	}
	d.linked.Store(&linked{token: d.tokenAt(0), made: plantedAt, listed: true})
	d.nTeachers = max(users*50/1000, 2*d.nSchools)
	d.nStaff = max(users*15/1000, d.nSchools)
	d.nAdmins = max(users*15/1_000_000, 1)
	d.nContacts = users * 80 / 1000
	d.nStudents = users - d.nTeachers - d.nStaff - d.nAdmins - d.nContacts
	d.secondSchool = 60
	if users >= 100_000 {
		d.secondSchool = 280 // so that a large district has some 1.3 places per person
	}
	d.deal()
	d.terms = schoolYear(opt.Now(), d.seed)
	d.collections()
	d.front.Store(&front{d.name, "running"})
	d.feed.events = &collection{kind: "events"}
	d.unshared, d.whole = map[string]bool{}, map[string]whole{}
	return d
}

// deal shares students, teachers and sections out to the schools by their size.
func (d *district) deal() {
	total := 0
	for k := range d.nSchools {
		total += schoolLevel(k).weight
	}
	weight, section, student := 0, 0, 0
	for k := range d.nSchools {
		l := schoolLevel(k)
		weight += l.weight
		d.teachersTo = append(d.teachersTo, d.nTeachers*weight/total)
		first, end := student, d.nStudents*weight/total
		for g := range l.grades {
			to := first + (end-first)*(g+1)/len(l.grades)
			c := cohort{school: k, grade: g, from: student, to: to, section: section, groups: (to - student + groupSize - 1) / groupSize}
			d.cohorts = append(d.cohorts, c)
			student, section = to, section+c.groups*d.opt.SectionsPerStudent
		}
		d.sectionsTo = append(d.sectionsTo, section)
	}
}

func (d *district) nSections() int { return d.sectionsTo[d.nSchools-1] }

// The first user index of each class of people.
func (d *district) staffFrom() int    { return d.nTeachers }
func (d *district) adminsFrom() int   { return d.staffFrom() + d.nStaff }
func (d *district) studentsFrom() int { return d.adminsFrom() + d.nAdmins }
func (d *district) contactsFrom() int { return d.studentsFrom() + d.nStudents }
func (d *district) nUsers() int       { return d.contactsFrom() + d.nContacts }

// teachersAt gives the half-open range of a school's teachers.
func (d *district) teachersAt(k int) (from, to int) { return before(d.teachersTo, k), d.teachersTo[k] }

// sectionsAt gives the half-open range of a school's sections.
func (d *district) sectionsAt(k int) (from, to int) { return before(d.sectionsTo, k), d.sectionsTo[k] }

func before(sums []int, k int) int {
	if k == 0 {
		return 0
	}
	return sums[k-1]
}

func (d *district) teacherSchool(t int) int { return sort.SearchInts(d.teachersTo, t+1) }

func (d *district) studentCohort(s int) *cohort {
	return &d.cohorts[sort.Search(len(d.cohorts), func(i int) bool { return d.cohorts[i].to > s })]
}

func (d *district) sectionCohort(q int) *cohort {
	return &d.cohorts[sort.Search(len(d.cohorts), func(i int) bool {
		c := &d.cohorts[i]
		return c.section+c.groups*d.opt.SectionsPerStudent > q
	})]
}

// factor is a number without a common divisor with n, so that j → j·factor mod
// n deals n students out in another order each round.
func factor(round, n int) int {
	if round == 0 || n < 3 {
		return 1
	}
	for f := 7 + round*6; ; f++ {
		if gcd(f, n) == 1 {
			return f % n
		}
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// inverse of f modulo n, for f and n without a common divisor.
func inverse(f, n int) int {
	t, u, r, v := 0, 1, n, f%n
	for v != 0 {
		q := r / v
		t, u = u, t-q*u
		r, v = v, r-q*v
	}
	return ((t % n) + n) % n
}

// sectionStudents are the students (not user indexes) of section q, ascending
// in no order.
func (d *district) sectionStudents(q int, to []int) []int {
	c := d.sectionCohort(q)
	n := c.to - c.from
	round, group := (q-c.section)/c.groups, (q-c.section)%c.groups
	inv := 1
	if n > 1 {
		inv = inverse(factor(round, n), n)
	}
	for x := group * n / c.groups; x < (group+1)*n/c.groups; x++ {
		to = append(to, c.from+x*inv%n)
	}
	return to
}

// studentSections are the sections that student s sits in, ascending.
func (d *district) studentSections(s int) []int {
	c := d.studentCohort(s)
	n := c.to - c.from
	var out []int
	for round := range d.opt.SectionsPerStudent {
		x := (s - c.from) * factor(round, n) % n
		group := x * c.groups / n
		for (group+1)*n/c.groups <= x {
			group++
		}
		out = append(out, c.section+round*c.groups+group)
	}
	return out
}

// sectionTeachers are the teachers of section q, the primary one first. Every
// eighth section has two.
func (d *district) sectionTeachers(q int) (primary, second int, shared bool) {
	k := d.sectionCohort(q).school
	from, to := d.teachersAt(k)
	first, _ := d.sectionsAt(k)
	local, n := q-first, to-from
	if n == 0 {
		return -1, -1, false
	}
	return from + local%n, from + (local+1)%n, local%8 == 3 && n > 1
}

// teacherSections are the sections that teacher t gives or shares, ascending.
func (d *district) teacherSections(t int) []int {
	k := d.teacherSchool(t)
	from, to := d.teachersAt(k)
	first, end := d.sectionsAt(k)
	n, own := to-from, t-from
	var out []int
	for local := own; first+local < end; local += n {
		out = append(out, first+local)
	}
	if n > 1 {
		for local := (own - 1 + n) % n; first+local < end; local += n {
			if local%8 == 3 {
				out = append(out, first+local)
			}
		}
	}
	sort.Ints(out)
	return out
}

// schoolYear makes the terms of the school year that now lies in: semesters or
// trimesters, by seed.
func schoolYear(now time.Time, seed uint64) []term {
	y := now.Year()
	if now.Month() < time.July {
		y--
	}
	day := func(year int, m time.Month, d int) time.Time { return time.Date(year, m, d, 0, 0, 0, 0, time.UTC) }
	label := strconv.Itoa(y) + "-" + strconv.Itoa((y+1)%100)
	if seed%2 == 0 {
		return []term{
			{"Fall " + label, day(y, 8, 17), day(y, 12, 18)},
			{"Spring " + label, day(y+1, 1, 5), day(y+1, 6, 4)},
		}
	}
	return []term{
		{"Trimester 1 " + label, day(y, 8, 17), day(y, 11, 25)},
		{"Trimester 2 " + label, day(y, 11, 30), day(y+1, 3, 5)},
		{"Trimester 3 " + label, day(y+1, 3, 8), day(y+1, 6, 4)},
	}
}
