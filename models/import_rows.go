package models

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// ImportRow is one row of a file: an account of the app, or, with a CleverID and no AppID, an old id and the Clever user
// that it became.
type ImportRow struct {
	N                   int64 // of the row, from 1
	Line                int64
	Col                 int // of the id
	AppID               string
	Role                access.Role
	LegacyID            string
	CleverID            string
	First, Middle, Last string
	Email               string
	SISID, Number       string
	Schools             []string // ids, numbers or names
	LastUsedAt          *time.Time
}

// sum tells rows of the same account apart.
func (r *ImportRow) sum() []byte {
	h := sha256.New()
	field := func(text string) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(text)))
		_, _ = h.Write(n[:]) // never fails
		_, _ = io.WriteString(h, text)
	}
	for _, text := range []string{string(r.Role), r.LegacyID, r.CleverID, r.First, r.Middle, r.Last, r.Email, r.SISID, r.Number} {
		field(text)
	}
	for _, s := range r.Schools {
		field(s)
	}
	if r.LastUsedAt != nil {
		field(r.LastUsedAt.UTC().Format(time.RFC3339))
	}
	return h.Sum(nil)[:16]
}

// ImportProgress is how far a file was read.
type ImportProgress struct {
	Bytes, Rows, Wrong int64
}

// StageRows keeps a slice of a file's rows, and of its errors, until the file is applied. ErrConflict: the import was
// given up for lost, so its rows must not be kept.
func (tx *Tx) StageRows(ctx context.Context, id int64, rows []ImportRow, wrong []RowError, p ImportProgress) error {
	n := len(rows)
	type columns struct {
		n, line                                                                                             []int64
		col                                                                                                 []int32
		app, role, legacy, clever, first, middle, last, email, sis, number, nameKey, emailKey, doc, schools []string
		used                                                                                                []*time.Time
		digest                                                                                              [][]byte
	}
	c := columns{n: make([]int64, 0, n)}
	for i := range rows {
		r := &rows[i]
		slices.Sort(r.Schools)
		r.Schools = slices.Compact(r.Schools)
		c.n, c.line, c.col = append(c.n, r.N), append(c.line, r.Line), append(c.col, int32(min(r.Col, 1<<30)))
		c.app, c.role = append(c.app, r.AppID), append(c.role, string(r.Role))
		c.legacy, c.clever = append(c.legacy, r.LegacyID), append(c.clever, r.CleverID)
		c.first, c.middle, c.last = append(c.first, r.First), append(c.middle, r.Middle), append(c.last, r.Last)
		c.email, c.sis, c.number = append(c.email, r.Email), append(c.sis, r.SISID), append(c.number, r.Number)
		c.nameKey, c.emailKey = append(c.nameKey, nameKey(r.Last, r.First, r.Middle)), append(c.emailKey, key(r.Email))
		c.doc, c.schools = append(c.doc, searchDoc(r.First, r.Middle, r.Last, r.Email)), append(c.schools, textArray(r.Schools))
		c.used, c.digest = append(c.used, r.LastUsedAt), append(c.digest, r.sum())
	}
	b := &pgx.Batch{}
	district := tx.actor.District
	if n > 0 {
		b.Queue(`INSERT INTO import_rows (district_id, import_id, n, line, col, app_id, role, legacy_id, clever_id, first_name, middle_name, last_name,
				email, sis_id, number, name_key, email_key, doc, schools, last_used_at, digest)
			SELECT $1, $2, n, line, col, app, role, legacy, clever, first, middle, last, email, sis, number, name_key, email_key, doc, schools::text[], used, digest
			FROM unnest($3::bigint[], $4::bigint[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
				$14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::timestamptz[], $21::bytea[])
				AS r(n, line, col, app, role, legacy, clever, first, middle, last, email, sis, number, name_key, email_key, doc, schools, used, digest)`,
			district, id, c.n, c.line, c.col, c.app, c.role, c.legacy, c.clever, c.first, c.middle, c.last, c.email, c.sis, c.number, c.nameKey, c.emailKey, c.doc, c.schools, c.used, c.digest)
	}
	queueErrors(b, district, id, wrong)
	if err := tx.send(ctx, fmt.Sprintf("keep rows of import %d", id), b); err != nil {
		return err
	}
	return tx.moveImport(ctx, id, ImportReading, `bytes_read = @bytes, rows_read = @rows, rows_wrong = @wrong`,
		map[string]any{"bytes": p.Bytes, "rows": p.Rows, "wrong": p.Wrong})
}

