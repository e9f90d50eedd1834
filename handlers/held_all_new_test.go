package handlers

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
	"hallpass/roster"
)

var anID = regexp.MustCompile(`\b[0-9a-f]{24}\b`)

// otherID is the id that a record has where every id is another one. It is its own opposite, and keeps the order of
// ids that begin alike. The district stays the same one.
func otherID(id string) string {
	if id == sandbox.SeedDistrictID {
		return id
	}
	first, err := strconv.ParseUint(id[:1], 16, 8)
	if err != nil {
		return id // the pattern leaves nothing else
	}
	return fmt.Sprintf("%x%s", first^8, id[1:])
}

// anew is the same Clever with every id of every record another one, as of a district that was set up anew.
func anew(t *testing.T, c *console) *clever.Client {
	t.Helper()
	to, err := url.Parse(c.boxURL)
	if err != nil {
		t.Fatal(err)
	}
	swap := func(s string) string { return anID.ReplaceAllStringFunc(s, otherID) }
	srv := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.URL.Path, r.Out.URL.RawQuery = swap(r.Out.URL.Path), swap(r.Out.URL.RawQuery)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			text := swap(string(body))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
			r.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return nil
		},
	})
	t.Cleanup(srv.Close)
	client, err := newClient(srv.URL, c.url+callbackPath)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// decidedRows are what people decided, row by row.
func (c *console) decidedRows() (rows []string) {
	c.t.Helper()
	for _, sql := range []string{
		`SELECT to_jsonb(o)::text FROM overrides o ORDER BY id`,
		`SELECT to_jsonb(g)::text FROM role_grants g WHERE source = 'manual' ORDER BY id`,
		`SELECT to_jsonb(p)::text FROM pair_decisions p ORDER BY id`,
		`SELECT to_jsonb(r)::text FROM role_rules r ORDER BY 1`,
		`SELECT to_jsonb(p)::text FROM user_preferences p WHERE default_view <> '' ORDER BY 1`,
	} {
		rows = append(rows, c.ask(sql)...)
	}
	return rows
}

// renumbered is a district in which people decided something and all ids changed, with its held run's page.
func renumbered(t *testing.T) (c *console, admin *browser, at string, before map[string][]string) {
	t.Helper()
	c = newConsole(t)
	admin = c.signedIn(sandbox.DistrictAdminUserID)
	teacher := c.id(sandbox.TeacherUserID)
	c.overridden(teacher, "grades.edit", false, "district", "")
	c.behind(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, end_role, created_by, created_at)
		VALUES ($1, $2, 'reports.export', true, 'district', 'other', 'while she teaches', 'role', 'teacher', $2, now())`, c.district, teacher)
	c.behind(`INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, given_by, reason, note, since)
		SELECT district_id, id, id, 'staff', 'manual', name_key, id, 'duty', 'covers', now() FROM users WHERE district_id = $1 AND id = $2`, c.district, teacher)
	c.behind(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, reason, class, decided_by, decided_at) VALUES ($1, least($2::bigint, $3::bigint), greatest($2, $3), 'different', 'twins', 'C', $2, now())`,
		c.district, teacher, c.id(sandbox.StaffUserID))
	c.behind(`INSERT INTO user_preferences VALUES ($1, $2, 'teacher')`, c.district, teacher)
	c.sync()
	before, err := modelstest.State(t.Context(), c.look())
	if err != nil {
		t.Fatal(err)
	}
	run, err := roster.Full(t.Context(), c.store, anew(t, c), sandbox.SeedDistrictID, roster.Options{})
	if err != nil || run.State != models.SyncHeld || !run.Brake.AllNew {
		t.Fatalf("with all ids new the sync is %s, all new %t: %v", run.State, run.Brake.AllNew, err)
	}
	return c, admin, adminBase + "syncs/" + strconv.FormatInt(run.ID, 10), before
}

