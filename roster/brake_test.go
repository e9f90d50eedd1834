package roster

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// halved is a synced district of which half the schools are not shared any more.
func halved(t *testing.T) (w *world, schools []string) {
	t.Helper()
	w = newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users, o.Schools = 400, 6 }})
	w.sync()
	for k := range 3 {
		schools = append(schools, w.sandbox.SchoolID(k))
		w.must(w.sandbox.UnshareSchool(schools[k]))
	}
	return w, schools
}

func (w *world) share(schools []string) {
	w.Helper()
	for _, s := range schools {
		w.must(w.sandbox.ShareSchool(s))
	}
}

// approve releases a part of a held list and applies it.
func (w *world) approve(run int64, pick models.HeldPick) models.SyncRun {
	w.Helper()
	var release models.SyncRun
	w.must(w.system().Write(w.Context(), func(tx *models.Tx) (err error) {
		actor := tx.Actor()
		actor.User = w.person(sandbox.DistrictAdminUserID)
		if err := tx.Become(actor); err != nil {
			return err
		}
		release, err = tx.ReleaseHeld(w.Context(), run, pick)
		return err
	}))
	done, err := Release(w.Context(), w.store, release.DistrictID, Options{RunID: release.ID})
	w.must(err)
	sum := 0 // what was approved is accounted for, whatever became of it
	for _, p := range done.Progress {
		sum += p.Ended + p.Updated + p.Unchanged
	}
	w.is(strconv.Itoa(sum), `SELECT count(*) FROM held_records WHERE release_id = $1`, release.ID)
	return done
}

func (w *world) person(cleverID string) (id int64) {
	w.Helper()
	w.must(w.look.QueryRow(w.Context(), `SELECT id FROM users WHERE clever_id = $1`, cleverID).Scan(&id))
	return id
}

// override denies somebody something, which is to be there whatever happens to them.
func (w *world) override(user int64) {
	w.Helper()
	_, err := w.look.Exec(w.Context(), `INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
		SELECT district_id, id, 'grades.edit', false, 'district', 'other', 'why', 'none', id, now() FROM users WHERE id = $1`, user)
	w.must(err)
}

// TestUnsharingHalfIsHeld, and nothing that goes is gone; approving it ends it, and sharing again brings everyone back with
// what people decided about them.
func TestUnsharingHalfIsHeld(t *testing.T) {
	w, schools := halved(t)
	teacher := w.person(w.text(`SELECT u.clever_id FROM users u JOIN role_grant_schools g ON g.user_id = u.id JOIN schools s ON s.id = g.school_id
		WHERE s.clever_id = $1 AND g.role = 'teacher' AND u.role_count = 1 AND NOT EXISTS (SELECT FROM role_grant_schools o WHERE o.user_id = u.id AND o.school_id <> g.school_id)
		ORDER BY u.id LIMIT 1`, schools[0]))
	w.override(teacher)
	before := w.state()
	run := w.held()
	if d := cmp.Diff(before["users"], w.state()["users"]); d != "" {
		t.Logf("people who stay are marked to be looked at again: %s", d)
	}
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	w.is("0", `SELECT count(*) FROM role_grants WHERE ended_at IS NOT NULL`)
	w.is("0", `SELECT count(*) FROM sections WHERE ended_at IS NOT NULL`)
	w.is("3", `SELECT count(*) FROM held_records WHERE type = 'schools'`)
	w.is("true", `SELECT count(*) > 20 FROM held_records WHERE type = 'users' AND cause = 'school_gone'`)
	w.is("true", `SELECT count(*) > 0 FROM held_effects WHERE NOT gained`)
	w.is("true", `SELECT held_at IS NOT NULL FROM district_ids`)
	if !run.Brake.Over() || run.Brake.Losing == 0 {
		t.Errorf("%+v", run.Brake)
	}
	// Events must not take it either: they all come now.
	for w.follow().More {
	}
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	// A newer full sync asks anew, about the same.
	list := w.text(`SELECT string_agg(type || record_id, ',' ORDER BY type, record_id) FROM held_records WHERE run_id = $1`, run.ID)
	again := w.held()
	w.is(list, `SELECT string_agg(type || record_id, ',' ORDER BY type, record_id) FROM held_records WHERE run_id = $1`, again.ID)
	w.is("superseded", `SELECT state FROM sync_runs WHERE id = $1`, run.ID)

	done := w.approve(again.ID, models.HeldPick{})
	if of(done, models.RosterUsers).Ended == 0 || done.State != models.SyncDone {
		t.Errorf("%+v", done)
	}
	w.is("released", `SELECT state FROM sync_runs WHERE id = $1`, again.ID)
	w.is("true", `SELECT ended_at IS NOT NULL FROM users WHERE id = $1`, teacher)
	w.is("true", `SELECT count(*) > 0 FROM sync_changes WHERE run_id = $1 AND kind = 'left'`, done.ID)
	w.is("true", `SELECT held_at IS NULL FROM district_ids`)
	w.sync() // nothing is left to ask

	w.share(schools)
	w.sync()
	w.is("true", `SELECT ended_at IS NULL FROM users WHERE id = $1`, teacher)
	w.is("1", `SELECT count(*) FROM overrides WHERE user_id = $1 AND ended_at IS NULL`, teacher)
	if d := cmp.Diff(before, w.state()); d != "" {
		t.Errorf("not as before: %s", d)
	}
}

