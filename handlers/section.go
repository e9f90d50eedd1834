package handlers

import (
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showSection is one section with its teachers and students.
func showSection(v *visit) (reply, error) {
	id, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	s, err := v.tx.Section(v.ctx, id)
	if err != nil {
		return nil, err
	}
	at := access.AtSection(s.ID, s.SchoolID)
	v.school = s.SchoolCleverID
	if err := v.may(at); err != nil {
		return nil, err
	}
	teachers, students, err := v.tx.SectionPeople(v.ctx, s.ID)
	if err != nil {
		return nil, err
	}
	p := views.SectionPage{
		ID: s.CleverID, Name: s.Name, School: s.SchoolName, Number: s.SectionNumber, SISID: s.SISID, Period: s.Period,
		Subject: s.Subject, Grade: s.Grade, Term: s.TermName, TermStart: s.TermStart, TermEnd: s.TermEnd, EndedAt: s.EndedAt, ChangedAt: new(s.ChangedAt),
		TeachersNotShared: s.TeachersNotShared, StudentsNotShared: s.StudentsNotShared, Mine: slices.Contains(v.me.Teaches, at),
	}
	if v.actor.Decide(access.UsersView, access.AtSchool(s.SchoolID)).Allowed {
		p.SchoolID = s.SchoolCleverID // a link for those who may follow it
	}
	for _, t := range teachers {
		p.Teachers = append(p.Teachers, views.SectionPerson{ID: t.ID, Name: listName(t.FirstName, t.MiddleName, t.LastName), Primary: t.Primary})
	}
	for _, t := range students {
		p.Students = append(p.Students, views.SectionPerson{ID: t.ID, Name: listName(t.FirstName, t.MiddleName, t.LastName), Grade: t.Grade, Number: t.Number})
	}
	p.Frame = v.frame()
	return page(views.Section(p)), nil
}
