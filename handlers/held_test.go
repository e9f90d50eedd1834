package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/roster"
)

// heldConsole is a console with a run that the brake holds: so many of six schools are not shared any more.
func heldConsole(t *testing.T, schools int) (c *console, at string, run int64) {
	t.Helper()
	c = newConsole(t)
	for k := range schools {
		if err := c.box.UnshareSchool(c.box.SchoolID(k)); err != nil {
			t.Fatal(err)
		}
	}
	done, err := roster.Full(t.Context(), c.store, c.server.Clever, sandbox.SeedDistrictID, roster.Options{})
	if err != nil || done.State != models.SyncHeld {
		t.Fatalf("sync is %s: %v", done.State, err)
	}
	return c, adminBase + "syncs/" + strconv.FormatInt(done.ID, 10), done.ID
}

// decideHeld walks a decision from the preview to its answer.
func decideHeld(t *testing.T, b *browser, at string, answers url.Values) (preview, answer answer) {
	t.Helper()
	preview = b.send(at+"/held/preview", answers)
	if preview.StatusCode != http.StatusOK {
		t.Fatalf("preview: status %d\n%s", preview.StatusCode, preview.body)
	}
	if preview.doc(t).Find(`form[action="`+at+`/held"] button`).Length() == 0 {
		return preview, answer
	}
	return preview, b.send(at+"/held", fields(t, preview, at+"/held"))
}

func (c *console) one(sql string, args ...any) string {
	c.t.Helper()
	return strings.Join(c.ask(sql, args...), ",")
}

