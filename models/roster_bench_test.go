package models_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// benchUsers makes n people as a district has them: mostly students, a tenth contacts, some employees with one or
// two roles.
func benchUsers(from, n, schools int) []models.RosterUser {
	created := time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC)
	first := []string{"Ada", "José", "Mei", "Olu", "Priya", "Tom", "Zoë", "Yusuf", "Lena", "Kai"}
	last := []string{"Garcia", "Smith", "Nguyen", "O'Brien", "Kowalski", "Haddad", "Larsen", "Moreau", "Silva", "Tanaka", "Weber", "Young"}
	page := make([]models.RosterUser, n)
	for i := range page {
		k := from + i
		u := &page[i]
		*u = models.RosterUser{
			CleverID: fmt.Sprintf("60%022x", k), First: first[k%len(first)], Last: fmt.Sprintf("%s%d", last[k%len(last)], k%997),
			Email: fmt.Sprintf("u%d@lakewood.example.org", k), Created: created, Modified: created.AddDate(0, 0, k%300),
		}
		school := func(j int) string { return fmt.Sprintf("50%022x", (k*7+j)%schools) }
		legacy := func(role int) string { return fmt.Sprintf("4%d%022x", role, k) }
		switch {
		case k%100 < 8:
			u.First = ""
			u.Grants = []models.RosterGrant{{Role: "contact", LegacyID: legacy(0)}}
			u.Students = []models.RosterContactStudent{{Student: fmt.Sprintf("60%022x", k+20), Relationship: "Parent", Kind: "Primary"}}
		case k%100 < 13:
			u.Grants = []models.RosterGrant{{Role: "teacher", LegacyID: legacy(1), SISID: fmt.Sprint("T", k), Number: fmt.Sprint(k), Schools: []string{school(0)}, Primary: school(0)}}
			if k%5 == 0 {
				u.Grants = append(u.Grants, models.RosterGrant{Role: "staff", LegacyID: legacy(2), SISID: fmt.Sprint("S", k), Labels: []string{"PortalOnly"}, Schools: []string{school(1), school(2)}})
			}
		default:
			u.Grants = []models.RosterGrant{{Role: "student", SISID: fmt.Sprint(k), Number: fmt.Sprint(k), Grade: "7", Schools: []string{school(0)}, Primary: school(0)}}
		}
	}
	return page
}

const benchPage = 1000

