package handlers

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

const seedHome = "/d/" + sandbox.SeedDistrictID + "/"

// TestSigningInLandsInTheOnlyView for everybody whom one role lets in, straight from the script of the contract. Those
// with several are signed in too, and asked where to begin: Clever does not say as what they came.
func TestSigningInLandsInTheOnlyView(t *testing.T) {
	c := newConsole(t)
	for user, view := range map[string]string{
		sandbox.DistrictAdminUserID: "district_admin",
		sandbox.StaffUserID:         "staff",
		sandbox.TechLeadUserID:      "staff",
		sandbox.TeacherUserID:       "teacher",
	} {
		b := c.browser()
		b.atClever(user)
		if a := b.get("/signin/clever"); a.StatusCode != http.StatusOK || a.at() != seedHome+view+"/" {
			t.Errorf("%s lands at %s with status %d, want the %s view", user, a.at(), a.StatusCode, view)
		}
	}
	for user, view := range map[string]string{sandbox.SeedUserID: "staff", sandbox.AllRolesUserID: "district_admin"} {
		b := c.browser()
		b.atClever(user)
		a := b.get("/signin/clever")
		if a.StatusCode != http.StatusOK || a.at() != "/signin/choose-view" || b.token() == "" {
			t.Errorf("%s lands at %s with status %d, signed in: %t", user, a.at(), a.StatusCode, b.token() != "")
		}
		if got := formOf(t, a).Get("view"); got != view {
			t.Errorf("%s is offered the %s view first, want %s", user, got, view)
		}
	}
}

// TestPeopleWithoutAPageGetAKindOne, and no session.
func TestPeopleWithoutAPageGetAKindOne(t *testing.T) {
	c := newConsole(t)
	for _, user := range []string{sandbox.StudentUserID, sandbox.ContactUserID, sandbox.NoRolesUserID} {
		b := c.browser()
		b.atClever(user)
		a := b.get("/signin/clever")
		if a.StatusCode != http.StatusForbidden || a.doc(t).Find("h1").Length() != 1 {
			t.Errorf("%s: status %d, %d headings; want one kind page", user, a.StatusCode, a.doc(t).Find("h1").Length())
		}
		if b.token() != "" {
			t.Errorf("%s has a session", user)
		}
		again := b.get(a.at())
		if strings.Contains(a.at(), "code=") || again.StatusCode != a.StatusCode || again.doc(t).Find("main").Text() != a.doc(t).Find("main").Text() {
			t.Errorf("%s ends at %s, which has status %d when it is loaded again", user, a.at(), again.StatusCode)
		}
	}
}

// callback walks the way to Clever by hand and stops before the way back.
func (b *browser) callback() string {
	b.c.t.Helper()
	toClever := b.step(http.MethodGet, "/signin/clever").Header.Get("Location")
	back := b.step(http.MethodGet, toClever).Header.Get("Location")
	if !strings.HasPrefix(back, b.c.url+callbackPath) {
		b.c.t.Fatalf("Clever sends the browser to %q", back)
	}
	return back
}

// TestTheStateMustBeThisBrowsers: a callback of another browser, a forged one and a repeated one are refused.
func TestTheStateMustBeThisBrowsers(t *testing.T) {
	c := newConsole(t)
	victim, attacker := c.browser(), c.browser()
	victim.atClever(sandbox.TeacherUserID)
	attacker.atClever(sandbox.DistrictAdminUserID)

	stolen := attacker.callback()
	for name, link := range map[string]string{
		"another browser's":    stolen,
		"a forged":             stolen + "&state=0",
		"another, after begin": stolen,
	} {
		if strings.HasPrefix(name, "another,") {
			victim.step(http.MethodGet, "/signin/clever")
		}
		a := victim.step(http.MethodGet, link)
		if a.StatusCode != http.StatusBadRequest || victim.token() != "" || a.doc(t).Find(`a[href="/signin/clever"]`).Length() == 0 {
			t.Errorf("%s callback: status %d, session %t; want a page that offers to try again", name, a.StatusCode, victim.token() != "")
		}
	}
	// The state was spent by the refused callback: bringing the right one now is too late.
	own := victim.callback()
	victim.step(http.MethodGet, stolen)
	if a := victim.step(http.MethodGet, own); a.StatusCode != http.StatusBadRequest || victim.token() != "" {
		t.Errorf("a state survives a refused callback: status %d", a.StatusCode)
	}
	if log := c.log.text(); !strings.Contains(log, "sign_in_state_mismatch") {
		t.Error("a state that does not match leaves no trace in the log")
	}
}

