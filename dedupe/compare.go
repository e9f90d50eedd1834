package dedupe

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Thresholds of likeness, in thousandths of Jaro-Winkler.
const (
	closeSurname = 920
	closeGiven   = 900
	closeMailbox = 930
	closeTrait   = 930
)

// compare says how two records agree, field by field. It is symmetrical.
func (m *Model) compare(a, b *prepared) vector {
	var v vector
	m.compareNames(&v, a, b)
	compareNumbers(&v, a, b)
	m.compareEmails(&v, a, b)
	compareSchools(&v, a, b)
	compareTraits(&v, a, b)
	return v
}

// compareNames keeps the best of all pairs of names, current and former.
func (m *Model) compareNames(v *vector, a, b *prepared) {
	best, found := 0, false
	for i := range a.names {
		for j := range b.names {
			var try vector
			compareName(&try, &a.names[i], &b.names[j])
			sum := 0
			for _, at := range []int{atSurname, atGiven, atMiddle, atSuffix} {
				sum += m.weigh(at, &try)
			}
			if !found || sum > best || sum == best && try.pack() < v.pack() {
				*v, best, found = try, sum, true
			}
		}
	}
}

func compareName(v *vector, a, b *name) {
	switch {
	case a.surname == "" || b.surname == "":
	case a.surname == b.surname:
		v.set(atSurname, Equal, min(a.surnameRare, b.surnameRare))
	case a.given != "" && b.given != "" && swapped(a, b):
		v.set(atSurname, Swapped, 0)
	case sharesPart(a, b) >= 0:
		v.set(atSurname, Part, sharesPart(a, b))
	case (!a.surnameKnown || !b.surnameKnown) && near(a.surname, b.surname, closeSurname):
		v.set(atSurname, Close, 0)
	default:
		v.set(atSurname, Differ, 0)
	}
	switch {
	case a.given == "" || b.given == "":
	case v.is(atSurname, Swapped):
		v.set(atGiven, WithSwap, 0)
	case a.given == b.given:
		v.set(atGiven, Equal, min(a.givenRare, b.givenRare))
	case utf8.RuneCountInString(a.given) == 1 || utf8.RuneCountInString(b.given) == 1:
		if initial(a.given) == initial(b.given) {
			v.set(atGiven, Initial, 0)
		} else {
			v.set(atGiven, Differ, 0)
		}
	case sharesForm(a.canon, b.canon):
		v.set(atGiven, Nickname, 0)
	case (!a.givenKnown || !b.givenKnown) && near(a.given, b.given, closeGiven), a.given == b.middle, b.given == a.middle:
		v.set(atGiven, Close, 0)
	default:
		v.set(atGiven, Differ, 0)
	}
	switch {
	case a.middle == "" || b.middle == "":
	case a.middle == b.middle && utf8.RuneCountInString(a.middle) > 1:
		v.set(atMiddle, Equal, 0)
	case initial(a.middle) == initial(b.middle) && (utf8.RuneCountInString(a.middle) == 1 || utf8.RuneCountInString(b.middle) == 1):
		v.set(atMiddle, Initial, 0)
	case near(a.middle, b.middle, closeGiven):
		v.set(atMiddle, Equal, 0)
	default:
		v.set(atMiddle, Differ, 0)
	}
	switch {
	case a.suffix == "" && b.suffix == "":
	case a.suffix == b.suffix:
		v.set(atSuffix, Equal, 0)
	case a.suffix == "" || b.suffix == "":
		v.set(atSuffix, OneSide, 0)
	default:
		v.set(atSuffix, Differ, 0)
	}
}

// swapped reports whether given name and surname stand in each other's place, give or take a slip in one of them.
func swapped(a, b *name) bool {
	if a.given == b.given {
		return false
	}
	there, back := a.given == b.surname, a.surname == b.given
	return there && back || there && slip(a.surname, b.given) || back && slip(a.given, b.surname)
}

// sharesPart is how rare, in tenths of a bit, the rarest part is that two surnames have in common, or -1. One's surname
// as the other's middle name counts, as after a marriage.
func sharesPart(a, b *name) int16 {
	rarest := int16(-1)
	for i, part := range a.parts {
		if len(part) > 2 && slices.Contains(b.parts, part) {
			rarest = max(rarest, a.partRare[i])
		}
	}
	switch {
	case a.surname == b.middle, sameLetters(a.surname, b.surname):
		rarest = max(rarest, a.surnameRare)
	case b.surname == a.middle:
		rarest = max(rarest, b.surnameRare)
	}
	return rarest
}

