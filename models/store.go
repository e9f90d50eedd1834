// Package models owns the tables, the queries and the transactions. Everything it returns was read inside the
// wall of one district: row-level security in the database, set up by Store.As for each transaction. What rows mean
// is decided elsewhere: who may see them in access, what Clever meant by them in roster.
package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"hallpass/access"
)

// Sentinels that callers tell apart. Errors of GORM and of the driver never leave this package unwrapped.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("changed meanwhile")
	ErrTooSlow  = errors.New("the database took too long")
	ErrAway     = errors.New("the database cannot be reached or has no room for now")
)

// appRole is the database role of every pooled connection, made by the first migration.
const appRole = "hallpass_app"

// Config says which database to use and how.
type Config struct {
	URL      string // libpq or postgres:// form
	MaxConns int32  // 0: pgx's default
	// StatementTimeout ends any single query of a page; 0 means 10 seconds. Syncs set their own.
	StatementTimeout time.Duration
	Now              func() time.Time
	Catalogue        *access.Catalogue // nil: the shipped one
	// TokenKeys gives the keys that districts' tokens are kept with; it is asked at each use, so that they can change
	// while the program runs. nil: tokens are not kept.
	TokenKeys func() (*Keyring, error)
}

// Store holds the connections. It has no queries: those are reached through As.
type Store struct {
	pool *pgxpool.Pool
	db   *sql.DB
	gorm *gorm.DB
	now  func() time.Time

	catalogue *access.Catalogue
	policies  sync.Map // district id to knownPolicy
	schools   sync.Map // district id to knownSchools
	copies    factCopies
	simulated atomic.Pointer[keptSimulation]
	tokenKeys func() (*Keyring, error)
}

// Open connects and makes sure that no connection can see past row-level security: every one runs as hallpass_app,
// and a server on which that role could look over the wall is refused. The schema must have been migrated before.
func Open(ctx context.Context, c Config) (*Store, error) {
	pc, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, errors.New("read DATABASE_URL: not a PostgreSQL connection string") // the error would quote the password
	}
	if c.MaxConns > 0 {
		pc.MaxConns = c.MaxConns
	}
	if c.StatementTimeout == 0 {
		c.StatementTimeout = 10 * time.Second
	}
	pc.ConnConfig.RuntimeParams["application_name"] = "hallpass"
	pc.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(c.StatementTimeout.Milliseconds())
	pc.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0" // a page is over before workers have started
	pc.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	// A request whose client has gone stops its query on the server too, not only our wait for it.
	pc.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 2 * time.Second}
	}
	pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE "+appRole)
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{pool: pool, db: stdlib.OpenDBFromPool(pool), now: c.Now, catalogue: c.Catalogue, tokenKeys: c.TokenKeys}
	if s.catalogue == nil {
		s.catalogue = access.ShippedCatalogue()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.refuseSight(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: s.db}), &gorm.Config{
		Logger:                 logger.Discard, // it would put each statement's values together first: names of children
		SkipDefaultTransaction: true,           // every query already runs in the transaction that Read or Write opened
		TranslateError:         true,
		DisableAutomaticPing:   true,
	})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

// refuseSight refuses a database in which the effective role ignores row-level security, because then one mistake in
// a query would show a district's children to another.
func (s *Store) refuseSight(ctx context.Context) error {
	var role string
	var super, bypass bool
	err := s.pool.QueryRow(ctx, `SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user`).Scan(&role, &super, &bypass)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "22023" { // role does not exist
		return errors.New("the database has no Hallpass schema yet: run hallpass migrate up")
	}
	if err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	if super || bypass {
		return fmt.Errorf("the database role %q ignores row-level security (superuser or BYPASSRLS), so Hallpass refuses to start: alter role %s with nosuperuser nobypassrls", role, role)
	}
	return nil
}

// Close ends every connection.
func (s *Store) Close() {
	if s.db != nil {
		_ = s.db.Close()
	}
	s.pool.Close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// JobPool is for the job queue's own tables only, which hold no district's data.
func (s *Store) JobPool() *pgxpool.Pool { return s.pool }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }
