package models_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestVerifyFindsWhatWasDoneToTheChain: each row is one way to tamper with entries, by somebody who owns the database
// and has switched its trigger off.
func TestVerifyFindsWhatWasDoneToTheChain(t *testing.T) {
	const entries = 30
	fill := func(t *testing.T) (store *models.Store, url string, district int64) {
		t.Helper()
		url = modelstest.URL(t)
		store = modelstest.Open(t, url, time.Now)
		district = modelstest.District(t, store, "d")
		for i := range entries {
			modelstest.Write(t, store, district, func(tx *models.Tx) error {
				return tx.Audit(t.Context(), audit.Entry{Action: audit.SyncFinished, Subject: "sync:1", Data: map[string]any{
					"i": i, "before": map[string]any{"z": 1, "a": []any{true, nil, "<é>"}}, "bb": 2,
				}})
			})
		}
		return store, url, district
	}
	fault := func(entry int64, kind string, other int64) models.AuditFault {
		return models.AuditFault{Entry: entry, Kind: kind, Other: other}
	}
	for name, row := range map[string]struct {
		sql   string
		want  []models.AuditFault // the first of the faults
		most  int                 // how many faults there may be; 0: as many as wanted
		clean bool
	}{
		"nothing": {clean: true, sql: `SELECT 1`},
		"content changed": {
			sql: `UPDATE audit_entries SET data = jsonb_set(data, '{i}', '99') WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryChanged, 0)},
		},
		"time changed":    {sql: `UPDATE audit_entries SET at = at + interval '1 microsecond' WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryChanged, 0)}},
		"view changed":    {sql: `UPDATE audit_entries SET view = 'staff' WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryChanged, 0)}},
		"request changed": {sql: `UPDATE audit_entries SET request_id = 'x' WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryChanged, 0)}},
		"hash changed": {
			sql: `UPDATE audit_entries SET hash = sha256('x') WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryChanged, 0), fault(8, models.EntryUnlinked, 0)},
		},
		"one removed":       {sql: `DELETE FROM audit_entries WHERE id = 7`, want: []models.AuditFault{fault(7, models.EntryMissing, 7)}},
		"several removed":   {sql: `DELETE FROM audit_entries WHERE id BETWEEN 7 AND 9`, want: []models.AuditFault{fault(7, models.EntryMissing, 9)}},
		"the first removed": {sql: `DELETE FROM audit_entries WHERE id = 1`, want: []models.AuditFault{fault(1, models.EntryMissing, 1)}},
		"removed and the gap closed": {
			sql:  `DELETE FROM audit_entries WHERE id = 7; UPDATE audit_entries SET id = id - 1000 + 999 WHERE id > 7`,
			want: []models.AuditFault{fault(7, models.EntryMoved, 8), fault(8, models.EntryMoved, 9)}, most: entries,
		},
		"inserted, and those after it renumbered": {
			sql: `UPDATE audit_entries SET id = id + 1000 WHERE id >= 7; UPDATE audit_entries SET id = id - 999 WHERE id > 1000;
				INSERT INTO audit_entries SELECT district_id, 7, at, actor_id, actor, view, action, subject, data, request_id, prev_hash, hash FROM audit_entries WHERE id = 6`,
			want: []models.AuditFault{fault(7, models.EntryMoved, 6), fault(8, models.EntryMoved, 7)}, most: entries,
		},
		"two swapped": {
			sql:  `UPDATE audit_entries SET id = 1000 WHERE id = 7; UPDATE audit_entries SET id = 7 WHERE id = 8; UPDATE audit_entries SET id = 8 WHERE id = 1000`,
			want: []models.AuditFault{fault(7, models.EntryMoved, 8), fault(8, models.EntryMoved, 7), fault(9, models.EntryUnlinked, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, url, district := fill(t)
			conn := connect(t, url)
			if _, err := conn.Exec(t.Context(), `SET session_replication_role = replica; `+row.sql); err != nil {
				t.Fatal(err)
			}
			r, err := store.VerifyAudit(t.Context(), district, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if row.clean {
				if r.Broken != 0 || r.Entries != entries || r.Last != entries || len(r.LastHash) != 32 || r.CleverID != "d" {
					t.Errorf("a whole chain: %+v", r)
				}
				return
			}
			most := max(row.most, len(row.want))
			if len(r.Faults) < len(row.want) || r.Broken > most {
				t.Fatalf("%d faults, want at most %d: %+v", r.Broken, most, r.Faults)
			}
			for i, want := range row.want {
				if r.Faults[i] != want {
					t.Errorf("fault %d is %+v, want %+v", i, r.Faults[i], want)
				}
			}
		})
	}
}

// TestVerifyKnowsAnEntryAgain: an end that was cut off shows against a hash noted before, and against the receipts.
func TestVerifyKnowsAnEntryAgain(t *testing.T) {
	store, url, here, there := two(t)
	for i := range 3 {
		modelstest.Write(t, store, here, func(tx *models.Tx) error {
			return tx.Audit(t.Context(), audit.Entry{Action: audit.SyncFinished, Subject: fmt.Sprintf("sync:%d", i)})
		})
	}
	before, err := store.VerifyAudit(t.Context(), here, 0, nil)
	if err != nil || before.Last < 4 {
		t.Fatalf("%+v, %v", before, err)
	}
	again, err := store.VerifyAudit(t.Context(), here, before.Last, nil)
	if err != nil || !bytes.Equal(again.Noted, before.LastHash) {
		t.Errorf("the noted entry has hash %x, noted %x (%v)", again.Noted, before.LastHash, err)
	}
	conn := connect(t, url)
	const forged = `INSERT INTO changes (district_id, id, token, kind, plan, made_by, made_at, audit_id)
		SELECT %d, 900, repeat('t', 32), 'sync.finished', '', min(id), now(), %d FROM users WHERE district_id = %[1]d`
	for _, sql := range []string{
		`SET session_replication_role = replica`,
		fmt.Sprintf(forged, here, before.Last),
		fmt.Sprintf(`UPDATE changes SET subject = 'sync:2' WHERE district_id = %d AND id = 900`, here),
		fmt.Sprintf(`DELETE FROM audit_entries WHERE district_id = %d AND id = %d`, here, before.Last),
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	cut, err := store.VerifyAudit(t.Context(), here, before.Last, nil)
	if err != nil || cut.Noted != nil || cut.Last != before.Last-1 {
		t.Errorf("cut off at its end: %+v, %v", cut, err)
	}
	want := models.AuditFault{Entry: before.Last, Kind: models.EntryNotListed}
	if len(cut.Faults) == 0 || cut.Faults[len(cut.Faults)-1] != want {
		t.Errorf("the receipt of the lost entry is overlooked: %+v", cut.Faults)
	}
	if other, err := store.VerifyAudit(t.Context(), there, 0, nil); err != nil || other.Entries == 0 || other.CleverID != "there" {
		t.Errorf("the district beside it: %+v, %v", other, err)
	}
}
