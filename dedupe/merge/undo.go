package merge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
)

func choicesOf(m models.Merge) (c Choices, err error) {
	if err = json.Unmarshal(m.Choices, &c); err != nil {
		err = fmt.Errorf("choices of merge %d: %w", m.ID, err)
	}
	return c, err
}

// Answer says what becomes of a row that somebody else changed or made since the merge.
type Answer string

// Answers.
const (
	Keep    Answer = "keep"    // stays with the survivor, as it is
	Give    Answer = "give"    // goes to the person given back, as it is
	Restore Answer = "restore" // becomes what it was before the merge
)

// UnmergeRequest is a merge to be taken back, with answers by the keys of questions.
type UnmergeRequest struct {
	Merge   int64
	Answers map[string]Answer
	Reason  string
	// Undecided says nothing of the people: they come back to the queue. Otherwise they are different people from now on.
	Undecided bool
}

// Question is a row that people changed or made since the merge. Clever's own rows follow their record unasked.
type Question struct {
	Key      string
	Table    string
	ID       int64
	Created  bool // since the merge; else changed
	Answer   Answer
	Options  []Answer
	To       int64 // the person it would be given to
	Override models.Override
}

// Undo is a plan to take a merge back.
type Undo struct {
	Merge     models.Merge
	People    []int64 // the survivor, and those who are given back
	Stacked   []int64 // later merges that must be taken back first
	Questions []Question
	Returned  map[string]int // rows put back, by table
	Since     int            // rows that somebody else changed since, which stay as they are now
	Effects   []MemberEffects
	Alike     int // sections that Effects leave out: see Plan
	Refused   []dedupe.Reason

	order models.UnmergeOrder
}

// row is an image in columns.
type row map[string]json.RawMessage

func parse(raw json.RawMessage) (r row) {
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &r) // an image that PostgreSQL wrote
	}
	return r
}

func (r row) int(column string) (n int64) {
	_ = json.Unmarshal(r[column], &n) // null is 0
	return n
}

