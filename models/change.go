package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"hallpass/audit"
)

// Change is one applied change of access: its receipt, the proof against a second click, and what an undo needs.
type Change struct {
	DistrictID int64 `gorm:"primaryKey"`
	ID         int64 `gorm:"primaryKey"` // the receipt's number
	Token      string
	Kind       audit.Action
	Subject    string
	Before     json.RawMessage `gorm:"type:jsonb"`
	After      json.RawMessage `gorm:"type:jsonb"`
	Plan       []byte
	View       string
	MadeBy     int64
	MadeAt     time.Time
	AuditID    int64
	Undoes     *int64
}

// NewChange is what applying a previewed change records. Before and After are marshalled as JSON and hold ids, codes
// and counts, never names.
type NewChange struct {
	Token         string // made with the preview; the same one again is the same click
	Action        audit.Action
	Subject       string // kind:id
	Before, After any
	Plan          []byte // SHA-256 of the plan that was shown
	Undoes        int64  // 0: nothing
}

// LockAccess lets one change of access at a time happen in the district, so that of two people who apply plans made
// from the same facts the second finds the first's change. It lasts until the transaction ends. Taken before the
// facts of a plan are read.
func (tx *Tx) LockAccess(ctx context.Context) error {
	if _, err := exec(ctx, tx, `SELECT pg_advisory_xact_lock(hashtext('hallpass access'), ?::int)`, tx.actor.District%(1<<31)); err != nil {
		return fmt.Errorf("lock access: %w", err)
	}
	return nil
}

const changeColumns = `SELECT c.* FROM changes c WHERE c.district_id = ? AND `

// Change reads a change by its number.
func (tx *Tx) Change(ctx context.Context, id int64) (Change, error) {
	c, err := one[Change](ctx, tx, changeColumns+`c.id = ?`, tx.actor.District, id)
	if err != nil {
		return c, fmt.Errorf("change %d: %w", id, err)
	}
	return c, nil
}

// ChangeOfToken reads the change that a preview's token was used for, by the same person. ErrNotFound: none yet.
func (tx *Tx) ChangeOfToken(ctx context.Context, token string) (Change, error) {
	c, err := one[Change](ctx, tx, changeColumns+`c.token = ? AND c.made_by = ?`, tx.actor.District, token, tx.actor.User)
	if err != nil {
		return c, fmt.Errorf("change of token: %w", err)
	}
	return c, nil
}

// UndoneBy reads the change that undid this one. ErrNotFound: it stands.
func (tx *Tx) UndoneBy(ctx context.Context, id int64) (Change, error) {
	c, err := one[Change](ctx, tx, changeColumns+`c.undoes = ?`, tx.actor.District, id)
	if err != nil {
		return c, fmt.Errorf("undo of change %d: %w", id, err)
	}
	return c, nil
}

// SeveralOverrides is the subject of a change of several overrides as one, before it has its number. What it records
// after the change begins with overrides, a list of objects with an override's id each.
const SeveralOverrides = "overrides:"

// OfSeveralOverrides reports that the change is one of several overrides.
func (c Change) OfSeveralOverrides() bool { return strings.HasPrefix(c.Subject, SeveralOverrides) }

// ChangesOfOverride lists what was done to an override, also together with others, the latest first.
func (tx *Tx) ChangesOfOverride(ctx context.Context, o Override) ([]Change, error) {
	list, err := query[Change](ctx, tx, changeColumns+`(c.subject = ? OR c.subject LIKE 'overrides:%' AND
		c.after @> jsonb_build_object('overrides', jsonb_build_array(jsonb_build_object('override', ?::bigint)))) ORDER BY c.id DESC LIMIT 200`,
		tx.actor.District, o.Subject(), o.ID)
	if err != nil {
		return nil, fmt.Errorf("changes of override %d: %w", o.ID, err)
	}
	return list, nil
}

// RecordChange appends the audit entry and the receipt of a change that the same transaction makes. ErrConflict: the
// token was used, or the change was undone, by another transaction first. LockAccess must be held.
func (tx *Tx) RecordChange(ctx context.Context, n NewChange) (Change, error) {
	var before, after json.RawMessage
	var err error
	if before, err = json.Marshal(n.Before); err == nil {
		after, err = json.Marshal(n.After)
	}
	if err != nil {
		return Change{}, fmt.Errorf("record %s: %w", n.Action, err)
	}
	number, err := one[struct{ ID int64 }](ctx, tx, `SELECT coalesce(max(id), 0) + 1 AS id FROM changes WHERE district_id = ?`, tx.actor.District)
	if err != nil {
		return Change{}, fmt.Errorf("record %s: %w", n.Action, err)
	}
	if n.Subject == SeveralOverrides {
		n.Subject += strconv.FormatInt(number.ID, 10)
	}
	data := map[string]any{"change": number.ID, "before": before, "after": after}
	var undoes *int64
	if n.Undoes != 0 {
		data["undoes"], undoes = n.Undoes, &n.Undoes
	}
	audited, err := tx.audit(ctx, audit.Entry{Action: n.Action, Subject: n.Subject, Data: data})
	if err != nil {
		return Change{}, err
	}
	rows, err := query[Change](ctx, tx, `INSERT INTO changes (district_id, id, token, kind, subject, before, after, plan, view, made_by, made_at, audit_id, undoes)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`, tx.actor.District, number.ID, n.Token, n.Action, n.Subject,
		string(before), string(after), n.Plan, string(tx.actor.View), tx.actor.User, tx.now, audited, undoes)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return Change{}, fmt.Errorf("record %s: %w", n.Action, ErrConflict)
	}
	if err != nil {
		return Change{}, fmt.Errorf("record %s: %w", n.Action, err)
	}
	return rows[0], nil
}

// Attempt runs fn inside the transaction, and takes back everything that fn did if it returns an error. What was done
// before stays.
func (tx *Tx) Attempt(ctx context.Context, fn func() error) error {
	if _, err := tx.conn.Exec(ctx, "SAVEPOINT attempt"); err != nil {
		return fmt.Errorf("begin attempt: %w", err)
	}
	if err := fn(); err != nil {
		if _, lost := tx.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT attempt"); lost != nil {
			return errors.Join(err, fmt.Errorf("take back attempt: %w", lost))
		}
		return err
	}
	if _, err := tx.conn.Exec(ctx, "RELEASE SAVEPOINT attempt"); err != nil {
		return fmt.Errorf("end attempt: %w", err)
	}
	return nil
}
