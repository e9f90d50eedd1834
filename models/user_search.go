package models

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWords bounds a search: more words than a name, an email and a school have only cost time.
const maxWords = 8

// maxIDHits bounds how many people one word may find by an id of one kind, so that the beginning of every id of a
// district of a million does not gather the million. Beyond it, the word finds only the first of them.
const maxIDHits = 50_000

// searchWord is one word of a search as it was typed. It matches a person whose names and email hold all of its names,
// who is at a school whose name holds it, or one of whose ids begins with it.
type searchWord struct {
	text    string   // folded
	names   []string // text in parts: a hyphen joins two names
	probes  []string // for each name the part of it that the index is asked for; nil: the whole names
	id      string   // as ids are compared
	schools []int64
	ids     string // people found by id, as a PostgreSQL array; "" is nobody
}

// searchWords splits a search into words and looks up the schools and ids each could mean. All of them together have
// at most maxWords names; what comes after is not looked at.
func (tx *Tx) searchWords(ctx context.Context, q string) ([]searchWord, error) {
	var words []searchWord
	room := maxWords
	for field := range strings.FieldsSeq(strings.ToValidUTF8(q, "")) {
		text := key(field)
		names := strings.Fields(text)
		if len(names) == 0 { // a lone hyphen, say
			continue
		}
		if room == 0 {
			break
		}
		names = names[:min(len(names), room)]
		room -= len(names)
		words = append(words, searchWord{text: text, names: names, id: idKey(field)})
	}
	if len(words) == 0 {
		return nil, nil
	}
	if err := tx.schoolsNamed(ctx, words); err != nil {
		return nil, err
	}
	return words, tx.usersByID(ctx, words)
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
			if words[i].inName(s.NameKey) {
				words[i].schools = append(words[i].schools, s.ID)
			}
		}
	}
	return nil
}

// inName reports whether the word is part of a school's name; with fewer letters than a trigram, as for people, only at
// the start of a word: two letters in the middle are in half of all names.
func (w searchWord) inName(name string) bool {
	switch letters := utf8.RuneCountInString(w.text); {
	case letters < 2:
		return false
	case letters < 3:
		return strings.Contains(" "+name, " "+w.text)
	}
	return strings.Contains(name, w.text)
}

// idPrefix reports whether the word is enough of an id to look for those that begin with it. Other words find the id
// that they are.
func (w searchWord) idPrefix() bool {
	return len(w.id) >= 3 && strings.ContainsAny(w.id, "0123456789")
}

// usersByID finds, for each word, the people one of whose ids it is or begins: Clever, legacy, SIS ids and numbers.
func (tx *Tx) usersByID(ctx context.Context, words []searchWord) error {
	type row struct {
		Word int
		IDs  string `gorm:"column:ids"`
	}
	var found []row
	for i, w := range words {
		if !w.idPrefix() {
			continue
		}
		one, err := query[row](ctx, tx, `SELECT CAST(@word AS integer) AS word, CAST(array_agg(DISTINCT user_id) AS text) AS ids FROM (
			(SELECT user_id FROM identities  WHERE district_id = @district AND kind = 'clever' AND value >= @from AND value < @to LIMIT @max)
			UNION ALL
			(SELECT user_id FROM identities  WHERE district_id = @district AND kind = 'legacy' AND value >= @from AND value < @to LIMIT @max)
			UNION ALL
			(SELECT user_id FROM role_grants WHERE district_id = @district AND sis_key <> '' AND sis_key >= @from AND sis_key < @to LIMIT @max)
			UNION ALL
			(SELECT user_id FROM role_grants WHERE district_id = @district AND number_key <> '' AND number_key >= @from AND number_key < @to LIMIT @max)
			UNION ALL
			(SELECT m.merged_into FROM users m JOIN identities i ON i.district_id = m.district_id AND i.user_id = m.id
			  WHERE m.district_id = @district AND m.merged_into IS NOT NULL AND i.kind IN ('clever', 'legacy') AND i.value >= @from AND i.value < @to LIMIT @max)
			) x HAVING count(*) > 0`,
			map[string]any{"district": tx.actor.District, "word": i, "from": w.id, "to": w.id + "\U0010FFFF", "max": maxIDHits})
		if err != nil {
			return fmt.Errorf("people by the beginning of an id: %w", err)
		}
		found = append(found, one...)
	}
	var exact []string
	var at []int64 // of each of exact among words
	for i, w := range words {
		if !w.idPrefix() {
			exact, at = append(exact, w.id), append(at, int64(i))
		}
	}
	if len(exact) > 0 { // one statement for all: most words are names
		same, err := query[row](ctx, tx, `SELECT w.word, CAST(array_agg(DISTINCT x.user_id) AS text) AS ids
			FROM unnest((SELECT CAST(@ids AS text[])), (SELECT CAST(@words AS bigint[]))) AS w(id, word) CROSS JOIN LATERAL ( -- as askedIDs
			(SELECT user_id FROM identities  WHERE district_id = @district AND kind IN ('clever', 'legacy') AND value = w.id)
			UNION ALL
			(SELECT user_id FROM role_grants WHERE district_id = @district AND sis_key <> '' AND sis_key = w.id LIMIT @max)
			UNION ALL
			(SELECT user_id FROM role_grants WHERE district_id = @district AND number_key <> '' AND number_key = w.id LIMIT @max)
			UNION ALL
			(SELECT m.merged_into FROM users m JOIN identities i ON i.district_id = m.district_id AND i.user_id = m.id
			  WHERE m.district_id = @district AND m.merged_into IS NOT NULL AND i.kind IN ('clever', 'legacy') AND i.value = w.id LIMIT @max)
			) x GROUP BY w.word`,
			map[string]any{"district": tx.actor.District, "ids": textArray(exact), "words": idArray(at), "max": maxIDHits})
		if err != nil {
			return fmt.Errorf("people by id: %w", err)
		}
		found = append(found, same...)
	}
	for _, r := range found {
		words[r.Word].ids = r.IDs
	}
	return nil
}

