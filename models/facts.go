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
// id, tombstones included, or the id that Clever's own list or an imported account has for them from before; or else an
// account, by Hallpass's id for it or the app's own.
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

// Now is the moment by which roles and overrides had not ended.
func (t Told) Now() time.Time { return t.now }

// Told is everything that decisions about what was asked depend on, as it was at one moment.
type Told struct {
	District District
	Policy   *access.Policy
	Subjects []Subject
	Places   []KnownPlace
	now      time.Time

	// When the copies were made, where it is told from copies.
	subjectsMade, placesMade []uint64
}

// CopyMark tells copies of a subject and a place from older and newer ones of the same: under one mark the facts about
// both, the rules and the names are the same, and no role and no override has ended in between.
type CopyMark struct{ subject, place uint64 }

// CopyMark is the mark of what was asked as the subject and the place with those indexes; ok is false where the facts
// were read anew.
func (t Told) CopyMark(subject, place int) (mark CopyMark, ok bool) {
	if subject < 0 || place < 0 || t.subjectsMade == nil {
		return mark, false
	}
	return CopyMark{t.subjectsMade[subject], t.placesMade[place]}, true
}

// Subject is a current person of the district with the facts about them. The zero value is nobody.
type Subject struct {
	User      User
	Role      access.Role // of an account for one role alone: strategy per role
	AccountID int64       // 0: the person was asked about
	Grants    []access.Grant
	Teaches   []access.Place
	Overrides []access.Override
	// OldAccount: the id is that of an account from before which leads to nobody whom Clever lists, and its person, if it
	// has one, holds no role.
	OldAccount bool
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
	from := sc.store.copies.begin(sc.actor.District)
	return sc.run(ctx, readOnly, func(tx *Tx, b *pgx.Batch) {
		tx.askKey(b, keyHash, &keys)
		tx.askFacts(b, asked, &facts)
	}, false, func(tx *Tx) error {
		if len(keys) == 0 {
			return ErrNoKey
		}
		told, err := tx.told(ctx, keys[0].district(tx), asked, facts)
		if err != nil {
			return err
		}
		sc.store.copies.keep(sc.actor.District, from, facts.learned(keyHash, keys[0], asked, told))
		return fn(tx, keys[0].APIKey, told)
	})
}

// Prove is ReadKeyed from copies in memory, where there are copies of all that is asked and one read of the database
// shows that they are what ReadKeyed would find now. Otherwise proven is false, and ReadKeyed is to be asked.
func (sc Scope) Prove(ctx context.Context, keyHash []byte, asked Asked) (key APIKey, told Told, proven bool, err error) {
	copies, district := &sc.store.copies, sc.actor.District
	from, now := copies.begin(district), sc.store.now()
	if _, _, there := copies.answer(district, from, keyHash, asked, now); !there {
		return key, told, false, nil
	}
	changes, err := sc.changesFrom(ctx, from.horizon)
	if err != nil {
		return key, told, false, passing(ctx, err)
	}
	copies.hear(district, changes)
	key, told, proven = copies.answer(district, from, keyHash, asked, now)
	return key, told, proven, nil
}

