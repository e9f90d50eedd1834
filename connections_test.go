package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// operated is a synced district and a way to look into its database.
func operated(t *testing.T) (box *sandbox.Sandbox, look *pgx.Conn) {
	t.Helper()
	box, _ = pretend(t, "http://127.0.0.1:1")
	url := modelstest.URL(t)
	t.Setenv("DATABASE_URL", url)
	t.Setenv("HALLPASS_TOKEN_KEYS", "k1:"+keyText)
	for _, command := range [][]string{{"connections", "find"}, {"connections", "on", box.DistrictID()}, {"sync"}} {
		if out, err := ran(t, command...); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	look, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(context.Background()) })
	return box, look
}

func number(t *testing.T, look *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := look.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestConnections(t *testing.T) {
	box, look := operated(t)
	has := func(words ...string) {
		t.Helper()
		out, err := ran(t, "connections")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(out, w) {
				t.Errorf("no %q in:\n%s", w, out)
			}
		}
	}
	has(box.DistrictID(), "Kestrel Valley", " on ", "k1")
	for deed, want := range map[string]string{"pause": "is now paused", "off": "is now off", "on": "is now on"} {
		if out, err := ran(t, "connections", deed, box.DistrictID()); err != nil || !strings.Contains(out, want) && !strings.Contains(out, "already") {
			t.Errorf("%s: %v, %s", deed, err, out)
		}
	}
	if _, err := ran(t, "connections", "on", "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a district that is not known: %v", err)
	}
	t.Setenv("HALLPASS_TOKEN_KEYS", "k2:"+strings.Repeat("B", 43)+"=,k1:"+keyText)
	for _, want := range []string{"1 tokens", "0 tokens"} {
		if out, err := ran(t, "connections", "rotate"); err != nil || !strings.HasPrefix(out, want) {
			t.Errorf("rotate: %v, %s, want %s", err, out, want)
		}
	}
	has("k2")
	if _, err := ran(t, "connections", "on", box.DistrictID()); err != nil {
		t.Fatal(err)
	}
	if err := box.Disconnect(box.DistrictID()); err != nil {
		t.Fatal(err)
	}
	people := number(t, look, `SELECT count(*) FROM users WHERE ended_at IS NULL`)
	if out, err := ran(t, "sync"); err != nil || strings.Contains(out, "users") {
		t.Errorf("after the district left: %v\n%s", err, out)
	}
	has(" left ")
	if n := number(t, look, `SELECT count(*) FROM users WHERE ended_at IS NULL`); n != people {
		t.Errorf("%d people are left of %d", n, people)
	}
}

func TestKeysOfTokensFollowTheirFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	write("a:"+keyText, began)
	var logged strings.Builder
	s := &settings{env: environment{"HALLPASS_TOKEN_KEYS_FILE": path}.lookUp}
	keys := s.tokenKeys(true, slog.New(slog.NewTextHandler(&logged, nil)))
	if len(s.problems) > 0 {
		t.Fatal(s.problems)
	}
	newest := func(want string) {
		t.Helper()
		ring, err := keys()
		if err != nil || ring.Newest() != want {
			t.Fatalf("the newest key is %v (%v), want %s", ring, err, want)
		}
	}
	newest("a")
	write("b:"+strings.Repeat("B", 43)+"=\na:"+keyText, began.Add(time.Hour))
	newest("b")
	write("spoilt", began.Add(2*time.Hour))
	newest("b")
	newest("b")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	newest("b")
	if n := strings.Count(logged.String(), "could not be read again"); n != 2 {
		t.Errorf("said %d times that the file is no good, want once for each way:\n%s", n, &logged)
	}
	write("c:"+keyText, began.Add(3*time.Hour))
	newest("c")
	if strings.Contains(logged.String(), keyText) {
		t.Errorf("a key is in the log:\n%s", &logged)
	}
}

