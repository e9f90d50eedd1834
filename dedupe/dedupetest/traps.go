package dedupetest

import (
	"errors"
	"fmt"
	"slices"

	"hallpass/access"
	"hallpass/dedupe"
)

// Trap is a case that is known to go wrong, with what must come of it.
type Trap struct {
	Name      string
	Records   []dedupe.Record
	Decisions []dedupe.Decision
	Check     func(o Outcome) error
}

// Outcome is what was suggested, and where a trap's records are in it. Its methods name records by their place in the
// trap.
type Outcome struct {
	dedupe.Result
	ids    []int64
	groups map[int64]int64
}

// Plant puts every trap into a district of its own kind of people, and returns all records and decisions. The traps'
// ids follow those of the district.
func Plant(into Labelled, traps []Trap) ([]dedupe.Record, []dedupe.Decision) {
	records := slices.Clone(into.Records)
	var decisions []dedupe.Decision
	for t := range traps {
		for i := range traps[t].Records {
			r := &traps[t].Records[i]
			r.ID = int64(len(records) + 1)
			if r.District == 0 {
				r.District = 1
			}
			records = append(records, *r)
		}
		for _, d := range traps[t].Decisions { // named by place
			d.PairKey = dedupe.Key(traps[t].Records[d.Lo].ID, traps[t].Records[d.Hi].ID)
			decisions = append(decisions, d)
		}
	}
	return records, decisions
}

// Sprung lists the traps that caught us, each with why.
func Sprung(records []dedupe.Record, traps []Trap, result dedupe.Result) []error {
	groups := Groups(records, result.Suggestions)
	var out []error
	for _, trap := range traps {
		o := Outcome{Result: result, groups: groups}
		for i := range trap.Records {
			o.ids = append(o.ids, trap.Records[i].ID)
		}
		if err := trap.Check(o); err != nil {
			out = append(out, fmt.Errorf("%s: %w", trap.Name, err))
		}
	}
	return out
}

// apart fails if accepting every suggestion would join the first record with one of others.
func (o Outcome) apart(others ...int) error {
	for _, other := range others {
		if o.groups[o.ids[0]] == o.groups[o.ids[other]] {
			return fmt.Errorf("records 0 and %d are joined", other)
		}
	}
	return nil
}

// together fails unless a suggestion of the class holds the records.
func (o Outcome) together(class dedupe.Class, places ...int) (dedupe.Suggestion, error) {
	for _, s := range o.Suggestions {
		all := s.Class == class
		for _, place := range places {
			all = all && slices.Contains(s.Members, o.ids[place])
		}
		if all {
			return s, nil
		}
	}
	return dedupe.Suggestion{}, fmt.Errorf("no suggestion of class %s has records %v", class, places)
}

