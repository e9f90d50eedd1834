package handlers

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// effectRecord is one difference as plans and changes keep it: ids and codes.
type effectRecord struct {
	Permission access.Permission `json:"permission"`
	Kind       access.Kind       `json:"place"`
	School     int64             `json:"school,omitempty"`
	Section    int64             `json:"section,omitempty"`
	Before     bool              `json:"before"`
	After      bool              `json:"after"`
	Views      []access.View     `json:"views,omitempty"`
}

func (e effectRecord) place() access.Place {
	return access.Place{Kind: e.Kind, School: e.School, Section: e.Section}
}

func effectRecords(effects []access.Effect) []effectRecord {
	list := make([]effectRecord, len(effects))
	for i, e := range effects {
		list[i] = effectRecord{e.Permission, e.Place.Kind, e.Place.School, e.Place.Section, e.Before, e.After, e.Views}
	}
	return list
}

// lineTexts are the records as a preview remembers them.
func lineTexts(records []effectRecord) []string {
	texts := make([]string, len(records))
	for i, e := range records {
		texts[i] = fmt.Sprintf("%s %s %d %d %v %v %v", e.Permission, e.Kind, e.School, e.Section, e.Before, e.After, e.Views)
	}
	return texts
}

// diffLines puts differences into words.
func (v *visit) diffLines(records []effectRecord) ([]views.DiffLine, error) {
	if len(records) == 0 {
		return nil, nil
	}
	places := make([]access.Place, len(records))
	for i, e := range records {
		places[i] = e.place()
	}
	spots, err := v.spotsOf(places)
	if err != nil {
		return nil, err
	}
	l := v.locale()
	lines := make([]views.DiffLine, len(records))
	for i, e := range records {
		lines[i] = views.DiffLine{Spot: spots[places[i]].spot, Act: v.act(l, e.Permission), Before: e.Before, After: e.After}
		for _, view := range e.Views {
			lines[i].Views = append(lines[i].Views, string(view))
		}
		if e.Before == e.After {
			lines[i].Note = l.StaysAsItIs(alreadySo(e, records))
		}
	}
	return lines, nil
}

// alreadySo reports of a place that a change passes over whether it has been what the change makes of the place around
// it. Otherwise something nearer decides there.
func alreadySo(e effectRecord, records []effectRecord) bool {
	so, nearest := false, access.District
	for _, r := range records {
		around := r.Kind == access.District || r.Kind == access.School && e.Kind == access.Section && r.School == e.School
		if r.Permission == e.Permission && r.Before != r.After && around && (nearest == access.District || r.Kind == access.School) {
			so, nearest = r.After == e.After, r.Kind
		}
	}
	return so
}

// mark notes which lines moved since an earlier preview.
func mark(lines []views.DiffLine, moved map[int]bool) []views.DiffLine {
	marked := slices.Clone(lines)
	for i := range marked {
		marked[i].Moved = moved[i]
	}
	return marked
}

// act says a permission; one that the catalogue has no more is its code.
func (v *visit) act(l *views.Locale, p access.Permission) views.Act {
	d, _, known := v.me.Policy.Catalogue.Find(p)
	if !known {
		d.Permission = p
	}
	return l.Act(d)
}

// holder is the person whom a change is about.
type holder struct {
	user  models.User
	facts access.Facts // as roles combine in the district
}

// holderOf reads somebody of the district with their facts. Of someone who has left there are none.
func (v *visit) holderOf(id int64) (holder, error) {
	s := holder{facts: access.Facts{Policy: v.me.Policy, View: access.ViewAll, Now: v.tx.Now()}}
	in, err := v.tx.UserFacts(v.ctx, id)
	if errors.Is(err, models.ErrNotFound) {
		s.user, err = v.tx.User(v.ctx, id)
		return s, err
	}
	if err != nil {
		return s, err
	}
	s.user, s.facts = in.User, in.Facts(v.tx.Now())
	s.facts.View = access.ViewAll
	return s, nil
}

