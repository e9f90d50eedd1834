package handlers

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
)

// listed are the numbers of the overrides on a page of the list.
func listed(t *testing.T, a answer) (ids []string) {
	t.Helper()
	a.doc(t).Find(`main tbody td a[href*="/overrides/"]`).Each(func(_ int, s *goquery.Selection) {
		href := s.AttrOr("href", "")
		ids = append(ids, href[strings.LastIndex(href, "/")+1:])
	})
	return ids
}

// TestOverridesAreListedByWhatIsTheMatter: each filter finds the ones it is about, and counts them.
func TestOverridesAreListedByWhatIsTheMatter(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	a, other := c.box.SchoolID(0), c.box.SchoolID(1)
	makeOne := func(user, place string, change ...string) string {
		form := allowance(c, user, place)
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		receipt := b.made(form)
		return receipt[strings.LastIndex(receipt, "/")+1:]
	}
	plain := makeOne(sandbox.StaffUserID, "school:"+a)
	soon := makeOne(sandbox.TechLeadUserID, "school:"+other, "permission", "grades.edit", "date", c.store.Now().AddDate(0, 0, 5).Format(time.DateOnly))
	endless := makeOne(sandbox.TeacherUserID, "school:"+a, "end", "none", "confirm", "1", "locked", "1")
	redundant := makeOne(sandbox.StaffUserID, "school:"+a, "permission", "grades.view") // staff see grades at their school anyway
	denied := makeOne(sandbox.TeacherUserID, "school:"+a, "permission", "reports.export")
	blocks := makeOne(sandbox.TeacherUserID, "school:"+a, "permission", "reports.export", "effect", "deny")
	gone := makeOne(sandbox.TechLeadUserID, "school:"+other, "permission", "reports.export")
	ended := makeOne(sandbox.StaffUserID, "district", "permission", "sync.run")
	b.pressed(adminHome + "overrides/" + ended + "/end")
	c.behind(`UPDATE role_grant_schools SET ended_at = $3 WHERE user_id = $1 AND school_id = $2`, c.id(sandbox.TechLeadUserID), c.schoolID(other), c.store.Now().Add(time.Minute))

	for _, row := range []struct {
		query string
		want  []string
	}{
		{"", []string{gone, blocks, denied, redundant, endless, soon, plain}},
		{"status=ended", []string{ended}},
		{"status=any", []string{ended, gone, blocks, denied, redundant, endless, soon, plain}},
		{"only=ending", []string{soon}},
		{"only=no_end", []string{endless}},
		{"only=locked", []string{endless}},
		{"only=redundant", []string{redundant}},
		{"only=contradicted", []string{denied}},
		{"only=orphaned", []string{gone, soon}},
		{"only=stale", []string{gone, denied, redundant, soon}},
		{"permission=reports.export", []string{gone, blocks, denied}},
		{"school=" + a, []string{blocks, denied, redundant, endless, plain}},
		{"school=" + a + "&permission=grades.edit", []string{endless, plain}},
		{"q=whitlock", []string{blocks, denied, endless}},
		{"q=WHITLOCK+hann", []string{blocks, denied, endless}},
		{"q=nobody+at+all", nil},
	} {
		a := b.get(adminHome + "overrides?" + row.query)
		if got := listed(t, a); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v", row.query, got, row.want)
		}
		want := fmt.Sprintf("%d override", len(row.want))
		if got := a.doc(t).Find("#count").Text(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: count %q, want %q", row.query, got, want)
		}
	}
	for _, bad := range []string{"only=planets", "status=x", "after=zzz", "school=0123456789abcdef01234567"} {
		if a := b.get(adminHome + "overrides?" + bad); a.doc(t).Find("main .notice").Length() != 1 {
			t.Errorf("%s: not said that it was left out", bad)
		}
	}
	home := b.get(adminHome).doc(t).Find(".ledger").Text()
	if !strings.Contains(home, "1 override ends") || !strings.Contains(home, "4 overrides to clean up") {
		t.Errorf("home says: %s", home)
	}
	file := b.get(adminHome + "overrides.csv?only=no_end")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "OV-"+endless || rows[1][3] != "grades.edit" {
		t.Errorf("the file holds %v (%v)", rows, err)
	}
}

// TestOverridesArePaged: every override once, whichever way the pages are turned, and no page asks more.
func TestOverridesArePaged(t *testing.T) {
	n := &counter{}
	c := newConsoleOver(t, n.between)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	c.behind(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
		SELECT $1, id, 'grades.edit', true, 'district', 'other', '=1+1', 'none', $2, now() FROM users WHERE district_id = $1 AND ended_at IS NULL ORDER BY id LIMIT 60`, c.district, c.id(sandbox.DistrictAdminUserID))
	for _, filter := range []url.Values{{}, {"only": {"no_end"}}, {"permission": {"grades.edit"}}} {
		first := b.get(adminHome + "overrides?" + filter.Encode())
		ids := listed(t, first)
		next, _ := first.doc(t).Find(`main a[rel="next"]`).Attr("href")
		second := b.get(next)
		rest := listed(t, second)
		if len(ids) != 50 || len(rest) == 0 || slices.ContainsFunc(rest, func(id string) bool { return slices.Contains(ids, id) }) {
			t.Errorf("%v: pages of %d and %d", filter, len(ids), len(rest))
		}
		prev, _ := second.doc(t).Find(`main a[rel="prev"]`).Attr("href")
		if back := listed(t, b.get(prev)); !slices.Equal(back, ids) {
			t.Errorf("%v: back from the second page are %d others", filter, len(back))
		}
	}
	ask := func(path string) int64 {
		b.get(adminHome + path)
		before := n.atRest(t, c.store)
		b.get(adminHome + path)
		return n.atRest(t, c.store) - before
	}
	next, _ := b.get(adminHome + "overrides").doc(t).Find(`main a[rel="next"]`).Attr("href")
	if full, short := ask("overrides"), ask(strings.TrimPrefix(next, adminHome)); full != short || full > 12 {
		t.Errorf("%d queries for a full page, %d for a short one", full, short)
	}
	if file := b.get(adminHome + "overrides.csv").body; !strings.Contains(file, "'=1+1") || strings.Contains(file, ",=1+1") {
		t.Error("a note that looks like a formula is one in the file")
	}
}
