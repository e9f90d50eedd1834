package dedupe

import (
	"math"
	"unicode/utf8"

	"github.com/adrg/strutil/metrics"
	"github.com/agnivade/levenshtein"
)

var winkler = metrics.NewJaroWinkler()

// alike reports whether two texts have at least so many thousandths of Jaro-Winkler similarity. Whole numbers make the
// threshold the same on every processor, and the order of the two makes no difference.
func alike(a, b string, thousandths int) bool {
	if a > b {
		a, b = b, a
	}
	if highest(a, b) < thousandths {
		return false
	}
	return int(math.Round(winkler.Compare(a, b)*1000)) >= thousandths
}

// highest is a bound in thousandths that the similarity does not exceed, from the letters that the two have in common
// wherever they stand. It settles most pairs without looking further.
func highest(a, b string) int {
	if a == "" || b == "" {
		return 1000
	}
	var have [utf8.RuneSelf]int8
	for i := range len(a) {
		if a[i] >= utf8.RuneSelf || len(a) > 100 {
			return 1000
		}
		have[a[i]]++
	}
	common := 0
	for i := range len(b) {
		if b[i] >= utf8.RuneSelf {
			return 1000
		}
		if have[b[i]] > 0 {
			have[b[i]]--
			common++
		}
	}
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	jaro := (common*1000/len(a) + common*1000/len(b) + 1000 + 2) / 3
	return jaro + (1000-jaro)*prefix/10 + 2 // roundings go upwards
}

// slip reports whether one letter was mistyped, left out, added, or swapped with its neighbour.
func slip(a, b string) bool {
	if diff := len(a) - len(b); diff > 4 || diff < -4 || a == b { // a letter has at most four bytes
		return false
	}
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	for back := 1; back <= min(len(a), len(b))-same && a[len(a)-back] == b[len(b)-back]; back++ {
		same++
	}
	if max(len(a), len(b))-same > 2*4 {
		return false // spares most pairs the work
	}
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > 1 || len(y)-len(x) > 1 {
		return false
	}
	if len(x) != len(y) {
		return levenshtein.ComputeDistance(a, b) == 1
	}
	for len(x) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(x) == 1 || len(x) == 2 && x[0] == y[1] && x[1] == y[0]
}

// near reports whether two names may be one by a slip of the pen: very alike, or a single slip in at least four letters.
func near(a, b string, thousandths int) bool {
	if initial(a) != initial(b) && len(a) < 5 {
		return false
	}
	return len(a) >= 4 && len(b) >= 4 && slip(a, b) || alike(a, b, thousandths)
}