// loadUsers brings n people in through the roster, page by page, and gives the time in the database's hands.
func loadUsers(tb testing.TB, store *models.Store, district int64, n int) time.Duration {
	tb.Helper()
	scope := store.As(access.System(district, "benchmark"))
	seen := &models.Seen{}
	var took time.Duration
	for at := 0; at < n; at += benchPage {
		page := benchUsers(at, min(benchPage, n-at), 60)
		start := time.Now()
		err := scope.Write(tb.Context(), func(tx *models.Tx) error {
			_, err := tx.WriteUsers(tb.Context(), page, seen)
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
		took += time.Since(start)
	}
	if seen.Len() != n {
		tb.Fatalf("%d of %d users arrived", seen.Len(), n)
	}
	return took
}

// bareTables are what a user is written to, parents first, with what an upsert is keyed on.
var bareTables = []struct{ name, key, set string }{
	{"users", "district_id, id", "name_key = excluded.name_key, digest = excluded.digest"},
	{"identities", "district_id, kind, value", "user_id = excluded.user_id"},
	{"role_grants", "district_id, id", "name_key = excluded.name_key"},
	{"role_grant_schools", "district_id, grant_id, school_id", "name_key = excluded.name_key"},
	{"contact_students", "district_id, contact_id, student_clever_id", "kind = excluded.kind"},
	{"accounts", "district_id, id", "role = excluded.role"},
	{"user_search", "district_id, user_id", "doc = excluded.doc"},
}

// loadBare takes the rows that the roster wrote to another district, and brings them into this one as a loader would
// that knows every row beforehand: COPY into a temporary table, then INSERT … ON CONFLICT, in the same pages. It runs
// as the owner with row-level security out of the way, and decides nothing.
func loadBare(tb testing.TB, url string, from, to int64) time.Duration {
	tb.Helper()
	ctx := tb.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	exec := func(sql string, args ...any) {
		tb.Helper()
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			tb.Fatalf("%s: %v", sql, err)
		}
	}
	exec(`CREATE TEMP TABLE bare_schools AS SELECT * FROM schools WHERE district_id = $1`, from)
	exec(`UPDATE bare_schools SET district_id = $1`, to)
	exec(`INSERT INTO schools OVERRIDING SYSTEM VALUE SELECT * FROM bare_schools`)
	owner := map[string]string{"users": "id", "contact_students": "contact_id"}
	rows := map[string][][]any{}
	pageOf := map[string][]int{}
	columns := map[string][]string{}
	for _, t := range bareTables {
		by := owner[t.name]
		if by == "" {
			by = "user_id"
		}
		found, err := conn.Query(ctx, `SELECT * FROM `+t.name+` WHERE district_id = $1 ORDER BY `+by, from)
		if err != nil {
			tb.Fatal(err)
		}
		key := 0
		for i, f := range found.FieldDescriptions() {
			columns[t.name] = append(columns[t.name], f.Name)
			if f.Name == by {
				key = i
			}
		}
		for found.Next() {
			values, err := found.Values()
			if err != nil {
				tb.Fatal(err)
			}
			values[0] = to
			id := values[key].(int64)
			rows[t.name] = append(rows[t.name], values)
			pageOf[t.name] = append(pageOf[t.name], int(id))
		}
		if err := found.Err(); err != nil {
			tb.Fatal(err)
		}
	}
	ids := pageOf["users"]
	at := map[string]int{}
	start := time.Now()
	for first := 0; first < len(ids); first += benchPage {
		last := ids[min(first+benchPage, len(ids))-1]
		exec("BEGIN")
		for _, t := range bareTables {
			end := at[t.name]
			for end < len(rows[t.name]) && pageOf[t.name][end] <= last {
				end++
			}
			if end > at[t.name] {
				exec(`CREATE TEMP TABLE bare_` + t.name + ` (LIKE ` + t.name + `) ON COMMIT DROP`)
				if _, err := conn.CopyFrom(ctx, pgx.Identifier{"bare_" + t.name}, columns[t.name], pgx.CopyFromRows(rows[t.name][at[t.name]:end])); err != nil {
					tb.Fatalf("copy %s: %v", t.name, err)
				}
				exec(`INSERT INTO ` + t.name + ` OVERRIDING SYSTEM VALUE SELECT * FROM bare_` + t.name + ` ON CONFLICT (` + t.key + `) DO UPDATE SET ` + t.set)
			}
			at[t.name] = end
		}
		exec("COMMIT")
	}
	return time.Since(start)
}

// BenchmarkRosterUsers brings people in on the same server through the roster, then the same rows into a second
// district by a bare loader, then through the roster into a third, and last with nothing changed. Indexes grow from one
// to the next, so the two ratios of users per second, roster over bare, are too kind and too hard on the roster.
func BenchmarkRosterUsers(b *testing.B) {
	for _, n := range []int{60_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				url := modelstest.URL(b)
				store := modelstest.Open(b, url, time.Now)
				one, two, three := modelstest.District(b, store, "first"), modelstest.District(b, store, "second"), modelstest.District(b, store, "third")
				b.StartTimer()
				first := loadUsers(b, store, one, n)
				b.StopTimer()
				bare := loadBare(b, url, one, two)
				third := loadUsers(b, store, three, n)
				again := loadUsers(b, store, one, n)
				b.StartTimer()
				per := func(d time.Duration) float64 { return float64(n) / d.Seconds() }
				b.ReportMetric(per(first), "users/s")
				b.ReportMetric(per(bare), "bare-users/s")
				b.ReportMetric(per(first)/per(bare), "kind-ratio")
				b.ReportMetric(per(third)/per(bare), "hard-ratio")
				b.ReportMetric(per(again), "unchanged-users/s")
			}
		})
	}
}
