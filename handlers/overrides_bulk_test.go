package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// standing are the overrides in force, as text without what an undo may touch up.
func (c *console) standing() map[int64]string {
	c.t.Helper()
	list := map[int64]string{}
	c.write(func(ctx context.Context, tx *models.Tx) error {
		d, err := tx.Decided(ctx)
		if err != nil {
			return err
		}
		page, err := tx.Overrides(ctx, d.Policy, models.OverrideFilter{})
		for _, o := range page.Rows {
			list[o.ID] = fmt.Sprint(o.Permission, o.Allow, o.EndKind, o.EndsAt)
		}
		return err
	})
	return list
}

// TestSeveralOverridesChangeAsOne walks from the ticked rows of the list to one receipt and one undo, for their end and
// for another end.
func TestSeveralOverridesChangeAsOne(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	school := "school:" + c.box.SchoolID(0)
	for i, who := range []string{sandbox.TeacherUserID, sandbox.TeacherUserID, sandbox.StaffUserID} {
		form := allowance(c, who, school)
		form.Set("permission", []string{"grades.edit", "reports.export", "grades.edit"}[i])
		admin.made(form)
	}
	before := c.standing()
	if len(before) != 3 {
		t.Fatalf("%d overrides", len(before))
	}
	list := admin.get(adminHome + "overrides").doc(t)
	picks := url.Values{}
	for _, box := range list.Find(`main form input[name="pick"]`).EachIter() {
		picks.Add("pick", box.AttrOr("value", ""))
	}
	if len(picks["pick"]) != 3 {
		t.Fatalf("%d rows can be ticked", len(picks["pick"]))
	}

	// Nothing ticked, and what is not there.
	if a := admin.get(adminHome + "overrides/bulk?do=end"); a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .notice").Length() == 0 {
		t.Errorf("nothing ticked: status %d", a.StatusCode)
	}
	if a := admin.get(adminHome + "overrides/bulk?do=end&pick=999999"); a.StatusCode != http.StatusNotFound {
		t.Errorf("an override that is not there: status %d", a.StatusCode)
	}

	// End them: one preview with everybody's part, one change however often the button is pressed.
	preview := admin.get(adminHome + "overrides/bulk?do=end&" + picks.Encode())
	page := preview.doc(t)
	if people := page.Find("main section.part .person").Length(); people != 2 || page.Find("main table").Length() != 2 {
		t.Errorf("%d people, %d tables of differences", people, page.Find("main table").Length())
	}
	apply := fields(t, preview, adminHome+"overrides/bulk")
	first, second := admin.send(adminHome+"overrides/bulk", apply), admin.send(adminHome+"overrides/bulk", apply)
	receipt := first.Header.Get("Location")
	if first.StatusCode != http.StatusSeeOther || second.Header.Get("Location") != receipt || !strings.Contains(receipt, "/changes/") {
		t.Fatalf("status %d to %q, then %d to %q", first.StatusCode, receipt, second.StatusCode, second.Header.Get("Location"))
	}
	if left := c.standing(); len(left) != 0 {
		t.Errorf("still in force: %v", left)
	}
	said := admin.get(receipt).doc(t)
	if n := said.Find("main dl.facts--answers > div").Length(); n != 3 {
		t.Errorf("the receipt speaks of %d overrides", n)
	}
	if a := admin.get(adminHome + "activity").body; !strings.Contains(a, "ended") || !strings.Contains(a, "several overrides together") || !strings.Contains(a, "OV-3, OV-2 and OV-1.") {
		t.Error("the activity does not say it")
	}
	if a := admin.get(adminHome + "activity?user=" + fmt.Sprint(c.id(sandbox.StaffUserID))).body; !strings.Contains(a, "several overrides together") {
		t.Error("the person's activity does not say it")
	}
	if a := admin.get(adminHome + "overrides/" + picks.Get("pick")).doc(t).Find("main .log li").Length(); a != 2 {
		t.Errorf("an override's history has %d entries, want that it was made and that it was ended", a)
	}

	// Undo: all of them as they were.
	undo := admin.get(receipt + "/undo")
	if a := admin.send(receipt+"/undo", fields(t, undo, receipt+"/undo")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo: status %d\n%s", a.StatusCode, a.body)
	}
	if diff := cmp.Diff(before, c.standing()); diff != "" {
		t.Errorf("undone, they differ:\n%s", diff)
	}

	// Another end: what is wrong with it is said first; what moved meanwhile is shown anew.
	form := admin.get(adminHome + "overrides/bulk?do=extend&" + picks.Encode())
	answers := fields(t, form, adminHome+"overrides/bulk/preview")
	answers.Set("end", "date")
	answers.Set("date", "2020-01-01")
	if a := admin.send(adminHome+"overrides/bulk/preview", answers); a.StatusCode != http.StatusUnprocessableEntity ||
		a.doc(t).Find(`main .problem a[href="#date"]`).Length() != 1 || a.doc(t).Find(`input[name="pick"][checked]`).Length() != 3 {
		t.Errorf("an end in the past: status %d", a.StatusCode)
	}
	answers.Set("date", c.store.Now().AddDate(0, 2, 0).Format(time.DateOnly))
	stale := fields(t, admin.send(adminHome+"overrides/bulk/preview", answers), adminHome+"overrides/bulk")
	one := adminHome + "overrides/" + picks.Get("pick") + "/end"
	if a := admin.send(one, fields(t, admin.get(one), one)); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("end one: status %d", a.StatusCode)
	}
	moved := admin.send(adminHome+"overrides/bulk", stale)
	if moved.StatusCode != http.StatusConflict || moved.doc(t).Find("#left").Length() != 1 {
		t.Fatalf("stale: status %d, %d parts about what is left out", moved.StatusCode, moved.doc(t).Find("#left").Length())
	}
	done := admin.send(adminHome+"overrides/bulk", fields(t, moved, adminHome+"overrides/bulk"))
	if done.StatusCode != http.StatusSeeOther {
		t.Fatalf("extend: status %d", done.StatusCode)
	}
	extended := c.standing()
	if len(extended) != 2 {
		t.Errorf("in force: %v", extended)
	}
	for id, was := range before {
		if is, ok := extended[id]; ok && is == was {
			t.Errorf("override %d still ends as it did: %s", id, is)
		}
	}
	receipt = done.Header.Get("Location")
	if a := admin.send(receipt+"/undo", fields(t, admin.get(receipt+"/undo"), receipt+"/undo")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo: status %d", a.StatusCode)
	}
	for id, is := range c.standing() {
		if is != before[id] {
			t.Errorf("override %d: %s, was %s", id, is, before[id])
		}
	}
}

