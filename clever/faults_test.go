package clever_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

// TestBadAnswersEndTheWalkWithTheirPage gives page 3 every fault that asking
// again cannot mend.
func TestBadAnswersEndTheWalkWithTheirPage(t *testing.T) {
	for kind, want := range map[sandbox.FaultKind]string{
		sandbox.Malformed:    "not JSON",
		sandbox.Truncated:    "stops in the middle",
		sandbox.HTML:         "where JSON was due",
		sandbox.ServerError:  "status 500",
		sandbox.TooMany:      "rate limit",
		sandbox.Reset:        "broke in the middle",
		sandbox.Endless:      "larger than",
		sandbox.NextLoop:     "back to itself",
		sandbox.NextFirst:    "does not go forward",
		sandbox.NextForeign:  "another host",
		sandbox.NextOther:    "another list",
		sandbox.NoLinks:      `no "links"`,
		sandbox.SkippingNext: "does not begin after its last record",
		sandbox.Foreign:      "belongs to another district",
		sandbox.EmptyPage:    "empty, yet has a next link",
		sandbox.RolesArray:   "/roles holds an array that does not fit",
		sandbox.WrongType:    "/name holds a number that does not fit",
		sandbox.NoID:         "record 1 of the page has no id",
	} {
		t.Run(string(kind), func(t *testing.T) {
			f := setup(t, sandbox.Options{}, func(c *clever.Config) { c.MaxBody = 1 << 20 })
			f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 3, Kind: kind, Times: -1})
			users, page, err := f.users(t)
			e, ok := errors.AsType[*clever.Error](err)
			if !ok || page != 3 || e.Page != 3 || e.RecordType != "users" || e.Path != "/v3.1/users" {
				t.Fatalf("page %d: %v", page, err)
			}
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "users page 3") {
				t.Errorf("%v\nwant %q", err, want)
			}
			if len(users) != 200 {
				t.Errorf("%d users before the fault, want 200", len(users))
			}
			if kind == sandbox.RolesArray || kind == sandbox.WrongType {
				if len(e.Record) != 24 {
					t.Errorf("record %q is not named", e.Record)
				}
			}
			f.noSecrets(t, err)
			f.s.Faults().Clear()
			if all, _, err := f.users(t); err != nil || len(all) < 600 {
				t.Errorf("the next walk: %d users, %v", len(all), err)
			}
		})
	}
}

// noSecrets looks for tokens and people in an error and in the log.
func (f *fixture) noSecrets(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{f.token, secret, "@kestrelvalley", "starting_after"} {
		if strings.Contains(err.Error(), s) || strings.Contains(f.log.String(), s) {
			t.Errorf("%q is told: %v\n%s", s, err, f.log)
		}
	}
}

// TestPassingTroubleIsWaitedOut gives page 2 the faults that asking again
// mends.
func TestPassingTroubleIsWaitedOut(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"500":   {Kind: sandbox.ServerError, Times: 2},
		"502":   {Kind: sandbox.ServerError, Times: 2, Status: 502},
		"503":   {Kind: sandbox.ServerError, Times: 1, Status: 503},
		"429":   {Kind: sandbox.TooMany, Times: 2},
		"reset": {Kind: sandbox.Reset, Times: 2},
		"slow":  {Kind: sandbox.Slow, Times: 1, Delay: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, sandbox.Options{})
			fault.Path, fault.Page = "/v3.1/users", 2
			f.s.Faults().Add(fault)
			users, _, err := f.users(t)
			if err != nil || len(users) < 600 || f.s.Faults().Struck() != fault.Times {
				t.Errorf("%d users after %d faults: %v", len(users), f.s.Faults().Struck(), err)
			}
		})
	}
}

func TestASlowAnswerRunsOutOfTime(t *testing.T) {
	// Long enough for a good page on a busy machine; one try, so that it is waited out once.
	f := setup(t, sandbox.Options{}, func(c *clever.Config) {
		c.PageTimeout, c.MaxBody, c.MaxAttempts = 3*time.Second, 1<<40, 1
	})
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.Endless, Times: -1})
	_, page, err := f.users(t)
	if err == nil || page != 2 || !strings.Contains(err.Error(), "not complete after 3s") {
		t.Errorf("page %d: %v", page, err)
	}
	f.s.Faults().Clear()
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.Slow, Delay: time.Minute, Times: -1})
	if _, page, err = f.users(t); err == nil || page != 2 || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("page %d: %v", page, err)
	}
}

func TestOtherStatusesAreNotRetried(t *testing.T) {
	for _, status := range []int{400, 403, 404, 413, 501, 302} {
		f := setup(t, sandbox.Options{})
		f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/schools", Kind: sandbox.ServerError, Status: status, Times: -1})
		for _, err := range f.Schools(t.Context(), f.token, "") {
			e, ok := errors.AsType[*clever.Error](err)
			if !ok || e.Status != status || f.s.Faults().Struck() != 1 {
				t.Errorf("status %d: %v after %d requests", status, err, f.s.Faults().Struck())
			}
		}
	}
}

// TestRateLimitIsPacedNotHit spends a small budget: the client must wait for
// the window before it asks, so that no 429 is ever answered.
func TestRateLimitIsPacedNotHit(t *testing.T) {
	const window = time.Second
	f := setup(t, sandbox.Options{Users: 500, RateLimit: 2, RateWindow: window})
	start := time.Now()
	tooMany := 0
	client := newClient(t, f.url, func(c *clever.Config) {
		c.HTTP = &http.Client{Transport: counting{func(status int) {
			if status == http.StatusTooManyRequests {
				tooMany++
			}
		}}}
	})
	users, pages := 0, 0
	for p, err := range client.Users(t.Context(), f.token, "") {
		if err != nil {
			t.Fatal(err)
		}
		users, pages = users+len(p.Items), pages+1
	}
	// Five pages at two a window take three windows at least, however the first
	// ones fall, so that a whole one lies between the first page and the last.
	if users < 500 || pages < 5 || tooMany != 0 || time.Since(start) < window {
		t.Errorf("%d users on %d pages, %d times 429, %s", users, pages, tooMany, time.Since(start))
	}
}

type counting struct{ saw func(status int) }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		c.saw(resp.StatusCode)
	}
	return resp, err
}

// TestRateHeadersInAnyFormAreRead answers 429 with the headers repeated and in
// odd case, by a clock of the test's own: the further reset must be waited for.
func TestRateHeadersInAnyFormAreRead(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var asked []time.Time
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = append(asked, time.Now())
		if len(asked) == 1 {
			w.Header()["x-ratelimit-remaining"] = []string{"7", "0"}
			w.Header()["X-RATELIMIT-RESET"] = []string{"1", "1795262401"} // the second is now + 1 s
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"links":[],"data":[]}`)) // the client under test tells if it is missing
	}))
	defer srv.Close()
	c := newClient(t, srv.URL, func(c *clever.Config) { c.Now = func() time.Time { return now } })
	if now.Unix() != 1795262400 {
		t.Fatalf("the test's clock is %d", now.Unix())
	}
	for p, err := range c.Terms(t.Context(), "t", "") {
		if err != nil || len(p.Items) != 0 {
			t.Fatal(p, err)
		}
	}
	if len(asked) != 2 || asked[1].Sub(asked[0]) < 950*time.Millisecond {
		t.Errorf("asked at %v", asked)
	}
}
