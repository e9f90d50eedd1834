package models_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// numbers are the numbers of a page's entries, in its order.
func numbers(a models.Activity) (list []int64) {
	for _, r := range a.Rows {
		list = append(list, r.ID)
	}
	return list
}

// TestActivityIsWhatAFilterOverEverythingFinds: every filter, page by page in both directions, holds against reading
// all entries and picking by hand.
func TestActivityIsWhatAFilterOverEverythingFinds(t *testing.T) {
	start := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	now := start
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, func() time.Time { return now })
	district := modelstest.District(t, store, "d")
	people := &models.Seen{}
	modelstest.Write(t, store, district, func(tx *models.Tx) error {
		_, err := tx.WriteUsers(t.Context(), []models.RosterUser{{CleverID: "a", Last: "A"}, {CleverID: "b", Last: "B"}}, people)
		return err
	})
	var who [2]int64
	modelstest.Read(t, store, district, func(tx *models.Tx) (err error) {
		for i, id := range []string{"a", "b"} {
			if who[i], err = tx.UserByCleverID(t.Context(), id); err != nil {
				return err
			}
		}
		return nil
	})
	actions := []audit.Action{audit.SessionStarted, audit.SessionEnded, audit.SyncFinished}
	for i := range 120 {
		now = start.Add(time.Duration(i) * time.Hour)
		actor := access.Actor{District: district, User: who[i%2]}
		if i%5 == 0 {
			actor = access.System(district, "test")
		}
		actor.View = []access.View{"", "teacher", "all"}[i%3]
		if err := store.As(actor).Write(t.Context(), func(tx *models.Tx) error {
			return tx.Audit(t.Context(), audit.Entry{Action: actions[i%7%3], Subject: fmt.Sprintf("user:%d", who[i%4/2]), Data: map[string]any{"change": "not a number"}})
		}); err != nil {
			t.Fatal(err)
		}
	}
	modelstest.Read(t, store, district, func(tx *models.Tx) error {
		all, err := tx.Activity(t.Context(), models.ActivityFilter{Limit: 1000})
		if err != nil || len(all.Rows) != 120 || all.Older || all.Newer {
			t.Fatalf("%d entries, %v", len(all.Rows), err)
		}
		for name, row := range map[string]struct {
			filter models.ActivityFilter
			is     func(models.ActivityRow) bool
		}{
			"all":     {models.ActivityFilter{}, func(models.ActivityRow) bool { return true }},
			"actor":   {models.ActivityFilter{Actor: who[0]}, func(r models.ActivityRow) bool { return r.ActorID != nil && *r.ActorID == who[0] }},
			"program": {models.ActivityFilter{Program: true}, func(r models.ActivityRow) bool { return r.ActorID == nil }},
			"subject": {models.ActivityFilter{Subjects: []string{fmt.Sprintf("user:%d", who[1])}}, func(r models.ActivityRow) bool { return r.Subject == fmt.Sprintf("user:%d", who[1]) }},
			"two subjects, one kind": {
				models.ActivityFilter{Actions: actions[1:2], Subjects: []string{fmt.Sprintf("user:%d", who[1]), "user:none", fmt.Sprintf("user:%d", who[0])}},
				func(r models.ActivityRow) bool { return r.Action == string(actions[1]) },
			},
			"view":     {models.ActivityFilter{View: "teacher"}, func(r models.ActivityRow) bool { return r.View == "teacher" }},
			"one kind": {models.ActivityFilter{Actions: actions[:1]}, func(r models.ActivityRow) bool { return r.Action == string(actions[0]) }},
			"two kinds of one person": {
				models.ActivityFilter{Actions: actions[:2], Actor: who[1]},
				func(r models.ActivityRow) bool {
					return r.Action != string(actions[2]) && r.ActorID != nil && *r.ActorID == who[1]
				},
			},
			"dates": {
				models.ActivityFilter{From: start.Add(24 * time.Hour), Until: start.Add(72 * time.Hour)},
				func(r models.ActivityRow) bool {
					return !r.At.Before(start.Add(24*time.Hour)) && r.At.Before(start.Add(72*time.Hour))
				},
			},
			"dates and a kind": {
				models.ActivityFilter{From: start.Add(24 * time.Hour), Actions: actions[1:]},
				func(r models.ActivityRow) bool {
					return !r.At.Before(start.Add(24*time.Hour)) && r.Action != string(actions[0])
				},
			},
			"a day without anything": {models.ActivityFilter{From: start.Add(-48 * time.Hour), Until: start.Add(-24 * time.Hour)}, func(models.ActivityRow) bool { return false }},
		} {
			var want []int64
			for _, r := range all.Rows {
				if row.is(r) {
					want = append(want, r.ID)
				}
			}
			var down, up []int64
			f := row.filter
			f.Limit = 7
			for {
				page, err := tx.Activity(t.Context(), f)
				if err != nil {
					return err
				}
				down = append(down, numbers(page)...)
				if !page.Older {
					break
				}
				f.After = page.Rows[len(page.Rows)-1].ID
			}
			f.After, f.Before = 0, 0
			if len(want) > 0 {
				f.Before = want[len(want)-1] // from the end upwards: all but the last
			}
			for f.Before > 0 {
				page, err := tx.Activity(t.Context(), f)
				if err != nil {
					return err
				}
				up = append(numbers(page), up...)
				if f.Before = 0; page.Newer {
					f.Before = page.Rows[0].ID
				}
			}
			if !slices.Equal(down, want) {
				t.Errorf("%s: downwards %v, want %v", name, down, want)
			}
			if len(want) > 0 && !slices.Equal(up, want[:len(want)-1]) {
				t.Errorf("%s: upwards %v, want %v", name, up, want[:len(want)-1])
			}
		}
		return nil
	})
}

// TestActivityIsReadByItsIndexes: no filter reads the whole table, also where what it asks for is rare.
func TestActivityIsReadByItsIndexes(t *testing.T) {
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	district := modelstest.District(t, store, "d")
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), fmt.Sprintf(`INSERT INTO audit_entries (district_id, id, at, actor, action, view, subject, prev_hash, hash)
		SELECT %d, n, now() - (200000 - n) * interval '1 minute', 'test', CASE WHEN n = 3 THEN 'sync.failed' ELSE 'session.started' END, '', 'user:' || n %% 5000, '', '' FROM generate_series(1, 200000) n;
		ANALYZE audit_entries`, district))
	if err != nil {
		t.Fatal(err)
	}
	modelstest.Read(t, store, district, func(tx *models.Tx) error {
		for name, f := range map[string]models.ActivityFilter{
			"first page": {}, "deep page": {After: 1000}, "rare kind": {Actions: []audit.Action{audit.SyncFailed, audit.SyncFinished}},
			"subject": {Subjects: []string{"user:77", "override:1"}}, "a view nobody wore": {View: "teacher"}, "a person who did nothing": {Actor: 1 << 40},
			"an old week": {From: time.Now().Add(-130 * 24 * time.Hour), Until: time.Now().Add(-123 * 24 * time.Hour)},
		} {
			read, err := tx.ActivityReads(t.Context(), f)
			if err != nil {
				return err
			}
			if read > 15000 { // a week has 10,080 entries, and the skew is on both sides of it
				t.Errorf("%s reads %d rows", name, read)
			}
			if page, err := tx.Activity(t.Context(), f); err != nil || len(page.Rows) == 0 && !strings.HasPrefix(name, "a ") {
				t.Errorf("%s: %d rows, %v", name, len(page.Rows), err)
			}
		}
		return nil
	})
}
