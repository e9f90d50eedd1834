package dedupe_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

// labelled opens one of the labelled files that lie beside the repository.
func labelled(t *testing.T, name string) *os.File {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "shared", "data", "linkage", name))
	if errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("labelled data are missing: %v", err)
		}
		t.Skipf("labelled data are not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func suggest(l dedupetest.Labelled) (*dedupe.Index, dedupe.Result) {
	ix := dedupe.NewIndex(dedupe.Learn(l.Records), l.Records)
	return ix, ix.Suggest(dedupe.Options{})
}

func TestFebrl3(t *testing.T) {
	l, err := dedupetest.Febrl("febrl_dataset3", labelled(t, "febrl_dataset3.csv"))
	if err != nil {
		t.Fatal(err)
	}
	ix, result := suggest(l)
	q := dedupetest.Measure(l, ix, result.Suggestions)
	q.Print(t.Output(), l.Name)
	q.PrintCalibration(t.Output())
	if q.Pairs.F1 < 0.99 {
		t.Errorf("pairwise F1 %.4f, want 0.99 at least", q.Pairs.F1)
	}
	again, second := suggest(l)
	if got := dedupetest.Measure(l, again, second.Suggestions); !reflect.DeepEqual(got, q) || !reflect.DeepEqual(second, result) {
		t.Errorf("a second run says otherwise: %+v, before %+v", got, q)
	}
}

func TestFake1000(t *testing.T) {
	l, err := dedupetest.Splink("fake_1000", labelled(t, "splink_fake_1000.csv"))
	if err != nil {
		t.Fatal(err)
	}
	ix, result := suggest(l)
	q := dedupetest.Measure(l, ix, result.Suggestions)
	q.Print(t.Output(), l.Name)
	q.PrintCalibration(t.Output())
	if q.Pairs.Precision < 0.98 || q.Pairs.Recall < 0.85 {
		t.Errorf("%s, want a precision of 0.98 and a recall of 0.85 at least", q.Pairs)
	}
}

// TestDistrict measures a generated district. Nobody publishes figures for such data: the bars are what the code holds
// with room to spare, to notice a step back, and that hardly anything offered for acceptance in bulk is wrong.
func TestDistrict(t *testing.T) {
	l := dedupetest.District(1, 10_000)
	t.Log(l.Name)
	ix, result := suggest(l)
	q := dedupetest.Measure(l, ix, result.Suggestions)
	q.Print(t.Output(), l.Name)
	q.PrintCalibration(t.Output())
	if q.Pairs.F1 < 0.95 || q.BCubed.F1 < 0.99 {
		t.Errorf("pairwise F1 %.4f and B-cubed %.4f, want 0.95 and 0.99 at least", q.Pairs.F1, q.BCubed.F1)
	}
	bulk, wrong := 0, 0
	for _, s := range result.Suggestions {
		if !s.Bulk() {
			continue
		}
		bulk++
		if slices.ContainsFunc(s.Members, func(id int64) bool { return l.Truth[id] != l.Truth[s.Members[0]] }) {
			wrong++
		}
	}
	if bulk < 500 || wrong*500 > bulk {
		t.Errorf("of %d suggestions for bulk %d are wrong, want one in 500 at most", bulk, wrong)
	}
	for _, band := range q.Calibration {
		if band.From >= 900_000 && band.True*100 < band.Pairs*80 {
			t.Errorf("of %d pairs given %d to %d millionths %d are true", band.Pairs, band.From, band.To, band.True)
		}
	}
}

// TestFebrl3WithoutItsNumber is the harder half: the social security number settles most of the file by itself.
func TestFebrl3WithoutItsNumber(t *testing.T) {
	l, err := dedupetest.Febrl("febrl_dataset3 without its number", labelled(t, "febrl_dataset3.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.Records {
		l.Records[i].Numbers = nil
	}
	ix, result := suggest(l)
	q := dedupetest.Measure(l, ix, result.Suggestions)
	q.Print(t.Output(), l.Name)
	if q.Pairs.F1 < 0.99 {
		t.Errorf("pairwise F1 %.4f, want 0.99 at least", q.Pairs.F1)
	}
}
