package models

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// userRows gathers a page's rows by what is to be done with them, as columns, and queues a statement for each kind
// that has any.
type userRows struct {
	district int64
	now      time.Time

	newUsers, changedUsers userColumns
	newSearch, keptSearch  searchColumns

	identities struct {
		kind, value, role []string
		user              []int64
	}
	revivedIdentities, revivedLegacy, endedLegacy []string

	newGrants, changedGrants   grantColumns
	endedGrants                []int64
	newSchools, changedSchools grantSchoolColumns
	endedSchools               struct{ grant, school []int64 }

	students     studentColumns
	lostStudents struct {
		contact []int64
		student []string
	}
	held     heldColumns
	notes    noteColumns
	accounts []int64
	compare  []int64 // employees who changed, to be compared with others anew
	renamed  struct {
		id  []int64
		key []string
	}
}

type userColumns struct {
	id                                                      []int64
	cleverID, first, middle, last, email, nameKey, emailKey []string
	roles                                                   []int16
	digest                                                  [][]byte
	created, changed                                        []time.Time
}

func (r *userRows) user(u *rosterPerson, roles int) {
	c := &r.newUsers
	if u.known {
		c = &r.changedUsers
	}
	c.id = append(c.id, u.id)
	c.cleverID = append(c.cleverID, u.CleverID)
	c.first = append(c.first, u.First)
	c.middle = append(c.middle, u.Middle)
	c.last = append(c.last, u.Last)
	c.email = append(c.email, u.Email)
	c.nameKey = append(c.nameKey, u.nameKey)
	c.emailKey = append(c.emailKey, key(u.Email))
	c.roles = append(c.roles, int16(min(roles, 1000)))
	c.digest = append(c.digest, u.digest)
	c.created = append(c.created, when(r.now, u.Created))
	c.changed = append(c.changed, when(r.now, u.Modified, u.Created))
}

func (c *userColumns) args(district int64) []any {
	return []any{district, c.id, c.cleverID, c.first, c.middle, c.last, c.email, c.nameKey, c.emailKey, c.roles, c.digest, c.created, c.changed}
}

const userUnnest = `unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::smallint[], $11::bytea[], $12::timestamptz[], $13::timestamptz[])`

type searchColumns struct {
	id      []int64
	key     []string
	doc     []string
	schools []string // array literals
	contact []bool
}

// searchRow keeps a contact's schools as they are: they are those of its students, settled when everyone is in.
func (r *userRows) searchRow(u *rosterPerson, schools []int64, contact bool) {
	add := func(c *searchColumns) {
		c.id = append(c.id, u.id)
		c.key = append(c.key, u.nameKey)
		c.doc = append(c.doc, searchDoc(u.First, u.Middle, u.Last, u.Email))
		c.schools = append(c.schools, idArray(schools))
		c.contact = append(c.contact, contact)
	}
	if u.known {
		add(&r.keptSearch)
	}
	if !u.known || u.adopted {
		add(&r.newSearch)
	}
}

func (r *userRows) identity(kind, value string, user int64, role string) {
	r.identities.kind = append(r.identities.kind, kind)
	r.identities.value = append(r.identities.value, value)
	r.identities.user = append(r.identities.user, user)
	r.identities.role = append(r.identities.role, role)
}

type grantColumns struct {
	id, user, record                                 []int64
	role, legacyID, sisID, number, sisKey, numberKey []string
	title, grade, labels, nameKey                    []string
	since                                            []time.Time
}

func (c *grantColumns) add(id int64, u *rosterPerson, g *RosterGrant, since time.Time) {
	c.id = append(c.id, id)
	c.user = append(c.user, u.home)
	c.record = append(c.record, u.id)
	c.role = append(c.role, g.Role)
	c.legacyID = append(c.legacyID, g.LegacyID)
	c.sisID = append(c.sisID, g.SISID)
	c.number = append(c.number, g.Number)
	c.sisKey = append(c.sisKey, idKey(g.SISID))
	c.numberKey = append(c.numberKey, idKey(g.Number))
	c.title = append(c.title, g.Title)
	c.grade = append(c.grade, g.Grade)
	c.labels = append(c.labels, textArray(g.Labels))
	c.nameKey = append(c.nameKey, u.nameKey)
	c.since = append(c.since, since)
}

func (c *grantColumns) args(district int64) []any {
	return []any{district, c.id, c.user, c.role, c.legacyID, c.sisID, c.number, c.sisKey, c.numberKey, c.title, c.grade, c.labels, c.nameKey, c.since, c.record}
}

