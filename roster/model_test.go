package roster

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// modelRuns is how many random histories are tried; HALLPASS_MODEL_RUNS asks for more than CI has time for.
func modelRuns(t *testing.T) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("HALLPASS_MODEL_RUNS")); err == nil {
		t.Logf("%d histories", n)
		return n
	}
	return 6
}

// TestAnyWayLeadsToTheSameState is the promise of the whole room: a random history of edits at Clever, taken over by
// events, by full syncs or by any mix of them, with runs that stop anywhere, ends in the same rows as one full sync of
// the end of it into an empty database that knew the beginning.
func TestAnyWayLeadsToTheSameState(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(modelRuns(t))); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }() // the default is a number
	}
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, change{
			sandbox: func(o *sandbox.Options) {
				o.Users, o.Schools = 120, 4
				o.PreviousBeside, o.ThinDeletes = rapid.Bool().Draw(r, "previous beside"), rapid.Bool().Draw(r, "thin deletes")
			},
			client: func(c *clever.Config) { c.PageSize = rapid.SampledFrom([]int{7, 60, 1000}).Draw(r, "page size") },
		})
		w.sync()
		w.unbraked()
		// The control knows the beginning, and then only the end.
		control := *w
		control.look, control.store = w.another(t)
		defer func() { // the test's own cleaning up comes after all histories
			for _, w := range []*world{w, &control} {
				w.store.Close()
				w.look.Close(context.Background())
			}
		}()
		control.sync()
		control.unbraked()
		m := &history{world: w, r: r, away: map[string]func(string) error{}}
		steps := rapid.IntRange(3, 25).Draw(r, "steps")
		for range steps {
			m.step()
		}
		// Whatever was stopped: afterwards one good run of either kind brings everything.
		if rapid.Bool().Draw(r, "end with a full sync") {
			w.sync()
		} else {
			m.followAll()
		}
		control.sync()
		if d := cmp.Diff(control.state(), w.state()); d != "" {
			r.Fatalf("control -, this way +:\n%s\n%v", d, m.log)
		}
		before := w.marks("")
		w.sync()
		if d := cmp.Diff(before, w.marks("")); d != "" {
			r.Fatalf("a sync of what is known wrote rows: %s\n%v", d, m.log)
		}
	})
}

// another is a second database beside the world's.
func (w *world) another(t *testing.T) (look *pgx.Conn, store *models.Store) {
	t.Helper()
	url := modelstest.URL(t)
	store, err := models.Open(t.Context(), models.Config{URL: url, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	look, err = pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(context.Background()) })
	return look, store
}

// history edits the sandbox and syncs at random.
type history struct {
	*world
	r    *rapid.T
	log  []string
	away map[string]func(string) error // ids of what was removed, with how it comes back
	made int
}

func (m *history) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *history) pick(name string, from ...string) string {
	return rapid.SampledFrom(from).Draw(m.r, name)
}

// person is somebody who is there: often one of a few, so that edits meet.
func (m *history) person() string {
	for {
		id := m.pick("person", sandbox.SeedUserID, sandbox.TeacherUserID, sandbox.StaffUserID, sandbox.ThreeSchoolsUserID, sandbox.StudentUserID,
			sandbox.ContactUserID, sandbox.DistrictAdminUserID, sandbox.AllRolesUserID,
			m.sandbox.UserIDAt(0), m.sandbox.UserIDAt(1), m.sandbox.UserIDAt(9), m.sandbox.UserIDAt(50), m.sandbox.UserIDAt(118))
		if m.sandbox.UserJSON(id) != nil {
			return id
		}
	}
}

func (m *history) school() string {
	return m.sandbox.SchoolID(rapid.IntRange(0, 3).Draw(m.r, "school"))
}

func (m *history) step() {
	m.r.Helper()
	deeds := []func(){
		m.rename, m.regrant, m.regrant, m.remail, m.split, m.remove, m.remove, m.restore, m.restore, m.share, m.share, m.create,
		m.section, m.term, m.renameSchool, m.relate, m.nothing,
		m.full, m.followOnce, m.followOnce, m.followOnce, m.stopped, m.stopped,
	}
	deeds[rapid.IntRange(0, len(deeds)-1).Draw(m.r, "deed")]()
}

