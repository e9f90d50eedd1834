package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestEveryRouteNamesItsPermissionOrWhyItNeedsNone reads the table as data.
func TestEveryRouteNamesItsPermissionOrWhyItNeedsNone(t *testing.T) {
	known := map[access.Permission]access.Kind{}
	for _, d := range access.ShippedCatalogue().Definitions() {
		known[d.Permission] = d.Scope
	}
	seen := map[string]bool{}
	for _, r := range (&server{}).routes() {
		name := r.method + " " + r.path
		if seen[name] {
			t.Errorf("%s stands in the table twice", name)
		}
		seen[name] = true
		if _, ok := known[r.permission]; (r.permission != "") == (r.public != "") || r.permission != "" && !ok {
			t.Errorf("%s: permission %q, public because %q: want a known permission or a reason, and not both", name, r.permission, r.public)
		}
		if (r.page != nil) == (r.open != nil) || (r.permission != "") != (r.page != nil) {
			t.Errorf("%s: a permission goes with a page behind a session, a reason with an open handler", name)
		}
		if r.permission != "" && !strings.HasPrefix(r.path, inside) {
			t.Errorf("%s: a page with a permission must be inside a district and a view", name)
		}
		if r.permission != "" && r.at == "" {
			t.Errorf("%s does not say how wide its permission must be held", name)
		}
		if r.method != http.MethodGet && r.method != http.MethodPost {
			t.Errorf("%s: pages are read with GET and changed with POST", name)
		}
	}
}

// hats are who opens every page, in which view.
var hats = []struct{ name, user, view string }{
	{"teacher", sandbox.TeacherUserID, "teacher"},
	{"staff", sandbox.StaffUserID, "staff"},
	{"techlead", sandbox.TechLeadUserID, "staff"},
	{"admin", sandbox.DistrictAdminUserID, "district_admin"},
	{"multi", sandbox.AllRolesUserID, "teacher"},
	{"multi-all", sandbox.AllRolesUserID, "all"},
	{"student", sandbox.StudentUserID, "student"},
	{"contact", sandbox.ContactUserID, "contact"},
	{"not-theirs", sandbox.TeacherUserID, "staff"},
}

