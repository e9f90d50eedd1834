package models

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The roster is written in pages of some thousand records, by a handful of statements each, whose rows travel as
// arrays. COPY would need temporary tables: PostgreSQL refuses it on a table with row-level security.

// rosterTime bounds one statement of a sync, in place of the pages' limit.
const rosterTime = "10min"

// Seen gathers which rows of one type a walk met, by Hallpass id, at 8 bytes each.
//
// It says too what becomes of roles and schools of people, and of sections' teachers, that records no longer have. By
// itself a Seen lets them end with the page.
type Seen struct {
	ids    []int64
	sorted bool

	run   int64          // on whose list what would end is put, instead of ending; 0: no list
	only  map[int64]bool // with a run: just these records are for its list
	spare bool           // nothing ends
	kept  []int64        // records of which something was kept
	took  toll           // what ended, by role
}

// Gather is a Seen for a full sync: what its records would end is listed for the run's conclusion.
func Gather(run int64) *Seen { return &Seen{run: run} }

// keeps tells whether what a record would end is to be kept, and listed.
func (s *Seen) keeps(id int64) (keep, list bool) {
	list = s.run != 0 && (s.only == nil || s.only[id])
	return list || s.spare, list
}

func (s *Seen) add(id int64) { s.ids, s.sorted = append(s.ids, id), false }

// sort also drops repeats.
func (s *Seen) sort() {
	if !s.sorted {
		slices.Sort(s.ids)
		s.ids, s.sorted = slices.Compact(s.ids), true
	}
}

// Len counts the rows met.
func (s *Seen) Len() int {
	s.sort()
	return len(s.ids)
}

// rosterLock is the key of the lock that a district's one writer holds to the end of its transaction.
const rosterLock = `hashtext('hallpass roster'), ($1::bigint % 2147483648)::int`

// beginRoster readies the transaction for statements on whole roster tables: one writer in the district, and time
// enough. Such a statement never goes through one table row by row of the other, which the planner would do where it
// has no statistics yet; nor by an index, which after a big sync looks at every row in the table all the same.
func (tx *Tx) beginRoster(ctx context.Context) error { return tx.beginBulk(ctx, "on", "off") }

// beginPage is beginRoster for a page of records. Whatever a page touches is found by key: on a first sync the tables
// grow from nothing within minutes, and plans made (and kept) for empty tables would read whole ones later.
func (tx *Tx) beginPage(ctx context.Context) error { return tx.beginBulk(ctx, "off", "on") }

func (tx *Tx) beginBulk(ctx context.Context, whole, byRow string) error {
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('statement_timeout', $1, true), set_config('random_page_cost', CASE $2 WHEN 'on' THEN '4' ELSE current_setting('random_page_cost') END, true),
		set_config('enable_seqscan', $2, true),
		set_config('enable_hashjoin', $2, true), set_config('enable_mergejoin', $2, true), set_config('enable_nestloop', $3, true)`,
		rosterTime, whole, byRow)
	b.Queue(`SELECT pg_advisory_xact_lock(`+rosterLock+`)`, tx.actor.District)
	return tx.conn.SendBatch(ctx, b).Close()
}

// endBulk gives the rest of the transaction the settings of a page again.
func (tx *Tx) endBulk(ctx context.Context) error {
	b := &pgx.Batch{}
	for _, name := range []string{"statement_timeout", "lock_timeout", "random_page_cost", "enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_nestloop"} {
		b.Queue(`SET LOCAL ` + name + ` TO DEFAULT`)
	}
	return tx.conn.SendBatch(ctx, b).Close()
}

// collect queues a query whose rows are given to each as they are read.
func collect(b *pgx.Batch, sql string, args []any, scan []any, each func()) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, scan, func() error { each(); return nil })
		return err
	})
}

// byKey runs a query of one table once for each element w.id of the array $2, by an index over everything that the
// query compares. A join, or = ANY($2), leaves the planner the choice of an index over less and a filter, which it
// takes while it thinks the table small.
func byKey(kind, query string) string {
	return `SELECT r.* FROM unnest($2::` + kind + `[]) w(id), LATERAL (` + query + ` OFFSET 0) r`
}

// newIDs queues taking n ids off a table's sequence.
func newIDs(b *pgx.Batch, table string, n int, into *[]int64) {
	if n == 0 {
		return
	}
	*into = make([]int64, 0, n)
	var id int64
	collect(b, `SELECT nextval('`+table+`_id_seq') FROM generate_series(1, $1::int)`,
		[]any{n}, []any{&id}, func() { *into = append(*into, id) })
}

// textArray writes a list as a PostgreSQL array literal, so that lists can be the elements of an array parameter.
func textArray(list []string) string {
	if len(list) == 0 {
		return "{}"
	}
	var b strings.Builder
	for i, s := range list {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteByte('"')
		for _, c := range []byte(s) {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}
