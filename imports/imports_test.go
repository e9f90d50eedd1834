package imports

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/models"
	"hallpass/models/modelstest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workCommand {
		os.Exit(workAlone(os.Args[2:]))
	}
	os.Exit(modelstest.Run(m))
}

// place is a district with a few people of Clever's.
type place struct {
	*testing.T
	store    *models.Store
	district int64
	look     *pgx.Conn // sees everything
	ahead    *atomic.Int64
}

func newPlace(t *testing.T) place {
	t.Helper()
	url := modelstest.URL(t)
	p := place{T: t, ahead: &atomic.Int64{}}
	p.store = modelstest.Open(t, url, func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) })
	p.district = modelstest.District(t, p.store, "d1")
	look, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.Close(t.Context()) })
	p.look = look
	modelstest.Write(t, p.store, p.district, func(tx *models.Tx) error {
		_, err := tx.WriteSchools(t.Context(), []models.RosterSchool{{CleverID: "s1", Name: "Lincoln High", SISID: "42", Number: "L1"}, {CleverID: "s2", Name: "Kestrel Mid"}}, &models.Seen{})
		return err
	})
	p.people(
		teacherAndStaff("u1", "Danny", "Brakus", "lt1", "ls1"),
		models.RosterUser{CleverID: "u2", First: "Ann", Last: "Ortiz", Email: "ann@x.example", Grants: []models.RosterGrant{{Role: "teacher", LegacyID: "lt2", Schools: []string{"s1"}}}},
		models.RosterUser{CleverID: "st1", First: "Theo", Last: "Pupil", Grants: []models.RosterGrant{{Role: "student", Schools: []string{"s1"}}}},
		models.RosterUser{CleverID: "c1", Last: "Pupil, Gina", Grants: []models.RosterGrant{{Role: "contact", LegacyID: "lc1"}}},
	)
	return p
}

func teacherAndStaff(id, first, last, teacher, staff string) models.RosterUser {
	return models.RosterUser{CleverID: id, First: first, Last: last, Email: first + "@x.example", Grants: []models.RosterGrant{
		{Role: "teacher", LegacyID: teacher, Schools: []string{"s1"}, SISID: "42"}, {Role: "staff", LegacyID: staff, Schools: []string{"s2"}},
	}}
}

func (p place) people(list ...models.RosterUser) {
	p.Helper()
	modelstest.Write(p, p.store, p.district, func(tx *models.Tx) error {
		_, err := tx.WriteUsers(p.Context(), list, &models.Seen{})
		if err == nil {
			_, err = tx.MatchAccounts(p.Context())
		}
		return err
	})
}

func (p place) bring(text string) models.Import {
	p.Helper()
	i, err := File(p.Context(), p.store, p.district, "accounts.csv", int64(len(text)), strings.NewReader(text), false)
	if err != nil {
		p.Fatal(err)
	}
	return i
}

// accounts are the imported accounts as "app id: state why user", user being the Clever id or the name of their own person.
func (p place) accounts() string {
	p.Helper()
	rows, err := p.look.Query(p.Context(), `SELECT a.app_id || ': ' || a.state || ' ' || a.why || ' ' || coalesce(u.clever_id, 'own ' || u.first_name, '-')
		|| CASE WHEN a.user_id IS NOT NULL AND a.account_id IS NULL AND a.role <> 'student' THEN ' without account' ELSE '' END
		|| coalesce((SELECT CASE WHEN i.ended_at IS NOT NULL THEN ' ended id' WHEN i.user_id = a.user_id THEN '' ELSE ' id elsewhere' END FROM identities i WHERE i.kind = 'account' AND i.value = a.app_id), ' no id')
		FROM imported_accounts a LEFT JOIN users u ON u.id = a.user_id ORDER BY a.app_id`)
	if err != nil {
		p.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.Fatal(err)
	}
	return strings.Join(list, "\n")
}

const sample = `Account ID,Role,Clever ID,First name,Last name,Email,SIS ID,Schools,Last used
1,teacher,lt1,Danny,Brakus,danny@x.example,42,s1,2026-05-01
2,staff,ls1,Dan,Brakus,dbrakus@x.example,,Kestrel Mid,2026-05-02
3,teacher,lt2,Ann,Ortiz,ann@x.example,,42;Nowhere,
4,teacher,gone,Old,Teacher,old@x.example,,L1,2025-01-01T10:00:00Z
5,student,st1,Theo,Pupil,,,,
6,student,nobody,Lost,Pupil,,,,
7,contact,lc1,Gina,Pupil,,,,
8,teacher,,No,Number,,,,
9,teacher,lc1,Odd,Role,,,,
`

const matched = `1: ambiguous several own Danny
2: ambiguous several own Dan
3: linked  u2
4: unmatched not_found own Old
5: linked  st1
6: unmatched not_found - no id
7: archived contact - no id
8: unmatched no_id own No
9: unmatched other_role own Odd`

func TestAccountsFindTheirPeople(t *testing.T) {
	p := newPlace(t)
	i := p.bring(sample)
	if i.State != models.ImportApplied || i.Counts.New != 9 || i.Counts.Users != 5 || i.Form != "comma utf-8" {
		t.Fatalf("import %+v", i)
	}
	if have := p.accounts(); have != matched {
		t.Errorf("have\n%s\nwant\n%s", have, matched)
	}
	again := p.bring(sample)
	if again.Counts.New+again.Counts.Changed != 0 || again.Counts.Same != 9 {
		t.Errorf("the same file again: %+v", again.Counts)
	}
}
