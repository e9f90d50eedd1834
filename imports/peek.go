package imports

import (
	"bufio"
	"bytes"
	"io"
)

// peeker tells what a text begins with.
type peeker struct{ *bufio.Reader }

func newPeeker(r io.Reader) peeker { return peeker{bufio.NewReaderSize(r, 64<<10)} }

// json reports that the text begins as JSON does.
func (p peeker) json() bool {
	head, _ := p.Peek(512) // what there is
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}
