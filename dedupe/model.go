package dedupe

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Weight is what one level of one field counts for. For levels that weigh by rarity, Tenths is what is added to the
// rarity of the value, and is 0 or less: how often true pairs agree at all.
type Weight struct {
	Field  Field  `json:"field"`
	Kind   string `json:"kind,omitempty"` // of a trait
	Level  Level  `json:"level"`
	Rarity bool   `json:"rarity,omitempty"`
	Tenths int    `json:"tenths"`
}

// Model is what a district has taught: weights, frequencies and the prior. It holds names with how often they occur and
// therefore belongs behind the district's wall. It is read-only once made, and travels as JSON.
type Model struct {
	People   int            // records it was learned from
	Base     int            // the prior in tenths of a bit
	Labelled int            // Clever-confirmed pairs that taught it; 0 where it had to do without
	Weights  []Weight       // in the order of fields and levels
	Kinds    []string       // trait kinds compared, ascending
	Domains  []string       // the district's own mail domains, ascending
	Counts   map[string]int // how many records hold a value, by field and value; only values that more than one holds

	weights [maxFields][]int16 // by level number; index 0 is Missing
}

// wire is Model as JSON.
type wire struct {
	People   int            `json:"people"`
	Base     int            `json:"base"`
	Labelled int            `json:"labelled"`
	Weights  []Weight       `json:"weights"`
	Kinds    []string       `json:"kinds"`
	Domains  []string       `json:"domains"`
	Counts   map[string]int `json:"counts"`
}

// MarshalJSON writes the model.
func (m *Model) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{m.People, m.Base, m.Labelled, m.Weights, m.Kinds, m.Domains, m.Counts})
}

// UnmarshalJSON reads what MarshalJSON wrote. A field or level that this program does not know is an error: the model
// must be learned anew.
func (m *Model) UnmarshalJSON(raw []byte) error {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return fmt.Errorf("read model: %w", err)
	}
	out := Model{People: w.People, Base: w.Base, Labelled: w.Labelled, Kinds: w.Kinds, Domains: w.Domains, Counts: w.Counts}
	if len(out.Kinds) > maxTraits {
		return fmt.Errorf("read model: %d kinds of traits, at most %d", len(out.Kinds), maxTraits)
	}
	out.begin()
	for _, weight := range w.Weights {
		at, level, ok := out.find(weight)
		if !ok {
			return fmt.Errorf("read model: unknown level %q of %q", weight.Level, weight.Field)
		}
		out.weights[at][level] = int16(weight.Tenths)
	}
	out.publish()
	*m = out
	return nil
}

// startingPrior takes one in twenty records to be a duplicate.
func startingPrior(people int) int { return logRatio(1, uint64(10*max(people-1, 1))) }

// begin sets every weight to where it starts.
func (m *Model) begin() {
	for at := range m.fields() {
		steps := stepsOf(at)
		m.weights[at] = make([]int16, len(steps)+1)
		for i, s := range steps {
			m.weights[at][i+1] = int16(s.start)
			if s.rare {
				m.weights[at][i+1] = int16(min(0, logRatio(uint64(s.matches), 1000)))
			}
		}
	}
	m.publish()
}

// publish lists the weights for readers.
func (m *Model) publish() {
	m.Weights = nil
	for at := range m.fields() {
		for i, s := range stepsOf(at) {
			field, kind := m.fieldName(at)
			m.Weights = append(m.Weights, Weight{field, kind, s.level, s.rare, int(m.weights[at][i+1])})
		}
	}
}

func (m *Model) fields() int { return fixedFields + len(m.Kinds) }

func (m *Model) fieldName(at int) (Field, string) {
	if at < fixedFields {
		return fixed[at].name, ""
	}
	return Traits, m.Kinds[at-fixedFields]
}

func (m *Model) find(w Weight) (at int, level uint8, ok bool) {
	for at := range m.fields() {
		if field, kind := m.fieldName(at); field != w.Field || kind != w.Kind {
			continue
		}
		for i, s := range stepsOf(at) {
			if s.level == w.Level {
				return at, uint8(i + 1), true
			}
		}
	}
	return 0, 0, false
}

