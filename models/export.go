package models

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hallpass/audit"
)

// Exports are the kinds of rows that a district can be given as files, in the order in which they are written.
func Exports() []string {
	kinds := make([]string, len(exports))
	for i, e := range exports {
		kinds[i] = e.kind
	}
	return kinds
}

// exports are the queries, each in an order that stays. Moments are UTC; people are named by Hallpass's and Clever's id.
var exports = []struct{ kind, sql string }{
	{"people", `SELECT u.id, coalesce(u.clever_id, '') AS clever_id, u.first_name, u.middle_name, u.last_name, u.email,
		(SELECT coalesce(array_agg(g.role ORDER BY g.role), '{}') FROM (SELECT DISTINCT role FROM role_grants g WHERE g.district_id = u.district_id AND g.user_id = u.id AND g.ended_at IS NULL) g) AS roles,
		(SELECT coalesce(array_agg(i.value ORDER BY i.value), '{}') FROM identities i WHERE i.district_id = u.district_id AND i.user_id = u.id AND i.kind = 'legacy') AS legacy_ids,
		(SELECT coalesce(array_agg(i.value ORDER BY i.value), '{}') FROM identities i WHERE i.district_id = u.district_id AND i.user_id = u.id AND i.kind = 'account') AS account_ids,
		u.merged_into, u.created_at, u.changed_at, u.ended_at
		FROM users u WHERE u.district_id = $1 ORDER BY u.district_id, u.id`},
	{"grants", `SELECT g.id, g.user_id, coalesce(u.clever_id, '') AS user_clever_id, g.role, g.source, g.labels,
		(SELECT coalesce(array_agg(s.clever_id ORDER BY s.clever_id), '{}') FROM role_grant_schools gs JOIN schools s ON s.district_id = gs.district_id AND s.id = gs.school_id
			WHERE gs.district_id = g.district_id AND gs.grant_id = g.id AND gs.ended_at IS NULL) AS schools,
		(SELECT s.clever_id FROM role_grant_schools gs JOIN schools s ON s.district_id = gs.district_id AND s.id = gs.school_id
			WHERE gs.district_id = g.district_id AND gs.grant_id = g.id AND gs.ended_at IS NULL AND gs.is_primary ORDER BY 1 LIMIT 1) AS primary_school,
		g.legacy_id, g.sis_id, g.number, g.title, g.grade, g.given_by, g.reason, g.note, g.since, g.ends_at, g.ended_at
		FROM role_grants g JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id WHERE g.district_id = $1 ORDER BY g.district_id, g.id`},
	{"overrides", `SELECT o.id, o.user_id, coalesce(u.clever_id, '') AS user_clever_id, o.permission, CASE WHEN o.allow THEN 'allow' ELSE 'deny' END AS effect, o.place_kind,
		s.clever_id AS school, c.clever_id AS section, o.reason, o.note, o.end_kind, o.ends_at, o.end_role, o.locked, o.created_by, o.created_at, o.ended_by, o.ended_at
		FROM overrides o JOIN users u ON u.district_id = o.district_id AND u.id = o.user_id
		LEFT JOIN schools s ON s.district_id = o.district_id AND s.id = o.school_id LEFT JOIN sections c ON c.district_id = o.district_id AND c.id = o.section_id
		WHERE o.district_id = $1 ORDER BY o.district_id, o.id`},
	{"decisions", `SELECT p.id, p.lo AS user_id, coalesce(a.clever_id, '') AS user_clever_id, p.hi AS other_id, coalesce(b.clever_id, '') AS other_clever_id,
		p.verdict, p.reason, p.class, p.tenths, p.evidence, p.decided_by, p.decided_at, p.ended_by, p.ended_at
		FROM pair_decisions p JOIN users a ON a.district_id = p.district_id AND a.id = p.lo JOIN users b ON b.district_id = p.district_id AND b.id = p.hi
		WHERE p.district_id = $1 ORDER BY p.district_id, p.id`},
	{"merges", `SELECT m.id, m.state, m.survivor_id AS user_id, coalesce(u.clever_id, '') AS user_clever_id,
		(SELECT coalesce(array_agg(x.user_id ORDER BY x.user_id), '{}') FROM merge_members x WHERE x.district_id = m.district_id AND x.merge_id = m.id) AS member_ids,
		(SELECT coalesce(array_agg(coalesce(v.clever_id, '') ORDER BY x.user_id), '{}') FROM merge_members x JOIN users v ON v.district_id = x.district_id AND v.id = x.user_id
			WHERE x.district_id = m.district_id AND x.merge_id = m.id) AS member_clever_ids,
		m.class, m.reason, m.choices, m.bulk, m.proposed_by, m.proposed_at, m.merged_by, m.merged_at, m.unmerged_by, m.unmerged_at
		FROM merges m JOIN users u ON u.district_id = m.district_id AND u.id = m.survivor_id WHERE m.district_id = $1 ORDER BY m.district_id, m.id`},
	{"audit", `SELECT e.id, e.at, e.actor_id, e.actor, e.view, e.action, e.subject, e.data, e.request_id, encode(e.prev_hash, 'hex') AS prev_hash, encode(e.hash, 'hex') AS hash
		FROM audit_entries e WHERE e.district_id = $1 ORDER BY e.district_id, e.id`},
}

