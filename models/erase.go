package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Erasure is what erasing a district takes, and afterwards the certificate that it did. It names the district and
// nobody in it.
type Erasure struct {
	District  string     `json:"district"` // Clever's id
	Name      string     `json:"name"`
	State     string     `json:"state"` // of the connection: left or off
	GoneSince time.Time  `json:"gone_since"`
	KeptUntil time.Time  `json:"kept_until"` // by the district's set retention
	Began     time.Time  `json:"began,omitzero"`
	Erased    *time.Time `json:"erased,omitempty"`
	By        string     `json:"by"`
	Login     string     `json:"database_login"`
	// Rows are the rows erased, by table, tables without any included.
	Rows []ErasedRows `json:"rows"`
	// The end of the audit chain that went too: it vouches for a copy that was exported before.
	LastEntry int64  `json:"last_audit_entry"`
	LastHash  string `json:"last_audit_hash"`
	// SHA256 is of this certificate's JSON without it, in hex.
	SHA256 string `json:"sha256,omitempty"`
}

// ErasedRows is how many rows of the district a table held.
type ErasedRows struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// Total is all of them.
func (e Erasure) Total() (n int64) {
	for _, r := range e.Rows {
		n += r.Rows
	}
	return n
}

// Sum is the certificate's SHA-256 in hex, worked out anew.
func (e Erasure) Sum() (string, error) {
	e.SHA256 = ""
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("sum certificate: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// ErrStillHere says that a district may not be erased: it is connected and has not been switched off.
var ErrStillHere = errors.New("the district is connected: switch it off first, or wait until it has left")

// PlanErasure counts what erasing a district takes. Like Erase, it logs in as url says, which must be the owner of the
// tables: the role that every other connection runs as cannot erase.
func PlanErasure(ctx context.Context, url, cleverID string) (Erasure, error) {
	e, err := newEraser(ctx, url, cleverID)
	if err != nil {
		return Erasure{}, fmt.Errorf("plan erasure of district %s: %w", cleverID, err)
	}
	defer e.close(ctx)
	if err := e.count(ctx); err != nil {
		return Erasure{}, fmt.Errorf("plan erasure of district %s: %w", cleverID, err)
	}
	return e.plan, nil
}

// Erase removes every row of a district from every table, and gives the certificate, of which a copy stays in the
// table erasures. Each table is a transaction of its own; what is broken off goes on at the next call, and the
// certificate counts both. by is whoever answers for it. Whether the set retention is over is for the caller to judge.
func Erase(ctx context.Context, url, cleverID, by string, now time.Time) (Erasure, error) {
	e, err := newEraser(ctx, url, cleverID)
	if err != nil {
		return Erasure{}, fmt.Errorf("erase district %s: %w", cleverID, err)
	}
	defer e.close(ctx)
	done, err := e.erase(ctx, by, now.UTC().Truncate(time.Microsecond))
	if err != nil {
		return done, fmt.Errorf("erase district %s: %w", cleverID, err)
	}
	return done, nil
}

// lastTables say that there is a district; they go together, when nothing else is left.
var lastTables = []string{"connections", "districts", "district_ids"}

type eraser struct {
	conn   *pgx.Conn
	id     int64
	tables []string // those with a district, before the tables they refer to
	plan   Erasure
}

func newEraser(ctx context.Context, url, cleverID string) (ready *eraser, err error) {
	pc, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read DATABASE_URL: not a PostgreSQL connection string") // the error would quote the password
	}
	pc.RuntimeParams["application_name"] = "hallpass erase"
	e := &eraser{}
	if e.conn, err = pgx.ConnectConfig(ctx, pc); err != nil {
		return nil, fmt.Errorf("reach database: %w", err)
	}
	defer func() {
		if err != nil {
			e.close(ctx)
		}
	}()
	// One at a time: the lock ends with the connection.
	if _, err := e.conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext('hallpass erase'))`); err != nil {
		return nil, fmt.Errorf("wait for another erasure: %w", err)
	}
	if err := e.mayErase(ctx); err != nil {
		return nil, err
	}
	err = e.conn.QueryRow(ctx, `SELECT district_id FROM district_ids WHERE clever_id = $1`, cleverID).Scan(&e.id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if e.tables, err = erasedTables(ctx, e.conn); err != nil {
		return nil, err
	}
	return e, e.in(ctx, func(tx pgx.Tx) error { return e.read(ctx, tx, cleverID) })
}

func (e *eraser) close(ctx context.Context) { _ = e.conn.Close(context.WithoutCancel(ctx)) }

// mayErase refuses a login that does not own the tables, before anything is begun.
func (e *eraser) mayErase(ctx context.Context) error {
	var login string
	var owner bool
	err := e.conn.QueryRow(ctx, `SELECT session_user, pg_has_role(session_user, relowner, 'MEMBER') FROM pg_class WHERE oid = 'audit_entries'::regclass`).Scan(&login, &owner)
	if err != nil {
		return err
	}
	if !owner {
		return fmt.Errorf("the database login %q does not own the tables: erase with the login that runs hallpass migrate up", login)
	}
	return nil
}

// in runs fn in a transaction inside the district's wall, in which its audit may be deleted.
func (e *eraser) in(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, e.conn, func(tx pgx.Tx) error {
		id := strconv.FormatInt(e.id, 10)
		if _, err := tx.Exec(ctx, `SELECT set_config('hallpass.district', $1, true), set_config('hallpass.erasing', $1, true)`, id); err != nil {
			return err
		}
		return fn(tx)
	})
}

// read finds out how the district stands, and refuses one that is in use.
func (e *eraser) read(ctx context.Context, tx pgx.Tx, cleverID string) error {
	var c Connection
	var days int
	p := &e.plan
	err := tx.QueryRow(ctx, `SELECT d.name, d.retention_days, c.switch, c.switched_at, c.left_at, session_user FROM districts d JOIN connections c USING (district_id)
		WHERE district_id = $1`, e.id).Scan(&p.Name, &days, &c.Switch, &c.SwitchedAt, &c.LeftAt, &p.Login)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	gone := c.Gone()
	if gone == nil {
		return ErrStillHere
	}
	p.District, p.State = cleverID, c.State()
	p.GoneSince, p.KeptUntil = gone.UTC(), gone.UTC().Add(time.Duration(days)*24*time.Hour)
	err = tx.QueryRow(ctx, `SELECT id, encode(hash, 'hex') FROM audit_entries WHERE district_id = $1 ORDER BY id DESC LIMIT 1`, e.id).Scan(&p.LastEntry, &p.LastHash)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return err
}

func (e *eraser) count(ctx context.Context) error {
	return e.in(ctx, func(tx pgx.Tx) error {
		for _, table := range e.tables {
			r := ErasedRows{Table: table}
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` WHERE district_id = $1`, e.id).Scan(&r.Rows); err != nil {
				return fmt.Errorf("count %s: %w", table, err)
			}
			e.plan.Rows = append(e.plan.Rows, r)
		}
		return nil
	})
}

// erase goes through the tables. What it has done stands in the ledger after each.
func (e *eraser) erase(ctx context.Context, by string, now time.Time) (Erasure, error) {
	ledger, err := e.begin(ctx, by, now)
	if err != nil {
		return e.plan, err
	}
	for _, table := range e.tables {
		if slices.Contains(lastTables, table) {
			continue
		}
		err := e.in(ctx, func(tx pgx.Tx) error {
			if err := e.empty(ctx, tx, table); err != nil {
				return err
			}
			return e.note(ctx, tx, ledger, nil)
		})
		if err != nil {
			return e.plan, err
		}
	}
	err = e.in(ctx, func(tx pgx.Tx) error {
		for _, table := range lastTables {
			if err := e.empty(ctx, tx, table); err != nil {
				return err
			}
		}
		if err := e.rest(ctx, tx); err != nil {
			return err
		}
		e.plan.Erased = &now
		sum, err := e.plan.Sum()
		if err != nil {
			return err
		}
		e.plan.SHA256 = sum
		return e.note(ctx, tx, ledger, &now)
	})
	if err != nil {
		return e.plan, err
	}
	for _, table := range e.tables { // what was deleted is still in the files until then
		if _, err := e.conn.Exec(ctx, `VACUUM `+pgx.Identifier{table}.Sanitize()); err != nil {
			return e.plan, fmt.Errorf("everything is erased, but not yet swept out of %s: %w", table, err)
		}
	}
	return e.plan, nil
}

// begin shuts the district, so that nothing is added meanwhile, takes its jobs out of the queue, and finds the entry of
// the ledger that a run before this one left, or makes one.
func (e *eraser) begin(ctx context.Context, by string, now time.Time) (ledger int64, err error) {
	e.plan.By, e.plan.Began = by, now
	for _, table := range e.tables {
		e.plan.Rows = append(e.plan.Rows, ErasedRows{Table: table})
	}
	err = e.in(ctx, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`UPDATE connections SET switch = 'off' WHERE district_id = $1`,
			`UPDATE sessions SET revoked_at = now() WHERE district_id = $1 AND revoked_at IS NULL`,
			`UPDATE sync_runs SET state = 'failed', finished_at = now(), error = 'The district is being erased.' WHERE district_id = $1 AND state IN ('requested', 'running')`,
			`DELETE FROM river_job WHERE (args->>'district')::bigint = $1 AND state <> 'running'`,
		} {
			if _, err := tx.Exec(ctx, sql, e.id); err != nil {
				return err
			}
		}
		var before []byte
		err := tx.QueryRow(ctx, `SELECT id, certificate FROM erasures WHERE clever_id = $1 AND erased_at IS NULL`, e.plan.District).Scan(&ledger, &before)
		switch {
		case err == nil:
			return e.goOn(before)
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		text, err := json.Marshal(e.plan)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO erasures (clever_id, certificate) VALUES ($1, $2) RETURNING id`, e.plan.District, string(text)).Scan(&ledger)
	})
	return ledger, err
}