// TestArrivalsWithoutStateAreRestarted: the portal's code is dropped and Clever asked again, so nobody is signed in as
// the author of a link; and not for ever.
func TestArrivalsWithoutStateAreRestarted(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	b.atClever(sandbox.TeacherUserID)
	a := b.get(c.boxURL + "/oauth/instant-login?client_id=" + clientID + "&district_id=" + sandbox.SeedDistrictID)
	if a.StatusCode != http.StatusOK || a.at() != seedHome+"teacher/" {
		t.Errorf("an Instant Login ends at %s with status %d", a.at(), a.StatusCode)
	}

	attacker, victim := c.browser(), c.browser()
	attacker.atClever(sandbox.DistrictAdminUserID)
	victim.atClever(sandbox.TeacherUserID)
	theirs := attacker.step(http.MethodGet, c.boxURL+"/oauth/instant-login?client_id="+clientID+"&district_id="+sandbox.SeedDistrictID).Header.Get("Location")
	if a := victim.get(theirs); a.at() != seedHome+"teacher/" {
		t.Errorf("with an attacker's code, the victim ends at %s", a.at())
	}

	loop := c.browser()
	if a := loop.step(http.MethodGet, callbackPath+"?code=x"); a.StatusCode != http.StatusFound || !strings.HasPrefix(a.Header.Get("Location"), c.boxURL) {
		t.Errorf("first arrival without state: status %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	if a := loop.step(http.MethodGet, callbackPath+"?code=y"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("second arrival without state at once: status %d, want the door", a.StatusCode)
	}
}

// TestARepeatedCallbackContinuesTheSession in the browser it began in, and nowhere else.
func TestARepeatedCallbackContinuesTheSession(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	b.atClever(sandbox.TeacherUserID)
	link := b.callback()
	b.get(link)
	token := b.token()
	if a := b.get(link); a.at() != seedHome+"teacher/" || b.token() != token {
		t.Errorf("a refresh ends at %s, token kept: %t", a.at(), b.token() == token)
	}
	if a := c.browser().step(http.MethodGet, link); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the same link in another browser has status %d", a.StatusCode)
	}
	// A used code with a good state, which only a race can bring about: Clever refuses it.
	again := b.step(http.MethodGet, "/signin/clever").Header.Get("Location")
	u, err := url.Parse(again)
	if err != nil {
		t.Fatal(err)
	}
	other := c.signedIn(sandbox.StaffUserID)
	other.step(http.MethodGet, "/signin/clever")
	code, _ := url.Parse(link)
	if a := b.step(http.MethodGet, callbackPath+"?code="+code.Query().Get("code")+"x&state="+u.Query().Get("state")); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a code that Clever refuses: status %d", a.StatusCode)
	}
}

// TestANewSignInReplacesTheOldOne on the device, even when the newcomer may not come in.
func TestANewSignInReplacesTheOldOne(t *testing.T) {
	c := newConsole(t)
	for _, next := range []string{sandbox.StaffUserID, sandbox.StudentUserID, sandbox.SameEmailOtherUserID} {
		b := c.signedIn(sandbox.DistrictAdminUserID)
		old := b.token()
		b.step(http.MethodGet, c.boxURL+"/signout")
		if next == sandbox.SameEmailOtherUserID {
			b.get(c.boxURL + "/signin?as=" + url.QueryEscape("danny.brakus@kestrelvalley.example"))
		} else {
			b.atClever(next)
		}
		b.get("/signin/clever")
		if b.token() == old {
			t.Errorf("%s: the token was not rotated", next)
		}
		thief := c.browser()
		thief.keep(b.c.server.cookies.sessionName, old)
		if a := thief.step(http.MethodGet, seedHome+"district_admin/users"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: the replaced session still opens pages: status %d", next, a.StatusCode)
		}
	}
}

