package sandbox_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"hallpass/clever/sandbox"
)

// event is an event as it is on the wire.
type event struct {
	ID, Type, Created string
	Data              struct {
		Object   map[string]any
		Previous map[string]any `json:"previous_attributes"`
	}
	Previous map[string]any `json:"previous_attributes"`
}

func (f *fixture) events(t *testing.T, query string) []event {
	t.Helper()
	var out []event
	for _, r := range f.all(t, "/v3.1/events"+query) {
		raw, err := json.Marshal(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		if r.URI != "/v3.1/events/"+e.ID {
			t.Errorf("event %s has uri %s", e.ID, r.URI)
		}
		out = append(out, e)
	}
	return out
}

// said are the events' types and records, in order.
func said(events []event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Type+" "+fmt.Sprint(e.Data.Object["id"]))
	}
	return out
}

func (f *fixture) must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keys(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestEditsAreEvents(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 400})
	if n := len(f.events(t, "")); n != 0 {
		t.Fatalf("%d events before the first edit", n)
	}
	user := f.s.UserIDAt(3)
	const term, fresh = "6387ffff0000000000000001", "67290aff0000000000000001"
	f.must(t,
		f.s.EditUser(user, func(u map[string]any) {
			u["name"] = map[string]any{"first": "A", "last": "B"}
			u["lms_status"] = map[string]any{"synced_in_lms": true}
		}),
		f.s.EditUser(sandbox.SeedUserID, func(u map[string]any) { delete(u["roles"].(map[string]any), "staff") }),
		f.s.PutUser(json.RawMessage(`{"id":"`+fresh+`","district":"`+f.s.DistrictID()+`","name":{"last":"New"},"roles":{}}`)),
		f.s.RemoveUser(user), f.s.RestoreUser(user),
		f.s.RemoveSection(sandbox.CoTaughtSectionID), f.s.RestoreSection(sandbox.CoTaughtSectionID),
		f.s.EditSchool(sandbox.SeedTeacherSchool, func(s map[string]any) { s["name"] = "Renamed" }),
		f.s.PutTerm(json.RawMessage(`{"id":"`+term+`","district":"`+f.s.DistrictID()+`","name":"Summer"}`)),
		f.s.RemoveTerm(term),
		f.s.SetDistrict(f.s.DistrictID(), "New Name", "paused"),
	)
	all := f.events(t, "?limit=3")
	want := []string{
		"users.updated " + user, "users.updated " + sandbox.SeedUserID, "users.created " + fresh,
		"users.deleted " + user, "users.created " + user,
		"sections.deleted " + sandbox.CoTaughtSectionID, "sections.created " + sandbox.CoTaughtSectionID,
		"schools.updated " + sandbox.SeedTeacherSchool, "terms.created " + term, "terms.deleted " + term,
		"districts.updated " + f.s.DistrictID(),
	}
	if got := said(all); !slices.Equal(got, want) {
		t.Fatalf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.IsSortedFunc(all, func(a, b event) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the ids do not rise")
	}
	if got := keys(all[0].Data.Previous); !slices.Equal(got, []string{"last_modified", "name"}) {
		t.Errorf("previous attributes %v; a new field has no old value", got)
	}
	if roles := all[1].Data.Previous["roles"].(map[string]any); !slices.Equal(keys(roles), []string{"staff"}) {
		t.Errorf("previous roles %v", roles)
	}
	if all[3].Data.Object["name"].(map[string]any)["first"] != "A" {
		t.Error("a deleted event does not have the last record")
	}
	if got := keys(all[10].Data.Previous); !slices.Equal(got, []string{"name", "state"}) {
		t.Errorf("previous attributes of the district %v", got)
	}
	// Filters, cursors and the single event.
	if got := said(f.events(t, "?record_type=schools&record_type=terms&limit=1")); !slices.Equal(got, want[7:10]) {
		t.Errorf("by type: %v", got)
	}
	if got := said(f.events(t, "?school="+sandbox.SeedTeacherSchool)); len(got) == 0 || slices.Contains(got, want[9]) || !slices.Contains(got, want[7]) || !slices.Contains(got, want[1]) {
		t.Errorf("by school: %v", got)
	}
	if got := said(f.events(t, "?starting_after="+all[7].ID)); !slices.Equal(got, want[8:]) {
		t.Errorf("after %s: %v", all[7].ID, got)
	}
	if got := f.list(t, "/v3.1/events?ending_before=last&limit=1").ids(); !slices.Equal(got, []string{all[10].ID}) {
		t.Errorf("the newest is %v", got)
	}
	if status, raw := f.get(t, "/v3.1/events/"+all[0].ID); status != 200 || !strings.Contains(string(raw), user) {
		t.Errorf("one event: %d %s", status, raw)
	}
	// What v3.0 does not have does not show in its feed.
	_, raw := f.get(t, "/v3.0/events?limit=1")
	if !strings.Contains(string(raw), user) || strings.Contains(string(raw), "lms_status") {
		t.Errorf("in v3.0: %s", raw)
	}
	f.must(t, f.s.EditUser(user, func(u map[string]any) { u["lms_status"] = map[string]any{"synced_in_lms": false} }))
	if a, b := *f.list(t, "/v3.0/events?count=true").Count, *f.list(t, "/v3.1/events?count=true").Count; a != b-1 {
		t.Errorf("%d events in v3.0, %d in v3.1", a, b)
	}
}

