package views

import (
	"net/url"
	"strconv"
	"time"
)

// EndWords is when an override or a role by hand ends by itself. Kind is date, term, school_year, role or none.
type EndWords struct {
	Kind string
	At   time.Time // the first moment after it
	Term string
	Role string // slug
}

// lastDay is the day until which something lasts that ends at a moment.
func lastDay(end time.Time) time.Time { return end.Add(-time.Second) }

// until is the end inside a sentence: "until Friday, December 18, 2026".
func (e EndWords) until(l *Locale) string {
	switch e.Kind {
	case "term":
		if e.Term != "" {
			return l.F("until.term", "Date", l.LongDate(lastDay(e.At)), "Term", e.Term)
		}
		return l.F("until.date", "Date", l.LongDate(lastDay(e.At)))
	case "school_year":
		return l.F("until.year", "Date", l.LongDate(lastDay(e.At)))
	case "role":
		return l.F("until.role", "Role", l.roleLower(e.Role))
	case "none":
		return l.T("until.none")
	}
	return l.F("until.date", "Date", l.LongDate(lastDay(e.At)))
}

// last is the end by itself: "Friday, December 18, 2026, the end of Fall 2026".
func (e EndWords) last(l *Locale) string {
	switch e.Kind {
	case "term":
		if e.Term != "" {
			return l.F("end.last.term", "Date", l.LongDate(lastDay(e.At)), "Term", e.Term)
		}
	case "school_year":
		return l.F("end.last.year", "Date", l.LongDate(lastDay(e.At)))
	case "role", "none":
		return upperFirst(e.until(l))
	}
	return upperFirst(l.LongDate(lastDay(e.At)))
}

// short is the end in a table: "Dec 18, 2026".
func (e EndWords) short(l *Locale) string {
	switch e.Kind {
	case "role":
		return l.F("until.role.short", "Role", l.roleLower(e.Role))
	case "none":
		return l.T("until.none.short")
	}
	return l.Date(lastDay(e.At))
}

// OverrideWords is what an override says.
type OverrideWords struct {
	Name  string // of the person
	Allow bool
	Act   Act
	Spot  Spot
	End   EndWords
}

// Sentence is the override in one sentence: "Danny Brakus may change grades at Harbor View Elementary, until …".
func (o OverrideWords) Sentence(l *Locale) string {
	args := []string{"Name", personName(l, o.Name), "Act", o.Act.does(), "Place", o.Spot.inside(l), "Until", o.End.until(l)}
	if o.Allow {
		return l.F("override.sentence.allow", args...)
	}
	return l.F("override.sentence.deny", args...)
}

// button names the act and the person: "Let Danny Brakus change grades at Harbor View Elementary".
func (o OverrideWords) button(l *Locale) string {
	args := []string{"Name", personName(l, o.Name), "Act", o.Act.does(), "Place", o.Spot.inside(l)}
	if o.Allow {
		return l.F("override.button.allow", args...)
	}
	return l.F("override.button.deny", args...)
}

// head is the override without its person: "May change grades at Harbor View Elementary".
func (o OverrideWords) head(l *Locale) string {
	args := []string{"Act", o.Act.does(), "Place", o.Spot.inside(l)}
	if o.Allow {
		return l.F("override.head.allow", args...)
	}
	return l.F("override.head.deny", args...)
}

// OverrideReasons are the codes to choose from, in order.
var OverrideReasons = []string{"covering", "co_teaching", "duty", "investigation", "request", "other"}

// OverrideReason is a code of the list of reasons in words; an unknown one stays as it is.
func (l *Locale) OverrideReason(code string) string {
	switch code {
	case "covering":
		return l.T("reason.covering")
	case "co_teaching":
		return l.T("reason.co_teaching")
	case "duty":
		return l.T("reason.duty")
	case "investigation":
		return l.T("reason.investigation")
	case "request":
		return l.T("reason.request")
	case "other":
		return l.T("reason.other")
	}
	return code
}

// OverrideAnswers is the form of an override as it was filled in.
type OverrideAnswers struct {
	Effect     string // allow or deny
	Permission string
	Place      string
	Reason     string
	Note       string
	EndAnswers
	Locked bool
}

// EndAnswers is the part of a form that says when something ends.
type EndAnswers struct {
	End     string // date, term, school_year, role or none
	Date    string // yyyy-mm-dd, the last day
	Term    string // id
	Role    string // slug
	Confirm bool   // that there is to be no end
}

