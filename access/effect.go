package access

import (
	"cmp"
	"slices"
)

// Effect is one permission at one place that a change of facts gives or takes. Where a nearer place stays as it is
// while the place around it changes, that is an Effect too, with Before and After alike.
type Effect struct {
	Place         Place
	Permission    Permission
	Before, After bool
	Views         []View // worn in which it is so; empty: always
}

// Widens reports that the effect is more access than before.
func (e Effect) Widens() bool { return e.After && !e.Before }

// Changes reports that before and after differ.
func (e Effect) Changes() bool { return e.After != e.Before }

// Effects is everything that differs between two states of one person's facts, the district's own line first, then
// school by school with its sections. A line holds for every place inside its own that has no line for the same
// permission: a place without any, up to the district, is as it was. Places that neither state names differ in nothing
// from the place around them.
//
// Roles are combined as the district does it. Where it goes by the view in use, each view is compared by itself.
func Effects(before, after Facts) []Effect {
	lenses := lensesOf(before, after)
	var list []Effect
	for _, view := range lenses {
		before.View, after.View = view, view
		for _, e := range effectsIn(before, after) {
			same := func(o Effect) bool {
				return o.Place == e.Place && o.Permission == e.Permission && o.Before == e.Before && o.After == e.After
			}
			if i := slices.IndexFunc(list, same); i >= 0 {
				list[i].Views = append(list[i].Views, view)
				continue
			}
			e.Views = []View{view}
			list = append(list, e)
		}
	}
	for i := range list {
		if len(list[i].Views) == len(lenses) {
			list[i].Views = nil
		}
	}
	order := func(e Effect) int {
		_, at, _ := after.Policy.Catalogue.Find(e.Permission)
		return at
	}
	slices.SortStableFunc(list, func(a, b Effect) int {
		return cmp.Or(byAddress(a.Place, b.Place), cmp.Compare(order(a), order(b)))
	})
	return list
}

// lensesOf are the views to compare one by one: all of them together, unless the district goes by the view in use.
func lensesOf(before, after Facts) []View {
	if after.Policy.Combining() == ViewInUse {
		views := before.Policy.Views(before.Grants)
		for _, v := range after.Policy.Views(after.Grants) {
			if !slices.Contains(views, v) {
				views = append(views, v)
			}
		}
		views = slices.DeleteFunc(views, func(v View) bool { return v == ViewAll })
		if len(views) > 0 {
			return views
		}
	}
	return []View{ViewAll}
}

// byAddress orders a district before its schools, and a school before its sections.
func byAddress(a, b Place) int {
	return cmp.Or(cmp.Compare(a.School, b.School), cmp.Compare(a.Section, b.Section))
}

func effectsIn(before, after Facts) (list []Effect) {
	// What the lines so far say of a place: its own, or else that of the place around it.
	type said struct{ told, was, is Set }
	lines := map[Place]said{}
	catalogue := after.Policy.Catalogue
	for _, at := range namedPlaces(before, after) {
		had, has := before.Holds(at), after.Holds(at)
		line := said{}
		if at.Kind != District {
			line = lines[at.around()]
		}
		for i, d := range catalogue.definitions {
			if d.Scope.width() > at.Kind.width() {
				continue // asked about a wider place
			}
			was, is := had.Has(i), has.Has(i)
			if told := line.told.Has(i); told && was == line.was.Has(i) && is == line.is.Has(i) || !told && was == is {
				continue
			}
			list = append(list, Effect{Place: at, Permission: d.Permission, Before: was, After: is})
			line.told.add(i)
			line.was.put(i, was)
			line.is.put(i, is)
		}
		lines[at] = line
	}
	return list
}

// around is the place that holds this one.
func (p Place) around() Place {
	if p.Kind == Section {
		return AtSchool(p.School)
	}
	return InDistrict()
}

// namedPlaces lists the places that the facts speak of, with those around them, wider ones before what they hold.
func namedPlaces(facts ...Facts) []Place {
	places := []Place{InDistrict()}
	add := func(p Place) {
		switch p.Kind {
		case Section:
			places = append(places, AtSchool(p.School), p)
		case School:
			places = append(places, p)
		case District: // is there already
		}
	}
	for _, f := range facts {
		for _, g := range f.Grants {
			for _, s := range g.Schools {
				add(AtSchool(s))
			}
		}
		for _, s := range f.Teaches {
			add(s)
		}
		for _, o := range f.Overrides {
			add(o.Place)
		}
	}
	slices.SortFunc(places, byAddress)
	return slices.Compact(places)
}
