package views

import (
	"context"
	"io"
	"strings"

	"hallpass/assets"

	"github.com/a-h/templ"
)

// iconNames are the symbols of assets/icons.svg.
var iconNames = []string{
	"mark", "home", "people", "school", "section", "sync", "clock", "search", "menu",
	"teacher", "staff", "district_admin", "student", "contact", "role",
	"yes", "no", "skip", "note", "alert", "hold", "arrow", "back", "down", "up", "copy", "ticket", "lock", "pair",
	"more", "less", "same", "print", "undo", "calendar", "download", "key", "settings",
}

// markup is ready HTML made at start, so that a row of a list writes it in one go.
type markup string

func (m markup) Render(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, string(m))
	return err
}

var icons = func() map[string]templ.Component {
	all := make(map[string]templ.Component, len(iconNames))
	for _, name := range iconNames {
		all[name] = markup(`<svg class="icon" aria-hidden="true" focusable="false"><use href="` + assets.URL("icons.svg") + "#" + name + `"></use></svg>`)
	}
	return all
}()

// icon draws a symbol of the sprite; a word always stands beside it.
func icon(name string) templ.Component {
	if c, ok := icons[name]; ok {
		return c
	}
	return templ.NopComponent
}

// The five roles of Clever, in the order they are shown.
var knownRoles = []string{"district_admin", "staff", "teacher", "student", "contact"}

func roleIcon(role string) string {
	switch role {
	case "district_admin", "staff", "teacher", "student", "contact":
		return role
	}
	return "role"
}

// Role is a role's name; one that Hallpass does not know stays as Clever sent it.
func (l *Locale) Role(role string) string {
	switch role {
	case "teacher":
		return l.T("role.teacher")
	case "staff":
		return l.T("role.staff")
	case "district_admin":
		return l.T("role.district_admin")
	case "student":
		return l.T("role.student")
	case "contact":
		return l.T("role.contact")
	}
	return role
}

// roleLower is the role's name inside a sentence.
func (l *Locale) roleLower(role string) string {
	switch role {
	case "teacher":
		return l.T("role.teacher.lower")
	case "staff":
		return l.T("role.staff.lower")
	case "district_admin":
		return l.T("role.district_admin.lower")
	case "student":
		return l.T("role.student.lower")
	case "contact":
		return l.T("role.contact.lower")
	}
	return role
}

// rolePlural heads a row of people: "Teachers".
func (l *Locale) rolePlural(role string) string {
	switch role {
	case "teacher":
		return l.T("role.teacher.plural")
	case "staff":
		return l.T("role.staff.plural")
	case "district_admin":
		return l.T("role.district_admin.plural")
	case "student":
		return l.T("role.student.plural")
	case "contact":
		return l.T("role.contact.plural")
	}
	return role
}

func isKnownRole(role string) bool { return roleIcon(role) == role }

// label is a staff label as people say it; unknown ones stay as Clever sent them.
func label(l *Locale, wire string) string {
	if wire == "SchoolTechLead" {
		return l.T("label.tech_lead")
	}
	return wire
}

func labelList(l *Locale, wires []string) string {
	if len(wires) == 0 {
		return ""
	}
	if len(wires) == 1 {
		return label(l, wires[0])
	}
	said := make([]string, len(wires))
	for i, w := range wires {
		said[i] = label(l, w)
	}
	return strings.Join(said, ", ")
}

// personName is a name to show and link; a record without any name still needs one.
func personName(l *Locale, name string) string {
	if strings.TrimSpace(name) == "" {
		return l.T("person.no_name")
	}
	return name
}

// family is the part of "Last, First Middle" that a list is sorted by.
func family(name string) string {
	before, _, _ := strings.Cut(name, ",")
	return before
}

// period is how a section's period is said: "Period 3", or as it came when it says
// more than a number.
func period(l *Locale, p string) string {
	p = strings.TrimSpace(p)
	if p == "" {
		return ""
	}
	if len(p) <= 3 {
		return l.F("section.period_n", "Period", p)
	}
	return p
}

// grades is "6 to 8", "K", or nothing.
func grades(l *Locale, low, high string) string {
	switch {
	case low == "" && high == "":
		return ""
	case low == "" || high == "" || low == high:
		return grade(l, low+strings.TrimPrefix(high, low))
	}
	return l.F("grade.range", "Low", grade(l, low), "High", grade(l, high))
}

// grade says Clever's words for grades in ours; numbers stay numbers.
func grade(l *Locale, g string) string {
	switch g {
	case "Kindergarten":
		return l.T("grade.kindergarten")
	case "PreKindergarten":
		return l.T("grade.prekindergarten")
	case "TransitionalKindergarten":
		return l.T("grade.transitional")
	case "InfantToddler":
		return l.T("grade.infant")
	case "Preschool":
		return l.T("grade.preschool")
	case "PostGraduate":
		return l.T("grade.postgraduate")
	case "Ungraded":
		return l.T("grade.ungraded")
	case "Other":
		return l.T("grade.other")
	}
	return g
}

func subject(l *Locale, s string) string {
	switch s {
	case "english/language arts":
		return l.T("subject.english")
	case "math":
		return l.T("subject.math")
	case "science":
		return l.T("subject.science")
	case "social studies":
		return l.T("subject.social")
	case "language":
		return l.T("subject.language")
	case "homeroom/advisory":
		return l.T("subject.homeroom")
	case "interventions/online learning":
		return l.T("subject.interventions")
	case "technology and engineering":
		return l.T("subject.technology")
	case "PE and health":
		return l.T("subject.pe")
	case "arts and music":
		return l.T("subject.arts")
	case "other":
		return l.T("subject.other")
	}
	return s
}