func TestEventsAreKeptForThirtyDays(t *testing.T) {
	now := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 400, Now: func() time.Time { return now }})
	rename := func() {
		f.must(t, f.s.EditUser(sandbox.SeedUserID, func(u map[string]any) { u["email"] = now.String() }))
	}
	rename()
	first := f.events(t, "")[0].ID
	now = now.Add(-time.Hour) // the clock is set back: ids rise all the same
	rename()
	if got := f.events(t, "?starting_after="+first); len(got) != 1 {
		t.Errorf("%d events after the first", len(got))
	}
	now = now.Add(30*24*time.Hour + time.Minute)
	rename()
	if got := f.events(t, ""); len(got) != 2 || got[0].ID == first && got[1].ID == first {
		t.Errorf("the window holds %v", said(got))
	}
	now = now.Add(2 * 24 * time.Hour)
	rename()
	if got := f.events(t, ""); len(got) != 2 {
		t.Errorf("the window holds %d events", len(got))
	}
	if status, _ := f.get(t, "/v3.1/events?starting_after="+first); status != 200 {
		t.Errorf("an old cursor is answered %d", status)
	}
	g := newFixture(t, sandbox.Options{Seed: 4, Users: 400, ForgetsCursors: true, Now: func() time.Time { return now }})
	f.must(t, g.s.EditUser(sandbox.SeedUserID, func(u map[string]any) { u["email"] = "x" }))
	if status, _ := g.get(t, "/v3.1/events?starting_after="+first); status != 400 {
		t.Errorf("a forgotten cursor is answered %d", status)
	}
	h := newFixture(t, sandbox.Options{Seed: 4, Users: 400, NoEvents: true})
	f.must(t, h.s.RemoveUser(sandbox.SeedUserID))
	if n := len(h.events(t, "")); n != 0 {
		t.Errorf("%d events though they are off", n)
	}
}

func TestEventFormsCanBeChosen(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 400, PreviousBeside: true, ThinDeletes: true})
	f.must(t, f.s.EditUser(sandbox.SeedUserID, func(u map[string]any) { delete(u, "name") }), f.s.RemoveUser(sandbox.SeedUserID))
	all := f.events(t, "")
	if all[0].Data.Previous != nil || all[0].Previous["name"] == nil || all[0].Data.Object["name"] != nil {
		t.Errorf("a withdrawn field: %+v", all[0])
	}
	if got := keys(all[1].Data.Object); !slices.Equal(got, []string{"district", "id"}) {
		t.Errorf("a thin deleted record has %v", got)
	}
}

func (f *fixture) user(t *testing.T, id string) (u struct {
	Email string
	Roles map[string]struct {
		Legacy  string `json:"legacy_id"`
		Schools []string
	}
},
) {
	t.Helper()
	if err := json.Unmarshal(f.s.UserJSON(id), &u); err != nil {
		t.Fatalf("user %s: %v", id, err)
	}
	return u
}

func TestEqualEmailsJoinAndSplit(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 400})
	teacher, staff := f.user(t, sandbox.TeacherUserID), f.user(t, sandbox.StaffUserID)
	joined, err := f.s.SetEmail(sandbox.StaffUserID, strings.ToUpper(teacher.Email))
	f.must(t, err)
	u := f.user(t, joined)
	if joined == sandbox.StaffUserID || u.Roles["teacher"].Legacy != teacher.Roles["teacher"].Legacy || u.Roles["staff"].Legacy != staff.Roles["staff"].Legacy {
		t.Errorf("joined: %s %+v", joined, u)
	}
	if f.s.UserJSON(sandbox.TeacherUserID) != nil || f.s.UserJSON(sandbox.StaffUserID) != nil {
		t.Error("the joined users are still there")
	}
	if _, raw := f.get(t, "/v3.1/sections/"+sandbox.CoTaughtSectionID); !strings.Contains(string(raw), joined) || strings.Contains(string(raw), sandbox.TeacherUserID) {
		t.Errorf("the section is not theirs: %s", raw)
	}
	// A contact with the same email stays apart.
	if f.s.UserJSON(sandbox.SharedEmailContactID) == nil {
		t.Error("a contact was joined")
	}
	left, err := f.s.SetRoleEmail(joined, "teacher", "apart@example.org")
	f.must(t, err)
	a, b := f.user(t, joined), f.user(t, left)
	if len(a.Roles) != 1 || len(b.Roles) != 1 || b.Roles["teacher"].Legacy != teacher.Roles["teacher"].Legacy || b.Email != "apart@example.org" {
		t.Errorf("split: %+v and %+v", a, b)
	}
	var kinds []string
	for _, e := range f.events(t, "?record_type=users") {
		kinds = append(kinds, e.Type)
	}
	want := []string{"users.updated", "users.deleted", "users.deleted", "users.created", "users.updated", "users.created"}
	if !slices.Equal(kinds, want) {
		t.Errorf("events %v", kinds)
	}
	if id, err := f.s.SetEmail(sandbox.StudentUserID, a.Email); err != nil || id != sandbox.StudentUserID {
		t.Errorf("a student was joined: %s, %v", id, err)
	}
}

