package roster

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// follow follows events once, which must succeed.
func (w *world) follow() Followed {
	w.Helper()
	done, err := Follow(w.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
	if err != nil {
		w.Fatalf("follow: %v", err)
	}
	return done
}

// followed is follow where there must be a run.
func (w *world) followed() models.SyncRun {
	w.Helper()
	done := w.follow()
	if done.Run.ID == 0 || done.Run.State != models.SyncDone || done.Run.Kind != models.SyncEvents || done.More {
		w.Fatalf("following gave %+v", done)
	}
	return done.Run
}

func smallDistrict(o *sandbox.Options) { o.Users = 300 }

func TestEventsFollowAFullSync(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNeverSynced) {
		t.Fatalf("following before any sync gave %v", err)
	}
	w.edit(sandbox.StaffUserID, func(u map[string]any) { u["email"] = "before@example.org" }) // an event before the cursor
	w.sync()
	before := w.marks("")
	if done := w.follow(); done.Run.ID != 0 || done.More || done.Full.ID != 0 {
		t.Errorf("following nothing gave %+v", done)
	}
	w.is("1", `SELECT count(*) FROM sync_runs`)
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("following nothing wrote rows: %s", d)
	}

	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		u["name"] = map[string]any{"first": "Zoë", "last": "Ångström"}
		delete(u["roles"].(map[string]any), "staff")
	})
	w.edit(sandbox.TeacherUserID, func(u map[string]any) {
		u["roles"].(map[string]any)["district_admin"] = map[string]any{"legacy_id": "67290af290b55408fa4b0aaa"}
	})
	run := w.followed()
	p := of(run, models.RosterUsers)
	if p.Read != 2 || p.Updated != 2 || p.RolesLost != 1 || p.RolesGained != 1 || p.Problems != 0 || of(run, models.RosterEvents).Read != 2 {
		t.Errorf("%+v", run.Progress)
	}
	w.is("Ångström|1", `SELECT last_name || '|' || role_count FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is("1", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.role = 'district_admin' AND g.ended_at IS NULL`, sandbox.TeacherUserID)
	newest, err := w.client.LatestEventID(t.Context(), w.token())
	w.must(err)
	w.is(newest, `SELECT event_id FROM event_cursors`)
	if done := w.follow(); done.Run.ID != 0 {
		t.Errorf("the same events came twice: %+v", done.Run.Progress)
	}
	// A full sync finds nothing left to do.
	before = w.marks("")
	w.sync()
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("a full sync after events wrote rows: %s", d)
	}
}

func (w *world) token() string {
	w.Helper()
	t, err := w.client.DistrictToken(w.Context(), sandbox.SeedDistrictID)
	w.must(err)
	return t.Token
}

func TestPeopleComeAndGoByEvents(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	const member = `SELECT count(*) FROM section_teachers t JOIN sections s ON s.id = t.section_id JOIN users u ON u.id = t.user_id WHERE u.clever_id = $1 AND s.clever_id = $2`
	heads := `SELECT people = (SELECT count(*) FROM users WHERE ended_at IS NULL) FROM head_counts WHERE school_id = 0 AND role = ''`
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID))
	if p := of(w.followed(), models.RosterUsers); p.Ended != 1 || p.Problems != 0 {
		t.Errorf("%+v", p)
	}
	w.is("0", member, sandbox.SeedUserID, sandbox.SeedUserSectionID)
	w.is("1", `SELECT teachers_not_shared FROM sections WHERE clever_id = $1`, sandbox.SeedUserSectionID)
	w.is("0", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.ended_at IS NULL`, sandbox.SeedUserID)
	w.is("true", heads)
	w.must(w.sandbox.RestoreUser(sandbox.SeedUserID))
	if p := of(w.followed(), models.RosterUsers); p.Revived != 1 {
		t.Errorf("%+v", p)
	}
	w.is("1", member, sandbox.SeedUserID, sandbox.SeedUserSectionID)
	w.is("0", `SELECT teachers_not_shared FROM sections WHERE clever_id = $1`, sandbox.SeedUserSectionID)
	w.is("0", `SELECT count(*) FROM section_strangers WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is("true", heads)
}

