package imports

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings a file may come in.
const (
	UTF8    = "utf-8"
	UTF16LE = "utf-16le"
	UTF16BE = "utf-16be"
	Latin1  = "latin-1" // Windows-1252, which has all letters of Latin-1
)

// Files that are no text at all.
var (
	errSpreadsheet = errors.New("spreadsheet")
	errArchive     = errors.New("archive")
	errBinary      = errors.New("binary")
)

// decoded is a file as UTF-8.
type decoded struct {
	io.Reader
	encoding func() string // known for certain only at the file's end
	invalid  func() bool   // UTF-8 that is not: such letters have become U+FFFD
}

// decode finds out how a file is encoded: by its first bytes, or else by the first byte that is not UTF-8. Up to that
// byte the file is ASCII, which is the same in both, or it would not be Latin-1 either.
func decode(r io.Reader) (decoded, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return decoded{}, err
	}
	fixed := func(name string, r io.Reader) (decoded, error) {
		return decoded{r, func() string { return name }, func() bool { return false }}, nil
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return fixed(UTF16LE, transform.NewReader(b, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()))
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return fixed(UTF16BE, transform.NewReader(b, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		if bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("xl/")) || bytes.Contains(head, []byte("mimetype")) {
			return decoded{}, errSpreadsheet
		}
		return decoded{}, errArchive
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return decoded{}, errSpreadsheet
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return decoded{}, errArchive
	case bytes.IndexByte(head, 0) >= 0:
		return decoded{}, errBinary
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3) // just peeked at
	}
	g := &guess{}
	return decoded{transform.NewReader(b, g), func() string {
		if g.latin {
			return Latin1
		}
		return UTF8
	}, func() bool { return g.invalid }}, nil
}

// guess passes UTF-8 through until it meets what is none. Where no letter beyond ASCII came before, the file is read as
// Windows-1252 from there on; where one did, it is UTF-8 with a broken letter.
type guess struct {
	latin, beyond, invalid bool
}

func (g *guess) Reset() { *g = guess{} }

func (g *guess) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		c := src[nSrc]
		switch {
		case c < utf8.RuneSelf:
			if nDst >= len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			dst[nDst] = c
			nDst, nSrc = nDst+1, nSrc+1
			continue
		case nDst+utf8.UTFMax > len(dst):
			return nDst, nSrc, transform.ErrShortDst
		case g.latin:
			nDst += utf8.EncodeRune(dst[nDst:], charmap.Windows1252.DecodeByte(c))
			nSrc++
			continue
		case !atEOF && !utf8.FullRune(src[nSrc:]):
			return nDst, nSrc, transform.ErrShortSrc
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		switch {
		case r != utf8.RuneError || size > 1:
			g.beyond = true
			nDst += copy(dst[nDst:], src[nSrc:nSrc+size])
			nSrc += size
		case g.beyond:
			g.invalid = true
			nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
			nSrc++
		default:
			g.latin = true
		}
	}
	return nDst, nSrc, nil
}
