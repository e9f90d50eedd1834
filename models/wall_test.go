package models_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// two makes two districts, alike in everything but their ids.
func two(t *testing.T) (store *models.Store, url string, here, there int64) {
	t.Helper()
	url = modelstest.URL(t)
	store = modelstest.Open(t, url, time.Now)
	for _, d := range []string{"here", "there"} {
		id := modelstest.District(t, store, d)
		modelstest.Write(t, store, id, func(tx *models.Tx) error {
			if _, err := tx.WriteSchools(t.Context(), []models.RosterSchool{{CleverID: d + "-school", Name: "Twin Peaks"}}, &models.Seen{}); err != nil {
				return err
			}
			if _, err := tx.WriteTerms(t.Context(), []models.RosterTerm{{CleverID: d + "-term"}}, &models.Seen{}); err != nil {
				return err
			}
			people := &models.Seen{}
			_, err := tx.WriteUsers(t.Context(), []models.RosterUser{
				{CleverID: d + "-teacher", First: "Twin", Last: "Peak", Email: "twin@peak.example", Grants: []models.RosterGrant{{Role: "teacher", LegacyID: d + "-legacy", SISID: "7", Schools: []string{d + "-school"}}}},
				{CleverID: d + "-student", First: "Twin", Last: "Foot", Grants: []models.RosterGrant{{Role: "student", Schools: []string{d + "-school"}}}},
				{CleverID: d + "-contact", Last: "Twin Parent", Email: "twin@peak.example", Grants: []models.RosterGrant{{Role: "contact"}}, Students: []models.RosterContactStudent{{Student: d + "-student"}}},
			}, people)
			if err != nil {
				return err
			}
			_, err = tx.WriteSections(t.Context(), []models.RosterSection{{CleverID: d + "-section", School: d + "-school", Term: d + "-term", Teacher: d + "-teacher", Students: []string{d + "-student", d + "-not-shared"}}}, &models.Seen{})
			if err != nil {
				return err
			}
			if err := tx.CountHeads(t.Context()); err != nil {
				return err
			}
			who, err := tx.UserByCleverID(t.Context(), d+"-teacher")
			if err != nil {
				return err
			}
			if err := tx.CreateSession(t.Context(), hash32(d), who, hash32(d), time.Now().Add(time.Hour)); err != nil {
				return err
			}
			_, _, err = tx.RequestSync(t.Context())
			return err
		})
	}
	decide(t, url)
	var err error
	if here, err = store.DistrictID(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if there, err = store.DistrictID(t.Context(), "there"); err != nil {
		t.Fatal(err)
	}
	return store, url, here, there
}

// decide puts a row of each kind of decision into every district.
func decide(t *testing.T, url string) {
	t.Helper()
	conn := connect(t, url)
	for _, sql := range []string{
		`INSERT INTO role_rules SELECT district_id, 'staff', '', 'grades.edit', true FROM districts`,
		`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
		 SELECT district_id, min(id), 'grades.edit', true, 'district', 'other', 'why', 'none', min(id), now() FROM users GROUP BY 1`,
		`INSERT INTO changes (district_id, id, token, kind, plan, made_by, made_at, audit_id)
		 SELECT district_id, 1, '0123456789abcdef', 'x', '', min(id), now(), 1 FROM users GROUP BY 1`,
		`INSERT INTO api_keys (district_id, name, key_hash, hint, created_by, created_at) SELECT district_id, 'app', decode(repeat('00', 32), 'hex'), 'aaaa', min(id), now() FROM users GROUP BY 1`,
		`INSERT INTO user_preferences SELECT district_id, min(id), 'teacher' FROM users GROUP BY 1`,
		`INSERT INTO imports (district_id, kind, file_name, state, started_at, beat_at) SELECT district_id, 'accounts', 'a.csv', 'applied', now(), now() FROM districts`,
		`INSERT INTO import_rows (district_id, import_id, n, line, col, app_id) SELECT district_id, id, 1, 1, 1, 'a' FROM imports`,
		`INSERT INTO import_undo SELECT district_id, id, 'a:a', '{}' FROM imports`,
		`INSERT INTO cut_over_rows SELECT district_id, id, 'users', '1', '{}' FROM changes`,
		`INSERT INTO import_errors SELECT district_id, id, 1, 0, '', 'x' FROM imports`,
		`INSERT INTO imported_accounts (district_id, app_id, role, name_key, state, import_id, digest, changed_at) SELECT district_id, 'a', 'teacher', '', 'unmatched', id, '', now() FROM imports`,
		`INSERT INTO migrated_ids SELECT district_id, 'old', 'new', id FROM imports`,
		`INSERT INTO pair_decisions (district_id, lo, hi, verdict, decided_at) SELECT district_id, min(id), max(id), 'unsure', now() FROM users GROUP BY 1`,
		`INSERT INTO dedupe_models SELECT district_id, '{}', 0, now() FROM districts`,
		`INSERT INTO dedupe_keys SELECT district_id, 1, min(id) FROM users GROUP BY 1`,
		`INSERT INTO suggestions (district_id, class, fingerprint, keep_id, tenths, chance, risk, bulk, school_ids, evidence, created_at, changed_at)
		 SELECT district_id, 'C', 'x', min(id), 0, 0, 0, false, '{}', '{}', now(), now() FROM users GROUP BY 1`,
		`INSERT INTO suggestion_members SELECT district_id, id, keep_id FROM suggestions`,
		`INSERT INTO merges (district_id, id, state, survivor_id, plan, proposed_by, proposed_at) SELECT district_id, 1, 'proposed', min(id), '', min(id), now() FROM users GROUP BY 1`,
		`INSERT INTO merge_members SELECT district_id, id, survivor_id FROM merges`,
		`INSERT INTO merge_rows SELECT district_id, id, 1, 'users', '{}', 'update' FROM merges`,
		`INSERT INTO brake_spent SELECT district_id, 'schools', 1 FROM districts`,
		`INSERT INTO held_records (district_id, run_id, type, record_id) SELECT district_id, max(id), 'users', 1 FROM sync_runs GROUP BY 1`,
		`INSERT INTO held_effects (district_id, run_id, user_id, permission, gained) SELECT district_id, max(id), 1, 'grades.edit', false FROM sync_runs GROUP BY 1`,
		`INSERT INTO held_approvals SELECT district_id, max(id), '', 1, now() FROM sync_runs GROUP BY 1`,
		`INSERT INTO sync_changes (district_id, run_id, user_id, kind) SELECT district_id, max(id), 1, 'came' FROM sync_runs GROUP BY 1`,
		`INSERT INTO bulks (district_id, class, seed, sample, state, made_by, made_at, beat_at) SELECT district_id, 'A', 1, '[]', 'sampling', min(id), now(), now() FROM users GROUP BY 1`,
		`INSERT INTO bulk_items (district_id, bulk_id, n, case_id, fingerprint, members, keep_id, state) SELECT district_id, id, 1, 1, 'x', '{}', 1, 'waiting' FROM bulks`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func hash32(s string) []byte { return []byte((s + strings.Repeat(".", 32))[:32]) }

// The wall holds with every filter of ours left out: whatever table is asked, another district's rows are not there
// to be read, written, moved or added.
func TestWallHoldsWithoutOurFilters(t *testing.T) {
	_, url, here, there := two(t)
	conn := connect(t, url)
	tables := walled(t, conn)
	run := func(sql string) (int64, error) {
		tag, err := conn.Exec(t.Context(), sql)
		return tag.RowsAffected(), err
	}
	must := func(sql string) int64 {
		t.Helper()
		n, err := run(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return n
	}
	must("SET ROLE hallpass_app")
	for _, table := range tables {
		must("RESET hallpass.district")
		if n := must("SELECT FROM " + table); n != 0 {
			t.Errorf("%s shows %d rows to no district", table, n)
		}
		must(fmt.Sprintf("SET hallpass.district = '%d'", here))
		seen := must("SELECT FROM " + table)
		if others := must(fmt.Sprintf("SELECT FROM %s WHERE district_id <> %d", table, here)); others != 0 {
			t.Errorf("%s shows %d rows of another district", table, others)
		}
		if seen == 0 && table != "event_cursors" { // nothing there proves nothing
			t.Errorf("%s has no row of this district to tell apart", table)
		}
		if table == "audit_entries" {
			continue
		}
		if n := must(fmt.Sprintf("DELETE FROM %s WHERE district_id = %d", table, there)); n != 0 {
			t.Errorf("%s: deleted %d rows of another district", table, n)
		}
		if n, err := run(fmt.Sprintf("UPDATE %s SET district_id = %d", table, there)); err == nil && n > 0 {
			t.Errorf("%s: moved %d rows over the wall", table, n)
		}
	}
	if _, err := run(fmt.Sprintf("INSERT INTO event_cursors VALUES (%d, 'v3.1', 'x', now())", there)); err == nil {
		t.Error("inserted a row into another district")
	}
}

func walled(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relforcerowsecurity ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 15 {
		t.Fatalf("%d walled tables, error %v", len(tables), err)
	}
	return tables
}

// Ids, searches and cursors of one district lead nowhere in the other.
func TestAnotherDistrictIsNotFound(t *testing.T) {
	store, url, here, there := two(t)
	foreign := userID(t, store, there, "there-teacher")
	var page models.UserList
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		ctx := t.Context()
		for what, err := range map[string]error{
			"user":       second(tx.User(ctx, foreign)),
			"any id":     second(tx.UserByAnyID(ctx, fmt.Sprint(foreign))),
			"clever id":  second(tx.UserByAnyID(ctx, "there-teacher")),
			"legacy id":  second(tx.UserByAnyID(ctx, "there-legacy")),
			"facts":      second(tx.UserFacts(ctx, foreign)),
			"school":     second(tx.School(ctx, "there-school")),
			"section":    second(tx.Section(ctx, "there-section")),
			"session":    second(tx.SignedIn(ctx, hash32("there"))),
			"revocation": tx.RevokeSession(ctx, hash32("there")),
		} {
			if what == "revocation" {
				continue // a read-only transaction says no in its own way; below
			}
			if !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s of another district: %v", what, err)
			}
		}
		return nil
	})
	search := func(tx *models.Tx) (err error) {
		for _, q := range []string{"", "twin", "peak.example", "there", "twin peaks", "7"} {
			if page, err = tx.Users(t.Context(), access.Reach{District: true}, models.UserFilter{Q: q, Status: models.Any}); err != nil {
				return err
			}
			for _, r := range page.Rows {
				if r.ID >= foreign {
					t.Errorf("search %q shows user %d of another district", q, r.ID)
				}
			}
			if q == "twin" && len(page.Rows) != 3 {
				t.Errorf("search finds %d of the own 3", len(page.Rows))
			}
		}
		return nil
	}
	conn := connect(t, url)
	for _, seemsAlone := range []bool{true, false} { // where it does, the index is not asked for the district
		if !seemsAlone {
			if _, err := conn.Exec(t.Context(), `ANALYZE user_search`); err != nil {
				t.Fatal(err)
			}
		}
		var alone bool
		if err := conn.QueryRow(t.Context(), `SELECT 2 * (SELECT people FROM head_counts WHERE district_id = $1 AND school_id = 0 AND role = '') > reltuples
			FROM pg_class WHERE oid = 'user_search'::regclass`, here).Scan(&alone); err != nil || alone != seemsAlone {
			t.Fatalf("the district seems alone is %v, want %v: %v", alone, seemsAlone, err)
		}
		modelstest.Read(t, store, here, search)
	}
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		places, err := tx.UserPlaces(t.Context(), foreign)
		if len(places) != 0 {
			t.Errorf("another district's person is at %v", places)
		}
		return err
	})
	modelstest.Write(t, store, here, func(tx *models.Tx) error {
		if err := tx.RevokeSession(t.Context(), hash32("there")); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("revoked another district's session: %v", err)
		}
		return nil
	})
}