const grantUnnest = `unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::bigint[])
	AS r(id, user_id, role, legacy_id, sis_id, number, sis_key, number_key, title, grade, labels, name_key, since, record_id)`

type grantSchoolColumns struct {
	grant, school, user []int64
	role, nameKey       []string
	primary             []bool
	since               []time.Time
}

func (c *grantSchoolColumns) add(grant, school int64, u *rosterPerson, role string, primary bool, since time.Time) {
	c.grant = append(c.grant, grant)
	c.school = append(c.school, school)
	c.user = append(c.user, u.home)
	c.role = append(c.role, role)
	c.primary = append(c.primary, primary)
	c.nameKey = append(c.nameKey, u.nameKey)
	c.since = append(c.since, since)
}

type studentColumns struct {
	contact                     []int64
	student, relationship, kind []string
}

func (c *studentColumns) add(contact int64, s RosterContactStudent) {
	c.contact = append(c.contact, contact)
	c.student = append(c.student, s.Student)
	c.relationship = append(c.relationship, s.Relationship)
	c.kind = append(c.kind, s.Kind)
}

func (r *userRows) queue(b *pgx.Batch) {
	r.queueUsers(b)
	r.queueIdentities(b)
	r.queueGrants(b)
	if s := r.students; len(s.contact) > 0 {
		b.Queue(`INSERT INTO contact_students (district_id, contact_id, student_clever_id, relationship, kind)
			SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
			ON CONFLICT (district_id, contact_id, student_clever_id) DO UPDATE SET relationship = excluded.relationship, kind = excluded.kind`,
			r.district, s.contact, s.student, s.relationship, s.kind)
	}
	if s := r.lostStudents; len(s.contact) > 0 {
		b.Queue(`DELETE FROM contact_students c USING unnest($2::bigint[], $3::text[]) AS r(contact, student)
			WHERE c.district_id = $1 AND c.contact_id = r.contact AND c.student_clever_id = r.student`, r.district, s.contact, s.student)
	}
	markDuplicates(b, r.district, r.compare)
	if len(r.accounts) > 0 {
		queueAccounts(b, r.district, r.accounts, r.now)
	}
}

func (r *userRows) queueUsers(b *pgx.Batch) {
	if len(r.newUsers.id) > 0 {
		b.Queue(`INSERT INTO users (district_id, id, clever_id, first_name, middle_name, last_name, email, name_key, email_key, role_count, digest, created_at, changed_at)
			OVERRIDING SYSTEM VALUE SELECT $1, * FROM `+userUnnest, r.newUsers.args(r.district)...)
	}
	if len(r.changedUsers.id) > 0 {
		b.Queue(`UPDATE users u SET clever_id = r.clever_id, first_name = r.first_name, middle_name = r.middle_name, last_name = r.last_name,
				email = r.email, name_key = r.name_key, email_key = r.email_key, role_count = r.role_count, digest = r.digest, changed_at = r.changed_at, ended_at = NULL
			FROM `+userUnnest+` AS r(id, clever_id, first_name, middle_name, last_name, email, name_key, email_key, role_count, digest, created_at, changed_at)
			WHERE u.district_id = $1 AND u.id = r.id`, r.changedUsers.args(r.district)...)
	}
	if s := r.newSearch; len(s.id) > 0 {
		b.Queue(`INSERT INTO user_search (district_id, user_id, name_key, current, doc, school_ids)
			SELECT $1, r.id, r.name_key, true, r.doc, CASE WHEN r.contact THEN '{}' ELSE r.schools::bigint[] END
			FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[]) AS r(id, name_key, doc, schools, contact)
			ON CONFLICT (district_id, user_id) DO NOTHING`, r.district, s.id, s.key, s.doc, s.schools, s.contact)
	}
	if s := r.keptSearch; len(s.id) > 0 {
		b.Queue(`UPDATE user_search s SET name_key = r.name_key, current = true, doc = r.doc, school_ids = r.schools
			FROM (SELECT r.id, r.name_key, r.doc, CASE WHEN r.contact THEN o.school_ids ELSE r.schools::bigint[] END AS schools
				FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[]) AS r(id, name_key, doc, schools, contact)
				JOIN user_search o ON o.district_id = $1 AND o.user_id = r.id) r
			WHERE s.district_id = $1 AND s.user_id = r.id AND (s.name_key, s.current, s.doc, s.school_ids) IS DISTINCT FROM (r.name_key, true, r.doc, r.schools)`,
			r.district, s.id, s.key, s.doc, s.schools, s.contact)
	}
	if len(r.renamed.id) > 0 { // the name's sort key is copied into the rows that sort by it
		for _, table := range []string{"role_grants", "role_grant_schools"} {
			b.Queue(`UPDATE `+table+` t SET name_key = r.name_key FROM unnest($2::bigint[], $3::text[]) AS r(id, name_key)
				WHERE t.district_id = $1 AND t.user_id = r.id AND t.name_key <> r.name_key`, r.district, r.renamed.id, r.renamed.key)
		}
	}
}

