package views

import (
	"net/url"
	"time"
)

// SyncChangesPage is what one run changed of people.
type SyncChangesPage struct {
	Frame
	Run       int64
	Started   time.Time
	FirstSync bool   // everyone was new
	Kind      string // filter; "" for all
	Kinds     []SyncChangeKind
	Rows      []SyncChangeRow
	Trimmed   bool // it was kept for as long as such lists are
	Next      *PageLink
	Prev      *PageLink
}

// SyncChangeKind is a kind of change and how many there are.
type SyncChangeKind struct {
	Kind string
	N    int
}

// SyncChangeRow is one change of one person. Kind is came, returned, left, role_gained, role_lost, school_gained,
// school_lost, labels, name or email.
type SyncChangeRow struct {
	Person, Href       string
	Kind, Role, School string
	Before, After      string
}

// SyncChangesPath is what a run changed of people; SyncChangesCSVPath the same as a file.
func SyncChangesPath(district, view string, run int64, kind, after string) string {
	return withQuery(SyncPath(district, view, run)+"/changes", changesQuery(kind, after))
}

// SyncChangesCSVPath is the list as a file.
func SyncChangesCSVPath(district, view string, run int64, kind string) string {
	return withQuery(SyncPath(district, view, run)+"/changes.csv", changesQuery(kind, ""))
}

func changesQuery(kind, after string) url.Values {
	q := url.Values{}
	if kind != "" {
		q.Set("kind", kind)
	}
	if after != "" {
		q.Set("after", after)
	}
	return q
}

func changeKindWord(l *Locale, kind string) string {
	switch kind {
	case "came":
		return l.T("changed.came")
	case "returned":
		return l.T("changed.returned")
	case "left":
		return l.T("changed.left")
	case "role_gained":
		return l.T("changed.role_gained")
	case "role_lost":
		return l.T("changed.role_lost")
	case "school_gained":
		return l.T("changed.school_gained")
	case "school_lost":
		return l.T("changed.school_lost")
	case "labels":
		return l.T("changed.labels")
	case "name":
		return l.T("changed.name")
	}
	return l.T("changed.email")
}

// about is what the change is of: the role, and the school.
func (r SyncChangeRow) about(l *Locale) string {
	switch {
	case r.Role != "" && r.School != "":
		return l.F("changed.role_at", "Role", l.roleLower(r.Role), "School", r.School)
	case r.Role != "":
		return l.roleLower(r.Role)
	}
	return r.School
}

// SyncChangesHead heads the file.
func (l *Locale) SyncChangesHead() []string {
	return []string{l.T("held.col.name"), l.T("held.col.clever"), l.T("changed.what"), l.T("changed.about"), l.T("diff.before"), l.T("diff.after")}
}

// Cells are one line of it.
func (r SyncChangeRow) Cells(l *Locale, cleverID string) []string {
	return []string{r.Person, cleverID, changeKindWord(l, r.Kind), r.about(l), r.Before, r.After}
}

// pageHref leads to the page that begins after a change, or ends before it.
func (p SyncChangesPage) pageHref(param string, to *PageLink) string {
	if to == nil {
		return ""
	}
	q := changesQuery(p.Kind, "")
	q.Set(param, to.Cursor)
	return withQuery(SyncPath(p.District.CleverID, p.View, p.Run)+"/changes", q)
}

func (p SyncChangesPage) total() (n int) {
	for _, k := range p.Kinds {
		n += k.N
	}
	return n
}
