package models

import (
	"slices"
	"sync"
	"time"
	"unsafe"

	"hallpass/access"
)

// copyBytes is about how much memory copies of facts may take; tests make it small.
var copyBytes = 64 << 20

// factCopies are facts in memory that decisions are made of: keys, people and places as a transaction read them. A
// copy is used only by a request that has proved it current with a read of its own, see Scope.Prove:
//
//   - The migration's triggers put a row into fact_changes for whatever changes them, in the same transaction.
//   - Rows of transactions below the horizon have all been heard. The horizon is the xmin of a snapshot in which
//     whatever that snapshot could show was heard: every transaction below it had ended.
//   - A request reads the rows from the horizon on and hears those that are new: what they are about is dropped.
//   - A copy read while something was heard may be older than that, and is not kept.
//
// So a copy that is there after hearing is what the request's own snapshot would show.
type factCopies struct {
	mu        sync.Mutex
	districts map[int64]*districtCopies
	bytes     int
	made      uint64 // counts what was kept, so that a request knows which copies were there before it
	events    uint64 // counts what was heard, over all districts: a district that was forgotten begins at no number of before
}

// districtCopies are those of one district.
type districtCopies struct {
	horizon uint64             // a transaction id
	heard   map[int64]struct{} // ids of rows at or past the horizon
	hearing uint64             // the last event: when anything was heard last

	district District
	policy   *access.Policy // nil: the district is not known
	keys     map[string]*keyCopy
	people   map[AskedSubject]*personCopy
	places   map[AskedPlace]*placeCopy
	users    map[int64][]AskedSubject // where a user is among people
	sections map[int64]AskedPlace     // where a section is among places
}

type keyCopy struct {
	APIKey
	made uint64
}

// personCopy holds facts from one moment on until a role by hand or an override ends by itself.
type personCopy struct {
	Subject
	from, until time.Time // until is zero where nothing ends
	record      int64     // the user whom the id leads to; another one where that was merged into this person
	made        uint64
}

// about are the users whose changes change the copy.
func (p *personCopy) about() []int64 {
	if p.record == p.User.ID {
		return []int64{p.record}
	}
	return []int64{p.record, p.User.ID}
}

func (p *personCopy) holds(now time.Time) bool {
	return !now.Before(p.from) && (p.until.IsZero() || now.Before(p.until))
}

type placeCopy struct {
	KnownPlace
	made uint64
}

// factChange is a row of fact_changes with the xmin of the snapshot it was read in.
type factChange struct {
	ID      int64
	About   string
	Subject int64
	Xmin    uint64
}

// maxHeard bounds how many rows a request reads. Where there are more, everything is dropped.
const maxHeard = 200

// began is what a request notes before it asks the database: how far copies were when it did.
type began struct {
	known         bool // the district has copies
	horizon       uint64
	hearing, made uint64
}

func (c *factCopies) event() uint64 {
	c.events++
	return c.events
}

func (c *factCopies) begin(district int64) began {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.districts[district]
	if d == nil {
		return began{made: c.made}
	}
	return began{true, d.horizon, d.hearing, c.made}
}

// hear drops what changed. More rows than a request reads is everything, and xmin then is where to begin anew.
func (c *factCopies) hear(district int64, changes []factChange) {
	if len(changes) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.districts[district]
	if d == nil {
		return
	}
	xmin := changes[0].Xmin
	if len(changes) > maxHeard {
		c.drop(d)
		d.hearing = c.event()
		d.horizon, d.heard = max(d.horizon, xmin), map[int64]struct{}{}
		return
	}
	for _, change := range changes {
		if _, known := d.heard[change.ID]; known {
			continue
		}
		d.hearing = c.event()
		d.heard[change.ID] = struct{}{}
		switch change.About {
		case "user":
			c.dropUser(d, change.Subject)
		case "section":
			if p, known := d.sections[change.Subject]; known {
				c.dropPlace(d, p)
			}
		default:
			c.drop(d)
		}
	}
	d.horizon = max(d.horizon, xmin)
	if len(d.heard) > 8*maxHeard { // to hear something twice does no harm
		clear(d.heard)
		for _, change := range changes {
			d.heard[change.ID] = struct{}{}
		}
	}
}

// answer makes what decisions need of the copies, or says that not all of it is there, or not from before the request.
func (c *factCopies) answer(district int64, from began, keyHash []byte, asked Asked, now time.Time) (key APIKey, t Told, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.districts[district]
	if d == nil || d.policy == nil {
		return key, t, false
	}
	k := d.keys[string(keyHash)]
	if k == nil || k.made > from.made {
		return key, t, false
	}
	t = Told{District: d.district, Policy: d.policy, Subjects: make([]Subject, len(asked.Subjects)), Places: make([]KnownPlace, len(asked.Places)), now: now}
	t.subjectsMade, t.placesMade = make([]uint64, len(asked.Subjects)), make([]uint64, len(asked.Places))
	for i, s := range asked.Subjects {
		p := d.people[s]
		if p == nil || p.made > from.made || !p.holds(now) {
			return key, t, false
		}
		t.Subjects[i], t.subjectsMade[i] = p.Subject, p.made
	}
	for i, a := range asked.Places {
		if a.Kind == access.District && a.ID == d.district.CleverID {
			t.Places[i] = KnownPlace{Place: access.InDistrict(), Name: d.district.Name}
			continue
		}
		p := d.places[a]
		if p == nil || p.made > from.made {
			return key, t, false
		}
		t.Places[i], t.placesMade[i] = p.KnownPlace, p.made
	}
	return k.APIKey, t, true
}