func (b *browser) keep(name, value string) {
	u, err := url.Parse(b.c.url)
	if err != nil {
		b.c.t.Fatal(err)
	}
	b.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// TestIdentityIsCleversIdAndNeverTheEmail: two people of two districts with one address stay apart.
func TestIdentityIsCleversIdAndNeverTheEmail(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	if a := b.get(c.boxURL + "/signin?as=danny.brakus@kestrelvalley.example&district_id=" + sandbox.OtherDistrictID); a.StatusCode != http.StatusOK {
		t.Fatalf("sandbox sign-in: status %d", a.StatusCode)
	}
	a := b.get("/signin/clever")
	if want := "/d/" + sandbox.OtherDistrictID + "/teacher/"; a.at() != want {
		t.Fatalf("the namesake lands at %s, want %s", a.at(), want)
	}
	if a := b.get(seedHome + "teacher/users"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the namesake's district neighbour has status %d, want 404", a.StatusCode)
	}
}

// TestDeepLinksSurviveSigningIn, as far as they lead to a page of the console.
func TestDeepLinksSurviveSigningIn(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	b.atClever(sandbox.DistrictAdminUserID)
	want := seedHome + "district_admin/users?q=brakus&role=teacher"
	door := b.get(want)
	if door.Request.URL.Path != "/signin" {
		t.Fatalf("a page asked for signed out ends at %s", door.at())
	}
	link, ok := door.doc(t).Find("main a.btn").Attr("href")
	if !ok {
		t.Fatal("no link to Clever at the door")
	}
	if a := b.get(link); a.at() != want {
		t.Errorf("after signing in at %s, want %s", a.at(), want)
	}
}

// TestNoOpenRedirects: next and back lead to this host only.
func TestNoOpenRedirects(t *testing.T) {
	c := newConsole(t)
	for _, evil := range []string{
		"https://evil.example/", "//evil.example/d/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/d/\n//evil.example",
		"javascript:alert(1)", "data:text/html,x", "http:evil.example", "/d/../\\evil.example", " //evil.example", "/%2f/evil.example/..//x\x00",
		"///evil.example", "/d/" + strings.Repeat("a", 5000), "d/x", "?x", "", "\xff",
	} {
		b := c.browser()
		b.atClever(sandbox.TeacherUserID)
		if a := b.get("/signin/clever?next=" + url.QueryEscape(evil)); a.at() != seedHome+"teacher/" || !strings.HasPrefix(c.url, "http://"+a.Request.URL.Host) {
			t.Errorf("next %q ends at %s%s", evil, a.Request.URL.Host, a.at())
		}
		for _, path := range []string{"/language?to=es&back=", "/theme?to=dark&back="} {
			to := b.step(http.MethodGet, path+url.QueryEscape(evil)).Header.Get("Location")
			if u, err := url.Parse(to); err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
				t.Errorf("%s%q leads to %q", path, evil, to)
			}
		}
	}
}

// TestCleverInTrouble: errors in the callback and a Clever that does not answer become pages in plain words.
func TestCleverInTrouble(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	b.atClever(sandbox.TeacherUserID)
	a := b.step(http.MethodGet, callbackPath+"?error=access_denied&error_description=<script>x</script>")
	if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "access_denied") || strings.Contains(a.body, "<script>x") {
		t.Errorf("an error from Clever: status %d", a.StatusCode)
	}
	for _, forged := range []string{`"><b>`, "call-0900-12345"} {
		a := b.step(http.MethodGet, callbackPath+"?error="+url.QueryEscape(forged))
		if said := a.doc(t).Find("main .notice .id").First().Text(); said != "unknown" || strings.Contains(a.doc(t).Find("main").Text(), forged) {
			t.Errorf("the error %q of the address is shown as %q", forged, said)
		}
	}

	broken := newConsole(t, func(cfg *Config) {
		client, err := newClient("http://127.0.0.1:1", cfg.BaseURL+callbackPath)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Clever = client
	})
	b = broken.browser()
	state, err := url.Parse(b.step(http.MethodGet, "/signin/clever").Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	a = b.step(http.MethodGet, callbackPath+"?code=abc&state="+state.Query().Get("state"))
	if a.StatusCode != http.StatusBadGateway || a.doc(t).Find("h1").Length() == 0 || strings.Contains(a.body, "127.0.0.1") {
		t.Errorf("with Clever down: status %d", a.StatusCode)
	}
	if a := b.step(http.MethodGet, "/healthz"); a.StatusCode != http.StatusOK {
		t.Errorf("with Clever down, health is %d", a.StatusCode)
	}
}

