package views

import (
	"net/url"
	"strings"
)

// sub says whose schools these are: everyone's only where the reader reaches the district.
func (p SchoolsPage) sub(l *Locale) string {
	if p.ViewPlaces != "" {
		return l.F("schools.sub_confined", "Places", p.ViewPlaces)
	}
	return l.F("schools.sub", "Places", p.District.Name)
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
