package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keptLines is how much of a program's last words an error carries.
const keptLines = 50

// tail keeps the last lines written to it and passes each on.
type tail struct {
	mu    sync.Mutex
	part  []byte
	lines []string
	each  func(line string)
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part = append(t.part, p...)
	for {
		line, rest, whole := bytes.Cut(t.part, []byte("\n"))
		if !whole {
			// A line without an end must not grow without bound.
			if len(t.part) > 8<<10 {
				t.part = t.part[:0]
			}
			return len(p), nil
		}
		t.part = rest
		t.add(strings.TrimSpace(string(line)))
	}
}

func (t *tail) add(line string) {
	// Our own knocking at the door while the server starts.
	if line == "" || strings.Contains(line, "the database system is starting up") || strings.Contains(line, "the database system is not yet accepting connections") {
		return
	}
	if t.lines = append(t.lines, line); len(t.lines) > keptLines {
		t.lines = t.lines[1:]
	}
	if t.each != nil {
		t.each(line)
	}
}

// String is the kept lines, each on its own line after a line break.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, line := range t.lines {
		b.WriteString("\n  " + line)
	}
	if rest := strings.TrimSpace(string(t.part)); rest != "" {
		b.WriteString("\n  " + rest)
	}
	return b.String()
}

// environment is what our children see: no PG… variable that would redirect
// them, none of this program's secrets, and English messages.
func environment() []string {
	env := []string{"LC_ALL=C", "LANG=C"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// command prepares a PostgreSQL program to run under the account (nil: ours),
// in a process group of its own so that Ctrl-C in the terminal reaches it only
// through us.
func command(path string, who *account, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...) //nolint:noctx // the server outlives the context of Start; wait ends the others, group and all
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if who != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: who.uid, Gid: who.gid}
	}
	return cmd
}

// process is a running child.
type process struct {
	cmd  *exec.Cmd
	tail *tail
	done chan struct{}
	err  error // from Wait; read after done
}

// launch starts cmd and waits for it in the background.
func launch(cmd *exec.Cmd, each func(line string)) (*process, error) {
	p := &process{cmd: cmd, tail: &tail{each: each}, done: make(chan struct{})}
	cmd.Stderr = p.tail
	// Backends of a killed server hold the pipe a moment longer.
	cmd.WaitDelay = 2 * time.Second
	started := make(chan error)
	go func() {
		// Linux sends the parent-death signal when the thread that forked ends,
		// not the process; so this thread stays until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// wait returns when the child has ended; when ctx ends first, it ends the
// child's whole group.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		// Gone already is what we want.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		return context.Cause(ctx)
	}
}

// shutdown asks the server to end, the harder the longer it takes. hard begins
// with the immediate shutdown, for data that nobody will read again.
func (p *process) shutdown(ctx context.Context, hard bool) error {
	sig := syscall.SIGINT
	if hard {
		sig = syscall.SIGQUIT
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.kill()
	return nil
}

// kill ends the server now: immediate shutdown first, which also ends its
// children, then without asking.
func (p *process) kill() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	select {
	case <-p.done:
		return
	case <-patience.C:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}
