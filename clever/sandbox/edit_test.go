package sandbox_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
)

// TestEmployeesHaveTheirOwnEmail holds because Clever would join two employees
// of one email into one user. Only the planted second district and contacts
// share.
func TestEmployeesHaveTheirOwnEmail(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 9, Users: 1_000_000, RateLimit: -1})
	seen := map[string]string{}
	for _, role := range []string{"teacher", "staff", "district_admin"} {
		for _, u := range f.all(t, "/v3.1/users?limit=10000&role="+role) {
			email, _ := u.Data["email"].(string)
			if email == "" {
				continue
			}
			if other, ok := seen[email]; ok && other != u.id() {
				t.Fatalf("%s and %s both have %s", other, u.id(), email)
			}
			if strings.ToLower(email) != email || !strings.HasSuffix(email, ".example") || len(email) != len([]rune(email)) {
				t.Fatalf("email %q", email)
			}
			seen[email] = u.id()
		}
	}
}

func TestEditsShowInTheNextSync(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 9, Users: 1000, RateLimit: -1})
	before := f.all(t, "/v3.1/users?limit=10000")
	count := func() int { return *f.list(t, "/v3.1/users?count=true").Count }
	gen := f.s.UserIDAt(40)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.s.RemoveUser(gen))
	must(f.s.RemoveUser(sandbox.TeacherUserID))
	must(f.s.EditUser(f.s.UserIDAt(41), func(u map[string]any) { u["name"] = map[string]any{"first": "Renamed", "last": "Person"} }))
	must(f.s.PutUser(json.RawMessage(fmt.Sprintf(`{"id":"%s","district":%q,"name":{"last":"New"},"roles":{}}`, "67290aff0000000000000001", f.s.DistrictID()))))
	after := f.all(t, "/v3.1/users?limit=33")
	if len(after) != len(before)-1 || count() != len(after) {
		t.Fatalf("%d users, count %d, before %d", len(after), count(), len(before))
	}
	if !slices.IsSortedFunc(after, func(a, b record) int { return strings.Compare(a.id(), b.id()) }) {
		t.Error("the list is out of order")
	}
	for _, u := range after {
		if u.id() == gen || u.id() == sandbox.TeacherUserID {
			t.Errorf("%s is still listed", u.id())
		}
	}
	if status, _ := f.get(t, "/v3.1/users/"+gen); status != 404 {
		t.Errorf("a removed user answers %d", status)
	}
	if _, raw := f.get(t, "/v3.1/users/"+f.s.UserIDAt(41)); !strings.Contains(string(raw), "Renamed") {
		t.Errorf("not renamed: %s", raw)
	}
	backward := f.list(t, "/v3.1/users?limit=10000&ending_before=last")
	if len(backward.Data) != len(after) {
		t.Errorf("backward %d users, forward %d", len(backward.Data), len(after))
	}
	for _, id := range []string{gen, sandbox.TeacherUserID, f.s.UserIDAt(41), "67290aff0000000000000001"} {
		must(f.s.RestoreUser(id))
	}
	if n := len(f.all(t, "/v3.1/users?limit=10000")); n != len(before) || count() != n {
		t.Errorf("%d users after restoring, %d before", n, len(before))
	}
	if f.s.RestoreUser(gen) == nil || f.s.RemoveUser("nobody") == nil {
		t.Error("restoring or removing nothing is no error")
	}
	must(f.s.RemoveSchool(sandbox.SeedTeacherSchool))
	if status, _ := f.get(t, "/v3.1/schools/"+sandbox.SeedTeacherSchool); status != 404 {
		t.Errorf("a removed school answers %d", status)
	}
	must(f.s.RestoreSchool(sandbox.SeedTeacherSchool))
}

