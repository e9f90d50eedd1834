package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hallpass/access"
	"hallpass/audit"
)

// ActivityFilter narrows the district's audit. Zero fields narrow nothing.
type ActivityFilter struct {
	Actor   int64          // by this person
	Program bool           // by the program itself
	Subject string         // about this, as kind:id
	Actions []audit.Action // any of these
	View    access.View    // while this view was worn
	From    time.Time      // at or after
	Until   time.Time      // before

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
	if f.Subject != "" {
		and("e.subject = @subject", "subject", f.Subject)
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
	if len(f.Actions) == 0 {
		return columns + where + order, args
	}
	names := make([]string, len(f.Actions))
	for i, a := range f.Actions {
		names[i] = string(a)
	}
	args["actions"] = names
	// Rare actions lie far apart among millions of sign-ins, so each is looked up by its own index: the order by action
	// first makes no difference to the rows, and leaves no other.
	each := strings.Replace(order, "e.id", "e.action DESC, e.id", 1)
	if f.back() {
		each = strings.Replace(order, "e.id", "e.action, e.id", 1)
	}
	return "SELECT e.* FROM unnest(@actions::text[]) a(action), LATERAL (" + columns + where + " AND e.action = a.action" + each + ") e" + order, args
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
