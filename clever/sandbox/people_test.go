package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
)

// post sends a form of the people pages and gives where it led, followed.
func (f *fixture) post(t *testing.T, path string, kv ...string) (where, page string) {
	t.Helper()
	resp, raw := f.do(t, http.MethodPost, path, "", form(kv...))
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %v: status %d: %s", path, kv, resp.StatusCode, raw)
	}
	to, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	resp, raw = f.do(t, http.MethodGet, to.RequestURI(), "", "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", to, resp.StatusCode)
	}
	return to.Path, string(raw)
}

func TestPeopleAreEditedByForms(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 400})
	_, raw := f.do(t, http.MethodGet, "/people?q=brakus", "", "")
	if !strings.Contains(string(raw), "/people/"+sandbox.SeedUserID) || strings.Contains(string(raw), sandbox.StudentUserID) {
		t.Errorf("searching for Danny gave %s", raw)
	}
	danny := "/people/" + sandbox.SeedUserID
	if _, page := f.post(t, danny, "deed", "name", "first", "<b>Zoë", "last", "Ångström"); !strings.Contains(page, "&lt;b&gt;Zoë") {
		t.Errorf("not renamed: %s", page)
	}
	f.post(t, danny, "deed", "lose", "role", "staff")
	f.post(t, danny, "deed", "gain", "role", "district_admin")
	f.post(t, danny, "deed", "gain", "role", "staff", "school", f.s.SchoolID(2))
	u := f.user(t, sandbox.SeedUserID)
	if len(u.Roles) != 3 || u.Roles["staff"].Schools[0] != f.s.SchoolID(2) || u.Roles["staff"].Legacy == sandbox.SeedStaffLegacy {
		t.Errorf("roles %+v", u.Roles)
	}
	joined, _ := f.post(t, danny, "deed", "email", "email", f.user(t, sandbox.TeacherUserID).Email)
	if joined == danny || f.s.UserJSON(sandbox.TeacherUserID) != nil {
		t.Errorf("joined at %s", joined)
	}
	left, page := f.post(t, joined, "deed", "split", "role", "teacher", "email", "apart@example.org")
	if left == joined || !strings.Contains(page, "apart@example.org") {
		t.Errorf("split at %s: %s", left, page)
	}
	_, page = f.post(t, left, "deed", "remove")
	if !strings.Contains(page, "no longer shared") {
		t.Errorf("removed: %s", page)
	}
	if _, page = f.post(t, danny, "deed", "restore"); !strings.Contains(page, "Brakus") {
		t.Errorf("restored: %s", page)
	}
	_, page = f.post(t, "/people/schools", "school", f.s.SchoolID(1))
	if len(f.s.Unshared()) != 1 || !strings.Contains(page, "not shared") {
		t.Errorf("unshared %v", f.s.Unshared())
	}
	f.post(t, "/people/schools", "school", f.s.SchoolID(1), "share", "1")
	if n := len(f.events(t, "?limit=1000")); n < 12 {
		t.Errorf("only %d events", n)
	}
	for path, want := range map[string]int{"/people/nobody": 404, "/people/" + sandbox.SeedUserID: 200} {
		if resp, _ := f.do(t, http.MethodGet, path, "", ""); resp.StatusCode != want {
			t.Errorf("%s answers %d", path, resp.StatusCode)
		}
	}
	for _, kv := range [][]string{{"deed", "dance"}, {"deed", "gain", "role", "student"}, {"deed", "split", "role", "contact", "email", "x@y"}} {
		if resp, raw := f.do(t, http.MethodPost, danny, "", form(kv...)); resp.StatusCode != http.StatusConflict {
			t.Errorf("%v answers %d: %s", kv, resp.StatusCode, raw)
		}
	}
}
