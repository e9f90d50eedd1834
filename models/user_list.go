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

// Status narrows a list to people who are listed now, or no longer.
type Status string

// Statuses of a person.
const (
	Current Status = "current"
	Ended   Status = "ended"
	Any     Status = "any"
	// Imported are the current people who stand for an account of the app's old days and are not in Clever.
	Imported Status = "imported"
)

// UserFilter says which people, in which order, from where.
type UserFilter struct {
	Q       string      // words, all of which must match
	Role    access.Role // "" is any
	School  int64       // 0 is any; with Role it means that role at that school
	Status  Status      // "" is Current
	Several bool        // only people with more than one role
	Sort    string      // name, email or changed; a leading minus turns it round
	After   string      // a cursor: the page that follows that row
	Before  string      // a cursor: the page that ends before that row
	Limit   int         // 0 is 50; at most 200
}

// UserList is one page of people.
type UserList struct {
	Rows     []UserRow
	Count    int    // how many match
	AtLeast  bool   // Count is where counting stopped
	Next     string // cursors; "" at an end
	Prev     string
	NextName string // the first row of the next page, "Last, First"
}

// UserRow is a person as a list shows one.
type UserRow struct {
	ID        int64
	First     string
	Middle    string
	Last      string
	Email     string
	ChangedAt time.Time
	EndedAt   *time.Time
	Pinned    bool // an id or email that is exactly what was searched for
	Grants    []UserRowGrant
	More      int  // roles at schools beyond Grants
	Imported  bool // made for an account of the app's old days, and not in Clever
}

// UserRowGrant is one role at one school, or district-wide.
type UserRowGrant struct {
	Role           access.Role
	School         string // "" for a role without schools, and for a school Clever does not share
	SchoolCleverID string // "" for a role without schools
	Labels         []string
	Primary        bool
}

const (
	listLimit    = 50
	maxListLimit = 200
	countBound   = 10_000 // counting stops here: "10,000+"
	rowGrants    = 3      // roles at schools shown in a row before "… more"
)

// Users lists the people within reach. Its cost depends on the page, not on its place in the list or on the size of
// the district. ErrBadCursor: After or Before are not of this list.
func (tx *Tx) Users(ctx context.Context, reach access.Reach, f UserFilter) (UserList, error) {
	q, err := tx.newUserQuery(ctx, reach, f)
	if err != nil {
		return UserList{}, err
	}
	var list UserList
	if !q.nobody {
		if list, err = q.list(ctx); err != nil {
			return UserList{}, fmt.Errorf("list people: %w", err)
		}
	}
	b := &pgx.Batch{}
	tx.askRowGrants(b, list.Rows)
	return list, tx.sendLast(ctx, "roles of a page of people", b)
}

func (q *userQuery) list(ctx context.Context) (UserList, error) {
	records, count, atLeast, err := q.run(ctx)
	if err != nil {
		return UserList{}, err
	}
	list := q.page(records)
	list.Count, list.AtLeast = count, atLeast
	if q.from == nil && list.Next == "" {
		list.Count, list.AtLeast = len(list.Rows), false
	}
	list.Rows, err = q.pin(ctx, list.Rows)
	list.Count = max(list.Count, len(list.Rows))
	return list, err
}

// WithinReach tells which of some people the list would show to someone with that reach.
func (tx *Tx) WithinReach(ctx context.Context, reach access.Reach, ids []int64) (map[int64]bool, error) {
	within := make(map[int64]bool, len(ids))
	if reach.District { // everybody of the district is
		for _, id := range ids {
			within[id] = true
		}
		return within, nil
	}
	q, err := tx.newUserQuery(ctx, reach, UserFilter{Status: Any})
	if err != nil || q.nobody || len(ids) == 0 {
		return nil, err
	}
	q.args["ids"] = idArray(ids)
	rows, err := query[struct{ UserID int64 }](ctx, tx, `SELECT s.user_id FROM user_search s
		WHERE s.district_id = @district AND s.user_id = ANY(CAST(@ids AS bigint[])) AND `+q.searchPredicates(), q.args)
	if err != nil {
		return nil, fmt.Errorf("people within reach: %w", err)
	}
	for _, r := range rows {
		within[r.UserID] = true
	}
	return within, nil
}

