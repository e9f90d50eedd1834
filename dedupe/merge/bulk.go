package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/models"
)

// Why a suggestion was left out of its batch, or its merge kept when the batch was taken back; beside the codes of rules.
const (
	LeftChanged   = "changed"     // it is not what was listed, or somebody else is at it
	LeftAnswer    = "clash"       // overrides disagree, and somebody has to answer
	LeftMoved     = "moved"       // its plan moved between the preview and the merge
	LeftDifferent = "different"   // it was drawn, and whoever read it said that they are different people
	LeftNobody    = "nobody_left" // after it nobody could change settings
	KeptStacked   = "stacked"     // later merges stand on it
	KeptAnswer    = "since"       // somebody changed something since, and has to say what becomes of it
	KeptAlready   = "taken_back"  // it was taken back by itself
)

// bulkSlice is how many merges are planned in one transaction.
const bulkSlice = 20

// Bulk works on a batch in its maker's name: it plans each merge, or makes those that were agreed to, or takes them
// back; one that another program began it takes up where that stopped. Each merge is a transaction of its own, with the
// plan that was made for it, and under the rules that hold for any other. It does nothing with a batch that waits for a
// person.
func Bulk(ctx context.Context, store *models.Store, district, id int64) error {
	for {
		more := false
		err := store.As(access.System(district, "bulk")).Write(ctx, func(tx *models.Tx) (err error) {
			more, err = bulkStep(ctx, tx, id)
			return err
		})
		if err != nil {
			return fmt.Errorf("work on bulk %d: %w", id, err)
		}
		if !more {
			return nil
		}
	}
}

func bulkStep(ctx context.Context, tx *models.Tx, id int64) (more bool, err error) {
	if err := tx.LockAccess(ctx); err != nil {
		return false, err
	}
	b, err := tx.LockBulk(ctx, id)
	if err != nil || !b.State.Working() {
		return false, err
	}
	by := b.MadeBy
	if b.State == models.BulkUndoing && b.UndoneBy != nil {
		by = *b.UndoneBy
	}
	actor := access.Actor{District: tx.Actor().District, User: by, Facts: access.Facts{View: access.View(b.View)}}
	facts, err := tx.UserFacts(ctx, by)
	if err == nil {
		actor.Facts = facts.Facts(tx.Now())
		actor.View = access.View(b.View)
	} else if !errors.Is(err, models.ErrNotFound) { // who has gone may do nothing any more: every merge is left
		return false, err
	}
	if err := tx.Become(actor); err != nil {
		return false, err
	}
	items, err := tx.BulkItems(ctx, id)
	if err != nil {
		return false, err
	}
	switch b.State {
	case models.BulkPlanning:
		return planBulk(ctx, tx, b, items)
	case models.BulkApplying:
		return applyBulk(ctx, tx, b, items)
	default:
		return undoBulk(ctx, tx, b, items)
	}
}

// request is the merge of one suggestion of a batch.
func request(b models.Bulk, i models.BulkItem) Request {
	return Request{Members: i.Members, Keep: i.KeepID, Class: dedupe.Class(b.Class), Bulk: b.ID}
}

// planBulk plans a slice. When all are planned, it settles how many must be read before the rest can follow.
func planBulk(ctx context.Context, tx *models.Tx, b models.Bulk, items []models.BulkItem) (more bool, err error) {
	planned := 0
	for i := range items {
		if items[i].State != models.ItemWaiting || items[i].Plan != nil {
			continue
		}
		if planned++; planned > bulkSlice {
			return true, nil
		}
		if err := planItem(ctx, tx, b, &items[i]); err != nil {
			return false, err
		}
		if err := tx.SetBulkItem(ctx, b.ID, items[i]); err != nil {
			return false, err
		}
	}
	d, err := tx.District(ctx)
	if err != nil {
		return false, err
	}
	var open []int
	for _, i := range items {
		if i.State == models.ItemWaiting {
			open = append(open, i.N)
		}
	}
	n, worth := dedupe.SampleSize(len(open), int(d.BulkWrong))
	switch {
	case len(open) == 0:
		b.State, b.Why = models.BulkRefused, models.BulkNone
	case !worth && b.Class == string(dedupe.Confirmed): // Clever's own word, and every one of them was on the page
		b.State, b.Wrong = models.BulkReady, new(int32)
	case !worth:
		b.State, b.Why = models.BulkRefused, models.BulkFew
	default:
		b.State = models.BulkSampling
		drawn := dedupe.Draw(len(open), n, uint64(b.Seed)) //nolint:gosec // any bits are a seed
		for _, at := range drawn {
			b.Sample = append(b.Sample, models.BulkAnswer{N: open[at]})
		}
		for _, at := range drawn[:min(len(drawn), max(1, n/shownTwice), mostTwice)] {
			b.Sample = append(b.Sample, models.BulkAnswer{N: open[at]})
		}
	}
	return false, tx.MoveBulk(ctx, b, models.BulkPlanning)
}

