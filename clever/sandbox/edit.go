package sandbox

import (
	"encoding/json"
	"fmt"
)

// Every edit shows in the lists at once and in the feed of events.

type kindOf func(*district) *collection

func ofUsers(d *district) *collection    { return d.users }
func ofSchools(d *district) *collection  { return d.schools }
func ofSections(d *district) *collection { return d.sections }
func ofTerms(d *district) *collection    { return d.termList }

// PutUser adds a user, or replaces the one with the same id, in the district
// that the user's JSON names.
func (s *Sandbox) PutUser(user json.RawMessage) error { return s.put(user, ofUsers) }

// PutSchool adds or replaces a school.
func (s *Sandbox) PutSchool(school json.RawMessage) error { return s.put(school, ofSchools) }

// PutSection adds or replaces a section.
func (s *Sandbox) PutSection(section json.RawMessage) error { return s.put(section, ofSections) }

// PutTerm adds or replaces a term.
func (s *Sandbox) PutTerm(term json.RawMessage) error { return s.put(term, ofTerms) }

func (s *Sandbox) put(raw json.RawMessage, in kindOf) error {
	x, err := newExtra(append([]byte{}, raw...))
	if err != nil {
		return err
	}
	var of struct {
		District string `json:"district"`
	}
	_ = json.Unmarshal(raw, &of) // newExtra has read it before
	for _, d := range s.districts {
		if d.id == of.District {
			d.edit(in(d), x.id, func() { d.lay(in(d), x) })
			return nil
		}
	}
	return fmt.Errorf("sandbox: put record %s: it names no district of this sandbox", x.id)
}

// lay puts a record over a collection. What it was before it was unshared is
// forgotten: the edit counts.
func (d *district) lay(c *collection, x *extra) {
	delete(d.whole, x.id)
	c.put(x)
}

// EditUser changes a user's JSON in place and stamps last_modified.
func (s *Sandbox) EditUser(id string, edit func(user map[string]any)) error {
	return s.editRecord(id, ofUsers, edit)
}

// EditSchool is like EditUser.
func (s *Sandbox) EditSchool(id string, edit func(school map[string]any)) error {
	return s.editRecord(id, ofSchools, edit)
}

// EditSection is like EditUser.
func (s *Sandbox) EditSection(id string, edit func(section map[string]any)) error {
	return s.editRecord(id, ofSections, edit)
}

// EditTerm is like EditUser; terms have no last_modified.
func (s *Sandbox) EditTerm(id string, edit func(term map[string]any)) error {
	return s.editRecord(id, ofTerms, edit)
}

func (s *Sandbox) editRecord(id string, in kindOf, edit func(map[string]any)) error {
	for _, d := range s.districts {
		c := in(d)
		if _, ok := c.find(id); !ok {
			continue
		}
		var err error
		d.edit(c, id, func() { err = d.rewrite(c, id, edit) })
		return err
	}
	return fmt.Errorf("sandbox: edit %s: not found", id)
}

// rewrite is the deed of an edit.
func (d *district) rewrite(c *collection, id string, edit func(map[string]any)) error {
	record := fields(c.json(id))
	if record == nil {
		return fmt.Errorf("sandbox: edit %s: not found", id)
	}
	if c != d.termList {
		record["last_modified"] = d.now()
	}
	edit(record)
	return d.layJSON(c, record)
}

func (d *district) layJSON(c *collection, record map[string]any) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("sandbox: write record: %w", err)
	}
	x, err := newExtra(raw)
	if err == nil {
		d.lay(c, x)
	}
	return err
}

func (d *district) now() string { return d.opt.Now().UTC().Format(stampLayout) }

// RemoveUser makes a user vanish from lists and answer 404.
func (s *Sandbox) RemoveUser(id string) error { return s.remove(id, ofUsers) }

// RemoveSchool makes a school's own record vanish from lists and answer 404.
// People still name it; UnshareSchool takes them along.
func (s *Sandbox) RemoveSchool(id string) error { return s.remove(id, ofSchools) }

// RemoveSection makes a section vanish from lists and answer 404.
func (s *Sandbox) RemoveSection(id string) error { return s.remove(id, ofSections) }

// RemoveTerm makes a term vanish from lists and answer 404. Sections still name
// it.
func (s *Sandbox) RemoveTerm(id string) error { return s.remove(id, ofTerms) }

func (s *Sandbox) remove(id string, in kindOf) error {
	for _, d := range s.districts {
		c := in(d)
		if _, ok := c.find(id); ok {
			d.edit(c, id, func() { d.lay(c, &extra{id: id}) })
			return nil
		}
	}
	return fmt.Errorf("sandbox: remove %s: not found", id)
}

// RestoreUser undoes edits and removal of a user; one who was added goes.
func (s *Sandbox) RestoreUser(id string) error { return s.restore(id, ofUsers) }

// RestoreSchool undoes edits and removal of a school; one that was added goes.
func (s *Sandbox) RestoreSchool(id string) error { return s.restore(id, ofSchools) }

// RestoreSection undoes edits and removal of a section; one that was added
// goes.
func (s *Sandbox) RestoreSection(id string) error { return s.restore(id, ofSections) }

// RestoreTerm undoes edits and removal of a term; one that was added goes.
func (s *Sandbox) RestoreTerm(id string) error { return s.restore(id, ofTerms) }

func (s *Sandbox) restore(id string, in kindOf) error {
	for _, d := range s.districts {
		done := false
		d.edit(in(d), id, func() {
			if done = in(d).restore(id); done {
				delete(d.whole, id)
			}
		})
		if done {
			return nil
		}
	}
	return fmt.Errorf("sandbox: restore %s: it was neither edited nor removed", id)
}

// SetDistrict gives a district another name and state ("running", "paused" …).
// Its other records stay as they are.
func (s *Sandbox) SetDistrict(id, name, state string) error {
	for _, d := range s.districts {
		if d.id != id {
			continue
		}
		d.feed.mu.Lock()
		defer d.feed.mu.Unlock()
		// last_sync follows the clock and is no edit.
		before, sync := fields(d.ownRecord(true)), ""
		if v, ok := before["last_sync"].(string); ok {
			sync = v
		}
		d.front.Store(&front{name, state})
		after := fields(d.ownRecord(true))
		after["last_sync"] = sync
		was, err := json.Marshal(before)
		if err != nil {
			return fmt.Errorf("sandbox: edit district: %w", err)
		}
		is, err := json.Marshal(after)
		if err != nil {
			return fmt.Errorf("sandbox: edit district: %w", err)
		}
		d.tell("districts", was, is)
		return nil
	}
	return fmt.Errorf("sandbox: edit district %s: not found", id)
}
