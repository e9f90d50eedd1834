package views

import (
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"strings"

	"hallpass/access"
)

// RuleHead is a column of the rules: a role, or the staff with a label.
type RuleHead struct {
	Role, Label string
	People      int // who carry the label; of no meaning for a role
}

// name is whom the rule is about: "Staff", "Staff: School Tech Lead".
func (h RuleHead) name(l *Locale) string {
	if h.Label == "" {
		return l.Role(h.Role)
	}
	return l.F("rules.label_of", "Role", l.Role(h.Role), "Label", label(l, h.Label))
}

// where says how far what the rule gives reaches.
func (h RuleHead) where(l *Locale) string {
	switch h.Role {
	case "teacher":
		return l.T("rules.reach.teacher")
	case "staff":
		return l.T("rules.reach.staff")
	}
	return l.T("rules.reach.district_admin")
}

// Key names the column in forms.
func (h RuleHead) Key() string {
	if h.Label == "" {
		return h.Role
	}
	return h.Role + "/" + h.Label
}

// RuleCell is what one rule says of one permission.
type RuleCell struct {
	Given, Default bool
	Through        bool // not by this label's rule: the role gives it to everyone in it
	Ticked         bool // in a form, as it was filled in
}

func (c RuleCell) changed() bool { return c.Given != c.Default }

// RuleRow is one permission with a cell for each column.
type RuleRow struct {
	Act   Act
	Scope string // section, school, district: the smallest place it is asked about
	Cells []RuleCell
}

// RuleLabel is a staff label that the district's people carry.
type RuleLabel struct {
	Label  string
	People int
}

// RulesPage is who may do what by role: as it is, or as a form.
type RulesPage struct {
	Frame
	Heads     []RuleHead
	Rows      []RuleRow
	Labels    []RuleLabel // labels without a column, to add one
	Combining string
	PerRole   bool
	Changed   int // cells that differ from the shipped rules
	Notices   []string

	// Of the form.
	Problems []string // nothing, moved, label, odd
	Was      []string // for each column, what was given when the form was drawn: ruleMarks
	Of       string   // print of the catalogue that the form is about
}

// RuleMarks are the given permissions of a column as a form carries them.
func RuleMarks(s access.Set) string {
	var b strings.Builder
	for _, w := range s {
		b.WriteString(strconv.FormatUint(w, 16) + ".")
	}
	return strings.TrimSuffix(b.String(), ".")
}

// ReadRuleMarks reads what RuleMarks wrote.
func ReadRuleMarks(text string) (s access.Set, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != len(s) {
		return s, false
	}
	for i, p := range parts {
		w, err := strconv.ParseUint(p, 16, 64)
		if err != nil {
			return s, false
		}
		s[i] = w
	}
	return s, true
}

// CatalogueMark is a print of a catalogue's permissions in their order: a form filled in under another catalogue would
// be about others.
func CatalogueMark(definitions []access.Definition) string {
	h := fnv.New64a()
	for _, d := range definitions {
		_, _ = h.Write([]byte(d.Permission + " ")) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (f Frame) rulesHref() string     { return RulesPath(f.District.CleverID, f.View) }
func (f Frame) rulesEditHref() string { return RulesEditPath(f.District.CleverID, f.View) }

func (p RulesPage) combiningText(l *Locale) string {
	if p.PerRole {
		return l.T("rules.combining.per_role")
	}
	switch p.Combining {
	case "least_privileged":
		return l.T("rules.combining.least_privileged")
	case "view_in_use":
		return l.T("rules.combining.view_in_use")
	}
	return l.T("rules.combining.most_privileged")
}

func (p RulesPage) problem(l *Locale, code string) string {
	switch code {
	case "nothing":
		return l.T("rules.problem.nothing")
	case "moved":
		return l.T("rules.problem.moved")
	case "label":
		return l.T("rules.problem.label")
	}
	return l.T("rules.problem.odd")
}

func scopeWord(l *Locale, scope string) string {
	switch scope {
	case "section":
		return l.T("rules.scope.section")
	case "school":
		return l.T("rules.scope.school")
	}
	return l.T("rules.scope.district")
}

// RulesTitle is what the page of the rules is called.
func (l *Locale) RulesTitle() string { return l.T("rules.title") }

// RulesCheck heads the preview of a change of rules, and names its button.
func (l *Locale) RulesCheck() (title, button string) {
	return l.T("rules.check.title"), l.T("rules.check.button")
}

// UndoRules heads the preview of an undo, and names its button.
func (l *Locale) UndoRules(number int64) (title, button string) {
	return l.F("rules.undo.title", "Number", l.Num(int(number))), l.T("change.undo")
}

// RulesSaySo says that there is nothing to change.
func (l *Locale) RulesSaySo() string { return l.T("rules.check.none") }

// RulesSentence says how many rules change, or have changed, and for whom.
func (l *Locale) RulesSentence(n int, heads []RuleHead, done bool) string {
	names := make([]string, len(heads))
	for i, h := range heads {
		names[i] = h.name(l)
	}
	if done {
		return l.N("rules.done", n, "Who", l.List(names))
	}
	return l.N("rules.check.sentence", n, "Who", l.List(names))
}

// RuleAnswer is one cell on a receipt.
func (l *Locale) RuleAnswer(h RuleHead, act Act, before, after bool) Answer {
	return Answer{
		Label: h.name(l), Value: l.F("rules.answer.to", "Act", act.says(), "After", yesNo(l, after)), From: l.F("rules.answer.from", "Before", yesNo(l, before)),
	}
}

// TouchedAnswer says on a receipt whom a change touched.
func (l *Locale) TouchedAnswer(people, more int) Answer {
	a := Answer{Label: l.T("simulation.answer"), Value: l.N("people.n", people)}
	if more > 0 {
		a.From = l.N("simulation.more", more)
	}
	return a
}
