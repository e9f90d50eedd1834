package cluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	// So long that the socket cannot be inside it.
	dir := filepath.Join(dataDir(t), strings.Repeat("long", 20), "with space, comma", "data")
	c := mustStart(t, Options{Dir: dir})
	socket := c.socket
	if strings.HasPrefix(socket, dir) {
		t.Fatalf("socket folder %s leaves no room for the socket's name", socket)
	}
	info, err := os.Stat(socket)
	check(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder has mode %v, want 0700", info.Mode())
	}
	for setting, want := range map[string]string{"listen_addresses": "", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on", "server_encoding": "UTF8", "jit": "off"} {
		if got := ask(t, c, "select current_setting('"+setting+"')"); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	exec1(t, c, "create table kept as select 'Zoë' as word")
	mustStop(t, c)
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket folder after Stop: %v, want it gone", err)
	}
	c = mustStart(t, Options{Dir: dir, Settings: map[string]string{"work_mem": "5MB"}})
	if got := ask(t, c, "select word || current_setting('work_mem') from kept"); got != "Zoë5MB" {
		t.Errorf("after a restart: %q", got)
	}
	if c.Err() != nil {
		t.Errorf("running, yet Err is %v", c.Err())
	}
	url, err := c.EnsureDatabase(t.Context(), "a b")
	check(t, err)
	_, err = c.EnsureDatabase(t.Context(), "a b")
	check(t, err)
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	check(t, conn.Close(t.Context()))
}

func TestStopFromManySides(t *testing.T) {
	t.Parallel()
	c := mustStart(t, throwAway(dataDir(t)))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := c.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	select {
	case <-c.Done():
	default:
		t.Error("Done is open after Stop")
	}
	if c.Err() != nil {
		t.Errorf("after Stop, Err is %v", c.Err())
	}
}

func TestStopInAHurry(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	c := mustStart(t, Options{Dir: dir})
	exec1(t, c, "create table kept as select 'x' as word")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	check(t, c.Stop(ctx))
	// Where the server was too busy to end them, its children notice by themselves that it is gone.
	eventually(t, "no process runs after Stop", func() bool { return len(serversOn(filepath.Join(dir, "pg"), 0)) == 0 })
	if got := ask(t, mustStart(t, Options{Dir: dir}), "select word from kept"); got != "x" {
		t.Errorf("after a hard stop: %q", got)
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cmd, _ := run(t, "hold", dir, cache, nil)
	_, err := Start(t.Context(), throwAway(dir))
	wantTrouble(t, err, ErrInUse, dir, itoa(cmd.Process.Pid), "Stop that one")
	check(t, cmd.Process.Kill())
	cmd.Wait()
	c := mustStart(t, throwAway(dir))
	_, err = Start(t.Context(), throwAway(dir))
	wantTrouble(t, err, ErrInUse, dir, itoa(os.Getpid()))
	ask(t, c, "select 'the refused ones did no harm'")
}

func TestKilledServerRecovers(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	for round := range 3 {
		c := mustStart(t, Options{Dir: dir})
		exec1(t, c, "create table if not exists kept (n int)")
		exec1(t, c, "insert into kept values (1)")
		check(t, syscall.Kill(c.Pid(), syscall.SIGKILL))
		<-c.Done()
		if c.Err() == nil {
			t.Error("the server was killed, yet Err is nil")
		}
		mustStop(t, c)
		c = mustStart(t, Options{Dir: dir})
		if got := ask(t, c, "select count(*)::text from kept"); got != itoa(round+1) {
			t.Errorf("round %d: %s rows survived", round, got)
		}
		mustStop(t, c)
	}
}

func TestKilledServerWithABusyChild(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	c := mustStart(t, throwAway(dir))
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	check(t, err)
	defer conn.Close(context.Background())
	// A child that computes does not notice for hours that its server is gone.
	go conn.Exec(context.Background(), "do $$ declare n bigint := 0; begin loop n := n + 1; end loop; end $$")
	child := int(conn.PgConn().PID())
	eventually(t, "the child is busy", func() bool {
		return ask(t, c, "select state from pg_stat_activity where pid = "+itoa(child)) == "active"
	})
	check(t, syscall.Kill(c.Pid(), syscall.SIGKILL))
	<-c.Done()
	mustStop(t, c)
	if !runs(child) {
		t.Fatal("the child ended by itself: the test shows nothing")
	}
	c = mustStart(t, throwAway(dir))
	if runs(child) {
		t.Error("the child of the killed server still runs")
	}
	ask(t, c, "select 'works'")
}

func TestOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cmd, line := run(t, "outlive", dir, cache, nil)
	pid := atoi(t, strings.Fields(line)[0])
	check(t, cmd.Process.Kill())
	cmd.Wait()
	if !runs(pid) {
		t.Fatal("the server did not outlive its program: the test shows nothing")
	}
	c := mustStart(t, throwAway(dir))
	if c.Pid() == pid || runs(pid) {
		t.Errorf("the old server %d still runs beside %d", pid, c.Pid())
	}
	ask(t, c, "select 'works'")
}

func TestStalePidFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	mustStop(t, mustStart(t, throwAway(dir)))
	who, err := serverAccount(filepath.Join(dir, "pg"))
	check(t, err)
	// Under the server's account: PostgreSQL believes in those alone.
	other := command("/bin/sleep", who, "3600")
	other.Dir = "/"
	check(t, other.Start())
	defer func() { other.Process.Kill(); other.Wait() }()
	path := filepath.Join(dir, "pg", "postmaster.pid")
	check(t, os.WriteFile(path, []byte(itoa(other.Process.Pid)+"\n"+dir+"/pg\n1700000000\n5432\n/nowhere\n\n  1234567   98765\nready   \n"), 0o600))
	check(t, who.own(path))

	ask(t, mustStart(t, throwAway(dir)), "select 'works'")
	if !alive(other.Process.Pid) {
		t.Error("an innocent process was stopped")
	}
}

func TestInterruptedInitdb(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	program := testBinary(t)
	made := func(part string) bool { _, err := os.Stat(filepath.Join(dir, part)); return err == nil }
	// interrupted is a folder whose initdb was ended when it had come so far. On a busy machine initdb may be done
	// before we have looked: then once more.
	interrupted := func(reached string, end func(t *testing.T)) {
		t.Helper()
		for range 20 {
			check(t, settle(context.Background(), filepath.Join(dir, "pg"), discard()))
			check(t, os.RemoveAll(dir))
			end(t)
			m, err := readMark(dir)
			check(t, err)
			if m.State == stateMaking {
				return
			}
			t.Logf("ended at %s, the folder is marked %q: too late", reached, m.State)
		}
		t.Fatalf("initdb was never caught at %s: the test shows nothing", reached)
	}
	// Without a cache, so that initdb really runs; killed at different depths.
	for _, reached := range []string{"pg", "pg/PG_VERSION", "pg/global/pg_control", "pg/base/1"} {
		interrupted(reached, func(t *testing.T) {
			t.Helper()
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), helperEnv+"=hold", dirEnv+"="+dir, cacheEnv+"=")
			in, err := cmd.StdinPipe()
			check(t, err)
			defer in.Close()
			check(t, cmd.Start())
			eventually(t, "initdb makes "+reached, func() bool { return made(reached) })
			check(t, cmd.Process.Kill())
			cmd.Wait()
		})
		c := mustStart(t, throwAway(dir))
		ask(t, c, "select 'works'")
		mustStop(t, c)
	}
	// And by us, when the caller has lost patience.
	interrupted("pg/PG_VERSION", func(t *testing.T) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			defer cancel()
			for ctx.Err() == nil && !made("pg/PG_VERSION") {
				time.Sleep(time.Millisecond)
			}
		}()
		c, err := Start(ctx, Options{Dir: dir})
		if err == nil {
			mustStop(t, c)
		} else if !errors.Is(err, context.Canceled) {
			t.Fatalf("start of somebody without patience: %v", err)
		}
	})
	ask(t, mustStart(t, Options{Dir: dir}), "select 'works'")
}

