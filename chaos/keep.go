package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// keepCommand, as the first argument, makes this program the keeper of a run: it ends what the run has started, if the
// run was itself killed and could not.
const keepCommand = "keep"

// keeper is told of everything that is started. A nil keeper listens to nobody.
type keeper struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// word is one line to the keeper.
type word struct {
	Server  *server `json:"server,omitempty"`
	Began   int     `json:"began,omitempty"` // process id
	Ended   int     `json:"ended,omitempty"`
	Folder  string  `json:"folder,omitempty"`
	Mounted string  `json:"mounted,omitempty"`
	Done    bool    `json:"done,omitempty"`
}

func startKeeper(ctx context.Context) (*keeper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, keepCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to answer
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start keeper: %w", err)
	}
	return &keeper{cmd: cmd, pipe: pipe}, nil
}

func (k *keeper) tell(w word) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = json.NewEncoder(k.pipe).Encode(w) // without a keeper the run goes on
}

// end says that everything has been ended.
func (k *keeper) end() error {
	k.tell(word{Done: true})
	return errors.Join(k.pipe.Close(), k.cmd.Wait())
}

// keep listens until the run says it is done, or falls silent.
func keep(ctx context.Context, in io.Reader) error {
	var servers []*server
	var mounts, folders []string
	alive := map[int]bool{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var w word
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			return fmt.Errorf("keep: %w", err)
		}
		switch {
		case w.Done:
			return nil
		case w.Server != nil:
			servers = append(servers, w.Server)
		case w.Began != 0:
			alive[w.Began] = true
		case w.Ended != 0:
			delete(alive, w.Ended)
		case w.Folder != "":
			folders = append(folders, w.Folder)
		case w.Mounted != "":
			mounts = append(mounts, w.Mounted)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	var errs []error
	for pid := range alive {
		_ = syscall.Kill(pid, syscall.SIGKILL) // gone already is what we want
	}
	for _, s := range servers {
		errs = append(errs, s.stop(ctx))
	}
	for _, path := range mounts {
		errs = append(errs, unmount(path))
	}
	for _, path := range folders {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
