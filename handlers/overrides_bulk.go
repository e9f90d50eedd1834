package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// maxPicked is how many overrides can be changed as one: a page of the list.
const maxPicked = 50

// overridesChange is a change of several overrides as one, ready to be planned.
type overridesChange struct {
	action audit.Action
	people []overridesPerson
	left   []leftOverride
}

// overridesPerson is the overrides of one person in it: what they do together.
type overridesPerson struct {
	who       holder
	was, will []models.Override
	effects   []effectRecord
	lost      []effectRecord // what an undo looks for: the differences that the change made
}

// leftOverride is one that stays as it is, and why.
type leftOverride struct {
	o   models.Override
	why string
}

// overridesOutcome is what a change of several overrides records of each. The differences of a person stand with the first
// of that person's.
type overridesOutcome struct {
	Overrides []overrideOutcome `json:"overrides"`
}

// picked are the overrides of a form, each once, in the order of the list.
func (v *visit) picked(form url.Values) ([]models.Override, error) {
	var ids []int64
	for _, text := range form["pick"][:min(len(form["pick"]), maxPicked)] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return nil, models.ErrNotFound
		}
		ids = append(ids, id)
	}
	found, err := v.tx.OverridesByID(v.ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ids, func(a, b int64) int { return int(b - a) })
	var list []models.Override
	for _, id := range slices.Compact(ids) {
		o, ok := found[id]
		if !ok {
			return nil, models.ErrNotFound
		}
		list = append(list, o)
	}
	return list, nil
}

// overridesOf puts overrides together with what becomes of each: will says it, or why it stays as it is.
func (v *visit) overridesOf(action audit.Action, list []models.Override, will func(models.Override, holder) (models.Override, string, error)) (overridesChange, error) {
	c := overridesChange{action: action}
	for _, o := range list {
		at := slices.IndexFunc(c.people, func(p overridesPerson) bool { return p.who.user.ID == o.UserID })
		if at < 0 {
			who, err := v.holderOf(o.UserID)
			if err != nil {
				return c, err
			}
			c.people, at = append(c.people, overridesPerson{who: who}), len(c.people)
		}
		p := &c.people[at]
		becomes, why, err := will(o, p.who)
		if err != nil {
			return c, err
		}
		if why != "" {
			c.left = append(c.left, leftOverride{o, why})
			continue
		}
		p.was, p.will = append(p.was, o), append(p.will, becomes)
	}
	c.people = slices.DeleteFunc(c.people, func(p overridesPerson) bool { return len(p.was) == 0 })
	for i := range c.people {
		p := &c.people[i]
		p.effects = effectRecords(access.Effects(p.who.facts, p.after()))
	}
	return c, nil
}

// after are the person's facts with all of it.
func (p overridesPerson) after() access.Facts {
	who := p.who
	for _, o := range p.will {
		who.facts = who.with(o)
	}
	return who.facts
}

// planOverrides plans the change. draw is given the page with everything but what is particular to the kind of change.
func (v *visit) planOverrides(c overridesChange, draw func(*views.OverridesBulkPage)) (plan, error) {
	type promised struct {
		Was, Will models.Override
		Ended     bool
	}
	var stated struct {
		Action  audit.Action
		Change  []promised
		Effects [][]effectRecord
		Left    []int64
	}
	stated.Action = c.action
	shown := views.OverridesBulkPage{}
	p := plan{}
	for _, person := range c.people {
		said, err := v.overridesPerson(person)
		if err != nil {
			return p, err
		}
		shown.People = append(shown.People, said)
		for i, will := range person.will {
			ended := will.EndedAt != nil
			will.EndedAt, will.EndedBy = nil, nil
			stated.Change = append(stated.Change, promised{person.was[i], will, ended})
		}
		stated.Effects = append(stated.Effects, person.effects)
		for _, text := range lineTexts(person.effects) {
			p.lines = append(p.lines, fmt.Sprint(person.who.user.ID, " ", text))
		}
	}
	for _, l := range c.left {
		stated.Left = append(stated.Left, l.o.ID)
		says, err := v.overrideSentence(l.o)
		if err != nil {
			return p, err
		}
		shown.Left = append(shown.Left, views.OverridesBulkLeft{ID: l.o.ID, Says: says, Why: l.why})
	}
	p.stated = stated
	if len(c.people) == 0 {
		p.blocked = v.locale().OverridesBulkNothing()
	}
	p.draw = func(check views.Check, moved map[int]bool) templ.Component {
		page := shown
		page.People = slices.Clone(shown.People)
		first := 0
		for i := range page.People {
			mine := map[int]bool{}
			for j := range page.People[i].Lines {
				mine[j] = moved[first+j]
			}
			first += len(page.People[i].Lines)
			page.People[i].Lines = mark(page.People[i].Lines, mine)
		}
		page.Check = check
		draw(&page)
		return views.OverridesBulk(page)
	}
	p.make = func() (models.NewChange, error) { return v.makeOverrides(c) }
	return p, nil
}