func (r row) same(o row) bool {
	return maps.EqualFunc(r, o, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

func (r row) raw() json.RawMessage {
	text, _ := json.Marshal(r) // columns are JSON already
	return text
}

// LookBack plans to take a merge back, on behalf of the transaction's actor. It writes nothing.
func LookBack(ctx context.Context, tx *models.Tx, r UnmergeRequest) (u Undo, err error) {
	if u.Merge, err = tx.MergeByID(ctx, r.Merge); err != nil {
		return u, err
	}
	losers, err := tx.MergeMembers(ctx, r.Merge)
	if err != nil {
		return u, err
	}
	u.People = append([]int64{u.Merge.SurvivorID}, losers...)
	if u.Merge.State != models.MergeDone {
		return u, nil
	}
	if u.Stacked, err = tx.StackedMerges(ctx, r.Merge); err != nil || len(u.Stacked) > 0 {
		return u, err
	}
	images, err := tx.MergeRows(ctx, r.Merge)
	if err != nil {
		return u, err
	}
	records, err := tx.RecordsOf(ctx, u.People)
	if err != nil {
		return u, err
	}
	now, err := tx.MergeImages(ctx, records)
	if err != nil {
		return u, err
	}
	u.order = models.UnmergeOrder{
		Merge: u.Merge, People: u.People, Reason: r.Reason, Undecided: r.Undecided,
		Delete: map[string][]json.RawMessage{}, Set: map[string][]json.RawMessage{}, Insert: map[string][]json.RawMessage{},
	}
	u.Returned = map[string]int{}
	b := back{u: &u, answers: r.Answers, now: map[string]row{}, met: map[string]bool{}}
	for _, i := range now {
		b.now[i.Table+string(i.Key)] = parse(i.Row)
	}
	b.walk(images)
	b.created(now)
	b.finish()
	return u, u.rules(ctx, tx)
}

// back walks the rows of a merge backwards.
type back struct {
	u         *Undo
	answers   map[string]Answer
	now       map[string]row
	met       map[string]bool
	overrides []row // as they will be
	sections  []int64
	teaches   map[int64]bool // sections that the survivor still teaches
}

func (b *back) walk(images []models.MergeRow) {
	b.teaches = map[int64]bool{}
	for _, r := range b.now {
		if _, primary := r["is_primary"]; primary && r["section_id"] != nil && r.int("user_id") == b.u.Merge.SurvivorID {
			b.teaches[r.int("section_id")] = true
		}
	}
	for _, image := range images {
		key := image.Table + string(image.Key)
		b.met[key] = true
		was, left, now := parse(image.Before), parse(image.After), b.now[key]
		switch {
		case image.Op == "insert":
			b.takeOut(image, left, now)
		case image.Op == "delete":
			b.putIn(image, was, now)
		case now == nil:
			b.u.Since++
			b.u.order.Settle = true
		default:
			b.turnBack(image, was, left, now)
		}
	}
}

// takeOut removes what the merge made, unless somebody has changed it since.
func (b *back) takeOut(image models.MergeRow, left, now row) {
	switch {
	case now == nil:
		b.u.order.Settle = true // Clever, or somebody, did
	case now.same(left) || image.Table == "section_teachers" || image.Table == "user_search":
		b.u.order.Delete[image.Table] = append(b.u.order.Delete[image.Table], now.raw())
		if !now.same(left) {
			b.since(image.Table, now)
		}
	default:
		b.u.Since++
	}
}

// putIn brings back what the merge removed. A section that the survivor teaches no more is not taught by the person
// given back either, as far as Clever said.
func (b *back) putIn(image models.MergeRow, was, now row) {
	if now != nil {
		b.u.Since++
		return
	}
	if image.Table == "section_teachers" && !b.teaches[was.int("section_id")] {
		b.since(image.Table, was)
		return
	}
	b.u.order.Insert[image.Table] = append(b.u.order.Insert[image.Table], was.raw())
	b.u.Returned[image.Table]++
}

// turnBack takes out of a row what the merge put into it, column by column, and leaves what others have changed since.
func (b *back) turnBack(image models.MergeRow, was, left, now row) {
	touched := !was.same(left)
	if !now.same(left) {
		b.since(image.Table, now)
	}
	if !touched {
		if image.Table == "overrides" {
			b.overrides = append(b.overrides, now)
		}
		return
	}
	will := maps.Clone(now)
	for column := range was {
		if !bytes.Equal(was[column], left[column]) && bytes.Equal(now[column], left[column]) {
			will[column] = was[column]
		}
	}
	if image.Table == "overrides" && !now.same(left) {
		q := Question{Key: fmt.Sprintf("overrides.%d", now.int("id")), Table: image.Table, ID: now.int("id"), Answer: Give, Options: []Answer{Give, Keep, Restore}, To: was.int("user_id")}
		if q.To == b.u.Merge.SurvivorID {
			q.Options = []Answer{Keep, Restore}
			q.Answer = Keep
		}
		b.ask(&q)
		switch q.Answer {
		case Keep:
			will = now
		case Restore:
			will = was
		case Give:
		}
	}
	if image.Table == "overrides" {
		b.overrides = append(b.overrides, will)
		if will.same(now) {
			return
		}
	}
	b.u.order.Set[image.Table] = append(b.u.order.Set[image.Table], will.raw())
	b.u.Returned[image.Table]++
}

// since notes a row that somebody else changed.
func (b *back) since(table string, r row) {
	b.u.Since++
	b.u.order.Settle = true
	if table == "section_teachers" {
		b.sections = append(b.sections, r.int("section_id"))
	}
}

// ask puts a question with the answer that was given to it, if it is one.
func (b *back) ask(q *Question) {
	if a := b.answers[q.Key]; slices.Contains(q.Options, a) {
		q.Answer = a
	}
	b.u.Questions = append(b.u.Questions, *q)
}

// created goes through what is there and was not when the merge was made.
func (b *back) created(now []models.MergeImage) {
	for _, i := range now {
		if b.met[i.Table+string(i.Key)] {
			continue
		}
		r := b.now[i.Table+string(i.Key)]
		b.since(i.Table, r)
		if i.Table != "overrides" || r.int("user_id") != b.u.Merge.SurvivorID {
			continue
		}
		q := Question{Key: fmt.Sprintf("overrides.%d", r.int("id")), Table: i.Table, ID: r.int("id"), Created: true, Answer: Keep, Options: []Answer{Keep, Give}, To: b.u.People[1]}
		if school := r.int("school_id"); school != 0 && !b.wasAt(b.u.Merge.SurvivorID, school) {
			for _, id := range b.u.People[1:] {
				if b.wasAt(id, school) {
					q.To, q.Answer = id, Give
					break
				}
			}
		}
		b.ask(&q)
		if q.Answer == Give {
			r = maps.Clone(r)
			r["user_id"] = json.RawMessage(fmt.Sprint(q.To))
			b.u.order.Set[i.Table] = append(b.u.order.Set[i.Table], r.raw())
		}
		b.overrides = append(b.overrides, r)
	}
}

// wasAt reports whether a person's own record gives a role at a school.
func (b *back) wasAt(user, school int64) bool {
	for key, r := range b.now {
		if len(key) > 18 && key[:18] == "role_grant_schools" && r.int("school_id") == school {
			if g := b.now[fmt.Sprintf(`role_grants{"id": %d}`, r.int("grant_id"))]; g.int("record_id") == user {
				return true
			}
		}
	}
	return false
}

// finish keeps two overrides from standing that say the same: of one that would stand again and another made since,
// the later one stays.
func (b *back) finish() {
	type question struct{ user, school, section, permission, place, allow string }
	standing := map[question]bool{}
	of := func(r row) question {
		return question{string(r["user_id"]), string(r["school_id"]), string(r["section_id"]), string(r["permission"]), string(r["place_kind"]), string(r["allow"])}
	}
	slices.SortFunc(b.overrides, func(x, y row) int { return int(y.int("id") - x.int("id")) })
	for _, r := range b.overrides {
		if string(r["ended_at"]) != "null" {
			continue
		}
		q := of(r)
		if !standing[q] {
			standing[q] = true
			continue
		}
		set := b.u.order.Set["overrides"]
		for i := range set {
			if x := parse(set[i]); x.int("id") == r.int("id") {
				x["ended_at"] = b.now[fmt.Sprintf(`overrides{"id": %d}`, x.int("id"))]["ended_at"]
				set[i] = x.raw()
				b.u.order.Settle = true
			}
		}
	}
	slices.Sort(b.sections)
	b.u.order.Sections = slices.Compact(b.sections)
}

// rules are those about the person who takes the merge back: they are not one of the people, and review duplicates
// where all of them are.
func (u *Undo) rules(ctx context.Context, tx *models.Tx) error {
	records, err := queue.Records(ctx, tx, []int64{u.Merge.SurvivorID})
	if err != nil {
		return err
	}
	actor, err := ActorOf(ctx, tx, records)
	if err != nil {
		return err
	}
	for _, r := range dedupe.MayDecide(actor.Actor, records) {
		if r.Code != dedupe.SecondEyes {
			u.Refused = append(u.Refused, r)
		}
	}
	if slices.Contains(u.People, tx.Actor().User) && !slices.ContainsFunc(u.Refused, func(r dedupe.Reason) bool { return r.Code == dedupe.OwnRecord }) {
		u.Refused = append(u.Refused, dedupe.Reason{Code: dedupe.OwnRecord, Records: []int64{tx.Actor().User}})
	}
	return u.permissions(ctx, tx)
}

// permissions compares what the one person may do now with what each will.
func (u *Undo) permissions(ctx context.Context, tx *models.Tx) error {
	s, err := tx.MergeState(ctx, []int64{u.Merge.SurvivorID})
	if err != nil {
		return err
	}
	now := access.Facts{Policy: s.Policy, View: access.ViewAll, Now: tx.Now()}
	for _, r := range s.Records {
		if r.ID == u.Merge.SurvivorID && r.EndedAt == nil {
			now.Grants, now.Teaches, now.Overrides = factsOf(s, []int64{r.ID}, nil)
		}
	}
	home := map[int64]int64{}
	for _, raw := range u.order.Set["users"] {
		r := parse(raw)
		home[r.int("id")] = r.int("merged_into")
	}
	taught := map[int64][]int64{} // by section
	gone := map[int64]bool{}
	for _, raw := range u.order.Delete["section_teachers"] {
		gone[parse(raw).int("section_id")] = true
	}
	for _, raw := range u.order.Insert["section_teachers"] {
		r := parse(raw)
		taught[r.int("section_id")] = append(taught[r.int("section_id")], r.int("user_id"))
	}
	owner := map[int64]row{}
	for _, raw := range u.order.Set["overrides"] {
		r := parse(raw)
		owner[r.int("id")] = r
	}
	revived, err := u.revived(ctx, tx, owner, s.Overrides)
	if err != nil {
		return err
	}
	thin, alike := thinner(models.MergeState{Teaches: taughtBy(s.Teaches, gone, taught), Overrides: append(slices.Clone(s.Overrides), revived...)})
	u.Alike = alike
	now = thin(now)
	for _, person := range u.People {
		after := access.Facts{Policy: s.Policy, View: access.ViewAll, Now: tx.Now()}
		for _, g := range s.Grants {
			whose := g.RecordID
			if h, known := home[whose]; known && h != 0 {
				whose = h
			} else if !known {
				whose = u.Merge.SurvivorID
			}
			if whose == person {
				after.Grants = append(after.Grants, access.Grant{Role: g.Role, Labels: g.Labels, Schools: g.Schools, Source: g.Source})
			}
		}
		for _, t := range s.Teaches {
			own := person == u.Merge.SurvivorID && !gone[t.Section]
			if own || slices.Contains(taught[t.Section], person) {
				after.Teaches = append(after.Teaches, access.AtSection(t.Section, t.School))
			}
		}
		for _, o := range append(slices.Clone(s.Overrides), revived...) {
			user, ended := o.UserID, false
			if r, known := owner[o.ID]; known {
				user, ended = r.int("user_id"), string(r["ended_at"]) != "null"
			}
			if user == person && !ended {
				after.Overrides = append(after.Overrides, o.Fact())
			}
		}
		u.Effects = append(u.Effects, MemberEffects{person, access.Effects(now, thin(after))})
	}
	return nil
}

// taughtBy are the sections taught now, with those who will teach them.
func taughtBy(now []models.MergeSection, gone map[int64]bool, will map[int64][]int64) (list []models.MergeSection) {
	for _, t := range now {
		for _, id := range will[t.Section] {
			list = append(list, models.MergeSection{UserID: id, Section: t.Section, School: t.School})
		}
		if !gone[t.Section] {
			list = append(list, t)
		}
	}
	return list
}

// revived are overrides that do not stand now and will again.
func (u *Undo) revived(ctx context.Context, tx *models.Tx, owner map[int64]row, standing []models.Override) (list []models.Override, err error) {
	for _, id := range slices.Sorted(maps.Keys(owner)) {
		if string(owner[id]["ended_at"]) != "null" || slices.ContainsFunc(standing, func(o models.Override) bool { return o.ID == id }) {
			continue
		}
		o, err := tx.Override(ctx, id)
		if err != nil {
			return nil, err
		}
		if o.EndsAt == nil || o.EndsAt.After(tx.Now()) {
			list = append(list, o)
		}
	}
	return list, nil
}

// Stated is what the plan promises.
func (u Undo) Stated() any {
	return struct {
		Merge               int64
		State               string
		Stacked             []int64
		Delete, Set, Insert map[string][]json.RawMessage
		Settle              bool
		Effects             []MemberEffects
	}{u.Merge.ID, u.Merge.State, u.Stacked, u.order.Delete, u.order.Set, u.order.Insert, u.order.Settle, u.Effects}
}

// Hash is SHA-256 of what the plan states.
func (u Undo) Hash() ([]byte, error) {
	text, err := json.Marshal(u.Stated())
	if err != nil {
		return nil, fmt.Errorf("hash plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

// Undone is what came of taking a merge back. Differs are the rows that are not as they were before it.
type Undone struct {
	Merge   models.Merge
	Change  models.Change
	Differs []models.MergeDifference
}

// ErrStacked says that later merges stand on this one.
var ErrStacked = errors.New("later merges must be taken back first")

// Unmerge takes a merge back, once and only as it was shown.
func Unmerge(ctx context.Context, tx *models.Tx, r UnmergeRequest, hash []byte, token string) (d Undone, err error) {
	if err = tx.LockAccess(ctx); err != nil {
		return d, err
	}
	if done, err := byToken(ctx, tx, token); !errors.Is(err, models.ErrNotFound) {
		d.Merge, d.Change = done.Merge, done.Change
		return d, err
	}
	m, err := tx.MergeByID(ctx, r.Merge)
	if err != nil {
		return d, err
	}
	if err = tx.LockRecords(ctx, []int64{m.SurvivorID}); err != nil {
		return d, err
	}
	u, err := LookBack(ctx, tx, r)
	switch {
	case err != nil:
		return d, err
	case u.Merge.State != models.MergeDone:
		return d, ErrMoved
	case len(u.Stacked) > 0:
		return d, ErrStacked
	case len(u.Refused) > 0:
		return d, RefusedError{u.Refused}
	}
	now, err := u.Hash()
	if err == nil && !bytes.Equal(now, hash) {
		err = ErrMoved
	}
	if err != nil {
		return d, err
	}
	if d.Differs, err = tx.Unmerge(ctx, u.order); err != nil {
		return d, err
	}
	d.Merge = u.Merge
	before := recorded{Merge: m.ID, Survivor: m.SurvivorID, Members: u.People[1:], Class: m.Class}
	after := struct {
		Merge   int64          `json:"merge"`
		Rows    map[string]int `json:"rows"`
		Differs int            `json:"differs"`
	}{m.ID, u.Returned, len(d.Differs)}
	n := models.NewChange{Token: token, Action: audit.UsersUnmerged, Subject: m.Subject(), Before: before, After: after, Plan: hash}
	if m.ChangeID != nil {
		n.Undoes = *m.ChangeID
	}
	d.Change, err = tx.RecordChange(ctx, n)
	return d, err
}
