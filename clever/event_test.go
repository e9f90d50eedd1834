package clever_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"hallpass/clever"
	"hallpass/clever/sandbox"
)

// events walks the feed after a cursor.
func (f *fixture) events(t *testing.T, after string) (events []clever.Event, pages []clever.EventPage, err error) {
	t.Helper()
	for p, err := range f.Events(t.Context(), f.token, sandbox.SeedDistrictID, after) {
		if err != nil {
			return events, pages, err
		}
		pages = append(pages, p)
		events = append(events, p.Events...)
	}
	return events, pages, nil
}

// happen makes n events at the sandbox, of which the last is a removal.
func (f *fixture) happen(t *testing.T, n int) {
	t.Helper()
	for i := range n - 1 {
		if err := f.s.EditUser(f.s.UserIDAt(i), func(u map[string]any) { u["email"] = fmt.Sprintf("e%d@example.org", i) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.s.RemoveUser(f.s.UserIDAt(n)); err != nil {
		t.Fatal(err)
	}
}

func small(c *clever.Config) { c.PageSize = 10 }

func TestEventsAreReadInOrder(t *testing.T) {
	f := setup(t, sandbox.Options{}, small)
	if events, pages, err := f.events(t, ""); err != nil || len(events)+len(pages) > 1 {
		t.Fatalf("an empty feed gave %v %v", pages, err)
	}
	f.happen(t, 25)
	school := sandbox.SeedTeacherSchool
	for _, err := range []error{
		f.s.EditSchool(school, func(s map[string]any) { s["name"] = "New" }), f.s.RemoveSection(sandbox.CoTaughtSectionID),
		f.s.PutTerm(json.RawMessage(`{"id":"6387ffff0000000000000001","district":"` + sandbox.SeedDistrictID + `","name":"Summer"}`)),
		f.s.SetDistrict(sandbox.SeedDistrictID, "New Name", "paused"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	events, pages, err := f.events(t, "")
	if err != nil || len(events) != 29 || len(pages) != 3 || pages[1].Number != 2 || !pages[1].More || pages[2].More {
		t.Fatalf("%d events on %d pages: %v", len(events), len(pages), err)
	}
	for i, e := range events[:24] {
		if e.Kind != "users" || e.Action != clever.EventUpdated || e.User == nil || e.User.Email != fmt.Sprintf("e%d@example.org", i) ||
			e.RecordID != e.User.ID || !slices.Contains(e.Changed, "email") || !e.Has("roles") || e.Has("phone") || e.Problem != "" {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if e := events[24]; e.Action != clever.EventDeleted || e.RecordID != f.s.UserIDAt(25) {
		t.Errorf("%+v", e)
	}
	if e := events[25]; e.Type != "schools.updated" || e.School.Name != "New" {
		t.Errorf("%+v", e)
	}
	if e := events[26]; e.Type != "sections.deleted" || e.Section.ID != sandbox.CoTaughtSectionID {
		t.Errorf("%+v", e)
	}
	if e := events[27]; e.Type != "terms.created" || e.Term.Name != "Summer" {
		t.Errorf("%+v", e)
	}
	if e := events[28]; e.Type != "districts.updated" || e.District.State != "paused" {
		t.Errorf("%+v", e)
	}
	newest, err := f.LatestEventID(t.Context(), f.token)
	if err != nil || newest != events[28].ID || newest != pages[2].Last {
		t.Errorf("the newest is %s: %v", newest, err)
	}
	if rest, _, err := f.events(t, events[20].ID); err != nil || len(rest) != 8 || rest[0].ID != events[21].ID {
		t.Errorf("%d events after a cursor: %v", len(rest), err)
	}
	if rest, _, err := f.events(t, newest); err != nil || len(rest) != 0 {
		t.Errorf("%d events after the newest: %v", len(rest), err)
	}
}

func TestEventsThatComeBadlyArePutRight(t *testing.T) {
	for _, kind := range []sandbox.FaultKind{sandbox.Twice, sandbox.Shuffled, sandbox.Skewed} {
		f := setup(t, sandbox.Options{}, small)
		f.happen(t, 25)
		good, _, err := f.events(t, "")
		if err != nil {
			t.Fatal(err)
		}
		f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: kind, Times: -1})
		bad, pages, err := f.events(t, "")
		known := 0
		for _, p := range pages {
			known += p.Known
		}
		if err != nil || len(bad) != len(good) || (known > 0) != (kind == sandbox.Twice) {
			t.Fatalf("%s: %d events, %d known: %v", kind, len(bad), known, err)
		}
		for i := range good {
			if good[i].ID != bad[i].ID || good[i].RecordID != bad[i].RecordID {
				t.Errorf("%s: event %d is another one", kind, i)
			}
		}
	}
}

func TestABadEventSpoilsOnlyItself(t *testing.T) {
	for kind, want := range map[sandbox.FaultKind]string{
		sandbox.NullObject: "no record", sandbox.NoRecordID: "no id", sandbox.UnknownType: "unknown type", sandbox.WrongType: "/name holds a number",
		sandbox.RolesArray: "/roles holds an array", sandbox.NoID: "no id", sandbox.Foreign: "another district",
	} {
		f := setup(t, sandbox.Options{}, small)
		f.happen(t, 15)
		f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Page: 2, Kind: kind})
		events, _, err := f.events(t, "")
		problems := 0
		for _, e := range events {
			if e.Problem == "" {
				continue
			}
			problems++
			if !strings.Contains(e.Problem, want) || e.User != nil || kind != sandbox.NoID && e.ID == "" {
				t.Errorf("%s: %+v", kind, e)
			}
		}
		due := 1
		if kind == sandbox.Foreign {
			due = 5
		}
		if err != nil || len(events) != 15 || problems != due {
			t.Errorf("%s: %d events, %d problems: %v", kind, len(events), problems, err)
		}
	}
}

func TestBrokenFeedsAreRefused(t *testing.T) {
	for _, kind := range []sandbox.FaultKind{
		sandbox.Malformed, sandbox.Truncated, sandbox.HTML, sandbox.NextLoop, sandbox.NextFirst, sandbox.NextForeign, sandbox.NextOther,
		sandbox.SkippingNext, sandbox.NoLinks,
	} {
		f := setup(t, sandbox.Options{}, small)
		f.happen(t, 35)
		f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Page: 2, Kind: kind, Times: -1})
		events, pages, err := f.events(t, "")
		if e, ok := errors.AsType[*clever.Error](err); !ok || e.Page != 2 || len(events) != 10 || len(pages) != 1 {
			t.Errorf("%s: %d events, then %v", kind, len(events), err)
		}
	}
}

func TestForgottenCursorIsItsOwnError(t *testing.T) {
	f := setup(t, sandbox.Options{ForgetsCursors: true}, small)
	f.happen(t, 5)
	if _, _, err := f.events(t, "000000000000000000000001"); !errors.Is(err, clever.ErrCursorExpired) {
		t.Errorf("got %v", err)
	}
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.ServerError, Status: http.StatusNotFound, Times: -1})
	if _, _, err := f.events(t, "000000000000000000000001"); !errors.Is(err, clever.ErrCursorExpired) {
		t.Errorf("404 with a cursor gave %v", err)
	}
	if events, _, err := f.events(t, ""); err != nil || len(events) != 0 {
		t.Errorf("a feed that is switched off gave %v", err)
	}
	f.s.Faults().Clear()
	f.s.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.ServerError, Status: http.StatusUnauthorized, Times: -1})
	if _, _, err := f.events(t, "000000000000000000000001"); !errors.Is(err, clever.ErrUnauthorized) || errors.Is(err, clever.ErrCursorExpired) {
		t.Errorf("a refused token gave %v", err)
	}
}

