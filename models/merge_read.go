package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// MergeByID reads one merge.
func (tx *Tx) MergeByID(ctx context.Context, id int64) (Merge, error) {
	m, err := one[Merge](ctx, tx, `SELECT * FROM merges WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	return m, wrap(fmt.Sprintf("merge %d", id), err)
}

// MergeMembers lists the people who were merged into the survivor, or would be, ascending.
func (tx *Tx) MergeMembers(ctx context.Context, id int64) ([]int64, error) {
	rows, err := query[struct{ UserID int64 }](ctx, tx, `SELECT user_id FROM merge_members WHERE district_id = ? AND merge_id = ? ORDER BY user_id`, tx.actor.District, id)
	if err != nil {
		return nil, wrap("members of merge", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.UserID
	}
	return ids, nil
}

// MergeListed is one line of the list of merges.
type MergeListed struct {
	Merge
	Survivor string // name, as it is now
	Members  []string
	By       string // who merged, or proposed
	Schools  []int64
	People   []int64
}

// Merges lists merges, the latest first: at most 50, before a number.
func (tx *Tx) Merges(ctx context.Context, state string, before int64) ([]MergeListed, error) {
	rows, err := scan[MergeListed](ctx, tx, `
		SELECT m.*, coalesce(concat_ws(' ', nullif(s.first_name, ''), nullif(s.middle_name, ''), s.last_name), '') AS survivor,
		       ARRAY(SELECT concat_ws(' ', nullif(u.first_name, ''), nullif(u.middle_name, ''), u.last_name) FROM merge_members x JOIN users u ON u.district_id = x.district_id AND u.id = x.user_id
		              WHERE x.district_id = m.district_id AND x.merge_id = m.id ORDER BY x.user_id) AS members,
		       ARRAY(SELECT x.user_id FROM merge_members x WHERE x.district_id = m.district_id AND x.merge_id = m.id ORDER BY x.user_id) || m.survivor_id AS people,
		       coalesce(concat_ws(' ', nullif(b.first_name, ''), nullif(b.middle_name, ''), b.last_name), '') AS by,
		       ARRAY(SELECT DISTINCT gs.school_id FROM role_grant_schools gs WHERE gs.district_id = m.district_id AND gs.ended_at IS NULL
		              AND (gs.user_id = m.survivor_id OR gs.user_id IN (SELECT x.user_id FROM merge_members x WHERE x.district_id = m.district_id AND x.merge_id = m.id)) ORDER BY 1) AS schools
		  FROM merges m JOIN users s ON s.district_id = m.district_id AND s.id = m.survivor_id
		  LEFT JOIN users b ON b.district_id = m.district_id AND b.id = coalesce(m.merged_by, m.proposed_by)
		 WHERE m.district_id = @district AND (@state = '' OR m.state = @state) AND (@before::bigint = 0 OR m.id < @before) ORDER BY m.id DESC LIMIT 51`,
		map[string]any{"district": tx.actor.District, "state": state, "before": before})
	return rows, wrap("merges", err)
}

// MergedRecord is a record that was merged into somebody, with the merge that did it.
type MergedRecord struct {
	ID         int64
	CleverID   *string
	FirstName  string
	MiddleName string
	LastName   string
	Email      string
	EndedAt    *time.Time
	MergeID    int64
	Legacy     []string // legacy ids that lead to it
}

// mergedRecords are the records merged into a person, by id.
const mergedRecords = `
	SELECT u.id, u.clever_id, u.first_name, u.middle_name, u.last_name, u.email, u.ended_at,
	       coalesce((SELECT max(m.id) FROM merge_members x JOIN merges m ON m.district_id = x.district_id AND m.id = x.merge_id
	                  WHERE x.district_id = u.district_id AND x.user_id = u.id AND m.state = 'merged'), 0) AS merge_id,
	       ARRAY(SELECT i.value FROM identities i WHERE i.district_id = u.district_id AND i.user_id = u.id AND i.kind = 'legacy' ORDER BY i.value) AS legacy
	  FROM users u WHERE u.district_id = @district AND u.merged_into = @user ORDER BY u.id`

// MergedRecords lists the records merged into a person.
func (tx *Tx) MergedRecords(ctx context.Context, user int64) ([]MergedRecord, error) {
	rows, err := scan[MergedRecord](ctx, tx, mergedRecords, map[string]any{"district": tx.actor.District, "user": user})
	return rows, wrap("merged records", err)
}

// StackedMerges lists the later merges, not taken back, that stand on one: they share a person with it.
func (tx *Tx) StackedMerges(ctx context.Context, id int64) ([]int64, error) {
	rows, err := scan[struct{ ID int64 }](ctx, tx, `
		WITH people AS (SELECT m.id, m.survivor_id AS user_id FROM merges m WHERE m.district_id = @district AND m.state = 'merged'
		                UNION SELECT m.id, x.user_id FROM merges m JOIN merge_members x ON x.district_id = m.district_id AND x.merge_id = m.id WHERE m.district_id = @district AND m.state = 'merged')
		SELECT DISTINCT later.id FROM people mine JOIN people later ON later.user_id = mine.user_id AND later.id > mine.id WHERE mine.id = @id ORDER BY 1 DESC`,
		map[string]any{"district": tx.actor.District, "id": id})
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, wrap("stacked merges", err)
}

// MergeState is everything that a merge of some people depends on, read at one moment.
type MergeState struct {
	Strategy  access.Strategy
	Policy    *access.Policy
	Records   []MergeRecord // the people themselves and the records merged into them before, by id
	Grants    []MergeGrant
	Teaches   []MergeSection // current sections
	Overrides []Override     // standing
	Accounts  []Account      // also retired ones
	Rows      []MergeCount
	Sessions  map[int64]int // open sign-ins by person
	Family    []int64       // people with rows of students or contacts
}

// MergeRecord is one record.
type MergeRecord struct {
	ID         int64
	MergedInto *int64
	CleverID   *string
	FirstName  string
	MiddleName string
	LastName   string
	Email      string
	CreatedAt  time.Time
	ChangedAt  time.Time
	EndedAt    *time.Time
	UsedAt     *time.Time // the last sign-in to one of its accounts, here or as imported
}

// MergeGrant is a role grant that counts now.
type MergeGrant struct {
	ID       int64
	UserID   int64
	RecordID int64
	Role     access.Role
	Source   access.Source
	Labels   []string
	Schools  []int64 // those held now, in order
}

// MergeSection is a section somebody teaches.
type MergeSection struct{ UserID, Section, School int64 }

// MergeCount is how many rows a person has in one table, with a print of all of them.
type MergeCount struct {
	UserID int64
	Table  string
	Rows   int
	Print  string
}

// MergeState reads it. Ids of merged records lead to the people they were merged into.
func (tx *Tx) MergeState(ctx context.Context, people []int64) (MergeState, error) {
	s := MergeState{Sessions: map[int64]int{}}
	fail := func(err error) (MergeState, error) { return s, fmt.Errorf("read people to merge: %w", err) }
	if _, err := tx.conn.Exec(ctx, imagesAlike); err != nil {
		return fail(err)
	}
	args := map[string]any{"district": tx.actor.District, "people": people, "now": tx.now}
	var sessions []struct {
		UserID int64
		N      int
	}
	var family []struct{ UserID int64 }
	b := &pgx.Batch{}
	ask(b, &s.Records, `SELECT u.id, u.merged_into, u.clever_id, u.first_name, u.middle_name, u.last_name, u.email, u.created_at, u.changed_at, u.ended_at,
			greatest((SELECT max(a.last_sign_in_at) FROM accounts a WHERE a.district_id = @district AND a.user_id = u.id),
			         (SELECT max(i.last_used_at) FROM imported_accounts i WHERE i.district_id = @district AND i.user_id = u.id)) AS used_at
		FROM users u WHERE u.district_id = @district AND (u.id = ANY(@people) OR u.merged_into = ANY(@people)) ORDER BY u.id`, args)
	ask(b, &s.Grants, `SELECT g.id, g.user_id, g.record_id, g.role, g.source, g.labels,
			ARRAY(SELECT gs.school_id FROM role_grant_schools gs WHERE gs.district_id = @district AND gs.grant_id = g.id AND gs.ended_at IS NULL ORDER BY gs.school_id) AS schools
		FROM role_grants g WHERE g.district_id = @district AND g.user_id = ANY(@people) AND g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > @now) ORDER BY g.id`, args)
	ask(b, &s.Teaches, `SELECT t.user_id, s.id AS section, s.school_id AS school FROM section_teachers t JOIN sections s ON s.district_id = @district AND s.id = t.section_id AND s.ended_at IS NULL
		WHERE t.district_id = @district AND t.user_id = ANY(@people) ORDER BY t.user_id, s.id`, args)
	b.Queue(`SELECT o.id, o.user_id, o.permission, o.allow, o.place_kind, o.school_id, o.section_id, o.reason, o.note, o.end_kind, o.ends_at, o.end_term_id, o.end_role, o.locked, o.created_by, o.created_at
		FROM overrides o WHERE o.district_id = $1 AND o.user_id = ANY($2::bigint[]) AND o.ended_at IS NULL AND (o.ends_at IS NULL OR o.ends_at > $3) ORDER BY o.id`, tx.actor.District, people, tx.now).
		Query(func(rows pgx.Rows) (err error) {
			var o Override
			_, err = pgx.ForEachRow(rows, []any{&o.ID, &o.UserID, &o.Permission, &o.Allow, &o.PlaceKind, &o.SchoolID, &o.SectionID, &o.Reason, &o.Note, &o.EndKind, &o.EndsAt, &o.EndTermID, &o.EndRole, &o.Locked, &o.CreatedBy, &o.CreatedAt},
				func() error { s.Overrides = append(s.Overrides, o); return nil })
			return err
		})
	ask(b, &s.Accounts, `SELECT * FROM accounts WHERE district_id = @district AND user_id = ANY(@people) ORDER BY user_id, id`, args)
	b.Queue(`SELECT (CASE x.table_name WHEN 'users' THEN x.image->>'id' ELSE coalesce(x.image->>'user_id', x.image->>'contact_id') END)::bigint AS user_id, x.table_name, count(*),
			encode(sha256(convert_to(string_agg(x.key::text || ' ' || (CASE x.table_name WHEN 'accounts' THEN x.image - 'last_sign_in_at' WHEN 'users' THEN x.image - 'confirmed_at' ELSE x.image END)::text, E'\n' ORDER BY x.key::text), 'UTF8')), 'hex')
		FROM (`+images()+`) x GROUP BY x.place, 1, 2 ORDER BY x.place, 1`, tx.actor.District, people).Query(func(rows pgx.Rows) (err error) {
		var c MergeCount
		_, err = pgx.ForEachRow(rows, []any{&c.UserID, &c.Table, &c.Rows, &c.Print}, func() error { s.Rows = append(s.Rows, c); return nil })
		return err
	})
	ask(b, &sessions, `SELECT user_id, count(*) AS n FROM sessions WHERE district_id = @district AND user_id = ANY(@people) AND revoked_at IS NULL AND expires_at > @now GROUP BY user_id`, args)
	ask(b, &family, `SELECT user_id FROM section_students WHERE district_id = @district AND user_id = ANY(@people)
		UNION SELECT contact_id FROM contact_students WHERE district_id = @district AND contact_id = ANY(@people) ORDER BY 1`, args)
	if err := tx.send(ctx, "people to merge", b); err != nil {
		return fail(err)
	}
	d, err := tx.District(ctx)
	if err == nil {
		s.Strategy = d.Strategy
		s.Policy, err = tx.policy(ctx, d)
	}
	if err != nil {
		return fail(err)
	}
	for _, r := range sessions {
		s.Sessions[r.UserID] = r.N
	}
	for _, r := range family {
		s.Family = append(s.Family, r.UserID)
	}
	return s, nil
}

// MergeRow is the image of one row as a merge found it and as it left it.
type MergeRow struct {
	Seq           int
	Table         string
	Key           json.RawMessage
	Op            string // insert, update or delete; an update with both images alike was not touched
	Before, After json.RawMessage
}

// MergeRows reads the images of a merge, in order.
func (tx *Tx) MergeRows(ctx context.Context, id int64) ([]MergeRow, error) {
	var list []MergeRow
	var r MergeRow
	rows, err := tx.conn.Query(ctx, `SELECT seq, table_name, key, op, before, after FROM merge_rows WHERE district_id = $1 AND merge_id = $2 ORDER BY seq`, tx.actor.District, id)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&r.Seq, &r.Table, &r.Key, &r.Op, &r.Before, &r.After}, func() error {
			list = append(list, r)
			r.Key, r.Before, r.After = nil, nil, nil
			return nil
		})
	}
	return list, wrap("images of merge", err)
}
