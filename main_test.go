package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hallpass/clever/sandbox"
	"hallpass/models/modelstest"
)

// asProgram, in the environment of the test binary, makes it behave as the program itself.
const asProgram = "HALLPASS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	if err := forgetSettings(); err != nil {
		fmt.Fprintln(os.Stderr, "before the tests:", err)
		os.Exit(1)
	}
	code := modelstest.Run(m)
	if err := closeChromium(); err != nil {
		// A profile folder that a slow browser still writes to is no fault of ours.
		fmt.Fprintln(os.Stderr, "after the tests:", err)
	}
	if err := stopSharedDemo(); err != nil {
		fmt.Fprintln(os.Stderr, "after the tests:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// forgetSettings takes Hallpass's own settings out of the environment, where somebody may have them for daily use.
func forgetSettings() error {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "DATABASE_URL") || strings.HasPrefix(name, "HALLPASS_") && !strings.HasPrefix(name, "HALLPASS_TEST_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// commandTime is how long a command may take that is meant to come to an end.
const commandTime = 5 * time.Minute

// program is hallpass in a process of its own, with nothing in its environment but what is given.
func program(ctx context.Context, t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	return cmd
}

// outcome runs hallpass to its end.
func outcome(t *testing.T, env []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := program(ctx, t, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), stdout.String(), stderr.String()
	}
	if err != nil {
		t.Fatalf("hallpass %s: %v", strings.Join(args, " "), err)
	}
	return 0, stdout.String(), stderr.String()
}

func TestExitCodesAndWords(t *testing.T) {
	const anywhere = "127.0.0.1:0"
	for name, row := range map[string]struct {
		args []string
		code int
		out  string // in standard output
		err  string // in standard error
	}{
		"nothing":              {nil, 2, "", "which command?"},
		"help":                 {[]string{"help"}, 0, "hallpass demo", ""},
		"-h":                   {[]string{"-h"}, 0, "hallpass demo", ""},
		"version":              {[]string{"version"}, 0, "hallpass ", ""},
		"unknown":              {[]string{"dmeo"}, 2, "", `no command "dmeo"`},
		"flags of demo":        {[]string{"demo", "-h"}, 0, "", "-sandbox-addr"},
		"unknown flag":         {[]string{"demo", "--nonsense"}, 2, "", "-nonsense"},
		"flag without value":   {[]string{"sync", "--district"}, 2, "", "-district"},
		"a word too many":      {[]string{"serve", "now"}, 2, "", `what is "now"?`},
		"nobody":               {[]string{"demo", "--users", "0", "--addr", anywhere, "--sandbox-addr", anywhere}, 2, "", "--users"},
		"migrate alone":        {[]string{"migrate"}, 2, "", "migrate up"},
		"migrate sideways":     {[]string{"migrate", "down"}, 2, "", "migrate up"},
		"migrate and more":     {[]string{"migrate", "up", "please"}, 2, "", `what is "please"?`},
		"sync without setting": {[]string{"sync"}, 1, "", "HALLPASS_CLEVER_CLIENT_ID"},
		"connections, and how": {[]string{"connections", "burn"}, 2, "", "connections rotate"},
		"on, but which":        {[]string{"connections", "on"}, 2, "", "connections on"},
		"on, all and one":      {[]string{"connections", "on", "--all", "x"}, 2, "", "connections on"},
		"export of what":       {[]string{"export", "--district", "x", "--what", "grades"}, 2, "", "--what"},
		"export of whom":       {[]string{"export"}, 2, "", "--district"},
		"export into one":      {[]string{"export", "--district", "x"}, 2, "", "--out"},
		"erase whom":           {[]string{"erase", "--yes"}, 2, "", "--district"},
		"audit alone":          {[]string{"audit"}, 2, "", "audit verify"},
		"audit otherwise":      {[]string{"audit", "erase"}, 2, "", "audit verify"},
		"noted without place":  {[]string{"audit", "verify", "--noted", "1:" + strings.Repeat("ab", 32)}, 2, "", "--district"},
		"noted, but what":      {[]string{"audit", "verify", "--district", "x", "--noted", "1:zz"}, 2, "", "NUMBER:HASH"},
		"wrong setting":        {[]string{"migrate", "status"}, 1, "", "HALLPASS_ADDR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := outcome(t, []string{"HALLPASS_ADDR=nowhere"}, row.args...)
			if code != row.code || !strings.Contains(out, row.out) || !strings.Contains(errOut, row.err) {
				t.Errorf("exit code %d, want %d; want %q and %q in:\n%s%s", code, row.code, row.out, row.err, out, errOut)
			}
			if strings.Contains(errOut, "panic") || strings.Contains(errOut, "goroutine ") {
				t.Errorf("the program fell over:\n%s", errOut)
			}
		})
	}
}

// ran is one command in this process, with the settings of the test's environment.
func ran(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, args, &out, io.Discard)
	return out.String(), err
}

