package models

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// SuggestionsPlan is how PostgreSQL reads one page of the queue, and how many rows it looks at for that.
func (tx *Tx) SuggestionsPlan(ctx context.Context, r DuplicateReader, f SuggestionFilter) (plan string, err error) {
	f.Limit = listLimit
	sql, args, err := tx.suggestionsQuery(r, f)
	if err != nil {
		return "", err
	}
	return tx.explain(ctx, sql, args)
}

// CountsPlan is how PostgreSQL counts the queue.
func (tx *Tx) CountsPlan(ctx context.Context, r DuplicateReader) (string, error) {
	return tx.explain(ctx, countsQuery(r), tx.readerArgs(r))
}

func (tx *Tx) explain(ctx context.Context, sql string, args map[string]any) (string, error) {
	rows, err := tx.conn.Query(ctx, "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) "+sql, pgx.NamedArgs(args))
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("explain: %w", err)
	}
	return strings.Join(lines, "\n"), nil
}

// QueuePlace is a cursor of the queue.
func QueuePlace(risk int16, tenths int, id int64) string {
	return Suggestion{Risk: risk, Tenths: tenths, ID: id}.cursor()
}
