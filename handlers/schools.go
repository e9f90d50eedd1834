package handlers

import (
	"cmp"
	"errors"
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// listSchools lists the schools within reach.
func listSchools(v *visit) (reply, error) {
	q := v.c.QueryParams()
	f := models.SchoolFilter{Q: text(q.Get("q"), maxQuery), After: q.Get("after"), Before: q.Get("before")}
	if f.After != "" {
		f.Before = ""
	}
	var notices []string
	list, err := v.tx.Schools(v.ctx, v.reach, f)
	if errors.Is(err, models.ErrBadCursor) {
		notices = append(notices, noticeBadCursor)
		f.After, f.Before = "", ""
		list, err = v.tx.Schools(v.ctx, v.reach, f)
	}
	if err != nil {
		return nil, err
	}
	p := views.SchoolsPage{
		Q: f.Q, Total: list.Count, Next: link(list.Next, ""), Prev: link(list.Prev, ""), Notices: notices, CanSync: v.maySync(),
	}
	for _, s := range list.Rows {
		p.Rows = append(p.Rows, views.SchoolRow{
			ID: s.CleverID, Name: s.Name, SISID: s.SISID, Number: s.SchoolNumber, LowGrade: s.LowGrade, HighGrade: s.HighGrade,
			Teachers: s.People[access.Teacher], Staff: s.People[access.Staff], Students: s.People[access.Student],
			Sections: s.Sections, Shared: s.Listed, Ended: s.EndedAt != nil,
		})
	}
	p.Frame = v.frame()
	return page(views.Schools(p)), nil
}

// showSchool is one school with the people who work there and a page of its sections.
func showSchool(v *visit) (reply, error) {
	id, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	s, err := v.tx.School(v.ctx, id)
	if err != nil {
		return nil, err
	}
	if err := v.may(access.AtSchool(s.ID)); err != nil {
		return nil, err
	}
	p := views.SchoolPage{
		ID: s.CleverID, Name: s.Name, SISID: s.SISID, Number: s.SchoolNumber, LowGrade: s.LowGrade, HighGrade: s.HighGrade,
		Shared: s.Listed, EndedAt: s.EndedAt, ChangedAt: new(s.ChangedAt),
	}
	counts, err := v.tx.HeadCounts(v.ctx, access.Reach{Schools: []int64{s.ID}})
	if err != nil {
		return nil, err
	}
	p.Counts = roleCounts(counts)
	if p.Employees, p.MoreEmployees, err = v.employees(s); err != nil {
		return nil, err
	}
	if err := v.addSections(&p, s); err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.School(p)), nil
}

// employing are the roles of people who work at a school.
var employing = []access.Role{access.Teacher, access.Staff}

// shownEmployees is how many a school's page names before it refers to the people list.
const shownEmployees = 50

// employees are the teachers and staff of a school, by name; someone who is both stands there twice.
func (v *visit) employees(s models.School) (people []views.SchoolPerson, more bool, err error) {
	type entry struct {
		last, first string
		person      views.SchoolPerson
	}
	var all []entry
	for _, role := range employing {
		list, err := v.tx.Users(v.ctx, v.reach, models.UserFilter{School: s.ID, Role: role, Limit: shownEmployees})
		if err != nil {
			return nil, false, err
		}
		more = more || list.Next != ""
		for _, row := range list.Rows {
			e := entry{models.Fold(row.Last), models.Fold(row.First), views.SchoolPerson{ID: row.ID, Name: listName(row.First, row.Middle, row.Last), Role: string(role)}}
			for _, g := range row.Grants {
				if g.Role == role && g.SchoolCleverID == s.CleverID {
					e.person.Labels, e.person.Primary = g.Labels, g.Primary
				}
			}
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.first, b.first), cmp.Compare(a.person.ID, b.person.ID))
	})
	if len(all) > shownEmployees {
		all, more = all[:shownEmployees], true
	}
	for _, e := range all {
		people = append(people, e.person)
	}
	return people, more, nil
}

func (v *visit) addSections(p *views.SchoolPage, s models.School) error {
	after, before := v.c.QueryParam("after"), v.c.QueryParam("before")
	if after != "" {
		before = ""
	}
	list, err := v.tx.SchoolSections(v.ctx, s.ID, after, before, 0)
	if errors.Is(err, models.ErrBadCursor) {
		p.Notices = append(p.Notices, noticeBadCursor)
		list, err = v.tx.SchoolSections(v.ctx, s.ID, "", "", 0)
	}
	if err != nil {
		return err
	}
	p.Next, p.Prev = link(list.Next, ""), link(list.Prev, "")
	p.TotalSections = list.Count
	for _, row := range list.Rows {
		p.Sections = append(p.Sections, views.SectionRow{
			ID: row.CleverID, Name: row.Name, Period: row.Period, Term: row.Term, Subject: row.Subject, Grade: row.Grade,
			TeacherID: row.TeacherID, Teacher: row.Teacher, CoTeachers: coTeachers(row), Students: row.Students,
		})
	}
	return nil
}

// coTeachers are those beside the primary teacher.
func coTeachers(row models.SectionRow) int {
	if row.TeacherID == 0 {
		return row.Teachers
	}
	return row.Teachers - 1
}