// TestSessionsEnd by idleness, by age, by signing out, and when the person has left.
func TestSessionsEnd(t *testing.T) {
	c := newConsole(t)
	page := seedHome + "teacher/users"
	opens := func(b *browser) (bool, string) {
		a := b.step(http.MethodGet, page)
		return a.StatusCode == http.StatusOK, a.Header.Get("Location")
	}
	b := c.signedIn(sandbox.TeacherUserID)
	for range 5 { // in use, it outlives the idle limit
		c.pass(90 * time.Minute)
		if ok, to := opens(b); !ok {
			t.Fatalf("a session in use was sent to %s", to)
		}
	}
	c.pass(121 * time.Minute)
	if ok, to := opens(b); ok || !strings.HasPrefix(to, "/signin?next=") || !strings.HasSuffix(to, "notice=idle") {
		t.Errorf("after 121 minutes idle: open %t, sent to %q", ok, to)
	}
	ended := 0
	for _, e := range c.audited() {
		if e.Action == "session.ended" {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("the idle session was ended %d times, want once and for good", ended)
	}
	b = c.signedIn(sandbox.TeacherUserID)
	for range 8 {
		c.pass(89 * time.Minute)
		opens(b)
	}
	c.pass(10 * time.Minute)
	if ok, to := opens(b); ok || !strings.Contains(to, "notice=absolute") {
		t.Errorf("after 12 hours: open %t, sent to %q", ok, to)
	}

	b = c.signedIn(sandbox.TeacherUserID)
	old := b.token()
	if a := b.step(http.MethodPost, "/signout"); a.Header.Get("Location") != "/signin?notice=signed_out" || b.token() != "" {
		t.Errorf("sign-out leads to %q, cookie kept: %t", a.Header.Get("Location"), b.token() != "")
	}
	thief := c.browser()
	thief.keep(c.server.cookies.sessionName, old)
	if ok, _ := opens(thief); ok {
		t.Error("a cookie kept from before signing out opens pages")
	}
	if a := c.browser().step(http.MethodPost, "/signout"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out without a session has status %d", a.StatusCode)
	}
	if a := c.signedIn(sandbox.TeacherUserID).step(http.MethodGet, "/signout"); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET /signout has status %d", a.StatusCode)
	}
}

// TestTheCookieIsNoSecretOfTheDatabase: what is stored cannot be used as a cookie, and nothing of the token stands in
// a page.
func TestTheCookieIsNoSecretOfTheDatabase(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.TeacherUserID)
	ec := echoContext(t, b)
	held := c.server.cookies.token(ec)
	if held.text == "" || held.district != c.district || bytes.Contains([]byte(held.text), held.hash()) {
		t.Fatal("the cookie does not hold a token")
	}
	c.write(func(ctx context.Context, tx *models.Tx) error {
		_, err := tx.SignedIn(ctx, held.hash())
		return err
	})
	if a := b.get(seedHome + "teacher/"); strings.Contains(a.body, held.text) || strings.Contains(a.body, b.token()) {
		t.Error("the token stands in a page")
	}
	if strings.Contains(c.log.text(), held.text) {
		t.Error("the token stands in the log")
	}
	// One changed byte, and a token of another district under this one's number.
	for _, forged := range []string{b.token()[:len(b.token())-2] + "AA", "1." + strings.Repeat("A", 43), "x"} {
		thief := c.browser()
		thief.keep(c.server.cookies.sessionName, forged)
		if a := thief.step(http.MethodGet, seedHome+"teacher/"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("a forged cookie has status %d", a.StatusCode)
		}
	}
}

