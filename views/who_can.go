package views

import (
	"maps"
	"net/url"
)

// WhoCanRow is a person who may.
type WhoCanRow struct {
	ID       int64
	Name     string // Last, First Middle; empty: beyond the reader's reach
	Role     string // of one that is beyond reach, so that something can be said
	Reason   Reason // zero where only sections are meant
	Sections int    // in how many of the school's own sections
	Student  bool   // not named in print
}

// because is why, in a few words.
func (r WhoCanRow) because(l *Locale) string {
	if r.Sections > 0 {
		return l.N("who.in_sections", r.Sections)
	}
	return l.ReasonBrief(r.Reason)
}

// name is how the person is shown: one who is beyond reach by the role alone.
func (r WhoCanRow) name(l *Locale) string {
	if r.ID == 0 {
		return l.T("who.beyond")
	}
	return personName(l, r.Name)
}

func (p WhoCanPage) pageHref(direction string, at *PageLink) string {
	if at == nil {
		return ""
	}
	q := asked(p.Form.Permission, p.Form.Place)
	if p.InSections {
		q.Set("in", "sections")
	}
	q.Set(direction, at.Cursor)
	return withQuery(p.whoCanHref("", ""), q)
}

func (p WhoCanPage) sectionsHref() string {
	q := url.Values{"in": {"sections"}}
	maps.Copy(q, asked(p.Form.Permission, p.Form.Place))
	return withQuery(p.whoCanHref("", ""), q)
}

// partial says whether the page shows only some of those who may.
func (p WhoCanPage) partial() bool {
	return p.Prev != nil || p.Next != nil || p.InSections || p.SectionsCount.AtLeast || p.SectionsCount.N > len(p.Sections)
}

// cut says whether a sheet leaves somebody out.
func (p WhoCanPage) cut() bool {
	return p.Sheet && (p.Count.AtLeast || p.SectionsCount.AtLeast || p.Count.N > len(p.Rows) || p.SectionsCount.N > len(p.Sections))
}

func (p WhoCanPage) listHref() string {
	return withQuery(p.whoCanHref("", ""), asked(p.Form.Permission, p.Form.Place))
}

func (p WhoCanPage) sheetHref() string {
	q := asked(p.Form.Permission, p.Form.Place)
	q.Set("sheet", "1")
	return withQuery(p.whoCanHref("", ""), q)
}

func (p WhoCanPage) csvHref() string {
	return WhoCanCSVPath(p.District.CleverID, p.View, p.Form.Permission, p.Form.Place)
}

// count says how many, honestly where counting stopped.
func (c WhoCanCount) words(l *Locale) string {
	if c.AtLeast {
		return l.N("who.count", c.N, "Count", l.Num(c.N)+"+")
	}
	return l.N("who.count", c.N)
}

// heading is the question as a sentence: "Who can change grades at Orion High".
func (p WhoCanPage) heading(l *Locale) string {
	if p.Spot.Kind == "" || p.Act.Code == "" {
		return l.T("nav.who_can")
	}
	return l.F("who.heading", "Act", p.Act.does(), "Where", p.Spot.inside(l))
}

// WhoCanHeader is the first line of the file.
func (l *Locale) WhoCanHeader() []string {
	return []string{l.T("who.csv.id"), l.T("id.clever"), l.T("users.col.name"), l.T("access.permission"), l.T("check.place"), l.T("access.because"), l.T("access.until")}
}

// WhoCanLine is one line of the file. permission and place are as in addresses.
func (l *Locale) WhoCanLine(r WhoCanRow, id, cleverID, permission, place string) []string {
	until := ""
	if r.Sections == 0 {
		until = l.ReasonUntil(r.Reason)
	}
	return []string{id, cleverID, r.name(l), permission, place, r.because(l), until}
}