// What a read asks after its last questions is asked inside the same wall, and changes nothing either.
func TestQuestionsAfterTheLast(t *testing.T) {
	store, url, here, there := two(t)
	ctx := t.Context()
	own, foreign := userID(t, store, here, "here-teacher"), userID(t, store, there, "there-teacher")
	people := func(tx *models.Tx) (models.UserList, error) {
		return tx.Users(ctx, access.Reach{District: true}, models.UserFilter{})
	}
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		for what, ask := range map[string]func(id int64) (int, error){
			"a row":  func(id int64) (int, error) { u, err := tx.User(ctx, id); return int(min(u.ID, 1)), err },
			"a scan": func(id int64) (int, error) { s, err := tx.UserSections(ctx, id); return len(s), err },
			"a batch": func(id int64) (int, error) {
				d, err := tx.UserDetails(ctx, strconv.FormatInt(id, 10), models.UserWants{Places: true})
				return min(len(d.Places), 1), err
			},
		} {
			for id, want := range map[int64]int{own: 1, foreign: 0} {
				if list, err := people(tx); err != nil || len(list.Rows) != 3 {
					t.Fatalf("%d of 3 people: %v", len(list.Rows), err)
				}
				if n, err := ask(id); n != want || want == 1 && err != nil {
					t.Errorf("%s about user %d after the last questions: %d, want %d: %v", what, id, n, want, err)
				}
			}
		}
		return nil
	})
	err := store.As(access.System(here, "test")).Read(ctx, func(tx *models.Tx) error {
		if _, err := people(tx); err != nil {
			return err
		}
		return tx.RevokeSession(ctx, hash32("here"))
	})
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a read changed something after its last questions: %v", err)
	}
	modelstest.Write(t, store, here, func(tx *models.Tx) error {
		if _, err := people(tx); err != nil {
			return err
		}
		return tx.RevokeSession(ctx, hash32("here"))
	})
	watcher := connect(t, url)
	waiting := func() (n int) {
		err := watcher.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for n := waiting(); n > 0; n = waiting() { // the failed one's end is not waited for
		if ctx.Err() != nil {
			t.Fatalf("%d transactions do not end", n)
		}
	}
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		_, err := people(tx)
		if n := waiting(); n > 0 {
			t.Errorf("%d transactions go on after the last questions", n)
		}
		return err
	})
}