// Hidden are the answers about an end as a preview carries them.
func (e EndAnswers) Hidden() []Hidden {
	list := []Hidden{{"end", e.End}, {"date", e.Date}, {"term", e.Term}, {"role", e.Role}}
	if e.Confirm {
		list = append(list, Hidden{"confirm", "1"})
	}
	return list
}

// Hidden are the answers as a preview carries them.
func (a OverrideAnswers) Hidden(user int64) []Hidden {
	list := append([]Hidden{
		{"user", strconv.FormatInt(user, 10)},
		{"effect", a.Effect},
		{"permission", a.Permission},
		{"place", a.Place},
		{"reason", a.Reason},
		{"note", a.Note},
	}, a.EndAnswers.Hidden()...)
	if a.Locked {
		list = append(list, Hidden{"locked", "1"})
	}
	return list
}

// Path is the form filled in with these answers.
func (a OverrideAnswers) Path(district, view string, user int64) string {
	return filledIn(NewOverridePath(district, view, user), a.Hidden(user))
}

// filledIn is a form's address with answers in the query.
func filledIn(path string, answers []Hidden) string {
	q := url.Values{}
	for _, h := range answers {
		if h.Value != "" && h.Name != "user" {
			q.Add(h.Name, h.Value)
		}
	}
	return withQuery(path, q)
}

// Problem is what is wrong with one answer. Field is the id of its control.
type Problem struct{ Field, Text string }

// problemOf is what is wrong with a field; "" if nothing is.
func problemOf(list []Problem, field string) string {
	for _, p := range list {
		if p.Field == field {
			return p.Text
		}
	}
	return ""
}

// Choice is one of a list to choose from.
type Choice struct{ Value, Word string }

// ChoiceGroup is a group of choices under a heading.
type ChoiceGroup struct {
	Word    string
	Choices []Choice
}

// TermChoice is a term that something can end with.
type TermChoice struct {
	Value, Name string
	LastDay     time.Time
}

// PermissionChoice is a permission to choose, with the smallest place that it is about.
type PermissionChoice struct {
	Act
	Scope string // section, school or district
}

func (p PermissionChoice) word(l *Locale) string {
	scope := l.T("scope.section")
	switch p.Scope {
	case "school":
		scope = l.T("scope.school")
	case "district":
		scope = l.T("scope.district")
	}
	return p.says() + " (" + p.Code + "), " + scope
}

// EndChoices is what there is to end with.
type EndChoices struct {
	Terms   []TermChoice
	Roles   []string  // slugs of the roles that Clever lists for the person; empty: not offered
	YearEnd time.Time // the last day of the school year
	First   string    // yyyy-mm-dd, the earliest last day
}

// The words of plans and problems, for handlers.

// StaysAsItIs says why a place is passed over by a change of the place around it: it has been so already, or something
// nearer decides.
func (l *Locale) StaysAsItIs(already bool) string {
	if already {
		return l.T("diff.already")
	}
	return l.T("diff.nearer")
}

// AnotherDecides says that another override has the word.
func (l *Locale) AnotherDecides(id int64) string {
	return l.F("diff.another", "Number", strconv.FormatInt(id, 10))
}

// RolesGiveIt says that an allowance changes nothing.
func (l *Locale) RolesGiveIt() string { return l.T("diff.given") }

// RolesDoNotGiveIt says that a block changes nothing.
func (l *Locale) RolesDoNotGiveIt() string { return l.T("diff.not_given") }

// WhatChangesFor heads the differences of one person.
func (l *Locale) WhatChangesFor(name string) string {
	return l.F("diff.for", "Name", personName(l, name))
}

// UndoOverride says what undoing a change of an override comes to.
func (l *Locale) UndoOverride(id int64, ends bool, sentence string) string {
	if ends {
		return l.F("undo.override.ends", "Number", strconv.FormatInt(id, 10))
	}
	return l.F("undo.override.stands", "Number", strconv.FormatInt(id, 10), "Sentence", sentence)
}

// UndoButton is the button of an undo.
func (l *Locale) UndoButton(number int64) string {
	return l.F("undo.button", "Number", strconv.FormatInt(number, 10))
}

