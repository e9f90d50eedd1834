package views

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hallpass/access"
)

// Act is a permission in words: its code, and the catalogue's sentence in the reader's language.
type Act struct {
	Code      string
	Sentence  string
	Sensitive bool
}

// Act says a permission of the catalogue in the language of the page.
func (l *Locale) Act(d access.Definition) Act {
	a := Act{Code: string(d.Permission), Sentence: d.English, Sensitive: d.Sensitive}
	if l.Lang == "es" {
		a.Sentence = d.Spanish
	}
	return a
}

// does is the act inside a sentence: "change grades".
func (a Act) does() string {
	s := strings.TrimSuffix(strings.TrimSpace(a.Sentence), ".")
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return a.Code
	}
	return string(unicode.ToLower(r)) + s[size:]
}

// says heads a row: "Change grades".
func (a Act) says() string {
	if s := strings.TrimSuffix(strings.TrimSpace(a.Sentence), "."); s != "" {
		return s
	}
	return a.Code
}

// Spot is a place in words.
type Spot struct {
	Kind   string // section, school or district
	Name   string // of a section or school; "" where Clever does not share it
	Period string // of a section
	Around string // the school of a section
}

// name is the place by itself: "Earth Science, Period 3".
func (s Spot) name(l *Locale) string {
	switch s.Kind {
	case "section":
		return sectionName(l, s.Name, s.Period)
	case "school":
		return schoolName(l, s.Name)
	}
	return l.T("place.whole_district")
}

// inside is the place in a sentence: "at Harbor View Elementary".
func (s Spot) inside(l *Locale) string {
	switch s.Kind {
	case "section":
		return l.F("spot.section", "Name", s.name(l), "School", schoolName(l, s.Around))
	case "school":
		return l.F("spot.school", "Name", s.name(l))
	}
	return l.T("spot.district")
}

// DiffLine is one permission at one place before and after a change.
type DiffLine struct {
	Spot          Spot
	Act           Act
	Before, After bool
	Views         []string // slugs of the views in which it is so; empty: always
	Moved         bool     // not as the reader saw it in the preview before this one
	Note          string   // why it stays, or what it comes from
}

// diffGroup is the lines of the district, or of one school and its sections.
type diffGroup struct {
	head  string
	lines []DiffLine
}

func diffGroups(l *Locale, lines []DiffLine) (groups []diffGroup) {
	for _, line := range lines {
		head := line.Spot.name(l)
		if line.Spot.Kind == "section" {
			head = schoolName(l, line.Spot.Around)
		}
		if n := len(groups); n == 0 || groups[n-1].head != head {
			groups = append(groups, diffGroup{head: head})
		}
		g := &groups[len(groups)-1]
		g.lines = append(g.lines, line)
	}
	return groups
}

// under is the second line below the permission: its code, and the section or the views it is about.
func (d DiffLine) under(l *Locale) string {
	parts := []string{d.Act.Code}
	if d.Spot.Kind == "section" {
		parts = append(parts, d.Spot.name(l))
	}
	if len(d.Views) > 0 {
		words := make([]string, len(d.Views))
		for i, v := range d.Views {
			words[i] = l.viewName(v)
		}
		parts = append(parts, l.F("diff.in_view", "Views", l.List(words)))
	}
	return strings.Join(parts, " · ")
}

// viewName is a view by its role: "teacher".
func (l *Locale) viewName(slug string) string {
	if slug == "all" {
		return l.T("view.all.lower")
	}
	return l.roleLower(slug)
}

// diffSum stands beside the heading: "2 permissions, more access".
func diffSum(l *Locale, lines []DiffLine) string {
	more, less := 0, 0
	for _, d := range lines {
		switch {
		case d.After && !d.Before:
			more++
		case d.Before && !d.After:
			less++
		}
	}
	switch {
	case more > 0 && less > 0:
		return l.N("diff.sum.more", more) + ", " + l.N("diff.sum.less", less)
	case more > 0:
		return l.N("diff.sum.more", more)
	case less > 0:
		return l.N("diff.sum.less", less)
	}
	return l.T("diff.sum.none")
}

// sensitive are the sensitive permissions that the change gives, each once.
func sensitive(lines []DiffLine) (words []string) {
	seen := map[string]bool{}
	for _, d := range lines {
		if d.Act.Sensitive && d.After && !d.Before && !seen[d.Act.Code] {
			seen[d.Act.Code] = true
			words = append(words, d.Act.does())
		}
	}
	return words
}

// Hidden is an answer that the preview carries to its button.
type Hidden struct{ Name, Value string }

// Check is what a preview promises: its button works as long as the plan behind it is the one that was shown.
type Check struct {
	Plan    string // hash of the plan
	Token   string // used once
	Seen    string // of each line shown, for marking what has moved
	Moved   bool   // the facts changed since the reader looked; this is the new preview
	Gone    int    // lines that were shown then and apply no more
	Problem string // why it was not done, or cannot be: a sentence
	Blocked bool   // no button: it cannot be done
}

// Answer is one line of "your answers": what was asked, what was said, and where to change it.
type Answer struct {
	Label, Value, From string
	Href               string // "" where it cannot be changed
}

// Receipt is what a change was, in words.
type Receipt struct {
	Sentence string
	Waits    bool // for a second person: nothing is done yet
	Answers  []Answer
	Lines    []DiffLine
	Links    []Link // to what it was about
}

// Link is a way to somewhere, in words.
type Link struct{ Href, Word string }

// ChangeRef names a change that has to do with this one.
type ChangeRef struct {
	Number int64
	Href   string
	At     time.Time
	By     string
}

// number is a receipt's number as it is said: "No. 12".
func (l *Locale) number(n int64) string { return l.F("change.number", "Number", l.Num(int(n))) }

func (f Frame) changeHref(n int64) string { return ChangePath(f.District.CleverID, f.View, n) }

func (f Frame) undoHref(n int64) string { return UndoPath(f.District.CleverID, f.View, n) }

// NobodyLeft says that a change would leave nobody who may change settings and rules.
func (l *Locale) NobodyLeft() string { return l.T("change.nobody_left") }

// UndoTitles are the title of an undo's preview, and that of the receipt it leads back to.
func (l *Locale) UndoTitles(number int64) (undo, receipt string) {
	n := l.Num(int(number))
	return l.F("undo.title", "Number", n), l.F("change.title", "Number", n)
}
