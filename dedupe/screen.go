package dedupe

import "slices"

// Strong reports whether a block is made by what names and addresses do not tell: a number, an id of Clever's, a trait.
func (b Block) Strong() bool {
	return slices.Contains([]Block{ByClever, ByNumber, ByAnyNumber, ByTrait}, b)
}

// Screen finds out, of records of which only names and addresses are known, whether Around could suggest them with a
// changed one: everything else about them is taken to speak for it as loudly as it can between two records that share
// no strong block. What it lets through is to be read and weighed; what it does not, no reading would bring back.
func (m *Model) Screen(changed *Record, o Options) func(other *Record) bool {
	a := m.prepare(changed)
	rest := m.Base
	for at := range m.fields() {
		if !slices.Contains(screened, at) {
			rest += m.most(at, &a)
		}
	}
	return func(other *Record) bool {
		a, b := &a, m.prepare(other)
		var v vector
		if changed.ID < other.ID {
			m.compareNames(&v, a, &b)
			m.compareEmails(&v, a, &b)
		} else {
			m.compareNames(&v, &b, a)
			m.compareEmails(&v, &b, a)
		}
		sum := rest
		for _, at := range screened {
			sum += m.weigh(at, &v)
		}
		return sum >= o.Floor
	}
}

// screened are the fields that names and addresses settle.
var screened = []int{atEmail, atSurname, atGiven, atMiddle, atSuffix}

// most is the highest weight a field can have between a record and another in no strong block of its.
func (m *Model) most(at int, p *prepared) int {
	best := 0 // it may be missing
	var v vector
	for i, s := range stepsOf(at) {
		if s.level == Equal && (at == atNumber || at == atAcross) {
			continue // they would share a block
		}
		v.level[at] = uint8(i + 1)
		if s.rare {
			v.rare[at] = maxRare
		}
		if at == atSchools {
			v.rare[at] = 0
			for _, school := range p.schools {
				v.rare[at] = max(v.rare[at], school.rare)
			}
		}
		best = max(best, m.weigh(at, &v))
	}
	return best
}
