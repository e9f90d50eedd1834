package models

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hallpass/access"
)

// OverridesEnding is how soon an override ends that ends soon.
const OverridesEnding = 14 * 24 * time.Hour

// maxFlagged bounds the standing overrides that are looked at where a flag is asked for: flags are computed, not
// stored. Beyond it, counts say "at least".
const maxFlagged = 5000

// Which overrides a list shows by whether they stand.
const (
	OverridesStanding = ""
	OverridesEnded    = "ended"
	OverridesAny      = "any"
)

// OverrideFilter says which overrides, from where. Zero fields do not narrow the list.
type OverrideFilter struct {
	Q          string // words, all of them in the person's name or email
	Permission access.Permission
	School     int64  // about that school or a section in it
	Status     string // OverridesStanding, OverridesEnded or OverridesAny
	Ending     bool   // within OverridesEnding
	NoEnd      bool
	Locked     bool
	Flag       string // redundant, contradicted, orphaned, or stale: any of them
	After      string // cursors: the page after, or before, an override
	Before     string
	Limit      int // 0 is 50
}

// OverrideRow is an override as a list shows it.
type OverrideRow struct {
	Override
	First, Middle, Last string
	School              string
	Section, Period     string
	Term                string
	By                  string
	Flags               OverrideFlag `gorm:"-"`
}

// OverrideList is one page of overrides, the newest first.
type OverrideList struct {
	Rows    []OverrideRow
	Count   int
	AtLeast bool
	Next    string
	Prev    string
}

var overrideSort = userSort{name: "override", column: "id", kind: "text"}

func overrideCursor(o Override) string { return cursor{Sort: overrideSort.name, ID: o.ID}.String() }

// where is the filter in SQL, but for its flag and its place in the list.
func (f OverrideFilter) where(tx *Tx) (sql string, args map[string]any) {
	args = map[string]any{"district": tx.actor.District, "now": tx.now, "soon": tx.now.Add(OverridesEnding)}
	conditions := []string{"o.district_id = @district"}
	add := func(condition string) { conditions = append(conditions, condition) }
	if f.Flag != "" {
		f.Status = OverridesStanding // only what stands has flags
	}
	switch f.Status {
	case OverridesStanding:
		add("o.ended_at IS NULL AND (o.ends_at IS NULL OR o.ends_at > @now)")
	case OverridesEnded:
		add("(o.ended_at IS NOT NULL OR o.ends_at <= @now)")
	}
	if f.Permission != "" {
		add("o.permission = @permission")
		args["permission"] = string(f.Permission)
	}
	if f.School != 0 {
		add("o.school_id = @school")
		args["school"] = f.School
	}
	if f.Ending {
		add("o.ends_at > @now AND o.ends_at <= @soon")
	}
	if f.NoEnd {
		add("o.end_kind = 'none'")
	}
	if f.Locked {
		add("o.locked")
	}
	words := strings.Fields(Fold(strings.ToValidUTF8(f.Q, "")))
	for i, word := range words[:min(len(words), maxWords)] {
		name := fmt.Sprintf("word%d", i)
		add("strpos(u.name_key || ' ' || u.email_key, @" + name + ") > 0")
		args[name] = word
	}
	return strings.Join(conditions, " AND "), args
}

const overrideRows = `SELECT o.*, u.first_name AS first, u.middle_name AS middle, u.last_name AS last, coalesce(h.name, '') AS school,
	       coalesce(s.name, '') AS section, coalesce(s.period, '') AS period, coalesce(t.name, '') AS term,
	       concat_ws(' ', nullif(c.first_name, ''), nullif(c.middle_name, ''), c.last_name) AS by
	  FROM overrides o
	  JOIN users u ON u.district_id = o.district_id AND u.id = o.user_id
	  JOIN users c ON c.district_id = o.district_id AND c.id = o.created_by
	  LEFT JOIN schools h  ON h.district_id = o.district_id AND h.id = o.school_id
	  LEFT JOIN sections s ON s.district_id = o.district_id AND s.id = o.section_id
	  LEFT JOIN terms t    ON t.district_id = o.district_id AND t.id = o.end_term_id
	 WHERE `

