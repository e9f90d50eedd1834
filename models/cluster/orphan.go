package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settle leaves no server running on pg and nothing there that keeps a new one
// from starting. The caller holds the lock of the folder, so any server found
// is one whose program was killed.
func settle(ctx context.Context, pg string, log *slog.Logger) error {
	pid := pidFile(pg)
	running := serversOn(pg, pid)
	if len(running) > 0 {
		log.WarnContext(ctx, "stopping the database server of a program that was killed", "pids", running)
		if err := end(ctx, pg, pid); err != nil {
			return err
		}
	}
	// PostgreSQL sees for itself that the process of a stale postmaster.pid is
	// gone, but not that its number has gone to some other process of the same
	// account since.
	if pid != 0 && alive(pid) {
		log.WarnContext(ctx, "removing a stale postmaster.pid, its process is another program now", "pid", pid)
		if err := os.Remove(filepath.Join(pg, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileTrouble("remove postmaster.pid in", pg, err)
		}
	}
	return nil
}

// end stops the servers on pg: the main process by a fast shutdown, which takes
// its children along; then everybody, ever harder.
func end(ctx context.Context, pg string, pid int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		running := serversOn(pg, pid)
		if i == 0 && !slices.Contains(running, pid) {
			// Only children are left. SIGINT would end a query, not them.
			continue
		}
		for _, p := range running {
			if i > 0 || p == pid {
				signalServer(pg, p, sig)
			}
		}
		patience := time.NewTimer([]time.Duration{time.Minute, 5 * time.Second, 5 * time.Second}[i])
		for waiting := true; waiting; {
			if len(serversOn(pg, pid)) == 0 {
				patience.Stop()
				return nil
			}
			select {
			case <-tick.C:
			case <-patience.C:
				waiting = false
			case <-ctx.Done():
				patience.Stop()
				return fmt.Errorf("stop the server left on %s: %w", pg, context.Cause(ctx))
			}
		}
	}
	return fmt.Errorf("stop the server left on %s: processes %v do not end", pg, serversOn(pg, pid))
}

// signalServer looks once more, after taking hold of the process, that it is
// the server: its number may have been given to another one meanwhile.
func signalServer(pg string, pid int, sig syscall.Signal) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	defer p.Release() //nolint:errcheck // only our hold on it
	if slices.Contains(serversOn(pg, pid), pid) {
		// Gone by itself is as good.
		_ = p.Signal(sig)
	}
}

// pidFile is the process id in postmaster.pid; 0 if there is none.
func pidFile(pg string) int {
	file, err := os.Open(filepath.Join(pg, "postmaster.pid"))
	if err != nil {
		return 0
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 64).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	// A single-user server (and initdb's) writes its id with a minus.
	if pid < 0 {
		pid = -pid
	}
	if err != nil || pid < 2 {
		return 0
	}
	return pid
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
