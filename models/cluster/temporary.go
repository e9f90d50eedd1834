package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// makeSocket makes the private folder of the socket anew, so that whatever an
// earlier server left there is gone.
func (f *folder) makeSocket(who *account) (string, error) {
	if old := f.mark.Socket; old != "" && strings.HasPrefix(filepath.Base(old), temporaryPrefix) {
		if info, err := os.Lstat(old); err == nil && info.IsDir() && (owner(info) == os.Geteuid() || who != nil && owner(info) == int(who.uid)) {
			if err := os.RemoveAll(old); err != nil {
				return "", fileTrouble("remove the old socket folder", old, err)
			}
		}
	}
	f.mark.Socket = ""
	dir := filepath.Join(f.dir, "socket")
	if len(dir)+len("/.s.PGSQL."+port) > longestSocket {
		// PostgreSQL would cut the path, or refuse it.
		base := temporaryBase()
		var err error
		if dir, err = os.MkdirTemp(base, temporaryPrefix+"socket-"); err != nil {
			return "", fileTrouble("make a socket folder in", base, err)
		}
		// So that the next start can remove it if this one is killed.
		f.mark.Socket = dir
		if err := f.writeMark(); err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
	} else {
		if err := os.RemoveAll(dir); err != nil {
			return "", fileTrouble("remove the old socket folder", dir, err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			return "", fileTrouble("make socket folder", dir, err)
		}
	}
	return dir, fileTrouble("give away socket folder", dir, who.own(dir))
}

// temporaryBase is a folder for temporary ones that every account can pass
// through and whose name leaves room for a socket's.
func temporaryBase() string {
	base := os.TempDir()
	if len(base) > 60 || os.Geteuid() == 0 && blocker(base) != "" {
		return "/tmp"
	}
	return base
}

// sweep removes the temporary data folders of programs that were killed.
func sweep(ctx context.Context, base string, o Options) {
	dirs, err := filepath.Glob(filepath.Join(base, temporaryPrefix+"*"))
	if err != nil || o.Outlive {
		return
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || owner(info) != os.Geteuid() {
			continue
		}
		// The mark is written under the lock, so a marked folder whose lock is
		// free has lost its program. One without mark may be in the making.
		m, err := readMark(dir)
		if err != nil || !m.ThrowAway {
			continue
		}
		f := &folder{dir: dir, now: o.Now, log: o.Log}
		if err := f.takeLock(); err != nil {
			continue
		}
		err = settle(ctx, f.pg(), o.Log)
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			o.Log.WarnContext(ctx, "left-over temporary database folder stays", "dir", dir, "reason", err)
		}
		_ = f.release() // the lock goes with the program at the latest
	}
}
