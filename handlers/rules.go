package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// Bounds of a form of rules.
const (
	maxLabel    = 100 // characters of a staff label
	maxRuleRows = 200
)

// showRules is what each role gives, beside what ships.
func showRules(v *visit) (reply, error) {
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return nil, err
	}
	p, err := v.rulesPage(d, "")
	if err != nil {
		return nil, err
	}
	return page(views.Rules(p)), nil
}

// editRules is the form of the rules.
func editRules(v *visit) (reply, error) {
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return nil, err
	}
	label, ok := readLabel(v.c.QueryParam("label"))
	if !ok {
		label = ""
	}
	p, err := v.rulesPage(d, label)
	if err != nil {
		return nil, err
	}
	if !ok {
		p.Problems = append(p.Problems, "label")
		return pageAs(http.StatusUnprocessableEntity, views.RulesForm(p)), nil
	}
	return page(views.RulesForm(p)), nil
}

// readLabel cleans a staff label that somebody typed.
func readLabel(s string) (string, bool) {
	s = strings.TrimSpace(s)
	return s, utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxLabel && !strings.ContainsFunc(s, unicode.IsControl)
}

// rulesPage is the rules as they are, with a column for one more label if one is asked for.
func (v *visit) rulesPage(d models.Decided, label string) (views.RulesPage, error) {
	labels, err := v.tx.StaffLabels(v.ctx)
	if err != nil {
		return views.RulesPage{}, err
	}
	l, c := v.locale(), d.Policy.Catalogue
	p := views.RulesPage{
		Combining: string(d.Policy.ChosenCombining()), PerRole: d.Policy.Strategy == access.PerRole, Of: views.CatalogueMark(c.Definitions()),
	}
	carry := map[string]int{}
	for _, o := range labels {
		carry[o.Label] = o.People
	}
	heads := ruleHeads(d.Policy, label)
	for _, h := range heads {
		p.Heads = append(p.Heads, views.RuleHead{Role: string(h.Role), Label: h.Label, People: carry[h.Label]})
	}
	for _, o := range labels {
		if !slices.Contains(heads, access.Giver{Role: access.Staff, Label: o.Label}) {
			p.Labels = append(p.Labels, views.RuleLabel{Label: o.Label, People: o.People})
		}
	}
	given := make([]access.Set, len(heads))
	for _, def := range c.Definitions() {
		row := views.RuleRow{Act: l.Act(def), Scope: string(def.Scope)}
		for i, h := range heads {
			cell := views.RuleCell{Given: d.Policy.Rule(h.Role, h.Label, def.Permission), Default: c.Default(h.Role, h.Label, def.Permission)}
			cell.Through = h.Label != "" && !cell.Given && d.Policy.Rule(h.Role, "", def.Permission)
			if cell.Ticked = cell.Given; cell.Given {
				given[i] = given[i].Or(c.Set(def.Permission))
			}
			if cell.Given != cell.Default {
				p.Changed++
			}
			row.Cells = append(row.Cells, cell)
		}
		p.Rows = append(p.Rows, row)
	}
	for _, s := range given {
		p.Was = append(p.Was, views.RuleMarks(s))
	}
	p.Frame = v.frame()
	return p, nil
}

// ruleHeads are the columns: the working roles, the labels that rules speak of behind the staff, and one more label.
func ruleHeads(p *access.Policy, label string) []access.Giver {
	heads := []access.Giver{{Role: access.DistrictAdmin}, {Role: access.Staff}, {Role: access.Teacher}}
	add := func(h access.Giver) {
		if !slices.Contains(heads, h) {
			heads = append(heads, h)
		}
	}
	for _, r := range p.Rules() {
		if r.Label == "" || len(r.Permissions) > 0 || slices.ContainsFunc(p.Catalogue.Rules(), func(o access.Rule) bool { return o.Label == r.Label }) {
			add(access.Giver{Role: r.Role, Label: r.Label})
		}
	}
	if label != "" {
		add(access.Giver{Role: access.Staff, Label: label})
	}
	slices.SortStableFunc(heads, compareGivers)
	return heads
}

func compareGivers(a, b access.Giver) int {
	return cmp.Or(cmp.Compare(slices.Index(access.Roles(), a.Role), slices.Index(access.Roles(), b.Role)), cmp.Compare(a.Label, b.Label))
}

