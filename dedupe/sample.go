package dedupe

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// Suggestions are accepted in bulk on the word of a sample: some are drawn, read without their weights, and the rest
// follow only if few enough can be wrong. doubt is what remains: one time in twenty more are wrong than the bound says.
const doubt = 0.05

// MostWrong is how many suggestions of a batch can be wrong, at 95 % confidence, when so many of those drawn from it
// were: the largest number with which no more than these would turn up at least one time in twenty. It is exact for
// drawing without putting back. All of the batch can be wrong when nothing was drawn.
func MostWrong(batch, drawn, wrong int) int {
	wrong = min(max(wrong, 0), drawn)
	if batch <= 0 || drawn <= 0 {
		return max(batch, 0)
	}
	if drawn >= batch {
		return min(wrong, batch)
	}
	// The more are wrong, the less likely so few of them are drawn.
	most := batch - (drawn - wrong)
	return wrong + sort.Search(most-wrong, func(more int) bool { return fewDrawn(batch, drawn, wrong, wrong+more+1) < doubt })
}

// fewDrawn is the chance to draw at most so many wrong ones out of a batch with bad of them.
func fewDrawn(batch, drawn, wrong, bad int) float64 {
	sum := 0.0
	for x := max(0, drawn-(batch-bad)); x <= min(wrong, bad); x++ {
		sum += math.Exp(choose(bad, x) + choose(batch-bad, drawn-x) - choose(batch, drawn))
	}
	return sum
}

// choose is the natural logarithm of the binomial coefficient.
func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// SampleSize is how many of a batch to draw so that, if none of them is wrong, at most limit millionths of the batch
// can be. worth is false where that is more than half the batch: then it is better to read all of them.
func SampleSize(batch, limit int) (n int, worth bool) {
	n = sort.Search(batch, func(n int) bool {
		return MostWrong(batch, n, 0)*million <= limit*batch
	})
	return n, n*2 <= batch
}

// Draw picks n places out of a batch, in the order to show them. The same seed gives the same draw, which is stored
// with the answers; a new batch wants a new seed.
func Draw(batch, n int, seed uint64) []int {
	n = min(max(n, 0), batch)
	type lot struct {
		at    int
		value uint64
	}
	lots := make([]lot, batch)
	for i := range lots {
		lots[i] = lot{i, scatter(scatter(seed) ^ uint64(i))}
	}
	slices.SortFunc(lots, func(a, b lot) int { return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.at, b.at)) })
	out := make([]int, n)
	for i := range out {
		out[i] = lots[i].at
	}
	return out
}
