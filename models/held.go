package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hallpass/audit"
)

// HeldSync is the district's held run. ErrNotFound: none is held.
func (tx *Tx) HeldSync(ctx context.Context) (SyncRun, error) {
	run, err := one[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND state = 'held'`, tx.actor.District)
	if err != nil {
		return run, fmt.Errorf("held sync: %w", err)
	}
	return run, nil
}

// PressingSync is the run that a home page speaks of: the held one, whatever ran since, or else the newest. ErrNotFound:
// none ever ran.
func (tx *Tx) PressingSync(ctx context.Context) (SyncRun, error) {
	run, err := one[SyncRun](ctx, tx, `(SELECT * FROM sync_runs WHERE district_id = ? AND state = 'held')
		UNION ALL (SELECT * FROM sync_runs WHERE district_id = ? ORDER BY id DESC LIMIT 1) LIMIT 1`, tx.actor.District, tx.actor.District)
	if err != nil {
		return run, fmt.Errorf("pressing sync: %w", err)
	}
	return run, nil
}

// HoldSync ends a run that the brake stopped: what it brought stays, what it would have taken waits for a person.
func (tx *Tx) HoldSync(ctx context.Context, id int64, progress []SyncProgress) (SyncRun, error) {
	if err := tx.settleFinish(ctx, id, progress); err != nil {
		return SyncRun{}, err
	}
	run, err := one[SyncRun](ctx, tx, `UPDATE sync_runs SET state = 'held', finished_at = ? WHERE district_id = ? AND id = ? RETURNING *`,
		tx.now, tx.actor.District, id)
	if err == nil {
		_, err = exec(ctx, tx, `UPDATE district_ids SET held_at = ? WHERE district_id = ?`, tx.now, tx.actor.District)
	}
	if err != nil {
		return run, fmt.Errorf("hold sync %d: %w", id, err)
	}
	data := map[string]any{"losing": run.Brake.Losing}
	for _, g := range run.Brake.Gauges {
		data[string(g.Type)] = map[string]any{"gone": g.Gone, "current": g.Current}
	}
	return run, tx.Audit(ctx, audit.Entry{Action: audit.SyncHeld, Subject: run.subject(), Data: data})
}

// closeHeld ends a held run. Whose deed that was, the caller records. ErrConflict: it is not held any more.
func (tx *Tx) closeHeld(ctx context.Context, id int64, state SyncState) error {
	var by *int64
	if tx.actor.User != 0 {
		by = &tx.actor.User
	}
	n, err := exec(ctx, tx, `UPDATE sync_runs SET state = ?, decided_by = ?, decided_at = ? WHERE district_id = ? AND id = ? AND state = 'held'`,
		string(state), by, tx.now, tx.actor.District, id)
	if err := changedOne(n, err, "close held sync", id); err != nil {
		return err
	}
	_, err = exec(ctx, tx, `DELETE FROM held_approvals WHERE district_id = ? AND run_id = ?`, tx.actor.District, id)
	if err == nil {
		_, err = exec(ctx, tx, `UPDATE district_ids SET held_at = NULL WHERE district_id = ?`, tx.actor.District)
	}
	return wrap("close held sync", err)
}

// holding reads the id of the held run, 0 if none is.
func (tx *Tx) holding(ctx context.Context) (int64, error) {
	run, err := tx.HeldSync(ctx)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return run.ID, err
}

// HeldSince counts the districts in which a run waits for a person, and since when the first does. It enters none of
// them.
func (s *Store) HeldSince(ctx context.Context) (n int, since *time.Time, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(held_at), min(held_at) FROM district_ids WHERE held_at IS NOT NULL`).Scan(&n, &since)
	return n, since, wrap("count held syncs", err)
}
