package models

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// changedMark stands in dedupe_keys, in place of a block's hash, for "this person has changed since suggestions were
// computed". Whoever changes what suggestions rest on marks the people in the same transaction; the background job
// takes the marks off.
const changedMark = 0

// LockDuplicates lets one transaction at a time write the district's suggestions: what is computed anew, and what
// follows from a decision. It lasts until the transaction ends.
func (tx *Tx) LockDuplicates(ctx context.Context) error {
	if _, err := exec(ctx, tx, `SELECT pg_advisory_xact_lock(hashtext('hallpass duplicates'), ?::int)`, tx.actor.District%(1<<31)); err != nil {
		return fmt.Errorf("lock duplicates: %w", err)
	}
	return nil
}

// MarkDuplicates asks for people to be compared anew.
func (tx *Tx) MarkDuplicates(ctx context.Context, users []int64) error {
	b := &pgx.Batch{}
	markDuplicates(b, tx.actor.District, users)
	return tx.send(ctx, "mark people to compare", b)
}

func markDuplicates(b *pgx.Batch, district int64, users []int64) {
	if len(users) > 0 {
		b.Queue(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT $1, $2, id FROM unnest($3::bigint[]) id ON CONFLICT DO NOTHING`,
			district, changedMark, users)
	}
}

// WantSuggestions asks for all suggestions of the district to be computed anew.
func (tx *Tx) WantSuggestions(ctx context.Context) error {
	_, err := exec(ctx, tx, `INSERT INTO dedupe_models (district_id, model, records, learned_at, wanted_at) VALUES (?, 'null', 0, '-infinity', ?)
		ON CONFLICT (district_id) DO UPDATE SET wanted_at = excluded.wanted_at`, tx.actor.District, tx.now)
	if err != nil {
		return fmt.Errorf("want suggestions: %w", err)
	}
	return nil
}

// DuplicatesWanted says what there is to compute: everything, or around so many people. Where nothing is, it costs two
// looks into indexes.
type DuplicatesWanted struct {
	All     bool // asked for, or nothing was ever learned
	Changed int  // counted up to a thousand
	Records int  // that the last computation of everything had
}

// DuplicatesWanted looks for work. While everybody is being read from Clever there is none: it would be done over.
func (tx *Tx) DuplicatesWanted(ctx context.Context) (DuplicatesWanted, error) {
	w, err := one[DuplicatesWanted](ctx, tx, `SELECT CASE WHEN y.syncing THEN 0 ELSE x.changed END AS changed, coalesce(m.records, 0) AS records,
			NOT y.syncing AND (m.wanted_at IS NOT NULL OR (x.changed > 0 AND m.district_id IS NULL)) AS "all"
		FROM (SELECT count(*) AS changed FROM (SELECT FROM dedupe_keys WHERE district_id = @district AND hash = @mark LIMIT 1000) k) x
		CROSS JOIN (SELECT EXISTS (SELECT FROM sync_runs WHERE district_id = @district AND state = 'running' AND kind = 'full') AS syncing) y
		LEFT JOIN dedupe_models m ON m.district_id = @district`, map[string]any{"district": tx.actor.District, "mark": changedMark})
	if err != nil {
		return w, fmt.Errorf("what duplicates want: %w", err)
	}
	return w, nil
}

// TakeMarks takes up to so many marks off and says whose they were. They are off for good once the transaction is
// committed. The rest of the transaction is planned once and for all: for a handful of people, weighing what a plan of
// their own would save takes longer than the statements.
func (tx *Tx) TakeMarks(ctx context.Context, limit int) ([]int64, error) {
	var ids []int64
	var id int64
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`)
	collect(b, `DELETE FROM dedupe_keys k USING (
			SELECT user_id FROM dedupe_keys WHERE district_id = $1 AND hash = $2 ORDER BY user_id LIMIT $3 FOR UPDATE) m
		WHERE k.district_id = $1 AND k.hash = $2 AND k.user_id = m.user_id RETURNING k.user_id`,
		[]any{tx.actor.District, changedMark, limit}, []any{&id}, func() { ids = append(ids, id) })
	return ids, tx.send(ctx, "take marks", b)
}

// DedupeModel is what was learned of a district, as JSON. ErrNotFound: nothing yet.
func (tx *Tx) DedupeModel(ctx context.Context) (json.RawMessage, time.Time, error) {
	m, err := one[struct {
		Model     string
		LearnedAt time.Time
	}](ctx, tx, `SELECT model, learned_at FROM dedupe_models WHERE district_id = ? AND model <> 'null'`, tx.actor.District)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("model of duplicates: %w", err)
	}
	return json.RawMessage(m.Model), m.LearnedAt, nil
}

// DedupeModelPrint tells one model of this database from any other, and from itself as it was before: for those who keep
// what they made of it. ErrNotFound: nothing was learned yet.
func (tx *Tx) DedupeModelPrint(ctx context.Context) (string, error) {
	rows, err := scan[struct{ Print string }](ctx, tx, `SELECT concat_ws(' ', current_database(), pg_postmaster_start_time(), district_id, ctid, xmin, learned_at) AS print
		FROM dedupe_models WHERE district_id = @district AND learned_at > '-infinity'`, map[string]any{"district": tx.actor.District})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("print of model of duplicates: %w", err)
	}
	return rows[0].Print, nil
}