// exportRows is how many rows are in memory at a time.
const exportRows = 1000

// Export gives every row of the kinds asked for, in one moment of the database: head before the rows of each kind, with
// the columns' names, row for each. Values are those of pgx: text, numbers, bool, time.Time, lists, decoded JSON and
// nil. However many rows there are, a thousand are held. How long the reader takes is the reader's business.
func (tx *Tx) Export(ctx context.Context, kinds []string, head func(kind string, columns []string) error, row func(values []any) error) error {
	// Each fetch is a query of its own, and between two of them nothing happens for as long as the reader takes.
	if _, err := tx.conn.Exec(ctx, `SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)`); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	for _, e := range exports {
		if !slices.Contains(kinds, e.kind) {
			continue
		}
		if err := tx.exportKind(ctx, e.kind, e.sql, head, row); err != nil {
			return fmt.Errorf("export %s: %w", e.kind, err)
		}
	}
	return nil
}

func (tx *Tx) exportKind(ctx context.Context, kind, sql string, head func(string, []string) error, row func([]any) error) error {
	if _, err := tx.conn.Exec(ctx, `DECLARE export_`+kind+` NO SCROLL CURSOR FOR `+strings.ReplaceAll(sql, "$1", fmt.Sprint(tx.actor.District))); err != nil {
		return err
	}
	for first := true; ; first = false {
		rows, err := tx.conn.Query(ctx, fmt.Sprintf(`FETCH %d FROM export_%s`, exportRows, kind))
		if err != nil {
			return err
		}
		n, err := exportPage(rows, kind, first, head, row)
		rows.Close()
		if err != nil {
			return err
		}
		if n < exportRows {
			break
		}
	}
	_, err := tx.conn.Exec(ctx, `CLOSE export_`+kind)
	return err
}

func exportPage(rows pgx.Rows, kind string, first bool, head func(string, []string) error, row func([]any) error) (n int, err error) {
	if first {
		var columns []string
		for _, f := range rows.FieldDescriptions() {
			columns = append(columns, f.Name)
		}
		if err := head(kind, columns); err != nil {
			return 0, err
		}
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return n, err
		}
		if err := row(values); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// NoteExport puts down that somebody takes data away, before they do.
func (tx *Tx) NoteExport(ctx context.Context, kinds []string, format string) error {
	return tx.Audit(ctx, audit.Entry{Action: audit.ExportMade, Subject: tx.districtSubject(), Data: map[string]any{"what": kinds, "format": format}})
}