// TestEventsStopAtTheBrake: an unsharing that events tell first takes no more than the limits, and asks for the full sync
// that holds.
func TestEventsStopAtTheBrake(t *testing.T) {
	w, _ := halved(t)
	var told models.SyncRun // whoever follows puts it to work at once
	for more := true; more; {
		done := w.follow()
		more = done.More
		if done.Full.ID != 0 {
			told = done.Full
		}
	}
	if told.Cause != models.CauseBrake || told.State != models.SyncRequested {
		t.Errorf("the full sync asked for: %+v", told)
	}
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	w.is("brake", `SELECT cause FROM sync_runs WHERE state = 'requested'`)
	run, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{RunID: mustInt(w, `SELECT id FROM sync_runs WHERE state = 'requested'`)})
	w.must(err)
	if run.State != models.SyncHeld {
		t.Errorf("the full sync is %s", run.State)
	}
}

func mustInt(w *world, sql string) (n int64) {
	w.Helper()
	w.must(w.look.QueryRow(w.Context(), sql).Scan(&n))
	return n
}

// TestDiscardedListLeavesEveryone, and the next full sync asks again.
func TestDiscardedListLeavesEveryone(t *testing.T) {
	w, schools := halved(t)
	run := w.held()
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error { return tx.DiscardHeld(t.Context(), run.ID) }))
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	if err := w.system().Write(t.Context(), func(tx *models.Tx) error { return tx.DiscardHeld(t.Context(), run.ID) }); !errors.Is(err, models.ErrConflict) {
		t.Errorf("discarded twice: %v", err)
	}
	again := w.held()
	w.share(schools)
	w.sync()
	w.is("discarded", `SELECT state FROM sync_runs WHERE id = $1`, run.ID)
	w.is("superseded", `SELECT state FROM sync_runs WHERE id = $1`, again.ID)
}

