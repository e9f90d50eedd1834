package roster

import (
	"context"
	"errors"
	"testing"
	"time"

	"hallpass/models"
)

// TestRest: a full sync rests while somebody is at the console, and only then; a rest ends with its run.
func TestRest(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	w := newWorld(t, change{store: func(c *models.Config) { c.Now = func() time.Time { return now } }})
	w.sync()
	rests := func() bool {
		t.Helper()
		f := &full{work: work{scope: w.system(), opts: Options{Now: func() time.Time { return now }}.filled()}}
		w.must(f.makeRoom(t.Context(), now)) // a page that took no time: a rest of none
		over, stop := context.WithCancel(t.Context())
		stop()
		err := f.makeRoom(over, now.Add(-time.Hour))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return err != nil
	}
	if rests() {
		t.Error("rests for nobody")
	}
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error {
		var user int64
		if err := w.look.QueryRow(t.Context(), `SELECT min(id) FROM users WHERE ended_at IS NULL`).Scan(&user); err != nil {
			return err
		}
		return tx.CreateSession(t.Context(), make([]byte, 32), user, make([]byte, 32), now.Add(time.Hour))
	}))
	if !rests() {
		t.Error("does not rest while somebody is here")
	}
	now = now.Add(5 * time.Minute)
	if rests() {
		t.Error("rests for somebody who went five minutes ago")
	}
}
