package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
)

// ErrMoved says that a plan is not the one that was shown: look again.
var ErrMoved = fmt.Errorf("the plan has moved: %w", models.ErrConflict)

// RefusedError says which hard rules forbid a merge.
type RefusedError struct{ Reasons []dedupe.Reason }

func (e RefusedError) Error() string {
	codes := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		codes[i] = string(r.Code)
	}
	return "merge refused: " + strings.Join(codes, ", ")
}

// Look reads what a request is about, and plans it on behalf of the transaction's actor. It writes nothing.
// models.ErrNotFound: fewer than two of the members are there, or one is merged already.
func Look(ctx context.Context, tx *models.Tx, r Request) (Plan, error) {
	in, err := read(ctx, tx, r)
	if err != nil {
		return Plan{}, err
	}
	return Make(in)
}

func read(ctx context.Context, tx *models.Tx, r Request) (in Input, err error) {
	r.Members = slices.Compact(slices.Sorted(slices.Values(r.Members)))
	in = Input{Request: r, Now: tx.Now()}
	if in.State, err = tx.MergeState(ctx, r.Members); err != nil {
		return in, err
	}
	there := 0
	for _, rec := range in.State.Records {
		if rec.MergedInto == nil {
			there++
		}
	}
	if there != len(r.Members) {
		return in, fmt.Errorf("read members of merge: %w", models.ErrNotFound)
	}
	if in.Records, err = queue.Records(ctx, tx, r.Members); err != nil {
		return in, err
	}
	decisions, err := queue.Decisions(ctx, tx)
	if err != nil {
		return in, err
	}
	said := map[dedupe.PairKey]dedupe.Decision{}
	for _, d := range decisions {
		said[d.PairKey] = d
	}
	in.Decided = func(k dedupe.PairKey) (dedupe.Decision, bool) { d, ok := said[k]; return d, ok }
	in.Policy = in.State.Policy
	in.Actor, err = ActorOf(ctx, tx, in.Records)
	return in, err
}

// ActorOf is the transaction's actor as the rules ask about them: where they review duplicates, and which of the
// members' roles they may put together. That is any role but one of the whole district, which takes somebody who holds
// everything it gives.
func ActorOf(ctx context.Context, tx *models.Tx, members []dedupe.Record) (Actor, error) {
	facts := tx.Actor().Facts
	a := Actor{Actor: dedupe.Actor{Record: tx.Actor().User}, Facts: facts}
	if facts.Policy == nil {
		return a, nil
	}
	reach, err := tx.SpellOut(ctx, facts.Reach(access.DuplicatesReview))
	if err != nil {
		return a, err
	}
	a.District, a.Schools = reach.Whole(), reach.Schools
	all := true
	for _, p := range facts.Policy.Catalogue.Permissions(facts.Policy.Gives(access.DistrictAdmin, nil)) {
		all = all && facts.Reach(p).Whole()
	}
	for _, m := range members {
		for _, r := range m.Roles {
			if (all || !r.Role.DistrictWide()) && !slices.Contains(a.Grants, r.Role) {
				a.Grants = append(a.Grants, r.Role)
			}
		}
	}
	return a, nil
}

// Done is what came of applying a plan: the merge, which waits for a second person if it is only proposed, and its
// receipt.
type Done struct {
	Merge  models.Merge
	Change models.Change
}

// recorded is a merge as changes and the audit keep it: ids, codes and counts.
type recorded struct {
	Merge    int64          `json:"merge"`
	Survivor int64          `json:"survivor"`
	Members  []int64        `json:"members"`
	Rows     map[string]int `json:"rows,omitempty"`
	Sessions int            `json:"sessions,omitempty"`
	More     int            `json:"more"` // permissions at places that one of the members gains
	Class    string         `json:"class,omitempty"`
	Bulk     int64          `json:"bulk,omitempty"`
}

// Apply merges, once and only as it was shown: hash is that of the plan that the person saw, and token the proof that
// two clicks are one. Where somebody else must agree, it writes the proposal down and moves nothing. ErrMoved: nothing
// was done, look again. RefusedError: a rule forbids it. models.ErrTooSlow: a sync did not let go in time.
func Apply(ctx context.Context, tx *models.Tx, r Request, hash []byte, token string) (Done, error) {
	if err := tx.LockAccess(ctx); err != nil {
		return Done{}, err
	}
	if d, err := byToken(ctx, tx, token); !errors.Is(err, models.ErrNotFound) {
		return d, err
	}
	p, err := settled(ctx, tx, r, hash)
	if err != nil {
		return Done{}, err
	}
	order := p.order
	order.Plan = hash
	if r.Proposal != 0 {
		return agree(ctx, tx, p, order, token)
	}
	if p.NeedsSecond() {
		m, err := tx.ProposeMerge(ctx, order)
		if err != nil {
			return Done{}, err
		}
		return record(ctx, tx, m, p, audit.MergeProposed, token)
	}
	return do(ctx, tx, p, order, token)
}

// byToken is what the same click came to before.
func byToken(ctx context.Context, tx *models.Tx, token string) (d Done, err error) {
	if d.Change, err = tx.ChangeOfToken(ctx, token); err != nil {
		return d, err
	}
	d.Merge, err = OfSubject(ctx, tx, d.Change.Subject)
	return d, err
}

