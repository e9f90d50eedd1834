package sandbox_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
)

func authorize(kv ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "state": {"st&te"}}
	for i := 0; i < len(kv); i += 2 {
		q.Set(kv[i], kv[i+1])
	}
	return "/oauth/authorize?" + q.Encode()
}

func as(id string) *http.Cookie { return &http.Cookie{Name: "clever_sandbox", Value: id} }

// exchange trades a code and gives the status and the whole answer.
func (f *fixture) exchange(t *testing.T, code, redirect string) (int, map[string]any) {
	t.Helper()
	resp, raw := f.do(t, http.MethodPost, "/oauth/tokens", basic("app", "secret"),
		form("code", code, "grant_type", "authorization_code", "redirect_uri", redirect))
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return resp.StatusCode, v
}

func TestTheScreenWorksWithoutScriptAndKeepsTheRequest(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000})
	resp, raw := f.do(t, http.MethodGet, authorize("district_id", sandbox.SeedDistrictID), "", "")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(raw)))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, err)
	}
	if n := doc.Find("script,style,[style],[onclick]").Length(); n != 0 {
		t.Errorf("%d inline scripts or styles", n)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("CSP %q", csp)
	}
	people := doc.Find(".people button")
	if people.Length() != len(f.s.People()) {
		t.Errorf("%d people offered of %d", people.Length(), len(f.s.People()))
	}
	fields := url.Values{"as": {"danny.brakus@kestrelvalley.example"}}
	doc.Find("form.other input[type=hidden]").Each(func(_ int, s *goquery.Selection) {
		fields.Set(s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	resp, _ = f.do(t, http.MethodPost, doc.Find("form.other").AttrOr("action", ""), "", fields.Encode())
	to, err := resp.Location()
	if err != nil || to.Query().Get("state") != "st&te" || !strings.HasPrefix(to.String(), callback+"?") {
		t.Fatalf("status %d to %v, %v", resp.StatusCode, to, err)
	}
	if status, v := f.exchange(t, to.Query().Get("code"), callback); status != 200 || !strings.HasPrefix(v["access_token"].(string), "il") {
		t.Errorf("exchange: %d %v", status, v)
	}
	fields.Set("as", "nobody@kestrelvalley.example")
	if resp, raw := f.do(t, http.MethodPost, "/oauth/authorize", "", fields.Encode()); resp.StatusCode != http.StatusNotFound || !strings.Contains(string(raw), "Nobody in this district") {
		t.Errorf("unknown email: %d", resp.StatusCode)
	}
}

func TestASignedInPersonPassesSilently(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000, Districts: 2})
	for path, silent := range map[string]bool{
		authorize(): true, authorize("confirmed", "false"): false,
		authorize("district_id", sandbox.SeedDistrictID):  true,
		authorize("district_id", sandbox.OtherDistrictID): false,
	} {
		resp, _ := f.do(t, http.MethodGet, path, "", "", as(sandbox.SeedUserID))
		if (resp.StatusCode == http.StatusFound) != silent {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
	resp, _ := f.do(t, http.MethodGet, authorize("return_unshared", "true"), "", "", as(sandbox.NoRolesUserID))
	if to, err := resp.Location(); err != nil || to.Query().Get("error") != "unauthorized-user" || to.Query().Has("code") {
		t.Errorf("unshared user: %v %v", to, err)
	}
}

func TestAuthorizeNeverRedirectsToStrangers(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000})
	for _, path := range []string{
		authorize("redirect_uri", "https://evil.example/"), authorize("redirect_uri", callback+"/x"),
		authorize("client_id", "other"), "/oauth/instant-login?client_id=other",
	} {
		if resp, _ := f.do(t, http.MethodGet, path, "", "", as(sandbox.SeedUserID)); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("%s: status %d to %q", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

func TestPortalAndInstantLoginArriveWithoutState(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000})
	_, raw := f.do(t, http.MethodGet, "/portal", "", "", as(sandbox.StaffUserID))
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	launch, ok := doc.Find("a.app").Attr("href")
	if !ok {
		t.Fatalf("no app icon: %s", raw)
	}
	resp, _ := f.do(t, http.MethodGet, launch, "", "", as(sandbox.StaffUserID))
	to, err := resp.Location()
	if err != nil || to.Query().Has("state") || to.Query().Get("code") == "" || !strings.HasPrefix(to.String(), callback+"?") {
		t.Errorf("launch to %v, %v", to, err)
	}
	if resp, _ := f.do(t, http.MethodGet, "/portal", "", ""); resp.Header.Get("Location") != "/signin" {
		t.Errorf("portal signed out: %d", resp.StatusCode)
	}
}

func TestSignInForScripts(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000})
	for _, p := range f.s.People() {
		resp, raw := f.do(t, http.MethodGet, "/signin?as="+url.QueryEscape(p.Email), "", "")
		cookies := resp.Cookies()
		if resp.StatusCode != http.StatusOK || len(cookies) != 1 || cookies[0].Value != p.ID || !cookies[0].HttpOnly {
			t.Errorf("%s: status %d, cookies %v", p.Label, resp.StatusCode, cookies)
		}
		if !strings.Contains(string(raw), p.Email) {
			t.Errorf("%s: the page does not say who is signed in", p.Label)
		}
	}
	var u struct{ ID, Email string }
	for i := 0; u.Email == ""; i++ {
		if err := json.Unmarshal(f.s.UserJSON(f.s.UserIDAt(i)), &u); err != nil {
			t.Fatal(err)
		}
	}
	if resp, _ := f.do(t, http.MethodGet, "/signin?as="+url.QueryEscape(u.Email), "", ""); len(resp.Cookies()) != 1 || resp.Cookies()[0].Value != u.ID {
		t.Errorf("a generated person's email: %d", resp.StatusCode)
	}
	if resp, _ := f.do(t, http.MethodGet, "/signin?as=x@y.example", "", ""); resp.StatusCode != http.StatusNotFound || len(resp.Cookies()) != 0 {
		t.Errorf("unknown email: %d", resp.StatusCode)
	}
	if resp, _ := f.do(t, http.MethodGet, "/signin?as="+sandbox.ScriptUserID, "", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("by id: %d", resp.StatusCode)
	} else if _, raw := f.do(t, http.MethodGet, "/portal", "", "", as(sandbox.ScriptUserID)); strings.Contains(string(raw), "<script>alert") {
		t.Error("a name came out as markup")
	}
	if resp, _ := f.do(t, http.MethodGet, "/signout", "", "", as(sandbox.StaffUserID)); len(resp.Cookies()) != 1 || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign-out: %v", resp.Cookies())
	}
}

