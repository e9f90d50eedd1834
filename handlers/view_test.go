package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/views"
)

// exec changes the database past every wall.
func (c *console) exec(sql string, args ...any) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	if _, err := conn.Exec(c.t.Context(), sql, args...); err != nil {
		c.t.Fatal(err)
	}
}

// arrives signs somebody in at Clever and says where that leads, with the page asked for before.
func (c *console) arrives(userID, asked string) (*browser, answer) {
	c.t.Helper()
	b := c.browser()
	b.atClever(userID)
	return b, b.get("/signin/clever?next=" + url.QueryEscape(asked))
}

// TestADeepLinkSurvivesTheChoice: the view that alone can open it is offered with the reason, and whichever is chosen
// opens it or comes as near as it can, and says so.
func TestADeepLinkSurvivesTheChoice(t *testing.T) {
	c := newConsole(t)
	student := fmt.Sprintf("users/%d", c.id(sandbox.StudentUserID)) // at the staff role's school, not in the own section
	school, section := c.box.SchoolID(1), sandbox.CoTaughtSectionID
	for _, row := range []struct {
		name, asked, offered string
		reason               bool
		choose, lands        string
		says                 string
	}{
		{"only one view", "teacher/syncs", "district_admin", true, "", "district_admin/syncs", ""},
		{"the wrong one of them", "teacher/syncs", "district_admin", true, "teacher", "teacher/?landed=page", "cannot open the page you were on"},
		{"the one it was copied from", "staff/" + student + "?x=1", "staff", false, "", "staff/" + student + "?x=1", ""},
		{"another that can open it", "staff/" + student, "staff", false, "district_admin", "district_admin/" + student, ""},
		{"one that cannot", "staff/" + student, "staff", false, "teacher", "teacher/users?landed=user", "cannot open that person’s page"},
		{"a school", "district_admin/schools/" + school, "district_admin", false, "teacher", "teacher/?landed=school", "cannot open that school’s page"},
		{"a section", "staff/sections/" + section, "staff", false, "staff", "staff/sections/" + section, ""},
		{"nobody's page", "staff/users/999999999", "district_admin", false, "", "staff/users/999999999", ""},
		{"another district's", "../" + sandbox.OtherDistrictID + "/staff/users", "district_admin", false, "", "district_admin/", ""},
	} {
		b, a := c.arrives(sandbox.AllRolesUserID, strings.Replace(seedHome+row.asked, sandbox.SeedDistrictID+"/../", "", 1))
		if a.Request.URL.Path != views.ViewsPath {
			t.Fatalf("%s: at %s", row.name, a.at())
		}
		form := formOf(t, a)
		if form.Get("view") != row.offered || strings.Contains(a.body, "Only this view can open") != row.reason {
			t.Errorf("%s: the %s view is offered, with a reason: %t", row.name, form.Get("view"), strings.Contains(a.body, "Only this view can open"))
		}
		if row.choose != "" {
			form.Set("view", row.choose)
		}
		went := b.submit(views.ViewsPath, form)
		if went.at() != seedHome+row.lands {
			t.Errorf("%s: ends at %s, want %s", row.name, went.at(), row.lands)
		}
		if said := went.doc(t).Find("main .notice").Text(); !strings.Contains(said, row.says) || row.says == "" && strings.Contains(said, "cannot open") {
			t.Errorf("%s: says %q, want %q", row.name, said, row.says)
		}
	}
}

