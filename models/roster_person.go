package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// personWait bounds how long a sign-in waits for a sync to let it write somebody who cannot come in otherwise. A sync
// lets go after every page; only its last transaction may take longer.
const personWait = 5 * time.Second

// HeldPerson is how somebody stands here, compared with a record.
type HeldPerson struct {
	ID      int64 // 0: no identity has the record's Clever id
	Current bool  // not ended
	Same    bool  // current, and exactly as in the record
}

// HeldPerson compares one record with what is held. It takes no lock.
func (tx *Tx) HeldPerson(ctx context.Context, u *RosterUser) (HeldPerson, error) {
	u.Prepare()
	type row struct {
		ID       int64
		CleverID string
		Digest   []byte
		Current  bool
	}
	rows, err := query[row](ctx, tx, `SELECT u.id, coalesce(u.clever_id, '') AS clever_id, u.digest, u.ended_at IS NULL AS current
		FROM identities i JOIN users u ON u.district_id = i.district_id AND u.id = i.user_id
		WHERE i.district_id = ? AND i.kind = 'clever' AND i.value = ?`, tx.actor.District, u.CleverID)
	if err != nil || len(rows) == 0 {
		return HeldPerson{}, wrap("compare person", err)
	}
	r := rows[0]
	return HeldPerson{r.ID, r.Current, r.Current && r.CleverID == u.CleverID && bytes.Equal(r.Digest, u.digest)}, nil
}

func wrap(deed string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", deed, err)
	}
	return err
}

// ConfirmPerson notes that somebody signed in, so that a sync which began before does not end them.
func (tx *Tx) ConfirmPerson(ctx context.Context, id int64) error {
	_, err := exec(ctx, tx, `UPDATE users SET confirmed_at = ? WHERE district_id = ? AND id = ?`, tx.now, tx.actor.District, id)
	return wrap("confirm person", err)
}

// WritePerson writes one record outside a sync. While a sync writes, it leaves the record to the sync and reports
// false, unless it is told to wait; a wait that takes too long is ErrTooSlow.
func (tx *Tx) WritePerson(ctx context.Context, u RosterUser, wait bool) (written bool, err error) {
	if wait {
		err = tx.awaitRoster(ctx, personWait)
	} else if written, err = tx.tryRoster(ctx); err == nil && !written {
		return false, nil
	}
	if err == nil {
		_, err = tx.WriteChanges(ctx, &RosterChanges{Users: []RosterUser{u}})
	}
	if err == nil {
		err = tx.endBulk(ctx)
	}
	return err == nil, wrap("write person", err)
}

// tryRoster takes the right to write the district's roster if nobody else has it.
func (tx *Tx) tryRoster(ctx context.Context) (taken bool, err error) {
	err = tx.conn.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(`+rosterLock+`)`, tx.actor.District).Scan(&taken)
	return taken, err
}

// awaitRoster waits for the right to write the district's roster, and no longer than given.
func (tx *Tx) awaitRoster(ctx context.Context, most time.Duration) error {
	_, err := tx.conn.Exec(ctx, `SELECT set_config('lock_timeout', $1, true)`, fmt.Sprint(most.Milliseconds()))
	if err != nil {
		return err
	}
	_, err = tx.conn.Exec(ctx, `SELECT pg_advisory_xact_lock(`+rosterLock+`)`, tx.actor.District)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "55P03" { // lock_timeout
		return fmt.Errorf("a sync is writing: %w: %w", ErrTooSlow, err)
	}
	return err
}
