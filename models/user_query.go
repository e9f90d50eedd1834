package models

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hallpass/access"
)

// listBounds is how far the strategies look. Measured on a million people; tests make them small, so that every
// strategy is taken.
var listBounds = struct{ probe, fence, count int }{
	probe: 1_500,   // rows of the sort index looked at before gathering: enough where one in thirty matches
	fence: 100_000, // matches gathered and sorted; beyond that they are common enough to walk to
	count: 20_000,  // rows looked at to count the matches of a common filter
}

// userQuery answers one page of one filter. There are three ways to find a page, and each is bad where another is
// good:
//
//   - ordered: an index holds exactly these people in this order. Always taken where there is one.
//   - gather: fetch every match through the index of the narrowest filter, behind a fence that keeps PostgreSQL from
//     walking the sort index instead, then sort. Good for rare matches.
//   - walk: follow the sort index and pass over people who do not match. Good for common ones. PostgreSQL's own
//     guess between the two is wrong for names, which sit together in name order, so a bounded walk, the probe,
//     tries first and gathering follows when it did not fill the page.
type userQuery struct {
	tx     *Tx
	reach  access.Reach
	f      UserFilter
	sort   userSort
	limit  int
	back   bool // the page ends before the cursor
	from   *cursor
	words  []searchWord
	args   map[string]any
	alone  bool // most rows of the search table are the district's
	nobody bool // nothing can match
}

func (tx *Tx) newUserQuery(ctx context.Context, reach access.Reach, f UserFilter) (*userQuery, error) {
	q := &userQuery{tx: tx, reach: reach, f: f, limit: f.Limit, nobody: reach.Empty()}
	q.sort, _ = sortBy(f.Sort)
	if q.f.Status == "" {
		q.f.Status = Current
	}
	if q.limit <= 0 {
		q.limit = listLimit
	}
	q.limit = min(q.limit, maxListLimit)
	text := f.After
	if f.Before != "" {
		text, q.back = f.Before, true
	}
	if text != "" {
		c, err := q.sort.parse(text)
		if err != nil {
			return nil, err
		}
		q.from = &c
	}
	q.args = map[string]any{
		"district": tx.actor.District, "role": f.Role, "school": f.School, "limit": q.limit + 1,
		"bound": countBound + 1, "fence": listBounds.fence + 1, "count_rows": listBounds.count,
		"reach_schools": idArray(reach.Schools), "reach_sections": idArray(reach.Sections),
	}
	if q.from != nil {
		q.args["key"], q.args["id"] = q.from.Key, q.from.ID
	}
	var err error
	q.words, err = tx.searchWords(ctx, f.Q)
	for i, w := range q.words {
		w.args(i, q.args)
	}
	q.args["probe"] = listBounds.probe
	if len(q.words) > 1 { // seldom common together
		q.args["probe"] = listBounds.probe / 3
	}
	return q, err
}

// run finds the records of the page, one more than fits where there is one, and how many people match.
func (q *userQuery) run(ctx context.Context) (records []userRecord, count int, atLeast bool, err error) {
	if sql := q.ordered(); sql != "" {
		if records, err = scan[userRecord](ctx, q.tx, sql, q.args); err != nil {
			return nil, 0, false, err
		}
		if len(records) > 0 && records[0].Matches != nil {
			n := *records[0].Matches
			return records, min(n, countBound), n > countBound, nil
		}
		count, atLeast, err = q.count(ctx)
		return records, count, atLeast, err
	}
	if !q.narrow() {
		if records, err = q.find(ctx, q.walk("LIMIT @probe")); err != nil {
			return nil, 0, false, err
		}
		if len(records) > q.limit {
			count, atLeast, err = q.count(ctx)
			return records, count, atLeast, err
		}
	}
	if len(q.words) > 0 && q.source() == "" {
		if err = q.probe(ctx); err != nil {
			return nil, 0, false, err
		}
	}
	records, err = q.gathered(ctx)
	if err != nil {
		return nil, 0, false, err
	}
	matches, all := *records[0].Matches, *records[0].Gathered <= listBounds.fence
	if records[0].ID == 0 { // only the counts: no page
		records = nil
	}
	if !all {
		records, err = q.find(ctx, q.walk(""))
	}
	return records, min(matches, countBound), matches > countBound || !all, err
}

const recordColumns = `u.id, u.first_name, u.middle_name, u.last_name, u.email, u.name_key, u.email_key, u.changed_at, u.ended_at, u.clever_id IS NULL AS imported`

