package sandbox

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"
)

// eventWindow is how long Clever keeps events.
const eventWindow = 30 * 24 * time.Hour

// feed is a district's events: everything that edits did since the start, as
// far as the window reaches back.
type feed struct {
	mu     sync.Mutex // held while a record is edited, so that events come in the order of the edits
	clock  uint64     // seconds in the newest id
	count  uint64
	events *collection
}

// happening is what a list of events chooses by.
type happening struct {
	kind   string // "users"
	born   time.Time
	only31 bool // only fields that v3.0 does not have changed
}

// nextID gives an id after every one given before, even where the clock has
// been set back. Ids of edits lie after all generated ones.
func (f *feed) nextID(d *district, mark byte) string {
	f.clock = max(f.clock, uint64(d.opt.Now().Unix()))
	f.count++
	b := appendHex(nil, f.clock, 8)
	b = append(b, d.users.ids.machine[:]...)
	b[len(b)-1] = mark
	return string(appendHex(b, f.count, 6))
}

// edit runs a deed on the records of a district and writes into the feed what
// became of the ones named. The records change first: whoever reads the newest
// event and then the lists has missed nothing.
func (d *district) edit(c *collection, id string, deed func()) {
	d.feed.mu.Lock()
	defer d.feed.mu.Unlock()
	d.editHeld(c, id, deed)
}

// editHeld is edit for those who hold the feed's lock.
func (d *district) editHeld(c *collection, id string, deed func()) {
	before := c.json(id)
	deed()
	d.tell(c.kind, before, c.json(id))
}

// json is a record as it is listed, nil if it is not.
func (c *collection) json(id string) []byte {
	e, ok := c.find(id)
	if !ok {
		return nil
	}
	return c.append(nil, e)
}

// tell appends the event that leads from one state of a record to the next;
// nil is a record that is not there.
func (d *district) tell(kind string, before, after []byte) {
	if d.opt.NoEvents {
		return
	}
	was, is := fields(before), fields(after)
	var action string
	object, previous := is, map[string]any(nil)
	switch {
	case before == nil && after == nil:
		return
	case before == nil:
		action = "created"
	case after == nil:
		action, object = "deleted", was
		if d.opt.ThinDeletes {
			object = map[string]any{"id": was["id"], "district": was["district"]}
		}
	default:
		action = "updated"
		previous = changed(was, is)
		if reflect.DeepEqual(was, is) {
			return
		}
	}
	x := &extra{happening: happening{kind: kind, born: d.opt.Now(), only31: action == "updated" && in30(was, is)}}
	for _, raw := range [][]byte{before, after} {
		if raw == nil {
			continue
		}
		if of, err := newExtra(raw); err == nil {
			x.schools = append(x.schools, of.schools...)
			if kind == "schools" {
				x.schools = append(x.schools, of.id)
			}
		}
	}
	x.id = d.feed.nextID(d, 'e')
	event := map[string]any{"id": x.id, "type": kind + "." + action, "created": d.opt.Now().UTC().Format(stampLayout)}
	data := map[string]any{"object": object}
	if action == "updated" {
		if d.opt.PreviousBeside {
			event["previous_attributes"] = previous
		} else {
			data["previous_attributes"] = previous
		}
	}
	event["data"] = data
	raw, err := appendJSON(nil, event)
	if err != nil {
		return // what was read as JSON can be written as JSON
	}
	x.json = raw
	d.feed.events.push(x, d.opt.Now().Add(-eventWindow))
}

// push adds a record after all others. Lists that are being read keep their
// own, shorter view of the same array. Those born before the given moment go,
// once they are many.
func (c *collection) push(x *extra, keep time.Time) {
	c.write.Lock()
	defer c.write.Unlock()
	list := c.extras()
	if old := slices.IndexFunc(list, func(x *extra) bool { return !x.born.Before(keep) }); old > 1000 {
		list = slices.Clone(list[old:])
	}
	list = append(list, x)
	c.extra.Store(&list)
}

func fields(raw []byte) map[string]any {
	var o map[string]any
	if raw == nil || json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

// changed gives the old values of what differs: of roles, those of the roles
// that differ. A field that is new has no old value.
func changed(was, is map[string]any) map[string]any {
	old := map[string]any{}
	for key, value := range was {
		now, still := is[key]
		if still && reflect.DeepEqual(value, now) {
			continue
		}
		oldRoles, one := value.(map[string]any)
		newRoles, other := now.(map[string]any)
		if key == "roles" && one && other {
			value = changed(oldRoles, newRoles)
		}
		old[key] = value
	}
	return old
}

// in30 reports that two states of a record are one in v3.0, but for the moment
// of the change.
func in30(was, is map[string]any) bool {
	a, b, c, d := as30(was), as30(is), maps.Clone(was), maps.Clone(is)
	for _, o := range []map[string]any{a, b, c, d} {
		delete(o, "last_modified")
	}
	return reflect.DeepEqual(a, b) && !reflect.DeepEqual(c, d)
}

// as30 copies a record without what v3.0 does not have.
func as30(o map[string]any) map[string]any {
	o = maps.Clone(o)
	roles, _ := o["roles"].(map[string]any)
	student, _ := roles["student"].(map[string]any)
	if student != nil {
		student = maps.Clone(student)
		roles = maps.Clone(roles)
		roles["student"], o["roles"] = student, roles
	}
	for _, key := range only31 {
		delete(o, key)
		delete(student, key)
	}
	return o
}

// eventsFor chooses what a request may see of the feed: of the last 30 days,
// of its record types and school, and of its version.
func (q *request) eventsFor() keep {
	types, school := q.URL.Query()["record_type"], q.URL.Query().Get("school")
	since := q.s.opt.Now().Add(-eventWindow)
	return func(e entry) bool {
		x := e.extra
		return !x.born.Before(since) && (q.v31() || !x.only31) &&
			(len(types) == 0 || slices.Contains(types, x.kind)) && (school == "" || slices.Contains(x.schools, school))
	}
}

// events answers the feed.
func (q *request) events() {
	d := q.who.district
	ok := q.eventsFor()
	if after := q.URL.Query().Get("starting_after"); after != "" && q.s.opt.ForgetsCursors {
		// What Clever answers to a cursor from before the window is not known;
		// ids are ranges there, so by default it is just a gap.
		oldest := d.feed.events.after("", 1, ok)
		if len(oldest) == 0 || oldest[0].extra.id > after {
			q.s.fail(q.w, 400, "invalid starting_after")
			return
		}
	}
	q.listOf(d.feed.events, ok, nil)
}

// event30 is an event without what v3.0 does not have.
func event30(raw []byte) []byte {
	event := fields(raw)
	data, _ := event["data"].(map[string]any)
	for _, holder := range []map[string]any{event, data} {
		for _, key := range []string{"object", "previous_attributes"} {
			if o, ok := holder[key].(map[string]any); ok {
				holder[key] = as30(o)
			}
		}
	}
	out, err := appendJSON(nil, event)
	if err != nil {
		return raw
	}
	return out
}
