package models

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Brakus":                 "brakus",
		"  José   Peña ":         "jose pena",
		"O'Brien":                "obrien",
		"García-López":           "garcia lopez",
		"Łukasz Øster":           "lukasz oster",
		"STRASSE Straße":         "strasse strasse",
		"Nguyễn Thị Đào":         "nguyen thi dao",
		"Ọlájídé":                "olajide",
		"a\x00b\xff":             "ab",
		"محمد":                   "محمد",
		"danny@Lakewood.Example": "danny@lakewood.example",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// What Fold makes one, ids keep apart.
func TestIDKey(t *testing.T) {
	for in, want := range map[string]string{
		" 2024-00931 ": "2024-00931", "T-118": "t-118", "a  B\tc": "a b c", "O'1": "o'1", "É1": "é1", "x\x00y\xff": "xy", "": "", " - ": "-",
	} {
		if got := idKey(in); got != want {
			t.Errorf("idKey(%q) = %q, want %q", in, got, want)
		}
	}
}

// Folding a folded text changes nothing, or a search for what is on screen would miss.
func TestFoldIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := Fold(rapid.String().Draw(t, "text"))
		if twice := Fold(once); twice != once {
			t.Fatalf("%q folds on to %q", once, twice)
		}
	})
}

func TestKeysFitAnIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		long := strings.Repeat(rapid.StringN(1, 20, -1).Draw(t, "part"), 200)
		k := nameKey(long, long, long)
		if id := idKey(long); len(id) > maxKey || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
			t.Fatalf("id of %d bytes, valid %v", len(id), utf8.ValidString(id))
		}
		if len(k) > maxKey || !utf8.ValidString(k) || strings.ContainsRune(k, 0) {
			t.Fatalf("%d bytes, valid %v", len(k), utf8.ValidString(k))
		}
	})
}

func TestShortSurnamesSortFirst(t *testing.T) {
	if a, b := nameKey("Li", "Wei", ""), nameKey("Lima", "Ana", ""); a >= b {
		t.Errorf("%q sorts after %q", a, b)
	}
}
