package views

import (
	"strings"
	"time"
)

// DupCounts are how many cases wait in each list; Others wait for somebody else.
type DupCounts struct{ Split, A, B, C, Parked, Others int }

func (c DupCounts) waiting() int { return c.Split + c.A + c.B + c.C }

// DupPerson is a member of a suggestion in a list.
type DupPerson struct {
	ID       int64
	Name     string
	Roles    []string // slugs
	Schools  []string
	More     int  // schools beyond those
	Imported bool // from the app's own file, and no record of Clever's
	Ended    bool
}

// DupRow is one suggestion in a list.
type DupRow struct {
	ID         int64
	Kind       string      // merge or split
	Class      string      // A, B or C
	People     []DupPerson // whom to keep first
	Items      []DupItem   // of the strongest pair
	Reasons    []DupReason
	Chance     int
	Returned   bool
	ReturnedAt *time.Time
	Taken      string // by whom; "" by nobody, or by the reader
	TakenAt    time.Time
	Bulk       bool
}

// dupTab is one list of the queue.
type dupTab struct {
	slug, word string
	n          int
}

func (p DuplicatesPage) tabs(l *Locale) []dupTab {
	all := []dupTab{
		{"a", l.T("dups.tab.a"), p.Counts.A}, {"b", l.T("dups.tab.b"), p.Counts.B}, {"c", l.T("dups.tab.c"), p.Counts.C},
	}
	if p.Counts.Split > 0 || p.Tab == "split" {
		all = append([]dupTab{{"split", l.T("dups.tab.split"), p.Counts.Split}}, all...)
	}
	if p.Counts.Parked > 0 || p.Tab == "parked" {
		all = append(all, dupTab{"parked", l.T("dups.tab.parked"), p.Counts.Parked})
	}
	return all
}

// tabText says what a list holds.
func (p DuplicatesPage) tabText(l *Locale) string {
	switch p.Tab {
	case "a":
		return l.T("dups.text.a")
	case "b":
		return l.T("dups.text.b")
	case "c":
		return l.T("dups.text.c")
	case "split":
		return l.T("dups.text.split")
	}
	return l.T("dups.text.parked")
}

func (p DuplicatesPage) sub(l *Locale) string {
	said := l.N("dups.sub", p.Counts.waiting())
	if p.Decided > 0 {
		said += " " + l.N("dups.sub.decided", p.Decided)
	}
	if p.Counts.Parked > 0 {
		said += " " + l.N("dups.sub.parked", p.Counts.Parked)
	}
	return said
}

func (p DuplicatesPage) beside(cursor *PageLink, name string) string {
	if cursor == nil {
		return ""
	}
	return DuplicatesPath(p.District.CleverID, p.View, p.Tab) + "&" + name + "=" + cursor.Cursor
}

// role and place of a person in one line: "Teacher and staff, Briar Glen High".
func (d DupPerson) line(l *Locale) string {
	var words []string
	for i, r := range d.Roles {
		if i == 0 {
			words = append(words, l.Role(r))
		} else {
			words = append(words, l.roleLower(r))
		}
	}
	said := l.List(words)
	switch {
	case d.Imported && said != "":
		said = l.F("dup.from_file_as", "Roles", lowerFirst(said))
	case d.Imported:
		said = l.T("dup.from_file")
	case d.Ended && said != "":
		said = l.F("dup.ended_as", "Roles", lowerFirst(said))
	case d.Ended:
		said = l.T("dup.ended")
	}
	if len(d.Schools) == 1 && d.More == 0 {
		said += ", " + schoolName(l, d.Schools[0])
	} else if n := len(d.Schools) + d.More; n > 1 {
		said += ", " + l.N("dup.schools", n)
	}
	return said
}

func (p DupRow) strongest(l *Locale) string {
	items := DupPair{Items: p.Items}.speaking(true)
	var said []string
	for _, item := range items[:min(len(items), 2)] {
		item.OneIn = 0
		said = append(said, item.says(l))
	}
	return strings.Join(said, " ")
}

// evidence is why the row is in its list, in a sentence.
func (p DupRow) evidence(l *Locale) string {
	switch {
	case p.Kind == "split" && len(p.Items) == 0:
		return l.T("dups.evidence.listed_again")
	case p.Kind == "split":
		return l.T("dups.evidence.split")
	case p.Class == "A":
		return l.T("dups.evidence.confirmed")
	}
	return p.strongest(l)
}

// review names the people for those who hear the link.
func (p DupRow) review() string {
	if len(p.People) == 0 {
		return ""
	}
	return p.People[0].Name
}
