package handlers

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// ruleChange is what a change of rules records of one cell.
type ruleChange struct {
	Role       access.Role       `json:"role"`
	Label      string            `json:"label,omitempty"`
	Permission access.Permission `json:"permission"`
	Given      bool              `json:"given"`
}

// rulesChange is what a receipt holds: the cells, before or after, and after also whom it touched.
type rulesChange struct {
	Rules   []ruleChange `json:"rules"`
	Touched *touched     `json:"touched,omitempty"`
}

// maxCells bounds a change of rules.
const maxCells = maxRuleRows * access.MaxPermissions

// changeRules applies a previewed change.
func changeRules(v *visit) (reply, error) {
	values, err := v.form()
	if err != nil {
		return nil, err
	}
	return v.apply(func() (plan, reply, error) {
		d, err := v.tx.Decided(v.ctx)
		if err != nil {
			return plan{}, nil, err
		}
		var cells []access.RuleChange
		for _, text := range values["cell"] {
			cell, ok := readCell(d.Policy.Catalogue, text)
			if !ok || len(cells) == maxCells {
				answer, err := v.rulesAgain(d, nil, "odd")
				return plan{}, answer, err
			}
			cells = append(cells, cell)
		}
		if len(cells) == 0 {
			answer, err := v.rulesAgain(d, nil, "nothing")
			return plan{}, answer, err
		}
		p, err := v.planRules(d, cells, nil)
		return p, nil, err
	})
}

// planRules plans setting some cells. undoes is the change that this takes back, if it does.
func (v *visit) planRules(d models.Decided, cells []access.RuleChange, undoes *models.Change) (plan, error) {
	before, moves := make([]ruleChange, len(cells)), 0
	after := make([]ruleChange, len(cells))
	var lines []string
	for i, c := range cells {
		was := d.Policy.Rule(c.Role, c.Label, c.Permission)
		before[i] = ruleChange{c.Role, c.Label, c.Permission, was}
		after[i] = ruleChange{c.Role, c.Label, c.Permission, c.Given}
		lines = append(lines, fmt.Sprintf("%+v %t", before[i], c.Given))
		if was != c.Given {
			moves++
		}
	}
	f, err := v.foresee(d, d.WithRules(cells))
	if err != nil {
		return plan{}, err
	}
	l := v.locale()
	p := plan{
		stated: struct {
			Before, After []ruleChange
			Foreseen      statedForesight
		}{before, after, f.stated()},
		lines: append(lines, f.lines()...),
	}
	if moves == 0 {
		p.blocked = l.RulesSaySo()
	}
	show := func(check views.Check, moved map[int]bool) views.PolicyPreview {
		shown := v.rulesPreview(l, cells, undoes)
		shown.Check = check
		for i, c := range cells {
			def, _, _ := d.Policy.Catalogue.Find(c.Permission)
			shown.Cells = append(shown.Cells, views.RuleLine{
				RuleHead: views.RuleHead{Role: string(c.Role), Label: c.Label}, Act: l.Act(def), Before: before[i].Given, After: c.Given,
				Default: d.Policy.Catalogue.Default(c.Role, c.Label, c.Permission), Moved: moved[i],
			})
		}
		f.show(&shown, l, d.Policy.Catalogue, len(cells), moved)
		shown.Frame = v.frame()
		return shown
	}
	p.draw = func(check views.Check, moved map[int]bool) templ.Component {
		return views.PolicyCheck(show(check, moved))
	}
	p.part = func(check views.Check) templ.Component { return views.PolicyCheckPart(show(check, nil)) }
	p.make = func() (models.NewChange, error) {
		if err := v.tx.SetRules(v.ctx, cells); err != nil {
			return models.NewChange{}, err
		}
		return models.NewChange{
			Action: audit.RulesChanged, Subject: fmt.Sprintf("district:%d", v.actor.District),
			Before: rulesChange{Rules: before}, After: rulesChange{Rules: after, Touched: f.touched()},
		}, nil
	}
	return p, nil
}

// rulesPreview is the preview's frame: what it is about and where its button leads.
func (v *visit) rulesPreview(l *views.Locale, cells []access.RuleChange, undoes *models.Change) views.PolicyPreview {
	district, view := v.me.District.CleverID, string(v.actor.View)
	p := views.PolicyPreview{
		Crumb: views.Link{Href: views.RulesPath(district, view), Word: l.RulesTitle()}, Sentence: l.RulesSentence(len(cells), heads(cells), false),
	}
	if undoes == nil {
		p.Title, p.Button = l.RulesCheck()
		p.To, p.Cancel = views.RulesPath(district, view), views.RulesEditPath(district, view)
		for _, c := range cells {
			p.Answers = append(p.Answers, views.Hidden{Name: "cell", Value: cellText(c)})
		}
		return p
	}
	p.Undoes = undoes.ID
	p.Title, p.Button = l.UndoRules(undoes.ID)
	p.To, p.Cancel = views.UndoPath(district, view, undoes.ID), v.changePath(undoes.ID)
	return p
}

// heads are whom cells are about, each once.
func heads(cells []access.RuleChange) (list []views.RuleHead) {
	for _, c := range cells {
		h := views.RuleHead{Role: string(c.Role), Label: c.Label}
		if !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	return list
}

// undoRules plans giving every cell of a change its value from before.
func undoRules(v *visit, c models.Change) (plan, error) {
	before, err := readRulesChange(c.ID, c.Before)
	if err != nil {
		return plan{}, err
	}
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return plan{}, err
	}
	var cells []access.RuleChange
	for _, r := range before.Rules {
		if _, _, known := d.Policy.Catalogue.Find(r.Permission); known { // else the app has dropped it meanwhile
			cells = append(cells, access.RuleChange(r))
		}
	}
	return v.planRules(d, cells, &c)
}

// rulesReceipt says what a change of rules was.
func rulesReceipt(v *visit, c models.Change) (views.Receipt, error) {
	before, err := readRulesChange(c.ID, c.Before)
	if err != nil {
		return views.Receipt{}, err
	}
	after, err := readRulesChange(c.ID, c.After)
	if err != nil {
		return views.Receipt{}, err
	}
	l := v.locale()
	var cells []access.RuleChange
	r := views.Receipt{}
	for i, a := range after.Rules {
		cells = append(cells, access.RuleChange(a))
		def, _, known := v.server.Store.Catalogue().Find(a.Permission)
		if !known {
			def.Permission = a.Permission
		}
		was := i < len(before.Rules) && before.Rules[i].Given
		r.Answers = append(r.Answers, l.RuleAnswer(views.RuleHead{Role: string(a.Role), Label: a.Label}, l.Act(def), was, a.Given))
	}
	if t := after.Touched; t != nil {
		r.Answers = append(r.Answers, l.TouchedAnswer(t.People, t.More))
	}
	r.Sentence = l.RulesSentence(len(cells), heads(cells), true)
	r.Links = []views.Link{{Href: views.RulesPath(v.me.District.CleverID, string(v.actor.View)), Word: l.RulesTitle()}}
	return r, nil
}

func readRulesChange(id int64, text json.RawMessage) (r rulesChange, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read change %d: %w", id, err)
	}
	return r, nil
}
