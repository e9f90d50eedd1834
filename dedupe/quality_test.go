package dedupe_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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
}

// TestDistrict measures a generated district. Its bars are what today's code holds with room to spare: they are there
// to notice a step back, since nobody publishes figures for such data.
func TestDistrict(t *testing.T) {
	l := dedupetest.District(1, 10_000)
	t.Log(l.Name)
	ix, result := suggest(l)
	q := dedupetest.Measure(l, ix, result.Suggestions)
	q.Print(t.Output(), l.Name)
	q.PrintCalibration(t.Output())
}
