package handlers

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

const adminBase = "/d/" + sandbox.SeedDistrictID + "/district_admin/"

// post sends a form and does not follow the answer.
func (b *browser) send(path string, values url.Values) answer {
	b.c.t.Helper()
	r := b.request(http.MethodPost, path)
	fresh, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL.String(), strings.NewReader(values.Encode()))
	if err != nil {
		b.c.t.Fatal(err)
	}
	fresh.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	fresh.Header.Set("Origin", b.c.url)
	return b.stepWith(fresh)
}

// fields are what a browser would send of the form that leads to action.
func fields(t *testing.T, a answer, action string) url.Values {
	t.Helper()
	form := a.doc(t).Find(`main form[action="` + action + `"]`)
	if form.Length() != 1 {
		t.Fatalf("status %d: %d forms lead to %s in\n%s", a.StatusCode, form.Length(), action, a.body)
	}
	values := url.Values{}
	form.Find("input, select, textarea").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "")
		_, checked := s.Attr("checked")
		if goquery.NodeName(s) == "select" {
			values.Add(name, s.Find("option[selected]").AttrOr("value", ""))
			return
		}
		if name != "" && (checked || kind != "checkbox" && kind != "radio") {
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

// tick sets or clears a box of the form of rules.
func tick(t *testing.T, form url.Values, row, permission string, given bool) {
	t.Helper()
	at := slices.Index(form["row"], row)
	if at < 0 {
		t.Fatalf("no column %s among %v", row, form["row"])
	}
	name := fmt.Sprint("r", at)
	form[name] = slices.DeleteFunc(form[name], func(p string) bool { return p == permission })
	if given {
		form.Add(name, permission)
	}
}

// rules are the district's differences from what ships.
func (c *console) rules() (changes []access.RuleChange) {
	c.t.Helper()
	c.write(func(ctx context.Context, tx *models.Tx) (err error) {
		changes, err = tx.RuleChanges(ctx)
		return err
	})
	return changes
}

// previewed walks from the form of rules to the preview with some boxes changed.
func previewed(t *testing.T, b *browser, change func(url.Values)) answer {
	t.Helper()
	form := fields(t, b.get(adminBase+"rules/edit"), adminBase+"rules/preview")
	change(form)
	return b.send(adminBase+"rules/preview", form)
}

// TestRulesAreChangedAndUndone walks form, simulation, receipt and undo, with every check on the way.
func TestRulesAreChangedAndUndone(t *testing.T) {
	c := newConsole(t)
	admin, teacher := c.signedIn(sandbox.DistrictAdminUserID), c.holding(sandbox.TeacherUserID)
	section := "/d/" + sandbox.SeedDistrictID + "/teacher/sections/" + sandbox.CoTaughtSectionID
	if got := teacher.get(section).StatusCode; got != http.StatusOK {
		t.Fatalf("before: status %d", got)
	}
	preview := previewed(t, admin, func(f url.Values) {
		tick(t, f, "teacher", "roster.view", false)
		tick(t, f, "staff/SchoolTechLead", "grades.edit", true)
	})
	if preview.StatusCode != http.StatusOK {
		t.Fatalf("preview: status %d\n%s", preview.StatusCode, preview.body)
	}
	page := preview.doc(t)
	if groups := page.Find(".group"); groups.Length() < 2 || page.Find(".group .tag--more").Length() == 0 || page.Find(".group .examples a.person").Length() == 0 {
		t.Errorf("%d groups, %d with more access, %d examples", groups.Length(), page.Find(".group .tag--more").Length(), page.Find(".group .examples a.person").Length())
	}
	if got := c.rules(); len(got) != 0 {
		t.Fatalf("the preview changed %v", got)
	}
	apply := fields(t, preview, adminBase+"rules")

	// Twice the same button, as two clicks and with a retry: one change, the same receipt.
	first, second := admin.send(adminBase+"rules", apply), admin.send(adminBase+"rules", apply)
	receipt := first.Header.Get("Location")
	if first.StatusCode != http.StatusSeeOther || second.StatusCode != http.StatusSeeOther || receipt == "" || second.Header.Get("Location") != receipt {
		t.Fatalf("status %d to %q, then %d to %q", first.StatusCode, receipt, second.StatusCode, second.Header.Get("Location"))
	}
	want := []access.RuleChange{
		{Role: access.Staff, Label: "SchoolTechLead", Permission: "grades.edit", Given: true}, {Role: access.Teacher, Permission: "roster.view"},
	}
	if diff := cmp.Diff(want, c.rules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := teacher.get(section).StatusCode; got == http.StatusOK {
		t.Error("the very next request does not see the change")
	}
	if n := admin.get(adminBase + "rules").doc(t).Find("td .tag--wait").Length(); n != 2 {
		t.Errorf("%d cells are marked as changed, want 2", n)
	}
	shown := admin.get(receipt)
	if shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, receipt+"/undo") {
		t.Fatalf("receipt: status %d\n%s", shown.StatusCode, shown.body)
	}

	undo := fields(t, admin.get(receipt+"/undo"), receipt+"/undo")
	if got := c.rules(); len(got) != 2 {
		t.Errorf("looking at the undo changed the rules to %v", got)
	}
	if a := admin.send(receipt+"/undo", undo); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo: status %d\n%s", a.StatusCode, a.body)
	}
	if got := c.rules(); len(got) != 0 {
		t.Errorf("undone, the rules still differ: %v", got)
	}
	if got := teacher.get(section).StatusCode; got != http.StatusOK {
		t.Errorf("undone, the teacher's section has status %d", got)
	}
	if a := admin.send(receipt+"/undo", undo); a.StatusCode != http.StatusSeeOther {
		t.Errorf("undone twice: status %d", a.StatusCode)
	}
	if got := c.rules(); len(got) != 0 {
		t.Errorf("undone twice, the rules differ: %v", got)
	}
}

