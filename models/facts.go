package models

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// AskedSubject is an outside id of whom a decision is about: a person by Hallpass id, Clever id or a role's legacy
// id, tombstones included, or else an account, by Hallpass's id for it or the app's own.
type AskedSubject struct {
	Account bool
	ID      string
}

// AskedPlace is an outside id of where a decision is about: Clever's.
type AskedPlace struct {
	Kind access.Kind
	ID   string
}

// Asked is what decisions are about. The answers keep its order.
type Asked struct {
	Subjects []AskedSubject
	Places   []AskedPlace
}

// Told is everything that decisions about what was asked depend on, as it was at one moment.
type Told struct {
	District District
	Policy   *access.Policy
	Subjects []Subject
	Places   []KnownPlace
	now      time.Time
}

// Subject is a current person of the district with the facts about them. The zero value is nobody.
type Subject struct {
	User      User
	Role      access.Role // of an account for one role alone: strategy per role
	AccountID int64       // 0: the person was asked about
	Grants    []access.Grant
	Teaches   []access.Place
	Overrides []access.Override
}

// Known reports that the id leads to somebody.
func (s Subject) Known() bool { return s.User.ID != 0 }

// KnownPlace is a current section or school, or the district. The zero value is nowhere.
type KnownPlace struct {
	access.Place
	Name   string // "" where Clever does not share it
	Period string // of a section
	School string // the name of a section's school
}

// Known reports that the id leads to a place of this district.
func (p KnownPlace) Known() bool { return p.Kind != "" }

// Facts is what Decide is told of one of the subjects. An account for one role wears that role's view, whatever the
// asker names; the view is the asker's otherwise.
func (t Told) Facts(s Subject, view access.View) access.Facts {
	if s.Role != "" {
		view = access.View(s.Role)
	}
	return access.Facts{Policy: t.Policy, Grants: s.Grants, Teaches: s.Teaches, Overrides: s.Overrides, View: view, Now: t.now}
}

// ErrNoKey is ErrNotFound for the key itself: nobody may ask with it.
var ErrNoKey = fmt.Errorf("key: %w", ErrNotFound)

// ReadKeyed is Read for the bearer of a key: the transaction begins by finding out whether there is such a key and
// with the facts about what is asked, all in one round trip. ErrNoKey: there is none in this district, or it was
// revoked, and fn is not run.
func (sc Scope) ReadKeyed(ctx context.Context, keyHash []byte, asked Asked, fn func(*Tx, APIKey, Told) error) error {
	var keys []keyRow
	var facts factsAnswer
	return sc.run(ctx, readOnly, func(tx *Tx, b *pgx.Batch) {
		tx.askKey(b, keyHash, &keys)
		tx.askFacts(b, asked, &facts)
	}, func(tx *Tx) error {
		if len(keys) == 0 {
			return ErrNoKey
		}
		told, err := tx.told(ctx, keys[0].district(tx), asked, facts)
		if err != nil {
			return err
		}
		return fn(tx, keys[0].APIKey, told)
	})
}

// FactsOf reads the facts about subjects and places in one round trip, however many they are.
func (tx *Tx) FactsOf(ctx context.Context, asked Asked) (Told, error) {
	d, err := tx.District(ctx)
	if err != nil {
		return Told{}, err
	}
	var facts factsAnswer
	b := &pgx.Batch{}
	tx.askFacts(b, asked, &facts)
	if err := tx.send(ctx, "facts", b); err != nil {
		return Told{}, err
	}
	return tx.told(ctx, d, asked, facts)
}

// keyRow is a key with its district, for a request that knows neither yet.
type keyRow struct {
	APIKey
	CleverID      string
	DistrictName  string
	TimeZone      string
	Combining     access.Combining
	Strategy      access.Strategy
	PolicyVersion int64
	SchoolYearEnd string
}

func (r keyRow) district(tx *Tx) District {
	return District{
		DistrictID: tx.actor.District, CleverID: r.CleverID, Name: r.DistrictName, TimeZone: r.TimeZone,
		Combining: r.Combining, Strategy: r.Strategy, PolicyVersion: r.PolicyVersion, SchoolYearEnd: r.SchoolYearEnd,
	}
}

