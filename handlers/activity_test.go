package handlers

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// sentences are those of a page of the activity.
func sentences(doc *goquery.Document) (list []string) {
	for _, p := range doc.Find("ol.log > li > div > p").EachIter() {
		list = append(list, strings.Join(strings.Fields(p.Text()), " "))
	}
	return list
}

// TestActivitySaysWhatHappened in sentences with names that are read now, also of people who have left.
func TestActivitySaysWhatHappened(t *testing.T) {
	c := newConsole(t)
	user := c.id(sandbox.TeacherUserID)
	c.signedIn(sandbox.TeacherUserID).step(http.MethodPost, "/signout")
	c.write(func(ctx context.Context, tx *models.Tx) error {
		if err := tx.Become(access.Actor{District: c.district, User: user, Facts: access.Facts{View: "teacher"}}); err != nil {
			return err
		}
		tx.RequestID = "request-of-a-test"
		return tx.Audit(ctx, audit.Entry{Action: "tea.spilled", Subject: "cup:7", Data: map[string]any{
			"before": map[string]any{"full": true, "at": map[string]any{"x": 1}}, "after": map[string]any{"full": false, "at": map[string]any{"x": 1}, "members": []int{1, 2}, "survivor": 7},
		}})
	})
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	c.exec(`UPDATE users SET first_name = 'Ada', middle_name = '', last_name = 'Renamed', ended_at = now() WHERE id = $1`, user)
	path := seedHome + "district_admin/activity"
	doc := admin.get(path).doc(t)
	said := sentences(doc)
	want := []string{"signed in.", "Ada Renamed: tea.spilled, cup 7.", "Ada Renamed signed out.", "Ada Renamed signed in."}
	if len(said) < len(want) {
		t.Fatalf("the log says %q", said)
	}
	for i, w := range want {
		if !strings.HasSuffix(said[i], w) {
			t.Errorf("entry %d says %q, want %q", i, said[i], w)
		}
	}
	spilled := doc.Find("ol.log > li").Eq(1)
	for _, w := range []string{"request-of-a-test", "Teacher view", "tea.spilled"} {
		if !strings.Contains(spilled.Find("details").Text(), w) {
			t.Errorf("the details do not say %q", w)
		}
	}
	if rows := spilled.Find("tbody tr"); rows.Length() != 1 || strings.Join(strings.Fields(rows.Text()), "") != "fullYesNo" {
		t.Errorf("before and after: %q", strings.Fields(spilled.Find("tbody").Text()))
	}
	if href := spilled.Find("a.person").First().AttrOr("href", ""); href != fmt.Sprintf("%sdistrict_admin/users/%d", seedHome, user) {
		t.Errorf("the name leads to %q", href)
	}
	for query, want := range map[string]int{
		"?by=" + fmt.Sprint(user): 3, "?by=" + sandbox.TeacherUserID: 3, "?for=" + sandbox.TeacherUserID: 2, "?worn=teacher": 1, "?by=Renamed": 0,
		"?by=" + sandbox.TeacherUserID + "&kind=session": 2, "?kind=key": 0, "?from=2001-01-01&to=2001-12-31": 0, "?by=nobody-at-all": 0,
	} {
		page := admin.get(path + query)
		if got := len(sentences(page.doc(t))); page.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: status %d, %d entries, want %d", query, page.StatusCode, got, want)
		}
	}
	for query, want := range map[string]string{
		"?kind=nonsense": "not known", "?worn=student": "not known", "?from=yesterday": "date", "?by=nobody-at-all": "Nobody in this district", "?after=x": "out of date", "?by=a": "Several people",
	} {
		if said := admin.get(path + query).doc(t).Find("main .notice").Text(); !strings.Contains(said, want) {
			t.Errorf("%s is said %q, want %q", query, said, want)
		}
	}
}

// TestActivityIsPagedAndExported: every entry once, forwards and back, and all of them in the file.
func TestActivityIsPagedAndExported(t *testing.T) {
	c := newConsole(t)
	const made = 1130 // more than two pages of the file
	c.write(func(ctx context.Context, tx *models.Tx) error {
		for i := range made {
			if err := tx.Audit(ctx, audit.Entry{Action: audit.SyncFinished, Subject: fmt.Sprintf("sync:%d", i+1)}); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.Entry{Action: "=evil.formula", Subject: "@x:1"})
	})
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	path := seedHome + "district_admin/activity"
	numbers := func(doc *goquery.Document) (list []string) {
		for _, li := range doc.Find("ol.log > li").EachIter() {
			list = append(list, li.AttrOr("id", ""))
		}
		return list
	}
	first := admin.get(path).doc(t)
	older, _ := first.Find(`a[rel="next"]`).Attr("href")
	second := admin.get(older).doc(t)
	newer, _ := second.Find(`a[rel="prev"]`).Attr("href")
	again := admin.get(newer).doc(t)
	if a, b := numbers(first), numbers(again); len(a) != 50 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("there and back: %d entries, then %d", len(a), len(b))
	}
	if a, b := numbers(first), numbers(second); len(b) != 50 || a[49] == b[0] {
		t.Errorf("the second page begins with %s, the first ends with %s", b[0], a[49])
	}
	file := admin.get(path + ".csv?to=" + c.server.Now().Add(48*time.Hour).Format("2006-01-02"))
	if typ := file.Header.Get("Content-Type"); !strings.HasPrefix(typ, "text/csv") || !strings.Contains(file.Header.Get("Content-Disposition"), "activity.csv") {
		t.Errorf("the file is %q, %q", typ, file.Header.Get("Content-Disposition"))
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := len(c.audited())
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]] = true
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
				t.Errorf("a spreadsheet would reckon with %q", cell)
			}
		}
	}
	var here int
	c.write(func(ctx context.Context, tx *models.Tx) error {
		list, err := tx.Activity(ctx, models.ActivityFilter{Limit: all + 1})
		here = len(list.Rows)
		return err
	})
	if len(rows)-1 != here || len(seen) != here || here < made {
		t.Errorf("%d lines, %d different, want %d", len(rows)-1, len(seen), here)
	}
	if none, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(admin.get(path+".csv?by=nobody-at-all").body, "\ufeff"))).ReadAll(); err != nil || len(none) != 1 {
		t.Errorf("the file about nobody has %d lines (%v)", len(none), err)
	}
}
