package models_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/models"
	"hallpass/models/cluster"
	"hallpass/models/modelstest"
)

// counts are the rows of each table with a district, of one.
func counts(t *testing.T, conn *pgx.Conn, district int64) map[string]int64 {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'district_id'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int64{}
	for _, table := range tables {
		var rows int64
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` WHERE district_id = $1`, district).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		n[table] = rows
	}
	return n
}

func switchOff(t *testing.T, store *models.Store, district int64) {
	t.Helper()
	modelstest.Write(t, store, district, func(tx *models.Tx) error {
		_, err := tx.OperateSwitch(t.Context(), models.SwitchOff)
		return err
	})
}

func TestErasingADistrictLeavesNothingOfIt(t *testing.T) {
	store, url, here, there := two(t)
	conn := connect(t, url)
	for _, sql := range []string{
		`UPDATE users SET last_name = 'canary-' || (SELECT clever_id FROM districts d WHERE d.district_id = users.district_id)`,
		`INSERT INTO event_cursors SELECT district_id, 'v3.1', 'x', now() FROM districts`,
		`INSERT INTO river_job (kind, queue, state, args, max_attempts) SELECT 'full_sync', 'syncs', 'available', jsonb_build_object('district', district_id, 'run', 1), 1 FROM districts`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := models.PlanErasure(t.Context(), url, "here"); !errors.Is(err, models.ErrStillHere) {
		t.Errorf("a district that is connected: %v", err)
	}
	if _, err := models.Erase(t.Context(), url, "here", "test", time.Now()); !errors.Is(err, models.ErrStillHere) {
		t.Errorf("a district that is connected: %v", err)
	}
	if _, err := models.PlanErasure(t.Context(), url, "nowhere"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a district that is not known: %v", err)
	}
	switchOff(t, store, here)
	before, others := counts(t, conn, here), counts(t, conn, there)
	for table, n := range before {
		if n == 0 {
			t.Errorf("the test has no row in %s: what erasing does to it is not seen", table)
		}
	}
	plan, err := models.PlanErasure(t.Context(), url, "here")
	if err != nil {
		t.Fatal(err)
	}
	planned := map[string]int64{}
	for _, r := range plan.Rows {
		planned[r.Table] = r.Rows
	}
	for table, n := range before {
		if planned[table] != n {
			t.Errorf("%s: %d rows are planned to go, there are %d", table, planned[table], n)
		}
	}
	if plan.Erased != nil || plan.SHA256 != "" || plan.State != "off" || plan.KeptUntil.Sub(plan.GoneSince) != 60*24*time.Hour || plan.LastEntry == 0 || len(plan.LastHash) != 64 {
		t.Errorf("%+v", plan)
	}
	if after := counts(t, conn, here); after["users"] != before["users"] {
		t.Fatal("planning has erased")
	}

	// Broken off in the middle, it goes on where it was.
	if _, err := conn.Exec(t.Context(), `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'power failure'; END $$`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `CREATE TRIGGER stop BEFORE DELETE ON role_grants FOR EACH ROW EXECUTE FUNCTION stop()`); err != nil {
		t.Fatal(err)
	}
	if _, err := models.Erase(t.Context(), url, "here", "test", time.Now()); err == nil || !strings.Contains(err.Error(), "power failure") {
		t.Fatalf("nothing stopped it: %v", err)
	}
	half := counts(t, conn, here)
	if half["role_grants"] == 0 || half["role_grant_schools"] != 0 {
		t.Errorf("half way: %v", half)
	}
	if _, err := conn.Exec(t.Context(), `DROP TRIGGER stop ON role_grants`); err != nil {
		t.Fatal(err)
	}
	done, err := models.Erase(t.Context(), url, "here", "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for table, n := range counts(t, conn, here) {
		if n != 0 {
			t.Errorf("%s still has %d rows", table, n)
		}
	}
	// What triggers note while others are emptied comes and goes, so a table may count more than it had.
	for _, r := range done.Rows {
		if r.Rows < before[r.Table] || r.Rows > before[r.Table] && r.Table != "fact_changes" {
			t.Errorf("%s: the certificate says %d rows, there were %d", r.Table, r.Rows, before[r.Table])
		}
	}
	if len(done.Rows) != len(before) {
		t.Errorf("the certificate is about %d tables of %d", len(done.Rows), len(before))
	}
	for table, n := range counts(t, conn, there) {
		if n != others[table] && table != "fact_changes" {
			t.Errorf("the other district's %s has %d rows and had %d", table, n, others[table])
		}
	}
	var jobs, ledger int
	var certificate []byte
	if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM river_job), count(*), min(certificate::text) FROM erasures WHERE clever_id = 'here' AND erased_at IS NOT NULL`).Scan(&jobs, &ledger, &certificate); err != nil {
		t.Fatal(err)
	}
	if jobs != 1 || ledger != 1 {
		t.Errorf("%d jobs are left of two, %d entries in the ledger", jobs, ledger)
	}
	var kept models.Erasure
	if err := json.Unmarshal(certificate, &kept); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]models.Erasure{"given": done, "kept": kept} {
		sum, err := c.Sum()
		if err != nil || sum != c.SHA256 || sum != done.SHA256 || c.Erased == nil || c.By != "test" {
			t.Errorf("the certificate %s: %v, %+v", name, err, c)
		}
		c.Rows = slices.Clone(c.Rows)
		c.Rows[0].Rows++
		if forged, _ := c.Sum(); forged == sum {
			t.Errorf("the certificate %s has the same sum with another number in it", name)
		}
	}
	if _, err := store.DistrictID(t.Context(), "here"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the district is still known: %v", err)
	}
	if _, err := models.PlanErasure(t.Context(), url, "here"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("erased twice: %v", err)
	}
	// A dump of everything holds nothing of it but its certificate.
	bin, _, err := cluster.Find()
	if err != nil {
		t.Fatal(err)
	}
	dump, err := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--data-only", "--exclude-table=erasures", url).Output()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(dump, []byte("canary-here")) || !bytes.Contains(dump, []byte("canary-there")) {
		t.Error("the dump shows who was erased, or not who was not")
	}
	if d := modelstest.District(t, store, "here"); d == here {
		t.Error("a district that comes back is taken for the one that was erased")
	}
}

// TestOnlyTheOwnerErases: neither the program that serves pages nor the setting by itself may delete an audit entry.
func TestOnlyTheOwnerErases(t *testing.T) {
	_, url, here, _ := two(t)
	conn := connect(t, url)
	setting := `SELECT set_config('hallpass.district', $1::text, false), set_config('hallpass.erasing', $1::text, false)`
	for name, deeds := range map[string][]string{
		"the app's role":      {"SET ROLE hallpass_app", "DELETE FROM audit_entries"},
		"the app's role, too": {"SET ROLE hallpass_app", "DELETE FROM erasures"},
		"an update":           {"RESET ROLE", "UPDATE audit_entries SET actor = 'x'"},
		"a truncation":        {"RESET ROLE", "TRUNCATE audit_entries CASCADE"},
	} {
		if _, err := conn.Exec(t.Context(), setting, strconv.FormatInt(here, 10)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), deeds[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), deeds[1]); err == nil {
			t.Errorf("%s: %s was done", name, deeds[1])
		}
	}
	if _, err := conn.Exec(t.Context(), `RESET ROLE; RESET hallpass.erasing`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `DELETE FROM audit_entries`); err == nil {
		t.Error("without the setting the owner deletes entries")
	}
}

// TestEveryTableIsErased: a table without a district is one that holds nothing of any.
func TestEveryTableIsErased(t *testing.T) {
	conn := connect(t, modelstest.URL(t))
	rows, err := conn.Query(t.Context(), `SELECT relname::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
		AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'district_id' AND attnotnull) ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table != "erasures" && !strings.HasPrefix(table, "goose_") && !strings.HasPrefix(table, "river_") {
			t.Errorf("%s has no district: erasing one does not reach it", table)
		}
	}
}
