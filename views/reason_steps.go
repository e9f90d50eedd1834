package views

import (
	"strconv"
	"strings"

	"hallpass/access"
)

// ReasonBrief is why in a few words: "Staff at Orion High · Clever".
func (l *Locale) ReasonBrief(r Reason) string {
	switch r.Code() {
	case ReasonRole:
		for i, s := range r.Trace {
			if s.Decides {
				return upperFirst(r.as(l, i)) + " · " + r.source(l, i)
			}
		}
	case ReasonOverrideAllows:
		return l.briefOverride(r, access.OverrideAllows)
	case ReasonOverrideDenies:
		return l.briefOverride(r, access.OverrideDenies)
	case ReasonWithheld:
		return r.say(l, key("reason.brief.withheld"), access.Withholds)
	case ReasonNotInView:
		return l.F("reason.brief.view", "Roles", r.roles(l, r.steps(access.NotInView)))
	case ReasonOutOfReach:
		return r.say(l, key("reason.brief.elsewhere"), access.OutOfReach)
	case ReasonNotGiven:
		return l.T("reason.brief.not_given")
	}
	return upperFirst(l.because(r))
}

func (l *Locale) briefOverride(r Reason, outcome access.Outcome) string {
	s, _ := r.deciding(outcome)
	words := []string{"Number", strconv.FormatInt(s.Override.ID, 10), "By", by(l, r.Overrides[s.Override.ID].By)}
	if outcome == access.OverrideAllows {
		return l.F("reason.brief.allowed", words...)
	}
	return l.F("reason.brief.denied", words...)
}

// source is where a role comes from: "Clever", "by hand".
func (r Reason) source(l *Locale, i int) string {
	if r.Trace[i].Source == access.ByHand {
		return l.T("reason.by_hand")
	}
	return "Clever"
}

// ReasonUntil is how long the answer lasts: a date, a role, or "" where nothing ends it.
func (l *Locale) ReasonUntil(r Reason) string {
	for i, s := range r.Trace {
		switch {
		case !s.Decides:
		case s.Override != nil && !s.Override.Ends.IsZero():
			return l.Date(lastDay(s.Override.Ends))
		case s.Override != nil && s.Override.WithRole != "":
			return l.F("reason.until.role", "Role", l.roleLower(string(s.Override.WithRole)))
		case s.Override == nil && r.grant(i).Until != nil:
			return l.Date(lastDay(*r.grant(i).Until))
		}
	}
	return ""
}

// ReasonSteps is everything that was considered, in order.
func (l *Locale) ReasonSteps(r Reason) []ReasonStep {
	steps := []ReasonStep{l.stepCurrent(r)}
	if r.EndedAt != nil || r.Missing != "" || !r.Known {
		return steps
	}
	roles, overrides := 0, 0
	for i, s := range r.Trace {
		if s.Override == nil {
			steps, roles = append(steps, l.stepRole(r, i)), roles+1
		}
	}
	if roles == 0 {
		steps = append(steps, ReasonStep{Title: l.T("reason.step.roles"), Text: l.T("reason.step.roles.none"), Word: l.T("reason.word.none"), Kind: "off"})
	}
	steps = append(steps, l.stepCombine(r))
	for _, s := range r.Trace {
		if s.Override != nil {
			steps, overrides = append(steps, l.stepOverride(r, s)), overrides+1
		}
	}
	if overrides == 0 {
		steps = append(steps, ReasonStep{Title: l.T("reason.step.overrides"), Text: l.T("reason.step.overrides.none"), Word: l.T("reason.word.none"), Kind: "off"})
	}
	return steps
}

func (l *Locale) stepCurrent(r Reason) ReasonStep {
	s := ReasonStep{Title: l.T("reason.step.current"), Word: l.T("reason.word.yes"), Kind: "yes"}
	if r.CleverID != "" {
		s.Text = l.F("reason.step.clever_id", "ID", r.CleverID)
	}
	if r.EndedAt != nil || r.Missing != "" || !r.Known {
		s.Text, s.Word, s.Kind, s.Decides = upperFirst(l.because(r))+".", l.T("reason.word.no"), "no", true
	}
	return s
}

