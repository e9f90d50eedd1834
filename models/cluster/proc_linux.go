package cluster

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tie has the kernel send sig to the child when we die, however we die.
func tie(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

// serversOn lists the processes of PostgreSQL, main and children, that work on
// pg: all of them have it as their working directory.
func serversOn(pg string, _ int) []int {
	real, err := filepath.EvalSymlinks(pg)
	if err != nil {
		return nil
	}
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		// Processes of others cannot be read, and cannot be on our folder.
		if cwd, err := os.Readlink("/proc/" + name + "/cwd"); err != nil || cwd != real {
			continue
		}
		// " (deleted)": the program was upgraded while it ran.
		exe, err := os.Readlink("/proc/" + name + "/exe")
		if err == nil && filepath.Base(strings.TrimSuffix(exe, " (deleted)")) == "postgres" {
			pids = append(pids, pid)
		}
	}
	return pids
}