// One in shownTwice of those drawn is shown again at the end, at most mostTwice of them.
const (
	shownTwice = 20
	mostTwice  = 5
)

// planItem plans one merge, or says why a person must read it by itself.
func planItem(ctx context.Context, tx *models.Tx, b models.Bulk, i *models.BulkItem) error {
	leave := func(why string) error {
		i.State, i.Why = models.ItemLeft, why
		return nil
	}
	stands, err := tx.StandsForBulk(ctx, *i)
	if err != nil || !stands {
		return errors.Join(err, leave(LeftChanged))
	}
	p, err := Look(ctx, tx, request(b, *i))
	if errors.Is(err, models.ErrNotFound) {
		return leave(LeftChanged)
	}
	if err != nil {
		return err
	}
	switch {
	case len(p.Refused) > 0:
		return leave(string(p.Refused[0].Code))
	case len(p.Second) > 0:
		return leave(string(p.Second[0].Code))
	case p.disagrees():
		return leave(LeftAnswer)
	}
	i.Plan, err = p.Hash()
	i.Counts = models.BulkCounts{Accounts: len(p.Accounts), Sessions: p.Sessions}
	for _, m := range p.Moves {
		i.Counts.Rows += m.Rows
	}
	for _, m := range p.Effects {
		for _, e := range m.Effects {
			if e.Widens() {
				i.Counts.More++
			} else {
				i.Counts.Less++
			}
		}
	}
	return err
}

func (p Plan) disagrees() bool {
	for _, c := range p.Clashes {
		if c.Kind == OverrideDisagrees {
			return true
		}
	}
	return false
}

// Answered says what a sample that was read comes to: how many of those drawn were wrong, how often the reader said two
// things of one, and the most that can be wrong of the batch, in millionths. Said of twice, one "different" is enough.
func Answered(sample []models.BulkAnswer, batch int) (drawn, wrong, torn int, most int32) {
	said := map[int]string{}
	for _, a := range sample {
		before, again := said[a.N]
		if again && before != a.Answer {
			torn++
		}
		if !again || a.Answer != string(dedupe.SaidSame) {
			said[a.N] = a.Answer
		}
	}
	for _, answer := range said {
		if answer != string(dedupe.SaidSame) {
			wrong++
		}
	}
	drawn = len(said)
	if batch > 0 {
		most = int32(dedupe.MostWrong(batch, drawn, wrong) * 1_000_000 / batch) //nolint:gosec // at most a million
	}
	return drawn, wrong, torn, most
}

// errProposed says that a merge would be only proposed, because somebody else would have to agree by now.
var errProposed = errors.New("somebody else must agree")

// errNobodyLeft says that after a merge nobody could change settings and rules.
var errNobodyLeft = errors.New("nobody would be left to change settings")

