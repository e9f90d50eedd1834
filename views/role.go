package views

import (
	"slices"
	"strings"
	"time"
)

// RoleWords is a role given by hand.
type RoleWords struct {
	Name    string
	Role    string // slug
	Labels  []string
	Schools []string // names; empty: the whole district
	Ends    *time.Time
}

// role is the role inside a sentence, with its label.
func (w RoleWords) role(l *Locale) string {
	if len(w.Labels) > 0 {
		return l.roleLower(w.Role) + " (" + labelList(l, w.Labels) + ")"
	}
	return l.roleLower(w.Role)
}

func (w RoleWords) places(l *Locale) string {
	if len(w.Schools) == 0 {
		return l.T("spot.district")
	}
	names := make([]string, len(w.Schools))
	for i, s := range w.Schools {
		names[i] = schoolName(l, s)
	}
	return l.F("spot.school", "Name", l.List(names))
}

func (w RoleWords) until(l *Locale) string {
	if w.Ends == nil {
		return l.T("until.none")
	}
	return l.F("until.date", "Date", l.LongDate(lastDay(*w.Ends)))
}

func (w RoleWords) last(l *Locale) string {
	if w.Ends == nil {
		return upperFirst(l.T("until.none"))
	}
	return upperFirst(l.LongDate(lastDay(*w.Ends)))
}

// Sentence says that the role is held.
func (w RoleWords) Sentence(l *Locale) string {
	return l.F("roles.sentence", "Name", personName(l, w.Name), "Role", w.role(l), "Place", w.places(l), "Until", w.until(l))
}

// EndedSentence says that it is not.
func (w RoleWords) EndedSentence(l *Locale) string {
	return l.F("roles.sentence.ended", "Name", personName(l, w.Name), "Role", w.role(l), "Place", w.places(l))
}

// RoleAnswers is the form of a role as it was filled in.
type RoleAnswers struct {
	Given   string   // slug
	Schools []string // Clever ids
	Label   string
	Reason  string
	Note    string
	EndAnswers
}

func (a RoleAnswers) at(school string) bool {
	return slices.Contains(a.Schools, school)
}

// Hidden are the answers as a preview carries them.
func (a RoleAnswers) Hidden() []Hidden {
	list := []Hidden{{"given", a.Given}, {"label", a.Label}, {"reason", a.Reason}, {"note", a.Note}}
	for _, s := range a.Schools {
		list = append(list, Hidden{"school", s})
	}
	return append(list, a.EndAnswers.Hidden()...)
}

// Path is the form filled in with these answers.
func (a RoleAnswers) Path(district, view string, user int64) string {
	return filledIn(RolesPath(district, view, user)+"/new", a.Hidden())
}

// RoleGivenAnswers are the answers as the preview repeats them.
func (l *Locale) RoleGivenAnswers(w RoleWords, reason, note, form string) []Answer {
	to := func(field string) string {
		if form == "" {
			return ""
		}
		return form + "#" + field
	}
	where := l.T("place.whole_district")
	if len(w.Schools) > 0 {
		where = strings.Join(w.Schools, ", ")
	}
	return []Answer{
		{Label: l.T("override.person"), Value: personName(l, w.Name)},
		{Label: l.T("user.role"), Value: l.Role(w.Role), From: labelList(l, w.Labels), Href: to("given-" + w.Role)},
		{Label: l.T("override.place"), Value: where, Href: to("schools")},
		{Label: l.T("override.why"), Value: l.OverrideReason(reason), From: note, Href: to("reason")},
		{Label: l.T("override.until"), Value: w.last(l), Href: to("end")},
	}
}

// RoleNobody says why somebody can be given no role.
func (l *Locale) RoleNobody(why string) string {
	if why == "family" {
		return l.T("roles.nobody.family")
	}
	return l.T("roles.nobody.ended")
}

// RoleProblem says what is wrong with an answer.
func (l *Locale) RoleProblem(why string) string {
	switch why {
	case "role":
		return l.T("roles.problem.role")
	case "schools":
		return l.T("roles.problem.schools")
	case "school_gone":
		return l.T("roles.problem.school_gone")
	case "label":
		return l.T("roles.problem.label")
	case "held":
		return l.T("roles.problem.held")
	}
	return l.OverrideProblem(why)
}

// RoleBeyond says that a role gives more than the giver holds.
func (l *Locale) RoleBeyond(a Act) string { return l.F("roles.problem.beyond", "Act", a.does()) }

// RoleNothing says why a role changes nothing.
func (l *Locale) RoleNothing(role string, noSections bool) string {
	if role == "teacher" && noSections {
		return l.T("roles.nothing.sections")
	}
	return l.T("roles.nothing")
}

// RoleOver and RoleStands say that there is nothing left to do.
func (l *Locale) RoleOver() string { return l.T("roles.over") }

// RoleStands says that the role is held already.
func (l *Locale) RoleStands() string { return l.T("roles.problem.held") }

// EndRoleTitle heads the preview of an ending.
func (l *Locale) EndRoleTitle() string { return l.T("roles.end.title") }

func (p RolePreviewPage) sentence(l *Locale) string {
	if p.Ends {
		return p.Words.EndedSentence(l)
	}
	return p.Words.Sentence(l)
}

func (p RolePreviewPage) button(l *Locale) (class, word string) {
	if p.Ends {
		return "btn--no", l.F("roles.end.button", "Name", personName(l, p.Words.Name), "Role", p.Words.role(l))
	}
	return "", l.F("roles.give.button", "Name", personName(l, p.Words.Name), "Role", p.Words.role(l))
}

func roleHint(l *Locale, slug string) string {
	switch slug {
	case "teacher":
		return l.T("roles.hint.teacher")
	case "staff":
		return l.T("roles.hint.staff")
	}
	return l.T("roles.hint.district_admin")
}
