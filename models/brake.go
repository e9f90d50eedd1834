package models

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// BrakeType is what the brake counts by: a type of record or, of people, a role.
type BrakeType string

// The types that are no roles.
const (
	BrakeSchools  BrakeType = "schools"
	BrakeSections BrakeType = "sections"
	BrakeTerms    BrakeType = "terms" // only that none is left: Clever makes terms anew at will
)

// BrakeTypes lists the types that have a share of their own, in the order of tables.
func BrakeTypes() []BrakeType {
	types := []BrakeType{BrakeSchools, BrakeSections}
	for _, r := range []access.Role{access.Student, access.Teacher, access.Staff, access.DistrictAdmin, access.Contact} {
		types = append(types, BrakeType(r))
	}
	return types
}

// What a district that decided nothing goes by.
const (
	BrakeShare  = 10 // of a hundred
	BrakePeople = 25
	// brakeFloor is how many may go whatever the share: of a small type every record is more than a tenth.
	brakeFloor = 5
)

// Brake is how much may go at once before a person is asked.
type Brake struct {
	Shares map[BrakeType]int // of a hundred; 100 is no limit; a type without one has BrakeShare
	People int               // who may lose a sensitive permission
}

// Share is the share of a type.
func (b Brake) Share(t BrakeType) int {
	if n, set := b.Shares[t]; set {
		return n
	}
	return BrakeShare
}

// Brake is what the district decided.
func (d District) Brake() Brake { return Brake{d.BrakeShares, d.BrakePeople} }

// SetBrake decides how much may go at once. Shares are of a hundred.
func (tx *Tx) SetBrake(ctx context.Context, b Brake) error {
	text, err := json.Marshal(b.Shares)
	if err == nil {
		_, err = exec(ctx, tx, `UPDATE districts SET brake_shares = ?::jsonb, brake_people = ? WHERE district_id = ?`, string(text), b.People, tx.actor.District)
	}
	return wrap("set brake", err)
}

// Gauge is how much of one type goes, against the limit.
type Gauge struct {
	Type    BrakeType `json:"type"`
	Current int       `json:"current"` // before anything goes
	Gone    int       `json:"gone"`
	Share   int       `json:"share"` // the limit, of a hundred
	Over    bool      `json:"over"`
}

// MoreThanHalf reports that two people must approve.
func (g Gauge) MoreThanHalf() bool { return g.Gone > brakeFloor && 2*g.Gone > g.Current }

// BrakeState is what stopped a run: everything that would go, and the limits as they were.
type BrakeState struct {
	Gauges []Gauge `json:"gauges,omitempty"`
	Losing int     `json:"losing"` // people who would lose a sensitive permission at a school, or in the district
	Limit  int     `json:"limit"`  // of them
	// AllNew: every id that Clever lists of people is new, and none of those known is listed.
	AllNew bool `json:"all_new,omitempty"`
}

// Over reports that a limit is passed.
func (s BrakeState) Over() bool {
	return s.Losing > s.Limit || slices.ContainsFunc(s.Gauges, func(g Gauge) bool { return g.Over })
}

// toll is what a run takes, by type.
type toll map[BrakeType]int

// gauges holds a toll against what is there and the district's limits. What spent says went before, in the same stretch
// of events, counts with it.
func (b Brake) gauges(current, gone, spent toll) (list []Gauge) {
	for _, t := range append(BrakeTypes(), BrakeTerms) {
		n := gone[t] + spent[t]
		if gone[t] == 0 {
			continue
		}
		g := Gauge{Type: t, Current: current[t] + spent[t], Gone: n, Share: b.Share(t)}
		switch {
		case t == BrakeTerms: // gone only counts where Clever lists none
			g.Share, g.Over = 100, true
		case g.Share < 100:
			g.Over = n > brakeFloor && 100*n > g.Share*g.Current || n >= g.Current
		}
		list = append(list, g)
	}
	return list
}

// nobodyNew are marks above which no record is.
var nobodyNew = map[RosterType]int64{RosterSchools: 1<<63 - 1, RosterSections: 1<<63 - 1, RosterUsers: 1<<63 - 1}

// brakeCurrent counts what is current, by type, without what came since the marks: see SyncRun. Roles are Clever's.
func (tx *Tx) brakeCurrent(ctx context.Context, marks map[RosterType]int64) (toll, error) {
	current := toll{}
	var t BrakeType
	var n int
	rows, err := tx.conn.Query(ctx, `
		SELECT 'schools', count(*) FROM schools WHERE district_id = $1 AND ended_at IS NULL AND listed AND id <= $2
		UNION ALL SELECT 'sections', count(*) FROM sections WHERE district_id = $1 AND ended_at IS NULL AND id <= $3
		UNION ALL SELECT 'terms', count(*) FROM terms WHERE district_id = $1 AND ended_at IS NULL
		UNION ALL SELECT g.role, count(*) FROM role_grants g JOIN users u ON u.district_id = $1 AND u.id = g.user_id AND u.ended_at IS NULL
			WHERE g.district_id = $1 AND g.ended_at IS NULL AND g.source = 'clever' AND g.record_id <= $4 GROUP BY g.role`,
		tx.actor.District, marks[RosterSchools], marks[RosterSections], marks[RosterUsers])
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&t, &n}, func() error { current[t] = n; return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("count what is current: %w", err)
	}
	return current, nil
}

// spend remembers what a page of events took.
func (tx *Tx) spend(ctx context.Context, t toll) error {
	for typ, n := range t {
		if n == 0 {
			continue
		}
		if _, err := tx.conn.Exec(ctx, `INSERT INTO brake_spent AS b (district_id, type, spent) VALUES ($1, $2, $3)
			ON CONFLICT (district_id, type) DO UPDATE SET spent = b.spent + excluded.spent`, tx.actor.District, string(typ), n); err != nil {
			return fmt.Errorf("note what went: %w", err)
		}
	}
	return nil
}

// spent reads what events have taken since the last full sync.
func (tx *Tx) spent(ctx context.Context) (toll, error) {
	t := toll{}
	var typ BrakeType
	var n int
	rows, err := tx.conn.Query(ctx, `SELECT type, spent FROM brake_spent WHERE district_id = $1`, tx.actor.District)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&typ, &n}, func() error { t[typ] = n; return nil })
	}
	return t, wrap("read what went", err)
}
