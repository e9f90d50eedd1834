package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// BulkState is how far a batch of suggestions has come.
type BulkState string

// The states of a batch, in their order.
const (
	BulkPlanning BulkState = "planning" // each merge is planned; what must be read by a person is left out
	BulkSampling BulkState = "sampling" // somebody reads some of them
	BulkReady    BulkState = "ready"    // few enough can be wrong: the rest may be merged
	BulkRefused  BulkState = "refused"
	BulkDropped  BulkState = "dropped"
	BulkApplying BulkState = "applying"
	BulkAccepted BulkState = "accepted"
	BulkUndoing  BulkState = "undoing"
	BulkUndone   BulkState = "undone"
)

// Working reports that a job is at it.
func (s BulkState) Working() bool {
	return s == BulkPlanning || s == BulkApplying || s == BulkUndoing
}

// MaxBulk is how many suggestions one batch may have: a page that a person can look over.
const MaxBulk = 500

// Why a batch was refused.
const (
	BulkNone  = "none"  // nothing was left of it
	BulkFew   = "few"   // so few that reading all of them is as quick as reading the sample
	BulkWrong = "wrong" // too many of those drawn were wrong
)

// BulkAnswer is what somebody said of one of those drawn. The same one may be drawn twice, to measure the reader.
type BulkAnswer struct {
	N      int    `json:"n"`
	Answer string `json:"answer,omitempty"` // same or different
}

// Bulk is a batch of suggestions that somebody accepts together.
type Bulk struct {
	ID       int64
	Class    string
	State    BulkState
	Why      string
	Seed     int64
	Sample   []BulkAnswer
	Wrong    *int32 // the most that can be wrong at 95 %, in millionths; nil: not known
	View     string
	MadeBy   int64
	MadeAt   time.Time
	BeatAt   time.Time
	ClosedAt *time.Time
	UndoneBy *int64
	ChangeID *int64
	UndoID   *int64
}

// Subject is how the audit and changes speak of the batch.
func (b Bulk) Subject() string { return fmt.Sprintf("bulk:%d", b.ID) }

// The states of one suggestion of a batch.
const (
	ItemWaiting  = "waiting"
	ItemLeft     = "left" // for a person to read by itself
	ItemMerged   = "merged"
	ItemUnmerged = "unmerged"
	ItemKept     = "kept" // merged still, though the batch was taken back
)

// BulkItem is one suggestion of a batch.
type BulkItem struct {
	N           int
	CaseID      int64
	Fingerprint string
	Members     []int64
	KeepID      int64
	Plan        []byte
	Counts      BulkCounts
	State, Why  string
	MergeID     *int64
}

// BulkCounts is what one merge of a batch would do.
type BulkCounts struct {
	Rows     int `json:"rows,omitempty"`     // that move
	Accounts int `json:"accounts,omitempty"` // that fold or move
	Sessions int `json:"sessions,omitempty"` // that end
	More     int `json:"more,omitempty"`     // permissions at places that one of the members gains
	Less     int `json:"less,omitempty"`
}

// Add counts another merge in.
func (c *BulkCounts) Add(o BulkCounts) {
	c.Rows, c.Accounts, c.Sessions = c.Rows+o.Rows, c.Accounts+o.Accounts, c.Sessions+o.Sessions
	c.More, c.Less = c.More+o.More, c.Less+o.Less
}

// BulkOffer is what a reader could accept together.
type BulkOffer struct {
	Rows  []SuggestionRow // up to MaxBulk of them, the surest first
	All   int
	Left  []SuggestionRow // some of those that a person must read by themselves
	Alone int             // how many those are
}

const shownLeft = 25

// bulkOpen holds, in SQL, for suggestions s that nothing keeps from being accepted together.
const bulkOpen = `s.bulk AND NOT s.returned AND (s.taken_by IS NULL OR s.taken_by = @me)`

