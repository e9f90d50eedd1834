package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hallpass/access"
)

// keptSimulation is the simulation that was made last, with what it takes to prove that it still holds: no row in
// fact_changes from a transaction that may not have ended when it was made, and nothing that has ended by itself.
type keptSimulation struct {
	district int64
	policies string // both, as text
	horizon  uint64 // the xmin of the snapshot it began in
	from     time.Time
	until    *time.Time // when a role by hand or an override ends by itself; nil: none does
	made     Simulation
}

// Foresee is Simulate, but where the simulation made last in this program was of the same two policies and is proved by
// one cheap read to hold still, that one is given: who applies what was previewed a moment ago need not wait again.
func (tx *Tx) Foresee(ctx context.Context, before, after *access.Policy, told func(done, of int)) (Simulation, error) {
	policies, err := policyTexts(before, after)
	if err != nil {
		return Simulation{}, fmt.Errorf("foresee: %w", err)
	}
	if kept := tx.store.simulated.Load(); kept != nil && kept.district == tx.actor.District && kept.policies == policies {
		holds, err := tx.holds(ctx, kept)
		if err != nil {
			return Simulation{}, err
		}
		if holds {
			return kept.made, nil
		}
	}
	kept := keptSimulation{district: tx.actor.District, policies: policies, from: tx.now}
	var writes bool
	err = tx.conn.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id_if_assigned() IS NOT NULL,
		least((SELECT min(g.ends_at) FROM role_grants g WHERE g.district_id = $1 AND g.source = 'manual' AND g.ended_at IS NULL AND g.ends_at > $2),
		      (SELECT min(o.ends_at) FROM overrides o WHERE o.district_id = $1 AND o.ended_at IS NULL AND o.ends_at > $2))`,
		tx.actor.District, tx.now).Scan(&kept.horizon, &writes, &kept.until)
	if err != nil {
		return Simulation{}, fmt.Errorf("foresee: %w", err)
	}
	if kept.made, err = tx.Simulate(ctx, before, after, told); err != nil {
		return Simulation{}, err
	}
	if !writes { // else it may be of what is never committed
		tx.store.simulated.Store(&kept)
	}
	return kept.made, nil
}

func (tx *Tx) holds(ctx context.Context, kept *keptSimulation) (bool, error) {
	if tx.now.Before(kept.from) || kept.until != nil && !tx.now.Before(*kept.until) {
		return false, nil
	}
	var moved bool
	err := tx.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM fact_changes WHERE district_id = $1 AND made_in >= $2::text::xid8)`,
		tx.actor.District, fmt.Sprint(kept.horizon)).Scan(&moved)
	return !moved, wrap("look for changes since a simulation", err)
}

// policyTexts tells pairs of policies of one catalogue apart.
func policyTexts(policies ...*access.Policy) (string, error) {
	type text struct {
		Rules     []access.Rule
		Combining access.Combining
		Strategy  access.Strategy
	}
	var list []text
	for _, p := range policies {
		list = append(list, text{p.Rules(), p.ChosenCombining(), p.Strategy})
	}
	b, err := json.Marshal(list)
	return string(b), err
}
