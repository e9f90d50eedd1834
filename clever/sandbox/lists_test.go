package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever/sandbox"
)

func TestUsersArePagedInOrderAndEachOnce(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 2000})
	total := *f.list(t, "/v3.1/users?count=true").Count
	for _, limit := range []int{1000, 137, 10000} {
		users := f.all(t, fmt.Sprintf("/v3.1/users?limit=%d", limit))
		if len(users) != total {
			t.Fatalf("limit %d: %d users, count says %d", limit, len(users), total)
		}
		for i := 1; i < len(users); i++ {
			if users[i].id() <= users[i-1].id() {
				t.Fatalf("limit %d: user %d is %s after %s", limit, i, users[i].id(), users[i-1].id())
			}
		}
		i := slices.IndexFunc(users, func(r record) bool { return r.id() == sandbox.SeedUserID })
		if i < 100 || i > total-100 {
			t.Errorf("the seed example's user is number %d of %d, want one in the middle", i, total)
		}
	}
}

func TestLinksFollowWhatWasSeenOfClever(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 1000})
	first := f.list(t, "/v3.1/schools?limit=2")
	ids := first.ids()
	if got := first.link("self"); got != "/v3.1/schools?limit=2" {
		t.Errorf("self = %q", got)
	}
	if got, want := first.link("next"), "/v3.1/schools?limit=2&starting_after="+ids[1]; got != want {
		t.Errorf("next = %q, want %q", got, want)
	}
	if got := first.link("prev"); got != "" {
		t.Errorf("the first page has prev %q", got)
	}
	if got, want := first.Data[0].URI, "/v3.1/schools/"+ids[0]; got != want {
		t.Errorf("uri = %q, want %q", got, want)
	}
	second := f.list(t, first.link("next"))
	if got, want := second.link("prev"), "/v3.1/schools?limit=2&ending_before="+second.ids()[0]; got != want {
		t.Errorf("prev = %q, want %q", got, want)
	}
	back := f.list(t, second.link("prev"))
	if diff := cmp.Diff(ids, back.ids()); diff != "" {
		t.Errorf("prev does not lead back: %s", diff)
	}
	all := f.list(t, "/v3.1/schools?limit=10000")
	tail := f.list(t, "/v3.1/schools?limit=3&ending_before=last")
	if diff := cmp.Diff(all.ids()[len(all.Data)-3:], tail.ids()); diff != "" {
		t.Errorf("ending_before=last: %s", diff)
	}
	if last := f.list(t, "/v3.1/schools?limit=100&starting_after="+all.ids()[len(all.Data)-1]); len(last.Data) != 0 || last.link("next") != "" {
		t.Errorf("after the last record: %+v", last)
	}
	if whole := f.list(t, fmt.Sprintf("/v3.1/schools?limit=%d", len(all.Data))); whole.link("next") != "" {
		t.Errorf("a page that ends with the list has next %q", whole.link("next"))
	}
}

func TestLimits(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 1000})
	if n := len(f.list(t, "/v3.1/users").Data); n != 100 {
		t.Errorf("without limit %d records, want 100", n)
	}
	for path, want := range map[string]int{
		"/v3.1/users?limit=10001": 413, "/v3.1/users?limit=0": 400, "/v3.1/users?limit=x": 400,
		"/v3.1/users?role=owner": 400, "/v3.1/nothing": 404, "/v3.1/users/" + sandbox.SeedUserID + "/teachers": 404, "/v3.1/users?limit=10000": 200,
	} {
		if got, _ := f.get(t, path); got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
}