func TestPlantsAreWhatTheirNamesSay(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 9, Users: 1000})
	var u struct {
		Name  struct{ First, Middle, Last string }
		Email *string
		Roles map[string]struct {
			School   string   `json:"school"`
			Schools  []string `json:"schools"`
			SISID    string   `json:"sis_id"`
			StaffID  string   `json:"staff_id"`
			Labels   []string `json:"roles"`
			LegacyID string   `json:"legacy_id"`
		}
	}
	read := func(id string) {
		t.Helper()
		u.Name.First, u.Roles, u.Email = "", nil, nil
		if err := json.Unmarshal(f.s.UserJSON(id), &u); err != nil {
			t.Fatal(err)
		}
	}
	read(sandbox.SeedUserID)
	tr, st := u.Roles["teacher"], u.Roles["staff"]
	if tr.School != sandbox.SeedTeacherSchool || tr.SISID != "42" || tr.LegacyID != sandbox.SeedTeacherLegacy ||
		!slices.Equal(st.Schools, []string{sandbox.SeedStaffSchool}) || st.StaffID != "74002" || !slices.Equal(st.Labels, []string{"PortalOnly"}) ||
		st.LegacyID != sandbox.SeedStaffLegacy || u.Name.First+u.Name.Middle+u.Name.Last != "DannyDBrakus" {
		t.Errorf("the seed example's user is %+v", u)
	}
	read(sandbox.ThreeSchoolsUserID)
	if tr, st := u.Roles["teacher"], u.Roles["staff"]; tr.School != f.s.SchoolID(1) || !slices.Equal(st.Schools, []string{f.s.SchoolID(0), f.s.SchoolID(2)}) {
		t.Errorf("teacher at A, staff at B and C: %+v", u.Roles)
	}
	read(sandbox.AllRolesUserID)
	if len(u.Roles) != 3 {
		t.Errorf("all roles: %+v", u.Roles)
	}
	read(sandbox.NoRolesUserID)
	if len(u.Roles) != 0 {
		t.Errorf("no roles: %+v", u.Roles)
	}
	read(sandbox.LongNameUserID)
	if n := len([]rune(u.Name.First)); n != 500 || len(u.Name.Last) != 500 {
		t.Errorf("long name: %d and %d", n, len(u.Name.Last))
	}
	read(sandbox.TeacherUserID)
	email := *u.Email
	read(sandbox.SharedEmailContactID)
	if *u.Email != email || u.Name.First != "" {
		t.Errorf("contact with a teacher's email: %+v", u)
	}
	read(sandbox.ManySchoolsUserID)
	if n := *f.list(t, "/v3.1/schools?count=true").Count; len(u.Roles["staff"].Schools) != n {
		t.Errorf("staff at %d of %d schools", len(u.Roles["staff"].Schools), n)
	}
	read(sandbox.UnsharedSchoolUserID)
	if status, _ := f.get(t, "/v3.1/schools/"+u.Roles["teacher"].School); status != 404 {
		t.Errorf("the unshared school answers %d", status)
	}
	for _, p := range f.s.People() {
		read(p.ID)
		if u.Email == nil || *u.Email != p.Email || p.Name == "" || p.Name != "Danny D Brakus" && len(p.Roles) != len(u.Roles) {
			t.Errorf("persona %+v is not %+v", p, u)
		}
	}
}

// TestEditsWhileReading is for the race detector: a sync reads while a test
// edits, and every walk stays in order.
func TestEditsWhileReading(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 9, Users: 500, RateLimit: -1})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			if f.s.RemoveUser(f.s.UserIDAt(i)) != nil || f.s.RestoreUser(f.s.UserIDAt(i)) != nil {
				t.Error("an edit was refused")
				return
			}
		}
	}()
	for walking := true; walking; {
		select {
		case <-done:
			walking = false
		default:
		}
		users := f.all(t, "/v3.1/users?limit=100")
		for i := 1; i < len(users); i++ {
			if users[i].id() <= users[i-1].id() {
				t.Fatalf("%s after %s", users[i].id(), users[i-1].id())
			}
		}
	}
}
