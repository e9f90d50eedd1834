package clever_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

const (
	clientID = "app-1"
	secret   = "s3cr3t-of-the-app"
	callback = "http://console.example/signin/clever/callback"
)

// fixture is a client beside a sandbox, over real HTTP.
type fixture struct {
	*clever.Client
	s     *sandbox.Sandbox
	url   string
	token string
	log   *bytes.Buffer
}

func setup(t *testing.T, opt sandbox.Options, change ...func(*clever.Config)) *fixture {
	t.Helper()
	if opt.Seed == 0 {
		opt.Seed = 21
	}
	if opt.Users == 0 {
		opt.Users = 600
	}
	t.Logf("seed %d", opt.Seed)
	opt.ClientID, opt.ClientSecret, opt.RedirectURLs = clientID, secret, []string{callback}
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	f := &fixture{s: s, url: srv.URL, log: &bytes.Buffer{}}
	f.Client = newClient(t, srv.URL, append([]func(*clever.Config){func(c *clever.Config) {
		c.Log = slog.New(slog.NewJSONHandler(f.log, nil))
	}}, change...)...)
	dt, err := f.DistrictToken(t.Context(), s.DistrictID())
	if err != nil {
		t.Fatal(err)
	}
	f.token = dt.Token
	return f
}

// newClient waits as briefly as it can between tries.
func newClient(t *testing.T, base string, change ...func(*clever.Config)) *clever.Client {
	t.Helper()
	cfg := clever.Config{
		APIURL: base, AuthURL: base, ClientID: clientID, ClientSecret: secret, RedirectURL: callback,
		PageSize: 100, PageTimeout: time.Minute, MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, MaxAttempts: 3,
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := clever.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// users walks the whole list and counts its pages.
func (f *fixture) users(t *testing.T) (users []clever.User, pages int, err error) {
	t.Helper()
	for p, err := range f.Users(t.Context(), f.token, "") {
		if err != nil {
			return users, p.Number, err
		}
		if pages++; p.Number != pages {
			t.Fatalf("page %d has number %d", pages, p.Number)
		}
		users = append(users, p.Items...)
	}
	return users, pages, nil
}

// code gets a sign-in code as a browser would, and what came back with it.
func (f *fixture) code(t *testing.T, path string, as string) url.Values {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "clever_sandbox", Value: as})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), callback) {
		t.Fatalf("status %d, location %v, %v", resp.StatusCode, to, err)
	}
	return to.Query()
}
