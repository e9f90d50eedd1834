package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"hallpass/assets"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestEveryAnswerIsDressed: pages, redirects, errors and assets carry the headers, whatever their status.
func TestEveryAnswerIsDressed(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	for path, status := range map[string]int{
		seedHome + "district_admin/users": 200, "/": 303, "/nowhere": 404, "/help": 200, "/healthz": 200, "/d/x/all/": 404,
		callbackPath + "?state=x&code=y": 400, assets.URL("app.css"): 200, "/assets/app.000000000000.css": 404,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := b.step(method, path)
			if a.StatusCode != status {
				t.Errorf("%s %s: status %d, want %d", method, path, a.StatusCode, status)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=()", "X-Request-Id": "",
			} {
				if got := a.Header.Get(name); got == "" || !strings.HasPrefix(got, want) {
					t.Errorf("%s %s: %s is %q", method, path, name, got)
				}
			}
			cache := "no-store"
			if strings.HasPrefix(path, assets.Prefix) && status == 200 {
				cache = "public, max-age=31536000, immutable"
			}
			if got := a.Header.Get("Cache-Control"); got != cache {
				t.Errorf("%s %s: Cache-Control is %q, want %q", method, path, got, cache)
			}
			if a.Header.Get("Strict-Transport-Security") != "" {
				t.Errorf("%s %s promises https over plain http", method, path)
			}
		}
	}
	csp := b.get("/help").Header.Get("Content-Security-Policy")
	for _, never := range []string{"unsafe", "nonce", "data:", "*", "http"} {
		if strings.Contains(csp, never) {
			t.Errorf("the policy has %q in it: %s", never, csp)
		}
	}
}

// TestCookiesAreSealed: every cookie set on the way in is HttpOnly and Lax, and over https a __Host- one and Secure.
func TestCookiesAreSealed(t *testing.T) {
	c := newConsole(t)
	for _, secure := range []bool{false, true} {
		k := newCookies(c.server.CookieKeys, secure)
		rec := httptest.NewRecorder()
		ec := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), rec)
		if err := errors.Join(k.setToken(ec, newToken(1)), k.setSignIn(ec, signIn{state: "s", next: "/d/x/"})); err != nil {
			t.Fatal(err)
		}
		k.setChoice(ec, langCookie, "es")
		set := (&http.Response{Header: rec.Header()}).Cookies()
		if len(set) != 3 {
			t.Fatalf("%d cookies, want 3", len(set))
		}
		for _, cookie := range set {
			signed := cookie.Name == k.sessionName || cookie.Name == k.signInName
			if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" ||
				cookie.Secure != secure || signed && strings.HasPrefix(cookie.Name, "__Host-") != secure {
				t.Errorf("secure %t: %s", secure, cookie.Raw)
			}
			if cookie.Name == k.sessionName && (cookie.MaxAge != 0 || !cookie.Expires.IsZero()) {
				t.Errorf("the session's cookie outlives the browser: %s", cookie.Raw)
			}
		}
	}
}

// TestOtherSitesPressNoButtons: unsafe requests of other origins are refused with our page, safe ones are not.
func TestOtherSitesPressNoButtons(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	for _, row := range []struct {
		header, value string
		status        int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Origin", "https://evil.example", 403},
		{"Origin", "null", 403},
		{"Sec-Fetch-Site", "same-origin", 303},
		{"Origin", c.url, 303},
		{"X-Nothing", "", 303},
	} {
		for _, path := range []string{seedHome + "district_admin/syncs", "/signout"} {
			if path == "/signout" && row.status != 403 {
				continue // it would end the session of the rows that follow
			}
			r := b.request(http.MethodPost, path)
			r.Header.Set(row.header, row.value)
			if a := b.stepWith(r); a.StatusCode != row.status || row.status == 403 && a.doc(t).Find("main h1").Length() == 0 {
				t.Errorf("POST %s with %s: %s has status %d, want %d", path, row.header, row.value, a.StatusCode, row.status)
			}
		}
		r := b.request(http.MethodGet, seedHome+"district_admin/users")
		r.Header.Set(row.header, row.value)
		if a := b.stepWith(r); a.StatusCode != http.StatusOK {
			t.Errorf("GET with %s: %s has status %d", row.header, row.value, a.StatusCode)
		}
	}
	if log := c.log.text(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, "level=WARN msg=\"request refused\"") || !strings.Contains(log, "event=cross_origin") {
		t.Error("a refusal is a warning in the log, and no error of ours")
	}
}

// TestHealthSpeaksJSON, in trouble too.
func TestHealthSpeaksJSON(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := b.get(path); a.StatusCode != http.StatusOK || !json.Valid([]byte(a.body)) {
			t.Errorf("%s: status %d, %s", path, a.StatusCode, a.body)
		}
	}
	c.store.Close()
	a := b.get("/readyz")
	var said apiError
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.StatusCode != http.StatusServiceUnavailable || said.Error.Code != "not_ready" ||
		said.Error.RequestID != a.Header.Get("X-Request-Id") || a.Header.Get("Retry-After") == "" {
		t.Errorf("without a database: status %d, %s, %v", a.StatusCode, a.body, err)
	}
	if a := b.get("/healthz"); a.StatusCode != http.StatusOK {
		t.Errorf("without a database, health is %d", a.StatusCode)
	}
}

