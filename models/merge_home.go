package models

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// settleHomes brings into step what follows from all records of some people together: whether they are current, how
// many roles they hold, by which words they are found and under which name their roles are sorted. A person is current
// while any of their records is. Records that are merged hold nothing and are not found themselves.
func (tx *Tx) settleHomes(ctx context.Context, homes []int64) error {
	if len(homes) == 0 {
		return nil
	}
	docs := map[int64]string{}
	var home int64
	var first, middle, last, email string
	b := &pgx.Batch{}
	collect(b, `SELECT h.id, u.first_name, u.middle_name, u.last_name, u.email FROM unnest($2::bigint[]) h(id), LATERAL (
			SELECT u.* FROM users u WHERE u.district_id = $1 AND u.id = h.id UNION ALL (SELECT u.* FROM users u WHERE u.district_id = $1 AND u.merged_into = h.id)) u
		ORDER BY h.id, u.id <> h.id, u.id`, []any{tx.actor.District, homes}, []any{&home, &first, &middle, &last, &email}, func() {
		docs[home] += searchDoc(first, middle, last, email)
	})
	if err := tx.send(ctx, "read records of people", b); err != nil {
		return err
	}
	ids, texts := make([]int64, 0, len(docs)), make([]string, 0, len(docs))
	for _, id := range homes {
		if doc, found := docs[id]; found {
			ids, texts = append(ids, id), append(texts, doc)
		}
	}
	b = &pgx.Batch{}
	// A person's own record may have ended while another one of theirs has not; its identity tells.
	b.Queue(`UPDATE users u SET ended_at = n.ended_at, role_count = n.roles FROM (
			SELECT h.id, CASE WHEN `+ownRecord("h", "IS NULL")+` OR EXISTS (SELECT FROM users l WHERE l.district_id = $1 AND l.merged_into = h.id AND l.ended_at IS NULL) THEN NULL
			            ELSE coalesce(h.ended_at, $3) END AS ended_at,
			       (SELECT count(DISTINCT g.role) FROM role_grants g WHERE g.district_id = $1 AND g.user_id = h.id AND g.ended_at IS NULL) AS roles
			  FROM users h WHERE h.district_id = $1 AND h.id = ANY($2::bigint[]) AND h.merged_into IS NULL) n
		WHERE u.district_id = $1 AND u.id = n.id AND (u.ended_at IS DISTINCT FROM n.ended_at OR u.role_count <> n.roles)`, tx.actor.District, ids, tx.now)
	b.Queue(`UPDATE users u SET role_count = 0 WHERE u.district_id = $1 AND u.merged_into = ANY($2::bigint[]) AND u.role_count <> 0`, tx.actor.District, ids)
	b.Queue(`DELETE FROM user_search s USING users u WHERE u.district_id = $1 AND u.merged_into = ANY($2::bigint[]) AND s.district_id = $1 AND s.user_id = u.id`, tx.actor.District, ids)
	b.Queue(`INSERT INTO user_search AS s (district_id, user_id, name_key, current, doc, school_ids)
		SELECT $1, u.id, u.name_key, u.ended_at IS NULL, w.doc, CASE WHEN u.ended_at IS NULL THEN ARRAY(
		           SELECT DISTINCT gs.school_id FROM role_grant_schools gs WHERE gs.district_id = $1 AND gs.user_id = u.id AND gs.ended_at IS NULL ORDER BY 1)
		       ELSE coalesce((SELECT o.school_ids FROM user_search o WHERE o.district_id = $1 AND o.user_id = u.id), '{}') END
		  FROM unnest($2::bigint[], $3::text[]) w(id, doc) JOIN users u ON u.district_id = $1 AND u.id = w.id AND u.merged_into IS NULL
		ON CONFLICT (district_id, user_id) DO UPDATE SET name_key = excluded.name_key, current = excluded.current, doc = excluded.doc, school_ids = excluded.school_ids
		 WHERE (s.name_key, s.current, s.doc, s.school_ids) IS DISTINCT FROM (excluded.name_key, excluded.current, excluded.doc, excluded.school_ids)`, tx.actor.District, ids, texts)
	for _, table := range []string{"role_grants", "role_grant_schools"} {
		b.Queue(`UPDATE `+table+` t SET name_key = u.name_key FROM users u WHERE u.district_id = $1 AND u.id = ANY($2::bigint[]) AND t.district_id = $1 AND t.user_id = u.id AND t.name_key <> u.name_key`,
			tx.actor.District, ids)
	}
	return tx.send(ctx, "settle people", b)
}