// find completes the ids that a page statement chose from the walled table of users, in the page's order, and adds
// how many people match where that was counted before.
func (q *userQuery) find(ctx context.Context, page string) ([]userRecord, error) {
	return scan[userRecord](ctx, q.tx, q.completed(page), q.args)
}

func (q *userQuery) completed(page string) string {
	return `WITH ` + page + ` SELECT ` + recordColumns + `, ` + q.headCount() + ` AS matches
		FROM page p JOIN users u ON u.district_id = @district AND u.id = p.user_id ORDER BY ` + q.order("u."+q.sort.column, "u.id")
}

// gathered is find for gather, with its counts on every record; an empty page is one record of counts without an id.
func (q *userQuery) gathered(ctx context.Context) ([]userRecord, error) {
	return query[userRecord](ctx, q.tx, `WITH `+q.gather()+` SELECT `+recordColumns+`, n.matches, n.gathered
		FROM (SELECT (SELECT count(*) FROM matched) AS matches, (SELECT count(*) FROM hits) AS gathered) n
		LEFT JOIN (page p JOIN users u ON u.district_id = @district AND u.id = p.user_id) ON true ORDER BY `+q.order("u."+q.sort.column, "u.id"), q.args)
}

// ordered is the statement of a filter that an index answers in order, or "". How many rows it wants is part of its
// text: where that is a parameter PostgreSQL guesses a tenth of the table, and plans anew for every page, which takes
// longer than the page.
func (q *userQuery) ordered() string {
	if from := q.grantRows(); from != "" {
		// Somebody may hold a role twice, from Clever and by hand, or two roles at the school: neighbours in the index.
		return q.completed(fmt.Sprintf(`page AS MATERIALIZED (SELECT DISTINCT g.name_key, g.user_id FROM %s %s ORDER BY %s LIMIT %d)`,
			from, q.beyond("g.name_key", "g.user_id"), q.order("g.name_key", "g.user_id"), q.limit+1))
	}
	if q.searches() || q.f.Status == Ended || q.f.Status == Imported || q.f.Role != "" || q.f.School != 0 {
		return ""
	}
	several := ""
	if q.f.Several {
		if q.f.Status != Current || q.sort.name != "name" {
			return ""
		}
		several = "AND u.role_count > 1"
	}
	col := "u." + q.sort.column
	return fmt.Sprintf(`SELECT %s, %s AS matches FROM users u WHERE u.district_id = @district AND %s %s %s ORDER BY %s LIMIT %d`,
		recordColumns, q.headCount(), q.status(), several, q.beyond(col, "u.id"), q.order(col, "u.id"), q.limit+1)
}

// grantRows is the part of the grant tables, in name order by index, that a filter by role or school asks for, or "".
func (q *userQuery) grantRows() string {
	if len(q.words) > 0 || len(q.reach.Sections) > 0 || q.f.Several || q.f.Status != Current || q.sort.name != "name" {
		return ""
	}
	at := ""
	switch {
	case q.f.School != 0 && (q.reach.District || slices.Contains(q.reach.Schools, q.f.School)):
		at = "g.school_id = @school"
	case q.f.School != 0 || q.f.Role == "":
		return ""
	case q.reach.District:
		return `role_grants g WHERE g.district_id = @district AND g.role = @role AND g.ended_at IS NULL`
	case q.roleAtReach():
		at = "g.school_id = ANY(CAST(@reach_schools AS bigint[]))"
	default:
		return ""
	}
	if q.f.Role != "" {
		at += " AND g.role = @role"
	}
	return `role_grant_schools g WHERE g.district_id = @district AND g.ended_at IS NULL AND ` + at
}

// roleAtReach reports that the role must be held at a school within reach: to staff of one school, "teachers" are the
// teachers there, not people of that school who teach elsewhere. Contacts and district admins are at no school.
func (q *userQuery) roleAtReach() bool {
	return !q.reach.District && len(q.reach.Sections) == 0 && q.f.Role != "" && q.f.Role != access.Contact && !q.f.Role.DistrictWide()
}

// narrow reports that a filter leaves so few people that gathering them beats trying a walk first.
func (q *userQuery) narrow() bool {
	return slices.ContainsFunc(q.words, searchWord.isID) || q.f.Status == Ended || q.f.Status == Imported || q.f.School != 0 || q.f.Several || !q.reach.District && len(q.reach.Schools) == 0
}

