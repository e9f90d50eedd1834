package handlers

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
)

// hostile are values that programs have choked on.
var hostile = []string{
	"", "\x00", "a\x00b", "\xff\xfe", "\xc3\x28", strings.Repeat("a", 10_000), strings.Repeat("🦉 ", 2_000), "' OR 1=1 --", "%", "_", `\`, "%00", "%2500",
	"<script>alert(1)</script>", "${jndi:x}", "../../etc/passwd", "-1", "0", "9223372036854775807", "9223372036854775808", "1e400", "NaN", "٣", "\u202e", "\r\nSet-Cookie: x=y",
	"eyJzIjoibmFtZSIsImsiOiJcdTAwMDAiLCJpIjoxfQ", "eyJzIjoiY2hhbmdlZCIsImsiOiJ4IiwiaSI6MX0", "e30", "bnVsbA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk",
	changedCursor("0000-01-01T00:00:00Z"), changedCursor("2020-01-01T00:00:00+23:59"), changedCursor("2020-01-01T00:00:00,5Z"),
	"{}", "[]", "[object Object]", "null", "true", "🦉", "name;drop", "-name", "--name", "a:*", `"`, `"unclosed`, "!", "&", "|", "(",
}

// changedCursor is a forged place in the list by last change.
func changedCursor(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"s":"changed","k":"` + key + `","i":1}`))
}

// TestNothingFromOutsideIsA500: every parameter of every page with every hostile value, and every id.
func TestNothingFromOutsideIsA500(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.AllRolesUserID)
	try := func(path string) {
		t.Helper()
		a := b.step(http.MethodGet, path)
		if a.StatusCode >= 500 {
			t.Errorf("%.120s: status %d", path, a.StatusCode)
		}
		door := strings.HasPrefix(path, callbackPath) // it offers to try again instead
		if a.StatusCode >= 400 && !door && !strings.Contains(a.body, a.Header.Get("X-Request-Id")) {
			t.Errorf("%.120s: the page of status %d does not name the request", path, a.StatusCode)
		}
	}
	for i, view := range []string{"all", "staff"} {
		base := seedHome + view + "/"
		for _, value := range hostile {
			v := url.QueryEscape(value)
			for _, name := range []string{"q", "role", "school", "status", "multi", "sort", "after", "before"} {
				try(base + "users?" + name + "=" + v)
			}
			for _, sort := range []string{"name", "-email", "changed"} {
				try(base + "users?sort=" + sort + "&after=" + v)
				try(base + "users?q=a&sort=" + sort + "&before=" + v)
			}
			if i > 0 {
				continue // a narrower reach asks other questions of people only
			}
			for _, path := range []string{"schools?q=", "schools?after=", "schools?before=", "schools/" + c.box.SchoolID(1) + "?after=", "schools/" + c.box.SchoolID(1) + "?before=", "syncs?after=", "syncs?notice=", "?x="} {
				try(base + path + v)
			}
			if len(value) > 4000 {
				continue // the server's own limit of a header line is not ours to test
			}
			for _, path := range []string{"users/", "schools/", "sections/", "syncs/"} {
				try(base + path + url.PathEscape(value))
			}
		}
	}
	for _, value := range hostile {
		if len(value) < 4000 {
			try("/d/" + url.PathEscape(value) + "/all/users")
			try("/d/" + url.PathEscape(value))
			try(seedHome + url.PathEscape(value) + "/users")
			try("/" + url.PathEscape(value))
			try("/assets/" + url.PathEscape(value))
		}
		for _, path := range []string{"/signin?notice=", "/signin?next=", callbackPath + "?error=", callbackPath + "?code=", callbackPath + "?state=x&code=", "/language?to=", "/theme?back="} {
			try(path + url.QueryEscape(value))
		}
	}
	for _, raw := range []string{"?%zz", "?a;b", "?q=%", "?q[]=1&q[]=2", "?=&=&&", "?q=a&q=b"} {
		try(seedHome + "all/users" + raw)
	}
	if strings.Contains(c.log.text(), "level=ERROR") {
		t.Errorf("errors in the log:\n%s", regexp.MustCompile(`(?m)^.*level=ERROR.*$`).FindString(c.log.text()))
	}
}

