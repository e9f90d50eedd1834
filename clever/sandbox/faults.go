package sandbox

import (
	"sync"
	"time"
)

// FaultKind is a way for an answer to go wrong.
type FaultKind string

// The faults that can be ordered.
const (
	Malformed   FaultKind = "malformed"    // not JSON, in the middle of the answer
	Truncated   FaultKind = "truncated"    // the JSON stops, the answer ends in good order
	HTML        FaultKind = "html"         // 200 with a page
	TooMany     FaultKind = "too many"     // 429, empty body
	ServerError FaultKind = "server error" // Status, or 500
	Slow        FaultKind = "slow"         // waits Delay, then answers
	Reset       FaultKind = "reset"        // the connection breaks in the middle of the answer
	Endless     FaultKind = "endless"      // spaces without end
	NextLoop    FaultKind = "next loop"    // next leads to the page itself
	NextFirst   FaultKind = "next first"   // next leads to the first page
	NextForeign FaultKind = "next foreign" // next leads to another host
	NextOther   FaultKind = "next other"   // next leads to another list
	NoLinks     FaultKind = "no links"     // the list has no links at all
	EmptyPage   FaultKind = "empty page"   // no records, next as before
	NoRecords   FaultKind = "no records"   // no records and no next: a list that ends too early
	RolesArray  FaultKind = "roles array"  // the page's first user has roles as an array
	WrongType   FaultKind = "wrong type"   // the page's first record has a number for an id list
)

// Fault is one order: where, what, how often.
type Fault struct {
	Path   string // prefix of the URL path, such as "/v3.1/users"
	Page   int    // of a list, from 1; 0 means any page
	Kind   FaultKind
	Times  int           // how many answers go wrong; 0 means one, below 0 all
	Status int           // of ServerError
	Delay  time.Duration // of Slow
}

// Faults is the list of orders; the first that fits an answer is taken.
type Faults struct {
	mu     sync.Mutex
	orders []Fault
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
