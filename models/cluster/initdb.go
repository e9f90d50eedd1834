package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// makeData fills the folder's pg/ from nothing. What an interrupted attempt
// left there is removed first; that it is ours, the mark says.
func (c *Cluster) makeData(ctx context.Context, prog program, who *account) (copied bool, err error) {
	f := c.folder
	if err := os.RemoveAll(f.pg()); err != nil {
		return false, fileTrouble("clear data folder", f.dir, err)
	}
	if err := os.Mkdir(f.pg(), 0o700); err != nil {
		return false, fileTrouble("make data folder", f.dir, err)
	}
	if err := who.own(f.pg()); err != nil {
		return false, fileTrouble("make data folder", f.dir, err)
	}
	if err := probe(ctx, prog, f.pg(), who); err != nil {
		return false, err
	}
	cached := cachePath(c.o, prog)
	if cached != "" {
		if _, err := os.Stat(cached); err == nil {
			copied = true
			if err := copyTree(ctx, cached, f.pg(), who); err != nil {
				return false, fileTrouble("copy the cached data to", f.dir, err)
			}
		}
	}
	if !copied {
		if err := initdb(ctx, prog, f, who, c.o.ThrowAway); err != nil {
			return false, err
		}
		if cached != "" {
			if err := fillCache(ctx, f.pg(), cached, f.now()); err != nil {
				// Only speed is lost.
				c.o.Log.WarnContext(ctx, "fresh database folder is not cached", "reason", err)
			}
		}
	}
	f.mark.State, f.mark.Major = stateReady, prog.version.major
	return copied, f.writeMark()
}

func initdbArgs(throwAway bool) []string {
	args := []string{
		"--username=" + Owner, "--encoding=UTF8", "--locale=C", "--no-instructions",
		// Trust is safe here and nowhere else: the server has no TCP port, and
		// its socket is in a folder (mode 0700) of the account it runs under,
		// so only that account and root get as far as to be trusted. Peer
		// would not do: where root starts the server there are two accounts,
		// and neither is called like the database user.
		"--auth-local=trust", "--auth-host=reject",
	}
	if throwAway {
		return append(args, "--no-sync")
	}
	return append(args, "--data-checksums")
}

func initdb(ctx context.Context, prog program, f *folder, who *account, throwAway bool) error {
	args := append([]string{"-D", f.pg()}, initdbArgs(throwAway)...)
	cmd := command(filepath.Join(prog.bin, "initdb"), who, args...)
	cmd.Dir = "/"
	tie(cmd.SysProcAttr, syscall.SIGKILL)
	p, err := launch(cmd, nil)
	if err != nil {
		return fmt.Errorf("start initdb: %w", err)
	}
	if err := p.wait(ctx); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("make the data folder %s: %w", f.dir, err)
		}
		return programTrouble("run initdb", f.dir, p.tail, err)
	}
	return nil
}

// cachePath is where the outcome of this very initdb is kept; empty without a cache.
func cachePath(o Options, prog program) string {
	if o.Cache == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(prog.bin + prog.version.String() + strings.Join(initdbArgs(true), "\n")))
	return filepath.Join(o.Cache, fmt.Sprintf("initdb-%d.%d-%x", prog.version.major, prog.version.minor, sum[:6]))
}

func dropCache(o Options, prog program) error {
	return fileTrouble("clear cache", o.Cache, os.RemoveAll(cachePath(o, prog)))
}

// fillCache copies pg to path in a way that path is only ever complete.
func fillCache(ctx context.Context, pg, path string, now time.Time) error {
	base := filepath.Dir(path)
	if err := os.MkdirAll(base, 0o700); err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	// Those of programs that were killed while copying.
	if old, err := filepath.Glob(filepath.Join(base, "making-*")); err == nil {
		for _, dir := range old {
			if info, err := os.Stat(dir); err == nil && now.Sub(info.ModTime()) > time.Hour {
				os.RemoveAll(dir)
			}
		}
	}
	dir, err := os.MkdirTemp(base, "making-")
	if err != nil {
		return fmt.Errorf("make cache: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := copyTree(ctx, pg, dir, nil); err != nil {
		return fmt.Errorf("fill cache: %w", err)
	}
	if err := os.Rename(dir, path); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return fmt.Errorf("fill cache: %w", err)
	}
	return nil
}

// copyTree copies the folders and files below from into the folder to and gives
// them to the account. io.Copy asks the kernel to copy, which shares the blocks
// on file systems that can.
func copyTree(ctx context.Context, from, to string, who *account) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		at := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			err = os.Mkdir(at, 0o700)
		case d.Type().IsRegular():
			err = copyFile(path, at)
		default:
			return fmt.Errorf("%s is neither file nor folder", path)
		}
		if err != nil {
			return err
		}
		return who.own(at)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
