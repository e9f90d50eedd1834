package models

import (
	"context"
	"fmt"
	"time"
)

// How long is kept what is over. Runs themselves, with their counts, and the audit stay.
const (
	// KeepLists is of what a run changed person by person, once it is over, and of what a held run would have taken, once
	// that is decided.
	KeepLists = 90 * 24 * time.Hour
	// KeepSessions is of sign-ins after their end.
	KeepSessions = 30 * 24 * time.Hour
)

// Trimmed counts rows that were deleted.
type Trimmed struct{ Changes, Held, Effects, Sessions int64 }

// Any reports that something was deleted: there may be more.
func (t Trimmed) Any() bool { return t != Trimmed{} }

// Trim deletes what has been kept long enough: at most so many rows of each kind, so that nobody waits for it long. Lists
// whose run or release is not over stay, whatever their age.
func (tx *Tx) Trim(ctx context.Context, most int) (n Trimmed, err error) {
	lists, sessions := tx.now.Add(-KeepLists), tx.now.Add(-KeepSessions)
	decided := `SELECT r.id FROM sync_runs r WHERE r.district_id = $1 AND r.state IN ('released', 'discarded', 'superseded') AND r.decided_at < $2
		AND NOT EXISTS (SELECT FROM sync_runs o WHERE o.district_id = $1 AND o.holds = r.id AND o.state IN ('requested', 'running'))`
	for _, of := range []struct {
		rows  *int64
		table string
		which string
		until time.Time
	}{
		// The oldest runs come first in the key, so that what is looked at is what goes.
		{&n.Changes, "sync_changes", `SELECT c.ctid FROM sync_changes c JOIN sync_runs r ON r.district_id = $1 AND r.id = c.run_id AND r.finished_at < $2
			WHERE c.district_id = $1 AND c.run_id <= (SELECT max(id) FROM sync_runs WHERE district_id = $1 AND requested_at < $2)
			ORDER BY c.district_id, c.run_id, c.id LIMIT $3`, lists},
		{&n.Held, "held_records", `SELECT h.ctid FROM held_records h WHERE h.district_id = $1 AND h.run_id IN (` + decided + `) LIMIT $3`, lists},
		{&n.Effects, "held_effects", `SELECT h.ctid FROM held_effects h WHERE h.district_id = $1 AND h.run_id IN (` + decided + `) LIMIT $3`, lists},
		{&n.Sessions, "sessions", `SELECT s.ctid FROM sessions s WHERE s.district_id = $1 AND s.expires_at < $2 ORDER BY s.expires_at LIMIT $3`, sessions},
	} {
		tag, err := tx.conn.Exec(ctx, `DELETE FROM `+of.table+` WHERE district_id = $1 AND ctid = ANY(ARRAY(`+of.which+`))`, tx.actor.District, of.until, most)
		if err != nil {
			return n, fmt.Errorf("trim %s: %w", of.table, err)
		}
		*of.rows = tag.RowsAffected()
	}
	return n, nil
}