func TestUnsharedSchoolTakesItsPeopleAlong(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 600, RateLimit: -1})
	state := func() map[string]string {
		out := map[string]string{}
		for _, kind := range []string{"users", "schools", "sections"} {
			for _, r := range f.all(t, "/v3.1/"+kind+"?limit=1000") {
				raw, err := json.Marshal(r.Data)
				f.must(t, err)
				out[r.id()] = string(raw)
			}
		}
		return out
	}
	before := state()
	a, b := f.s.SchoolID(0), f.s.SchoolID(1)
	f.must(t, f.s.UnshareSchool(a), f.s.UnshareSchool(b))
	cut := state()
	if len(cut) >= len(before) {
		t.Fatalf("%d records of %d are left", len(cut), len(before))
	}
	for id, record := range cut {
		if strings.Contains(record, a) || strings.Contains(record, b) {
			t.Errorf("%s still names an unshared school: %s", id, record)
		}
	}
	if f.s.UnshareSchool(a) == nil || f.s.ShareSchool(f.s.SchoolID(3)) == nil {
		t.Error("a school was unshared or shared twice")
	}
	f.must(t, f.s.ShareSchool(a), f.s.ShareSchool(b))
	after := state()
	for id, record := range before {
		if after[id] != record {
			t.Fatalf("%s came back as\n%s\nwas\n%s", id, after[id], record)
		}
	}
	if len(after) != len(before) || len(f.s.Unshared()) != 0 {
		t.Errorf("%d records, %d before; unshared %v", len(after), len(before), f.s.Unshared())
	}
}

// TestEventsFitCleversOwnSpec checks events against the Swagger file of the
// Events API. What an event's previous_attributes may hold is left out: the
// file says "objects", which no old email is.
func TestEventsFitCleversOwnSpec(t *testing.T) {
	doc := specAt(t, "clever-v3.1-events.yml")
	f := newFixture(t, sandbox.Options{Seed: 4, Users: 600, PreviousBeside: true})
	user := f.s.UserIDAt(3)
	f.must(t,
		f.s.EditUser(user, func(u map[string]any) { u["email"] = "new@example.org" }),
		f.s.RemoveUser(user), f.s.RestoreUser(user), f.s.UnshareSchool(f.s.SchoolID(0)), f.s.ShareSchool(f.s.SchoolID(0)),
		f.s.RemoveTerm(f.firstID("/v3.1/terms")), f.s.SetDistrict(f.s.DistrictID(), "New Name", "paused"))
	_, err := f.s.SetEmail(sandbox.StaffUserID, f.user(t, sandbox.TeacherUserID).Email)
	f.must(t, err)
	types := map[string]int{}
	path := "/v3.1/events?limit=200"
	for path != "" {
		_, raw := f.get(t, path)
		var v struct {
			Data []struct{ Data map[string]any }
		}
		var whole any
		f.must(t, json.Unmarshal(raw, &v), json.Unmarshal(raw, &whole))
		schema := doc.Paths.Value("/events").Get.Responses.Status(200).Value.Content.Get("application/json").Schema.Value
		if err := schema.VisitJSON(whole); err != nil {
			t.Fatalf("%v\n%.1000s", err, raw)
		}
		for _, item := range v.Data {
			kind := item.Data["type"].(string)
			types[kind]++
			own := doc.Components.Schemas[kind]
			if own == nil {
				t.Fatalf("the spec has no %s", kind)
			}
			delete(item.Data, "previous_attributes")
			if err := own.Value.VisitJSON(item.Data, openapi3.MultiErrors()); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		path = f.list(t, path).link("next")
	}
	if len(types) < 10 {
		t.Errorf("only %v", types)
	}
	if os.Getenv("CI") == "" {
		t.Log(types)
	}
}
