package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/imports"
	"hallpass/models"
)

// importFile brings in a file as the command does.
func (c *console) importFile(text string) {
	c.t.Helper()
	i, err := imports.File(c.t.Context(), c.store, c.district, "accounts.csv", int64(len(text)), strings.NewReader(text), false)
	if err != nil || i.State != models.ImportApplied {
		c.t.Fatalf("import %+v, error %v", i, err)
	}
}

// oldTeacher signs in at Clever under an id that Clever lists nobody by: the one an account of the old days has.
const oldTeacher = "5f0000000000000000000a01"

func (c *console) addOldTeacher() {
	c.t.Helper()
	err := c.box.PutUser([]byte(`{"id":"` + oldTeacher + `","district":"` + sandbox.SeedDistrictID + `","name":{"first":"Odile","last":"Ferrant"},
		"email":"odile.ferrant@example.org","created":"2026-01-01T00:00:00.000Z","last_modified":"2026-11-01T00:00:00.000Z","roles":{"teacher":{}}}`))
	if err != nil {
		c.t.Fatal(err)
	}
	c.box.Faults().Add(sandbox.Fault{Path: "/v3.1/users/" + oldTeacher, Kind: sandbox.ServerError, Status: http.StatusNotFound, Times: -1})
	c.importFile("account_id,role,clever_id,first_name,last_name,email\nA1,teacher," + oldTeacher + ",Odile,Ferrant,odile.ferrant@example.org\n" +
		"A2,teacher,nobody,Lost,Soul,lost@example.org\nA3,student,,Lost,Pupil,\n")
}

// arriveOld is the old teacher's sign-in.
func (c *console) arriveOld() answer {
	c.t.Helper()
	b := c.browser()
	b.get(c.boxURL + "/signin?as=" + url.QueryEscape("odile.ferrant@example.org"))
	return b.get("/signin/clever")
}

