package clever_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

func TestUsersWalksEveryPageOnce(t *testing.T) {
	f := setup(t, sandbox.Options{})
	count, err := f.Count(t.Context(), f.token, "users")
	if err != nil {
		t.Fatal(err)
	}
	users, pages, err := f.users(t)
	if err != nil || len(users) != count || pages != (count+99)/100 {
		t.Fatalf("%d users on %d pages, %v; count says %d", len(users), pages, err, count)
	}
	byID := map[string]clever.User{}
	for _, u := range users {
		byID[u.ID] = u
	}
	if len(byID) != count {
		t.Errorf("%d different users of %d", len(byID), count)
	}
	danny := byID[sandbox.SeedUserID]
	want := clever.User{
		ID: sandbox.SeedUserID, District: sandbox.SeedDistrictID, Name: clever.Name{First: "Danny", Middle: "D", Last: "Brakus"},
		Email: "danny.brakus@kestrelvalley.example", Created: time.Date(2024, 8, 1, 6, 0, 0, 0, time.UTC), LastModified: time.Date(2024, 8, 1, 6, 0, 0, 0, time.UTC),
		Roles: clever.Roles{
			Teacher: &clever.TeacherRole{
				School: sandbox.SeedTeacherSchool, Schools: []string{sandbox.SeedTeacherSchool}, SISID: "42",
				TeacherNumber: "42", LegacyID: sandbox.SeedTeacherLegacy,
			},
			Staff: &clever.StaffRole{
				Schools: []string{sandbox.SeedStaffSchool}, StaffID: "74002", Labels: []string{"PortalOnly"},
				LegacyID: sandbox.SeedStaffLegacy,
			},
		},
	}
	if diff := cmp.Diff(want, danny); diff != "" {
		t.Errorf("the seed example's user: %s", diff)
	}
	alone, err := f.User(t.Context(), f.token, sandbox.SeedUserID)
	if diff := cmp.Diff(danny, alone); err != nil || diff != "" {
		t.Errorf("read alone: %v %s", err, diff)
	}
	unknown := byID[sandbox.UnknownRoleUserID].Roles.Unknown[sandbox.UnknownRole]
	if !json.Valid(unknown) || !strings.Contains(string(unknown), "legacy_id") {
		t.Errorf("unknown role = %s", unknown)
	}
	if got := byID[sandbox.UnknownLabelUserID].Roles.Staff.Labels; len(got) != 1 || got[0] != sandbox.UnknownLabel {
		t.Errorf("unknown label = %v", got)
	}
	if u := byID[sandbox.AbsentFieldsUserID]; u.Email != "" || u.Name.Middle != "" || u.Roles.Student != nil || u.Roles.Contact != nil || u.Roles.Teacher == nil {
		t.Errorf("absent fields: %+v", u)
	}
	if u := byID[sandbox.ContactUserID]; u.Name.First != "" || u.Name.Last != "Marchetti, Gina" || len(u.Roles.Contact.Relationships) != 2 ||
		u.Roles.Contact.Relationships[0] != (clever.Relationship{Student: sandbox.StudentUserID, Relationship: "Parent", Type: "Primary"}) {
		t.Errorf("contact: %+v", u)
	}
}

func TestSensitiveFieldsAreNeverDecoded(t *testing.T) {
	f := setup(t, sandbox.Options{})
	u, err := f.User(t.Context(), f.token, sandbox.SensitiveUserID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(f.s.UserJSON(u.ID)), "Autism") {
		t.Fatal("the sandbox does not send what this test looks for")
	}
	kept, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"Autism", "Quechua", "que", "Reduced", "Active", "Two or More", "2013", `"X"`, "Nowhere", "Wren"} {
		if strings.Contains(string(kept), `"`+s) || strings.Contains(string(kept), s+`"`) {
			t.Errorf("kept %q: %s", s, kept)
		}
	}
}

