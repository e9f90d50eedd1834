// Package merge decides what a merge of records comes to, and what taking it back does.
//
// It owns the plan that a preview shows and that Apply does if it still comes out the same: who stays, what moves, what
// clashes and which rule settles it, what everybody may do before and after, and who must agree. A plan is a pure
// function of the rows read for it. The rows themselves are moved by models, in one transaction; whether two records
// are one person is weighed by dedupe, and asked of people by handlers.
package merge

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/models"
)

// Request is what somebody asks to be merged, with their answers.
type Request struct {
	Members []int64 // people, two or more, in any order
	Keep    int64   // who stays; 0: whoever is proposed
	Choices Choices
	Class   dedupe.Class // of the suggestion it comes of; "" for none
	Reason  string
	Bulk    int64 // the batch it was accepted with; 0: by itself

	Proposal int64 // the proposal that is agreed to; 0: none
}

// Choices are the answers to what clashed.
type Choices struct {
	Name  int64 `json:"name,omitempty"`  // the member whose name is taken; 0: as proposed
	Email int64 `json:"email,omitempty"` // the member whose address is
	// Allow lists the questions, by their keys, to which "allow" is the answer where members' overrides disagree. The
	// answer to all others is "deny".
	Allow []string `json:"allow,omitempty"`
}

// Plan is a merge as it would be made now.
type Plan struct {
	Survivor int64
	Losers   []int64
	Members  []Member // the survivor first
	Fields   []Field
	Moves    []Move
	Clashes  []Clash
	Accounts []AccountFate
	Sessions int // sign-ins that end
	Effects  []MemberEffects
	Alike    int // sections that Effects leave out, because others of the same school and teachers stand for them
	// Refused are the hard rules that forbid it, Doubts those that make it a matter for two.
	Refused []dedupe.Reason
	Second  []dedupe.Reason
	// Beyond says that somebody would come to hold what the person who asks does not: another one, who holds it, must agree.
	Beyond []access.Effect

	order models.MergeOrder
	rows  []models.MergeCount
	after access.Facts
}

// Member is one of the people, with all records that are theirs.
type Member struct {
	models.MergeRecord
	Listed bool // Clever lists one of the member's records now
	Known  bool // Clever knows, or knew, the member
	Others []models.MergeRecord
	Facts  access.Facts
}

// Field is one field of the survivor with where it comes from. Fixed: Clever's word, or the only one there is.
type Field struct {
	Name    string // name or email
	Value   string
	From    int64
	Fixed   bool
	Options []Option
}

// Option is a value that a member has for a field.
type Option struct {
	From  int64
	Value string
}

// Move is how many rows of one kind go from a member to the survivor.
type Move struct {
	From int64
	Kind string // the table
	Rows int
}

// Kinds of clashes.
const (
	SectionTwice      = "section_twice"      // both teach it: listed once
	OverrideTwice     = "override_twice"     // both have the same answer: one stays
	OverrideDisagrees = "override_disagrees" // one allows and one denies: somebody answers
	PreferencesStay   = "preferences_stay"
)

// Clash is something that the members have and only one of it can be, with the rule that settles it.
type Clash struct {
	Kind    string
	Count   int    // of sections
	Key     string // of a question
	Keep    *models.Override
	Drop    []models.Override
	Allowed bool // the answer where overrides disagree
}

// AccountFate is what becomes of an account of a member who does not stay.
type AccountFate struct {
	models.Account
	Into int64 // the account that keeps its data; 0: it moves as it is
}

// MemberEffects is what changes for whoever comes in as one of the members.
type MemberEffects struct {
	Member  int64
	Effects []access.Effect
}

// Input is everything that a plan is made of.
type Input struct {
	Request Request
	State   models.MergeState
	Records []dedupe.Record // the members as dedupe knows them
	Decided func(dedupe.PairKey) (dedupe.Decision, bool)
	Actor   Actor
	Policy  *access.Policy
	Now     time.Time
}

