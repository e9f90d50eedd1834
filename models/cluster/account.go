package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as where that is not who we are: PostgreSQL
// refuses to run as root. A nil account is ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount answers nil for an ordinary user. For root it is the owner of
// the data where there are data, else postgres, else nobody.
func serverAccount(pg string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(pg); err == nil && owner(info) != 0 {
		st := info.Sys().(*syscall.Stat_t)
		return &account{name: "#" + strconv.Itoa(int(st.Uid)), uid: st.Uid, gid: st.Gid}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("start private database: PostgreSQL does not run as root, and neither of the accounts postgres and nobody exists to run it under")
}

// own gives path to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

func owner(info fs.FileInfo) int {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(st.Uid)
}

// passable opens our own folder, and no other, for the server's account to
// pass through.
func (f *folder) passable(who *account) error {
	if who == nil {
		return nil
	}
	info, err := os.Stat(f.dir)
	if err != nil {
		return fileTrouble("open data folder", f.dir, err)
	}
	if mode := info.Mode().Perm(); owner(info) == 0 && mode&0o011 != 0o011 {
		return fileTrouble("open data folder", f.dir, os.Chmod(f.dir, mode|0o011))
	}
	return nil
}

// probe runs a program as the account within pg, which fails where a folder on
// the way is closed to it. Trying is exact where reading modes is not (access
// lists, read-only mounts).
func probe(ctx context.Context, prog program, pg string, who *account) error {
	if who == nil {
		return nil
	}
	try := func(dir string) error {
		cmd := command(filepath.Join(prog.bin, "postgres"), who, "--version")
		cmd.Dir = dir
		p, err := launch(cmd, nil)
		if err != nil {
			return err
		}
		return p.wait(ctx)
	}
	if err := try("/"); err != nil {
		return fmt.Errorf("run %s as the account %s, since PostgreSQL refuses root: %w", filepath.Join(prog.bin, "postgres"), who.name, err)
	}
	err := try(pg)
	if err == nil || ctx.Err() != nil {
		return err
	}
	closed := blocker(filepath.Dir(pg))
	if closed == "" {
		closed = filepath.Dir(pg)
	}
	return trouble(ErrNotWritable, err, "PostgreSQL does not run as root, so Hallpass runs it under the account %s, and that account cannot reach the data folder %s: %s is closed to it. Open that folder for passing through (chmod o+x %s) or name a data folder elsewhere, such as /var/lib/hallpass.", who.name, filepath.Dir(pg), closed, closed)
}

// blocker is the topmost folder on the way to dir (and dir itself) that is
// closed to others, by its mode; empty if none is.
func blocker(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	closed := ""
	for {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			closed = dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return closed
		}
		dir = up
	}
}