func TestSchoolsTermsSectionsAndDistrict(t *testing.T) {
	f := setup(t, sandbox.Options{})
	ctx := t.Context()
	schools := 0
	for p, err := range f.Schools(ctx, f.token, "") {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Items {
			if s.ID == "" || s.Name == "" || s.SISID == "" || s.LowGrade == "" || s.LastModified.IsZero() {
				t.Errorf("school %+v", s)
			}
			schools++
		}
	}
	if schools != 6 {
		t.Errorf("%d schools", schools)
	}
	for p, err := range f.Terms(ctx, f.token, "") {
		if err != nil || len(p.Items) < 2 {
			t.Fatal(len(p.Items), err)
		}
		for _, term := range p.Items {
			if term.StartDate == nil || term.EndDate == nil || !term.StartDate.Before(*term.EndDate) {
				t.Errorf("term %+v", term)
			}
		}
	}
	sections := map[string]clever.Section{}
	for p, err := range f.Sections(ctx, f.token, "") {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Items {
			sections[s.ID] = s
		}
	}
	if s := sections[sandbox.CoTaughtSectionID]; s.Teacher != sandbox.TeacherUserID || len(s.Teachers) != 2 || len(s.Students) < 3 || s.TermID == "" {
		t.Errorf("co-taught section %+v", s)
	}
	if s := sections[sandbox.NullTermSectionID]; s.TermID != "" || s.Name == "" {
		t.Errorf("section without a term %+v", s)
	}
	if s := sections[sandbox.NoTeacherSectionID]; s.Teacher != "" || len(s.Teachers) != 0 {
		t.Errorf("section without a teacher %+v", s)
	}
	d, err := f.District(ctx, f.token)
	if err != nil || d.ID != sandbox.SeedDistrictID || d.State != "running" || d.Name == "" || d.LastSync.IsZero() || !d.PauseEnd.IsZero() {
		t.Errorf("district %+v, %v", d, err)
	}
	if id, err := f.LatestEventID(ctx, f.token); id != "" || err != nil {
		t.Errorf("newest event %q, %v", id, err)
	}
}

func TestTokens(t *testing.T) {
	f := setup(t, sandbox.Options{Districts: 2})
	list, err := f.Tokens(t.Context())
	if err != nil || len(list) != 2 || list[0].DistrictID != sandbox.SeedDistrictID || len(list[0].Token) != 40 || len(list[0].Scopes) == 0 {
		t.Errorf("tokens %d, %v", len(list), err)
	}
	if _, err := f.DistrictToken(t.Context(), "000000000000000000000000"); !errors.Is(err, clever.ErrNoToken) {
		t.Errorf("unknown district: %v", err)
	}
	wrong := newClient(t, f.url, func(c *clever.Config) { c.ClientSecret = "wrong" })
	if _, err := wrong.Tokens(t.Context()); !errors.Is(err, clever.ErrUnauthorized) {
		t.Errorf("wrong secret: %v", err)
	}
}

func TestWrongTokensAreRefusedAndNotRetried(t *testing.T) {
	f := setup(t, sandbox.Options{})
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Kind: sandbox.Slow, Times: -1})
	f.token = "0123456789abcdef0123456789abcdef01234567"
	_, page, err := f.users(t)
	if !errors.Is(err, clever.ErrUnauthorized) || page != 1 || f.s.Faults().Struck() != 1 {
		t.Errorf("page %d after %d requests: %v", page, f.s.Faults().Struck(), err)
	}
	if strings.Contains(err.Error(), f.token) {
		t.Errorf("the token is in the error: %v", err)
	}
	for _, html := range []bool{false, true} {
		f := setup(t, sandbox.Options{NoSecureSync: true, HTMLWrongToken: html})
		if _, err := f.District(t.Context(), f.token); err != nil {
			t.Errorf("without Secure Sync: district: %v", err)
		}
		if _, _, err := f.users(t); !errors.Is(err, clever.ErrUnauthorized) {
			t.Errorf("without Secure Sync: users: %v", err)
		}
	}
}

func TestAWalkStopsWhereItsReaderStops(t *testing.T) {
	f := setup(t, sandbox.Options{})
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.HTML, Times: -1})
	for _, err := range f.Users(t.Context(), f.token, "") {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if n := f.s.Faults().Struck(); n != 0 {
		t.Errorf("page 2 was asked for %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.s.Faults().Clear()
	var last error
	for p, err := range f.Users(ctx, f.token, "") {
		last = err
		if p.Number == 2 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after cancelling: %v", last)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*clever.Config){
		"no secret":      func(c *clever.Config) { c.ClientSecret = "" },
		"not a URL":      func(c *clever.Config) { c.APIURL = "api.clever.com" },
		"user in URL":    func(c *clever.Config) { c.AuthURL = "https://me:pw@clever.com" },
		"page too large": func(c *clever.Config) { c.PageSize = 10001 },
	} {
		cfg := clever.Config{ClientID: clientID, ClientSecret: secret}
		change(&cfg)
		if _, err := clever.New(cfg); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := clever.New(clever.Config{ClientID: clientID, ClientSecret: secret}); err != nil {
		t.Error(err)
	}
}

func ExampleError() {
	err := &clever.Error{Op: "read users", Path: "/v3.1/users", Status: 500, RecordType: "users", Page: 3, Message: "Internal error"}
	fmt.Println(err)
	// Output: clever: read users: users page 3 (/v3.1/users): status 500: Internal error
}
