package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/roster"
)

// walkBothWays goes through a list to its end and back, and wants the same pages both times and every row once.
func walkBothWays(t *testing.T, b *browser, at string, total int) {
	t.Helper()
	read := func(at string) (rows []string, prev, next string) {
		t.Helper()
		a := b.get(at)
		if a.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", at, a.StatusCode)
		}
		doc := a.doc(t)
		doc.Find("main tbody tr").Each(func(_ int, s *goquery.Selection) {
			html, err := s.Html()
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, html)
		})
		return rows, doc.Find(`.pager a[rel="prev"]`).AttrOr("href", ""), doc.Find(`.pager a[rel="next"]`).AttrOr("href", "")
	}
	var pages [][]string
	rows, last := 0, at
	for at != "" {
		p, prev, next := read(at)
		if (prev == "") != (len(pages) == 0) {
			t.Errorf("%s: previous leads to %q", at, prev)
		}
		pages, rows, last, at = append(pages, p), rows+len(p), prev, next
	}
	if rows != total || len(pages) < 3 {
		t.Errorf("%d rows on %d pages, want %d", rows, len(pages), total)
	}
	for i := len(pages) - 2; i >= 0; i-- {
		p, prev, next := read(last)
		if !slices.Equal(p, pages[i]) || next == "" || (prev == "") != (i == 0) {
			t.Errorf("back on page %d: %d rows, previous %q, next %q", i+1, len(p), prev, next)
		}
		last = prev
	}
}

// TestListsOfSyncsGoBothWays: the runs, what one changed, and what one would take.
func TestListsOfSyncsGoBothWays(t *testing.T) {
	c, at, run := heldConsole(t, 2)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	count := func(sql string, args ...any) int {
		t.Helper()
		n, err := strconv.Atoi(c.one(sql, args...))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	walkBothWays(t, admin, at+"/held", count(`SELECT count(*)::text FROM held_records WHERE run_id = $1`, run))
	walkBothWays(t, admin, at+"/held?type=users", count(`SELECT count(*)::text FROM held_records WHERE run_id = $1 AND type = 'users'`, run))
	c.behind(`INSERT INTO sync_runs (district_id, kind, state, requested_at, finished_at) SELECT $1, 'events', 'done', now() + n * interval '1 second', now() + n * interval '1 second' FROM generate_series(1, 130) n`, c.district)
	walkBothWays(t, admin, adminBase+"syncs", count(`SELECT count(*)::text FROM sync_runs WHERE district_id = $1`, c.district))
	for _, wrong := range []string{"?after=x", "?before=-1", "?after=3&before=5"} {
		if a := admin.get(adminBase + "syncs" + wrong); a.StatusCode != http.StatusOK || a.doc(t).Find(".notice").Length() == 0 {
			t.Errorf("%s: status %d, and no word of it", wrong, a.StatusCode)
		}
		if a := admin.get(at + "/held" + wrong); a.StatusCode != http.StatusOK || a.doc(t).Find("main tbody tr").Length() != heldPage {
			t.Errorf("held%s: status %d", wrong, a.StatusCode)
		}
	}

	for _, b := range []*browser{admin, c.signedIn(sandbox.AllRolesUserID)} { // it may be more than half of a type
		if c.one(`SELECT state FROM sync_runs WHERE id = $1`, run) == "held" {
			decideHeld(t, b, at, url.Values{"do": {"approve"}})
		}
	}
	release := int64(count(`SELECT id::text FROM sync_runs WHERE kind = 'release'`))
	if _, err := roster.Release(t.Context(), c.store, c.district, roster.Options{RunID: release}); err != nil {
		t.Fatal(err)
	}
	changes := adminBase + "syncs/" + strconv.FormatInt(release, 10) + "/changes"
	walkBothWays(t, admin, changes, count(`SELECT count(*)::text FROM sync_changes WHERE run_id = $1`, release))
	walkBothWays(t, admin, changes+"?kind=left", count(`SELECT count(*)::text FROM sync_changes WHERE run_id = $1 AND kind = 'left'`, release))

	// Long after, the list is gone, and the page says why.
	c.behind(`DELETE FROM sync_changes WHERE district_id = $1`, c.district)
	c.behind(`UPDATE sync_runs SET finished_at = finished_at - $2::interval WHERE district_id = $1 AND kind = 'release'`, c.district, (models.KeepLists + models.KeepSessions).String())
	if text := admin.get(changes).doc(t).Find("main").Text(); !strings.Contains(text, "is not kept any more") {
		t.Errorf("a list that is not kept: %s", text)
	}
}