// bySearch reports that the page can be found in the search table alone, without touching users.
func (q *userQuery) bySearch() bool {
	return q.searches() && q.sort.name == "name" && q.f.Status == Current && !q.f.Several
}

func (q *userQuery) searches() bool { return len(q.words) > 0 || !q.reach.District }

// walk follows the sort index from the cursor. With a bound, it looks at that many rows only.
func (q *userQuery) walk(bound string) string {
	if q.bySearch() {
		return fmt.Sprintf(`page AS MATERIALIZED (SELECT s.user_id FROM (
			SELECT s.* FROM user_search s WHERE s.district_id = @district %[1]s ORDER BY %[2]s %[3]s) s
			WHERE %[4]s ORDER BY %[2]s LIMIT @limit)`,
			q.beyond("s.name_key", "s.user_id"), q.order("s.name_key", "s.user_id"), bound, q.predicates("s.user_id"))
	}
	col := "u." + q.sort.column
	return fmt.Sprintf(`page AS MATERIALIZED (SELECT u.id AS user_id FROM (
		SELECT u.id, u.role_count, u.ended_at, u.merged_into, u.clever_id, %[1]s FROM users u WHERE u.district_id = @district %[2]s ORDER BY %[3]s %[4]s) u %[5]s
		WHERE %[6]s ORDER BY %[3]s LIMIT @limit)`,
		col, q.beyond(col, "u.id"), q.order(col, "u.id"), bound, q.searchJoin(), q.predicates("u.id"))
}

// gather fetches every match through one narrow index, then sorts: hits are behind the fence, matched are those of
// them who match.
func (q *userQuery) gather() string {
	page := fmt.Sprintf(`page AS MATERIALIZED (SELECT m.user_id FROM matched m WHERE true %s ORDER BY %s LIMIT @limit)`,
		q.beyond("m.key", "m.user_id"), q.order("m.key", "m.user_id"))
	source := q.source()
	if source == "" && q.bySearch() {
		return fmt.Sprintf(`hits AS MATERIALIZED (SELECT s.user_id, s.name_key AS key FROM user_search s WHERE %s AND %s LIMIT @fence),
			matched AS NOT MATERIALIZED (SELECT * FROM hits), %s`, q.inDistrict(), q.predicates("s.user_id"), page)
	}
	if source == "" {
		source = `SELECT s.user_id FROM user_search s WHERE ` + q.inDistrict() + ` AND ` + q.searchPredicates()
	}
	return fmt.Sprintf(`hits AS MATERIALIZED (SELECT DISTINCT x.user_id FROM (%s) x LIMIT @fence),
		matched AS MATERIALIZED (SELECT u.id AS user_id, u.%s AS key FROM hits h JOIN users u ON u.district_id = @district AND u.id = h.user_id %s WHERE %s),
		%s`, source, q.sort.column, q.searchJoin(), q.predicates("u.id"), page)
}

// inDistrict is the search table's own wall, for a search by its index. Where most of the table is one district's, the
// index must not be asked for the district as well: reading which rows are its, a million, took two thirds of the search.
// People found by id are found by the other index, which begins with the district.
func (q *userQuery) inDistrict() string {
	if q.alone && !slices.ContainsFunc(q.words, func(w searchWord) bool { return w.ids != "" }) {
		return "s.district_id + 0 = @district"
	}
	return "s.district_id = @district"
}

// source is the select of the narrowest filter outside the search table: user ids, perhaps more than match, never
// fewer. It is "" where the search table is narrower.
func (q *userQuery) source() string {
	live := ""
	if q.f.Status == Current {
		live = "AND g.ended_at IS NULL"
	}
	switch {
	case !q.reach.District && len(q.reach.Schools) == 0:
		return q.sectionPeople()
	case q.f.School != 0 && q.f.Role != "":
		return `SELECT g.user_id FROM role_grant_schools g WHERE g.district_id = @district AND g.school_id = @school AND g.role = @role ` + live
	case q.f.School != 0:
		return `SELECT g.user_id FROM role_grant_schools g WHERE g.district_id = @district AND g.school_id = @school ` + live
	case len(q.words) > 0:
		return ""
	case q.f.Status == Imported:
		return `SELECT a.user_id FROM imported_accounts a WHERE a.district_id = @district AND a.state IN ('ambiguous', 'unmatched') AND a.user_id IS NOT NULL`
	case q.f.Status == Ended:
		return `SELECT u.id AS user_id FROM users u WHERE u.district_id = @district AND u.ended_at IS NOT NULL`
	case q.f.Several:
		return `SELECT u.id AS user_id FROM users u WHERE u.district_id = @district AND u.ended_at IS NULL AND u.role_count > 1`
	case !q.reach.District:
		return ""
	}
	return `SELECT g.user_id FROM role_grants g WHERE g.district_id = @district AND g.role = @role ` + live
}

