package models

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// MergeImage is one row of a person as it is now.
type MergeImage struct {
	Table    string
	Key, Row json.RawMessage
}

// MergeImages reads every row of some records, as merges keep them.
func (tx *Tx) MergeImages(ctx context.Context, records []int64) ([]MergeImage, error) {
	var list []MergeImage
	var i MergeImage
	_, err := tx.conn.Exec(ctx, imagesAlike)
	if err == nil {
		var rows pgx.Rows
		if rows, err = tx.conn.Query(ctx, `SELECT x.table_name, x.key, x.image FROM (`+images()+`) x ORDER BY x.place, x.key::text`, tx.actor.District, records); err == nil {
			_, err = pgx.ForEachRow(rows, []any{&i.Table, &i.Key, &i.Row}, func() error {
				list = append(list, i)
				i.Key, i.Row = nil, nil
				return nil
			})
		}
	}
	return list, wrap("images of records", err)
}

// UnmergeOrder is a merge to be taken back, with everything decided. Rows are whole, by their tables.
type UnmergeOrder struct {
	Merge  Merge
	People []int64 // the survivor and everybody who is given back
	Delete map[string][]json.RawMessage
	Set    map[string][]json.RawMessage
	Insert map[string][]json.RawMessage
	// Settle: something else changed since, so that what is derived must be worked out, and not only put back.
	Settle   bool
	Sections []int64 // whose teachers the next full sync is to settle
	Reason   string  // of their being different people
	// Undecided: nobody says that they are different; they may be suggested again.
	Undecided bool
}

// MergeDifference is a row that is not as it was before a merge that was taken back.
type MergeDifference struct {
	Table string          `json:"table"`
	Key   json.RawMessage `json:"key"`
	Why   string          `json:"why"` // changed, created or gone: since the merge, by somebody else
}

// Unmerge takes a merge back, and says which rows are not as they were before it: none means that every row of
// everybody concerned is identical. LockAccess and LockRecords must be held.
func (tx *Tx) Unmerge(ctx context.Context, o UnmergeOrder) ([]MergeDifference, error) {
	differs, err := tx.unmerge(ctx, o)
	return differs, wrap(fmt.Sprintf("take back merge %d", o.Merge.ID), err)
}

func (tx *Tx) unmerge(ctx context.Context, o UnmergeOrder) ([]MergeDifference, error) {
	records, err := tx.RecordsOf(ctx, o.People)
	if err != nil {
		return nil, err
	}
	if _, err = tx.conn.Exec(ctx, imagesAlike); err != nil {
		return nil, err
	}
	before, err := tx.headsOfUsers(ctx, o.People)
	if err != nil {
		return nil, err
	}
	b := &pgx.Batch{}
	district, survivor := tx.actor.District, o.Merge.SurvivorID
	b.Queue(`SET CONSTRAINTS never_merge IMMEDIATE`)
	// Rows are found by their keys: of a list out of JSON the planner knows nothing, and would read the table for each.
	b.Queue(`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`)
	// Of overrides that stand, one at a time may answer a question: none stands while they change places.
	b.Queue(`UPDATE overrides SET ended_at = $3 WHERE district_id = $1 AND ended_at IS NULL AND id = ANY(ARRAY(SELECT (x->>'id')::bigint FROM unnest($2::jsonb[]) x))`, district, texts(o.Set["overrides"]), tx.now)
	for _, t := range mergeTables {
		t.restore(b, district, o)
	}
	for _, name := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		b.Queue(`SET LOCAL ` + name + ` TO DEFAULT`)
	}
	b.Queue(`UPDATE role_grants g SET user_id = h.id, name_key = h.name_key FROM users r JOIN users h ON h.district_id = $1 AND h.id = coalesce(r.merged_into, r.id)
		WHERE g.district_id = $1 AND g.user_id = $2 AND r.district_id = $1 AND r.id = g.record_id AND h.id <> $2`, district, survivor)
	b.Queue(`UPDATE role_grant_schools s SET user_id = g.user_id, name_key = g.name_key FROM role_grants g
		WHERE g.district_id = $1 AND g.user_id = ANY($2::bigint[]) AND s.district_id = $1 AND s.grant_id = g.id AND s.user_id <> g.user_id`, district, o.People)
	b.Queue(`UPDATE sections SET digest = '' WHERE district_id = $1 AND id = ANY($2::bigint[]) AND digest <> ''`, district, o.Sections)
	// Who signed in since may have come in by a record that is somebody else again.
	b.Queue(`UPDATE sessions SET revoked_at = $3 WHERE district_id = $1 AND user_id = $2 AND revoked_at IS NULL AND created_at >= $4`, district, survivor, tx.now, o.Merge.MergedAt)
	forgetSuggestions(b, district, o.People, tx.now)
	if err = tx.send(ctx, "put rows back", b); err != nil {
		return nil, err
	}
	if o.Settle {
		if err = tx.settleHomes(ctx, o.People); err != nil {
			return nil, err
		}
		working, err := tx.working(ctx, o.People)
		if err != nil {
			return nil, err
		}
		b = &pgx.Batch{}
		queueAccounts(b, district, working, tx.now)
		if err = tx.send(ctx, "accounts of people given back", b); err != nil {
			return nil, err
		}
	}
	after, err := tx.headsOfUsers(ctx, o.People)
	if err != nil {
		return nil, err
	}
	if err = tx.moveHeads(ctx, before, after); err != nil {
		return nil, err
	}
	if err = tx.decideDifferent(ctx, o); err != nil {
		return nil, err
	}
	return tx.noteUnmerge(ctx, o.Merge, records)
}