// BulkOffer reads the suggestions of a class that a reader may decide and that are at least so likely, in millionths.
func (tx *Tx) BulkOffer(ctx context.Context, r DuplicateReader, class string, least int) (o BulkOffer, err error) {
	args := tx.readerArgs(r)
	args["class"], args["least"] = class, least
	where := ` WHERE s.district_id = @district AND s.kind = 'merge' AND s.class = @class AND NOT s.unsure AND ` + mayDecide + ` AND `
	open := bulkOpen + ` AND s.chance >= @least`
	fail := func(err error) (BulkOffer, error) { return o, fmt.Errorf("offer of bulk: %w", err) }
	counts, err := scan[struct{ All, Alone int }](ctx, tx, `SELECT count(*) FILTER (WHERE `+open+`) AS all, count(*) FILTER (WHERE NOT (`+open+`)) AS alone FROM suggestions s`+where+`true`, args)
	if err != nil {
		return fail(err)
	}
	o.All, o.Alone = counts[0].All, counts[0].Alone
	if o.Rows, err = scan[SuggestionRow](ctx, tx, suggestionColumns+where+open+fmt.Sprintf(` ORDER BY s.tenths DESC, s.id LIMIT %d`, MaxBulk), args); err != nil {
		return fail(err)
	}
	if o.Left, err = scan[SuggestionRow](ctx, tx, suggestionColumns+where+`NOT (`+open+`)`+fmt.Sprintf(` ORDER BY s.tenths DESC, s.id LIMIT %d`, shownLeft), args); err != nil {
		return fail(err)
	}
	if err := tx.addMembers(ctx, o.Rows); err != nil {
		return fail(err)
	}
	return o, tx.addMembers(ctx, o.Left)
}

// StandsForBulk reports that a suggestion is still as it was listed, and that nothing keeps it from being accepted with
// others.
func (tx *Tx) StandsForBulk(ctx context.Context, i BulkItem) (bool, error) {
	rows, err := scan[struct{ ID int64 }](ctx, tx, `SELECT s.id FROM suggestions s WHERE s.district_id = @district AND s.id = @id AND s.fingerprint = @fingerprint AND NOT s.unsure AND `+bulkOpen,
		map[string]any{"district": tx.actor.District, "id": i.CaseID, "fingerprint": i.Fingerprint, "me": tx.actor.User})
	if err != nil {
		return false, fmt.Errorf("suggestion %d for bulk: %w", i.CaseID, err)
	}
	return len(rows) == 1, nil
}

// CreateBulk begins a batch.
func (tx *Tx) CreateBulk(ctx context.Context, class string, seed int64, items []BulkItem) (Bulk, error) {
	rows, err := scan[struct{ ID int64 }](ctx, tx, `INSERT INTO bulks (district_id, class, seed, sample, state, view, made_by, made_at, beat_at)
		VALUES (@district, @class, @seed, '[]', 'planning', @view, @by, @now, @now) RETURNING id`,
		map[string]any{"district": tx.actor.District, "class": class, "seed": seed, "view": string(tx.actor.View), "by": tx.actor.User, "now": tx.now})
	if err != nil {
		return Bulk{}, fmt.Errorf("create bulk: %w", err)
	}
	b := &pgx.Batch{}
	for _, i := range items {
		b.Queue(`INSERT INTO bulk_items (district_id, bulk_id, n, case_id, fingerprint, members, keep_id, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting')`,
			tx.actor.District, rows[0].ID, i.N, i.CaseID, i.Fingerprint, i.Members, i.KeepID)
	}
	if err := tx.send(ctx, "create bulk", b); err != nil {
		return Bulk{}, err
	}
	return tx.Bulk(ctx, rows[0].ID)
}

const bulkColumns = `SELECT id, class, state, why, seed, sample, most_wrong AS wrong, view, made_by, made_at, beat_at, closed_at, undone_by, change_id, undo_id FROM bulks WHERE district_id = @district AND `

// Bulk reads a batch.
func (tx *Tx) Bulk(ctx context.Context, id int64) (Bulk, error) {
	rows, err := scan[Bulk](ctx, tx, bulkColumns+`id = @id`, map[string]any{"district": tx.actor.District, "id": id})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Bulk{}, fmt.Errorf("bulk %d: %w", id, err)
	}
	return rows[0], nil
}