// emptyDatabase is one that no migration has seen.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	return modelstest.Database(t, "an empty database", func(context.Context, string) error { return nil })
}

func TestMigrate(t *testing.T) {
	t.Setenv("DATABASE_URL", emptyDatabase(t))
	states := func() (pending, taken int) {
		t.Helper()
		out, err := ran(t, "migrate", "status")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(out, "pending "), strings.Count(out, "taken ")
	}
	steps, taken := states()
	if steps == 0 || taken != 0 {
		t.Fatalf("an empty database has %d steps to take and %d taken", steps, taken)
	}
	for _, want := range []int{steps, 0} { // a second time changes nothing
		out, err := ran(t, "migrate", "up")
		if err != nil || !strings.Contains(out, fmt.Sprintf("up to date, %d steps taken", want)) {
			t.Fatalf("migrate up: %v, %q, want %d steps", err, out, want)
		}
	}
	if pending, taken := states(); pending != 0 || taken != steps {
		t.Errorf("after migrate up %d steps are pending and %d of %d taken", pending, taken, steps)
	}
}

// pretend is a Clever with a small district; environment holds the settings that lead to it, for a console at console.
func pretend(t *testing.T, console string) (box *sandbox.Sandbox, url string) {
	t.Helper()
	const id, secret = "an app of ours", "the app's secret"
	box, err := sandbox.New(sandbox.Options{
		Users: 200, ClientID: id, ClientSecret: secret, RedirectURLs: []string{console + callbackPath}, RateLimit: -1,
		Now: func() time.Time { return time.Date(2026, time.November, 20, 14, 0, 0, 0, time.UTC) }, // the same district each time
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(box.Handler())
	t.Cleanup(srv.Close)
	t.Setenv("HALLPASS_CLEVER_API_URL", srv.URL)
	t.Setenv("HALLPASS_CLEVER_AUTH_URL", srv.URL)
	t.Setenv("HALLPASS_CLEVER_CLIENT_ID", id)
	t.Setenv("HALLPASS_CLEVER_CLIENT_SECRET", secret)
	t.Setenv("HALLPASS_LOG_LEVEL", "error")
	return box, srv.URL
}

func TestSync(t *testing.T) {
	box, _ := pretend(t, "http://127.0.0.1:1")
	t.Setenv("DATABASE_URL", modelstest.URL(t))
	numbers := func(out, record string) (read, created, changed, ended int) {
		t.Helper()
		_, line, found := strings.Cut(out, "  "+record+" ")
		if !found {
			t.Fatalf("no line about %s in:\n%s", record, out)
		}
		if _, err := fmt.Sscanf(line, "%d read %d new %d changed %d ended", &read, &created, &changed, &ended); err != nil {
			t.Fatalf("line about %s: %v: %s", record, err, line)
		}
		return read, created, changed, ended
	}
	// A district that is new waits to be switched on.
	waits, err := ran(t, "sync")
	if err != nil || !strings.Contains(waits, "hallpass connections on "+box.DistrictID()) || strings.Contains(waits, "users") {
		t.Fatalf("before it is switched on: %v\n%s", err, waits)
	}
	if _, err := ran(t, "sync", "--district", box.DistrictID()); err == nil || !strings.Contains(err.Error(), "hallpass connections on") {
		t.Errorf("sync of a district that waits: %v", err)
	}
	if out, err := ran(t, "connections", "on", box.DistrictID()); err != nil || !strings.Contains(out, "is now on") {
		t.Fatalf("connections on: %v\n%s", err, out)
	}
	first, err := ran(t, "sync", "--full")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first, "district "+box.DistrictID()) {
		t.Errorf("the district is not named:\n%s", first)
	}
	again, err := ran(t, "sync", "--full", "--district", box.DistrictID())
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range []string{"schools", "terms", "users", "sections"} {
		read, created, _, _ := numbers(first, record)
		if read == 0 || created != read {
			t.Errorf("%s: %d read and %d of them new in the first sync", record, read, created)
		}
		if r, c, u, e := numbers(again, record); r != read || c+u+e != 0 {
			t.Errorf("%s: the second sync of the same district read %d of %d, %d new, %d changed, %d ended", record, r, read, c, u, e)
		}
	}
	// Without --full, what changed since is enough.
	if err := box.RemoveUser(sandbox.SeedUserID); err != nil {
		t.Fatal(err)
	}
	events, err := ran(t, "sync")
	if err != nil {
		t.Fatal(err)
	}
	if read, _, _, ended := numbers(events, "users"); read != 1 || ended != 1 {
		t.Errorf("one user was removed, yet %d were read and %d ended:\n%s", read, ended, events)
	}
	if _, err := ran(t, "sync", "--district", sandbox.OtherDistrictID); err == nil || !strings.Contains(err.Error(), sandbox.OtherDistrictID) {
		t.Errorf("sync of a district that is not connected: %v", err)
	}
}

// freeAddress was free a moment ago. Any other program may take it meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestServe is production: a database that somebody else runs, a sync from the command line, and the console.
func TestServe(t *testing.T) {
	pretend(t, "http://127.0.0.1:1")
	t.Setenv("HALLPASS_ADDR", "127.0.0.1:0")
	t.Setenv("HALLPASS_BASE_URL", "http://127.0.0.1:1")
	t.Setenv("HALLPASS_COOKIE_KEY", strings.Repeat("A", 43)+"=")
	t.Setenv("HALLPASS_TOKEN_KEYS", "k1:"+strings.Repeat("A", 43)+"=")

	t.Setenv("DATABASE_URL", emptyDatabase(t))
	if out, err := ran(t, "serve"); err == nil || !strings.Contains(err.Error(), "hallpass migrate up") {
		t.Errorf("serve with a database that is not migrated: %v\n%s", err, out)
	}

	t.Setenv("DATABASE_URL", modelstest.URL(t))
	for _, command := range [][]string{{"connections", "find"}, {"connections", "on", "--all"}, {"sync"}} {
		if _, err := ran(t, command...); err != nil {
			t.Fatal(err)
		}
	}
	served, box, base, clever := serveSomewhere(t)
	v := newVisitor(t, base, clever)
	for _, path := range []string{"/healthz", "/readyz"} {
		if p := v.get(base + path); p.status != 200 {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
	admin := box.People()[0]
	if p := v.signIn(admin.Email); p.status != 200 || p.path() != "/d/"+sandbox.SeedDistrictID+"/district_admin/" {
		t.Errorf("sign-in of %s ended at %s with status %d", admin.Label, p.path(), p.status)
	}
	if err := served.stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://")); err == nil {
		conn.Close()
		t.Error("the address is still open after serve has ended")
	}
}

// serveSomewhere begins serve at a free address, with a Clever that sends people back there.
func serveSomewhere(t *testing.T) (served *running, box *sandbox.Sandbox, base, clever string) {
	t.Helper()
	for range 10 {
		addr := freeAddress(t)
		base = "http://" + addr
		box, clever = pretend(t, base)
		t.Setenv("HALLPASS_ADDR", addr)
		t.Setenv("HALLPASS_BASE_URL", base)
		served, err := begin([]string{"serve"}, "Hallpass is at "+base)
		if err == nil {
			return served, box, base, clever
		}
		if !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		t.Logf("somebody was quicker: %v", err)
	}
	t.Fatal("no address stays free")
	return nil, nil, "", ""
}
