package dedupe

import "strings"

// sound is a rough code of how a folded name is said, for finding candidates and never for judging them: names that
// sound alike to an English or a Spanish ear mostly share it. Vowels count at the beginning only, and five consonants
// are enough. Letters of other scripts stand for themselves.
func sound(s string) string {
	s = digraphs.Replace(strings.ReplaceAll(s, " ", ""))
	var out []rune
	var before rune
	letters := []rune(s)
	for i, r := range letters {
		code := r
		switch r {
		case 'a', 'e', 'i', 'o', 'u', 'y':
			if i > 0 {
				before = 0
				continue
			}
			code = 'a'
		case 'h', 'w':
			if i > 0 {
				continue
			}
		case 'c':
			code = 'k'
			if i+1 < len(letters) && strings.ContainsRune("eiy", letters[i+1]) {
				code = 's'
			}
		case 'q', 'g':
			code = 'k'
		case 'j':
			code = 'j'
		case 'z', 'x':
			code = 's'
		case 'v', 'p':
			code = 'b'
		case 'd':
			code = 't'
		case 'm':
			code = 'n'
		}
		if code != before {
			out = append(out, code)
		}
		if before = code; len(out) == 5 {
			break
		}
	}
	return string(out)
}

var digraphs = strings.NewReplacer("ph", "f", "gh", "g", "kn", "n", "wr", "r", "sch", "s", "sh", "s", "ch", "k", "ck", "k", "ll", "l", "qu", "k", "tz", "s", "th", "t")
