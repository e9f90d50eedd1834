// Package modelstest gives tests a real PostgreSQL server and a fresh database
// each.
//
// It owns where the server comes from (HALLPASS_TEST_DATABASE_URL, or a private
// throw-away cluster of this test process) and how a migrated template becomes
// one database per test. What is in the template is the caller's to say.
//
// No test is skipped for want of PostgreSQL: it fails, with the launcher's own
// words on what to install.
package modelstest

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/models/cluster"
)

const (
	// URLVariable names a server to use in place of a private one. The account
	// in it must be a superuser (row-level security is part of what is tested).
	URLVariable = "HALLPASS_TEST_DATABASE_URL"
	// KeepVariable, set to anything, keeps each test's database, prints its URL
	// and leaves a private server running until the next run without it.
	KeepVariable = "KEEPDB"
)

// server is the one of this process, started by the first test that asks.
var server struct {
	once    sync.Once
	url     string
	err     error
	private *cluster.Cluster // nil where the server is not ours
}

// Server is the superuser URL of the database server that the tests of this
// process share. A private one ends with the process (see Run).
func Server(t testing.TB) string {
	t.Helper()
	server.once.Do(func() {
		// Not the first test's context: the server is for all of them.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if server.url = os.Getenv(URLVariable); server.url != "" {
			server.err = greet(ctx, server.url)
			return
		}
		if server.private, server.err = cluster.Start(ctx, options()); server.err == nil {
			server.url = server.private.URL("postgres")
		}
	})
	if server.err != nil {
		t.Fatalf("no database server for the tests: %v", server.err)
	}
	return server.url
}

func options() cluster.Options {
	o := cluster.Options{
		ThrowAway: true,
		Outlive:   keep(),
		Settings: map[string]string{
			// Several packages are tested at once, each with its own server.
			"shared_buffers":  "64MB",
			"max_connections": "200",
			// A test must not depend on when statistics happen to be gathered.
			"autovacuum": "off",
		},
	}
	if dir, err := os.UserCacheDir(); err == nil {
		o.Cache = filepath.Join(dir, "hallpass-test")
	}
	return o
}

func keep() bool { return os.Getenv(KeepVariable) != "" }

// greet proves that the given server is there, and removes what killed test
// runs left on it more than a day ago.
func greet(ctx context.Context, at string) error {
	if u, err := url.Parse(at); err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return fmt.Errorf("%s must be of the form postgres://user:password@host:port/database", URLVariable)
	}
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return fmt.Errorf("connect to the server in %s: %w", URLVariable, err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		select datname from pg_database d
		where (datname like 'hallpass\_test\_%' or datname like 'hallpass\_template\_%')
		  and (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification < now() - interval '1 day'
		  and not exists (select from pg_stat_activity a where a.datid = d.oid)`)
	if err != nil {
		return fmt.Errorf("look for databases left by earlier test runs: %w", err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for databases left by earlier test runs: %w", err)
	}
	for _, name := range left {
		// Another test process may be at the same.
		_, _ = conn.Exec(ctx, "drop database if exists "+pgx.Identifier{name}.Sanitize())
	}
	return nil
}

// Run is for TestMain: it runs the tests, then stops a private server and
// removes its folder. Without it the server still ends with the process, and
// the folder goes when the next one starts.
//
//	func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }
//
// Where CI=true, rapid's tests draw the same values every time (unless -rapid.seed says otherwise): what a commit is
// told must not depend on luck. Elsewhere each run looks somewhere else, and prints its seed when it finds something.
func Run(m *testing.M) int {
	if seed := flag.Lookup("rapid.seed"); seed != nil && os.Getenv("CI") == "true" {
		if err := seed.Value.Set("20261120"); err != nil {
			fmt.Fprintln(os.Stderr, "fix the seed of rapid:", err)
			return 1
		}
	}
	code := m.Run()
	if server.private == nil || keep() {
		return code
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := server.private.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stop the tests' database server:", err)
		return max(code, 1)
	}
	return code
}
