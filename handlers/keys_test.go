package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
)

// TestAKeyFromItsMakingToItsEnd: made on the page and shown once, used, seen to be used, revoked, and refused by the
// very next request.
func TestAKeyFromItsMakingToItsEnd(t *testing.T) {
	c := newConsole(t)
	admin, keys := c.signedIn(sandbox.DistrictAdminUserID), seedHome+"district_admin/settings/keys"
	token, _ := admin.get(keys).doc(t).Find(`main form input[name="token"]`).Attr("value")
	form := url.Values{"name": {"Gradebook <b>one</b>"}, "explains": {"1"}, "token": {token}}
	made := admin.post(keys, form)
	text := made.doc(t).Find("main .slip .id").First().Text()
	if _, ok := parseBearer("Bearer " + text); !ok || made.StatusCode != http.StatusOK || made.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, key %q", made.StatusCode, text)
	}
	if again := admin.post(keys, form); again.StatusCode != http.StatusSeeOther || again.Header.Get("Location") != keys+"?notice=shown_once" {
		t.Errorf("the same form again: status %d to %s", again.StatusCode, again.Header.Get("Location"))
	}
	list := admin.get(keys + "?notice=shown_once")
	if strings.Contains(list.body, text) || !strings.Contains(list.body, text[len(text)-4:]) {
		t.Error("the list shows the key, or not its end")
	}
	if n := list.doc(t).Find("main tbody tr").Length(); n != 1 {
		t.Fatalf("%d keys", n)
	}
	if used := list.doc(t).Find("main tbody td").Eq(3).Find("time").Length(); used != 0 {
		t.Error("it was used before it was")
	}

	p, question := program{c, text}, q("user:"+sandbox.TeacherUserID, "classroom.edit", "section:"+sandbox.CoTaughtSectionID)
	if got := p.ask(evaluationPath, question); !got.Decision || got.Context.ReasonAdmin == nil {
		t.Errorf("with the key: %+v", got)
	}
	if used := admin.get(keys).doc(t).Find("main tbody td").Eq(3).Find("time").Length(); used != 1 {
		t.Error("its use is not shown")
	}

	revoke, _ := admin.get(keys).doc(t).Find("main tbody a").Attr("href")
	confirm := admin.get(revoke).doc(t)
	to, _ := confirm.Find("main form").Attr("action")
	token, _ = confirm.Find(`main form input[name="token"]`).Attr("value")
	if got := p.ask(evaluationPath, question); !got.Decision {
		t.Error("asking whether to revoke revoked it")
	}
	for range 2 { // the second press finds the first
		if a := admin.post(to, url.Values{"token": {token}}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != keys+"?notice=revoked" {
			t.Errorf("revoking: status %d to %s", a.StatusCode, a.Header.Get("Location"))
		}
		if a := p.send(evaluationPath, strings.NewReader(question)); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("a revoked key: status %d", a.StatusCode)
		}
	}
	if a := admin.post(to, url.Values{}); a.Header.Get("Location") != keys+"?notice=already_revoked" {
		t.Errorf("revoked before: to %s", a.Header.Get("Location"))
	}

	var said []string
	for _, e := range c.audited() {
		if strings.HasPrefix(e.Action, "key.") {
			said = append(said, fmt.Sprint(e.Action, " ", e.Subject, " by ", *e.ActorID == c.id(sandbox.DistrictAdminUserID)))
		}
	}
	if got := strings.Join(said, ", "); got != "key.made key:1 by true, key.revoked key:1 by true" {
		t.Errorf("the audit says %s", got)
	}
	for n, what := range []string{"made", "revoked"} {
		if a := admin.get(fmt.Sprintf("%sdistrict_admin/changes/%d", seedHome, n+1)); a.StatusCode != http.StatusOK || !strings.Contains(a.body, what) || strings.Contains(a.body, text) {
			t.Errorf("receipt %d: status %d", n+1, a.StatusCode)
		}
	}
	if random := text[len(text)-tokenBytes:]; strings.Contains(c.log.text(), random) {
		t.Error("the key is in the log")
	}
}

// TestAKeyNeedsAName: the form comes back as it was filled in, with what is wrong first.
func TestAKeyNeedsAName(t *testing.T) {
	c := newConsole(t)
	admin, keys := c.signedIn(sandbox.DistrictAdminUserID), seedHome+"district_admin/settings/keys"
	for name, field := range map[string]string{"": "", "   \t": "", strings.Repeat("é", 101): strings.Repeat("é", 101)} {
		a := admin.post(keys, url.Values{"name": {name}})
		doc := a.doc(t)
		kept, _ := doc.Find("#name").Attr("value")
		_, explains := doc.Find(`input[name="explains"]`).Attr("checked")
		if a.StatusCode != http.StatusUnprocessableEntity || doc.Find(`main .problem a[href="#name"]`).Length() != 1 || kept != field || explains {
			t.Errorf("name %.20q: status %d, kept %.20q, explains %t", name, a.StatusCode, kept, explains)
		}
	}
	if n := admin.get(keys).doc(t).Find("main tbody tr").Length(); n != 0 {
		t.Errorf("%d keys were made", n)
	}
	if a := admin.post(keys, url.Values{"name": {strings.Repeat("é", 100)}, "token": {"short"}}); a.StatusCode != http.StatusOK {
		t.Errorf("a long name: status %d", a.StatusCode)
	}
	if a := admin.post(keys+"/999/revoke", url.Values{}); a.StatusCode != http.StatusNotFound {
		t.Errorf("a key that is not there: status %d", a.StatusCode)
	}
}
