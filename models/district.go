package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// District is one Clever district that this app is connected to.
type District struct {
	DistrictID int64 `gorm:"primaryKey"`
	CleverID   string
	Name       string
	State      string
	TimeZone   string
	CreatedAt  time.Time
	SyncedAt   *time.Time
	// SchoolsVersion moves with every change of the district's schools, and is no other district's.
	SchoolsVersion int64
	// What the district decided about access. PolicyVersion moves with every change of rules, combining or strategy.
	Combining     access.Combining
	Strategy      access.Strategy
	PolicyVersion int64
	SchoolYearEnd string            // month and day, as 06-30
	SyncHour      int               // of the nightly full sync, by the district's clock
	RetentionDays int               // after the district has left, until it may be erased
	BrakeShares   map[BrakeType]int `gorm:"type:jsonb;serializer:json"` // see Brake
	BrakePeople   int
	// When accounts of the app's old days that lead to nobody are given up, or kept: CutOverRest.
	CutOverAt   *time.Time
	CutOverRest string
	// The receipts of setting that date and of carrying it out.
	CutOverChange *int64
	CutOverDone   *int64
	BulkWrong     int32 // most wrong of a bulk of merges, in millionths
}

// DistrictID finds a district by its Clever id, before anyone has entered it. The directory it reads holds ids only.
func (s *Store) DistrictID(ctx context.Context, cleverID string) (int64, error) {
	var id int64
	err := s.pool.QueryRow(ctx, `SELECT district_id FROM district_ids WHERE clever_id = $1`, cleverID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("find district: %w", passing(ctx, err))
	}
	return id, nil
}

// DistrictIDs lists every district this database knows, by Hallpass id.
func (s *Store) DistrictIDs(ctx context.Context) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT district_id FROM district_ids ORDER BY district_id`)
	if err != nil {
		return nil, fmt.Errorf("list districts: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list districts: %w", err)
	}
	return ids, nil
}

// EnsureDistrict returns the Hallpass id of a Clever district, making the district on first sight and switching it on:
// whoever calls this for one wants it. FindDistrict is for those that nobody has asked for.
func (s *Store) EnsureDistrict(ctx context.Context, cleverID, name, state string) (int64, error) {
	id, _, err := s.enterDistrict(ctx, cleverID, name, state, SwitchOn)
	return id, err
}

func (s *Store) enterDistrict(ctx context.Context, cleverID, name, state string, first Switch) (id int64, created bool, err error) {
	id, err = s.DistrictID(ctx, cleverID)
	if errors.Is(err, ErrNotFound) {
		err = s.pool.QueryRow(ctx, `INSERT INTO district_ids (clever_id) VALUES ($1)
			ON CONFLICT (clever_id) DO UPDATE SET clever_id = excluded.clever_id RETURNING district_id`, cleverID).Scan(&id)
	}
	if err != nil {
		return 0, false, fmt.Errorf("enter district: %w", err)
	}
	err = s.As(access.System(id, "district entry")).Write(ctx, func(tx *Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO districts (district_id, clever_id, name, state, created_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (district_id) DO UPDATE SET name = excluded.name, state = excluded.state
			WHERE (districts.name, districts.state) IS DISTINCT FROM (excluded.name, excluded.state)`, id, cleverID, name, state, tx.now)
		if err != nil {
			return err
		}
		n, err := exec(ctx, tx, `INSERT INTO connections (district_id, switch, switched_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, id, first, tx.now)
		created = n > 0
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("enter district %d: %w", id, err)
	}
	return id, created, nil
}

// District is the one the actor is in.
func (tx *Tx) District(ctx context.Context) (District, error) {
	d, err := one[District](ctx, tx, `SELECT * FROM districts WHERE district_id = ?`, tx.actor.District)
	if err != nil {
		return d, fmt.Errorf("district %d: %w", tx.actor.District, err)
	}
	return d, nil
}