func TestExport(t *testing.T) {
	box, look := operated(t)
	if err := box.EditUser(sandbox.SeedUserID, func(u map[string]any) {
		u["name"].(map[string]any)["first"] = `=HYPERLINK("http://x","Danny")`
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := ran(t, "sync"); err != nil {
		t.Fatal(err)
	}
	if _, err := look.Exec(t.Context(), `INSERT INTO pair_decisions (district_id, lo, hi, verdict, reason, evidence, decided_at)
		SELECT district_id, min(id), max(id), 'different', 'twins; "quoted"', '{"x": [1, 2]}', now() FROM users GROUP BY 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := look.Exec(t.Context(), `WITH m AS (INSERT INTO merges (district_id, id, state, survivor_id, plan, proposed_by, proposed_at, merged_by, merged_at)
			SELECT district_id, 1, 'merged', min(id), '', min(id), now(), min(id), now() FROM users GROUP BY 1 RETURNING *)
		INSERT INTO merge_members (district_id, merge_id, user_id) SELECT m.district_id, 1, max(u.id) FROM m JOIN users u USING (district_id) GROUP BY 1`); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	want := map[string]string{
		"people": "users", "grants": "role_grants", "overrides": "overrides", "decisions": "pair_decisions", "merges": "merges", "audit": "audit_entries",
	}
	for _, format := range []string{"csv", "jsonl"} {
		if out, err := ran(t, "export", "--district", box.DistrictID(), "--format", format, "--out", dir); err != nil || out != "" {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for kind, table := range want {
		rows := number(t, look, `SELECT count(*) FROM `+table)
		raw, err := os.ReadFile(filepath.Join(dir, kind+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
		if err != nil || len(records) == 0 {
			t.Fatalf("%s: %d records, %v", kind, len(records), err)
		}
		before := 0
		for _, r := range records[1:] {
			id, err := strconv.Atoi(r[0])
			if err != nil || id <= before {
				t.Fatalf("%s: after %d comes %q", kind, before, r[0])
			}
			before = id
			for i, cell := range r {
				if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("%s %s: %s begins like a formula: %q", kind, r[0], records[0][i], cell)
				}
			}
		}
		lines := 0
		raw, err = os.ReadFile(filepath.Join(dir, kind+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil || row["kind"] != kind || row["id"] == nil {
				t.Fatalf("%s: %v in %s", kind, err, line)
			}
			lines++
		}
		// The second export's own entry came after the first's file.
		if kind == "audit" {
			rows--
		}
		if len(records)-1 != rows && kind != "audit" || lines < rows {
			t.Errorf("%s: %d rows as CSV and %d as lines, of %d", kind, len(records)-1, lines, rows)
		}
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, "*"+unfinished)); len(parts) > 0 {
		t.Errorf("left behind: %v", parts)
	}
	if n := number(t, look, `SELECT count(*) FROM audit_entries WHERE action = 'export.made'`); n != 2 {
		t.Errorf("%d of 2 exports stand in the audit", n)
	}
	one, err := ran(t, "export", "--district", box.DistrictID(), "--what", "people", "--format", "jsonl")
	if err != nil || !strings.Contains(one, `"clever_id":"`+sandbox.SeedUserID+`"`) || !strings.Contains(one, `"roles":["staff","teacher"]`) || strings.Contains(one, `"kind"`) {
		t.Errorf("people to standard output: %v, %.200s", err, one)
	}
	if _, err := ran(t, "export", "--district", "nowhere", "--what", "people"); err == nil {
		t.Error("a district that is not known was exported")
	}
}

// TestExportThatCannotBeWritten leaves no file that looks whole.
func TestExportThatCannotBeWritten(t *testing.T) {
	full := errors.New("disk full")
	dir := t.TempDir()
	w := &exporter{format: "csv", dir: dir}
	if err := w.begin("people", []string{"id"}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := w.row([]any{int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(false); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	broken := &exporter{format: "jsonl", dir: "-", out: writerFunc(func([]byte) (int, error) { return 0, full })}
	if err := broken.begin("people", []string{"id"}); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil && i < 1_000_000; i++ {
		err = broken.row([]any{int64(i)})
	}
	if !errors.Is(err, full) {
		t.Errorf("writing to a full disk: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestErase(t *testing.T) {
	box, look := operated(t)
	id, name := box.DistrictID(), "Kestrel Valley Unified School District"
	file := filepath.Join(t.TempDir(), "certificate.json")
	refused := func(want string, args ...string) {
		t.Helper()
		if out, err := ran(t, append([]string{"erase", "--district", id, "--out", file}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q\n%s", args, err, want, out)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%v: there is a certificate", args)
		}
	}
	refused("hallpass connections off "+id, "--yes", "--now", "--confirm", name)
	if _, err := ran(t, "connections", "off", id); err != nil {
		t.Fatal(err)
	}
	out, err := ran(t, "erase", "--district", id)
	if people := number(t, look, `SELECT count(*) FROM users`); err != nil || !strings.Contains(out, fmt.Sprintf("%d  users\n", people)) || !strings.Contains(out, "--confirm") {
		t.Errorf("what would go: %v\n%s", err, out)
	}
	refused("is kept until", "--yes")
	refused("not the name", "--yes", "--now", "--confirm", "Kestrel Valley")
	// Once the retention is over, nothing but --yes is needed.
	if _, err := look.Exec(t.Context(), `UPDATE connections SET switched_at = switched_at - interval '61 days'`); err != nil {
		t.Fatal(err)
	}
	if out, err = ran(t, "erase", "--district", id, "--yes", "--by", "the test", "--out", file); err != nil || !strings.Contains(out, file) {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c models.Erasure
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if sum, err := c.Sum(); err != nil || sum != c.SHA256 || c.By != "the test" || c.District != id || c.Total() == 0 || c.Erased == nil {
		t.Errorf("the certificate: %v\n%s", err, raw)
	}
	if n := number(t, look, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM audit_entries) + (SELECT count(*) FROM district_ids)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused("erased before", "--yes")
	// A district that still shares with the app is found again, and waits.
	if out, err := ran(t, "connections", "find"); err != nil || !strings.Contains(out, " waiting ") {
		t.Errorf("%v\n%s", err, out)
	}
}