// working are those of some people who hold a working role now, and so have accounts.
func (tx *Tx) working(ctx context.Context, people []int64) ([]int64, error) {
	rows, err := query[struct{ UserID int64 }](ctx, tx, `SELECT DISTINCT user_id FROM role_grants WHERE district_id = ? AND user_id = ANY(?::bigint[])
		AND role IN ('teacher', 'staff', 'district_admin') AND ended_at IS NULL ORDER BY user_id`, tx.actor.District, idArray(people))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.UserID
	}
	return ids, nil
}

// texts are JSON values as PostgreSQL takes a list of them.
func texts(rows []json.RawMessage) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = string(r)
	}
	return out
}

// restore adds what puts one table's rows back.
func (t mergeTable) restore(b *pgx.Batch, district int64, o UnmergeOrder) {
	on := []string{`t.district_id = $1`}
	for _, k := range t.keys {
		on = append(on, `t.`+k+` = r.`+k)
	}
	same := strings.Join(on, ` AND `)
	const from = ` FROM unnest($2::jsonb[]) x, `
	if rows := o.Delete[t.name]; len(rows) > 0 {
		b.Queue(`DELETE FROM `+t.name+` t USING unnest($2::jsonb[]) x, jsonb_populate_record(NULL::`+t.name+`, x) r WHERE `+same, district, texts(rows))
	}
	if rows := o.Set[t.name]; len(rows) > 0 {
		var set []string
		for _, c := range columnsOf(rows[0]) {
			if c != "district_id" && !slices.Contains(t.keys, c) {
				set = append(set, c+` = r.`+c)
			}
		}
		b.Queue(`UPDATE `+t.name+` t SET `+strings.Join(set, ", ")+from+`jsonb_populate_record(NULL::`+t.name+`, x) r WHERE `+same, district, texts(rows))
	}
	if rows := o.Insert[t.name]; len(rows) > 0 {
		columns := strings.Join(columnsOf(rows[0]), ", ")
		b.Queue(`INSERT INTO `+t.name+` (`+columns+`) SELECT `+columns+from+`jsonb_populate_record(NULL::`+t.name+`, x) WHERE district_id = $1 ON CONFLICT DO NOTHING`, district, texts(rows))
	}
}

// columnsOf are the columns of an image of ours, in order.
func columnsOf(row json.RawMessage) []string {
	var columns map[string]json.RawMessage
	if json.Unmarshal(row, &columns) != nil {
		return nil // not one of ours; the statement will be refused
	}
	names := make([]string, 0, len(columns))
	for c := range columns {
		if strings.Trim(c, "abcdefghijklmnopqrstuvwxyz_0123456789") == "" {
			names = append(names, c)
		}
	}
	slices.Sort(names)
	return names
}

// decideDifferent keeps the people of the merge from being suggested again, each with each: whoever takes a merge back
// has seen what they were, and says that they are different. No evidence is stronger than that, so the answer is given
// the highest class and more weight than any pair can come to.
func (tx *Tx) decideDifferent(ctx context.Context, o UnmergeOrder) error {
	if o.Undecided {
		return nil
	}
	b := &pgx.Batch{}
	people := slices.Sorted(slices.Values(o.People))
	for i, lo := range people {
		for _, hi := range people[i+1:] {
			b.Queue(`UPDATE pair_decisions SET ended_at = $4, ended_by = $5 WHERE district_id = $1 AND lo = $2 AND hi = $3 AND ended_at IS NULL`, tx.actor.District, lo, hi, tx.now, tx.actor.User)
			b.Queue(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, reason, class, tenths, decided_by, decided_at) VALUES ($1, $2, $3, 'different', $4, 'A', $7, $5, $6)`,
				tx.actor.District, lo, hi, o.Reason, tx.actor.User, tx.now, math.MaxInt32/2)
		}
	}
	return tx.send(ctx, "say that people are different", b)
}

// noteUnmerge compares every row with the images from before the merge, and writes the outcome down.
func (tx *Tx) noteUnmerge(ctx context.Context, m Merge, records []int64) ([]MergeDifference, error) {
	if err := tx.keepImages(ctx, "now", records); err != nil {
		return nil, err
	}
	var sum []byte
	if err := tx.conn.QueryRow(ctx, sumOf(`SELECT * FROM merge_now`)).Scan(&sum); err != nil {
		return nil, err
	}
	differs := []MergeDifference{}
	if !bytes.Equal(sum, m.BeforeSum) {
		var d MergeDifference
		b := &pgx.Batch{}
		collect(b, `SELECT coalesce(w.table_name, n.table_name), coalesce(w.key, n.key), CASE WHEN w.key IS NULL THEN 'created' WHEN n.key IS NULL THEN 'gone' ELSE 'changed' END
			  FROM (SELECT * FROM merge_rows WHERE district_id = $1 AND merge_id = $2 AND before IS NOT NULL) w FULL JOIN merge_now n ON n.table_name = w.table_name AND n.key = w.key
			 WHERE w.before IS DISTINCT FROM n.image ORDER BY coalesce(w.seq, 2147483647), n.place, coalesce(w.key, n.key)::text`,
			[]any{tx.actor.District, m.ID}, []any{&d.Table, &d.Key, &d.Why}, func() { differs = append(differs, d); d.Key = nil })
		if err := tx.send(ctx, "compare with before", b); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(differs)
	if err != nil {
		return nil, err
	}
	n, err := exec(ctx, tx, `UPDATE merges SET state = 'unmerged', unmerged_by = ?, unmerged_at = ?, unmerged_sum = ?, differs = CAST(? AS jsonb) WHERE district_id = ? AND id = ? AND state = 'merged'`,
		tx.actor.User, tx.now, sum, string(text), tx.actor.District, m.ID)
	return differs, changedOne(n, err, "note taking back merge", m.ID)
}