func (r *userRows) queueIdentities(b *pgx.Batch) {
	if i := r.identities; len(i.value) > 0 {
		b.Queue(`INSERT INTO identities (district_id, kind, value, user_id, role, created_at)
			SELECT $1, kind, value, user_id, role, $6 FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS r(kind, value, user_id, role)`,
			r.district, i.kind, i.value, i.user, i.role, r.now)
	}
	for _, revived := range []struct {
		kind   string
		values []string
	}{{"clever", r.revivedIdentities}, {"legacy", r.revivedLegacy}} {
		if len(revived.values) > 0 {
			b.Queue(`UPDATE identities i SET ended_at = NULL FROM unnest($3::text[]) w(id)
				WHERE i.district_id = $1 AND i.kind = $2 AND i.value = w.id AND i.ended_at IS NOT NULL`,
				r.district, revived.kind, revived.values)
		}
	}
	if len(r.endedLegacy) > 0 {
		b.Queue(`UPDATE identities i SET ended_at = $3 FROM unnest($2::text[]) w(id)
			WHERE i.district_id = $1 AND i.kind = 'legacy' AND i.value = w.id AND i.ended_at IS NULL`,
			r.district, r.endedLegacy, r.now)
	}
}

func (r *userRows) queueGrants(b *pgx.Batch) {
	if len(r.newGrants.id) > 0 {
		b.Queue(`INSERT INTO role_grants (district_id, id, user_id, record_id, role, source, legacy_id, sis_id, number, sis_key, number_key, title, grade, labels, name_key, since)
			OVERRIDING SYSTEM VALUE SELECT $1, id, user_id, record_id, role, 'clever', legacy_id, sis_id, number, sis_key, number_key, title, grade, labels::text[], name_key, since
			FROM `+grantUnnest, r.newGrants.args(r.district)...)
	}
	if len(r.changedGrants.id) > 0 {
		b.Queue(`UPDATE role_grants g SET legacy_id = r.legacy_id, sis_id = r.sis_id, number = r.number, sis_key = r.sis_key, number_key = r.number_key,
				title = r.title, grade = r.grade, labels = r.labels::text[], name_key = r.name_key, since = r.since, ended_at = NULL
			FROM `+grantUnnest+` WHERE g.district_id = $1 AND g.id = r.id AND g.source = 'clever'`, r.changedGrants.args(r.district)...)
	}
	if len(r.endedGrants) > 0 {
		b.Queue(`UPDATE role_grants g SET ended_at = $3 FROM unnest($2::bigint[]) w(id)
			WHERE g.district_id = $1 AND g.id = w.id AND g.source = 'clever' AND g.ended_at IS NULL`,
			r.district, r.endedGrants, r.now)
		b.Queue(`UPDATE role_grant_schools s SET ended_at = $3 FROM unnest($2::bigint[]) w(id)
			WHERE s.district_id = $1 AND s.grant_id = w.id AND s.ended_at IS NULL`,
			r.district, r.endedGrants, r.now)
	}
	if s := r.newSchools; len(s.grant) > 0 {
		b.Queue(`INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
			SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::boolean[], $7::text[], $8::timestamptz[])`,
			r.district, s.grant, s.school, s.user, s.role, s.primary, s.nameKey, s.since)
	}
	if s := r.changedSchools; len(s.grant) > 0 {
		b.Queue(`UPDATE role_grant_schools g SET is_primary = r.is_primary, name_key = r.name_key, since = r.since, ended_at = NULL
			FROM unnest($2::bigint[], $3::bigint[], $4::boolean[], $5::text[], $6::timestamptz[]) AS r(grant_id, school_id, is_primary, name_key, since)
			WHERE g.district_id = $1 AND g.grant_id = r.grant_id AND g.school_id = r.school_id`,
			r.district, s.grant, s.school, s.primary, s.nameKey, s.since)
	}
	if s := r.endedSchools; len(s.grant) > 0 {
		b.Queue(`UPDATE role_grant_schools g SET ended_at = $4 FROM unnest($2::bigint[], $3::bigint[]) AS r(grant_id, school_id)
			WHERE g.district_id = $1 AND g.grant_id = r.grant_id AND g.school_id = r.school_id AND g.ended_at IS NULL`,
			r.district, s.grant, s.school, r.now)
	}
}