// previewRules shows what the filled-in form would change: the cells that were ticked or unticked in it. What somebody
// else changed since the form was drawn stays.
func previewRules(v *visit) (reply, error) {
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return nil, err
	}
	values, err := v.form()
	if err != nil {
		return nil, err
	}
	form, problem := readRules(values, d.Policy.Catalogue)
	if problem != "" {
		return v.rulesAgain(d, form, problem)
	}
	cells := form.cells(d.Policy)
	if len(cells) == 0 {
		return v.rulesAgain(d, form, "nothing")
	}
	l, district, view := v.locale(), v.me.District.CleverID, string(v.actor.View)
	begun := views.WeighingPage{Crumb: views.Link{Href: views.RulesPath(district, view), Word: l.RulesTitle()}}
	begun.Title, _ = l.RulesCheck()
	return v.weigh(begun, views.RulesEditPath(district, view), func(v *visit) (plan, reply, error) {
		d, err := v.tx.Decided(v.ctx)
		if err != nil {
			return plan{}, nil, err
		}
		p, err := v.planRules(d, cells, nil)
		return p, nil, err
	})
}

// rulesAgain is the form with what was filled in.
func (v *visit) rulesAgain(d models.Decided, form rulesForm, problem string) (reply, error) {
	extra := ""
	for h := range form {
		if !slices.Contains(ruleHeads(d.Policy, ""), h) {
			extra = h.Label
		}
	}
	p, err := v.rulesPage(d, extra)
	if err != nil {
		return nil, err
	}
	p.Problems = append(p.Problems, problem)
	for i, row := range p.Rows {
		for j, h := range p.Heads {
			if filled, ok := form[access.Giver{Role: access.Role(h.Role), Label: h.Label}]; ok {
				row.Cells[j].Ticked = filled.ticked.Has(i)
			}
		}
	}
	status := http.StatusUnprocessableEntity
	if problem == "moved" {
		status = http.StatusConflict
	}
	return pageAs(status, views.RulesForm(p)), nil
}

// rulesForm is a filled-in form: by column, what was given when it was drawn, and what is ticked.
type rulesForm map[access.Giver]struct{ was, ticked access.Set }

func readRules(values url.Values, c *access.Catalogue) (rulesForm, string) {
	if values.Get("of") != views.CatalogueMark(c.Definitions()) {
		return nil, "moved"
	}
	rows := values["row"]
	form := rulesForm{}
	for i, row := range rows[:min(len(rows), maxRuleRows)] {
		h, ok := readGiver(row)
		if _, twice := form[h]; !ok || twice {
			return nil, "odd"
		}
		n := strconv.Itoa(i)
		column := form[h]
		if column.was, ok = views.ReadRuleMarks(values.Get("was" + n)); !ok {
			return nil, "odd"
		}
		for _, p := range values["r"+n] {
			if _, _, known := c.Find(access.Permission(p)); !known {
				return nil, "odd"
			}
			column.ticked = column.ticked.Or(c.Set(access.Permission(p)))
		}
		form[h] = column
	}
	if len(form) == 0 || len(rows) > maxRuleRows {
		return nil, "odd"
	}
	return form, ""
}

// readGiver reads a column's name: teacher, staff/SchoolTechLead.
func readGiver(s string) (h access.Giver, ok bool) {
	role, label, labelled := strings.Cut(s, "/")
	h.Role = access.Role(role)
	if h.Label, ok = readLabel(label); !ok || !h.Role.WorksHere() {
		return h, false
	}
	return h, !labelled || h.Role == access.Staff && h.Label != ""
}

// cells are what the form changes of the rules as they are now, in the order of the page.
func (f rulesForm) cells(p *access.Policy) (cells []access.RuleChange) {
	var heads []access.Giver
	for h := range f {
		heads = append(heads, h)
	}
	slices.SortFunc(heads, compareGivers)
	for _, h := range heads {
		for i, d := range p.Catalogue.Definitions() {
			ticked := f[h].ticked.Has(i)
			if ticked != f[h].was.Has(i) && ticked != p.Rule(h.Role, h.Label, d.Permission) {
				cells = append(cells, access.RuleChange{Role: h.Role, Label: h.Label, Permission: d.Permission, Given: ticked})
			}
		}
	}
	return cells
}

// A cell travels with the preview as +staff/SchoolTechLead:grades.edit, with - where it is taken away.
func cellText(c access.RuleChange) string {
	sign := "-"
	if c.Given {
		sign = "+"
	}
	return fmt.Sprintf("%s%s:%s", sign, views.RuleHead{Role: string(c.Role), Label: c.Label}.Key(), c.Permission)
}

func readCell(c *access.Catalogue, text string) (cell access.RuleChange, ok bool) {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return cell, false
	}
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return cell, false
	}
	h, ok := readGiver(text[1:at])
	cell = access.RuleChange{Role: h.Role, Label: h.Label, Permission: access.Permission(text[at+1:]), Given: text[0] == '+'}
	_, _, known := c.Find(cell.Permission)
	return cell, ok && known
}
