package dedupe_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

// screened goes through the pairs that Around finds of records that share no strong block, and counts those that the
// screen loses. met counts the pairs in weak blocks, passed those it lets through.
func screened(m *dedupe.Model, records []dedupe.Record, o dedupe.Options) (lost []dedupe.PairKey, met, passed int) {
	strong, blocks := map[uint64]map[int]bool{}, map[uint64]map[int]bool{}
	for i := range records {
		for _, key := range dedupe.Keys(&records[i]) {
			in := blocks
			if key.Block.Strong() {
				in = strong
			}
			if in[key.Hash] == nil {
				in[key.Hash] = map[int]bool{}
			}
			in[key.Hash][i] = true
		}
	}
	known := make([]dedupe.Record, len(records))
	for i, r := range records {
		known[i] = dedupe.Record{ID: r.ID, District: r.District, Names: r.Names, Emails: r.Emails}
	}
	ix := dedupe.NewIndex(m, records)
	for i := range records {
		found := map[int64]bool{}
		for _, p := range ix.Around(&records[i], o) {
			found[p.Lo+p.Hi-records[i].ID] = true
		}
		near, sure := map[int]bool{}, map[int]bool{}
		for _, key := range dedupe.Keys(&records[i]) {
			maps.Copy(sure, strong[key.Hash])
			maps.Copy(near, blocks[key.Hash])
		}
		screen := m.Screen(&records[i], o)
		for _, j := range slices.Sorted(maps.Keys(near)) {
			if sure[j] || j == i {
				continue
			}
			met++
			if screen(&known[j]) {
				passed++
			} else if found[records[j].ID] {
				lost = append(lost, dedupe.Key(records[i].ID, records[j].ID))
			}
		}
	}
	return lost, met, passed
}

// What the screen keeps back would never have been suggested.
func TestScreenLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, decisions := drawDistrict(t)
		m := dedupe.Learn(records)
		for _, floor := range []int{0, -40, -200} {
			if lost, _, _ := screened(m, records, dedupe.Options{Decisions: decisions, Floor: floor}); len(lost) > 0 {
				t.Fatalf("floor %d: lost %v", floor, lost)
			}
		}
	})
}

func TestScreenSparesMostReading(t *testing.T) {
	traps := dedupetest.Traps()
	records, decisions := dedupetest.Plant(dedupetest.District(1, 2000), traps)
	lost, met, passed := screened(dedupe.Learn(records), records, dedupe.Options{Decisions: decisions})
	if len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	if met < 5_000 || passed*4 > met {
		t.Errorf("%d of %d people met in blocks of names pass", passed, met)
	}
}