// holdsAnother reports whether the person is a student or a contact, who hold no override and no second role.
func (s holder) isFamily() bool {
	return slices.ContainsFunc(s.facts.Grants, func(g access.Grant) bool { return g.Role == access.Student || g.Role == access.Contact })
}

// with are the facts with an override as it would be: in place of the one of the same id, or gone if it does not stand.
func (s holder) with(o models.Override) access.Facts {
	f := s.facts
	f.Overrides = slices.DeleteFunc(slices.Clone(f.Overrides), func(x access.Override) bool { return x.ID == o.ID })
	if o.Standing(f.Now) {
		f.Overrides = append(f.Overrides, o.Fact())
	}
	return f
}

// mayUnlock reports whether the person's own role, and no override, lets them manage overrides in the whole district:
// who was given that by an override does not touch what a district admin has locked.
func (v *visit) mayUnlock() bool {
	f := v.actor.Facts
	f.Overrides = nil
	return f.Decide(access.OverridesManage, access.InDistrict()).Allowed
}

// overrideState is what changes of an override in its life, as changes record it.
type overrideState struct {
	Override int64              `json:"override"`
	Exists   bool               `json:"exists"`
	End      models.OverrideEnd `json:"end"`
	Ended    bool               `json:"ended"`
}

func stateOf(o models.Override) overrideState {
	return overrideState{o.ID, true, o.OverrideEnd, o.EndedAt != nil}
}

// overrideOutcome is an overrideState with what came of it.
type overrideOutcome struct {
	overrideState
	Effects []effectRecord `json:"effects"`
}

// overrideChange is a change of one override, ready to be planned.
type overrideChange struct {
	action audit.Action
	who    holder
	was    models.Override // zero for a new one
	will   models.Override
}

func (c overrideChange) effects() []access.Effect {
	return access.Effects(c.who.facts, c.who.with(c.will))
}

// plan is the change with what it does. draw is given what it does in words.
func (v *visit) planOverride(c overrideChange, draw func(check views.Check, lines []views.DiffLine, nothing string) templ.Component) (plan, error) {
	effects := effectRecords(c.effects())
	lines, err := v.diffLines(effects)
	if err != nil {
		return plan{}, err
	}
	nothing := ""
	if len(effects) == 0 {
		nothing = v.whyNothing(c)
	}
	will := c.will
	ended := will.EndedAt != nil
	will.EndedAt, will.EndedBy, will.CreatedAt, will.CreatedBy = nil, nil, time.Time{}, 0
	p := plan{
		stated: struct {
			Action    audit.Action
			Will, Was models.Override
			Ended     bool
			Effects   []effectRecord
		}{c.action, will, c.was, ended, effects},
		lines: lineTexts(effects),
		draw: func(check views.Check, moved map[int]bool) templ.Component {
			return draw(check, mark(lines, moved), nothing)
		},
	}
	p.make = func() (models.NewChange, error) {
		o := c.will
		if o.ID == 0 {
			if o, err = v.tx.CreateOverride(v.ctx, o); err != nil {
				return models.NewChange{}, err
			}
		} else if err := v.tx.SetOverride(v.ctx, o); err != nil {
			return models.NewChange{}, err
		}
		before := overrideState{Override: o.ID}
		if c.was.ID != 0 {
			before = stateOf(c.was)
		}
		return models.NewChange{Action: c.action, Subject: o.Subject(), Before: before, After: overrideOutcome{stateOf(o), effects}}, nil
	}
	return p, nil
}

// whyNothing says why an override's change makes no difference.
func (v *visit) whyNothing(c overrideChange) string {
	l := v.locale()
	o, after := c.will, c.who.with(c.will)
	if !o.Standing(c.who.facts.Now) {
		o = c.was
		after = c.who.facts
	}
	verdict := after.Decide(o.Permission, o.Place())
	for _, s := range verdict.Trace {
		if s.Override != nil && s.Decides && s.Override.ID != o.ID {
			return l.AnotherDecides(s.Override.ID)
		}
	}
	switch {
	case o.Allow:
		return l.RolesGiveIt()
	default:
		return l.RolesDoNotGiveIt()
	}
}

