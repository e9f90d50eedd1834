package imports

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// maxRecord bounds one record of a file in bytes. A quote that is never closed makes a record of all that follows.
const maxRecord = 1 << 20

var errRecord = errors.New("record too long")

// watched remembers the end of what was read, so that a place in it can be told as line and column, and refuses to read
// on within one record that grows beyond any.
type watched struct {
	from  io.Reader
	kept  []byte // the last bytes
	read  int64  // bytes so far
	mark  int64  // where the record in hand began
	line  int64  // of the first byte of kept, from 1
	last  byte
	ended bool
}

func watch(r io.Reader) *watched { return &watched{from: r, line: 1} }

func (w *watched) Read(p []byte) (int, error) {
	if w.read-w.mark > maxRecord {
		return 0, errRecord
	}
	n, err := w.from.Read(p)
	if n > 0 {
		w.last = p[n-1]
		w.kept = append(w.kept, p[:n]...)
		w.read += int64(n)
		if drop := len(w.kept) - 2*maxRecord; drop > maxRecord { // now and then, and much at once
			w.line += int64(bytes.Count(w.kept[:drop], []byte{'\n'}))
			w.kept = append(w.kept[:0], w.kept[drop:]...)
		}
	}
	w.ended = w.ended || errors.Is(err, io.EOF)
	return n, err
}

// begin notes that a record begins at the offset.
func (w *watched) begin(offset int64) { w.mark = offset }

// place tells an offset as line and column, in characters, both from 1.
func (w *watched) place(offset int64) (line int64, col int) {
	at := int(offset - (w.read - int64(len(w.kept))))
	at = min(max(at, 0), len(w.kept))
	before := w.kept[:at]
	line = w.line + int64(bytes.Count(before, []byte{'\n'}))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// column tells the n-th byte, from 1, of the line that ends before the offset as a column in characters.
func (w *watched) column(end int64, n int) int {
	at := int(end - (w.read - int64(len(w.kept))))
	at = min(max(at, 0), len(w.kept))
	line := bytes.TrimSuffix(w.kept[:at], []byte{'\n'})
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	return 1 + utf8.RuneCount(line[:min(max(n-1, 0), len(line))])
}
