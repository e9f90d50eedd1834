//go:build unix && !linux

package cluster

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tie has no counterpart here: a server whose program was killed runs on until
// the next Start on its folder stops it.
func tie(*syscall.SysProcAttr, syscall.Signal) {}

// serversOn is pid, if that process is a postgres that was started on pg (we
// always name the folder on the command line).
func serversOn(pg string, pid int) []int {
	if pid == 0 || pid == os.Getpid() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := output(ctx, "/bin/ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid))
	if err != nil {
		return nil
	}
	program, args, _ := strings.Cut(strings.TrimSpace(out), " -D ")
	if filepath.Base(program) == "postgres" && (args == pg || strings.HasPrefix(args, pg+" ")) {
		return []int{pid}
	}
	return nil
}
