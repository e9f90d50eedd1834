package dedupe

import "strings"

// Item is one bar of the waterfall.
type Item struct {
	Field  Field  `json:"field"`
	Kind   string `json:"kind,omitempty"` // number space, or spaces as "a/b"; kind of trait
	Level  Level  `json:"level"`
	Tenths int    `json:"tenths"`
	// OneIn says how rare the shared value is where that decides the weight: one of so many people of the district has
	// it. 0 where it does not.
	OneIn int `json:"one_in,omitempty"`
}

// Evidence is everything for and against two records being one person. Tenths is the sum of the items' to the last
// digit, the prior among them, and Chance the probability in millionths that follows.
type Evidence struct {
	Items  []Item `json:"items"`
	Tenths int    `json:"tenths"`
	Chance int    `json:"chance"`
}

// At is how the records compare in a field, or Missing.
func (e Evidence) At(f Field) Level {
	for _, item := range e.Items {
		if item.Field == f {
			return item.Level
		}
	}
	return Missing
}

// Compare weighs two records. Which of the two comes first makes no difference.
func (m *Model) Compare(a, b *Record) Evidence {
	if a.ID > b.ID {
		a, b = b, a
	}
	x, y := m.prepare(a), m.prepare(b)
	v := m.compare(&x, &y)
	return m.evidence(&x, &y, &v)
}

// evidence writes a vector out: the prior, every field that either record could have, and nothing of those
// that only matter where they apply.
func (m *Model) evidence(a, b *prepared, v *vector) Evidence {
	e := Evidence{Items: []Item{{Field: Prior, Level: Base, Tenths: m.Base}}, Tenths: m.Base}
	for at := range m.fields() {
		field, kind := m.fieldName(at)
		item := Item{Field: field, Kind: kind, Level: Missing, Tenths: m.weigh(at, v)}
		if level := v.level[at]; level > 0 {
			s := &stepsOf(at)[level-1]
			item.Level = s.level
			if s.rare {
				item.OneIn = oneIn(int(v.rare[at]))
			}
		}
		switch at {
		case atNumber:
			item.Kind = spaces(a, b, true, item.Level)
		case atAcross:
			if item.Level != Equal {
				continue
			}
			item.Kind = spaces(a, b, false, item.Level)
		case atPosts:
			if item.Level != TwoPosts {
				continue
			}
		case atUsers:
			if item.Level != TwoUsers {
				continue
			}
		case atMiddle, atSuffix:
			if item.Level == Missing {
				continue
			}
		}
		e.Items = append(e.Items, item)
		e.Tenths += item.Tenths
	}
	e.Chance = Chance(e.Tenths)
	return e
}

// oneIn is 2^(tenths/10), rounded to two digits, for reading.
func oneIn(tenths int) int {
	if tenths <= 0 {
		return 1
	}
	n := int(powers[tenths%10] << (tenths / 10) >> 31)
	scale := 1
	for n/scale >= 100 {
		scale *= 10
	}
	return n / scale * scale
}

// spaces names the number spaces behind a level: the first that shows it, and both of two different ones.
func spaces(a, b *prepared, same bool, level Level) string {
	for i := range a.numbers {
		for j := range b.numbers {
			x, y := &a.numbers[i], &b.numbers[j]
			if (x.space == y.space) != same {
				continue
			}
			if level == Equal && x.value != y.value || level == OneEdit && !slip(x.value, y.value) {
				continue
			}
			if same {
				return x.space
			}
			return strings.Join([]string{min(x.space, y.space), max(x.space, y.space)}, "/")
		}
	}
	return ""
}