// Actor is the person who asks.
type Actor struct {
	dedupe.Actor
	Facts access.Facts
}

// Make plans.
func Make(in Input) (Plan, error) {
	p := Plan{}
	members := membersOf(in)
	if len(members) < 2 {
		return p, fmt.Errorf("plan merge: %w", models.ErrNotFound)
	}
	p.Survivor = survivor(members, in)
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(btoi(a.ID != p.Survivor), btoi(b.ID != p.Survivor)), cmp.Compare(a.ID, b.ID))
	})
	p.Members = members
	for _, m := range members[1:] {
		p.Losers = append(p.Losers, m.ID)
	}
	p.order = models.MergeOrder{Survivor: p.Survivor, Losers: p.Losers, Class: string(in.Request.Class), Reason: in.Request.Reason, Bulk: in.Request.Bulk, Proposal: in.Request.Proposal, Choices: in.Request.Choices}
	p.rows = in.State.Rows
	p.fields(in)
	p.overrides(in)
	p.count(in)
	p.accounts(in)
	p.permissions(in)
	p.rules(in)
	return p, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// membersOf gathers the members. Those that are merged already are not there: their records belong to somebody.
func membersOf(in Input) (members []Member) {
	at := map[int64]int{}
	for _, r := range in.State.Records {
		if r.MergedInto == nil {
			at[r.ID] = len(members)
			members = append(members, Member{MergeRecord: r, Facts: access.Facts{Policy: in.Policy, View: access.ViewAll, Now: in.Now}})
		}
	}
	for _, r := range in.State.Records {
		home := r.ID
		if r.MergedInto != nil {
			home = *r.MergedInto
		}
		m := &members[at[home]]
		if home != r.ID {
			m.Others = append(m.Others, r)
		}
		m.Known = m.Known || r.CleverID != nil
		m.Listed = m.Listed || r.CleverID != nil && r.EndedAt == nil
	}
	for i := range members {
		m := &members[i]
		if m.EndedAt != nil {
			continue // holds nothing
		}
		m.Facts.Grants, m.Facts.Teaches, m.Facts.Overrides = factsOf(in.State, []int64{m.ID}, nil)
	}
	return members
}

// factsOf are the facts of some people together, without the overrides that end.
func factsOf(s models.MergeState, people, ended []int64) (grants []access.Grant, teaches []access.Place, overrides []access.Override) {
	for _, g := range s.Grants {
		if slices.Contains(people, g.UserID) {
			grants = append(grants, access.Grant{Role: g.Role, Labels: g.Labels, Schools: g.Schools, Source: g.Source})
		}
	}
	listed := map[int64]bool{}
	for _, t := range s.Teaches {
		if slices.Contains(people, t.UserID) && !listed[t.Section] {
			listed[t.Section] = true
			teaches = append(teaches, access.AtSection(t.Section, t.School))
		}
	}
	for _, o := range s.Overrides {
		if slices.Contains(people, o.UserID) && !slices.Contains(ended, o.ID) {
			overrides = append(overrides, o.Fact())
		}
	}
	return grants, teaches, overrides
}

// survivor is who is asked to stay, or else whom Clever lists, then whom it knows, then who was used last, then the
// oldest. Whom Clever does not know cannot stay beside one that it does: names and roles follow Clever's record.
func survivor(members []Member, in Input) int64 {
	better := func(a, b Member) int {
		used := func(m Member) time.Time {
			if m.UsedAt == nil {
				return time.Time{}
			}
			return *m.UsedAt
		}
		return cmp.Or(cmp.Compare(btoi(b.Listed), btoi(a.Listed)), cmp.Compare(btoi(b.Known), btoi(a.Known)), used(b).Compare(used(a)), cmp.Compare(a.ID, b.ID))
	}
	best := slices.MinFunc(members, better)
	for _, m := range members {
		if m.ID == in.Request.Keep && (m.Known || !best.Known) {
			return m.ID
		}
	}
	return best.ID
}