// weigh is what a field adds to the sum, in tenths of a bit.
func (m *Model) weigh(at int, v *vector) int {
	level := v.level[at]
	if level == 0 {
		return 0
	}
	s := &stepsOf(at)[level-1]
	weight := int(m.weights[at][level])
	if s.rare {
		weight += int(v.rare[at])
	}
	return min(max(weight, s.lo), s.hi)
}

// total is the sum, prior included.
func (m *Model) total(v *vector) int {
	sum := m.Base
	for at := range m.fields() {
		sum += m.weigh(at, v)
	}
	return sum
}

// Rarities: how unlikely it is that two people agree in a value by chance, in tenths of a bit.

const (
	maxRare      = 140 // of names and traits: rarer than 1 in 16,000 cannot be told from a district's data
	identifier   = 180 // of numbers and addresses
	knownHolders = 4   // of a name
	fewHolders   = 6   // of an identifier: one person's accounts. More, and it is somebody's mistake or an office
)

// rareName weighs a name by its share in the district, shrunk to the census's, and says whether it is a name that
// people have: listed by the census, or held by more records than one person is likely to misspell the same way.
func (m *Model) rareName(field Field, value string, table map[string]int, unlisted int) (rare int16, known bool) {
	if value == "" {
		return 0, false
	}
	ppm, listed := table[value]
	if !listed {
		ppm = unlisted
	}
	holders := m.holders(field, "", value)
	held := uint64(holders)*million + uint64(backOff*ppm)
	return int16(min(maxRare, max(0, logRatio(uint64(m.People+backOff)*million, held)))), listed || holders >= knownHolders
}

func (m *Model) rareTrait(kind, value string) int16 {
	return int16(min(maxRare, max(0, logRatio(uint64(max(m.People, 2)), uint64(m.holders(Traits, kind, value))))))
}

func (m *Model) rareSchool(key string) int16 {
	return int16(max(0, logRatio(uint64(max(m.People, 2)), uint64(m.holders(Schools, "", key)))))
}

// rareIdentifier weighs a number or an address. Few holders are what one person's records look like; with more, it is
// only as telling as its share.
func (m *Model) rareIdentifier(field Field, kind, value string) int16 {
	holders := m.holders(field, kind, value)
	if holders <= fewHolders {
		return identifier
	}
	return int16(min(identifier, max(0, logRatio(uint64(max(m.People, 2)), uint64(holders)))))
}

// holders is how many records hold a value, at least 1.
func (m *Model) holders(field Field, kind, value string) int {
	return max(1, m.Counts[countKey(field, kind, value)])
}

func countKey(field Field, kind, value string) string {
	return string(field) + "\t" + kind + "\t" + value // a folded value has no tab, and jsonb no NUL
}

// count fills the frequencies, the kinds of traits and the district's domains. A value counts once for each record.
func (m *Model) count(records []Record) {
	counts := map[string]int{}
	domains := map[string]int{}
	kinds := map[string]bool{}
	var held []string
	for i := range records {
		if records[i].outside() {
			continue
		}
		p := bare(&records[i])
		held = held[:0]
		for _, n := range p.names {
			held = append(held, countKey(Surname, "", n.surname), countKey(Given, "", n.given))
		}
		for _, e := range p.emails {
			held = append(held, countKey(Emails, "", e.whole))
			domains[e.domain]++
		}
		for _, n := range p.numbers {
			held = append(held, countKey(Numbers, n.space, n.value))
		}
		for _, school := range p.schools {
			held = append(held, countKey(Schools, "", schoolKey(school.id)))
		}
		for _, t := range p.traits {
			held = append(held, countKey(Traits, t.kind, t.value))
			kinds[t.kind] = true
		}
		slices.Sort(held)
		for _, key := range slices.Compact(held) {
			counts[key]++
		}
	}
	for key, n := range counts {
		if n < 2 {
			delete(counts, key)
		}
	}
	m.Counts = counts
	for kind := range kinds {
		m.Kinds = append(m.Kinds, kind)
	}
	slices.Sort(m.Kinds)
	m.Kinds = m.Kinds[:min(len(m.Kinds), maxTraits)]
	for domain, n := range domains {
		if n >= 5 && n*100 >= m.People && !slices.Contains(publicDomains, domain) {
			m.Domains = append(m.Domains, domain)
		}
	}
	slices.Sort(m.Domains)
}
