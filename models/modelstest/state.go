package modelstest

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// stateQueries give what a district is, by Clever's ids: no ids and times of our own, and nothing that ended. They are
// what two ways to the same state must agree on.
//
// What came and went in between is history and differs with how often one looked: ended rows, accounts of people who
// are no employees any more, and legacy ids that were met first on somebody who is gone.
var stateQueries = map[string]string{
	"districts": `SELECT d.name, d.state FROM districts d`,
	"schools":   `SELECT clever_id, name, name_key, sis_id, school_number, low_grade, high_grade, digest FROM schools WHERE ended_at IS NULL AND listed`,
	"terms":     `SELECT clever_id, name, start_date, end_date, digest FROM terms WHERE ended_at IS NULL`,
	"users":     `SELECT clever_id, first_name, middle_name, last_name, email, name_key, email_key, role_count, digest FROM users WHERE ended_at IS NULL`,
	"clever identities": `SELECT i.value, u.clever_id FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.kind = 'clever' AND i.ended_at IS NULL`,
	"accounts": `SELECT u.clever_id, a.role, a.retired_at FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.ended_at IS NULL
		AND EXISTS (SELECT FROM role_grants g WHERE g.user_id = u.id AND g.ended_at IS NULL AND g.role IN ('teacher', 'staff', 'district_admin'))`,
	"grants": `SELECT u.clever_id, g.role, g.source, g.legacy_id, g.sis_id, g.number, g.sis_key, g.number_key, g.title, g.grade, g.labels, g.name_key
		FROM role_grants g JOIN users u ON u.id = g.user_id WHERE g.ended_at IS NULL`,
	"grant schools": `SELECT u.clever_id, g.role, s.clever_id AS school, g.is_primary, g.name_key
		FROM role_grant_schools g JOIN users u ON u.id = g.user_id JOIN schools s ON s.id = g.school_id WHERE g.ended_at IS NULL`,
	"contacts": `SELECT u.clever_id, c.student_clever_id, c.relationship, c.kind FROM contact_students c JOIN users u ON u.id = c.contact_id WHERE u.ended_at IS NULL`,
	"sections": `SELECT s.clever_id, h.clever_id AS school, t.clever_id AS term, s.name, s.name_key, s.sis_id, s.section_number, s.period, s.grade, s.subject,
		s.students, s.teachers_not_shared, s.students_not_shared, s.digest
		FROM sections s JOIN schools h ON h.id = s.school_id LEFT JOIN terms t ON t.id = s.term_id WHERE s.ended_at IS NULL`,
	"section teachers": `SELECT s.clever_id, u.clever_id AS teacher, m.is_primary FROM section_teachers m JOIN sections s ON s.id = m.section_id JOIN users u ON u.id = m.user_id WHERE s.ended_at IS NULL`,
	"section students": `SELECT s.clever_id, u.clever_id AS student FROM section_students m JOIN sections s ON s.id = m.section_id JOIN users u ON u.id = m.user_id WHERE s.ended_at IS NULL`,
	"strangers":        `SELECT s.clever_id, m.kind, m.clever_id AS stranger FROM section_strangers m JOIN sections s ON s.id = m.section_id WHERE s.ended_at IS NULL`,
	"search": `SELECT u.clever_id, s.name_key, s.current, s.doc, (SELECT string_agg(h.clever_id, ',' ORDER BY h.clever_id) FROM schools h WHERE h.id = ANY(s.school_ids)) AS schools
		FROM user_search s JOIN users u ON u.id = s.user_id WHERE u.ended_at IS NULL`,
	"heads": `SELECT coalesce(s.clever_id, '') AS school, h.role, h.people, h.several FROM head_counts h LEFT JOIN schools s ON s.id = h.school_id`,
}

// Querier is a connection or a pool that sees past the wall.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// State gives what a database's districts are, as lines in order under a name for each kind of row. Two ways to the
// same state give the same.
func State(ctx context.Context, db Querier) (map[string][]string, error) {
	out := map[string][]string{}
	for name, sql := range stateQueries {
		var text string
		if err := db.QueryRow(ctx, `SELECT coalesce(string_agg(x::text, E'\n' ORDER BY x::text COLLATE "C"), '') FROM (`+sql+`) x`).Scan(&text); err != nil {
			return nil, fmt.Errorf("state of %s: %w", name, err)
		}
		out[name] = strings.Split(text, "\n")
	}
	return out, nil
}
