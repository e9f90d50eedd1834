package dedupetest

import (
	"fmt"
	"io"
	"slices"

	"hallpass/dedupe"
)

// Score is precision, recall and their harmonic mean, each from 0 to 1.
type Score struct{ Precision, Recall, F1 float64 }

func score(precision, recall float64) Score {
	s := Score{Precision: precision, Recall: recall}
	if precision+recall > 0 {
		s.F1 = 2 * precision * recall / (precision + recall)
	}
	return s
}

func (s Score) String() string {
	return fmt.Sprintf("P %.4f  R %.4f  F1 %.4f", s.Precision, s.Recall, s.F1)
}

// Band is the pairs that were given a chance between two bounds, in millionths, and how many of them are true.
type Band struct{ From, To, Pairs, True int }

// Quality is how a set of suggestions compares with the truth, if every one of them were accepted.
type Quality struct {
	Pairs, BCubed Score
	TruePairs     int // there are
	Found         int // of the pairs compared, true ones: what blocking lets through
	Compared      int
	Calibration   []Band
	Wrong         int // pairs joined that are not one person
}

// Groups puts each record under the lowest record it is joined with.
func Groups(records []dedupe.Record, suggestions []dedupe.Suggestion) map[int64]int64 {
	root := map[int64]int64{}
	for i := range records {
		root[records[i].ID] = records[i].ID
	}
	find := func(id int64) int64 {
		for root[id] != id {
			id = root[id]
		}
		return id
	}
	for i := range suggestions {
		for _, id := range suggestions[i].Members[1:] {
			a, b := find(suggestions[i].Members[0]), find(id)
			root[max(a, b)] = min(a, b)
		}
	}
	for id := range root {
		root[id] = find(id)
	}
	return root
}

var bands = []int{0, 10_000, 100_000, 500_000, 800_000, 900_000, 950_000, 990_000, 999_000, 1_000_001}

// Measure compares the suggestions of an index with the truth.
func Measure(l Labelled, ix *dedupe.Index, suggestions []dedupe.Suggestion) Quality {
	q := Quality{}
	groups := Groups(l.Records, suggestions)
	q.Pairs, q.BCubed, q.TruePairs, q.Wrong = Compare(l, groups)
	for i := range bands[:len(bands)-1] {
		q.Calibration = append(q.Calibration, Band{From: bands[i], To: bands[i+1]})
	}
	for key, tenths := range ix.Weights {
		chance := dedupe.Chance(tenths)
		band := &q.Calibration[slices.IndexFunc(bands, func(b int) bool { return b > chance })-1]
		band.Pairs++
		q.Compared++
		if l.Truth[key.Lo] == l.Truth[key.Hi] {
			band.True++
			q.Found++
		}
	}
	return q
}

// Compare is pairwise and B-cubed quality of any grouping, how many true pairs there are, and how many were joined
// wrongly.
func Compare(l Labelled, groups map[int64]int64) (pairs, bcubed Score, truePairs, wrong int) {
	type cell struct{ group, person int64 }
	cells, inGroup, ofPerson := map[cell]int{}, map[int64]int{}, map[int64]int{}
	for i := range l.Records {
		id := l.Records[i].ID
		cells[cell{groups[id], l.Truth[id]}]++
		inGroup[groups[id]]++
		ofPerson[l.Truth[id]]++
	}
	choose := func(n int) int { return n * (n - 1) / 2 }
	right, joined := 0, 0
	// Sums over maps: each term is a whole number or is added to what only depends on its own size, so that the order of
	// a map cannot move a digit.
	var precision, recall sums
	for c, n := range cells {
		right += choose(n)
		precision.add(n*n, inGroup[c.group])
		recall.add(n*n, ofPerson[c.person])
	}
	for _, n := range inGroup {
		joined += choose(n)
	}
	for _, n := range ofPerson {
		truePairs += choose(n)
	}
	pairs = score(share(right, joined), share(right, truePairs))
	total := float64(len(l.Records))
	bcubed = score(precision.total()/total, recall.total()/total)
	return pairs, bcubed, truePairs, joined - right
}

// sums adds fractions by their denominator.
type sums map[int]int

func (s *sums) add(num, den int) {
	if *s == nil {
		*s = sums{}
	}
	(*s)[den] += num
}

func (s sums) total() float64 {
	var dens []int
	for den := range s {
		dens = append(dens, den)
	}
	slices.Sort(dens)
	total := 0.0
	for _, den := range dens {
		total += float64(s[den]) / float64(den)
	}
	return total
}

func share(part, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(part) / float64(of)
}

// Print writes the figures out.
func (q Quality) Print(out io.Writer, name string) {
	fmt.Fprintf(out, "  %-22s pairwise %s   B-cubed %s\n", name, q.Pairs, q.BCubed)
	fmt.Fprintf(out, "  %-22s %d true pairs; %d compared, among them %.2f %% of the true ones; %d joined wrongly\n", "", q.TruePairs, q.Compared, 100*share(q.Found, q.TruePairs), q.Wrong)
}

// PrintCalibration writes a table: of the pairs given such a chance, how many are true.
func (q Quality) PrintCalibration(out io.Writer) {
	for _, b := range q.Calibration {
		if b.Pairs > 0 {
			fmt.Fprintf(out, "    given %6.2f – %6.2f %%: %8d pairs, %6.2f %% true\n", float64(b.From)/1e4, min(float64(b.To)/1e4, 100), b.Pairs, 100*share(b.True, b.Pairs))
		}
	}
}
