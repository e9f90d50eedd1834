package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// User is one human as known in one district.
type User struct {
	DistrictID  int64 `gorm:"primaryKey"`
	ID          int64 `gorm:"primaryKey"`
	CleverID    *string
	FirstName   string
	MiddleName  string
	LastName    string
	Email       string
	NameKey     string
	EmailKey    string
	RoleCount   int16
	Digest      []byte
	CreatedAt   time.Time
	ChangedAt   time.Time
	EndedAt     *time.Time
	ConfirmedAt *time.Time
	MergedInto  *int64 // the person whose record this is too; lists and counts pass over it
}

// User reads one person of the district, current or ended.
func (tx *Tx) User(ctx context.Context, id int64) (User, error) {
	u, err := one[User](ctx, tx, `SELECT * FROM users WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return u, fmt.Errorf("user %d: %w", id, err)
	}
	return u, nil
}

// UserByAnyID finds a person by Hallpass id, Clever id, a role's legacy id or the app's own id of an account. Ids of a merged record lead to the person
// it was merged into.
func (tx *Tx) UserByAnyID(ctx context.Context, value string) (User, error) {
	u, _, err := tx.userByAnyID(ctx, value)
	return u, err
}

// userByAnyID is UserByAnyID, with the record that the id itself leads to.
func (tx *Tx) userByAnyID(ctx context.Context, value string) (u User, record int64, err error) {
	if id, err := strconv.ParseInt(value, 10, 64); err == nil {
		u, err = tx.User(ctx, id)
		if !errors.Is(err, ErrNotFound) {
			return tx.home(ctx, u, err)
		}
	}
	u, err = one[User](ctx, tx, `SELECT u.* FROM identities i JOIN users u ON u.district_id = i.district_id AND u.id = i.user_id
		WHERE i.district_id = ? AND i.kind IN ('clever', 'legacy', 'account') AND i.value = ?
		ORDER BY array_position(ARRAY['clever', 'legacy', 'account'], i.kind) LIMIT 1`, tx.actor.District, value)
	if err != nil {
		return u, 0, fmt.Errorf("user by outside id: %w", err)
	}
	return tx.home(ctx, u, nil)
}

// home goes on from a record to its person.
func (tx *Tx) home(ctx context.Context, u User, err error) (User, int64, error) {
	record := u.ID
	if err == nil && u.MergedInto != nil {
		u, err = tx.User(ctx, *u.MergedInto)
	}
	return u, record, err
}

// UserDetails is one person with all that their page shows.
type UserDetails struct {
	User     User
	Places   []access.Place // as UserPlaces, where wanted
	Grants   []UserGrant    // as UserGrants
	Sections []UserSection  // as UserSections
	Accounts []Account      // retired ones last
	Related  []RelatedPerson
	Givers   map[int64]string // names of who gave roles by hand, by id
	Record   int64            // that the id leads to: another than the user's where it was merged
	Merged   []MergedRecord
	// Suggested: some suggestion of duplicates has the person, whoever may decide it.
	Suggested bool

	Overrides []OverrideRow // where wanted: standing ones first and then the latest, without their flags
}

// UserWants are the parts of UserDetails that not every reader's page needs.
type UserWants struct{ Places, Overrides bool }

// userAnswer is what the first questions about a person bring.
type userAnswer struct {
	id       int64
	users    []userRow
	grants   []grantRow
	sections []UserSection
	accounts []Account
	related  []RelatedPerson
}

// FirstUser asks for the details of a person, by Hallpass's id, with the question who is signed in; UserDetails has them
// then.
func FirstUser(value string) First {
	id, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return nil
	}
	return func(tx *Tx, b *pgx.Batch) { tx.foreseen = tx.askUser(b, id) }
}

// UserDetails reads the person whom an id leads to as in UserByAnyID: in one round trip where the id is ours.
func (tx *Tx) UserDetails(ctx context.Context, value string, want UserWants) (UserDetails, error) {
	if id, err := strconv.ParseInt(value, 10, 64); err == nil {
		d, err := tx.userDetails(ctx, id, want)
		if !errors.Is(err, ErrNotFound) {
			return d, err
		}
	}
	u, record, err := tx.userByAnyID(ctx, value)
	if err != nil {
		return UserDetails{}, err
	}
	d, err := tx.userDetails(ctx, u.ID, want)
	d.Record = record
	return d, err
}

// userRow is a person with what few people have, so that what is not there need not be asked for.
type userRow struct {
	User
	Merged, Overridden, Suggested bool
}

func (tx *Tx) askUser(b *pgx.Batch, id int64) *userAnswer {
	a := &userAnswer{id: id}
	args := tx.userArgs(id)
	ask(b, &a.users, `SELECT u.id, u.district_id, u.clever_id, u.first_name, u.middle_name, u.last_name, u.email, u.name_key, u.email_key, u.role_count,
		u.created_at, u.changed_at, u.ended_at, u.confirmed_at,
		EXISTS (SELECT FROM users l WHERE l.district_id = @district AND l.merged_into = @user) AS merged,
		EXISTS (SELECT FROM overrides o WHERE o.district_id = @district AND o.user_id = @user) AS overridden,
		EXISTS (SELECT FROM suggestion_members m WHERE m.district_id = @district AND m.user_id = @user) AS suggested
		FROM users u WHERE u.district_id = @district AND u.id = @user AND u.merged_into IS NULL`, args)
	ask(b, &a.grants, userGrants, args)
	ask(b, &a.sections, userSections, args)
	ask(b, &a.accounts, userAccounts, args)
	ask(b, &a.related, relatedPeople, args)
	return a
}

func (tx *Tx) userArgs(id int64) map[string]any {
	return map[string]any{"district": tx.actor.District, "user": id, "now": tx.now}
}

func (tx *Tx) userDetails(ctx context.Context, id int64, want UserWants) (d UserDetails, err error) {
	what := fmt.Sprintf("details of user %d", id)
	a := tx.foreseen
	if a == nil || a.id != id {
		b := &pgx.Batch{}
		a = tx.askUser(b, id)
		if err := tx.send(ctx, what, b); err != nil {
			return d, err
		}
	}
	if len(a.users) == 0 {
		return d, fmt.Errorf("user %d: %w", id, ErrNotFound)
	}
	u := a.users[0]
	d = UserDetails{
		User: u.User, Record: u.ID, Grants: foldGrants(a.grants), Sections: a.sections, Accounts: a.accounts, Related: a.related, Suggested: u.Suggested,
	}
	var places []placeRow
	args, b := tx.userArgs(id), &pgx.Batch{}
	if want.Places {
		ask(b, &places, userPlaces, args)
	}
	if u.Merged {
		ask(b, &d.Merged, mergedRecords, args)
		ask(b, &d.Accounts, mergedAccounts, args)
	}
	if want.Overrides && u.Overridden {
		ask(b, &d.Overrides, userOverrides, args)
	}
	if err := tx.send(ctx, what, b); err != nil {
		return d, err
	}
	d.Places = foldPlaces(places)
	var givers []int64
	for _, g := range d.Grants {
		if g.GivenBy != nil {
			givers = append(givers, *g.GivenBy)
		}
	}
	d.Givers, err = tx.UserNames(ctx, givers)
	return d, err
}

// The accounts of a person: those of the record alone, and those of the records merged into it as well.
var (
	userAccounts   = accountsOf("@user")
	mergedAccounts = accountsOf("ANY(ARRAY(SELECT @user UNION ALL SELECT l.id FROM users l WHERE l.district_id = @district AND l.merged_into = @user))")
)

func accountsOf(users string) string {
	return `SELECT a.district_id, a.id, a.user_id, a.role, a.created_at, a.last_sign_in_at, a.retired_at, a.folded_into FROM accounts a
		WHERE a.district_id = @district AND a.user_id = ` + users + ` ORDER BY retired_at IS NOT NULL, role, id`
}

// UserByCleverID finds a person by Clever's v3 id, tombstones and merged records included: that id and the issuer are
// the sign-in key.
func (tx *Tx) UserByCleverID(ctx context.Context, value string) (int64, error) {
	found, err := one[struct{ ID int64 }](ctx, tx, `SELECT coalesce(u.merged_into, u.id) AS id FROM identities i JOIN users u ON u.district_id = i.district_id AND u.id = i.user_id
		WHERE i.district_id = ? AND i.kind = 'clever' AND i.value = ?`, tx.actor.District, value)
	if err != nil {
		return 0, fmt.Errorf("user by Clever id: %w", err)
	}
	return found.ID, nil
}

// UserGrant is one role grant of a person with its schools, ended ones included.
type UserGrant struct {
	ID       int64
	Role     access.Role
	Source   access.Source
	LegacyID string
	SISID    string
	Number   string
	Title    string
	Grade    string
	Labels   []string
	Since    time.Time
	EndedAt  *time.Time
	GivenBy  *int64     // who gave a role by hand
	EndsAt   *time.Time // the first moment at which a role by hand no longer counts
	Schools  []UserGrantSchool
}

// UserGrantSchool is one school of a role grant.
type UserGrantSchool struct {
	SchoolID int64
	CleverID string
	Name     string // "" when Clever does not share the school
	SISID    string
	Listed   bool
	Primary  bool
	Since    time.Time
	EndedAt  *time.Time
}

// grantRow is a grant at one of its schools, or a grant without schools.
type grantRow struct {
	UserGrant
	SchoolID                                *int64
	SchoolCleverID, SchoolName, SchoolSISID *string
	SchoolListed, IsPrimary                 *bool
	SchoolSince, SchoolEndedAt              *time.Time
}

const userGrants = `
	SELECT g.id, g.role, g.source, g.legacy_id, g.sis_id, g.number, g.title, g.grade, g.labels, g.since,
	       CASE WHEN g.ended_at IS NULL AND g.ends_at <= @now THEN g.ends_at ELSE g.ended_at END AS ended_at, g.ends_at, g.given_by,
	       s.id AS school_id, s.clever_id AS school_clever_id, s.name AS school_name, s.sis_id AS school_sis_id,
	       s.listed AND s.ended_at IS NULL AS school_listed, gs.is_primary, gs.since AS school_since, gs.ended_at AS school_ended_at
	  FROM role_grants g
	  LEFT JOIN (role_grant_schools gs JOIN schools s ON s.district_id = gs.district_id AND s.id = gs.school_id)
	    ON gs.district_id = g.district_id AND gs.grant_id = g.id
	 WHERE g.district_id = @district AND g.user_id = @user
	 ORDER BY g.ended_at IS NOT NULL, array_position(ARRAY['district_admin', 'teacher', 'staff', 'student', 'contact'], g.role), g.role, g.source, g.id,
	          gs.is_primary DESC, s.name_key, s.id`

// UserGrants lists every role the person holds or held, current ones first.
func (tx *Tx) UserGrants(ctx context.Context, id int64) ([]UserGrant, error) {
	rows, err := scan[grantRow](ctx, tx, userGrants, map[string]any{"district": tx.actor.District, "user": id, "now": tx.now})
	if err != nil {
		return nil, fmt.Errorf("role grants of user %d: %w", id, err)
	}
	return foldGrants(rows), nil
}

func foldGrants(rows []grantRow) []UserGrant {
	var grants []UserGrant
	for _, r := range rows {
		if len(grants) == 0 || grants[len(grants)-1].ID != r.ID {
			grants = append(grants, r.UserGrant)
		}
		if r.SchoolID != nil {
			g := &grants[len(grants)-1]
			g.Schools = append(g.Schools, UserGrantSchool{
				SchoolID: *r.SchoolID, CleverID: *r.SchoolCleverID, Name: *r.SchoolName, SISID: *r.SchoolSISID, Listed: *r.SchoolListed,
				Primary: *r.IsPrimary, Since: *r.SchoolSince, EndedAt: r.SchoolEndedAt,
			})
		}
	}
	return grants
}

type placeRow struct{ School, Section int64 }

const userPlaces = `
	WITH people AS (
	  SELECT CAST(@user AS bigint) AS id
	  UNION
	  SELECT u.id FROM contact_students c JOIN users u ON u.district_id = c.district_id AND u.clever_id = c.student_clever_id
	   WHERE c.district_id = @district AND c.contact_id = @user)
	SELECT gs.school_id AS school, 0 AS section
	  FROM people p JOIN role_grant_schools gs ON gs.district_id = @district AND gs.user_id = p.id
	                JOIN users u ON u.district_id = @district AND u.id = @user
	 WHERE gs.ended_at IS NULL OR gs.ended_at >= u.ended_at -- held until the person left
	UNION
	SELECT s.school_id, s.id
	  FROM (SELECT section_id FROM section_students WHERE district_id = @district AND user_id = @user
	        UNION SELECT section_id FROM section_teachers WHERE district_id = @district AND user_id = @user) x
	  JOIN sections s ON s.district_id = @district AND s.id = x.section_id AND s.ended_at IS NULL
	UNION -- whoever stands for an account of the old days is where its file says
	SELECT unnest(a.school_ids), 0
	  FROM users u JOIN imported_accounts a ON a.district_id = u.district_id AND a.user_id = u.id
	 WHERE u.district_id = @district AND (u.id = @user OR u.merged_into = @user)
	   AND EXISTS (SELECT FROM users h WHERE h.district_id = @district AND h.id = @user AND h.clever_id IS NULL)
	 ORDER BY 1, 2`

// UserPlaces lists the places at which the person is someone: the sections attended or taught, and the schools of
// current roles. A contact is where its students are, and whoever stands for an old
// account is at that account's schools. Someone who has left is still found at the schools they left
// from, so that those who could see the person to the end can see that they left; not at schools left long before.
func (tx *Tx) UserPlaces(ctx context.Context, id int64) ([]access.Place, error) {
	rows, err := scan[placeRow](ctx, tx, userPlaces, map[string]any{"district": tx.actor.District, "user": id})
	if err != nil {
		return nil, fmt.Errorf("places of user %d: %w", id, err)
	}
	return foldPlaces(rows), nil
}

func foldPlaces(rows []placeRow) []access.Place {
	places := make([]access.Place, len(rows))
	for i, r := range rows {
		if r.Section == 0 {
			places[i] = access.AtSchool(r.School)
		} else {
			places[i] = access.AtSection(r.Section, r.School)
		}
	}
	return places
}

// UserSection is a section that a person teaches or attends.
type UserSection struct {
	ID             int64
	CleverID       string
	Name           string
	SchoolID       int64
	School         string
	SchoolCleverID string
	Term           string // "" where Clever gives none
	Period         string
	Students       int
	As             string // primary, co or student
}

const userSections = `
	SELECT s.id, s.clever_id, s.name, s.school_id, h.name AS school, h.clever_id AS school_clever_id,
	       coalesce(t.name, '') AS term, s.period, s.students, x.held AS "as"
	  FROM (SELECT section_id, CASE WHEN is_primary THEN 'primary' ELSE 'co' END AS held
	          FROM section_teachers WHERE district_id = @district AND user_id = @user
	        UNION ALL
	        SELECT section_id, 'student' FROM section_students WHERE district_id = @district AND user_id = @user) x
	  JOIN sections s ON s.district_id = @district AND s.id = x.section_id AND s.ended_at IS NULL
	  JOIN schools h  ON h.district_id = @district AND h.id = s.school_id
	  LEFT JOIN terms t ON t.district_id = @district AND t.id = s.term_id
	 ORDER BY x.held = 'student', t.start_date DESC NULLS LAST, s.name_key, s.id`

// UserSections lists the current sections a person teaches, and then those attended, by name.
func (tx *Tx) UserSections(ctx context.Context, id int64) ([]UserSection, error) {
	sections, err := scan[UserSection](ctx, tx, userSections, map[string]any{"district": tx.actor.District, "user": id})
	if err != nil {
		return nil, fmt.Errorf("sections of user %d: %w", id, err)
	}
	return sections, nil
}

// Account is what the app hangs its data on.
type Account struct {
	DistrictID   int64 `gorm:"primaryKey"`
	ID           int64 `gorm:"primaryKey"`
	UserID       int64
	Role         string // "" is the one account of strategy consolidated
	CreatedAt    time.Time
	LastSignInAt *time.Time
	RetiredAt    *time.Time
	FoldedInto   *int64 // the account that keeps its data now
}

// Why two people are related.
const (
	StudentOfContact = "student_of_contact"
	ContactOfStudent = "contact_of_student"
	SameEmail        = "same_email"
)

// RelatedPerson is somebody else whose record touches this one's. They are never the same user.
type RelatedPerson struct {
	ID           int64
	FirstName    string
	MiddleName   string
	LastName     string
	Roles        []string
	Kind         string
	Relationship string // Clever's word, for contacts and students
}

// relatedPeople are the students of a contact, the contacts of a student, and people with the same email. Fifty at
// most: an address such as office@school may stand on hundreds of records.
const relatedPeople = `
	WITH me AS MATERIALIZED (SELECT clever_id, nullif(email_key, '') AS email_key FROM users WHERE district_id = @district AND id = @user)
	SELECT u.id, u.first_name, u.middle_name, u.last_name, x.kind, x.relationship,
	       ARRAY(SELECT g.role FROM role_grants g
	              WHERE g.district_id = u.district_id AND g.user_id = u.id AND g.ended_at IS NULL ORDER BY g.role) AS roles
	  FROM (SELECT s.id, 'student_of_contact' AS kind, c.relationship
	          FROM contact_students c JOIN users s ON s.district_id = c.district_id AND s.clever_id = c.student_clever_id
	         WHERE c.district_id = @district AND c.contact_id = @user
	        UNION ALL
	        SELECT c.contact_id, 'contact_of_student', c.relationship
	          FROM contact_students c WHERE c.district_id = @district AND c.student_clever_id = (SELECT clever_id FROM me)
	        UNION ALL
	        (SELECT e.id, 'same_email', '' FROM users e
	          WHERE e.district_id = @district AND e.email_key = (SELECT email_key FROM me) AND e.id <> @user AND e.ended_at IS NULL AND e.merged_into IS NULL
	          ORDER BY e.id LIMIT 50)) x
	  JOIN users u ON u.district_id = @district AND u.id = x.id AND u.ended_at IS NULL
	 ORDER BY x.kind DESC, u.name_key, u.id LIMIT 50`

// UserNames reads the names of some people, "First Middle Last", by id.
func (tx *Tx) UserNames(ctx context.Context, ids []int64) (map[int64]string, error) {
	type row struct {
		ID   int64
		Name string
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := query[row](ctx, tx, `SELECT id, concat_ws(' ', nullif(first_name, ''), nullif(middle_name, ''), last_name) AS name
		FROM users WHERE district_id = ? AND id = ANY(?::bigint[])`, tx.actor.District, idArray(ids))
	if err != nil {
		return nil, fmt.Errorf("names of people: %w", err)
	}
	names := make(map[int64]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}
