package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hallpass/access"
)

// ImportState is how far a file has come.
type ImportState string

// The states of an import, in their order: what a file would do is looked at when it is ready.
const (
	ImportReading  ImportState = "reading"
	ImportReady    ImportState = "ready"
	ImportApplying ImportState = "applying"
	ImportApplied  ImportState = "applied"
	ImportUndoing  ImportState = "undoing"
	ImportUndone   ImportState = "undone"
	ImportDropped  ImportState = "dropped"
	ImportFailed   ImportState = "failed"
)

// Open reports that the program is at work on the file.
func (s ImportState) Open() bool {
	return s == ImportReading || s == ImportApplying || s == ImportUndoing
}

// The kinds of a file.
const (
	ImportAccounts  = "accounts"  // the app's own accounts
	ImportMigration = "migration" // Clever's list of old ids and new ones
)

// Bounds of an import.
const (
	// ImportSlice is how many rows are kept in one transaction while a file is read.
	ImportSlice = 5000
	// MaxImportErrors is how many errors of a file are kept; all are counted.
	MaxImportErrors = 10_000

	importSilence = 2 * time.Minute    // without a sign of life, the program that was at work has died
	importKept    = 7 * 24 * time.Hour // a file that nobody applies is dropped after that
)

// Import is one file of accounts, read, looked at, applied or taken back.
type Import struct {
	ID                  int64
	Kind                string // "" until the file's head was read
	FileName            string
	Form                string // how it was read: encoding and separator, or json
	Digest              []byte // SHA-256 of the file
	State               ImportState
	Error               string // a code, with what it speaks of after a space
	Notices             []string
	BytesAll, BytesRead int64 // BytesAll 0: not known
	RowsRead, RowsWrong int64
	Counts              ImportCounts
	Token               string
	Plan                []byte
	View                string
	ChangeID, UndoID    *int64
	StartedBy           *int64
	StartedAt, BeatAt   time.Time
	FinishedAt          *time.Time
}

