package models

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Kinds of suggestion.
const (
	SuggestMerge = "merge" // these look like one person
	SuggestSplit = "split" // Clever took apart what is one here, or was
)

// Suggestion is a case for a person to decide.
type Suggestion struct {
	DistrictID  int64 `gorm:"primaryKey"`
	ID          int64 `gorm:"primaryKey"`
	Kind        string
	Class       string
	Fingerprint string
	KeepID      int64
	Tenths      int
	Chance      int // millionths
	Risk        int16
	Bulk        bool
	Unsure      bool
	Returned    bool
	SchoolIDs   string          // as PostgreSQL writes an array
	Evidence    json.RawMessage `gorm:"type:jsonb"`
	TakenBy     *int64
	TakenAt     *time.Time
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// NewSuggestion is a computed one.
type NewSuggestion struct {
	Kind, Class, Fingerprint string
	Members                  []int64 // ascending
	Keep                     int64
	Tenths, Chance           int
	Risk                     int16
	Bulk, Unsure, Returned   bool
	Schools                  []int64 // ascending; none: only those of the whole district decide it
	Evidence                 json.RawMessage
}

// SuggestionsStored counts what storing did.
type SuggestionsStored struct{ Added, Changed, Removed, Kept int }

// StoreSuggestions makes the district's suggestions those given: all of them where around is nil, else those that have
// any of these people. One of the same people as before stays the same one, taken by whom it was taken by, with what
// is new about it; what did not change is not written. LockDuplicates must be held.
func (tx *Tx) StoreSuggestions(ctx context.Context, list []NewSuggestion, around []int64) (SuggestionsStored, error) {
	var done SuggestionsStored
	fail := func(err error) (SuggestionsStored, error) { return done, fmt.Errorf("store suggestions: %w", err) }
	switch {
	case around == nil:
		if err := tx.beginLong(ctx); err != nil {
			return fail(err)
		}
	case len(list) == 0: // as most people who change: there is nothing to compare with what is there
		b := &pgx.Batch{}
		counted(b, &done.Removed, `DELETE FROM suggestions s WHERE s.district_id = $1 AND s.id = ANY(ARRAY(SELECT m.suggestion_id FROM suggestion_members m
			WHERE m.district_id = $1 AND m.user_id = ANY($2::bigint[])))`, tx.actor.District, around)
		return done, tx.send(ctx, "store suggestions", b)
	}
	if around != nil {
		return tx.storeFew(ctx, list, around)
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE IF NOT EXISTS new_suggestions (`+newSuggestion+`) ON COMMIT DROP`); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `TRUNCATE new_suggestions`); err != nil {
		return fail(err)
	}
	rows := pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		s := &list[i]
		return []any{i, s.Kind, s.Class, s.Fingerprint, s.Members, s.Keep, s.Tenths, s.Chance, s.Risk, s.Bulk, s.Unsure, s.Returned, s.schools(), s.Evidence}, nil
	})
	columns := []string{"n", "kind", "class", "fingerprint", "members", "keep_id", "tenths", "chance", "risk", "bulk", "unsure", "returned", "school_ids", "evidence"}
	if _, err := tx.conn.CopyFrom(ctx, pgx.Identifier{"new_suggestions"}, columns, rows); err != nil {
		return fail(err)
	}
	d := tx.actor.District
	b := &pgx.Batch{}
	matched := 0
	b.Queue(`ANALYZE new_suggestions`)
	// The same people make the same case, whatever there is to say of them by now.
	counted(b, &matched, `UPDATE new_suggestions n SET id = o.id FROM (`+casesOf+`m.suggestion_id IN (SELECT x.suggestion_id FROM suggestion_members x
		             WHERE x.district_id = $1 AND x.user_id IN (SELECT unnest(members) FROM new_suggestions))
		       GROUP BY 1, 2) o
		WHERE o.kind = n.kind AND o.members = n.members`, d)
	counted(b, &done.Removed, `DELETE FROM suggestions s WHERE s.district_id = $1 AND NOT EXISTS (SELECT FROM new_suggestions n WHERE n.id = s.id)`, d)
	changeAndAdd(b, &done.Changed, `new_suggestions n`, d, tx.now)
	if err := tx.send(ctx, "store suggestions", b); err != nil {
		return done, err
	}
	done.Added, done.Kept = len(list)-matched, matched-done.Changed
	return done, nil
}

const (
	// newSuggestion is a NewSuggestion as a row, with its place in the list and the case that it is already, if it is one.
	newSuggestion = `n int, kind text, class text, fingerprint text, members bigint[], keep_id bigint,
		tenths int, chance int, risk smallint, bulk boolean, unsure boolean, returned boolean, school_ids bigint[], evidence jsonb, id bigint`
	casesOf = `SELECT m.suggestion_id AS id, s.kind, array_agg(m.user_id ORDER BY m.user_id) AS members
		        FROM suggestion_members m JOIN suggestions s ON s.district_id = m.district_id AND s.id = m.suggestion_id
		       WHERE m.district_id = $1 AND `
)

func (s *NewSuggestion) schools() []int64 {
	if s.Schools == nil {
		return []int64{}
	}
	return s.Schools
}

// storeFew is StoreSuggestions around some people: their cases are few and travel as one value, because to make a table
// of them would take longer than the rest.
func (tx *Tx) storeFew(ctx context.Context, list []NewSuggestion, around []int64) (SuggestionsStored, error) {
	var done SuggestionsStored
	type row struct {
		N           int             `json:"n"`
		Kind        string          `json:"kind"`
		Class       string          `json:"class"`
		Fingerprint string          `json:"fingerprint"`
		Members     []int64         `json:"members"`
		KeepID      int64           `json:"keep_id"`
		Tenths      int             `json:"tenths"`
		Chance      int             `json:"chance"`
		Risk        int16           `json:"risk"`
		Bulk        bool            `json:"bulk"`
		Unsure      bool            `json:"unsure"`
		Returned    bool            `json:"returned"`
		SchoolIDs   []int64         `json:"school_ids"`
		Evidence    json.RawMessage `json:"evidence"`
		ID          *int64          `json:"id"`
	}
	fresh := make([]row, len(list))
	concerned := slices.Clone(around)
	for i := range list {
		s := &list[i]
		fresh[i] = row{i, s.Kind, s.Class, s.Fingerprint, s.Members, s.Keep, s.Tenths, s.Chance, s.Risk, s.Bulk, s.Unsure, s.Returned, s.schools(), s.Evidence, nil}
		concerned = append(concerned, s.Members...)
	}
	d := tx.actor.District
	b := &pgx.Batch{}
	var id int64
	var kind string
	var members []int64
	matched := 0
	stay := []int64{}
	collect(b, casesOf+`m.suggestion_id = ANY(ARRAY(SELECT x.suggestion_id FROM suggestion_members x WHERE x.district_id = $1 AND x.user_id = ANY($2::bigint[]))) GROUP BY 1, 2`,
		[]any{d, concerned}, []any{&id, &kind, &members}, func() {
			for i := range fresh {
				if f := &fresh[i]; f.Kind == kind && slices.Equal(f.Members, members) {
					same := id
					f.ID, stay, matched = &same, append(stay, id), matched+1
				}
			}
			members = nil
		})
	if err := tx.send(ctx, "find suggestions", b); err != nil {
		return done, err
	}
	raw, err := json.Marshal(fresh)
	if err != nil {
		return done, fmt.Errorf("store suggestions: %w", err)
	}
	b = &pgx.Batch{}
	counted(b, &done.Removed, `DELETE FROM suggestions s WHERE s.district_id = $1 AND s.id <> ALL($3::bigint[])
		AND s.id = ANY(ARRAY(SELECT m.suggestion_id FROM suggestion_members m WHERE m.district_id = $1 AND m.user_id = ANY($2::bigint[])))`, d, around, stay)
	changeAndAdd(b, &done.Changed, `jsonb_to_recordset($3::jsonb) n(`+newSuggestion+`)`, d, tx.now, string(raw))
	if err := tx.send(ctx, "store suggestions", b); err != nil {
		return done, err
	}
	done.Added, done.Kept = len(list)-matched, matched-done.Changed
	return done, nil
}

func counted(b *pgx.Batch, into *int, sql string, args ...any) {
	b.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error { *into = int(tag.RowsAffected()); return nil })
}

// changeAndAdd writes what is new of new suggestions: n, of which those with an id are cases already. The first two
// arguments are district and moment, the others what n takes.
func changeAndAdd(b *pgx.Batch, changed *int, n string, args ...any) {
	counted(b, changed, `UPDATE suggestions s SET class = n.class, fingerprint = n.fingerprint, keep_id = n.keep_id, tenths = n.tenths, chance = n.chance, risk = n.risk,
			bulk = n.bulk, unsure = n.unsure, returned = n.returned, school_ids = n.school_ids, evidence = n.evidence, changed_at = $2
		FROM `+n+` WHERE s.district_id = $1 AND s.id = n.id
		 AND (s.class, s.fingerprint, s.keep_id, s.tenths, s.chance, s.risk, s.bulk, s.unsure, s.returned, s.school_ids, s.evidence)
		  IS DISTINCT FROM (n.class, n.fingerprint, n.keep_id, n.tenths, n.chance, n.risk, n.bulk, n.unsure, n.returned, n.school_ids, n.evidence)`, args...)
	b.Queue(`WITH n AS MATERIALIZED (SELECT n.* FROM `+n+` WHERE n.id IS NULL), added AS (
		INSERT INTO suggestions (district_id, kind, class, fingerprint, keep_id, tenths, chance, risk, bulk, unsure, returned, school_ids, evidence, created_at, changed_at)
		SELECT $1, kind, class, fingerprint, keep_id, tenths, chance, risk, bulk, unsure, returned, school_ids, evidence, $2, $2 FROM n ORDER BY n
		RETURNING id, fingerprint)
		INSERT INTO suggestion_members (district_id, suggestion_id, user_id)
		SELECT $1, a.id, m FROM added a JOIN n ON n.fingerprint = a.fingerprint, unnest(n.members) m`, args...)
}

// ListedAgain is a record that was merged, and that Clever lists as a user of its own since.
type ListedAgain struct {
	Survivor, Record, Merge int64
	CleverID                string
	Since                   time.Time
	Schools                 string // of the two, as PostgreSQL writes an array
	Admin                   bool   // one of them is a district admin
}

// ListedAgain finds merged records that Clever ended, or knew nothing of, when they were merged, and lists now: it took
// apart what is one person here. Nobody has said since that they are. Where users is not nil, only around them.
func (tx *Tx) ListedAgain(ctx context.Context, users []int64) ([]ListedAgain, error) {
	only := ""
	if users != nil {
		only = ` AND (l.id = ANY(CAST(@users AS bigint[])) OR l.merged_into = ANY(CAST(@users AS bigint[])))`
	}
	rows, err := scan[ListedAgain](ctx, tx, `SELECT l.merged_into AS survivor, l.id AS record, m.id AS merge, l.clever_id, g.since,
		       ARRAY(SELECT DISTINCT s.school_id FROM role_grant_schools s WHERE s.district_id = @district AND s.user_id = l.merged_into AND s.ended_at IS NULL ORDER BY 1)::text AS schools,
		       EXISTS (SELECT FROM role_grants a WHERE a.district_id = @district AND a.user_id = l.merged_into AND a.role = 'district_admin' AND a.ended_at IS NULL) AS admin
		  FROM users l
		  JOIN users s ON s.district_id = l.district_id AND s.id = l.merged_into AND s.clever_id IS NOT NULL AND s.ended_at IS NULL
		  JOIN LATERAL (SELECT m.id, m.merged_at FROM merge_members x JOIN merges m ON m.district_id = x.district_id AND m.id = x.merge_id AND m.state = 'merged'
		         WHERE x.district_id = l.district_id AND x.user_id = l.id ORDER BY m.id LIMIT 1) m ON true
		  JOIN LATERAL (SELECT min(g.since) AS since FROM role_grants g
		         WHERE g.district_id = l.district_id AND g.user_id = l.merged_into AND g.record_id = l.id AND g.source = 'clever' AND g.ended_at IS NULL) g ON g.since > m.merged_at
		 WHERE l.district_id = @district AND l.merged_into IS NOT NULL AND l.clever_id IS NOT NULL AND l.ended_at IS NULL`+only+`
		   AND NOT EXISTS (SELECT FROM pair_decisions d WHERE d.district_id = l.district_id AND d.lo = least(l.id, s.id) AND d.hi = greatest(l.id, s.id)
		         AND d.verdict = 'same' AND d.ended_at IS NULL AND d.decided_at > g.since)
		 ORDER BY l.id`, map[string]any{"district": tx.actor.District, "users": users})
	if err != nil {
		return nil, fmt.Errorf("records listed again: %w", err)
	}
	return rows, nil
}

// SuggestionMembers gives, for every suggestion that has any of some people, all its members.
func (tx *Tx) SuggestionMembers(ctx context.Context, users []int64) ([]int64, error) {
	var ids []int64
	var id int64
	b := &pgx.Batch{}
	collect(b, `SELECT DISTINCT o.user_id FROM suggestion_members m JOIN suggestion_members o ON o.district_id = m.district_id AND o.suggestion_id = m.suggestion_id
		WHERE m.district_id = $1 AND m.user_id = ANY($2::bigint[]) ORDER BY 1`, []any{tx.actor.District, users}, []any{&id}, func() { ids = append(ids, id) })
	if err := tx.send(ctx, "members of suggestions", b); err != nil {
		return nil, err
	}
	return slices.Clip(ids), nil
}
