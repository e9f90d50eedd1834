package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DuplicateReader says which suggestions somebody may decide: those whose people all work where they may, and never
// one that is about themselves.
type DuplicateReader struct {
	User     int64
	District bool
	Schools  []int64
}

// mayDecide limits s to what the reader may decide; @me, @everywhere and @schools are theirs.
const mayDecide = `(CAST(@everywhere AS boolean) OR s.school_ids <> '{}' AND s.school_ids <@ CAST(@schools AS bigint[]))
	AND s.id <> ALL (ARRAY(SELECT me.suggestion_id FROM suggestion_members me WHERE me.district_id = @district AND me.user_id = @me))` // their own, found once

func (tx *Tx) readerArgs(r DuplicateReader) map[string]any {
	return map[string]any{"district": tx.actor.District, "me": r.User, "everywhere": r.District, "schools": r.Schools}
}

// SuggestionCounts are how many suggestions wait for a reader, by list; Others wait for somebody else.
type SuggestionCounts struct{ Split, A, B, C, Parked, Others int }

// Waiting is all that the reader has to decide.
func (c SuggestionCounts) Waiting() int { return c.Split + c.A + c.B + c.C }

// SuggestionCounts counts what waits.
func (tx *Tx) SuggestionCounts(ctx context.Context, r DuplicateReader) (SuggestionCounts, error) {
	var c SuggestionCounts
	rows, err := scan[suggestionCount](ctx, tx, countsQuery(r), tx.readerArgs(r))
	if err != nil {
		return c, fmt.Errorf("count suggestions: %w", err)
	}
	for _, n := range rows {
		c.Others += n.Others
		switch {
		case n.Unsure:
			c.Parked += n.Mine
		case n.Kind == SuggestSplit:
			c.Split += n.Mine
		case n.Class == "A":
			c.A += n.Mine
		case n.Class == "B":
			c.B += n.Mine
		case n.Class == "C":
			c.C += n.Mine
		}
	}
	return c, nil
}

// suggestionCount is one of the counts of one list; those of a list add up.
type suggestionCount struct {
	Kind, Class  string
	Unsure       bool
	Mine, Others int
}

// countsQuery counts by list. All but their own are for those of the whole district: an index holds no more than what
// a list is called, and the queue is not gone through. For others every case must be looked at.
func countsQuery(r DuplicateReader) string {
	if !r.District {
		return `SELECT kind, class, unsure, count(*) FILTER (WHERE mine) AS mine, count(*) FILTER (WHERE NOT mine) AS others
		  FROM (SELECT s.kind, s.class, s.unsure, ` + mayDecide + ` AS mine FROM suggestions s WHERE s.district_id = @district OFFSET 0) s GROUP BY 1, 2, 3` // whose it is, once for each
	}
	return `SELECT s.kind, s.class, s.unsure, count(*) AS mine, 0 AS others FROM suggestions s WHERE s.district_id = @district GROUP BY 1, 2, 3
		UNION ALL SELECT s.kind, s.class, s.unsure, -1, 1 FROM suggestion_members me JOIN suggestions s ON s.district_id = me.district_id AND s.id = me.suggestion_id
		WHERE me.district_id = @district AND me.user_id = @me`
}

// SuggestionFilter is one list of the queue and a place in it.
type SuggestionFilter struct {
	Kind, Class   string
	Parked        bool // those that somebody was not sure of, of any kind and class
	After, Before string
	Limit         int // 0 is 50
}

// SuggestionRow is a suggestion with its members, whom to keep first.
type SuggestionRow struct {
	Suggestion
	TakenName string
	Members   []SuggestionMember `gorm:"-"`
}

// SuggestionMember is a member as a list shows one.
type SuggestionMember struct {
	UserRow
	CleverID   string
	MergedInto *int64
	Imported   []ImportedAs
}

// ImportedAs is one account of the app's own file.
type ImportedAs struct {
	UserID     int64
	Role       string
	LegacyID   string
	AppID      string
	Schools    string // by name, or as the file has those that are not known, a line for each
	LastUsedAt *time.Time
}

// SuggestionList is one page of a list, ordered by risk and then by certainty.
type SuggestionList struct {
	Rows       []SuggestionRow
	Next, Prev string
}

// Suggestions reads one page of what a reader may decide. ErrBadCursor: After or Before are not of this list.
func (tx *Tx) Suggestions(ctx context.Context, r DuplicateReader, f SuggestionFilter) (SuggestionList, error) {
	var list SuggestionList
	if f.Limit <= 0 {
		f.Limit = listLimit
	}
	sql, args, err := tx.suggestionsQuery(r, f)
	if err != nil {
		return list, err
	}
	rows, err := scan[SuggestionRow](ctx, tx, sql, args)
	if err != nil {
		return list, fmt.Errorf("list suggestions: %w", err)
	}
	rows, before, after, _ := cutRows(rows, f.Limit, f.After+f.Before != "", f.back())
	list.Rows = rows
	if before {
		list.Prev = rows[0].cursor()
	}
	if after {
		list.Next = rows[len(rows)-1].cursor()
	}
	return list, tx.addMembers(ctx, list.Rows)
}

