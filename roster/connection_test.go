package roster

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// linkedWorld is a world that keeps tokens, with everything that is logged.
func linkedWorld(t *testing.T, c change) (*world, *bytes.Buffer) {
	t.Helper()
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	ring, err := models.ParseKeyring("k:" + base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	c.store = func(m *models.Config) { m.TokenKeys = ring.Always() }
	w := newWorld(t, c)
	logged := &bytes.Buffer{}
	t.Cleanup(func() {
		tokens, err := w.client.Tokens(w.Context())
		for _, token := range tokens {
			if strings.Contains(logged.String(), token.Token) {
				t.Errorf("a token is in the log:\n%s", logged)
			}
			w.is("0", `SELECT count(*) FROM connections WHERE position(convert_to($1, 'UTF8') in token) > 0`, token.Token)
		}
		if err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return w, logged
}

func (w *world) poll(log *bytes.Buffer) Listed {
	w.Helper()
	found, err := Poll(w.Context(), w.store, w.client, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		w.Fatalf("poll: %v", err)
	}
	return found
}

func (w *world) options(log *bytes.Buffer) Options {
	return Options{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func (w *world) turn(to models.Switch) {
	w.Helper()
	w.must(w.system().Write(w.Context(), func(tx *models.Tx) error {
		_, err := tx.OperateSwitch(w.Context(), to)
		return err
	}))
}

func (w *world) connection() (c models.Connection) {
	w.Helper()
	w.must(w.system().Read(w.Context(), func(tx *models.Tx) (err error) {
		c, err = tx.Connection(w.Context())
		return err
	}))
	return c
}

func TestNewDistrictsWaitToBeSwitchedOn(t *testing.T) {
	w, log := linkedWorld(t, change{sandbox: func(o *sandbox.Options) { o.Districts = 2 }})
	found := w.poll(log)
	if len(found.New) != 2 || len(found.Renewed) != 2 || len(found.Left)+len(found.Back)+len(found.Refused) > 0 {
		t.Fatalf("%+v", found)
	}
	w.is("Kestrel Valley Unified School District", `SELECT name FROM districts WHERE clever_id = $1`, sandbox.SeedDistrictID)
	w.is("waiting waiting", `SELECT string_agg(switch, ' ') FROM connections`)
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNotOn) {
		t.Errorf("a full sync of a district that waits: %v", err)
	}
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNotOn) {
		t.Errorf("following a district that waits: %v", err)
	}
	w.is("0 0", `SELECT (SELECT count(*) FROM sync_runs) || ' ' || (SELECT count(*) FROM users)`)
	if again := w.poll(log); len(again.New)+len(again.Renewed) > 0 {
		t.Errorf("found again: %+v", again)
	}
	w.turn(models.SwitchOn)
	run, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log))
	if err != nil || run.State != models.SyncDone {
		t.Fatal(run.State, err)
	}
	if c := w.connection(); c.State() != "on" || c.PolledAt == nil || c.TokenKey != "k" {
		t.Errorf("%+v", c)
	}
}

func TestPausedDistrictIsFrozenNotEmptied(t *testing.T) {
	w, log := linkedWorld(t, change{})
	w.sync()
	before := w.marks("")
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID))
	w.turn(models.SwitchPaused)
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNotOn) {
		t.Errorf("a full sync of a paused district: %v", err)
	}
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNotOn) {
		t.Errorf("following a paused district: %v", err)
	}
	if found := w.poll(log); len(found.New)+len(found.Left) > 0 {
		t.Errorf("%+v", found)
	}
	after := w.marks("")
	for table, mark := range before {
		if after[table] != mark {
			t.Errorf("%s changed while the district was paused", table)
		}
	}
	w.turn(models.SwitchOn)
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Fatal(err)
	}
	w.is("true", `SELECT ended_at IS NOT NULL FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
}

func TestPauseStopsASyncUnderWay(t *testing.T) {
	w, log := linkedWorld(t, change{})
	w.sync()
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID))
	opts := w.options(log)
	opts.Progress = func(p models.SyncProgress) {
		if p.Type == models.RosterUsers && p.Pages == 2 {
			w.turn(models.SwitchPaused)
		}
	}
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, opts); !errors.Is(err, models.ErrConflict) {
		t.Errorf("a sync in whose middle the district was paused: %v", err)
	}
	w.is("failed", `SELECT state FROM sync_runs ORDER BY id DESC LIMIT 1`)
	w.is("NULL", `SELECT ended_at FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
}

func TestTokenThatIsReplaced(t *testing.T) {
	w, log := linkedWorld(t, change{})
	w.poll(log)
	w.turn(models.SwitchOn)
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Fatal(err)
	}
	// Between two looks at the list: a full sync finds the new one before it begins, …
	w.must(w.sandbox.RotateToken(sandbox.SeedDistrictID))
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Fatal(err)
	}
	// … following finds it by its failure, and goes on at its next turn.
	w.must(w.sandbox.RotateToken(sandbox.SeedDistrictID))
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); !errors.Is(err, clever.ErrUnauthorized) {
		t.Errorf("with the token from before: %v", err)
	}
	if c := w.connection(); c.State() != "on" {
		t.Errorf("the list names another token, yet the connection is %s", c.State())
	}
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Errorf("with the new token: %v", err)
	}
}