// TestKeysCanBeReplaced while people are signed in.
func TestKeysCanBeReplaced(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.TeacherUserID)
	ec := echoContext(t, b)
	next := newCookies([][]byte{[]byte(strings.Repeat("n", 32)), []byte(strings.Repeat("k", 32))}, false)
	if next.token(ec).text == "" {
		t.Error("a cookie signed with the older key is refused")
	}
	if gone := newCookies([][]byte{[]byte(strings.Repeat("n", 32))}, false); gone.token(ec).text != "" {
		t.Error("a cookie signed with a key that was taken away is accepted")
	}
}

// TestSessionsAreAudited in the person's name, with ids and no names.
func TestSessionsAreAudited(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.TeacherUserID)
	b.step(http.MethodPost, "/signout")
	id := c.id(sandbox.TeacherUserID)
	var actions []string
	for _, e := range c.audited() {
		if e.ActorID != nil && *e.ActorID == id {
			actions = append(actions, e.Action)
			if e.RequestID == "" || e.Subject != subject(id) {
				t.Errorf("entry %s: request %q, subject %q", e.Action, e.RequestID, e.Subject)
			}
		}
	}
	if got := strings.Join(actions, " "); got != "session.started session.ended" {
		t.Errorf("audited: %s", got)
	}
}

// TestRolesAreReadAtSignIn: somebody whom no sync has brought yet comes in, and a role lost since the last sync opens
// nothing any more.
func TestRolesAreReadAtSignIn(t *testing.T) {
	c := newConsole(t)
	put := func(id, email, roles string) {
		t.Helper()
		err := c.box.PutUser([]byte(`{"id":"` + id + `","district":"` + sandbox.SeedDistrictID + `","name":{"first":"Nia","last":"Newcomer"},
			"email":"` + email + `","created":"2026-01-01T00:00:00.000Z","last_modified":"2026-11-01T00:00:00.000Z","roles":` + roles + `}`))
		if err != nil {
			t.Fatal(err)
		}
	}
	arrive := func(email string) (*browser, answer) {
		t.Helper()
		b := c.browser()
		if a := b.get(c.boxURL + "/signin?as=" + email); a.StatusCode != http.StatusOK {
			t.Fatalf("sandbox sign-in: status %d", a.StatusCode)
		}
		return b, b.get("/signin/clever")
	}
	put("67290bff90b5540a114b0aff", "nia.newcomer@example.org", `{"teacher":{"school":"`+sandbox.SeedTeacherSchool+`","schools":["`+sandbox.SeedTeacherSchool+`"],"legacy_id":"67290bff90b5540a114b0afe"}}`)
	if _, a := arrive("nia.newcomer@example.org"); a.StatusCode != http.StatusOK || a.at() != seedHome+"teacher/" {
		t.Errorf("a newcomer ends at %s with status %d", a.at(), a.StatusCode)
	}
	put(sandbox.DistrictAdminUserID, "was.admin@example.org", `{"district_admin":null}`)
	if b, a := arrive("was.admin@example.org"); a.StatusCode != http.StatusForbidden || b.token() != "" {
		t.Errorf("somebody who was an admin until today ends at %s with status %d, session %t", a.at(), a.StatusCode, b.token() != "")
	}
}

