package dedupe

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hallpass/access"
)

// prepared is a record made comparable.
type prepared struct {
	record  *Record
	names   []name
	emails  []email
	numbers []identity
	schools []school
	traits  []trait
	keys    []uint64 // ascending; the blocks it is in
}

type identity struct {
	space, value string
	rare         int16
}

type school struct {
	id   int64
	rare int16
}

type trait struct {
	kind, value string
	field       int
	rare        int16
}

// outside reports whether a record never takes part: whatever it shares with others, they are not one person here.
func (r *Record) outside() bool {
	return r.Service || r.holds(access.Student) || r.holds(access.Contact)
}

// bare is a record made comparable without a model: nothing in it says how rare it is.
func bare(r *Record) prepared {
	p := prepared{record: r, names: make([]name, 0, len(r.Names)), emails: make([]email, 0, len(r.Emails))}
	for _, n := range r.Names {
		if n := newName(n); !n.empty() {
			p.names = append(p.names, n)
		}
	}
	for _, address := range r.Emails {
		if e, ok := newEmail(address); ok && !slices.ContainsFunc(p.emails, func(have email) bool { return have.whole == e.whole }) {
			p.emails = append(p.emails, e)
		}
	}
	for _, n := range r.Numbers {
		if value := foldID(n.Value); value != "" {
			p.numbers = append(p.numbers, identity{space: n.Space, value: value})
		}
	}
	slices.SortFunc(p.numbers, func(a, b identity) int {
		return cmp.Or(strings.Compare(a.space, b.space), strings.Compare(a.value, b.value))
	})
	for _, id := range r.Schools {
		p.schools = append(p.schools, school{id: id})
	}
	slices.SortFunc(p.schools, func(a, b school) int { return cmp.Compare(a.id, b.id) })
	p.schools = slices.CompactFunc(p.schools, func(a, b school) bool { return a.id == b.id })
	for _, t := range r.Traits {
		if value := fold(t.Value); value != "" {
			p.traits = append(p.traits, trait{kind: fold(t.Kind), value: value})
		}
	}
	slices.SortFunc(p.traits, func(a, b trait) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.value, b.value))
	})
	return p
}

// prepare makes a record comparable under a model.
func (m *Model) prepare(r *Record) prepared {
	p := bare(r)
	for i := range p.names {
		n := &p.names[i]
		n.surnameRare, n.surnameKnown = m.rareName(Surname, n.surname, surnameShares(), unlistedSurname)
		n.givenRare, n.givenKnown = m.rareName(Given, n.given, givenShares(), unlistedGiven)
		for _, part := range n.parts {
			rare := n.surnameRare
			if part != n.surname {
				rare, _ = m.rareName(Surname, part, surnameShares(), unlistedSurname)
			}
			n.partRare = append(n.partRare, rare)
		}
	}
	for i := range p.emails {
		p.emails[i].rare = m.rareIdentifier(Emails, "", p.emails[i].whole)
	}
	for i := range p.numbers {
		p.numbers[i].rare = m.rareIdentifier(Numbers, p.numbers[i].space, p.numbers[i].value)
	}
	for i := range p.schools {
		p.schools[i].rare = m.rareSchool(schoolKey(p.schools[i].id))
	}
	known := p.traits[:0]
	for _, t := range p.traits {
		at, ok := slices.BinarySearch(m.Kinds, t.kind)
		if !ok {
			continue
		}
		t.field, t.rare = fixedFields+at, m.rareTrait(t.kind, t.value)
		known = append(known, t)
	}
	p.traits = known
	return p
}

func schoolKey(id int64) string { return strconv.FormatInt(id, 36) }
