package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// held is what the database has of a record.
type held struct {
	id      int64
	digest  []byte
	current bool
	listed  bool // of a school
}

// heldRecords looks records of one table up by their Clever ids.
func (tx *Tx) heldRecords(ctx context.Context, table, listed string, cleverIDs []string) (map[string]held, error) {
	found := make(map[string]held, len(cleverIDs))
	var cleverID string
	var h held
	b := &pgx.Batch{}
	collect(b, byKey("text", `SELECT r.clever_id, r.id, r.digest, r.ended_at IS NULL, `+listed+` FROM `+table+` r WHERE r.district_id = $1 AND r.clever_id = w.id`),
		[]any{tx.actor.District, cleverIDs}, []any{&cleverID, &h.id, &h.digest, &h.current, &h.listed}, func() {
			found[cleverID] = h
			h.digest = nil // the next row must not be scanned into this one's bytes
		})
	return found, tx.send(ctx, "look up "+table, b)
}

// sift goes through a page once: it drops records that cannot be kept, counts and notes those that are unchanged, and
// gives the others to write.
func sift[T any](n *RosterCount, seen *Seen, page []T, found map[string]held, record func(*T) (id string, digest []byte), write func(*T, held, bool)) {
	done := make(map[string]bool, len(page))
	for i := range page {
		id, digest := record(&page[i])
		n.Read++
		if !usableID(id) || done[id] {
			n.Problems++
			n.Unusable++
			continue
		}
		done[id] = true
		h, known := found[id]
		if known && h.current && h.listed && string(h.digest) == string(digest) {
			n.Unchanged++
			seen.add(h.id)
			continue
		}
		write(&page[i], h, known)
	}
}

func (n *RosterCount) wrote(h held, known bool) {
	switch {
	case !known:
		n.Created++
	case !h.current:
		n.Revived++
	default:
		n.Updated++
	}
}

// WriteSchools brings a page of shared schools into the district.
func (tx *Tx) WriteSchools(ctx context.Context, page []RosterSchool, seen *Seen) (RosterCount, error) {
	var n RosterCount
	ids := make([]string, len(page))
	for i := range page {
		page[i].Prepare()
		ids[i] = page[i].CleverID
	}
	if err := tx.beginPage(ctx); err != nil {
		return n, fmt.Errorf("write schools: %w", err)
	}
	found, err := tx.heldRecords(ctx, "schools", "r.listed", ids)
	if err != nil {
		return n, fmt.Errorf("write schools: %w", err)
	}
	b := &pgx.Batch{}
	record := func(s *RosterSchool) (string, []byte) { return s.CleverID, s.digest }
	sift(&n, seen, page, found, record, func(s *RosterSchool, h held, known bool) {
		n.wrote(h, known)
		b.Queue(`INSERT INTO schools (district_id, clever_id, listed, name, name_key, sis_id, school_number, low_grade, high_grade, digest, created_at, changed_at)
			VALUES ($1, $2, true, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			ON CONFLICT (district_id, clever_id) DO UPDATE SET listed = true, name = `+kept("schools", "name")+`, name_key = `+kept("schools", "name_key")+`, sis_id = excluded.sis_id,
				school_number = excluded.school_number, low_grade = excluded.low_grade, high_grade = excluded.high_grade,
				digest = excluded.digest, changed_at = excluded.changed_at, ended_at = NULL
			RETURNING id`,
			tx.actor.District, s.CleverID, s.Name, key(s.Name), s.SISID, s.Number, s.LowGrade, s.HighGrade, s.digest,
			when(tx.now, s.Created), when(tx.now, s.Modified, s.Created)).QueryRow(seen.addRow)
	})
	return n, tx.send(ctx, "write schools", b)
}

// kept is the SQL of a name that a record without one does not blank out: where sharing of a field ended, records come
// without it.
func kept(table, column string) string {
	return `CASE WHEN excluded.` + column + ` = '' THEN ` + table + `.` + column + ` ELSE excluded.` + column + ` END`
}

func (s *Seen) addRow(row pgx.Row) error {
	var id int64
	if err := row.Scan(&id); err != nil {
		return err
	}
	s.add(id)
	return nil
}

// WriteTerms brings a page of terms into the district.
func (tx *Tx) WriteTerms(ctx context.Context, page []RosterTerm, seen *Seen) (RosterCount, error) {
	var n RosterCount
	ids := make([]string, len(page))
	for i := range page {
		page[i].Prepare()
		ids[i] = page[i].CleverID
	}
	if err := tx.beginPage(ctx); err != nil {
		return n, fmt.Errorf("write terms: %w", err)
	}
	found, err := tx.heldRecords(ctx, "terms", "true", ids)
	if err != nil {
		return n, fmt.Errorf("write terms: %w", err)
	}
	b := &pgx.Batch{}
	record := func(t *RosterTerm) (string, []byte) { return t.CleverID, t.digest }
	sift(&n, seen, page, found, record, func(t *RosterTerm, h held, known bool) {
		n.wrote(h, known)
		b.Queue(`INSERT INTO terms (district_id, clever_id, name, start_date, end_date, digest, created_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
			ON CONFLICT (district_id, clever_id) DO UPDATE SET name = excluded.name, start_date = excluded.start_date, end_date = excluded.end_date,
				digest = excluded.digest, changed_at = excluded.changed_at, ended_at = NULL
			RETURNING id`,
			tx.actor.District, t.CleverID, t.Name, day(t.Start), day(t.End), t.digest, tx.now).QueryRow(seen.addRow)
	})
	return n, tx.send(ctx, "write terms", b)
}

// day keeps the calendar day that Clever named, whatever the server's time zone.
func day(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	d := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return &d
}

// schoolIDs finds schools by Clever id. One that people or sections name, but Clever does not list, is made as an
// unlisted school without a name.
func (tx *Tx) schoolIDs(ctx context.Context, named map[string]bool) (map[string]int64, error) {
	ids := make(map[string]int64, len(named))
	if len(named) == 0 {
		return ids, nil
	}
	b := &pgx.Batch{}
	var cleverID string
	var id int64
	note := func() { ids[cleverID] = id }
	collect(b, byKey("text", `SELECT s.clever_id, s.id FROM schools s WHERE s.district_id = $1 AND s.clever_id = w.id`),
		[]any{tx.actor.District, slices.Sorted(maps.Keys(named))}, []any{&cleverID, &id}, note)
	if err := tx.send(ctx, "find schools", b); err != nil || len(ids) == len(named) {
		return ids, err
	}
	missing := make([]string, 0, len(named)-len(ids))
	for s := range named {
		if ids[s] == 0 {
			missing = append(missing, s)
		}
	}
	slices.Sort(missing)
	b = &pgx.Batch{}
	collect(b, `INSERT INTO schools (district_id, clever_id, listed, name, name_key, created_at, changed_at)
		SELECT $1, r.clever_id, false, '', '', $3, $3 FROM unnest($2::text[]) r(clever_id) RETURNING clever_id, id`,
		[]any{tx.actor.District, missing, tx.now}, []any{&cleverID, &id}, note)
	return ids, tx.send(ctx, "make unlisted schools", b)
}
