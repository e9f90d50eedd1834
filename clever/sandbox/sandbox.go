// Package sandbox is a Clever inside this process, over real HTTP: OAuth, the
// token list, identity and the Data API, with an invented district of any size.
//
// It owns what a client can see of Clever, as far as Clever's spec and public
// notes tell, and faults on demand. Everything about generated record i is
// worked out from the seed and i when it is asked for, so that a district of a
// million people needs no more memory than a small one. It is for the demo,
// benchmarks and tests, and guards nothing: whoever reaches it may sign in as
// anybody.
package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options shape a Sandbox. Everything has a default but the client's id and
// secret.
type Options struct {
	Seed    uint64
	Users   int // about how many in the first district, default 6000, at most 20 million
	Schools int // 0: one per 450 users, at least 6, at most 250

	// SectionsPerStudent is in how many sections of about 25 each student sits,
	// default 3.
	SectionsPerStudent int

	// Districts is 1 or 2; the second is small and shares an email and a SIS id
	// with the first.
	Districts int

	ClientID, ClientSecret string
	RedirectURLs           []string // the first is where portal and Instant Login arrive

	Now func() time.Time
	Log *slog.Logger // requests at debug level, faults at info; never a query

	RateLimit  int           // requests per window and token, default 1200, below 0 none
	RateWindow time.Duration // default one minute

	// Events. Clever's spec has previous_attributes beside data, its own sample
	// within; the sample counts, unless PreviousBeside. ThinDeletes leaves of a
	// deleted record its id and district. ForgetsCursors answers 400 to a cursor
	// from before the 30 days, which otherwise is a silent gap. NoEvents is an
	// app that did not switch them on.
	PreviousBeside, ThinDeletes, ForgetsCursors, NoEvents bool

	NoSecureSync   bool // district tokens reach only /districts
	HTMLWrongToken bool // a wrong kind of token is answered with an HTML page
	OIDC           bool // the code exchange also gives an ID token

	// ThinUserTokens withholds from user tokens what an app without Secure Sync
	// is not shown: email, schools, legacy and SIS ids, numbers, relationships.
	ThinUserTokens bool
}

// Persona is somebody worth signing in as.
type Persona struct {
	Label string // "Teacher and staff"
	Name  string
	Email string
	Roles []string // Clever's role keys, none for a user without a shared role
	ID    string   // Clever user id
}

// Sandbox is safe for concurrent use.
type Sandbox struct {
	opt       Options
	districts []*district
	faults    *Faults
	handler   http.Handler

	mu     sync.Mutex // guards what follows
	grants map[string]grant
	tokens map[string]userToken
	spent  map[string]window
	oidc   oidcKey
}

// New builds a Sandbox; it takes no longer for a large district than for a
// small one.
func New(opt Options) (*Sandbox, error) {
	if opt.ClientID == "" || opt.ClientSecret == "" {
		return nil, errors.New("sandbox: client id and client secret are both needed")
	}
	if opt.Users == 0 {
		opt.Users = 6000
	}
	if opt.Users < 100 || opt.Users > 20_000_000 {
		return nil, fmt.Errorf("sandbox: %d users is not between 100 and 20 million", opt.Users)
	}
	if opt.Schools == 0 {
		opt.Schools = min(max(opt.Users/450, 6), 250)
	}
	if opt.Schools < 4 || opt.Schools > 5000 || opt.Schools > opt.Users/10 {
		return nil, fmt.Errorf("sandbox: %d schools do not fit %d users", opt.Schools, opt.Users)
	}
	if opt.SectionsPerStudent == 0 {
		opt.SectionsPerStudent = 3
	}
	if opt.SectionsPerStudent < 1 || opt.SectionsPerStudent > 8 {
		return nil, fmt.Errorf("sandbox: %d sections per student is not between 1 and 8", opt.SectionsPerStudent)
	}
	if opt.Districts == 0 {
		opt.Districts = 1
	}
	if opt.Districts < 1 || opt.Districts > 2 {
		return nil, fmt.Errorf("sandbox: %d districts is neither 1 nor 2", opt.Districts)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.RateLimit == 0 {
		opt.RateLimit = 1200
	}
	if opt.RateWindow == 0 {
		opt.RateWindow = time.Minute
	}
	s := &Sandbox{opt: opt, faults: &Faults{}, grants: map[string]grant{}, tokens: map[string]userToken{}, spent: map[string]window{}}
	for n := range opt.Districts {
		d := newDistrict(&s.opt, n)
		if err := d.plantAll(); err != nil {
			return nil, err
		}
		d.people = d.personas()
		s.districts = append(s.districts, d)
	}
	s.handler = s.faulty(s.routes())
	return s, nil
}

func (s *Sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v3.0/", s.serveAPI)
	mux.HandleFunc("/v3.1/", s.serveAPI)
	mux.HandleFunc("GET /userinfo", s.userInfo)
	mux.HandleFunc("GET /oauth/tokens", s.serveTokens)
	mux.HandleFunc("POST /oauth/tokens", s.serveTokens)
	mux.HandleFunc("GET /oauth/tokeninfo", s.tokenInfo)
	mux.HandleFunc("GET /oauth/authorize", s.serveAuthorize)
	mux.HandleFunc("POST /oauth/authorize", s.serveAuthorize)
	mux.HandleFunc("GET /oauth/instant-login", s.serveInstantLogin)
	mux.HandleFunc("POST /oauth/instant-login", s.serveInstantLogin)
	mux.HandleFunc("GET /oauth/jwks", s.jwks)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /signin", s.serveSignIn)
	mux.HandleFunc("POST /signin", s.serveSignIn)
	mux.HandleFunc("GET /signout", s.serveSignOut)
	mux.HandleFunc("GET /portal", s.servePortal)
	mux.HandleFunc("GET /{$}", s.servePortal)
	mux.HandleFunc("GET /people", s.servePeople)
	mux.HandleFunc("POST /people/schools", s.serveSchool)
	mux.HandleFunc("GET /people/{id}", s.servePerson)
	mux.HandleFunc("POST /people/{id}", s.editPerson)
	mux.HandleFunc("GET /sandbox.css", serveCSS)
	return mux
}

// Handler serves API, OAuth and pages on one host.
func (s *Sandbox) Handler() http.Handler { return s.handler }

// Faults makes answers go wrong on demand.
func (s *Sandbox) Faults() *Faults { return s.faults }

// DistrictID is the first district's id, which is always SeedDistrictID.
func (s *Sandbox) DistrictID() string { return SeedDistrictID }

// DistrictIDs are all districts' ids, the first one first.
func (s *Sandbox) DistrictIDs() []string {
	ids := make([]string, len(s.districts))
	for i, d := range s.districts {
		ids[i] = d.id
	}
	return ids
}

// People are the named people of the first district who can sign in.
func (s *Sandbox) People() []Persona { return slices.Clone(s.districts[0].people) }
