package jobs

import (
	"context"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/imports"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// A cut-over is asked for once its date has come, and carried out by its job; it is not asked for again.
func TestCutOverIsCarriedOutWhenItsDateComes(t *testing.T) {
	w := newWorld(t)
	modelstest.Write(t, w.store, w.district, func(tx *models.Tx) error {
		_, err := tx.WriteUsers(t.Context(), []models.RosterUser{{CleverID: "a1", First: "Wren", Last: "Castellano", Grants: []models.RosterGrant{{Role: "district_admin"}}}}, &models.Seen{})
		return err
	})
	var by int64
	if err := w.look.QueryRow(t.Context(), `SELECT id FROM users`).Scan(&by); err != nil {
		t.Fatal(err)
	}
	err := w.store.As(access.Actor{District: w.district, User: by}).Write(t.Context(), func(tx *models.Tx) error {
		at := tx.Now().Add(time.Hour)
		c, err := tx.RecordChange(t.Context(), models.NewChange{Token: "0123456789abcdef0123456789abcdef", Action: audit.CutOverChanged, Subject: "district:1", Plan: []byte{1}})
		if err != nil {
			return err
		}
		return tx.SetCutOver(t.Context(), models.CutOver{At: &at, Rest: models.CutOverArchive, Change: c.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(w.store, Work{CutOver: func(ctx context.Context, district int64) error { return imports.CutOver(ctx, w.store, district) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sweep := func() {
		t.Helper()
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	w.is("0", `SELECT count(*) FROM river_job WHERE kind = 'cut_over'`)
	w.later.Add(int64(2 * time.Hour))
	sweep()
	sweep()
	w.is("1", `SELECT count(*) FROM river_job WHERE kind = 'cut_over'`)
	did := outcomeOf(t, r, CutOverArgs{}.Kind())
	w.start(r)
	if e := wait(t, did); e.Kind != river.EventKindJobCompleted {
		t.Fatal(e.Job.Errors)
	}
	w.is("1", `SELECT count(*) FROM audit_entries WHERE action = 'cutover.done'`)
	sweep()
	w.is("1", `SELECT count(*) FROM river_job WHERE kind = 'cut_over'`)
}