func (tx *Tx) askKey(b *pgx.Batch, hash []byte, into *[]keyRow) {
	askMore(b, into, `SELECT k.id, k.explains, k.last_used_at, d.clever_id, d.name AS district_name, d.time_zone, d.combining, d.strategy, d.policy_version, d.school_year_end
		  FROM api_keys k JOIN districts d ON d.district_id = k.district_id
		 WHERE k.district_id = $1 AND k.key_hash = $2 AND k.revoked_at IS NULL`, tx.actor.District, hash)
}

// factsAnswer is what the database says to askFacts.
type factsAnswer struct {
	subjects []subjectRow
	places   []placeAnswer
}

type subjectRow struct {
	N         int
	Role      access.Role
	AccountID int64
	factsRow
}

type placeAnswer struct {
	N               int
	School, Section int64
	Name, Period    string
	SchoolName      string
}

// maxOutsideID is longer than any id of Clever's or ours; what is longer is not looked up.
const maxOutsideID = 200

// asID is an outside id as the database can compare it. PostgreSQL has no text with a zero byte, and no id has one.
func asID(value string) string {
	if len(value) > maxOutsideID || strings.ContainsRune(value, 0) {
		return ""
	}
	return value
}

// askFacts adds the questions to a batch: the same facts as a session's, for each subject, and each place.
func (tx *Tx) askFacts(b *pgx.Batch, asked Asked, into *factsAnswer) {
	var users, accounts struct {
		ids         []string
		numbers, at []int64
	}
	for i, s := range asked.Subjects {
		of := &users
		if s.Account {
			of = &accounts
		}
		id, number := asID(s.ID), int64(0)
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && n > 0 && strconv.FormatInt(n, 10) == id {
			number = n
		}
		of.ids, of.numbers, of.at = append(of.ids, id), append(of.numbers, number), append(of.at, int64(i))
	}
	if len(users.ids) > 0 {
		askMore(b, &into.subjects, userFacts, tx.actor.District, tx.now, users.ids, users.numbers, users.at)
	}
	if len(accounts.ids) > 0 {
		askMore(b, &into.subjects, accountFacts, tx.actor.District, tx.now, accounts.ids, accounts.numbers, accounts.at)
	}
	if n := len(asked.Places); n > 0 {
		kinds, ids := make([]string, n), make([]string, n)
		for i, p := range asked.Places {
			kinds[i], ids[i] = string(p.Kind), asID(p.ID)
		}
		askMore(b, &into.places, placesByID, tx.actor.District, kinds, ids)
	}
}

// askMore is ask for statements whose arguments have their numbers already, and adds to what others answered.
func askMore[T any](b *pgx.Batch, into *[]T, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		more, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
		*into = append(*into, more...)
		return err
	})
}

// numbered writes $1, $2 … for the names of arguments: once, because a decision is soon made.
func numbered(sql string, names ...string) string {
	var pairs []string
	for i, name := range names {
		pairs = append(pairs, "@"+name, "$"+strconv.Itoa(i+1))
	}
	return strings.NewReplacer(pairs...).Replace(sql)
}

// askedIDs is the ids as rows. The arrays come out of subqueries so that PostgreSQL does not count their elements: it
// would think every short list worth a plan of its own, and planning takes longer than the answer.
const askedIDs = `unnest((SELECT @ids::text[]), (SELECT @numbers::bigint[]), (SELECT @at::bigint[])) a(value, number, n)`

// factsOfThose reads the facts of everybody that w, a table of user ids, leads to.
const factsOfThose = `
	  JOIN users u     ON u.district_id = @district AND u.id = w.user_id AND u.ended_at IS NULL
	  JOIN districts d ON d.district_id = @district`

