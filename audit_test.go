package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	what "hallpass/audit"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestAuditVerifyNamesWhatIsBroken and ends with an error; what it prints of a whole chain knows that chain again.
func TestAuditVerifyNamesWhatIsBroken(t *testing.T) {
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	district := modelstest.District(t, store, "d1")
	for range 3 {
		modelstest.Write(t, store, district, func(tx *models.Tx) error {
			return tx.Audit(t.Context(), what.Entry{Action: what.SessionStarted})
		})
	}
	said := func(noted string) (string, error) {
		t.Helper()
		number, hash, err := parseNoted(noted)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err = verify(t.Context(), store, []int64{district}, number, hash, &out)
		return out.String(), err
	}
	text, err := said("")
	if err != nil || !strings.Contains(text, "district d1: 3 entries, each follows the one before it") {
		t.Fatalf("a whole chain: %v\n%s", err, text)
	}
	_, line, _ := strings.Cut(text, "  last entry, of ")
	line, _, _ = strings.Cut(line, "\n")
	noted := line[strings.LastIndex(line, " ")+1:]
	if text, err := said(noted); err != nil {
		t.Errorf("the entry %s that it printed itself: %v\n%s", noted, err, text)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, row := range []struct{ sql, noted, want string }{
		{`DELETE FROM audit_entries WHERE id = 3`, noted, "entry 3 is not there any more"},
		{`UPDATE audit_entries SET view = 'staff' WHERE id = 2`, "", "entry 2 was changed"},
		{`DELETE FROM audit_entries WHERE id = 1`, "", "entry 1 is missing"},
	} {
		if _, err := conn.Exec(t.Context(), `SET session_replication_role = replica; `+row.sql); err != nil {
			t.Fatal(err)
		}
		if text, err := said(row.noted); !errors.Is(err, errBrokenChain) || !strings.Contains(text, row.want) {
			t.Errorf("after %s: %v\n%s", row.sql, err, text)
		}
	}
}
