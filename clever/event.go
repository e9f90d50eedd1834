package clever

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Actions of events. A record that is shared for the first time is "created",
// one that is no longer shared is "deleted".
const (
	EventCreated = "created"
	EventUpdated = "updated"
	EventDeleted = "deleted"
)

const opEvents = "read events"

// Event says what became of one record. Exactly one of User, School, Section,
// Term and District is set, unless there is a Problem or the type is one that
// this program does not keep.
type Event struct {
	ID      string    // the cursor: events follow each other by id
	Type    string    // as Clever wrote it, "users.updated"
	Created time.Time // for people to read; order by ID
	Kind    string    // "users", "schools", "sections", "terms", "districts"; "" for any other
	Action  string    // EventCreated, EventUpdated or EventDeleted; "" for any other

	User     *User
	School   *School
	Section  *Section
	Term     *Term
	District *District

	// RecordID is the id of the record, also where there is nothing else of it.
	RecordID string
	// Changed are the fields that have an old value, from wherever Clever put
	// them (its spec and its sample disagree).
	Changed []string
	// Problem says what is wrong with this one event. It quotes nothing from
	// the record.
	Problem string

	has []string // the fields that the record has at all
}

// Has reports whether the event's record has a field at all. A field whose
// sharing ended looks like an update that takes it away, so absent is not
// empty.
func (e *Event) Has(field string) bool { return slices.Contains(e.has, field) }

// EventPage is one answer of the feed.
type EventPage struct {
	Number int
	Events []Event // in the order of their ids, each once
	Last   string  // the newest id of this page and those before; where to go on from
	More   bool    // another page follows
	// Known counts events that came although the cursor is past them.
	Known int
}

// Events walks the feed after a cursor, "" meaning from its beginning, which is
// 30 days back at most. Events that come twice or out of order within a page
// are put right; an event that cannot be read is given with its Problem. A feed
// that is switched off for the app is empty. Clever's answer to a cursor that
// it no longer knows is ErrCursorExpired.
//
// Unlike lists, the feed need not be read to its end: what is left comes the
// next time. Records that belong to another district than the given one are a
// Problem.
func (c *Client) Events(ctx context.Context, token, district, after string) iter.Seq2[EventPage, error] {
	return func(yield func(EventPage, error) bool) {
		k := &call{
			op: opEvents, base: c.api, token: token, recordType: "events", page: 1, after: after,
			path: "/" + c.cfg.DataVersion + "/events", query: url.Values{"limit": {strconv.Itoa(c.cfg.PageSize)}},
		}
		if after != "" {
			k.query.Set("starting_after", after)
		}
		for {
			var p EventPage
			var next string
			err := c.get(ctx, k, func(body io.Reader) (err error) {
				p, next, err = readEvents(body, after, district)
				return err
			})
			if e, ok := errors.AsType[*Error](err); ok && after == "" && (e.Status == http.StatusNotFound || e.Status == http.StatusNotImplemented) {
				return // switched off
			}
			p.Number = k.page
			var query url.Values
			if err == nil && next != "" {
				query, err = k.followEvents(next, after, p.Last, c.cfg.MaxPages)
			}
			if err != nil {
				yield(EventPage{Number: k.page}, err)
				return
			}
			p.More = query != nil
			after = p.Last
			if !yield(p, nil) || query == nil {
				return
			}
			k.page++
			k.query = query
		}
	}
}

// followEvents is follow for the feed, whose pages may be out of order: the
// next page must begin after this one's beginning and not after its end.
func (k *call) followEvents(next, before, last string, maxPages int) (url.Values, error) {
	query, err := k.sameList(next)
	if err != nil {
		return nil, err
	}
	refuse := func(message string) (url.Values, error) {
		return nil, k.fail(http.StatusOK, message, nil)
	}
	from := query.Get("starting_after")
	switch {
	case last == before:
		return refuse("it has nothing new, yet has a next link")
	case from <= before || from <= k.query.Get("starting_after"):
		return refuse("its next link does not go forward")
	case from > last:
		return refuse("its next link begins after events that are not on the page")
	case k.page >= maxPages:
		return refuse(fmt.Sprintf("the feed has more than %d pages", maxPages))
	}
	return query, nil
}

// readEvents decodes one page of the feed, event by event. Only what makes the
// page itself unfit is an error.
func readEvents(body io.Reader, after, district string) (p EventPage, next string, err error) {
	var page struct {
		Data  []jsontext.Value `json:"data"`
		Links jsontext.Value   `json:"links"`
	}
	dec := jsontext.NewDecoder(body, wireOptions)
	if err := json.UnmarshalDecode(dec, &page, wireOptions); err != nil {
		return p, "", err
	}
	if err := atEnd(dec); err != nil {
		return p, "", err
	}
	switch {
	case page.Data == nil:
		return p, "", errNoData
	case page.Links == nil:
		return p, "", errNoLinks
	case len(page.Data) > MaxPageSize:
		return p, "", &listError{fmt.Sprintf("it has more than %d records", MaxPageSize)}
	}
	if next, err = readNext(jsontext.NewDecoder(strings.NewReader(string(page.Links)), wireOptions)); err != nil {
		return p, "", err
	}
	p.Last = after
	for _, raw := range page.Data {
		e := readEvent(raw, district)
		if e.ID != "" && e.ID <= after {
			p.Known++
			continue
		}
		p.Last = max(p.Last, e.ID)
		p.Events = append(p.Events, e)
	}
	// Those without an id cannot be placed; they come first and change nothing.
	slices.SortStableFunc(p.Events, func(a, b Event) int { return strings.Compare(a.ID, b.ID) })
	n := len(p.Events)
	p.Events = slices.CompactFunc(p.Events, func(a, b Event) bool { return a.ID != "" && a.ID == b.ID })
	p.Known += n - len(p.Events)
	return p, next, nil
}

