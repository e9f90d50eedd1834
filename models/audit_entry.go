package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"hallpass/audit"
)

// AuditEntry is one row of the district's append-only chain.
type AuditEntry struct {
	DistrictID int64 `gorm:"primaryKey"`
	ID         int64 `gorm:"primaryKey"`
	At         time.Time
	ActorID    *int64
	Actor      string
	View       string
	Action     string
	Subject    string
	Data       []byte `gorm:"type:jsonb"`
	RequestID  string
	PrevHash   []byte
	Hash       []byte
}

// Audit appends an entry in the name of the transaction's actor.
func (tx *Tx) Audit(ctx context.Context, e audit.Entry) error {
	_, err := tx.audit(ctx, e)
	return err
}

// audit is Audit, and returns the entry's number. Entries of one district are written one after the other, so that
// each can carry the hash of the one before it.
func (tx *Tx) audit(ctx context.Context, e audit.Entry) (int64, error) {
	if _, err := exec(ctx, tx, `SELECT pg_advisory_xact_lock(hashtext('hallpass audit'), ?::int)`, tx.actor.District%(1<<31)); err != nil {
		return 0, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	last, err := query[AuditEntry](ctx, tx, `SELECT id, hash FROM audit_entries ORDER BY district_id DESC, id DESC LIMIT 1`)
	if err != nil {
		return 0, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	row := AuditEntry{
		DistrictID: tx.actor.District, ID: 1, At: tx.now.UTC().Truncate(time.Microsecond), View: string(tx.actor.View),
		Actor: tx.actor.Name, Action: string(e.Action), Subject: e.Subject, RequestID: tx.RequestID, PrevHash: []byte{},
	}
	if len(last) == 1 {
		row.ID, row.PrevHash = last[0].ID+1, last[0].Hash
	}
	if tx.actor.User != 0 {
		row.ActorID = &tx.actor.User
	}
	if row.Data, err = canonical(e.Data); err != nil {
		return 0, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	row.Hash = row.sum()
	_, err = exec(ctx, tx, `INSERT INTO audit_entries (district_id, id, at, actor_id, actor, view, action, subject, data, request_id, prev_hash, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, row.DistrictID, row.ID, row.At, row.ActorID, row.Actor, row.View,
		row.Action, row.Subject, string(row.Data), row.RequestID, row.PrevHash, row.Hash)
	if err != nil {
		return 0, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return row.ID, nil
}

// canonical is compact JSON with sorted keys, also of structs, so that what the database gives back, in an order of
// its own, comes to the same bytes.
func canonical(data any) ([]byte, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var plain any
	if err := d.Decode(&plain); err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// sum is the entry's link in the chain: SHA-256 over its fields, each with its length, and the hash before it.
// Data is hashed in its canonical form.
func (e AuditEntry) sum() []byte {
	h := sha256.New()
	actor := ""
	if e.ActorID != nil {
		actor = fmt.Sprint(*e.ActorID)
	}
	for _, field := range []string{
		fmt.Sprint(e.DistrictID), fmt.Sprint(e.ID), e.At.UTC().Format(time.RFC3339Nano), actor, e.Actor, e.View,
		e.Action, e.Subject, string(e.Data), e.RequestID, string(e.PrevHash),
	} {
		fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return h.Sum(nil)
}
