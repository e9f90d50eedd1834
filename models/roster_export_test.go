package models

import (
	"context"
	"strings"
)

// Settings reads what PostgreSQL goes by in this transaction.
func (tx *Tx) Settings(ctx context.Context, names []string) string {
	var all []string
	for _, name := range names {
		var value string
		if err := tx.conn.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			value = err.Error()
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(all, " ")
}

// EndUnseen ends what a walk did not meet, past the brake.
func (tx *Tx) EndUnseen(ctx context.Context, seen map[RosterType]*Seen) (map[RosterType]int, error) {
	if err := tx.beginRoster(ctx); err != nil {
		return nil, err
	}
	gone := map[RosterType]int{}
	for _, t := range rosterTypes {
		n, err := tx.unseen(ctx, t, seen[t])
		if err != nil {
			return nil, err
		}
		gone[t] = n
	}
	return gone, tx.endGone(ctx, gone)
}