// Overrides lists overrides, the newest first, each with its flags. ErrBadCursor: After or Before are not of this list.
func (tx *Tx) Overrides(ctx context.Context, policy *access.Policy, f OverrideFilter) (OverrideList, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	from, back := f.After, f.Before != "" && f.After == ""
	if back {
		from = f.Before
	}
	var at cursor
	if from != "" {
		var err error
		if at, err = overrideSort.parse(from); err != nil {
			return OverrideList{}, err
		}
	}
	if f.Flag != "" {
		return tx.flaggedOverrides(ctx, policy, f, at.ID, back)
	}
	where, args := f.where(tx)
	type count struct{ N int }
	counted, err := scan[count](ctx, tx, fmt.Sprintf(`SELECT count(*) AS n FROM (SELECT FROM overrides o JOIN users u ON u.district_id = o.district_id AND u.id = o.user_id
		WHERE %s LIMIT %d) x`, where, countBound+1), args)
	if err != nil {
		return OverrideList{}, fmt.Errorf("count overrides: %w", err)
	}
	order := "DESC"
	if from != "" {
		args["at"] = at.ID
		if back {
			where += " AND o.id > @at"
			order = "ASC"
		} else {
			where += " AND o.id < @at"
		}
	}
	rows, err := scan[OverrideRow](ctx, tx, fmt.Sprintf("%s%s ORDER BY o.id %s LIMIT %d", overrideRows, where, order, f.Limit+1), args)
	if err != nil {
		return OverrideList{}, fmt.Errorf("overrides: %w", err)
	}
	list := pageOfOverrides(rows, f.Limit, from != "", back)
	list.Count, list.AtLeast = min(counted[0].N, countBound), counted[0].N > countBound
	return list, tx.FlagOverrides(ctx, policy, list.Rows)
}

func pageOfOverrides(rows []OverrideRow, limit int, from, back bool) (list OverrideList) {
	page, before, after, _ := cutRows(rows, limit, from, back)
	list.Rows = page
	if before {
		list.Prev = overrideCursor(page[0].Override)
	}
	if after {
		list.Next = overrideCursor(page[len(page)-1].Override)
	}
	return list
}

// userOverrides are one person's, standing ones first and then the latest.
const userOverrides = overrideRows + `o.district_id = @district AND o.user_id = @user
	ORDER BY o.ended_at IS NOT NULL OR coalesce(o.ends_at <= @now, false), o.id DESC LIMIT 500`

// FlagOverrides sets the flags of rows, in one round trip for all of them.
func (tx *Tx) FlagOverrides(ctx context.Context, policy *access.Policy, rows []OverrideRow) error {
	list := make([]Override, len(rows))
	for i, r := range rows {
		list[i] = r.Override
	}
	flags, err := tx.OverrideFlags(ctx, policy, list)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Flags = flags[rows[i].ID]
	}
	return nil
}

// has reports whether a flag is the one that is asked for.
func (f OverrideFlag) has(asked string) bool {
	return asked == "stale" && f.Any() || slices.Contains(f.Words(), asked)
}

// flaggedOverrides is Overrides by a flag: what stands is read, flagged, and cut into pages.
func (tx *Tx) flaggedOverrides(ctx context.Context, policy *access.Policy, f OverrideFilter, at int64, back bool) (OverrideList, error) {
	where, args := f.where(tx)
	rows, err := scan[OverrideRow](ctx, tx, fmt.Sprintf("%s%s ORDER BY o.id DESC LIMIT %d", overrideRows, where, maxFlagged+1), args)
	if err != nil {
		return OverrideList{}, fmt.Errorf("overrides by flag: %w", err)
	}
	more := len(rows) > maxFlagged
	rows = rows[:min(len(rows), maxFlagged)]
	if err := tx.FlagOverrides(ctx, policy, rows); err != nil {
		return OverrideList{}, err
	}
	rows = slices.DeleteFunc(rows, func(r OverrideRow) bool { return !r.Flags.has(f.Flag) })
	count := len(rows)
	if at != 0 {
		if back {
			rows = slices.DeleteFunc(rows, func(r OverrideRow) bool { return r.ID <= at })
			slices.Reverse(rows)
		} else {
			rows = slices.DeleteFunc(rows, func(r OverrideRow) bool { return r.ID >= at })
		}
	}
	list := pageOfOverrides(rows[:min(len(rows), f.Limit+1)], f.Limit, at != 0, back)
	list.Count, list.AtLeast = count, more
	return list, nil
}

// OverrideNeeds is what of the district's overrides needs somebody.
type OverrideNeeds struct {
	Ending  int // within OverridesEnding
	Stale   int // redundant, contradicted or orphaned
	AtLeast bool
}

// OverrideNeeds counts it.
func (tx *Tx) OverrideNeeds(ctx context.Context, policy *access.Policy) (n OverrideNeeds, err error) {
	where, args := OverrideFilter{}.where(tx)
	list, err := scan[Override](ctx, tx, fmt.Sprintf(`SELECT o.* FROM overrides o WHERE %s ORDER BY o.id DESC LIMIT %d`, where, maxFlagged+1), args)
	if err != nil {
		return n, fmt.Errorf("overrides that need somebody: %w", err)
	}
	n.AtLeast = len(list) > maxFlagged
	flags, err := tx.OverrideFlags(ctx, policy, list)
	if err != nil {
		return n, err
	}
	for _, o := range list {
		if o.EndsAt != nil && !o.EndsAt.After(tx.now.Add(OverridesEnding)) {
			n.Ending++
		}
		if flags[o.ID].Any() {
			n.Stale++
		}
	}
	return n, nil
}
