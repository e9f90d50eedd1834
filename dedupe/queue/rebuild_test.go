package queue

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
	"hallpass/models"
	"hallpass/models/modelstest"
)

func (w *world) rebuild() models.SuggestionsStored {
	w.Helper()
	done, err := Rebuild(w.Context(), w.store, w.district)
	if err != nil {
		w.Fatal(err)
	}
	return done
}

// rows are all suggestions as text, with the transaction that wrote each.
func (w *world) rows(columns string) (out []string) {
	w.Helper()
	rows, err := w.look.Query(w.Context(), `SELECT (`+columns+`)::text FROM suggestions s WHERE district_id = $1 ORDER BY 1`, w.district)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			w.Fatal(err)
		}
		out = append(out, row)
	}
	if rows.Err() != nil {
		w.Fatal(rows.Err())
	}
	return out
}

const (
	whole = `s, s.xmin`
	// content is all of a row that does not depend on when it was written.
	content = `s.kind, s.class, s.fingerprint, s.keep_id, s.tenths, s.chance, s.risk, s.bulk, s.unsure, s.returned, s.school_ids, s.evidence,
		(SELECT array_agg(m.user_id ORDER BY 1) FROM suggestion_members m WHERE m.district_id = s.district_id AND m.suggestion_id = s.id)`
)

// The same records give the same rows, and nothing is written where nothing changed.
func TestRebuildTwiceWritesNothing(t *testing.T) {
	district := dedupetest.District(3, 400)
	w := newWorld(t, district.Records)
	first := w.rebuild()
	if first.Added < 20 || first.Kept+first.Changed+first.Removed != 0 {
		t.Errorf("the first time: %+v", first)
	}
	rows := w.rows(whole)
	var keys, model string
	state := func() (keys, model string) {
		if err := w.look.QueryRow(t.Context(), `SELECT (SELECT md5(string_agg(hash || ' ' || user_id || ' ' || xmin, ',' ORDER BY hash, user_id)) FROM dedupe_keys),
			(SELECT md5(model::text) || learned_at FROM dedupe_models)`).Scan(&keys, &model); err != nil {
			t.Fatal(err)
		}
		return keys, model
	}
	keys, model = state()
	if again := w.rebuild(); again.Kept != first.Added || again.Added+again.Changed+again.Removed != 0 {
		t.Errorf("the second time: %+v", again)
	}
	if diff := cmp.Diff(rows, w.rows(whole)); diff != "" {
		t.Error(diff)
	}
	if k, m := state(); k != keys || m != model {
		t.Error("keys or model were written anew")
	}
}

