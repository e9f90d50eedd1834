package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Merge is one merge of records: proposed, done, refused or taken back.
type Merge struct {
	DistrictID  int64 `gorm:"primaryKey"`
	ID          int64 `gorm:"primaryKey"`
	State       string
	SurvivorID  int64
	Class       string
	Reason      string
	Choices     json.RawMessage `gorm:"type:jsonb"`
	Plan        []byte
	Bulk        *int64
	ProposedBy  int64
	ProposedAt  time.Time
	MergedBy    *int64
	MergedAt    *time.Time
	BeforeSum   []byte
	AfterSum    []byte
	ChangeID    *int64
	UnmergedBy  *int64
	UnmergedAt  *time.Time
	UnmergedSum []byte
	Differs     json.RawMessage `gorm:"type:jsonb"` // rows that are not as before; [] is none
}

// States of a merge.
const (
	MergeProposed = "proposed"
	MergeRefused  = "refused"
	MergeDone     = "merged"
	MergeUndone   = "unmerged"
)

// Subject is how the audit and changes speak of the merge.
func (m Merge) Subject() string { return fmt.Sprintf("merge:%d", m.ID) }

// NeverError is the database's own refusal to merge: the last wall behind the rules that package dedupe states.
type NeverError struct{ Rule string } // chain, role or different

func (e NeverError) Error() string { return "never merged: " + e.Rule }

// mergeTable is a table in which people have rows that a merge may touch. Together they are everything of a person
// but what only remembers who did what, sign-ins, and what can be worked out again at any time.
type mergeTable struct {
	name string
	keys []string // its primary key without the district
	who  string   // the column that says whose row it is
}

// mergeTables are in the order in which rows can be written back.
var mergeTables = []mergeTable{
	{"users", []string{"id"}, "id"},
	{"identities", []string{"kind", "value"}, "user_id"},
	{"accounts", []string{"id"}, "user_id"},
	{"role_grants", []string{"id"}, "user_id"},
	{"role_grant_schools", []string{"grant_id", "school_id"}, "user_id"},
	{"section_teachers", []string{"section_id", "user_id"}, "user_id"},
	{"section_students", []string{"section_id", "user_id"}, "user_id"},
	{"contact_students", []string{"contact_id", "student_clever_id"}, "contact_id"},
	{"overrides", []string{"id"}, "user_id"},
	{"user_preferences", []string{"user_id"}, "user_id"},
	{"imported_accounts", []string{"id"}, "user_id"},
	{"user_search", []string{"user_id"}, "user_id"},
}

// key is the SQL of a row's key, as JSON.
func (t mergeTable) key(alias string) string {
	parts := make([]string, len(t.keys))
	for i, k := range t.keys {
		parts[i] = `'` + k + `', ` + alias + `.` + k
	}
	return `jsonb_build_object(` + strings.Join(parts, `, `) + `)`
}

// images is the SQL of every row that the records $2 have in all tables, each with its place in the order of tables.
func images() string {
	parts := make([]string, len(mergeTables))
	for i, t := range mergeTables {
		parts[i] = fmt.Sprintf(`SELECT %d AS place, '%s' AS table_name, %s AS key, to_jsonb(t) AS image FROM %s t WHERE t.district_id = $1 AND t.%s = ANY($2::bigint[])`,
			i, t.name, t.key("t"), t.name, t.who)
	}
	return strings.Join(parts, ` UNION ALL `)
}

// sumOf is the SQL of the checksum over such rows: SHA-256 of all of them as text, in their order.
func sumOf(rows string) string {
	return `SELECT sha256(convert_to(coalesce(string_agg(x.table_name || ' ' || x.key::text || ' ' || x.image::text, E'\n' ORDER BY x.place, x.key::text), ''), 'UTF8')) FROM (` + rows + `) x`
}

// imagesAlike makes every transaction write times and bytes the same way, so that images can be compared.
const imagesAlike = `SELECT set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)`

// RecordsSum is the checksum over every row of some records, merged into each other or not.
func (tx *Tx) RecordsSum(ctx context.Context, records []int64) (sum []byte, err error) {
	if _, err = tx.conn.Exec(ctx, imagesAlike); err == nil {
		err = tx.conn.QueryRow(ctx, sumOf(images()), tx.actor.District, records).Scan(&sum)
	}
	return sum, wrap("checksum of records", err)
}

