package main

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// The five questions of a person's page, asked in one round trip.
const (
	bareUser = `SELECT coalesce(clever_id, ''), first_name, middle_name, last_name, email, changed_at FROM users WHERE district_id = $1 AND id = $2`

	bareGrants = `SELECT g.role, g.source, g.legacy_id, g.sis_id, g.number, g.labels, coalesce(s.name, ''), coalesce(s.sis_id, ''),
		       coalesce(gs.is_primary, false), coalesce(gs.since, g.since)
		  FROM role_grants g
		  LEFT JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.grant_id = g.id
		  LEFT JOIN schools s ON s.district_id = $1 AND s.id = gs.school_id
		 WHERE g.district_id = $1 AND g.user_id = $2
		 ORDER BY g.ended_at IS NOT NULL, array_position(ARRAY['district_admin', 'teacher', 'staff', 'student', 'contact'], g.role), g.role,
		       gs.is_primary DESC, s.name_key`

	bareSections = `SELECT s.name, h.name, coalesce(t.name, ''), s.period, s.students, x.held
		  FROM (SELECT section_id, CASE WHEN is_primary THEN 'primary' ELSE 'co' END AS held
		          FROM section_teachers WHERE district_id = $1 AND user_id = $2
		        UNION ALL
		        SELECT section_id, 'student' FROM section_students WHERE district_id = $1 AND user_id = $2) x
		  JOIN sections s ON s.district_id = $1 AND s.id = x.section_id AND s.ended_at IS NULL
		  JOIN schools h ON h.district_id = $1 AND h.id = s.school_id
		  LEFT JOIN terms t ON t.district_id = $1 AND t.id = s.term_id
		 ORDER BY x.held = 'student', t.start_date DESC NULLS LAST, s.name_key, s.id`

	bareAccounts = `SELECT id, role, created_at FROM accounts WHERE district_id = $1 AND user_id = $2 ORDER BY retired_at IS NOT NULL, role, id`

	bareRelated = `WITH me AS MATERIALIZED (SELECT clever_id, email_key FROM users WHERE district_id = $1 AND id = $2)
		SELECT u.id, u.first_name, u.middle_name, u.last_name, x.kind, x.relationship,
		       coalesce((SELECT min(g.role) FROM role_grants g WHERE g.district_id = $1 AND g.user_id = u.id AND g.ended_at IS NULL), '')
		  FROM (SELECT s.id, 'student' AS kind, c.relationship FROM contact_students c
		          JOIN identities i ON i.district_id = $1 AND i.kind = 'clever' AND i.value = c.student_clever_id
		          JOIN users s ON s.district_id = $1 AND s.id = i.user_id
		         WHERE c.district_id = $1 AND c.contact_id = $2
		        UNION ALL
		        SELECT c.contact_id, 'contact', c.relationship FROM contact_students c
		         WHERE c.district_id = $1 AND c.student_clever_id = (SELECT clever_id FROM me)
		        UNION ALL
		        (SELECT e.id, 'same email', '' FROM users e WHERE e.district_id = $1 AND e.email_key = (SELECT nullif(email_key, '') FROM me)
		            AND e.id <> $2 AND e.ended_at IS NULL ORDER BY e.id LIMIT 50)) x
		  JOIN users u ON u.district_id = $1 AND u.id = x.id AND u.ended_at IS NULL
		 ORDER BY x.kind, u.name_key, u.id LIMIT 50`
)

func (b *bare) user(rw http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		http.NotFound(rw, r)
		return
	}
	batch := &pgx.Batch{}
	for _, sql := range []string{bareUser, bareGrants, bareSections, bareAccounts, bareRelated} {
		batch.Queue(sql, b.district, id)
	}
	results := b.pool.SendBatch(r.Context(), batch)
	page, err := personPage(results)
	if err = errors.Join(err, results.Close()); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	send(rw, page)
}

func personPage(results pgx.BatchResults) ([]byte, error) {
	var cleverID, first, middle, last, email string
	var changed time.Time
	if err := results.QueryRow().Scan(&cleverID, &first, &middle, &last, &email, &changed); err != nil {
		return nil, err
	}
	page := make([]byte, 0, 8<<10)
	page = append(page, `<!doctype html><meta charset="utf-8"><title>Person</title><table><tr>`...)
	cell := func(texts ...string) {
		for _, text := range texts {
			page = append(page, `<td>`...)
			page = appendText(page, text)
		}
	}
	// Words of the console's own choosing are not compared with it.
	aside := func(text string) {
		page = append(page, `<i>`...)
		page = appendText(page, text)
		page = append(page, `</i>`...)
	}
	day := func(t time.Time) { aside(t.Format(time.DateOnly)) }
	row := func() { page = append(page, `<tr>`...) }
	cell(first, middle, last, email, cleverID)
	day(changed)
	var role, source, legacy, sis, number, school, schoolSIS string
	var labels []string
	var primary bool
	var at time.Time
	err := collect(results, []any{&role, &source, &legacy, &sis, &number, &labels, &school, &schoolSIS, &primary, &at}, func() {
		row()
		cell(legacy, sis, number, school)
		aside(role + " " + source + " " + schoolSIS + " " + strconv.FormatBool(primary))
		for _, label := range labels {
			aside(label)
		}
		day(at)
		labels = nil
	})
	if err != nil {
		return nil, err
	}
	var name, term, period, held string
	var students int
	err = collect(results, []any{&name, &school, &term, &period, &students, &held}, func() {
		row()
		cell(name, school, term, period)
		aside(held + " " + strconv.Itoa(students))
	})
	if err != nil {
		return nil, err
	}
	var id int64
	err = collect(results, []any{&id, &role, &at}, func() {
		row()
		aside(strconv.FormatInt(id, 10) + " " + role)
		day(at)
	})
	if err != nil {
		return nil, err
	}
	var kind, relationship string
	err = collect(results, []any{&id, &first, &middle, &last, &kind, &relationship, &role}, func() {
		row()
		cell(first, middle, last)
		aside(strconv.FormatInt(id, 10) + " " + kind + " " + relationship + " " + role)
	})
	return page, err
}

// appendName writes a name as lists sort it: last, first middle.
func appendName(page []byte, last, first, middle string) []byte {
	page = appendText(page, last)
	if last != "" && (first != "" || middle != "") {
		page = append(page, `, `...)
	}
	page = appendText(page, first)
	if first != "" && middle != "" {
		page = append(page, ' ')
	}
	return appendText(page, middle)
}

// appendText escapes.
func appendText(page []byte, text string) []byte {
	start := 0
	for i := range len(text) {
		var as string
		switch text[i] {
		case '&':
			as = "&amp;"
		case '<':
			as = "&lt;"
		case '>':
			as = "&gt;"
		case '"':
			as = "&#34;"
		default:
			continue
		}
		page = append(append(page, text[start:i]...), as...)
		start = i + 1
	}
	return append(page, text[start:]...)
}