func TestRoleFilterGivesWholeUsers(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 2000})
	for _, role := range []string{"contact", "district_admin", "staff", "student", "teacher"} {
		want := 0
		for _, u := range f.all(t, "/v3.1/users?limit=10000") {
			if u.Data["roles"].(map[string]any)[role] != nil {
				want++
			}
		}
		got := f.all(t, "/v3.1/users?limit=777&role="+role)
		if len(got) != want || want == 0 {
			t.Errorf("role %s: %d users, %d in the whole list", role, len(got), want)
		}
	}
	for _, role := range []string{"teacher", "staff"} {
		found := false
		for _, u := range f.all(t, "/v3.1/users?role="+role) {
			if u.id() == sandbox.SeedUserID {
				found = len(u.Data["roles"].(map[string]any)) >= 2
			}
		}
		if !found {
			t.Errorf("role=%s does not give the seed example's user with both roles", role)
		}
	}
}

// TestRelationsAgreeWithRecords walks the relations of everybody in a small
// district and compares them with what the section and user records say.
func TestRelationsAgreeWithRecords(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 5, Users: 400, RateLimit: -1})
	sectionsOf := map[string][]string{}
	contactsOf := map[string][]string{}
	atSchool := map[string][]string{}
	texts := func(v any) (out []string) {
		list, _ := v.([]any)
		for _, x := range list {
			out = append(out, x.(string))
		}
		return out
	}
	for _, s := range f.all(t, "/v3.1/sections?limit=10000") {
		for _, id := range append(texts(s.Data["teachers"]), texts(s.Data["students"])...) {
			sectionsOf[id] = append(sectionsOf[id], s.id())
		}
		people := f.list(t, "/v3.1/sections/"+s.id()+"/users?limit=1000")
		if want := len(texts(s.Data["teachers"])) + len(texts(s.Data["students"])); len(people.Data) != want {
			t.Errorf("section %s: %d users, %d in its record", s.id(), len(people.Data), want)
		}
	}
	users := f.all(t, "/v3.1/users?limit=10000")
	for _, u := range users {
		places := map[string]bool{}
		for _, role := range u.Data["roles"].(map[string]any) {
			role, _ := role.(map[string]any)
			for _, s := range texts(role["schools"]) {
				places[s] = true
			}
			rels, _ := role["student_relationships"].([]any)
			for _, r := range rels {
				id := r.(map[string]any)["student"].(string)
				contactsOf[id] = append(contactsOf[id], u.id())
			}
		}
		for s := range places {
			atSchool[s] = append(atSchool[s], u.id())
		}
	}
	for _, u := range users {
		sections := f.list(t, "/v3.1/users/"+u.id()+"/sections?limit=1000").ids()
		if diff := cmp.Diff(sectionsOf[u.id()], sections); diff != "" {
			t.Errorf("sections of %s: %s", u.id(), diff)
		}
		contacts := f.list(t, "/v3.1/users/"+u.id()+"/mycontacts?limit=1000").ids()
		if diff := cmp.Diff(contactsOf[u.id()], contacts); diff != "" {
			t.Errorf("contacts of %s: %s", u.id(), diff)
		}
	}
	for _, s := range f.all(t, "/v3.1/schools") {
		got := f.list(t, "/v3.1/schools/"+s.id()+"/users?limit=10000").ids()
		if diff := cmp.Diff(atSchool[s.id()], got); diff != "" {
			t.Errorf("users of school %s: %s", s.id(), diff)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
	paths := []string{"/v3.1/users?limit=10000", "/v3.1/schools", "/v3.1/sections?limit=10000", "/v3.1/terms", "/v3.1/courses", "/v3.1/districts"}
	a := newFixture(t, sandbox.Options{Seed: 11, Users: 1500, Now: now, RateLimit: -1})
	b := newFixture(t, sandbox.Options{Seed: 11, Users: 1500, Now: now, RateLimit: -1})
	c := newFixture(t, sandbox.Options{Seed: 12, Users: 1500, Now: now, RateLimit: -1})
	for _, path := range paths {
		_, x := a.get(t, path)
		_, y := b.get(t, path)
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between two sandboxes of one seed", path)
		}
	}
	_, x := a.get(t, paths[0])
	if _, z := c.get(t, paths[0]); bytes.Equal(x, z) {
		t.Error("two seeds give the same users")
	}
}

