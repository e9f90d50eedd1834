package handlers

import (
	"errors"
	"slices"
	"strconv"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showWhy is why one person may or may not do something at a place.
func showWhy(v *visit) (reply, error) {
	value, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	p, err := v.person(value, v.c.QueryParam("as"))
	if err != nil {
		return nil, err
	}
	permission, place := access.Permission(text(v.c.QueryParam("permission"), maxID)), text(v.c.QueryParam("place"), maxID)
	if value != strconv.FormatInt(p.user.ID, 10) {
		return seeOther(views.WhyPath(v.me.District.CleverID, string(v.actor.View), p.user.ID, string(permission), place)), nil
	}
	at, err := v.spotOf(place)
	if err != nil {
		return nil, err
	}
	shown := views.WhyPage{Frame: v.frame()}
	if shown.Why, err = v.why(shown.Frame, p, permission, at); err != nil {
		return nil, err
	}
	return page(views.WhyNot(shown)), nil
}

// why answers one question with all that led to the answer. What is beyond the reader's reach, also once the place is
// as wide as the permission, is not found, like a permission that the catalogue does not know.
func (v *visit) why(f views.Frame, p person, permission access.Permission, at spot) (views.Why, error) {
	d := p.decided(permission, at.place)
	if !d.verdict.Known || !v.reach.Contains(d.verdict.Place) {
		return views.Why{}, models.ErrNotFound
	}
	d.spot = at.spot
	if d.verdict.Place != at.place {
		spots, err := v.spotsOf([]access.Place{d.verdict.Place})
		if err != nil {
			return views.Why{}, err
		}
		at = spots[d.verdict.Place]
		d.spot = at.spot
	}
	said, err := reasonsOf(v.ctx, v.tx, v.me.Policy.Catalogue, d)
	if err != nil {
		return views.Why{}, err
	}
	w := views.Why{ID: p.user.ID, Place: at.text, Reason: said[0], Lenses: p.lenses()}
	w.Link = v.server.BaseURL + views.WhyPath(v.me.District.CleverID, string(v.actor.View), p.user.ID, string(permission), at.text)
	w.Others = at.place.Kind != access.Section || v.reach.Contains(access.AtSchool(at.place.School))
	if p.user.EndedAt == nil {
		may := func(needed access.Permission) bool { return v.actor.Decide(needed, access.InDistrict()).Allowed }
		w.Deeds = f.Deeds(w.Reason, p.user.ID, at.text, p.facts.Remedies(permission, at.place), may)
	}
	return w, nil
}

// foundPeople is how many people a question offers to choose from.
const foundPeople = 10

// findPerson finds whom the words of a question mean: an id, or a search that one person matches, or matches exactly;
// records that only stand for one of the app's old accounts step back behind a person with their address. Several are
// returned to choose from; problem is nobody or several, or "".
func (v *visit) findPerson(words, as string) (p person, several views.CheckPeople, problem string, err error) {
	p, err = v.person(words, as)
	var refused refusal
	if err == nil {
		return p, several, "", nil
	}
	if !errors.Is(err, models.ErrNotFound) && !errors.As(err, &refused) {
		return p, several, "", err
	}
	list, err := v.tx.Users(v.ctx, v.reach, models.UserFilter{Q: words, Status: models.Any, Limit: foundPeople})
	switch {
	case err != nil:
		return p, several, "", err
	case len(list.Rows) == 0:
		return p, several, "nobody", nil
	}
	meant := list.Rows
	if len(meant) > 1 {
		meant = slices.DeleteFunc(slices.Clone(meant), func(r models.UserRow) bool { return !r.Pinned || r.Imported })
	}
	if len(meant) == 1 {
		p, err = v.person(strconv.FormatInt(meant[0].ID, 10), as)
		return p, several, "", err
	}
	for _, r := range list.Rows {
		several.Rows = append(several.Rows, userRow(r))
	}
	several.Q, several.Count, several.AtLeast = words, list.Count, list.AtLeast
	return p, several, "several", nil
}

// showCheck answers whether somebody may do something somewhere.
func showCheck(v *visit) (reply, error) {
	q := v.c.QueryParam
	shown := views.CheckPage{Frame: v.frame()}
	var err error
	if shown.Form, err = v.checkForm(text(q("permission"), maxID), text(q("place"), maxID)); err != nil {
		return nil, err
	}
	shown.Form.User = text(q("user"), maxQuery)
	if shown.Form.User == "" {
		if shown.Form.Permission != "" || shown.Form.Place != "" {
			shown.Problems = append(shown.Problems, "nobody")
		}
		return page(views.AccessCheck(shown)), nil
	}
	p, several, problem, err := v.findPerson(shown.Form.User, q("as"))
	if err != nil {
		return nil, err
	}
	shown.People = several
	if problem != "" {
		shown.Problems = append(shown.Problems, problem)
		return page(views.AccessCheck(shown)), nil
	}
	shown.Form.User = fullName(p.user)
	if q("user") == strconv.FormatInt(p.user.ID, 10) || shown.Form.User == "" { // a name may mean somebody else as well
		shown.Form.User = strconv.FormatInt(p.user.ID, 10)
	} else {
		shown.Form.User = text(q("user"), maxQuery)
	}
	if err := v.offerSections(&shown.Form, p); err != nil {
		return nil, err
	}
	at, found, err := v.knownSpot(shown.Form.Place)
	if err != nil {
		return nil, err
	}
	_, _, known := v.me.Policy.Catalogue.Find(access.Permission(shown.Form.Permission))
	if !known {
		shown.Problems = append(shown.Problems, "permission")
	}
	if !found {
		shown.Problems = append(shown.Problems, "place")
	}
	if len(shown.Problems) > 0 {
		return page(views.AccessCheck(shown)), nil
	}
	answer, err := v.why(shown.Frame, p, access.Permission(shown.Form.Permission), at)
	switch {
	case errors.Is(err, models.ErrNotFound):
		shown.Problems = append(shown.Problems, "place")
	case err != nil:
		return nil, err
	default:
		shown.Answer = &answer
	}
	return page(views.AccessCheck(shown)), nil
}

// checkForm offers every permission, and the places within reach: the district, if it is all within, and schools. A
// section asked about is offered too.
func (v *visit) checkForm(permission, place string) (views.CheckForm, error) {
	f := views.CheckForm{Permission: permission, Place: place}
	l := v.frame().Locale()
	for _, d := range v.me.Policy.Catalogue.Definitions() {
		f.Permissions = append(f.Permissions, l.Act(d))
	}
	if v.reach.District {
		f.Places = append(f.Places, views.PlaceChoice{Place: wholeDistrict.text, Spot: wholeDistrict.spot, Group: "district"})
	}
	schools, err := v.tx.SchoolChoices(v.ctx, v.me.District, v.reach)
	if err != nil {
		return f, err
	}
	for _, s := range schools {
		if v.reach.Contains(access.AtSchool(s.ID)) {
			f.Places = append(f.Places, views.PlaceChoice{Place: "school:" + s.CleverID, Spot: views.Spot{Kind: "school", Name: s.Name}, Group: "schools"})
		}
	}
	at, found, err := v.knownSpot(place)
	if found && at.place.Kind == access.Section && v.reach.Contains(at.place) {
		f.Places = append(f.Places, views.PlaceChoice{Place: at.text, Spot: at.spot, Group: "sections"})
	}
	return f, err
}

// offerSections adds the sections that the person teaches, as far as the reader reaches.
func (v *visit) offerSections(f *views.CheckForm, p person) error {
	_, sections, _ := v.grounds(p)
	spots, err := v.spotsOf(sections)
	if err != nil {
		return err
	}
	for _, at := range sections[:min(len(sections), shownSections)] {
		if s := spots[at]; s.text != f.Place {
			f.Places = append(f.Places, views.PlaceChoice{Place: s.text, Spot: s.spot, Group: "sections"})
		}
	}
	return nil
}
