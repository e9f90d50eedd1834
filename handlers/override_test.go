package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// post sends a form, as a browser without JavaScript does, and does not follow what comes back.
func (b *browser) post(path string, form url.Values) answer {
	b.c.t.Helper()
	r, err := http.NewRequestWithContext(b.c.t.Context(), http.MethodPost, b.c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.stepWith(r)
}

// buttonOf reads the form of a page as a browser would send it unchanged, and where to.
func buttonOf(t *testing.T, a answer) (action string, fields url.Values) {
	t.Helper()
	form := a.doc(t).Find(`main form[method="post"]`).First()
	if form.Length() == 0 {
		t.Fatalf("no form on %s (status %d): %.2000s", a.Request.URL.Path, a.StatusCode, a.body)
	}
	fields = url.Values{}
	form.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		name, value := s.AttrOr("name", ""), s.AttrOr("value", "")
		_, checked := s.Attr("checked")
		switch {
		case goquery.NodeName(s) == "select":
			value = s.Find("option[selected]").AttrOr("value", "")
		case goquery.NodeName(s) == "textarea":
			value = s.Text()
		case (s.AttrOr("type", "") == "radio" || s.AttrOr("type", "") == "checkbox") && !checked:
			return
		}
		if name != "" {
			fields.Add(name, value)
		}
	})
	return form.AttrOr("action", ""), fields
}

const adminHome = "/d/" + sandbox.SeedDistrictID + "/district_admin/"

// allowance is a filled-in form: somebody may change grades at a school until a day.
func allowance(c *console, user, place string) url.Values {
	return url.Values{
		"user": {fmt.Sprint(c.id(user))}, "effect": {"allow"}, "permission": {"grades.edit"}, "place": {place}, "reason": {"covering"},
		"note": {"Covers grade 4"}, "end": {"date"}, "date": {c.store.Now().AddDate(0, 1, 0).Format(time.DateOnly)},
	}
}

// previewed posts a form for a preview and gives the preview's own form.
func (b *browser) previewed(form url.Values) (action string, fields url.Values) {
	b.c.t.Helper()
	a := b.post(adminHome+"overrides/preview", form)
	if a.StatusCode != http.StatusOK {
		b.c.t.Fatalf("preview: status %d, problems: %s", a.StatusCode, a.doc(b.c.t).Find(".problem").Text())
	}
	return buttonOf(b.c.t, a)
}

// made applies a filled-in form and gives the address of the receipt.
func (b *browser) made(form url.Values) string {
	b.c.t.Helper()
	a := b.post(b.previewed(form))
	if a.StatusCode != http.StatusSeeOther {
		b.c.t.Fatalf("apply: status %d: %s", a.StatusCode, a.doc(b.c.t).Find("main").Text())
	}
	return a.Header.Get("Location")
}

// pressed opens a page with a preview on it, presses its button and gives where that leads.
func (b *browser) pressed(path string) string {
	b.c.t.Helper()
	a := b.post(buttonOf(b.c.t, b.get(path)))
	if a.StatusCode != http.StatusSeeOther {
		b.c.t.Fatalf("%s: status %d: %s", path, a.StatusCode, a.doc(b.c.t).Find("main").Text())
	}
	return a.Header.Get("Location")
}

// may asks Decide what a person may at a place, as the database stands.
func (c *console) may(user string, p access.Permission, at access.Place) (allowed bool) {
	c.t.Helper()
	id := c.id(user)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		in, err := tx.UserFacts(ctx, id)
		f := in.Facts(tx.Now())
		f.View = access.ViewAll
		allowed = f.Decide(p, at).Allowed
		return err
	})
	return allowed
}

// schoolID is Hallpass's id of a school.
func (c *console) schoolID(cleverID string) (id int64) {
	c.t.Helper()
	c.write(func(ctx context.Context, tx *models.Tx) error {
		s, err := tx.School(ctx, cleverID)
		id = s.ID
		return err
	})
	return id
}

// behind runs a statement behind the wall.
func (c *console) behind(statement string, args ...any) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(c.t.Context()))
	if _, err := conn.Exec(c.t.Context(), statement, args...); err != nil {
		c.t.Fatal(err)
	}
}