// fields settles the survivor's name and address. Clever's record says its own; of imported ones the latest that is
// not empty is proposed, and anybody's may be chosen.
func (p *Plan) fields(in Input) {
	s := p.Members[0]
	for _, f := range []struct {
		name   string
		chosen int64
		value  func(models.MergeRecord) string
	}{
		{"name", in.Request.Choices.Name, Name},
		{"email", in.Request.Choices.Email, func(r models.MergeRecord) string { return r.Email }},
	} {
		field := Field{Name: f.name, Value: f.value(s.MergeRecord), From: s.ID, Fixed: s.Known}
		for _, m := range p.Members {
			if v := f.value(m.MergeRecord); v != "" {
				field.Options = append(field.Options, Option{m.ID, v})
			}
		}
		if !s.Known {
			best := latest(p.Members, f.value)
			for _, m := range p.Members {
				if m.ID == f.chosen && f.value(m.MergeRecord) != "" {
					best = m.ID
				}
			}
			field.Fixed = len(field.Options) < 2
			for _, o := range field.Options {
				if o.From == best {
					field.Value, field.From = o.Value, o.From
				}
			}
		}
		if field.From != s.ID {
			if f.name == "name" {
				p.order.NameOf = field.From
			} else {
				p.order.EmailOf = field.From
			}
		}
		p.Fields = append(p.Fields, field)
	}
}

// Name is a record's name as pages write it.
func Name(r models.MergeRecord) string {
	name := ""
	for _, part := range []string{r.FirstName, r.MiddleName, r.LastName} {
		if part != "" && name != "" {
			name += " "
		}
		name += part
	}
	return name
}

// latest is the member used or changed last who has a value; the survivor, if it has one and nobody is later.
func latest(members []Member, value func(models.MergeRecord) string) int64 {
	when := func(m Member) time.Time {
		if m.UsedAt != nil {
			return *m.UsedAt
		}
		return time.Time{}
	}
	best := members[0]
	for _, m := range members[1:] {
		if value(m.MergeRecord) != "" && (value(best.MergeRecord) == "" || when(m).After(when(best))) {
			best = m
		}
	}
	return best.ID
}

// overrides settles those that say the same, and those that disagree.
func (p *Plan) overrides(in Input) {
	type question struct {
		permission access.Permission
		place      access.Place
	}
	answers := map[question][2][]models.Override{} // denies, allows
	var asked []question
	for _, o := range in.State.Overrides {
		q := question{o.Permission, o.Place()}
		a := answers[q]
		if len(a[0])+len(a[1]) == 0 {
			asked = append(asked, q)
		}
		a[btoi(o.Allow)] = append(a[btoi(o.Allow)], o)
		answers[q] = a
	}
	end := func(list []models.Override) {
		for _, o := range list {
			p.order.EndOverrides = append(p.order.EndOverrides, o.ID)
		}
	}
	for _, q := range asked {
		a := answers[q]
		for i := range a {
			if len(a[i]) < 2 {
				continue
			}
			slices.SortFunc(a[i], lasting)
			end(a[i][1:])
			p.Clashes = append(p.Clashes, Clash{Kind: OverrideTwice, Keep: &a[i][0], Drop: a[i][1:]})
			a[i] = a[i][:1]
		}
		if len(a[0]) == 0 || len(a[1]) == 0 || a[0][0].UserID == a[1][0].UserID {
			continue // within one person, deny has always won
		}
		key := fmt.Sprintf("%s.%s.%d.%d", q.permission, q.place.Kind, q.place.School, q.place.Section)
		c := Clash{Kind: OverrideDisagrees, Key: key, Keep: &a[0][0], Drop: a[1]}
		if slices.Contains(in.Request.Choices.Allow, key) && !a[0][0].Locked {
			c.Keep, c.Drop, c.Allowed = &a[1][0], a[0], true
		}
		end(c.Drop)
		p.Clashes = append(p.Clashes, c)
	}
	slices.Sort(p.order.EndOverrides)
}

