package models_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// A page of the queue is read by its index, under the wall, wherever in a long queue it is: no table is gone through,
// and no more rows are looked at on the last page than on the first.
func TestAPageOfTheQueueReadsAPage(t *testing.T) {
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	district := modelstest.District(t, store, "here")
	other := modelstest.District(t, store, "there")
	conn := connect(t, url)
	for _, d := range []int64{district, other} {
		for _, sql := range []string{
			`INSERT INTO users (district_id, first_name, last_name, email, name_key, email_key, created_at, changed_at) SELECT $1, 'A', 'B', '', '', '', now(), now() FROM generate_series(1, 2000)`,
			`INSERT INTO suggestions (district_id, class, fingerprint, keep_id, tenths, chance, risk, bulk, school_ids, evidence, created_at, changed_at)
			 SELECT $1, (ARRAY['A', 'B', 'C'])[1 + n % 3], md5(n::text), (SELECT min(id) FROM users WHERE district_id = $1), n % 700, 0, n % 4, false, CASE WHEN n % 5 = 0 THEN '{}' ELSE ARRAY[1 + n % 40] END, '{}', now(), now()
			   FROM generate_series(1, 30000) n`,
			`INSERT INTO suggestion_members SELECT $1, s.id, u.id FROM suggestions s, (SELECT id FROM users WHERE district_id = $1 ORDER BY id LIMIT 2) u WHERE s.district_id = $1`,
		} {
			if _, err := conn.Exec(t.Context(), sql, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := conn.Exec(t.Context(), `VACUUM ANALYZE`); err != nil {
		t.Fatal(err)
	}
	all := models.DuplicateReader{User: 1 << 40, District: true}
	lead := models.DuplicateReader{User: 1 << 40, Schools: []int64{3, 4, 5, 6, 7, 8, 9, 10}}
	modelstest.Read(t, store, district, func(tx *models.Tx) error {
		page := models.SuggestionFilter{Kind: models.SuggestMerge, Class: "B"}
		first, err := tx.Suggestions(t.Context(), all, page)
		if err != nil {
			return err
		}
		after, deep := page, page
		after.After = first.Next
		deep.After = models.QueuePlace(0, 30, 1)
		for what, asked := range map[string]struct {
			by models.DuplicateReader
			f  models.SuggestionFilter
		}{"first": {all, page}, "second": {all, after}, "near the end": {all, deep}, "a lead's": {lead, page}} {
			plan, err := tx.SuggestionsPlan(t.Context(), asked.by, asked.f)
			if err != nil {
				return err
			}
			if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "suggestions_queue") {
				t.Errorf("%s page:\n%s", what, plan)
			}
			if n := removed(plan); n > 2000 {
				t.Errorf("%s page: %d rows are looked at and thrown away\n%s", what, n, plan)
			}
		}
		plan, err := tx.CountsPlan(t.Context(), all)
		if err != nil {
			return err
		}
		if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "Index Only Scan using suggestions_by_list") || !strings.Contains(plan, "Heap Fetches: 0") {
			t.Errorf("counts:\n%s", plan)
		}
		var member int64 // of every case
		if err := conn.QueryRow(t.Context(), `SELECT min(id) FROM users WHERE district_id = $1`, district).Scan(&member); err != nil {
			return err
		}
		for who, want := range map[int64]models.SuggestionCounts{1 << 40: {A: 10000, B: 10000, C: 10000}, member: {Others: 30000}} {
			if got, err := tx.SuggestionCounts(t.Context(), models.DuplicateReader{User: who, District: true}); err != nil || got != want {
				t.Errorf("counts of %d: %+v, error %v", who, got, err)
			}
		}
		// Of the 40 schools eight are the lead's, and the cases of one of them are for those of the whole district.
		if got, err := tx.SuggestionCounts(t.Context(), lead); err != nil || got.Waiting() != 5250 || got.Others != 24750 {
			t.Errorf("counts of a lead: %+v, error %v", got, err)
		}
		return nil
	})
}

var removedRows = regexp.MustCompile(`Rows Removed by [A-Za-z ]+: (\d+)`)

// removed is how many rows a plan looked at in vain.
func removed(plan string) (n int) {
	for _, found := range removedRows.FindAllStringSubmatch(plan, -1) {
		rows, _ := strconv.Atoi(found[1]) // digits
		n += rows
	}
	return n
}
