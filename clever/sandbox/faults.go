package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way for an answer to go wrong.
type FaultKind string

// The faults that can be ordered.
const (
	Malformed    FaultKind = "malformed"     // not JSON in the middle of the answer
	Truncated    FaultKind = "truncated"     // the JSON stops, the answer ends in good order
	HTML         FaultKind = "html"          // 200 with a page
	TooMany      FaultKind = "too many"      // 429, empty body, reset after Delay
	ServerError  FaultKind = "server error"  // Status, or 500
	Slow         FaultKind = "slow"          // waits Delay, then answers
	Drip         FaultKind = "drip"          // the answer comes in a few pieces, Delay apart
	Reset        FaultKind = "reset"         // the connection breaks in the middle of the answer
	Endless      FaultKind = "endless"       // spaces without end
	NextLoop     FaultKind = "next loop"     // next leads to the page itself
	NextFirst    FaultKind = "next first"    // next leads to the first page
	NextForeign  FaultKind = "next foreign"  // next leads to another host
	NextOther    FaultKind = "next other"    // next leads to another list
	SkippingNext FaultKind = "skipping next" // next begins after a record that is not on the page
	NoLinks      FaultKind = "no links"      // the list has no links at all
	PageAgain    FaultKind = "page again"    // the page before this one once more
	PageAhead    FaultKind = "page ahead"    // the page after this one, so that one is passed over
	EmptyPage    FaultKind = "empty page"    // no records, next as before
	NoRecords    FaultKind = "no records"    // no records and no next: a list that ends too early
	RolesArray   FaultKind = "roles array"   // the page's first user has roles as an array
	WrongType    FaultKind = "wrong type"    // the page's first record has a number where text is due
	NoID         FaultKind = "no id"         // the page's first record has no id
	WrongID      FaultKind = "wrong id"      // the page's first record has an id that nobody has
	Foreign      FaultKind = "foreign"       // every record of the page is another district's
	NoCount      FaultKind = "no count"      // a count without its number; strikes counts alone

	// Of events. RolesArray, WrongType, WrongID and Foreign strike the records inside them.
	Twice       FaultKind = "twice"        // every event of the page comes two times
	Shuffled    FaultKind = "shuffled"     // the page is in the opposite order
	Skewed      FaultKind = "skewed"       // the page's moments are hours off, each other way
	NullObject  FaultKind = "null object"  // the page's first event has no record
	NoRecordID  FaultKind = "no record id" // the record of the page's first event has no id
	UnknownType FaultKind = "unknown type" // the page's first event is of a type that does not exist
)

// Fault is one order: where, what, how often.
type Fault struct {
	Path   string // prefix of the URL path, such as "/v3.1/users"
	Page   int    // of a list, from 1, by the limit of the request; 0 means any, and counts too
	Kind   FaultKind
	Times  int           // how many answers go wrong; 0 means one, below 0 all
	Status int           // of ServerError
	Delay  time.Duration // of Slow, Drip and TooMany
}

// Faults is the list of orders; the first that fits an answer is taken.
type Faults struct {
	mu     sync.Mutex
	orders []Fault
	struck int
}

// Add orders faults.
func (f *Faults) Add(orders ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range orders {
		if o.Times == 0 {
			o.Times = 1
		}
		f.orders = append(f.orders, o)
	}
}

// Clear takes all orders back.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = nil
}

// Struck counts the answers that went wrong so far.
func (f *Faults) Struck() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.struck
}

// take uses up the first order that fits. The page, which is 0 for a count, is
// asked for only if an order wants to know it.
func (f *Faults) take(path string, count bool, page func() int) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.orders {
		o := &f.orders[i]
		if o.Times == 0 || !strings.HasPrefix(path, o.Path) || o.Kind == NoCount && !count || o.Page != 0 && o.Page != page() {
			continue
		}
		if o.Times > 0 {
			o.Times--
		}
		f.struck++
		return *o, true
	}
	return Fault{}, false
}

// faulty puts the ordered faults between the network and the sandbox.
func (s *Sandbox) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.opt.Log.DebugContext(r.Context(), "sandbox request", "method", r.Method, "path", r.URL.Path)
		fault, ok := s.faults.take(r.URL.Path, counts(r), func() int { return s.pageOf(r) })
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		s.opt.Log.InfoContext(r.Context(), "sandbox fault", "path", r.URL.Path, "kind", string(fault.Kind))
		switch fault.Kind {
		case TooMany:
			h := w.Header()
			h.Set("X-RateLimit-Limit", "1200")
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", strconv.FormatInt(s.opt.Now().Add(fault.Delay).Unix(), 10))
			w.WriteHeader(http.StatusTooManyRequests)
		case ServerError:
			status := fault.Status
			if status == 0 {
				status = http.StatusInternalServerError
			}
			s.fail(w, status, "Internal error")
		case HTML:
			page(w, http.StatusOK, "<!doctype html><title>Clever</title><p>Please wait.</p>")
		case Slow:
			t := time.NewTimer(fault.Delay)
			defer t.Stop()
			select {
			case <-t.C:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		case Endless:
			endless(w, r)
		case PageAgain, PageAhead:
			next.ServeHTTP(w, s.shifted(r, fault.Kind))
		default:
			rec := &recorded{header: http.Header{}, status: http.StatusOK}
			next.ServeHTTP(rec, r)
			if fault.Kind == Drip {
				drip(w, r, rec, fault.Delay)
				return
			}
			spoil(w, r, fault.Kind, rec)
		}
	})
}

// counts reports whether a request asks for a list's length.
func counts(r *http.Request) bool { return r.URL.Query().Get("count") == "true" }

// pageOf works out which page of a list a request asks for; a count is none.
func (s *Sandbox) pageOf(r *http.Request) int {
	if counts(r) {
		return 0
	}
	c, after, limit := s.listAsked(r)
	if after == "" || c == nil {
		return 1
	}
	return (c.rank(after)+limit-1)/limit + 1
}

// listAsked reads which list a request asks for, after which id and how much of it. c is nil where it is none.
func (s *Sandbox) listAsked(r *http.Request) (c *collection, after string, limit int) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = defaultLimit
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	who, ok := s.callerOf(token)
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if !ok || len(parts) != 2 {
		return nil, "", limit
	}
	return who.district.collection(parts[1]), q.Get("starting_after"), limit
}

// shifted asks for the page before or after the one that a request asks for.
func (s *Sandbox) shifted(r *http.Request, kind FaultKind) *http.Request {
	c, after, limit := s.listAsked(r)
	if c == nil {
		return r
	}
	q := r.URL.Query()
	switch before := c.after("", c.rank(after), nil); {
	case kind == PageAhead:
		if page := c.after(after, limit, nil); len(page) > 0 {
			q.Set("starting_after", c.id(page[len(page)-1]))
		}
	case after == "" || len(before) <= limit:
		q.Del("starting_after")
	default:
		q.Set("starting_after", c.id(before[len(before)-1-limit]))
	}
	other := r.Clone(r.Context())
	other.URL.RawQuery = q.Encode()
	return other
}