// lasting orders overrides that say the same: a locked one stays, then the one that lasts longer, then the older.
func lasting(a, b models.Override) int {
	until := func(o models.Override) int64 {
		switch {
		case o.EndKind == models.EndsWithRole:
			return 1<<62 - 1
		case o.EndsAt == nil:
			return 1 << 62
		}
		return o.EndsAt.Unix()
	}
	return cmp.Or(cmp.Compare(btoi(b.Locked), btoi(a.Locked)), cmp.Compare(until(b), until(a)), cmp.Compare(a.ID, b.ID))
}

// movingKinds are the tables whose rows move, in the order shown. The others stay with their record or are derived.
var movingKinds = []string{"role_grants", "role_grant_schools", "section_teachers", "overrides", "accounts"}

func (p *Plan) count(in Input) {
	rows := func(user int64, table string) int {
		for _, c := range in.State.Rows {
			if c.UserID == user && c.Table == table {
				return c.Rows
			}
		}
		return 0
	}
	for _, id := range p.Losers {
		for _, kind := range movingKinds {
			if n := rows(id, kind); n > 0 && kind != "accounts" {
				p.Moves = append(p.Moves, Move{id, kind, n})
			}
		}
		p.Sessions += in.State.Sessions[id]
		if rows(id, "user_preferences") > 0 && rows(p.Survivor, "user_preferences") > 0 {
			p.Clashes = append(p.Clashes, Clash{Kind: PreferencesStay, Count: 1})
		}
	}
	taught := map[int64]int{}
	for _, t := range in.State.Teaches {
		taught[t.Section]++
	}
	twice := 0
	for _, n := range taught {
		if n > 1 {
			twice++
		}
	}
	if twice > 0 {
		p.Clashes = append(p.Clashes, Clash{Kind: SectionTwice, Count: twice})
	}
}

// accounts moves those of a role that the survivor has none for, and folds the others into the survivor's.
func (p *Plan) accounts(in Input) {
	own := map[string]int64{}
	for _, a := range in.State.Accounts {
		if a.UserID == p.Survivor {
			own[a.Role] = a.ID
		}
	}
	for _, id := range p.Losers {
		for _, a := range in.State.Accounts {
			switch {
			case a.UserID != id || a.FoldedInto != nil: // data that is kept elsewhere stays there
			case own[a.Role] == 0:
				own[a.Role] = a.ID
				p.order.MoveAccounts = append(p.order.MoveAccounts, a.ID)
				p.Accounts = append(p.Accounts, AccountFate{Account: a})
			default:
				p.order.Fold = append(p.order.Fold, models.FoldedAccount{ID: a.ID, Into: own[a.Role]})
				p.Accounts = append(p.Accounts, AccountFate{Account: a, Into: own[a.Role]})
			}
		}
	}
}

// permissions compares what each member may do now with what the one person may do.
func (p *Plan) permissions(in Input) {
	everybody := append([]int64{p.Survivor}, p.Losers...)
	p.after = access.Facts{Policy: in.Policy, View: access.ViewAll, Now: in.Now}
	if slices.ContainsFunc(p.Members, func(m Member) bool { return m.EndedAt == nil }) {
		p.after.Grants, p.after.Teaches, p.after.Overrides = factsOf(in.State, everybody, p.order.EndOverrides)
	}
	var thin func(access.Facts) access.Facts
	thin, p.Alike = thinner(in.State)
	after := thin(p.after)
	for _, m := range p.Members {
		effects := access.Effects(thin(m.Facts), after)
		p.Effects = append(p.Effects, MemberEffects{m.ID, effects})
		for _, e := range effects {
			if e.Widens() && !holds(in.Actor.Facts, e) && !slices.ContainsFunc(p.Beyond, func(o access.Effect) bool { return o.Place == e.Place && o.Permission == e.Permission }) {
				p.Beyond = append(p.Beyond, e)
			}
		}
	}
}

