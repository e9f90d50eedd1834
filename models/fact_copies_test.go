package models_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// copied is a small district with a key, two programs that answer for it, and a third without copies.
type copied struct {
	t        *testing.T
	ctx      context.Context
	conn     *pgx.Conn
	fresh    *models.Store
	replicas []*models.Store
	district int64
	asked    models.Asked
	now      *time.Time
	proven   int
}

// alike leaves out what no decision depends on: a copy has the sections of all years, because an ended one is no place
// to ask about, and not where they are, because their place says so.
var alike = []gocmp.Option{
	cmpopts.SortSlices(func(a, b int64) bool { return a < b }), cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(models.User{}, "Email", "CreatedAt", "ChangedAt"), cmpopts.IgnoreFields(models.Subject{}, "Teaches"),
}

// check asks both replicas for proof, and holds what they say against the database; where there is no proof they read
// anew, which makes copies for the next time.
func (c *copied) check(t *rapid.T) {
	read := func(store *models.Store) (key models.APIKey, told models.Told) {
		err := store.As(access.System(c.district, "test")).ReadKeyed(c.ctx, hash32("key"), c.asked, func(_ *models.Tx, k models.APIKey, is models.Told) error {
			key, told = k, is
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return key, told
	}
	wantKey, want := read(c.fresh)
	for i, store := range c.replicas {
		key, told, proven, err := store.As(access.System(c.district, "test")).Prove(c.ctx, hash32("key"), c.asked)
		if err != nil {
			t.Fatal(err)
		}
		if !proven {
			read(store)
			continue
		}
		c.proven++
		if key.ID != wantKey.ID || key.Explains != wantKey.Explains {
			t.Fatalf("replica %d: key is %+v, want %+v", i, key, wantKey)
		}
		c.compare(t, i, told, want)
	}
}

func (c *copied) compare(t *rapid.T, replica int, got, want models.Told) {
	if diff := gocmp.Diff(want.District, got.District, alike...); diff != "" {
		t.Fatalf("replica %d: district (-fresh +copy):\n%s", replica, diff)
	}
	if diff := gocmp.Diff(want.Places, got.Places); diff != "" {
		t.Fatalf("replica %d: places (-fresh +copy):\n%s", replica, diff)
	}
	if diff := gocmp.Diff(want.Policy.Rules(), got.Policy.Rules()); diff != "" || want.Policy.Combining() != got.Policy.Combining() {
		t.Fatalf("replica %d: rules (-fresh +copy):\n%s", replica, diff)
	}
	for i, asked := range c.asked.Subjects {
		w, g := want.Subjects[i], got.Subjects[i]
		if diff := gocmp.Diff(w, g, alike...); diff != "" {
			t.Fatalf("replica %d: %+v (-fresh +copy):\n%s", replica, asked, diff)
		}
		for _, at := range want.Places {
			taught := func(s models.Subject) bool {
				return slices.ContainsFunc(s.Teaches, func(t access.Place) bool { return t.Section == at.Section })
			}
			if at.Kind == access.Section && taught(w) != taught(g) {
				t.Fatalf("replica %d: %+v, section %d: fresh %+v, copy %+v", replica, asked, at.Section, w.Teaches, g.Teaches)
			}
		}
		for _, def := range access.ShippedCatalogue().Definitions() {
			for p, at := range want.Places {
				if !at.Known() || !w.Known() {
					continue
				}
				a, b := want.Facts(w, "").Decide(def.Permission, at.Place), got.Facts(g, "").Decide(def.Permission, got.Places[p].Place)
				if a.Allowed != b.Allowed || len(a.Trace) != len(b.Trace) {
					t.Fatalf("replica %d: %+v, %s at %+v: fresh %+v, copy %+v", replica, asked, def.Permission, at, a, b)
				}
			}
		}
	}
}

// deed is a statement that changes something decisions are made of, or nothing of it. The program's own writers and
// hands at the database leave the same rows.
func (c *copied) deed(t *rapid.T) {
	user := rapid.Int64Range(1, smallUsers).Draw(t, "user")
	other := rapid.Int64Range(1, smallUsers).Draw(t, "other")
	school := rapid.Int64Range(1, smallSchools).Draw(t, "school")
	section := rapid.Int64Range(1, smallSections).Draw(t, "section")
	role := drawRoleOf(t)
	permission := drawPermissionOf(t)
	d := c.district
	deeds := []func() (string, []any){
		func() (string, []any) {
			return `UPDATE role_grants SET ended_at = CASE WHEN ended_at IS NULL THEN now() END WHERE district_id = $1 AND user_id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, since, ends_at) VALUES ($1, $2, $2, $3, 'manual', '', now(), $4)
				ON CONFLICT (district_id, user_id, role, source, record_id) DO UPDATE SET ends_at = excluded.ends_at, ended_at = NULL`, []any{d, user, role, drawEnd(t, *c.now)}
		},
		func() (string, []any) {
			return `UPDATE role_grants SET labels = CASE WHEN labels = '{}' THEN '{A,SchoolTechLead}'::text[] ELSE '{}' END, sis_id = 'x' WHERE district_id = $1 AND user_id = $2 AND role = 'staff'`, []any{d, user}
		},
		func() (string, []any) {
			return `INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
				SELECT district_id, id, $3, user_id, role, false, '', now() FROM role_grants WHERE district_id = $1 AND user_id = $2
				ON CONFLICT (district_id, grant_id, school_id) DO UPDATE SET ended_at = CASE WHEN role_grant_schools.ended_at IS NULL THEN now() END`, []any{d, user, school}
		},
		func() (string, []any) {
			return `DELETE FROM role_grant_schools WHERE district_id = $1 AND user_id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `INSERT INTO section_teachers VALUES ($1, $2, $3, true) ON CONFLICT DO NOTHING`, []any{d, section, user}
		},
		func() (string, []any) {
			return `DELETE FROM section_teachers WHERE district_id = $1 AND section_id = $2`, []any{d, section}
		},
		func() (string, []any) {
			return `UPDATE section_teachers t SET user_id = $3 WHERE district_id = $1 AND user_id = $2
				AND NOT EXISTS (SELECT FROM section_teachers o WHERE o.district_id = $1 AND o.section_id = t.section_id AND o.user_id = $3)`, []any{d, user, other}
		},
		func() (string, []any) {
			return `UPDATE sections SET ended_at = CASE WHEN ended_at IS NULL THEN now() END WHERE district_id = $1 AND id = $2`, []any{d, section}
		},
		func() (string, []any) {
			return `UPDATE sections SET school_id = $3, name = name || 'x', students = students + 1 WHERE district_id = $1 AND id = $2`, []any{d, section, school}
		},
		func() (string, []any) {
			return `UPDATE schools SET ended_at = CASE WHEN ended_at IS NULL THEN now() END WHERE district_id = $1 AND id = $2`, []any{d, school}
		},
		func() (string, []any) {
			return `INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, school_id, reason, note, end_kind, ends_at, created_by, created_at)
				VALUES ($1, $2, $3, $4, 'school', $5, 'other', 'x', CASE WHEN $6::timestamptz IS NULL THEN 'none' ELSE 'date' END, $6, $2, now()) ON CONFLICT DO NOTHING`,
				[]any{d, user, permission, rapid.Bool().Draw(t, "allow"), school, drawEnd(t, *c.now)}
		},
		func() (string, []any) {
			return `UPDATE overrides SET ended_at = now() WHERE district_id = $1 AND user_id = $2 AND ended_at IS NULL`, []any{d, user}
		},
		func() (string, []any) {
			return `UPDATE users SET ended_at = CASE WHEN ended_at IS NULL THEN now() END WHERE district_id = $1 AND id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `UPDATE users SET last_name = last_name || 'x' WHERE district_id = $1 AND id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `UPDATE users SET merged_into = CASE WHEN merged_into IS NULL THEN $3::bigint END WHERE district_id = $1 AND id = $2 AND id <> $3`, []any{d, user, other}
		},
		func() (string, []any) {
			return `UPDATE identities SET user_id = $3 WHERE district_id = $1 AND value = $2`, []any{d, fmt.Sprint("user-", user), other}
		},
		func() (string, []any) {
			return `UPDATE accounts SET retired_at = CASE WHEN retired_at IS NULL THEN now() END WHERE district_id = $1 AND user_id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `UPDATE accounts SET role = CASE role WHEN '' THEN 'teacher' ELSE '' END WHERE district_id = $1 AND user_id = $2`, []any{d, user}
		},
		func() (string, []any) {
			return `INSERT INTO role_rules VALUES ($1, 'staff', '', $2, $3) ON CONFLICT (district_id, role, label, permission) DO UPDATE SET given = NOT role_rules.given`,
				[]any{d, permission, rapid.Bool().Draw(t, "given")}
		},
		func() (string, []any) {
			return `UPDATE districts SET time_zone = CASE time_zone WHEN 'UTC' THEN 'America/Denver' ELSE 'UTC' END, combining = $2, policy_version = nextval('policy_versions') WHERE district_id = $1`,
				[]any{d, rapid.SampledFrom(access.Combinings()).Draw(t, "combining")}
		},
		func() (string, []any) {
			return `UPDATE api_keys SET explains = NOT explains WHERE district_id = $1`, []any{d}
		},
		func() (string, []any) {
			return `UPDATE api_keys SET last_used_at = now() WHERE district_id = $1`, []any{d}
		},
	}
	i := rapid.IntRange(0, len(deeds)-1).Draw(t, "deed")
	sql, args := deeds[i]()
	_, err := c.conn.Exec(c.ctx, sql, args...)
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "23514" {
		return // not everybody may be merged with everybody
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if i == 19 { // a rule counts by the version that its writer takes
		if _, err := c.conn.Exec(c.ctx, `UPDATE districts SET policy_version = nextval('policy_versions') WHERE district_id = $1`, d); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is written, by whomever, and in however many transactions at once: what is proved from copies is what the
// database says, on every replica.
func TestProvedCopiesAreWhatTheDatabaseSays(t *testing.T) {
	url := modelstest.URL(t)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	fresh := modelstest.Open(t, url, clock)
	replicas := []*models.Store{modelstest.Open(t, url, clock), modelstest.Open(t, url, clock)}
	conn, slow := connect(t, url), connect(t, url)
	for _, sql := range []string{`ALTER SEQUENCE role_grants_id_seq RESTART 100000`, `ALTER SEQUENCE overrides_id_seq RESTART 100000`} { // past the numbers drawn
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	proven, districts := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		districts++
		now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		d := drawDistrict(rt, modelstest.District(t, fresh, fmt.Sprint("copied-", districts)), now)
		d.drawOverrides(rt, now, rapid.SliceOfN(rapid.Custom(drawPermissionOf), 4, 4).Draw(rt, "about"))
		c := &copied{t: t, ctx: t.Context(), conn: conn, fresh: fresh, replicas: replicas, district: d.id, now: &now}
		for u := int64(1); u <= smallUsers; u++ {
			d.sql.Queue(`INSERT INTO identities (district_id, kind, value, user_id, created_at) VALUES ($1, 'clever', $3, $2, now()), ($1, 'legacy', $4, $2, now())`, d.id, u, fmt.Sprint("user-", u), fmt.Sprint("old-", u))
			d.sql.Queue(`INSERT INTO accounts (district_id, id, user_id, created_at) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $2, now())`, d.id, u)
			c.asked.Subjects = append(c.asked.Subjects, models.AskedSubject{ID: fmt.Sprint("user-", u)}, models.AskedSubject{ID: strconv.FormatInt(u, 10)}, models.AskedSubject{Account: true, ID: strconv.FormatInt(u, 10)})
		}
		d.sql.Queue(`INSERT INTO api_keys (district_id, name, key_hash, hint, created_by, created_at) VALUES ($1, 'app', $2, 'aaaa', 1, now())`, d.id, hash32("key"))
		if err := conn.SendBatch(t.Context(), &d.sql).Close(); err != nil {
			rt.Fatal(err)
		}
		c.asked.Places = []models.AskedPlace{{Kind: access.District, ID: fmt.Sprint("copied-", districts)}}
		for s := range smallSchools {
			c.asked.Places = append(c.asked.Places, models.AskedPlace{Kind: access.School, ID: fmt.Sprint("school-", s+1)})
		}
		for s := range smallSections {
			c.asked.Places = append(c.asked.Places, models.AskedPlace{Kind: access.Section, ID: fmt.Sprint("section-", s+1)})
		}
		all := c.asked
		var open pgx.Tx
		defer func() {
			if open != nil {
				_ = open.Rollback(context.Background())
			}
		}()
		for range 15 {
			// Who has ended, or is at no place, has no copy: most questions are about those who have one.
			c.asked = models.Asked{}
			for _, s := range all.Subjects {
				if seldom(rt, 6, "asked") {
					c.asked.Subjects = append(c.asked.Subjects, s)
				}
			}
			for _, p := range all.Places {
				if seldom(rt, 4, "at") {
					c.asked.Places = append(c.asked.Places, p)
				}
			}
			c.check(rt)
			c.check(rt)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0: // a transaction that was begun long ago and has not ended
				if open == nil {
					var err error
					if open, err = slow.Begin(t.Context()); err != nil {
						rt.Fatal(err)
					}
					// Nothing else writes at the district, so that nobody has to wait for it.
					_, err = open.Exec(t.Context(), `INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
						VALUES ($1, 1, $2, false, 'district', 'other', 'y', 'none', 1, now()) ON CONFLICT DO NOTHING`, d.id, drawPermissionOf(rt))
					if err != nil {
						rt.Fatal(err)
					}
				}
			case 1:
				if open != nil {
					if err := open.Commit(t.Context()); err != nil {
						rt.Fatal(err)
					}
					open = nil
				}
			case 2: // roles by hand and overrides end by themselves
				now = now.Add(time.Duration(rapid.IntRange(-10, 40).Draw(rt, "minutes")) * time.Minute)
			default:
				c.deed(rt)
			}
			c.check(rt)
		}
		proven += c.proven
	})
	t.Logf("%d proofs in %d districts", proven, districts)
	if proven < 10*districts && !t.Failed() {
		t.Errorf("only %d proofs in %d districts: the copies are hardly ever used", proven, districts)
	}
}

// The read that proves copies current sends no BEGIN. The wall stands around it all the same, and its setting is gone
// when the next one has the connection.
func TestProofStaysInsideTheWall(t *testing.T) {
	_, url, here, there := two(t)
	store, err := models.Open(t.Context(), models.Config{URL: url, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	key := make([]byte, 32) // of both districts: see decide
	about := func(d string) models.Asked {
		return models.Asked{Subjects: []models.AskedSubject{{ID: d + "-teacher"}}, Places: []models.AskedPlace{{Kind: access.School, ID: d + "-school"}}}
	}
	prove := func(district int64, asked models.Asked) (models.Told, bool) {
		t.Helper()
		_, told, proven, err := store.As(access.System(district, "test")).Prove(t.Context(), key, asked)
		if err != nil {
			t.Fatal(err)
		}
		return told, proven
	}
	for d, name := range map[int64]string{here: "here", there: "there"} {
		err := store.As(access.System(d, "test")).ReadKeyed(t.Context(), key, about(name), func(*models.Tx, models.APIKey, models.Told) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), `UPDATE section_teachers SET is_primary = NOT is_primary; UPDATE overrides SET note = 'y'`); err != nil {
		t.Fatal(err)
	}
	for range 8 { // until the statements are prepared and their plans kept
		if told, proven := prove(here, about("here")); !proven || !told.Subjects[0].Known() || !told.Places[0].Known() {
			t.Fatalf("not proven: %+v", told)
		}
	}
	if _, proven := prove(here, about("there")); proven {
		t.Error("another district's person is proved")
	}
	var setting string
	var seen int
	err = store.JobPool().QueryRow(t.Context(), `SELECT coalesce(current_setting('hallpass.district', true), ''), (SELECT count(*) FROM users)`).Scan(&setting, &seen)
	if err != nil || setting != "" || seen != 0 {
		t.Errorf("afterwards the connection is of district %q and shows %d people, error %v", setting, seen, err)
	}
	// A change there is heard there, and not here.
	if _, err := conn.Exec(t.Context(), `UPDATE users SET last_name = 'x' WHERE district_id = $1 AND clever_id = 'there-teacher'`, there); err != nil {
		t.Fatal(err)
	}
	if _, proven := prove(here, about("here")); !proven {
		t.Error("another district's change made copies here void")
	}
	if _, proven := prove(there, about("there")); proven {
		t.Error("a change was not heard")
	}
}

// A revoked key opens nothing from the next request on, and a statement about many people leaves one row.
func TestWhatChangesIsHeardAtOnce(t *testing.T) {
	_, url, here, _ := two(t)
	store := modelstest.Open(t, url, time.Now)
	key := make([]byte, 32)
	asked := models.Asked{Subjects: []models.AskedSubject{{ID: "here-teacher"}}}
	scope := store.As(access.System(here, "test"))
	fill := func() error {
		return scope.ReadKeyed(t.Context(), key, asked, func(*models.Tx, models.APIKey, models.Told) error { return nil })
	}
	if err := fill(); err != nil {
		t.Fatal(err)
	}
	proven := func() bool {
		t.Helper()
		_, _, proven, err := scope.Prove(t.Context(), key, asked)
		if err != nil {
			t.Fatal(err)
		}
		return proven
	}
	if !proven() {
		t.Fatal("no copy was made")
	}
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), `INSERT INTO users (district_id, clever_id, name_key, email_key, created_at, changed_at) SELECT $1, 'bulk-' || n, '', '', now(), now() FROM generate_series(1, 500) n`, here); err != nil {
		t.Fatal(err)
	}
	if !proven() {
		t.Error("people who came made copies of others void")
	}
	if _, err := conn.Exec(t.Context(), `INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, since) SELECT district_id, id, id, 'staff', 'clever', '', now() FROM users WHERE clever_id LIKE 'bulk-%'`); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM fact_changes WHERE about = 'everything' AND made_in = (SELECT max(made_in::text::bigint)::text::xid8 FROM fact_changes)`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("500 people left %d rows, error %v", rows, err)
	}
	if proven() {
		t.Error("a copy outlived a change of everything")
	}
	// A full sync says in one row what all before it said.
	if err := fill(); err != nil || !proven() {
		t.Fatalf("no copy was made again: %v", err)
	}
	modelstest.Write(t, store, here, func(tx *models.Tx) error { return tx.RosterSynced(t.Context(), "v3.1", "") })
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM fact_changes WHERE district_id = $1`, here).Scan(&rows); err != nil || rows != 1 || proven() {
		t.Errorf("after a full sync there are %d rows, and a copy is proven: error %v", rows, err)
	}
	if err := fill(); err != nil || !proven() {
		t.Fatalf("no copy was made again: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE api_keys SET revoked_at = now() WHERE district_id = $1`, here); err != nil {
		t.Fatal(err)
	}
	if proven() {
		t.Error("a revoked key still opens")
	}
	if err := fill(); err == nil {
		t.Error("a revoked key reads")
	}
}
