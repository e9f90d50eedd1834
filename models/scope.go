package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
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
	pool  *sql.Conn // the same connection, for ending
	conn  *pgx.Conn // and for COPY and batches; nil: the transaction has not begun, or has ended
	begin string    // readOnly or readWrite
	actor access.Actor
	now   time.Time
	// noting lists what a sync changes of people; nil: nothing does.
	noting *Noting
	// foreseen is what was asked about a person before anybody asked for it, see FirstUser.
	foreseen *userAnswer
	// RequestID goes into every audit entry of the transaction; handlers set it.
	RequestID string
}

// Read runs fn in a read-only transaction that sees one moment of the database, up to the questions that fn says are
// its last.
func (sc Scope) Read(ctx context.Context, fn func(*Tx) error) error {
	return sc.run(ctx, readOnly, nil, false, fn)
}

// Write runs fn in a transaction that is committed when fn returns nil, and otherwise leaves no trace.
func (sc Scope) Write(ctx context.Context, fn func(*Tx) error) error {
	return sc.run(ctx, readWrite, nil, false, fn)
}

// First is what a page is sure to ask, and as a rule all of it, so that it can travel with the question who is signed in:
// one round trip less. The answer is for fn, and so for nobody who is not.
type First func(*Tx, *pgx.Batch)

// ReadSignedIn is Read for the holder of a session's token: the transaction begins by finding out who that is, in the
// same round trip as first, if that is not nil. ErrNoSession: there is no such person, and fn is not run.
func (sc Scope) ReadSignedIn(ctx context.Context, tokenHash []byte, first First, fn func(*Tx, SignedIn) error) error {
	return sc.runSignedIn(ctx, readOnly, tokenHash, first, fn)
}

// WriteSignedIn is Write as ReadSignedIn is Read.
func (sc Scope) WriteSignedIn(ctx context.Context, tokenHash []byte, first First, fn func(*Tx, SignedIn) error) error {
	return sc.runSignedIn(ctx, readWrite, tokenHash, first, fn)
}

func (sc Scope) runSignedIn(ctx context.Context, begin string, tokenHash []byte, first First, fn func(*Tx, SignedIn) error) error {
	var rows []factsRow
	opening := func(tx *Tx, b *pgx.Batch) {
		tx.askSignedIn(b, tokenHash, &rows)
		if first != nil {
			first(tx, b)
		}
	}
	return sc.run(ctx, begin, opening, first != nil, func(tx *Tx) error {
		in, err := tx.signedIn(ctx, rows)
		if err != nil {
			return err
		}
		return fn(tx, in)
	})
}

const (
	readOnly  = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	readWrite = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
)

// run begins a transaction, together with the questions that opening, if not nil, adds to the batch, and runs fn in
// it. What opening asked is answered when fn begins. last: fn is likely to ask nothing else.
func (sc Scope) run(ctx context.Context, begin string, opening func(*Tx, *pgx.Batch), last bool, fn func(*Tx) error) (err error) {
	if sc.actor.District <= 0 {
		return errors.New("no district: an actor acts in one district")
	}
	defer func() { err = passing(ctx, err) }()
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
	tx := &Tx{store: sc.store, pool: conn, begin: begin, actor: sc.actor, now: sc.store.now()}
	tx.db = sc.store.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.db.Statement.ConnPool = conn
	defer func() {
		if tx.conn != nil { // an error or a panic
			rollback(context.WithoutCancel(ctx), conn)
		}
	}()
	b := &pgx.Batch{}
	if opening != nil {
		opening(tx, b)
	}
	if last {
		err = tx.sendLast(ctx, "begin transaction", b)
	} else {
		err = tx.start(ctx, "begin transaction", b)
	}
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	switch {
	case tx.conn == nil:
	case begin == readOnly: // nothing to lose: whoever asked need not wait for the end
		tx.conn, ended = nil, true
		go func() {
			rollback(context.WithoutCancel(ctx), conn)
			_ = conn.Close()
		}()
	default:
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		tx.conn = nil
	}
	return nil
}

// start begins the transaction, its wall and the questions of a batch in one round trip. Nothing is asked outside of the
// wall, because a batch ends at its first error.
func (tx *Tx) start(ctx context.Context, what string, b *pgx.Batch) error {
	if err := tx.pool.Raw(func(dc any) error { tx.conn = dc.(*stdlib.Conn).Conn(); return nil }); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	all := &pgx.Batch{}
	all.Queue(tx.begin)
	all.Queue(`SELECT set_config('hallpass.district', $1, true)`, strconv.FormatInt(tx.actor.District, 10))
	all.QueuedQueries = append(all.QueuedQueries, b.QueuedQueries...)
	return tx.send(ctx, what, all)
}