// The date is chosen, shown, set and taken back; until it an old id opens its account, and from then on whoever had an
// archived one is told what to do. Undo opens it again.
func TestCutOverFromFormToUndo(t *testing.T) {
	c := newConsole(t)
	c.addOldTeacher()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	if a := c.arriveOld(); a.StatusCode != http.StatusForbidden || !strings.Contains(a.doc(t).Text(), "has not reached Hallpass yet") {
		t.Fatalf("an old id whose account opens nothing: status %d at %s", a.StatusCode, a.at())
	}
	stand := c.rows(`SELECT user_id FROM imported_accounts WHERE app_id = 'A1'`)[0]
	c.write(func(ctx context.Context, tx *models.Tx) error {
		var id int64
		if _, err := fmt.Sscan(stand, &id); err != nil {
			return err
		}
		_, err := tx.SetManualRole(ctx, models.ManualRole{UserID: id, Role: access.DistrictAdmin, Labels: []string{}, Schools: []int64{}, Reason: "duty", Note: "x"})
		return err
	})
	if a := c.arriveOld(); a.StatusCode != http.StatusOK || !strings.HasPrefix(a.at(), adminBase) {
		t.Fatalf("before the date the old id leads to %s, status %d", a.at(), a.StatusCode)
	}

	// Form, preview, receipt.
	at := adminBase + "migration/cut-over"
	form := fields(t, admin.get(at), at+"/preview")
	for _, wrong := range []url.Values{
		{"at": {"2020-07-01T08:00"}, "rest": {"keep"}}, {"at": {"some day"}, "rest": {"keep"}}, {"at": {"2226-07-01T08:00"}, "rest": {"keep"}}, {"rest": {"burn"}},
	} {
		if a := admin.send(at+"/preview", wrong); a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .problem").Length() != 1 {
			t.Errorf("%v: status %d", wrong, a.StatusCode)
		}
	}
	form.Set("at", c.store.Now().In(zone("America/Los_Angeles")).Add(30*24*time.Hour).Format(formTime))
	form.Set("rest", "archive")
	preview := admin.send(at+"/preview", form)
	if text := preview.doc(t).Find("main").Text(); !strings.Contains(text, "3 accounts would be archived") || !strings.Contains(text, "1 of them holds a role given by hand") {
		t.Fatalf("preview, status %d: %s", preview.StatusCode, text)
	}
	button := fields(t, preview, at)
	c.importFile("account_id,role,clever_id,first_name,last_name,email\nA4,teacher,nobody4,Late,Soul,late@example.org\n")
	moved := admin.send(at, button)
	if moved.StatusCode != http.StatusConflict || !strings.Contains(moved.doc(t).Find("main").Text(), "4 accounts would be archived") {
		t.Errorf("after another file the button has status %d", moved.StatusCode)
	}
	button = fields(t, moved, at)
	set := admin.send(at, button)
	receipt := set.Header.Get("Location")
	if set.StatusCode != http.StatusSeeOther || admin.send(at, button).Header.Get("Location") != receipt {
		t.Fatalf("set: status %d", set.StatusCode)
	}
	if text := admin.get(receipt).doc(t).Find("main").Text(); !strings.Contains(text, "are archived on") {
		t.Errorf("receipt: %s", text)
	}
	undo(t, admin, receipt)
	if d := c.rows(`SELECT cut_over_at IS NULL FROM districts WHERE district_id = $1`, c.district); d[0] != "true" {
		t.Error("undone, and a date is set")
	}
	receipt = admin.send(at, fields(t, admin.send(at+"/preview", form), at)).Header.Get("Location")

	// The date comes.
	c.pass(31 * 24 * time.Hour)
	if err := imports.CutOver(t.Context(), c.store, c.district); err != nil {
		t.Fatal(err)
	}
	c.wantCountsRight("cut over")
	a := c.arriveOld()
	if text := a.doc(t).Text(); a.StatusCode != http.StatusForbidden || !strings.Contains(text, "was archived") || !strings.Contains(text, "Nothing of it was deleted") {
		t.Errorf("after the date: status %d: %s", a.StatusCode, text)
	}
	if again := c.browser().get(a.at()); !strings.Contains(again.doc(t).Text(), "was archived") {
		t.Error("the page cannot be loaded again")
	}
	admin = c.signedIn(sandbox.DistrictAdminUserID)
	if text := admin.get(receipt + "/undo").doc(t).Find("main .problem").Text(); !strings.Contains(text, "was carried out") {
		t.Errorf("undoing the date after it was carried out: %q", text)
	}
	page := admin.get(adminBase + "migration?state=archived")
	if text := page.doc(t).Find("main").Text(); !strings.Contains(text, "It archived 4 accounts") || !strings.Contains(text, "Ferrant") {
		t.Errorf("the page of old accounts: %s", text)
	}
	done := page.doc(t).Find(`section[aria-labelledby="cutover"] a.act`).AttrOr("href", "")
	undo(t, admin, done)
	c.wantCountsRight("cut-over undone")
	if a := c.arriveOld(); a.StatusCode != http.StatusOK || !strings.HasPrefix(a.at(), adminBase) {
		t.Errorf("after the undo the old id leads to %s, status %d", a.at(), a.StatusCode)
	}
	if text := admin.get(done).doc(t).Find("main").Text(); !strings.Contains(text, "Undone") {
		t.Errorf("the receipt does not say that it was undone: %s", text)
	}
}

// A person whom Clever lists comes in under an old id of a role until the date, and under the current one always.
func TestOldIDOfALinkedPerson(t *testing.T) {
	c := newConsole(t)
	c.addOldTeacher()
	c.behind(`INSERT INTO identities (district_id, kind, value, user_id, role, created_at) VALUES ($1, 'legacy', $2, $3, 'teacher', now())`, c.district, oldTeacher, c.id(sandbox.TeacherUserID))
	if a := c.arriveOld(); a.StatusCode != http.StatusOK || !strings.HasPrefix(a.at(), "/d/") {
		t.Errorf("before the date: %s, status %d", a.at(), a.StatusCode)
	}
	c.behind(`UPDATE districts SET cut_over_at = $2 WHERE district_id = $1`, c.district, c.store.Now().Add(-time.Minute))
	if a := c.arriveOld(); a.StatusCode != http.StatusForbidden || !strings.Contains(a.doc(t).Text(), "your current Clever id only") {
		t.Errorf("after the date: status %d: %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	c.signedIn(sandbox.TeacherUserID)
}
