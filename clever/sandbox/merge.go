package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Clever joins the employees of a district who have the same email into one
// user, and keeps them one as long as they have. Which ids it gives then is not
// written anywhere; here a joined user gets a new one, and so does a role that
// leaves. The legacy ids stay on the roles.

const employees = isTeacher | isStaff | isDistrictAdmin

// errNotEmployee: students and contacts are never joined.
var errNotEmployee = errors.New("only employees hold several roles")

// SetEmail gives a user another email, "" for none. An employee who then shares
// it with another employee becomes one user with them. It returns the id of
// the user that the person is now.
func (s *Sandbox) SetEmail(id, email string) (string, error) {
	p, ok := s.userByID(id)
	if !ok {
		return "", fmt.Errorf("sandbox: set email of %s: not found", id)
	}
	d := p.district
	twin := s.employeeByEmail(d, email, id)
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	var err error
	d.editHeld(d.users, id, func() {
		err = d.rewrite(d.users, id, func(u map[string]any) { u["email"] = email })
	})
	if err != nil || twin == "" || p.roles&employees == 0 {
		return id, err
	}
	return d.join(id, twin)
}

// SetRoleEmail gives the record behind one role of a user another email. Where
// the user holds other roles, the role leaves with a user of its own, or joins
// the employee who has that email. It returns the id of the user who holds the
// role now.
func (s *Sandbox) SetRoleEmail(id, role, email string) (string, error) {
	p, ok := s.userByID(id)
	if !ok || p.roles&roleBits[role] == 0 {
		return "", fmt.Errorf("sandbox: set email of %s as %s: not found", id, role)
	}
	if p.roles&^roleBits[role] == 0 {
		return s.SetEmail(id, email)
	}
	if p.roles&^employees != 0 {
		return "", fmt.Errorf("sandbox: set email of %s as %s: %w", id, role, errNotEmployee)
	}
	d := p.district
	twin := s.employeeByEmail(d, email, id)
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	leaver := fields(d.users.json(id))
	held, _ := leaver["roles"].(map[string]any)
	var err error
	d.editHeld(d.users, id, func() {
		err = d.rewrite(d.users, id, func(u map[string]any) {
			if roles, ok := u["roles"].(map[string]any); ok {
				delete(roles, role)
			}
		})
	})
	if err != nil {
		return "", err
	}
	fresh := d.feed.nextID(d, 'a')
	leaver["id"], leaver["email"], leaver["roles"] = fresh, email, map[string]any{role: held[role]}
	leaver["created"], leaver["last_modified"] = d.now(), d.now()
	d.editHeld(d.users, fresh, func() { err = d.layJSON(d.users, leaver) })
	if err == nil && role == "teacher" {
		err = d.reteach(id, fresh)
	}
	if err != nil || twin == "" {
		return fresh, err
	}
	return d.join(fresh, twin)
}

// employeeByEmail finds another employee of the district with this email.
func (s *Sandbox) employeeByEmail(d *district, email, but string) string {
	if strings.TrimSpace(email) == "" {
		return ""
	}
	for _, x := range d.users.extras() {
		if x.json != nil && x.id != but && x.roles&employees != 0 && strings.EqualFold(x.email, email) {
			return x.id
		}
	}
	if i, ok := d.byEmail(strings.ToLower(email)); ok && d.roleMask(i)&employees != 0 && d.users.ids.id(i) != but {
		return d.users.ids.id(i)
	}
	return ""
}

// join makes one user of two employees. Of a role that both hold, the first
// one's record stays, at the schools of both.
func (d *district) join(a, b string) (string, error) {
	first, second := fields(d.users.json(a)), fields(d.users.json(b))
	roles, _ := first["roles"].(map[string]any)
	others, _ := second["roles"].(map[string]any)
	if roles == nil || others == nil {
		return "", fmt.Errorf("sandbox: join %s and %s: not found", a, b)
	}
	for name, other := range others {
		mine, both := roles[name].(map[string]any)
		theirs, _ := other.(map[string]any)
		if !both {
			roles[name] = other
			continue
		}
		if schools, ok := theirs["schools"].([]any); ok {
			have, _ := mine["schools"].([]any)
			for _, s := range schools {
				if !slices.Contains(have, s) {
					have = append(have, s)
				}
			}
			mine["schools"] = have
		}
	}
	fresh := d.feed.nextID(d, 'a')
	first["id"], first["created"], first["last_modified"] = fresh, d.now(), d.now()
	d.editHeld(d.users, a, func() { d.lay(d.users, &extra{id: a}) })
	d.editHeld(d.users, b, func() { d.lay(d.users, &extra{id: b}) })
	var err error
	d.editHeld(d.users, fresh, func() { err = d.layJSON(d.users, first) })
	if err == nil {
		err = d.reteach(a, fresh)
	}
	if err == nil {
		err = d.reteach(b, fresh)
	}
	return fresh, err
}

// reteach gives the sections of one teacher to another id.
func (d *district) reteach(from, to string) error {
	for _, id := range d.sectionsOf(from) {
		e, ok := d.sections.find(id)
		if !ok || !slices.Contains(d.sectionFacts(e).teachers, from) {
			continue
		}
		var err error
		d.editHeld(d.sections, id, func() {
			err = d.rewrite(d.sections, id, func(section map[string]any) {
				if section["teacher"] == from {
					section["teacher"] = to
				}
				teachers, _ := section["teachers"].([]any)
				list := []any{}
				for _, t := range teachers {
					if t == from {
						t = to
					}
					if !slices.Contains(list, t) {
						list = append(list, t)
					}
				}
				section["teachers"] = list
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
