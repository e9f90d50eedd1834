// Package dedupe finds records that stand for one person, and says why.
//
// It owns the evidence (Fellegi-Sunter weights in whole tenths of a bit, which add up on screen to the last digit), the
// rules that keep records apart, and the grouping of pairs into suggestions. It is pure: records and decisions in,
// suggestions out; it reads no database, no clock and no request, and the same records give the same answer in
// whatever order they come. Where records come from, what people decided and what a merge does to rows is the business
// of models; words for codes are those of views.
//
// The way through: Learn makes a Model of a district's records, NewIndex sorts the records into blocks, Index.Suggest
// gives everything there is to review, and Index.Around gives what one changed record newly resembles.
package dedupe

import (
	"cmp"

	"hallpass/access"
)

// Class says what a suggestion rests on. Classes are never mixed in one list: what Clever confirms, what an
// identifier backs and what merely looks alike ask for different care.
type Class string

// Classes, the surest first.
const (
	Confirmed  Class = "A" // Clever: one user whose ids several records hold
	Identified Class = "B" // the same number in the same namespace, or the same email that few others have
	Fuzzy      Class = "C" // names, nicknames, schools and the like, weighed
)

// rank orders classes, the surest first; no class at all comes last.
func (c Class) rank() int {
	switch c {
	case Confirmed:
		return 0
	case Identified:
		return 1
	case Fuzzy:
		return 2
	}
	return 3
}

// Record is what is known of one user, matched to Clever or not. Empty fields are not on record; they are evidence
// neither for nor against.
type Record struct {
	ID       int64 // unique within one call
	District int64
	Names    []Name // the one in use first, then former ones
	Emails   []string
	Numbers  []Number
	Schools  []int64
	Roles    []Role
	Clever   []CleverID
	Traits   []Trait
	Service  bool  // a service, demo or impersonation account: nobody's person
	Accounts int   // accounts the user already has; 0 counts as 1
	LastUsed int64 // Unix seconds, 0 for never; only decides which record is proposed to stay
}

// Name is one name of a person as written. Family names may be double, and any part may be empty.
type Name struct{ Given, Middle, Surname, Suffix string }

// Number is an identifier that a school system gave, unique at best within its space and district.
type Number struct{ Space, Value string }

// Number spaces of Clever's records.
const (
	TeacherSIS    = "teacher_sis_id"
	TeacherNumber = "teacher_number"
	StaffID       = "staff_id"
	AdminID       = "district_admin_id"
	AccountNumber = "account_number" // of the app's own file, when it does not say whose number it is
)

// Role is one role of a record.
type Role struct {
	Role    access.Role
	Current bool
}

// CleverID is an id of Clever's that led or leads to a record: a user's v3 id, or the legacy_id of one of its roles.
// Tombstones count, with Current false.
type CleverID struct {
	Value   string
	User    bool // a v3 user id, not a role's legacy_id
	Current bool // Clever lists it now
}

// Trait is anything else an app keeps of people and a file may bring: phone, position, town. Kinds are compared with
// themselves only. At most ten kinds count, in alphabetical order; nothing sensitive belongs here.
type Trait struct{ Kind, Value string }

// PairKey names two records, the lower id first.
type PairKey struct{ Lo, Hi int64 }

// Key is the key of two records in either order.
func Key(a, b int64) PairKey { return PairKey{min(a, b), max(a, b)} }

func (k PairKey) compare(o PairKey) int {
	return cmp.Or(cmp.Compare(k.Lo, o.Lo), cmp.Compare(k.Hi, o.Hi))
}

// Pair is what is known of two records together. Evidence lists the lower id's values first.
type Pair struct {
	PairKey
	Class    Class
	Evidence Evidence
}

func (r *Record) holds(role access.Role) bool {
	for _, have := range r.Roles {
		if have.Role == role {
			return true
		}
	}
	return false
}

// currentUser is the v3 id that Clever lists for the record now, or "".
func (r *Record) currentUser() string {
	for _, id := range r.Clever {
		if id.User && id.Current {
			return id.Value
		}
	}
	return ""
}
