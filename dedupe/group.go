package dedupe

import (
	"cmp"
	"slices"
)

const (
	allPairs = 12   // members up to which every pair of a group is shown
	apart    = -120 // total weight at which two members contradict each other, whoever joins them
	sure     = 66   // total weight of 99 %
)

// grouping joins pairs into groups, the surest pairs first, and refuses to join what must stay apart.
type grouping struct {
	ix      *Index
	said    decided
	never   map[int32][]int32 // who was called different from whom
	root    []int32
	members map[int32][]int32 // by root, of groups with more than one
	edges   []scored          // accepted, in the order of joining
	nodes   [][2]int32        // the roots each edge met in the classes above its own
	above   []int32           // roots as they were when the class began
	class   Class
}

func newGrouping(ix *Index, said decided) *grouping {
	g := &grouping{ix: ix, said: said, never: map[int32][]int32{}, root: make([]int32, len(ix.people)), members: map[int32][]int32{}}
	for i := range g.root {
		g.root[i] = int32(i)
	}
	for key, d := range said {
		lo, ok := ix.at[key.Lo]
		hi, also := ix.at[key.Hi]
		if ok && also && d.Verdict == SaidDifferent {
			g.never[lo] = append(g.never[lo], hi)
			g.never[hi] = append(g.never[hi], lo)
		}
	}
	for _, list := range g.never {
		slices.Sort(list) // maps come in any order
	}
	return g
}

func (g *grouping) find(i int32) int32 {
	for g.root[i] != i {
		g.root[i] = g.root[g.root[i]]
		i = g.root[i]
	}
	return i
}

func (g *grouping) group(root int32) []int32 {
	if all, ok := g.members[root]; ok {
		return all
	}
	return []int32{root}
}

// join unites the two groups of an edge, or says why not. Edges come in the order of scored.compare.
func (g *grouping) join(edge scored) []Reason {
	if g.class != edge.class {
		g.class, g.above = edge.class, make([]int32, len(g.root))
		for i := range g.root {
			g.above[i] = g.find(int32(i))
		}
	}
	x, y := g.find(edge.a), g.find(edge.b)
	node := [2]int32{g.above[edge.a], g.above[edge.b]}
	if node[0] == node[1] {
		return nil // one person already by a surer class
	}
	if x != y {
		if rules := g.refuses(x, y, edge); len(rules) > 0 {
			return rules
		}
		x, y = min(x, y), max(x, y)
		g.members[x] = slices.Concat(g.group(x), g.group(y))
		delete(g.members, y)
		g.root[y] = x
	}
	g.edges, g.nodes = append(g.edges, edge), append(g.nodes, node)
	return nil
}

// refuses lists what keeps two groups apart: a pair called different, or, beyond what Clever confirms, a pair whose
// evidence speaks against it.
func (g *grouping) refuses(x, y int32, edge scored) []Reason {
	left, right := g.group(x), g.group(y)
	for _, i := range left {
		for _, j := range g.never[i] {
			if g.find(j) == y {
				return []Reason{{Code: WouldJoin, Records: ids(g.ix.people[i].record, g.ix.people[j].record)}}
			}
		}
	}
	if edge.class == Confirmed || len(left)*len(right) > allPairs*allPairs {
		return nil
	}
	for _, i := range left {
		for _, j := range right {
			a, b := &g.ix.people[min(i, j)], &g.ix.people[max(i, j)]
			if v := g.ix.model.compare(a, b); g.ix.model.total(&v) <= apart {
				return []Reason{{Code: Apart, Records: ids(a.record, b.record)}}
			}
		}
	}
	return nil
}

// suggestions makes one of every group that a class's edges hold together. Records that a surer class joins count as
// one there, and only those at the ends of the strongest edges are named: what joins them already is another list's
// business.
func (g *grouping) suggestions() []Suggestion {
	var out []Suggestion
	for from := 0; from < len(g.edges); {
		to := from
		for to < len(g.edges) && g.edges[to].class == g.edges[from].class {
			to++
		}
		out = append(out, g.ofClass(g.edges[from:to], g.nodes[from:to])...)
		from = to
	}
	return out
}

