package models

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrBadCursor means that after or before did not come from a page of this list in this order.
var ErrBadCursor = errors.New("not a cursor of this list")

// userSort is an order of the people list: a column of users that an index holds together with the id.
type userSort struct {
	name   string // as in the query string, without the minus of descending
	column string
	kind   string // the column's SQL type, for the cursor's parameter
	desc   bool
}

// sortBy reads the sort of a query string. Anything unknown is the order by name, and reported.
func sortBy(s string) (userSort, bool) {
	name, desc := strings.CutPrefix(s, "-")
	switch name {
	case "", "name":
		return userSort{"name", "name_key", "text", desc}, true
	case "email":
		return userSort{"email", "email_key", "text", desc}, true
	case "changed":
		return userSort{"changed", "changed_at", "timestamptz", desc}, true
	}
	return userSort{"name", "name_key", "text", false}, false
}

// ValidSort reports whether the people list knows the order.
func ValidSort(s string) bool { _, ok := sortBy(s); return ok }

// cursor is the position of one row in one order: the row after it comes next.
type cursor struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ID   int64  `json:"i"`
}

func (s userSort) cursor(r userRecord) string {
	c := cursor{Sort: s.name, ID: r.ID}
	switch s.name {
	case "name":
		c.Key = r.NameKey
	case "email":
		c.Key = r.EmailKey
	case "changed":
		c.Key = r.ChangedAt.UTC().Format(time.RFC3339Nano)
	}
	return c.String()
}

func (c cursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // two strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// cutRows turns one row more than a page, read in the page's direction, into the page in list order, and says whether
// rows lie before and after it. from says that the page was read from a cursor, back that it was read towards the
// beginning. extra is the row that follows a page read forwards, where there is one.
func cutRows[T any](rows []T, limit int, from, back bool) (page []T, before, after bool, extra *T) {
	more := len(rows) > limit
	if more {
		if !back {
			extra = &rows[limit]
		}
		rows = rows[:limit]
	}
	if len(rows) == 0 {
		return nil, false, false, nil
	}
	if back {
		slices.Reverse(rows)
		return rows, more, true, nil
	}
	return rows, from, more, extra
}

// Paged is one page of a list, and whether rows lie before it and after it.
type Paged[T any] struct {
	Rows          []T
	Before, After bool
}

// paged is cutRows for lists whose pages begin after, or end before, a row that the reader names.
func paged[T any](rows []T, limit int, from, back bool) (p Paged[T]) {
	p.Rows, p.Before, p.After, _ = cutRows(rows, limit, from, back)
	return p
}

func (s userSort) parse(text string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) > 4*maxKey || json.Unmarshal(raw, &c) != nil || c.Sort != s.name || strings.ContainsRune(c.Key, 0) {
		return c, ErrBadCursor
	}
	if s.kind == "timestamptz" {
		at, err := time.Parse(time.RFC3339Nano, c.Key)
		if at = at.UTC(); err != nil || at.Year() < 1 || at.Year() > 9999 {
			return c, ErrBadCursor
		}
		c.Key = at.Format(time.RFC3339Nano) // Go reads offsets and commas that PostgreSQL does not
	}
	return c, nil
}
