package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
)

// crowd adds n staff at one school, more than a simulation counts in one statement.
func (c *console) crowd(n int) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	if _, err := conn.Exec(c.t.Context(), `WITH u AS (
			INSERT INTO users (district_id, first_name, last_name, name_key, email_key, role_count, created_at, changed_at)
			SELECT $1, 'Pat', 'Number ' || i, 'number ' || i, '', 1, now(), now() FROM generate_series(1, $2::int) i RETURNING id, name_key
		), g AS (
			INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, since) SELECT $1, id, id, 'staff', 'clever', name_key, now() FROM u RETURNING id, user_id, name_key
		) INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
		  SELECT $1, g.id, (SELECT min(id) FROM schools WHERE district_id = $1), g.user_id, 'staff', true, g.name_key, now() FROM g`, c.district, n); err != nil {
		c.t.Fatal(err)
	}
}

// TestLongSimulationSaysHowFarItIs: in a district that takes more than a moment the page begins before the result, says
// how many people of how many have been weighed, and ends with the preview that is applied as any other. So does the
// preview of its undo.
func TestLongSimulationSaysHowFarItIs(t *testing.T) {
	c := newConsole(t)
	c.crowd(10_000)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	preview := previewed(t, admin, func(f url.Values) { tick(t, f, "staff", "grades.edit", true) })
	steps := func(a answer) {
		t.Helper()
		page := a.doc(t)
		shown := page.Find("main .weighing progress")
		if a.StatusCode != http.StatusOK || shown.Length() == 0 || page.Find("main .weighing > p").Length() != shown.Length()+1 {
			t.Fatalf("status %d: %d steps and an end in %d", a.StatusCode, shown.Length(), page.Find("main .weighing > p").Length())
		}
		last := -1
		for _, s := range shown.EachIter() {
			var done, of int
			_, _ = fmt.Sscan(s.AttrOr("value", ""), &done)
			_, _ = fmt.Sscan(s.AttrOr("max", ""), &of)
			if done <= last || done >= of || of < 10_000 {
				t.Errorf("%d of %d after %d", done, of, last)
			}
			last = done
		}
		if strings.Index(a.body, "<progress") > strings.Index(a.body, `class="sentence"`) {
			t.Error("the steps come after the result")
		}
	}
	steps(preview)
	made := admin.send(adminBase+"rules", fields(t, preview, adminBase+"rules"))
	receipt := made.Header.Get("Location")
	if made.StatusCode != http.StatusSeeOther || len(c.rules()) != 1 {
		t.Fatalf("status %d, rules %v", made.StatusCode, c.rules())
	}
	undo := admin.get(receipt + "/undo")
	steps(undo)
	if a := admin.send(receipt+"/undo", fields(t, undo, receipt+"/undo")); a.StatusCode != http.StatusSeeOther || len(c.rules()) != 0 {
		t.Errorf("undo: status %d, rules %v", a.StatusCode, c.rules())
	}

	setting := admin.send(adminBase+"settings/combining/preview", url.Values{"value": {"least_privileged"}})
	steps(setting)

	if again := admin.get(receipt + "/undo"); again.at() != receipt {
		t.Errorf("the undo of an undone change leads to %s", again.at())
	}
}