func queueErrors(b *pgx.Batch, district, id int64, wrong []RowError) {
	if len(wrong) == 0 {
		return
	}
	var line []int64
	var col []int32
	var field, code []string
	for _, e := range wrong {
		line, col = append(line, e.Line), append(col, int32(min(e.Col, 1<<30)))
		field, code = append(field, e.Field), append(code, e.Code)
	}
	b.Queue(`INSERT INTO import_errors (district_id, import_id, line, col, field, code)
		SELECT $1, $2, * FROM unnest($3::bigint[], $4::integer[], $5::text[], $6::text[]) ON CONFLICT DO NOTHING`, district, id, line, col, field, code)
}

// ReadImport is what was learned of a file by reading all of it.
type ReadImport struct {
	Kind, Form string
	Digest     []byte
	Notices    []string
	Progress   ImportProgress
}

// FinishReading closes a file that was read to its end: it looks for ids that stand in it more than once, and works out
// what it would do. A file with errors is failed, and its rows are forgotten.
func (tx *Tx) FinishReading(ctx context.Context, id int64, r ReadImport) (Import, error) {
	fail := func(err error) (Import, error) { return Import{}, fmt.Errorf("finish reading import %d: %w", id, err) }
	if err := tx.beginRoster(ctx); err != nil {
		return fail(err)
	}
	twice, err := tx.findTwice(ctx, id, r.Kind)
	if err != nil {
		return fail(err)
	}
	r.Progress.Wrong += twice
	set := `kind = @kind, form = @form, digest = @digest, notices = @notices::text[], bytes_read = @bytes, rows_read = @rows, rows_wrong = @wrong`
	args := map[string]any{
		"kind": r.Kind, "form": r.Form, "digest": r.Digest, "notices": textArray(r.Notices),
		"bytes": r.Progress.Bytes, "rows": r.Progress.Rows, "wrong": r.Progress.Wrong,
	}
	switch {
	case r.Progress.Wrong > 0:
		set += `, state = 'failed', error = 'rows', finished_at = @now`
	case r.Progress.Rows == 0:
		set += `, state = 'failed', error = 'empty', finished_at = @now`
	default:
		counts, err := tx.foresee(ctx, id, r.Kind)
		if err != nil {
			return fail(err)
		}
		set += `, state = 'ready', counts = @counts::jsonb`
		args["counts"] = counts
	}
	if err := tx.moveImport(ctx, id, ImportReading, set, args); err != nil {
		return fail(err)
	}
	if r.Progress.Wrong > 0 {
		if err := tx.dropRows(ctx, id); err != nil {
			return fail(err)
		}
	}
	return tx.Import(ctx, id)
}

// findTwice notes an error for each row whose id stood in an earlier row already, and says how many there are. Clever's
// own list may say the same twice.
func (tx *Tx) findTwice(ctx context.Context, id int64, kind string) (n int64, err error) {
	column, same, code := "app_id", "", "twice"
	if kind == ImportMigration {
		column, same = "legacy_id", "AND r.clever_id <> f.clever_id"
	}
	err = tx.conn.QueryRow(ctx, strings.NewReplacer("@column", column, "@same", same).Replace(`
		WITH firsts AS MATERIALIZED (
			SELECT @column AS id, min(n) AS n FROM import_rows WHERE district_id = $1 AND import_id = $2 GROUP BY 1 HAVING count(*) > 1
		), wrong AS MATERIALIZED (
			SELECT r.n, r.line, r.col FROM firsts x
			  JOIN import_rows f ON f.district_id = $1 AND f.import_id = $2 AND f.n = x.n
			  JOIN import_rows r ON r.district_id = $1 AND r.import_id = $2 AND r.@column = x.id AND r.n > x.n @same
		), kept AS (
			INSERT INTO import_errors (district_id, import_id, line, col, field, code)
			SELECT $1, $2, line, col, '@column', $3 FROM wrong ORDER BY n LIMIT $4 ON CONFLICT DO NOTHING
		) SELECT count(*) FROM wrong`), tx.actor.District, id, code, MaxImportErrors).Scan(&n)
	return n, err
}
