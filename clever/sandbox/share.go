package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// whole is a record as it is when every school is shared.
type whole struct {
	in   *collection
	json []byte
}

// UnshareSchool takes a school out of what the district shares, with its
// sections, the roles that are held only there, and the people who then hold
// none; a contact goes with the last of its students.
func (s *Sandbox) UnshareSchool(id string) error { return s.share([]string{id}, false) }

// UnshareSchools takes many schools of one district out, as one change.
func (s *Sandbox) UnshareSchools(ids []string) error { return s.share(ids, false) }

// ShareSchool shares an unshared school again: everyone comes back under the
// old ids. A record that was edited meanwhile stays as it was edited.
func (s *Sandbox) ShareSchool(id string) error { return s.share([]string{id}, true) }

// ShareSchools shares many unshared schools of one district again, as one change.
func (s *Sandbox) ShareSchools(ids []string) error { return s.share(ids, true) }

// Unshared are the ids of the first district's schools that are not shared.
func (s *Sandbox) Unshared() []string {
	d := s.districts[0]
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	return slices.Sorted(maps.Keys(d.unshared))
}

func (s *Sandbox) share(schools []string, shared bool) error {
	for _, d := range s.districts {
		if d.share(schools, shared) {
			return nil
		}
	}
	return fmt.Errorf("sandbox: share %s: there is no such school, or it is so already", strings.Join(schools, ", "))
}

// share does nothing and reports false unless all the schools are the
// district's and not that way yet.
func (d *district) share(schools []string, shared bool) bool {
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	for _, school := range schools {
		_, listed := d.schools.find(school)
		if shared != d.unshared[school] || !shared && !listed {
			return false
		}
	}
	d.reshare(schools, shared)
	return true
}

// reshare shares or unshares schools. People's schools go before the sections
// that name them and come back before them.
func (d *district) reshare(schools []string, shared bool) {
	for _, school := range schools {
		if shared {
			delete(d.unshared, school)
			d.show(d.schools, school)
			continue
		}
		for _, e := range d.schools.some([]string{school}) {
			d.hold(d.schools, e)
		}
		k, generated := d.schools.ids.index(school)
		for _, e := range d.users.after("", 1<<31-1, func(e entry) bool { return d.touches(e, school, k, generated, false) }) {
			d.hold(d.users, e)
			if d.rolesOf(e)&isStudent == 0 {
				continue
			}
			for _, c := range d.users.some(d.contactsOf(e, d.users.id(e))) {
				d.hold(d.users, c)
			}
		}
		d.unshared[school] = true
	}
	if !shared {
		for _, e := range d.sections.after("", 1<<31-1, func(e entry) bool {
			return slices.ContainsFunc(d.sectionFacts(e).schools, func(s string) bool { return slices.Contains(schools, s) })
		}) {
			d.hold(d.sections, e)
		}
	}
	order := []*collection{d.sections, d.users, d.users, d.schools}
	if shared {
		slices.Reverse(order)
	}
	for n, c := range order {
		contacts := n > 0 && order[n-1] == c // once it is known which students are there
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(d.whole)) {
			if w := d.whole[id]; w.in == c && d.isContact(w) == contacts {
				ids = append(ids, id)
			}
		}
		d.show(c, ids...)
	}
}

func (d *district) isContact(w whole) bool {
	x, err := newExtra(w.json)
	return err == nil && w.in == d.users && x.roles&isContact != 0
}

// hold keeps a record as it is now, unless it is kept already.
func (d *district) hold(c *collection, e entry) {
	if id := c.id(e); d.whole[id].in == nil {
		d.whole[id] = whole{c, c.append(nil, e)}
	}
}

// show lays over held records of one kind what of them is shared now. None of them depends on another.
func (d *district) show(c *collection, ids ...string) {
	var shown []*extra
	var before [][]byte
	for _, id := range ids {
		w, ok := d.whole[id]
		if !ok {
			continue
		}
		left := d.restrict(w)
		x := &extra{id: id}
		if left != nil {
			raw, err := json.Marshal(left)
			if err != nil {
				continue // what was read as JSON can be written as JSON
			}
			if x, err = newExtra(raw); err != nil {
				continue
			}
		}
		shown, before = append(shown, x), append(before, c.json(id))
		if left != nil && len(changed(fields(w.json), left)) == 0 {
			delete(d.whole, id)
		}
	}
	c.put(slices.Clone(shown)...)
	for i, x := range shown {
		d.tell(c.kind, before[i], c.json(x.id))
	}
}

// restrict cuts a whole record down to what is shared; nil is nothing.
func (d *district) restrict(w whole) map[string]any {
	record := fields(w.json)
	x, err := newExtra(w.json)
	if err != nil {
		return record
	}
	switch w.in {
	case d.schools:
		if d.unshared[x.id] {
			return nil
		}
	case d.sections:
		if slices.ContainsFunc(x.schools, func(s string) bool { return d.unshared[s] }) {
			return nil
		}
	case d.users:
		return d.restrictUser(record, x)
	}
	return record
}

func (d *district) restrictUser(user map[string]any, x *extra) map[string]any {
	if x.roles&isContact != 0 {
		if !slices.ContainsFunc(x.students, func(id string) bool { _, ok := d.users.find(id); return ok }) {
			return nil
		}
		return user
	}
	roles, _ := user["roles"].(map[string]any)
	for name, value := range roles {
		role, _ := value.(map[string]any)
		schools, _ := role["schools"].([]any)
		if len(schools) == 0 {
			continue // district-wide
		}
		schools = slices.DeleteFunc(schools, func(s any) bool { id, _ := s.(string); return d.unshared[id] })
		if len(schools) == 0 {
			delete(roles, name)
			continue
		}
		role["schools"] = schools
		if years, ok := role["enrollments"].([]any); ok {
			role["enrollments"] = slices.DeleteFunc(years, func(e any) bool {
				year, _ := e.(map[string]any)
				id, _ := year["school"].(string)
				return d.unshared[id]
			})
		}
		if primary, ok := role["school"].(string); ok && d.unshared[primary] {
			role["school"] = schools[0]
		}
	}
	if len(roles) == 0 {
		return nil
	}
	return user
}
