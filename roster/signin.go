package roster

import (
	"context"
	"fmt"

	"hallpass/clever"
	"hallpass/models"
)

// SignIn brings one person into step with the record that Clever gave at sign-in, and returns who that is here. It
// counts at once: a role lost since the last sync opens nothing any more. While a sync writes, somebody who is known
// does not wait for it: the sync brings the change. Somebody who is not waits some seconds, then it is ErrTooSlow.
//
// A record is partial when a token that Clever shows less to read it: it teaches us nothing about somebody who is
// known already. The person will not be ended by a sync that is under way. An account from the app's old days that leads
// to them is linked.
func SignIn(ctx context.Context, tx *models.Tx, u clever.User, partial bool) (int64, error) {
	record := user(u)
	held, err := tx.HeldPerson(ctx, &record)
	if err != nil {
		return 0, err
	}
	if held.ID == 0 || !partial && !held.Same {
		if _, err := tx.WritePerson(ctx, record, !held.Current); err != nil {
			return 0, fmt.Errorf("take over a person at sign-in: %w", err)
		}
	}
	if held.ID == 0 {
		if held.ID, err = tx.UserByCleverID(ctx, u.ID); err != nil {
			return 0, err
		}
	}
	if err := tx.MatchPerson(ctx, held.ID); err != nil {
		return 0, err
	}
	if err := tx.ConfirmPerson(ctx, held.ID); err != nil {
		return 0, err
	}
	return tx.UserByCleverID(ctx, u.ID) // a merged record signs in as the person it was merged into
}