// userRecord is a row as the list's SQL returns it.
type userRecord struct {
	ID         int64
	FirstName  string
	MiddleName string
	LastName   string
	Email      string
	NameKey    string
	EmailKey   string
	ChangedAt  time.Time
	EndedAt    *time.Time
	Imported   bool
	Matches    *int // people who match, where the page was gathered or they were counted before
	Gathered   *int // and how many were looked through; more than the fence is not everybody
}

func (r userRecord) row() UserRow {
	return UserRow{ID: r.ID, First: r.FirstName, Middle: r.MiddleName, Last: r.LastName, Email: r.Email, ChangedAt: r.ChangedAt, EndedAt: r.EndedAt, Imported: r.Imported}
}

// page turns one record more than a page into the page and its cursors.
func (q *userQuery) page(records []userRecord) UserList {
	var list UserList
	records, before, after, extra := cutRows(records, q.limit, q.from != nil, q.back)
	if before {
		list.Prev = q.sort.cursor(records[0])
	}
	if after {
		list.Next = q.sort.cursor(records[len(records)-1])
	}
	if extra != nil {
		list.NextName = strings.TrimSuffix(extra.LastName+", "+extra.FirstName, ", ")
	}
	list.Rows = make([]UserRow, len(records))
	for i, r := range records {
		list.Rows[i] = r.row()
	}
	return list
}

// addRowGrants reads the first roles by school of every row, in one query.
func (tx *Tx) addRowGrants(ctx context.Context, rows []UserRow) error {
	b := &pgx.Batch{}
	tx.askRowGrants(b, rows)
	return tx.send(ctx, "roles of a page of people", b)
}

// askRowGrants is addRowGrants among other questions. The rows must stay where they are until it is answered.
func (tx *Tx) askRowGrants(b *pgx.Batch, rows []UserRow) {
	if len(rows) == 0 {
		return
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*UserRow, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	var user int64
	var grant UserRowGrant
	var labels string
	var places int
	collect(b, `
		SELECT i.id AS user_id, x.*
		  FROM unnest($2::bigint[]) AS i(id)
		 CROSS JOIN LATERAL (
		       SELECT g.role, array_to_string(g.labels, chr(31)) AS labels, coalesce(h.name, '') AS school,
		              coalesce(h.clever_id, '') AS school_clever_id, coalesce(gs.is_primary, false) AS is_primary, count(*) OVER () AS places
		         FROM role_grants g
		         LEFT JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.grant_id = g.id AND gs.ended_at IS NULL
		         LEFT JOIN schools h ON h.district_id = $1 AND h.id = gs.school_id
		        WHERE g.district_id = $1 AND g.user_id = i.id AND g.ended_at IS NULL
		        ORDER BY array_position(ARRAY['district_admin', 'teacher', 'staff', 'student', 'contact'], g.role), g.role,
		                 gs.is_primary DESC NULLS LAST, h.name_key, h.id
		        LIMIT `+strconv.Itoa(rowGrants)+`) x`,
		[]any{tx.actor.District, ids}, []any{&user, &grant.Role, &labels, &grant.School, &grant.SchoolCleverID, &grant.Primary, &places}, func() {
			row := at[user]
			grant.Labels = nil
			if labels != "" {
				grant.Labels = strings.Split(labels, "\x1f")
			}
			row.Grants = append(row.Grants, grant)
			row.More = places - len(row.Grants)
		})
}

// idArray writes ids as a PostgreSQL array: GORM would spread a slice over many parameters.
func idArray(ids []int64) string {
	return "{" + strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ",") + "}"
}
