package models

import (
	"context"
	"fmt"
	"time"

	"hallpass/access"
)

// UserPreference is what a person chose for themselves.
type UserPreference struct {
	DistrictID  int64       `gorm:"primaryKey"`
	UserID      int64       `gorm:"primaryKey"`
	DefaultView access.View // where sign-in leads; "" asks
}

// DefaultView is the view in which the person wants to begin, "" for none. It may be one they no longer have.
func (tx *Tx) DefaultView(ctx context.Context, userID int64) (access.View, error) {
	rows, err := query[UserPreference](ctx, tx, `SELECT * FROM user_preferences WHERE district_id = ? AND user_id = ?`, tx.actor.District, userID)
	if err != nil {
		return "", fmt.Errorf("preference of user %d: %w", userID, err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	return rows[0].DefaultView, nil
}

// SetDefaultView remembers where the person wants to begin; "" forgets it.
func (tx *Tx) SetDefaultView(ctx context.Context, userID int64, view access.View) error {
	_, err := exec(ctx, tx, `INSERT INTO user_preferences (district_id, user_id, default_view) VALUES (?, ?, ?)
		ON CONFLICT (district_id, user_id) DO UPDATE SET default_view = excluded.default_view
		WHERE user_preferences.default_view <> excluded.default_view`, tx.actor.District, userID, string(view))
	if err != nil {
		return fmt.Errorf("remember the view of user %d: %w", userID, err)
	}
	return nil
}

// NoteAccount notes that the person now uses the account of one role, under the strategy of one account per role. A
// person without such an account yet has nothing to note.
func (tx *Tx) NoteAccount(ctx context.Context, userID int64, role access.Role) error {
	_, err := exec(ctx, tx, `UPDATE accounts SET last_sign_in_at = ? WHERE district_id = ? AND user_id = ? AND role = ? AND retired_at IS NULL`,
		tx.now, tx.actor.District, userID, string(role))
	if err != nil {
		return fmt.Errorf("note account of user %d: %w", userID, err)
	}
	return nil
}

// EndingSoon is how long before its end an override is said to end soon.
const EndingSoon = 14 * 24 * time.Hour

// Waiting are the things that wait for somebody who manages overrides or syncs, by kind and not by number.
type Waiting struct {
	Overrides bool // some end soon
	Sync      bool // the latest run failed, or is held
}

// Waiting looks at what waits in the whole district, in one statement of two index look-ups.
func (tx *Tx) Waiting(ctx context.Context) (Waiting, error) {
	w, err := one[Waiting](ctx, tx, `SELECT
		EXISTS (SELECT FROM overrides WHERE district_id = @district AND ended_at IS NULL AND ends_at > @now AND ends_at <= @soon) AS overrides,
		coalesce((SELECT state NOT IN ('requested', 'running', 'done') FROM sync_runs WHERE district_id = @district ORDER BY id DESC LIMIT 1), false) AS sync`,
		map[string]any{"district": tx.actor.District, "now": tx.now, "soon": tx.now.Add(EndingSoon)})
	if err != nil {
		return w, fmt.Errorf("what waits: %w", err)
	}
	return w, nil
}
