package queue

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/queue/queuetest"
	"hallpass/models"
	"hallpass/models/modelstest"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

// clock stands still: what is computed does not depend on when.
func clock() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }

// world is a database with planted records.
type world struct {
	*testing.T
	store    *models.Store
	look     *pgx.Conn // sees over the wall
	district int64
}

func newWorld(t *testing.T, records []dedupe.Record) *world {
	t.Helper()
	url := modelstest.URL(t)
	w := &world{T: t, store: modelstest.Open(t, url, clock)}
	w.district = modelstest.District(t, w.store, "here")
	there := modelstest.District(t, w.store, "there")
	look, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(context.Background()) })
	w.look = look
	if err := queuetest.Plant(t.Context(), look, map[int64]int64{1: w.district, 2: there}, records); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.look.Exec(w.Context(), sql, args...); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) records(ids ...int64) (out []dedupe.Record) {
	w.Helper()
	modelstest.Read(w.T, w.store, w.district, func(tx *models.Tx) (err error) {
		out, err = Records(w.Context(), tx, ids)
		return err
	})
	return out
}

func person(id int64, given, surname string) dedupe.Record {
	return dedupe.Record{ID: id, District: 1, Names: []dedupe.Name{{Given: given, Surname: surname}}}
}

// now makes the record one that Clever lists, old one of the app's own file.
func now(r dedupe.Record, user string, roles ...access.Role) dedupe.Record {
	for i, role := range roles {
		r.Roles = append(r.Roles, dedupe.Role{Role: role, Current: true})
		r.Clever = append(r.Clever, dedupe.CleverID{Value: user + "-" + string(rune('0'+i)), Current: true})
	}
	r.Clever = append(r.Clever, dedupe.CleverID{Value: user, User: true, Current: true})
	return r
}

func old(r dedupe.Record, role access.Role, legacy string) dedupe.Record {
	r.Roles = append(r.Roles, dedupe.Role{Role: role})
	if legacy != "" {
		r.Clever = append(r.Clever, dedupe.CleverID{Value: legacy})
	}
	return r
}

var unordered = cmpopts.SortSlices(func(a, b dedupe.CleverID) bool { return a.Value < b.Value })

// What is planted comes back as evidence, and a merged record's as that of whom it was merged into.
func TestRecords(t *testing.T) {
	danny := now(person(1, "Danny", "Brakus"), "u1", access.Teacher, access.Staff)
	danny.Emails, danny.Schools = []string{"danny@x.example"}, []int64{3, 4}
	danny.Numbers = []dedupe.Number{{Space: dedupe.TeacherSIS, Value: "42"}, {Space: dedupe.StaffID, Value: "74002"}}
	account := old(person(2, "Dan", "Brakus"), access.Staff, "u1-1")
	account.Emails, account.Schools, account.Accounts = []string{"dan@x.example"}, []int64{9}, 1
	account.Numbers = []dedupe.Number{{Space: dedupe.StaffID, Value: "74002"}}
	student := now(person(3, "Ada", "Brakus"), "u3", access.Student)
	w := newWorld(t, []dedupe.Record{danny, account, student})
	for i, want := range []dedupe.Record{danny, account, student} {
		want.District = w.district
		if diff := cmp.Diff([]dedupe.Record{want}, w.records(want.ID), unordered); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
	}
	if all := w.records(); len(all) != 2 || all[0].ID != 1 || all[1].ID != 2 {
		t.Errorf("employees are %v", all)
	}

	w.exec(`UPDATE users SET merged_into = 1 WHERE id = 2`)
	want := danny
	want.District, want.Accounts = w.district, 1
	want.Names = append(want.Names, account.Names...)
	want.Emails = append(want.Emails, account.Emails...)
	for _, got := range [][]dedupe.Record{w.records(), w.records(2), w.records(1, 2)} {
		if diff := cmp.Diff([]dedupe.Record{want}, got, unordered); diff != "" {
			t.Error(diff)
		}
	}
}

// An answer about a record holds for whom it was merged into, and "different" outdoes what was said of others.
func TestDecisionsFollowMerges(t *testing.T) {
	var all []dedupe.Record
	for i := range int64(4) {
		all = append(all, old(person(i+1, "A", "B"), access.Teacher, ""))
	}
	w := newWorld(t, all)
	say := func(lo, hi int64, verdict string, tenths int) {
		w.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, class, tenths, decided_at) VALUES ($1, $2, $3, $4, 'C', $5, now())`, w.district, lo, hi, verdict, tenths)
	}
	say(2, 3, "different", 7)
	say(1, 3, "unsure", 5)
	say(1, 2, "same", 90)
	is := func(want ...dedupe.Decision) {
		t.Helper()
		modelstest.Read(t, w.store, w.district, func(tx *models.Tx) error {
			got, err := Decisions(t.Context(), tx)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
	}
	same := dedupe.Decision{PairKey: dedupe.Key(1, 2), Verdict: dedupe.SaidSame, Class: dedupe.Fuzzy, Tenths: 90}
	unsure := dedupe.Decision{PairKey: dedupe.Key(1, 3), Verdict: dedupe.SaidUnsure, Class: dedupe.Fuzzy, Tenths: 5}
	different := dedupe.Decision{PairKey: dedupe.Key(2, 3), Verdict: dedupe.SaidDifferent, Class: dedupe.Fuzzy, Tenths: 7}
	is(same, unsure, different)
	w.exec(`UPDATE users SET merged_into = 1 WHERE id = 2`)
	different.PairKey = dedupe.Key(1, 3)
	is(unsure, different)
	w.exec(`UPDATE pair_decisions SET ended_at = now() WHERE verdict = 'different'`)
	is(unsure)
	w.exec(`UPDATE users SET merged_into = NULL WHERE id = 2`)
	is(same, unsure)
}
