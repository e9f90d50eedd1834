package merge_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hallpass/dedupe/merge"
	"hallpass/models"
)

// suggest writes a suggestion that nothing keeps from being accepted with others, whatever its people are.
func (s *stage) suggest(class string, n int, members ...int64) models.BulkItem {
	s.t.Helper()
	slices.Sort(members)
	i := models.BulkItem{N: n, Fingerprint: fmt.Sprintf("%d-%d-%v", s.district, n, members), Members: members, KeepID: members[0]}
	err := s.conn.QueryRow(context.Background(), `INSERT INTO suggestions (district_id, class, fingerprint, keep_id, tenths, chance, risk, bulk, school_ids, evidence, created_at, changed_at)
		VALUES ($1, $2, $3, $4, 300, 999900, 0, true, '{}', '{}', $5, $5) RETURNING id`, s.district, class, i.Fingerprint, i.KeepID, *s.now).Scan(&i.CaseID)
	if err != nil {
		s.t.Fatal(err)
	}
	s.exec(`INSERT INTO suggestion_members SELECT $1, $2, unnest($3::bigint[])`, s.district, i.CaseID, members)
	return i
}

// bulk begins a batch as somebody and works on it.
func (s *stage) bulk(by int64, class string, items ...models.BulkItem) models.Bulk {
	s.t.Helper()
	var b models.Bulk
	err := s.as(by).Write(s.t.Context(), func(tx *models.Tx) (err error) {
		b, err = tx.CreateBulk(s.t.Context(), class, 7, items)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.work(b.ID)
	b, _ = s.bulkNow(b.ID)
	return b
}

func (s *stage) work(id int64) {
	s.t.Helper()
	if err := merge.Bulk(s.t.Context(), s.store, s.district, id); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) bulkNow(id int64) (b models.Bulk, items []models.BulkItem) {
	s.t.Helper()
	s.read(func(tx *models.Tx) (err error) {
		if b, err = tx.Bulk(s.t.Context(), id); err == nil {
			items, err = tx.BulkItems(s.t.Context(), id)
		}
		return err
	})
	return b, items
}

// move sets a batch to work, as its page does.
func (s *stage) move(by int64, b models.Bulk, to models.BulkState) {
	s.t.Helper()
	err := s.as(by).Write(s.t.Context(), func(tx *models.Tx) error {
		from := b.State
		b.State, b.UndoneBy = to, &by
		return tx.MoveBulk(s.t.Context(), b, from)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// On random districts, whatever a batch is made of: no two people whom a rule keeps apart are merged, nor any that take a
// second person; and taking the batch back leaves every row of every table as it was.
func TestBulkKeepsTheRulesAndComesApart(t *testing.T) {
	s := newStage(t)
	number, merged, left := 0, 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		number++
		s.fresh(fmt.Sprint("bulk-", number))
		people := s.draw(rt)
		people = append(people, s.imported(7), s.imported(8), s.imported(9))
		first, second := s.user("first"), s.user("second")
		s.write(func(tx *models.Tx) error {
			_, err := tx.WriteUsers(t.Context(), []models.RosterUser{{CleverID: "pupil", First: "Theo", Last: "Pupil", Grants: []models.RosterGrant{{Role: "student"}}}, {CleverID: "parent", Last: "Pupil, Gina", Grants: []models.RosterGrant{{Role: "contact"}}}}, &models.Seen{})
			return err
		})
		everybody := append(slices.Clone(people), first, second, s.user("pupil"), s.user("parent"))
		var items []models.BulkItem
		for i := range rapid.IntRange(1, 6).Draw(rt, "cases") {
			members := rapid.SliceOfNDistinct(rapid.SampledFrom(everybody), 2, 3, func(id int64) int64 { return id }).Draw(rt, "members")
			items = append(items, s.suggest("A", i+1, members...))
		}
		never := map[[2]int64]bool{}
		for range rapid.IntRange(0, 3).Draw(rt, "different") {
			pair := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 2, 2, func(id int64) int64 { return id }).Draw(rt, "pair")
			slices.Sort(pair)
			if key := [2]int64{pair[0], pair[1]}; !never[key] {
				never[key] = true
				s.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, decided_at) VALUES ($1, $2, $3, 'different', $4)`, s.district, pair[0], pair[1], *s.now)
			}
		}
		before := s.dump()
		b := s.bulk(first, "A", items...)
		if b.State == models.BulkReady {
			if s.dump() != before {
				rt.Fatal("planning moved something")
			}
			s.move(first, b, models.BulkApplying)
			s.work(b.ID)
		}
		b, now := s.bulkNow(b.ID)
		for _, i := range now {
			if i.State == models.ItemLeft {
				left[i.Why]++
			}
			if i.State == models.ItemMerged {
				merged++
			}
		}
		home := map[int64][]int64{}
		for _, id := range everybody {
			var h int64
			if err := s.conn.QueryRow(context.Background(), `SELECT coalesce(merged_into, id) FROM users WHERE id = $1`, id).Scan(&h); err != nil {
				rt.Fatal(err)
			}
			home[h] = append(home[h], id)
		}
		for _, cluster := range home {
			slices.Sort(cluster)
			for i, lo := range cluster {
				for _, hi := range cluster[i+1:] {
					if never[[2]int64{lo, hi}] {
						rt.Fatalf("%d and %d are merged, and somebody said that they are different", lo, hi)
					}
				}
				if len(cluster) > 1 && slices.Contains([]int64{first, second, s.user("pupil"), s.user("parent")}, lo) {
					rt.Fatalf("%d is merged with %v", lo, cluster)
				}
			}
		}
		if b.State != models.BulkAccepted {
			return
		}
		s.move(second, b, models.BulkUndoing)
		s.work(b.ID)
		b, now = s.bulkNow(b.ID)
		for _, i := range now {
			if i.State == models.ItemMerged || i.State == models.ItemKept {
				rt.Errorf("case %d is %s %s after the batch was taken back", i.N, i.State, i.Why)
			}
		}
		if diff := cmp.Diff(before, s.dump()); b.State != models.BulkUndone || diff != "" {
			rt.Fatalf("%s, not as before:\n%s", b.State, diff)
		}
	})
	t.Logf("%d merges in %d districts; left out: %v", merged, number, left)
	for _, why := range []string{"student", "contact", "own_record", "decided_different", "second_person"} {
		if left[why] == 0 {
			t.Errorf("nothing was left out because of %s", why)
		}
	}
	if merged == 0 {
		t.Error("nothing was merged")
	}
}

// A program that dies in the middle of a batch leaves whole merges; the next one goes on, and merges nothing twice.
func TestBulkGoesOnAfterItsProgramDied(t *testing.T) {
	s, _ := pair(t, "bulk-dies")
	first := s.user("first")
	var items []models.BulkItem
	for n := range 5 {
		items = append(items, s.suggest("A", n+1, s.imported(10+2*n), s.imported(11+2*n)))
	}
	b := s.bulk(first, "A", items...)
	s.move(first, b, models.BulkApplying)
	s.exec(`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT count(*) FROM merges) >= 2 THEN RAISE EXCEPTION 'the program dies'; END IF; RETURN NEW; END $$`)
	s.exec(`CREATE TRIGGER stop BEFORE INSERT ON merges FOR EACH ROW EXECUTE FUNCTION stop()`)
	if err := merge.Bulk(t.Context(), s.store, s.district, b.ID); err == nil {
		t.Fatal("nothing went wrong")
	}
	s.exec(`DROP TRIGGER stop ON merges`)
	states := func() (list []string) {
		_, items := s.bulkNow(b.ID)
		for _, i := range items {
			list = append(list, i.State)
		}
		return list
	}
	if diff := cmp.Diff([]string{"merged", "merged", "waiting", "waiting", "waiting"}, states()); diff != "" {
		t.Error(diff)
	}
	// Meanwhile somebody says that two of those left are different, and another two are merged by somebody else.
	_, now := s.bulkNow(b.ID)
	s.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, decided_at) VALUES ($1, $2, $3, 'different', $4)`, s.district, now[2].Members[0], now[2].Members[1], *s.now)
	r := merge.Request{Members: now[3].Members, Keep: now[3].KeepID}
	_, hash := s.look(first, r)
	if _, err := s.apply(first, r, hash, token()); err != nil {
		t.Fatal(err)
	}
	s.work(b.ID)
	s.work(b.ID)
	if diff := cmp.Diff([]string{"merged", "merged", "left", "left", "merged"}, states()); diff != "" {
		t.Error(diff)
	}
	b, now = s.bulkNow(b.ID)
	if b.State != models.BulkAccepted || now[2].Why != "decided_different" || now[3].Why != merge.LeftMoved {
		t.Errorf("batch %s, left out because of %s and %s", b.State, now[2].Why, now[3].Why)
	}
}

// Whoever began a batch and may do nothing any more merges nothing with it.
func TestBulkOfSomebodyWhoHasGone(t *testing.T) {
	s, _ := pair(t, "bulk-gone")
	first := s.user("first")
	b := s.bulk(first, "A", s.suggest("A", 1, s.imported(1), s.imported(2)))
	s.move(first, b, models.BulkApplying)
	s.exec(`UPDATE users SET ended_at = $2 WHERE id = $1`, first, *s.now)
	s.work(b.ID)
	if _, items := s.bulkNow(b.ID); items[0].State != models.ItemLeft || items[0].Why != "out_of_reach" {
		t.Errorf("the case is %s %s", items[0].State, items[0].Why)
	}
}

// What a sample comes to: a reader who says two things of one is counted, and it is wrong.
func TestAnsweredSample(t *testing.T) {
	same := func(n int) models.BulkAnswer { return models.BulkAnswer{N: n, Answer: "same"} }
	other := func(n int) models.BulkAnswer { return models.BulkAnswer{N: n, Answer: "different"} }
	for _, c := range []struct {
		sample             []models.BulkAnswer
		drawn, wrong, torn int
	}{
		{[]models.BulkAnswer{same(1), same(2), same(1)}, 2, 0, 0},
		{[]models.BulkAnswer{same(1), same(2), other(1)}, 2, 1, 1},
		{[]models.BulkAnswer{other(1), same(2), same(1)}, 2, 1, 1},
		{[]models.BulkAnswer{other(1), other(1)}, 1, 1, 0},
	} {
		if drawn, wrong, torn, _ := merge.Answered(c.sample, 100); drawn != c.drawn || wrong != c.wrong || torn != c.torn {
			t.Errorf("%v: %d drawn, %d wrong, %d torn", c.sample, drawn, wrong, torn)
		}
	}
	var all []models.BulkAnswer
	for n := range 138 {
		all = append(all, same(n))
	}
	if _, _, _, most := merge.Answered(all, 1000); most > 20_000 || most < 15_000 {
		t.Errorf("of 138 right ones of 1,000 at most %d millionths are wrong", most)
	}
}