// goOn takes over what a run before this one had done.
func (e *eraser) goOn(before []byte) error {
	var was Erasure
	if err := json.Unmarshal(before, &was); err != nil {
		return fmt.Errorf("read what was erased before: %w", err)
	}
	rows := e.plan.Rows
	for i, r := range rows {
		for _, w := range was.Rows {
			if w.Table == r.Table {
				rows[i].Rows = w.Rows
			}
		}
	}
	was.Rows, was.By = rows, e.plan.By
	e.plan = was
	return nil
}

// empty deletes the district's rows of one table and counts them.
func (e *eraser) empty(ctx context.Context, tx pgx.Tx, table string) error {
	tag, err := tx.Exec(ctx, `DELETE FROM `+pgx.Identifier{table}.Sanitize()+` WHERE district_id = $1`, e.id)
	if err != nil {
		return fmt.Errorf("empty %s: %w", table, err)
	}
	at := slices.IndexFunc(e.plan.Rows, func(r ErasedRows) bool { return r.Table == table })
	e.plan.Rows[at].Rows += tag.RowsAffected()
	return nil
}

// rest removes what triggers wrote down while the other tables were emptied, until nothing is left.
func (e *eraser) rest(ctx context.Context, tx pgx.Tx) error {
	for range 5 {
		left := int64(0)
		for _, table := range e.tables {
			tag, err := tx.Exec(ctx, `DELETE FROM `+pgx.Identifier{table}.Sanitize()+` WHERE district_id = $1`, e.id)
			if err != nil {
				return fmt.Errorf("empty %s: %w", table, err)
			}
			left += tag.RowsAffected()
		}
		if left == 0 {
			return nil
		}
	}
	return errors.New("rows keep coming back")
}

func (e *eraser) note(ctx context.Context, tx pgx.Tx, ledger int64, erased *time.Time) error {
	text, err := json.Marshal(e.plan)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE erasures SET certificate = $2, erased_at = $3 WHERE id = $1`, ledger, string(text), erased)
	return err
}

// erasedTables are all tables that hold rows of a district, found in the catalogue so that none is forgotten: each
// before those that it refers to.
func erasedTables(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'district_id' AND NOT a.attisdropped
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	rows, err = conn.Query(ctx, `SELECT DISTINCT k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent FROM pg_constraint k
		WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND k.connamespace = 'public'::regnamespace ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	type reference struct{ Child, Parent string }
	references, err := pgx.CollectRows(rows, pgx.RowToStructByName[reference])
	if err != nil {
		return nil, err
	}
	var order []string
	for len(tables) > 0 {
		at := slices.IndexFunc(tables, func(t string) bool {
			return !slices.ContainsFunc(references, func(r reference) bool { return r.Parent == t && slices.Contains(tables, r.Child) })
		})
		if at < 0 {
			return nil, fmt.Errorf("tables refer to each other in a circle: %v", tables)
		}
		order = append(order, tables[at])
		tables = slices.Delete(tables, at, at+1)
	}
	return order, nil
}
