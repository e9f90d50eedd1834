package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// environ is what the built program is told. Settings of the person at this machine do not reach it.
func (w *world) environ(url string) []string {
	env := []string{
		"DATABASE_URL=" + url, "HALLPASS_ADDR=" + w.console, "HALLPASS_BASE_URL=" + w.consoleURL,
		"HALLPASS_CLEVER_CLIENT_ID=" + clientID, "HALLPASS_CLEVER_CLIENT_SECRET=" + clientSecret,
		"HALLPASS_CLEVER_API_URL=" + w.cleverURL, "HALLPASS_CLEVER_AUTH_URL=" + w.cleverURL,
		"HALLPASS_COOKIE_KEY=" + strings.Repeat("A", 43) + "=",
		"HALLPASS_TOKEN_KEYS=bench:" + strings.Repeat("A", 43) + "=",
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// command is a child that is asked to end when ctx does, and made to when it does not.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// logged sends a child's standard error to a file, and gives back a way to read its end.
func (w *world) logged(cmd *exec.Cmd, name string) (last func() string, err error) {
	path := filepath.Join(w.folder, name+".log")
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	cmd.Stderr = file
	return func() string {
		file.Close()
		raw, _ := os.ReadFile(path)
		return string(raw[max(0, len(raw)-2000):])
	}, nil
}

// switchOn finds the district in Clever's list and switches it on, as an operator does: nothing is read before that.
func (w *world) switchOn(ctx context.Context) error {
	for _, args := range [][]string{{"connections", "find"}, {"connections", "on", w.clever.DistrictID()}} {
		cmd := command(ctx, w.program, args...)
		cmd.Env = w.environ(w.url)
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("switch the district on: %w\n%s", err, said)
		}
	}
	return nil
}

// syncOnce runs `hallpass sync` and watches the clock and the memory of that process alone.
func (w *world) syncOnce(ctx context.Context, args ...string) (syncFigures, error) {
	f := syncFigures{Read: map[string]int{}, Seconds: map[string]float64{}}
	cmd := command(ctx, w.program, append([]string{"sync", "--district", w.clever.DistrictID()}, args...)...)
	cmd.Env = w.environ(w.url)
	last, err := w.logged(cmd, "sync")
	if err != nil {
		return f, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return f, fmt.Errorf("run sync: %w", err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return f, fmt.Errorf("run sync: %w", err)
	}
	peak := watchMemory(cmd.Process.Pid)
	// One line is printed when a record type is through: "users 1000000 read 1000000 new …".
	mark := began
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if field := strings.Fields(lines.Text()); len(field) > 2 && field[2] == "read" {
			now := time.Now()
			f.Read[field[0]], _ = strconv.Atoi(field[1])
			f.Seconds[field[0]] = now.Sub(mark).Seconds()
			mark = now
		}
	}
	err = cmd.Wait()
	f.Total = time.Since(began).Seconds()
	f.PeakMB = float64(peak(cmd.ProcessState)) / (1 << 20)
	if err != nil {
		return f, fmt.Errorf("run sync: %w\n%s", err, last())
	}
	return f, nil
}

// watchMemory reads the most memory a process had, in bytes. On Linux it looks at the high-water mark until the
// process ends: what the kernel says afterwards begins with the memory of the parent that forked it.
func watchMemory(pid int) func(*os.ProcessState) int64 {
	stop, stopped := make(chan struct{}), make(chan int64)
	go func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		peak := int64(0)
		for {
			peak = max(peak, highWater(pid))
			select {
			case <-stop:
				stopped <- peak
				return
			case <-ticker.C:
			}
		}
	}()
	return func(state *os.ProcessState) int64 {
		close(stop)
		if peak := <-stopped; peak > 0 {
			return peak
		}
		usage, ok := state.SysUsage().(*syscall.Rusage)
		switch {
		case !ok:
			return 0
		case runtime.GOOS == "darwin":
			return usage.Maxrss
		}
		return usage.Maxrss * 1024
	}
}

// highWater is VmHWM of /proc, 0 where there is none.
func highWater(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	kb, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kb * 1024
}

// serveConsole starts `hallpass serve` over the database and returns when it is ready. stop ends it.
func (w *world) serveConsole(ctx context.Context, url string) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	cmd := command(ctx, self, keepCommand, w.program, "serve")
	cmd.Env = w.environ(url)
	last, err := w.logged(cmd, "serve")
	if err != nil {
		return nil, err
	}
	if _, err := cmd.StdinPipe(); err != nil { // held open as long as this program lives
		return nil, fmt.Errorf("start console: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start console: %w", err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone already
		if err := <-gone; err != nil {
			return fmt.Errorf("console: %w\n%s", err, last())
		}
		return nil
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-gone:
			return nil, fmt.Errorf("start console: %w\n%s", err, last())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), <-gone)
		case <-ticker.C:
		}
		if status, err := fetch(ctx, http.DefaultClient, w.consoleURL+"/readyz"); err == nil && status == http.StatusOK {
			return stop, nil
		}
	}
}

// keepCommand, as the first argument, makes this program the keeper of another.
const keepCommand = "keep"

// keep runs a program until it ends, or until standard input does: a console must not outlive a run that was killed.
func keep(ctx context.Context, args []string, in io.Reader) error {
	if len(args) == 0 {
		return errors.New("keep: which program?")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	cmd := command(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	err := cmd.Run()
	if ctx.Err() != nil && cmd.ProcessState.Success() {
		return nil // it ended as it was asked to
	}
	return err
}

// fetch asks for a page, follows where it leads and throws away what it says.
func fetch(ctx context.Context, client *http.Client, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