func TestRefusedTokenHealsByItself(t *testing.T) {
	w, log := linkedWorld(t, change{})
	w.poll(log)
	w.turn(models.SwitchOn)
	w.sync()
	people := w.text(`SELECT count(*) FROM users WHERE ended_at IS NULL`)
	refused := func() {
		t.Helper()
		w.must(w.sandbox.RefuseToken(sandbox.SeedDistrictID, true))
		if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); !errors.Is(err, clever.ErrUnauthorized) {
			t.Errorf("following with a refused token: %v", err)
		}
		if c := w.connection(); c.State() != "refused" || !strings.Contains(c.RefusedText, "status 401") {
			t.Errorf("%s: %q", c.State(), c.RefusedText)
		}
		w.is("credentials", `SELECT error_next FROM sync_runs ORDER BY id DESC LIMIT 1`)
	}
	refused()
	if found := w.poll(log); len(found.Refused) != 1 || w.connection().State() != "refused" {
		t.Errorf("the list names the refused token: %+v", found)
	}
	w.must(w.sandbox.RotateToken(sandbox.SeedDistrictID))
	if found := w.poll(log); len(found.Renewed) != 1 || w.connection().State() != "on" {
		t.Errorf("the list names another token: %+v, %s", found, w.connection().State())
	}
	refused()
	w.must(w.sandbox.RefuseToken(sandbox.SeedDistrictID, false))
	if found := w.poll(log); len(found.Refused) != 0 || w.connection().State() != "on" {
		t.Errorf("Clever takes the token after all: %+v, %s", found, w.connection().State())
	}
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Error(err)
	}
	w.is(people, `SELECT count(*) FROM users WHERE ended_at IS NULL`)
}

func TestTokenRefusedInTheMiddle(t *testing.T) {
	w, log := linkedWorld(t, change{})
	w.poll(log)
	w.turn(models.SwitchOn)
	w.sync()
	people := w.text(`SELECT count(*) FROM users WHERE ended_at IS NULL`)
	for _, at := range []sandbox.Fault{
		{Path: "/v3.1/districts"},
		{Path: "/v3.1/schools", Page: 1},
		{Path: "/v3.1/users", Page: 1},
		{Path: "/v3.1/users", Page: 3},
		{Path: "/v3.1/users", Page: 5},
		{Path: "/v3.1/sections", Page: 1},
	} {
		at.Kind, at.Status = sandbox.ServerError, http.StatusUnauthorized
		w.sandbox.Faults().Clear()
		w.sandbox.Faults().Add(at)
		if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); !errors.Is(err, clever.ErrUnauthorized) {
			t.Errorf("%s page %d: %v", at.Path, at.Page, err)
		}
		if c := w.connection(); c.State() != "refused" {
			t.Errorf("%s page %d: the connection is %s", at.Path, at.Page, c.State())
		}
		w.is(people, `SELECT count(*) FROM users WHERE ended_at IS NULL`)
		w.sandbox.Faults().Clear()
		w.sync() // asked for by a person, who need not wait for the next look at the list
		if c := w.connection(); c.State() != "on" {
			t.Errorf("%s page %d: after a good sync the connection is %s", at.Path, at.Page, c.State())
		}
	}
}

func TestDistrictThatLeavesEndsNobody(t *testing.T) {
	w, log := linkedWorld(t, change{sandbox: func(o *sandbox.Options) { o.Districts = 2 }})
	w.poll(log)
	w.turn(models.SwitchOn)
	w.sync()
	before := w.marks("")
	w.must(w.sandbox.Disconnect(sandbox.SeedDistrictID))
	found := w.poll(log)
	if len(found.Left) != 1 || len(found.Refused)+len(found.New) > 0 || w.connection().State() != "left" {
		t.Errorf("%+v, %s", found, w.connection().State())
	}
	if again := w.poll(log); len(again.Left) > 0 {
		t.Errorf("it leaves twice: %+v", again)
	}
	w.is("NULL", `SELECT token FROM connections c JOIN district_ids USING (district_id) WHERE clever_id = $1`, sandbox.SeedDistrictID)
	if _, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{}); !errors.Is(err, ErrNotOn) {
		t.Errorf("a full sync of a district that left: %v", err)
	}
	after := w.marks("")
	for table, mark := range before {
		if after[table] != mark {
			t.Errorf("%s changed when the district left", table)
		}
	}
	w.must(w.sandbox.Connect(sandbox.SeedDistrictID))
	if found := w.poll(log); len(found.Back) != 1 || len(found.Renewed) != 1 || w.connection().State() != "on" {
		t.Errorf("%+v, %s", found, w.connection().State())
	}
	if _, err := Follow(t.Context(), w.store, w.client, sandbox.SeedDistrictID, w.options(log)); err != nil {
		t.Error(err)
	}
	// A list that cannot be read says nothing about who left.
	w.sandbox.Faults().Add(sandbox.Fault{Path: "/oauth/tokens", Kind: sandbox.HTML, Times: -1})
	if _, err := Poll(t.Context(), w.store, w.client, nil); err == nil {
		t.Error("a page instead of the list was taken for one")
	}
	w.sandbox.Faults().Clear()
	if c := w.connection(); c.State() != "on" {
		t.Errorf("after a list that could not be read: %s", c.State())
	}
}

// TestProgramWithoutKeysKeepsNoToken: it asks the list at each sync.
func TestProgramWithoutKeysKeepsNoToken(t *testing.T) {
	w := newWorld(t, change{})
	w.poll(&bytes.Buffer{})
	w.turn(models.SwitchOn)
	w.sync()
	w.is("NULL", `SELECT token FROM connections`)
	if err := w.store.As(access.System(1, "test")).Read(t.Context(), func(tx *models.Tx) error {
		_, err := tx.Token(t.Context())
		return err
	}); !errors.Is(err, models.ErrNoKeys) {
		t.Error(err)
	}
	if ids, err := w.store.DistrictIDs(t.Context()); err != nil || !slices.Equal(ids, []int64{1}) {
		t.Error(ids, err)
	}
}
