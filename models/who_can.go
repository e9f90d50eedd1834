package models

import (
	"context"
	"fmt"

	"hallpass/access"
)

// Reverse questions are answered in SQL, and a property test holds every answer against access.Decide:
//
//	WhoCan(ctx, WhoQuestion) (WhoList, error)             everybody who may at a place
//	WhoCanInSections(ctx, WhoQuestion) (WhoList, error)   who may in some sections of a school, though not at the school
//	AnyoneMay(ctx, permission) (bool, error)              whether anybody may in the district
//	WhatCan(ctx, user, places, view) ([]access.Set, error)  what a person may at some places
//	Where(ctx, WhereQuestion) (WhereList, error)          at which schools or sections a person may
//	PlacesWithin(ctx, reach, kind, after, limit)          the same for a reach that is known already

// AnyView asks about every view that a person can wear, where the district decides by the view in use: whoever may in
// one of them is counted. Where roles combine it is access.ViewAll.
const AnyView access.View = "any"

// WhoQuestion asks who may do something at a place. Where Decide would widen the place to the permission's scope, so
// does this.
type WhoQuestion struct {
	Permission access.Permission
	Place      access.Place
	View       access.View // as in access.Facts, or AnyView
	After      string      // a cursor: the page that follows that person
	Before     string      // a cursor: the page that ends before that person
	Limit      int         // 0 is 50; at most 200
}

// WhoRow is a person who may.
type WhoRow struct {
	ID       int64
	CleverID *string
	First    string
	Middle   string
	Last     string
	NameKey  string
	Sections int // WhoCanInSections: in how many of the school's
}

// WhoList is one page of people who may, by name.
type WhoList struct {
	Place   access.Place // as widened to the permission's scope
	Rows    []WhoRow
	Count   int    // how many may
	AtLeast bool   // Count is where counting stopped
	Next    string // cursors; "" at an end
	Prev    string
}

// whoQuery is a question about one permission in the terms of SQL.
type whoQuery struct {
	every bool // every role that reaches the place must give: least privileged
	worn  string
	args  map[string]any
	place access.Place
	scope access.Kind
	known bool

	policy *access.Policy
}

// currentGrant is what makes a role grant a fact. g is its alias.
const currentGrant = `g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > @now)`

// gives is whether a rule gives the permission to a grant.
const gives = `(g.role = ANY(@giver_roles::text[]) OR g.role = 'staff' AND g.labels && @giver_labels::text[])`

// viewsOfGrant counts the views of a grant's person: roles to which the rules give anything.
const viewsOfGrant = `(SELECT count(DISTINCT v.role) FROM role_grants v
	 WHERE v.district_id = @district AND v.user_id = g.user_id AND v.ended_at IS NULL AND (v.ends_at IS NULL OR v.ends_at > @now)
	   AND (v.role = ANY(@view_roles::text[]) OR v.role = 'staff' AND v.labels && @view_labels::text[]))`

// inForce is what makes an override count; which of several decides, nearestFirst says. o is its alias.
const inForce = `o.ended_at IS NULL AND (o.ends_at IS NULL OR o.ends_at > @now) AND (o.end_role IS NULL OR EXISTS (
	SELECT FROM role_grants e WHERE e.district_id = @district AND e.user_id = o.user_id AND e.role = o.end_role AND e.source <> 'manual' AND e.ended_at IS NULL
	   AND (e.ends_at IS NULL OR e.ends_at > @now)))`

const nearestFirst = `CASE o.place_kind WHEN 'section' THEN 0 WHEN 'school' THEN 1 ELSE 2 END, o.allow`

// newWhoQuery puts the district's policy, as it concerns one permission, into parameters.
func (tx *Tx) newWhoQuery(ctx context.Context, permission access.Permission, at access.Place, view access.View) (*whoQuery, error) {
	d, err := tx.District(ctx)
	if err != nil {
		return nil, err
	}
	policy, err := tx.policy(ctx, d)
	if err != nil {
		return nil, err
	}
	asked := access.Facts{Policy: policy}.Decide(permission, at)
	definition, _, _ := policy.Catalogue.Find(permission)
	q := &whoQuery{place: asked.Place, scope: definition.Scope, known: asked.Known, policy: policy, args: map[string]any{
		"district": tx.actor.District, "now": tx.now, "permission": string(permission), "view": string(view),
		"school": asked.Place.School, "section": asked.Place.Section, "bound": countBound + 1,
	}}
	roles, labels := []string{}, []string{}
	for _, g := range policy.Givers(permission) {
		if g.Label == "" {
			roles = append(roles, string(g.Role))
		} else {
			labels = append(labels, g.Label)
		}
	}
	q.args["giver_roles"], q.args["giver_labels"] = roles, labels
	switch all := view == access.ViewAll || view == "" || view == AnyView; {
	case !all:
		q.worn = `AND g.role = @view`
	case policy.Combining() == access.LeastPrivileged:
		q.every = true
	case policy.Combining() == access.ViewInUse && view != AnyView:
		q.worn = `AND ` + viewsOfGrant + ` = 1`
		roles, labels = []string{}, []string{}
		for _, r := range policy.Rules() {
			switch {
			case len(r.Permissions) == 0:
			case r.Label == "":
				roles = append(roles, string(r.Role))
			default:
				labels = append(labels, r.Label)
			}
		}
		q.args["view_roles"], q.args["view_labels"] = roles, labels
	}
	return q, nil
}

