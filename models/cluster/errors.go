package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// The kinds of *Error, for errors.Is.
var (
	// ErrNoPrograms: no PostgreSQL server programs were found.
	ErrNoPrograms = errors.New("no PostgreSQL programs")
	// ErrTooOld: only PostgreSQL below 15 was found.
	ErrTooOld = errors.New("PostgreSQL is too old")
	// ErrNoContrib: the server lacks an extension that Hallpass needs.
	ErrNoContrib = errors.New("PostgreSQL extension is missing")
	// ErrNotWritable: the data folder cannot be written, or not reached by the
	// account that the server runs under.
	ErrNotWritable = errors.New("data folder is not writable")
	// ErrDiskFull: no space for the data folder.
	ErrDiskFull = errors.New("disk is full")
	// ErrInUse: another program holds the data folder.
	ErrInUse = errors.New("data folder is in use")
	// ErrOtherVersion: the data were made by a major version that is not installed.
	ErrOtherVersion = errors.New("data of another PostgreSQL version")
	// ErrOtherKind: throw-away data started as durable, or the other way round.
	ErrOtherKind = errors.New("data folder of the other kind")
	// ErrForeign: the folder holds something that is not ours.
	ErrForeign = errors.New("folder is not ours")
)

// Error is a trouble that the person at the keyboard can end.
type Error struct {
	Kind  error  // one of the Err… above
	Text  string // one paragraph: what is wrong and what to do
	Cause error  // may be nil
}

// Error is Text: complete, and safe to show.
func (e *Error) Error() string { return e.Text }

// Unwrap leads to the kind and to the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

func trouble(kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), Cause: cause}
}

const (
	install = "Install it (Debian, Ubuntu: sudo apt-get install postgresql; Fedora: sudo dnf install postgresql-server postgresql-contrib; " +
		"macOS: brew install postgresql@17), or set DATABASE_URL to a PostgreSQL server that you have."
	needs = "Hallpass keeps its data in PostgreSQL 15 or newer"
)

// fileTrouble names the trouble behind an error of the file system; others are
// wrapped as they are.
func fileTrouble(deed, dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return diskFull(dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return trouble(ErrNotWritable, err, "The data folder %s cannot be used: %v. Give a folder that this account may write to, or change the owner of this one.", dir, err)
	}
	return fmt.Errorf("%s %s: %w", deed, dir, err)
}

func diskFull(dir string, cause error) *Error {
	return trouble(ErrDiskFull, cause, "The disk that holds the data folder %s is full. Free some space there (100 MB at the very least) and start again; nothing that was saved is lost.", dir)
}

// programTrouble reads what a PostgreSQL program said before it gave up. The
// programs run with the C locale, so that these texts are the English ones.
func programTrouble(deed, dir string, t *tail, cause error) error {
	said := t.String()
	for line := range strings.Lines(said) {
		// A full /dev/shm gives the same text and is no full disk.
		if (strings.Contains(line, "No space left on device") || strings.Contains(line, "Disk quota exceeded")) && !strings.Contains(line, "shared memory") {
			return diskFull(dir, fmt.Errorf("%s: %w%s", deed, cause, said))
		}
	}
	if strings.Contains(said, "Permission denied") || strings.Contains(said, "Read-only file system") || strings.Contains(said, "has wrong ownership") {
		return trouble(ErrNotWritable, cause, "PostgreSQL cannot use the data folder %s. Give a folder that this account may write to, or change the owner of this one. It said:%s", dir, said)
	}
	return fmt.Errorf("%s in %s: %w; it said:%s", deed, dir, cause, said)
}

func serverFailed(dir string, p *process) error {
	cause := p.err
	if cause == nil {
		cause = errors.New("it ended without being asked")
	}
	return programTrouble("run postgres", dir, p.tail, cause)
}