func (l *Locale) stepRole(r Reason, i int) ReasonStep {
	s, g := r.Trace[i], r.grant(i)
	holder := l.roleLower(string(s.Role))
	if len(g.Labels) > 0 {
		holder += " (" + labelList(l, g.Labels) + ")"
	}
	step := ReasonStep{Title: l.F("reason.step.role", "Role", holder), Kind: "off", Decides: s.Decides}
	if len(g.Schools) > 0 {
		step.Title = l.F("reason.step.role_at", "Role", holder, "Schools", l.SomeSchools(g.Schools))
	}
	rule := ""
	switch {
	case s.Outcome == access.NotGiven || s.Outcome == access.Withholds:
	case s.Label != "":
		rule = l.F("reason.rule.label", "Label", label(l, s.Label), "Act", r.act(l))
	case s.Role == access.Teacher:
		rule = l.F("reason.rule.teacher", "Act", r.act(l))
	case s.Role == access.Staff:
		rule = l.F("reason.rule.staff", "Act", r.act(l))
	default:
		rule = l.F("reason.rule.district_admin", "Act", r.act(l))
	}
	more := ""
	switch s.Outcome {
	case access.Allows:
		step.Kind, step.Word = "yes", l.T("reason.word.would_allow")
		if s.Decides {
			step.Word = l.T("reason.word.allows")
		}
	case access.Withholds:
		step.Kind, step.Word, more = "no", l.T("reason.word.would_withhold"), l.T("reason.step.withholds")
		if s.Decides {
			step.Word = l.T("reason.word.withholds")
		}
	case access.NotInView:
		step.Word, more = l.T("reason.word.not_in_view"), l.T("reason.step.not_in_view")
	case access.OutOfReach:
		step.Word, more = l.T("reason.word.elsewhere"), l.T("reason.step.elsewhere")
	default:
		step.Word, more = l.T("reason.word.not_given"), l.T("reason.step.not_given")
	}
	step.Text = sentences(rule, more, l.origin(s, g))
	return step
}

// origin is where a role comes from, as a sentence.
func (l *Locale) origin(s access.Step, g ReasonGrant) string {
	said := l.T("reason.from_clever")
	if s.Source == access.ByHand {
		said = l.F("reason.from_hand", "By", by(l, g.By), "Until", l.until(g.Until))
	}
	if g.Since != nil {
		said = l.F("reason.since", "Source", said, "Date", l.Date(*g.Since))
	}
	return said + "."
}

func sentences(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

func (l *Locale) stepCombine(r Reason) ReasonStep {
	step := ReasonStep{Title: l.T("reason.step.combine"), Text: l.T("reason.combine.most"), Word: l.T("reason.word.no_effect"), Kind: "off"}
	switch r.Combining {
	case access.LeastPrivileged:
		step.Text = l.T("reason.combine.least")
	case access.ViewInUse:
		step.Text = l.T("reason.combine.view")
	case access.MostPrivileged:
	}
	if r.View != "" && r.View != access.ViewAll {
		step.Text += " " + l.F("reason.combine.worn", "Role", l.roleLower(string(r.View)))
	}
	if r.has(access.Withholds) || r.has(access.NotInView) {
		step.Word = l.T("reason.word.matters")
	}
	return step
}

func (l *Locale) stepOverride(r Reason, s access.Step) ReasonStep {
	o := r.Overrides[s.Override.ID]
	spot := o.Spot
	if spot.Kind == "" {
		spot = Spot{Kind: string(s.Override.Place.Kind), Name: r.Spot.Name, Around: r.Spot.Around, Period: r.Spot.Period}
	}
	step := ReasonStep{Title: l.F("reason.step.override", "Number", strconv.FormatInt(s.Override.ID, 10), "Where", spot.inside(l)), Decides: s.Decides}
	switch {
	case s.Outcome == access.OverrideAllows:
		step.Word, step.Kind = l.T("reason.word.allows"), "yes"
	case s.Outcome == access.OverrideDenies:
		step.Word, step.Kind = l.T("reason.word.denies"), "no"
	case s.Override.Allow:
		step.Word, step.Kind = l.T("reason.word.outranked_allow"), "off"
	default:
		step.Word, step.Kind = l.T("reason.word.outranked_deny"), "off"
	}
	made := ""
	if !o.Created.IsZero() {
		made = l.F("reason.made", "By", by(l, o.By), "Date", l.Date(o.Created))
	}
	why := ""
	if o.Why != "" {
		why = l.F("reason.why", "Why", l.OverrideWhy(o.Why), "Note", o.Note)
	}
	ends := l.T("reason.ends.none")
	switch {
	case !s.Override.Ends.IsZero():
		ends = l.F("reason.ends.date", "Date", l.Date(lastDay(s.Override.Ends)))
	case s.Override.WithRole != "":
		ends = l.F("reason.ends.role", "Role", l.roleLower(string(s.Override.WithRole)))
	}
	locked := ""
	if o.Locked {
		locked = l.T("reason.locked")
	}
	step.Text = sentences(made, why, ends, locked)
	return step
}

// OverrideWhy is the reason of an override, from the list, in words.
func (l *Locale) OverrideWhy(code string) string {
	switch code {
	case "covering":
		return l.T("reason.why.covering")
	case "co_teaching":
		return l.T("reason.why.co_teaching")
	case "duty":
		return l.T("reason.why.duty")
	case "investigation":
		return l.T("reason.why.investigation")
	case "request":
		return l.T("reason.why.request")
	}
	return l.T("reason.why.other")
}
