package imports

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"hallpass/models"
)

// signs of life while a slow file arrives.
const beatEvery = 15 * time.Second

// Read reads the file of an import that was started, keeps its rows and works out what they would do. What is wrong with
// the file is said by the import that comes back, whose state is then failed; an error is the program's own trouble.
// Memory does not grow with the file.
func Read(ctx context.Context, scope models.Scope, started models.Import, body io.Reader, now func() time.Time) (models.Import, error) {
	r := &reading{ctx: ctx, scope: scope, id: started.ID, now: now, saved: now(), raw: &counted{from: body, sum: sha256.New()}}
	code, err := r.read()
	if err == nil && code == "" {
		var done models.Import
		err = scope.Write(ctx, func(tx *models.Tx) (err error) {
			done, err = tx.FinishReading(ctx, r.id, models.ReadImport{
				Kind: r.kind, Form: r.form, Digest: r.raw.sum.Sum(nil), Notices: r.notices, Progress: r.progress(),
			})
			return err
		})
		if err == nil {
			return done, nil
		}
	}
	// Whoever sent the file may be gone; that it failed is noted all the same.
	ctx = context.WithoutCancel(ctx)
	if err != nil && code == "" {
		code = "internal"
	}
	var failed models.Import
	noted := scope.Write(ctx, func(tx *models.Tx) error {
		if err := tx.FailImport(ctx, r.id, code); err != nil {
			return err
		}
		var err error
		failed, err = tx.Import(ctx, r.id)
		return err
	})
	if err = errors.Join(err, noted); err != nil {
		return failed, fmt.Errorf("read import %d: %w", r.id, err)
	}
	return failed, nil
}

// source is a file as rows. next gives io.EOF at its end.
type source interface {
	next() (models.ImportRow, []models.RowError, error)
}

// reading is one file on its way in.
type reading struct {
	ctx        context.Context
	scope      models.Scope
	id         int64
	now        func() time.Time
	saved      time.Time
	raw        *counted
	kind, form string
	notices    []string

	rows        []models.ImportRow
	wrong       []models.RowError
	n, mistakes int64
}

// ErrTooLarge is for the reader of a file to give where the file goes on beyond what it may hold.
var ErrTooLarge = errors.New("file too large")

// counted reads through, counting bytes and summing them up.
type counted struct {
	from io.Reader
	n    int64
	sum  hash.Hash
	err  error // of the sender, other than the end
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	_, _ = c.sum.Write(p[:n]) // never fails
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// read gives the code of what is wrong with the whole file, or "".
func (r *reading) read() (code string, err error) {
	text, err := decode(r.raw)
	switch {
	case errors.Is(err, errSpreadsheet):
		return "spreadsheet", nil
	case errors.Is(err, errArchive):
		return "archive", nil
	case errors.Is(err, errBinary):
		return "binary", nil
	case err != nil:
		return r.gone(), nil //nolint:nilerr // the sender's trouble, and said so
	}
	var from source
	var wrong []models.RowError
	peek := newPeeker(text)
	if peek.json() {
		from, r.kind, r.form = openJSON(peek), models.ImportAccounts, "json"
	} else {
		var f *csvFile
		if f, wrong, err = openCSV(peek); err == nil {
			from, r.kind, r.form = f, f.columns.kind, f.comma
		}
	}
	if err == nil && len(wrong) == 0 {
		err = r.stage(from)
	} else if err == nil {
		r.wrong, r.mistakes = wrong, 1
	}
	r.form += " " + text.encoding()
	switch {
	case r.raw.err != nil:
		return r.gone(), nil //nolint:nilerr // the sender's trouble, and said so
	case err != nil:
		return "", err
	}
	if f, ok := from.(*csvFile); ok && f.watched.ended && f.watched.last != '\n' && r.n > 0 {
		r.notices = append(r.notices, "no_line_end")
	}
	return "", r.save()
}

// gone is why no more of the file came.
func (r *reading) gone() string {
	if errors.Is(r.raw.err, ErrTooLarge) {
		return "too_large"
	}
	return "broken_off"
}

// stage keeps rows slice by slice.
func (r *reading) stage(from source) error {
	for {
		row, wrong, err := from.next()
		if len(wrong) > 0 {
			r.wrong = append(r.wrong, wrong...)
			r.mistakes++
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(wrong) == 0:
			r.n++
			row.N = r.n
			r.rows = append(r.rows, row)
		}
		if r.mistakes >= models.MaxImportErrors {
			r.notices = append(r.notices, "too_many")
			return nil
		}
		if len(r.rows)+len(r.wrong) >= models.ImportSlice || r.now().Sub(r.saved) > beatEvery {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
}

func (r *reading) progress() models.ImportProgress {
	return models.ImportProgress{Bytes: r.raw.n, Rows: r.n, Wrong: r.mistakes}
}

// save keeps what was read since the last time.
func (r *reading) save() error {
	err := r.scope.Write(r.ctx, func(tx *models.Tx) error { return tx.StageRows(r.ctx, r.id, r.rows, r.wrong, r.progress()) })
	clear(r.rows) // their texts are held by nobody else
	r.rows, r.wrong, r.saved = r.rows[:0], r.wrong[:0], r.now()
	return err
}
