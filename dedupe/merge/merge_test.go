package merge_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/dedupe/merge"
	"hallpass/models"
)

// look plans as somebody.
func (s *stage) look(by int64, r merge.Request) (p merge.Plan, hash []byte) {
	s.t.Helper()
	err := s.as(by).Read(s.t.Context(), func(tx *models.Tx) (err error) {
		if p, err = merge.Look(s.t.Context(), tx, r); err == nil {
			hash, err = p.Hash()
		}
		return err
	})
	if err != nil {
		s.t.Fatalf("look: %v", err)
	}
	return p, hash
}

// apply merges as somebody, with a plan that somebody saw.
func (s *stage) apply(by int64, r merge.Request, hash []byte, click string) (d merge.Done, err error) {
	s.t.Helper()
	err = s.as(by).Write(s.t.Context(), func(tx *models.Tx) (err error) { d, err = merge.Apply(s.t.Context(), tx, r, hash, click); return err })
	return d, err
}

func (s *stage) unmerge(by, id int64, answers map[string]merge.Answer) (d merge.Undone, u merge.Undo, err error) {
	s.t.Helper()
	r := merge.UnmergeRequest{Merge: id, Answers: answers, Reason: "two people"}
	var hash []byte
	err = s.as(by).Read(s.t.Context(), func(tx *models.Tx) (err error) {
		if u, err = merge.LookBack(s.t.Context(), tx, r); err == nil {
			hash, err = u.Hash()
		}
		return err
	})
	if err != nil {
		return d, u, err
	}
	err = s.as(by).Write(s.t.Context(), func(tx *models.Tx) (err error) {
		d, err = merge.Unmerge(s.t.Context(), tx, r, hash, token())
		return err
	})
	return d, u, err
}

// mergeAll merges as two people do where one is not enough.
func (s *stage) mergeAll(first, second int64, r merge.Request, hash []byte) (models.Merge, error) {
	click := token()
	d, err := s.apply(first, r, hash, click)
	if err != nil {
		return d.Merge, err
	}
	again, err := s.apply(first, r, hash, click)
	if err != nil || again.Merge.ID != d.Merge.ID || again.Change.ID != d.Change.ID {
		return d.Merge, fmt.Errorf("the second click is merge %d, receipt %d: %w", again.Merge.ID, again.Change.ID, err)
	}
	if d.Merge.State == models.MergeProposed {
		r.Proposal, r.Keep = d.Merge.ID, d.Merge.SurvivorID
		_, seen := s.look(second, r)
		if d, err = s.apply(second, r, seen, token()); err != nil {
			return d.Merge, err
		}
	}
	return d.Merge, nil
}

// facts are what somebody may do, as pages and programs are told.
func (s *stage) facts(user int64) (f access.Facts) {
	s.t.Helper()
	s.read(func(tx *models.Tx) error {
		in, err := tx.UserFacts(s.t.Context(), user)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		f = in.Facts(*s.now)
		return err
	})
	return f
}

// On random districts: what a preview promises is what comes, in whatever order the members are named; a second click
// is the first one; and taking the merge back leaves every row of every table as it was.
func TestUnmergeIsTheInverseOfMerge(t *testing.T) {
	s := newStage(t)
	number, merged := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		number++
		s.fresh(fmt.Sprint("random-", number))
		people := s.draw(rt)
		first, second := s.user("first"), s.user("second")
		members := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 2, 3, func(id int64) int64 { return id }).Draw(rt, "members")
		r := merge.Request{Members: members, Keep: members[0]}
		p, hash := s.look(first, r)
		slices.Reverse(r.Members)
		if _, other := s.look(first, r); !bytes.Equal(hash, other) {
			rt.Fatal("the order of members matters")
		}
		before := s.dump()
		if len(p.Refused) > 0 {
			_, err := s.mergeAll(first, second, r, hash)
			if _, refused := errors.AsType[merge.RefusedError](err); !refused || s.dump() != before {
				rt.Fatalf("refused for %v, yet: %v", p.Refused, err)
			}
			return
		}
		m, err := s.mergeAll(first, second, r, hash)
		if err != nil {
			rt.Fatal(err)
		}
		merged++
		after := p.After()
		after.Policy = s.facts(first).Policy
		if diff := access.Effects(after, withPolicy(s.facts(p.Survivor), after)); len(diff) > 0 {
			rt.Fatalf("the preview promised something else: %v", diff)
		}
		d, _, err := s.unmerge(second, m.ID, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if len(d.Differs) > 0 {
			rt.Errorf("differs: %+v", d.Differs)
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			rt.Fatalf("not as before:\n%s", diff)
		}
	})
	if merged == 0 {
		t.Error("nothing was merged")
	}
	t.Logf("%d merges in %d districts", merged, number)
}

// withPolicy lends somebody who is not there the policy, so that nothing can be compared with nothing.
func withPolicy(f, of access.Facts) access.Facts {
	if f.Policy == nil {
		f.Policy, f.Now = of.Policy, of.Now
	}
	f.View = access.ViewAll
	return f
}
