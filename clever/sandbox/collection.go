package sandbox

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// collection is one kind of record of a district: the generated ones, and laid
// over them the planted and edited ones.
type collection struct {
	kind   string // as in the URL
	ids    idSpace
	record func(b []byte, i int) []byte

	write sync.Mutex // held while extras are replaced
	extra atomic.Pointer[[]*extra]
	whole []*extra // as planted, for restoring
}

// extra is a record that is not generated, or the mark that a generated one is
// gone. It never changes once it is in a list.
type extra struct {
	id   string
	json []byte // nil: gone
	at   int    // how many generated ids are smaller
	same bool   // it stands in for generated record at
	facts
	happening // of an event
}

// entry is one record of a collection: an extra, or generated record gen.
type entry struct {
	gen   int
	extra *extra
}

func (c *collection) id(e entry) string {
	if e.extra != nil {
		return e.extra.id
	}
	return c.ids.id(e.gen)
}

func (c *collection) append(b []byte, e entry) []byte {
	if e.extra != nil {
		return append(b, e.extra.json...)
	}
	return c.record(b, e.gen)
}

func (c *collection) extras() []*extra {
	if p := c.extra.Load(); p != nil {
		return *p
	}
	return nil
}

// put lays records over the collection, all at once: the list of a million is copied. json nil takes a record away.
func (c *collection) put(xs ...*extra) {
	c.write.Lock()
	defer c.write.Unlock()
	slices.SortFunc(xs, func(a, b *extra) int { return strings.Compare(a.id, b.id) })
	old := c.extras()
	list := make([]*extra, 0, len(old)+len(xs))
	for _, x := range xs {
		x.at = c.ids.below(x.id)
		x.same = x.at < c.ids.n && c.ids.id(x.at) == x.id
		i := sort.Search(len(old), func(i int) bool { return old[i].id >= x.id })
		list = append(append(list, old[:i]...), x)
		if i < len(old) && old[i].id == x.id {
			i++
		}
		old = old[i:]
	}
	list = append(list, old...)
	c.extra.Store(&list)
}

// restore takes off whatever was laid over a record since the start, and tells
// whether there was anything.
func (c *collection) restore(id string) bool {
	xs := c.extras()
	i := sort.Search(len(xs), func(i int) bool { return xs[i].id >= id })
	if i == len(xs) || xs[i].id != id {
		return false
	}
	for _, x := range c.whole {
		if x.id == id {
			c.put(&extra{id: x.id, json: x.json, facts: x.facts})
			return true
		}
	}
	c.write.Lock()
	defer c.write.Unlock()
	list := make([]*extra, 0, len(c.extras()))
	for _, x := range c.extras() {
		if x.id != id {
			list = append(list, x)
		}
	}
	c.extra.Store(&list)
	return true
}

// find looks a record up by its id.
func (c *collection) find(id string) (entry, bool) {
	xs := c.extras()
	i := sort.Search(len(xs), func(i int) bool { return xs[i].id >= id })
	if i < len(xs) && xs[i].id == id {
		return entry{extra: xs[i]}, xs[i].json != nil
	}
	g, ok := c.ids.index(id)
	return entry{gen: g}, ok
}

// count tells how many records there are.
func (c *collection) count() int {
	n := c.ids.n
	for _, x := range c.extras() {
		switch {
		case x.json != nil && !x.same:
			n++
		case x.json == nil && x.same:
			n--
		}
	}
	return n
}

// rank counts the records up to and with this id.
func (c *collection) rank(id string) int {
	n := c.ids.below(id)
	if n < c.ids.n && c.ids.id(n) == id {
		n++
	}
	for _, x := range c.extras() {
		if x.id <= id && x.json != nil && !x.same {
			n++
		}
	}
	return n
}

// keep chooses records; nil chooses all.
type keep func(entry) bool

// after gives up to most chosen records that follow the id, "" meaning from
// the first, in ascending order.
func (c *collection) after(id string, most int, ok keep) []entry {
	xs := c.extras()
	g, x := 0, 0
	if id != "" {
		g = c.ids.below(id)
		if g < c.ids.n && c.ids.id(g) == id {
			g++
		}
		x = sort.Search(len(xs), func(i int) bool { return xs[i].id > id })
	}
	out := make([]entry, 0, min(most, 1024))
	for len(out) < most && (g < c.ids.n || x < len(xs)) {
		var e entry
		if x < len(xs) && xs[x].at <= g {
			e.extra = xs[x]
			if e.extra.same {
				g = max(g, e.extra.at+1)
			}
			x++
			if e.extra.json == nil {
				continue
			}
		} else {
			e.gen = g
			g++
		}
		if ok == nil || ok(e) {
			out = append(out, e)
		}
	}
	return out
}

// before gives up to most chosen records nearest before the id, "" meaning the
// end, in ascending order.
func (c *collection) before(id string, most int, ok keep) []entry {
	xs := c.extras()
	g, x := c.ids.n-1, len(xs)-1
	if id != "" {
		g = c.ids.below(id) - 1
		x = sort.Search(len(xs), func(i int) bool { return xs[i].id >= id }) - 1
	}
	out := make([]entry, 0, min(most, 1024))
	for len(out) < most && (g >= 0 || x >= 0) {
		var e entry
		if x >= 0 && (xs[x].at > g || xs[x].same && xs[x].at == g) {
			e.extra = xs[x]
			if e.extra.same && e.extra.at == g {
				g--
			}
			x--
			if e.extra.json == nil {
				continue
			}
		} else {
			e.gen = g
			g--
		}
		if ok == nil || ok(e) {
			out = append(out, e)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// some finds records by their ids, in ascending order, each once; what is not
// there is left out.
func (c *collection) some(ids []string) []entry {
	sort.Strings(ids)
	out := make([]entry, 0, len(ids))
	for i, id := range ids {
		if i > 0 && ids[i-1] == id {
			continue
		}
		if e, ok := c.find(id); ok {
			out = append(out, e)
		}
	}
	return out
}