func FuzzEventsPage(f *testing.F) {
	f.Add(`{"data":[{"data":{"id":"1","type":"users.updated","data":{"object":{"id":"u","roles":{"x":1}},"previous_attributes":{"name":1}}}}],"links":[{"rel":"next","uri":"/v3.1/events?starting_after=1"}]}`)
	f.Add("{\"data\":[null,{\"data\":null},{\"data\":{\"id\":\"2\",\"type\":\"users.deleted\",\"data\":{\"object\":{\"id\":\"\\u0000\xff\"}}}}],\"links\":[]}")
	f.Fuzz(func(t *testing.T, body string) {
		c := newClient(t, "http://clever.example", func(c *clever.Config) {
			c.MaxPages, c.HTTP = 3, &http.Client{Transport: answers(body)}
		})
		last := ""
		for p, err := range c.Events(t.Context(), "tok", "d", "") {
			if err != nil {
				if _, ok := errors.AsType[*clever.Error](err); !ok {
					t.Fatalf("%T: %v", err, err)
				}
				continue
			}
			for _, e := range p.Events {
				if e.ID != "" && e.ID <= last {
					t.Fatalf("%q after %q", e.ID, last)
				}
				last = max(last, e.ID)
				for _, s := range []string{e.ID, e.Type, e.RecordID, e.Problem} {
					if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
						t.Fatalf("%q cannot be stored", s)
					}
				}
			}
		}
	})
}
