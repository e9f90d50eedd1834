package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"hallpass/clever/sandbox"
)

// edits is the life of the district meanwhile: a stream of changes at the pretend Clever that depends on the seed
// alone. It is used by one goroutine at a time.
type edits struct {
	box    *sandbox.Sandbox
	random *rand.Rand
	made   int
	away   map[string]func(string) error // what was removed, and how it comes back
	users  int                           // of the generated people, how many may be edited
}

func newEdits(box *sandbox.Sandbox, users int, seed uint64) *edits {
	return &edits{box: box, random: rand.New(rand.NewPCG(seed, 1)), away: map[string]func(string) error{}, users: users / 2}
}

// mostAway bounds how much is removed at any time: the brake is another test's business.
const mostAway = 8

// some makes so many edits.
func (e *edits) some(n int) error {
	for range n {
		e.made++
		if err := e.one(); err != nil {
			return fmt.Errorf("edit %d of the district: %w", e.made, err)
		}
	}
	return nil
}

func (e *edits) one() error {
	deeds := []func() error{
		e.rename, e.rename, e.readdress, e.regrant, e.regrant, e.join, e.split, e.remove, e.comeBack, e.comeBack, e.section, e.section,
		e.school, e.create,
	}
	return deeds[e.random.IntN(len(deeds))]()
}

// known are people whose edits meet; the admin who signs in is not among them.
var known = []string{
	sandbox.SeedUserID, sandbox.TeacherUserID, sandbox.StaffUserID, sandbox.ThreeSchoolsUserID, sandbox.StudentUserID, sandbox.ContactUserID,
	sandbox.AllRolesUserID,
}

// person is somebody who is there.
func (e *edits) person() string {
	for {
		id := known[e.random.IntN(len(known))]
		if e.random.IntN(2) == 0 {
			id = e.box.UserIDAt(e.random.IntN(e.users))
		}
		if e.box.UserJSON(id) != nil {
			return id
		}
	}
}

func (e *edits) rename() error {
	name := []string{"Ada", "Bo", "Ångström", "Nguyễn", "O'Neil"}[e.random.IntN(5)]
	return e.box.EditUser(e.person(), func(u map[string]any) {
		u["name"] = map[string]any{"first": name, "middle": "", "last": fmt.Sprintf("Changed%d", e.made)}
	})
}

func (e *edits) readdress() error {
	_, err := e.box.SetEmail(e.person(), fmt.Sprintf("moved%d@example.org", e.made))
	return err
}

// employee reports whether somebody holds roles that may change hands.
func employee(u map[string]any) (roles map[string]any, ok bool) {
	roles, _ = u["roles"].(map[string]any)
	return roles, roles != nil && roles["student"] == nil && roles["contact"] == nil
}

// regrant gives a role or takes it away again.
func (e *edits) regrant() error {
	role := []string{"teacher", "staff"}[e.random.IntN(2)]
	a, b := e.box.SchoolID(e.random.IntN(4)), e.box.SchoolID(e.random.IntN(4))
	id := e.person()
	return e.box.EditUser(id, func(u map[string]any) {
		roles, ok := employee(u)
		if !ok {
			return
		}
		if roles[role] != nil && len(roles) > 1 {
			delete(roles, role)
			return
		}
		legacy := fmt.Sprintf("70%022x", e.made)
		roles[role] = map[string]any{"schools": []string{b}, "staff_id": fmt.Sprint(e.made), "roles": []string{"PortalOnly"}, "legacy_id": legacy}
		if role == "teacher" {
			roles[role] = map[string]any{"school": a, "schools": slices.Compact([]string{a, b}), "sis_id": fmt.Sprint(e.made), "legacy_id": legacy}
		}
	})
}

// read is a person's record, and their roles if those may change hands.
func (e *edits) read(id string) (u, roles map[string]any, ok bool) {
	if err := json.Unmarshal(e.box.UserJSON(id), &u); err != nil {
		return nil, nil, false // nobody
	}
	roles, ok = employee(u)
	return u, roles, ok
}

// join gives somebody a colleague's address, so that Clever makes one user of the two.
func (e *edits) join() error {
	id, other := e.person(), e.person()
	_, _, one := e.read(id)
	theirs, _, two := e.read(other)
	email, _ := theirs["email"].(string)
	if !one || !two || id == other || email == "" || e.made%4 != 0 { // now and then: everybody would be one in the end
		return nil
	}
	_, err := e.box.SetEmail(id, email)
	return err
}

func (e *edits) split() error {
	id := e.person()
	_, roles, ok := e.read(id)
	if !ok || len(roles) < 2 || roles["teacher"] == nil {
		return nil
	}
	_, err := e.box.SetRoleEmail(id, "teacher", fmt.Sprintf("apart%d@example.org", e.made))
	return err
}

func (e *edits) remove() error {
	if len(e.away) >= mostAway {
		return e.comeBack()
	}
	id, drop, back := e.box.UserIDAt(e.random.IntN(e.users)), e.box.RemoveUser, e.box.RestoreUser
	if e.random.IntN(4) == 0 {
		ids := []string{sandbox.CoTaughtSectionID, sandbox.SeedUserSectionID, sandbox.NullTermSectionID}
		id, drop, back = ids[e.random.IntN(len(ids))], e.box.RemoveSection, e.box.RestoreSection
	}
	if drop(id) == nil { // it may be away already
		e.away[id] = back
	}
	return nil
}

func (e *edits) comeBack() error {
	var ids []string
	for id := range e.away {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	id := ids[e.random.IntN(len(ids))]
	back := e.away[id]
	delete(e.away, id)
	return back(id)
}

func (e *edits) section() error {
	id := []string{sandbox.CoTaughtSectionID, sandbox.SeedUserSectionID, sandbox.NullTermSectionID}[e.random.IntN(3)]
	teacher := e.person()
	if e.away[id] != nil {
		return nil
	}
	return e.box.EditSection(id, func(s map[string]any) {
		s["name"] = fmt.Sprintf("Period %d", e.made)
		if e.made%2 == 0 {
			s["teacher"], s["teachers"] = teacher, []string{teacher}
		}
	})
}

func (e *edits) school() error {
	return e.box.EditSchool(e.box.SchoolID(e.random.IntN(4)), func(s map[string]any) { s["name"] = fmt.Sprintf("School %d", e.made) })
}

func (e *edits) create() error {
	id, school := fmt.Sprintf("6e%022x", e.made), e.box.SchoolID(e.random.IntN(4))
	raw, err := json.Marshal(map[string]any{
		"id": id, "district": e.box.DistrictID(), "email": fmt.Sprintf("new%d@example.org", e.made),
		"name":    map[string]any{"first": "New", "middle": "", "last": fmt.Sprintf("Person%d", e.made)},
		"created": "2026-01-02T03:04:05.000Z", "last_modified": "2026-01-02T03:04:05.000Z",
		"roles": map[string]any{"teacher": map[string]any{"school": school, "schools": []string{school}, "sis_id": fmt.Sprint(e.made), "legacy_id": fmt.Sprintf("6f%022x", e.made)}},
	})
	if err != nil {
		return err
	}
	return e.box.PutUser(raw)
}