// BeginRebuild notes that everything is being computed from what is committed now: marks up to here count as done, and
// the wish stands until StoreModel, so that a program that dies leaves it.
func (tx *Tx) BeginRebuild(ctx context.Context) error {
	if err := tx.WantSuggestions(ctx); err != nil {
		return err
	}
	_, err := exec(ctx, tx, `DELETE FROM dedupe_keys WHERE district_id = ? AND hash = ?`, tx.actor.District, changedMark)
	if err != nil {
		return fmt.Errorf("begin rebuild: %w", err)
	}
	return nil
}

// StoreModel keeps a model, if it differs from the one that is kept, and ends the wish for one that is not younger
// than began.
func (tx *Tx) StoreModel(ctx context.Context, model json.RawMessage, records int, began time.Time) error {
	_, err := exec(ctx, tx, `UPDATE dedupe_models SET model = @model, records = @records, learned_at = CASE WHEN model = CAST(@model AS jsonb) THEN learned_at ELSE @now END,
			wanted_at = CASE WHEN wanted_at > @began THEN wanted_at END
		WHERE district_id = @district AND (model <> CAST(@model AS jsonb) OR records <> @records OR wanted_at <= @began)`,
		map[string]any{"district": tx.actor.District, "model": string(model), "records": records, "now": tx.now, "began": began})
	if err != nil {
		return fmt.Errorf("store model of duplicates: %w", err)
	}
	return nil
}

// DedupeKey says that somebody is in a block of people worth comparing.
type DedupeKey struct {
	Hash int64
	User int64
}

// StoreKeys makes everybody's blocks those given, and writes only what differs.
func (tx *Tx) StoreKeys(ctx context.Context, keys []DedupeKey) error {
	fail := func(err error) error { return fmt.Errorf("store keys: %w", err) }
	if err := tx.beginLong(ctx); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE IF NOT EXISTS new_keys (hash bigint, user_id bigint) ON COMMIT DROP`); err != nil {
		return fail(err)
	}
	if _, err := tx.conn.Exec(ctx, `TRUNCATE new_keys`); err != nil {
		return fail(err)
	}
	rows := pgx.CopyFromSlice(len(keys), func(i int) ([]any, error) { return []any{keys[i].Hash, keys[i].User}, nil })
	if _, err := tx.conn.CopyFrom(ctx, pgx.Identifier{"new_keys"}, []string{"hash", "user_id"}, rows); err != nil {
		return fail(err)
	}
	b := &pgx.Batch{}
	b.Queue(`ANALYZE new_keys`)
	b.Queue(`DELETE FROM dedupe_keys k WHERE k.district_id = $1 AND k.hash <> $2
		AND NOT EXISTS (SELECT FROM new_keys n WHERE n.hash = k.hash AND n.user_id = k.user_id)`, tx.actor.District, changedMark)
	b.Queue(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT $1, n.hash, n.user_id FROM new_keys n
		WHERE NOT EXISTS (SELECT FROM dedupe_keys k WHERE k.district_id = $1 AND k.hash = n.hash AND k.user_id = n.user_id) ORDER BY n.hash, n.user_id ON CONFLICT DO NOTHING`, tx.actor.District)
	return tx.send(ctx, "store keys", b)
}

// DedupeBlock is who is in a block.
type DedupeBlock struct {
	Hash  int64
	Users []int64
	Large bool // more than were asked for: Users is empty
}

// StoreKeysOf is StoreKeys for some people, without a table of their own, which would take longer than the rest. It
// tells who is in those blocks now, each of up to limit people.
func (tx *Tx) StoreKeysOf(ctx context.Context, keys []DedupeKey, users []int64, limit int) ([]DedupeBlock, error) {
	hashes, whose := make([]int64, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		hashes[i], whose[i] = k.Hash, k.User
	}
	d := tx.actor.District
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM dedupe_keys k WHERE k.district_id = $1 AND k.hash <> $2 AND k.user_id = ANY($3::bigint[])
		AND NOT EXISTS (SELECT FROM unnest($4::bigint[], $5::bigint[]) n(hash, user_id) WHERE n.hash = k.hash AND n.user_id = k.user_id)`, d, changedMark, users, hashes, whose)
	b.Queue(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT $1, n.hash, n.user_id FROM unnest($2::bigint[], $3::bigint[]) n(hash, user_id) ON CONFLICT DO NOTHING`, d, hashes, whose)
	var blocks []DedupeBlock
	var k DedupeBlock
	collect(b, `SELECT w.hash, CASE WHEN cardinality(k.users) <= $3 THEN k.users END, cardinality(k.users) > $3 FROM unnest($2::bigint[]) w(hash), LATERAL (
			SELECT array_agg(k.user_id) AS users FROM (SELECT k.user_id FROM dedupe_keys k WHERE k.district_id = $1 AND k.hash = w.hash LIMIT $3 + 1) k OFFSET 0) k
		WHERE k.users IS NOT NULL`, []any{d, slices.Compact(slices.Sorted(slices.Values(hashes))), limit}, []any{&k.Hash, &k.Users, &k.Large}, func() {
		blocks = append(blocks, k)
		k.Users = nil
	})
	if err := tx.send(ctx, "store keys of people", b); err != nil {
		return nil, err
	}
	return blocks, nil
}
