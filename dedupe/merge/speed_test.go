package merge_test

import (
	"testing"
	"time"

	"hallpass/dedupe/merge"
	"hallpass/models"
)

// TestTenThousandRows says how long the plan, the merge and its way back take for somebody with ten thousand rows. How
// long is for the log: it depends on the machine.
func TestTenThousandRows(t *testing.T) {
	s := newStage(t)
	s.fresh("many")
	s.sync([]models.RosterUser{admin("first"), admin("second"), teacher("one", "school-1"), staff("two", "school-1")}, []models.RosterSection{section("a", "school-1", "one")})
	one, two, first, second := s.user("one"), s.user("two"), s.user("first"), s.user("second")
	s.exec(`INSERT INTO sections (district_id, clever_id, school_id, name_key, created_at, changed_at) SELECT $1, 'many-' || n, (SELECT min(id) FROM schools WHERE district_id = $1), '', now(), now() FROM generate_series(1, 10000) n`, s.district)
	s.exec(`INSERT INTO section_teachers SELECT $1, id, $2, true FROM sections WHERE district_id = $1 AND clever_id LIKE 'many-%'`, s.district, two)
	s.exec(`ANALYZE`) // as after a sync
	r := merge.Request{Members: []int64{one, two}, Keep: one}
	before := s.dump()
	begun := time.Now()
	_, hash := s.look(first, r)
	looked := time.Since(begun)
	d, err := s.apply(first, r, hash, token())
	if err != nil {
		t.Fatal(err)
	}
	r.Proposal = d.Merge.ID
	_, hash = s.look(second, r)
	begun = time.Now()
	if d, err = s.apply(second, r, hash, token()); err != nil {
		t.Fatal(err)
	}
	merged := time.Since(begun)
	begun = time.Now()
	back, _, err := s.unmerge(second, d.Merge.ID, nil)
	if err != nil || len(back.Differs) > 0 {
		t.Fatalf("%d rows differ, %v", len(back.Differs), err)
	}
	t.Logf("10,000 rows: plan %v, merge %v, plan and taking back %v", looked, merged, time.Since(begun))
	if s.dump() != before {
		t.Error("not as before")
	}
}
