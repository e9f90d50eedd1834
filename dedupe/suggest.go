package dedupe

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Suggestion is a group of records that look like one person, to be accepted, refused, or accepted without some of its
// members.
type Suggestion struct {
	Class   Class
	Members []int64 // ascending, two at least
	Keep    int64   // the member proposed to stay
	// Pairs are those of the members that were compared, strongest first: all of them in groups of up to twelve, and
	// those that hold the group together in larger ones.
	Pairs []Pair
	// Tenths is the weight of the weakest pair that holds the group together, and Chance the probability that follows,
	// in millionths.
	Tenths int
	Chance int
	// Reasons stop acceptance in bulk; each is for the reader to judge.
	Reasons []Reason
	Unsure  bool // somebody was not sure of one of the pairs
	// Fingerprint changes when members or evidence do. A page made for another one must not be submitted.
	Fingerprint string
}

// Bulk reports whether the suggestion may be offered for acceptance together with others: never when fuzzy, and never
// with anything against it.
func (s *Suggestion) Bulk() bool { return s.Class != Fuzzy && len(s.Reasons) == 0 }

// Held is a pair that looks like one person and is not suggested, with the rules that keep it apart.
type Held struct {
	Pair
	Rules []Reason
}

// Returned is a pair that somebody called different, and for which there is more to say now than there was then. It is
// in no suggestion; to take the answer back is to allow one.
type Returned struct {
	Pair
	Before Decision
}

// Split is two records that share an id of Clever's although Clever lists them as two users now: it took one user
// apart, and nobody's account may change hands in silence.
type Split struct {
	Pair
	CleverID string
}

// Result is everything there is to review in a district.
type Result struct {
	Suggestions []Suggestion // by class, then the surest first
	Held        []Held
	Returned    []Returned
	Splits      []Split
	Oversized   []Oversized
	Compared    int // pairs
}

// Options say what to suggest.
type Options struct {
	Decisions []Decision
	// Floor is the lowest total weight of a pair to suggest, in tenths of a bit; 0 is even odds. What Clever confirms is
	// suggested at any weight.
	Floor int
}

// decided finds decisions; the last of several about one pair counts.
type decided map[PairKey]Decision

func (o Options) decided() decided {
	all := make(decided, len(o.Decisions))
	for _, d := range o.Decisions {
		d.PairKey = Key(d.Lo, d.Hi)
		all[d.PairKey] = d
	}
	return all
}

func (d decided) find(key PairKey) (Decision, bool) {
	found, ok := d[key]
	return found, ok
}

// scored is a pair on its way into a suggestion.
type scored struct {
	a, b   int32 // places in the index, the lower id first
	class  Class
	tenths int
}

func (s scored) compare(o scored) int {
	return cmp.Or(cmp.Compare(s.class.rank(), o.class.rank()), cmp.Compare(o.tenths, s.tenths), cmp.Compare(s.a, o.a), cmp.Compare(s.b, o.b))
}

// Suggest compares every pair worth comparing and groups those that look like one person.
func (ix *Index) Suggest(o Options) Result {
	said := o.decided()
	var r Result
	var edges []scored
	for a, b := range ix.pairs {
		r.Compared++
		if edge, ok := ix.judge(a, b, o, said, &r); ok {
			edges = append(edges, edge)
		}
	}
	slices.SortFunc(edges, scored.compare)
	g := newGrouping(ix, said)
	for _, edge := range edges {
		if rules := g.join(edge); len(rules) > 0 {
			a, b := &ix.people[edge.a], &ix.people[edge.b]
			r.Held = append(r.Held, Held{ix.pair(a, b), rules})
		}
	}
	r.Suggestions = g.suggestions()
	r.Oversized = ix.Oversized()
	slices.SortFunc(r.Held, func(a, b Held) int { return a.compare(b.Pair) })
	slices.SortFunc(r.Returned, func(a, b Returned) int { return a.compare(b.Pair) })
	slices.SortFunc(r.Splits, func(a, b Split) int { return a.compare(b.Pair) })
	return r
}

// compare orders pairs as suggestions are.
func (p Pair) compare(o Pair) int {
	return cmp.Or(cmp.Compare(p.Class.rank(), o.Class.rank()), cmp.Compare(o.Evidence.Tenths, p.Evidence.Tenths), p.PairKey.compare(o.PairKey))
}

// judge weighs one pair and sorts it: an edge for grouping, or an entry of the result, or nothing.
func (ix *Index) judge(a, b *prepared, o Options, said decided, r *Result) (scored, bool) {
	if a.record.outside() && b.record.outside() {
		return scored{}, false // two contacts with one address are nobody's business here
	}
	v := ix.model.compare(a, b)
	edge := scored{ix.at[a.record.ID], ix.at[b.record.ID], class(a, b, &v), ix.model.total(&v)}
	if _, split := confirmed(a.record, b.record); split != "" {
		r.Splits = append(r.Splits, Split{ix.pair(a, b), split})
	}
	if edge.class != Confirmed && edge.tenths < o.Floor && !a.record.outside() && !b.record.outside() {
		return edge, false
	}
	rules := Forbidden(a.record, b.record, said.find)
	if len(rules) == 0 {
		return edge, true
	}
	before, ok := said.find(Key(a.record.ID, b.record.ID))
	switch {
	case len(rules) == 1 && rules[0].Code == DecidedDifferent:
		if ok && before.reopened(edge.class, edge.tenths) {
			r.Returned = append(r.Returned, Returned{ix.pair(a, b), before})
		}
	case edge.class != Fuzzy:
		r.Held = append(r.Held, Held{ix.pair(a, b), rules})
	}
	return edge, false
}

// pair writes two records' evidence out, the lower id first.
func (ix *Index) pair(a, b *prepared) Pair {
	if a.record.ID > b.record.ID {
		a, b = b, a
	}
	v := ix.model.compare(a, b)
	return Pair{Key(a.record.ID, b.record.ID), class(a, b, &v), ix.model.evidence(a, b, &v)}
}

// Around weighs one changed or new record against the index and returns the pairs to suggest, the surest first. The
// index's own copy of the record, by its id, is left aside; frequencies are those the model was learned with.
func (ix *Index) Around(changed *Record, o Options) []Pair {
	p := ix.model.prepare(changed)
	p.hashKeys()
	said := o.decided()
	var out []Pair
	for _, who := range ix.candidates(&p) {
		other := &ix.people[who]
		a, b := &p, other
		if a.record.ID > b.record.ID {
			a, b = b, a
		}
		v := ix.model.compare(a, b)
		class, tenths := class(a, b, &v), ix.model.total(&v)
		if class != Confirmed && tenths < o.Floor || len(Forbidden(a.record, b.record, said.find)) > 0 {
			continue
		}
		out = append(out, Pair{Key(a.record.ID, b.record.ID), class, ix.model.evidence(a, b, &v)})
	}
	slices.SortFunc(out, Pair.compare)
	return out
}

// fingerprint is a hash of members and evidence.
func (s *Suggestion) fingerprint() string {
	raw, err := json.Marshal(struct {
		Members []int64
		Pairs   []Pair
	}{s.Members, s.Pairs})
	if err != nil {
		panic("dedupe: fingerprint: " + err.Error()) // numbers and strings always marshal
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
