package handlers

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
	"hallpass/dedupe/merge"
	"hallpass/views"
)

// likely brings in pairs of old accounts and suggests each pair, class B and almost sure.
func (c *console) likely(pairs int) {
	c.t.Helper()
	var file strings.Builder
	file.WriteString("account_id,role,first_name,last_name,email\n")
	for n := range 2 * pairs {
		fmt.Fprintf(&file, "B%03d,teacher,Odile,Ferrant %d,o%d@example.org\n", n, n/2, n)
	}
	c.importFile(file.String())
	c.behind(`WITH people AS (SELECT user_id, (row_number() OVER (ORDER BY app_id) - 1) / 2 AS pair FROM imported_accounts WHERE district_id = $1 AND app_id LIKE 'B%'),
		made AS (INSERT INTO suggestions (district_id, class, fingerprint, keep_id, tenths, chance, risk, bulk, school_ids, evidence, created_at, changed_at)
			SELECT $1, 'B', md5(pair::text), min(user_id), 300, 999900, 0, true, '{}', '{}', now(), now() FROM people GROUP BY pair RETURNING id, keep_id)
		INSERT INTO suggestion_members SELECT $1, m.id, p.user_id FROM made m JOIN people k ON k.user_id = m.keep_id JOIN people p ON p.pair = k.pair`, c.district)
}

func (c *console) workBulk(path string) {
	c.t.Helper()
	id, err := strconv.ParseInt(path[strings.LastIndex(path, "/")+1:], 10, 64)
	if err == nil {
		err = merge.Bulk(c.t.Context(), c.store, c.district, id)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// A batch from its list to its receipt and back: one is unticked, the others planned; a sample is read without weights,
// and the rest is merged because few enough can be wrong; taken back as one, everything is as before.
func TestBulkFromListToReceiptAndBack(t *testing.T) {
	c := newConsole(t)
	c.behind(`UPDATE districts SET bulk_wrong = 200000 WHERE district_id = $1`, c.district)
	c.likely(40)
	// What a check sent back is listed, and not on offer.
	c.behind(`UPDATE suggestions SET bulk = false WHERE district_id = $1 AND id = (SELECT min(id) FROM suggestions WHERE fingerprint = md5('39'))`, c.district)
	people := func() string {
		return strings.Join(c.rows(`SELECT md5(string_agg(to_jsonb(t)::text, ',' ORDER BY id)) FROM users t WHERE district_id = $1 AND clever_id IS NULL`, c.district), "") +
			strings.Join(c.rows(`SELECT md5(string_agg(to_jsonb(t)::text, ',' ORDER BY id)) FROM accounts t WHERE district_id = $1 AND user_id IN (SELECT id FROM users WHERE clever_id IS NULL)`, c.district), "")
	}
	before := people()
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	at := views.BulkNewPath(sandbox.SeedDistrictID, "district_admin", "B", 0)
	offer := admin.get(at)
	form := fields(t, offer, adminBase+"duplicates/bulk")
	if len(form["case"]) != 39 || !strings.Contains(offer.doc(t).Find("main").Text(), "1 case is left to a person") {
		t.Fatalf("%d on offer, status %d", len(form["case"]), offer.StatusCode)
	}
	for ticks, want := range map[string]string{"": "Tick at least one case", "999999.abc": "not on offer any more"} {
		none := maps.Clone(form)
		none["case"] = strings.Fields(ticks)
		if a := admin.send(adminBase+"duplicates/bulk", none); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.doc(t).Find(".problem").Text(), want) || len(fields(t, a, adminBase+"duplicates/bulk")["class"]) != 1 {
			t.Errorf("with the ticks %q: status %d", ticks, a.StatusCode)
		}
	}
	form["case"] = append(slices.Clone(form["case"][1:]), "999999.abc")
	a := admin.send(adminBase+"duplicates/bulk", form)
	batch := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.Contains(batch, "/duplicates/bulk/") {
		t.Fatalf("status %d, to %s", a.StatusCode, batch)
	}
	if text := admin.get(batch).doc(t).Find("main").Text(); !strings.Contains(text, "Being planned") {
		t.Errorf("a batch that was begun: %s", text)
	}
	c.workBulk(batch)
	page := admin.get(batch)
	sample := page.doc(t).Find("fieldset")
	if text := page.doc(t).Find("main").Text(); sample.Length() < 10 || strings.Contains(text, "999") {
		t.Fatalf("%d drawn: %s", sample.Length(), text)
	}
	answers := url.Values{}
	for i := range sample.Length() - 1 {
		answers.Set(fmt.Sprint("answer-", i), "same")
	}
	if a := admin.send(batch+"/sample", answers); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.doc(t).Find(".problem").Text(), "1 answer is missing") {
		t.Errorf("an answer missing: status %d", a.StatusCode)
	}
	answers.Set(fmt.Sprint("answer-", sample.Length()-1), "same")
	if a := admin.send(batch+"/sample", answers); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("answers: status %d", a.StatusCode)
	}
	if a := c.signedIn(sandbox.AllRolesUserID).get(batch); strings.Contains(a.body, "Merge 38 cases") {
		t.Error("somebody else is offered the button")
	}
	page = admin.get(batch)
	if text := page.doc(t).Find("main").Text(); !strings.Contains(text, "0 of the") || !strings.Contains(text, "Merge 38 cases") {
		t.Fatalf("ready: %s", text)
	}
	button := fields(t, page, batch)
	a = admin.send(batch, button)
	if a.StatusCode != http.StatusSeeOther || admin.send(batch, button).StatusCode != http.StatusSeeOther {
		t.Fatalf("accepted: status %d", a.StatusCode)
	}
	c.workBulk(batch)
	c.wantCountsRight("merged together")
	page = admin.get(batch)
	if n := c.rows(`SELECT count(*) FROM merges WHERE district_id = $1 AND state = 'merged' AND bulk IS NOT NULL`, c.district); n[0] != "38" {
		t.Errorf("%s merges", n[0])
	}
	receipt := strings.TrimSuffix(page.doc(t).Find(`a.btn--quiet[href$="/undo"]`).AttrOr("href", ""), "/undo")
	if text := admin.get(receipt).doc(t).Find("main").Text(); !strings.Contains(text, "38 merges were made") {
		t.Errorf("receipt: %s", text)
	}
	c.behind(`UPDATE bulk_items SET counts = counts || '{"more": 3, "less": 1}' WHERE district_id = $1 AND n < 11 AND state = 'merged'`, c.district)
	if text := admin.get(receipt + "/undo").doc(t).Find("main").Text(); strings.Contains(text, "No permission changes") || !strings.Contains(text, "Permissions lost that the merges gave30") || !strings.Contains(text, "Permissions regained that the merges took10") {
		t.Errorf("the undo's preview: %s", text)
	}
	nudged := c.bulks.Load()
	undo(t, admin, receipt)
	if n := c.bulks.Load(); n != nudged+1 || nudged != 2 {
		t.Errorf("a job was asked for %d times until the undo and %d times with it", nudged, n)
	}
	if text := admin.get(batch).doc(t).Find("[role=status]").Text(); !strings.Contains(text, "0 of 38 have been taken back") {
		t.Errorf("while being taken back: %s", text)
	}
	c.workBulk(batch)
	c.wantCountsRight("taken back together")
	if people() != before {
		t.Error("people or accounts are not as before")
	}
	if n := c.rows(`SELECT count(*) FROM pair_decisions WHERE district_id = $1`, c.district); n[0] != "0" {
		t.Errorf("taking a batch back says %s times that people are different", n[0])
	}
	if text := admin.get(batch).doc(t).Find("main").Text(); !strings.Contains(text, "taken back") {
		t.Errorf("the batch: %s", text)
	}
}

