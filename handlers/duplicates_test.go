package handlers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
	"hallpass/dedupe/queue"
)

// look sees over the wall.
func (c *console) look() *pgx.Conn {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// imported makes a person of the app's old file with the names of somebody whom Clever lists, and computes suggestions.
func (c *console) imported(like int64, role, legacy string) (id int64) {
	c.t.Helper()
	err := c.look().QueryRow(c.t.Context(), `WITH i AS (INSERT INTO imports (district_id, kind, file_name, state, started_at, beat_at) VALUES ($1, 'accounts', 'old.csv', 'applied', now(), now()) RETURNING id),
		u AS (INSERT INTO users (district_id, first_name, last_name, email, name_key, email_key, created_at, changed_at)
			SELECT $1, first_name, last_name, email, name_key, email_key, now(), now() FROM users WHERE district_id = $1 AND id = $2 RETURNING *)
		INSERT INTO imported_accounts (district_id, app_id, role, legacy_id, first_name, last_name, email, name_key, state, user_id, import_id, digest, changed_at, school_ids)
		SELECT $1, 'app-' || u.id, $3, $4, u.first_name, u.last_name, u.email, u.name_key, 'ambiguous', u.id, i.id, '', now(),
			coalesce((SELECT array_agg(DISTINCT school_id) FROM role_grant_schools WHERE district_id = $1 AND user_id = $2 AND ended_at IS NULL), '{}') FROM u, i RETURNING user_id`,
		c.district, like, role, legacy).Scan(&id)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (c *console) suggest() {
	c.t.Helper()
	if _, err := queue.Rebuild(c.t.Context(), c.store, c.district); err != nil {
		c.t.Fatal(err)
	}
}

// caseOf is the suggestion that has somebody, 0 for none.
func (c *console) caseOf(user int64) (id int64) {
	c.t.Helper()
	if err := c.look().QueryRow(c.t.Context(), `SELECT coalesce(max(suggestion_id), 0) FROM suggestion_members WHERE district_id = $1 AND user_id = $2`, c.district, user).Scan(&id); err != nil {
		c.t.Fatal(err)
	}
	return id
}

// dannysLegacy is the old id of the teacher's role.
func (c *console) legacyOf(user int64, role string) (value string) {
	c.t.Helper()
	if err := c.look().QueryRow(c.t.Context(), `SELECT legacy_id FROM role_grants WHERE district_id = $1 AND user_id = $2 AND role = $3`, c.district, user, role).Scan(&value); err != nil {
		c.t.Fatal(err)
	}
	return value
}

// A case is read, answered, remembered and taken back; a page made for another state of it changes nothing.
func TestDuplicateFromQueueToReceiptAndBack(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	one := c.imported(danny, "teacher", c.legacyOf(danny, "teacher"))
	c.suggest()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	base := seedHome + "district_admin/duplicates"

	list := admin.get(base)
	if list.StatusCode != http.StatusOK || !strings.Contains(list.says(t, ".pairs"), "Their IDs lead to one Clever user.") {
		t.Fatalf("status %d, list says %s", list.StatusCode, list.says(t, "main"))
	}
	id := c.caseOf(one)
	path := fmt.Sprintf("%s/%d", base, id)
	shown := admin.get(path)
	if shown.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", shown.StatusCode, shown.says(t, "main"))
	}
	// The bars add up to the last tenth of a bit.
	sum, total := 0, 0
	shown.doc(t).Find(".weigh").First().Find("tbody td.num, tfoot td.num").Each(func(_ int, s *goquery.Selection) {
		var whole, tenth int
		text := strings.NewReplacer("+", "", "−", "").Replace(s.Text())
		if _, err := fmt.Sscanf(text, "%d.%d", &whole, &tenth); err != nil {
			t.Fatalf("%q: %v", s.Text(), err)
		}
		n := whole*10 + tenth
		if strings.HasPrefix(s.Text(), "−") {
			n = -n
		}
		if s.Closest("tfoot").Length() > 0 {
			total = n
		} else {
			sum += n
		}
	})
	if sum != total || total == 0 {
		t.Errorf("bars add up to %d tenths, total %d", sum, total)
	}

	form := formOf(t, shown)
	form.Set("verdict", "different")
	form.Set("reason", "Two people, I know both")
	stale := maps.Clone(form)
	stale.Set("plan", strings.Repeat("0", 64))
	if a := admin.submit(path+"/decide", stale); a.StatusCode != http.StatusConflict || !strings.Contains(a.says(t, ".notice"), "changed") {
		t.Errorf("a stale page: status %d, %s", a.StatusCode, a.says(t, "main"))
	}
	if c.caseOf(one) != id {
		t.Error("a stale page changed something")
	}
	receipt := admin.submit(path+"/decide", form)
	if receipt.StatusCode != http.StatusOK || !strings.Contains(receipt.at(), "/changes/") || !strings.Contains(receipt.says(t, ".receipt"), "are different people.") {
		t.Fatalf("receipt at %s, status %d: %s", receipt.at(), receipt.StatusCode, receipt.says(t, "main"))
	}
	if c.caseOf(one) != 0 {
		t.Error("the case is still there")
	}
	if again := admin.submit(path+"/decide", form); again.at() != receipt.at() {
		t.Errorf("the second click of two leads to %s", again.at())
	}
	if gone := admin.get(path); gone.StatusCode != http.StatusNotFound || !strings.Contains(gone.says(t, "main"), "no longer there") {
		t.Errorf("the case that was answered: status %d", gone.StatusCode)
	}
	form.Set("token", strings.Repeat("1", 32))
	if a := admin.submit(path+"/decide", form); a.StatusCode != http.StatusConflict || !strings.Contains(a.says(t, "main"), "Nothing was changed.") {
		t.Errorf("an answer to a case that is gone: status %d, %s", a.StatusCode, a.says(t, "main"))
	}
	c.suggest()
	if c.caseOf(one) != 0 {
		t.Error("computed anew, the pair is back")
	}

	undo := admin.get(receipt.at() + "/undo")
	back := admin.submit(receipt.at()+"/undo", formOf(t, undo))
	if back.StatusCode != http.StatusOK || c.caseOf(one) == 0 {
		t.Errorf("undo: status %d at %s, case %d", back.StatusCode, back.at(), c.caseOf(one))
	}

	// A colleague takes it: the page that was made before says so, and changes nothing.
	id = c.caseOf(one)
	path = fmt.Sprintf("%s/%d", base, id)
	form = formOf(t, admin.get(path))
	form.Set("verdict", "unsure")
	colleague := c.colleague(danny)
	if _, err := c.look().Exec(t.Context(), `UPDATE suggestions SET taken_by = $1, taken_at = now() WHERE id = $2`, colleague, id); err != nil {
		t.Fatal(err)
	}
	if a := admin.submit(path+"/decide", form); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "has been deciding this since") {
		t.Errorf("taken by a colleague: status %d", a.StatusCode)
	}
	taken := admin.submit(path+"/decide", url.Values{"verdict": {"take"}})
	form = formOf(t, taken)
	form.Set("verdict", "unsure")
	if a := admin.submit(path+"/decide", form); a.StatusCode != http.StatusOK || !strings.Contains(a.says(t, ".receipt"), "not certain") {
		t.Errorf("taken over and parked: status %d, %s", a.StatusCode, a.says(t, "main"))
	}
	if parked := admin.get(base + "?class=parked"); !strings.Contains(parked.says(t, ".pairs"), "Review") {
		t.Errorf("the list of those parked says %s", parked.says(t, "main"))
	}
}

