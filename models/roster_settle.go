package models

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Settle works out anew everything that follows from all people and terms.
func (tx *Tx) Settle(ctx context.Context) error {
	for _, settle := range []func(context.Context) error{tx.SettleSections, tx.SettleContacts, tx.CountHeads} {
		if err := settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// SettleSections puts everybody in their place: strangers whom sections name and who are here now become members,
// members who have ended become strangers, and likewise terms. It is asked when everyone is in and out.
func (tx *Tx) SettleSections(ctx context.Context) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("settle sections: %w", err)
	}
	if err := tx.settleMembers(ctx, nil); err != nil {
		return err
	}
	b := &pgx.Batch{}
	settleTerms(b, tx.actor.District)
	return tx.send(ctx, "settle sections", b)
}

// settleMembers settles the people with the given Clever ids, or everybody if there is no list.
func (tx *Tx) settleMembers(ctx context.Context, cleverIDs []string) error {
	district := tx.actor.District
	var moved []int64
	var section int64
	b := &pgx.Batch{}
	move := func(sql string) {
		collect(b, sql, []any{district, cleverIDs}, []any{&section}, func() { moved = append(moved, section) })
	}
	of := func(column string) string {
		if cleverIDs == nil {
			return ` AND $2::text[] IS NULL`
		}
		return ` AND ` + column + ` = ANY($2::text[])`
	}
	for _, t := range []struct{ table, kind string }{
		{"section_teachers", `CASE WHEN m.is_primary THEN 'primary' ELSE 'teacher' END`}, {"section_students", `'student'`},
	} {
		primary := ``
		if t.table == "section_teachers" {
			primary = `, m.is_primary`
		}
		move(`WITH gone AS (
				DELETE FROM ` + t.table + ` m USING users u
				 WHERE m.district_id = $1 AND u.district_id = $1 AND u.id = m.user_id AND u.ended_at IS NOT NULL` + of("u.clever_id") + `
				RETURNING m.section_id, u.clever_id` + primary + `
			), kept AS (
				INSERT INTO section_strangers (district_id, section_id, kind, clever_id)
				SELECT $1, m.section_id, ` + t.kind + `, m.clever_id FROM gone m WHERE m.clever_id IS NOT NULL
				ON CONFLICT DO NOTHING
			) SELECT DISTINCT section_id FROM gone`)
	}
	move(`WITH back AS (
			DELETE FROM section_strangers s USING users u
			 WHERE s.district_id = $1 AND s.kind <> 'term' AND u.district_id = $1 AND u.clever_id = s.clever_id AND u.ended_at IS NULL` + of("s.clever_id") + `
			RETURNING s.section_id, s.kind, coalesce(u.merged_into, u.id) AS id
		), teachers AS (
			INSERT INTO section_teachers (district_id, section_id, user_id, is_primary)
			SELECT $1, section_id, id, bool_or(kind = 'primary') FROM back WHERE kind <> 'student' GROUP BY section_id, id
			ON CONFLICT (district_id, section_id, user_id) DO NOTHING
		), students AS (
			INSERT INTO section_students (district_id, section_id, user_id) SELECT $1, section_id, id FROM back WHERE kind = 'student'
			ON CONFLICT DO NOTHING
		) SELECT DISTINCT section_id FROM back`)
	if err := tx.send(ctx, "settle members", b); err != nil || len(moved) == 0 {
		return err
	}
	slices.Sort(moved)
	moved = slices.Compact(moved)
	b = &pgx.Batch{}
	b.Queue(`UPDATE sections s SET students = n.students, teachers_not_shared = n.teachers_away, students_not_shared = n.students_away
		FROM (SELECT m.id,
				(SELECT count(*) FROM section_students x WHERE x.district_id = $1 AND x.section_id = m.id) AS students,
				(SELECT count(*) FROM section_strangers x WHERE x.district_id = $1 AND x.section_id = m.id AND x.kind IN ('primary', 'teacher')) AS teachers_away,
				(SELECT count(*) FROM section_strangers x WHERE x.district_id = $1 AND x.section_id = m.id AND x.kind = 'student') AS students_away
			FROM unnest($2::bigint[]) m(id)) n
		WHERE s.district_id = $1 AND s.id = n.id
		AND (s.students, s.teachers_not_shared, s.students_not_shared) <> (n.students, n.teachers_away, n.students_away)`, district, moved)
	return tx.send(ctx, "count members", b)
}