// wireEvent is the envelope; what it holds is read apart, so that one bad
// record spoils one event.
type wireEvent struct {
	Data struct {
		ID      jsontext.Value `json:"id"`
		Type    jsontext.Value `json:"type"`
		Created jsontext.Value `json:"created"`
		Data    struct {
			Object   jsontext.Value `json:"object"`
			Previous jsontext.Value `json:"previous_attributes"`
		} `json:"data"`
		Previous jsontext.Value `json:"previous_attributes"`
	} `json:"data"`
}

func readEvent(raw jsontext.Value, district string) Event {
	var w wireEvent
	var e Event
	raw = scrub(raw)
	broken := json.Unmarshal(raw, &w, wireOptions) != nil
	if broken {
		// What stands in the way may be the record: the id is worth having.
		var id struct {
			Data struct {
				ID jsontext.Value `json:"id"`
			} `json:"data"`
		}
		_ = json.Unmarshal(raw, &id, wireOptions)
		w = wireEvent{}
		w.Data.ID = id.Data.ID
	}
	e.ID, e.Type = text(w.Data.ID), tame(text(w.Data.Type))
	if t := w.Data.Created; t != nil && json.Unmarshal(t, &e.Created, wireOptions) != nil {
		e.Created = time.Time{}
	}
	kind, action, _ := strings.Cut(e.Type, ".")
	known := slices.Contains([]string{EventCreated, EventUpdated, EventDeleted}, action)
	switch {
	case e.ID == "":
		e.Problem = "the event has no id"
	case broken:
		e.Problem = "the event cannot be read"
	case !known:
		e.Problem = "the event is of an unknown type"
	case slices.Contains([]string{"courses", "resources"}, kind): // not kept
	default:
		e.read(kind, action, w.Data.Data.Object, district)
	}
	if e.Problem == "" {
		e.Changed = append(names(w.Data.Data.Previous), names(w.Data.Previous)...)
	}
	return e
}

// read takes over the event's record.
func (e *Event) read(kind, action string, object jsontext.Value, district string) {
	var into any
	var of, in *string
	switch kind {
	case "users":
		e.User = &User{}
		into, of, in = e.User, &e.User.ID, &e.User.District
	case "schools":
		e.School = &School{}
		into, of, in = e.School, &e.School.ID, &e.School.District
	case "sections":
		e.Section = &Section{}
		into, of, in = e.Section, &e.Section.ID, &e.Section.District
	case "terms":
		e.Term = &Term{}
		into, of, in = e.Term, &e.Term.ID, &e.Term.District
	case "districts":
		e.District = &District{}
		into, of, in = e.District, &e.District.ID, &e.District.ID
	default:
		e.Problem = "the event is of an unknown type"
		return
	}
	e.Kind, e.Action, e.has = kind, action, names(object)
	fail := func(problem string) {
		e.User, e.School, e.Section, e.Term, e.District = nil, nil, nil, nil, nil
		e.Problem = problem
	}
	if object.Kind() != '{' {
		fail("the event has no record")
		return
	}
	var id struct {
		ID       jsontext.Value `json:"id"`
		District jsontext.Value `json:"district"`
	}
	_ = json.Unmarshal(object, &id, wireOptions) // where it is no text, there is none
	if action == EventDeleted {                  // the rest of what is gone need not be read
		*in = text(id.District)
		*of = text(id.ID) // last: of a district, the two are one
	} else if err := json.Unmarshal(object, into, wireOptions); err != nil {
		e.RecordID = text(id.ID)
		fail(wireMessage(err))
		return
	}
	e.RecordID = *of
	switch {
	case e.RecordID == "":
		fail("the event's record has no id")
	case district != "" && *in != "" && *in != district:
		fail("the event's record belongs to another district")
	case e.User != nil:
		tidyUnknown(e.User)
	}
}

// text reads a value that should be a string; anything else is none.
func text(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s, wireOptions) != nil {
		return ""
	}
	return s
}

// names lists the keys of an object that have a value.
func names(v jsontext.Value) []string {
	if v.Kind() != '{' {
		return nil
	}
	var fields map[string]jsontext.Value
	if json.Unmarshal(v, &fields, wireOptions) != nil {
		return nil
	}
	out := make([]string, 0, len(fields))
	for key, value := range fields {
		if value.Kind() != 'n' {
			out = append(out, tame(key))
		}
	}
	slices.Sort(out)
	return out
}
