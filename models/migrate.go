package models

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrOldSchema means that the database was migrated by an older or newer Hallpass than this one.
var ErrOldSchema = errors.New("the schema is not this program's")

// Migration is one step of the schema and whether the database has taken it.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// MigrateUp brings the schema up to date and returns how many steps it took. Two programs that start together do not
// collide: an advisory lock lets one pass and the other finds nothing to do. The job queue's own tables come with it.
func MigrateUp(ctx context.Context, url string) (int, error) {
	taken := 0
	err := withProvider(url, func(p *goose.Provider, db *sql.DB) error {
		results, err := p.Up(ctx)
		taken = len(results)
		if err != nil {
			return err
		}
		return migrateQueue(ctx, url)
	})
	if err != nil {
		return taken, fmt.Errorf("migrate: %w", err)
	}
	return taken, nil
}

// migrateQueue makes River's tables and lets the app's role use them.
func migrateQueue(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// River's migrator takes no lock of its own.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtext('hallpass river migration'))`); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtext('hallpass river migration'))`) //nolint:errcheck // the lock ends with the connection anyway
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// Migrations lists every step with its state.
func Migrations(ctx context.Context, url string) ([]Migration, error) {
	var list []Migration
	err := withProvider(url, func(p *goose.Provider, _ *sql.DB) error {
		states, err := p.Status(ctx)
		for _, s := range states {
			list = append(list, Migration{s.Source.Version, s.Source.Path, s.State == goose.StateApplied})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return list, nil
}

func withProvider(url string, fn func(*goose.Provider, *sql.DB) error) error {
	pc, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("read DATABASE_URL: not a PostgreSQL connection string")
	}
	db := stdlib.OpenDB(*pc)
	defer db.Close()
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	return fn(p, db)
}

// SchemaHash names the schema that the migrations make: 16 hex digits over their names and texts.
func SchemaHash() string {
	h := sha256.New()
	names, _ := fs.Glob(migrationFiles, "migrations/*.sql")
	for _, name := range names {
		text, _ := migrationFiles.ReadFile(name)
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// SchemaCurrent returns ErrOldSchema when the database's schema is not the one this program was built for.
func (s *Store) SchemaCurrent(ctx context.Context) error {
	var have int64
	if err := s.pool.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return fmt.Errorf("%w: %w", ErrOldSchema, err)
	}
	want, err := latestMigration()
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%w: it is at step %d, this program needs %d", ErrOldSchema, have, want)
	}
	return nil
}

func latestMigration() (int64, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		return 0, errors.New("no migrations built in")
	}
	return goose.NumericComponent(names[len(names)-1])
}
