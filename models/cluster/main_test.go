package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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

// The test binary runs itself again: as a program that is killed while it holds
// a cluster, and as an ordinary user where the tests run as root.
const (
	helperEnv = "HALLPASS_CLUSTER_HELPER" // hold, outlive or try
	dirEnv    = "HALLPASS_CLUSTER_DIR"    // Options.Dir of the helper
	cacheEnv  = "HALLPASS_CLUSTER_CACHE"  // Options.Cache of tests and helpers
)

var cache string

// patience is for machines that are busy with something else: only a test that fails waits so long.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	if kind := os.Getenv(helperEnv); kind != "" {
		os.Exit(helper(kind))
	}
	var err error
	if cache, err = os.MkdirTemp("", "cluster-test-cache-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(cache)
	os.Exit(code)
}

// helper prints one line (the server's pid, or the error) and, where it could
// start, waits to be killed.
func helper(kind string) int {
	c, err := Start(context.Background(), Options{
		Dir: os.Getenv(dirEnv), ThrowAway: true, Cache: os.Getenv(cacheEnv), Outlive: kind == "outlive",
	})
	if err != nil {
		fmt.Printf("writable=%v %v\n", !errors.Is(err, ErrNotWritable), err)
		return 1
	}
	fmt.Println(c.Pid(), c.Dir())
	if kind == "try" {
		c.Stop(context.Background())
		return 0
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// run starts a helper and returns its line.
func run(t *testing.T, kind, dir, cache string, who *account) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(testBinary(t))
	cmd.Env = append(os.Environ(), helperEnv+"="+kind, dirEnv+"="+dir, cacheEnv+"="+cache)
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	if who != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.uid, Gid: who.gid}}
	}
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	check(t, err)
	if kind == "try" { // ends by itself, and holds the folder until then
		_ = cmd.Wait() // its line says whether all went well
	}
	return cmd, strings.TrimSpace(line)
}

// testBinary is a copy of this program that every account may run: go test
// leaves it in a closed folder.
func testBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(openDir(t), "cluster.test")
	self, err := os.Executable()
	check(t, err)
	check(t, whole(func() error { return copyFile(self, path) }))
	check(t, os.Chmod(path, 0o755))
	return path
}

// whole runs what writes a program's file while no process is being started: one that begins meanwhile would hold the
// file open for a moment, and the program could not be run (ETXTBSY).
func whole(write func() error) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return write()
}

// openDir is a temporary folder that every account can pass through.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(temporaryBase(), "cluster-test-") //nolint:usetesting // t.TempDir is closed to other accounts
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o711))
	return dir
}

// dataDir is the name of a data folder yet to be made, empty of servers at the end.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openDir(t), "data")
	t.Cleanup(func() { check(t, settle(context.Background(), filepath.Join(dir, "pg"), discard())) })
	return dir
}

// throwAway is the quick kind of server; most tests are not about fsync.
func throwAway(dir string) Options {
	warm()
	return Options{Dir: dir, ThrowAway: true, Cache: cache}
}

// warm fills the cache once, where many tests at a time would each run initdb.
var warm = sync.OnceFunc(func() {
	c, err := Start(context.Background(), Options{ThrowAway: true, Cache: cache})
	if err == nil {
		err = c.Stop(context.Background())
	}
	if err != nil {
		panic(err)
	}
})

func mustStart(t *testing.T, o Options) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { check(t, c.Stop(context.Background())) })
	return c
}

func mustStop(t *testing.T, c *Cluster) {
	t.Helper()
	check(t, c.Stop(t.Context()))
}

func exec1(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	check(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), sql)
	check(t, err)
}

func ask(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	check(t, err)
	defer conn.Close(t.Context())
	var answer string
	check(t, conn.QueryRow(t.Context(), sql).Scan(&answer))
	return answer
}

// eventually waits for what another process does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// runs says whether the process runs; one that ended and that nobody has asked
// after yet does not.
func runs(pid int) bool {
	if stat, err := os.ReadFile("/proc/" + itoa(pid) + "/stat"); err == nil {
		return !strings.Contains(string(stat), ") Z ")
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// wantTrouble checks kind and text of an error that a person is to act upon.
func wantTrouble(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	var e *Error
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Fatalf("got error %v, want kind %q", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("message lacks %q: %v", w, err)
		}
	}
	if strings.Contains(strings.TrimSpace(strings.SplitN(err.Error(), "It said:", 2)[0]), "\n") {
		t.Errorf("message is more than one paragraph: %v", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