// used notes when a key was used last, so that it is not written again at once.
func (c *factCopies) used(district int64, keyHash []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.districts[district]; d != nil {
		if k := d.keys[string(keyHash)]; k != nil {
			k.LastUsedAt = &at
		}
	}
}

// learned is what a transaction read that may be kept.
type learned struct {
	xmin     uint64
	district District
	policy   *access.Policy
	keyHash  []byte
	key      APIKey
	people   map[AskedSubject]personCopy
	places   map[AskedPlace]KnownPlace
}

// keep makes copies of what was read by a request that began there.
func (c *factCopies) keep(district int64, from began, l learned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.districts == nil {
		c.districts = map[int64]*districtCopies{}
	}
	d := c.districts[district]
	switch {
	case d == nil && !from.known:
		d = &districtCopies{horizon: l.xmin, heard: map[int64]struct{}{}, hearing: c.event()}
		c.drop(d)
		c.districts[district] = d
	case d == nil || !from.known || d.hearing != from.hearing:
		return
	}
	c.made++
	if d.policy == nil {
		d.district, d.policy = l.district, l.policy
	}
	if d.keys[string(l.keyHash)] == nil {
		d.keys[string(l.keyHash)] = &keyCopy{l.key, c.made}
		c.bytes += int(unsafe.Sizeof(keyCopy{})) + len(l.keyHash)
	}
	for asked, p := range l.people {
		if old := d.people[asked]; old != nil {
			if old.holds(p.from) { // made by another request meanwhile
				continue
			}
			c.dropPerson(d, asked)
		}
		p.made = c.made
		d.people[asked] = &p
		for _, user := range p.about() {
			d.users[user] = append(d.users[user], asked)
		}
		c.bytes += p.size()
	}
	for asked, p := range l.places {
		if d.places[asked] != nil {
			continue
		}
		d.places[asked] = &placeCopy{p, c.made}
		if p.Kind == access.Section {
			d.sections[p.Section] = asked
		}
		c.bytes += placeBytes
	}
	c.shrink()
}

// shrink makes room by chance: what is asked for often comes back at once, and no list has to be kept in order.
func (c *factCopies) shrink() {
	for c.bytes > copyBytes {
		before := c.bytes
		for id, d := range c.districts {
			for asked := range d.people {
				c.dropPerson(d, asked)
				break
			}
			for asked := range d.places {
				c.dropPlace(d, asked)
				break
			}
			if len(d.people) == 0 && len(d.places) == 0 {
				c.drop(d)
				delete(c.districts, id)
			}
			break
		}
		if c.bytes == before {
			return
		}
	}
}

// drop forgets a district's copies, but not what was heard.
func (c *factCopies) drop(d *districtCopies) {
	for asked := range d.people {
		c.dropPerson(d, asked)
	}
	for asked := range d.places {
		c.dropPlace(d, asked)
	}
	for hash := range d.keys {
		c.bytes -= int(unsafe.Sizeof(keyCopy{})) + len(hash)
	}
	d.policy, d.district = nil, District{}
	d.keys, d.people, d.places = map[string]*keyCopy{}, map[AskedSubject]*personCopy{}, map[AskedPlace]*placeCopy{}
	d.users, d.sections = map[int64][]AskedSubject{}, map[int64]AskedPlace{}
}

func (c *factCopies) dropUser(d *districtCopies, user int64) {
	for _, asked := range slices.Clone(d.users[user]) {
		c.dropPerson(d, asked)
	}
}

func (c *factCopies) dropPerson(d *districtCopies, asked AskedSubject) {
	p := d.people[asked]
	if p == nil {
		return
	}
	delete(d.people, asked)
	c.bytes -= p.size()
	for _, user := range p.about() {
		rest := slices.DeleteFunc(d.users[user], func(a AskedSubject) bool { return a == asked })
		if d.users[user] = rest; len(rest) == 0 {
			delete(d.users, user)
		}
	}
}

func (c *factCopies) dropPlace(d *districtCopies, asked AskedPlace) {
	if p := d.places[asked]; p != nil {
		delete(d.sections, p.Section)
		delete(d.places, asked)
		c.bytes -= placeBytes
	}
}

// About what the maps and the strings of a copy take beside the structs.
const (
	mapBytes   = 200
	placeBytes = int(unsafe.Sizeof(placeCopy{})) + mapBytes + 100
)

func (p *personCopy) size() int {
	n := int(unsafe.Sizeof(*p)) + 2*mapBytes + 100 + len(p.Teaches)*int(unsafe.Sizeof(access.Place{})) + len(p.Overrides)*int(unsafe.Sizeof(access.Override{}))
	for _, g := range p.Grants {
		n += int(unsafe.Sizeof(g)) + 8*len(g.Schools) + 40*len(g.Labels)
	}
	return n
}
