package queue

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/dedupe/dedupetest"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// Whatever changes of some people, what is computed around them is what the same model makes of everybody, to the last
// digit: nobody who would be suggested is left out unread.
func TestAroundIsWhatTheModelSaysOfAll(t *testing.T) {
	district := dedupetest.District(11, 1200)
	w := newWorld(t, district.Records)
	w.rebuild()
	agree := func(deed string) {
		t.Helper()
		if err := Refresh(t.Context(), w.store, w.district); err != nil {
			t.Fatalf("%s: %v", deed, err)
		}
		var want []string
		modelstest.Read(t, w.store, w.district, func(tx *models.Tx) error {
			model, err := modelOf(t.Context(), tx)
			if err != nil || model == nil {
				t.Fatalf("%s: no model, error %v", deed, err)
			}
			var in input
			if err := in.read(t.Context(), tx, nil); err != nil {
				return err
			}
			list, err := in.suggest(model)
			for _, s := range list {
				want = append(want, fmt.Sprint(s.Kind, s.Class, s.Fingerprint, s.Members, s.Keep, s.Tenths, s.Chance, s.Risk, s.Bulk, s.Unsure, s.Returned))
			}
			return err
		})
		slices.Sort(want)
		if diff := cmp.Diff(want, w.listed()); diff != "" {
			t.Errorf("%s: %s", deed, diff)
		}
	}
	// changed people are every nth, as sql makes them, and marked as a sync marks them.
	change := func(deed, sql string, nth, rest int) {
		t.Helper()
		w.exec(`WITH who AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users WHERE district_id = $1 AND merged_into IS NULL AND id % $2 = $3), done AS (`+sql+` RETURNING 1),
			marked AS (INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT $1, 0, id FROM who ON CONFLICT DO NOTHING) SELECT count(*) FROM done`, w.district, nth, rest)
		agree(deed)
	}
	agree("nothing changed")
	change("new addresses", `UPDATE users u SET email = 'changed' || u.id || '@elsewhere.example' FROM who WHERE u.district_id = $1 AND u.id = who.id`, 40, 3)
	change("the names of others", `UPDATE users u SET first_name = o.first_name, last_name = o.last_name FROM who JOIN users o ON o.id = who.id + 1 WHERE u.district_id = $1 AND u.id = who.id`, 50, 7)
	change("the numbers of others", `UPDATE role_grants g SET sis_id = o.sis_id FROM who JOIN role_grants o ON o.user_id = who.id + 2 WHERE g.district_id = $1 AND g.user_id = who.id`, 60, 11)
	change("numbers of half the district", `UPDATE role_grants g SET sis_id = 'n/a' FROM who WHERE g.district_id = $1 AND g.user_id = who.id AND g.role = 'teacher'`, 30, 2)
	// Somebody's records become one, and others change who resemble them.
	w.exec(`UPDATE users u SET merged_into = m.lo FROM (SELECT min(user_id) AS lo, max(user_id) AS hi FROM suggestion_members WHERE district_id = $1 GROUP BY suggestion_id HAVING count(*) = 2 ORDER BY 1 LIMIT 12) m
		WHERE u.district_id = $1 AND u.id = m.hi AND NOT EXISTS (SELECT FROM users x WHERE x.merged_into = u.id)`, w.district)
	w.exec(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT district_id, 0, unnest(ARRAY[id, merged_into]) FROM users WHERE district_id = $1 AND merged_into IS NOT NULL ON CONFLICT DO NOTHING`, w.district)
	agree("merged")
	change("the names of those who were merged", `UPDATE users u SET first_name = o.first_name, last_name = o.last_name FROM who JOIN LATERAL (
		SELECT first_name, last_name FROM users WHERE district_id = $1 AND merged_into IS NOT NULL ORDER BY id OFFSET who.n % 5 LIMIT 1) o ON true WHERE u.district_id = $1 AND u.id = who.id`, 90, 13)
}

// listed are the stored suggestions, as the computed ones are printed.
func (w *world) listed() (out []string) {
	w.Helper()
	rows, err := w.look.Query(w.Context(), `SELECT kind, class, fingerprint, keep_id, tenths, chance, risk, bulk, unsure, returned,
		(SELECT array_agg(m.user_id ORDER BY m.user_id) FROM suggestion_members m WHERE m.district_id = s.district_id AND m.suggestion_id = s.id) FROM suggestions s WHERE s.district_id = $1`, w.district)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s models.NewSuggestion
		if err := rows.Scan(&s.Kind, &s.Class, &s.Fingerprint, &s.Keep, &s.Tenths, &s.Chance, &s.Risk, &s.Bulk, &s.Unsure, &s.Returned, &s.Members); err != nil {
			w.Fatal(err)
		}
		out = append(out, fmt.Sprint(s.Kind, s.Class, s.Fingerprint, s.Members, s.Keep, s.Tenths, s.Chance, s.Risk, s.Bulk, s.Unsure, s.Returned))
	}
	if rows.Err() != nil {
		w.Fatal(rows.Err())
	}
	slices.Sort(out)
	return out
}
