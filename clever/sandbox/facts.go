package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// facts are what relations and sign-in need to know of a planted or edited
// record.
type facts struct {
	roles    int
	schools  []string // of every role, and a section's one
	primary  []string // of student and teacher
	students []string // of a contact or a section
	teachers []string // of a section, the primary one first
	term     string
	course   string
	email    string
	name     string
}

// wire is as much of a user or section as facts need.
type wire struct {
	ID       string                     `json:"id"`
	Email    string                     `json:"email"`
	Name     json.RawMessage            `json:"name"` // an object or, of a section or school, a string
	Roles    map[string]json.RawMessage `json:"roles"`
	School   string                     `json:"school"`
	Teacher  string                     `json:"teacher"`
	Teachers []string                   `json:"teachers"`
	Students []string                   `json:"students"`
	Term     string                     `json:"term_id"`
	Course   string                     `json:"course"`
}

func newExtra(raw []byte) (*extra, error) {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("sandbox: read record: %w", err)
	}
	if w.ID == "" {
		return nil, errors.New("sandbox: read record: it has no id")
	}
	x := &extra{id: w.ID, json: raw, facts: facts{students: w.Students, teachers: w.Teachers, term: w.Term, course: w.Course, email: w.Email}}
	if w.School != "" {
		x.schools = []string{w.School}
	}
	var name struct{ First, Middle, Last string }
	if json.Unmarshal(w.Name, &name) == nil {
		x.name = joinName(name.First, name.Middle, name.Last)
	}
	for key, raw := range w.Roles {
		var role struct {
			School        string   `json:"school"`
			Schools       []string `json:"schools"`
			Relationships []struct {
				Student string `json:"student"`
			} `json:"student_relationships"`
		}
		if string(raw) == "null" || json.Unmarshal(raw, &role) != nil {
			continue
		}
		x.roles |= roleBits[key]
		x.schools = append(x.schools, role.Schools...)
		if role.School != "" {
			x.primary = append(x.primary, role.School)
		}
		for _, r := range role.Relationships {
			x.students = append(x.students, r.Student)
		}
	}
	return x, nil
}

func joinName(parts ...string) string {
	out := ""
	for _, p := range parts {
		if p != "" {
			if out != "" {
				out += " "
			}
			out += p
		}
	}
	return out
}

// UserJSON gives a user as Clever v3.1 would, or nil if there is none. It is a
// copy.
func (s *Sandbox) UserJSON(id string) json.RawMessage {
	for _, d := range s.districts {
		if e, ok := d.users.find(id); ok {
			return d.users.append(nil, e)
		}
	}
	return nil
}

// PutUser adds a user, or replaces the one with the same id, in the district
// that the user's JSON names.
func (s *Sandbox) PutUser(user json.RawMessage) error {
	return s.put(user, func(d *district) *collection { return d.users })
}

// PutSchool adds or replaces a school.
func (s *Sandbox) PutSchool(school json.RawMessage) error {
	return s.put(school, func(d *district) *collection { return d.schools })
}

// PutSection adds or replaces a section.
func (s *Sandbox) PutSection(section json.RawMessage) error {
	return s.put(section, func(d *district) *collection { return d.sections })
}

func (s *Sandbox) put(raw json.RawMessage, in func(*district) *collection) error {
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
			in(d).put(x)
			return nil
		}
	}
	return fmt.Errorf("sandbox: put record %s: it names no district of this sandbox", x.id)
}

// EditUser changes a user's JSON in place and stamps last_modified.
func (s *Sandbox) EditUser(id string, edit func(user map[string]any)) error {
	raw := s.UserJSON(id)
	if raw == nil {
		return fmt.Errorf("sandbox: edit user %s: not found", id)
	}
	var user map[string]any
	if err := json.Unmarshal(raw, &user); err != nil {
		return fmt.Errorf("sandbox: edit user %s: %w", id, err)
	}
	user["last_modified"] = s.opt.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	edit(user)
	raw, err := json.Marshal(user)
	if err != nil {
		return fmt.Errorf("sandbox: edit user %s: %w", id, err)
	}
	return s.PutUser(raw)
}

// RemoveUser makes a user vanish from lists and answer 404.
func (s *Sandbox) RemoveUser(id string) error {
	return s.remove(id, func(d *district) *collection { return d.users })
}

// RemoveSchool makes a school vanish from lists and answer 404, as unsharing
// it does. People still name it.
func (s *Sandbox) RemoveSchool(id string) error {
	return s.remove(id, func(d *district) *collection { return d.schools })
}

// RemoveSection makes a section vanish from lists and answer 404.
func (s *Sandbox) RemoveSection(id string) error {
	return s.remove(id, func(d *district) *collection { return d.sections })
}

func (s *Sandbox) remove(id string, in func(*district) *collection) error {
	for _, d := range s.districts {
		c := in(d)
		if _, ok := c.find(id); ok {
			c.put(&extra{id: id})
			return nil
		}
	}
	return fmt.Errorf("sandbox: remove %s: not found", id)
}

// RestoreUser undoes edits and removal of a user; one who was added goes.
func (s *Sandbox) RestoreUser(id string) error {
	return s.restore(id, func(d *district) *collection { return d.users })
}

// RestoreSchool undoes edits and removal of a school; one that was added goes.
func (s *Sandbox) RestoreSchool(id string) error {
	return s.restore(id, func(d *district) *collection { return d.schools })
}

// RestoreSection undoes edits and removal of a section; one that was added
// goes.
func (s *Sandbox) RestoreSection(id string) error {
	return s.restore(id, func(d *district) *collection { return d.sections })
}

func (s *Sandbox) restore(id string, in func(*district) *collection) error {
	for _, d := range s.districts {
		if in(d).restore(id) {
			return nil
		}
	}
	return fmt.Errorf("sandbox: restore %s: it was neither edited nor removed", id)
}

const stampLayout = "2006-01-02T15:04:05.000Z"

var plantedAt = time.Date(2024, 8, 1, 6, 0, 0, 0, time.UTC).Format(stampLayout)
