package roster

import (
	"encoding/json"
	"slices"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
)

func school(s clever.School) models.RosterSchool {
	return models.RosterSchool{
		CleverID: s.ID, Name: s.Name, SISID: s.SISID, Number: s.SchoolNumber,
		LowGrade: s.LowGrade, HighGrade: s.HighGrade, Created: s.Created, Modified: s.LastModified,
	}
}

func term(t clever.Term) models.RosterTerm {
	return models.RosterTerm{CleverID: t.ID, Name: t.Name, Start: t.StartDate, End: t.EndDate}
}

func section(s clever.Section) models.RosterSection {
	return models.RosterSection{
		CleverID: s.ID, School: s.School, Term: s.TermID, Name: s.Name, SISID: s.SISID,
		Number: s.SectionNumber, Period: s.Period, Grade: s.Grade, Subject: s.Subject,
		Teacher: s.Teacher, Teachers: s.Teachers, Students: s.Students, Created: s.Created, Modified: s.LastModified,
	}
}

func user(u clever.User) models.RosterUser {
	out := models.RosterUser{
		CleverID: u.ID, First: u.Name.First, Middle: u.Name.Middle, Last: u.Name.Last,
		Email: u.Email, Created: u.Created, Modified: u.LastModified,
	}
	add := func(r access.Role, g models.RosterGrant) {
		g.Role = string(r)
		out.Grants = append(out.Grants, g)
	}
	if r := u.Roles.Student; r != nil {
		add(access.Student, models.RosterGrant{
			LegacyID: r.LegacyID, SISID: r.SISID, Number: r.StudentNumber, Grade: r.Grade,
			Schools: r.Schools, Primary: r.School,
		})
	}
	if r := u.Roles.Teacher; r != nil {
		add(access.Teacher, models.RosterGrant{
			LegacyID: r.LegacyID, SISID: r.SISID, Number: r.TeacherNumber, Title: r.Title,
			Schools: r.Schools, Primary: r.School,
		})
	}
	if r := u.Roles.Staff; r != nil {
		add(access.Staff, models.RosterGrant{LegacyID: r.LegacyID, SISID: r.StaffID, Title: r.Title, Labels: r.Labels, Schools: r.Schools})
	}
	if r := u.Roles.DistrictAdmin; r != nil {
		add(access.DistrictAdmin, models.RosterGrant{LegacyID: r.LegacyID, Title: r.Title})
	}
	if r := u.Roles.Contact; r != nil {
		add(access.Contact, models.RosterGrant{LegacyID: r.LegacyID, SISID: r.SISID})
		for _, s := range r.Relationships {
			out.Students = append(out.Students, models.RosterContactStudent{Student: s.Student, Relationship: s.Relationship, Kind: s.Type})
		}
	}
	for role, raw := range u.Roles.Unknown {
		add(access.Role(role), unknownGrant(raw))
	}
	return out
}

// unknownGrant keeps, of a role that Clever added after this was written, the fields that known roles share. What is
// of another kind than there is left out, so that a new role never stops a sync.
func unknownGrant(raw json.RawMessage) models.RosterGrant {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return models.RosterGrant{}
	}
	text := func(name string) (s string) {
		if json.Unmarshal(fields[name], &s) != nil {
			return ""
		}
		return s
	}
	list := func(name string) (l []string) {
		if json.Unmarshal(fields[name], &l) != nil {
			return nil
		}
		return slices.DeleteFunc(l, func(s string) bool { return s == "" })
	}
	return models.RosterGrant{
		LegacyID: text("legacy_id"), SISID: text("sis_id"), Title: text("title"), Grade: text("grade"),
		Labels: list("roles"), Schools: list("schools"), Primary: text("school"),
	}
}