// overridesPerson puts one person's part into words.
func (v *visit) overridesPerson(p overridesPerson) (said views.OverridesBulkPerson, err error) {
	said = views.OverridesBulkPerson{UserID: p.who.user.ID, Name: fullName(p.who.user)}
	for i, was := range p.was {
		item := views.OverridesBulkItem{ID: was.ID, Ended: p.will[i].EndedAt != nil}
		if item.Words, err = v.overrideWords(p.will[i], p.who.user); err != nil {
			return said, err
		}
		if item.Before, err = v.endWords(was.OverrideEnd); err != nil {
			return said, err
		}
		item.Moved = !sameEnd(was.OverrideEnd, p.will[i].OverrideEnd)
		said.Items = append(said.Items, item)
	}
	if said.Lines, err = v.diffLines(p.effects); err != nil {
		return said, err
	}
	said.Lost, err = v.lost(p.lost, p.after())
	return said, err
}

// makeOverrides writes it.
func (v *visit) makeOverrides(c overridesChange) (models.NewChange, error) {
	var before struct {
		Overrides []overrideState `json:"overrides"`
	}
	var after overridesOutcome
	for _, p := range c.people {
		for i, o := range p.will {
			if err := v.tx.SetOverride(v.ctx, o); err != nil {
				return models.NewChange{}, err
			}
			before.Overrides = append(before.Overrides, stateOf(p.was[i]))
			outcome := overrideOutcome{overrideState: stateOf(o)}
			if i == 0 {
				outcome.Effects = p.effects
			}
			after.Overrides = append(after.Overrides, outcome)
		}
	}
	return models.NewChange{Action: c.action, Subject: models.SeveralOverrides, Before: before, After: after}, nil
}

// severalOverrides is what the ticked overrides of the list lead to: the question of another end, or at once the preview
// of their ending.
func severalOverrides(v *visit) (reply, error) {
	q := v.c.QueryParams()
	if len(q["pick"]) == 0 {
		return v.overridesList(http.StatusUnprocessableEntity, "none_ticked")
	}
	if q.Get("do") == "end" {
		p, _, err := v.planOverridesEnding(q)
		if err != nil {
			return nil, err
		}
		return p.preview()
	}
	list, err := v.picked(q)
	if err != nil {
		return nil, err
	}
	return v.overridesForm(http.StatusOK, list, endAnswers(q), nil)
}

// overridesForm asks for another end of several overrides.
func (v *visit) overridesForm(status int, list []models.Override, answers views.EndAnswers, problems []views.Problem) (reply, error) {
	p := views.OverridesBulkFormPage{Answers: answers, Problems: problems}
	for _, o := range list {
		u, err := v.tx.User(v.ctx, o.UserID)
		if err != nil {
			return nil, err
		}
		item := views.OverridesBulkItem{ID: o.ID}
		if item.Words, err = v.overrideWords(o, u); err != nil {
			return nil, err
		}
		p.Items = append(p.Items, item)
	}
	var err error
	if p.Ends, err = v.endChoices(holder{}); err != nil {
		return nil, err
	}
	p.Frame = v.frameAt(answers.OverridesBulkPath(v.me.District.CleverID, string(v.actor.View), pickedIDs(list)))
	return pageAs(status, views.OverridesBulkForm(p)), nil
}