// applyBulk makes the next merge.
func applyBulk(ctx context.Context, tx *models.Tx, b models.Bulk, items []models.BulkItem) (more bool, err error) {
	for _, i := range items {
		if i.State != models.ItemWaiting {
			continue
		}
		var d Done
		err := tx.Attempt(ctx, func() (err error) {
			d, err = Apply(ctx, tx, request(b, i), i.Plan, bulkToken(tx, b, i, "merge"))
			if err == nil && d.Merge.State != models.MergeDone {
				err = errProposed
			}
			if err != nil {
				return err
			}
			left, err := tx.AnyoneMay(ctx, access.SettingsManage)
			if err == nil && !left {
				err = errNobodyLeft
			}
			return err
		})
		refused, forbidden := errors.AsType[RefusedError](err)
		switch {
		case forbidden:
			i.State, i.Why = models.ItemLeft, string(refused.Reasons[0].Code)
		case errors.Is(err, errProposed):
			i.State, i.Why = models.ItemLeft, string(dedupe.SecondEyes)
		case errors.Is(err, errNobodyLeft):
			i.State, i.Why = models.ItemLeft, LeftNobody
		case errors.Is(err, ErrMoved):
			i.State, i.Why = models.ItemLeft, LeftMoved
		case err != nil:
			return false, err
		default:
			i.State, i.MergeID = models.ItemMerged, &d.Merge.ID
		}
		return true, tx.SetBulkItem(ctx, b.ID, i)
	}
	b.State = models.BulkAccepted
	return false, tx.MoveBulk(ctx, b, models.BulkApplying)
}

// undoBulk takes the next merge back, the last one first.
func undoBulk(ctx context.Context, tx *models.Tx, b models.Bulk, items []models.BulkItem) (more bool, err error) {
	for _, i := range slices.Backward(items) {
		if i.State != models.ItemMerged {
			continue
		}
		i.State = models.ItemUnmerged
		r := UnmergeRequest{Merge: *i.MergeID, Undecided: true}
		u, err := LookBack(ctx, tx, r)
		if err != nil {
			return false, err
		}
		switch {
		case u.Merge.State != models.MergeDone:
			i.Why = KeptAlready
		case len(u.Stacked) > 0:
			i.State, i.Why = models.ItemKept, KeptStacked
		case len(u.Questions) > 0:
			i.State, i.Why = models.ItemKept, KeptAnswer
		case len(u.Refused) > 0:
			i.State, i.Why = models.ItemKept, string(u.Refused[0].Code)
		default:
			hash, err := u.Hash()
			if err == nil {
				_, err = Unmerge(ctx, tx, r, hash, bulkToken(tx, b, i, "unmerge"))
			}
			if err != nil {
				return false, err
			}
		}
		return true, tx.SetBulkItem(ctx, b.ID, i)
	}
	b.State = models.BulkUndone
	return false, tx.MoveBulk(ctx, b, models.BulkUndoing)
}

// bulkToken follows from what is done, so that nothing is done twice.
func bulkToken(tx *models.Tx, b models.Bulk, i models.BulkItem, deed string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d.%d of district %d, %x", deed, b.ID, i.N, tx.Actor().District, b.Seed))
	return hex.EncodeToString(sum[:16])
}

// BackOut is what taking a batch back would do: merges that go, what those did when they were planned, and merges that
// stay and why.
type BackOut struct {
	Merges int
	Did    models.BulkCounts
	Kept   map[string]int
}

// LookBackAt works out what taking a batch back would do now.
func LookBackAt(ctx context.Context, tx *models.Tx, items []models.BulkItem) (o BackOut, err error) {
	o.Kept = map[string]int{}
	mine := map[int64]bool{}
	for _, i := range items {
		if i.MergeID != nil {
			mine[*i.MergeID] = true
		}
	}
	for _, i := range items {
		if i.State != models.ItemMerged {
			continue
		}
		m, err := tx.MergeByID(ctx, *i.MergeID)
		if err != nil {
			return o, err
		}
		if m.State != models.MergeDone {
			o.Kept[KeptAlready]++
			continue
		}
		stacked, err := tx.StackedMerges(ctx, m.ID)
		if err != nil {
			return o, err
		}
		outside := 0
		for _, s := range stacked {
			if !mine[s] {
				outside++
			}
		}
		if outside > 0 {
			o.Kept[KeptStacked]++
			continue
		}
		o.Merges++
		o.Did.Add(i.Counts)
	}
	return o, nil
}