func (g *grouping) ofClass(edges []scored, nodes [][2]int32) []Suggestion {
	parts := newForest()
	strongest := map[[2]int32]scored{}
	for i, edge := range edges { // strongest first
		node := [2]int32{min(nodes[i][0], nodes[i][1]), max(nodes[i][0], nodes[i][1])}
		if _, ok := strongest[node]; !ok {
			strongest[node] = edge
			parts.join(node[0], node[1])
		}
	}
	byRoot := map[int32][]scored{}
	for node, edge := range strongest {
		root := parts.find(node[0])
		byRoot[root] = append(byRoot[root], edge)
	}
	out := make([]Suggestion, 0, len(byRoot))
	for _, held := range byRoot {
		slices.SortFunc(held, scored.compare)
		out = append(out, g.suggestion(held))
	}
	slices.SortFunc(out, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(b.Tenths, a.Tenths), slices.Compare(a.Members, b.Members))
	})
	return out
}

// suggestion is made of the edges that hold it together, strongest first.
func (g *grouping) suggestion(edges []scored) Suggestion {
	s := Suggestion{Class: edges[0].class}
	var who []int32
	for _, edge := range edges {
		who = append(who, edge.a, edge.b)
	}
	slices.Sort(who)
	who = slices.Compact(who)
	held := map[[2]int32]bool{}
	forest := newForest()
	for _, edge := range edges {
		held[[2]int32{edge.a, edge.b}] = true
		if forest.join(edge.a, edge.b) {
			s.Tenths = edge.tenths // the last of a maximal spanning tree is its weakest
		}
	}
	s.Chance = Chance(s.Tenths)
	records := make([]*Record, len(who))
	for i, at := range who {
		records[i] = g.ix.people[at].record
	}
	s.Members = ids(records...)
	for i, x := range who {
		for _, y := range who[i+1:] {
			if len(who) > allPairs && !held[[2]int32{x, y}] {
				continue
			}
			a, b := &g.ix.people[x], &g.ix.people[y]
			v := g.ix.model.compare(a, b)
			s.Pairs = append(s.Pairs, Pair{Key(a.record.ID, b.record.ID), class(a, b, &v), g.ix.model.evidence(a, b, &v)})
			s.Reasons = append(s.Reasons, doubts(a, b, &v)...)
			if d, ok := g.said.find(Key(a.record.ID, b.record.ID)); ok && d.Verdict == SaidUnsure {
				s.Unsure = true
			}
		}
	}
	s.Reasons = append(s.Reasons, groupDoubts(records)...)
	if bridge, ok := weakBridge(edges, len(who)); ok {
		s.Reasons = append(s.Reasons, Reason{Code: WeakBridge, Records: ids(g.ix.people[bridge.a].record, g.ix.people[bridge.b].record)})
	}
	if s.Class != Confirmed && s.Tenths < sure {
		s.Reasons = append(s.Reasons, Reason{Code: Uncertain})
	}
	slices.SortFunc(s.Pairs, Pair.compare)
	slices.SortFunc(s.Reasons, compareReasons)
	s.Keep = keep(records)
	s.Fingerprint = s.fingerprint()
	return s
}

// weakBridge finds the weakest edge below 99 % whose removal takes a group of three or more apart.
func weakBridge(edges []scored, members int) (scored, bool) {
	if members < 3 {
		return scored{}, false
	}
	for at, bridge := range slices.Backward(edges) { // weakest first
		if bridge.tenths >= sure {
			break
		}
		rest := newForest()
		parts := members
		for i, edge := range edges {
			if i != at && rest.join(edge.a, edge.b) {
				parts--
			}
		}
		if parts > 1 {
			return bridge, true
		}
	}
	return scored{}, false
}

// keep proposes who stays: whom Clever lists now, then who has most roles now, most accounts, was used last, and came
// first.
func keep(records []*Record) int64 {
	best := slices.MinFunc(records, func(a, b *Record) int {
		return cmp.Or(
			-cmp.Compare(btoi(a.currentUser() != ""), btoi(b.currentUser() != "")),
			-cmp.Compare(a.currentRoles(), b.currentRoles()),
			-cmp.Compare(max(1, a.Accounts), max(1, b.Accounts)),
			-cmp.Compare(a.LastUsed, b.LastUsed),
			cmp.Compare(a.ID, b.ID))
	})
	return best.ID
}

func (r *Record) currentRoles() int {
	n := 0
	for _, role := range r.Roles {
		n += btoi(role.Current)
	}
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// forest is union-find over whatever turns up.
type forest map[int32]int32

func newForest() forest { return forest{} }

func (f forest) find(i int32) int32 {
	for {
		up, ok := f[i]
		if !ok || up == i {
			return i
		}
		i = up
	}
}

// join reports whether the two were apart.
func (f forest) join(a, b int32) bool {
	x, y := f.find(a), f.find(b)
	if x == y {
		return false
	}
	f[max(x, y)] = min(x, y)
	return true
}
