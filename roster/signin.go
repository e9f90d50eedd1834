package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hallpass/clever"
	"hallpass/models"
)

// SignIn brings one person into step with the record that Clever gave at sign-in, and returns who that is here. It
// counts at once: a role lost since the last sync opens nothing any more.
//
// A token from sign-in may be shown less than the district's own token (apps without Secure Sync get no schools), so
// a record whose roles lack their schools teaches us nothing about somebody the sync knows better.
func SignIn(ctx context.Context, tx *models.Tx, u clever.User) (int64, error) {
	id, err := tx.UserByCleverID(ctx, u.ID)
	known := err == nil
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return 0, err
	}
	record := user(u)
	if known && cutShort(record) {
		return id, nil
	}
	// Most people come back as they were. Only a difference waits for a sync that may be writing.
	if same, err := tx.SameUser(ctx, &record); err != nil || same {
		return id, err
	}
	if _, err := tx.WriteUsers(ctx, []models.RosterUser{record}, &models.Seen{}); err != nil {
		return 0, fmt.Errorf("take over a person at sign-in: %w", err)
	}
	return tx.UserByCleverID(ctx, u.ID)
}

// cutShort reports that a role which is always held somewhere names no school.
func cutShort(u models.RosterUser) bool {
	return slices.ContainsFunc(u.Grants, func(g models.RosterGrant) bool {
		return len(g.Schools) == 0 && (g.Role == "teacher" || g.Role == "staff" || g.Role == "student")
	})
}
