package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// OverridesFilter is what the list of overrides is asked for. Zero fields are left out of links.
type OverridesFilter struct {
	Q          string
	Permission string
	School     string // Clever id
	Status     string // "" in force, ended, any
	Only       string // ending, no_end, locked, redundant, contradicted, orphaned, stale
	After      string
	Before     string
}

func (f OverridesFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"q": f.Q, "permission": f.Permission, "school": f.School, "status": f.Status, "only": f.Only, "after": f.After, "before": f.Before,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Path is the list under this filter.
func (f OverridesFilter) Path(district, view string) string {
	return withQuery(OverridesPath(district, view), f.query())
}

// Active says whether anything narrows the list.
func (f OverridesFilter) Active() bool {
	return f.Q != "" || f.Permission != "" || f.School != "" || f.Status != "" || f.Only != ""
}

// OverrideRow is one override in the list.
type OverrideRow struct {
	ID, UserID int64
	Name       string // Last, First Middle
	Words      OverrideWords
	Reason     string
	Note       string
	By         string
	At         time.Time
	Ended      *time.Time // nil: it stands
	Soon       bool       // ends within 14 days
	Locked     bool
	Flags      []string
}

// onlyChoices are what the list can be narrowed to.
var onlyChoices = []struct{ value, key string }{
	{"", key("overrides.only.any")},
	{"ending", key("overrides.only.ending")},
	{"no_end", key("overrides.only.no_end")},
	{"locked", key("overrides.only.locked")},
	{"stale", key("overrides.only.stale")},
	{"redundant", key("overrides.only.redundant")},
	{"contradicted", key("overrides.only.contradicted")},
	{"orphaned", key("overrides.only.orphaned")},
}

func (p OverridesPage) count(l *Locale) string {
	if p.Bounded {
		return l.F("overrides.count.bounded", "Count", l.Num(p.Total))
	}
	return l.N("overrides.count", p.Total)
}

func (p OverridesPage) title(l *Locale) string {
	if p.Filter.After != "" || p.Filter.Before != "" {
		if len(p.Rows) > 0 {
			return l.F("overrides.title_from", "Number", strconv.FormatInt(p.Rows[0].ID, 10))
		}
	}
	return l.T("overrides.title")
}

func (p OverridesPage) beside(cursor *PageLink, back bool) string {
	if cursor == nil {
		return ""
	}
	f := p.Filter
	f.After, f.Before = cursor.Cursor, ""
	if back {
		f.After, f.Before = "", cursor.Cursor
	}
	return f.Path(p.District.CleverID, p.View)
}

func (p OverridesPage) exportHref() string {
	f := p.Filter
	f.After, f.Before = "", ""
	return withQuery(OverridesPath(p.District.CleverID, p.View)+".csv", f.query())
}

func (p OverridesPage) notice(l *Locale, n string) string {
	switch n {
	case "bad_cursor":
		return l.T("users.notice.bad_cursor")
	case "school_not_found":
		return l.T("users.notice.school_not_found")
	}
	if n == "none_ticked" {
		return l.T("overrides.none_ticked")
	}
	return l.T("users.notice.unknown_filter")
}

// OverridesTitle is the title of the list.
func (l *Locale) OverridesTitle() string { return l.T("overrides.title") }

// hidden are the filter as a form beside the list carries it.
func (f OverridesFilter) hidden() (list []Hidden) {
	q := f.query()
	for _, name := range []string{"q", "permission", "school", "status", "only", "after", "before"} {
		if value := q.Get(name); value != "" {
			list = append(list, Hidden{name, value})
		}
	}
	return list
}

// standing says whether anything on the page can be ended or extended.
func (p OverridesPage) standing() bool {
	for _, r := range p.Rows {
		if r.Ended == nil {
			return true
		}
	}
	return false
}

// OverrideColumns head the file of overrides.
func (l *Locale) OverrideColumns() []string {
	return []string{
		l.T("overrides.csv.reference"), l.T("override.person"), l.T("overrides.csv.effect"), l.T("diff.permission"), l.T("override.place"),
		l.T("overrides.csv.school"), l.T("override.reason"), l.T("override.note"), l.T("override.until"), l.T("overrides.csv.state"), l.T("override.locked"),
		l.T("overrides.csv.flags"), l.T("override.given_by"), l.T("overrides.csv.made"),
	}
}

// Cells are a row of the file.
func (r OverrideRow) Cells(l *Locale) []string {
	effect, school, state, locked := l.T("override.effect.allow"), r.Words.Spot.Around, l.T("override.state.standing"), l.T("diff.no")
	if !r.Words.Allow {
		effect = l.T("override.effect.deny")
	}
	if r.Words.Spot.Kind == "school" {
		school = r.Words.Spot.name(l)
	}
	if r.Ended != nil {
		state = l.F("override.state.ended", "Date", l.Date(*r.Ended))
	}
	if r.Locked {
		locked = l.T("diff.yes")
	}
	var flags []string
	for _, f := range flagWords(l, r.Flags) {
		flags = append(flags, f.Label)
	}
	return []string{
		"OV-" + strconv.FormatInt(r.ID, 10), r.Name, effect, r.Words.Act.Code, r.Words.Spot.name(l), school,
		l.OverrideReason(r.Reason), r.Note, r.Words.End.short(l), state, locked, strings.Join(flags, ", "), r.By, l.DateTime(r.At),
	}
}

// reference is the second line below what an override says.
func (r OverrideRow) reference(l *Locale) string {
	return l.F("overrides.reference", "Number", strconv.FormatInt(r.ID, 10), "Name", r.By, "Date", l.Date(r.At))
}
