package handlers

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
)

// overridden lets somebody stand an exception to the rules at a place, past the pages.
func (c *console) overridden(user int64, permission string, allow bool, kind, school string) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(c.t.Context()))
	_, err = conn.Exec(c.t.Context(), `INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, school_id, reason, note, end_kind, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, (SELECT id FROM schools WHERE district_id = $1 AND clever_id = $6), 'covering', 'leave', 'none', $7, now())`,
		c.district, user, permission, allow, kind, school, c.id(sandbox.DistrictAdminUserID))
	if err != nil {
		c.t.Fatal(err)
	}
}

func (a answer) says(t *testing.T, selector string) string {
	t.Helper()
	return strings.Join(strings.Fields(a.doc(t).Find(selector).Text()), " ")
}

// The pages say the same of one question, and it is what the decision is.
func TestWhyPageTellsTheDecision(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	teacher, school := c.id(sandbox.TeacherUserID), c.box.SchoolID(1)
	own := "section:" + sandbox.CoTaughtSectionID
	why := func(permission, place string) answer {
		t.Helper()
		a := admin.get(seedHome + fmt.Sprintf("district_admin/users/%d/access/why?permission=%s&place=%s", teacher, permission, place))
		if a.StatusCode != http.StatusOK {
			t.Fatalf("%s at %s: status %d", permission, place, a.StatusCode)
		}
		return a
	}
	a := why("grades.edit", own)
	if said := a.says(t, ".sentence--big"); !strings.Contains(said, " can change grades in ") || !strings.Contains(said, "as a teacher of this section.") {
		t.Errorf("about an own section: %s", said)
	}
	if said := a.says(t, ".considered .decides"); !strings.Contains(said, "Allows, and decides") || !strings.Contains(said, "Role: teacher") {
		t.Errorf("what decides: %s", said)
	}
	if said := a.says(t, ".deeds"); !strings.Contains(said, "takes") || !strings.Contains(said, "Make an override") {
		t.Errorf("what would change it: %s", said)
	}
	if said := why("grades.edit", "school:"+school).says(t, ".sentence--big"); !strings.Contains(said, " cannot change grades at ") {
		t.Errorf("about the whole school: %s", said)
	}
	c.overridden(teacher, "grades.edit", false, "school", school)
	a = why("grades.edit", own)
	if said := a.says(t, ".sentence--big"); !strings.Contains(said, " cannot change grades in ") || !strings.Contains(said, "(override 1)") {
		t.Errorf("after an override at the school: %s", said)
	}
	if said := a.says(t, ".considered"); !strings.Contains(said, "Would allow") || !strings.Contains(said, "Denies, and decides") || !strings.Contains(said, "“leave”") {
		t.Errorf("the loser is told too: %s", said)
	}
	q := url.Values{"user": {sandbox.TeacherUserID}, "permission": {"grades.edit"}, "place": {own}}
	if checked := admin.get(seedHome + "district_admin/access/check?" + q.Encode()); checked.says(t, ".sentence--big") != a.says(t, ".sentence--big") {
		t.Errorf("the check page says %q", checked.says(t, ".sentence--big"))
	}
	page := admin.get(seedHome + fmt.Sprintf("district_admin/users/%d/access?different=1", teacher))
	if said := page.says(t, "main tbody"); !strings.Contains(said, "grades.edit") || strings.Contains(said, "grades.view") {
		t.Errorf("only what an override makes different: %s", said)
	}
}

// A question that means nobody, several people, no permission or no place within reach says so, and keeps its words.
func TestCheckSaysWhatIsWrong(t *testing.T) {
	c := newConsole(t)
	admin, staff := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.StaffUserID)
	for _, tt := range []struct {
		name        string
		who         *browser
		view, query string
		want        string
	}{
		{"nobody", admin, "district_admin", "user=zzzzqq&permission=grades.edit&place=district", "Nobody within your reach"},
		{"several", admin, "district_admin", "user=a&permission=grades.edit&place=district", "Several people match"},
		{"no permission", admin, "district_admin", "user=" + sandbox.TeacherUserID + "&permission=grades.burn&place=district", "Choose a permission"},
		{"no place", admin, "district_admin", "user=" + sandbox.TeacherUserID + "&permission=grades.edit&place=moon:1", "Choose a place"},
		{"no person", admin, "district_admin", "permission=grades.edit", "Nobody within your reach"},
		{"another school's person", staff, "staff", "user=" + sandbox.TeacherUserID + "&permission=grades.edit&place=school:" + c.box.SchoolID(0), "Nobody within your reach"},
		{"another school", staff, "staff", "user=" + sandbox.StaffUserID + "&permission=grades.edit&place=school:" + c.box.SchoolID(1), "Choose a place"},
		{"the district", staff, "staff", "user=" + sandbox.StaffUserID + "&permission=settings.manage&place=school:" + c.box.SchoolID(0), "Choose a place"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.who.get(seedHome + tt.view + "/access/check?" + tt.query)
			if said := a.says(t, ".problem"); a.StatusCode != http.StatusOK || !strings.Contains(said, tt.want) {
				t.Errorf("status %d, says %q, want %q", a.StatusCode, said, tt.want)
			}
			if n := a.doc(t).Find(".sentence--big").Length(); n != 0 {
				t.Error("answers all the same")
			}
		})
	}
}