// shownAlike bounds the sections of one school and the same teachers that stand for all of them.
const shownAlike = 20

// thinner leaves out sections of which enough others are alike: at the same school, taught by the same people, and in no
// override. What changes for one changes for all of them. It also says how many it leaves out.
func thinner(s models.MergeState) (func(access.Facts) access.Facts, int) {
	spoken, teachers := map[int64]bool{}, map[int64]string{}
	for _, o := range s.Overrides {
		spoken[o.Place().Section] = true
	}
	for _, t := range s.Teaches { // by person
		teachers[t.Section] += fmt.Sprint(t.UserID, " ")
	}
	out, seen, met := map[int64]bool{}, map[string]int{}, map[int64]bool{}
	for _, t := range s.Teaches {
		if met[t.Section] || spoken[t.Section] {
			continue
		}
		met[t.Section] = true
		kind := fmt.Sprint(t.School, ":", teachers[t.Section])
		seen[kind]++
		out[t.Section] = seen[kind] > shownAlike
	}
	left := 0
	for _, is := range out {
		left += btoi(is)
	}
	return func(f access.Facts) access.Facts {
		f.Teaches = slices.DeleteFunc(slices.Clone(f.Teaches), func(at access.Place) bool { return out[at.Section] })
		return f
	}, left
}

// holds reports whether somebody may do, in any view of theirs, what an effect gives.
func holds(f access.Facts, e access.Effect) bool {
	if f.Policy == nil {
		return false
	}
	for _, view := range append([]access.View{access.ViewAll}, f.Policy.Views(f.Grants)...) {
		f.View = view
		if f.Decide(e.Permission, e.Place).Allowed {
			return true
		}
	}
	return false
}

// After is what the one person may do, as facts.
func (p Plan) After() access.Facts { return p.after }

// MoreThanHeld is the reason that somebody would come to hold more than the person who merges holds.
const MoreThanHeld dedupe.Code = "more_than_held"

// rules are those that forbid, and those that ask for a second person.
func (p *Plan) rules(in Input) {
	for i := range in.Records {
		for j := i + 1; j < len(in.Records); j++ {
			p.Refused = append(p.Refused, dedupe.Forbidden(&in.Records[i], &in.Records[j], in.Decided)...)
		}
	}
	if len(in.State.Family) > 0 {
		p.Refused = append(p.Refused, dedupe.Reason{Code: dedupe.StudentRole, Records: in.State.Family})
	}
	for _, r := range dedupe.MayDecide(in.Actor.Actor, in.Records) {
		if r.Code == dedupe.SecondEyes {
			p.Second = append(p.Second, r)
			continue
		}
		p.Refused = append(p.Refused, r)
	}
	if len(p.Beyond) > 0 {
		p.Second = append(p.Second, dedupe.Reason{Code: MoreThanHeld})
	}
	slices.SortStableFunc(p.Refused, func(a, b dedupe.Reason) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), slices.Compare(a.Records, b.Records))
	})
	p.Refused = slices.CompactFunc(p.Refused, func(a, b dedupe.Reason) bool { return a.Code == b.Code && slices.Equal(a.Records, b.Records) })
}

// NeedsSecond reports that the person who asks can only propose it.
func (p Plan) NeedsSecond() bool { return len(p.Second) > 0 }

// Stated is everything that a plan promises, in ids, codes and prints of rows. Who asks is no part of it.
func (p Plan) Stated() any {
	order := p.order
	order.Reason, order.Class, order.Bulk, order.Proposal, order.Choices = "", "", 0, 0, nil
	return struct {
		Order   models.MergeOrder
		Rows    []models.MergeCount
		Effects []MemberEffects
	}{order, p.rows, p.Effects}
}

// Hash is the plan's promise: SHA-256 of what it states.
func (p Plan) Hash() ([]byte, error) {
	text, err := json.Marshal(p.Stated())
	if err != nil {
		return nil, fmt.Errorf("hash plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