func (m *history) change(id string, fn func(u map[string]any)) { m.must(m.sandbox.EditUser(id, fn)) }

func (m *history) rename() {
	id, name := m.person(), m.pick("name", "Ada", "Bo", "Ångström", "")
	m.note("rename %s %q", id, name)
	m.change(id, func(u map[string]any) { u["name"] = map[string]any{"first": name, "last": "X" + name} })
}

func (m *history) regrant() {
	id, role := m.person(), m.pick("role", "teacher", "staff", "district_admin")
	m.made++
	m.note("regrant %s %s", id, role)
	m.change(id, func(u map[string]any) {
		roles, _ := u["roles"].(map[string]any)
		if roles == nil || roles["student"] != nil || roles["contact"] != nil {
			return
		}
		if roles[role] != nil && rapid.Bool().Draw(m.r, "lose") {
			delete(roles, role)
			return
		}
		a, b := m.school(), m.school()
		roles[role] = map[string]any{
			"teacher":        map[string]any{"school": a, "schools": []string{a, b}, "sis_id": "T", "legacy_id": "70aa0000000000000000" + id[20:]},
			"staff":          map[string]any{"schools": []string{b}, "staff_id": "S", "roles": []string{"PortalOnly"}, "legacy_id": "70bb0000000000000000" + id[20:]},
			"district_admin": map[string]any{"title": "", "legacy_id": "70cc0000000000000000" + id[20:]},
		}[role]
	})
}

// remail joins where the email is another employee's.
func (m *history) remail() {
	id, other := m.person(), m.person()
	var of struct {
		Email string `json:"email"`
	}
	m.must(json.Unmarshal(m.sandbox.UserJSON(other), &of))
	now, err := m.sandbox.SetEmail(id, of.Email)
	m.must(err)
	m.note("email of %s to %s: %s", id, other, now)
}

func (m *history) split() {
	id, role := m.person(), m.pick("role", "teacher", "staff")
	m.made++
	now, err := m.sandbox.SetRoleEmail(id, role, fmt.Sprintf("apart%d@example.org", m.made))
	m.note("split %s of %s: %s %v", role, id, now, err)
}

// kinds are what can be removed.
var kinds = []string{"user", "school", "section", "term"}

func (m *history) remove() {
	kind := m.pick("kind", kinds...)
	id, drop, back := m.person(), m.sandbox.RemoveUser, m.sandbox.RestoreUser
	switch kind {
	case "school":
		if m.schoolGone() {
			return
		}
		id, drop, back = m.school(), m.sandbox.RemoveSchool, m.sandbox.RestoreSchool
	case "section":
		id, drop, back = m.pick("section", sandbox.CoTaughtSectionID, sandbox.SeedUserSectionID), m.sandbox.RemoveSection, m.sandbox.RestoreSection
	case "term":
		id, drop, back = m.termID(), m.sandbox.RemoveTerm, m.sandbox.RestoreTerm
	}
	if err := drop(id); err == nil {
		m.away[id] = back
	}
	m.note("remove %s %s", kind, id)
}

func (m *history) restore() {
	if ids := slices.Sorted(maps.Keys(m.away)); len(ids) > 0 {
		id := m.pick("away", ids...)
		err := m.away[id](id)
		delete(m.away, id)
		m.note("restore %s %v", id, err)
	}
}

// schoolGone keeps schools from going by more than one at a time: a full sync refuses to end more than half of them.
func (m *history) schoolGone() bool {
	for id := range m.away {
		if slices.ContainsFunc([]int{0, 1, 2, 3}, func(k int) bool { return m.sandbox.SchoolID(k) == id }) {
			return true
		}
	}
	return len(m.sandbox.Unshared()) > 0
}

func (m *history) share() {
	id := m.school()
	if slices.Contains(m.sandbox.Unshared(), id) {
		m.note("share %s", id)
		m.must(m.sandbox.ShareSchool(id))
		return
	}
	if !m.schoolGone() {
		m.note("unshare %s: %v", id, m.sandbox.UnshareSchool(id))
	}
}