func TestCodesAreGoodOnceForAMinuteAndTheirRedirect(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f := newFixture(t, sandbox.Options{Users: 1000, Now: func() time.Time { return now }})
	code := func() string {
		resp, _ := f.do(t, http.MethodGet, authorize(), "", "", as(sandbox.SeedUserID))
		to, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		return to.Query().Get("code")
	}
	once := code()
	if status, _ := f.exchange(t, once, callback); status != 200 {
		t.Errorf("first use: %d", status)
	}
	if status, v := f.exchange(t, once, callback); status != 400 || v["error"] != "invalid_grant" || v["error_description"] == "" {
		t.Errorf("second use: %d %v", status, v)
	}
	if status, _ := f.exchange(t, code(), "http://console.example/other"); status != 400 {
		t.Errorf("another redirect: %d", status)
	}
	late := code()
	now = now.Add(time.Minute + time.Second)
	if status, _ := f.exchange(t, late, callback); status != 400 {
		t.Errorf("after a minute: %d", status)
	}
	if resp, _ := f.do(t, http.MethodPost, "/oauth/tokens", basic("app", "wrong"), form("code", code())); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("wrong secret: %d", resp.StatusCode)
	}
}

func TestUserInfoAndIDTokenAreOfTheLoginRole(t *testing.T) {
	f := newFixture(t, sandbox.Options{Users: 1000, OIDC: true})
	resp, _ := f.do(t, http.MethodGet, authorize("nonce", "n-1"), "", "", as(sandbox.SeedUserID))
	to, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	_, v := f.exchange(t, to.Query().Get("code"), callback)
	_, raw := f.do(t, http.MethodGet, "/userinfo", "Bearer "+v["access_token"].(string), "")
	var info map[string]any
	if err := json.Unmarshal(raw, &info); err != nil {
		t.Fatal(err)
	}
	if info["sub"] != sandbox.SeedUserID || info["user_type"] != "staff" || info["user_id"] != sandbox.SeedStaffLegacy || info["family_name"] != "Brakus" {
		t.Errorf("userinfo %v", info)
	}
	claims := f.verify(t, v["id_token"].(string))
	if claims["sub"] != sandbox.SeedUserID || claims["aud"] != "app" || claims["nonce"] != "n-1" || claims["iss"] != f.url {
		t.Errorf("claims %v", claims)
	}
}

// verify checks an ID token with the key that discovery leads to.
func (f *fixture) verify(t *testing.T, token string) map[string]any {
	t.Helper()
	_, raw := f.do(t, http.MethodGet, "/.well-known/openid-configuration", "", "")
	var conf struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(raw, &conf); err != nil {
		t.Fatal(err)
	}
	_, raw = f.do(t, http.MethodGet, strings.TrimPrefix(conf.JWKS, f.url), "", "")
	var set struct{ Keys []struct{ N, E string } }
	if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) != 1 {
		t.Fatal(err, string(raw))
	}
	bytes := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(bytes(set.Keys[0].N)), E: int(new(big.Int).SetBytes(bytes(set.Keys[0].E)).Int64())}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q", token)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], bytes(parts[2])); err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(bytes(parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