// TestWhatGoesWrongIsToldOnce: a panic and an error of ours become one page with a request id, and one line.
func TestWhatGoesWrongIsToldOnce(t *testing.T) {
	c := newConsole(t)
	e := c.server.router()
	e.GET("/panic", func(echo.Context) error { panic("secret of the panic") })
	e.GET("/error", func(echo.Context) error { return errors.New("secret of the error") })
	e.GET("/gone", func(echo.Context) error { return models.ErrNotFound })
	e.GET("/half", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "application/pdf")
		return context.DeadlineExceeded
	})
	for path, status := range map[string]int{"/panic": 500, "/error": 500, "/gone": 404, "/half": 503} {
		before := len(c.log.text())
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("X-Request-Id", "given-by-a-proxy-1")
		e.ServeHTTP(rec, r)
		if rec.Code != status || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") || !strings.Contains(rec.Body.String(), "given-by-a-proxy-1") {
			t.Errorf("%s: status %d, %s", path, rec.Code, rec.Header().Get("Content-Type"))
		}
		if strings.Contains(rec.Body.String(), "secret of") || strings.Contains(rec.Body.String(), "goroutine") {
			t.Errorf("%s tells the visitor its insides", path)
		}
		log := c.log.text()[before:]
		if strings.Count(log, "\n") != 1 || !strings.Contains(log, "given-by-a-proxy-1") || (status == 500) != strings.Contains(log, "secret of") {
			t.Errorf("%s: log is %s", path, log)
		}
	}
	for _, id := range []string{"short", strings.Repeat("x", 65), "with space", "new\nline12", "ünïcödé-id"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/gone", nil)
		r.Header["X-Request-Id"] = []string{id}
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		if rec.Header().Get("X-Request-Id") == id {
			t.Errorf("the request id %q was taken over", id)
		}
	}
}

// TestTheLogKnowsNoNames: no query, no path, no address.
func TestTheLogKnowsNoNames(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	b.get(seedHome + "district_admin/users?q=canary-name")
	b.get(seedHome + "district_admin/users/canary-id")
	b.get("/canary-path?canary-query")
	for _, never := range []string{"canary", sandbox.SeedDistrictID, "Marisol"} {
		if strings.Contains(c.log.text(), never) {
			t.Errorf("%q stands in the log", never)
		}
	}
	if !strings.Contains(c.log.text(), "route=/d/:district/:view/users/:id status=404") {
		t.Error("the log does not name the route and the status")
	}
}

// TestLanguageIsChosen by the browser's wish, and by the cookie over it.
func TestLanguageIsChosen(t *testing.T) {
	c := newConsole(t)
	b := c.browser()
	lang := func(accept string) string {
		r := b.request(http.MethodGet, "/help")
		r.Header.Set("Accept-Language", accept)
		got, _ := b.do(r).doc(t).Find("html").Attr("lang")
		return got
	}
	for accept, want := range map[string]string{
		"": "en", "es": "es", "es-MX,es;q=0.9,en;q=0.8": "es", "fr,es;q=0.5": "es", "fr": "en", "en;q=0.1,es;q=0.9": "es",
		"garbage;;;q=x": "en", strings.Repeat("es,", 5000): "en",
	} {
		if got := lang(accept); got != want {
			t.Errorf("Accept-Language %.40q: page in %s, want %s", accept, got, want)
		}
	}
	if a := b.step(http.MethodGet, "/language?to=es&back=%2Fhelp%3Fa%3D1"); a.Header.Get("Location") != "/help?a=1" {
		t.Errorf("choosing a language leads to %q", a.Header.Get("Location"))
	}
	if got := lang("en"); got != "es" {
		t.Errorf("after choosing Spanish, the page is in %s", got)
	}
	b.step(http.MethodGet, "/language?to=tlh&back=/help")
	if got := lang("en"); got != "es" {
		t.Errorf("an unknown language changed the page to %s", got)
	}
}

// TestPagesAreCompressed for browsers that can read it, and whole for the others.
func TestPagesAreCompressed(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	for _, path := range []string{seedHome + "district_admin/users", assets.URL("app.css")} {
		for accept, want := range map[string]string{"gzip": "gzip", "identity": ""} {
			r := b.request(http.MethodGet, path)
			r.Header.Set("Accept-Encoding", accept)
			if a := b.stepWith(r); a.Header.Get("Content-Encoding") != want || !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Accept-Encoding") {
				t.Errorf("%s for %s: Content-Encoding %q, Vary %q", path, accept, a.Header.Get("Content-Encoding"), a.Header.Values("Vary"))
			}
		}
	}
}

// TestARequestThatTakesTooLongSaysSo with a page that asks to try again, and a code for machines that do.
func TestARequestThatTakesTooLongSaysSo(t *testing.T) {
	c := newConsole(t, func(cfg *Config) { cfg.RequestTimeout = 1 })
	b := c.holding(sandbox.DistrictAdminUserID)
	a := b.step(http.MethodGet, seedHome+"district_admin/users")
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.doc(t).Find("h1").Length() != 1 {
		t.Errorf("status %d, Retry-After %q, %d headings", a.StatusCode, a.Header.Get("Retry-After"), a.doc(t).Find("h1").Length())
	}
}
