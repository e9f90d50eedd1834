package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"hallpass/models"
)

// fence is how many matches are gathered before a search is taken to match nearly everybody, as in the console.
const fence = 100_000

// onPage puts the roles by school beside the people whom page chose, and the count before them.
func onPage(with, count string) string {
	return `WITH ` + with + `
		SELECT n.n, p.id, p.first_name, p.middle_name, p.last_name, p.email, p.name_key, x.role, x.labels, x.school, x.is_primary, x.places
		  FROM (SELECT coalesce((` + count + `), 0) AS n) n
		  LEFT JOIN page p ON true
		  LEFT JOIN LATERAL (
		       SELECT g.role, g.labels, coalesce(h.name, '') AS school, coalesce(gs.is_primary, false) AS is_primary, count(*) OVER () AS places,
		              row_number() OVER (ORDER BY array_position(ARRAY['district_admin', 'teacher', 'staff', 'student', 'contact'], g.role), g.role,
		                                 gs.is_primary DESC NULLS LAST, h.name_key, h.id) AS place
		         FROM role_grants g
		         LEFT JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.grant_id = g.id AND gs.ended_at IS NULL
		         LEFT JOIN schools h ON h.district_id = $1 AND h.id = gs.school_id
		        WHERE g.district_id = $1 AND g.user_id = p.id AND g.ended_at IS NULL
		        ORDER BY place LIMIT 3) x ON true
		 ORDER BY p.name_key, p.id, x.place`
}

const personColumns = `u.id, u.first_name, u.middle_name, u.last_name, u.email, u.name_key`

// inOrder is everybody by name from a place on, and atSchool who holds a role at a school.
var (
	inOrder = onPage(`page AS MATERIALIZED (SELECT `+personColumns+` FROM users u
		 WHERE u.district_id = $1 AND u.ended_at IS NULL AND (u.name_key, u.id) > ($2, $3) ORDER BY u.name_key, u.id LIMIT 51)`,
		`SELECT people FROM head_counts WHERE district_id = $1 AND school_id = 0 AND role = ''`)

	atSchool = onPage(`school AS MATERIALIZED (SELECT id FROM schools WHERE district_id = $1 AND clever_id = $2),
		found AS MATERIALIZED (SELECT DISTINCT g.name_key, g.user_id FROM role_grant_schools g
		 WHERE g.district_id = $1 AND g.school_id = (SELECT id FROM school) AND g.role = $3 AND g.ended_at IS NULL
		 ORDER BY g.name_key, g.user_id LIMIT 51),
		page AS MATERIALIZED (SELECT `+personColumns+` FROM found f JOIN users u ON u.district_id = $1 AND u.id = f.user_id)`,
		`SELECT people FROM head_counts WHERE district_id = $1 AND school_id = (SELECT id FROM school) AND role = $3`)
)

// search means by a word what the console means: part of a name or email, of a school's name, or the beginning of an
// id. Matches are gathered behind a fence and sorted. Words of fewer letters than a trigram are looked for among the
// first names of the list before, and words that turn out to match nearly everybody by following the list.
func (b *bare) search(ctx context.Context, q string) ([]barePerson, int, error) {
	words := strings.Fields(models.Fold(q))
	short := true
	for _, word := range words {
		short = short && utf8.RuneCountInString(word) < 3
	}
	named, err := b.named(ctx, words)
	if err != nil {
		return nil, 0, err
	}
	match, args := b.matches(words, named)
	walk := func(bound string) ([]barePerson, int, error) {
		return rows(ctx, b.searches, onPage(`page AS MATERIALIZED (SELECT `+personColumns+` FROM (
			 SELECT s.user_id FROM (SELECT * FROM user_search WHERE district_id = $1 ORDER BY name_key, user_id `+bound+`) s
			  WHERE s.current AND `+match+` ORDER BY s.name_key, s.user_id LIMIT 51) s
			  JOIN users u ON u.district_id = $1 AND u.id = s.user_id)`,
			`SELECT count(*) FROM (SELECT * FROM user_search WHERE district_id = $1 LIMIT 20000) s WHERE s.current AND `+match), args...)
	}
	if short {
		if people, count, err := walk("LIMIT 1500"); err != nil || len(people) > 50 {
			return people, count, err
		}
	}
	people, count, err := rows(ctx, b.searches, onPage(fmt.Sprintf(`hits AS MATERIALIZED (SELECT s.user_id, s.name_key FROM user_search s
		 WHERE s.district_id = $1 AND s.current AND %s LIMIT %d),
		page AS MATERIALIZED (SELECT `+personColumns+` FROM (SELECT * FROM hits ORDER BY name_key, user_id LIMIT 51) s
		  JOIN users u ON u.district_id = $1 AND u.id = s.user_id)`, match, fence+1), `SELECT count(*) FROM hits`), args...)
	if err != nil || count <= fence {
		return people, count, err
	}
	return walk("OFFSET 0")
}

// named are the schools that each word could mean. They are asked for beforehand, as the console does: a condition on
// schools that are not known yet spoils the plan for the words that mean none, nearly all.
func (b *bare) named(ctx context.Context, words []string) ([][]int64, error) {
	found, err := b.pool.Query(ctx, `SELECT id, name_key FROM schools WHERE district_id = $1 AND name_key <> ''`, b.district)
	if err != nil {
		return nil, err
	}
	named := make([][]int64, len(words))
	var id int64
	var name string
	_, err = pgx.ForEachRow(found, []any{&id, &name}, func() error {
		for i, word := range words {
			start := ""
			if utf8.RuneCountInString(word) < 3 {
				start = " "
			}
			if len(word) > 1 && strings.Contains(" "+name, start+word) {
				named[i] = append(named[i], id)
			}
		}
		return nil
	})
	return named, err
}

// matches is the condition over user_search s, with its arguments after the district.
func (b *bare) matches(words []string, named [][]int64) (condition string, args []any) {
	args = []any{b.district}
	var all []string
	for i, word := range words {
		pattern := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(word)
		if utf8.RuneCountInString(word) < 3 {
			pattern = " " + pattern
		}
		args = append(args, "%"+pattern+"%")
		any := []string{fmt.Sprintf(`s.doc LIKE $%d`, len(args))}
		if len(named[i]) > 0 {
			args = append(args, named[i])
			any = append(any, fmt.Sprintf(`s.school_ids && $%d`, len(args)))
		}
		if strings.ContainsAny(word, "0123456789") && len(word) >= 3 {
			args = append(args, word, word+"\U0010FFFF")
			any = append(any, strings.NewReplacer("@from", fmt.Sprintf("$%d", len(args)-1), "@to", fmt.Sprintf("$%d", len(args))).Replace(
				`s.user_id = ANY(ARRAY(
				 (SELECT user_id FROM identities  WHERE district_id = $1 AND kind = 'clever' AND value >= @from AND value < @to LIMIT 10001)
				 UNION ALL (SELECT user_id FROM identities  WHERE district_id = $1 AND kind = 'legacy' AND value >= @from AND value < @to LIMIT 10001)
				 UNION ALL (SELECT user_id FROM role_grants WHERE district_id = $1 AND sis_key <> '' AND sis_key >= @from AND sis_key < @to LIMIT 10001)
				 UNION ALL (SELECT user_id FROM role_grants WHERE district_id = $1 AND number_key <> '' AND number_key >= @from AND number_key < @to LIMIT 10001)))`))
		}
		all = append(all, "("+strings.Join(any, " OR ")+")")
	}
	return strings.Join(all, " AND "), args
}
