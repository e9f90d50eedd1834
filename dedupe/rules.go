package dedupe

import (
	"cmp"
	"slices"
	"strconv"

	"hallpass/access"
)

// Code names a reason; views has the words.
type Code string

// Hard rules: with one of these, two records are never merged, whoever asks.
const (
	StudentRole      Code = "student"           // Clever never gives a student a second role
	ContactRole      Code = "contact"           // a contact's record is another one by design, though it may be the same human
	OtherDistrict    Code = "other_district"    // ids are unique in one district only
	DecidedDifferent Code = "decided_different" // somebody said so, and nobody has taken it back
	ServiceAccount   Code = "service_account"
	SameRecord       Code = "same_record"
	// Those of the person who decides, in MayDecide.
	OwnRecord   Code = "own_record"
	OutOfReach  Code = "out_of_reach"   // not every school of every member is theirs to change
	MoreThanOwn Code = "more_than_own"  // the result would hold a role they may not give
	SecondEyes  Code = "second_person"  // soft: another person must agree
	WouldJoin   Code = "would_join"     // the pair itself may be, but it would join two others that may not
	Apart       Code = "evidence_apart" // joined through others, two members contradict each other
)

// Soft rules: a suggestion with one of these is read by a person, not accepted in bulk.
const (
	TwoCleverUsers    Code = "two_clever_users" // Clever lists both now, as two users; the next sync will say so again
	CleverSplit       Code = "clever_split"     // an id of one is now the other's: Clever took one user apart
	SharedMailbox     Code = "shared_mailbox"   // one address, two given names
	OfficeMailbox     Code = "office_mailbox"   // an address that is an office's by its name
	NamesDisagree     Code = "names_disagree"
	SuffixContradicts Code = "suffix_contradicts"
	MiddleContradicts Code = "middle_contradicts"
	TooManyAccounts   Code = "too_many_accounts" // more than three
	SameRoleTwice     Code = "same_role_twice"   // two members hold one role now
	WeakBridge        Code = "weak_bridge"       // the group hangs together by one weak pair
	Uncertain         Code = "uncertain"         // a pair that holds the group together is less than 99 % sure
)

// Reason is a rule that applied, as data. Records are the members it is about, ascending; Params fills the sentence.
type Reason struct {
	Code    Code              `json:"code"`
	Records []int64           `json:"records,omitempty"`
	Params  map[string]string `json:"params,omitempty"`
}

// Verdict is what a person said of a pair.
type Verdict string

// Verdicts.
const (
	SaidSame      Verdict = "same"
	SaidDifferent Verdict = "different"
	SaidUnsure    Verdict = "unsure"
)

// Decision is a live answer about two records, with what was known when it was given. Those about records merged
// since belong to the survivors, and the caller names them so.
type Decision struct {
	PairKey
	Verdict Verdict
	Class   Class
	Tenths  int
}

// stronger is how many tenths of a bit a pair's weight must rise by for a "different" to be asked again.
const stronger = 60

// reopened reports whether a pair may be shown again although somebody said "different".
func (d Decision) reopened(class Class, tenths int) bool {
	return class.rank() < d.Class.rank() || tenths >= d.Tenths+stronger
}

// Forbidden lists the hard rules that keep two records apart; nothing means they may be merged as far as the records
// themselves go. decided answers what was said of the pair, and may be nil.
func Forbidden(a, b *Record, decided func(PairKey) (Decision, bool)) []Reason {
	var out []Reason
	if a.ID == b.ID {
		return []Reason{{Code: SameRecord, Records: []int64{a.ID}}}
	}
	if a.District != b.District {
		out = append(out, Reason{Code: OtherDistrict, Records: ids(a, b)})
	}
	for _, rule := range []struct {
		code   Code
		breaks func(*Record) bool
	}{
		{StudentRole, func(r *Record) bool { return r.holds(access.Student) }},
		{ContactRole, func(r *Record) bool { return r.holds(access.Contact) }},
		{ServiceAccount, func(r *Record) bool { return r.Service }},
	} {
		var who []*Record
		for _, r := range []*Record{a, b} {
			if rule.breaks(r) {
				who = append(who, r)
			}
		}
		if len(who) > 0 {
			out = append(out, Reason{Code: rule.code, Records: ids(who...)})
		}
	}
	if decided != nil {
		if d, ok := decided(Key(a.ID, b.ID)); ok && d.Verdict == SaidDifferent {
			out = append(out, Reason{Code: DecidedDifferent, Records: ids(a, b)})
		}
	}
	return out
}

// Actor is the person who would merge.
type Actor struct {
	Record   int64 // their own, or 0 for none
	District bool  // may change people everywhere in the district
	Schools  []int64
	Grants   []access.Role // roles they may give
}

