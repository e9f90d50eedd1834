package handlers

import (
	"errors"
	"slices"
	"strconv"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// person is somebody whom an access page is about, within the reader's reach.
type person struct {
	user   models.User
	facts  access.Facts  // the view is the one that the answers are for
	views  []access.View // among which the reader chooses, where the district goes by the view in use
	places []access.Place
}

// person finds whom the address names, or a 404. as is the view that the answers are asked for: it counts only where
// the district goes by the view in use.
func (v *visit) person(value, as string) (person, error) {
	u, err := v.tx.UserByAnyID(v.ctx, value)
	if err != nil {
		return person{}, err
	}
	places, err := v.tx.UserPlaces(v.ctx, u.ID)
	if err != nil {
		return person{}, err
	}
	if err := v.may(places...); err != nil {
		return person{}, err
	}
	return v.personOf(u, places, as)
}

func (v *visit) personOf(u models.User, places []access.Place, as string) (person, error) {
	p := person{user: u, places: places, facts: access.Facts{Policy: v.me.Policy, Now: v.tx.Now()}}
	known, err := v.tx.UserFacts(v.ctx, u.ID)
	switch {
	case errors.Is(err, models.ErrNotFound): // has ended, and holds nothing
		return p, nil
	case err != nil:
		return p, err
	}
	p.facts = known.Facts(v.tx.Now())
	p.facts.View, p.views = lens(p.facts, access.View(as))
	return p, nil
}

// lens is the view that answers about somebody are for, and those to choose from: where the district goes by the view
// in use, each of their views is a different answer. Elsewhere their roles count together.
func lens(f access.Facts, as access.View) (access.View, []access.View) {
	if f.Policy.Combining() != access.ViewInUse {
		return access.ViewAll, nil
	}
	all := f.Policy.Views(f.Grants)
	switch {
	case slices.Contains(all, as):
		return as, all
	case len(all) > 0:
		return all[0], all
	}
	return access.ViewAll, nil
}

func (p person) lenses() (list []views.LensLink) {
	for _, view := range p.views {
		list = append(list, views.LensLink{View: string(view), Current: view == p.facts.View})
	}
	return list
}

// decided is a verdict about the person at a place.
func (p person) decided(permission access.Permission, at access.Place) decided {
	return decided{user: p.user, grants: p.facts.Grants, verdict: p.facts.Decide(permission, at)}
}

// finding is one line of an access page before it has words.
type finding struct {
	decided
	around           access.Place // the district, or the school whose line it is
	sections, except int
	changed          bool
}

// findings answers every permission at one school, or in the district, as far as the reader reaches: for a school also
// how many of the sections that the facts name are otherwise than the school.
func (v *visit) findings(p person, around access.Place, sections []access.Place) (list []finding) {
	plain := p.facts
	plain.Overrides = nil
	for _, d := range p.facts.Policy.Catalogue.Definitions() {
		f := finding{around: around, decided: p.decided(d.Permission, around)}
		whole := v.reach.Contains(around)
		switch {
		case d.Scope == access.District && around.Kind != access.District:
			continue
		case around.Kind == access.District && d.Scope != access.District && !p.inDistrict(d.Permission):
			continue
		case d.Scope == access.School && !whole:
			continue
		case d.Scope == access.Section && around.Kind == access.School:
			if !v.withSections(p, &f, sections, whole) {
				continue
			}
		}
		differs := func(at access.Place) bool {
			return plain.Decide(d.Permission, at).Allowed != p.facts.Decide(d.Permission, at).Allowed
		}
		f.changed = whole && differs(around) || d.Scope == access.Section && slices.ContainsFunc(sections, func(at access.Place) bool {
			return at.School == around.School && differs(at)
		})
		list = append(list, f)
	}
	return list
}

// inDistrict reports whether the person's facts say anything about the permission in the whole district.
func (p person) inDistrict(permission access.Permission) bool {
	return slices.ContainsFunc(p.facts.Grants, func(g access.Grant) bool { return g.Role.DistrictWide() }) ||
		slices.ContainsFunc(p.facts.Overrides, func(o access.Override) bool {
			return o.Permission == permission && o.Place.Kind == access.District
		})
}

// withSections counts sections that are otherwise than their school, and lets one of them speak where the school itself
// says no or is not for the reader. It reports whether there is anything to say.
func (v *visit) withSections(p person, f *finding, sections []access.Place, whole bool) bool {
	var yes, no []access.Place
	for _, at := range sections {
		if at.School == f.around.School {
			if p.facts.Decide(f.verdict.Permission, at).Allowed {
				yes = append(yes, at)
			} else {
				no = append(no, at)
			}
		}
	}
	switch {
	case whole && f.verdict.Allowed:
		f.except = len(no)
	case len(yes) > 0:
		f.sections, f.decided = len(yes), p.decided(f.verdict.Permission, yes[0])
	case !whole && len(no) > 0:
		f.decided = p.decided(f.verdict.Permission, no[0])
	case !whole:
		return false
	}
	return true
}

// grounds are the district, if it is for the reader, and the schools at which the facts of some people say anything;
// and the sections that they name. All within the reader's reach.
func (v *visit) grounds(people ...person) (around, sections []access.Place, beyond bool) {
	if v.reach.District {
		around = append(around, access.InDistrict())
	}
	add := func(at access.Place) {
		school := access.AtSchool(at.School)
		switch {
		case at.Kind == access.District:
			return
		case !v.reach.Contains(at):
			beyond = true
			return
		}
		if at.Kind == access.Section && !slices.Contains(sections, at) {
			sections = append(sections, at)
		}
		if !slices.Contains(around, school) {
			around = append(around, school)
		}
	}
	for _, p := range people {
		for _, g := range p.facts.Grants {
			for _, s := range g.Schools {
				add(access.AtSchool(s))
			}
		}
		for _, at := range p.facts.Teaches {
			add(at)
		}
		for _, o := range p.facts.Overrides {
			add(o.Place)
		}
	}
	return around, sections, beyond
}

// inWords gives findings their names, and keeps their order.
func (v *visit) inWords(list []finding) ([]views.Finding, map[access.Place]spot, error) {
	places := make([]access.Place, 0, 2*len(list))
	for _, f := range list {
		places = append(places, f.verdict.Place, f.around)
	}
	spots, err := v.spotsOf(places)
	if err != nil {
		return nil, nil, err
	}
	about := make([]decided, len(list))
	for i, f := range list {
		f.spot = spots[f.verdict.Place].spot
		about[i] = f.decided
	}
	said, err := reasonsOf(v.ctx, v.tx, v.me.Policy.Catalogue, about...)
	if err != nil {
		return nil, nil, err
	}
	shown := make([]views.Finding, len(list))
	for i, f := range list {
		shown[i] = views.Finding{Reason: said[i], Place: spots[f.verdict.Place].text, Sections: f.sections, Except: f.except, Changed: f.changed}
	}
	return shown, spots, nil
}

// showUserAccess is what one person may, school by school.
func showUserAccess(v *visit) (reply, error) {
	value, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	p, err := v.person(value, v.c.QueryParam("as"))
	if err != nil {
		return nil, err
	}
	if value != strconv.FormatInt(p.user.ID, 10) {
		return seeOther(views.UserAccessPath(v.me.District.CleverID, string(v.actor.View), p.user.ID)), nil
	}
	shown := views.UserAccessPage{ID: p.user.ID, Name: fullName(p.user), EndedAt: p.user.EndedAt, Different: v.c.QueryParam("different") == "1", Lenses: p.lenses()}
	if len(p.views) > 1 {
		shown.Lens = string(p.facts.View)
	}
	var list []finding
	around, sections, beyond := v.grounds(p)
	if len(p.facts.Policy.Views(p.facts.Grants)) > 0 || len(p.facts.Overrides) > 0 { // else there is nothing but No
		for _, at := range around {
			list = append(list, v.findings(p, at, sections)...)
		}
	}
	if shown.Different {
		list = slices.DeleteFunc(list, func(f finding) bool { return !f.changed })
	}
	words, spots, err := v.inWords(list)
	if err != nil {
		return nil, err
	}
	for i, f := range list {
		if n := len(shown.Places); n == 0 || list[i-1].around != f.around {
			shown.Places = append(shown.Places, views.FindingPlace{Spot: spots[f.around].spot})
		}
		last := &shown.Places[len(shown.Places)-1]
		last.Findings = append(last.Findings, words[i])
	}
	shown.Beyond = beyond
	shown.Frame = v.frame()
	return page(views.UserAccess(shown)), nil
}
