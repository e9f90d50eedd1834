package models_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/schema"

	"hallpass/models"
	"hallpass/models/cluster"
	"hallpass/models/modelstest"
)

var update = flag.Bool("update", false, "write schema.sql anew")

// schema.sql is for reading. It is dumped from a migrated database, so it can be compared only where pg_dump is of
// the version it was made with.
func TestSchemaDump(t *testing.T) {
	bin, version, err := cluster.Find()
	if err != nil {
		t.Fatal(err)
	}
	dump := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--schema-only", "--no-owner", "--exclude-table=river_*", "--exclude-table=goose_*", modelstest.URL(t))
	out, err := dump.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	text := string(out)
	for _, noise := range []string{`(?m)^--.*\n`, `(?m)^\\.*\n`, `(?m)^SET .*\n`, `(?m)^SELECT pg_catalog.set_config.*\n`, `(?ms)^CREATE (TYPE|FUNCTION) public\.river.*?;\n(?:\n|$)`} {
		text = regexp.MustCompile(noise).ReplaceAllString(text, "")
	}
	text = "-- The schema that migrations/ make, dumped by `go test ./models -run TestSchemaDump -update` for reading.\n" +
		regexp.MustCompile(`\n{3,}`).ReplaceAllString(text, "\n\n")
	if *update {
		if err := os.WriteFile("schema.sql", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if version != 15 {
		t.Logf("schema.sql was dumped by PostgreSQL 15, here is %d: not compared", version)
		return
	}
	if diff := cmp.Diff(string(have), text); diff != "" {
		t.Errorf("schema.sql is out of date, dump it again with -update:\n%s", diff)
	}
}

// A model that lacks a column reads less than it says; one with a column too many fails at run time.
func TestModelsMatchTables(t *testing.T) {
	conn := connect(t, modelstest.URL(t))
	for _, model := range []any{
		models.District{}, models.School{}, models.User{}, models.Account{}, models.SectionRecord{}, models.SyncRun{}, models.AuditEntry{}, models.Change{}, models.Override{}, models.UserPreference{}, models.Suggestion{}, models.PairDecision{},
	} {
		s, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		want := columns(t, conn, s.Table)
		have := slices.Sorted(slices.Values(s.DBNames))
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: table has -, model has +\n%s", s.Table, diff)
		}
	}
}

// Every table is walled in, but for the two that hold ids or words to match only, and the queue's.
func TestEveryTableIsWalledIn(t *testing.T) {
	conn := connect(t, modelstest.URL(t))
	rows, err := conn.Query(t.Context(), `SELECT relname, relrowsecurity AND relforcerowsecurity, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
		FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`)
	if err != nil {
		t.Fatal(err)
	}
	walls := 0
	var name string
	var forced, policy bool
	_, err = pgx.ForEachRow(rows, []any{&name, &forced, &policy}, func() error {
		outside := name == "district_ids" || name == "user_search" || name == "erasures" || strings.HasPrefix(name, "river_") || strings.HasPrefix(name, "goose_")
		if outside == (forced && policy) {
			t.Errorf("%s: row-level security forced %v, policy %v", name, forced, policy)
		}
		if forced {
			walls++
		}
		return nil
	})
	if err != nil || walls < 15 {
		t.Errorf("%d walls, error %v", walls, err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func columns(t *testing.T, conn *pgx.Conn, table string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY 1`, table)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
