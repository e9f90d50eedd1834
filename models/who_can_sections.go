package models

import (
	"context"
	"fmt"

	"hallpass/access"
)

// WhoCanInSections lists the current people for whom Decide allows the permission in at least one current section of
// a school, though not at the school as a whole: above all its teachers. It lists nobody where the permission is not
// about sections or the place is no school.
func (tx *Tx) WhoCanInSections(ctx context.Context, asked WhoQuestion) (WhoList, error) {
	q, err := tx.newWhoQuery(ctx, asked.Permission, asked.Place, asked.View)
	if err != nil {
		return WhoList{}, fmt.Errorf("who can %s in sections: %w", asked.Permission, err)
	}
	if !q.known || q.place.Kind != access.School || q.scope != access.Section {
		return WhoList{Place: q.place}, nil
	}
	list, err := tx.whoPage(ctx, q, q.allowedInSections(), asked)
	if err != nil {
		return WhoList{}, fmt.Errorf("who can %s in sections: %w", asked.Permission, err)
	}
	return list, nil
}

// allowedInSections is allowed for each section of the school and the people for whom it can differ from the school:
// who teach it, and whom an override there allows.
func (q *whoQuery) allowedInSections() string {
	combine := `bool_or(gives)`
	if q.every {
		combine = `bool_and(gives)`
	}
	grant := func(from, on string) string {
		return `SELECT a.user_id, a.section_id, g.role, ` + gives + ` AS gives FROM asked a ` + from + `
		  JOIN role_grants g ON g.district_id = @district AND g.user_id = a.user_id AND ` + on + ` AND ` + currentGrant + ` ` + q.worn
	}
	at := `WITH ` + q.allowed() + ` SELECT id FROM allowed`
	return `asked AS MATERIALIZED (
	  SELECT t.user_id, s.id AS section_id FROM sections s JOIN section_teachers t ON t.district_id = @district AND t.section_id = s.id
	   WHERE s.district_id = @district AND s.school_id = @school AND s.ended_at IS NULL
	  UNION
	  SELECT o.user_id, o.section_id FROM overrides o JOIN sections s ON s.district_id = @district AND s.id = o.section_id
	   WHERE o.district_id = @district AND o.permission = @permission AND o.place_kind = 'section' AND o.allow AND o.ended_at IS NULL
	     AND s.school_id = @school AND s.ended_at IS NULL),
	reaching_in AS (` +
		grant(``, `g.role = 'district_admin'`) + ` UNION ALL ` +
		grant(``, `g.role = 'staff'`) + ` AND EXISTS (SELECT FROM role_grant_schools h
	       WHERE h.district_id = @district AND h.grant_id = g.id AND h.school_id = @school AND h.ended_at IS NULL) UNION ALL ` +
		grant(`JOIN section_teachers t ON t.district_id = @district AND t.section_id = a.section_id AND t.user_id = a.user_id`, `g.role = 'teacher'`) + `),
	roles_in AS (SELECT user_id, section_id, ` + combine + ` AS may
	               FROM (SELECT user_id, section_id, role, bool_or(gives) AS gives FROM reaching_in GROUP BY user_id, section_id, role) v GROUP BY user_id, section_id),
	spoken_in AS (SELECT DISTINCT ON (a.user_id, a.section_id) a.user_id, a.section_id, o.allow
	                FROM asked a JOIN overrides o ON o.district_id = @district AND o.user_id = a.user_id AND o.permission = @permission
	               WHERE (o.place_kind = 'district' OR o.place_kind = 'school' AND o.school_id = @school OR o.place_kind = 'section' AND o.section_id = a.section_id) AND ` + inForce + `
	               ORDER BY a.user_id, a.section_id, ` + nearestFirst + `),
	at_school AS MATERIALIZED (` + at + `),
	allowed AS MATERIALIZED (SELECT u.id, u.clever_id, u.first_name AS first, u.middle_name AS middle, u.last_name AS last, u.name_key, x.sections
	              FROM (SELECT user_id, count(*) AS sections FROM roles_in r FULL JOIN spoken_in p USING (user_id, section_id)
	                     WHERE coalesce(p.allow, r.may) GROUP BY user_id) x
	              JOIN users u ON u.district_id = @district AND u.id = x.user_id
	             WHERE u.ended_at IS NULL AND NOT EXISTS (SELECT FROM at_school s WHERE s.id = u.id))`
}
