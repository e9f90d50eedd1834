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

const stampLayout = "2006-01-02T15:04:05.000Z"

var plantedAt = time.Date(2024, 8, 1, 6, 0, 0, 0, time.UTC).Format(stampLayout)
