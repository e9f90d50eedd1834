package dedupetest_test

import (
	"math"
	"testing"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

// TestCompare checks the figures against ones worked out by hand: of people a (1, 2, 3) and b (4, 5), records 1 and 2 are
// rightly joined, and 3 and 4 wrongly.
func TestCompare(t *testing.T) {
	l := dedupetest.Labelled{Truth: map[int64]int64{1: 10, 2: 10, 3: 10, 4: 20, 5: 20}}
	for id := range int64(5) {
		l.Records = append(l.Records, dedupe.Record{ID: id + 1})
	}
	groups := dedupetest.Groups(l.Records, []dedupe.Suggestion{{Members: []int64{1, 2}}, {Members: []int64{3, 4}}})
	pairs, bcubed, truePairs, wrong := dedupetest.Compare(l, groups)
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	near("pairwise precision", pairs.Precision, 1.0/2)
	near("pairwise recall", pairs.Recall, 1.0/4)
	near("pairwise F1", pairs.F1, 1.0/3)
	near("B-cubed precision", bcubed.Precision, (1+1+0.5+0.5+1)/5)
	near("B-cubed recall", bcubed.Recall, (2.0/3+2.0/3+1.0/3+0.5+0.5)/5)
	if truePairs != 4 || wrong != 1 {
		t.Errorf("%d true pairs and %d wrong, want 4 and 1", truePairs, wrong)
	}
}

func TestDistrictIsTheSameForTheSameSeed(t *testing.T) {
	a, b, other := dedupetest.District(9, 200), dedupetest.District(9, 200), dedupetest.District(10, 200)
	if len(a.Records) != len(b.Records) || a.Records[0].Names[0] != b.Records[0].Names[0] || len(a.Truth) != len(a.Records) {
		t.Error("one seed, two districts")
	}
	if a.Records[0].Names[0] == other.Records[0].Names[0] && a.Records[1].Names[0] == other.Records[1].Names[0] {
		t.Error("two seeds, one district")
	}
}
