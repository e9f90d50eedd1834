package dedupe

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// undecomposed are letters that Unicode does not split into letter and accent, as people type them without the right
// keyboard.
var undecomposed = strings.NewReplacer("ß", "ss", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ı", "i", "ħ", "h")

// fold makes names comparable: lower case, no accents or apostrophes, everything else that is neither letter nor digit
// as single spaces.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space, plain := false, true
	text := s
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			text, plain = norm.NFKD.String(strings.ToLower(norm.NFKC.String(s))), false
			break
		}
	}
	for _, r := range text {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == 'ʼ', r == '‘', r == '`', r == utf8.RuneError, r == 0:
		default:
			space = true
		}
	}
	if plain {
		return b.String()
	}
	return undecomposed.Replace(b.String())
}

// foldID makes numbers comparable: lower case, letters and digits alone, no leading zeros, and nothing at all for the
// words people write where there is no number.
func foldID(s string) string {
	s = strings.TrimLeft(strings.ReplaceAll(fold(s), " ", ""), "0")
	switch s {
	case "na", "none", "null", "nil", "unknown", "tbd", "test", "temp":
		return ""
	}
	return s
}

// suffixes by how people write them. "Sr" means Señor in front of a Spanish name and is one only behind it.
var suffixes = map[string]string{
	"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "2nd": "ii", "iii": "iii", "3rd": "iii", "iv": "iv", "4th": "iv",
}

var titles = []string{"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sra", "srta", "sr", "coach"}

// particles stand in front of surnames and name nobody by themselves.
var particles = []string{"de", "del", "la", "las", "los", "el", "da", "das", "do", "dos", "di", "du", "van", "von", "der", "den", "ter", "y", "e", "st", "al", "bin", "ibn"}

// name is a Name made comparable.
type name struct {
	given, middle, surname, suffix string
	canon                          []string // given name and whatever it may be short for, ascending
	parts                          []string // of the surname, without particles, in order

	// Set by the model.
	givenRare, surnameRare   int16   // tenths of a bit that agreement is worth
	partRare                 []int16 // of each part
	givenKnown, surnameKnown bool    // a name that others have too, and so hardly a slip of the pen
}

func newName(n Name) name {
	out := name{suffix: suffixes[fold(n.Suffix)]}
	given := strings.Fields(fold(n.Given))
	for len(given) > 1 && slices.Contains(titles, given[0]) {
		given = given[1:]
	}
	given = out.dropSuffix(given)
	surname := out.dropSuffix(strings.Fields(fold(n.Surname)))
	middle := out.dropSuffix(strings.Fields(fold(n.Middle)))
	if len(middle) == 0 && len(given) == 2 && utf8.RuneCountInString(given[1]) == 1 { // "Maria L": a middle initial
		given, middle = given[:1], given[1:]
	}
	out.given, out.middle, out.surname = strings.Join(given, " "), strings.Join(middle, " "), strings.Join(surname, " ")
	for _, part := range surname {
		if !slices.Contains(particles, part) {
			out.parts = append(out.parts, part)
		}
	}
	if len(out.parts) == 0 {
		out.parts = surname
	}
	out.canon = canonical(out.given)
	return out
}

// dropSuffix takes a generation's suffix off the end of a name's part.
func (n *name) dropSuffix(words []string) []string {
	if len(words) > 1 {
		if suffix := suffixes[words[len(words)-1]]; suffix != "" {
			if n.suffix == "" {
				n.suffix = suffix
			}
			return words[:len(words)-1]
		}
	}
	return words
}

func (n *name) empty() bool { return n.given == "" && n.surname == "" }

// initial is the first letter, or 0.
func initial(s string) rune {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return 0
	}
	return r
}