func pickedIDs(list []models.Override) []int64 {
	ids := make([]int64, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	return ids
}

// planOverridesExtension plans the new end of the posted form for every override in it.
func (v *visit) planOverridesExtension(form url.Values) (plan, reply, error) {
	list, err := v.picked(form)
	if err != nil {
		return plan{}, nil, err
	}
	answers := endAnswers(form)
	end, problems, err := v.readEnd(answers, holder{}, false)
	if err != nil {
		return plan{}, nil, err
	}
	if len(problems) > 0 || len(list) == 0 {
		answer, err := v.overridesForm(http.StatusUnprocessableEntity, list, answers, problems)
		return plan{}, answer, err
	}
	l := v.locale()
	c, err := v.overridesOf(audit.OverrideExtended, list, func(o models.Override, _ holder) (models.Override, string, error) {
		switch {
		case o.Locked && !v.mayUnlock():
			return o, l.OverrideLocked(), nil
		case !o.Standing(v.tx.Now()):
			return o, l.OverrideOver(), nil
		case sameEnd(o.OverrideEnd, end):
			return o, l.OverrideEndedAlready(), nil
		case o.Allow && !v.actor.Decide(o.Permission, o.Place()).Allowed:
			return o, l.OverrideProblem("not_held"), nil
		}
		o.OverrideEnd = end
		return o, "", nil
	})
	if err != nil {
		return plan{}, nil, err
	}
	words, err := v.endWords(end)
	if err != nil {
		return plan{}, nil, err
	}
	district, view, ids := v.me.District.CleverID, string(v.actor.View), pickedIDs(list)
	p, err := v.planOverrides(c, func(page *views.OverridesBulkPage) {
		page.Back = answers.OverridesBulkPath(district, view, ids)
		page.Title, page.Sentence, page.Button = l.OverridesBulkExtending(page.Count(), words)
		page.Fields = append(views.OverridesBulkHidden("extend", ids), answers.Hidden()...)
		page.Frame = v.frameAt(page.Back)
	})
	return p, nil, err
}

// planOverridesEnding plans to end every override of the form now.
func (v *visit) planOverridesEnding(form url.Values) (plan, reply, error) {
	list, err := v.picked(form)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	c, err := v.overridesOf(audit.OverrideEnded, list, func(o models.Override, _ holder) (models.Override, string, error) {
		switch {
		case o.Locked && !v.mayUnlock():
			return o, l.OverrideLocked(), nil
		case !o.Standing(v.tx.Now()):
			return o, l.OverrideOver(), nil
		}
		o.EndedAt, o.EndedBy = new(v.tx.Now()), &v.me.User.ID
		return o, "", nil
	})
	if err != nil {
		return plan{}, nil, err
	}
	district, view, ids := v.me.District.CleverID, string(v.actor.View), pickedIDs(list)
	p, err := v.planOverrides(c, func(page *views.OverridesBulkPage) {
		page.Back, page.Ends = views.OverridesPath(district, view), true
		page.Title, page.Sentence, page.Button = l.OverridesBulkEnding(page.Count())
		page.Fields = views.OverridesBulkHidden("end", ids)
		page.Frame = v.frameAt(views.OverridesBulkEndPath(district, view, ids))
	})
	return p, nil, err
}

func previewOverrides(v *visit) (reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	p, answer, err := v.planOverridesExtension(form)
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func applyOverrides(v *visit) (reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	return v.apply(func() (plan, reply, error) {
		if form.Get("do") == "end" {
			return v.planOverridesEnding(form)
		}
		return v.planOverridesExtension(form)
	})
}

// undoOverrides plans the inverse of a change of several overrides: each goes back, but for those of which something else
// came in between.
func undoOverrides(v *visit, c models.Change) (plan, error) {
	before, after, err := recordedOverrides(c)
	if err != nil {
		return plan{}, err
	}
	found, err := v.overridesIn(after)
	if err != nil {
		return plan{}, err
	}
	var list []models.Override
	at := map[int64]int{}
	for i, o := range after {
		list = append(list, found[o.Override])
		at[o.Override] = i
	}
	bulk, err := v.overridesOf(audit.OverrideUndone, list, func(o models.Override, who holder) (models.Override, string, error) {
		will := v.undone(o, before[at[o.ID]], after[at[o.ID]].overrideState)
		why, err := v.blockedOverride(overrideChange{action: audit.OverrideUndone, who: who, was: o, will: will})
		return will, why, err
	})
	if err != nil {
		return plan{}, err
	}
	for i := range bulk.people {
		for _, o := range bulk.people[i].was {
			bulk.people[i].lost = append(bulk.people[i].lost, after[at[o.ID]].Effects...)
		}
	}
	l := v.locale()
	p, err := v.planOverrides(bulk, func(page *views.OverridesBulkPage) {
		page.Undoes = c.ID
		page.Title, _ = l.UndoTitles(c.ID)
		page.Sentence, page.Button = l.OverridesBulkUndoing(page.Count()), l.UndoButton(c.ID)
		page.Frame = v.frame()
	})
	return p, err
}

// undone is an override as it was before a change: what others altered since stays.
func (v *visit) undone(was models.Override, before, after overrideState) models.Override {
	will := was
	if before.Exists && !sameEnd(before.End, after.End) {
		will.OverrideEnd = before.End
	}
	switch endedBefore := before.Ended || !before.Exists; {
	case endedBefore && !after.Ended && will.EndedAt == nil:
		will.EndedAt, will.EndedBy = new(v.tx.Now()), &v.me.User.ID
	case !endedBefore && after.Ended:
		will.EndedAt, will.EndedBy = nil, nil
	}
	return will
}

// recordedOverrides reads what a change of several overrides kept.
func recordedOverrides(c models.Change) (before []overrideState, after []overrideOutcome, err error) {
	var b, a overridesOutcome
	if err = unmarshalChange(c, &b, &a); err != nil {
		return nil, nil, err
	}
	if len(b.Overrides) != len(a.Overrides) {
		return nil, nil, fmt.Errorf("read change %d: %d overrides before, %d after", c.ID, len(b.Overrides), len(a.Overrides))
	}
	for _, o := range b.Overrides {
		before = append(before, o.overrideState)
	}
	return before, a.Overrides, nil
}

// overridesIn are the overrides of a recorded change, as they are now. None is ever deleted.
func (v *visit) overridesIn(changed []overrideOutcome) (map[int64]models.Override, error) {
	ids := make([]int64, len(changed))
	for i, o := range changed {
		ids[i] = o.Override
	}
	return v.tx.OverridesByID(v.ctx, ids)
}

// overridesReceipt is a change of several overrides in words.
func overridesReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	before, after, err := recordedOverrides(c)
	if err != nil {
		return r, err
	}
	l := v.locale()
	district, view := v.me.District.CleverID, string(v.actor.View)
	r.Sentence = l.OverridesBulkDone(string(c.Kind), len(after))
	found, err := v.overridesIn(after)
	if err != nil {
		return r, err
	}
	for i, a := range after {
		o := found[a.Override]
		o.OverrideEnd = a.End
		says, err := v.overrideSentence(o)
		if err != nil {
			return r, err
		}
		var was, is views.EndWords
		if was, err = v.endWords(before[i].End); err == nil {
			is, err = v.endWords(a.End)
		}
		if err != nil {
			return r, err
		}
		r.Answers = append(r.Answers, l.OverridesBulkAnswer(o.ID, says, was, is, before[i].Ended, a.Ended))
		r.Links = append(r.Links, views.Link{Href: views.OverridePath(district, view, o.ID), Word: l.OverrideTitle(o.ID)})
	}
	r.Links = append(r.Links, views.Link{Href: views.OverridesPath(district, view), Word: l.OverridesTitle()})
	return r, nil
}