// TestHeldRunIsToldAndApproved: in words, by cause, with who loses what; once approved, it is applied.
func TestHeldRunIsToldAndApproved(t *testing.T) {
	c, at, run := heldConsole(t, 1)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	page := admin.get(at)
	text := page.doc(t).Find("main").Text()
	for _, want := range []string{"This sync is held", "Clever no longer lists", "missing whole", "Over the limit of 10\u00a0%", "Lose it"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if home := admin.get(adminBase).doc(t).Find("main").Text(); !strings.Contains(home, "A sync is held") {
		t.Error("home does not say so")
	}
	if nav := admin.get(adminBase + "users").doc(t).Find(`.nav a[href$="/syncs"]`).Text(); !strings.Contains(nav, "held") {
		t.Errorf("the menu says %q", nav)
	}
	if teacher := c.signedIn(sandbox.TeacherUserID).get("/").doc(t).Find(".nav").Text(); strings.Contains(teacher, "held") {
		t.Errorf("a teacher's menu says %q", teacher)
	}
	if ready := admin.get("/readyz").body; !strings.Contains(ready, `"held_syncs":1`) || !strings.Contains(ready, `"ready"`) {
		t.Errorf("readyz: %s", ready)
	}
	if list := admin.get(at + "/held").doc(t).Find("tbody tr").Length(); list != heldPage {
		t.Errorf("%d rows on the list's first page", list)
	}
	csv := admin.get(at + "/held.csv").body
	if rows, want := strings.Count(csv, "\r\n")-1, c.one(`SELECT count(*)::text FROM held_records WHERE run_id = $1`, run); strconv.Itoa(rows) != want {
		t.Errorf("%d rows in the file, want %s", rows, want)
	}
	if access := admin.get(at + "/held/access.csv").body; !strings.Contains(access, "grades.edit") {
		t.Errorf("nobody loses grades.edit: %.200s", access)
	}
	_, done := decideHeld(t, admin, at, url.Values{"do": {"approve"}})
	if done.StatusCode != http.StatusSeeOther || c.queued.Load() != 1 {
		t.Fatalf("status %d, %d runs put to work\n%s", done.StatusCode, c.queued.Load(), done.body)
	}
	if nav := admin.get(adminBase + "users").doc(t).Find(".nav").Text(); strings.Contains(nav, "held") {
		t.Error("the menu says held once that is decided")
	}
	if receipt := admin.get(done.Header.Get("Location")); receipt.StatusCode != http.StatusOK || !strings.Contains(receipt.body, "is approved") {
		t.Errorf("receipt: %d", receipt.StatusCode)
	}
	if got := c.one(`SELECT count(*)::text FROM users WHERE ended_at IS NOT NULL`); got != "0" {
		t.Errorf("%s ended before the run", got)
	}
	release, err := strconv.ParseInt(c.one(`SELECT id::text FROM sync_runs WHERE kind = 'release'`), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roster.Release(t.Context(), c.store, c.district, roster.Options{RunID: release}); err != nil {
		t.Fatal(err)
	}
	if got := c.one(`SELECT (count(*) > 0)::text FROM users WHERE ended_at IS NOT NULL`); got != "true" {
		t.Error("nobody ended")
	}
	changes := adminBase + "syncs/" + strconv.FormatInt(release, 10) + "/changes"
	if rows := admin.get(changes + "?kind=left").doc(t).Find("tbody tr").Length(); rows == 0 {
		t.Error("the changes list nobody who left")
	}
	if got := c.one(`SELECT string_agg(action, ',' ORDER BY id) FROM audit_entries WHERE action LIKE 'sync.%' AND subject = $1`, "sync:"+strconv.FormatInt(run, 10)); got != "sync.requested,sync.held,sync.approved" {
		t.Errorf("audit: %s", got)
	}
}

// TestOneClickDecides: the second of two clicks finds the first one's receipt.
func TestOneClickDecides(t *testing.T) {
	c, at, _ := heldConsole(t, 1)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	form := url.Values{"do": {"discard"}}
	button := fields(t, admin.send(at+"/held/preview", form), at+"/held")
	first, second := admin.send(at+"/held", button), admin.send(at+"/held", button)
	if first.StatusCode != http.StatusSeeOther || second.StatusCode != http.StatusSeeOther || first.Header.Get("Location") != second.Header.Get("Location") {
		t.Errorf("%d to %s, then %d to %s", first.StatusCode, first.Header.Get("Location"), second.StatusCode, second.Header.Get("Location"))
	}
	if got := c.one(`SELECT count(*)::text FROM audit_entries WHERE action = 'sync.discarded'`); got != "1" {
		t.Errorf("discarded %s times", got)
	}
	// Approving it now comes too late.
	form.Set("do", "approve")
	if late := admin.send(at+"/held/preview", form); !strings.Contains(late.body, "not held any more") {
		t.Errorf("late approval: %d", late.StatusCode)
	}
}

// TestApprovalIsOfThatList: whoever comes back between preview and click makes it another list.
func TestApprovalIsOfThatList(t *testing.T) {
	c, at, run := heldConsole(t, 1)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	form := url.Values{"do": {"approve"}}
	button := fields(t, admin.send(at+"/held/preview", form), at+"/held")
	back := c.one(`SELECT u.clever_id FROM held_records h JOIN users u ON u.id = h.record_id WHERE h.run_id = $1 AND h.type = 'users' AND h.roles = '{student}' ORDER BY u.id LIMIT 1`, run)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		_, err := tx.WritePerson(ctx, models.RosterUser{CleverID: back, Last: "Back", Grants: []models.RosterGrant{{Role: string(access.Student)}}}, true)
		return err
	})
	if stale := admin.send(at+"/held", button); stale.StatusCode != http.StatusConflict {
		t.Errorf("a stale list was taken: status %d", stale.StatusCode)
	}
	if got := c.one(`SELECT count(*)::text FROM sync_runs WHERE kind = 'release'`); got != "0" {
		t.Errorf("%s releases", got)
	}
}

// TestTwoPeopleApproveMoreThanHalf, and not the same one twice.
func TestTwoPeopleApproveMoreThanHalf(t *testing.T) {
	c, at, run := heldConsole(t, 5)
	one, two := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	preview, first := decideHeld(t, one, at, url.Values{"do": {"approve"}})
	if !strings.Contains(preview.body, "Two people must approve this") || first.StatusCode != http.StatusSeeOther {
		t.Fatalf("first: status %d\n%s", first.StatusCode, preview.body)
	}
	if got := c.one(`SELECT count(*)::text FROM sync_runs WHERE kind = 'release'`); got != "0" {
		t.Errorf("one person set %s releases going", got)
	}
	if again, _ := decideHeld(t, one, at, url.Values{"do": {"approve"}}); !strings.Contains(again.body, "You have approved this list already") {
		t.Error("the same person may confirm")
	}
	_, second := decideHeld(t, two, at, url.Values{"do": {"approve"}})
	if second.StatusCode != http.StatusSeeOther {
		t.Fatalf("second: status %d\n%s", second.StatusCode, second.body)
	}
	if got := c.one(`SELECT count(*)::text || ' ' || (SELECT state FROM sync_runs WHERE id = $1) FROM sync_runs WHERE kind = 'release'`, run); got != "1 released" {
		t.Errorf("releases and the held run: %s", got)
	}
}