// colleague is anybody but one.
func (c *console) colleague(but int64) (id int64) {
	c.t.Helper()
	if err := c.look().QueryRow(c.t.Context(), `SELECT min(id) FROM users WHERE district_id = $1 AND id <> $2`, c.district, but).Scan(&id); err != nil {
		c.t.Fatal(err)
	}
	return id
}

// One of a group is somebody else, and the rest stays to be decided.
func TestDropOneOfAGroup(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	legacy := c.legacyOf(danny, "teacher")
	one, two := c.imported(danny, "teacher", legacy), c.imported(danny, "staff", legacy)
	c.suggest()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	path := fmt.Sprintf("%sdistrict_admin/duplicates/%d", seedHome, c.caseOf(one))
	form := formOf(t, admin.get(path))
	form.Set("drop", fmt.Sprint(two))
	rest := admin.submit(path+"/decide", form)
	if rest.StatusCode != http.StatusOK || !strings.Contains(rest.at(), "/duplicates/") || c.caseOf(two) != 0 || c.caseOf(one) == 0 {
		t.Errorf("status %d at %s: %s", rest.StatusCode, rest.at(), rest.says(t, "main"))
	}
	var said int
	if err := c.look().QueryRow(t.Context(), `SELECT count(*) FROM pair_decisions WHERE verdict = 'different' AND ended_at IS NULL AND $1 IN (lo, hi)`, two).Scan(&said); err != nil || said != 2 {
		t.Errorf("%d answers about who was dropped, error %v", said, err)
	}
}

