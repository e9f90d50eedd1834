package models

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxKey is the longest sort or id key in bytes. A B-tree refuses entries over about 2,700; people further apart
// than this sort by id.
const maxKey = 600

// letters that Unicode does not decompose, as people type them without the right keyboard.
var plain = strings.NewReplacer("ß", "ss", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ı", "i", "ħ", "h")

// Fold makes text comparable for people: lower case, no accents, hyphens as spaces, no apostrophes, single spaces.
func Fold(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFKD.String(strings.ToLower(norm.NFKC.String(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == 'ʼ', r == '‘', r == 0, r == utf8.RuneError:
		case unicode.IsSpace(r), r == '-', r == '‐', r == '–':
			space = b.Len() > 0
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(r)
		}
	}
	return plain.Replace(b.String())
}

// isPlain spares the common case, a name already folded, the work.
func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf || c < '!' || c == '-' || c == '\'' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// key folds and cuts s to what an index can hold, never within a letter.
func key(s string) string { return cut(Fold(s), maxKey) }

// idKey makes ids comparable: lower case, trimmed, single spaces. Everything else, hyphens above all, tells ids apart.
func idKey(s string) string {
	s = strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(s, "")))
	return cut(strings.Join(strings.Fields(strings.ReplaceAll(s, "\x00", "")), " "), maxKey)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// nameKey sorts people by last, first, middle name. A contact has only a last name, which is the whole name. The
// separator sorts before every letter, so that "Li, Wei" comes before "Lima, Ana".
func nameKey(last, first, middle string) string {
	return cut(Fold(last)+"\x01"+Fold(first)+"\x01"+Fold(middle), maxKey)
}

// searchDoc is what a person's search row holds: a space before each word, so that short words can be matched at
// word starts.
func searchDoc(first, middle, last, email string) string {
	var b strings.Builder
	for _, part := range []string{first, middle, last, email} {
		if part = Fold(part); part != "" {
			b.WriteByte(' ')
			b.WriteString(part)
		}
	}
	return b.String()
}
