package handlers

import (
	"net/url"
	"strconv"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showCompare sets two people beside each other.
func showCompare(v *visit) (reply, error) {
	value, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	a, err := v.person(value, "")
	if err != nil {
		return nil, err
	}
	places := v.places
	shown := views.ComparePage{A: views.ComparePerson{ID: a.user.ID, Name: fullName(a.user)}, Q: text(v.c.QueryParam("with"), maxQuery)}
	if value != strconv.FormatInt(a.user.ID, 10) {
		to := url.URL{Path: views.ComparePath(v.me.District.CleverID, string(v.actor.View), a.user.ID, 0), RawQuery: v.c.QueryParams().Encode()}
		return seeOther(to.String()), nil
	}
	if shown.Q != "" {
		b, several, problem, err := v.findPerson(shown.Q, "")
		v.places = places // the page is the first one's
		if err != nil {
			return nil, err
		}
		shown.Found = several
		if problem != "" {
			shown.Problems = append(shown.Problems, problem)
		} else if err := v.compare(&shown, a, b); err != nil {
			return nil, err
		}
	}
	shown.Frame = v.frame()
	return page(views.Compare(shown)), nil
}

// compare asks the same of both at every place that either's facts name.
func (v *visit) compare(shown *views.ComparePage, a, b person) error {
	shown.B = views.ComparePerson{ID: b.user.ID, Name: fullName(b.user)}
	around, sections, _ := v.grounds(a, b)
	var list []finding
	for _, at := range around {
		for _, d := range v.me.Policy.Catalogue.Definitions() {
			switch {
			case d.Scope == access.District && at.Kind != access.District,
				at.Kind == access.District && d.Scope != access.District && !a.inDistrict(d.Permission) && !b.inDistrict(d.Permission),
				at.Kind == access.School && !v.reach.Contains(at) && d.Scope == access.School:
				continue
			}
			for _, p := range []person{a, b} {
				f := finding{around: at, decided: p.decided(d.Permission, at)}
				if d.Scope == access.Section && at.Kind == access.School {
					v.withSections(p, &f, sections, v.reach.Contains(at))
				}
				list = append(list, f)
			}
		}
	}
	words, spots, err := v.inWords(list)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(list); i += 2 { // one of each
		line := views.CompareLine{Spot: spots[list[i].around].spot, A: words[i], B: words[i+1]}
		if line.A.Same(line.B) {
			shown.Same = append(shown.Same, line)
		} else {
			shown.Different = append(shown.Different, line)
		}
	}
	return nil
}
