package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// PairDecision is what somebody said of two records, the lower id first. Evidence is what they were shown.
type PairDecision struct {
	DistrictID int64 `gorm:"primaryKey"`
	ID         int64 `gorm:"primaryKey"`
	Lo, Hi     int64
	Verdict    string // same, different or unsure
	Reason     string
	Class      string // A, B, C, or "" where nothing was suggested
	Tenths     int
	Evidence   json.RawMessage `gorm:"type:jsonb"`
	DecidedBy  *int64          // nil: the program, from Clever's word
	DecidedAt  time.Time
	EndedAt    *time.Time
	EndedBy    *int64
}

// LiveDecision is a standing answer, with the people to whom the two records belong now.
type LiveDecision struct {
	PairDecision
	LoHome, HiHome int64 // the lower first, whatever Lo and Hi say
}

// liveDecisions gives answers about people as they are merged now. One pair of people may have several, about records
// of theirs: then "different" comes last, which is the one that counts. Between the two halves goes which.
const (
	liveDecisions = `SELECT x.* FROM (
	  SELECT d.*, least(coalesce(lo.merged_into, lo.id), coalesce(hi.merged_into, hi.id)) AS lo_home,
	         greatest(coalesce(lo.merged_into, lo.id), coalesce(hi.merged_into, hi.id)) AS hi_home
	    FROM pair_decisions d
	    JOIN users lo ON lo.district_id = d.district_id AND lo.id = d.lo
	    JOIN users hi ON hi.district_id = d.district_id AND hi.id = d.hi
	   WHERE d.district_id = @district AND d.ended_at IS NULL`
	liveDecisionsEnd = `) x
	 WHERE x.lo_home <> x.hi_home
	 ORDER BY array_position(ARRAY['same', 'unsure', 'different'], x.verdict), x.decided_at, x.id`
	recordsOf = `ARRAY(SELECT u.id FROM users u WHERE u.district_id = @district AND (u.id = ANY(CAST(@ids AS bigint[])) OR u.merged_into = ANY(CAST(@ids AS bigint[]))))`
)

// LiveDecisions reads the standing answers about pairs of people, in the order in which later ones outdo earlier ones:
// all of them where ids is nil, else those about any record of those people.
func (tx *Tx) LiveDecisions(ctx context.Context, ids []int64) ([]LiveDecision, error) {
	sql := liveDecisions
	if ids != nil {
		sql += ` AND (d.lo = ANY(` + recordsOf + `) OR d.hi = ANY(` + recordsOf + `))`
	}
	list, err := scan[LiveDecision](ctx, tx, sql+liveDecisionsEnd, map[string]any{"district": tx.actor.District, "ids": ids})
	if err != nil {
		return nil, fmt.Errorf("live decisions: %w", err)
	}
	return list, nil
}

// PairDecision reads one answer, standing or not.
func (tx *Tx) PairDecision(ctx context.Context, id int64) (PairDecision, error) {
	d, err := one[PairDecision](ctx, tx, `SELECT * FROM pair_decisions WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return d, fmt.Errorf("pair decision %d: %w", id, err)
	}
	return d, nil
}

// DecidePair writes what the actor says of two records, in place of what was said before, whose id instead is; 0 where
// nothing was.
func (tx *Tx) DecidePair(ctx context.Context, d PairDecision) (made, instead int64, err error) {
	if d.Lo > d.Hi {
		d.Lo, d.Hi = d.Hi, d.Lo
	}
	if d.Evidence == nil {
		d.Evidence = json.RawMessage(`{}`)
	}
	fail := func(err error) (int64, int64, error) { return 0, 0, fmt.Errorf("decide pair: %w", err) }
	var by any
	if tx.actor.User != 0 {
		by = tx.actor.User
	}
	ended, err := query[struct{ ID int64 }](ctx, tx, `UPDATE pair_decisions SET ended_at = ?, ended_by = ? WHERE district_id = ? AND lo = ? AND hi = ? AND ended_at IS NULL RETURNING id`,
		tx.now, by, tx.actor.District, d.Lo, d.Hi)
	if err != nil {
		return fail(err)
	}
	for _, r := range ended {
		instead = r.ID
	}
	row, err := one[struct{ ID int64 }](ctx, tx, `INSERT INTO pair_decisions (district_id, lo, hi, verdict, reason, class, tenths, evidence, decided_by, decided_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, tx.actor.District, d.Lo, d.Hi, d.Verdict, d.Reason, d.Class, d.Tenths, string(d.Evidence), by, tx.now)
	if err != nil {
		return fail(err)
	}
	return row.ID, instead, nil
}

// EndDecision takes a standing answer back. It reports whether it stood.
func (tx *Tx) EndDecision(ctx context.Context, id int64) (bool, error) {
	n, err := exec(ctx, tx, `UPDATE pair_decisions SET ended_at = ?, ended_by = ? WHERE district_id = ? AND id = ? AND ended_at IS NULL`,
		tx.now, tx.actor.User, tx.actor.District, id)
	if err != nil {
		return false, fmt.Errorf("end decision %d: %w", id, err)
	}
	return n > 0, nil
}

// ReviveDecision makes an ended answer stand again, unless another about the same records stands.
func (tx *Tx) ReviveDecision(ctx context.Context, id int64) (bool, error) {
	n, err := exec(ctx, tx, `UPDATE pair_decisions d SET ended_at = NULL, ended_by = NULL WHERE d.district_id = ? AND d.id = ? AND d.ended_at IS NOT NULL
		AND NOT EXISTS (SELECT FROM pair_decisions o WHERE o.district_id = d.district_id AND o.lo = d.lo AND o.hi = d.hi AND o.ended_at IS NULL)`,
		tx.actor.District, id)
	if err != nil {
		return false, fmt.Errorf("revive decision %d: %w", id, err)
	}
	return n > 0, nil
}

// DecisionsSince counts the answers of people that stand since a moment.
func (tx *Tx) DecisionsSince(ctx context.Context, since time.Time) (int, error) {
	row, err := one[struct{ N int }](ctx, tx, `SELECT count(*) AS n FROM pair_decisions WHERE district_id = ? AND decided_by IS NOT NULL AND decided_at >= ? AND ended_at IS NULL`, tx.actor.District, since)
	if err != nil {
		return 0, fmt.Errorf("count decisions: %w", err)
	}
	return row.N, nil
}