// held fails unless the pair is listed as kept apart by the rule.
func (o Outcome) held(a, b int, code dedupe.Code) error {
	key := dedupe.Key(o.ids[a], o.ids[b])
	for _, h := range o.Held {
		if h.PairKey == key && slices.ContainsFunc(h.Rules, func(r dedupe.Reason) bool { return r.Code == code }) {
			return nil
		}
	}
	return fmt.Errorf("records %d and %d are not held by %q", a, b, code)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func toward(class dedupe.Class, places ...int) func(Outcome) error {
	return func(o Outcome) error { _, err := o.together(class, places...); return err }
}

// reviewed wants a suggestion that no bulk button offers, for these reasons.
func reviewed(class dedupe.Class, codes []dedupe.Code, places ...int) func(Outcome) error {
	return func(o Outcome) error {
		s, err := o.together(class, places...)
		if err != nil {
			return err
		}
		if s.Bulk() {
			return fmt.Errorf("records %v may be accepted in bulk", places)
		}
		for _, code := range codes {
			if !slices.ContainsFunc(s.Reasons, func(r dedupe.Reason) bool { return r.Code == code }) {
				return fmt.Errorf("records %v: no reason %q in %v", places, code, s.Reasons)
			}
		}
		return nil
	}
}

// now is a user that Clever lists, old an account from the app's own file.
func now(user string, r dedupe.Record, roles ...access.Role) dedupe.Record {
	for i, role := range roles {
		r.Roles = append(r.Roles, dedupe.Role{Role: role, Current: true})
		r.Clever = append(r.Clever, dedupe.CleverID{Value: fmt.Sprintf("%s-%d", user, i), Current: true})
	}
	r.Clever = append(r.Clever, dedupe.CleverID{Value: user, User: true, Current: true})
	return r
}

func old(role access.Role, legacy string, r dedupe.Record) dedupe.Record {
	r.Roles = append(r.Roles, dedupe.Role{Role: role})
	if legacy != "" {
		r.Clever = append(r.Clever, dedupe.CleverID{Value: legacy})
	}
	return r
}

func called(given, surname string) []dedupe.Name {
	return []dedupe.Name{{Given: given, Surname: surname}}
}

func at(local string) []string { return []string{local + "@" + domain} }

func numbered(space, value string) []dedupe.Number {
	return []dedupe.Number{{Space: space, Value: value}}
}

// Traps are the named ones.
func Traps() []Trap {
	const (
		teacher, staff, admin = access.Teacher, access.Staff, access.DistrictAdmin
		t                     = dedupe.TeacherSIS
	)
	return []Trap{
		{Name: "contact with the teacher's email", Records: []dedupe.Record{
			now("t1", dedupe.Record{Names: called("Priya", "Venkataraman"), Emails: at("priya.v"), Schools: []int64{3}}, teacher),
			now("t1c", dedupe.Record{Names: called("", "Priya Venkataraman"), Emails: at("priya.v")}, access.Contact),
		}, Check: func(o Outcome) error { return first(o.apart(1), o.held(0, 1, dedupe.ContactRole)) }},
		{Name: "front office's mailbox joined by Clever", Records: []dedupe.Record{
			now("t2", dedupe.Record{Names: called("Ana", "Zubiri"), Emails: at("lincoln-office"), Schools: []int64{4}}, teacher, staff),
			old(staff, "t2-1", dedupe.Record{Names: called("Tom", "Ostrowski"), Emails: at("lincoln-office"), Schools: []int64{4}}),
		}, Check: reviewed(dedupe.Confirmed, []dedupe.Code{dedupe.OfficeMailbox, dedupe.NamesDisagree}, 0, 1)},
		{Name: "father and son with Jr", Records: []dedupe.Record{
			now("t3f", dedupe.Record{Names: called("John", "Whitfield"), Emails: at("john.whitfield"), Numbers: numbered(t, "903111"), Schools: []int64{5}}, teacher),
			now("t3s", dedupe.Record{Names: called("John", "Whitfield Jr."), Emails: at("john.whitfield2"), Numbers: numbered(t, "907222"), Schools: []int64{5}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("John", "WHITFIELD JR"), Schools: []int64{5}}),
		}, Check: func(o Outcome) error {
			_, err := o.together(dedupe.Fuzzy, 1, 2)
			return first(o.apart(1, 2), err)
		}},
		{Name: "two Maria Garcias at one school", Records: []dedupe.Record{
			now("t4a", dedupe.Record{Names: called("Maria", "Garcia"), Emails: at("maria.garcia71"), Numbers: numbered(t, "913331"), Schools: []int64{6}}, teacher),
			now("t4b", dedupe.Record{Names: called("María", "García"), Emails: at("maria.garcia72"), Numbers: numbered(t, "918442"), Schools: []int64{6}}, teacher),
		}, Check: func(o Outcome) error { return o.apart(1) }},
		{Name: "married name", Records: []dedupe.Record{
			now("t5", dedupe.Record{Names: called("Katherine", "Fairbrother"), Emails: at("katherine.fairbrother"), Numbers: numbered(t, "923511"), Schools: []int64{7}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("Katherine", "Novotny"), Emails: at("katherine.novotny"), Numbers: numbered(t, "923511"), Schools: []int64{7}}),
		}, Check: toward(dedupe.Identified, 0, 1)},
		{Name: "married name, only the old address left", Records: []dedupe.Record{
			now("t5b", dedupe.Record{Names: called("Leilani", "Fitzroy"), Emails: at("leilani.kovalenko"), Schools: []int64{8}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("Leilani", "Kovalenko"), Schools: []int64{8}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "married name, hyphenated", Records: []dedupe.Record{
			now("t5c", dedupe.Record{Names: called("Ingrid", "Haldane-Pruitt"), Emails: at("ingrid.haldane"), Schools: []int64{9}}, staff),
			old(staff, "", dedupe.Record{Names: called("Ingrid", "Haldane"), Schools: []int64{9}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "nickname", Records: []dedupe.Record{
			now("t6", dedupe.Record{Names: called("Robert", "Quillfeather"), Emails: at("robert.quillfeather"), Schools: []int64{10}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("Bob", "Quillfeather"), Schools: []int64{10}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "nickname, Spanish", Records: []dedupe.Record{
			now("t6b", dedupe.Record{Names: called("Francisco", "Etxeberria"), Emails: at("francisco.etxeberria"), Schools: []int64{10}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("Paco", "Etxeberría"), Schools: []int64{10}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "swapped names", Records: []dedupe.Record{
			now("t7", dedupe.Record{Names: called("Marlon", "Thackeray"), Emails: at("marlon.thackeray"), Schools: []int64{11}}, staff),
			old(staff, "", dedupe.Record{Names: called("Thackeray", "Marlon"), Schools: []int64{11}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "accents", Records: []dedupe.Record{
			now("t8", dedupe.Record{Names: called("Zoë", "Núñez-Škoda"), Emails: at("zoe.nunez"), Schools: []int64{12}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("ZOE", "NUN\u0303EZ SKODA"), Schools: []int64{12}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "letters beyond Latin", Records: []dedupe.Record{
			now("t8b", dedupe.Record{Names: called("Дарина", "Шевченко"), Schools: []int64{12}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("дарина", "ШЕВЧЕНКО"), Schools: []int64{12}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "teacher number equal to another's staff number", Records: []dedupe.Record{
			now("t9a", dedupe.Record{Names: called("Desmond", "Achterberg"), Emails: at("desmond.achterberg"), Numbers: numbered(t, "944001"), Schools: []int64{13}}, teacher),
			now("t9b", dedupe.Record{Names: called("Wilhelmina", "Rasmussen"), Emails: at("wilhelmina.rasmussen"), Numbers: numbered(dedupe.StaffID, "944001"), Schools: []int64{13}}, staff),
		}, Check: func(o Outcome) error { return o.apart(1) }},
		{Name: "same sis_id in two districts", Records: []dedupe.Record{
			now("t10a", dedupe.Record{Names: called("Ottoline", "Marchbanks"), Emails: []string{"ottoline@home.example"}, Numbers: numbered(t, "951001"), Schools: []int64{14}}, teacher),
			now("t10b", dedupe.Record{District: 2, Names: called("Ottoline", "Marchbanks"), Emails: []string{"ottoline@home.example"}, Numbers: numbered(t, "951001"), Schools: []int64{14}}, teacher),
		}, Check: func(o Outcome) error { return o.apart(1) }},
		{Name: "changed email domain", Records: []dedupe.Record{
			now("t11", dedupe.Record{Names: called("Maria", "Lopez"), Emails: at("m.lopez.garrido"), Schools: []int64{15}}, teacher),
			old(teacher, "", dedupe.Record{Names: called("Maria", "Lopez"), Emails: []string{"m.lopez.garrido@" + oldDomain}}),
		}, Check: toward(dedupe.Fuzzy, 0, 1)},
		{Name: "back after 300 days", Records: []dedupe.Record{
			now("t12", dedupe.Record{Names: called("Solveig", "Amundsen"), Emails: at("solveig.amundsen2"), Numbers: numbered(t, "961001"), Schools: []int64{16}}, teacher),
			{
				Names: called("Solveig", "Amundsen"), Emails: at("solveig.amundsen"), Numbers: numbered(t, "961001"), Schools: []int64{17},
				Roles: []dedupe.Role{{Role: teacher}}, Clever: []dedupe.CleverID{{Value: "t12-before", User: true}},
			},
		}, Check: func(o Outcome) error {
			s, err := o.together(dedupe.Identified, 0, 1)
			if err == nil && s.Keep != o.ids[0] {
				err = fmt.Errorf("keeps %d, want the record that Clever lists now", s.Keep)
			}
			return err
		}},
		{Name: "Clever split", Records: []dedupe.Record{
			func() dedupe.Record {
				r := now("t13a", dedupe.Record{Names: called("Cosima", "Wetherby"), Emails: at("cosima.wetherby"), Schools: []int64{18}}, teacher)
				r.Clever = append(r.Clever, dedupe.CleverID{Value: "t13b-0"})
				return r
			}(),
			now("t13b", dedupe.Record{Names: called("Cosima", "Wetherby"), Emails: at("cwetherby"), Schools: []int64{18}}, staff),
		}, Check: func(o Outcome) error {
			if _, err := o.together(dedupe.Confirmed, 0, 1); err == nil {
				return errors.New("confirmed by Clever, which says the contrary")
			}
			if s, err := o.together(dedupe.Fuzzy, 0, 1); err == nil && s.Bulk() {
				return errors.New("may be accepted in bulk")
			}
			key := dedupe.Key(o.ids[0], o.ids[1])
			if !slices.ContainsFunc(o.Splits, func(s dedupe.Split) bool { return s.PairKey == key && s.CleverID == "t13b-0" }) {
				return errors.New("not listed as split")
			}
			return nil
		}},
		{Name: "three-role person", Records: []dedupe.Record{
			now("t14", dedupe.Record{Names: called("Bartholomew", "Ngata"), Emails: at("bartholomew.ngata"), Schools: []int64{19}}, teacher, staff, admin),
			old(teacher, "t14-0", dedupe.Record{Names: called("Bart", "Ngata"), Emails: at("bartholomew.ngata"), Schools: []int64{19}}),
			old(staff, "t14-1", dedupe.Record{Names: called("Bartholomew", "Ngata"), Schools: []int64{20}}),
			old(admin, "t14-2", dedupe.Record{Names: called("B", "Ngata"), Emails: at("bngata")}),
		}, Check: reviewed(dedupe.Confirmed, []dedupe.Code{dedupe.SecondEyes, dedupe.TooManyAccounts}, 0, 1, 2, 3)},
		{
			Name: "chain A-B-C with A≠C", Records: []dedupe.Record{
				now("t15a", dedupe.Record{Names: called("Theodora", "Lindqvist"), Emails: at("theodora.lindqvist"), Numbers: numbered(t, "971001"), Schools: []int64{21}}, teacher),
				old(teacher, "", dedupe.Record{Names: called("Theodora", "Lindqvist"), Emails: at("theodora.lindqvist"), Numbers: numbered(dedupe.StaffID, "972002"), Schools: []int64{21}}),
				old(staff, "", dedupe.Record{Names: called("Theo", "Lindqvist"), Numbers: numbered(dedupe.StaffID, "972002"), Schools: []int64{21}}),
			}, Decisions: []dedupe.Decision{{PairKey: dedupe.PairKey{Lo: 0, Hi: 2}, Verdict: dedupe.SaidDifferent, Class: dedupe.Confirmed, Tenths: 500}},
			Check: func(o Outcome) error {
				_, err := o.together(dedupe.Identified, 0, 1)
				return first(err, o.apart(2), o.held(1, 2, dedupe.WouldJoin))
			},
		},
	}
}