// Too many wrong ones among those drawn, and nothing of the batch is merged.
func TestBulkWithAWrongSampleIsRefused(t *testing.T) {
	c := newConsole(t)
	c.behind(`UPDATE districts SET bulk_wrong = 200000 WHERE district_id = $1`, c.district)
	c.likely(40)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	form := fields(t, admin.get(views.BulkNewPath(sandbox.SeedDistrictID, "district_admin", "B", 0)), adminBase+"duplicates/bulk")
	batch := admin.send(adminBase+"duplicates/bulk", form).Header.Get("Location")
	c.workBulk(batch)
	answers := url.Values{}
	for i := range admin.get(batch).doc(t).Find("fieldset").Length() {
		answers.Set(fmt.Sprint("answer-", i), map[bool]string{true: "different", false: "same"}[i < 2])
	}
	admin.send(batch+"/sample", answers)
	page := admin.get(batch)
	if text := page.doc(t).Find("main").Text(); !strings.Contains(text, "not accepted together") || !strings.Contains(text, "You said that they are different people") || strings.Contains(text, "Merge ") {
		t.Errorf("refused: %s", text)
	}
	admin.send(batch, url.Values{"plan": {"00"}, "token": {strings.Repeat("0", 32)}})
	c.workBulk(batch)
	if n := c.rows(`SELECT count(*) FROM merges WHERE district_id = $1`, c.district); n[0] != "0" {
		t.Errorf("%s merges", n[0])
	}
	// Of a few, a sample says nothing.
	few := fields(t, admin.get(views.BulkNewPath(sandbox.SeedDistrictID, "district_admin", "B", 0)), adminBase+"duplicates/bulk")
	few["case"] = few["case"][:3]
	batch = admin.send(adminBase+"duplicates/bulk", few).Header.Get("Location")
	c.workBulk(batch)
	if text := admin.get(batch).doc(t).Find("main").Text(); !strings.Contains(text, "Review them one by one") {
		t.Errorf("a few: %s", text)
	}
}
