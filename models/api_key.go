package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// APIKey is a key of the decision API. Whoever bears it may ask about this one district. The key itself was shown
// once; the database has its SHA-256 and its last four characters.
type APIKey struct {
	DistrictID int64 `gorm:"primaryKey"`
	ID         int64 `gorm:"primaryKey"`
	Name       string
	KeyHash    []byte
	Hint       string
	Explains   bool // answers carry the reason for admins and the trace
	CreatedBy  int64
	CreatedAt  time.Time
	LastUsedAt *time.Time // to the minute
	RevokedAt  *time.Time
	RevokedBy  *int64
}

// TableName: of keys.
func (APIKey) TableName() string { return "api_keys" }

// keyMinute is how exactly the last use of a key is kept, and how seldom asking writes.
const keyMinute = time.Minute

// Stale reports that the last use on record is old enough to be written again.
func (k APIKey) Stale(now time.Time) bool {
	return k.LastUsedAt == nil || now.Truncate(keyMinute).After(*k.LastUsedAt)
}

const keyColumns = `district_id, id, name, hint, explains, created_by, created_at, last_used_at, revoked_at, revoked_by`

// maxAPIKeys bounds the list of a district's keys, those revoked long ago last.
const maxAPIKeys = 200

// APIKeys lists the district's keys, those in force first, the newest first.
func (tx *Tx) APIKeys(ctx context.Context) ([]APIKey, error) {
	keys, err := query[APIKey](ctx, tx, `SELECT `+keyColumns+` FROM api_keys WHERE district_id = ?
		ORDER BY revoked_at IS NOT NULL, revoked_at DESC, id DESC LIMIT ?`, tx.actor.District, maxAPIKeys)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

// APIKey reads one key, in force or revoked.
func (tx *Tx) APIKey(ctx context.Context, id int64) (APIKey, error) {
	k, err := one[APIKey](ctx, tx, `SELECT `+keyColumns+` FROM api_keys WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return k, fmt.Errorf("key %d: %w", id, err)
	}
	return k, nil
}

// NewAPIKey is a key about to be handed out. Only its SHA-256 gets this far.
type NewAPIKey struct {
	Name     string
	Hash     []byte
	Hint     string
	Explains bool
}

// CreateAPIKey makes a key in the actor's name. It counts from the moment the transaction ends.
func (tx *Tx) CreateAPIKey(ctx context.Context, n NewAPIKey) (APIKey, error) {
	k, err := one[APIKey](ctx, tx, `INSERT INTO api_keys (district_id, name, key_hash, hint, explains, created_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING `+keyColumns, tx.actor.District, n.Name, n.Hash, n.Hint, n.Explains, tx.actor.User, tx.now)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return k, fmt.Errorf("make key: %w", ErrConflict)
	}
	if err != nil {
		return k, fmt.Errorf("make key: %w", err)
	}
	return k, nil
}

// RevokeAPIKey ends a key for good. ErrNotFound: there is none of that id. ErrConflict: it was revoked before.
func (tx *Tx) RevokeAPIKey(ctx context.Context, id int64) (APIKey, error) {
	k, err := one[APIKey](ctx, tx, `UPDATE api_keys SET revoked_at = ?, revoked_by = ?
		WHERE district_id = ? AND id = ? AND revoked_at IS NULL RETURNING `+keyColumns, tx.now, tx.actor.User, tx.actor.District, id)
	if errors.Is(err, ErrNotFound) {
		if _, err := tx.APIKey(ctx, id); err != nil {
			return k, err
		}
		return k, fmt.Errorf("revoke key %d: %w", id, ErrConflict)
	}
	if err != nil {
		return k, fmt.Errorf("revoke key %d: %w", id, err)
	}
	return k, nil
}

// TouchAPIKey notes, to the minute, that the key is in use, in a transaction of its own.
func (sc Scope) TouchAPIKey(ctx context.Context, keyHash []byte, id int64) error {
	minute := sc.store.now().UTC().Truncate(keyMinute)
	err := sc.Write(ctx, func(tx *Tx) error {
		_, err := exec(ctx, tx, `UPDATE api_keys SET last_used_at = ? WHERE district_id = ? AND id = ? AND revoked_at IS NULL
			AND (last_used_at IS NULL OR last_used_at < ?)`, minute, tx.actor.District, id, minute)
		return err
	})
	if err != nil {
		return fmt.Errorf("touch key %d: %w", id, err)
	}
	sc.store.copies.used(sc.actor.District, keyHash, minute)
	return nil
}
