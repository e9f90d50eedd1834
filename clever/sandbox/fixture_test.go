package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
)

var planted = []string{
	sandbox.SeedUserID, sandbox.ThreeSchoolsUserID, sandbox.AllRolesUserID, sandbox.TeacherUserID, sandbox.StaffUserID,
	sandbox.TechLeadUserID, sandbox.DistrictAdminUserID, sandbox.StudentUserID, sandbox.ContactUserID, sandbox.NoRolesUserID,
	sandbox.SharedEmailContactID, sandbox.NullEmailUserID, sandbox.NonASCIIUserID, sandbox.LongNameUserID, sandbox.RightToLeftUserID,
	sandbox.ScriptUserID, sandbox.UnknownRoleUserID, sandbox.UnknownLabelUserID, sandbox.ManySchoolsUserID, sandbox.UnsharedSchoolUserID,
	sandbox.NoEnrollmentsUserID, sandbox.SensitiveUserID, sandbox.AdminTeacherUserID, sandbox.AbsentFieldsUserID, sandbox.FirstTwinUserID,
	sandbox.SecondTwinUserID,
}

var plantedSections = []string{
	sandbox.CoTaughtSectionID, sandbox.OutsideSectionID, sandbox.NullTermSectionID, sandbox.NoTeacherSectionID,
	sandbox.SeedUserSectionID, sandbox.AllRolesSectionID, sandbox.AdminTeacherSectionID,
}

// fixture is a sandbox on a real port with the first district's token.
type fixture struct {
	s      *sandbox.Sandbox
	url    string
	token  string
	client *http.Client // follows no redirects, keeps no cookies
}

const callback = "http://console.example/signin/clever/callback"

func newFixture(t *testing.T, opt sandbox.Options) *fixture {
	t.Helper()
	t.Logf("seed %d", opt.Seed)
	opt.ClientID, opt.ClientSecret = "app", "secret"
	opt.RedirectURLs = []string{callback, "http://console.example/other"}
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	f := &fixture{s: s, url: srv.URL, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	f.token = f.tokenOf(t, s.DistrictID())
	return f
}

func (f *fixture) do(tb testing.TB, method, path, auth, body string, cookies ...*http.Cookie) (reply, []byte) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, resp.Cookies(), resp.Location}, raw
}

// reply is what is left of an answer whose body was read.
type reply struct {
	StatusCode int
	Header     http.Header
	cookies    []*http.Cookie
	Location   func() (*url.URL, error)
}

func (r reply) Cookies() []*http.Cookie { return r.cookies }

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func (f *fixture) tokenOf(tb testing.TB, district string) string {
	tb.Helper()
	_, raw := f.do(tb, http.MethodGet, "/oauth/tokens?owner_type=district&district="+district, basic("app", "secret"), "")
	var list struct {
		Data []struct {
			Token string `json:"access_token"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Data) != 1 {
		tb.Fatalf("token list: %v %s", err, raw)
	}
	return list.Data[0].Token
}

func (f *fixture) get(t *testing.T, path string) (int, []byte) {
	t.Helper()
	resp, raw := f.do(t, http.MethodGet, path, "Bearer "+f.token, "")
	return resp.StatusCode, raw
}

type record struct {
	Data map[string]any `json:"data"`
	URI  string         `json:"uri"`
}

func (r record) id() string { return r.Data["id"].(string) }

type list struct {
	Data  []record `json:"data"`
	Count *int     `json:"count"`
	Links []struct {
		Rel string `json:"rel"`
		URI string `json:"uri"`
	} `json:"links"`
}

func (l list) link(rel string) string {
	for _, k := range l.Links {
		if k.Rel == rel {
			return k.URI
		}
	}
	return ""
}

func (l list) ids() []string {
	var out []string
	for _, r := range l.Data {
		out = append(out, r.id())
	}
	return out
}

func (f *fixture) list(t *testing.T, path string) list {
	t.Helper()
	status, raw := f.get(t, path)
	var l list
	if err := json.Unmarshal(raw, &l); err != nil || status != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %.500s", path, status, err, raw)
	}
	return l
}

// all walks a list by its next links.
func (f *fixture) all(t *testing.T, path string) []record {
	t.Helper()
	var out []record
	for path != "" {
		l := f.list(t, path)
		out = append(out, l.Data...)
		path = l.link("next")
	}
	return out
}

func (f *fixture) firstID(path string) string {
	req, _ := http.NewRequest(http.MethodGet, f.url+path, nil)
	req.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var l list
	if json.NewDecoder(resp.Body).Decode(&l) != nil || len(l.Data) == 0 {
		return ""
	}
	return l.Data[0].id()
}

func form(kv ...string) string {
	q := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		q.Set(kv[i], kv[i+1])
	}
	return q.Encode()
}
