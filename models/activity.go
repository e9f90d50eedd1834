package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"hallpass/access"
	"hallpass/audit"
)

// ActivityFilter narrows the district's audit. Zero fields narrow nothing.
type ActivityFilter struct {
	Actor    int64          // by this person
	Program  bool           // by the program itself
	Subjects []string       // about any of these, each as kind:id
	Actions  []audit.Action // any of these
	View     access.View    // while this view was worn
	From     time.Time      // at or after
	Until    time.Time      // before

	After, Before int64 // keyset: older than one entry, or newer
	Limit         int   // 0 means 50
}

// ActivityRow is one audit entry with what became of the change it tells of.
type ActivityRow struct {
	AuditEntry
	Change   int64 // number of its receipt; 0: none
	Undoes   int64 // number of the change that this one undid
	UndoneBy int64 // number of the change that undid this one
}

// Activity is a page of the audit, the newest entry first.
type Activity struct {
	Rows         []ActivityRow
	Newer, Older bool // entries lie on that side of the page
}

// maxSkew bounds how far the order of numbers and that of times may differ: an entry carries the moment its transaction
// began, and its number from when it was written.
const maxSkew = 1000

// Activity reads a page of the district's audit. Its cost does not grow with the number of entries: each filter has an
// index that ends in the number, and dates are turned into numbers first.
func (tx *Tx) Activity(ctx context.Context, f ActivityFilter) (Activity, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	sql, args := tx.activityQuery(f)
	rows, err := scan[ActivityRow](ctx, tx, sql, args)
	if err != nil {
		return Activity{}, fmt.Errorf("activity: %w", err)
	}
	var list Activity
	list.Rows, list.Newer, list.Older, _ = cutRows(rows, f.Limit, f.After > 0, f.back())
	return list, tx.addChanges(ctx, list.Rows)
}

// back says that the page is read towards the newest entry.
func (f ActivityFilter) back() bool { return f.Before > 0 && f.After <= 0 }

func (tx *Tx) activityQuery(f ActivityFilter) (sql string, args map[string]any) {
	args = map[string]any{"district": tx.actor.District, "limit": f.Limit + 1, "after": f.After, "before": f.Before, "skew": maxSkew}
	where, order := "e.district_id = @district", " ORDER BY e.id DESC LIMIT @limit"
	and := func(condition, name string, value any) {
		where += " AND " + condition
		if name != "" {
			args[name] = value
		}
	}
	switch {
	case f.back():
		and("e.id > @before", "", nil)
		order = " ORDER BY e.id LIMIT @limit"
	case f.After > 0:
		and("e.id < @after", "", nil)
	}
	if f.Actor != 0 {
		and("e.actor_id = @actor", "actor", f.Actor)
	}
	if f.Program {
		and("e.actor_id IS NULL", "", nil)
	}
	if f.View != "" {
		and("e.view = @view", "view", string(f.View))
	}
	if !f.From.IsZero() {
		and(`e.at >= @from AND e.id >= coalesce((SELECT id FROM audit_entries WHERE district_id = @district AND at < @from ORDER BY at DESC LIMIT 1), 0) - @skew`, "from", f.From)
	}
	if !f.Until.IsZero() {
		and(`e.at < @until AND e.id <= coalesce((SELECT id FROM audit_entries WHERE district_id = @district AND at >= @until ORDER BY at LIMIT 1), 1::bigint << 62) + @skew`, "until", f.Until)
	}
	const columns = "SELECT e.id, e.at, e.actor_id, e.actor, e.view, e.action, e.subject, e.data, e.request_id FROM audit_entries e WHERE "
	names := make([]string, len(f.Actions))
	for i, a := range f.Actions {
		names[i] = string(a)
	}
	args["actions"], args["subjects"] = names, f.Subjects
	// What is rare lies far apart among millions of sign-ins, so each subject or action is looked up by its own index:
	// the order by it first makes no difference to its rows, and leaves no other index.
	of := ""
	switch {
	case len(f.Subjects) > 0:
		of = "subject"
		if len(names) > 0 {
			where += " AND e.action = ANY(@actions)"
		}
	case len(names) > 0:
		of = "action"
	default:
		return columns + where + order, args
	}
	each := " ORDER BY e." + of + " DESC, e.id DESC LIMIT @limit"
	if f.back() {
		each = " ORDER BY e." + of + ", e.id LIMIT @limit"
	}
	return "SELECT e.* FROM unnest(@" + of + "s::text[]) w(wanted), LATERAL (" + columns + where + " AND e." + of + " >= w.wanted AND e." + of + " <= w.wanted" + each + ") e" + order, args
}