// TestRulesOfTwoTabs: what one tab changed is not undone by the form of the other, nor done twice by its preview.
func TestRulesOfTwoTabs(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	old := fields(t, admin.get(adminBase+"rules/edit"), adminBase+"rules/preview")
	stale := fields(t, previewed(t, admin, func(f url.Values) { tick(t, f, "staff", "grades.edit", true) }), adminBase+"rules")
	other := previewed(t, admin, func(f url.Values) {
		tick(t, f, "staff", "grades.edit", true)
		tick(t, f, "staff", "reports.view", false)
	})
	if a := admin.send(adminBase+"rules", fields(t, other, adminBase+"rules")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d", a.StatusCode)
	}
	// Nothing is left of what the first tab's preview promised.
	before := c.rules()
	a := admin.send(adminBase+"rules", stale)
	if a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .problem").Length() != 1 {
		t.Fatalf("stale preview: status %d", a.StatusCode)
	}
	if diff := cmp.Diff(before, c.rules()); diff != "" {
		t.Errorf("a stale preview changed:\n%s", diff)
	}
	// The old form changes only what was ticked in it.
	tick(t, old, "teacher", "reports.view", false)
	p := admin.send(adminBase+"rules/preview", old)
	if cells := fields(t, p, adminBase+"rules")["cell"]; !slices.Equal(cells, []string{"-teacher:reports.view"}) {
		t.Errorf("the old form would change %v", cells)
	}
}

