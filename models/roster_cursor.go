package models

import (
	"context"
	"fmt"
	"time"
)

// EventCursor is how far a district's events were followed, in one version of Clever's API.
type EventCursor struct {
	EventID string    // "" where the feed was empty
	SavedAt time.Time // the last good poll, whether or not it brought anything
}

// EventCursor reads a version's cursor. ErrNotFound: there is none, so only a full sync can begin one. synced tells
// whether the district ever finished a full sync.
func (tx *Tx) EventCursor(ctx context.Context, version string) (c EventCursor, synced bool, err error) {
	d, err := one[struct{ Synced bool }](ctx, tx, `SELECT synced_at IS NOT NULL AS synced FROM districts WHERE district_id = ?`, tx.actor.District)
	if err == nil {
		c, err = one[EventCursor](ctx, tx, `SELECT event_id, saved_at FROM event_cursors WHERE district_id = ? AND version = ?`, tx.actor.District, version)
	}
	if err != nil {
		err = fmt.Errorf("event cursor: %w", err)
	}
	return c, d.Synced, err
}

// SaveEventCursor moves a cursor on, or keeps it where it is and notes a good poll. It belongs in the transaction that
// writes what the events brought. ErrConflict: the cursor is not where the caller thinks, so somebody else moved it.
func (tx *Tx) SaveEventCursor(ctx context.Context, version, from, to string) error {
	n, err := exec(ctx, tx, `UPDATE event_cursors SET event_id = ?, saved_at = ? WHERE district_id = ? AND version = ? AND event_id = ?`,
		clean(to), tx.now, tx.actor.District, version, from)
	if err == nil && n == 0 {
		err = ErrConflict
	}
	if err != nil {
		return fmt.Errorf("save event cursor: %w", err)
	}
	return nil
}
