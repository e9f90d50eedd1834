package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// HeldApproval is the first of two people's.
type HeldApproval struct {
	List       []byte
	ApprovedBy int64
	ApprovedAt time.Time
}

// HeldApproval reads the first approval of a held run. ErrNotFound: nobody has approved.
func (tx *Tx) HeldApproval(ctx context.Context, run int64) (HeldApproval, error) {
	a, err := one[HeldApproval](ctx, tx, `SELECT list, approved_by, approved_at FROM held_approvals WHERE district_id = ? AND run_id = ?`, tx.actor.District, run)
	if err != nil {
		return a, fmt.Errorf("approval of sync %d: %w", run, err)
	}
	return a, nil
}

// ApproveFirst notes the actor as the first of two who approve exactly this list, in place of whoever approved another
// one before.
func (tx *Tx) ApproveFirst(ctx context.Context, run int64, list []byte) error {
	_, err := exec(ctx, tx, `INSERT INTO held_approvals (district_id, run_id, list, approved_by, approved_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (district_id, run_id) DO UPDATE SET list = excluded.list, approved_by = excluded.approved_by, approved_at = excluded.approved_at`,
		tx.actor.District, run, list, tx.actor.User, tx.now)
	return wrap("approve first", err)
}

// ReleaseHeld asks for a run that applies a part of a held list, and for nothing else. When nothing is left to decide,
// the held run is over. It is the caller's to compare the list first, in this transaction, with LockAccess held.
// ErrConflict: another release is not through yet.
func (tx *Tx) ReleaseHeld(ctx context.Context, run int64, pick HeldPick) (release SyncRun, err error) {
	rows, err := query[SyncRun](ctx, tx, `INSERT INTO sync_runs (district_id, kind, state, requested_by, requested_at, holds) VALUES (?, 'release', 'requested', ?, ?, ?) RETURNING *`,
		tx.actor.District, tx.actor.User, tx.now, run)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = ErrConflict
	}
	if err != nil {
		return release, fmt.Errorf("release sync %d: %w", run, err)
	}
	release = rows[0]
	args := tx.pickArgs(run, pick)
	args["release"] = release.ID
	if _, err := scan[struct{ N int }](ctx, tx, `UPDATE held_records h SET release_id = @release WHERE`+waits+` RETURNING 1 AS n`, args); err != nil {
		return release, fmt.Errorf("release sync %d: %w", run, err)
	}
	if _, err := exec(ctx, tx, `DELETE FROM held_approvals WHERE district_id = ? AND run_id = ?`, tx.actor.District, run); err != nil {
		return release, fmt.Errorf("release sync %d: %w", run, err)
	}
	left, err := tx.HeldHash(ctx, run, HeldPick{})
	if err == nil && left.Count == 0 {
		err = tx.closeHeld(ctx, run, SyncReleased)
	}
	return release, err
}

// DiscardHeld ends a held run and leaves everybody as they are. The next full sync asks again.
func (tx *Tx) DiscardHeld(ctx context.Context, run int64) error {
	return tx.closeHeld(ctx, run, SyncDiscarded)
}

// Released is what a release did. Together its counts are those of the records that were approved.
type Released struct {
	Ended     map[RosterType]int
	Lessened  map[RosterType]int // people who stay and lost a role or a school, sections that stay and lost a teacher
	RolesLost int
	Left      int // came back, or ended, between approval and now: left alone
}

// ApplyRelease ends what was approved for a release that runs, all of it or nothing. Records that came back since are
// left alone.
func (tx *Tx) ApplyRelease(ctx context.Context, release SyncRun) (done Released, err error) {
	fail := func(err error) (Released, error) {
		return Released{}, fmt.Errorf("apply release %d: %w", release.ID, err)
	}
	if err := tx.beginRoster(ctx); err != nil {
		return fail(err)
	}
	var all int
	if err := tx.conn.QueryRow(ctx, `SELECT count(*) FROM held_records WHERE district_id = $1 AND release_id = $2`, tx.actor.District, release.ID).Scan(&all); err != nil {
		return fail(err)
	}
	listed, err := tx.endListed(ctx, `release_id = $2`, release.ID)
	if err != nil {
		return fail(err)
	}
	done.RolesLost, done.Lessened = listed.rolesLost, map[RosterType]int{RosterUsers: listed.people, RosterSections: listed.sections}
	if err := tx.beginRoster(ctx); err != nil {
		return fail(err)
	}
	done.Ended = map[RosterType]int{}
	ended := 0
	for _, t := range rosterTypes {
		but := ``
		if t == RosterUsers { // Clever knew them when they signed in
			but = ` AND coalesce(r.confirmed_at < (SELECT started_at FROM sync_runs WHERE district_id = current_district() AND id = h.run_id), true) FOR NO KEY UPDATE OF r`
		}
		tag, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE gone_`+string(t)+` ON COMMIT DROP AS
			SELECT r.id FROM held_records h JOIN `+string(t)+` r ON r.district_id = current_district() AND r.id = h.record_id AND r.ended_at IS NULL
			 WHERE h.district_id = current_district() AND h.release_id = `+fmt.Sprint(release.ID)+` AND h.type = '`+string(t)+`' AND h.returned_at IS NULL`+but)
		if err != nil {
			return fail(err)
		}
		done.Ended[t] = int(tag.RowsAffected())
		ended += done.Ended[t]
	}
	if err := tx.noteLeft(ctx); err != nil {
		return fail(err)
	}
	if err := tx.endGone(ctx, done.Ended); err != nil {
		return fail(err)
	}
	done.Left = max(all-ended-listed.people-listed.sections, 0)
	return done, nil
}

// markReturned takes records that Clever lists again off the held list, and off releases that have not run yet.
func (tx *Tx) markReturned(ctx context.Context, t RosterType, seen *Seen) error {
	also := map[RosterType]string{RosterUsers: "roles", RosterSections: "teaching"}[t]
	seen.sort()
	_, err := tx.conn.Exec(ctx, `UPDATE held_records h SET returned_at = $2 FROM sync_runs r
		WHERE h.district_id = $1 AND r.district_id = $1 AND r.id = h.run_id AND h.returned_at IS NULL
		  AND (r.state = 'held' AND h.release_id IS NULL OR h.release_id IN (SELECT id FROM sync_runs WHERE district_id = $1 AND kind = 'release' AND state IN ('requested', 'running')))
		  AND (h.type = $3 OR h.type = $4 AND NOT h.record_id = ANY($6::bigint[])) AND h.record_id = ANY($5::bigint[])`,
		tx.actor.District, tx.now, string(t), also, seen.ids, seen.kept)
	return wrap("note what came back", err)
}

// HeldDecided tells whether a part of a held list was approved already.
func (tx *Tx) HeldDecided(ctx context.Context, run int64) (bool, error) {
	got, err := one[struct{ Decided bool }](ctx, tx, `SELECT EXISTS (SELECT FROM held_records WHERE district_id = ? AND run_id = ? AND release_id IS NOT NULL) AS decided`,
		tx.actor.District, run)
	return got.Decided, wrap("look for approvals", err)
}
