package modelstest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// tables is about what the real schema weighs.
func tables(ctx context.Context, url string) error {
	return do(ctx, url, `
		create extension pg_trgm; create extension btree_gin;
		do $$ begin for i in 1..40 loop
			execute format('create table t%s (id bigint primary key, word text, at timestamptz)', i);
			execute format('create index on t%s using gin (word gin_trgm_ops)', i);
		end loop; end $$;
		insert into t1 values (1, 'from the template', now())`)
}

func ask(t testing.TB, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestEachTestHasItsOwnCopy(t *testing.T) {
	var prepared atomic.Int32
	prepare := func(ctx context.Context, url string) error {
		prepared.Add(1)
		// Left open: that must not keep the template from being copied.
		if _, err := pgx.Connect(ctx, url); err != nil {
			return err
		}
		return tables(ctx, url)
	}
	names := make(chan string, 8)
	t.Run("group", func(t *testing.T) {
		for range cap(names) {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				url := Database(t, "own copy", prepare)
				if err := do(t.Context(), url, "insert into t1 values (2, 'mine', now())"); err != nil {
					t.Fatal(err)
				}
				if got := ask(t, url, "select string_agg(word, ',' order by id) from t1"); got != "from the template,mine" {
					t.Errorf("the copy holds %q", got)
				}
				names <- ask(t, url, "select current_database()")
			})
		}
	})
	if n := prepared.Load(); n != 1 {
		t.Errorf("the template was prepared %d times", n)
	}
	for range cap(names) {
		name := <-names
		if got := ask(t, Server(t), "select count(*)::text from pg_database where datname = '"+name+"'"); got != "0" {
			t.Errorf("%s outlives its test", name)
		}
	}
}

func TestHalfMadeTemplateIsMadeAgain(t *testing.T) {
	broken := errors.New("half way")
	_, err := ensure(Server(t), "half made", func(ctx context.Context, url string) error {
		return errors.Join(do(ctx, url, "create table half ()"), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want what prepare said", err)
	}
	url := Database(t, "half made", tables)
	if got := ask(t, url, "select coalesce(to_regclass('half')::text, 'none')"); got != "none" {
		t.Error("the copy holds what the broken attempt left")
	}
}

// TestProcessesShareAServer runs this test again in other processes, on the
// server of this one.
func TestProcessesShareAServer(t *testing.T) {
	const child = "HALLPASS_MODELSTEST_CHILD"
	prepare := func(ctx context.Context, url string) error {
		return errors.Join(tables(ctx, url), do(ctx, Server(t), "create table only_once ()"))
	}
	if template := os.Getenv(child); template != "" {
		if got := ask(t, Database(t, template, prepare), "select word from t1"); got != "from the template" {
			t.Errorf("the copy holds %q", got)
		}
		return
	}
	// The processes' common word: what they make on the server, they make in
	// the database that is theirs to talk in.
	at := Database(t, "nothing", func(context.Context, string) error { return nil })
	template := "shared " + rand.Text()
	var all []*exec.Cmd
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesShareAServer$")
		cmd.Env = append(os.Environ(), child+"="+template, URLVariable+"="+at)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if err := do(t.Context(), at, "drop table only_once"); err != nil {
		t.Errorf("the template was not made: %v", err)
	}
}

// TestFailsWhereThereIsNoServer: never skipped, and with a sentence that helps.
func TestFailsWhereThereIsNoServer(t *testing.T) {
	const child = "HALLPASS_MODELSTEST_CHILD"
	if os.Getenv(child) != "" {
		Server(t)
		return
	}
	for at, want := range map[string]string{
		"postgres://nobody@127.0.0.1:1/none": URLVariable,
		"host=127.0.0.1 port=1":              "must be of the form",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFailsWhereThereIsNoServer$")
		cmd.Env = append(os.Environ(), child+"=1", URLVariable+"="+at)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--- FAIL") || !strings.Contains(string(out), want) {
			t.Errorf("without a server at %s: %v\n%s", at, err, out)
		}
	}
}

func TestKeptDatabaseOutlivesTheProcess(t *testing.T) {
	const child = "HALLPASS_MODELSTEST_CHILD"
	if os.Getenv(child) != "" {
		Database(t, "kept", tables)
		return
	}
	// In a temporary folder of its own: other test programs sweep what was left in the usual one.
	tmp, err := os.MkdirTemp("/tmp", "kept-") //nolint:usetesting // the parents of t.TempDir are closed to the server's account, and long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o711); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestKeptDatabaseOutlivesTheProcess$")
	cmd.Env = append(os.Environ(), child+"=1", KeepVariable+"=1", URLVariable+"=", "TMPDIR="+tmp)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url := ""
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), "keeps "); found {
			url = after
		}
	}
	if got := ask(t, url, "select word from t1"); got != "from the template" {
		t.Errorf("kept database %s holds %q", url, got)
	}
	// What the next run would sweep goes now.
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(u.Query().Get("host"))
	text, err := os.ReadFile(filepath.Join(folder, "pg", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Errorf("the server of a kept database does not run: %v", err)
	}
	for end := time.Now().Add(2 * time.Minute); os.RemoveAll(folder) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s cannot be removed", folder)
		}
	}
}

// BenchmarkDatabase is what a test pays for its database, by the way of copying.
func BenchmarkDatabase(b *testing.B) {
	admin := Server(b)
	source, err := once(admin, "benchmark", tables)
	if err != nil {
		b.Fatal(err)
	}
	for _, strategy := range []string{"file_copy", "wal_log"} {
		b.Run(strategy, func(b *testing.B) {
			for b.Loop() {
				if err := do(b.Context(), admin, "create database bench template "+source+" strategy "+strategy); err != nil {
					b.Fatal(err)
				}
				if err := do(b.Context(), admin, "drop database bench with (force)"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
