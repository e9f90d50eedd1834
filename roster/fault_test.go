package roster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// failed runs a sync that must fail, and gives its run as stored.
func (w *world) failed(opts Options) models.SyncRun {
	w.Helper()
	run, err := Full(w.Context(), w.store, w.client, sandbox.SeedDistrictID, opts)
	if err == nil {
		w.Fatal("the sync did not fail")
	}
	w.must(w.system().Read(w.Context(), func(tx *models.Tx) (err error) { run, err = tx.SyncRun(w.Context(), run.ID); return err }))
	if run.State != models.SyncFailed || run.FinishedAt == nil || run.Error == "" {
		w.Fatalf("run is %s with error %q", run.State, run.Error)
	}
	return run
}

func TestBadAnswersEndNothing(t *testing.T) {
	const never = -1
	var config clever.Config
	w := newWorld(t, change{client: func(c *clever.Config) {
		c.MaxBody, c.MaxRateWait = 8<<20, 20*time.Millisecond
		config = *c
	}})
	w.sync()
	// Long enough for a good page on a busy machine; one try, so that it is waited out once.
	config.PageTimeout, config.MaxAttempts = 3*time.Second, 1
	impatient, err := clever.New(config)
	w.must(err)
	// Somebody is gone, which a run that fails must not conclude.
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID))
	for _, typ := range []models.RosterType{models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections} {
		for _, kind := range []sandbox.FaultKind{
			sandbox.Malformed, sandbox.Truncated, sandbox.HTML, sandbox.TooMany, sandbox.ServerError,
			sandbox.Slow, sandbox.Reset, sandbox.Endless, sandbox.NextLoop, sandbox.NextForeign, sandbox.NextOther, sandbox.NoLinks,
			sandbox.Foreign,
			sandbox.EmptyPage, sandbox.WrongType, sandbox.NoID,
		} {
			page := 1
			if typ == models.RosterUsers {
				page = 3
			}
			if kind == sandbox.EmptyPage && typ != models.RosterUsers {
				continue // the list has one page, which then is an empty list: another test
			}
			t.Run(fmt.Sprint(typ, " ", kind), func(t *testing.T) {
				w := *w
				w.T = t
				if kind == sandbox.Slow {
					w.client = impatient
				}
				defer w.sandbox.Faults().Clear()
				w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/" + string(typ), Page: page, Kind: kind, Times: never, Delay: time.Hour})
				run := w.failed(Options{})
				if run.ErrorType != string(typ) || run.ErrorPage != page || !strings.Contains(run.Error, string(typ)) {
					t.Errorf("error names %s page %d: %s", run.ErrorType, run.ErrorPage, run.Error)
				}
				w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
				w.is("0", `SELECT count(*) FROM schools WHERE ended_at IS NOT NULL`)
				w.is("0", `SELECT count(*) FROM sections WHERE ended_at IS NOT NULL`)
				w.is("0", `SELECT count(*) FROM role_grants WHERE ended_at IS NOT NULL`)
			})
		}
	}
	run := w.sync()
	if of(run, models.RosterUsers).Ended != 1 {
		t.Errorf("the next run does not recover: %+v", run.Progress)
	}
}

func TestPassingTroubleIsOvercome(t *testing.T) {
	w := newWorld(t, change{})
	w.sandbox.Faults().Add(
		sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.ServerError},
		sandbox.Fault{Path: "/v3.1/users", Page: 3, Kind: sandbox.Reset},
		sandbox.Fault{Path: "/v3.1/sections", Page: 1, Kind: sandbox.TooMany})
	w.sync()
	if n := w.sandbox.Faults().Struck(); n != 3 {
		t.Errorf("%d faults struck", n)
	}
}

func TestEmptyListIsNotBelieved(t *testing.T) {
	for _, typ := range []models.RosterType{models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections} {
		t.Run(string(typ), func(t *testing.T) {
			w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
			w.sync()
			before := w.marks("")
			w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/" + string(typ), Page: 1, Kind: sandbox.NoRecords},
				sandbox.Fault{Path: "/v3.1/" + string(typ), Kind: sandbox.NoCount, Times: -1})
			defer w.sandbox.Faults().Clear()
			run := w.held()
			for table, mark := range w.marks("") {
				if mark != before[table] {
					t.Errorf("%s was written", table)
				}
			}
			w.is("true", `SELECT count(*) > 0 AND bool_and(type = $2) FROM held_records WHERE run_id = $1`, run.ID, string(typ))
			w.sandbox.Faults().Clear()
			w.sync()
			w.is("superseded", `SELECT state FROM sync_runs WHERE id = $1`, run.ID)
		})
	}
}

func TestListThatEndsEarlyIsNotBelieved(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	read := map[models.RosterType]int{models.RosterUsers: 750}
	for _, typ := range []models.RosterType{models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections} {
		page := 1
		if typ == models.RosterUsers {
			page = 4
		}
		w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/" + string(typ), Page: page, Kind: sandbox.NoRecords})
		run := w.failed(Options{})
		total := w.text(`SELECT count(*) FROM ` + string(typ) + map[models.RosterType]string{models.RosterSchools: ` WHERE listed`}[typ])
		want := fmt.Sprintf("Clever says there are %s %s but listed %d.", total, typ, read[typ])
		if run.ErrorType != string(typ) || run.ErrorPage != page || run.ErrorNext != "answer" || !strings.Contains(run.Error, want) {
			t.Errorf("%s page %d, next %s: %s\nwant %q", run.ErrorType, run.ErrorPage, run.ErrorNext, run.Error, want)
		}
		w.is("0", `SELECT count(*) FROM `+string(typ)+` WHERE ended_at IS NOT NULL`)
	}
	w.sync()
}

