package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/models"
)

// Evidence is what a suggestion's row keeps for its page.
type Evidence struct {
	Pairs   []dedupe.Pair   `json:"pairs,omitempty"` // the strongest first
	Reasons []dedupe.Reason `json:"reasons,omitempty"`
	Before  *Before         `json:"before,omitempty"` // somebody said "different", and there is more to it now
	Split   *Split          `json:"split,omitempty"`
}

// Before is an answer that was given when there was less to say.
type Before struct {
	Class  dedupe.Class `json:"class"`
	Tenths int          `json:"tenths"`
}

// Split is what Clever took apart.
type Split struct {
	CleverID string    `json:"clever_id"` // the id that both had, or that of the record listed again
	Merge    int64     `json:"merge,omitempty"`
	Record   int64     `json:"record,omitempty"` // merged here, and listed by Clever as somebody else since
	Since    time.Time `json:"since,omitzero"`
}

// Risks, the highest first in the queue: what a wrong merge could do.
const (
	riskNone     = iota
	riskDoubt    // something speaks against it
	riskTwoUsers // Clever lists two users
	riskAdmin    // a district admin is among them
)

// compose makes rows of what dedupe found. people are the records by id.
func compose(result dedupe.Result, said []dedupe.Decision, again []models.ListedAgain, people map[int64]*dedupe.Record) ([]models.NewSuggestion, error) {
	c := &composer{people: people, said: map[dedupe.PairKey]dedupe.Verdict{}}
	for _, d := range said {
		c.said[d.PairKey] = d.Verdict
	}
	splits := map[dedupe.PairKey]bool{}
	for _, s := range result.Splits {
		if verdict := c.said[s.PairKey]; verdict == dedupe.SaidDifferent || verdict == dedupe.SaidSame {
			continue // somebody has seen to it
		}
		splits[s.PairKey] = true
		c.add(models.NewSuggestion{Kind: models.SuggestSplit, Class: string(dedupe.Confirmed), Unsure: c.said[s.PairKey] == dedupe.SaidUnsure},
			[]int64{s.Lo, s.Hi}, s.Evidence, Evidence{Pairs: []dedupe.Pair{s.Pair}, Split: &Split{CleverID: s.CleverID}})
	}
	for i := range again {
		c.listedAgain(&again[i])
	}
	for i := range result.Suggestions {
		s := &result.Suggestions[i]
		if len(s.Members) == 2 && splits[dedupe.Key(s.Members[0], s.Members[1])] {
			continue
		}
		c.add(models.NewSuggestion{Kind: models.SuggestMerge, Class: string(s.Class), Fingerprint: s.Fingerprint, Keep: s.Keep, Bulk: s.Bulk() && !s.Unsure, Unsure: s.Unsure},
			s.Members, dedupe.Evidence{Tenths: s.Tenths, Chance: s.Chance}, Evidence{Pairs: s.Pairs, Reasons: s.Reasons})
	}
	for _, r := range result.Returned {
		if splits[r.PairKey] {
			continue
		}
		c.add(models.NewSuggestion{Kind: models.SuggestMerge, Class: string(r.Class), Returned: true}, []int64{r.Lo, r.Hi}, r.Evidence,
			Evidence{Pairs: []dedupe.Pair{r.Pair}, Before: &Before{r.Before.Class, r.Before.Tenths}})
	}
	return c.out, c.err
}

type composer struct {
	people map[int64]*dedupe.Record
	said   map[dedupe.PairKey]dedupe.Verdict
	out    []models.NewSuggestion
	err    error
}

func (c *composer) add(s models.NewSuggestion, members []int64, weight dedupe.Evidence, shown Evidence) {
	raw, err := json.Marshal(shown)
	if err != nil {
		c.err = fmt.Errorf("evidence of a suggestion: %w", err)
		return
	}
	s.Members, s.Evidence, s.Tenths, s.Chance = members, raw, weight.Tenths, weight.Chance
	if s.Keep == 0 {
		s.Keep = members[0]
	}
	if s.Fingerprint == "" {
		sum := sha256.Sum256(append([]byte(s.Kind), raw...))
		s.Fingerprint = hex.EncodeToString(sum[:16])
	}
	var records []*dedupe.Record
	for _, id := range members {
		if r := c.people[id]; r != nil {
			records = append(records, r)
		}
	}
	s.Schools, s.Risk = schools(records), max(s.Risk, risk(records, len(shown.Reasons) > 0))
	c.out = append(c.out, s)
}

// listedAgain is a case of two records that are one person here: the evidence is Clever's word alone.
func (c *composer) listedAgain(a *models.ListedAgain) {
	s := models.NewSuggestion{Kind: models.SuggestSplit, Class: string(dedupe.Confirmed), Keep: a.Survivor, Risk: riskTwoUsers}
	c.add(s, []int64{min(a.Survivor, a.Record), max(a.Survivor, a.Record)}, dedupe.Evidence{},
		Evidence{Split: &Split{CleverID: a.CleverID, Merge: a.Merge, Record: a.Record, Since: a.Since.UTC()}})
}

// schools are those of all members, ascending. None at all where one of the members can be reached by those of the
// whole district alone.
func schools(members []*dedupe.Record) []int64 {
	var all []int64
	for _, r := range members {
		if len(r.Schools) == 0 || current(r, access.DistrictAdmin) {
			return nil
		}
		all = append(all, r.Schools...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func current(r *dedupe.Record, role access.Role) bool {
	return slices.Contains(r.Roles, dedupe.Role{Role: role, Current: true})
}

func risk(members []*dedupe.Record, doubt bool) int16 {
	users := map[string]bool{}
	for _, r := range members {
		if current(r, access.DistrictAdmin) {
			return riskAdmin
		}
		for _, id := range r.Clever {
			if id.User && id.Current {
				users[id.Value] = true
			}
		}
	}
	switch {
	case len(users) > 1:
		return riskTwoUsers
	case doubt:
		return riskDoubt
	}
	return riskNone
}