// MayDecide lists what keeps an actor from merging members, hard rules first, and whether a second person must agree.
// Members without schools, but for district admins, can be reached by those of the whole district alone.
func MayDecide(by Actor, members []Record) []Reason {
	var own, reach, more []*Record
	for i := range members {
		r := &members[i]
		if r.ID == by.Record && by.Record != 0 {
			own = append(own, r)
		}
		outside := func(id int64) bool { return !slices.Contains(by.Schools, id) }
		if !by.District && (len(r.Schools) == 0 || slices.ContainsFunc(r.Schools, outside)) {
			reach = append(reach, r)
		}
		if slices.ContainsFunc(r.Roles, func(have Role) bool { return have.Current && !slices.Contains(by.Grants, have.Role) }) {
			more = append(more, r)
		}
	}
	var out []Reason
	for _, found := range []struct {
		code Code
		who  []*Record
	}{{OwnRecord, own}, {OutOfReach, reach}, {MoreThanOwn, more}} {
		if len(found.who) > 0 {
			out = append(out, Reason{Code: found.code, Records: ids(found.who...)})
		}
	}
	all := make([]*Record, len(members))
	for i := range members {
		all[i] = &members[i]
	}
	return append(out, secondEyes(all)...)
}

// secondEyes is the rule that another person must agree: where a district admin is among the members, or two users whom
// Clever lists now.
func secondEyes(members []*Record) []Reason {
	users := map[string]bool{}
	for _, r := range members {
		if user := r.currentUser(); user != "" {
			users[user] = true
		}
	}
	var who []*Record
	for _, r := range members {
		if r.holds(access.DistrictAdmin) || len(users) > 1 && r.currentUser() != "" {
			who = append(who, r)
		}
	}
	if len(who) == 0 {
		return nil
	}
	return []Reason{{Code: SecondEyes, Records: ids(who...)}}
}

// ids are the records' ids, ascending.
func ids(records ...*Record) []int64 {
	out := make([]int64, len(records))
	for i, r := range records {
		out[i] = r.ID
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// confirmed reports whether Clever says that two records are one user: they share an id of Clever's, and it does not
// list them as two users now. split is the id they share although it does.
func confirmed(a, b *Record) (yes bool, split string) {
	shared := ""
	for _, x := range a.Clever {
		for _, y := range b.Clever {
			if x.Value == y.Value && x.Value != "" && (shared == "" || x.Value < shared) {
				shared = x.Value
			}
		}
	}
	if shared == "" {
		return false, ""
	}
	if ua, ub := a.currentUser(), b.currentUser(); ua != "" && ub != "" && ua != ub {
		return false, shared
	}
	return true, ""
}

// class is what a pair rests on.
func class(a, b *prepared, v *vector) Class {
	if yes, _ := confirmed(a.record, b.record); yes {
		return Confirmed
	}
	if v.is(atNumber, Equal) && v.rare[atNumber] == identifier || v.is(atEmail, Equal) && v.rare[atEmail] == identifier {
		return Identified
	}
	return Fuzzy
}

// doubts are the soft rules of one pair.
func doubts(a, b *prepared, v *vector) []Reason {
	var out []Reason
	add := func(code Code, params map[string]string) {
		out = append(out, Reason{Code: code, Records: ids(a.record, b.record), Params: params})
	}
	if ua, ub := a.record.currentUser(), b.record.currentUser(); ua != "" && ub != "" && ua != ub {
		add(TwoCleverUsers, nil)
		if _, split := confirmed(a.record, b.record); split != "" {
			add(CleverSplit, map[string]string{"id": split})
		}
	}
	if v.is(atGiven, Differ) || v.is(atSurname, Differ) {
		add(NamesDisagree, nil)
	}
	if v.is(atGiven, Differ) && v.is(atEmail, Equal, Generic) {
		add(SharedMailbox, nil)
	}
	if address := officeShared(a, b); address != "" {
		add(OfficeMailbox, map[string]string{"email": address})
	}
	if v.is(atSuffix, Differ, OneSide) {
		add(SuffixContradicts, nil)
	}
	if v.is(atMiddle, Differ) {
		add(MiddleContradicts, nil)
	}
	if role := sharedRole(a.record, b.record); role != "" {
		add(SameRoleTwice, map[string]string{"role": string(role)})
	}
	return out
}

func officeShared(a, b *prepared) string {
	for i := range a.emails {
		for j := range b.emails {
			if x := &a.emails[i]; x.generic && x.whole == b.emails[j].whole {
				return x.whole
			}
		}
	}
	return ""
}

func sharedRole(a, b *Record) access.Role {
	for _, role := range access.Roles() {
		current := func(have Role) bool { return have.Role == role && have.Current }
		if slices.ContainsFunc(a.Roles, current) && slices.ContainsFunc(b.Roles, current) {
			return role
		}
	}
	return ""
}

// groupDoubts are the soft rules of a whole group.
func groupDoubts(members []*Record) []Reason {
	var out []Reason
	accounts := 0
	for _, r := range members {
		accounts += max(1, r.Accounts)
	}
	if accounts > 3 {
		out = append(out, Reason{Code: TooManyAccounts, Params: map[string]string{"accounts": strconv.Itoa(accounts)}})
	}
	return append(out, secondEyes(members)...)
}

func compareReasons(a, b Reason) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), slices.Compare(a.Records, b.Records))
}
