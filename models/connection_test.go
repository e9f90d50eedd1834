package models_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

const someToken = "4d2f6f1c8a7b4d2f6f1c8a7b4d2f6f1c8a7b4d2f"

func ring(t *testing.T, ids ...string) *models.Keyring {
	t.Helper()
	var keys []string
	for _, id := range ids {
		key := bytes.Repeat([]byte{id[0]}, 32)
		keys = append(keys, id+":"+base64.StdEncoding.EncodeToString(key))
	}
	r, err := models.ParseKeyring(strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keyed is a store whose keys can be changed while it is open.
type keyed struct {
	*models.Store
	url  string
	keys *models.Keyring
}

func newKeyed(t *testing.T, ids ...string) *keyed {
	t.Helper()
	k := &keyed{url: modelstest.URL(t), keys: ring(t, ids...)}
	store, err := models.Open(t.Context(), models.Config{URL: k.url, MaxConns: 4, TokenKeys: func() (*models.Keyring, error) { return k.keys, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	k.Store = store
	return k
}

func (k *keyed) keep(t *testing.T, district int64, token string) (done models.TokenKept) {
	t.Helper()
	modelstest.Write(t, k.Store, district, func(tx *models.Tx) (err error) {
		done, err = tx.KeepToken(t.Context(), token, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
		return err
	})
	return done
}

func (k *keyed) token(t *testing.T, district int64) (token string, err error) {
	t.Helper()
	modelstest.Read(t, k.Store, district, func(tx *models.Tx) error {
		token, err = tx.Token(t.Context())
		return nil
	})
	return token, err
}

func (k *keyed) connection(t *testing.T, district int64) (c models.Connection) {
	t.Helper()
	modelstest.Read(t, k.Store, district, func(tx *models.Tx) (err error) {
		c, err = tx.Connection(t.Context())
		return err
	})
	return c
}

func TestTokensAreSealedAtRest(t *testing.T) {
	k := newKeyed(t, "old")
	here, there := modelstest.District(t, k.Store, "here"), modelstest.District(t, k.Store, "there")
	if done := k.keep(t, here, someToken); !done.Renewed || done.Back || done.Refused {
		t.Errorf("first token: %+v", done)
	}
	if done := k.keep(t, here, someToken); done != (models.TokenKept{}) {
		t.Errorf("the same token again: %+v", done)
	}
	if got, err := k.token(t, here); err != nil || got != someToken {
		t.Fatalf("kept %q, %v", got, err)
	}
	conn := connect(t, k.url)
	var raw []byte
	if err := conn.QueryRow(t.Context(), `SELECT token FROM connections WHERE district_id = $1`, here).Scan(&raw); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(someToken)) || bytes.Contains(raw, []byte(someToken[:12])) || len(raw) < len(someToken)+28 {
		t.Errorf("%d bytes are kept, in which the token can be read", len(raw))
	}
	// Each single bit is guarded, and so are the district and the key's name.
	for i := range raw {
		bent := bytes.Clone(raw)
		bent[i] ^= 1
		if _, err := conn.Exec(t.Context(), `UPDATE connections SET token = $2 WHERE district_id = $1`, here, bent); err != nil {
			t.Fatal(err)
		}
		if got, err := k.token(t, here); !errors.Is(err, models.ErrNotFound) || got != "" {
			t.Fatalf("byte %d bent: %q, %v", i, got, err)
		}
	}
	if _, err := conn.Exec(t.Context(), `UPDATE connections SET token = $2, token_key = 'old' WHERE district_id = $1`, there, raw); err != nil {
		t.Fatal(err)
	}
	if got, err := k.token(t, there); !errors.Is(err, models.ErrNotFound) || got != "" {
		t.Errorf("another district's token opens: %q, %v", got, err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE connections SET token = $2, token_key = 'nobody' WHERE district_id = $1`, here, raw); err != nil {
		t.Fatal(err)
	}
	if _, err := k.token(t, here); !errors.Is(err, models.ErrNotFound) || strings.Contains(err.Error(), someToken) {
		t.Errorf("without the key: %v", err)
	}
	if done := k.keep(t, here, someToken); !done.Renewed { // the list's answer heals it
		t.Errorf("a token that cannot be opened: %+v", done)
	}
	if got, err := k.token(t, here); err != nil || got != someToken {
		t.Errorf("kept anew: %q, %v", got, err)
	}
}

func TestKeysRotateWhileTheStoreIsOpen(t *testing.T) {
	k := newKeyed(t, "old")
	d := modelstest.District(t, k.Store, "here")
	k.keep(t, d, someToken)
	k.keys = ring(t, "new", "old")
	if got, err := k.token(t, d); err != nil || got != someToken {
		t.Fatalf("with both keys: %q, %v", got, err)
	}
	reseal := func() (done bool) {
		modelstest.Write(t, k.Store, d, func(tx *models.Tx) (err error) {
			done, err = tx.ResealToken(t.Context())
			return err
		})
		return done
	}
	if !reseal() || reseal() {
		t.Error("it is sealed anew once, and not twice")
	}
	k.keys = ring(t, "new")
	if got, err := k.token(t, d); err != nil || got != someToken || k.connection(t, d).TokenKey != "new" {
		t.Errorf("with the new key only: %q, %v, key %q", got, err, k.connection(t, d).TokenKey)
	}
	// Lazily too: the next look at the list does it.
	k.keys = ring(t, "x", "new")
	if done := k.keep(t, d, someToken); done.Renewed {
		t.Errorf("the same token counts as new: %+v", done)
	}
	if got := k.connection(t, d).TokenKey; got != "x" {
		t.Errorf("after the next look it is sealed with %q", got)
	}
}

func TestKeyrings(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for text, want := range map[string]string{
		"":                            "no keys",
		good:                          "not ID:BASE64",
		"a b:" + good:                 "not ID:BASE64",
		"a:" + good[:40]:              "key a is not",
		"a:" + good + ",a:" + good:    "two keys are called a",
		"a:" + good + "\nb:AAAA":      "key b is not",
		"a:not base64 at all, really": "key a is not",
	} {
		_, err := models.ParseKeyring(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "AAAAAA") {
			t.Errorf("%q: the error quotes the key: %v", text, err)
		}
	}
	r, err := models.ParseKeyring(" b:" + good + " ,\r\n a:" + good + "\n")
	if err != nil || r.Newest() != "b" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestSwitches(t *testing.T) {
	k := newKeyed(t, "k")
	found, created, err := k.FindDistrict(t.Context(), "found", "Found", "running")
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if again, created, err := k.FindDistrict(t.Context(), "found", "Found", "running"); again != found || created || err != nil {
		t.Errorf("found again as %d, %v, %v", again, created, err)
	}
	if c := k.connection(t, found); c.State() != "waiting" || c.PolledAt != nil || c.Gone() != nil {
		t.Errorf("%+v", c)
	}
	may := func(want error) {
		t.Helper()
		for name, deed := range map[string]func(*models.Tx) error{
			"request": func(tx *models.Tx) error { _, _, err := tx.RequestSync(t.Context()); return err },
			"start":   func(tx *models.Tx) error { _, err := tx.StartSync(t.Context(), 0); return err },
			"events":  func(tx *models.Tx) error { _, err := tx.StartEvents(t.Context()); return err },
		} {
			gone := errors.New("taken back")
			err := k.As(access.System(found, "test")).Write(t.Context(), func(tx *models.Tx) error {
				if err := deed(tx); err != nil {
					return err
				}
				return gone
			})
			if want == nil && !errors.Is(err, gone) || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
	operate := func(to models.Switch) (changed bool) {
		t.Helper()
		modelstest.Write(t, k.Store, found, func(tx *models.Tx) (err error) {
			changed, err = tx.OperateSwitch(t.Context(), to)
			return err
		})
		return changed
	}
	may(models.ErrNotOn)
	if !operate(models.SwitchOn) || operate(models.SwitchOn) {
		t.Error("a switch turns once")
	}
	conn := connect(t, k.url)
	is := func(want, sql string) {
		t.Helper()
		var got string
		if err := conn.QueryRow(t.Context(), `SELECT coalesce((`+sql+`)::text, 'NULL')`).Scan(&got); err != nil || got != want {
			t.Errorf("got %q (%v), want %q from %s", got, err, want, sql)
		}
	}
	is("1 requested", `SELECT count(*) || ' ' || max(state) FROM sync_runs`)
	// A pause ends the run under way: its next page finds that out.
	var run models.SyncRun
	modelstest.Write(t, k.Store, found, func(tx *models.Tx) (err error) {
		run, err = tx.StartSync(t.Context(), 0)
		return err
	})
	if !operate(models.SwitchPaused) {
		t.Error("not paused")
	}
	is("failed", `SELECT state FROM sync_runs`)
	err = k.As(access.System(found, "test")).Write(t.Context(), func(tx *models.Tx) error { return tx.SaveSyncProgress(t.Context(), run.ID, nil) })
	if !errors.Is(err, models.ErrConflict) {
		t.Errorf("the run under way goes on: %v", err)
	}
	may(models.ErrNotOn)
	operate(models.SwitchOn)
	modelstest.Write(t, k.Store, found, func(tx *models.Tx) error { // what its being switched on has asked for
		asked, _, err := tx.RequestSync(t.Context())
		if err != nil {
			return err
		}
		_, err = tx.FailSync(t.Context(), asked.ID, models.SyncFailure{Text: "no"})
		return err
	})
	may(nil)
	leave := func() (changed bool) {
		modelstest.Write(t, k.Store, found, func(tx *models.Tx) (err error) {
			changed, err = tx.Leave(t.Context())
			return err
		})
		return changed
	}
	k.keep(t, found, someToken)
	if !leave() || leave() {
		t.Error("it leaves once")
	}
	if c := k.connection(t, found); c.State() != "left" || c.TokenKey != "" || c.Gone() == nil {
		t.Errorf("%+v", c)
	}
	may(models.ErrNotOn)
	if done := k.keep(t, found, someToken); !done.Back || !done.Renewed || k.connection(t, found).State() != "on" {
		t.Errorf("back: %+v, %s", done, k.connection(t, found).State())
	}
	// A token that is refused stays so until there is another one.
	refuse := func(token string) {
		modelstest.Write(t, k.Store, found, func(tx *models.Tx) error { return tx.RefuseToken(t.Context(), token, "Bad token") })
	}
	refuse("another")
	if s := k.connection(t, found).State(); s != "on" {
		t.Errorf("a token that is not kept any more was refused: %s", s)
	}
	refuse(someToken)
	refuse(someToken)
	if c := k.connection(t, found); c.State() != "refused" || c.RefusedText != "Bad token" {
		t.Errorf("%+v", c)
	}
	if done := k.keep(t, found, someToken); !done.Refused || k.connection(t, found).State() != "refused" {
		t.Errorf("the list names the refused one: %+v", done)
	}
	if done := k.keep(t, found, "another"); !done.Renewed || k.connection(t, found).State() != "on" {
		t.Errorf("the list names another: %+v", done)
	}
	is("connection.found connection.switched connection.switched connection.switched connection.renewed connection.left connection.back connection.renewed connection.refused connection.renewed",
		`SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entries WHERE action LIKE 'connection.%'`)
	is("0", `SELECT count(*) FROM audit_entries WHERE data::text LIKE '%`+someToken[:10]+`%'`)
}

// TestPauseFindsTheRunThatBegins: a run that begins in the very moment of a pause is either ended by it or never begun.
func TestPauseFindsTheRunThatBegins(t *testing.T) {
	k := newKeyed(t, "k")
	d := modelstest.District(t, k.Store, "here")
	begun, paused := make(chan error, 1), make(chan error, 1)
	err := k.As(access.System(d, "test")).Write(t.Context(), func(tx *models.Tx) error {
		if _, err := tx.StartEvents(t.Context()); err != nil {
			return err
		}
		go func() {
			paused <- k.As(access.System(d, "test")).Write(context.Background(), func(tx *models.Tx) error {
				begun <- nil
				_, err := tx.SetSwitch(context.Background(), models.SwitchPaused)
				return err
			})
		}()
		return <-begun // the pause is waiting for this transaction, or is about to
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-paused; err != nil {
		t.Fatal(err)
	}
	var state string
	if err := connect(t, k.url).QueryRow(t.Context(), `SELECT state FROM sync_runs`).Scan(&state); err != nil || state != "failed" {
		t.Errorf("the run is %s after the pause (%v)", state, err)
	}
}
