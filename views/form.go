package views

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// formTitle begins with the word Error where something is wrong, so that it is heard first.
func formTitle(l *Locale, title string, wrong bool) string {
	if wrong {
		return l.F("form.error_title", "Title", title)
	}
	return title
}

// fieldAttrs tie a control to its hint and its problem.
func fieldAttrs(list []Problem, field string, describedBy ...string) templ.Attributes {
	a := templ.Attributes{}
	if problemOf(list, field) != "" {
		a["aria-invalid"] = "true"
		describedBy = append(describedBy, field+"-error")
	}
	if len(describedBy) > 0 {
		a["aria-describedby"] = strings.Join(describedBy, " ")
	}
	return a
}

func termChoice(l *Locale, t TermChoice) string {
	name := t.Name
	if name == "" {
		name = l.T("section.no_term")
	}
	return name + ", " + l.Date(t.LastDay)
}

func (p OverrideFormPage) idText() string { return strconv.FormatInt(p.UserID, 10) }

func (p OverridePage) idText() string { return strconv.FormatInt(p.ID, 10) }

func (p OverridePreviewPage) sentence(l *Locale) string {
	if p.Says != "" {
		return p.Says
	}
	return p.Words.Sentence(l)
}

func (p OverridePreviewPage) button(l *Locale) string {
	if p.Button != "" {
		return p.Button
	}
	return p.Words.button(l)
}

func (p OverridePreviewPage) buttonClass() string {
	if p.Ends || !p.Words.Allow && p.Button == "" {
		return "btn--no"
	}
	return ""
}

// facts are the details of an override.
func (p OverridePage) facts(l *Locale) []Answer {
	list := []Answer{
		{Label: l.T("override.person"), Value: personName(l, p.Words.Name)},
		{Label: l.T("diff.permission"), Value: p.Words.Act.says(), From: p.Words.Act.Code},
		{Label: l.T("override.place"), Value: p.Words.Spot.name(l), From: p.Words.Spot.Around},
		{Label: l.T("override.why"), Value: l.OverrideReason(p.Reason), From: p.Note},
		{Label: l.T("override.until"), Value: p.Words.End.last(l)},
		{Label: l.T("override.given_by"), Value: p.By, From: l.DateTime(p.At)},
	}
	if p.EndedAt != nil {
		by := p.EndedBy
		if by == "" {
			by = l.T("override.ended_itself")
		}
		list = append(list, Answer{Label: l.T("override.ended"), Value: by, From: l.DateTime(*p.EndedAt)})
	}
	return list
}