// allowed is SQL for the people who may at the place: what their roles say, unless an override has the last word. Their
// ids are fenced in: joined to directly, what a FULL JOIN merges is an expression that could leak, and row-level security
// then reads every user before it compares.
func (q *whoQuery) allowed() string {
	reaching := `SELECT g.user_id, g.role, ` + gives + ` AS gives FROM role_grants g
		 WHERE g.district_id = @district AND g.role = 'district_admin' AND ` + currentGrant + ` ` + q.worn
	spoken := `o.place_kind = 'district'`
	if q.place.Kind != access.District {
		reaching += ` UNION ALL SELECT g.user_id, g.role, ` + gives + ` FROM role_grant_schools a
		  JOIN role_grants g ON g.district_id = @district AND g.id = a.grant_id
		 WHERE a.district_id = @district AND a.school_id = @school AND a.role = 'staff' AND a.ended_at IS NULL AND g.role = 'staff' AND ` + currentGrant + ` ` + q.worn
		spoken += ` OR o.place_kind = 'school' AND o.school_id = @school`
	}
	if q.place.Kind == access.Section {
		reaching += ` UNION ALL SELECT g.user_id, g.role, ` + gives + ` FROM section_teachers t
		  JOIN sections s    ON s.district_id = @district AND s.id = t.section_id AND s.ended_at IS NULL
		  JOIN role_grants g ON g.district_id = @district AND g.user_id = t.user_id AND g.role = 'teacher'
		 WHERE t.district_id = @district AND t.section_id = @section AND ` + currentGrant + ` ` + q.worn
		spoken += ` OR o.place_kind = 'section' AND o.section_id = @section`
	}
	combine := `bool_or(gives)`
	if q.every {
		combine = `bool_and(gives)`
	}
	return `reaching AS (` + reaching + `),
	roles AS (SELECT user_id, ` + combine + ` AS may FROM (SELECT user_id, role, bool_or(gives) AS gives FROM reaching GROUP BY user_id, role) v GROUP BY user_id),
	spoken AS (SELECT DISTINCT ON (o.user_id) o.user_id, o.allow FROM overrides o
	            WHERE o.district_id = @district AND o.permission = @permission AND (` + spoken + `) AND ` + inForce + `
	            ORDER BY o.user_id, ` + nearestFirst + `),
	allowed AS MATERIALIZED (SELECT u.id, u.clever_id, u.first_name AS first, u.middle_name AS middle, u.last_name AS last, u.name_key, 0 AS sections
	              FROM (SELECT user_id FROM roles r FULL JOIN spoken p USING (user_id) WHERE coalesce(p.allow, r.may) OFFSET 0) w
	              JOIN users u ON u.district_id = @district AND u.id = w.user_id WHERE u.ended_at IS NULL)`
}

// WhoCan lists the current people for whom Decide allows the permission at the place, by name. A permission that the
// catalogue does not know is nobody's. ErrBadCursor: After or Before are not of this list.
func (tx *Tx) WhoCan(ctx context.Context, asked WhoQuestion) (WhoList, error) {
	q, err := tx.newWhoQuery(ctx, asked.Permission, asked.Place, asked.View)
	if err != nil {
		return WhoList{}, fmt.Errorf("who can %s: %w", asked.Permission, err)
	}
	if !q.known {
		return WhoList{Place: q.place}, nil
	}
	list, err := tx.whoPage(ctx, q, q.allowed(), asked)
	if err != nil {
		return WhoList{}, fmt.Errorf("who can %s: %w", asked.Permission, err)
	}
	return list, nil
}

type whoRecord struct {
	WhoRow
	Matches int
}

// whoPage cuts a page from the people of with, a list of common table expressions that ends with allowed.
func (tx *Tx) whoPage(ctx context.Context, q *whoQuery, with string, asked WhoQuestion) (WhoList, error) {
	limit := asked.Limit
	if limit <= 0 {
		limit = listLimit
	}
	limit = min(limit, maxListLimit)
	list := WhoList{Place: q.place}
	back, text := asked.Before != "", asked.After+asked.Before
	beyond, order := "", "ASC"
	if text != "" {
		op := ">"
		if back {
			op, order, text = "<", "DESC", asked.Before
		}
		c, err := whoSort.parse(text)
		if err != nil {
			return list, err
		}
		q.args["key"], q.args["id"] = c.Key, c.ID
		beyond = `WHERE (a.name_key, a.id) ` + op + ` (@key, @id::bigint)`
	}
	records, err := scan[whoRecord](ctx, tx, `WITH `+with+fmt.Sprintf(`
		SELECT a.*, (SELECT count(*) FROM (SELECT FROM allowed LIMIT @bound::bigint) b) AS matches FROM allowed a %s
		 ORDER BY a.name_key %s, a.id %s LIMIT %d`, beyond, order, order, limit+1), q.args)
	if err != nil {
		return list, err
	}
	page, before, after, _ := cutRows(records, limit, text != "", back)
	for _, r := range page {
		list.Rows = append(list.Rows, r.WhoRow)
		list.Count, list.AtLeast = min(r.Matches, countBound), r.Matches > countBound
	}
	at := func(r whoRecord) string { return cursor{Sort: whoSort.name, Key: r.NameKey, ID: r.ID}.String() }
	if before {
		list.Prev = at(page[0])
	}
	if after {
		list.Next = at(page[len(page)-1])
	}
	return list, nil
}

// whoSort is the order of people who may.
var whoSort = userSort{name: "who", column: "name_key", kind: "text"}

// AnyoneMay reports whether some current person may do something in the whole district, in at least one of their
// views. Within a change it is asked after applying, so that a change that would leave nobody is not made.
func (tx *Tx) AnyoneMay(ctx context.Context, permission access.Permission) (bool, error) {
	list, err := tx.WhoCan(ctx, WhoQuestion{Permission: permission, Place: access.InDistrict(), View: AnyView, Limit: 1})
	if err != nil {
		return false, err
	}
	return len(list.Rows) > 0, nil
}