// TestAnOverrideLivesAndIsUndone walks the way of a district admin: form, preview, receipt, another end, the end, and
// the undo of each.
func TestAnOverrideLivesAndIsUndone(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := c.box.SchoolID(0)
	at := access.AtSchool(c.schoolID(school))
	allowed := func(when string, want bool) {
		t.Helper()
		if got := c.may(sandbox.StaffUserID, "grades.edit", at); got != want {
			t.Fatalf("%s: may change grades is %v, want %v", when, got, want)
		}
	}
	form := b.get(fmt.Sprintf("%susers/%d/overrides/new?permission=grades.edit&place=school:%s", adminHome, c.id(sandbox.StaffUserID), school))
	if _, fields := buttonOf(t, form); fields.Get("permission") != "grades.edit" || fields.Get("place") != "school:"+school {
		t.Errorf("the form is not filled in from the address: %v", fields)
	}
	allowed("before", false)
	preview := b.post(adminHome+"overrides/preview", allowance(c, sandbox.StaffUserID, "school:"+school))
	doc := preview.doc(t)
	if text := doc.Find(".diff").Text(); !strings.Contains(text, "Change grades") || !strings.Contains(text, "More access") {
		t.Errorf("the preview does not show what changes: %s", text)
	}
	allowed("after the preview", false)
	action, fields := buttonOf(t, preview)
	receipt := b.post(action, fields).Header.Get("Location")
	allowed("after applying", true)
	if again := b.post(action, fields); again.StatusCode != http.StatusSeeOther || again.Header.Get("Location") != receipt {
		t.Errorf("the second click leads to %s with status %d, want %s", again.Header.Get("Location"), again.StatusCode, receipt)
	}
	page := b.get(receipt)
	if text := page.doc(t).Find(".slip").Text(); !strings.Contains(text, "may change grades") || !strings.Contains(text, "OV-") {
		t.Errorf("the receipt says: %s", text)
	}
	undo, _ := page.doc(t).Find(`.slip a[href$="/undo"]`).Attr("href")
	b.pressed(undo)
	allowed("after the undo", false)
	if a := b.get(undo); !strings.Contains(a.at(), "/changes/1") || strings.HasSuffix(a.at(), "/undo") || !strings.Contains(a.body, "Undone") {
		t.Errorf("an undo done twice ends at %s", a.at())
	}
	b.pressed(adminHome + "changes/2/undo") // the undo of the undo
	allowed("after undoing the undo", true)
	b.pressed(receipt + "/end")
	allowed("after ending it", false)
	b.pressed(adminHome + "changes/4/undo")
	allowed("after undoing the end", true)

	longer := url.Values{"end": {"none"}, "confirm": {"1"}}
	if a := b.post(receipt+"/extend", url.Values{"end": {"none"}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no end without a confirmation: status %d", a.StatusCode)
	}
	if a := b.post(buttonOf(t, b.post(receipt+"/extend", longer))); a.StatusCode != http.StatusSeeOther {
		t.Errorf("extend: status %d", a.StatusCode)
	}
	c.pass(60 * 24 * time.Hour)
	b = c.signedIn(sandbox.DistrictAdminUserID)
	allowed("two months later, with no end", true)
	if a := b.get(adminHome + "changes/6/undo"); !strings.Contains(a.body, "cannot hold again") && a.StatusCode != http.StatusOK {
		t.Errorf("undo of an extension after the first end: status %d", a.StatusCode)
	}
	var verbs []string
	for _, e := range c.audited() {
		if after, ok := strings.CutPrefix(e.Action, "override."); ok {
			verbs = append(verbs, after)
		}
	}
	if got := strings.Join(verbs, " "); got != "created undone undone ended undone extended" {
		t.Errorf("audited: %s", got)
	}
}

func TestAFormWithMistakesIsKept(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := "school:" + c.box.SchoolID(0)
	for name, row := range map[string]struct {
		field, value, problem string
	}{
		"past":         {"date", "2020-01-31", "date"},
		"no date":      {"date", "soon", "date"},
		"far":          {"date", "2099-01-31", "date"},
		"permission":   {"permission", "grades.invent", "permission"},
		"narrow":       {"permission", "settings.manage", "place"},
		"no reason":    {"reason", "", "reason"},
		"other reason": {"reason", "because", "reason"},
		"no note":      {"note", "  ", "note"},
		"long note":    {"note", strings.Repeat("x", 1001), "note"},
		"no place":     {"place", "school:0123456789abcdef01234567", "place"},
		"odd place":    {"place", "planet:9", "place"},
		"no end":       {"end", "", "end"},
		"no confirm":   {"end", "none", "confirm"},
		"no term":      {"end", "term", "term"},
		"no role":      {"end", "role", "role"},
		"effect":       {"effect", "maybe", "effect-allow"},
	} {
		form := allowance(c, sandbox.StaffUserID, school)
		form.Set(row.field, row.value)
		a := b.post(adminHome+"overrides/preview", form)
		doc := a.doc(t)
		if a.StatusCode != http.StatusUnprocessableEntity || doc.Find(`.problem a[href="#`+row.problem+`"]`).Length() != 1 {
			t.Errorf("%s: status %d, problems %q, want one of %s", name, a.StatusCode, doc.Find(".problem").Text(), row.problem)
		}
		if doc.Find("main > .problem").Length() == 0 || doc.Find("#"+row.problem).Length() == 0 {
			t.Errorf("%s: no summary above the form, or no such field", name)
		}
		if note := doc.Find("#note").Text(); row.field != "note" && note != "Covers grade 4" {
			t.Errorf("%s: the note became %q", name, note)
		}
	}
	for name, user := range map[string]string{"student": sandbox.StudentUserID, "contact": sandbox.ContactUserID} {
		a := b.post(adminHome+"overrides", allowance(c, user, school))
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Students and contacts") {
			t.Errorf("override for a %s: status %d", name, a.StatusCode)
		}
	}
}

