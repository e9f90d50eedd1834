package models

import (
	"context"
	"fmt"

	"hallpass/access"
)

// knownPolicy is a district's policy as it was at a version.
type knownPolicy struct {
	version int64
	policy  *access.Policy
}

// Catalogue is the permissions of this installation.
func (s *Store) Catalogue() *access.Catalogue { return s.catalogue }

// policy is the district's policy at the version that the transaction has read with the facts. A copy in memory is
// used only while it is of that version, so a change counts on the next request of every replica.
func (tx *Tx) policy(ctx context.Context, d District) (*access.Policy, error) {
	if known, ok := tx.store.policies.Load(d.DistrictID); ok && known.(knownPolicy).version == d.PolicyVersion {
		return known.(knownPolicy).policy, nil
	}
	changes, err := tx.RuleChanges(ctx)
	if err != nil {
		return nil, err
	}
	p := access.NewPolicy(tx.store.catalogue, changes, d.Combining, d.Strategy)
	tx.store.policies.Store(d.DistrictID, knownPolicy{d.PolicyVersion, p})
	return p, nil
}

// RuleChanges lists where the district's rules differ from the catalogue's.
func (tx *Tx) RuleChanges(ctx context.Context) ([]access.RuleChange, error) {
	changes, err := query[access.RuleChange](ctx, tx, `SELECT role, label, permission, given FROM role_rules WHERE district_id = ? ORDER BY role, label, permission`, tx.actor.District)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return changes, nil
}