// OverrideLocked says that an override is not the reader's to change.
func (l *Locale) OverrideLocked() string { return l.T("override.locked.refused") }

// OverrideEndedAlready says that there is nothing left to do.
func (l *Locale) OverrideEndedAlready() string { return l.T("override.over") }

// OverrideTimeOver says that an override's own end has passed.
func (l *Locale) OverrideTimeOver(end time.Time) string {
	return l.F("override.time_over", "Date", l.LongDate(lastDay(end)))
}

// OverrideLike says that one like it stands.
func (l *Locale) OverrideLike(id int64) string {
	return l.F("override.like", "Number", strconv.FormatInt(id, 10))
}

// OverrideDeed is what a change did to an override, as its history says it. action is the audit's.
func (l *Locale) OverrideDeed(action string, id int64) string {
	number := strconv.FormatInt(id, 10)
	switch action {
	case "override.created":
		return l.F("override.deed.created", "Number", number)
	case "override.extended":
		return l.F("override.deed.extended", "Number", number)
	case "override.ended":
		return l.F("override.deed.ended", "Number", number)
	}
	return l.F("override.deed.undone", "Number", number)
}

// OverrideTitle names an override: "Override OV-12".
func (l *Locale) OverrideTitle(id int64) string {
	return l.F("override.title", "Number", strconv.FormatInt(id, 10))
}

func (f Frame) overridesHref() string { return OverridesPath(f.District.CleverID, f.View) }

func (f Frame) overrideHref(id int64) string { return OverridePath(f.District.CleverID, f.View, id) }

// say is the sentence of the override with who gave it.
func (p OverridePage) state(l *Locale) (tag, symbol, word string) {
	switch {
	case p.EndedAt != nil:
		return "tag--off", "no", l.F("override.state.ended", "Date", l.Date(*p.EndedAt))
	case p.Words.End.Kind != "none" && p.Words.End.Kind != "role" && !p.Now.Before(p.Words.End.At):
		return "tag--off", "no", l.F("override.state.ended", "Date", l.Date(lastDay(p.Words.End.At)))
	case p.Dormant:
		return "tag--off", "skip", l.T("override.state.dormant")
	}
	return "tag--yes", "yes", l.T("override.state.standing")
}

func (p OverridePage) standing() bool {
	return p.EndedAt == nil && (p.Words.End.Kind == "none" || p.Words.End.Kind == "role" || p.Now.Before(p.Words.End.At))
}

// flagWords are the flags of an override in words, each with what it means.
func flagWords(l *Locale, flags []string) (list []Answer) {
	for _, f := range flags {
		switch f {
		case "redundant":
			list = append(list, Answer{Label: l.T("flag.redundant"), Value: l.T("flag.redundant.text")})
		case "contradicted":
			list = append(list, Answer{Label: l.T("flag.contradicted"), Value: l.T("flag.contradicted.text")})
		case "orphaned":
			list = append(list, Answer{Label: l.T("flag.orphaned"), Value: l.T("flag.orphaned.text")})
		}
	}
	return list
}

// SpotName is a place by itself; a section's with its school, to choose it among others.
func (l *Locale) SpotName(s Spot, withSchool bool) string {
	if withSchool && s.Kind == "section" {
		return s.name(l) + ", " + schoolName(l, s.Around)
	}
	return s.name(l)
}

// PlaceGroup heads a group of places to choose from.
func (l *Locale) PlaceGroup(group string) string {
	switch group {
	case "sections":
		return l.T("place.group.sections")
	case "schools":
		return l.T("place.group.schools")
	case "district":
		return l.T("place.group.district")
	}
	return l.T("place.group.others")
}

// OverrideNobody says why somebody can hold no override.
func (l *Locale) OverrideNobody(why string) string {
	if why == "family" {
		return l.T("override.nobody.family")
	}
	return l.T("override.nobody.ended")
}

// OverrideProblem says what is wrong with an answer.
func (l *Locale) OverrideProblem(why string) string {
	switch why {
	case "effect":
		return l.T("override.problem.effect")
	case "permission":
		return l.T("override.problem.permission")
	case "place":
		return l.T("override.problem.place")
	case "place_ended":
		return l.T("override.problem.place_ended")
	case "place_reach":
		return l.T("override.problem.place_reach")
	case "not_held":
		return l.T("override.problem.not_held")
	case "reason":
		return l.T("override.problem.reason")
	case "note":
		return l.T("override.problem.note")
	case "note_long":
		return l.T("override.problem.note_long")
	}
	return l.T("override.locked.refused")
}

