package cluster

import (
	"context"
	"encoding/json"
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

// The data folder:
//
//	hallpass-cluster.json  the mark: whose folder this is and how far it got
//	lock                   held with flock while a program uses the folder
//	pg/                    PostgreSQL's own data folder
//	socket/                the private socket, where its path is short enough
const (
	markName = "hallpass-cluster.json"
	lockName = "lock"

	// stateMaking is written before initdb and replaced by stateReady after it:
	// pg/ next to stateMaking is an initdb that was interrupted.
	stateMaking = "making"
	stateReady  = "ready"

	// temporaryPrefix begins the names of the folders that we make in the
	// temporary folder.
	temporaryPrefix = "hallpass-"

	// longestSocket is the longest path of a socket on macOS (104 bytes with
	// the closing zero; Linux has 108).
	longestSocket = 103
)

type mark struct {
	Note      string    `json:"note"`
	State     string    `json:"state"`
	Major     int       `json:"postgresql"`
	ThrowAway bool      `json:"throw_away"`
	Made      time.Time `json:"made"`
	Socket    string    `json:"socket,omitempty"` // where it is not in the folder
}

// folder is a data folder that this program holds the lock of.
type folder struct {
	dir       string
	temporary bool
	lock      *os.File
	mark      mark
	now       func() time.Time
	log       *slog.Logger
}

func (f *folder) pg() string { return filepath.Join(f.dir, "pg") }

// claim makes the folder of o where needed, proves that it is ours and locks it.
func claim(ctx context.Context, o Options) (*folder, error) {
	f := &folder{dir: o.Dir, now: o.Now, log: o.Log}
	if o.Dir == "" {
		base := temporaryBase()
		sweep(ctx, base, o)
		dir, err := os.MkdirTemp(base, temporaryPrefix)
		if err != nil {
			return nil, fileTrouble("make a folder in", base, err)
		}
		f.dir, f.temporary = dir, true
	}
	if err := f.open(o); err != nil {
		_ = f.release() // the lock goes with the program at the latest
		if f.temporary {
			os.RemoveAll(f.dir)
		}
		return nil, err
	}
	return f, nil
}

func (f *folder) open(o Options) error {
	abs, err := filepath.Abs(f.dir)
	if err != nil {
		return fmt.Errorf("data folder %s: %w", f.dir, err)
	}
	f.dir = abs
	if err := os.MkdirAll(f.dir, folderMode()); err != nil {
		return fileTrouble("make data folder", f.dir, err)
	}
	if f.dir, err = filepath.EvalSymlinks(f.dir); err != nil {
		return fileTrouble("open data folder", f.dir, err)
	}
	// Before the lock file: a folder that is not ours is left as it was.
	if err := f.refuseForeign(); err != nil {
		return err
	}
	if err := f.takeLock(); err != nil {
		return err
	}
	if err := f.readMark(); err != nil {
		return err
	}
	if f.mark.State == "" {
		f.mark = mark{State: stateMaking, ThrowAway: o.ThrowAway, Made: f.now().UTC()}
		return f.writeMark()
	}
	if f.mark.State != stateReady {
		f.log.Warn("making the database folder was interrupted, beginning again", "dir", f.dir)
		f.mark.ThrowAway = o.ThrowAway
		return f.writeMark()
	}
	if f.mark.ThrowAway != o.ThrowAway {
		kind := map[bool]string{true: "throw-away data (a demo or a test)", false: "data to keep"}
		return trouble(ErrOtherKind, nil, "The data folder %s was made for %s and cannot be used for %s. Name another folder.", f.dir, kind[f.mark.ThrowAway], kind[o.ThrowAway])
	}
	return nil
}

func folderMode() fs.FileMode {
	if os.Geteuid() == 0 {
		// The server's account must pass through to pg/, which is closed to
		// all others; it can neither list nor write this level.
		return 0o711
	}
	return 0o700
}

func (f *folder) refuseForeign() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fileTrouble("read data folder", f.dir, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == markName }) {
		return nil
	}
	for _, e := range entries {
		// lost+found: the folder is the root of a disk. lock: another Start is
		// just beginning, or was killed there.
		if !slices.Contains([]string{"lost+found", ".DS_Store", lockName}, e.Name()) && !strings.HasPrefix(e.Name(), markName) {
			return trouble(ErrForeign, nil, "The folder %s is not empty and was not made by Hallpass (it holds %s), so it is left alone. Name a folder that is empty or does not exist yet.", f.dir, e.Name())
		}
	}
	return nil
}

// takeLock holds the folder against a second program. The kernel lets go when
// this program ends, however it ends, so a lock file left behind means nothing.
func (f *folder) takeLock() error {
	path := filepath.Join(f.dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fileTrouble("lock data folder", f.dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fileTrouble("lock data folder", f.dir, err)
		}
		holder := "another program"
		text := make([]byte, 20)
		if n, _ := file.ReadAt(text, 0); n > 0 {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n]))); err == nil {
				holder = fmt.Sprintf("the process with the id %d", pid)
			}
		}
		return trouble(ErrInUse, err, "The data folder %s is in use by %s. Stop that one first (it is probably another Hallpass), or name another folder.", f.dir, holder)
	}
	f.lock = file
	if err := file.Truncate(0); err != nil {
		return fileTrouble("lock data folder", f.dir, err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fileTrouble("lock data folder", f.dir, err)
	}
	return nil
}

func (f *folder) release() error {
	if f.lock == nil {
		return nil
	}
	// The file stays: removing it would let a third program lock a new file
	// while a second waits for the old one.
	err := f.lock.Close()
	f.lock = nil
	return err
}

func (f *folder) readMark() error {
	m, err := readMark(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f.mark = m
	return fileTrouble("read data folder", f.dir, err)
}

func readMark(dir string) (m mark, err error) {
	text, err := os.ReadFile(filepath.Join(dir, markName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", markName, err)
	}
	return m, nil
}

// writeMark replaces the mark in one step that survives a power cut.
func (f *folder) writeMark() error {
	f.mark.Note = "Hallpass's private PostgreSQL data; do not edit or copy while Hallpass runs"
	text, err := json.MarshalIndent(f.mark, "", "  ")
	if err != nil {
		return fmt.Errorf("mark data folder %s: %w", f.dir, err)
	}
	return fileTrouble("mark data folder", f.dir, replaceFile(filepath.Join(f.dir, markName), text))
}

func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// forget makes the folder one whose data are still to be made.
func (f *folder) forget() error {
	f.mark.State = stateMaking
	return f.writeMark()
}

// choose picks the programs for the data in the folder: those of their own
// major version where there are data, the best otherwise.
func (f *folder) choose(found []program) (program, error) {
	if f.mark.State != stateReady {
		return found[0], nil
	}
	text, err := os.ReadFile(filepath.Join(f.pg(), "PG_VERSION"))
	if err != nil {
		return program{}, fileTrouble("read the version of", f.dir, err)
	}
	major := strings.TrimSpace(string(text))
	for _, p := range found {
		if strconv.Itoa(p.version.major) == major {
			return p, nil
		}
	}
	return program{}, trouble(ErrOtherVersion, nil, "The data folder %s was made by PostgreSQL %s, and this machine has PostgreSQL %d (in %s). Install PostgreSQL %s beside it, which Hallpass then finds by itself; or name a new folder and fill it from a dump (pg_dump of version %s).",
		f.dir, major, found[0].version.major, found[0].bin, major, major)
}
