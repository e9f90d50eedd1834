package merge_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

// stage is a district on a real database, looked at from both sides of the wall.
type stage struct {
	t        testing.TB
	store    *models.Store
	conn     *pgx.Conn
	district int64
	now      *time.Time
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newStage(t testing.TB) *stage {
	t.Helper()
	url := modelstest.URL(t)
	now := noon
	s := &stage{t: t, now: &now, store: modelstest.Open(t, url, func() time.Time { return now })}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	s.conn = conn
	return s
}

// fresh begins another district on the same database.
func (s *stage) fresh(name string) { s.district = modelstest.District(s.t, s.store, name) }

func (s *stage) write(fn func(*models.Tx) error) {
	s.t.Helper()
	modelstest.Write(s.t, s.store, s.district, fn)
}

func (s *stage) read(fn func(*models.Tx) error) {
	s.t.Helper()
	modelstest.Read(s.t, s.store, s.district, fn)
}

func (s *stage) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.Exec(context.Background(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

// sync takes over people and sections, and ends those that are here and not among them.
func (s *stage) sync(people []models.RosterUser, sections []models.RosterSection) {
	s.t.Helper()
	gone := map[models.RosterType][]string{
		models.RosterUsers:    s.missing("users", len(people), func(i int) string { return people[i].CleverID }),
		models.RosterSections: s.missing("sections", len(sections), func(i int) string { return sections[i].CleverID }),
	}
	s.write(func(tx *models.Tx) error {
		ctx := s.t.Context()
		if _, err := tx.WriteUsers(ctx, people, &models.Seen{}); err != nil {
			return err
		}
		if _, err := tx.WriteSections(ctx, sections, &models.Seen{}); err != nil {
			return err
		}
		if _, err := tx.WriteChanges(ctx, &models.RosterChanges{Gone: gone}); err != nil {
			return err
		}
		return tx.Settle(ctx)
	})
}

// missing are the Clever ids that are current in a table and not in a list.
func (s *stage) missing(table string, n int, id func(int) string) []string {
	s.t.Helper()
	listed := make([]string, n)
	for i := range listed {
		listed[i] = id(i)
	}
	rows, err := s.conn.Query(context.Background(), `SELECT clever_id FROM `+table+` WHERE district_id = $1 AND ended_at IS NULL AND clever_id <> ALL($2::text[])`, s.district, listed)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func teacher(id string, schools ...string) models.RosterUser {
	return models.RosterUser{CleverID: id, First: "Ann", Last: "Name " + id, Email: id + "@example.org", Grants: []models.RosterGrant{{Role: "teacher", LegacyID: "t-" + id, Schools: schools}}}
}

func staff(id string, schools ...string) models.RosterUser {
	u := teacher(id, schools...)
	u.Grants[0].Role, u.Grants[0].LegacyID = "staff", "s-"+id
	return u
}

func admin(id string) models.RosterUser {
	u := teacher(id)
	u.Grants[0].Role, u.Grants[0].LegacyID = "district_admin", "a-"+id
	return u
}

func section(id, school string, teachers ...string) models.RosterSection {
	return models.RosterSection{CleverID: id, School: school, Name: "Section " + id, Teachers: teachers}
}

func (s *stage) user(cleverID string) (id int64) {
	s.t.Helper()
	s.read(func(tx *models.Tx) (err error) { id, err = tx.UserByCleverID(s.t.Context(), cleverID); return err })
	return id
}

// as is somebody of the district with what they may do now.
func (s *stage) as(user int64) models.Scope {
	s.t.Helper()
	actor := access.Actor{District: s.district, User: user}
	s.read(func(tx *models.Tx) error {
		in, err := tx.UserFacts(s.t.Context(), user)
		actor.Facts = in.Facts(*s.now)
		actor.View = access.ViewAll
		return err
	})
	return s.store.As(actor)
}

// tables are everything of people and what is counted of them.
var tables = []string{
	"users", "identities", "accounts", "role_grants", "role_grant_schools", "section_teachers", "section_students", "contact_students", "overrides", "user_preferences",
	"imported_accounts", "user_search", "head_counts", "sections", "section_strangers",
}

// dump is every row of those tables as text.
func (s *stage) dump() string {
	s.t.Helper()
	var b strings.Builder
	for _, table := range tables {
		rows, err := s.conn.Query(context.Background(), fmt.Sprintf(`SELECT to_jsonb(t)::text FROM %s t WHERE district_id = $1 ORDER BY 1`, table), s.district)
		if err != nil {
			s.t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			s.t.Fatal(err)
		}
		for _, line := range lines {
			b.WriteString(table + " " + line + "\n")
		}
	}
	return b.String()
}

func token() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// draw fills a district with random employees: Clever's and imported ones, with sections, overrides, roles by hand,
// preferences and sign-ins. Two admins are there to decide. It gives everybody else's ids.
func (s *stage) draw(t *rapid.T) (people []int64) {
	pick := func(list []string, what string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 0, 2, func(x string) string { return x }).Draw(t, what)
	}
	schools := []string{"school-1", "school-2", "school-3"}
	roster := []models.RosterUser{admin("first"), admin("second")}
	var names []string
	for i := range rapid.IntRange(3, 5).Draw(t, "people") {
		u := models.RosterUser{CleverID: fmt.Sprint("person-", i), First: rapid.SampledFrom([]string{"Ann", "Bo"}).Draw(t, "first"), Last: rapid.SampledFrom([]string{"Lee", "Ng", "Ruiz"}).Draw(t, "last"), Email: fmt.Sprintf("p%d@example.org", i)}
		for _, role := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"teacher", "staff"}), 0, 2, func(x string) string { return x }).Draw(t, "roles") {
			g := models.RosterGrant{Role: role, LegacyID: fmt.Sprintf("%s-%d", role, i), Schools: pick(schools, "schools"), SISID: fmt.Sprint("n", i)}
			if role == "staff" && rapid.Bool().Draw(t, "lead") {
				g.Labels = []string{access.SchoolTechLead}
			}
			u.Grants = append(u.Grants, g)
		}
		roster = append(roster, u)
		names = append(names, u.CleverID)
	}
	var sections []models.RosterSection
	for i := range rapid.IntRange(0, 4).Draw(t, "sections") {
		sections = append(sections, section(fmt.Sprint("section-", i), rapid.SampledFrom(schools).Draw(t, "school"), pick(names, "teachers")...))
	}
	s.exec(`UPDATE districts SET strategy = $2, combining = $3, policy_version = nextval('policy_versions') WHERE district_id = $1`, s.district,
		rapid.SampledFrom([]string{"consolidated", "per_role"}).Draw(t, "strategy"), rapid.SampledFrom([]string{"most_privileged", "least_privileged", "view_in_use"}).Draw(t, "combining"))
	s.sync(roster, sections)
	if rapid.IntRange(0, 3).Draw(t, "somebody left") == 0 && len(names) > 3 {
		s.sync(append(roster[:2:2], roster[3:]...), sections)
	}
	for _, name := range names {
		people = append(people, s.user(name))
	}
	by := s.user("first")
	var places []models.Override
	s.read(func(tx *models.Tx) error {
		for _, p := range []access.Place{access.InDistrict()} {
			var o models.Override
			o.SetPlace(p)
			places = append(places, o)
		}
		list, err := tx.SchoolChoices(s.t.Context(), models.District{}, access.Reach{District: true})
		for _, c := range list {
			var o models.Override
			o.SetPlace(access.AtSchool(c.ID))
			places = append(places, o)
		}
		return err
	})
	err := s.as(by).Write(s.t.Context(), func(tx *models.Tx) error {
		ctx := s.t.Context()
		for range rapid.IntRange(0, 5).Draw(t, "overrides") {
			o := rapid.SampledFrom(places).Draw(t, "place")
			o.UserID, o.Permission, o.Allow = rapid.SampledFrom(people).Draw(t, "of"), rapid.SampledFrom([]access.Permission{"reports.export", "users.view", "grades.edit"}).Draw(t, "permission"), rapid.Bool().Draw(t, "allow")
			o.Reason, o.Note, o.EndKind = "other", "x", models.NeverEnds
			if rapid.Bool().Draw(t, "ends") {
				o.EndKind, o.EndsAt = models.EndsAtDate, new(s.now.Add(time.Duration(rapid.IntRange(1, 3).Draw(t, "days"))*24*time.Hour))
			}
			if _, found, err := tx.LikeOverride(ctx, o); err != nil || found {
				continue
			}
			if _, err := tx.CreateOverride(ctx, o); err != nil {
				return err
			}
		}
		for _, u := range people {
			if rapid.IntRange(0, 2).Draw(t, "role by hand") != 0 {
				continue
			}
			_, err := tx.SetManualRole(ctx, models.ManualRole{UserID: u, Role: access.Staff, Labels: []string{}, Schools: []int64{}, Reason: "duty", Note: "x", GivenBy: &by})
			if err != nil && !strings.Contains(err.Error(), models.ErrNotFound.Error()) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range people {
		if rapid.Bool().Draw(t, "prefers") {
			s.exec(`INSERT INTO user_preferences VALUES ($1, $2, 'teacher')`, s.district, u)
		}
		if rapid.Bool().Draw(t, "signed in") {
			s.exec(`INSERT INTO sessions (district_id, token_hash, user_id, code_hash, created_at, seen_at, expires_at) VALUES ($1, sha256($2::bytea), $3, '', $4::timestamptz, $4::timestamptz, $4::timestamptz + interval '1 day')`,
				s.district, []byte(fmt.Sprint(s.district, i)), u, *s.now)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "imported") {
		people = append(people, s.imported(i))
	}
	return people
}

// imported is a person whom Clever does not know, with the app's own account.
func (s *stage) imported(i int) (id int64) {
	s.t.Helper()
	name := fmt.Sprint("Imported ", i)
	s.exec(`INSERT INTO imports (district_id, kind, file_name, state, started_at, beat_at) SELECT $1::bigint, 'accounts', 'x.csv', 'applied', $2::timestamptz, $2::timestamptz WHERE NOT EXISTS (SELECT FROM imports WHERE district_id = $1)`, s.district, *s.now)
	err := s.conn.QueryRow(context.Background(), `INSERT INTO users (district_id, first_name, last_name, email, name_key, email_key, created_at, changed_at) VALUES ($1, 'Im', $2::text, $3::text, lower($2::text), $3::text, $4::timestamptz, $4::timestamptz) RETURNING id`,
		s.district, name, fmt.Sprintf("im%d@example.org", i), *s.now).Scan(&id)
	if err != nil {
		s.t.Fatal(err)
	}
	s.exec(`INSERT INTO user_search (district_id, user_id, name_key, current, doc, school_ids) VALUES ($1, $2, lower($3::text), true, ' im ' || lower($3::text), '{}')`, s.district, id, name)
	s.exec(`INSERT INTO accounts (district_id, user_id, created_at) VALUES ($1, $2, $3)`, s.district, id, *s.now)
	s.exec(`INSERT INTO imported_accounts (district_id, app_id, role, last_name, name_key, state, user_id, account_id, import_id, digest, changed_at)
		SELECT $1::bigint, $2::text, 'teacher', $3::text, lower($3::text), 'unmatched', $4::bigint, a.id, i.id, '', $5::timestamptz FROM accounts a, imports i WHERE a.district_id = $1 AND a.user_id = $4 AND i.district_id = $1`, s.district, fmt.Sprint("app-", i), name, id, *s.now)
	s.write(func(tx *models.Tx) error { return tx.CountHeads(s.t.Context()) })
	return id
}
