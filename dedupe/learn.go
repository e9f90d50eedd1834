package dedupe

import "slices"

const (
	samplePairs = 400_000 // random pairs that show how often two different people agree
	learnPairs  = 200_000 // candidates that are weighed over and over
	fewLabels   = 100     // with fewer Clever-confirmed pairs, all candidates teach
	pseudoPairs = 20      // pairs' worth of what learning begins with
	maxRounds   = 40
	priorSpan   = 50 // how far from its start the prior may move, in tenths of a bit
)

// Learn makes a model of a district's records. How often different people agree (u) comes from random pairs; how often
// one person's records agree (m) from the pairs that Clever confirms, or, where there are fewer than a hundred, from
// all candidates by expectation and maximization. The order of the records makes no difference, and no chance is
// involved: the random pairs are the same every time.
//
// Clever joins by equal emails, so confirmed pairs say nothing about how often one person has two addresses, and it
// lists no confirmed pair as two users: these two fields keep the m they start with.
func Learn(records []Record) *Model {
	m := &Model{}
	for i := range records {
		if !records[i].outside() {
			m.People++
		}
	}
	m.Base = startingPrior(m.People)
	m.count(records)
	m.begin()
	if m.People < 2 {
		return m
	}
	l := &learner{model: m, ix: NewIndex(m, records)}
	l.random()
	l.collect()
	if l.labels >= fewLabels {
		m.Labelled = l.labels
		l.confirmed()
	}
	for range maxRounds {
		if !l.round() {
			break
		}
	}
	m.publish()
	return m
}

type learner struct {
	model      *Model
	ix         *Index
	chance     tally // u, in pairs
	labelled   tally // m, in pairs
	labels     int
	candidates []vector
	stands     uint64 // pairs that each candidate stands for
}

// tally counts by field and level.
type tally [maxFields][1 << levelBits]uint64

func (t *tally) add(v *vector, n uint64) {
	for at, level := range v.level {
		t[at][level] += n
	}
}

// random fills u.
func (l *learner) random() {
	n := uint64(len(l.ix.people))
	look := func(i, j uint64) {
		a, b := &l.ix.people[min(i, j)], &l.ix.people[max(i, j)]
		if i == j || a.record.outside() || b.record.outside() || a.record.District != b.record.District {
			return
		}
		if v := l.model.compare(a, b); l.model.total(&v) < 0 { // the odd true pair must not pass for chance
			l.chance.add(&v, 1)
		}
	}
	if n*(n-1)/2 <= samplePairs {
		for i := range n {
			for j := i + 1; j < n; j++ {
				look(i, j)
			}
		}
		return
	}
	for k := range uint64(samplePairs) {
		look(scatter(2*k)%n, scatter(2*k+1)%n)
	}
}

// scatter is the finalizer of SplitMix64: a fixed sequence that looks like chance.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// collect compares the candidates, keeping an even sample of them where they are many, and fills m from those that
// Clever confirms. An office's mailbox is how Clever comes to confirm what is not so; such pairs teach nothing.
func (l *learner) collect() {
	type kept struct {
		lot uint64
		v   vector
	}
	var all []kept
	mask := uint64(0)
	for a, b := range l.ix.pairs {
		if a.record.outside() || b.record.outside() {
			continue
		}
		yes, _ := confirmed(a.record, b.record)
		lot := scatter(scatter(uint64(a.record.ID)) ^ uint64(b.record.ID))
		if !yes && lot&mask != 0 {
			continue
		}
		v := l.model.compare(a, b)
		if yes && !v.is(atEmail, Generic) {
			l.labelled.add(&v, 1)
			l.labels++
		}
		if lot&mask != 0 {
			continue
		}
		if all = append(all, kept{lot, v}); len(all) > learnPairs {
			mask = mask<<1 | 1
			all = slices.DeleteFunc(all, func(k kept) bool { return k.lot&mask != 0 })
		}
	}
	l.stands = mask + 1
	l.candidates = make([]vector, len(all))
	for i := range all {
		l.candidates[i] = all[i].v
	}
}

// confirmed sets every weight from Clever's pairs, but for what they cannot show.
func (l *learner) confirmed() {
	labelled := l.labelled
	clear(labelled[atEmail][:])
	clear(labelled[atUsers][:])
	for at := range labelled {
		for level := range labelled[at] {
			labelled[at][level] *= million
		}
	}
	l.set(&labelled)
}

// round weighs the candidates, and takes the prior, and without labels every m, from what they then look like. It
// reports whether anything moved. Chances are whole millionths, so that it comes to rest.
func (l *learner) round() bool {
	var matches tally
	var sum uint64
	for i := range l.candidates {
		v := &l.candidates[i]
		p := uint64(Chance(l.model.total(v)))
		sum += p
		matches.add(v, p)
	}
	people := uint64(l.model.People)
	start := startingPrior(l.model.People)
	base := logRatio(max(1, sum*l.stands), people*(people-1)/2*million)
	base = min(max(base, start-priorSpan), start+priorSpan)
	moved := base != l.model.Base
	l.model.Base = base
	if l.model.Labelled == 0 && l.set(&matches) {
		moved = true
	}
	return moved
}

// set makes weights of how often true pairs came out at each level, in millionths of a pair, and reports whether any
// moved.
func (l *learner) set(matches *tally) bool {
	moved := false
	for at := range l.model.fields() {
		steps := stepsOf(at)
		var all, others uint64
		for i, s := range steps {
			all += matches[at][i+1] + pseudo(s)
			others += 2*l.chance[at][i+1] + 1
		}
		for i, s := range steps {
			if s.lo == s.hi {
				continue
			}
			weight := logRatio(matches[at][i+1]+pseudo(s), all)
			if !s.rare {
				weight -= logRatio(2*l.chance[at][i+1]+1, others)
				weight = min(max(weight, s.lo), s.hi)
			}
			if l.model.weights[at][i+1] != int16(weight) {
				l.model.weights[at][i+1], moved = int16(weight), true
			}
		}
	}
	return moved
}

func pseudo(s step) uint64 { return uint64(max(s.matches, 1)) * million / 1000 * pseudoPairs }
