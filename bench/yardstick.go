package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// pageSize is the users in one transaction, as many as the sync asks Clever for at once.
const pageSize = 1000

// bareTable is a table that a user is written to.
type bareTable struct {
	name  string
	user  string // the column that says whose row it is
	key   string
	stage string // COPY into the temporary table
	merge string // INSERT … ON CONFLICT from there: only rows that differ are rewritten
}

// yardstick loads the rows that a sync wrote into a second database of the same schema, indexes and constraints, as
// somebody would who has every row ready: no HTTP, no JSON, nothing to decide, as the owner and past row-level
// security. The rows wait in files in COPY's binary form.
type yardstick struct {
	world  *world
	conn   *pgx.Conn
	tables []bareTable // parents first
	pages  [][]part    // by page, by table
	files  []*os.File  // by table
	users  int
}

// part is where a page's rows of one table are in its file.
type part struct{ from, size int64 }

const spareName = "bare"

func (w *world) newYardstick(ctx context.Context) (_ *yardstick, err error) {
	url, err := w.migrated(ctx, spareName)
	if err != nil {
		return nil, err
	}
	y := &yardstick{world: w, tables: []bareTable{
		{name: "users", user: "id", key: "district_id, id"},
		{name: "identities", user: "user_id", key: "district_id, kind, value"},
		{name: "role_grants", user: "user_id", key: "district_id, id"},
		{name: "role_grant_schools", user: "user_id", key: "district_id, grant_id, school_id"},
		{name: "contact_students", user: "contact_id", key: "district_id, contact_id, student_clever_id"},
		{name: "accounts", user: "user_id", key: "district_id, id"},
		{name: "user_search", user: "user_id", key: "district_id, user_id"},
	}}
	if y.conn, err = pgx.Connect(ctx, url); err != nil {
		return nil, fmt.Errorf("yardstick: %w", err)
	}
	for i := range y.tables {
		if err := y.prepare(ctx, &y.tables[i]); err != nil {
			y.close(ctx)
			return nil, err
		}
	}
	if err := y.parents(ctx); err != nil {
		y.close(ctx)
		return nil, err
	}
	if err := y.read(ctx); err != nil {
		y.close(ctx)
		return nil, err
	}
	return y, nil
}

// prepare makes the temporary table and writes the statements.
func (y *yardstick) prepare(ctx context.Context, t *bareTable) error {
	var values string
	err := y.conn.QueryRow(ctx, `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL(string_to_array($2, ', '))`, t.name, t.key).Scan(&values)
	if err != nil {
		return fmt.Errorf("columns of %s: %w", t.name, err)
	}
	excluded := "excluded." + strings.ReplaceAll(values, ", ", ", excluded.")
	held := "t." + strings.ReplaceAll(values, ", ", ", t.")
	t.stage = `COPY stage_` + t.name + ` FROM STDIN (FORMAT binary)`
	t.merge = `INSERT INTO ` + t.name + ` AS t OVERRIDING SYSTEM VALUE SELECT * FROM stage_` + t.name +
		` ON CONFLICT (` + t.key + `) DO UPDATE SET (` + values + `) = ROW(` + excluded + `) WHERE (` + held + `) IS DISTINCT FROM (` + excluded + `)`
	if _, err := y.conn.Exec(ctx, `CREATE TEMP TABLE stage_`+t.name+` (LIKE `+t.name+`) ON COMMIT DELETE ROWS`); err != nil {
		return fmt.Errorf("stage %s: %w", t.name, err)
	}
	return nil
}