// TestNobodyAllowsMoreThanTheyHold: an admin who may not change grades at a school cannot let others.
func TestNobodyAllowsMoreThanTheyHold(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := "school:" + c.box.SchoolID(0)
	own := allowance(c, sandbox.DistrictAdminUserID, school)
	own.Set("effect", "deny")
	b.made(own)
	form := allowance(c, sandbox.StaffUserID, school)
	if a := b.post(adminHome+"overrides/preview", form); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "only what you may do") {
		t.Errorf("allowing what one is denied: status %d", a.StatusCode)
	}
	form.Set("place", "school:"+c.box.SchoolID(1))
	if a := b.post(adminHome+"overrides/preview", form); a.StatusCode != http.StatusOK {
		t.Errorf("at another school: status %d", a.StatusCode)
	}
}

// TestAStalePreviewChangesNothing: when the facts have moved, the answer is a new preview that marks what differs.
func TestAStalePreviewChangesNothing(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := c.box.SchoolID(0)
	action, fields := b.previewed(allowance(c, sandbox.StaffUserID, "school:"+school))
	wide := allowance(c, sandbox.StaffUserID, "district")
	wide.Set("permission", "grades.edit")
	b.made(wide)
	a := b.post(action, fields)
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "Nothing was done") {
		t.Fatalf("stale preview: status %d", a.StatusCode)
	}
	if text := a.doc(t).Find("main").Text(); !strings.Contains(text, "apply no more") && !strings.Contains(text, "applies no more") {
		t.Errorf("the line that is gone is not spoken of: %s", text)
	}
	if n := len(strings.Split(b.get(adminHome+"overrides").body, `class="person"`)) - 1; n != 1 {
		t.Errorf("%d overrides, want 1", n)
	}
	if a := b.post(buttonOf(t, a)); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the new preview's button: status %d", a.StatusCode)
	}
	fields.Set("token", strings.Repeat("0", 32))
	fields.Set("plan", strings.Repeat("0", 64))
	if a := b.post(action, fields); a.StatusCode != http.StatusUnprocessableEntity { // one like it stands by now
		t.Errorf("a forged plan: status %d", a.StatusCode)
	}
}