// TestApprovingSome ends just that; the rest waits, and whoever came back meanwhile stays.
func TestApprovingSome(t *testing.T) {
	w, schools := halved(t)
	run := w.held()
	var back string
	w.must(w.look.QueryRow(t.Context(), `SELECT u.clever_id FROM held_records h JOIN users u ON u.id = h.record_id JOIN schools s ON s.id = h.school_id
		WHERE h.type = 'users' AND s.clever_id = $1 AND 'student' = ANY(h.roles) ORDER BY u.id LIMIT 1`, schools[1]).Scan(&back))
	school := mustInt(w, `SELECT id FROM schools WHERE clever_id = '`+schools[0]+`'`)
	var list models.HeldList
	w.must(w.system().Read(t.Context(), func(tx *models.Tx) (err error) {
		list, err = tx.HeldHash(t.Context(), run.ID, models.HeldPick{})
		return err
	}))
	done := w.approve(run.ID, models.HeldPick{School: school})
	w.is("held", `SELECT state FROM sync_runs WHERE id = $1`, run.ID)
	w.is("true", `SELECT ended_at IS NOT NULL FROM schools WHERE id = $1`, school)
	w.is("1", `SELECT count(*) FROM schools WHERE ended_at IS NOT NULL`)
	if of(done, models.RosterUsers).Ended == 0 {
		t.Errorf("%+v", done.Progress)
	}
	// One of the others comes back under the old id.
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error {
		_, err := tx.WritePerson(t.Context(), models.RosterUser{CleverID: back, Last: "Back", Grants: []models.RosterGrant{{Role: string(access.Student)}}}, true)
		return err
	}))
	w.must(w.system().Read(t.Context(), func(tx *models.Tx) error {
		now, err := tx.HeldHash(t.Context(), run.ID, models.HeldPick{})
		if err == nil && (now.Hash == list.Hash || now.Count >= list.Count) {
			t.Errorf("the list is as it was: %+v", now)
		}
		return err
	}))
	w.approve(run.ID, models.HeldPick{})
	w.is("true", `SELECT ended_at IS NULL FROM users WHERE clever_id = $1`, back)
	w.is("released", `SELECT state FROM sync_runs WHERE id = $1`, run.ID)
}

// TestKilledReleaseIsAppliedLater: a release whose program died is asked for again and wrote nothing.
func TestKilledReleaseIsAppliedLater(t *testing.T) {
	w, _ := halved(t)
	run := w.held()
	var release models.SyncRun
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) (err error) {
		actor := tx.Actor()
		actor.User = w.person(sandbox.DistrictAdminUserID)
		if err := tx.Become(actor); err != nil {
			return err
		}
		if release, err = tx.ReleaseHeld(t.Context(), run.ID, models.HeldPick{}); err == nil {
			_, err = tx.StartSync(t.Context(), release.ID) // and then the program is gone
		}
		return err
	}))
	_, err := w.look.Exec(t.Context(), `UPDATE sync_runs SET beat_at = now() - interval '1 hour' WHERE id = $1`, release.ID)
	w.must(err)
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error { _, err := tx.FailLostSyncs(t.Context()); return err }))
	w.is("requested", `SELECT state FROM sync_runs WHERE id = $1`, release.ID)
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	w.must(Take(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{RunID: release.ID}))
	w.is("true", `SELECT count(*) > 20 FROM users WHERE ended_at IS NOT NULL`)
	if err := Take(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{RunID: release.ID}); !errors.Is(err, ErrUnderWay) {
		t.Errorf("applied twice: %v", err)
	}
}

// TestRoleGoneFromManyIsHeld: a role that Clever stops sharing goes from nobody before somebody says so.
func TestRoleGoneFromManyIsHeld(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users, o.Schools = 400, 6 }})
	w.sync()
	rows, err := w.look.Query(t.Context(), `SELECT u.clever_id FROM users u JOIN role_grants g ON g.user_id = u.id WHERE g.role = 'staff'`)
	w.must(err)
	var staff []string
	for rows.Next() {
		var id string
		w.must(rows.Scan(&id))
		staff = append(staff, id)
	}
	for _, id := range staff {
		w.edit(id, func(u map[string]any) { delete(u["roles"].(map[string]any), "staff") })
	}
	run := w.held()
	w.is("0", `SELECT count(*) FROM role_grants WHERE ended_at IS NOT NULL`)
	w.is("true", `SELECT count(*) = $2 FROM held_records WHERE run_id = $1 AND type = 'roles' AND roles = '{staff}' AND cause = 'type_gone'`, run.ID, len(staff))
	w.approve(run.ID, models.HeldPick{})
	w.is("true", `SELECT count(*) = $1 FROM role_grants WHERE role = 'staff' AND ended_at IS NOT NULL`, len(staff))
	before := w.marks("")
	w.sync()
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("a sync of what is known wrote rows: %s", d)
	}
}