// recorded reads what a change of an override kept.
func recorded(c models.Change) (before overrideState, after overrideOutcome, err error) {
	err = unmarshalChange(c, &before, &after)
	return before, after, err
}

// undoOverride plans the inverse of a change of an override: what that change altered goes back, what others altered
// since stays.
func undoOverride(v *visit, c models.Change) (plan, error) {
	if c.OfSeveralOverrides() {
		return undoOverrides(v, c)
	}
	before, after, err := recorded(c)
	if err != nil {
		return plan{}, err
	}
	was, err := v.tx.Override(v.ctx, after.Override)
	if err != nil {
		return plan{}, err
	}
	who, err := v.holderOf(was.UserID)
	if err != nil {
		return plan{}, err
	}
	will := v.undone(was, before, after.overrideState)
	change := overrideChange{action: audit.OverrideUndone, who: who, was: was, will: will}
	lost, err := v.lost(after.Effects, who.with(will))
	if err != nil {
		return plan{}, err
	}
	l := v.locale()
	name := fullName(who.user)
	sentence, err := v.overrideSentence(will)
	if err != nil {
		return plan{}, err
	}
	p, err := v.planOverride(change, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.UndoPage{
			Check: check, Number: c.ID, Heading: l.WhatChangesFor(name), Lines: lines, Nothing: nothing, Lost: lost,
			Sentence: l.UndoOverride(was.ID, will.EndedAt != nil, sentence), Button: l.UndoButton(c.ID),
		}
		page.Frame = v.frame()
		return views.Undo(page)
	})
	if err != nil {
		return p, err
	}
	p.blocked, err = v.blockedOverride(change)
	return p, err
}

func sameEnd(a, b models.OverrideEnd) bool {
	at := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	return a.EndKind == b.EndKind && at(a.EndsAt).Equal(at(b.EndsAt)) && value(a.EndTermID) == value(b.EndTermID) && value(a.EndRole) == value(b.EndRole)
}

// value is what p points to, or nothing.
func value[T any](p *T) (t T) {
	if p != nil {
		t = *p
	}
	return t
}

// blockedOverride says why an override that stands cannot become what is planned; "" if it can.
func (v *visit) blockedOverride(c overrideChange) (string, error) {
	l := v.locale()
	if c.was.Locked && !v.mayUnlock() {
		return l.OverrideLocked(), nil
	}
	if c.was.EndedAt != nil && c.will.EndedAt != nil || c.was.EndedAt == nil && c.will.EndedAt == nil && sameEnd(c.was.OverrideEnd, c.will.OverrideEnd) {
		return l.OverrideEndedAlready(), nil
	}
	if c.will.EndedAt != nil {
		return "", nil
	}
	if !c.will.Standing(v.tx.Now()) {
		return l.OverrideTimeOver(*c.will.EndsAt), nil
	}
	like, found, err := v.tx.LikeOverride(v.ctx, c.will)
	if err != nil || found {
		return l.OverrideLike(like.ID), err
	}
	return "", nil
}

// lost are the differences that a change made and that its undo does not take back, since other things have changed.
func (v *visit) lost(made []effectRecord, after access.Facts) ([]views.DiffLine, error) {
	var records []effectRecord
	for _, e := range made {
		if e.Before == e.After {
			continue
		}
		lenses := e.Views
		if len(lenses) == 0 {
			lenses = []access.View{access.ViewAll}
			if v.me.Policy.Combining() == access.ViewInUse {
				lenses = v.me.Policy.Views(after.Grants)
			}
		}
		for _, view := range lenses {
			after.View = view
			if is := after.Decide(e.Permission, e.place()).Allowed; is != e.Before {
				records = append(records, effectRecord{e.Permission, e.Kind, e.School, e.Section, is, is, e.Views})
				break
			}
		}
	}
	lines, err := v.diffLines(records)
	for i := range lines {
		lines[i].Note = ""
	}
	return lines, err
}