// settleTerms lets sections' terms come and go.
func settleTerms(b *pgx.Batch, district int64) {
	b.Queue(`WITH gone AS (
			UPDATE sections s SET term_id = NULL FROM terms t
			 WHERE s.district_id = $1 AND t.district_id = $1 AND t.id = s.term_id AND t.ended_at IS NOT NULL
			RETURNING s.id, t.clever_id
		) INSERT INTO section_strangers (district_id, section_id, kind, clever_id) SELECT $1, id, 'term', clever_id FROM gone ON CONFLICT DO NOTHING`, district)
	b.Queue(`WITH back AS (
			DELETE FROM section_strangers s USING terms t
			 WHERE s.district_id = $1 AND s.kind = 'term' AND t.district_id = $1 AND t.clever_id = s.clever_id AND t.ended_at IS NULL
			RETURNING s.section_id, t.id
		) UPDATE sections s SET term_id = back.id FROM back WHERE s.district_id = $1 AND s.id = back.section_id`, district)
}

// SettleContacts gives contacts, in the people search, the schools of their students. It is asked when everyone is
// in, because a contact may come before its students.
func (tx *Tx) SettleContacts(ctx context.Context) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("settle contacts: %w", err)
	}
	b := &pgx.Batch{}
	settleContacts(b, tx.actor.District, nil)
	return tx.send(ctx, "settle contacts", b)
}

// settleContacts settles the contacts who have one of the Clever ids, or a student who has, or everybody if there is
// no list.
func settleContacts(b *pgx.Batch, district int64, cleverIDs []string) {
	contacts := `SELECT DISTINCT user_id FROM role_grants WHERE district_id = $1 AND role = 'contact' AND ended_at IS NULL AND $2::text[] IS NULL`
	if cleverIDs != nil {
		contacts = `SELECT DISTINCT g.user_id FROM role_grants g JOIN (
				SELECT id FROM users WHERE district_id = $1 AND clever_id = ANY($2::text[])
				UNION SELECT contact_id FROM contact_students WHERE district_id = $1 AND student_clever_id = ANY($2::text[])
			) x ON x.id = g.user_id WHERE g.district_id = $1 AND g.role = 'contact' AND g.ended_at IS NULL`
	}
	b.Queue(`
		WITH contacts AS (`+contacts+`), places AS (
			SELECT c.contact_id AS user_id, gs.school_id
			  FROM contacts JOIN contact_students c ON c.district_id = $1 AND c.contact_id = contacts.user_id
			  JOIN identities i ON i.district_id = $1 AND i.kind = 'clever' AND i.value = c.student_clever_id
			  JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.user_id = i.user_id AND gs.ended_at IS NULL
			UNION
			SELECT gs.user_id, gs.school_id FROM contacts JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.user_id = contacts.user_id AND gs.ended_at IS NULL
		), want AS (
			SELECT contacts.user_id, coalesce(array_agg(places.school_id ORDER BY places.school_id) FILTER (WHERE places.school_id IS NOT NULL), '{}') AS school_ids
			  FROM contacts LEFT JOIN places USING (user_id) GROUP BY contacts.user_id
		)
		UPDATE user_search s SET school_ids = want.school_ids FROM want
		 WHERE s.district_id = $1 AND s.user_id = want.user_id AND s.school_ids <> want.school_ids`, district, cleverIDs)
}
