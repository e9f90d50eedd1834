package dedupe_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hallpass/dedupe"
)

// TestMostWrong knows the bounds for large batches, 1 - 0.05^(1/n), and small ones that can be counted by hand.
func TestMostWrong(t *testing.T) {
	const large = 1_000_000
	for n, percent := range map[int]float64{59: 5, 99: 3, 149: 2, 299: 1} {
		if got := float64(dedupe.MostWrong(large, n, 0)) / large * 100; got > percent || got < percent*0.97 {
			t.Errorf("none wrong of %d: at most %.3f %%, want just below %.0f", n, got, percent)
		}
	}
	for _, c := range []struct{ batch, drawn, wrong, want int }{
		{10, 10, 3, 3}, // all were read
		{10, 0, 0, 10}, // none was
		{0, 0, 0, 0},
		{10, 10, 0, 0},
		{20, 19, 0, 1},   // with one wrong, the chance to leave out just that one is 1 in 20
		{20, 10, 10, 20}, // whatever was drawn was wrong
		{3, 1, 0, 2},
	} {
		if got := dedupe.MostWrong(c.batch, c.drawn, c.wrong); got != c.want {
			t.Errorf("MostWrong(%d, %d, %d) = %d, want %d", c.batch, c.drawn, c.wrong, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		batch := rapid.IntRange(1, 400).Draw(t, "batch")
		drawn := rapid.IntRange(0, batch).Draw(t, "drawn")
		wrong := rapid.IntRange(0, drawn).Draw(t, "wrong")
		got := dedupe.MostWrong(batch, drawn, wrong)
		if got < wrong || got > batch-(drawn-wrong) && drawn > 0 {
			t.Fatalf("of %d, %d drawn, %d wrong: at most %d?", batch, drawn, wrong, got)
		}
		if wrong < drawn && dedupe.MostWrong(batch, drawn, wrong+1) < got {
			t.Fatalf("of %d, %d drawn: one more wrong lowers the bound", batch, drawn)
		}
	})
}

func TestSampleSize(t *testing.T) {
	if n, worth := dedupe.SampleSize(1_000_000, 10_000); n != 298 || !worth { // one fewer than with putting back
		t.Errorf("a million at 1 %%: %d, %t", n, worth)
	}
	if n, worth := dedupe.SampleSize(40, 10_000); worth {
		t.Errorf("forty at 1 %%: reading %d is taken to be worth it", n)
	}
	n, _ := dedupe.SampleSize(500, 20_000)
	if dedupe.MostWrong(500, n, 0) > 10 || dedupe.MostWrong(500, n-1, 0) <= 10 {
		t.Errorf("500 at 2 %%: %d is not the least", n)
	}
}

func TestDraw(t *testing.T) {
	a, b := dedupe.Draw(100, 20, 1), dedupe.Draw(100, 20, 2)
	if !slices.Equal(a, dedupe.Draw(100, 20, 1)) || slices.Equal(a, b) {
		t.Errorf("draws %v and %v", a, b)
	}
	slices.Sort(a)
	if len(slices.Compact(a)) != 20 || a[0] < 0 || a[19] > 99 {
		t.Errorf("drew %v", a)
	}
	hits := make([]int, 10)
	for seed := range uint64(2000) {
		for _, at := range dedupe.Draw(10, 3, seed) {
			hits[at]++
		}
	}
	for at, n := range hits {
		if n < 500 || n > 700 {
			t.Errorf("place %d is drawn %d times of 600", at, n)
		}
	}
}
