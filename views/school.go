package views

import (
	"net/url"
	"strings"
)

// shownName is empty for a school that Clever does not share.
func (p SchoolPage) shownName() string {
	if !p.Shared {
		return ""
	}
	return p.Name
}

func (p SchoolPage) summary(l *Locale) string {
	if g := grades(l, p.LowGrade, p.HighGrade); g != "" {
		return l.F("school.summary.grades", "District", p.District.Name, "Grades", g)
	}
	return l.F("school.summary", "District", p.District.Name)
}

func (p SchoolPage) peopleHref(role string, several bool) string {
	return p.listHref(UsersFilter{Role: role, School: p.ID, Multi: several})
}

func (p SchoolPage) sectionsHref(param string, to *PageLink) string {
	path := p.schoolHref(p.ID)
	if to != nil {
		path = withQuery(path, url.Values{param: {to.Cursor}})
	}
	return path + "#sections"
}

func (e SchoolPerson) detail(l *Locale) string {
	said := labelList(l, e.Labels)
	if e.Primary {
		if said != "" {
			said += ", "
		}
		said += l.T("place.primary")
	}
	return said
}

func (s SectionRow) from(l *Locale) string {
	var parts []string
	if s.Subject != "" {
		parts = append(parts, subject(l, s.Subject))
	}
	if s.Grade != "" {
		parts = append(parts, gradeWord(l, s.Grade))
	}
	return strings.Join(parts, " · ")
}

// gradeWord is "Grade 7", or a grade's own name.
func gradeWord(l *Locale, g string) string {
	if g != "" && g[0] >= '0' && g[0] <= '9' {
		return l.F("grade.n", "Grade", g)
	}
	return grade(l, g)
}