// TestAllIDsNewIsHeldAndRecovered: a district whose ids all change loses nobody, is told in words, and one click puts
// everything back once Clever's list is mended.
func TestAllIDsNewIsHeldAndRecovered(t *testing.T) {
	c, admin, at, before := renumbered(t)
	decided := c.decidedRows()
	if got := c.one(`SELECT count(*)::text FROM users WHERE district_id = $1 AND ended_at IS NOT NULL`, c.district); got != "0" {
		t.Errorf("%s people ended before anybody was asked", got)
	}
	page := admin.get(at).doc(t)
	text := page.Find("main").Text()
	for _, want := range []string{"Every id is new", "none under an id that Hallpass knows", "Ask Clever again", "with their overrides kept"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	if home := admin.get(adminBase).doc(t).Find("main").Text(); !strings.Contains(home, "A sync is held") {
		t.Error("home does not say so")
	}

	// One click, once Clever's list is mended.
	again := page.Find(`form:has(input[name="what"][value="full"])`)
	if again.Length() != 1 {
		t.Fatalf("%d buttons ask Clever again", again.Length())
	}
	a := admin.send(again.AttrOr("action", ""), url.Values{"what": {"full"}})
	if a.StatusCode != http.StatusSeeOther || c.queued.Load() != 1 {
		t.Fatalf("the click: status %d, %d runs put to work", a.StatusCode, c.queued.Load())
	}
	asked, err := strconv.ParseInt(c.one(`SELECT id::text FROM sync_runs WHERE district_id = $1 AND state = 'requested'`, c.district), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	run, err := roster.Full(t.Context(), c.store, c.server.Clever, sandbox.SeedDistrictID, roster.Options{RunID: asked})
	if err != nil || run.State != models.SyncDone {
		t.Fatalf("with the old ids back the sync is %s, %+v: %v", run.State, run.Brake, err)
	}
	after, err := modelstest.State(t.Context(), c.look())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("not as before:\n%s", diff)
	}
	if diff := cmp.Diff(decided, c.decidedRows()); diff != "" {
		t.Errorf("decisions are not as before:\n%s", diff)
	}
	c.wantCountsRight("put back")
	if text := admin.get(at).doc(t).Find("main").Text(); strings.Contains(text, "Ask Clever again") {
		t.Error("the held run still waits")
	}
}

// TestAllIDsNewAndMeant: where the new ids are to stay, two people approve; those who were known end with what was
// decided about them, and are offered for merging with their new records, which takes the decisions along.
func TestAllIDsNewAndMeant(t *testing.T) {
	c, admin, at, _ := renumbered(t)
	decided := c.decidedRows()
	old := c.id(sandbox.TeacherUserID)
	other := c.signedIn(sandbox.AllRolesUserID)
	for _, b := range []*browser{admin, other} {
		preview, answer := decideHeld(t, b, at, url.Values{"do": {"approve"}})
		if answer.Response == nil || answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("not approved: %s", preview.doc(t).Find("main").Text())
		}
	}
	release, err := strconv.ParseInt(c.one(`SELECT id::text FROM sync_runs WHERE kind = 'release'`), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roster.Release(t.Context(), c.store, c.district, roster.Options{RunID: release}); err != nil {
		t.Fatal(err)
	}
	// The override that was to last as long as Clever gives the role has come to its end with it.
	lasting := func(rows []string) []string {
		return slices.DeleteFunc(rows, func(r string) bool { return strings.Contains(r, `"end_kind": "role"`) })
	}
	if diff := cmp.Diff(lasting(decided), lasting(c.decidedRows())); diff != "" {
		t.Errorf("decisions are not as before:\n%s", diff)
	}
	if got := c.one(`SELECT (ended_at IS NOT NULL)::text FROM users WHERE district_id = $1 AND id = $2`, c.district, old); got != "true" {
		t.Error("the old record has not ended")
	}
	fresh := c.id(otherID(sandbox.TeacherUserID))
	c.suggest()
	if found := c.caseOf(old); found == 0 || found != c.caseOf(fresh) {
		t.Errorf("the old record is in case %d, the new one in %d", found, c.caseOf(fresh))
	}
}
