package dedupe_test

import (
	"testing"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

func TestTraps(t *testing.T) {
	for _, seed := range []uint64{1, 7} {
		district := dedupetest.District(seed, 2000)
		t.Log(district.Name)
		traps := dedupetest.Traps()
		records, decisions := dedupetest.Plant(district, traps)
		ix := dedupe.NewIndex(dedupe.Learn(records), records)
		for _, err := range dedupetest.Sprung(records, traps, ix.Suggest(dedupe.Options{Decisions: decisions})) {
			t.Error(err)
		}
	}
}