// back says that a page is asked for from its end.
func (f SuggestionFilter) back() bool { return f.Before != "" && f.After == "" }

// suggestionsQuery is one page and one row more.
func (tx *Tx) suggestionsQuery(r DuplicateReader, f SuggestionFilter) (sql string, args map[string]any, err error) {
	args = tx.readerArgs(r)
	where := mayDecide
	if f.Parked {
		where += ` AND s.unsure`
	} else {
		where += ` AND NOT s.unsure AND s.kind = @kind AND s.class = @class`
		args["kind"], args["class"] = f.Kind, f.Class
	}
	order, than := `s.risk DESC, s.tenths DESC, s.id`, `<`
	if f.back() {
		order, than = `s.risk, s.tenths, s.id DESC`, `>`
	}
	from := f.After + f.Before
	if f.After != "" {
		from = f.After
	}
	if from != "" {
		risk, tenths, id, err := suggestionPlace(from)
		if err != nil {
			return "", nil, err
		}
		// The first comparison is one that the index begins at.
		where += ` AND (s.risk, s.tenths) ` + than + `= (@risk, @tenths) AND (s.risk, s.tenths, -s.id) ` + than + ` (@risk, @tenths, -CAST(@id AS bigint))`
		args["risk"], args["tenths"], args["id"] = risk, tenths, id
	}
	return suggestionColumns + ` WHERE s.district_id = @district AND ` + where + ` ORDER BY ` + order + ` LIMIT ` + strconv.Itoa(f.Limit+1), args, nil
}

const suggestionColumns = `SELECT s.district_id, s.id, s.kind, s.class, s.fingerprint, s.keep_id, s.tenths, s.chance, s.risk, s.bulk, s.unsure, s.returned,
	       s.school_ids::text AS school_ids, s.evidence, s.taken_by, s.taken_at, s.created_at, s.changed_at,
	       coalesce(concat_ws(' ', nullif(t.first_name, ''), nullif(t.middle_name, ''), t.last_name), '') AS taken_name
	  FROM suggestions s LEFT JOIN users t ON t.district_id = s.district_id AND t.id = s.taken_by`

func (s Suggestion) cursor() string {
	return cursor{Sort: "risk", Key: fmt.Sprintf("%d.%d", s.Risk, s.Tenths), ID: s.ID}.String()
}

func suggestionPlace(text string) (risk, tenths int, id int64, err error) {
	c, err := userSort{name: "risk"}.parse(text)
	if err != nil {
		return 0, 0, 0, err
	}
	if n, err := fmt.Sscanf(c.Key, "%d.%d", &risk, &tenths); n != 2 || err != nil || risk < -32768 || risk > 32767 || tenths != int(int32(tenths)) || c.ID <= 0 {
		return 0, 0, 0, ErrBadCursor
	}
	return risk, tenths, c.ID, nil
}

// Suggestion reads one that a reader may decide. ErrNotFound: there is none, or it is for somebody else.
func (tx *Tx) Suggestion(ctx context.Context, r DuplicateReader, id int64) (SuggestionRow, error) {
	args := tx.readerArgs(r)
	args["id"] = id
	rows, err := scan[SuggestionRow](ctx, tx, suggestionColumns+` WHERE s.district_id = @district AND s.id = @id AND `+mayDecide, args)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return SuggestionRow{}, fmt.Errorf("suggestion %d: %w", id, err)
	}
	return rows[0], tx.addMembers(ctx, rows)
}

// addMembers reads the members of a page of suggestions in three queries.
func (tx *Tx) addMembers(ctx context.Context, rows []SuggestionRow) error {
	if len(rows) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("members of suggestions: %w", err) }
	ids := make([]int64, len(rows))
	at := map[int64]*SuggestionRow{}
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	type memberRow struct {
		SuggestionID                    int64
		ID                              int64
		FirstName, MiddleName, LastName string
		Email, CleverID                 string
		EndedAt                         *time.Time
		MergedInto                      *int64
	}
	members, err := scan[memberRow](ctx, tx, `
		SELECT m.suggestion_id, u.id, u.first_name, u.middle_name, u.last_name, u.email, coalesce(u.clever_id, '') AS clever_id, u.ended_at, u.merged_into
		  FROM suggestion_members m JOIN users u ON u.district_id = m.district_id AND u.id = m.user_id
		  JOIN suggestions s ON s.district_id = m.district_id AND s.id = m.suggestion_id
		 WHERE m.district_id = @district AND m.suggestion_id = ANY(CAST(@ids AS bigint[]))
		 ORDER BY m.suggestion_id, u.id <> s.keep_id, u.id`, map[string]any{"district": tx.actor.District, "ids": ids})
	if err != nil {
		return fail(err)
	}
	people := make([]UserRow, 0, len(members))
	seen := map[int64]int{}
	var who []int64
	for _, m := range members {
		if _, ok := seen[m.ID]; !ok {
			seen[m.ID] = len(people)
			who = append(who, m.ID)
			people = append(people, UserRow{ID: m.ID, First: m.FirstName, Middle: m.MiddleName, Last: m.LastName, Email: m.Email, EndedAt: m.EndedAt})
		}
	}
	if err := tx.addRowGrants(ctx, people); err != nil {
		return err
	}
	imported, err := tx.ImportedAs(ctx, who)
	if err != nil {
		return err
	}
	for _, m := range members {
		s := at[m.SuggestionID]
		s.Members = append(s.Members, SuggestionMember{UserRow: people[seen[m.ID]], CleverID: m.CleverID, MergedInto: m.MergedInto, Imported: imported[m.ID]})
	}
	return nil
}