// PlaceTooNarrow says that a permission is about a larger place.
func (l *Locale) PlaceTooNarrow(scope string) string {
	if scope == "district" {
		return l.T("override.problem.narrow_district")
	}
	return l.T("override.problem.narrow_school")
}

// EndProblem says what is wrong with an end.
func (l *Locale) EndProblem(why string) string {
	switch why {
	case "date":
		return l.T("end.problem.date")
	case "past":
		return l.T("end.problem.past")
	case "far":
		return l.T("end.problem.far")
	case "term":
		return l.T("end.problem.term")
	case "role":
		return l.T("end.problem.role")
	case "confirm":
		return l.T("end.problem.confirm")
	}
	return l.T("end.problem.none")
}

// CheckTitle heads a preview.
func (l *Locale) CheckTitle() string { return l.T("override.check.title") }

// OverrideAnswers are the answers of the form as the preview repeats them, each with the way back to it.
func (l *Locale) OverrideAnswers(w OverrideWords, reason, note string, locked bool, form string) []Answer {
	to := func(field string) string {
		if form == "" {
			return ""
		}
		return form + "#" + field
	}
	effect := l.T("override.effect.allow")
	if !w.Allow {
		effect = l.T("override.effect.deny")
	}
	lock := l.T("override.not_locked")
	if locked {
		lock = l.T("override.locked")
	}
	return []Answer{
		{Label: l.T("override.person"), Value: personName(l, w.Name)},
		{Label: l.T("diff.permission"), Value: effect + ": " + w.Act.does(), From: w.Act.Code, Href: to("permission")},
		{Label: l.T("override.place"), Value: w.Spot.name(l), From: w.Spot.Around, Href: to("place")},
		{Label: l.T("override.why"), Value: l.OverrideReason(reason), From: note, Href: to("reason")},
		{Label: l.T("override.until"), Value: w.End.last(l), Href: to("end")},
		{Label: l.T("override.lock.label"), Value: lock, Href: to("locked")},
	}
}

// ExtensionAnswers are the old and the new end.
func (l *Locale) ExtensionAnswers(w OverrideWords, before EndWords, form string) []Answer {
	return []Answer{
		{Label: l.T("override.person"), Value: personName(l, w.Name)},
		{Label: l.T("diff.permission"), Value: w.head(l), From: w.Act.Code},
		{Label: l.T("override.extend.before"), Value: before.last(l)},
		{Label: l.T("diff.after"), Value: w.End.last(l), Href: form + "#end"},
	}
}

// OverrideReceipt are the details of one change of an override.
func (l *Locale) OverrideReceipt(w OverrideWords, reason, note string, before EndWords, moved bool) []Answer {
	list := []Answer{{Label: l.T("override.why"), Value: l.OverrideReason(reason), From: note}}
	if moved {
		list = append(list, Answer{Label: l.T("override.extend.before"), Value: before.last(l)})
	}
	return append(list, Answer{Label: l.T("override.until"), Value: w.End.last(l)})
}

// OnlyTheEnd says that a change moves the end and nothing today.
func (l *Locale) OnlyTheEnd() string { return l.T("override.extend.nothing") }

// ExtendButton names the new end.
func (l *Locale) ExtendButton(id int64, w OverrideWords) string {
	return l.F("override.extend.button", "Number", strconv.FormatInt(id, 10), "Until", w.End.until(l))
}

// EndTitle, EndSays and EndButton are of the preview of an ending.
func (l *Locale) EndTitle() string { return l.T("override.end.title") }

// EndSays is its sentence.
func (l *Locale) EndSays(id int64) string {
	return l.F("override.end.says", "Number", strconv.FormatInt(id, 10))
}

// EndButton is its button.
func (l *Locale) EndButton(id int64) string {
	return l.F("override.end.button", "Number", strconv.FormatInt(id, 10))
}

// OverrideOver says that an override has ended.
func (l *Locale) OverrideOver() string { return l.T("override.ended_already") }

// ExtendPath is the form of another end with these answers.
func (e EndAnswers) ExtendPath(district, view string, id int64) string {
	return filledIn(OverridePath(district, view, id)+"/extend", e.Hidden())
}