// TestTheChoiceIsRememberedIfAskedFor, and forgotten if not.
func TestTheChoiceIsRememberedIfAskedFor(t *testing.T) {
	c := newConsole(t)
	b, a := c.arrives(sandbox.AllRolesUserID, "")
	form := formOf(t, a)
	form.Set("view", "staff")
	form.Set("remember", "1")
	if went := b.submit(views.ViewsPath, form); went.at() != seedHome+"staff/" {
		t.Errorf("the choice leads to %s", went.at())
	}
	for path, want := range map[string]string{"/": seedHome + "staff/", "/signin": seedHome + "staff/"} {
		if got := b.step(http.MethodGet, path).Header.Get("Location"); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
	if n := b.get("/help").doc(t).Find(`.brand[href="` + seedHome + `staff/"]`).Length(); n != 1 {
		t.Error("outside of the district, the way home is not the view that was chosen")
	}
	b, a = c.arrives(sandbox.AllRolesUserID, "")
	if a.at() != seedHome+"staff/" {
		t.Errorf("the next sign-in leads to %s", a.at())
	}
	if _, deep := c.arrives(sandbox.AllRolesUserID, seedHome+"teacher/users"); deep.at() != seedHome+"teacher/users" {
		t.Errorf("a page asked for leads to %s", deep.at())
	}
	again := b.get(views.ViewsPath)
	if form = formOf(t, again); form.Get("view") != "staff" || form.Get("remember") != "1" {
		t.Errorf("changing it later begins with %v", form)
	}
	form.Del("remember")
	b.submit(views.ViewsPath, form)
	if _, a := c.arrives(sandbox.AllRolesUserID, ""); a.Request.URL.Path != views.ViewsPath {
		t.Errorf("a choice that was taken back leads to %s", a.at())
	}
	if got := b.submit(views.ViewsPath, url.Values{"view": {"student"}}); got.Request.URL.Path != views.ViewsPath {
		t.Errorf("a view that is not theirs leads to %s", got.at())
	}
	alone := c.signedIn(sandbox.TeacherUserID)
	if a := alone.get(views.ViewsPath); a.at() != seedHome+"teacher/" {
		t.Errorf("somebody with one view is asked at %s", a.at())
	}
	if a := alone.submit(views.ViewsPath, url.Values{"view": {"district_admin"}, "remember": {"1"}}); a.at() != seedHome+"teacher/" {
		t.Errorf("somebody with one view chooses another and is at %s", a.at())
	}
	if a := c.browser().get(views.ViewsPath); a.Request.URL.Path != "/signin" {
		t.Errorf("signed out, the choice is at %s", a.at())
	}
}

// TestAViewThatIsGoneIsExplainedOnce at the next sign-in, and the choice is forgotten.
func TestAViewThatIsGoneIsExplainedOnce(t *testing.T) {
	c := newConsole(t)
	b, a := c.arrives(sandbox.SeedUserID, "")
	form := formOf(t, a)
	form.Set("view", "teacher")
	form.Set("remember", "1")
	b.submit(views.ViewsPath, form)
	var email string
	for _, p := range c.box.People() {
		if p.ID == sandbox.SeedUserID {
			email = p.Email
		}
	}
	err := c.box.PutUser([]byte(`{"id":"` + sandbox.SeedUserID + `","district":"` + sandbox.SeedDistrictID + `","name":{"first":"Danny","middle":"D","last":"Brakus"},
		"email":"` + email + `","created":"2026-01-01T00:00:00.000Z","last_modified":"2026-11-01T00:00:00.000Z",
		"roles":{"staff":{"legacy_id":"` + sandbox.SeedStaffLegacy + `","schools":["` + sandbox.SeedStaffSchool + `"],"staff_id":"74002","roles":["PortalOnly"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, a = c.arrives(sandbox.SeedUserID, "")
	const want = "You are no longer listed as a teacher. Showing Staff view."
	if said := a.doc(t).Find("main .notice").Text(); !strings.HasPrefix(a.at(), seedHome+"staff/?") || strings.TrimSpace(said) != want {
		t.Errorf("at %s it says %q", a.at(), said)
	}
	if _, again := c.arrives(sandbox.SeedUserID, ""); again.at() != seedHome+"staff/" || again.doc(t).Find("main .notice").Length() != 0 {
		t.Errorf("the next time it is said again at %s", again.at())
	}
	// What an address says of a view that somebody still has is not repeated.
	if a := b.get(seedHome + "staff/?notice=view_gone&was=staff"); a.doc(t).Find("main .notice").Length() != 0 {
		t.Error("the page says of a view that it is gone, which it is not")
	}
}

// TestASectionLeadsToItsSchool when the view switched to cannot open the section, and to the schools beyond that.
func TestASectionLeadsToItsSchool(t *testing.T) {
	c := newConsole(t)
	// Without roster.view, staff may see the school but not who is in a section.
	c.exec(`INSERT INTO role_rules (district_id, role, permission, given) VALUES ($1, 'staff', 'roster.view', false)`, c.district)
	c.exec(`UPDATE districts SET policy_version = nextval('policy_versions') WHERE district_id = $1`, c.district)
	b := c.signedIn(sandbox.AllRolesUserID)
	at := map[string]string{}
	for _, section := range []string{sandbox.CoTaughtSectionID, sandbox.AllRolesSectionID} {
		doc := b.get(seedHome + "district_admin/sections/" + section).doc(t)
		href, _ := doc.Find(`header a[href*="/staff/"]`).Attr("href")
		at[section] = href
	}
	if want := seedHome + "staff/schools/" + c.box.SchoolID(1) + "?landed=section"; at[sandbox.CoTaughtSectionID] != want {
		t.Errorf("a section at their school leads to %q, want %q", at[sandbox.CoTaughtSectionID], want)
	}
	if want := seedHome + "staff/schools?landed=section"; at[sandbox.AllRolesSectionID] != want {
		t.Errorf("a section elsewhere leads to %q, want %q", at[sandbox.AllRolesSectionID], want)
	}
	landed := b.get(at[sandbox.CoTaughtSectionID]).doc(t).Find("main .notice").Text()
	if !strings.Contains(landed, "Staff view cannot open that section’s page") {
		t.Errorf("the school's page says %q", landed)
	}
}

// TestWhatWaitsElsewhereIsCounted beside the switch, for those who could see to it in another view.
func TestWhatWaitsElsewhereIsCounted(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.AllRolesUserID)
	waits := func(view string) string {
		t.Helper()
		return strings.Join(strings.Fields(b.get(seedHome+view+"/").doc(t).Find(".view-more a").Text()), " ")
	}
	if said := waits("teacher"); said != "" {
		t.Errorf("nothing waits, and the banner says %q", said)
	}
	user := c.id(sandbox.TeacherUserID)
	ends := c.server.Now().Add(10 * 24 * time.Hour)
	c.exec(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, ends_at, created_by, created_at)
		VALUES ($1, $2, 'grades.edit', true, 'district', 'duty', 'n', 'date', $3, $2, now())`, c.district, user, ends)
	if said := waits("teacher"); said != "1 thing needs you in Admin view" {
		t.Errorf("with an override that ends soon: %q", said)
	}
	c.write(func(ctx context.Context, tx *models.Tx) error {
		run, _, err := tx.RequestSync(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.StartSync(ctx, run.ID); err != nil {
			return err
		}
		return nil
	})
	c.exec(`UPDATE sync_runs SET state = 'failed', finished_at = now(), error = 'x' WHERE district_id = $1 AND state = 'running'`, c.district)
	if said := waits("staff"); said != "2 things need you in Admin view" {
		t.Errorf("with a failed sync as well: %q", said)
	}
	for _, view := range []string{"district_admin", "all"} { // it is that view's own business
		if said := waits(view); said != "" {
			t.Errorf("the %s view's banner says %q", view, said)
		}
	}
	if _, a := c.arrives(sandbox.AllRolesUserID, ""); !strings.Contains(a.body, "2 things need you.") {
		t.Error("the choice of views does not say what waits")
	}
}

// TestSwitchingIsSwitchingAccount where each role has its own.
func TestSwitchingIsSwitchingAccount(t *testing.T) {
	c := newConsole(t)
	user := c.id(sandbox.AllRolesUserID)
	c.exec(`UPDATE districts SET strategy = 'per_role', policy_version = nextval('policy_versions') WHERE district_id = $1`, c.district)
	c.exec(`INSERT INTO accounts (district_id, user_id, role, created_at) SELECT $1, $2, r, now() FROM unnest(ARRAY['teacher', 'staff', 'district_admin']) r`, c.district, user)
	used := func() (roles string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), c.database)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		err = conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(role, ' ' ORDER BY role), '') FROM accounts WHERE user_id = $1 AND role <> '' AND last_sign_in_at IS NOT NULL`, user).Scan(&roles)
		if err != nil {
			t.Fatal(err)
		}
		return roles
	}
	b, a := c.arrives(sandbox.AllRolesUserID, "")
	form := formOf(t, a)
	if strings.Contains(a.body, `value="all"`) || used() != "" {
		t.Errorf("all roles together are offered, or an account was used before one was chosen (%q)", used())
	}
	form.Set("view", "teacher")
	home := b.submit(views.ViewsPath, form).doc(t)
	if got := used(); got != "teacher" {
		t.Errorf("accounts in use: %q", got)
	}
	banner := strings.Join(strings.Fields(home.Find(".view").Text()), " ")
	if !strings.Contains(banner, "Switch to your Admin account") || !strings.Contains(banner, "switching the view switches the account") {
		t.Errorf("the banner says %q", banner)
	}
	c.pass(2 * time.Minute)
	b.get(seedHome + "staff/")
	if got := used(); got != "staff teacher" {
		t.Errorf("after switching, accounts in use: %q", got)
	}
	if a := b.get(seedHome + "all/"); a.StatusCode != http.StatusForbidden {
		t.Errorf("all roles together have status %d", a.StatusCode)
	}
}

// TestTheNavigationIsTheTable: it leads to pages that open, and to none that would not.
func TestTheNavigationIsTheTable(t *testing.T) {
	c := newConsole(t)
	for i, h := range hats {
		if h.view == "student" || h.view == "contact" || h.name == "not-theirs" {
			continue
		}
		b := c.holding(hats[i].user)
		doc := b.get(seedHome + h.view + "/").doc(t)
		shown := map[string]bool{}
		for _, a := range doc.Find("nav#menu a").EachIter() {
			href := a.AttrOr("href", "")
			shown[strings.TrimPrefix(href, seedHome+h.view+"/")] = true
			if got := b.get(href).StatusCode; got != http.StatusOK {
				t.Errorf("%s is led to %s, which has status %d", h.name, href, got)
			}
		}
		for _, p := range navigation {
			if _, exists := c.server.pages[inside+p.path]; exists && !shown[p.path] && b.get(seedHome+h.view+"/"+p.path).StatusCode == http.StatusOK {
				t.Errorf("%s may open %s and is not led there", h.name, p.path)
			}
		}
	}
}

// Pages that are in no menu themselves say under which of its places they stand.
func TestPagesBesideTheMenuMarkTheirPlace(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	receipt := admin.made(allowance(c, sandbox.StaffUserID, "school:"+c.box.SchoolID(1)))
	for path, want := range map[string]string{
		adminBase + "imports": "migration", adminBase + "merges": "duplicates", receipt: "overrides", adminBase + "changes/1": "overrides",
	} {
		doc := admin.get(path).doc(t)
		marked := doc.Find(`nav#menu a[aria-current="page"]`)
		if href, _ := marked.Attr("href"); marked.Length() != 1 || !strings.HasSuffix(href, "/"+want) {
			t.Errorf("%s: %d places are marked, %q", path, marked.Length(), href)
		}
		if doc.Find("nav.crumb a").Length() == 0 {
			t.Errorf("%s has no way back", path)
		}
	}
}