// OfSubject reads the merge that a change or an audit entry is about.
func OfSubject(ctx context.Context, tx *models.Tx, subject string) (models.Merge, error) {
	var id int64
	if _, err := fmt.Sscanf(subject, "merge:%d", &id); err != nil {
		return models.Merge{}, fmt.Errorf("merge of %q: %w", subject, models.ErrNotFound)
	}
	return tx.MergeByID(ctx, id)
}

// settled is the plan once nobody else can change what it rests on, if it is still the one that was shown and allowed.
func settled(ctx context.Context, tx *models.Tx, r Request, hash []byte) (Plan, error) {
	if err := tx.LockRecords(ctx, r.Members); err != nil {
		return Plan{}, err
	}
	p, err := Look(ctx, tx, r)
	if errors.Is(err, models.ErrNotFound) {
		return p, ErrMoved
	}
	if err != nil {
		return p, err
	}
	if len(p.Refused) > 0 {
		return p, RefusedError{p.Refused}
	}
	now, err := p.Hash()
	if err == nil && !bytes.Equal(now, hash) {
		err = ErrMoved
	}
	return p, err
}

func do(ctx context.Context, tx *models.Tx, p Plan, order models.MergeOrder, token string) (Done, error) {
	m, err := tx.Merge(ctx, order)
	if never, ok := errors.AsType[models.NeverError](err); ok {
		return Done{}, RefusedError{[]dedupe.Reason{{Code: neverCodes[never.Rule], Records: append([]int64{p.Survivor}, p.Losers...)}}}
	}
	if err != nil {
		return Done{}, err
	}
	return record(ctx, tx, m, p, audit.UsersMerged, token)
}

// neverCodes are the database's own refusals as rules.
var neverCodes = map[string]dedupe.Code{"role": dedupe.StudentRole, "different": dedupe.DecidedDifferent, "chain": dedupe.SameRecord}

func record(ctx context.Context, tx *models.Tx, m models.Merge, p Plan, action audit.Action, token string) (Done, error) {
	r := recorded{Merge: m.ID, Survivor: p.Survivor, Members: p.Losers, Rows: map[string]int{}, Sessions: p.Sessions, Class: m.Class}
	for _, move := range p.Moves {
		r.Rows[move.Kind] += move.Rows
	}
	for _, e := range p.Effects {
		for _, x := range e.Effects {
			r.More += btoi(x.Widens())
		}
	}
	if m.Bulk != nil {
		r.Bulk = *m.Bulk
	}
	before := struct {
		People []int64 `json:"people"`
	}{append([]int64{p.Survivor}, p.Losers...)}
	c, err := tx.RecordChange(ctx, models.NewChange{Token: token, Action: action, Subject: m.Subject(), Before: before, After: r, Plan: m.Plan})
	if err != nil {
		return Done{}, err
	}
	m.ChangeID = &c.ID
	return Done{m, c}, tx.NoteMergeChange(ctx, m.ID, c.ID)
}

// agree does what somebody else proposed.
func agree(ctx context.Context, tx *models.Tx, p Plan, order models.MergeOrder, token string) (Done, error) {
	m, err := tx.MergeByID(ctx, order.Proposal)
	if err != nil {
		return Done{}, err
	}
	if m.State != models.MergeProposed {
		return Done{}, ErrMoved
	}
	if why := CannotAgree(tx, m, p); why != "" {
		return Done{}, RefusedError{[]dedupe.Reason{{Code: why}}}
	}
	return do(ctx, tx, p, order, token)
}

// SamePerson is the reason that somebody cannot agree to what they proposed themselves.
const SamePerson dedupe.Code = "same_person"

// CannotAgree says why the transaction's actor cannot agree to a proposal; "" if they can.
func CannotAgree(tx *models.Tx, m models.Merge, p Plan) dedupe.Code {
	switch {
	case m.ProposedBy == tx.Actor().User:
		return SamePerson
	case len(p.Refused) > 0:
		return p.Refused[0].Code
	case len(p.Beyond) > 0:
		return MoreThanHeld
	}
	return ""
}

// Refuse ends a proposal. Whoever proposed it may take it back so.
func Refuse(ctx context.Context, tx *models.Tx, m models.Merge, token string) (models.Change, error) {
	if err := tx.LockAccess(ctx); err != nil {
		return models.Change{}, err
	}
	if err := tx.RefuseMerge(ctx, m.ID); err != nil {
		return models.Change{}, err
	}
	state := struct {
		Merge int64 `json:"merge"`
	}{m.ID}
	return tx.RecordChange(ctx, models.NewChange{Token: token, Action: audit.MergeRefused, Subject: m.Subject(), Before: state, After: state, Plan: m.Plan})
}

// RequestOf is the request that a proposal was made with.
func RequestOf(ctx context.Context, tx *models.Tx, m models.Merge) (Request, error) {
	losers, err := tx.MergeMembers(ctx, m.ID)
	r := Request{Members: append(losers, m.SurvivorID), Keep: m.SurvivorID, Class: dedupe.Class(m.Class), Reason: m.Reason, Proposal: m.ID}
	if err == nil {
		r.Choices, err = choicesOf(m)
	}
	return r, err
}