// Bulks lists the latest batches, those of one person where by is not 0.
func (tx *Tx) Bulks(ctx context.Context, by int64) ([]Bulk, error) {
	rows, err := scan[Bulk](ctx, tx, bulkColumns+`(@by = 0 OR made_by = @by) ORDER BY id DESC LIMIT 20`, map[string]any{"district": tx.actor.District, "by": by})
	if err != nil {
		return nil, fmt.Errorf("list bulks: %w", err)
	}
	return rows, nil
}

// WaitingBulks lists batches that a job should be at and that none has been at since the given moment.
func (tx *Tx) WaitingBulks(ctx context.Context, before time.Time) ([]Bulk, error) {
	rows, err := scan[Bulk](ctx, tx, bulkColumns+`state IN ('planning', 'applying', 'undoing') AND beat_at <= @before ORDER BY id`, map[string]any{"district": tx.actor.District, "before": before})
	if err != nil {
		return nil, fmt.Errorf("list waiting bulks: %w", err)
	}
	return rows, nil
}

// BulkItems reads what a batch is made of, in its order.
func (tx *Tx) BulkItems(ctx context.Context, id int64) ([]BulkItem, error) {
	rows, err := scan[BulkItem](ctx, tx, `SELECT n, case_id, fingerprint, members, keep_id, plan, counts, state, why, merge_id FROM bulk_items WHERE district_id = @district AND bulk_id = @id ORDER BY n`,
		map[string]any{"district": tx.actor.District, "id": id})
	if err != nil {
		return nil, fmt.Errorf("items of bulk %d: %w", id, err)
	}
	return rows, nil
}

// LockBulk waits until nobody else works on a batch, and reads it. It lasts until the transaction ends.
func (tx *Tx) LockBulk(ctx context.Context, id int64) (Bulk, error) {
	if _, err := tx.conn.Exec(ctx, `SELECT FROM bulks WHERE district_id = $1 AND id = $2 FOR UPDATE`, tx.actor.District, id); err != nil {
		return Bulk{}, fmt.Errorf("lock bulk %d: %w", id, err)
	}
	return tx.Bulk(ctx, id)
}

// MoveBulk writes how far a batch has come. ErrConflict: it is not in the state from.
func (tx *Tx) MoveBulk(ctx context.Context, b Bulk, from BulkState) error {
	sample, err := json.Marshal(append([]BulkAnswer{}, b.Sample...))
	if err != nil {
		return fmt.Errorf("move bulk %d: %w", b.ID, err)
	}
	rows, err := scan[struct{ ID int64 }](ctx, tx, `UPDATE bulks SET state = @state, why = @why, sample = CAST(@sample AS jsonb), most_wrong = CAST(@wrong AS integer), beat_at = @now,
			change_id = CAST(@change AS bigint), undo_id = CAST(@undo AS bigint), undone_by = CAST(@undone AS bigint), view = @view,
			closed_at = CASE WHEN @state IN ('refused', 'dropped', 'accepted', 'undone') THEN @now ELSE closed_at END
		WHERE district_id = @district AND id = @id AND state = @from RETURNING id`, map[string]any{
		"district": tx.actor.District, "id": b.ID, "from": string(from), "state": string(b.State), "why": b.Why, "sample": string(sample), "wrong": b.Wrong, "now": tx.now,
		"change": b.ChangeID, "undo": b.UndoID, "undone": b.UndoneBy, "view": b.View,
	})
	return changedOne(int64(len(rows)), err, "move bulk", b.ID)
}

// SetBulkItem writes what became of one suggestion of a batch.
func (tx *Tx) SetBulkItem(ctx context.Context, bulk int64, i BulkItem) error {
	counts, err := json.Marshal(i.Counts)
	if err != nil {
		return fmt.Errorf("set item %d of bulk %d: %w", i.N, bulk, err)
	}
	n, err := exec(ctx, tx, `UPDATE bulk_items SET plan = ?, counts = CAST(? AS jsonb), state = ?, why = ?, merge_id = ? WHERE district_id = ? AND bulk_id = ? AND n = ?`,
		i.Plan, string(counts), i.State, i.Why, i.MergeID, tx.actor.District, bulk, i.N)
	if err == nil {
		_, err = exec(ctx, tx, `UPDATE bulks SET beat_at = ? WHERE district_id = ? AND id = ?`, tx.now, tx.actor.District, bulk)
	}
	return changedOne(n, err, "set item of bulk", bulk)
}
