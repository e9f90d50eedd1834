package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"sort"
	"strconv"
)

// idSpace gives record i of a kind an id that looks like Clever's (24 hex
// digits: seconds, a machine, a counter) and rises with i, so that a cursor
// leads straight back to i.
type idSpace struct {
	start, span uint64 // seconds; ids are spread over [start, start+span)
	n           int
	machine     [10]byte // hex digits
	// first are ids that must be exactly these; they come before start.
	first []string
}

func newIDSpace(seed uint64, kind string, district, n int, start, span uint64) idSpace {
	h := mix(seed, uint64(district)<<32|uint64(len(kind)))
	for _, c := range kind {
		h = mix(h, uint64(c))
	}
	s := idSpace{start: start, span: span, n: n}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], h)
	hex.Encode(s.machine[:], b[:5])
	return s
}

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, v uint64, digits int) []byte {
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

func (s *idSpace) append(b []byte, i int) []byte {
	if i < len(s.first) {
		return append(b, s.first[i]...)
	}
	b = appendHex(b, s.start+uint64(i)*s.span/uint64(s.n), 8)
	b = append(b, s.machine[:]...)
	return appendHex(b, uint64(i)&0xffffff, 6)
}

func (s *idSpace) id(i int) string {
	var buf [24]byte
	return string(s.append(buf[:0], i))
}

// index finds the record that has this id.
func (s *idSpace) index(id string) (int, bool) {
	for i, f := range s.first {
		if f == id {
			return i, true
		}
	}
	if len(id) != 24 || s.n == 0 {
		return 0, false
	}
	t, err := strconv.ParseUint(id[:8], 16, 64)
	if err != nil || t < s.start || t >= s.start+s.span {
		return 0, false
	}
	guess := int((t - s.start) * uint64(s.n) / s.span)
	for i := max(guess-1, len(s.first)); i <= guess+1 && i < s.n; i++ {
		if s.id(i) == id {
			return i, true
		}
	}
	return 0, false
}

// below counts the records whose id is smaller than id, which need not be one
// of ours.
func (s *idSpace) below(id string) int {
	return sort.Search(s.n, func(i int) bool {
		var buf [24]byte
		return string(s.append(buf[:0], i)) >= id
	})
}

// mix is splitmix64 over a seed and a number: the same everywhere, forever.
func mix(seed, n uint64) uint64 {
	z := seed ^ (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
