package models

import (
	"context"
	"fmt"
	"maps"

	"hallpass/access"
)

// WhatCan answers what a current person may at each of some places, as a set for each in their order: a permission is
// in it if and only if Decide allows it there in that view. Somebody who has ended may nothing.
func (tx *Tx) WhatCan(ctx context.Context, user int64, places []access.Place, view access.View) ([]access.Set, error) {
	q, err := tx.newWhoQuery(ctx, "", access.InDistrict(), view)
	if err != nil {
		return nil, fmt.Errorf("what user %d can: %w", user, err)
	}
	catalogue := q.policy.Catalogue
	var names []string
	var scopes, widths []int
	for _, d := range catalogue.Definitions() {
		names, scopes = append(names, string(d.Permission)), append(scopes, width(d.Scope))
	}
	var schools, sections []int64
	for _, p := range places {
		widths, schools, sections = append(widths, width(p.Kind)), append(schools, p.School), append(sections, p.Section)
	}
	roles, labels, given := []string{}, []string{}, []string{}
	for _, r := range q.policy.Rules() {
		for _, p := range r.Permissions {
			roles, labels, given = append(roles, string(r.Role)), append(labels, r.Label), append(given, string(p))
		}
	}
	maps.Copy(q.args, map[string]any{
		"user": user, "names": names, "scopes": scopes, "widths": widths, "schools": schools, "sections": sections,
		"rule_roles": roles, "rule_labels": labels, "rule_given": given,
	})
	type row struct {
		N          int
		Permission access.Permission
	}
	rows, err := scan[row](ctx, tx, `WITH `+q.held()+` SELECT n, permission FROM may WHERE may`, q.args)
	if err != nil {
		return nil, fmt.Errorf("what user %d can: %w", user, err)
	}
	held := make([][]access.Permission, len(places))
	for _, r := range rows {
		held[r.N-1] = append(held[r.N-1], r.Permission)
	}
	sets := make([]access.Set, len(places))
	for i := range sets {
		sets[i] = catalogue.Set(held[i]...)
	}
	return sets, nil
}

// width is a kind of place as a number, the nearest first.
func width(k access.Kind) int {
	switch k {
	case access.Section:
		return 0
	case access.School:
		return 1
	case access.District:
	}
	return 2
}

// held is SQL for every permission at every place asked about, and whether the person may. It is allowed with the
// person fixed and the permissions and places many.
func (q *whoQuery) held() string {
	combine := `bool_or(gives)`
	if q.every {
		combine = `bool_and(gives)`
	}
	return `asked AS (SELECT p.n, c.name AS permission, greatest(p.width, c.scope) AS width, p.school, p.section
	              FROM unnest(@widths::int[], @schools::bigint[], @sections::bigint[]) WITH ORDINALITY p(width, school, section, n)
	             CROSS JOIN unnest(@names::text[], @scopes::int[]) c(name, scope)),
	rules AS MATERIALIZED (SELECT * FROM unnest(@rule_roles::text[], @rule_labels::text[], @rule_given::text[]) r(role, label, permission)),
	grants AS MATERIALIZED (SELECT g.role, g.labels, ARRAY(SELECT a.school_id FROM role_grant_schools a
	                                WHERE a.district_id = @district AND a.grant_id = g.id AND a.ended_at IS NULL) AS schools
	             FROM role_grants g WHERE g.district_id = @district AND g.user_id = @user AND g.role IN ('district_admin', 'staff', 'teacher') AND ` + currentGrant + ` ` + q.worn + `),
	taught AS MATERIALIZED (SELECT s.id FROM section_teachers t JOIN sections s ON s.district_id = @district AND s.id = t.section_id
	             WHERE t.district_id = @district AND t.user_id = @user AND s.ended_at IS NULL),
	reaching AS (SELECT a.n, a.permission, g.role,
	                    EXISTS (SELECT FROM rules r WHERE r.permission = a.permission AND r.role = g.role AND (r.label = '' OR r.label = ANY(g.labels))) AS gives
	               FROM asked a JOIN grants g ON g.role = 'district_admin' OR g.role = 'staff' AND a.width < 2 AND a.school = ANY(g.schools)
	                    OR g.role = 'teacher' AND a.width = 0 AND a.section IN (SELECT id FROM taught)),
	roles AS (SELECT n, permission, ` + combine + ` AS may
	            FROM (SELECT n, permission, role, bool_or(gives) AS gives FROM reaching GROUP BY n, permission, role) v GROUP BY n, permission),
	spoken AS (SELECT DISTINCT ON (a.n, a.permission) a.n, a.permission, o.allow
	             FROM overrides o JOIN asked a ON a.permission = o.permission
	            WHERE o.district_id = @district AND o.user_id = @user AND ` + inForce + `
	              AND (o.place_kind = 'district' OR o.place_kind = 'school' AND a.width < 2 AND o.school_id = a.school OR o.place_kind = 'section' AND a.width = 0 AND o.section_id = a.section)
	            ORDER BY a.n, a.permission, ` + nearestFirst + `),
	may AS (SELECT n, permission, coalesce(p.allow, r.may) AS may FROM roles r FULL JOIN spoken p USING (n, permission)
	         WHERE EXISTS (SELECT FROM users u WHERE u.district_id = @district AND u.id = @user AND u.ended_at IS NULL))`
}