// send asks everything in a batch in one round trip.
func (tx *Tx) send(ctx context.Context, what string, b *pgx.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	if tx.conn == nil {
		return tx.start(ctx, what, b)
	}
	if err := tx.conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// sendLast is send for what are likely to be the transaction's last questions: they take a read's end along, which costs
// PostgreSQL as much as a small question when it comes by itself. If there is a further question all the same, it begins
// another transaction and sees a later moment.
func (tx *Tx) sendLast(ctx context.Context, what string, b *pgx.Batch) error {
	if tx.begin != readOnly {
		return tx.send(ctx, what, b)
	}
	b.Queue("COMMIT")
	if err := tx.send(ctx, what, b); err != nil {
		return err
	}
	tx.conn = nil
	return nil
}

// ready makes sure that a single question is asked within the wall.
func (tx *Tx) ready(ctx context.Context) error {
	if tx.conn != nil {
		return nil
	}
	return tx.start(ctx, "begin transaction", &pgx.Batch{})
}

// passing marks an error that is the database's and will be over: ErrTooSlow came of the statement timeout, ErrAway of
// a server that is not there, is on its way up or down, or has no room.
func passing(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil { // of a client that has gone nothing follows
		return err
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case pgErr.Code == "57014": // query_canceled
			return fmt.Errorf("%w: %w", ErrTooSlow, err)
		case slices.Contains(awayCodes, pgErr.Code), strings.HasPrefix(pgErr.Code, "08"), strings.HasPrefix(pgErr.Code, "53"):
			return fmt.Errorf("%w: %w", ErrAway, err)
		}
		return err
	}
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	_, broken := errors.AsType[*net.OpError](err)
	for _, gone := range []error{pgconn.ErrConnClosed, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF} {
		broken = broken || errors.Is(err, gone)
	}
	if refused || broken {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// awayCodes are what PostgreSQL says as it stops, crashes or starts, and on a server that has become a standby. Class
// 08 is a broken connection, class 53 a lack of disk, memory or connections.
var awayCodes = []string{"57P01", "57P02", "57P03", "25006"}

// rollback ends a failed transaction; ctx must outlive the request that began it. It asks database/sql for the
// connection, which may have given it back already: the driver does so when a request goes before its query is sent. A
// connection that cannot be rolled back is dropped by the pool, which looks at its state when it is given back.
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
	if err := tx.ready(ctx); err != nil {
		return nil, err
	}
	return gorm.G[T](tx.db).Raw(sql, args...).Find(ctx)
}

// scan is query for the statements of the pages that are asked for most, past GORM: it spends half as many
// allocations. Arguments are named, as @name.
func scan[T any](ctx context.Context, tx *Tx, sql string, args map[string]any) ([]T, error) {
	if err := tx.ready(ctx); err != nil {
		return nil, err
	}
	rows, err := tx.conn.Query(ctx, sql, named(args))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
}

// ask is scan for statements that travel together: it adds one to a batch, and into has its rows once the batch is
// sent.
func ask[T any](b *pgx.Batch, into *[]T, sql string, args map[string]any) {
	b.Queue(sql, named(args)).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
		return err
	})
}

// named is pgx.NamedArgs that remembers what it made of a statement: reading the text anew for each page was a tenth of
// what the page cost this program.
type named map[string]any

// ordered is a statement with $1 in place of its first name, and so on.
type ordered struct {
	sql   string
	names []string
}

// The statements of the pages are some hundred texts; those of a search differ by its number of words.
var orderedTexts, _ = lru.New[string, ordered](1024)

func (n named) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, _ []any) (string, []any, error) {
	known, ok := orderedTexts.Get(sql)
	if !ok {
		names := make(pgx.NamedArgs, len(n))
		for name := range n {
			names[name] = name
		}
		text, order, err := names.RewriteQuery(ctx, conn, sql, nil)
		if err != nil {
			return "", nil, err
		}
		known = ordered{sql: text}
		for i, name := range order {
			known.names = append(known.names, "")
			known.names[i], _ = name.(string)
		}
		orderedTexts.Add(sql, known)
	}
	args := make([]any, len(known.names))
	for i, name := range known.names {
		value, given := n[name]
		if !given {
			return "", nil, fmt.Errorf("argument %d of a statement is not given", i+1)
		}
		args[i] = value
	}
	return known.sql, args, nil
}

// exec runs SQL that returns no rows, and says how many it changed.
func exec(ctx context.Context, tx *Tx, sql string, args ...any) (int64, error) {
	if err := tx.ready(ctx); err != nil {
		return 0, err
	}
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

// DiskFull reports whether an error is that the database's disk has no room.
func DiskFull(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == "53100"
}