// args adds the word's parameters under its number.
func (w searchWord) args(i int, to map[string]any) {
	n := strconv.Itoa(i)
	for j, name := range w.names {
		pattern := "%" + likeEscape(name) + "%"
		if utf8.RuneCountInString(name) < trigram {
			pattern = "% " + likeEscape(name) + "%" // only at the start of a word
		}
		to["word"+n+"_"+strconv.Itoa(j)] = pattern
		if w.probes != nil && w.probes[j] != name {
			to["probe"+n+"_"+strconv.Itoa(j)] = "%" + likeEscape(w.probes[j]) + "%"
		}
	}
	to["schools"+n], to["ids"+n] = idArray(w.schools), w.ids
}

// predicate is true of a person, over user_search s, whom the word matches.
func (w searchWord) predicate(i int) string {
	n := strconv.Itoa(i)
	names := make([]string, len(w.names))
	for j := range w.names {
		at := n + "_" + strconv.Itoa(j)
		if w.probes != nil && w.probes[j] != w.names[j] {
			names[j] = "s.doc LIKE @probe" + at + " AND (s.doc || '') LIKE @word" + at // the index does not see the second
		} else {
			names[j] = "s.doc LIKE @word" + at
		}
	}
	parts := []string{strings.Join(names, " AND ")}
	if len(w.schools) > 0 {
		parts = append(parts, "s.school_ids && CAST(@schools"+n+" AS bigint[])")
	}
	if w.ids != "" {
		parts = append(parts, "s.user_id = ANY(CAST(@ids"+n+" AS bigint[]))")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// trigram is how many letters the index of docs goes by at once.
const trigram = 3

// sampled is how many docs are looked at for what is in most of them.
const sampled = 64

// probe chooses what the index is asked for in place of whole names. Its time grows with the trigrams that have to be
// brought together, and most with those that nearly everybody has, as of the district's own mail domain: "kestrelvalley"
// made every search for a Valentina slow. So a probe has no trigram that is in half of a sample, and of several names
// only a few letters each: together they leave few rows whose docs have to be read.
func (q *userQuery) probe(ctx context.Context) error {
	names := 0
	for _, w := range q.words {
		names += len(w.names)
	}
	docs, err := scan[struct {
		Doc   string
		Alone bool
	}](ctx, q.tx, `SELECT s.doc, coalesce((SELECT 2 * h.people > (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'user_search'::regclass)
			FROM head_counts h WHERE h.district_id = @district AND h.school_id = 0 AND h.role = ''), false) AS alone
		FROM user_search s WHERE s.district_id = @district ORDER BY s.name_key, s.user_id LIMIT `+strconv.Itoa(sampled),
		map[string]any{"district": q.tx.actor.District})
	if err != nil {
		return fmt.Errorf("sample of docs: %w", err)
	}
	q.alone = len(docs) > 0 && docs[0].Alone
	common := func(gram string) bool {
		n := 0
		for _, d := range docs {
			if strings.Contains(d.Doc, gram) {
				n++
			}
		}
		return 2*n > len(docs)
	}
	letters := math.MaxInt
	if names > 1 {
		letters = trigram + 1
	}
	for i := range q.words {
		w := &q.words[i]
		w.probes = make([]string, len(w.names))
		for j, name := range w.names {
			w.probes[j] = probeOf(name, letters, common)
		}
		w.args(i, q.args)
	}
	return nil
}

// probeOf is the first so many letters of the longest part of a name that has no common trigram, or the whole name where
// every part has one.
func probeOf(name string, letters int, common func(gram string) bool) string {
	runes := []rune(name)
	if len(runes) <= trigram {
		return name
	}
	var best []rune
	from := 0
	for i := 0; i+trigram <= len(runes); i++ {
		if common(string(runes[i : i+trigram])) {
			from = i + 1
		} else if part := runes[from : i+trigram]; len(part) > len(best) {
			best = part
		}
	}
	if len(best) == 0 {
		return name
	}
	return string(best[:min(len(best), letters)])
}

// likeEscape makes % and _ stand for themselves.
func likeEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// pin puts people whose id or email is exactly the search at the top of the first page.
func (q *userQuery) pin(ctx context.Context, rows []UserRow) ([]UserRow, error) {
	text := idKey(q.f.Q)
	if text == "" || q.from != nil || strings.Contains(text, " ") && !strings.ContainsAny(text, "0123456789") { // names
		return rows, nil
	}
	q.args["exact"], q.args["email"] = text, key(strings.ToValidUTF8(q.f.Q, ""))
	q.args["raw"] = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(q.f.Q, ""), "\x00", ""))
	q.args["number"] = int64(-1)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		q.args["number"] = n
	}
	pinned, err := q.find(ctx, fmt.Sprintf(`hits AS MATERIALIZED (
		  SELECT coalesce(u.merged_into, u.id) AS user_id FROM users u WHERE u.district_id = @district AND u.id IN (
		  SELECT user_id FROM identities  WHERE district_id = @district AND kind IN ('clever', 'legacy') AND value IN (@exact, @raw)
		  UNION SELECT user_id FROM role_grants WHERE district_id = @district AND sis_key <> '' AND sis_key = @exact
		  UNION SELECT user_id FROM role_grants WHERE district_id = @district AND number_key <> '' AND number_key = @exact
		  UNION (SELECT id FROM users WHERE district_id = @district AND email_key = @email AND email_key <> '' ORDER BY id LIMIT 10)
		  UNION SELECT id FROM users WHERE district_id = @district AND id = @number)),
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
