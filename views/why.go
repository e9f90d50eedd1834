package views

import (
	"net/url"
	"strconv"
)

// CheckForm is the three fields of a question, and what may be chosen in them.
type CheckForm struct {
	User        string // as typed
	Permission  string
	Place       string
	Permissions []Act
	Places      []PlaceChoice
}

// PlaceChoice is a place that a form offers. Group is district, schools or sections.
type PlaceChoice struct {
	Place string
	Spot  Spot
	Group string
}

// inGroup are the choices of one group.
func (f CheckForm) inGroup(group string) (list []PlaceChoice) {
	for _, c := range f.Places {
		if c.Group == group {
			list = append(list, c)
		}
	}
	return list
}

// choiceName is a place in a list of choices.
func (c PlaceChoice) choiceName(l *Locale) string {
	if c.Spot.Kind == "section" {
		return c.Spot.name(l) + " · " + schoolName(l, c.Spot.Around)
	}
	return c.Spot.name(l)
}

func (p CheckPeople) count(l *Locale) string {
	if p.AtLeast {
		return l.Num(p.Count) + "+"
	}
	return l.Num(p.Count)
}

// chooseHref is the same question about one of several people found.
func (p CheckPage) chooseHref(id int64) string {
	q := url.Values{"user": {strconv.FormatInt(id, 10)}}
	if p.Form.Permission != "" {
		q.Set("permission", p.Form.Permission)
	}
	if p.Form.Place != "" {
		q.Set("place", p.Form.Place)
	}
	return withQuery(p.checkHref(), q)
}

func (l *Locale) whyTitle(r Reason) string {
	return upperFirst(r.act(l)) + " " + r.where(l)
}

// problem is what is wrong with a question, in words.
func (l *Locale) checkProblem(code string) string {
	switch code {
	case "nobody":
		return l.T("check.nobody")
	case "several":
		return l.T("check.several")
	case "permission":
		return l.T("check.no_permission")
	}
	return l.T("check.no_place")
}