// TestNoParameterUpsetsThePage: each name that any page reads, on every page, with bytes that PostgreSQL takes for no
// text.
func TestNoParameterUpsetsThePage(t *testing.T) {
	c, held, _ := heldConsole(t, 1)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	paths := []string{held, held + "/held", held + "/held.csv", held + "/held/access.csv", held + "/changes", held + "/changes.csv"}
	for name, rows := range matrix(c) {
		if strings.HasPrefix(name, "GET ") && !strings.HasSuffix(name, "/live") {
			paths = append(paths, adminBase+rows[0].path)
		}
	}
	bad := url.QueryEscape("a\x00\xff-1")
	for _, path := range paths {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		for _, name := range []string{
			"after", "as", "before", "by", "cause", "class", "different", "done", "drop", "for", "from", "in", "keep", "kind", "label", "least", "member", "mode", "multi", "name",
			"notice", "only", "permission", "place", "q", "reason", "role", "school", "sheet", "sort", "state", "status", "suggestion", "to", "type", "user", "view", "with", "worn",
		} {
			if a := b.step(http.MethodGet, path+sep+name+"="+bad); a.StatusCode >= 500 {
				t.Errorf("%s with a bad %q: status %d", path, name, a.StatusCode)
			}
		}
	}
	if strings.Contains(c.log.text(), "level=ERROR") {
		t.Errorf("errors in the log:\n%s", regexp.MustCompile(`(?m)^.*level=ERROR.*$`).FindString(c.log.text()))
	}
}

// TestBadFiltersOpenTheListAndSaySo instead of an error.
func TestBadFiltersOpenTheListAndSaySo(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	base := seedHome + "district_admin/users"
	plain := b.get(base).doc(t)
	rows := plain.Find("main tbody tr").Length()
	if rows != 50 {
		t.Fatalf("%d rows on the first page, want 50", rows)
	}
	said := plain.Find("main .notice").Length()
	for _, q := range []string{"role=wizard", "status=maybe", "multi=7", "sort=shoe", "school=0123", "after=nonsense", "before=nonsense"} {
		doc := b.get(base + "?" + q).doc(t)
		if got := doc.Find("main tbody tr").Length(); got != rows {
			t.Errorf("%s: %d rows, want those of the first page, %d", q, got, rows)
		}
		if doc.Find("main .notice").Length() != said+1 {
			t.Errorf("%s: %d notices, want %d", q, doc.Find("main .notice").Length(), said+1)
		}
	}
}

// TestWalkingThePages forwards and back through a filter meets everyone once.
func TestWalkingThePages(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	seen := map[string]int{}
	path, pages, last := seedHome+"district_admin/users?role=student&sort=-name", 0, ""
	for path != "" && pages < 30 {
		doc := b.get(path).doc(t)
		doc.Find("main tbody tr").Each(func(_ int, row *goquery.Selection) {
			href, _ := row.Find("a").Attr("href")
			seen[href]++
		})
		last, pages = path, pages+1
		path, _ = doc.Find(`main a[rel="next"]`).Attr("href")
	}
	if pages < 3 || len(seen) < 101 {
		t.Fatalf("%d people on %d pages: too few to prove anything", len(seen), pages)
	}
	for href, n := range seen {
		if n != 1 {
			t.Errorf("%s was met %d times", href, n)
		}
	}
	for back := 1; back < pages; back++ {
		prev, ok := b.get(last).doc(t).Find(`main a[rel="prev"]`).Attr("href")
		if !ok {
			t.Fatalf("no way back from page %d", pages-back+1)
		}
		last = prev
	}
	if n := b.get(last).doc(t).Find(`main a[rel="prev"]`).Length(); n != 0 {
		t.Error("going back as often as forward does not end on the first page")
	}
}

// TestHostileNamesAreText on every page that shows them.
func TestHostileNamesAreText(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	for _, path := range []string{"users?q=" + sandbox.ScriptUserID, fmt.Sprintf("users/%d", c.id(sandbox.ScriptUserID))} {
		doc := b.get(seedHome + "district_admin/" + path).doc(t)
		if n := doc.Find("main script, main img").Length(); n != 0 {
			t.Errorf("%s: %d elements made of a name", path, n)
		}
		if !strings.Contains(doc.Find("main").Text(), `<script>alert("x")</script>`) {
			t.Errorf("%s does not show the name as it is written", path)
		}
	}
	for _, id := range []string{sandbox.LongNameUserID, sandbox.RightToLeftUserID, sandbox.NonASCIIUserID, sandbox.NullEmailUserID, sandbox.AbsentFieldsUserID, sandbox.UnknownRoleUserID, sandbox.UnsharedSchoolUserID} {
		if a := b.get(fmt.Sprintf("%sdistrict_admin/users/%d", seedHome, c.id(id))); a.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", id, a.StatusCode)
		}
	}
}