func userID(t *testing.T, store *models.Store, district int64, cleverID string) (id int64) {
	t.Helper()
	modelstest.Read(t, store, district, func(tx *models.Tx) (err error) {
		id, err = tx.UserByCleverID(t.Context(), cleverID)
		return err
	})
	return id
}

func second[T any](_ T, err error) error { return err }

func TestOpenRefusesARoleThatSeesOverTheWall(t *testing.T) {
	url := modelstest.URL(t)
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), "ALTER ROLE hallpass_app BYPASSRLS"); err != nil {
		t.Fatal(err)
	}
	_, err := models.Open(t.Context(), models.Config{URL: url})
	if _, back := conn.Exec(t.Context(), "ALTER ROLE hallpass_app NOBYPASSRLS"); back != nil {
		t.Fatal(back)
	}
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("opened with a role that bypasses row-level security: %v", err)
	}
}

func TestActorsStayInTheirDistrict(t *testing.T) {
	store, _, here, there := two(t)
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		if err := tx.Become(access.Actor{District: there}); err == nil {
			t.Error("an actor of another district took over the transaction")
		}
		return nil
	})
	if err := store.As(access.Actor{}).Read(t.Context(), func(*models.Tx) error { return nil }); err == nil {
		t.Error("an actor without a district may query")
	}
}

