package clever_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

func TestSignIn(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f := setup(t, sandbox.Options{Now: func() time.Time { return now }})
	back := f.code(t, f.AuthorizeURL("the state", ""), sandbox.SeedUserID)
	if back.Get("state") != "the state" || back.Get("code") == "" {
		t.Fatalf("callback %v", back)
	}
	token, err := f.Exchange(t.Context(), back.Get("code"))
	if err != nil || !strings.HasPrefix(token, "il") {
		t.Fatal(err)
	}
	me, err := f.Me(t.Context(), token)
	if want := (clever.Me{ID: sandbox.SeedUserID, District: sandbox.SeedDistrictID, Type: "user", AuthorizedBy: "district"}); err != nil || me != want {
		t.Errorf("me %+v, %v", me, err)
	}
	u, err := f.User(t.Context(), token, me.ID)
	if err != nil || u.Roles.Teacher == nil || u.Roles.Staff == nil {
		t.Errorf("own user: %+v, %v", u, err)
	}
	if _, err := f.User(t.Context(), token, sandbox.TeacherUserID); !errors.Is(err, clever.ErrNotFound) {
		t.Errorf("another user: %v", err)
	}
	if _, err := f.Me(t.Context(), f.token); !errors.Is(err, clever.ErrUnauthorized) {
		t.Errorf("me with a district token: %v", err)
	}
	f.token = token
	if _, _, err := f.users(t); !errors.Is(err, clever.ErrUnauthorized) {
		t.Errorf("list with a user token: %v", err)
	}

	_, err = f.Exchange(t.Context(), back.Get("code"))
	if e, ok := errors.AsType[*clever.Error](err); !ok || e.Status != 400 || !errors.Is(err, clever.ErrInvalidGrant) {
		t.Errorf("used code: %v", err)
	}
	late := f.code(t, f.AuthorizeURL("s", sandbox.SeedDistrictID), sandbox.SeedUserID).Get("code")
	now = now.Add(61 * time.Second)
	_, err = f.Exchange(t.Context(), late)
	if !errors.Is(err, clever.ErrInvalidGrant) || strings.Contains(err.Error(), late) {
		t.Errorf("expired code: %v", err)
	}
	now = now.Add(25 * time.Hour)
	if _, err := f.Me(t.Context(), token); !errors.Is(err, clever.ErrUnauthorized) {
		t.Errorf("old user token: %v", err)
	}
}

func TestArrivalsThatCleverStartedHaveNoState(t *testing.T) {
	f := setup(t, sandbox.Options{})
	q := url.Values{"client_id": {clientID}, "district_id": {sandbox.SeedDistrictID}}
	back := f.code(t, f.url+"/oauth/instant-login?"+q.Encode(), sandbox.StaffUserID)
	if back.Has("state") || back.Get("code") == "" {
		t.Errorf("callback %v", back)
	}
	if _, err := f.Exchange(t.Context(), back.Get("code")); err != nil {
		t.Error(err)
	}
}

func TestExchangeOfWhatIsNoToken(t *testing.T) {
	for body, want := range map[string]string{`{}`: "no access token", `{"access_token":7}`: "does not fit", `{"access`: "stops"} {
		_, err := said(t, body).Exchange(t.Context(), "code")
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, clever.ErrInvalidGrant) {
			t.Errorf("%s: %v", body, err)
		}
	}
	f := setup(t, sandbox.Options{})
	f.s.Faults().Add(sandbox.Fault{Path: "/oauth/tokens", Kind: sandbox.ServerError, Status: http.StatusBadGateway, Times: -1})
	if _, err := f.Exchange(t.Context(), "code"); err == nil || f.s.Faults().Struck() != 1 {
		t.Errorf("a code was tried %d times: %v", f.s.Faults().Struck(), err)
	}
}

func TestTheTokenListIsFollowedIfItPages(t *testing.T) {
	pages := map[string]string{
		"": `{"data":[{"owner":{"type":"district","id":"d1"},"access_token":"t1"},{"owner":{"type":"school","id":"s"},"access_token":"no"}],
			"links":[{"rel":"next","uri":"/oauth/tokens?owner_type=district&page=2"}]}`,
		"2":    `{"data":[{"owner":{"type":"district","id":"d2"},"access_token":"t2","created":"2021-02-24T22:24:55.985Z"}],"links":[]}`,
		"loop": `{"data":[],"links":[{"rel":"next","uri":"/oauth/tokens?owner_type=district&page=loop"}]}`,
	}
	start := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		if page == "" {
			page = start
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(pages[page])) // the client under test tells if it is missing
	}))
	defer srv.Close()
	c := newClient(t, srv.URL)
	list, err := c.Tokens(t.Context())
	if err != nil || len(list) != 2 || list[1].DistrictID != "d2" || list[1].Created.Year() != 2021 {
		t.Errorf("%v, %v", list, err)
	}
	if s := fmt.Sprintf("%v %+v %#v", list[0], list[0], list); strings.Contains(s, "t1") {
		t.Errorf("the token prints: %s", s)
	}
	start = "loop"
	if _, err := c.Tokens(t.Context()); err == nil || !strings.Contains(err.Error(), "does not go forward") {
		t.Errorf("loop: %v", err)
	}
}

func TestEventsThatAreOffCountAsNone(t *testing.T) {
	for status, off := range map[int]bool{404: true, 501: true, 401: false, 500: false} {
		f := setup(t, sandbox.Options{})
		f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.ServerError, Status: status, Times: -1})
		if id, err := f.LatestEventID(t.Context(), f.token); id != "" || (err == nil) != off {
			t.Errorf("status %d: %q, %v", status, id, err)
		}
	}
	const body = `{"data":[{"data":{"id":"70aaee000000000000000001","type":"users.updated","data":{"object":{"id":"1"}}}}],"links":[]}`
	if id, err := said(t, body).LatestEventID(t.Context(), "tok"); id != "70aaee000000000000000001" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
}

func TestAnAPIBehindAPathIsFollowedThere(t *testing.T) {
	f := setup(t, sandbox.Options{})
	proxy := httptest.NewServer(http.StripPrefix("/clever", f.s.Handler()))
	defer proxy.Close()
	f.Client = newClient(t, proxy.URL+"/clever/")
	if users, pages, err := f.users(t); err != nil || len(users) < 600 || pages < 6 {
		t.Errorf("%d users on %d pages: %v", len(users), pages, err)
	}
}