func (m *history) create() {
	m.made++
	id, school := fmt.Sprintf("67290aff00000000000000%02x", m.made), m.school()
	m.note("create %s", id)
	m.must(m.sandbox.PutUser(json.RawMessage(fmt.Sprintf(`{"id":%q,"district":%q,"name":{"first":"New","last":"N%d"},"email":"n%d@example.org",
		"roles":{"teacher":{"school":%q,"schools":[%q],"sis_id":"N","legacy_id":"67290aee00000000000000%02x"}}}`,
		id, sandbox.SeedDistrictID, m.made, m.made, school, school, m.made))))
}

func (m *history) section() {
	id, teacher, student := m.pick("section", sandbox.CoTaughtSectionID, sandbox.OutsideSectionID, sandbox.SeedUserSectionID), m.person(), m.person()
	term := m.pick("term", m.termID(), "6387ffff0000000000000001", "")
	err := m.sandbox.EditSection(id, func(s map[string]any) {
		s["teacher"], s["teachers"], s["students"], s["term_id"] = teacher, []string{teacher, "63850203bfb84605460eeeee"}, []string{student}, term
	})
	m.note("section %s of %s with %s in %q: %v", id, teacher, student, term, err)
}

func (m *history) termID() string {
	return m.text(`SELECT clever_id FROM terms ORDER BY clever_id COLLATE "C" LIMIT 1`)
}

func (m *history) term() {
	m.made++
	m.note("term %d", m.made)
	m.must(m.sandbox.PutTerm(json.RawMessage(fmt.Sprintf(`{"id":"6387ffff0000000000000001","district":%q,"name":"Summer %d","start_date":"2026-06-01"}`, sandbox.SeedDistrictID, m.made))))
	m.away["6387ffff0000000000000001"] = m.sandbox.RemoveTerm
}

func (m *history) renameSchool() {
	m.made++
	m.note("school %d: %v", m.made, m.sandbox.EditSchool(m.school(), func(s map[string]any) { s["name"] = fmt.Sprint("School ", m.made) }))
}

func (m *history) relate() {
	student := m.person()
	err := m.sandbox.EditUser(sandbox.ContactUserID, func(u map[string]any) {
		u["roles"] = map[string]any{"contact": map[string]any{"student_relationships": []any{map[string]any{"student": student, "relationship": "Parent", "type": "Primary"}}}}
	})
	m.note("relate to %s: %v", student, err)
}

// nothing changes but the moment of the change.
func (m *history) nothing() { m.change(m.person(), func(map[string]any) {}) }

func (m *history) full() {
	m.note("full sync")
	m.sync()
}

func (m *history) followOnce() {
	kind := m.pick("fault", "", string(sandbox.Twice), string(sandbox.Shuffled), string(sandbox.Skewed))
	if kind != "" {
		m.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.FaultKind(kind), Times: -1})
		defer m.sandbox.Faults().Clear()
	}
	done := m.follow()
	m.note("follow %s: %d events", kind, of(done.Run, models.RosterEvents).Read)
}

func (m *history) followAll() {
	for m.follow().More {
	}
}

// stopped is a run that is cancelled after some of its pages.
func (m *history) stopped() {
	ctx, stop := context.WithCancel(m.Context())
	defer stop()
	left := rapid.IntRange(0, 6).Draw(m.r, "pages until the stop")
	opts := Options{Progress: func(models.SyncProgress) {
		if left--; left < 0 {
			stop()
		}
	}}
	var err error
	full := rapid.Bool().Draw(m.r, "a full sync is stopped")
	if full {
		_, err = Full(ctx, m.store, m.client, sandbox.SeedDistrictID, opts)
	} else {
		_, err = Follow(ctx, m.store, m.client, sandbox.SeedDistrictID, opts)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		m.r.Fatalf("stopped: %v\n%v", err, m.log)
	}
	m.note("stopped (full %v): %v", full, err)
}
