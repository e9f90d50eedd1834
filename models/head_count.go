package models

import (
	"context"
	"fmt"

	"hallpass/access"
)

// HeadCount is how many people hold a role at a school, counted at the end of the last sync.
type HeadCount struct {
	SchoolID int64       // 0 is the whole district
	Role     access.Role // "" is anyone
	People   int
	Several  int // of those, people who hold another role too
}

// HeadCounts counts the people within reach by role, and with role "" all of them. Somebody at two of the schools
// counts once, so several schools are counted afresh.
func (tx *Tx) HeadCounts(ctx context.Context, reach access.Reach) ([]HeadCount, error) {
	switch {
	case reach.District:
		return tx.headCounts(ctx, []int64{0})
	case len(reach.Schools) == 1:
		return tx.headCounts(ctx, reach.Schools)
	}
	counts, err := query[HeadCount](ctx, tx, `SELECT coalesce(g.role, '') AS role, count(DISTINCT g.user_id) AS people,
		       count(DISTINCT g.user_id) FILTER (WHERE u.role_count > 1) AS several
		  FROM role_grant_schools g JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id
		 WHERE g.district_id = ? AND g.school_id = ANY(?::bigint[]) AND g.ended_at IS NULL
		 GROUP BY GROUPING SETS ((g.role), ()) ORDER BY 1`, tx.actor.District, idArray(reach.Schools))
	if err != nil {
		return nil, fmt.Errorf("head counts: %w", err)
	}
	return counts, nil
}

// headCounts reads the counts of some schools as the last sync left them; 0 stands for the whole district.
func (tx *Tx) headCounts(ctx context.Context, schools []int64) ([]HeadCount, error) {
	counts, err := query[HeadCount](ctx, tx, `SELECT school_id, role, people, several FROM head_counts
		WHERE district_id = ? AND school_id = ANY(?::bigint[]) ORDER BY school_id, role`, tx.actor.District, idArray(schools))
	if err != nil {
		return nil, fmt.Errorf("head counts: %w", err)
	}
	return counts, nil
}

// count says how many people match, up to countBound, where the head counts do not know: by looking at a bounded
// number of rows, so that no count costs more than the page it stands on.
func (q *userQuery) count(ctx context.Context) (n int, atLeast bool, err error) {
	if from := q.grantRows(); from != "" {
		got, err := one[struct{ N int }](ctx, q.tx, `SELECT count(*) AS n FROM (SELECT DISTINCT g.user_id FROM `+from+` LIMIT @bound) x`, q.args)
		return min(got.N, countBound), got.N > countBound, err
	}
	rows, columns := "users u", "u.id, u.role_count, u.ended_at, u.merged_into"
	if q.bySearch() {
		rows, columns = "user_search s", "s.*"
	}
	alias := rows[len(rows)-1:]
	id := map[string]string{"u": "u.id", "s": "s.user_id"}[alias]
	join := ""
	if alias == "u" {
		join = q.searchJoin()
	}
	got, err := one[struct {
		N    int
		Seen int
	}](ctx, q.tx, fmt.Sprintf(`WITH seen AS MATERIALIZED (SELECT %s FROM %s WHERE %s.district_id = @district LIMIT @count_rows)
		SELECT count(*) FILTER (WHERE %[6]s) AS n, count(*) AS seen FROM seen %[4]s %[5]s`,
		columns, rows, alias, alias, join, q.predicates(id)), q.args)
	if err != nil {
		return 0, false, err
	}
	if got.Seen < listBounds.count {
		return min(got.N, countBound), got.N > countBound, nil
	}
	return min(max(got.N/100*100, q.limit+1), countBound), true, nil
}

// headCount is the SQL of the filter's size among the head counts, NULL where it is not one of them.
func (q *userQuery) headCount() string {
	atOwnSchool := q.f.School != 0 && q.grantRows() != ""
	if len(q.words) > 0 || q.f.Status != Current || !q.reach.District && !atOwnSchool || q.f.Several && (q.f.Role != "" || q.f.School != 0) {
		return "NULL::integer"
	}
	column := "people"
	if q.f.Several {
		column = "several"
	}
	return "(SELECT c." + column + " FROM head_counts c WHERE c.district_id = @district AND c.school_id = @school AND c.role = @role)"
}