// who may open what: the statuses of hats, in their order. School a is the second of the sandbox's, b the first;
// the teacher teaches at a, the staff person is at b, the tech lead at a and c, and whoever holds all roles teaches
// at b and is staff at a.
//
//	404 is a thing out of reach, 403 one that another of the person's own views reaches, or a view they do not have.
func matrix(c *console) map[string][]struct {
	path   string
	expect [9]int
} {
	type rows = []struct {
		path   string
		expect [9]int
	}
	// adminOnly is the district admin's page: nobody else's, but for who may switch to that view.
	adminOnly := func(admin int) [9]int { return [9]int{403, 403, 403, admin, 403, admin, 403, 403, 403} }
	// reviewers is the page of those who review duplicates: the tech lead at their schools, the district admin everywhere.
	reviewers := func(status int) [9]int { return [9]int{403, 403, status, status, 403, status, 403, 403, 403} }
	a := c.box.SchoolID(1)
	user := func(id string) string { return fmt.Sprintf("users/%d", c.id(id)) }
	return map[string]rows{
		"GET " + inside:           {{"", [9]int{200, 200, 200, 200, 200, 200, 403, 403, 403}}},
		"GET " + inside + "users": {{"users", [9]int{200, 200, 200, 200, 200, 200, 403, 403, 403}}},
		"GET " + inside + "users/:id": {
			{user(sandbox.StudentUserID), [9]int{200, 404, 200, 200, 403, 200, 403, 403, 403}},       // at a, in the teacher's section
			{user(sandbox.StaffUserID), [9]int{404, 200, 404, 200, 403, 200, 403, 403, 403}},         // at b
			{user(sandbox.DistrictAdminUserID), [9]int{404, 404, 404, 200, 403, 200, 403, 403, 403}}, // at no school
			{user(sandbox.ContactUserID), [9]int{404, 404, 200, 200, 403, 200, 403, 403, 403}},       // where its student is
			{"users/999999999", [9]int{404, 404, 404, 404, 404, 404, 403, 403, 403}},
		},
		"GET " + inside + "users/:id/access": {
			{user(sandbox.StudentUserID) + "/access", [9]int{200, 404, 200, 200, 403, 200, 403, 403, 403}},
			{user(sandbox.StaffUserID) + "/access", [9]int{404, 200, 404, 200, 403, 200, 403, 403, 403}},
		},
		"GET " + inside + "users/:id/access/why": {
			{user(sandbox.TeacherUserID) + "/access/why?permission=grades.edit&place=section:" + sandbox.CoTaughtSectionID, [9]int{200, 404, 200, 200, 403, 200, 403, 403, 403}},
			{user(sandbox.TeacherUserID) + "/access/why?permission=grades.edit&place=school:" + a, [9]int{404, 404, 200, 200, 403, 200, 403, 403, 403}},  // a section's teacher sees the section
			{user(sandbox.TeacherUserID) + "/access/why?permission=settings.manage&place=district", [9]int{404, 404, 404, 200, 403, 200, 403, 403, 403}}, // not for a school's staff
			{user(sandbox.TeacherUserID) + "/access/why?permission=grades.burn&place=school:" + a, [9]int{404, 404, 404, 404, 403, 404, 403, 403, 403}},
		},
		"GET " + inside + "users/:id/compare": {{user(sandbox.StudentUserID) + "/compare", [9]int{200, 404, 200, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "access/check":      {{"access/check", [9]int{200, 200, 200, 200, 200, 200, 403, 403, 403}}},
		"GET " + inside + "access/who-can":    {{"access/who-can", [9]int{403, 200, 200, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "access/who-can.csv": {
			{"access/who-can.csv?permission=grades.view&place=school:" + a, [9]int{403, 404, 200, 200, 403, 200, 403, 403, 403}},
			{"access/who-can.csv?permission=grades.view&place=district", [9]int{403, 404, 404, 200, 403, 200, 403, 403, 403}},
		},
		"GET " + inside + "schools": {{"schools", [9]int{403, 200, 200, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "schools/:id": {
			{"schools/" + a, [9]int{403, 404, 200, 200, 403, 200, 403, 403, 403}},
			{"schools/0123456789abcdef01234567", [9]int{403, 404, 404, 404, 403, 404, 403, 403, 403}},
		},
		"GET " + inside + "sections": {{"sections", [9]int{200, 200, 200, 200, 200, 200, 403, 403, 403}}},
		"GET " + inside + "sections/:id": {
			{"sections/" + sandbox.CoTaughtSectionID, [9]int{200, 404, 200, 200, 403, 200, 403, 403, 403}},
			{"sections/" + sandbox.AllRolesSectionID, [9]int{404, 200, 404, 200, 200, 200, 403, 403, 403}},
			{"sections/0123456789abcdef01234567", [9]int{404, 404, 404, 404, 404, 404, 403, 403, 403}},
		},
		"GET " + inside + "users/:id/overrides/new":      {{user(sandbox.StaffUserID) + "/overrides/new", adminOnly(200)}, {user(sandbox.StudentUserID) + "/overrides/new", adminOnly(422)}, {"users/999999999/overrides/new", adminOnly(404)}},
		"GET " + inside + "users/:id/roles/new":          {{user(sandbox.StaffUserID) + "/roles/new", adminOnly(200)}, {user(sandbox.StudentUserID) + "/roles/new", adminOnly(422)}, {"users/999999999/roles/new", adminOnly(404)}},
		"POST " + inside + "users/:id/roles/preview":     {{user(sandbox.StaffUserID) + "/roles/preview", adminOnly(422)}},
		"POST " + inside + "users/:id/roles":             {{user(sandbox.StaffUserID) + "/roles", adminOnly(422)}, {"users/999999999/roles", adminOnly(404)}},
		"GET " + inside + "users/:id/roles/:grant/end":   {{user(sandbox.StaffUserID) + "/roles/999999/end", adminOnly(404)}},
		"POST " + inside + "users/:id/roles/:grant/end":  {{user(sandbox.StaffUserID) + "/roles/999999/end", adminOnly(404)}},
		"GET " + inside + "migration":                    {{"migration", adminOnly(200)}, {"migration?state=unmatched&role=teacher&after=7", adminOnly(200)}},
		"GET " + inside + "migration/cut-over":           {{"migration/cut-over", adminOnly(200)}},
		"POST " + inside + "migration/cut-over/preview":  {{"migration/cut-over/preview", adminOnly(422)}},
		"POST " + inside + "migration/cut-over":          {{"migration/cut-over", adminOnly(422)}},
		"GET " + inside + "duplicates/bulk":              {{"duplicates/bulk", reviewers(200)}},
		"POST " + inside + "duplicates/bulk":             {{"duplicates/bulk", reviewers(422)}},
		"GET " + inside + "duplicates/bulk/:id":          {{"duplicates/bulk/77", reviewers(404)}},
		"POST " + inside + "duplicates/bulk/:id":         {{"duplicates/bulk/77", reviewers(404)}},
		"POST " + inside + "duplicates/bulk/:id/sample":  {{"duplicates/bulk/77/sample", reviewers(404)}},
		"POST " + inside + "duplicates/bulk/:id/drop":    {{"duplicates/bulk/77/drop", reviewers(404)}},
		"GET " + inside + "migration.csv":                {{"migration.csv", adminOnly(200)}},
		"GET " + inside + "imports":                      {{"imports", adminOnly(200)}},
		"POST " + inside + "imports":                     {{"imports", adminOnly(303)}},
		"GET " + inside + "imports/:id":                  {{"imports/999", adminOnly(404)}},
		"GET " + inside + "imports/:id/errors.csv":       {{"imports/999/errors.csv", adminOnly(404)}},
		"POST " + inside + "imports/:id/apply":           {{"imports/999/apply", adminOnly(404)}},
		"POST " + inside + "imports/:id/drop":            {{"imports/999/drop", adminOnly(404)}},
		"GET " + inside + "imports/:id/undo":             {{"imports/999/undo", adminOnly(404)}},
		"POST " + inside + "imports/:id/undo":            {{"imports/999/undo", adminOnly(404)}},
		"GET " + inside + "overrides":                    {{"overrides", adminOnly(200)}},
		"GET " + inside + "overrides.csv":                {{"overrides.csv", adminOnly(200)}},
		"POST " + inside + "overrides/preview":           {{"overrides/preview", adminOnly(404)}},
		"POST " + inside + "overrides":                   {{"overrides", adminOnly(404)}},
		"GET " + inside + "overrides/bulk":               {{"overrides/bulk", adminOnly(422)}, {"overrides/bulk?pick=77", adminOnly(404)}},
		"POST " + inside + "overrides/bulk/preview":      {{"overrides/bulk/preview", adminOnly(422)}},
		"POST " + inside + "overrides/bulk":              {{"overrides/bulk", adminOnly(422)}},
		"GET " + inside + "overrides/:id":                {{"overrides/77", adminOnly(404)}},
		"GET " + inside + "overrides/:id/extend":         {{"overrides/77/extend", adminOnly(404)}},
		"POST " + inside + "overrides/:id/extend":        {{"overrides/77/extend", adminOnly(404)}},
		"POST " + inside + "overrides/:id/extend/apply":  {{"overrides/77/extend/apply", adminOnly(404)}},
		"GET " + inside + "overrides/:id/end":            {{"overrides/77/end", adminOnly(404)}},
		"POST " + inside + "overrides/:id/end":           {{"overrides/77/end", adminOnly(404)}},
		"GET " + inside + "merges":                       {{"merges", reviewers(200)}},
		"GET " + inside + "merges/new":                   {{"merges/new", reviewers(404)}},
		"POST " + inside + "merges":                      {{"merges", reviewers(404)}},
		"GET " + inside + "merges/:id":                   {{"merges/77", reviewers(404)}},
		"POST " + inside + "merges/:id/agree":            {{"merges/77/agree", reviewers(404)}},
		"POST " + inside + "merges/:id/refuse":           {{"merges/77/refuse", reviewers(404)}},
		"GET " + inside + "merges/:id/unmerge":           {{"merges/77/unmerge", reviewers(404)}},
		"POST " + inside + "merges/:id/unmerge":          {{"merges/77/unmerge", reviewers(404)}},
		"GET " + inside + "duplicates":                   {{"duplicates", reviewers(200)}},
		"GET " + inside + "duplicates/fix":               {{"duplicates/fix", reviewers(200)}},
		"GET " + inside + "duplicates/fix.csv":           {{"duplicates/fix.csv", reviewers(200)}},
		"GET " + inside + "duplicates/:id":               {{"duplicates/77", reviewers(404)}},
		"POST " + inside + "duplicates/:id/decide":       {{"duplicates/77/decide", reviewers(409)}},
		"GET " + inside + "changes/:id":                  {{"changes/77", [9]int{403, 403, 404, 404, 403, 404, 403, 403, 403}}},
		"GET " + inside + "changes/:id/undo":             {{"changes/77/undo", [9]int{403, 403, 404, 404, 403, 404, 403, 403, 403}}},
		"POST " + inside + "changes/:id/undo":            {{"changes/77/undo", [9]int{403, 403, 404, 404, 403, 404, 403, 403, 403}}},
		"GET " + inside + "activity":                     {{"activity", [9]int{403, 403, 403, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "activity.csv":                 {{"activity.csv", [9]int{403, 403, 403, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "settings/keys":                {{"settings/keys", adminOnly(200)}},
		"POST " + inside + "settings/keys":               {{"settings/keys", adminOnly(422)}},
		"GET " + inside + "settings/keys/:id":            {{"settings/keys/77", adminOnly(404)}},
		"POST " + inside + "settings/keys/:id/revoke":    {{"settings/keys/77/revoke", adminOnly(404)}},
		"GET " + inside + "syncs":                        {{"syncs", [9]int{403, 403, 403, 200, 403, 200, 403, 403, 403}}},
		"GET " + inside + "syncs/:id":                    {{"syncs/1", [9]int{403, 403, 403, 200, 403, 200, 403, 403, 403}}, {"syncs/77", [9]int{403, 403, 403, 404, 403, 404, 403, 403, 403}}},
		"POST " + inside + "syncs":                       {{"syncs", [9]int{403, 403, 403, 303, 403, 303, 403, 403, 403}}},
		"GET " + inside + "syncs/:id/live":               {{"syncs/1/live", adminOnly(200)}, {"syncs/77/live", adminOnly(404)}},
		"GET " + inside + "syncs/:id/changes":            {{"syncs/1/changes", adminOnly(200)}, {"syncs/77/changes", adminOnly(404)}},
		"GET " + inside + "syncs/:id/changes.csv":        {{"syncs/1/changes.csv", adminOnly(200)}, {"syncs/77/changes.csv", adminOnly(404)}},
		"GET " + inside + "syncs/:id/held":               {{"syncs/1/held", adminOnly(200)}, {"syncs/77/held", adminOnly(404)}},
		"GET " + inside + "syncs/:id/held.csv":           {{"syncs/1/held.csv", adminOnly(200)}, {"syncs/77/held.csv", adminOnly(404)}},
		"GET " + inside + "syncs/:id/held/access.csv":    {{"syncs/1/held/access.csv", adminOnly(200)}, {"syncs/77/held/access.csv", adminOnly(404)}},
		"POST " + inside + "syncs/:id/held/preview":      {{"syncs/1/held/preview", adminOnly(200)}, {"syncs/77/held/preview", adminOnly(404)}},
		"POST " + inside + "syncs/:id/held":              {{"syncs/1/held", adminOnly(422)}, {"syncs/77/held", adminOnly(404)}},
		"GET " + inside + "rules":                        {{"rules", adminOnly(200)}},
		"GET " + inside + "rules/edit":                   {{"rules/edit", adminOnly(200)}},
		"POST " + inside + "rules/preview":               {{"rules/preview", adminOnly(409)}},
		"POST " + inside + "rules":                       {{"rules", adminOnly(422)}},
		"GET " + inside + "settings":                     {{"settings", adminOnly(200)}},
		"GET " + inside + "settings/brake":               {{"settings/brake", adminOnly(200)}},
		"POST " + inside + "settings/brake/preview":      {{"settings/brake/preview", adminOnly(422)}},
		"POST " + inside + "settings/brake":              {{"settings/brake", adminOnly(422)}},
		"GET " + inside + "settings/night":               {{"settings/night", adminOnly(200)}},
		"POST " + inside + "settings/night/preview":      {{"settings/night/preview", adminOnly(422)}},
		"POST " + inside + "settings/night":              {{"settings/night", adminOnly(422)}},
		"GET " + inside + "settings/retention":           {{"settings/retention", adminOnly(200)}},
		"POST " + inside + "settings/retention/preview":  {{"settings/retention/preview", adminOnly(422)}},
		"POST " + inside + "settings/retention":          {{"settings/retention", adminOnly(422)}},
		"GET " + inside + "settings/bulk":                {{"settings/bulk", adminOnly(200)}},
		"POST " + inside + "settings/bulk/preview":       {{"settings/bulk/preview", adminOnly(422)}},
		"POST " + inside + "settings/bulk":               {{"settings/bulk", adminOnly(422)}},
		"GET " + inside + "settings/connection":          {{"settings/connection", adminOnly(200)}},
		"POST " + inside + "settings/connection/preview": {{"settings/connection/preview", adminOnly(422)}},
		"POST " + inside + "settings/connection":         {{"settings/connection", adminOnly(422)}},
		"GET " + inside + "settings/combining":           {{"settings/combining", adminOnly(200)}},
		"POST " + inside + "settings/combining/preview":  {{"settings/combining/preview", adminOnly(422)}},
		"POST " + inside + "settings/combining":          {{"settings/combining", adminOnly(422)}},
		"GET " + inside + "settings/strategy":            {{"settings/strategy", adminOnly(200)}},
		"POST " + inside + "settings/strategy/preview":   {{"settings/strategy/preview", adminOnly(422)}},
		"POST " + inside + "settings/strategy":           {{"settings/strategy", adminOnly(422)}},
		"GET " + inside + "settings/calendar":            {{"settings/calendar", adminOnly(200)}},
		"POST " + inside + "settings/calendar/preview":   {{"settings/calendar/preview", adminOnly(422)}},
		"POST " + inside + "settings/calendar":           {{"settings/calendar", adminOnly(422)}},
	}
}

// TestWhoMayOpenWhat walks every page with a permission, in every hat, in the own and in another district, and signed
// out.
func TestWhoMayOpenWhat(t *testing.T) {
	c := newConsole(t)
	expected := matrix(c)
	var browsers []*browser
	for _, h := range hats {
		browsers = append(browsers, c.holding(h.user))
	}
	stranger := c.browser()
	for _, r := range c.server.routes() {
		if r.permission == "" {
			continue
		}
		rows := expected[r.method+" "+r.path]
		if len(rows) == 0 {
			t.Errorf("%s %s has no expected statuses", r.method, r.path)
		}
		for _, row := range rows {
			own := func(view string) string { return "/d/" + sandbox.SeedDistrictID + "/" + view + "/" + row.path }
			for i, h := range hats {
				if got := browsers[i].step(r.method, own(h.view)).StatusCode; got != row.expect[i] {
					t.Errorf("%s %s as %s in view %s: status %d, want %d", r.method, row.path, h.name, h.view, got, row.expect[i])
				}
				foreign := "/d/" + sandbox.OtherDistrictID + "/" + h.view + "/" + row.path
				if got := browsers[i].step(r.method, foreign).StatusCode; got != http.StatusNotFound {
					t.Errorf("%s %s in another district as %s: status %d, want 404", r.method, row.path, h.name, got)
				}
			}
			if got := stranger.step(r.method, own("district_admin")); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/signin") {
				t.Errorf("%s %s signed out: status %d to %q, want the door", r.method, row.path, got.StatusCode, got.Header.Get("Location"))
			}
		}
	}
}

// TestARefusalOffersTheViewThatMay: the teacher's hat may not see syncs, the admin's may.
func TestARefusalOffersTheViewThatMay(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.AllRolesUserID)
	base := "/d/" + sandbox.SeedDistrictID + "/"
	a := b.get(base + "teacher/syncs?after=3")
	want := base + "district_admin/syncs"
	if a.StatusCode != http.StatusForbidden || a.doc(t).Find(`main a[href="`+want+`"]`).Length() == 0 {
		t.Errorf("status %d, and no link to %s in the page", a.StatusCode, want)
	}
	// Why, by the trace that the Why page tells: three roles were considered, and one of them would in its own view.
	said := a.says(t, "main .considered")
	for _, role := range []string{"Role: teacher", "Role: staff", "Role: district admin"} {
		if !strings.Contains(said, role) {
			t.Errorf("the page does not name %q: %s", role, said)
		}
	}
	if steps := a.doc(t).Find("main .considered li"); steps.Length() < 5 || steps.Find(".verdict--yes").Length() == 0 {
		t.Errorf("the page tells %d steps", steps.Length())
	}
	if a := b.get(want); a.StatusCode != http.StatusOK {
		t.Errorf("the offered page has status %d", a.StatusCode)
	}
}

// TestSwitchingViewsKeepsThePlace: the link of the banner leads to the same person where the other view may see them,
// and to the people it may see where not.
func TestSwitchingViewsKeepsThePlace(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.AllRolesUserID)
	base := "/d/" + sandbox.SeedDistrictID + "/"
	student := fmt.Sprintf("users/%d", c.id(sandbox.StudentUserID)) // at the staff role's school, not in the own section
	a := b.get(base + "district_admin/" + student + "?x=1")
	for _, want := range []string{base + "staff/" + student + "?x=1", base + "teacher/users?landed=user"} {
		if a.doc(t).Find(`header a[href="`+want+`"]`).Length() == 0 {
			t.Errorf("no link to %s in the header", want)
		}
	}
	// Two tabs wear two hats: one does not change the other.
	b.get(base + "teacher/")
	if a := b.get(base + "district_admin/syncs"); a.StatusCode != http.StatusOK {
		t.Errorf("after a page in the teacher view, the admin view has status %d", a.StatusCode)
	}
}

// TestStaffSeeTheirOwnSchools and nobody else, in the list too.
func TestStaffSeeTheirOwnSchools(t *testing.T) {
	c := newConsole(t)
	base := "/d/" + sandbox.SeedDistrictID + "/"
	staff := c.signedIn(sandbox.StaffUserID).get(base + "staff/users?q=Whitlock").body
	if strings.Contains(staff, "Whitlock, Hannah") {
		t.Error("staff at another school find a teacher they must not see")
	}
	lead := c.signedIn(sandbox.TechLeadUserID).get(base + "staff/users?q=Whitlock").body
	if !strings.Contains(lead, "Whitlock, Hannah") {
		t.Error("staff at the school do not find its teacher")
	}
	teacher := c.signedIn(sandbox.TeacherUserID)
	if list := teacher.get(base + "teacher/users?q=Marchetti").body; !strings.Contains(list, "Marchetti, Theo") {
		t.Error("a teacher does not find a student of their own section")
	}
	home := teacher.get(base + "teacher/").doc(t)
	if home.Find(`main a[href="`+base+`teacher/sections/`+sandbox.CoTaughtSectionID+`"]`).Length() == 0 {
		t.Error("a teacher's home does not list their section")
	}
	if home.Find(`main a[href="`+base+`teacher/sections/`+sandbox.SeedUserSectionID+`"]`).Length() != 0 {
		t.Error("a teacher's home lists a colleague's section")
	}
}

// TestPeopleAreFoundByAnyId: Clever's id and a role's legacy id lead to the address with ours, but only for those who
// may see the person.
func TestPeopleAreFoundByAnyId(t *testing.T) {
	c := newConsole(t)
	base := "/d/" + sandbox.SeedDistrictID + "/"
	admin, staff := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.StaffUserID)
	want := fmt.Sprintf("%sdistrict_admin/users/%d", base, c.id(sandbox.SeedUserID))
	for _, id := range []string{sandbox.SeedUserID, sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy} {
		if a := admin.step(http.MethodGet, base+"district_admin/users/"+id); a.Header.Get("Location") != want {
			t.Errorf("%s: status %d to %q, want %s", id, a.StatusCode, a.Header.Get("Location"), want)
		}
	}
	for _, id := range []string{sandbox.TeacherUserID, sandbox.SameEmailOtherUserID} {
		if a := staff.step(http.MethodGet, base+"staff/users/"+id); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s is out of reach, and has status %d", id, a.StatusCode)
		}
	}
	a := admin.get(want)
	for _, text := range []string{"Danny", "PortalOnly", sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy, sandbox.SeedUserID} {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page of the seed example does not show %q", text)
		}
	}
}

// TestSyncNowIsAskedForOnce: the second press finds the first run.
func TestSyncNowIsAskedForOnce(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	path := "/d/" + sandbox.SeedDistrictID + "/district_admin/syncs"
	first := b.step(http.MethodPost, path).Header.Get("Location")
	second := b.step(http.MethodPost, path).Header.Get("Location")
	if !strings.HasPrefix(first, path+"/") || second != path+"?notice=already_running" {
		t.Errorf("first press leads to %q, second to %q", first, second)
	}
	if n := c.queued.Load(); n != 1 {
		t.Errorf("%d runs were put to work, want 1", n)
	}
	if a := b.get(first); a.StatusCode != http.StatusOK || strings.Contains(a.body, "queue is down") {
		t.Errorf("the run's page has status %d", a.StatusCode)
	}
}

// TestShortAddressesLeadOn to the own home, to the door, or nowhere.
func TestShortAddressesLeadOn(t *testing.T) {
	c := newConsole(t)
	b, stranger := c.signedIn(sandbox.AllRolesUserID), c.browser()
	home := "/d/" + sandbox.SeedDistrictID + "/district_admin/"
	for path, want := range map[string]string{
		"/": home, "/signin": home, "/d/" + sandbox.SeedDistrictID: home, "/d/" + sandbox.SeedDistrictID + "/": home,
		"/d/" + sandbox.SeedDistrictID + "/district_admin?x=1": home + "?x=1", "/d/" + sandbox.OtherDistrictID: "",
	} {
		if got := b.step(http.MethodGet, path).Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
		if got := stranger.step(http.MethodGet, path); path != "/signin" && !strings.HasSuffix(path, "x=1") && !strings.HasPrefix(got.Header.Get("Location"), "/signin") {
			t.Errorf("%s signed out has status %d to %q, want the door", path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	if n := b.get("/nowhere").doc(t).Find(`nav a[href="` + home + `users"]`).Length(); n == 0 {
		t.Error("the page for an address that does not exist has no navigation")
	}
}

// TestAPartOfAPageGoesToTheDoorAsAWhole when the session has ended meanwhile.
func TestAPartOfAPageGoesToTheDoorAsAWhole(t *testing.T) {
	c := newConsole(t)
	r := c.browser().request(http.MethodGet, "/d/"+sandbox.SeedDistrictID+"/staff/users?q=a")
	r.Header.Set("HX-Request", "true")
	a := c.browser().stepWith(r)
	if !strings.HasPrefix(a.Header.Get("HX-Redirect"), "/signin?next=") || a.Header.Get("Location") != "" || a.body != "" {
		t.Errorf("status %d, HX-Redirect %q", a.StatusCode, a.Header.Get("HX-Redirect"))
	}
}

// TestATeacherWithoutSectionsStillHasAHome, and nobody in it.
func TestATeacherWithoutSectionsStillHasAHome(t *testing.T) {
	c := newConsole(t)
	b := c.holding(sandbox.RightToLeftUserID)
	for _, path := range []string{"", "users", "sections"} {
		a := b.get("/d/" + sandbox.SeedDistrictID + "/teacher/" + path)
		if rows := a.doc(t).Find("main tbody tr").Length(); a.StatusCode != http.StatusOK || rows != 0 {
			t.Errorf("%q: status %d, %d rows", path, a.StatusCode, rows)
		}
	}
}

// TestAPageShowsWhatIsTheReadersBusiness: ids of roles held elsewhere and a colleague's last sign-in are not.
func TestAPageShowsWhatIsTheReadersBusiness(t *testing.T) {
	c := newConsole(t)
	c.signedIn(sandbox.SeedUserID)
	for _, row := range []struct {
		name, reader, view, of string
		shows, hides           []string
		accounts               bool
	}{
		{"the district", sandbox.DistrictAdminUserID, "district_admin", sandbox.SeedUserID, []string{sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy, "74002"}, nil, true},
		{"staff at the school of one role", sandbox.TechLeadUserID, "staff", sandbox.SeedUserID, []string{sandbox.SeedTeacherLegacy}, []string{sandbox.SeedStaffLegacy, "74002"}, true},
		{"a co-teacher", sandbox.TeacherUserID, "teacher", sandbox.SeedUserID, nil, []string{sandbox.SeedTeacherLegacy, sandbox.SeedStaffLegacy, "74002"}, false},
		{"a student's teacher", sandbox.TeacherUserID, "teacher", sandbox.StudentUserID, []string{c.sisID(sandbox.StudentUserID)}, nil, false},
	} {
		a := c.holding(row.reader).get(fmt.Sprintf("%s%s/users/%d", seedHome, row.view, c.id(row.of)))
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", row.name, a.StatusCode)
		}
		for _, id := range row.shows {
			if !strings.Contains(a.body, id) {
				t.Errorf("%s does not see %s", row.name, id)
			}
		}
		for _, id := range row.hides {
			if strings.Contains(a.body, id) {
				t.Errorf("%s sees %s", row.name, id)
			}
		}
		if got := a.doc(t).Find("#accounts").Length() > 0; got != row.accounts {
			t.Errorf("%s sees accounts: %t, want %t", row.name, got, row.accounts)
		}
	}
}

// sisID is a user's SIS id in their first role.
func (c *console) sisID(userID string) (id string) {
	c.t.Helper()
	user := c.id(userID)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		grants, err := tx.UserGrants(ctx, user)
		if err == nil {
			id = grants[0].SISID
		}
		return err
	})
	if id == "" {
		c.t.Fatalf("%s has no SIS id to look for", userID)
	}
	return id
}

// TestNobodyAsksWhichRolesExistElsewhere: a role that Hallpass does not know is a filter only for those who reach
// somebody who holds it.
func TestNobodyAsksWhichRolesExistElsewhere(t *testing.T) {
	c := newConsole(t)
	var strange string
	user := c.id(sandbox.UnknownRoleUserID)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		grants, err := tx.UserGrants(ctx, user)
		for _, g := range grants {
			if !g.Role.Known() {
				strange = string(g.Role)
			}
		}
		return err
	})
	for _, row := range []struct {
		reader, view string
		knows        bool
	}{{sandbox.DistrictAdminUserID, "district_admin", true}, {sandbox.TeacherUserID, "teacher", false}} {
		doc := c.signedIn(row.reader).get(seedHome + row.view + "/users?role=" + strange).doc(t)
		if got := doc.Find(`main option[value="`+strange+`"]`).Length() > 0; strange == "" || got != row.knows {
			t.Errorf("the role %q is offered in the %s view: %t, want %t", strange, row.view, got, row.knows)
		}
		everyone := strings.Contains(doc.Find("main .head-sub").Text(), "Everyone")
		if everyone != row.knows {
			t.Errorf("the list of the %s view is said to be everyone's: %t", row.view, everyone)
		}
	}
}
