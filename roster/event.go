package roster

import (
	"slices"

	"hallpass/clever"
	"hallpass/models"
)

// record names what an event is about.
type record struct{ kind, id string }

// gather boils events, in their order, down to the newest state of each record. What happened to one in between is
// of no matter: an event carries the whole record.
func gather(events []clever.Event, district string) (*models.RosterChanges, models.SyncProgress) {
	n := models.SyncProgress{Type: models.RosterEvents, Read: len(events)}
	newest, born := map[record]*clever.Event{}, map[record]bool{}
	var order []record
	for i := range events {
		e := &events[i]
		if e.Problem != "" || !usable(e, district) {
			n.Problems++
			n.Unusable++
			continue
		}
		if e.Kind == "" {
			continue // of a kind that is not kept
		}
		at := record{e.Kind, e.RecordID}
		if newest[at] == nil {
			order = append(order, at)
			born[at] = e.Action == clever.EventCreated
		}
		newest[at] = e
	}
	c := &models.RosterChanges{Gone: map[models.RosterType][]string{}, Passing: map[string]bool{}}
	for _, at := range order {
		e := newest[at]
		if e.Action == clever.EventDeleted {
			t := models.RosterType(at.kind)
			c.Gone[t] = append(c.Gone[t], at.id)
			if born[at] {
				c.Passing[at.id] = true
			}
			continue
		}
		switch {
		case e.User != nil:
			u := user(*e.User)
			u.RolesWithheld = !e.Has("roles")
			c.Users = append(c.Users, u)
		case e.School != nil:
			c.Schools = append(c.Schools, school(*e.School))
		case e.Section != nil:
			c.Sections = append(c.Sections, section(*e.Section))
		case e.Term != nil:
			c.Terms = append(c.Terms, term(*e.Term))
		case e.District != nil:
			c.District = &models.RosterDistrict{Name: e.District.Name, State: e.District.State}
		}
	}
	return c, n
}

// usable refuses events that say too little to act on: a section that does not tell its school and students would
// lose them, and a district that leaves is no matter for events.
func usable(e *clever.Event, district string) bool {
	switch {
	case e.District != nil:
		return e.RecordID == district && e.Action != clever.EventDeleted
	case e.Section != nil && e.Action != clever.EventDeleted:
		return e.Has("school") && e.Has("students")
	}
	return true
}

// progressOrder is how a run that follows events lists what it did.
var progressOrder = []models.RosterType{
	models.RosterEvents, models.RosterDistricts, models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections,
}

// addProgress adds what one page brought; it leaves the given list alone.
func addProgress(sum []models.SyncProgress, events models.SyncProgress, done map[models.RosterType]*models.SyncProgress, last bool) []models.SyncProgress {
	out := slices.Clone(sum)
	for _, t := range progressOrder {
		n := done[t]
		if t == models.RosterEvents {
			n = &events
		}
		if n == nil {
			continue
		}
		at := slices.IndexFunc(out, func(p models.SyncProgress) bool { return p.Type == t })
		if at < 0 {
			at = len(out)
			out = append(out, models.SyncProgress{Type: t})
		}
		out[at].Merge(*n)
	}
	slices.SortStableFunc(out, func(a, b models.SyncProgress) int {
		return slices.Index(progressOrder, a.Type) - slices.Index(progressOrder, b.Type)
	})
	for i := range out {
		out[i].Done = last
	}
	return out
}
