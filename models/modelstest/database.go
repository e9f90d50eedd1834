package modelstest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// templateLock is the advisory lock under which templates are made, one at a
// time on a server: migrations make roles, which belong to the whole server.
const templateLock = 0x68616c6c70617373

// readyComment marks a template that prepare has finished.
const readyComment = "hallpass: a finished template for tests"

var templates struct {
	sync.Mutex
	made map[string]func() (string, error)
}

// Database is the superuser URL of a fresh database: a copy of the template,
// dropped when the test ends (unless KEEPDB is set, which prints its URL).
//
// template says what is in it, so give it a hash of all that prepare depends
// on, such as the migration files. prepare fills the template database at the
// given URL; it runs once for a server, and for all test processes that share
// one, and must close its connections.
func Database(t testing.TB, template string, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	admin := Server(t)
	source, err := once(admin, template, prepare)
	if err != nil {
		t.Fatalf("prepare the database template %s: %v", template, err)
	}
	name := "hallpass_test_" + strings.ToLower(rand.Text())
	// Copying files costs a checkpoint, which is cheap without fsync and where
	// little has changed; writing every page through the log (the default)
	// costs by the size of the template. See BenchmarkDatabase.
	if err := do(t.Context(), admin, fmt.Sprintf("create database %s template %s strategy file_copy", name, source)); err != nil {
		t.Fatalf("copy the database template %s: %v", template, err)
	}
	at := withDatabase(admin, name)
	if keep() {
		t.Logf("%s keeps %s", KeepVariable, at)
		return at
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		// Force: a pool that a failed test left open must not hide the failure.
		if err := do(ctx, admin, "drop database if exists "+name+" with (force)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return at
}

// once makes the template at the first call in this process; the others wait
// for it and share its outcome.
func once(admin, template string, prepare func(context.Context, string) error) (string, error) {
	templates.Lock()
	made := templates.made[template]
	if made == nil {
		made = sync.OnceValues(func() (string, error) { return ensure(admin, template, prepare) })
		if templates.made == nil {
			templates.made = map[string]func() (string, error){}
		}
		templates.made[template] = made
	}
	templates.Unlock()
	return made()
}

// ensure makes the template if no process has made it on this server yet.
func ensure(admin, template string, prepare func(context.Context, string) error) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	name := fmt.Sprintf("hallpass_template_%x", sha256.Sum256([]byte(template)))[:40]
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	// Closing ends the session and so the lock, whatever happens in between.
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return "", fmt.Errorf("lock templates: %w", err)
	}
	var ready bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and shobj_description(oid, 'pg_database') = $2)", name, readyComment).Scan(&ready)
	if err != nil || ready {
		return name, err
	}
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", fmt.Errorf("make template: %w", err)
		}
	}
	if err := prepare(ctx, withDatabase(admin, name)); err != nil {
		return "", err
	}
	// A database with sessions cannot be copied.
	if _, err := conn.Exec(ctx, "alter database "+name+" with allow_connections false"); err != nil {
		return "", fmt.Errorf("close template: %w", err)
	}
	if _, err := conn.Exec(ctx, "select pg_terminate_backend(pid, 120000) from pg_stat_activity where datname = $1", name); err != nil {
		return "", fmt.Errorf("close template: %w", err)
	}
	// Last: what is marked is complete.
	if _, err := conn.Exec(ctx, "comment on database "+name+" is '"+readyComment+"'"); err != nil {
		return "", fmt.Errorf("mark template: %w", err)
	}
	return name, nil
}

func do(ctx context.Context, at, sql string) error {
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// withDatabase is the address of another database on the same server.
func withDatabase(at, name string) string {
	u, err := url.Parse(at)
	if err != nil {
		// Server has parsed it already.
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}