func TestAuditEntriesChainAndStay(t *testing.T) {
	store, url, here, _ := two(t)
	for i := range 3 {
		modelstest.Write(t, store, here, func(tx *models.Tx) error {
			return tx.Audit(t.Context(), audit.Entry{Action: audit.SyncFinished, Subject: "sync:1", Data: map[string]any{"i": i}})
		})
	}
	conn := connect(t, url)
	rows, err := conn.Query(t.Context(), `SELECT id, prev_hash, hash FROM audit_entries WHERE district_id = $1 ORDER BY id`, here)
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	var prev, hash, last []byte
	n := int64(0)
	_, err = pgx.ForEachRow(rows, []any{&id, &prev, &hash}, func() error {
		n++
		if id != n || string(prev) != string(last) || len(hash) != 32 {
			t.Errorf("entry %d does not follow the one before it", id)
		}
		last = append([]byte(nil), hash...)
		return nil
	})
	if err != nil || n < 4 {
		t.Fatalf("%d entries, error %v", n, err)
	}
	for _, role := range []string{"hallpass_app", "none"} { // the app, then the owner
		for _, sql := range []string{"UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"} {
			if _, err := conn.Exec(t.Context(), "SET ROLE "+role); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), sql); err == nil {
				t.Errorf("%s as %s went through", sql, role)
			}
		}
	}
}
