package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"

	"hallpass/access"
)

// Scope is the store as one actor may use it: inside the actor's district, under the actor's name.
type Scope struct {
	store *Store
	actor access.Actor
}

// As is the only way to query.
func (s *Store) As(actor access.Actor) Scope { return Scope{s, actor} }

// Tx is one transaction inside the wall of one district. It is not safe for concurrent use, and must not be kept
// after the function it was given to returns.
type Tx struct {
	store *Store
	db    *gorm.DB
	conn  *pgx.Conn // the same connection, for COPY and batches
	actor access.Actor
	now   time.Time
	// RequestID goes into every audit entry of the transaction; handlers set it.
	RequestID string
}

// Read runs fn in a read-only transaction that sees one moment of the database.
func (sc Scope) Read(ctx context.Context, fn func(*Tx) error) error {
	return sc.run(ctx, readOnly, fn)
}

// Write runs fn in a transaction that is committed when fn returns nil, and otherwise leaves no trace.
func (sc Scope) Write(ctx context.Context, fn func(*Tx) error) error {
	return sc.run(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", fn)
}

const readOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

func (sc Scope) run(ctx context.Context, begin string, fn func(*Tx) error) (err error) {
	if sc.actor.District <= 0 {
		return errors.New("no district: an actor acts in one district")
	}
	conn, err := sc.store.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	ended := false // by somebody else, later
	defer func() {
		if !ended {
			_ = conn.Close()
		}
	}()
	err = conn.Raw(func(dc any) error {
		pg := dc.(*stdlib.Conn).Conn()
		// One round trip: the transaction and its wall begin together.
		set := "; SELECT set_config('hallpass.district', '" + strconv.FormatInt(sc.actor.District, 10) + "', true)"
		if _, err := pg.PgConn().Exec(ctx, begin+set).ReadAll(); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			rollback(context.WithoutCancel(ctx), conn)
		}
	}()
	tx := &Tx{store: sc.store, actor: sc.actor, now: sc.store.now()}
	tx.db = sc.store.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.db.Statement.ConnPool = conn
	if err := conn.Raw(func(dc any) error { tx.conn = dc.(*stdlib.Conn).Conn(); return nil }); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "57014" && ctx.Err() == nil { // statement_timeout
			err = fmt.Errorf("%w: %w", ErrTooSlow, err)
		}
		return err
	}
	if begin == readOnly { // nothing to lose: whoever asked need not wait for the end
		done, ended = true, true
		go func() {
			rollback(context.WithoutCancel(ctx), conn)
			_ = conn.Close()
		}()
		return nil
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	return nil
}

// rollback ends a failed transaction; ctx must outlive the request that began it. A connection that cannot be rolled
// back is dropped by the pool, which looks at its state when it is given back.
func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, _ = conn.ExecContext(ctx, "ROLLBACK")
}

// Actor is on whose behalf the transaction runs.
func (tx *Tx) Actor() access.Actor { return tx.actor }

// Now is the moment the transaction began, by the store's clock.
func (tx *Tx) Now() time.Time { return tx.now }

// Become continues the transaction on behalf of another actor of the same district: a visitor who turns out to be
// signed in.
func (tx *Tx) Become(actor access.Actor) error {
	if actor.District != tx.actor.District {
		return fmt.Errorf("become another actor: district %d is not the transaction's %d", actor.District, tx.actor.District)
	}
	tx.actor = actor
	return nil
}

// query runs SQL that is too particular for a builder, and scans every row into T by column name.
func query[T any](ctx context.Context, tx *Tx, sql string, args ...any) ([]T, error) {
	return gorm.G[T](tx.db).Raw(sql, args...).Find(ctx)
}

// scan is query for the statements of list pages, past GORM: with fifty rows and more it spends half as many
// allocations, and list pages are most of what is asked for. Arguments are named, as @name.
func scan[T any](ctx context.Context, tx *Tx, sql string, args map[string]any) ([]T, error) {
	rows, err := tx.conn.Query(ctx, sql, pgx.NamedArgs(args))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
}

// exec runs SQL that returns no rows, and says how many it changed.
func exec(ctx context.Context, tx *Tx, sql string, args ...any) (int64, error) {
	res := tx.db.WithContext(ctx).Exec(sql, args...)
	return res.RowsAffected, res.Error
}

// one returns the only row of a query, or ErrNotFound.
func one[T any](ctx context.Context, tx *Tx, sql string, args ...any) (T, error) {
	rows, err := query[T](ctx, tx, sql, args...)
	if err != nil {
		var none T
		return none, err
	}
	if len(rows) == 0 {
		var none T
		return none, ErrNotFound
	}
	return rows[0], nil
}
