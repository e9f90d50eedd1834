package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hallpass/access"
)

// Reason is one decision with the names that its words need. The Why page, the decision API, refusals and the
// activity list all speak through it, so that everybody is told the same:
//
//	l.ReasonSentence(r)  who can or cannot do what where, and the clause that says why
//	l.ReasonAdmin(r)     the same as one sentence, for those who may know names
//	l.ReasonUser(r)      to the person in question, naming nobody else
//	l.ReasonBrief(r)     a few words for a table's column
//	l.ReasonUntil(r)     how long it lasts, "" for no end
//	l.ReasonSteps(r)     everything that was considered, in order, the losers too
//	r.Code()             the same for programs: one word
//
// It is data: handlers fill it, nothing here asks for more. What is left out costs words, never sense.
type Reason struct {
	access.Verdict
	Definition access.Definition // of the permission; zero where the catalogue does not know it
	Spot       Spot              // the place as the verdict widened it
	Person     string            // as spoken; "" is "this person"
	CleverID   string            // for the step that says who this is; may be empty
	EndedAt    *time.Time
	Missing    string                   // what was asked about and is not here: user, account, place; "": nothing
	Grants     []ReasonGrant            // one for each role step, in the order of the trace
	Overrides  map[int64]ReasonOverride // by id, for those of the trace
}

// ReasonGrant is what a role step's words say beyond the step itself.
type ReasonGrant struct {
	Labels  []string
	Schools []string // names
	By      string   // who gave it, of a role by hand
	Since   *time.Time
	Until   *time.Time // of a role by hand
}

// ReasonOverride is what an override's words say beyond the override itself.
type ReasonOverride struct {
	Spot    Spot
	By      string
	Why     string // code: covering, co_teaching, duty, investigation, request, other
	Note    string
	Created time.Time
	EndKind string // date, term, school_year, role, none
	Locked  bool
}

// ReasonStep is one thing that was considered.
type ReasonStep struct {
	Title   string
	Text    string
	Word    string // what it came to: "Allows, and decides"
	Kind    string // yes, no or off
	Decides bool
}

// Codes of reasons, for programs.
const (
	ReasonRole           = "role"            // a role gives it
	ReasonOverrideAllows = "override_allows" // an override gives it
	ReasonOverrideDenies = "override_denies" // an override takes it
	ReasonWithheld       = "withheld"        // every role must give it, and one does not
	ReasonNotInView      = "not_in_view"     // a role would, and another view is worn
	ReasonOutOfReach     = "out_of_reach"    // a role gives it, elsewhere
	ReasonNotGiven       = "not_given"       // no role gives it
	ReasonNoRole         = "no_role"
	ReasonUnknown        = "unknown_permission"
	ReasonNoUser         = "unknown_user"
	ReasonOldAccount     = "unmatched_account" // an account from before that leads to nobody whom Clever lists
	ReasonNoPlace        = "unknown_place"
	ReasonEnded          = "ended_user"
)

// Code is why, in one word.
func (r Reason) Code() string {
	switch {
	case r.Missing == "user":
		return ReasonNoUser
	case r.Missing == "account":
		return ReasonOldAccount
	case r.Missing == "place":
		return ReasonNoPlace
	case !r.Known:
		return ReasonUnknown
	case r.EndedAt != nil:
		return ReasonEnded
	}
	if s, ok := r.deciding(access.OverrideAllows, access.OverrideDenies); ok {
		return string(s.Outcome)
	}
	for _, o := range []struct {
		outcome access.Outcome
		code    string
	}{{access.Withholds, ReasonWithheld}, {access.Allows, ReasonRole}, {access.NotInView, ReasonNotInView}, {access.OutOfReach, ReasonOutOfReach}, {access.NotGiven, ReasonNotGiven}} {
		if r.has(o.outcome) {
			return o.code
		}
	}
	return ReasonNoRole
}

func (r Reason) deciding(outcomes ...access.Outcome) (access.Step, bool) {
	for _, s := range r.Trace {
		for _, o := range outcomes {
			if s.Decides && s.Outcome == o {
				return s, true
			}
		}
	}
	return access.Step{}, false
}

func (r Reason) has(outcome access.Outcome) bool { return len(r.steps(outcome)) > 0 }

