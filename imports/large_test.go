package imports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"hallpass/models"
)

// endless gives its text again and again until bytes are spent, then err; before that it calls last.
type endless struct {
	text string
	left int64
	at   int
	err  error
	last func()
}

func (e *endless) Read(p []byte) (n int, err error) {
	if e.left <= 0 {
		if e.last != nil {
			e.last()
			e.last = nil
		}
		return 0, e.err
	}
	for n < len(p) && e.left > 0 {
		k := copy(p[n:min(len(p), n+int(min(e.left, int64(len(p)))))], e.text[e.at:])
		n, e.at, e.left = n+k, (e.at+k)%len(e.text), e.left-int64(k)
	}
	return n, nil
}

// What can never be a row is refused after a little of it, however long it goes on, be it the header or a row.
func TestAnEndlessRecordIsNotReadToItsEnd(t *testing.T) {
	p := newPlace(t)
	const head = "account_id,role,clever_id,last_name\n"
	for _, c := range []struct{ name, head, text, wrong string }{
		{"a header without end", "", "x", "1:0 record_long"},
		{"a header of columns without end", "account_id,", "x,", "1:0 record_long"},
		{"a quote in the header", "account_id,\"", "role,x\n", "1:0 record_long"},
		{"a row without end", head + "1,teacher,", "x", "2:0 record_long"},
		{"a quote that opens the file", head + "\"", "1,teacher,a,A\n", "2:0 record_long"},
		{"JSON without end", `[{"account_id": "`, "x", "1:2 record_long"},
	} {
		rest := &endless{text: c.text, left: 1 << 40, err: io.EOF}
		i, err := File(t.Context(), p.store, p.district, c.name, 0, io.MultiReader(strings.NewReader(c.head), rest), true)
		code, _, _ := strings.Cut(i.Error, " ")
		if have := p.wrongs(i); err != nil || i.State != models.ImportFailed || code != "rows" || have != c.wrong {
			t.Errorf("%s: %s %q, error %v\nhave %s\nwant %s", c.name, i.State, i.Error, err, have, c.wrong)
		}
		if read := 1<<40 - rest.left; read > 4*maxRecord {
			t.Errorf("%s: %d bytes were read", c.name, read)
		}
	}
}

// A file that its reader breaks off as too large is not a whole file, even where it breaks off between two rows.
func TestTooLargeIsNotTheEnd(t *testing.T) {
	p := newPlace(t)
	row := "1,teacher,a,A\n"
	file := io.MultiReader(strings.NewReader("account_id,role,clever_id,last_name\n"), &endless{text: row, left: int64(len(row)), err: ErrTooLarge})
	i, err := File(t.Context(), p.store, p.district, "large.csv", 0, file, true)
	if err != nil || i.State != models.ImportFailed || i.Error != "too_large" {
		t.Errorf("%s %q, error %v", i.State, i.Error, err)
	}
	i, err = File(t.Context(), p.store, p.district, "large.csv", 0, &endless{err: ErrTooLarge}, true)
	if err != nil || i.State != models.ImportFailed || i.Error != "too_large" {
		t.Errorf("at once: %s %q, error %v", i.State, i.Error, err)
	}
	i, err = File(t.Context(), p.store, p.district, "broken.csv", 0, &endless{text: row, left: 20, err: errors.New("line is down")}, true)
	if err != nil || i.Error != "broken_off" {
		t.Errorf("broken off: %s %q, error %v", i.State, i.Error, err)
	}
}

// Of rows that wait to be kept nothing is held that nobody asked for: else some thousand rows with large columns of no
// interest would be a file in memory.
func TestColumnsOfNoInterestAreNotHeld(t *testing.T) {
	p := newPlace(t)
	const n, wide = 400, maxRecord / 4 // far less than a slice, and 100 MB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rest := &endless{err: io.EOF, last: func() {
		runtime.GC()
		runtime.ReadMemStats(&after)
	}}
	notes := strings.Repeat("x", wide)
	var parts []io.Reader
	parts = append(parts, strings.NewReader("account_id,role,last_name,notes\n"))
	for i := range n {
		parts = append(parts, bytes.NewReader(fmt.Appendf(nil, "%d,teacher,A,", i)), strings.NewReader(notes), strings.NewReader("\n"))
	}
	i, err := File(t.Context(), p.store, p.district, "wide.csv", 0, io.MultiReader(append(parts, rest)...), true)
	if err != nil || i.State != models.ImportDropped || i.RowsRead != n {
		t.Fatalf("%s %q, %d rows, error %v", i.State, i.Error, i.RowsRead, err)
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 30*maxRecord {
		t.Errorf("%d bytes are held for %d rows", held, n)
	}
}
