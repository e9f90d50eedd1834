package dedupe

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLog2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Uint64Range(1, 1<<53).Draw(t, "x")
		if got, want := log2(x), math.Log2(float64(x))*10; math.Abs(float64(got)-want) > 0.5+1e-9 {
			t.Fatalf("log2(%d) = %d tenths, want %.3f", x, got, want)
		}
	})
	for whole := range 64 {
		if got := log2(1 << whole); got != 10*whole {
			t.Errorf("log2(2^%d) = %d tenths", whole, got)
		}
	}
}

// TestHighestIsABound matters because what lies below a threshold by the bound is never looked at again.
func TestHighestIsABound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.SampledFrom([]rune("abcdeé")), 0, 12, -1)
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if is, bound := int(math.Round(winkler.Compare(min(a, b), max(a, b))*1000)), highest(a, b); is > bound {
			t.Fatalf("%q and %q are alike by %d thousandths, and the bound is %d", a, b, is, bound)
		}
		if alike(a, b, 900) != alike(b, a, 900) || slip(a, b) != slip(b, a) {
			t.Fatalf("%q and %q compare differently the other way round", a, b)
		}
	})
}

func TestSlip(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"74002", "74020", true},
		{"74002", "7402", true},
		{"74002", "740012", true},
		{"74002", "74003", true},
		{"74002", "74002", false},
		{"74002", "74213", false},
		{"нина", "нинa", true}, // the last letter is Latin
		{"núñez", "nuñez", true},
		{"núñez", "nunez", false},
		{"", "a", true},
		{"ab", "ba", true},
		{"abcd", "bcda", false},
	} {
		if got := slip(c.a, c.b); got != c.want {
			t.Errorf("slip(%q, %q) = %t", c.a, c.b, got)
		}
	}
}

func TestSoundsAlike(t *testing.T) {
	for _, pair := range [][2]string{
		{"catherine", "katherine"},
		{"philips", "phillips"},
		{"schmidt", "schmit"},
		{"vasquez", "basques"},
		{"knight", "night"},
		{"wright", "right"},
		{"sanchez", "sanches"},
		{"gonzalez", "gonzales"},
		{"macdonald", "mcdonald"},
	} {
		if a, b := sound(pair[0]), sound(pair[1]); a != b {
			t.Errorf("%s sounds %q, %s %q", pair[0], a, pair[1], b)
		}
	}
	if sound("smith") == sound("jones") || sound("шевченко") == sound("коваленко") {
		t.Error("everything sounds alike")
	}
}

// TestTables reads what was typed in by hand.
func TestTables(t *testing.T) {
	for name, table := range map[string]map[string]int{"surnames": surnameShares(), "given names": givenShares()} {
		sum := 0
		for value, ppm := range table {
			sum += ppm
			if fold(value) != value || ppm < 500 || ppm > 20_000 {
				t.Errorf("%s: %q with %d in a million", name, value, ppm)
			}
		}
		if len(table) != 100 || sum > 500_000 {
			t.Errorf("%s: %d names of %d in a million", name, len(table), sum)
		}
	}
	full := map[string]bool{}
	for line := range strings.Lines(nicknameTable) {
		line = strings.TrimSpace(line)
		name, short, ok := strings.Cut(line, ":")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		if full[name] {
			t.Errorf("%q stands on two lines", name)
		}
		full[name] = true
		forms := strings.Fields(short)
		if len(forms) == 0 || slices.Contains(forms, name) {
			t.Errorf("%q has odd forms %v", name, forms)
		}
		for _, form := range append(forms, name) {
			if fold(form) != form {
				t.Errorf("%q of %q is not folded", form, name)
			}
		}
	}
	if len(full) < 250 {
		t.Errorf("%d names with short forms", len(full))
	}
}