// TestTwoAdminsAtOnce: of several people who press at the same moment one wins, and the others are told.
func TestTwoAdminsAtOnce(t *testing.T) {
	c := newConsole(t)
	first := c.signedIn(sandbox.DistrictAdminUserID)
	receipt := first.made(allowance(c, sandbox.StaffUserID, "school:"+c.box.SchoolID(0)))
	type press struct {
		b      *browser
		action string
		fields url.Values
	}
	var presses []press
	for range 4 {
		b := c.signedIn(sandbox.DistrictAdminUserID)
		action, fields := buttonOf(t, b.get(receipt+"/end"))
		presses = append(presses, press{b, action, fields})
	}
	same := presses[0] // a double click, at the same moment as the others
	presses = append(presses, same)
	statuses := make([]int, len(presses))
	var wait sync.WaitGroup
	for i, p := range presses {
		wait.Go(func() { statuses[i] = p.b.post(p.action, p.fields).StatusCode })
	}
	wait.Wait()
	done, told := 0, 0
	for _, s := range statuses {
		switch s {
		case http.StatusSeeOther:
			done++
		case http.StatusUnprocessableEntity, http.StatusConflict:
			told++
		}
	}
	if statuses[0] == http.StatusSeeOther && done != 2 || statuses[0] != http.StatusSeeOther && done != 1 || done+told != len(presses) {
		t.Errorf("statuses %v: want one winner, its double click with it, and the others told", statuses)
	}
	ended := 0
	for _, e := range c.audited() {
		if e.Action == "override.ended" {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d endings are audited, want 1", ended)
	}
}

// TestTwoAdminsWithDifferentPlans: both looked at the same facts; the second to press sees that they moved.
func TestTwoAdminsWithDifferentPlans(t *testing.T) {
	c := newConsole(t)
	one, two := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	school := "school:" + c.box.SchoolID(0)
	actionOne, fieldsOne := one.previewed(allowance(c, sandbox.StaffUserID, school))
	deny := allowance(c, sandbox.StaffUserID, school)
	deny.Set("effect", "deny")
	actionTwo, fieldsTwo := two.previewed(deny)
	if a := one.post(actionOne, fieldsOne); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("the first: status %d", a.StatusCode)
	}
	if a := two.post(actionTwo, fieldsTwo); a.StatusCode != http.StatusConflict {
		t.Errorf("the second: status %d, want 409", a.StatusCode)
	}
}

// TestOverridesOfAnotherDistrictAreNotFound: by their own ids, in the own district.
func TestOverridesOfAnotherDistrictAreNotFound(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	other, err := c.store.DistrictID(t.Context(), sandbox.OtherDistrictID)
	if err != nil {
		t.Fatal(err)
	}
	c.behind(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
		SELECT $1, id, 'grades.edit', true, 'district', 'other', 'x', 'none', id, now() FROM users WHERE district_id = $1 ORDER BY id LIMIT 1`, other)
	for _, path := range []string{"overrides/1", "overrides/1/extend", "overrides/1/end", "changes/1", "changes/1/undo"} {
		if a := b.get(adminHome + path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, a.StatusCode)
		}
	}
	form := allowance(c, sandbox.StaffUserID, "school:"+c.box.SchoolID(0))
	form.Set("user", "999999")
	if a := b.post(adminHome+"overrides", form); a.StatusCode != http.StatusNotFound {
		t.Errorf("an override for nobody: status %d", a.StatusCode)
	}
}

// TestLastManagerOfSettingsStays: a change that would leave nobody who may change settings is refused, and nothing of
// it stays.
func TestLastManagerOfSettingsStays(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	admin := c.id(sandbox.DistrictAdminUserID)
	c.behind(`UPDATE role_grants SET ended_at = now() WHERE role = 'district_admin' AND user_id <> $1`, admin)
	deny := allowance(c, sandbox.DistrictAdminUserID, "district")
	deny.Set("effect", "deny")
	deny.Set("permission", "settings.manage")
	action, fields := b.previewed(deny)
	a := b.post(action, fields)
	if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "leave nobody") {
		t.Errorf("status %d", a.StatusCode)
	}
	if !c.may(sandbox.DistrictAdminUserID, access.SettingsManage, access.InDistrict()) {
		t.Error("the last one who may change settings may no more")
	}
}

// TestAnUndoSaysWhatWillNotReturn: what a block took cannot come back once the role that gave it is gone.
func TestAnUndoSaysWhatWillNotReturn(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	deny := allowance(c, sandbox.StaffUserID, "school:"+c.box.SchoolID(0))
	deny.Set("effect", "deny")
	deny.Set("permission", "grades.view")
	b.made(deny)
	if text := b.get(adminHome + "changes/1/undo").doc(t).Find("main").Text(); strings.Contains(text, "What will not return") {
		t.Errorf("something is said not to return: %s", text)
	}
	preview := b.get(adminHome + "changes/1/undo")
	c.behind(`UPDATE role_grants SET ended_at = now() WHERE user_id = $1`, c.id(sandbox.StaffUserID))
	if a := b.post(buttonOf(t, preview)); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "Nothing was done") {
		t.Errorf("an undo that came out otherwise: status %d", a.StatusCode)
	}
	a := b.get(adminHome + "changes/1/undo")
	if lost := a.doc(t).Find(`section[aria-labelledby="lost"]`).Text(); !strings.Contains(lost, "See grades") {
		t.Errorf("what will not return: %q", lost)
	}
	if a := b.post(buttonOf(t, a)); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the undo: status %d", a.StatusCode)
	}
}
