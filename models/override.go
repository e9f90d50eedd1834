package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hallpass/access"
)

// EndKind is how an override ends by itself.
type EndKind string

// An override ends at a date, with a term, with the school year, when Clever drops a role, or never.
const (
	EndsAtDate   EndKind = "date"
	EndsWithTerm EndKind = "term"
	EndsWithYear EndKind = "school_year"
	EndsWithRole EndKind = "role"
	NeverEnds    EndKind = "none"
)

// Override is one override as the table holds it.
type Override struct {
	DistrictID  int64 `gorm:"primaryKey"`
	ID          int64 `gorm:"primaryKey"`
	UserID      int64
	Permission  access.Permission
	Allow       bool
	PlaceKind   access.Kind
	SchoolID    *int64
	SectionID   *int64
	Reason      string
	Note        string
	OverrideEnd `gorm:"embedded"`
	Locked      bool
	CreatedBy   int64
	CreatedAt   time.Time
	EndedAt     *time.Time // ended by somebody, or by a sync together with what it hung on
	EndedBy     *int64
}

// OverrideEnd is when an override ends by itself. EndsAt is the first moment at which it no longer counts.
type OverrideEnd struct {
	EndKind   EndKind      `json:"kind"`
	EndsAt    *time.Time   `json:"at,omitempty"`
	EndTermID *int64       `json:"term,omitempty"`
	EndRole   *access.Role `json:"role,omitempty"`
}

// Place is where the override speaks.
func (o Override) Place() access.Place {
	p := access.Place{Kind: o.PlaceKind}
	if o.SchoolID != nil {
		p.School = *o.SchoolID
	}
	if o.SectionID != nil {
		p.Section = *o.SectionID
	}
	return p
}

// SetPlace says where the override speaks.
func (o *Override) SetPlace(p access.Place) {
	o.PlaceKind, o.SchoolID, o.SectionID = p.Kind, nil, nil
	if p.Kind != access.District {
		o.SchoolID = &p.School
	}
	if p.Kind == access.Section {
		o.SectionID = &p.Section
	}
}

// Fact is the override as Decide takes it.
func (o Override) Fact() access.Override {
	f := access.Override{ID: o.ID, Permission: o.Permission, Place: o.Place(), Allow: o.Allow}
	if o.EndsAt != nil {
		f.Ends = *o.EndsAt
	}
	if o.EndRole != nil {
		f.WithRole = *o.EndRole
	}
	return f
}

// Standing reports that nobody has ended the override and its time is not over. One that hangs on a role may stand
// and not count, until a sync notices that the role is gone.
func (o Override) Standing(now time.Time) bool {
	return o.EndedAt == nil && (o.EndsAt == nil || now.Before(*o.EndsAt))
}

// Subject is how the audit and changes speak of the override.
func (o Override) Subject() string { return fmt.Sprintf("override:%d", o.ID) }