// parents copies what users refer to.
func (y *yardstick) parents(ctx context.Context) error {
	for _, table := range []string{"district_ids", "districts", "schools"} {
		err := y.through(ctx, `COPY `+table+` TO STDOUT (FORMAT binary)`, `COPY `+table+` FROM STDIN (FORMAT binary)`)
		if err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	return nil
}

// through pours one statement's COPY out of the synced database into another's here.
func (y *yardstick) through(ctx context.Context, out, in string) error {
	from, err := y.world.owner.Acquire(ctx)
	if err != nil {
		return err
	}
	defer from.Release()
	read, write := io.Pipe()
	go func() {
		_, err := from.Conn().PgConn().CopyTo(ctx, write, out)
		write.CloseWithError(err)
	}()
	_, err = y.conn.PgConn().CopyFrom(ctx, read, in)
	return err
}

// read writes the synced rows to files, a page of users after the other.
func (y *yardstick) read(ctx context.Context) error {
	y.forget()
	from, err := y.world.owner.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("read synced rows: %w", err)
	}
	defer from.Release()
	rows, err := from.Query(ctx, `SELECT id FROM users WHERE district_id = $1 ORDER BY id`, y.world.district)
	if err != nil {
		return fmt.Errorf("read synced rows: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("read synced rows: %w", err)
	}
	y.users, y.pages = len(ids), make([][]part, (len(ids)+pageSize-1)/pageSize)
	for _, t := range y.tables {
		file, err := os.Create(filepath.Join(y.world.folder, t.name+".copy"))
		if err != nil {
			return fmt.Errorf("read synced rows: %w", err)
		}
		y.files = append(y.files, file)
		at := int64(0)
		for p := range y.pages {
			first, last := ids[p*pageSize], ids[min((p+1)*pageSize, len(ids))-1]
			_, err := from.Conn().PgConn().CopyTo(ctx, file, fmt.Sprintf(`COPY (SELECT * FROM %s WHERE district_id = %d AND %s BETWEEN %d AND %d ORDER BY %s)
				TO STDOUT (FORMAT binary)`, t.name, y.world.district, t.user, first, last, t.user))
			if err != nil {
				return fmt.Errorf("read synced rows of %s: %w", t.name, err)
			}
			end, err := file.Seek(0, io.SeekCurrent)
			if err != nil {
				return fmt.Errorf("read synced rows of %s: %w", t.name, err)
			}
			y.pages[p] = append(y.pages[p], part{at, end - at})
			at = end
		}
	}
	return nil
}

// measure loads every page, each in a transaction of its own.
func (y *yardstick) measure(ctx context.Context, name string) error {
	began := time.Now()
	for p := range y.pages {
		if err := y.load(ctx, y.pages[p]); err != nil {
			return fmt.Errorf("yardstick %s, page %d: %w", name, p+1, err)
		}
	}
	y.world.report.bareSync(name, y.users, time.Since(began))
	return nil
}

func (y *yardstick) load(ctx context.Context, parts []part) error {
	tx, err := y.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing to undo after the commit
	for i, t := range y.tables {
		if _, err := y.conn.PgConn().CopyFrom(ctx, io.NewSectionReader(y.files[i], parts[i].from, parts[i].size), t.stage); err != nil {
			return fmt.Errorf("stage %s: %w", t.name, err)
		}
		if _, err := tx.Exec(ctx, t.merge); err != nil {
			return fmt.Errorf("merge %s: %w", t.name, err)
		}
	}
	return tx.Commit(ctx)
}

// forget drops the files.
func (y *yardstick) forget() {
	for _, file := range y.files {
		file.Close()
		_ = os.Remove(file.Name()) // the whole folder goes at the end
	}
	y.files = nil
}

func (y *yardstick) close(ctx context.Context) {
	y.forget()
	if y.conn != nil {
		_ = y.conn.Close(context.WithoutCancel(ctx))
		y.conn = nil
	}
}

// drop gives the memory and the disk of the second database back before pages are measured.
func (y *yardstick) drop(ctx context.Context) error {
	y.close(ctx)
	if _, err := y.world.owner.Exec(ctx, `DROP DATABASE `+spareName+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop the yardstick's database: %w", err)
	}
	return nil
}