// newThinConsole is a console whose Clever shows user tokens less than the district's.
func newThinConsole(t *testing.T) *console {
	t.Helper()
	var box *sandbox.Sandbox
	var srv *httptest.Server
	c := newConsole(t, func(cfg *Config) {
		var err error
		box, err = sandbox.New(sandbox.Options{
			Seed: 7, Users: 400, Schools: 6, Districts: 2, ClientID: clientID, ClientSecret: clientSecret,
			RedirectURLs: []string{cfg.BaseURL + callbackPath}, RateLimit: -1, Now: cleverTime, ThinUserTokens: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		srv = httptest.NewServer(box.Handler())
		t.Cleanup(srv.Close)
		if cfg.Clever, err = newClient(srv.URL, cfg.BaseURL+callbackPath); err != nil {
			t.Fatal(err)
		}
	})
	c.box, c.boxURL = box, srv.URL
	return c
}

// rosterOf is everything that a sync keeps, in one text per table.
func (c *console) rosterOf() map[string]string {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	held := map[string]string{}
	for _, table := range []string{"users", "identities", "role_grants", "role_grant_schools", "contact_students", "user_search"} {
		var text string
		err := conn.QueryRow(c.t.Context(), `SELECT string_agg((to_jsonb(t) - 'confirmed_at')::text, chr(10) ORDER BY t::text) FROM `+table+` t`).Scan(&text)
		if err != nil {
			c.t.Fatal(err)
		}
		held[table] = text
	}
	return held
}

// TestSigningInWipesNothing although a user token is shown less than a sync, whether the district's own token reads
// the person or is refused.
func TestSigningInWipesNothing(t *testing.T) {
	c := newThinConsole(t)
	before := c.rosterOf()
	for _, refused := range []int{0, http.StatusUnauthorized, http.StatusNotFound} {
		for _, user := range []string{sandbox.SeedUserID, sandbox.AllRolesUserID, sandbox.TeacherUserID, sandbox.ContactUserID, sandbox.StudentUserID} {
			if refused != 0 {
				c.box.Faults().Add(sandbox.Fault{Path: "/v3.1/users/" + user, Kind: sandbox.ServerError, Status: refused})
			}
			b := c.browser()
			b.atClever(user)
			a := b.get("/signin/clever")
			if in := user != sandbox.ContactUserID && user != sandbox.StudentUserID; in != (a.StatusCode == http.StatusOK && b.token() != "") {
				t.Errorf("%s with the district's token refused (%d) ends at %s with status %d", user, refused, a.at(), a.StatusCode)
			}
		}
	}
	for table, held := range c.rosterOf() {
		if held != before[table] {
			t.Errorf("signing in changed %s", table)
		}
	}
	if n := c.box.Faults().Struck(); n != 10 {
		t.Errorf("%d reads were refused, want 10", n)
	}
}

// TestNewcomersComeInWithAPartialRecord: without Secure Sync there is no other.
func TestNewcomersComeInWithAPartialRecord(t *testing.T) {
	c := newThinConsole(t)
	const id = "67290bff90b5540a114b0aff"
	err := c.box.PutUser([]byte(`{"id":"` + id + `","district":"` + sandbox.SeedDistrictID + `","name":{"first":"Nia","last":"Newcomer"},
		"email":"nia.newcomer@example.org","created":"2026-01-01T00:00:00.000Z","last_modified":"2026-11-01T00:00:00.000Z","roles":{"district_admin":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{http.StatusUnauthorized, http.StatusInternalServerError} {
		times := 1
		if status == http.StatusInternalServerError {
			times = -1 // not a reason to believe less
		}
		c.box.Faults().Add(sandbox.Fault{Path: "/v3.1/users/" + id, Kind: sandbox.ServerError, Status: status, Times: times})
		b := c.browser()
		b.get(c.boxURL + "/signin?as=nia.newcomer@example.org")
		a := b.get("/signin/clever")
		if want := map[int]int{401: http.StatusOK, 500: http.StatusBadGateway}[status]; a.StatusCode != want {
			t.Errorf("with the district's token answered %d: status %d at %s, want %d", status, a.StatusCode, a.at(), want)
		}
	}
}

// TestUnknownDistrictsGetThePage that says so, although Clever has a token for them.
func TestUnknownDistrictsGetThePage(t *testing.T) {
	c := newConsole(t)
	conn, err := pgx.Connect(t.Context(), c.database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `UPDATE district_ids SET clever_id = 'never synced' WHERE clever_id = $1`, sandbox.OtherDistrictID); err != nil {
		t.Fatal(err)
	}
	b := c.browser()
	b.get(c.boxURL + "/signin?as=danny.brakus@kestrelvalley.example&district_id=" + sandbox.OtherDistrictID)
	if a := b.get("/signin/clever"); a.StatusCode != http.StatusForbidden || b.token() != "" || !strings.Contains(c.log.text(), "sign_in_from_unknown_district") {
		t.Errorf("status %d, session %t", a.StatusCode, b.token() != "")
	}
}