// steps are the indexes of the role steps with an outcome.
func (r Reason) steps(outcome access.Outcome) (at []int) {
	for i, s := range r.Trace {
		if s.Override == nil && s.Outcome == outcome {
			at = append(at, i)
		}
	}
	return at
}

func (r Reason) grant(i int) ReasonGrant {
	if i < len(r.Grants) {
		return r.Grants[i]
	}
	return ReasonGrant{}
}

func (r Reason) person(l *Locale) string {
	if strings.TrimSpace(r.Person) == "" {
		return l.T("reason.this_person")
	}
	return r.Person
}

func by(l *Locale, name string) string {
	if strings.TrimSpace(name) == "" {
		return l.T("reason.somebody")
	}
	return name
}

// roles names the roles of some steps, each once.
func (r Reason) roles(l *Locale, at []int) string { return l.List(r.roleNames(l, at)) }

// say fills a key's plural form with the roles whose steps came to an outcome.
func (r Reason) say(l *Locale, key string, outcome access.Outcome) string {
	names := r.roleNames(l, r.steps(outcome))
	return l.N(key, len(names), "Roles", l.List(names))
}

func (r Reason) roleNames(l *Locale, at []int) []string {
	var said []string
	for _, i := range at {
		s := r.Trace[i]
		word := l.roleLower(string(s.Role))
		if s.Label != "" {
			word = label(l, s.Label)
		}
		if !slices.Contains(said, word) {
			said = append(said, word)
		}
	}
	return said
}

// as is a role step that reaches the place: "staff at Orion High".
func (r Reason) as(l *Locale, i int) string {
	s := r.Trace[i]
	school := r.Spot.Name
	if r.Spot.Kind == "section" {
		school = r.Spot.Around
	}
	switch {
	case s.Role == access.Teacher:
		return l.T("reason.as.teacher")
	case s.Role == access.DistrictAdmin:
		return l.T("reason.as.district_admin")
	case s.Label != "":
		return l.F("reason.as.label", "Label", label(l, s.Label), "School", schoolName(l, school))
	}
	return l.F("reason.as.staff", "School", schoolName(l, school))
}

// lists is a role step with where it comes from: "Clever lists Ana Ruiz as staff at Orion High".
func (r Reason) lists(l *Locale, i int) string {
	if r.Trace[i].Source == access.ByHand {
		return l.F("reason.manual", "By", by(l, r.grant(i).By), "Name", r.person(l), "As", r.as(l, i), "Until", l.until(r.grant(i).Until))
	}
	return l.F("reason.clever", "Name", r.person(l), "As", r.as(l, i))
}

func (l *Locale) until(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " " + l.F("reason.until", "Date", l.Date(lastDay(*t)))
}

// lasts is how long an override lasts, with a space before it.
func (l *Locale) lasts(o *access.Override) string {
	switch {
	case !o.Ends.IsZero():
		return l.until(&o.Ends)
	case o.WithRole != "":
		return " " + l.F("reason.with_role", "Role", l.roleLower(string(o.WithRole)))
	}
	return ""
}

// ReasonSentence is the answer and why: "Ana Ruiz can change grades at Orion High" and "Clever lists …". The second is
// a clause that goes after "because".
func (l *Locale) ReasonSentence(r Reason) (answer, because string) {
	words := []string{"Name", r.person(l), "Act", r.act(l), "Where", r.where(l)}
	if r.Allowed {
		return l.F("reason.can", words...), l.because(r)
	}
	return l.F("reason.cannot", words...), l.because(r)
}

// ReasonAdmin is the whole sentence.
func (l *Locale) ReasonAdmin(r Reason) string {
	answer, because := l.ReasonSentence(r)
	return l.F("reason.whole", "Answer", answer, "Because", because)
}

func (r Reason) act(l *Locale) string {
	if !r.Known {
		return string(r.Permission)
	}
	return l.Act(r.Definition).does()
}

// where is the place inside a sentence. What is asked of a place larger than the permission's own is asked of all of
// it.
func (r Reason) where(l *Locale) string {
	if r.Missing != "" && r.Spot.Kind == "" {
		return l.T("reason.there")
	}
	return r.Spot.inside(l)
}

