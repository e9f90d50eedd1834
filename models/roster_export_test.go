package models

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
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

// Fetched counts the rows that the transaction's statements have read so far, by table.
func (tx *Tx) Fetched(ctx context.Context) (map[string]int, error) {
	read := map[string]int{}
	var table string
	var n int
	rows, err := tx.conn.Query(ctx, `SELECT relname::text, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables`)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&table, &n}, func() error { read[table] = n; return nil })
	}
	return read, err
}