// compareNumbers sets numbers, numbers across spaces, posts and users.
func compareNumbers(v *vector, a, b *prepared) {
	met, crossed, across := false, false, false
	userA, userB := a.record.currentUser(), b.record.currentUser()
	twoUsers := userA != "" && userB != "" && userA != userB
	best := Differ
	var rare int16
	for i := range a.numbers {
		for j := range b.numbers {
			x, y := &a.numbers[i], &b.numbers[j]
			if x.space != y.space {
				crossed, across = true, across || x.value == y.value && len(x.value) > 2
				continue
			}
			met = true
			switch {
			case x.value == y.value:
				if best != Equal || x.rare > rare {
					best, rare = Equal, x.rare
				}
			case best == Differ && !twoUsers && len(x.value) > 4 && slip(x.value, y.value):
				best = OneEdit // of two whom Clever lists, neighbours in a series; else a slip of the pen
			}
		}
	}
	if met {
		v.set(atNumber, best, rare)
	}
	if crossed && best != Equal {
		v.set(atAcross, Differ, 0)
		if across {
			v.set(atAcross, Equal, 0)
		}
	}
	if twoUsers {
		v.set(atUsers, TwoUsers, 0)
	} else if len(a.record.Clever) > 0 && len(b.record.Clever) > 0 {
		v.set(atUsers, NoClash, 0)
	}
	if met && len(a.record.Roles) > 0 && len(b.record.Roles) > 0 {
		v.set(atPosts, NoClash, 0)
		if best != Equal && sameCurrentRole(a.record, b.record) {
			v.set(atPosts, TwoPosts, 0)
		}
	}
}

func sameCurrentRole(a, b *Record) bool {
	for _, x := range a.Roles {
		for _, y := range b.Roles {
			if x.Current && y.Current && x.Role == y.Role {
				return true
			}
		}
	}
	return false
}

// compareEmails keeps the best of all pairs of addresses. It runs after the names: mailbox names are made of people's
// names, and what agrees because the names do must not count twice.
func (m *Model) compareEmails(v *vector, a, b *prepared) {
	best := uint8(0)
	for i := range a.emails {
		for j := range b.emails {
			level, rare := m.compareEmail(v, a, b, &a.emails[i], &b.emails[j])
			at := number(fixed[atEmail].steps, level)
			if best == 0 || at < best || at == best && rare > v.rare[atEmail] {
				best = at
				v.set(atEmail, level, rare)
			}
		}
	}
	if (best == 0 || v.is(atEmail, Differ)) && v.is(atSurname, Differ, Part) && (tellsOf(a, b) || tellsOf(b, a)) {
		v.set(atEmail, FitsName, 0)
	}
}

// tellsOf reports whether an address of a is made of a name of b, and of none of a's own: what a former name leaves
// behind.
func tellsOf(a, b *prepared) bool {
	for i := range a.emails {
		if e := &a.emails[i]; e.made(b) && !e.made(a) {
			return true
		}
	}
	return false
}

// made reports whether an address is made of one of a record's names.
func (e *email) made(of *prepared) bool {
	for i := range of.names {
		if e.fits(&of.names[i]) {
			return true
		}
	}
	return false
}

func (m *Model) compareEmail(v *vector, a, b *prepared, x, y *email) (Level, int16) {
	switch {
	case x.whole == y.whole && x.generic:
		return Generic, 0
	case x.whole == y.whole:
		return Equal, x.rare
	case x.generic || y.generic:
		return Differ, 0
	case x.local == y.local && len(x.local) > 2 && related(x.domain, y.domain, m.Domains):
		return Alias, 0
	case x.local == y.local && len(x.local) > 3:
		if v.is(atSurname, Equal, Swapped) && (x.made(a) || y.made(b)) {
			return Resembles, 0
		}
		return SameLocal, 0
	case x.core != y.core && len(x.core) > 4 && len(y.core) > 4 && (slip(x.local, y.local) || alike(x.local, y.local, closeMailbox)):
		// Not where digits alone differ: those are what tells one J. Smith's mailbox from another's. Nor where each is
		// made of its own side's name: two mailboxes, as alike as the names.
		if !x.made(a) || !y.made(b) {
			return Resembles, 0
		}
	}
	return Differ, 0
}

func compareSchools(v *vector, a, b *prepared) {
	if len(a.schools) == 0 || len(b.schools) == 0 {
		return
	}
	v.set(atSchools, NoneShared, 0)
	shared := false
	for i, j := 0, 0; i < len(a.schools) && j < len(b.schools); {
		switch x, y := a.schools[i], b.schools[j]; {
		case x.id == y.id:
			if !shared || x.rare > v.rare[atSchools] {
				v.set(atSchools, Shared, x.rare)
			}
			shared = true
			i, j = i+1, j+1
		case x.id < y.id:
			i++
		default:
			j++
		}
	}
}

func compareTraits(v *vector, a, b *prepared) {
	for i := range a.traits {
		for j := range b.traits {
			x, y := &a.traits[i], &b.traits[j]
			if x.field != y.field {
				continue
			}
			level, rare := Differ, int16(0)
			switch {
			case x.value == y.value:
				level, rare = Equal, x.rare
			case closeText(x.value, y.value):
				level = Close
			}
			at := number(traitSteps, level)
			if have := v.level[x.field]; have == 0 || at < have || at == have && rare > v.rare[x.field] {
				v.set(x.field, level, rare)
			}
		}
	}
}

// closeText is near for text of any kind: numbers may differ by a slip, words also by spaces.
func closeText(a, b string) bool {
	if len(a) > 2 && slip(a, b) {
		return true
	}
	if isDigits(a) || isDigits(b) {
		return false
	}
	return sameLetters(a, b) || alike(a, b, closeTrait)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// sameLetters reports whether two texts differ by spaces alone.
func sameLetters(a, b string) bool {
	return len(a) != len(b) && strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}
