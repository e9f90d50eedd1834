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