// Several people to choose from are told apart by what they are and where, and how many they are.
func TestCheckOffersPeopleToChooseFrom(t *testing.T) {
	c := newConsole(t)
	page := c.signedIn(sandbox.DistrictAdminUserID).get(adminBase + "access/check?user=a&permission=grades.edit&place=district")
	rows := page.doc(t).Find("table.people tbody tr")
	if rows.Length() != 10 || rows.Find(".role").Length() < 10 {
		t.Errorf("%d people with %d roles", rows.Length(), rows.Find(".role").Length())
	}
	if said := page.says(t, ".part-head p"); !strings.HasPrefix(said, "The first 10 of") {
		t.Errorf("says %q of the others", said)
	}
	to, _ := rows.First().Find("a.person").Attr("href")
	if n := c.signedIn(sandbox.DistrictAdminUserID).get(to).doc(t).Find(".sentence--big").Length(); n != 1 {
		t.Errorf("%s does not answer", to)
	}
}

// An address means the person whom Clever lists under it, also where an old account has it too.
func TestCheckKnowsAPersonByTheirAddress(t *testing.T) {
	c := newConsole(t)
	c.exec(`WITH u AS (INSERT INTO users (district_id, last_name, email, name_key, email_key, created_at, changed_at)
			SELECT district_id, 'Old', email, 'old', email_key, now(), now() FROM users WHERE clever_id = $1 RETURNING *)
		INSERT INTO user_search (district_id, user_id, name_key, current, doc, school_ids) SELECT district_id, id, name_key, true, ' old ' || email_key, '{}' FROM u`, sandbox.StaffUserID)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	address := c.rows(`SELECT email FROM users WHERE clever_id = '` + sandbox.StaffUserID + `'`)[0]
	if n := admin.get(adminBase + "users?q=" + url.QueryEscape(address)).doc(t).Find(".people tbody tr").Length(); n != 2 {
		t.Fatalf("%d people have that address: this tries nothing", n)
	}
	page := admin.get(adminBase + "access/check?permission=grades.edit&place=district&user=" + url.QueryEscape(address))
	if said := page.says(t, ".sentence--big"); !strings.Contains(said, "cannot change grades") || strings.Contains(said, "Old") {
		t.Errorf("says %q, and %q", said, page.says(t, ".problem"))
	}
}

// The list, its file and the single decisions agree, and staff of a school are told of others only that they are.
func TestWhoCanListsThoseWhoMay(t *testing.T) {
	c := newConsole(t)
	admin, lead := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.TechLeadUserID)
	school := c.box.SchoolID(1)
	c.overridden(c.id(sandbox.StaffUserID), "devices.manage", true, "school", school)
	list := func(b *browser, view string) (rows [][]string, page answer) {
		t.Helper()
		q := "?permission=devices.manage&place=school:" + school
		page = b.get(seedHome + view + "/access/who-can" + q)
		file := b.get(seedHome + view + "/access/who-can.csv" + q)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
		if err != nil || !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") {
			t.Fatalf("file: %v, %s", err, file.Header.Get("Content-Type"))
		}
		if n := page.doc(t).Find("main tbody tr").Length(); n != len(rows)-1 {
			t.Errorf("%d people on the page, %d in the file", n, len(rows)-1)
		}
		return rows[1:], page
	}
	rows, page := list(admin, "district_admin")
	found := map[string]string{}
	for _, r := range rows {
		found[r[1]] = r[5]
	}
	if !strings.Contains(found[sandbox.TechLeadUserID], "School Tech Lead at ") || !strings.HasPrefix(found[sandbox.StaffUserID], "Override 1: allowed by ") ||
		!strings.Contains(found[sandbox.DistrictAdminUserID], "A district admin") || found[sandbox.TeacherUserID] != "" {
		t.Errorf("who may: %v", found)
	}
	if page.doc(t).Find(".sign").Length() != 1 {
		t.Error("the sheet has no line to sign on")
	}
	rows, page = list(lead, "staff")
	beyond := 0
	for _, r := range rows {
		if r[0] == "" {
			beyond++
		}
	}
	if beyond == 0 || len(rows) != len(found) {
		t.Errorf("%d of %d are beyond the reach of one school's staff", beyond, len(rows))
	}
	if href := seedHome + fmt.Sprintf("staff/users/%d", c.id(sandbox.DistrictAdminUserID)); strings.Contains(page.body, href) {
		t.Error("leads to somebody beyond reach")
	}
	in := admin.get(seedHome + "district_admin/access/who-can?permission=grades.edit&place=school:" + school)
	if said := in.says(t, "#sections"); said != "In own sections" || !strings.Contains(in.body, fmt.Sprintf("users/%d\"", c.id(sandbox.TeacherUserID))) {
		t.Errorf("teachers who may in own sections: %q", said)
	}
}

// Two people: what differs comes first, what does not is folded away.
func TestCompareShowsDifferencesFirst(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	a := admin.get(seedHome + fmt.Sprintf("district_admin/users/%d/compare?with=%s", c.id(sandbox.TeacherUserID), sandbox.DistrictAdminUserID))
	if said := a.says(t, "#different"); said != "Different" || a.doc(t).Find("main > section tbody tr").Length() == 0 {
		t.Fatalf("status %d: %s", a.StatusCode, a.says(t, "main"))
	}
	same := admin.get(seedHome + fmt.Sprintf("district_admin/users/%d/compare?with=%d", c.id(sandbox.TeacherUserID), c.id(sandbox.TeacherUserID)))
	if said := same.says(t, ".empty"); !strings.Contains(said, "No differences") {
		t.Errorf("a person and the same: %s", said)
	}
}
