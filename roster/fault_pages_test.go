package roster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// recovered ends a test of trouble: once it is over, one full sync makes the rows those of a database that never met
// it, and everybody is still who they were here.
func (w *world) recovered(t *testing.T, people string) {
	t.Helper()
	w.sandbox.Faults().Clear()
	w.sync()
	control := *w
	control.T = t
	control.look, control.store = w.another(t)
	control.sync()
	if d := cmp.Diff(control.state(), w.state()); d != "" {
		t.Errorf("undisturbed -, after trouble +:\n%s", d)
	}
	if got := w.people(); !strings.HasPrefix(got, people) {
		t.Errorf("people are others than before: %.200s\nwant %.200s", got, people)
	}
}

// people are our ids of everybody who has ever been here, in order, with Clever's.
func (w *world) people() string {
	w.Helper()
	return w.text(`SELECT string_agg(id || ' ' || clever_id, ',' ORDER BY id) FROM users`)
}

func endedNothing(w *world) {
	w.Helper()
	for _, table := range []string{"users", "schools", "sections", "terms", "role_grants"} {
		w.is("0", `SELECT count(*) FROM `+table+` WHERE ended_at IS NOT NULL`)
	}
}

// TestPagesTwiceOrOutOfOrderEndNothing: Clever's lists are ordered by id, so that either shows.
func TestPagesTwiceOrOutOfOrderEndNothing(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	people := w.people()
	for kind, want := range map[sandbox.FaultKind]string{
		sandbox.PageAgain: "does not come after the record before it",
		sandbox.Twice:     "does not come after the record before it",
		sandbox.Shuffled:  "does not come after the record before it",
		sandbox.PageAhead: "but listed",
	} {
		t.Run(string(kind), func(t *testing.T) {
			w := *w
			w.T = t
			defer w.sandbox.Faults().Clear()
			w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 3, Kind: kind, Times: -1})
			if run := w.failed(Options{}); run.ErrorType != "users" || run.ErrorNext != "answer" || !strings.Contains(run.Error, want) {
				t.Errorf("at %s, next %s: %s\nwant %q", run.ErrorType, run.ErrorNext, run.Error, want)
			}
			endedNothing(&w)
		})
	}
	w.recovered(t, people)
}

// TestSlowBytesAreReadToTheEnd, unless they take longer than an answer may.
func TestSlowBytesAreReadToTheEnd(t *testing.T) {
	var config clever.Config
	w := newWorld(t, change{sandbox: smallDistrict, client: func(c *clever.Config) { config = *c }})
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/", Kind: sandbox.Drip, Delay: time.Millisecond, Times: -1})
	w.sync()
	people := w.people()
	config.PageTimeout, config.MaxAttempts = 3*time.Second, 1 // long enough for a good page on a busy machine
	impatient, err := clever.New(config)
	w.must(err)
	patient := w.client
	w.client = impatient
	w.sandbox.Faults().Clear()
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/sections", Page: 1, Kind: sandbox.Drip, Delay: time.Hour})
	if run := w.failed(Options{}); run.ErrorType != "sections" || run.ErrorNext != "answer" {
		t.Errorf("at %s, next %s: %s", run.ErrorType, run.ErrorNext, run.Error)
	}
	endedNothing(w)
	w.client = patient
	w.recovered(t, people)
}

// TestTokenRevokedAtAnyPage of a full sync stops it there, and nobody is gone for that.
func TestTokenRevokedAtAnyPage(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	people := w.people()
	for _, at := range []struct {
		typ  models.RosterType
		page int
	}{{models.RosterSchools, 1}, {models.RosterTerms, 1}, {models.RosterUsers, 1}, {models.RosterUsers, 2}, {models.RosterUsers, 4}, {models.RosterSections, 1}} {
		t.Run(fmt.Sprint(at.typ, " ", at.page), func(t *testing.T) {
			w := *w
			w.T = t
			defer w.sandbox.Faults().Clear()
			w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/" + string(at.typ), Page: at.page, Kind: sandbox.ServerError, Status: 401, Times: -1})
			if run := w.failed(Options{}); run.ErrorNext != "credentials" || run.ErrorType != string(at.typ) || run.ErrorPage != at.page || run.ErrorSaid == "" || !strings.Contains(run.Error, run.ErrorSaid) {
				t.Errorf("at %s page %d, next %s: %s\nClever said %q", run.ErrorType, run.ErrorPage, run.ErrorNext, run.Error, run.ErrorSaid)
			}
			endedNothing(&w)
		})
	}
	w.recovered(t, people)
}

// TestTokenRevokedBetweenPagesOfEvents: what was taken over stays, and the next run goes on behind it.
func TestTokenRevokedBetweenPagesOfEvents(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict, client: func(c *clever.Config) { c.PageSize = 5 }})
	w.sync()
	people := w.people()
	for i := range 12 {
		w.edit(w.sandbox.UserIDAt(i), func(u map[string]any) { u["email"] = fmt.Sprintf("moved%d@example.org", i) })
	}
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Page: 2, Kind: sandbox.ServerError, Status: 401})
	done, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
	if err == nil || done.Run.State != models.SyncFailed || done.Run.ErrorNext != "credentials" {
		t.Fatalf("run %s, next %s: %v", done.Run.State, done.Run.ErrorNext, err)
	}
	w.is("5", `SELECT count(*) FROM users WHERE email LIKE 'moved%'`)
	w.followed()
	w.is("12", `SELECT count(*) FROM users WHERE email LIKE 'moved%'`)
	w.recovered(t, people)
}

// TestWrongIDsLoseNobody: whoever comes under an id that nobody has looks like somebody else, until the right one is
// back; then it is the same person as before.
func TestWrongIDsLoseNobody(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	people := w.people()
	for _, typ := range []models.RosterType{models.RosterUsers, models.RosterSections, models.RosterTerms, models.RosterSchools} {
		w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/" + string(typ), Page: 1, Kind: sandbox.WrongID})
		w.sync()
		w.is("1", `SELECT count(*) FROM `+string(typ)+` WHERE ended_at IS NOT NULL`)
		w.sandbox.Faults().Clear()
		w.sync()
		w.is("1", `SELECT count(*) FROM `+string(typ)+` WHERE ended_at IS NOT NULL`) // the one that never was
	}
	w.edit(w.sandbox.UserIDAt(3), func(u map[string]any) { u["email"] = "moved@example.org" })
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.WrongID, Times: -1})
	w.followed()
	w.recovered(t, people)
}

// TestEventsAgainAreRefused: a page of the feed from before the cursor that claims more to come would lead in a circle.
// The next run goes on where the tables are.
func TestEventsAgainAreRefused(t *testing.T) {
	w := newWorld(t, change{sandbox: smallDistrict, client: func(c *clever.Config) { c.PageSize = 4 }})
	w.sync()
	people := w.people()
	edit := func(name string) {
		for i := range 6 {
			w.edit(w.sandbox.UserIDAt(i), func(u map[string]any) { u["email"] = fmt.Sprintf("%s%d@example.org", name, i) })
		}
	}
	edit("first")
	w.followed()
	edit("second")
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/events", Kind: sandbox.PageAgain})
	_, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
	if err == nil || !strings.Contains(err.Error(), "nothing new, yet has a next link") {
		t.Errorf("got %v", err)
	}
	w.is("failed answer", `SELECT state || ' ' || error_next FROM sync_runs ORDER BY id DESC LIMIT 1`)
	w.followed()
	w.is("6", `SELECT count(*) FROM users WHERE email LIKE 'second%'`)
	w.recovered(t, people)
}