// TestAMovedSimulationIsShownAnew: 409, nothing done, the group that moved is marked, and its button works.
func TestAMovedSimulationIsShownAnew(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	plan := fields(t, previewed(t, admin, func(f url.Values) { tick(t, f, "staff", "grades.edit", true) }), adminBase+"rules")
	c.write(func(ctx context.Context, tx *models.Tx) error {
		_, err := tx.WriteUsers(ctx, []models.RosterUser{{
			CleverID: "5f0000000000000000000001", First: "New", Last: "Here",
			Grants: []models.RosterGrant{{Role: "staff", Schools: []string{c.box.SchoolID(1)}}},
		}}, &models.Seen{})
		return err
	})
	a := admin.send(adminBase+"rules", plan)
	if a.StatusCode != http.StatusConflict || len(c.rules()) != 0 {
		t.Fatalf("status %d, rules %v", a.StatusCode, c.rules())
	}
	if n := a.doc(t).Find(".group h3 .tag--wait").Length(); n != 1 {
		t.Errorf("%d groups are marked as moved, want 1", n)
	}
	if b := admin.send(adminBase+"rules", fields(t, a, adminBase+"rules")); b.StatusCode != http.StatusSeeOther || len(c.rules()) != 1 {
		t.Errorf("the fresh preview: status %d, rules %v", b.StatusCode, c.rules())
	}
}

// TestSomebodyKeepsTheRules: the last people who may change settings and rules cannot lose that.
func TestSomebodyKeepsTheRules(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	preview := previewed(t, admin, func(f url.Values) { tick(t, f, "district_admin", "settings.manage", false) })
	if preview.doc(t).Find("main .notice--wait").Length() == 0 {
		t.Error("nothing warns that one would lose the page")
	}
	a := admin.send(adminBase+"rules", fields(t, preview, adminBase+"rules"))
	if a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .problem").Length() != 1 || len(c.rules()) != 0 {
		t.Errorf("status %d, rules %v", a.StatusCode, c.rules())
	}
}

// TestBadRules: what no form sends is refused and changes nothing.
func TestBadRules(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	good := fields(t, admin.get(adminBase+"rules/edit?label=Coach"), adminBase+"rules/preview")
	if !slices.Contains(good["row"], "staff/Coach") {
		t.Errorf("no column for a new label: %v", good["row"])
	}
	with := func(name string, values ...string) url.Values {
		f := url.Values{}
		for k, v := range good {
			f[k] = slices.Clone(v)
		}
		f[name] = values
		return f
	}
	for what, f := range map[string]url.Values{
		"nothing changed": good, "nothing at all": {}, "student": with("row", "student"), "teacher with a label": with("row", "teacher/x"),
		"twice": with("row", "staff", "staff"), "unknown permission": with("r0", "grades.burn"), "no marks": with("was0"), "bad marks": with("was0", "x.y.z.0"),
		"another catalogue": with("of", "0000000000000000"), "long label": with("row", "staff/"+strings.Repeat("x", 101)), "control": with("row", "staff/a\x00b"),
	} {
		a := admin.send(adminBase+"rules/preview", f)
		if want := map[bool]int{false: http.StatusUnprocessableEntity, true: http.StatusConflict}[f.Get("of") != good.Get("of")]; a.StatusCode != want {
			t.Errorf("%s: status %d, want %d", what, a.StatusCode, want)
		}
		if a.doc(t).Find("main .problem").Length() != 1 {
			t.Errorf("%s: no summary of what is wrong", what)
		}
	}
	token := hex.EncodeToString(make([]byte, 16))
	for _, cell := range []string{"", "+", "+student:grades.edit", "+staff:grades.burn", "staff:grades.edit", "+teacher/x:grades.edit"} {
		if a := admin.send(adminBase+"rules", url.Values{"cell": {cell}, "token": {token}}); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("cell %q: status %d", cell, a.StatusCode)
		}
	}
	// Without a plan there is nothing that was looked at.
	if a := admin.send(adminBase+"rules", url.Values{"cell": {"+staff:grades.edit"}, "token": {token}}); a.StatusCode != http.StatusConflict {
		t.Errorf("no plan: status %d", a.StatusCode)
	}
	if got := c.rules(); len(got) != 0 {
		t.Errorf("something was changed: %v", got)
	}
	if a := admin.get(adminBase + "rules/edit?label=" + strings.Repeat("x", 101)); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("long label: status %d", a.StatusCode)
	}
}
