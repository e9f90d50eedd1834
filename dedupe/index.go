package dedupe

import (
	"cmp"
	"slices"
)

// BlockCap is how many records a block may have before its pairs are left to other blocks. 300 records are 45,000
// pairs.
const BlockCap = 300

// Oversized is a block that was too large to compare all its pairs. Nothing is dropped in silence: a shared mailbox or
// a number that half a school carries shows up here.
type Oversized struct {
	Block   Block
	Value   string
	Records int
}

// Index holds a district's records sorted into blocks. It is read-only once made; the records must not change under it.
type Index struct {
	model   *Model
	people  []prepared // by record id
	entries []entry    // by hash, then record
	large   map[uint64]bool
	at      map[int64]int32
}

type entry struct {
	hash uint64
	who  int32
}

// NewIndex sorts records into blocks. Ids must be unique; of two records with one id the first counts.
func NewIndex(m *Model, records []Record) *Index {
	ix := &Index{model: m, large: map[uint64]bool{}, at: make(map[int64]int32, len(records))}
	order := make([]int32, len(records))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(records[a].ID, records[b].ID) })
	ix.people = make([]prepared, 0, len(records))
	for _, i := range order {
		r := &records[i]
		if _, twice := ix.at[r.ID]; twice {
			continue
		}
		ix.at[r.ID] = int32(len(ix.people))
		p := m.prepare(r)
		p.hashKeys()
		ix.people = append(ix.people, p)
	}
	ix.sort()
	return ix
}

func (p *prepared) hashKeys() {
	keys := make([]uint64, 0, 16)
	p.block(func(block Block, value string) { keys = append(keys, hash(p.record.District, block, value)) })
	slices.Sort(keys)
	p.keys = slices.Clip(slices.Compact(keys))
}

func (ix *Index) sort() {
	n := 0
	for i := range ix.people {
		n += len(ix.people[i].keys)
	}
	ix.entries = make([]entry, 0, n)
	for i := range ix.people {
		for _, key := range ix.people[i].keys {
			ix.entries = append(ix.entries, entry{key, int32(i)})
		}
	}
	slices.SortFunc(ix.entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.who, b.who)) })
	for block := range ix.blocks {
		if len(block) > BlockCap {
			ix.large[block[0].hash] = true
		}
	}
}

// blocks goes through runs of entries with one hash.
func (ix *Index) blocks(yield func([]entry) bool) {
	for from := 0; from < len(ix.entries); {
		to := from + 1
		for to < len(ix.entries) && ix.entries[to].hash == ix.entries[from].hash {
			to++
		}
		if !yield(ix.entries[from:to]) {
			return
		}
		from = to
	}
}

// pairs goes through every pair worth comparing, each once, lower id first, in an order that depends on the records
// alone.
func (ix *Index) pairs(yield func(a, b *prepared) bool) {
	for block := range ix.blocks {
		if len(block) > BlockCap {
			continue
		}
		for i := range block {
			for j := i + 1; j < len(block); j++ {
				a, b := &ix.people[block[i].who], &ix.people[block[j].who]
				if ix.first(a, b) == block[0].hash && a.record.District == b.record.District && !yield(a, b) {
					return
				}
			}
		}
	}
}

// first is the lowest key that two records share and whose block is compared: where their pair's turn is.
func (ix *Index) first(a, b *prepared) uint64 {
	for i, j := 0, 0; i < len(a.keys) && j < len(b.keys); {
		switch x, y := a.keys[i], b.keys[j]; {
		case x == y:
			if !ix.large[x] {
				return x
			}
			i, j = i+1, j+1
		case x < y:
			i++
		default:
			j++
		}
	}
	return 0
}

// Oversized lists the blocks that were too large, the largest first.
func (ix *Index) Oversized() []Oversized {
	var out []Oversized
	for block := range ix.blocks {
		if len(block) <= BlockCap {
			continue
		}
		p := &ix.people[block[0].who]
		named := false
		p.block(func(name Block, value string) {
			if !named && hash(p.record.District, name, value) == block[0].hash {
				out, named = append(out, Oversized{name, value, len(block)}), true
			}
		})
	}
	slices.SortFunc(out, func(a, b Oversized) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Block, b.Block), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// candidates are the people a record is worth comparing with, ascending, without the record itself.
func (ix *Index) candidates(p *prepared) []int32 {
	var out []int32
	for _, key := range p.keys {
		from, _ := slices.BinarySearchFunc(ix.entries, key, func(e entry, key uint64) int { return cmp.Compare(e.hash, key) })
		to := from
		for to < len(ix.entries) && ix.entries[to].hash == key {
			to++
		}
		if to-from > BlockCap {
			continue
		}
		for _, e := range ix.entries[from:to] {
			if r := ix.people[e.who].record; r.ID != p.record.ID && r.District == p.record.District {
				out = append(out, e.who)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Weights goes through every pair worth comparing that a rule does not keep apart by the records alone, with its total
// weight in tenths of a bit: what a histogram or a calibration is made of.
func (ix *Index) Weights(yield func(PairKey, int) bool) {
	for a, b := range ix.pairs {
		if a.record.outside() || b.record.outside() {
			continue
		}
		v := ix.model.compare(a, b)
		if !yield(Key(a.record.ID, b.record.ID), ix.model.total(&v)) {
			return
		}
	}
}