// From tables and back, no trap catches us: what is stored is what dedupe says of the records that were planted.
func TestTrapsThroughTheDatabase(t *testing.T) {
	traps := dedupetest.Traps()
	records, decisions := dedupetest.Plant(dedupetest.District(1, 1000), traps)
	w := newWorld(t, records)
	for _, d := range decisions {
		w.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, class, tenths, decided_at) VALUES ($1, $2, $3, $4, $5, $6, now())`,
			w.district, d.Lo, d.Hi, string(d.Verdict), string(d.Class), d.Tenths)
	}
	w.rebuild()

	// What dedupe makes of the records as read, in full, to have what the tables do not keep: who is held apart.
	var ids []int64
	for _, r := range records {
		if r.District == 1 {
			ids = append(ids, r.ID)
		}
	}
	everybody := w.records(ids...)
	result := dedupe.NewIndex(dedupe.Learn(everybody), everybody).Suggest(dedupe.Options{Decisions: decisions})
	for _, err := range dedupetest.Sprung(records, traps, result) {
		t.Error(err)
	}
	// And what is stored, which leaves out those who are no employees.
	stored := w.stored()
	for _, err := range dedupetest.Sprung(records, traps, dedupe.Result{Suggestions: stored, Held: result.Held, Splits: result.Splits}) {
		t.Error(err)
	}
	if n := len(w.rows(`s.id`)); n < 50 {
		t.Errorf("%d suggestions", n)
	}
	var splits int
	if err := w.look.QueryRow(t.Context(), `SELECT count(*) FROM suggestions WHERE kind = 'split' AND evidence->'split'->>'clever_id' = 't13b-0'`).Scan(&splits); err != nil || splits != 1 {
		t.Errorf("%d cases of what Clever took apart, error %v", splits, err)
	}
}

// stored reads suggestions back as dedupe knows them.
func (w *world) stored() (out []dedupe.Suggestion) {
	w.Helper()
	rows, err := w.look.Query(w.Context(), `SELECT s.class, s.keep_id, s.tenths, s.bulk, s.evidence, s.kind,
		(SELECT array_agg(m.user_id ORDER BY m.user_id) FROM suggestion_members m WHERE m.district_id = s.district_id AND m.suggestion_id = s.id) FROM suggestions s WHERE s.district_id = $1`, w.district)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s dedupe.Suggestion
		var e Evidence
		var bulk bool
		var kind string
		if err := rows.Scan(&s.Class, &s.Keep, &s.Tenths, &bulk, &e, &kind, &s.Members); err != nil {
			w.Fatal(err)
		}
		s.Reasons = e.Reasons
		if bulk != s.Bulk() && kind == models.SuggestMerge && e.Before == nil {
			w.Errorf("members %v: stored as bulk %v, reasons %v", s.Members, bulk, s.Reasons)
		}
		if kind == models.SuggestMerge {
			out = append(out, s)
		}
	}
	if rows.Err() != nil {
		w.Fatal(rows.Err())
	}
	return out
}

// What is computed around those who changed is what is computed from everything.
func TestAroundIsWhatRebuildWouldSay(t *testing.T) {
	district := dedupetest.District(5, 600)
	w := newWorld(t, district.Records)
	w.rebuild()
	around := func(ids ...int64) {
		t.Helper()
		modelstest.Write(t, w.store, w.district, func(tx *models.Tx) error { return Around(t.Context(), tx, ids) })
	}
	before := w.rows(content)
	around(w.allMembers()...)
	if diff := cmp.Diff(before, w.rows(content)); diff != "" {
		t.Errorf("nothing changed: %s", diff)
	}
	around(7, 8, 9)
	if diff := cmp.Diff(before, w.rows(content)); diff != "" {
		t.Errorf("nothing changed: %s", diff)
	}
	// A newcomer with the name and number of somebody.
	var like dedupe.Record
	for _, r := range district.Records {
		if len(r.Numbers) > 0 && len(r.Schools) > 0 && r.Roles[0].Current && r.Roles[0].Role == access.Teacher {
			like = r
			break
		}
	}
	w.exec(`WITH u AS (INSERT INTO users (district_id, first_name, last_name, email, name_key, email_key, created_at, changed_at) VALUES ($1, $2, $3, '', '', '', now(), now()) RETURNING id)
		INSERT INTO imported_accounts (district_id, app_id, role, first_name, last_name, sis_id, name_key, state, user_id, import_id, digest, changed_at)
		SELECT $1, 'new', 'teacher', $2, $3, $4, '', 'unmatched', id, 1, '', now() FROM u`, w.district, like.Names[0].Given, like.Names[0].Surname, like.Numbers[0].Value)
	var newcomer int64
	if err := w.look.QueryRow(t.Context(), `SELECT max(id) FROM users`).Scan(&newcomer); err != nil {
		t.Fatal(err)
	}
	modelstest.Write(t, w.store, w.district, func(tx *models.Tx) error { return tx.MarkDuplicates(t.Context(), []int64{newcomer}) })
	if err := Refresh(t.Context(), w.store, w.district); err != nil {
		t.Fatal(err)
	}
	var class string
	if err := w.look.QueryRow(t.Context(), `SELECT s.class FROM suggestions s JOIN suggestion_members m ON m.suggestion_id = s.id AND m.district_id = s.district_id WHERE m.user_id = $1`, newcomer).Scan(&class); err != nil || class != "B" {
		t.Errorf("the newcomer's suggestion is of class %q, error %v", class, err)
	}
	members := w.rows(`SELECT array_agg(m.user_id ORDER BY 1) FROM suggestion_members m WHERE m.district_id = s.district_id AND m.suggestion_id = s.id`)
	w.rebuild()
	if diff := cmp.Diff(members, w.rows(`SELECT array_agg(m.user_id ORDER BY 1) FROM suggestion_members m WHERE m.district_id = s.district_id AND m.suggestion_id = s.id`)); diff != "" {
		t.Errorf("computed anew, the groups differ: %s", diff)
	}
}

func (w *world) allMembers() (ids []int64) {
	w.Helper()
	if err := w.look.QueryRow(w.Context(), `SELECT array_agg(DISTINCT user_id) FROM suggestion_members WHERE district_id = $1`, w.district).Scan(&ids); err != nil {
		w.Fatal(err)
	}
	return ids
}

// Whoever took a suggestion has it still when it is computed anew; what is no more is gone; what people said stays said.
func TestDecisionsAndTakingOutliveRebuilding(t *testing.T) {
	a := now(person(1, "Robert", "Quillfeather"), "u1", access.Teacher)
	a.Schools, a.Emails = []int64{3}, []string{"rq@x.example"}
	b := old(person(2, "Bob", "Quillfeather"), access.Teacher, "u1-0")
	c := old(person(3, "Robert", "Quillfeather"), access.Teacher, "u1-0")
	w := newWorld(t, []dedupe.Record{a, b, c})
	w.rebuild()
	if got := w.allMembers(); len(got) != 3 {
		t.Fatalf("suggested are %v", got)
	}
	w.exec(`UPDATE suggestions SET taken_by = 1, taken_at = now()`)
	id := w.rows(`s.id`)
	w.exec(`UPDATE users SET email = 'robert@x.example' WHERE id = 1`)
	w.rebuild()
	if diff := cmp.Diff(id, w.rows(`s.id`)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1"}, w.rows(`s.taken_by`)); diff != "" {
		t.Error(diff)
	}
	w.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, class, tenths, decided_at) VALUES ($1, 1, 2, 'different', 'A', 500, now()), ($1, 2, 3, 'different', 'A', 500, now())`, w.district)
	w.rebuild()
	w.rebuild()
	if diff := cmp.Diff([]int64{1, 3}, w.allMembers()); diff != "" {
		t.Error(diff)
	}
	// 3 goes into 1: nobody is left to suggest, and 2 is still somebody else.
	w.exec(`UPDATE users SET merged_into = 1 WHERE id = 3`)
	w.rebuild()
	if got := w.rows(`s.id`); got != nil {
		t.Errorf("suggested after the merge: %v", got)
	}
	w.exec(`UPDATE users SET merged_into = NULL WHERE id = 3`)
	modelstest.Write(t, w.store, w.district, func(tx *models.Tx) error { return Around(t.Context(), tx, []int64{1, 3}) })
	if diff := cmp.Diff([]int64{1, 3}, w.allMembers()); diff != "" {
		t.Error(diff)
	}
}

// "Different" comes back when there is more to say than there was.
func TestDifferentReturns(t *testing.T) {
	a := now(person(1, "Robert", "Quillfeather"), "u1", access.Teacher)
	b := old(person(2, "Robert", "Quillfeather"), access.Teacher, "u1-0")
	w := newWorld(t, []dedupe.Record{a, b})
	w.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, class, tenths, decided_at) VALUES ($1, 1, 2, 'different', 'C', 500, now())`, w.district)
	w.rebuild()
	if diff := cmp.Diff([]string{"(merge,A,t,f)"}, w.rows(`s.kind, s.class, s.returned, s.bulk`)); diff != "" {
		t.Error(diff)
	}
}
