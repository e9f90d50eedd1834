package models_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// softReferences are columns that name users or accounts without a foreign key: in JSON, in arrays, in texts of a kind
// and an id, or by an id of Clever's.
var softReferences = []string{
	"merge_rows.key", "merge_rows.before", "merge_rows.after", "merges.choices", "merges.differs", "audit_entries.subject", "audit_entries.data",
	"changes.subject", "changes.before", "changes.after", "contact_students.student_clever_id", "section_strangers.clever_id", "migrated_ids.clever_id",
	"pair_decisions.evidence", "suggestions.evidence", "bulk_items.members", "bulk_items.keep_id", "bulk_items.counts", "bulks.sample", "dedupe_models.model", "dedupe_keys.user_id", "import_undo.was", "cut_over_rows.was",
	"held_records.record_id", "held_records.record", "held_effects.user_id", "sync_runs.decided_by",
}

// innocent are columns of types that could name people, and do not.
var innocent = []string{
	"sync_runs.progress", "imports.counts", "districts.clever_id", "district_ids.clever_id", "schools.clever_id", "sections.clever_id", "terms.clever_id", "users.clever_id", "import_rows.clever_id",
	"sync_runs.brake", "sync_runs.marks", "districts.brake_shares", "erasures.clever_id", "erasures.certificate",
}

// Whatever refers to a person or an account says what a merge does with it.
func TestEveryReferenceHasAMergeRule(t *testing.T) {
	conn := connect(t, modelstest.URL(t))
	want := map[string]bool{}
	rows, err := conn.Query(t.Context(), `SELECT c.conrelid::regclass::text, a.attname::text
		FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) k(here, there)
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.here
		JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.there
		WHERE c.contype = 'f' AND c.confrelid IN ('users'::regclass, 'accounts'::regclass) AND f.attname = 'id'`)
	var table, column string
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error { want[table+"."+column] = true; return nil })
	}
	if err != nil || len(want) < 25 {
		t.Fatalf("%d foreign keys, error %v", len(want), err)
	}
	want["user_search.user_id"] = true // outside the wall, with a foreign key of its own or not
	for _, s := range softReferences {
		want[s] = true
	}
	have := map[string]bool{}
	for _, c := range models.MergeColumns() {
		name := c.Table + "." + c.Column
		if have[name] || c.Rule == "" || c.Why == "" {
			t.Errorf("%s: twice, or without a rule or its reason", name)
		}
		have[name] = true
	}
	for name := range want {
		if !have[name] {
			t.Errorf("%s refers to people and has no merge rule in models/merge_rule.go", name)
		}
	}
	for name := range have {
		if !want[name] {
			t.Errorf("%s has a merge rule and refers to nobody", name)
		}
	}
	// A new column of JSON or of an outside id must be looked at: it is soft, or innocent.
	rows, err = conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'river%' AND table_name NOT LIKE 'goose%' AND (data_type IN ('json', 'jsonb') OR column_name LIKE '%clever_id')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !slices.Contains(softReferences, name) && !slices.Contains(innocent, name) {
			t.Errorf("%s may name people: put it among the soft references with a rule, or among the innocent", name)
		}
	}
}