// TestCountIsNoCondition: a Clever that does not count is believed, one that refuses the token is not.
func TestCountIsNoCondition(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/", Kind: sandbox.NoCount, Times: -1})
	w.sync()
	if n := w.sandbox.Faults().Struck(); n != 4 {
		t.Errorf("%d counts were asked for, want one of each type", n)
	}
	w.sandbox.Faults().Clear()
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/terms", Kind: sandbox.ServerError, Status: 401})
	if run := w.failed(Options{}); run.ErrorNext != "credentials" || run.ErrorType != "terms" {
		t.Errorf("%s at %s: %s", run.ErrorNext, run.ErrorType, run.Error)
	}
}

// TestRecordsOfAnotherDistrictAreRefused, from the very first one on.
func TestRecordsOfAnotherDistrictAreRefused(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 1, Kind: sandbox.Foreign})
	if run := w.failed(Options{}); run.ErrorType != "users" || run.ErrorPage != 1 || !strings.Contains(run.Error, "another district") {
		t.Errorf("%s page %d: %s", run.ErrorType, run.ErrorPage, run.Error)
	}
	w.is("0", `SELECT count(*) FROM users`)
}

// TestSkippingNextIsRefused: the page left out would be taken to be gone.
func TestSkippingNextIsRefused(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.SkippingNext})
	if run := w.failed(Options{}); run.ErrorType != "users" || run.ErrorPage != 2 || !strings.Contains(run.Error, "does not begin after its last record") {
		t.Errorf("%s page %d: %s", run.ErrorType, run.ErrorPage, run.Error)
	}
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
}

// TestFailedRunTakesNothing: a role that an arrived record no longer has waits for the run's end too.
func TestFailedRunTakesNothing(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	first := w.text(`SELECT clever_id FROM users WHERE role_count > 0 ORDER BY clever_id COLLATE "C" LIMIT 1`)
	w.edit(first, func(u map[string]any) { u["roles"] = map[string]any{} })
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 4, Kind: sandbox.HTML})
	run := w.failed(Options{})
	w.is("0", `SELECT count(DISTINCT user_id) FROM role_grants WHERE ended_at IS NOT NULL`)
	if !strings.Contains(run.Error, "Nobody was deactivated; what had arrived before is kept.") {
		t.Error(run.Error)
	}
	w.sandbox.Faults().Clear()
	w.sync()
	w.is("1", `SELECT count(DISTINCT user_id) FROM role_grants WHERE ended_at IS NOT NULL`)
	w.is("0", `SELECT count(*) FROM held_records`)
}

func TestHalfAListIsNotBelieved(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/v3.1/users", Page: 2, Kind: sandbox.NoRecords},
		sandbox.Fault{Path: "/v3.1/users", Kind: sandbox.NoCount, Times: -1})
	w.held()
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	w.sandbox.Faults().Clear()
	w.sync()
}

func TestTwoRunsAtOnceAreOne(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
	w.sync()
	var second error
	tried := false
	_, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(models.SyncProgress) {
		if !tried {
			tried = true
			_, second = Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{})
		}
	}})
	if err != nil || !errors.Is(second, ErrUnderWay) {
		t.Errorf("first: %v, second: %v", err, second)
	}
	w.is("2", `SELECT count(*) FROM sync_runs`)
}

func TestStoppedRunIsMarkedFailed(t *testing.T) {
	w := newWorld(t, change{})
	ctx, stop := context.WithCancel(t.Context())
	_, err := Full(ctx, w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) {
		if p.Type == models.RosterUsers && p.Pages == 2 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.is("failed|users", `SELECT state || '|' || error_type FROM sync_runs`)
	// What was written stays, and the next run goes on from it.
	kept := w.text(`SELECT count(*) FROM users`)
	p := of(w.sync(), models.RosterUsers)
	if fmt.Sprint(p.Unchanged) != kept || p.Created == 0 {
		t.Errorf("%s users were kept, then %+v", kept, p)
	}
}

// victim makes this test binary a program that syncs and kills itself, so that a run really dies.
const victim = "HALLPASS_TEST_VICTIM"

func TestKilledRunIsTakenOver(t *testing.T) {
	if target := os.Getenv(victim); target != "" {
		die(t, target)
		return
	}
	now := time.Now()
	w := newWorld(t, change{store: func(c *models.Config) { c.Now = func() time.Time { return now } }})
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledRunIsTakenOver$")
	child.Env = append(os.Environ(), victim+"="+w.look.Config().ConnString()+" "+w.url)
	out, err := child.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != -1 {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	w.is("running", `SELECT state FROM sync_runs`)
	w.is("500", `SELECT count(*) FROM users`)
	w.is("500", `SELECT progress->2->>'read' FROM sync_runs`)
	now = time.Now()
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrUnderWay) {
		t.Errorf("a run that may be alive was taken over: %v", err)
	}
	now = now.Add(3 * time.Minute)
	w.sync()
	w.is("failed,done", `SELECT string_agg(state, ',' ORDER BY id) FROM sync_runs`)
	w.is("true", `SELECT error LIKE 'The program stopped%' FROM sync_runs WHERE state = 'failed'`)
}

func die(t *testing.T, target string) {
	t.Helper()
	db, url, _ := strings.Cut(target, " ")
	store, err := models.Open(t.Context(), models.Config{URL: db})
	if err != nil {
		t.Fatal(err)
	}
	client, err := clever.New(clever.Config{APIURL: url, AuthURL: url, ClientID: "app", ClientSecret: "secret", PageSize: 250})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Full(t.Context(), store, client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) {
		if p.Type == models.RosterUsers && p.Pages == 2 {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
	}})
	t.Fatalf("survived: %v", err)
}