// RecordsOf lists some people's own records and those merged into them, ascending.
func (tx *Tx) RecordsOf(ctx context.Context, people []int64) ([]int64, error) {
	rows, err := tx.conn.Query(ctx, `SELECT u.id FROM users u WHERE u.district_id = $1 AND (u.id = ANY($2::bigint[]) OR u.merged_into = ANY($2::bigint[])) ORDER BY u.id`, tx.actor.District, people)
	if err != nil {
		return nil, wrap("records of people", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return ids, wrap("records of people", err)
}

// LockRecords takes the right to change some people: no sync writes until the transaction ends, and nobody else merges
// them. ErrTooSlow: a sync did not let go in time. LockAccess must be held.
func (tx *Tx) LockRecords(ctx context.Context, people []int64) error {
	if err := tx.awaitRoster(ctx, personWait); err != nil {
		return wrap("lock records", err)
	}
	_, err := tx.conn.Exec(ctx, `SELECT id FROM users WHERE district_id = $1 AND (id = ANY($2::bigint[]) OR merged_into = ANY($2::bigint[])) ORDER BY id FOR UPDATE`,
		tx.actor.District, people)
	return wrap("lock records", err)
}

// FoldedAccount is an account whose data another one of the same person keeps from now on.
type FoldedAccount struct{ ID, Into int64 }

// MergeOrder is a merge as it is to be done, with everything decided.
type MergeOrder struct {
	Survivor int64
	Losers   []int64 // people; records merged into them before follow

	NameOf, EmailOf int64           // records whose name and address the survivor takes; 0: its own
	EndOverrides    []int64         // that lost to another one
	MoveAccounts    []int64         // that the survivor has none for
	Fold            []FoldedAccount // the others; their data is kept under the survivor's

	Proposal int64 // the proposal this comes of; 0: none
	Class    string
	Reason   string
	Choices  any
	Plan     []byte // SHA-256 of the plan that was shown
	Bulk     int64  // 0: by itself
}

// Merge makes people one. LockAccess and LockRecords must be held. A NeverError says that the database refused.
func (tx *Tx) Merge(ctx context.Context, o MergeOrder) (Merge, error) {
	m, err := tx.merge(ctx, o)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		if rule, never := strings.CutPrefix(pgErr.ConstraintName, "never_merge_"); never {
			err = NeverError{rule}
		}
	}
	return m, wrap("merge", err)
}

func (tx *Tx) merge(ctx context.Context, o MergeOrder) (m Merge, err error) {
	people := append([]int64{o.Survivor}, o.Losers...)
	records, err := tx.RecordsOf(ctx, people)
	if err != nil {
		return m, err
	}
	if err = tx.keepImages(ctx, "was", records); err != nil {
		return m, err
	}
	before, err := tx.headsOfUsers(ctx, people)
	if err != nil {
		return m, err
	}
	b := &pgx.Batch{}
	o.queue(b, tx.actor.District, tx.actor.User, tx.now)
	if err = tx.send(ctx, "move rows", b); err != nil {
		return m, err
	}
	if err = tx.settleHomes(ctx, []int64{o.Survivor}); err != nil {
		return m, err
	}
	if _, err = tx.conn.Exec(ctx, `SET CONSTRAINTS never_merge IMMEDIATE`); err != nil {
		return m, err
	}
	after, err := tx.headsOfUsers(ctx, people)
	if err != nil {
		return m, err
	}
	if err = tx.moveHeads(ctx, before, after); err != nil {
		return m, err
	}
	if err = tx.keepImages(ctx, "now", records); err != nil {
		return m, err
	}
	return tx.noteMerge(ctx, o)
}

// queue adds what moves. Names and addresses are copied before anything else, while records are as they were.
func (o MergeOrder) queue(b *pgx.Batch, district, by int64, now time.Time) {
	s := o.Survivor
	if o.NameOf != 0 {
		b.Queue(`UPDATE users s SET first_name = f.first_name, middle_name = f.middle_name, last_name = f.last_name, name_key = f.name_key
			FROM users f WHERE s.district_id = $1 AND s.id = $2 AND f.district_id = $1 AND f.id = $3`, district, s, o.NameOf)
	}
	if o.EmailOf != 0 {
		b.Queue(`UPDATE users s SET email = f.email, email_key = f.email_key FROM users f WHERE s.district_id = $1 AND s.id = $2 AND f.district_id = $1 AND f.id = $3`, district, s, o.EmailOf)
	}
	b.Queue(`UPDATE users SET merged_into = $3, role_count = 0 WHERE district_id = $1 AND (id = ANY($2::bigint[]) OR merged_into = ANY($2::bigint[]))`, district, o.Losers, s)
	for _, table := range []string{"role_grants", "role_grant_schools"} {
		b.Queue(`UPDATE `+table+` t SET user_id = $3, name_key = s.name_key FROM users s WHERE t.district_id = $1 AND t.user_id = ANY($2::bigint[]) AND s.district_id = $1 AND s.id = $3`,
			district, o.Losers, s)
	}
	b.Queue(`WITH theirs AS (DELETE FROM section_teachers WHERE district_id = $1 AND user_id = ANY($2::bigint[]) RETURNING section_id, is_primary)
		INSERT INTO section_teachers AS t (district_id, section_id, user_id, is_primary)
		SELECT $1, section_id, $3, bool_or(is_primary) FROM theirs GROUP BY section_id
		ON CONFLICT (district_id, section_id, user_id) DO UPDATE SET is_primary = t.is_primary OR excluded.is_primary WHERE t.is_primary <> (t.is_primary OR excluded.is_primary)`,
		district, o.Losers, s)
	if len(o.EndOverrides) > 0 {
		b.Queue(`UPDATE overrides SET ended_at = $3, ended_by = $4 WHERE district_id = $1 AND id = ANY($2::bigint[]) AND ended_at IS NULL`, district, o.EndOverrides, now, by)
	}
	// What ended by itself has its end written down: standing, it could be in the way of one like it.
	b.Queue(`UPDATE overrides SET ended_at = ends_at WHERE district_id = $1 AND user_id = ANY($2::bigint[]) AND ended_at IS NULL AND ends_at <= $3`, district, append([]int64{s}, o.Losers...), now)
	b.Queue(`UPDATE overrides SET user_id = $3 WHERE district_id = $1 AND user_id = ANY($2::bigint[])`, district, o.Losers, s)
	for _, f := range o.Fold {
		b.Queue(`UPDATE accounts i SET retired_at = NULL FROM accounts f WHERE i.district_id = $1 AND i.id = $3 AND i.folded_into IS NULL AND i.retired_at IS NOT NULL
			AND f.district_id = $1 AND f.id = $2 AND f.retired_at IS NULL`, district, f.ID, f.Into)
		b.Queue(`UPDATE accounts SET retired_at = coalesce(retired_at, $4), folded_into = $3 WHERE district_id = $1 AND (id = $2 OR folded_into = $2)`, district, f.ID, f.Into, now)
	}
	b.Queue(`UPDATE accounts SET user_id = $3 WHERE district_id = $1 AND id = ANY($2::bigint[])`, district, o.MoveAccounts, s)
	b.Queue(`UPDATE user_preferences p SET user_id = $3 WHERE p.district_id = $1 AND p.user_id = (SELECT min(x.user_id) FROM user_preferences x WHERE x.district_id = $1 AND x.user_id = ANY($2::bigint[]))
		AND NOT EXISTS (SELECT FROM user_preferences x WHERE x.district_id = $1 AND x.user_id = $3)`, district, o.Losers, s)
	b.Queue(`DELETE FROM user_search WHERE district_id = $1 AND user_id = ANY($2::bigint[])`, district, o.Losers)
	b.Queue(`UPDATE sessions SET revoked_at = $3 WHERE district_id = $1 AND user_id = ANY($2::bigint[]) AND revoked_at IS NULL`, district, o.Losers, now)
	forgetSuggestions(b, district, append([]int64{s}, o.Losers...), now)
}

// forgetSuggestions throws away what was suggested about people who are others now, and asks for a fresh look.
func forgetSuggestions(b *pgx.Batch, district int64, people []int64, now time.Time) {
	b.Queue(`DELETE FROM suggestions s USING suggestion_members m WHERE s.district_id = $1 AND m.district_id = $1 AND m.suggestion_id = s.id AND m.user_id = ANY($2::bigint[])`, district, people)
	b.Queue(`DELETE FROM suggestions s WHERE s.district_id = $1 AND s.keep_id = ANY($2::bigint[])`, district, people)
	b.Queue(`DELETE FROM dedupe_keys WHERE district_id = $1 AND user_id = ANY($2::bigint[])`, district, people)
	b.Queue(`UPDATE dedupe_models SET wanted_at = $2 WHERE district_id = $1`, district, now)
}

// keepImages puts every row of some records aside, as they are at this moment, in a temporary table.
func (tx *Tx) keepImages(ctx context.Context, name string, records []int64) error {
	if _, err := tx.conn.Exec(ctx, imagesAlike); err != nil {
		return err
	}
	// A batch of merges in one transaction makes them anew each time.
	for _, sql := range []string{`DROP TABLE IF EXISTS pg_temp.merge_` + name, `CREATE TEMP TABLE merge_` + name + ` (place integer, table_name text, key jsonb, image jsonb) ON COMMIT DROP`} {
		if _, err := tx.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	_, err := tx.conn.Exec(ctx, `INSERT INTO merge_`+name+` `+images(), tx.actor.District, records)
	return err
}

// noteMerge writes the merge down with the images of every row of its records, those that it did not touch included:
// they tell, when it is taken back, what somebody else has changed since.
func (tx *Tx) noteMerge(ctx context.Context, o MergeOrder) (m Merge, err error) {
	m, err = tx.mergeRow(ctx, o)
	if err != nil {
		return m, err
	}
	b := &pgx.Batch{}
	b.Queue(`UPDATE merges SET state = 'merged', merged_by = $3, merged_at = $4, survivor_id = $5, plan = $6,
			before_sum = (`+sumOf(`SELECT * FROM merge_was`)+`), after_sum = (`+sumOf(`SELECT * FROM merge_now`)+`)
		WHERE district_id = $1 AND id = $2 RETURNING before_sum, after_sum`, tx.actor.District, m.ID, tx.actor.User, tx.now, o.Survivor, o.Plan).
		QueryRow(func(row pgx.Row) error { return row.Scan(&m.BeforeSum, &m.AfterSum) })
	b.Queue(`INSERT INTO merge_members (district_id, merge_id, user_id) SELECT $1, $2, * FROM unnest($3::bigint[]) ON CONFLICT DO NOTHING`, tx.actor.District, m.ID, o.Losers)
	b.Queue(`INSERT INTO merge_rows (district_id, merge_id, seq, table_name, key, op, before, after)
		SELECT $1, $2, row_number() OVER (ORDER BY coalesce(w.place, n.place), coalesce(w.key, n.key)::text), coalesce(w.table_name, n.table_name), coalesce(w.key, n.key),
		       CASE WHEN w.key IS NULL THEN 'insert' WHEN n.key IS NULL THEN 'delete' ELSE 'update' END, w.image, n.image
		  FROM merge_was w FULL JOIN merge_now n ON n.table_name = w.table_name AND n.key = w.key`, tx.actor.District, m.ID)
	m.State, m.MergedBy, m.MergedAt = MergeDone, &tx.actor.User, &tx.now
	return m, tx.send(ctx, "note merge", b)
}

// mergeRow is the row of a new merge, or of the proposal that it comes of.
func (tx *Tx) mergeRow(ctx context.Context, o MergeOrder) (Merge, error) {
	if o.Proposal != 0 {
		return tx.MergeByID(ctx, o.Proposal)
	}
	choices, err := json.Marshal(o.Choices)
	if err != nil {
		return Merge{}, err
	}
	var bulk *int64
	if o.Bulk != 0 {
		bulk = &o.Bulk
	}
	rows, err := scan[Merge](ctx, tx, `INSERT INTO merges (district_id, id, state, survivor_id, class, reason, choices, plan, bulk, proposed_by, proposed_at)
		SELECT @district, coalesce(max(id), 0) + 1, 'proposed', @survivor, @class, @reason, CAST(@choices AS jsonb), CAST(@plan AS bytea), CAST(@bulk AS bigint), @by, @now FROM merges WHERE district_id = @district RETURNING *`,
		map[string]any{"district": tx.actor.District, "survivor": o.Survivor, "class": o.Class, "reason": o.Reason, "choices": string(choices), "plan": o.Plan, "bulk": bulk, "by": tx.actor.User, "now": tx.now})
	if err != nil {
		return Merge{}, err
	}
	return rows[0], nil
}

// ProposeMerge writes down a merge that somebody else must agree to. Nothing moves. LockAccess must be held.
func (tx *Tx) ProposeMerge(ctx context.Context, o MergeOrder) (Merge, error) {
	m, err := tx.mergeRow(ctx, o)
	if err == nil {
		_, err = tx.conn.Exec(ctx, `INSERT INTO merge_members (district_id, merge_id, user_id) SELECT $1, $2, * FROM unnest($3::bigint[])`, tx.actor.District, m.ID, o.Losers)
	}
	return m, wrap("propose merge", err)
}

// RefuseMerge ends a proposal without merging. LockAccess must be held.
func (tx *Tx) RefuseMerge(ctx context.Context, id int64) error {
	n, err := exec(ctx, tx, `UPDATE merges SET state = 'refused', merged_by = ?, merged_at = ? WHERE district_id = ? AND id = ? AND state = 'proposed'`, tx.actor.User, tx.now, tx.actor.District, id)
	return changedOne(n, err, "refuse merge", id)
}

// NoteMergeChange ties a merge to its receipt.
func (tx *Tx) NoteMergeChange(ctx context.Context, id, change int64) error {
	_, err := exec(ctx, tx, `UPDATE merges SET change_id = ? WHERE district_id = ? AND id = ?`, change, tx.actor.District, id)
	return wrap("note receipt of merge", err)
}
