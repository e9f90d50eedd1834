package clever

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// ErrNoToken says that Clever lists no token for the district: it was never
	// connected to this app, or no longer is.
	ErrNoToken = errors.New("clever: the district has no token for this app")
	// ErrInvalidGrant says that a sign-in code was used before or is older than
	// the minute that Clever gives it.
	ErrInvalidGrant = errors.New("clever: the sign-in code was used or has expired")
	// ErrNotFound covers deleted, unshared and wrong kind of token: Clever does
	// not tell the three apart.
	ErrNotFound = errors.New("clever: not found")
	// ErrCursorExpired says that the feed does not know the cursor any more:
	// nothing short of reading everything leads on from there.
	ErrCursorExpired = errors.New("clever: the event cursor is too old or unknown")
	// ErrUnauthorized says that the token was refused; it is not retried.
	ErrUnauthorized = errors.New("clever: the token was refused")
)

// Error is a call to Clever that did not give what was asked. Its text holds no
// token, no query and nothing from inside a record except its id.
type Error struct {
	Op         string // the deed: "read users"
	Path       string // without the query
	Status     int    // HTTP status, 0 when no answer came
	RecordType string // "users", "schools"…, "" outside lists
	Page       int    // 1-based page of the list, 0 outside lists
	Record     string // id of the record at fault, if it is about one
	Message    string
	Said       string // Clever's own words where it gave any, as they came
	Err        error  // the cause, if there is one beneath

	cursor bool // the feed was asked with a cursor
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("clever: ")
	b.WriteString(e.Op)
	if e.Page > 0 {
		fmt.Fprintf(&b, ": %s page %d", e.RecordType, e.Page)
	}
	if e.Record != "" {
		fmt.Fprintf(&b, ", record %s", e.Record)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, " (%s)", e.Path)
	}
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is lets errors.Is name the statuses that callers act on.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalidGrant:
		return e.Op == opExchange && e.Status == http.StatusBadRequest
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrCursorExpired:
		// Clever does not say what it answers; these are what fits.
		return e.Op == opEvents && e.cursor && e.Page == 1 &&
			(e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusGone)
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	}
	return false
}

// tame cuts text that came from outside down to something that may stand in one
// line of a log: short, printable, valid UTF-8, without the given secrets.
func tame(s string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return shortened(strings.Join(strings.Fields(s), " "), 200)
}

func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
