package handlers

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"hallpass/clever/sandbox"
	"hallpass/views"
)

// Decisions by every id that somebody ever had: an account from before that leads to nobody is refused in words, and
// follows its person through a merge and back.
func TestDecisionsFollowOldIDs(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	c.importFile("account_id,role,clever_id,first_name,last_name,email\n" +
		"A1,teacher,old-teacher,Odile,Ferrant,odile@example.org\n" +
		"A2,student,old-pupil,Lost,Pupil,\n" +
		"A3,teacher," + sandbox.SeedTeacherLegacy + ",Danny,Brakus,\n" +
		"A4,teacher,listed-elsewhere,Ada,Listed,\n")
	c.sql(`INSERT INTO migrated_ids SELECT $1, 'listed-elsewhere', $2, min(id) FROM imports WHERE district_id = $1`, c.district, sandbox.TeacherUserID)
	const act = "classroom.edit" // of one's own sections
	section := "section:" + sandbox.CoTaughtSectionID
	ask := func(subject, resource string) told { return p.ask(evaluationPath, q(subject, act, resource)) }
	is := func(when, subject, resource, code string, allowed bool) {
		t.Helper()
		said := ask(subject, resource)
		if said.Decision != allowed || said.Context.Code != code || said.Context.ReasonAdmin["en"] == "" || said.Context.ReasonUser["es"] == "" {
			t.Errorf("%s, %s: %v %q, %v, %v; want %v %q", when, subject, said.Decision, said.Context.Code, said.Context.ReasonAdmin, said.Context.ReasonUser, allowed, code)
		}
	}
	old := c.rows(`SELECT user_id FROM imported_accounts WHERE district_id = $1 AND app_id = 'A1'`, c.district)[0]
	alone := func(when string) {
		t.Helper()
		for _, subject := range []string{"user:old-teacher", "user:" + old, "account:A1", "user:old-pupil", "account:A2"} {
			is(when, subject, section, "unmatched_account", false)
			is(when, subject, section, "unmatched_account", false) // and so from copies, were there any
		}
		is(when, "user:nobody-at-all", section, "unknown_user", false)
		is(when, "account:nobody-at-all", section, "unknown_user", false)
		is(when, "user:old-teacher", "section:no-such-section", "unknown_place", false)
	}
	alone("imported")
	// Who is with somebody whom Clever lists is answered as they are, by whatever id.
	for _, subject := range []string{"user:" + sandbox.SeedTeacherLegacy, "account:A3", "user:" + sandbox.SeedUserID} {
		is("linked", subject, "section:"+sandbox.SeedUserSectionID, "role", true)
	}
	is("by Clever's own list", "user:listed-elsewhere", section, "role", true)

	admin, other := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	id, err := strconv.ParseInt(old, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	plan := views.MergeAnswers{Members: []int64{c.id(sandbox.TeacherUserID), id}, Keep: c.id(sandbox.TeacherUserID)}.Path(sandbox.SeedDistrictID, "district_admin")
	a := admin.post(buttonOf(t, admin.get(plan)))
	merge := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("merge: status %d, %s", a.StatusCode, a.doc(t).Find("main").Text())
	}
	if c.rows(`SELECT state FROM merges WHERE district_id = $1`, c.district)[0] == "proposed" {
		if a := other.post(buttonOf(t, other.get(merge))); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("agreement: status %d", a.StatusCode)
		}
	}
	for _, subject := range []string{"user:old-teacher", "user:" + old, "account:A1", "user:" + sandbox.TeacherUserID, fmt.Sprint("user:", c.id(sandbox.TeacherUserID))} {
		is("merged", subject, section, "role", true)
		is("merged", subject, section, "role", true)
	}
	undo, fields := buttonOf(t, admin.get(merge+"/unmerge"))
	fields.Set("reason", "Two people")
	if a := admin.post(undo, fields); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("taking back: status %d", a.StatusCode)
	}
	alone("taken back")
	is("taken back", "user:"+sandbox.TeacherUserID, section, "role", true)
}