// WhereQuestion asks where a person may do something.
type WhereQuestion struct {
	User       int64
	Permission access.Permission
	Kind       access.Kind // the places to list: School or Section
	View       access.View // as in access.Facts
	After      string      // a cursor
	Limit      int         // 0 is 50; at most 200
}

// WherePlace is a place where they may.
type WherePlace struct {
	ID       int64
	CleverID string
	Name     string
	Period   string // of a section
	School   string // of a section
}

// WhereList is one page of places, oldest in Hallpass first.
type WhereList struct {
	Rows []WherePlace
	Next string // a cursor; "" at the end
}

// Where lists the current schools or sections at which Decide allows a current person something. ErrNotFound: there
// is no such person. ErrBadCursor: After is not of this list.
func (tx *Tx) Where(ctx context.Context, q WhereQuestion) (WhereList, error) {
	who, err := tx.UserFacts(ctx, q.User)
	if err != nil {
		return WhereList{}, err
	}
	f := who.Facts(tx.now)
	f.View = q.View
	return tx.PlacesWithin(ctx, f.Reach(q.Permission), q.Kind, q.After, q.Limit)
}

// PlacesWithin lists the current schools or sections that a reach contains, for those who have the reach already.
func (tx *Tx) PlacesWithin(ctx context.Context, reach access.Reach, kind access.Kind, after string, limit int) (WhereList, error) {
	var list WhereList
	if limit <= 0 {
		limit = listLimit
	}
	limit = min(limit, maxListLimit)
	from := int64(0)
	if after != "" {
		var err error
		if from, err = parsePosition(after); err != nil {
			return list, err
		}
	}
	if reach.Empty() || kind == access.District {
		return list, nil
	}
	sql := placesWithin(reach, kind)
	rows, err := scan[WherePlace](ctx, tx, fmt.Sprintf("%s ORDER BY x.id LIMIT %d", sql, limit+1), map[string]any{
		"district": tx.actor.District, "from": from, "schools": idArray(reach.Schools), "sections": idArray(reach.Sections),
		"not_schools": idArray(reach.NotSchools), "not_sections": idArray(reach.NotSections),
	})
	if err != nil {
		return list, fmt.Errorf("places within reach: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		list.Next = positionCursor(rows[limit-1].ID)
	}
	list.Rows = rows
	return list, nil
}

// placesWithin is SQL that follows the primary key where the reach is the district, and otherwise gathers what the
// reach names, which is as much as one person has.
func placesWithin(reach access.Reach, kind access.Kind) string {
	if kind == access.School {
		within := `x.id = ANY(CAST(@schools AS bigint[]))`
		if reach.District {
			within = `x.id <> ALL(CAST(@not_schools AS bigint[]))`
		}
		return `SELECT x.id, x.clever_id, x.name, '' AS period, '' AS school FROM schools x
			WHERE x.district_id = @district AND x.ended_at IS NULL AND x.id > @from AND ` + within
	}
	const columns = `SELECT x.id, x.clever_id, x.name, x.period, h.name AS school FROM `
	const school = ` JOIN schools h ON h.district_id = @district AND h.id = x.school_id WHERE x.district_id = @district AND x.ended_at IS NULL AND x.id > @from`
	if reach.District {
		return columns + `sections x` + school + ` AND (x.id = ANY(CAST(@sections AS bigint[]))
			OR x.school_id <> ALL(CAST(@not_schools AS bigint[])) AND x.id <> ALL(CAST(@not_sections AS bigint[])))`
	}
	return `WITH reached AS MATERIALIZED (
		SELECT s.* FROM sections s WHERE s.district_id = @district AND s.ended_at IS NULL
		   AND s.school_id = ANY(CAST(@schools AS bigint[])) AND s.id <> ALL(CAST(@not_sections AS bigint[]))
		UNION
		SELECT s.* FROM sections s WHERE s.district_id = @district AND s.ended_at IS NULL AND s.id = ANY(CAST(@sections AS bigint[])))
		` + columns + `reached x` + school
}