// TestJoinAndSplit: Clever makes one user of two, and two of one. Nobody's account or roles change hands.
func TestJoinAndSplit(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	const owner = `SELECT u.clever_id FROM identities i JOIN users u ON u.id = i.user_id WHERE i.kind = $1 AND i.value = $2`
	const accounts = `SELECT string_agg(a.user_id || ':' || a.id, ' ' ORDER BY a.id) FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.clever_id IN ($1, $2)`
	had := w.text(accounts, sandbox.TeacherUserID, sandbox.StaffUserID)
	legacy := w.text(`SELECT g.legacy_id FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND role = 'teacher'`, sandbox.TeacherUserID)
	email := w.text(`SELECT email FROM users WHERE clever_id = $1`, sandbox.TeacherUserID)
	joined, err := w.sandbox.SetEmail(sandbox.StaffUserID, email)
	w.must(err)
	p := of(w.followed(), models.RosterUsers)
	if p.Joined != 1 || p.Ended != 2 || p.Created != 1 || p.Split != 0 {
		t.Errorf("%+v", p)
	}
	// The old ids are tombstones that still lead to those whose they were.
	w.is(sandbox.TeacherUserID, owner, "clever", sandbox.TeacherUserID)
	w.is(sandbox.TeacherUserID, owner, "legacy", legacy)
	w.is(had, accounts, sandbox.TeacherUserID, sandbox.StaffUserID)
	w.is("2", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.ended_at IS NULL`, joined)
	w.is("1", `SELECT count(*) FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.clever_id = $1`, joined)
	left, err := w.sandbox.SetRoleEmail(joined, "teacher", "apart@example.org")
	w.must(err)
	if p := of(w.followed(), models.RosterUsers); p.Split != 1 || p.Created != 1 || p.RolesLost != 1 || p.Ended != 0 {
		t.Errorf("%+v", p)
	}
	w.is(sandbox.TeacherUserID, owner, "legacy", legacy)
	w.is("teacher", `SELECT string_agg(g.role, ',') FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.ended_at IS NULL`, left)
	w.is("staff", `SELECT string_agg(g.role, ',') FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.ended_at IS NULL`, joined)
}

// TestShrunkenRecordsBlankNothingOut: a field whose sharing ended is not an empty field.
func TestShrunkenRecordsBlankNothingOut(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { smallDistrict(o); o.ThinDeletes, o.PreviousBeside = true, true }})
	w.sync()
	const state = `SELECT first_name || ' ' || last_name || ' ' || role_count || ' ' || (ended_at IS NULL) FROM users WHERE clever_id = $1`
	was := w.text(state, sandbox.SeedUserID)
	grants := w.text(`SELECT string_agg(t::text, ' ' ORDER BY t.id) FROM role_grants t`)
	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		for key := range u {
			if key != "id" && key != "district" && key != "email" {
				delete(u, key)
			}
		}
	})
	school := w.text(`SELECT name FROM schools WHERE clever_id = $1`, sandbox.SeedTeacherSchool)
	w.must(w.sandbox.EditSchool(sandbox.SeedTeacherSchool, func(s map[string]any) { delete(s, "name") }))
	section := w.text(`SELECT s::text FROM sections s WHERE clever_id = $1`, sandbox.CoTaughtSectionID)
	w.must(w.sandbox.EditSection(sandbox.CoTaughtSectionID, func(s map[string]any) { delete(s, "students") }))
	run := w.followed()
	w.is(was, state, sandbox.SeedUserID)
	w.is(grants, `SELECT string_agg(t::text, ' ' ORDER BY t.id) FROM role_grants t`)
	w.is(school, `SELECT name FROM schools WHERE clever_id = $1`, sandbox.SeedTeacherSchool)
	w.is(section, `SELECT s::text FROM sections s WHERE clever_id = $1`, sandbox.CoTaughtSectionID)
	if p := of(run, models.RosterEvents); p.Problems != 1 || p.Read != 3 {
		t.Errorf("%+v", run.Progress)
	}
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID)) // its last record is as good as none
	w.followed()
	w.is(strings.Replace(strings.Replace(was, " 2 ", " 0 ", 1), "true", "false", 1), state, sandbox.SeedUserID)
}

func TestUnsharedSchoolAndItsReturn(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	w.unbraked() // or a person would be asked
	before := w.state()
	w.must(w.sandbox.UnshareSchool(w.sandbox.SchoolID(0)))
	run := w.followed()
	if of(run, models.RosterUsers).Ended == 0 || of(run, models.RosterSections).Ended == 0 || of(run, models.RosterSchools).Ended != 1 {
		t.Errorf("%+v", run.Progress)
	}
	w.must(w.sandbox.ShareSchool(w.sandbox.SchoolID(0)))
	run = w.followed()
	if p := of(run, models.RosterUsers); p.Revived == 0 || p.Created != 0 || p.Problems != 0 {
		t.Errorf("%+v", p)
	}
	if d := cmp.Diff(before, w.state()); d != "" {
		t.Errorf("the district came back as another: %s", d)
	}
}

func TestOddEventsAreCountedAndChangeNothing(t *testing.T) {
	for _, kind := range []sandbox.FaultKind{sandbox.NullObject, sandbox.NoRecordID, sandbox.UnknownType, sandbox.WrongType, sandbox.RolesArray, sandbox.NoID, sandbox.Foreign} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, change{sandbox: smallDistrict})
			w.sync()
			before := w.marks("")
			w.edit(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "x@example.org" })
			w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: kind, Times: -1})
			run := w.followed()
			if p := of(run, models.RosterEvents); p.Problems != 1 || p.Read != 1 || len(run.Progress) != 1 {
				t.Errorf("%+v", run.Progress)
			}
			if d := cmp.Diff(before, w.marks("")); d != "" {
				t.Errorf("rows were written: %s", d)
			}
		})
	}
}

func TestEventsOfUnknownRecords(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	const id = "67290aff0000000000000001"
	put := func(last string) {
		w.must(w.sandbox.PutUser(json.RawMessage(`{"id":"` + id + `","district":"` + sandbox.SeedDistrictID + `","name":{"last":"` + last + `"},"roles":{}}`)))
	}
	put("New")
	w.must(w.sandbox.RemoveUser(id)) // came and went: never here
	run := w.followed()
	if p := of(run, models.RosterUsers); p.Problems != 0 || p.Ended+p.Created != 0 {
		t.Errorf("%+v", p)
	}
	put("New")
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error { // as if that event had been lost
		newest, err := w.client.LatestEventID(t.Context(), w.token())
		if err != nil {
			return err
		}
		return tx.SaveEventCursor(t.Context(), "v3.1", w.text(`SELECT event_id FROM event_cursors`), newest)
	}))
	put("Newer")
	if p := of(w.followed(), models.RosterUsers); p.Created != 1 {
		t.Errorf("%+v", p)
	}
	w.is("Newer", `SELECT last_name FROM users WHERE clever_id = $1`, id)
	w.must(w.sandbox.SetDistrict(sandbox.SeedDistrictID, "Another Name", "paused"))
	if p := of(w.followed(), models.RosterDistricts); p.Updated != 1 {
		t.Errorf("%+v", p)
	}
	w.is("Another Name|paused", `SELECT name || '|' || state FROM districts`)
}

// TestGapsAskForAFullSync: whatever makes events lead nowhere.
func TestGapsAskForAFullSync(t *testing.T) {
	now := time.Now()
	w := newWorld(t, change{
		sandbox: func(o *sandbox.Options) { smallDistrict(o); o.ForgetsCursors = true },
		store:   func(c *models.Config) { c.Now = func() time.Time { return now } },
	})
	w.sync()
	asked := func(cause string, opts Options) {
		t.Helper()
		done, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, opts)
		w.must(err)
		if done.Full.ID == 0 || done.Full.Cause != cause || done.Full.State != models.SyncRequested || done.Run.ID != 0 {
			t.Fatalf("want a full sync for %s, got %+v", cause, done)
		}
		if again, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, opts); err != nil || again.Full.ID != done.Full.ID {
			t.Errorf("asked again: %+v, %v", again, err)
		}
		opts.RunID = done.Full.ID
		_, err = Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, opts)
		w.must(err)
		if done, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Version: opts.Version}); err != nil || done.Full.ID != 0 {
			t.Errorf("after the full sync: %+v, %v", done, err)
		}
	}
	w.edit(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "1@example.org" })
	w.followed()
	now = now.Add(25*24*time.Hour + time.Second)
	asked(models.CauseGap, Options{})
	asked(models.CauseVersion, Options{Version: "v3.2"})
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error {
		return tx.SaveEventCursor(t.Context(), "v3.1", w.text(`SELECT event_id FROM event_cursors WHERE version = 'v3.1'`), "000000000000000000000001")
	}))
	asked(models.CauseCursor, Options{})
	// Polls that bring nothing keep the cursor fresh.
	for range 3 {
		now = now.Add(20 * 24 * time.Hour)
		if done := w.follow(); done.Full.ID != 0 {
			t.Fatalf("polled 20 days ago, yet %+v", done.Full)
		}
	}
}

func TestFailedPollsAreNotedOnce(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	w.edit(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "x@example.org" })
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.ServerError, Status: 401, Times: -1})
	for range 3 {
		if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, clever.ErrUnauthorized) {
			t.Fatalf("got %v", err)
		}
	}
	w.is("events failed credentials 1", `SELECT kind || ' ' || state || ' ' || error_next || ' ' || (SELECT count(*) FROM sync_runs WHERE state = 'failed') FROM sync_runs ORDER BY id DESC LIMIT 1`)
	w.sandbox.Faults().Clear()
	w.followed()
	w.is("x@example.org", `SELECT email FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
}

// TestStoppedRunLosesNothing: a run that breaks in the middle keeps its pages, and the next goes on from there.
func TestStoppedRunLosesNothing(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict, client: func(c *clever.Config) { c.PageSize = 10 }})
	w.sync()
	for i := range 45 {
		w.edit(w.sandbox.UserIDAt(i), func(u map[string]any) { u["email"] = "moved@example.org" })
	}
	const moved = `SELECT count(*) FROM users WHERE email = 'moved@example.org'`
	ctx, stop := context.WithCancel(t.Context())
	done, err := Follow(ctx, w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) {
		if p.Pages == 2 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || done.Run.State != models.SyncFailed || done.Run.ErrorType != "events" || !strings.Contains(done.Run.Error, "goes on from there") {
		t.Errorf("%+v: %v", done.Run, err)
	}
	w.is("20", moved)
	// A slice is bounded, and the next one goes on.
	done, err = Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Events: 15})
	if err != nil || !done.More || of(done.Run, models.RosterEvents).Read != 20 {
		t.Errorf("%+v: %v", done, err)
	}
	w.is("40", moved)
	w.followed()
	w.is("45", moved)
}

// TestOneWriterInADistrict: full syncs wait for events and events give way to full syncs.
func TestOneWriterInADistrict(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict})
	w.sync()
	w.edit(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "x@example.org" })
	tried := false
	_, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(models.SyncProgress) {
		if tried {
			return
		}
		tried = true
		if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrUnderWay) {
			t.Errorf("following during a full sync gave %v", err)
		}
	}})
	w.must(err)
	w.edit(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "y@example.org" })
	told := []models.RosterType{}
	_, err = Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) { told = append(told, p.Type) }})
	w.must(err)
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error { _, err := tx.StartEvents(t.Context()); return err }))
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("a full sync while events are followed gave %v", err)
	}
	if d := cmp.Diff([]models.RosterType{models.RosterEvents, models.RosterUsers}, told); d != "" {
		t.Errorf("told of %s", d)
	}
}
