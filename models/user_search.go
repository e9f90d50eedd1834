package models

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxWords bounds a search: more words than a name, an email and a school have only cost time.
const maxWords = 8

// maxIDHits bounds how many people one word may find by the beginning of an id.
const maxIDHits = countBound + 1

// searchWord is one word of a search. It matches a person whose names or email hold it, who is at a school whose
// name holds it, or one of whose ids begins with it.
type searchWord struct {
	text    string
	schools []int64
	ids     []int64
}

// searchWords splits a search into folded words and looks up the schools and ids each could mean.
func (tx *Tx) searchWords(ctx context.Context, q string) ([]searchWord, error) {
	fields := strings.Fields(Fold(strings.ToValidUTF8(q, "")))
	fields = fields[:min(len(fields), maxWords)]
	words := make([]searchWord, len(fields))
	for i, text := range fields {
		words[i].text = cut(text, maxKey)
	}
	if len(words) == 0 {
		return nil, nil
	}
	if err := tx.schoolsNamed(ctx, words); err != nil {
		return nil, err
	}
	for i := range words {
		if !strings.ContainsAny(words[i].text, "0123456789") || len(words[i].text) < 3 {
			continue
		}
		var err error
		if words[i].ids, err = tx.usersByIDPrefix(ctx, words[i].text); err != nil {
			return nil, err
		}
	}
	return words, nil
}

func (tx *Tx) schoolsNamed(ctx context.Context, words []searchWord) error {
	type row struct {
		ID      int64
		NameKey string
	}
	// Every school of the district: hundreds. LIKE could use no index under row-level security anyway.
	schools, err := query[row](ctx, tx, `SELECT id, name_key FROM schools WHERE district_id = ? AND name_key <> ''`, tx.actor.District)
	if err != nil {
		return fmt.Errorf("schools by name: %w", err)
	}
	for i := range words {
		for _, s := range schools {
			if len(words[i].text) > 1 && strings.Contains(s.NameKey, words[i].text) {
				words[i].schools = append(words[i].schools, s.ID)
			}
		}
	}
	return nil
}

// usersByIDPrefix finds people one of whose ids begins with text: Clever, legacy, SIS ids and numbers.
func (tx *Tx) usersByIDPrefix(ctx context.Context, text string) ([]int64, error) {
	type row struct{ UserID int64 }
	found, err := query[row](ctx, tx, `
		SELECT user_id FROM (
		  (SELECT user_id FROM identities  WHERE district_id = @district AND kind = 'clever' AND value >= @from AND value < @to LIMIT @max)
		  UNION ALL
		  (SELECT user_id FROM identities  WHERE district_id = @district AND kind = 'legacy' AND value >= @from AND value < @to LIMIT @max)
		  UNION ALL
		  (SELECT user_id FROM role_grants WHERE district_id = @district AND sis_key <> '' AND sis_key >= @from AND sis_key < @to LIMIT @max)
		  UNION ALL
		  (SELECT user_id FROM role_grants WHERE district_id = @district AND number_key <> '' AND number_key >= @from AND number_key < @to LIMIT @max)
		) x LIMIT @max`,
		map[string]any{"district": tx.actor.District, "from": text, "to": text + "\U0010FFFF", "max": maxIDHits})
	if err != nil {
		return nil, fmt.Errorf("people by id: %w", err)
	}
	ids := make([]int64, len(found))
	for i, r := range found {
		ids[i] = r.UserID
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// args adds the word's parameters under its number.
func (w searchWord) args(i int, to map[string]any) {
	n := strconv.Itoa(i)
	pattern := "%" + likeEscape(w.text) + "%"
	if len([]rune(w.text)) < 3 {
		pattern = "% " + likeEscape(w.text) + "%" // fewer letters than a trigram: only at the start of a word
	}
	to["word"+n], to["schools"+n], to["ids"+n] = pattern, idArray(w.schools), idArray(w.ids)
}

// predicate is true of a person, over user_search s, whom the word matches.
func (w searchWord) predicate(i int) string {
	n := strconv.Itoa(i)
	parts := []string{"s.doc LIKE @word" + n}
	if len(w.schools) > 0 {
		parts = append(parts, "s.school_ids && CAST(@schools"+n+" AS bigint[])")
	}
	if len(w.ids) > 0 {
		parts = append(parts, "s.user_id = ANY(CAST(@ids"+n+" AS bigint[]))")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// likeEscape makes % and _ stand for themselves.
func likeEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// pin puts people whose id or email is exactly the search at the top of the first page.
func (q *userQuery) pin(ctx context.Context, rows []UserRow) ([]UserRow, error) {
	text := Fold(strings.TrimSpace(q.f.Q))
	if text == "" || q.from != nil || strings.Contains(text, " ") {
		return rows, nil
	}
	q.args["exact"], q.args["raw"] = text, strings.TrimSpace(q.f.Q)
	q.args["number"] = int64(-1)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		q.args["number"] = n
	}
	pinned, err := q.find(ctx, fmt.Sprintf(`hits AS MATERIALIZED (
		  SELECT user_id FROM identities  WHERE district_id = @district AND kind IN ('clever', 'legacy') AND value IN (@exact, @raw)
		  UNION SELECT user_id FROM role_grants WHERE district_id = @district AND sis_key <> '' AND sis_key = @exact
		  UNION SELECT user_id FROM role_grants WHERE district_id = @district AND number_key <> '' AND number_key = @exact
		  UNION (SELECT id FROM users WHERE district_id = @district AND email_key = @exact AND email_key <> '' ORDER BY id LIMIT 10)
		  UNION SELECT id FROM users WHERE district_id = @district AND id = @number),
		page AS MATERIALIZED (SELECT u.id AS user_id, NULL::bigint AS matches
		  FROM hits h JOIN users u ON u.district_id = @district AND u.id = h.user_id %s WHERE %s ORDER BY u.name_key, u.id LIMIT 10)`,
		q.searchJoin(), q.withoutWords().predicates("u.id")))
	if err != nil || len(pinned) == 0 {
		return rows, err
	}
	top := make([]UserRow, 0, len(pinned)+len(rows))
	for _, r := range pinned {
		row := r.row()
		row.Pinned = true
		top = append(top, row)
	}
	for _, r := range rows {
		if !slices.ContainsFunc(pinned, func(p userRecord) bool { return p.ID == r.ID }) {
			top = append(top, r)
		}
	}
	return top, nil
}

func (q *userQuery) withoutWords() *userQuery {
	c := *q
	c.words = nil
	c.sort = userSort{name: "none"} // never bySearch: the statement joins users
	return &c
}