// changesFrom reads what transactions from the horizon on have changed, one row more than may be heard. It needs no BEGIN:
// statements sent together up to one Sync are one transaction, which the setting of the wall ends with.
func (sc Scope) changesFrom(ctx context.Context, horizon uint64) (changes []factChange, err error) {
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('hallpass.district', $1, true)`, strconv.FormatInt(sc.actor.District, 10))
	b.Queue(factChangesFrom, sc.actor.District, strconv.FormatUint(horizon, 10)).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var c factChange
			var xmin string
			if err := rows.Scan(&c.ID, &c.About, &c.Subject, &xmin); err != nil {
				return err
			}
			if c.Xmin, err = strconv.ParseUint(xmin, 10, 64); err != nil {
				return err
			}
			changes = append(changes, c)
		}
		return rows.Err()
	})
	if err := sc.store.pool.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("changes of facts: %w", err)
	}
	return changes, nil
}

// The horizon comes out of a subquery so that PostgreSQL does not see how few rows lie beyond it: it would think that
// worth a plan of its own each time, and planning takes several times as long as the answer.
var factChangesFrom = `SELECT c.id, c.about, c.subject_id, pg_snapshot_xmin(pg_current_snapshot())::text FROM fact_changes c
	WHERE c.district_id = $1 AND c.made_in >= (SELECT $2::text::xid8) LIMIT ` + strconv.Itoa(maxHeard+1)

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
	snapshot []struct{ Xmin string }
}

type subjectRow struct {
	N         int
	Role      access.Role
	AccountID int64
	RecordID  int64      // the user whom the id leads to, merged or not
	Number    int64      // the id as a number of ours, 0 where it is none
	ByClever  bool       // the id is Clever's of somebody
	Taught    []int64    // sections, those that ended too
	Until     *time.Time // when the first role by hand or override ends by itself
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
	askMore(b, &into.snapshot, `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin`)
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

// factsOfThose reads the facts of everybody that w, a table of user ids, leads to: the ids of a record that was merged
// lead to the person it was merged into. Who that is stands behind a fence: joined to as an expression, every user would
// be read.
const factsOfThose = `
	 CROSS JOIN LATERAL (SELECT r.id AS record_id, coalesce(r.merged_into, r.id) AS home FROM users r WHERE r.district_id = @district AND r.id = w.user_id OFFSET 0) r
	  JOIN users u     ON u.district_id = @district AND u.id = r.home AND u.ended_at IS NULL
	  JOIN districts d ON d.district_id = @district`

// forCopies is what copies of facts need beside them.
const forCopies = `, r.record_id,
	       (SELECT array_agg(t.section_id ORDER BY t.section_id) FROM section_teachers t WHERE t.district_id = u.district_id AND t.user_id = u.id) AS taught,
	       least((SELECT min(g.ends_at) FROM role_grants g WHERE g.district_id = u.district_id AND g.user_id = u.id AND g.ended_at IS NULL AND g.ends_at > @now),
	             (SELECT min(o.ends_at) FROM overrides o WHERE o.district_id = u.district_id AND o.user_id = u.id AND o.ended_at IS NULL AND o.ends_at > @now)) AS until`

// userFacts follows an id to a person. coalesce stops at the first that leads to one.
var userFacts = numbered(facts+forCopies+`, w.n, w.number, w.by_clever, '' AS role, 0 AS account_id
	  FROM (SELECT a.n, a.number, EXISTS (SELECT FROM identities i WHERE i.district_id = @district AND i.kind = 'clever' AND i.value = a.value) AS by_clever, coalesce(
	                 (SELECT x.id FROM users x WHERE x.district_id = @district AND x.id = a.number),
	                 (SELECT i.user_id FROM identities i WHERE i.district_id = @district AND i.kind = 'clever' AND i.value = a.value),
	                 (SELECT i.user_id FROM identities i WHERE i.district_id = @district AND i.kind = 'legacy' AND i.value = a.value),
	                 (SELECT i.user_id FROM migrated_ids m JOIN identities i ON i.district_id = @district AND i.kind = 'clever' AND i.value = m.clever_id
	                   WHERE m.district_id = @district AND m.legacy_id = a.value),
	                 (SELECT o.user_id FROM imported_accounts o WHERE o.district_id = @district AND o.legacy_id = a.value AND o.legacy_id <> '' AND o.user_id IS NOT NULL
	                   ORDER BY o.state <> 'linked', o.id LIMIT 1)) AS user_id
	          FROM `+askedIDs+` OFFSET 0) w`+factsOfThose, "district", "now", "ids", "numbers", "at")

// accountFacts follows an id to an account in use, or else to the person whom the app's own account id belongs to.
var accountFacts = numbered(facts+forCopies+`, w.n, w.number, false AS by_clever, w.role, w.account_id
	  FROM (SELECT a.n, a.number, coalesce(c.role, '') AS role, coalesce(c.id, 0) AS account_id, coalesce(c.user_id,
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
	return t, tx.oldAccounts(ctx, asked, t.Subjects)
}

// oldAccounts finds out which of those that lead to nobody, or to somebody without a role whom Clever does not know, are
// accounts from before. Where everybody is found, which is nearly always, it asks nothing.
func (tx *Tx) oldAccounts(ctx context.Context, asked Asked, subjects []Subject) error {
	var legacy, app []string
	var users, at []int64
	for i, s := range subjects {
		if s.Known() && (s.User.CleverID != nil || len(s.Grants) > 0) {
			continue
		}
		id, own := asID(asked.Subjects[i].ID), ""
		if asked.Subjects[i].Account {
			id, own = "", id
		}
		legacy, app, users, at = append(legacy, id), append(app, own), append(users, s.User.ID), append(at, int64(i))
	}
	if len(at) == 0 {
		return nil
	}
	var n int64
	b := &pgx.Batch{}
	collect(b, `SELECT w.n FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) w(legacy, app, person, n) WHERE
			EXISTS (SELECT FROM imported_accounts a WHERE a.district_id = $1 AND a.legacy_id = w.legacy AND a.legacy_id <> '')
		 OR EXISTS (SELECT FROM imported_accounts a WHERE a.district_id = $1 AND a.app_id = w.app)
		 OR EXISTS (SELECT FROM imported_accounts a WHERE a.district_id = $1 AND a.user_id = w.person AND a.user_id IS NOT NULL)`,
		[]any{tx.actor.District, legacy, app, users, at}, []any{&n}, func() { subjects[n].OldAccount = true })
	return tx.send(ctx, "old accounts", b)
}

// learned is what may be kept of the answers: who and what was found, but not by an id that a later row could give to
// somebody else. Ours and Clever's are asked first, and a row of theirs changes hands only by an update.
func (f factsAnswer) learned(keyHash []byte, k keyRow, asked Asked, t Told) learned {
	l := learned{
		district: t.District, policy: t.Policy, keyHash: keyHash, key: APIKey{ID: k.ID, Explains: k.Explains, LastUsedAt: k.LastUsedAt},
		people: map[AskedSubject]personCopy{}, places: map[AskedPlace]KnownPlace{},
	}
	for _, r := range f.snapshot {
		l.xmin, _ = strconv.ParseUint(r.Xmin, 10, 64) // 0, which would be safe, never comes
	}
	for _, r := range f.subjects {
		who := asked.Subjects[r.N]
		if t.Subjects[r.N].OldAccount { // nothing tells when it is joined with somebody
			continue
		}
		if who.Account && r.AccountID != r.Number || !who.Account && r.Number != r.RecordID && (r.Number != 0 || !r.ByClever) {
			continue
		}
		p := personCopy{Subject: t.Subjects[r.N], from: t.now, record: r.RecordID}
		p.User = User{ID: r.ID, CleverID: r.CleverID, FirstName: r.FirstName, MiddleName: r.MiddleName, LastName: r.LastName}
		p.Teaches = make([]access.Place, len(r.Taught))
		for i, section := range r.Taught {
			p.Teaches[i] = access.AtSection(section, 0) // where it is, and whether it has ended, is the place's to say
		}
		if r.Until != nil {
			p.until = *r.Until
		}
		l.people[who] = p
	}
	for i, p := range asked.Places {
		if found := t.Places[i]; found.Kind == access.School || found.Kind == access.Section {
			l.places[p] = found
		}
	}
	return l
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