// userFacts follows an id to a person. coalesce stops at the first that leads to one.
var userFacts = numbered(facts+`, w.n, '' AS role, 0 AS account_id
	  FROM (SELECT a.n, coalesce(
	                 (SELECT x.id FROM users x WHERE x.district_id = @district AND x.id = a.number),
	                 (SELECT i.user_id FROM identities i WHERE i.district_id = @district AND i.kind = 'clever' AND i.value = a.value),
	                 (SELECT i.user_id FROM identities i WHERE i.district_id = @district AND i.kind = 'legacy' AND i.value = a.value)) AS user_id
	          FROM `+askedIDs+` OFFSET 0) w`+factsOfThose, "district", "now", "ids", "numbers", "at")

// accountFacts follows an id to an account in use, or else to the person whom the app's own account id belongs to.
var accountFacts = numbered(facts+`, w.n, w.role, w.account_id
	  FROM (SELECT a.n, coalesce(c.role, '') AS role, coalesce(c.id, 0) AS account_id, coalesce(c.user_id,
	                 (SELECT i.user_id FROM identities i WHERE i.district_id = @district AND i.kind = 'account' AND i.value = a.value)) AS user_id
	          FROM `+askedIDs+` LEFT JOIN LATERAL (
	               SELECT x.id, x.role, x.user_id FROM accounts x WHERE x.district_id = @district AND x.id = a.number AND x.retired_at IS NULL OFFSET 0) c ON true
	        OFFSET 0) w`+factsOfThose, "district", "now", "ids", "numbers", "at")

// placesByID finds current schools and sections.
var placesByID = numbered(`
	SELECT a.n, p.school, p.section, p.name, p.period, p.school_name
	  FROM unnest((SELECT @kinds::text[]), (SELECT @ids::text[])) WITH ORDINALITY a(kind, value, n)
	 CROSS JOIN LATERAL (
	       SELECT s.school_id AS school, s.id AS section, s.name, s.period, h.name AS school_name
	         FROM sections s JOIN schools h ON h.district_id = @district AND h.id = s.school_id
	        WHERE a.kind = 'section' AND s.district_id = @district AND s.clever_id = a.value AND s.ended_at IS NULL
	        UNION ALL
	       SELECT h.id, 0, h.name, '', '' FROM schools h
	        WHERE a.kind = 'school' AND h.district_id = @district AND h.clever_id = a.value AND h.ended_at IS NULL
	       OFFSET 0) p`, "district", "kinds", "ids")

// told makes sense of the answers.
func (tx *Tx) told(ctx context.Context, d District, asked Asked, facts factsAnswer) (Told, error) {
	t := Told{District: d, Subjects: make([]Subject, len(asked.Subjects)), Places: make([]KnownPlace, len(asked.Places)), now: tx.now}
	var err error
	if t.Policy, err = tx.policy(ctx, d); err != nil {
		return t, err
	}
	for _, r := range facts.subjects {
		in, err := r.signedIn(ctx, tx)
		if err != nil {
			return t, err
		}
		t.Subjects[r.N] = Subject{User: in.User, Role: r.Role, AccountID: r.AccountID, Grants: in.Grants, Teaches: in.Teaches, Overrides: in.Overrides}
	}
	for _, r := range facts.places {
		at := access.AtSchool(r.School)
		if r.Section != 0 {
			at = access.AtSection(r.Section, r.School)
		}
		t.Places[r.N-1] = KnownPlace{Place: at, Name: r.Name, Period: r.Period, School: r.SchoolName}
	}
	for i, p := range asked.Places {
		if p.Kind == access.District && p.ID == d.CleverID {
			t.Places[i] = KnownPlace{Place: access.InDistrict(), Name: d.Name}
		}
	}
	return t, nil
}

// AccountsOf lists the accounts in use of some people, by Hallpass's id.
func (tx *Tx) AccountsOf(ctx context.Context, users []int64) ([]int64, error) {
	rows, err := scan[struct{ ID int64 }](ctx, tx, `SELECT id FROM accounts WHERE district_id = @district AND user_id = ANY(@users::bigint[]) AND retired_at IS NULL
		ORDER BY array_position(@users::bigint[], user_id), id`, map[string]any{"district": tx.actor.District, "users": users})
	if err != nil {
		return nil, fmt.Errorf("accounts of people: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, nil
}