func (q *userQuery) sectionPeople() string {
	return `SELECT x.user_id FROM section_students x WHERE x.district_id = @district AND x.section_id = ANY(CAST(@reach_sections AS bigint[]))
		UNION SELECT x.user_id FROM section_teachers x WHERE x.district_id = @district AND x.section_id = ANY(CAST(@reach_sections AS bigint[]))`
}

// searchJoin brings in the search row of users u where a predicate asks for it.
func (q *userQuery) searchJoin() string {
	if !q.searches() {
		return ""
	}
	return `JOIN user_search s ON s.district_id = @district AND s.user_id = u.id`
}

// predicates hold for exactly the people who match, over user_search s where the filter searches, and over users u
// except where bySearch.
func (q *userQuery) predicates(id string) string {
	all := []string{q.status()}
	// Ended people hold nothing any more: they match by what they held.
	held := "g.ended_at IS NULL"
	if q.f.Status != Current {
		held = "(g.ended_at IS NULL OR u.ended_at IS NOT NULL)"
	}
	if q.f.Several {
		all = append(all, "u.role_count > 1")
	}
	switch {
	case q.f.School != 0:
		role := ""
		if q.f.Role != "" {
			role = "AND g.role = @role"
		}
		all = append(all, `EXISTS (SELECT FROM role_grant_schools g WHERE g.district_id = @district AND g.user_id = `+id+` AND g.school_id = @school `+role+` AND `+held+`)`)
	case q.roleAtReach():
		all = append(all, `EXISTS (SELECT FROM role_grant_schools g WHERE g.district_id = @district AND g.user_id = `+id+` AND g.school_id = ANY(CAST(@reach_schools AS bigint[])) AND g.role = @role AND `+held+`)`)
	case q.f.Role != "":
		all = append(all, `EXISTS (SELECT FROM role_grants g WHERE g.district_id = @district AND g.user_id = `+id+` AND g.role = @role AND `+held+`)`)
	}
	if q.searches() {
		all = append(all, q.searchPredicates())
	}
	return strings.Join(all, " AND ")
}

// searchPredicates are those over user_search s: the words, and the schools and sections the actor is confined to.
func (q *userQuery) searchPredicates() string {
	all := []string{"true"}
	for i, w := range q.words {
		all = append(all, w.predicate(i))
	}
	if !q.reach.District {
		var places []string
		if len(q.reach.Schools) > 0 {
			places = append(places, "s.school_ids && CAST(@reach_schools AS bigint[])")
		}
		if len(q.reach.Sections) > 0 {
			places = append(places, "s.user_id IN ("+q.sectionPeople()+")")
		}
		all = append(all, "("+strings.Join(places, " OR ")+")")
	}
	return strings.Join(all, " AND ")
}

func (q *userQuery) status() string {
	switch {
	case q.f.Status == Any:
		return "u.merged_into IS NULL"
	case q.f.Status == Ended:
		return "u.ended_at IS NOT NULL AND u.merged_into IS NULL"
	case q.f.Status == Imported:
		return "u.clever_id IS NULL AND u.ended_at IS NULL AND u.merged_into IS NULL"
	case q.bySearch():
		return "s.current"
	}
	return "u.ended_at IS NULL AND u.merged_into IS NULL"
}

// beyond is the keyset condition: rows past the cursor in the direction of the page.
func (q *userQuery) beyond(column, id string) string {
	if q.from == nil {
		return ""
	}
	op := ">"
	if q.sort.desc != q.back {
		op = "<"
	}
	return fmt.Sprintf("AND (%s, %s) %s (CAST(@key AS %s), CAST(@id AS bigint))", column, id, op, q.sort.kind)
}

func (q *userQuery) order(column, id string) string {
	if q.sort.desc != q.back {
		return column + " DESC, " + id + " DESC"
	}
	return column + ", " + id
}

// isID reports that the word looks like an id: nobody's name, so that trying a walk first would find nothing.
func (w searchWord) isID() bool { return len(w.text) >= 6 && strings.ContainsAny(w.text, "0123456789") }
