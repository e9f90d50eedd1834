package models

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CountHeads counts people by role for each school and for the district, and rewrites the counts that differ.
func (tx *Tx) CountHeads(ctx context.Context) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("count heads: %w", err)
	}
	_, err := tx.conn.Exec(ctx, `
		WITH held AS (
			SELECT DISTINCT gs.school_id, gs.role, gs.user_id, u.role_count > 1 AS several
			  FROM role_grant_schools gs
			  JOIN users u ON u.district_id = $1 AND u.id = gs.user_id AND u.ended_at IS NULL
			 WHERE gs.district_id = $1 AND gs.ended_at IS NULL
		), roles AS (
			SELECT DISTINCT g.role, g.user_id, u.role_count > 1 AS several
			  FROM role_grants g
			  JOIN users u ON u.district_id = $1 AND u.id = g.user_id AND u.ended_at IS NULL
			 WHERE g.district_id = $1 AND g.ended_at IS NULL
		), want AS (
			SELECT school_id, role, count(*) AS people, count(*) FILTER (WHERE several) AS several FROM held GROUP BY school_id, role
			UNION ALL
			SELECT school_id, '', count(*), count(*) FILTER (WHERE several)
			  FROM (SELECT DISTINCT school_id, user_id, several FROM held) anyone GROUP BY school_id
			UNION ALL
			SELECT 0, role, count(*), count(*) FILTER (WHERE several) FROM roles GROUP BY role
			UNION ALL
			SELECT 0, '', count(*), count(*) FILTER (WHERE role_count > 1) FROM users WHERE district_id = $1 AND ended_at IS NULL AND merged_into IS NULL
		), gone AS (
			DELETE FROM head_counts h WHERE h.district_id = $1
			   AND NOT EXISTS (SELECT FROM want w WHERE w.school_id = h.school_id AND w.role = h.role)
		)
		INSERT INTO head_counts (district_id, school_id, role, people, several)
		SELECT $1, school_id, role, people, several FROM want
		ON CONFLICT (district_id, school_id, role) DO UPDATE SET people = excluded.people, several = excluded.several
		 WHERE (head_counts.people, head_counts.several) <> (excluded.people, excluded.several)`, tx.actor.District)
	if err != nil {
		return fmt.Errorf("count heads: %w", err)
	}
	return nil
}

// SettleRoster refreshes what PostgreSQL knows of the roster tables, after much was written: the planner's statistics
// and the search index's list of entries not sorted in yet, which every search has to read through.
func (tx *Tx) SettleRoster(ctx context.Context) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("settle roster tables: %w", err)
	}
	if _, err := tx.conn.Exec(ctx, `SELECT settle_roster()`); err != nil {
		return fmt.Errorf("settle roster tables: %w", err)
	}
	return nil
}

// RosterSynced notes, on the district, that a full sync is through, and from which event on later ones follow.
// version is the API version of the feed that eventID was read from; eventID is "" where the feed was empty.
func (tx *Tx) RosterSynced(ctx context.Context, version, eventID string) error {
	b := &pgx.Batch{}
	b.Queue(`UPDATE districts SET synced_at = $2 WHERE district_id = $1`, tx.actor.District, tx.now)
	b.Queue(`INSERT INTO event_cursors (district_id, version, event_id, saved_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (district_id, version) DO UPDATE SET event_id = excluded.event_id, saved_at = excluded.saved_at`,
		tx.actor.District, version, eventID, tx.now)
	// What changed until now is said in one word, so that the list of it stays short.
	b.Queue(`DELETE FROM fact_changes WHERE district_id = $1`, tx.actor.District)
	b.Queue(`INSERT INTO fact_changes (district_id, about, subject_id) VALUES ($1, 'everything', 0)`, tx.actor.District)
	return tx.send(ctx, "note finished sync", b)
}