func (l *Locale) because(r Reason) string {
	switch code := r.Code(); code {
	case ReasonNoUser:
		return l.T("reason.no_user")
	case ReasonOldAccount:
		return l.T("reason.old_account")
	case ReasonNoPlace:
		return l.T("reason.no_place")
	case ReasonUnknown:
		return l.F("reason.unknown", "Permission", string(r.Permission))
	case ReasonEnded:
		return l.F("reason.ended", "Name", r.person(l), "Date", l.Date(*r.EndedAt))
	case ReasonOverrideAllows, ReasonOverrideDenies:
		return l.becauseOverride(r)
	case ReasonRole:
		var said []string
		for i, s := range r.Trace {
			if s.Decides {
				said = append(said, r.lists(l, i))
			}
		}
		return l.List(said)
	case ReasonWithheld:
		return r.say(l, key("reason.withheld"), access.Withholds)
	case ReasonNotInView:
		if r.View == "" {
			return r.say(l, key("reason.no_view"), access.NotInView)
		}
		return r.say(l, key("reason.not_in_view"), access.NotInView)
	case ReasonOutOfReach:
		return l.becauseElsewhere(r)
	case ReasonNotGiven:
		return r.say(l, key("reason.not_given"), access.NotGiven)
	}
	return l.F("reason.no_role", "Name", r.person(l))
}

func (l *Locale) becauseOverride(r Reason) string {
	s, _ := r.deciding(access.OverrideAllows, access.OverrideDenies)
	o := r.Overrides[s.Override.ID]
	words := []string{"By", by(l, o.By), "Number", strconv.FormatInt(s.Override.ID, 10), "Until", l.lasts(s.Override), "Where", l.widely(r, s.Override)}
	if s.Override.Allow {
		return l.F("reason.override.allow", words...)
	}
	return l.F("reason.override.deny", words...)
}

// widely says where an override is that decides from a wider place, with a space before it.
func (l *Locale) widely(r Reason, o *access.Override) string {
	if o.Place.Kind == r.Place.Kind {
		return ""
	}
	spot := r.Overrides[o.ID].Spot
	if spot.Kind == "" {
		spot = Spot{Kind: string(o.Place.Kind), Name: r.Spot.Around}
	}
	return " " + spot.inside(l)
}

// becauseElsewhere says of the roles that give the permission where they do.
func (l *Locale) becauseElsewhere(r Reason) string {
	var said []string
	for _, i := range r.steps(access.OutOfReach) {
		switch s := r.Trace[i]; {
		case s.Role == access.Teacher && r.Place.Kind == access.Section:
			said = append(said, l.T("reason.elsewhere.teacher"))
		case s.Role == access.Teacher:
			said = append(said, l.T("reason.elsewhere.sections"))
		case r.Place.Kind == access.District:
			said = append(said, l.F("reason.elsewhere.schools", "Role", r.roles(l, []int{i})))
		default:
			said = append(said, l.F("reason.elsewhere.staff", "Role", r.roles(l, []int{i})))
		}
	}
	return strings.Join(said, "; ") // each has a comma of its own
}

// ReasonUser tells the person in question, and names nobody else.
func (l *Locale) ReasonUser(r Reason) string {
	answer := l.F("reason.you_cannot", "Act", r.act(l), "Where", r.where(l))
	if r.Allowed {
		answer = l.F("reason.you_can", "Act", r.act(l), "Where", r.where(l))
	}
	return answer + " " + l.youBecause(r)
}

func (l *Locale) youBecause(r Reason) string {
	switch r.Code() {
	case ReasonNoUser, ReasonEnded:
		return l.T("reason.you.ended")
	case ReasonOldAccount:
		return l.T("reason.you.old_account")
	case ReasonNoPlace, ReasonUnknown:
		return l.T("reason.you.unknown")
	case ReasonOverrideAllows:
		s, _ := r.deciding(access.OverrideAllows)
		return l.F("reason.you.allowed", "Until", l.lasts(s.Override))
	case ReasonOverrideDenies:
		s, _ := r.deciding(access.OverrideDenies)
		return l.F("reason.you.denied", "Until", l.lasts(s.Override))
	case ReasonRole:
		for i, s := range r.Trace {
			if s.Decides {
				return l.F("reason.you.role", "As", r.as(l, i))
			}
		}
	case ReasonWithheld:
		return l.T("reason.you.withheld")
	case ReasonNotInView:
		return l.F("reason.you.view", "Role", r.roles(l, r.steps(access.NotInView)[:1]))
	case ReasonOutOfReach:
		return l.T("reason.you.elsewhere")
	}
	return l.T("reason.you.not_given")
}
