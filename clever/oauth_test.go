package clever_test

import (
	"errors"
	"net/http"
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
