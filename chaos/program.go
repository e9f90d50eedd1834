package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long anything may take before it counts as hung. It is long: machines are slow, and what is measured
// here is whether, not when.
const patience = 3 * time.Minute

// child is one running `hallpass`.
type child struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // from Wait; read after done
}

// started begins a program.
func (w *world) started(ctx context.Context, env []string, args ...string) (*child, error) {
	log, err := os.CreateTemp(w.folder, "program-*.log")
	if err != nil {
		return nil, fmt.Errorf("start hallpass: %w", err)
	}
	defer log.Close()
	c := &child{cmd: exec.CommandContext(context.WithoutCancel(ctx), w.program, args...), log: log.Name(), done: make(chan struct{})}
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = env, log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to answer
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start hallpass: %w", err)
	}
	w.keeper.tell(word{Began: c.cmd.Process.Pid})
	go func() {
		c.err = c.cmd.Wait()
		w.keeper.tell(word{Ended: c.cmd.Process.Pid})
		close(c.done)
	}()
	return c, nil
}

// said is the end of what the program wrote.
func (c *child) said() string {
	text, _ := os.ReadFile(c.log)
	return string(text[max(0, len(text)-2000):])
}

// kill is kill -9. It reports whether the program died of it, and not by itself before.
func (c *child) kill() bool {
	_ = c.cmd.Process.Kill() // it may have gone already
	<-c.done
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// wait waits for the program's own end. One that does not come to an end is killed, which is an error of its own.
func (c *child) wait(ctx context.Context) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		c.kill()
		return ctx.Err()
	case <-limit.C:
		said := c.said()
		c.kill()
		return fmt.Errorf("%w: hallpass did not end within %s\n%s", errBroken, patience, said)
	}
}

// stop asks the program to end.
func (c *child) stop(ctx context.Context) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have gone already
	err := c.wait(ctx)
	if err != nil {
		err = fmt.Errorf("stop hallpass: %w\n%s", err, c.said())
	}
	return err
}

// errBroken is a promise that was not kept: what this program looks for.
var errBroken = errors.New("broken promise")

// syncing begins `hallpass sync` of the district.
func (w *world) syncing(ctx context.Context, database, cleverURL string, args ...string) (*child, error) {
	return w.started(ctx, w.environ(database, cleverURL, w.addresses[0]), append([]string{"sync", "--district", w.clever.DistrictID()}, args...)...)
}

// synced runs `hallpass sync` to its good end.
func (w *world) synced(ctx context.Context, b *base, args ...string) error {
	c, err := w.syncing(ctx, b.url, w.cleverURL, args...)
	if err != nil {
		return err
	}
	if err := c.wait(ctx); err != nil {
		return fmt.Errorf("sync %s undisturbed: %w\n%s", b.name, err, c.said())
	}
	return nil
}

// console is a running `hallpass serve`.
type console struct {
	*child
	address string
}

// serving starts a console and waits until it is ready.
func (w *world) serving(ctx context.Context, database, cleverURL, address string) (*console, error) {
	child, err := w.started(ctx, w.environ(database, cleverURL, address), "serve")
	if err != nil {
		return nil, err
	}
	c := &console{child, address}
	if err := w.ready(ctx, c); err != nil {
		said := c.said()
		c.kill()
		return nil, fmt.Errorf("start console: %w\n%s", err, said)
	}
	return c, nil
}

// ready waits until a console says that it is.
func (w *world) ready(ctx context.Context, c *console) error {
	until := w.now().Add(patience)
	for {
		select {
		case <-c.done:
			return fmt.Errorf("%w: the console ended: %w", errBroken, c.err)
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body) // the status says it
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		if w.now().After(until) {
			return fmt.Errorf("%w: the console was not ready within %s", errBroken, patience)
		}
	}
}

// verified runs `hallpass audit verify`.
func (w *world) verified(ctx context.Context, b *base) error {
	c, err := w.started(ctx, w.environ(b.url, w.cleverURL, w.addresses[0]), "audit", "verify", "--district", w.clever.DistrictID())
	if err != nil {
		return err
	}
	if err := c.wait(ctx); err != nil {
		return fmt.Errorf("%w: audit verify: %w\n%s", errBroken, err, c.said())
	}
	return nil
}

// amcheck looks through the server's files, where its programs have pg_amcheck, and reports whether they have.
func (w *world) amcheck(ctx context.Context) (bool, error) {
	if _, err := os.Stat(filepath.Join(w.server.Bin, "pg_amcheck")); err != nil {
		return false, nil //nolint:nilerr // not every package of PostgreSQL has it
	}
	host, port, err := net.SplitHostPort(w.server.address)
	if err != nil {
		return false, fmt.Errorf("look through files: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(w.server.Bin, "pg_amcheck"), "-h", host, "-p", port, "-U", owner,
		"--install-missing", "--heapallindexed", w.trial.name)
	cmd.Env = []string{"PGPASSWORD=" + w.server.password, "LC_ALL=C"}
	if said, err := cmd.CombinedOutput(); err != nil {
		return true, fmt.Errorf("%w: pg_amcheck: %w\n%s", errBroken, err, said)
	}
	return true, nil
}