// TestOverridesTogetherDoWhatTheyDo: two overrides of one person that decide the same question at two places are
// foreseen together, not each as if the other stayed.
func TestOverridesTogetherDoWhatTheyDo(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	form := allowance(c, sandbox.TeacherUserID, "school:"+c.box.SchoolID(0))
	form.Set("permission", "reports.export")
	admin.made(form)
	form.Set("place", "district")
	admin.made(form)
	var picks []string
	for id := range c.standing() {
		picks = append(picks, fmt.Sprint(id))
	}
	preview := admin.get(adminHome + "overrides/bulk?" + url.Values{"do": {"end"}, "pick": picks}.Encode())
	apply := fields(t, preview, adminHome+"overrides/bulk")
	if n := preview.doc(t).Find("main table del").Length(); n == 0 {
		t.Errorf("the preview loses nothing: %s", preview.doc(t).Find("main").Text())
	}
	if a := admin.send(adminHome+"overrides/bulk", apply); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d", a.StatusCode)
	}
	teacher := c.id(sandbox.TeacherUserID)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		in, err := tx.UserFacts(ctx, teacher)
		if err != nil {
			return err
		}
		f := in.Facts(tx.Now())
		f.View = access.ViewAll
		if f.Decide("reports.export", access.InDistrict()).Allowed {
			t.Error("still allowed")
		}
		return nil
	})
}