// TestTickedRecordsOnly: the others go on waiting.
func TestTickedRecordsOnly(t *testing.T) {
	c, at, run := heldConsole(t, 1)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	keys := c.ask(`SELECT type || '-' || record_id FROM held_records WHERE run_id = $1 AND type = 'users' AND roles = '{student}' ORDER BY record_id LIMIT 2`, run)
	preview, done := decideHeld(t, admin, at, url.Values{"do": {"approve"}, "ticked": {"1"}, "id": keys})
	if !strings.Contains(preview.body, "This would end 2 students") || done.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d\n%s", done.StatusCode, preview.doc(t).Find("main").Text())
	}
	if got := c.one(`SELECT count(*)::text FROM held_records WHERE run_id = $1 AND release_id IS NOT NULL`, run); got != "2" {
		t.Errorf("%s records released", got)
	}
	if got := c.one(`SELECT state FROM sync_runs WHERE id = $1`, run); got != "held" {
		t.Errorf("the run is %s", got)
	}
	main := admin.get(at).doc(t).Find("main")
	if text := main.Text(); !strings.Contains(text, "still wait. What was approved has ended or is about to") || strings.Contains(text, "has ended nobody") {
		t.Errorf("the page does not tell what was approved from what waits:\n%s", text)
	}
	waiting := c.one(`SELECT count(*)::text FROM held_records WHERE run_id = $1 AND 'student' = ANY(roles) AND release_id IS NULL`, run)
	if row := main.Find("tbody tr:contains(Students)").Text(); !strings.Contains(strings.ReplaceAll(row, ",", ""), waiting) {
		t.Errorf("%s students wait, and the page says: %s", waiting, row)
	}
	if none, _ := decideHeld(t, admin, at, url.Values{"do": {"approve"}, "ticked": {"1"}}); !strings.Contains(none.body, "Nothing that waits was chosen") {
		t.Error("no tick means everything")
	}
}

// TestHeldRunOfAnotherDistrict is not there.
func TestHeldRunOfAnotherDistrict(t *testing.T) {
	c, _, _ := heldConsole(t, 1)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	other := c.one(`SELECT max(id)::text FROM sync_runs WHERE district_id <> $1`, c.district)
	for _, path := range []string{"", "/held", "/held.csv", "/held/access.csv", "/changes", "/changes.csv"} {
		if a := admin.get(adminBase + "syncs/" + other + path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s of another district: %d", path, a.StatusCode)
		}
	}
}

// TestBrakeIsSetAndUndone, and counts at the next sync.
func TestBrakeIsSetAndUndone(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	answers := url.Values{"brake_people": {"1000"}}
	for _, typ := range models.BrakeTypes() {
		answers.Set("brake_"+string(typ), "100")
	}
	_, receipt := set(t, admin, "brake", answers)
	if b := c.decided().District.Brake(); b.People != 1000 || b.Share("student") != 100 {
		t.Errorf("the brake is %+v", b)
	}
	if err := c.box.UnshareSchool(c.box.SchoolID(0)); err != nil {
		t.Fatal(err)
	}
	if run, err := roster.Full(t.Context(), c.store, c.server.Clever, sandbox.SeedDistrictID, roster.Options{}); err != nil || run.State != models.SyncDone {
		t.Errorf("without limits the sync is %s: %v", run.State, err)
	}
	undo(t, admin, receipt)
	if b := c.decided().District.Brake(); b.People != models.BrakePeople || b.Share("student") != models.BrakeShare {
		t.Errorf("undone, the brake is %+v", b)
	}
	at := adminBase + "settings/brake"
	wrong := fields(t, admin.get(at), at+"/preview")
	wrong.Set("brake_student", "0")
	if a := admin.send(at+"/preview", wrong); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a share of 0: status %d", a.StatusCode)
	}
}