// Override reads one override, ended or not.
func (tx *Tx) Override(ctx context.Context, id int64) (Override, error) {
	o, err := one[Override](ctx, tx, `SELECT * FROM overrides WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return o, fmt.Errorf("override %d: %w", id, err)
	}
	return o, nil
}

// LikeOverride finds the standing override that gives the same answer to the same question: there is at most one.
func (tx *Tx) LikeOverride(ctx context.Context, o Override) (Override, bool, error) {
	like, err := one[Override](ctx, tx, `SELECT * FROM overrides WHERE district_id = ? AND user_id = ? AND permission = ? AND place_kind = ?
		AND coalesce(school_id, 0) = ? AND coalesce(section_id, 0) = ? AND allow = ? AND ended_at IS NULL
		AND (ends_at IS NULL OR ends_at > ?) AND id <> ?`, tx.actor.District,
		o.UserID, o.Permission, o.PlaceKind, o.Place().School, o.Place().Section, o.Allow, tx.now, o.ID)
	if errors.Is(err, ErrNotFound) {
		return like, false, nil
	}
	if err != nil {
		return like, false, fmt.Errorf("find an override like it: %w", err)
	}
	return like, true, nil
}

// retire marks overrides ended that ended by themselves and would stand in the way of one like them.
func (tx *Tx) retire(ctx context.Context, o Override) error {
	_, err := exec(ctx, tx, `UPDATE overrides SET ended_at = ends_at WHERE district_id = ? AND user_id = ? AND permission = ? AND place_kind = ?
		AND coalesce(school_id, 0) = ? AND coalesce(section_id, 0) = ? AND allow = ? AND ended_at IS NULL AND ends_at <= ? AND id <> ?`,
		tx.actor.District, o.UserID, o.Permission, o.PlaceKind, o.Place().School, o.Place().Section, o.Allow, tx.now, o.ID)
	return err
}

// CreateOverride writes a new override in the actor's name. LockAccess must be held, and nothing LikeOverride stand.
func (tx *Tx) CreateOverride(ctx context.Context, o Override) (Override, error) {
	if err := tx.retire(ctx, o); err != nil {
		return o, fmt.Errorf("create override: %w", err)
	}
	rows, err := query[Override](ctx, tx, `INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, school_id, section_id, reason, note,
			end_kind, ends_at, end_term_id, end_role, locked, created_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`, tx.actor.District, o.UserID, o.Permission, o.Allow, o.PlaceKind, o.SchoolID, o.SectionID,
		o.Reason, o.Note, o.EndKind, o.EndsAt, o.EndTermID, o.EndRole, o.Locked, tx.actor.User, tx.now)
	if err != nil {
		return o, fmt.Errorf("create override: %w", err)
	}
	return rows[0], nil
}

// SetOverride writes when an override ends by itself, and whether and by whom it was ended: all that ever changes of
// one. LockAccess must be held, and nothing LikeOverride stand if it is to stand again.
func (tx *Tx) SetOverride(ctx context.Context, o Override) error {
	if o.EndedAt == nil {
		if err := tx.retire(ctx, o); err != nil {
			return fmt.Errorf("change override %d: %w", o.ID, err)
		}
	}
	n, err := exec(ctx, tx, `UPDATE overrides SET end_kind = ?, ends_at = ?, end_term_id = ?, end_role = ?, ended_at = ?, ended_by = ? WHERE district_id = ? AND id = ?`,
		o.EndKind, o.EndsAt, o.EndTermID, o.EndRole, o.EndedAt, o.EndedBy, tx.actor.District, o.ID)
	return changedOne(n, err, "change override", o.ID)
}

// Term is a term that something can end with.
type Term struct {
	ID      int64
	Name    string
	EndDate time.Time // its last day, at midnight UTC
}

// TermsEnding lists the current terms whose last day is on or after a day, the earliest first: what an override can
// end with.
func (tx *Tx) TermsEnding(ctx context.Context, from time.Time) ([]Term, error) {
	terms, err := query[Term](ctx, tx, `SELECT id, name, end_date FROM terms
		WHERE district_id = ? AND ended_at IS NULL AND end_date >= CAST(? AS date) ORDER BY end_date, name, id LIMIT 60`, tx.actor.District, from.Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	return terms, nil
}

// TermName is what a term is called, also one that has ended.
func (tx *Tx) TermName(ctx context.Context, id int64) (string, error) {
	t, err := one[Term](ctx, tx, `SELECT id, name, coalesce(end_date, '0001-01-01') AS end_date FROM terms WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return "", fmt.Errorf("term %d: %w", id, err)
	}
	return t.Name, nil
}

// EndOfDay is the first moment after a day of the calendar, in a time zone: what lasts until that day counts before it.
func EndOfDay(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// MoveTermEnds lets overrides that end with a term end when the term now does, and ends those that hang on a role
// that Clever no longer lists. What is over already stays over. It is asked when a sync has brought terms and roles.
func (tx *Tx) MoveTermEnds(ctx context.Context) error {
	rows, err := query[struct {
		ID       int64
		EndsAt   time.Time
		EndDate  time.Time
		TimeZone string
	}](ctx, tx, `SELECT o.id, o.ends_at, t.end_date, d.time_zone FROM overrides o
		JOIN terms t ON t.district_id = o.district_id AND t.id = o.end_term_id AND t.end_date IS NOT NULL
		JOIN districts d ON d.district_id = o.district_id
		WHERE o.district_id = ? AND o.end_kind = 'term' AND o.ended_at IS NULL AND o.ends_at > ?`, tx.actor.District, tx.now)
	if err != nil {
		return fmt.Errorf("move the ends of overrides: %w", err)
	}
	for _, r := range rows {
		zone, err := time.LoadLocation(r.TimeZone)
		if err != nil {
			zone = time.UTC // as pages do
		}
		ends := EndOfDay(r.EndDate, zone)
		if ends.Equal(r.EndsAt) {
			continue
		}
		if _, err := exec(ctx, tx, `UPDATE overrides SET ends_at = ? WHERE district_id = ? AND id = ?`, ends, tx.actor.District, r.ID); err != nil {
			return fmt.Errorf("move the end of override %d: %w", r.ID, err)
		}
	}
	_, err = exec(ctx, tx, `UPDATE overrides o SET ended_at = ? WHERE o.district_id = ? AND o.end_kind = 'role' AND o.ended_at IS NULL
		AND NOT EXISTS (SELECT FROM role_grants g WHERE g.district_id = o.district_id AND g.user_id = o.user_id AND g.role = o.end_role
			AND g.source = 'clever' AND g.ended_at IS NULL)`, tx.now, tx.actor.District)
	if err != nil {
		return fmt.Errorf("end overrides with their roles: %w", err)
	}
	return nil
}
