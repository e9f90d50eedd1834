package dedupe

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// Block is what the records have in common that are compared with one another.
type Block string

// Blocks. The name alone finds too few true pairs, so a record is in a dozen of them.
const (
	ByClever      Block = "clever_id"
	ByNumber      Block = "number"       // in one space
	ByAnyNumber   Block = "number_any"   // across spaces
	ByEmail       Block = "email"        // whole
	ByMailbox     Block = "mailbox"      // its name without dots, digits and tag
	BySound       Block = "sound"        // surname by ear and the given name's initial, and the same the other way round
	ByPart        Block = "surname_part" // any part of a surname, initial and school
	ByGivenSchool Block = "given_school" // given name, school and role: what is left after a marriage
	ByTrait       Block = "trait"
)

// CandidateKey says in words and as a number which block a record is in. Two records with a number in common are worth
// comparing.
type CandidateKey struct {
	Block Block
	Value string
	Hash  uint64
}

// Keys are the blocks of a record, for whoever stores them to find candidates later. A record that never takes part has
// those that an identifier makes, so that it can be named beside what it resembles.
func Keys(r *Record) []CandidateKey {
	p := bare(r)
	var out []CandidateKey
	p.block(func(block Block, value string) {
		key := CandidateKey{block, value, hash(r.District, block, value)}
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	})
	return out
}

// block calls add with each block of the record; one may come twice.
func (p *prepared) block(add func(block Block, value string)) {
	outside := p.record.outside()
	for _, id := range p.record.Clever {
		if id.Value != "" {
			add(ByClever, id.Value)
		}
	}
	for i := range p.emails {
		add(ByEmail, p.emails[i].whole)
	}
	if outside {
		return
	}
	for i := range p.numbers {
		n := &p.numbers[i]
		add(ByNumber, n.space+" "+n.value)
		if len(n.value) > 2 {
			add(ByAnyNumber, n.value)
		}
	}
	for i := range p.emails {
		if e := &p.emails[i]; !e.generic && len(e.core) > 3 {
			add(ByMailbox, e.core)
		}
	}
	for i := range p.names {
		p.blockName(&p.names[i], add)
	}
	for i := range p.traits {
		if t := &p.traits[i]; len(t.value) > 2 {
			add(ByTrait, t.kind+" "+t.value)
		}
	}
}

func (p *prepared) blockName(n *name, add func(block Block, value string)) {
	seen := make([]rune, 0, 4)
	for _, form := range n.canon {
		first := initial(form)
		if slices.Contains(seen, first) {
			continue
		}
		seen = append(seen, first)
		letter := string(first)
		if n.surname != "" {
			add(BySound, sound(n.surname)+" "+letter)
		}
		for _, part := range n.parts {
			for i := range p.schools {
				add(ByPart, part+" "+letter+" "+schoolKey(p.schools[i].id))
			}
		}
	}
	if n.surname != "" && n.given != "" {
		add(BySound, sound(n.given)+" "+string(initial(n.surname)))
	}
	if utf8.RuneCountInString(n.given) < 2 {
		return
	}
	for _, form := range n.canon {
		for i := range p.schools {
			for _, role := range p.record.Roles {
				add(ByGivenSchool, form+" "+schoolKey(p.schools[i].id)+" "+string(role.Role))
			}
			if len(p.record.Roles) == 0 {
				add(ByGivenSchool, form+" "+schoolKey(p.schools[i].id))
			}
		}
	}
}

// hash is FNV-1a over district, block and value: the same on every machine and in every run, because it is stored.
func hash(district int64, block Block, value string) uint64 {
	h := uint64(14695981039346656037)
	mix := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	mix(strconv.FormatInt(district, 36))
	mix(string(block))
	mix(value)
	return h
}