// maxSubjects bounds what a person's activity is gathered from.
const maxSubjects = 500

// SubjectsOf lists all that the audit may call by name when it speaks of a person: the person, their overrides, alone
// and together with others, and their roles by hand, the latest first.
func (tx *Tx) SubjectsOf(ctx context.Context, user int64) ([]string, error) {
	rows, err := query[struct{ Subject string }](ctx, tx, `SELECT 'user:' || ?::bigint AS subject UNION ALL
		(SELECT 'override:' || id FROM overrides WHERE district_id = ? AND user_id = ? ORDER BY id DESC LIMIT ?) UNION ALL
		(SELECT c.subject FROM changes c WHERE c.district_id = ? AND c.subject LIKE 'overrides:%' AND EXISTS (SELECT FROM overrides o
		  WHERE o.district_id = c.district_id AND o.user_id = ? AND c.after @> jsonb_build_object('overrides', jsonb_build_array(jsonb_build_object('override', o.id))))
		  ORDER BY c.id DESC LIMIT ?) UNION ALL
		(SELECT 'grant:' || id FROM role_grants WHERE district_id = ? AND user_id = ? AND source = 'manual' ORDER BY id DESC LIMIT ?)`,
		user, tx.actor.District, user, maxSubjects, tx.actor.District, user, maxSubjects, tx.actor.District, user, maxSubjects)
	if err != nil {
		return nil, fmt.Errorf("subjects of user %d: %w", user, err)
	}
	subjects := make([]string, len(rows))
	for i, r := range rows {
		subjects[i] = r.Subject
	}
	return subjects, nil
}

// OverridesByID reads some overrides, ended or not.
func (tx *Tx) OverridesByID(ctx context.Context, ids []int64) (map[int64]Override, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := query[Override](ctx, tx, `SELECT * FROM overrides WHERE district_id = ? AND id = ANY(?::bigint[])`, tx.actor.District, idArray(ids))
	if err != nil {
		return nil, fmt.Errorf("some overrides: %w", err)
	}
	found := make(map[int64]Override, len(rows))
	for _, o := range rows {
		found[o.ID] = o
	}
	return found, nil
}

// GrantHolders reads whose some role grants are, by the grant's id.
func (tx *Tx) GrantHolders(ctx context.Context, ids []int64) (map[int64]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := query[struct{ ID, UserID int64 }](ctx, tx, `SELECT id, user_id FROM role_grants WHERE district_id = ? AND id = ANY(?::bigint[])`, tx.actor.District, idArray(ids))
	if err != nil {
		return nil, fmt.Errorf("holders of roles: %w", err)
	}
	holders := make(map[int64]int64, len(rows))
	for _, r := range rows {
		holders[r.ID] = r.UserID
	}
	return holders, nil
}

// ActivityEntry reads one entry by its number.
func (tx *Tx) ActivityEntry(ctx context.Context, id int64) (ActivityRow, error) {
	row, err := one[AuditEntry](ctx, tx, `SELECT * FROM audit_entries WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return ActivityRow{}, fmt.Errorf("audit entry %d: %w", id, err)
	}
	rows := []ActivityRow{{AuditEntry: row}}
	err = tx.addChanges(ctx, rows)
	return rows[0], err
}

// addChanges looks up which of the entries tell of a change, and whether it stands.
func (tx *Tx) addChanges(ctx context.Context, rows []ActivityRow) error {
	var numbers []int64
	for i := range rows {
		var told struct{ Change, Undoes int64 }
		if err := json.Unmarshal(rows[i].Data, &told); err != nil {
			if _, other := errors.AsType[*json.UnmarshalTypeError](err); !other { // another action's word for something else
				return fmt.Errorf("audit entry %d: %w", rows[i].ID, err)
			}
		}
		rows[i].Change, rows[i].Undoes = told.Change, told.Undoes
		if told.Change > 0 {
			numbers = append(numbers, told.Change)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	undone, err := query[struct{ ID, Undoes int64 }](ctx, tx, `SELECT id, undoes FROM changes WHERE district_id = ? AND undoes = ANY(?::bigint[])`, tx.actor.District, idArray(numbers))
	if err != nil {
		return fmt.Errorf("undone changes: %w", err)
	}
	for _, u := range undone {
		for i := range rows {
			if rows[i].Change == u.Undoes {
				rows[i].UndoneBy = u.ID
			}
		}
	}
	return nil
}

// EntryCursor reads the number of an entry from an address. ErrBadCursor: it is none.
func EntryCursor(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, ErrBadCursor
	}
	return id, nil
}
