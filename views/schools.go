package views

import (
	"net/url"
	"strings"
)

func (p SchoolsPage) places() string {
	if p.ViewPlaces != "" && p.View != "district_admin" {
		return p.ViewPlaces
	}
	return p.District.Name
}

func (p SchoolsPage) count(l *Locale) string {
	n := max(p.Total, len(p.Rows))
	if p.Q != "" {
		return l.N("schools.count.match", n)
	}
	return l.N("schools.count", n)
}

func (p SchoolsPage) pageHref(param string, to *PageLink) string {
	if to == nil {
		return p.schoolsHref()
	}
	q := url.Values{param: {to.Cursor}}
	if p.Q != "" {
		q.Set("q", p.Q)
	}
	return withQuery(p.schoolsHref(), q)
}

// from is a school's ids under its name. Districts often use one number for both.
func (s SchoolRow) from() string {
	var parts []string
	if s.SISID != "" {
		parts = append(parts, "SIS "+s.SISID)
	}
	if s.Number != "" && s.Number != s.SISID {
		parts = append(parts, "No. "+s.Number)
	}
	return strings.Join(parts, " · ")
}
