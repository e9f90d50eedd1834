package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
	"hallpass/views"
)

// planOf is the plan of a merge of two people of Clever's, as an admin opens it.
func planOf(c *console, keep, other string) string {
	return views.MergeAnswers{Members: []int64{c.id(keep), c.id(other)}, Keep: c.id(keep)}.Path(sandbox.SeedDistrictID, "district_admin")
}

// Two people whom Clever lists both: one proposes, another agrees, a sync leaves it as it is, old links and sign-ins lead
// on, and taking it back leaves every row as it was.
func TestAMergeLivesAndIsTakenBack(t *testing.T) {
	c := newConsole(t)
	first, second := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	keep, other := sandbox.TeacherUserID, sandbox.StaffUserID
	gone := c.id(other)
	action, fields := buttonOf(t, first.get(planOf(c, keep, other)))
	a := first.post(action, fields)
	merge := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.Contains(merge, "/merges/") {
		t.Fatalf("proposal: status %d, %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	if again := first.post(action, fields); again.Header.Get("Location") != merge {
		t.Errorf("the second click leads to %s", again.Header.Get("Location"))
	}
	if mine := first.get(merge).doc(t).Find(".problem").Text(); !strings.Contains(mine, "somebody else") {
		t.Errorf("who proposed it is told %q", mine)
	}
	if c.id(other) != gone {
		t.Fatal("a proposal merged")
	}
	agree, fields := buttonOf(t, second.get(merge))
	if a = second.post(agree, fields); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("agreement: status %d, %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	if text := second.get(merge).doc(t).Find("main").Text(); !strings.Contains(text, "Merged into") {
		t.Errorf("receipt: %s", text)
	}
	c.wantCountsRight("merged")
	c.sync()
	c.wantCountsRight("synced after the merge")
	for _, id := range []string{other, fmt.Sprint(gone)} {
		page := first.get(adminHome + "users/" + id)
		if want := fmt.Sprintf("/users/%d?merged=%d", c.id(keep), gone); !strings.HasSuffix(page.at(), want) {
			t.Errorf("the address with %s leads to %s, want %s", id, page.at(), want)
		}
		if text := page.doc(t).Find("main").Text(); !strings.Contains(text, "This record was merged") || !strings.Contains(text, "Also known as") {
			t.Errorf("the page says nothing of the merge: %s", text)
		}
	}
	undo, fields := buttonOf(t, first.get(merge+"/unmerge"))
	fields.Set("reason", "Two people")
	if a = first.post(undo, fields); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("taking back: status %d, %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	if text := first.get(merge).doc(t).Find("main").Text(); !strings.Contains(text, "identical to before the merge") {
		t.Errorf("not identical: %s", text)
	}
	c.wantCountsRight("taken back")
	c.sync()
	c.wantCountsRight("synced after that")
	if c.id(other) != gone {
		t.Error("the record that was given back is not found")
	}
	if text := first.get(planOf(c, keep, other)).doc(t).Find(".problem").Text(); !strings.Contains(text, "different people") {
		t.Errorf("merged again without a word: %q", text)
	}
}

// Whoever signs in at Clever as a record that was merged comes in as the person it was merged into.
func TestAMergedRecordSignsIn(t *testing.T) {
	c := newConsole(t)
	before := c.signedIn(sandbox.StaffUserID)
	first, second := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	merge := first.post(buttonOf(t, first.get(planOf(c, sandbox.TeacherUserID, sandbox.StaffUserID)))).Header.Get("Location")
	if a := second.post(buttonOf(t, second.get(merge))); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("agreement: status %d", a.StatusCode)
	}
	if a := before.step(http.MethodGet, "/d/"+sandbox.SeedDistrictID+"/staff/"); a.StatusCode == http.StatusOK {
		t.Error("a sign-in from before the merge goes on")
	}
	c.signedIn(sandbox.StaffUserID)
	who := c.rows(`SELECT user_id FROM sessions WHERE district_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, user_id LIMIT 5`, c.district)
	if want := fmt.Sprint(c.id(sandbox.TeacherUserID)); !strings.Contains(strings.Join(who, " "), want) {
		t.Errorf("sessions of %v, want one of %s", who, want)
	}
}

// A member who is merged meanwhile leads to whom they are now, and a plan that has moved is shown again.
func TestAStalePlanMergesNothing(t *testing.T) {
	c := newConsole(t)
	first := c.signedIn(sandbox.DistrictAdminUserID)
	action, fields := buttonOf(t, first.get(planOf(c, sandbox.TeacherUserID, sandbox.StaffUserID)))
	c.behind(`UPDATE users SET email = 'new@example.org' WHERE district_id = $1 AND id = $2`, c.district, c.id(sandbox.StaffUserID))
	a := first.post(action, fields)
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.doc(t).Find(".notice--wait").Text(), "changed") {
		t.Errorf("a plan that has moved: status %d", a.StatusCode)
	}
	if n := c.rows(`SELECT count(*) FROM merges WHERE district_id = $1`, c.district); n[0] != "0" {
		t.Errorf("%s merges", n[0])
	}
	if a := first.post(adminHome+"merges", url.Values{"member": {"1", "x"}, "plan": {"00"}, "token": {"00"}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("nobody to merge: status %d", a.StatusCode)
	}
	// No form makes a student, a contact or the admin's own record part of a merge.
	for _, id := range []string{sandbox.StudentUserID, sandbox.ContactUserID, sandbox.DistrictAdminUserID} {
		a := first.get(planOf(c, sandbox.TeacherUserID, id))
		if a.StatusCode == http.StatusOK && a.doc(t).Find(".problem").Length() == 0 {
			t.Errorf("%s can be merged", id)
		}
	}
}