// ownRecord is the SQL of whether the user's own record has ended, or has not. That of somebody whom Clever does not
// know ends with them.
func ownRecord(alias, is string) string {
	return `(SELECT CASE WHEN i.value IS NULL THEN ` + alias + `.ended_at ELSE i.ended_at END
		FROM (SELECT 1) one LEFT JOIN identities i ON i.district_id = ` + alias + `.district_id AND i.kind = 'clever' AND i.value = ` + alias + `.clever_id) ` + is
}

// mergedHomes finds, of some records, those that are merged or have others merged into them, and gives the person of
// each. In a district without merges it looks at nothing.
func (tx *Tx) mergedHomes(ctx context.Context, records []int64) (map[int64]int64, error) {
	homes := map[int64]int64{}
	var id, home int64
	b := &pgx.Batch{}
	collect(b, byKey("bigint", `SELECT u.id, coalesce(u.merged_into, u.id) FROM users u WHERE u.district_id = $1 AND u.id = w.id
			AND (SELECT EXISTS (SELECT FROM users m WHERE m.district_id = $1 AND m.merged_into IS NOT NULL))
			AND (u.merged_into IS NOT NULL OR EXISTS (SELECT FROM users l WHERE l.district_id = $1 AND l.merged_into = u.id))`),
		[]any{tx.actor.District, records}, []any{&id, &home}, func() { homes[id] = home })
	return homes, tx.send(ctx, "find merged records", b)
}

// settleRecords is settleHomes for the people of some records that are merged.
func (tx *Tx) settleRecords(ctx context.Context, homes map[int64]int64) error {
	var list idSet
	for _, home := range homes {
		list.add(home)
	}
	return tx.settleHomes(ctx, list.list())
}

// settleGone is settleRecords for people who have just ended, by the table gone_users. What a person taught may have
// been by the record that ended: the next full sync writes those sections anew, as Clever then lists them.
func (tx *Tx) settleGone(ctx context.Context) error {
	var homes []int64
	var home int64
	b := &pgx.Batch{}
	collect(b, `SELECT DISTINCT coalesce(u.merged_into, u.id) FROM gone_users g JOIN users u ON u.district_id = $1 AND u.id = g.id
		WHERE u.merged_into IS NOT NULL OR EXISTS (SELECT FROM users l WHERE l.district_id = $1 AND l.merged_into = u.id)`, []any{tx.actor.District}, []any{&home}, func() { homes = append(homes, home) })
	if err := tx.send(ctx, "find merged people", b); err != nil || len(homes) == 0 {
		return err
	}
	if err := tx.settleHomes(ctx, homes); err != nil {
		return err
	}
	b = &pgx.Batch{}
	forgetSections(b, tx.actor.District, homes)
	return tx.send(ctx, "read sections anew", b)
}

// forgetSections makes the next full sync write the sections that some people teach.
func forgetSections(b *pgx.Batch, district int64, teachers []int64) {
	b.Queue(`UPDATE sections s SET digest = '' FROM section_teachers t WHERE t.district_id = $1 AND t.user_id = ANY($2::bigint[]) AND s.district_id = $1 AND s.id = t.section_id AND s.digest <> ''`, district, teachers)
}

// withHomes adds, to the Clever ids of some records, those of the people they were merged into: whoever comes or goes by
// one record of theirs takes the places that are kept under another.
func (tx *Tx) withHomes(ctx context.Context, cleverIDs []string) ([]string, error) {
	all := cleverIDs
	var home string
	b := &pgx.Batch{}
	collect(b, byKey("text", `SELECT h.clever_id FROM users l JOIN users h ON h.district_id = $1 AND h.id = l.merged_into
			WHERE l.district_id = $1 AND l.clever_id = w.id AND l.merged_into IS NOT NULL AND h.clever_id IS NOT NULL`),
		[]any{tx.actor.District, cleverIDs}, []any{&home}, func() { all = append(all, home) })
	return all, tx.send(ctx, "find people of merged records", b)
}