// Three records of one name are told apart wherever two of them are spoken of.
func TestDuplicatesOfOneNameAreNumbered(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	legacy := c.legacyOf(danny, "teacher")
	one := c.imported(danny, "teacher", legacy)
	c.imported(danny, "staff", legacy)
	c.suggest()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	shown := admin.get(fmt.Sprintf("%sdistrict_admin/duplicates/%d", seedHome, c.caseOf(one)))
	var heads []string
	shown.doc(t).Find(".sides thead .person").Each(func(_ int, s *goquery.Selection) { heads = append(heads, s.Text()) })
	if len(heads) != 3 || !strings.HasSuffix(heads[0], " (1)") || !strings.HasSuffix(heads[1], " (2)") || !strings.HasSuffix(heads[2], " (3)") {
		t.Fatalf("columns are headed %q", heads)
	}
	said := map[string]bool{}
	shown.doc(t).Find("details.fold summary").Each(func(_ int, s *goquery.Selection) {
		pair, _, _ := strings.Cut(s.Text(), ":")
		if said[pair] || !strings.Contains(pair, ")") {
			t.Errorf("%q does not say which pair it is", s.Text())
		}
		said[pair] = true
	})
	if len(said) != 2 {
		t.Errorf("pairs beside the strongest: %v", said)
	}
}

// Whoever may not decide a case does not find it: another school's, another district's, or one about oneself.
func TestDuplicatesKeepToTheReach(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	c.imported(danny, "teacher", c.legacyOf(danny, "teacher"))
	self := c.id(sandbox.DistrictAdminUserID)
	own := c.imported(self, "district_admin", c.legacyOf(self, "district_admin"))
	c.suggest()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	base := seedHome + "district_admin/duplicates"
	if list := admin.get(base); !strings.Contains(list.says(t, "main"), "1 more case waits for somebody else") {
		t.Errorf("the queue says %s", list.says(t, "main"))
	}
	if a := admin.get(fmt.Sprintf("%s/%d", base, c.caseOf(own))); a.StatusCode != http.StatusNotFound {
		t.Errorf("one's own case: status %d", a.StatusCode)
	}
	var there int64
	if err := c.look().QueryRow(t.Context(), `INSERT INTO suggestions (district_id, class, fingerprint, keep_id, tenths, chance, risk, bulk, school_ids, evidence, created_at, changed_at)
		SELECT district_id, 'C', 'x', min(id), 0, 0, 0, false, '{}', '{}', now(), now() FROM users WHERE district_id <> $1 GROUP BY district_id LIMIT 1 RETURNING id`, c.district).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if a := admin.get(fmt.Sprintf("%s/%d", base, there)); a.StatusCode != http.StatusNotFound {
		t.Errorf("another district's case: status %d", a.StatusCode)
	}
	teacher := c.signedIn(sandbox.TeacherUserID)
	if a := teacher.get(seedHome + "teacher/duplicates"); a.StatusCode != http.StatusForbidden {
		t.Errorf("a teacher's queue: status %d", a.StatusCode)
	}
	for _, page := range []string{"/fix", "/fix.csv", "?class=nonsense", "?after=nonsense", "?class=c"} {
		if a := admin.get(base + page); a.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", page, a.StatusCode)
		}
	}
}