// ImportedAs reads which accounts of the app's file are with some people.
func (tx *Tx) ImportedAs(ctx context.Context, users []int64) (map[int64][]ImportedAs, error) {
	rows, err := scan[ImportedAs](ctx, tx, `SELECT a.user_id, a.role, a.legacy_id, a.app_id, a.last_used_at,
		coalesce((SELECT string_agg(h.name, chr(10) ORDER BY h.name_key, h.id) FROM schools h WHERE h.district_id = @district AND h.id = ANY(a.school_ids)), array_to_string(a.schools, chr(10))) AS schools
		FROM imported_accounts a WHERE a.district_id = @district AND a.user_id = ANY(CAST(@ids AS bigint[])) ORDER BY a.user_id, a.role, a.id`,
		map[string]any{"district": tx.actor.District, "ids": users})
	if err != nil {
		return nil, fmt.Errorf("imported accounts of people: %w", err)
	}
	out := map[int64][]ImportedAs{}
	for _, r := range rows {
		out[r.UserID] = append(out[r.UserID], r)
	}
	return out, nil
}

// SchoolNames splits the schools of an imported account.
func (a ImportedAs) SchoolNames() []string {
	return strings.FieldsFunc(a.Schools, func(r rune) bool { return r == '\n' })
}

// SuggestionsWith finds the suggestions that have a person, and that a reader may decide, the surest first.
func (tx *Tx) SuggestionsWith(ctx context.Context, r DuplicateReader, user int64) ([]SuggestionRow, error) {
	args := tx.readerArgs(r)
	args["user"] = user
	rows, err := scan[SuggestionRow](ctx, tx, suggestionColumns+` WHERE s.district_id = @district AND `+mayDecide+`
		AND s.id IN (SELECT m.suggestion_id FROM suggestion_members m WHERE m.district_id = @district AND m.user_id = @user)
		ORDER BY s.class, s.tenths DESC, s.id LIMIT 10`, args)
	if err != nil {
		return nil, fmt.Errorf("suggestions with user %d: %w", user, err)
	}
	return rows, tx.addMembers(ctx, rows)
}

// SuggestionOf finds the suggestion of exactly these people. ErrNotFound: there is none.
func (tx *Tx) SuggestionOf(ctx context.Context, kind string, members []int64) (int64, error) {
	rows, err := scan[struct{ ID int64 }](ctx, tx, `SELECT s.id FROM suggestions s WHERE s.district_id = @district AND s.kind = @kind
		AND s.id IN (SELECT m.suggestion_id FROM suggestion_members m WHERE m.district_id = @district AND m.user_id = @first)
		AND (SELECT array_agg(m.user_id ORDER BY m.user_id) FROM suggestion_members m WHERE m.district_id = @district AND m.suggestion_id = s.id) = CAST(@members AS bigint[])`,
		map[string]any{"district": tx.actor.District, "kind": kind, "first": members[0], "members": members})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("suggestion of %d people: %w", len(members), err)
	}
	return rows[0].ID, nil
}

// TakeSuggestion notes that the actor is deciding a suggestion, whoever was before.
func (tx *Tx) TakeSuggestion(ctx context.Context, id int64) error {
	_, err := exec(ctx, tx, `UPDATE suggestions SET taken_by = ?, taken_at = ? WHERE district_id = ? AND id = ?`, tx.actor.User, tx.now, tx.actor.District, id)
	if err != nil {
		return fmt.Errorf("take suggestion %d: %w", id, err)
	}
	return nil
}

// NextSuggestion is the first of a list that nobody else has taken, but for some; 0 where there is none.
func (tx *Tx) NextSuggestion(ctx context.Context, r DuplicateReader, f SuggestionFilter, than int64) (int64, error) {
	from, err := tx.Suggestion(ctx, r, than)
	if err == nil {
		f.After = from.cursor()
	} else if !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	f.Limit = 1
	list, err := tx.Suggestions(ctx, r, f)
	if err != nil || len(list.Rows) == 0 {
		return 0, err
	}
	return list.Rows[0].ID, nil
}
