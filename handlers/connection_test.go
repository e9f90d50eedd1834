package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestPauseIsPreviewedAppliedAndUndone, and while it lasts nothing can be synced.
func TestPauseIsPreviewedAppliedAndUndone(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	state := func(want string) {
		t.Helper()
		if got := c.ask(`SELECT switch FROM connections WHERE district_id = $1`, c.district); len(got) != 1 || got[0] != want {
			t.Errorf("the switch is %q, want %s", got, want)
		}
	}
	at := adminBase + "settings/connection"
	preview := admin.send(at+"/preview", fields(t, admin.get(at), at+"/preview"))
	if preview.StatusCode != http.StatusOK || !strings.Contains(preview.doc(t).Find("main").Text(), "Nobody is deactivated") {
		t.Fatalf("preview: status %d\n%s", preview.StatusCode, preview.body)
	}
	state("on")
	applied := admin.send(at, fields(t, preview, at))
	if applied.StatusCode != http.StatusSeeOther {
		t.Fatalf("apply: status %d\n%s", applied.StatusCode, applied.body)
	}
	state("paused")
	if a := admin.get(at); !strings.Contains(a.doc(t).Find("main").Text(), "Paused") || a.doc(t).Find(`form input[name=value]`).AttrOr("value", "") != "on" {
		t.Error("the page does not say that the district is paused, or does not offer to resume")
	}
	if a := admin.get(adminBase); !strings.Contains(a.doc(t).Find("main").Text(), "Syncing is paused") {
		t.Error("the home page does not say that syncing is paused")
	}
	a := admin.send(adminBase+"syncs", fields(t, admin.get(adminBase+"syncs"), adminBase+"syncs"))
	if a.StatusCode != http.StatusSeeOther || !strings.HasSuffix(a.Header.Get("Location"), "?notice=not_on") {
		t.Errorf("sync now in a paused district: status %d to %s", a.StatusCode, a.Header.Get("Location"))
	} else if a := admin.get(a.Header.Get("Location")); !strings.Contains(a.doc(t).Find("main").Text(), "Nothing can be synced now") {
		t.Error("nothing says why no sync begins")
	}
	undo(t, admin, applied.Header.Get("Location"))
	state("on")
}

func TestNumbersAreSettings(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	_, receipt := set(t, admin, "night", url.Values{"value": {"23"}})
	if got := c.decided().District.SyncHour; got != 23 {
		t.Errorf("the night is at %d", got)
	}
	undo(t, admin, receipt)
	if got := c.decided().District.SyncHour; got != 2 {
		t.Errorf("undone, the night is at %d", got)
	}
	set(t, admin, "retention", url.Values{"value": {"400"}})
	if got := c.decided().District.RetentionDays; got != 400 {
		t.Errorf("data is kept for %d days", got)
	}
	preview, receipt := set(t, admin, "bulk", url.Values{"value": {"0,5"}})
	if got := c.decided().District.BulkWrong; got != 5_000 {
		t.Errorf("%d millionths of a batch may be wrong", got)
	}
	if text := preview.doc(t).Find("main").Text(); !strings.Contains(text, "0.50\u00a0%") || !strings.Contains(text, "Of a batch of 500, somebody reads") {
		t.Errorf("preview of the limit of a batch: %s", text)
	}
	undo(t, admin, receipt)
	if got := c.decided().District.BulkWrong; got != 20_000 {
		t.Errorf("undone, %d millionths may be wrong", got)
	}
	for setting, values := range map[string][]string{
		"night": {"", "24", "-1", "two", "23"}, "retention": {"", "0", "3651", "1e3", "400"}, "connection": {"", "off", "waiting", "on"},
		"bulk": {"", "0", "0.09", "20.1", "NaN", "-1", "two", "2"},
	} {
		for _, value := range values[:len(values)-1] {
			if a := admin.send(adminBase+"settings/"+setting+"/preview", url.Values{"value": {value}}); a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .problem").Length() != 1 {
				t.Errorf("%s %q: status %d", setting, value, a.StatusCode)
			}
		}
	}
}

// TestRefusedTokenIsSaidWithCleversWords on the page and at home.
func TestRefusedTokenIsSaidWithCleversWords(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	c.behind(`UPDATE connections SET refused_at = now(), refused_text = 'Bad <b>token</b>' WHERE district_id = $1`, c.district)
	page := admin.get(adminBase + "settings/connection").doc(t).Find("main").Text()
	for _, want := range []string{"Token refused", "Bad <b>token</b>", "For the district"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if home := admin.get(adminBase).doc(t).Find("main").Text(); !strings.Contains(home, "Clever refuses this district's token") {
		t.Error("the home page says nothing of it")
	}
	c.behind(`UPDATE connections SET left_at = now() WHERE district_id = $1`, c.district)
	if page := admin.get(adminBase + "settings/connection").doc(t).Find("main").Text(); !strings.Contains(page, "The data is kept until") {
		t.Errorf("of a district that left: %s", page)
	}
}

// TestNobodySignsInToADistrictThatIsNotOn: one that waits, and one that was switched off, whose sessions end.
func TestNobodySignsInToADistrictThatIsNotOn(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	if err := c.server.Store.As(access.System(c.district, "test")).Write(t.Context(), func(tx *models.Tx) error {
		_, err := tx.OperateSwitch(t.Context(), models.SwitchOff)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if a := admin.step(http.MethodGet, adminBase); a.StatusCode == http.StatusOK {
		t.Error("a session goes on in a district that is off")
	}
	for _, position := range []string{"off", "waiting"} {
		c.behind(`UPDATE connections SET switch = $2 WHERE district_id = $1`, c.district, position)
		b := c.browser()
		b.atClever(sandbox.DistrictAdminUserID)
		a := b.get(b.callback())
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.doc(t).Text(), "Your district does not use Hallpass") {
			t.Errorf("%s: signing in has status %d", position, a.StatusCode)
		}
	}
	if n := c.ask(`SELECT count(*)::text FROM sessions WHERE revoked_at IS NULL AND district_id = $1`, c.district); n[0] != "0" {
		t.Errorf("%s sessions go on", n[0])
	}
}
