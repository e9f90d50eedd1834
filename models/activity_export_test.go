package models

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
)

// ActivityReads counts the rows of tables and indexes that a page of the audit looks at, those it throws away included.
func (tx *Tx) ActivityReads(ctx context.Context, f ActivityFilter) (int, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	sql, args := tx.activityQuery(f)
	var raw []byte
	if err := tx.conn.QueryRow(ctx, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+sql, pgx.NamedArgs(args)).Scan(&raw); err != nil {
		return 0, err
	}
	type node struct {
		Rows    float64 `json:"Actual Rows"`
		Loops   float64 `json:"Actual Loops"`
		Removed float64 `json:"Rows Removed by Filter"`
		Table   string  `json:"Relation Name"`
		Plans   []json.RawMessage
	}
	var plan []struct{ Plan json.RawMessage }
	if err := json.Unmarshal(raw, &plan); err != nil {
		return 0, err
	}
	read := 0.0
	var walk func(json.RawMessage) error
	walk = func(raw json.RawMessage) error {
		var n node
		if err := json.Unmarshal(raw, &n); err != nil {
			return err
		}
		if n.Table != "" {
			read += (n.Rows + n.Removed) * n.Loops
		}
		for _, p := range n.Plans {
			if err := walk(p); err != nil {
				return err
			}
		}
		return nil
	}
	return int(read), walk(plan[0].Plan)
}