// ImportCounts is what a file would do, or did. All counts are of accounts but the last.
type ImportCounts struct {
	New     int `json:"new"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	// What becomes of the new and changed ones, by state, role and why.
	Fates []ImportFate `json:"fates"`
	Users int          `json:"users"` // people made for accounts that lead to nobody in Clever, or to several
}

// ImportFate is how many accounts of a role come into a state, and why.
type ImportFate struct {
	State AccountState `json:"state"`
	Role  access.Role  `json:"role"`
	Why   string       `json:"why,omitempty"`
	N     int          `json:"n"`
}

// In counts the accounts that come into a state.
func (c ImportCounts) In(state AccountState) (n int) {
	for _, f := range c.Fates {
		if f.State == state {
			n += f.N
		}
	}
	return n
}

// RowError is what is wrong with a row of a file. Col counts characters from 1; 0 is the whole line.
type RowError struct {
	Line  int64
	Col   int
	Field string // the column's name in ours, or ""
	Code  string
}

const importColumns = `SELECT id, kind, file_name, form, digest, state, error, notices, bytes_all, bytes_read, rows_read, rows_wrong, counts,
	token, plan, view, change_id, undo_id, started_by, started_at, beat_at, finished_at FROM imports WHERE district_id = @district AND `

// StartImport notes a file that begins to arrive. bytes is its size, 0 if that is not known.
func (tx *Tx) StartImport(ctx context.Context, fileName string, bytes int64) (Import, error) {
	var by *int64
	if tx.actor.User != 0 {
		by = &tx.actor.User
	}
	rows, err := scan[struct{ ID int64 }](ctx, tx, `INSERT INTO imports (district_id, file_name, state, bytes_all, started_by, started_at, beat_at, view)
		VALUES (@district, @name, 'reading', @bytes, @by, @now, @now, @view) RETURNING id`,
		map[string]any{"district": tx.actor.District, "name": cut(clean(fileName), 200), "bytes": max(bytes, 0), "by": by, "now": tx.now, "view": string(tx.actor.View)})
	if err != nil {
		return Import{}, fmt.Errorf("start import: %w", err)
	}
	return tx.Import(ctx, rows[0].ID)
}

// Import reads one import.
func (tx *Tx) Import(ctx context.Context, id int64) (Import, error) {
	rows, err := scan[Import](ctx, tx, importColumns+`id = @id`, map[string]any{"district": tx.actor.District, "id": id})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Import{}, fmt.Errorf("import %d: %w", id, err)
	}
	return rows[0], nil
}

// Imports lists imports, the newest first: those with ids below before, or all for before 0. limit is cut to 200.
func (tx *Tx) Imports(ctx context.Context, before int64, limit int) ([]Import, error) {
	rows, err := scan[Import](ctx, tx, importColumns+`(@before::bigint = 0 OR id < @before) ORDER BY id DESC LIMIT @limit`,
		map[string]any{"district": tx.actor.District, "before": before, "limit": min(max(limit, 1), 200)})
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return rows, nil
}

// ImportErrors lists what was wrong with a file's rows, in the file's order, after the one given; the zero RowError is
// before the first. limit is cut to MaxImportErrors.
func (tx *Tx) ImportErrors(ctx context.Context, id int64, after RowError, limit int) ([]RowError, error) {
	rows, err := scan[RowError](ctx, tx, `SELECT line, col, field, code FROM import_errors WHERE district_id = @district AND import_id = @id
		AND (line, col, field, code) > (@line, @col, @field, @code) ORDER BY line, col, field, code LIMIT @limit`,
		map[string]any{"district": tx.actor.District, "id": id, "line": after.Line, "col": after.Col, "field": after.Field, "code": after.Code, "limit": min(max(limit, 1), MaxImportErrors)})
	if err != nil {
		return nil, fmt.Errorf("errors of import %d: %w", id, err)
	}
	return rows, nil
}

// moveImport changes an import that is in the given state. ErrConflict: it is not.
func (tx *Tx) moveImport(ctx context.Context, id int64, from ImportState, set string, args map[string]any) error {
	args["district"], args["id"], args["from"], args["now"] = tx.actor.District, id, string(from), tx.now
	rows, err := scan[struct{ ID int64 }](ctx, tx, `UPDATE imports SET `+set+`, beat_at = @now WHERE district_id = @district AND id = @id AND state = @from RETURNING id`, args)
	return changedOne(int64(len(rows)), err, "change import", id)
}

// FailImport marks an import failed whose file cannot be read, and forgets its rows. code says why, with what it speaks
// of after a space.
func (tx *Tx) FailImport(ctx context.Context, id int64, code string) error {
	if err := tx.dropRows(ctx, id); err != nil {
		return err
	}
	return tx.moveImport(ctx, id, ImportReading, `state = 'failed', error = @error, finished_at = @now`, map[string]any{"error": cut(clean(code), 500)})
}

// DropImport forgets a file that waits to be applied. ErrConflict: it does not wait any more.
func (tx *Tx) DropImport(ctx context.Context, id int64) error {
	if err := tx.moveImport(ctx, id, ImportReady, `state = 'dropped', finished_at = @now`, map[string]any{}); err != nil {
		return err
	}
	return tx.dropRows(ctx, id)
}

func (tx *Tx) dropRows(ctx context.Context, id int64) error {
	if err := tx.beginLong(ctx); err != nil {
		return fmt.Errorf("forget rows of import %d: %w", id, err)
	}
	if _, err := tx.conn.Exec(ctx, `DELETE FROM import_rows WHERE district_id = $1 AND import_id = $2`, tx.actor.District, id); err != nil {
		return fmt.Errorf("forget rows of import %d: %w", id, err)
	}
	return nil
}

// AgreeToImport lets a file that was looked at be applied, under the hash of what was shown, and AgreeToUndo lets an
// applied one be taken back. ErrConflict: it is not in that state any more. The deed itself is for later.
func (tx *Tx) AgreeToImport(ctx context.Context, id int64, token string, plan []byte) error {
	return tx.agree(ctx, id, ImportReady, ImportApplying, token, plan)
}

// AgreeToUndo is for an applied import what AgreeToImport is for one that is ready.
func (tx *Tx) AgreeToUndo(ctx context.Context, id int64, token string, plan []byte) error {
	return tx.agree(ctx, id, ImportApplied, ImportUndoing, token, plan)
}

func (tx *Tx) agree(ctx context.Context, id int64, from, to ImportState, token string, plan []byte) error {
	var by *int64
	if tx.actor.User != 0 {
		by = &tx.actor.User
	}
	return tx.moveImport(ctx, id, from, `state = @to, token = @token, plan = @plan, view = @view, error = '', started_by = coalesce(@by, started_by)`,
		map[string]any{"to": string(to), "token": token, "plan": append([]byte{}, plan...), "view": string(tx.actor.View), "by": by})
}

// WaitingImports lists imports that somebody agreed to and that nobody has been at work on since the given moment.
func (tx *Tx) WaitingImports(ctx context.Context, before time.Time) ([]Import, error) {
	rows, err := scan[Import](ctx, tx, importColumns+`state IN ('applying', 'undoing') AND beat_at <= @before ORDER BY id`,
		map[string]any{"district": tx.actor.District, "before": before})
	if err != nil {
		return nil, fmt.Errorf("list waiting imports: %w", err)
	}
	return rows, nil
}

// TidyImports marks files failed that stopped arriving, and drops those that nobody applied for a week.
func (tx *Tx) TidyImports(ctx context.Context) error {
	rows, err := scan[Import](ctx, tx, importColumns+`(state = 'reading' AND beat_at < @lost OR state = 'ready' AND beat_at < @old)`,
		map[string]any{"district": tx.actor.District, "lost": tx.now.Add(-importSilence), "old": tx.now.Add(-importKept)})
	if err != nil {
		return fmt.Errorf("tidy imports: %w", err)
	}
	for _, i := range rows {
		if i.State == ImportReady {
			err = tx.DropImport(ctx, i.ID)
		} else {
			err = tx.FailImport(ctx, i.ID, "lost")
		}
		if err != nil && !errors.Is(err, ErrConflict) {
			return fmt.Errorf("tidy imports: %w", err)
		}
	}
	return nil
}

// NameImport notes what the file is called, once that has arrived.
func (tx *Tx) NameImport(ctx context.Context, id int64, name string) error {
	return tx.moveImport(ctx, id, ImportReading, `file_name = @name`, map[string]any{"name": cut(clean(name), 200)})
}
