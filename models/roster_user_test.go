package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// rosterDB is a district in a fresh database, with a connection that sees past its wall.
func rosterDB(t *testing.T) (*models.Store, int64, *pgx.Conn) {
	t.Helper()
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	look, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(t.Context()) })
	return store, modelstest.District(t, store, "d1"), look
}

func writeUsers(t *testing.T, store *models.Store, district int64, page ...models.RosterUser) (n models.RosterCount, seen models.Seen) {
	t.Helper()
	modelstest.Write(t, store, district, func(tx *models.Tx) (err error) {
		n, err = tx.WriteUsers(t.Context(), page, &seen)
		return err
	})
	return n, seen
}

func value(t *testing.T, look *pgx.Conn, sql string, args ...any) string {
	t.Helper()
	var s string
	if err := look.QueryRow(t.Context(), `SELECT coalesce((`+sql+`)::text, 'NULL')`, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

func TestHostileTextsAreStored(t *testing.T) {
	store, district, look := rosterDB(t)
	hostile := []string{
		"nul \x00 inside", "bad \xff\xfe utf8", strings.Repeat("長", 500), strings.Repeat("x", 100_000), `<script>alert("1")</script>`,
		`{"a","b\"}`, `'; DROP TABLE users; --`, "\u202eright to left\u202c", "tab\tline\nend", "", `NULL`, `\N`, `,`, "\x01\x01",
	}
	var page []models.RosterUser
	for i, h := range hostile {
		page = append(page, models.RosterUser{
			CleverID: string(rune('a'+i)) + "-id", First: h, Middle: h, Last: h, Email: h,
			Students: []models.RosterContactStudent{{Student: h, Relationship: h, Kind: h}},
			Grants: []models.RosterGrant{
				{Role: "staff", LegacyID: "legacy " + h, SISID: h, Number: h, Title: h, Grade: h, Labels: []string{h, "ok"}, Schools: []string{"s " + h, "plain"}, Primary: h},
				{Role: "odd" + h},
				{Role: ""},
			},
		})
	}
	n, seen := writeUsers(t, store, district, page...)
	if n.Created != len(hostile) || seen.Len() != len(hostile) {
		t.Errorf("%+v, %d seen", n, seen.Len())
	}
	if got := value(t, look, `SELECT last_name FROM users WHERE clever_id = 'a-id'`); got != "nul \uFFFD inside" {
		t.Errorf("got %q", got)
	}
	if got := value(t, look, `SELECT g.labels::text FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = 'f-id' AND role = 'staff'`); got != `{ok,"{\"a\",\"b\\\"}"}` {
		t.Errorf("labels %s", got)
	}
	if got := value(t, look, `SELECT last_name FROM users WHERE clever_id = 'c-id'`); got != hostile[2] {
		t.Errorf("500 letters became %d bytes", len(got))
	}
	again, _ := writeUsers(t, store, district, page...)
	if again.Unchanged != len(hostile) {
		t.Errorf("written again: %+v", again)
	}
}

func TestUnusableRecordsAreCountedNotFatal(t *testing.T) {
	store, district, look := rosterDB(t)
	n, seen := writeUsers(t, store, district,
		models.RosterUser{CleverID: ""}, models.RosterUser{CleverID: strings.Repeat("i", 3000)},
		models.RosterUser{CleverID: "one", Last: "First"}, models.RosterUser{CleverID: "one", Last: "Second"},
		models.RosterUser{CleverID: "two", Grants: []models.RosterGrant{{Role: "staff", LegacyID: "shared"}}},
		models.RosterUser{CleverID: "three", Grants: []models.RosterGrant{{Role: "staff", LegacyID: "shared"}, {Role: "teacher", LegacyID: strings.Repeat("l", 3000)}}},
	)
	if want := (models.RosterCount{Read: 6, Created: 3, Problems: 5, Split: 1, Unusable: 4, Claimed: 1}); n != want || seen.Len() != 3 {
		t.Errorf("got %+v with %d seen, want %+v", n, seen.Len(), want)
	}
	if got := value(t, look, `SELECT last_name FROM users WHERE clever_id = 'one'`); got != "First" {
		t.Errorf("last name %q", got)
	}
	if got := value(t, look, `SELECT u.clever_id FROM identities i JOIN users u ON u.id = i.user_id WHERE i.value = 'shared'`); got != "two" {
		t.Errorf("the legacy id leads to %q", got)
	}
}

func TestIdentitiesComeFirst(t *testing.T) {
	store, district, look := rosterDB(t)
	// Imported, not yet matched; the identity says which Clever id is theirs. A second id leads to somebody whose own
	// record comes under another id.
	_, err := look.Exec(t.Context(), `
		INSERT INTO users (district_id, last_name, name_key, email_key, created_at, changed_at) VALUES ($1::bigint, 'Imported', 'imported', '', now(), now());
		`, pgx.QueryExecModeSimpleProtocol, district)
	if err != nil {
		t.Fatal(err)
	}
	writeUsers(t, store, district, models.RosterUser{CleverID: "main", Last: "Kept"})
	for _, sql := range []string{
		`INSERT INTO identities (district_id, kind, value, user_id, created_at, ended_at) SELECT district_id, 'clever', 'theirs', id, now(), now() FROM users WHERE clever_id IS NULL`,
		`INSERT INTO identities (district_id, kind, value, user_id, created_at) SELECT district_id, 'clever', 'merged', id, now() FROM users WHERE clever_id = 'main'`,
	} {
		if _, err := look.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	n, seen := writeUsers(t, store, district, models.RosterUser{CleverID: "theirs", Last: "Now"}, models.RosterUser{CleverID: "merged", Last: "Other"})
	if want := (models.RosterCount{Read: 2, Updated: 1, Problems: 1, Claimed: 1}); n != want || seen.Len() != 2 {
		t.Errorf("got %+v with %d seen, want %+v", n, seen.Len(), want)
	}
	if got := value(t, look, `SELECT string_agg(clever_id || ':' || last_name, ' ' ORDER BY clever_id) FROM users`); got != "main:Kept theirs:Now" {
		t.Errorf("users %s", got)
	}
	if got := value(t, look, `SELECT count(*) FROM user_search WHERE current`); got != "2" {
		t.Errorf("%s search rows", got)
	}
	if got := value(t, look, `SELECT count(*) FROM identities WHERE ended_at IS NOT NULL`); got != "0" {
		t.Errorf("%s identities are still ended", got)
	}
}

func TestEmptyDigestIsRewritten(t *testing.T) {
	store, district, look := rosterDB(t)
	u := models.RosterUser{CleverID: "one", Last: "Name"}
	writeUsers(t, store, district, u)
	if _, err := look.Exec(t.Context(), `UPDATE users SET digest = '', last_name = 'Spoilt'`); err != nil {
		t.Fatal(err)
	}
	if n, _ := writeUsers(t, store, district, u); n.Updated != 1 {
		t.Errorf("%+v", n)
	}
	if got := value(t, look, `SELECT last_name FROM users`); got != "Name" {
		t.Errorf("last name %q", got)
	}
}

func TestOnlyTheAppsOwnDistrictIsWritten(t *testing.T) {
	store, district, look := rosterDB(t)
	other := modelstest.District(t, store, "d2")
	u := models.RosterUser{CleverID: "same", Last: "One"}
	writeUsers(t, store, district, u)
	writeUsers(t, store, other, models.RosterUser{CleverID: "same", Last: "Two"})
	modelstest.Write(t, store, other, func(tx *models.Tx) error {
		_, err := tx.EndUnseen(t.Context(), map[models.RosterType]*models.Seen{"schools": {}, "terms": {}, "users": {}, "sections": {}})
		return err
	})
	if got := value(t, look, `SELECT string_agg(last_name, ' ' ORDER BY district_id) FROM users WHERE ended_at IS NULL`); got != "One" {
		t.Errorf("users %s", got)
	}
}
