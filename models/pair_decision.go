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
// of theirs: then "different" comes last, which is the one that counts.
const liveDecisions = `
	SELECT x.* FROM (
	  SELECT d.*, least(coalesce(lo.merged_into, lo.id), coalesce(hi.merged_into, hi.id)) AS lo_home,
	         greatest(coalesce(lo.merged_into, lo.id), coalesce(hi.merged_into, hi.id)) AS hi_home
	    FROM pair_decisions d
	    JOIN users lo ON lo.district_id = d.district_id AND lo.id = d.lo
	    JOIN users hi ON hi.district_id = d.district_id AND hi.id = d.hi
	   WHERE d.district_id = @district AND d.ended_at IS NULL AND (CAST(@all AS boolean) OR d.lo = ANY(CAST(@ids AS bigint[])) OR d.hi = ANY(CAST(@ids AS bigint[])))) x
	 WHERE x.lo_home <> x.hi_home
	 ORDER BY array_position(ARRAY['same', 'unsure', 'different'], x.verdict), x.decided_at, x.id`

// LiveDecisions reads the standing answers about pairs of people, in the order in which later ones outdo earlier ones:
// all of them where ids is nil, else those about any record of those people.
func (tx *Tx) LiveDecisions(ctx context.Context, ids []int64) ([]LiveDecision, error) {
	records := []int64{}
	if len(ids) > 0 {
		rows, err := query[struct{ ID int64 }](ctx, tx, `SELECT id FROM users WHERE district_id = @district
			AND (id = ANY(CAST(@ids AS bigint[])) OR merged_into = ANY(CAST(@ids AS bigint[])))`, map[string]any{"district": tx.actor.District, "ids": idArray(ids)})
		if err != nil {
			return nil, fmt.Errorf("live decisions: %w", err)
		}
		for _, r := range rows {
			records = append(records, r.ID)
		}
	}
	list, err := query[LiveDecision](ctx, tx, liveDecisions, map[string]any{"district": tx.actor.District, "all": ids == nil, "ids": idArray(records)})
	if err != nil {
		return nil, fmt.Errorf("live decisions: %w", err)
	}
	return list, nil
}