func TestTemporaryFoldersOfTheKilledAreSwept(t *testing.T) {
	// A temporary folder of its own: other test programs sweep the usual one.
	t.Setenv("TMPDIR", openDir(t))
	cmd, line := run(t, "hold", "", cache, nil)
	left := strings.Fields(line)[1]
	c := mustStart(t, throwAway(""))
	if _, err := os.Stat(left); err != nil {
		t.Errorf("folder of a running program: %v", err)
	}
	mustStop(t, c)
	if _, err := os.Stat(c.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("own temporary folder after Stop: %v", err)
	}
	check(t, cmd.Process.Kill())
	cmd.Wait()
	mustStart(t, throwAway(""))
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder of a killed program: %v, want it gone", err)
	}
}

func TestTornCacheIsMadeAgain(t *testing.T) {
	t.Parallel()
	o := throwAway(dataDir(t))
	o.Cache = t.TempDir()
	mustStop(t, mustStart(t, o))
	kept, err := filepath.Glob(filepath.Join(o.Cache, "initdb-*"))
	check(t, err)
	if len(kept) != 1 {
		t.Fatalf("cache holds %q, want one folder", kept)
	}
	check(t, os.Truncate(filepath.Join(kept[0], "global", "pg_control"), 0))
	o.Dir = dataDir(t)
	ask(t, mustStart(t, o), "select 'works'")
	o.Dir = dataDir(t)
	ask(t, mustStart(t, o), "select 'works'")
}

func TestNamesNeverReachTheLog(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	o := throwAway(dataDir(t))
	o.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := mustStart(t, o)
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	check(t, err)
	_, err = conn.Exec(t.Context(), "create table people (name text primary key check (name <> 'Brakus'))")
	check(t, err)
	for _, sql := range []string{
		"insert into people values ('Danny'), ('Danny')", "insert into people values ('Brakus')", "select 'Danny'::int",
		"select Danny", "do $$ begin raise exception 'Brakus'; end $$", "do $$ begin raise warning 'Brakus'; end $$",
	} {
		conn.Exec(t.Context(), sql)
	}
	if _, err := conn.Exec(t.Context(), "insert into people values ($1), ($1)", "Danny"); err == nil {
		t.Error("a duplicate was accepted")
	}
	conn.Close(t.Context())
	mustStop(t, c)
	if !strings.Contains(text.String(), "database system is ready") {
		t.Errorf("the server's own lines are not logged: %s", &text)
	}
	for _, name := range []string{"Danny", "Brakus"} {
		if strings.Contains(text.String()+c.server.tail.String(), name) {
			t.Errorf("%s is in the log: %s", name, &text)
		}
	}
}

// asRoot are the tests that only root can run, which the run as an ordinary user leaves out by name.
var asRoot = []string{"TestAsOrdinaryUser", "TestFolderThatTheServersAccountCannotReach", "TestRootUsesTheAccountThatOwnsTheData"}

// needRoot ends such a test on a developer's own account. CI runs as root, and there nothing may be left out.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("CI runs as root: only root can act as several accounts")
	}
	t.Skip("only root can act as several accounts")
}

func TestAsOrdinaryUser(t *testing.T) {
	needRoot(t)
	who, err := serverAccount("")
	check(t, err)
	tmp := openDir(t)
	check(t, who.own(tmp))
	cmd := exec.Command(testBinary(t), "-test.v", "-test.timeout=25m", "-test.skip=^("+strings.Join(asRoot, "|")+")$")
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "HOME="+tmp)
	cmd.Dir = tmp
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.uid, Gid: who.gid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the tests as %s: %v\n%s", who.name, err, out)
	}
	if !bytes.Contains(out, []byte("--- PASS: TestRestartKeepsData")) {
		t.Errorf("the tests did not run as %s:\n%s", who.name, out)
	}
}