func TestAMillionUsersStartAtOnce(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f := newFixture(t, sandbox.Options{Seed: 1, Users: 1_000_000})
	runtime.ReadMemStats(&after)
	// Nothing is made for each of them: that would be hundreds of megabytes.
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 32 {
		t.Errorf("starting took %d MB", took)
	}
	if n := *f.list(t, "/v3.1/users?count=true").Count; n < 1_000_000 || n > 1_000_100 {
		t.Errorf("%d users", n)
	}
	if n := *f.list(t, "/v3.1/schools?count=true").Count; n != 250 {
		t.Errorf("%d schools, want 250", n)
	}
	if got := f.list(t, "/v3.1/users?limit=1&ending_before=last").Data[0]; got.Data["roles"].(map[string]any)["contact"] == nil {
		t.Errorf("the last user is %v", got)
	}
	admins := f.all(t, "/v3.1/users?role=district_admin&limit=10000")
	if len(admins) < 20 || len(admins) > 32 {
		t.Errorf("%d district admins, want about 25", len(admins))
	}
}

func TestVersion30LeavesOutWhat31Added(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 1000})
	student := func(version string) map[string]any {
		_, raw := f.get(t, "/"+version+"/users/"+sandbox.SensitiveUserID)
		var r record
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		return r.Data["roles"].(map[string]any)["student"].(map[string]any)
	}
	if s := student("v3.1"); s["iep_status"] == nil || s["race"] == nil {
		t.Errorf("v3.1 lacks fields: %v", s)
	}
	if s := student("v3.0"); s["iep_status"] != nil || s["preferred_name"] != nil || s["race"] == nil {
		t.Errorf("v3.0 = %v", s)
	}
}

func TestRateLimitIsCountedPerToken(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 10, 0, time.UTC)
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 1000, Districts: 2, RateLimit: 2, Now: func() time.Time { return now }})
	for _, want := range []string{"1", "0"} {
		resp, _ := f.do(t, http.MethodGet, "/v3.1/terms", "Bearer "+f.token, "")
		if got := resp.Header.Get("X-RateLimit-Remaining"); got != want || resp.StatusCode != http.StatusOK {
			t.Errorf("status %d, remaining %q, want %q", resp.StatusCode, got, want)
		}
	}
	resp, body := f.do(t, http.MethodGet, "/v3.1/terms", "Bearer "+f.token, "")
	if resp.StatusCode != http.StatusTooManyRequests || len(body) != 0 {
		t.Errorf("status %d with %q, want 429 with nothing", resp.StatusCode, body)
	}
	if got, want := resp.Header.Get("X-RateLimit-Reset"), strconv.FormatInt(now.Truncate(time.Minute).Add(time.Minute).Unix(), 10); got != want {
		t.Errorf("reset %s, want %s", got, want)
	}
	other := f.tokenOf(t, sandbox.OtherDistrictID)
	if resp, _ := f.do(t, http.MethodGet, "/v3.1/terms", "Bearer "+other, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("the other district starves: %d", resp.StatusCode)
	}
	now = now.Add(time.Minute)
	if resp, _ := f.do(t, http.MethodGet, "/v3.1/terms", "Bearer "+f.token, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("after the window: %d", resp.StatusCode)
	}
}

func TestDistrictsAreApart(t *testing.T) {
	f := newFixture(t, sandbox.Options{Seed: 3, Users: 1000, Districts: 2})
	f.token = f.tokenOf(t, sandbox.OtherDistrictID)
	for _, path := range []string{
		"/users/" + sandbox.SeedUserID, "/schools/" + sandbox.SeedTeacherSchool, "/districts/" + sandbox.SeedDistrictID,
		"/sections/" + sandbox.CoTaughtSectionID,
	} {
		if got, _ := f.get(t, "/v3.1"+path); got != 404 {
			t.Errorf("%s: status %d, want 404", path, got)
		}
	}
	for _, u := range f.all(t, "/v3.1/users?limit=10000") {
		if u.Data["district"] != sandbox.OtherDistrictID {
			t.Errorf("user of district %v", u.Data["district"])
		}
	}
}
