package dedupe_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

func TestChance(t *testing.T) {
	for tenths := -400; tenths <= 400; tenths++ {
		want := 1e6 / (1 + math.Exp2(-float64(tenths)/10))
		if got := dedupe.Chance(tenths); math.Abs(float64(got)-want) > 1 {
			t.Errorf("Chance(%d) = %d, want %.1f", tenths, got, want)
		}
		if sum := dedupe.Chance(tenths) + dedupe.Chance(-tenths); sum != 1e6 {
			t.Errorf("Chance(±%d) add up to %d", tenths, sum)
		}
	}
}

// plainModel is of a district large enough for names to have frequencies.
func plainModel(t *testing.T) *dedupe.Model {
	t.Helper()
	return dedupe.Learn(dedupetest.District(5, 1500).Records)
}

func TestCompare(t *testing.T) {
	m := plainModel(t)
	n := func(given, surname string) dedupe.Record {
		return dedupe.Record{Names: []dedupe.Name{{Given: given, Surname: surname}}}
	}
	mail := func(r dedupe.Record, address string) dedupe.Record { r.Emails = []string{address}; return r }
	num := func(space, value string) dedupe.Record {
		return dedupe.Record{Numbers: []dedupe.Number{{Space: space, Value: value}}}
	}
	full := func(given, middle, surname, suffix string) dedupe.Record {
		return dedupe.Record{Names: []dedupe.Name{{Given: given, Middle: middle, Surname: surname, Suffix: suffix}}}
	}
	for _, c := range []struct {
		name  string
		a, b  dedupe.Record
		field dedupe.Field
		want  dedupe.Level
	}{
		{"accents and case", n("José", "NÚÑEZ"), n("jose", "Nunez"), dedupe.Surname, dedupe.Equal},
		{"composed and decomposed", n("Zoë", "x"), n("Zoe\u0308", "x"), dedupe.Given, dedupe.Equal},
		{"apostrophe", n("a", "O’Brien"), n("a", "OBRIEN"), dedupe.Surname, dedupe.Equal},
		{"hyphen or space", n("a", "Garcia-Lopez"), n("a", "Garcia Lopez"), dedupe.Surname, dedupe.Equal},
		{"one part of two", n("a", "García López"), n("a", "Lopez"), dedupe.Surname, dedupe.Part},
		{"particles name nobody", n("a", "de la Vega"), n("a", "de la Fuente"), dedupe.Surname, dedupe.Differ},
		{"maiden name in the middle", full("Ann", "Novotny", "Bell", ""), n("Ann", "Novotny"), dedupe.Surname, dedupe.Part},
		{"swapped", n("Marlon", "Thackeray"), n("Thackeray", "Marlon"), dedupe.Surname, dedupe.Swapped},
		{"a slip", n("a", "Quillfeather"), n("a", "Quilfeather"), dedupe.Surname, dedupe.Close},
		{"two names people have", n("a", "Martin"), n("a", "Martinez"), dedupe.Surname, dedupe.Differ},
		{"nickname", n("Bob", "x"), n("Robert", "x"), dedupe.Given, dedupe.Nickname},
		{"two nicknames of one name", n("Bob", "x"), n("Robbie", "x"), dedupe.Given, dedupe.Nickname},
		{"Spanish nickname", n("Paco", "x"), n("Francisco", "x"), dedupe.Given, dedupe.Nickname},
		{"a nickname is no class", n("Alexander", "x"), n("Alexandra", "x"), dedupe.Given, dedupe.Close},
		{"initial", n("J", "x"), n("José", "x"), dedupe.Given, dedupe.Initial},
		{"another initial", n("K", "x"), n("José", "x"), dedupe.Given, dedupe.Differ},
		{"title", n("Mrs. Ingrid", "x"), n("Ingrid", "x"), dedupe.Given, dedupe.Equal},
		{"goes by the middle name", full("John", "Ferdinand", "x", ""), n("Ferdinand", "x"), dedupe.Given, dedupe.Close},
		{"middle initial", full("a", "Q.", "x", ""), full("a", "Quentin", "x", ""), dedupe.Middle, dedupe.Initial},
		{"middle initial in the given name", n("Maria L", "x"), full("Maria", "Lucia", "x", ""), dedupe.Middle, dedupe.Initial},
		{"Jr inside the surname", n("John", "Whitfield, Jr."), full("John", "", "Whitfield", "JR"), dedupe.Suffix, dedupe.Equal},
		{"Jr and Sr", full("a", "", "x", "Sr"), full("a", "", "x", "Junior"), dedupe.Suffix, dedupe.Differ},
		{"Jr and nothing", full("a", "", "x", "Jr"), full("a", "", "x", ""), dedupe.Suffix, dedupe.OneSide},
		{"no suffix anywhere", n("a", "x"), n("a", "x"), dedupe.Suffix, dedupe.Missing},
		{"no name", n("", "x"), n("a", "x"), dedupe.Given, dedupe.Missing},
		{"numbers without zeros", num(dedupe.StaffID, "0074002"), num(dedupe.StaffID, "74002"), dedupe.Numbers, dedupe.Equal},
		{"a digit off", num(dedupe.StaffID, "74002"), num(dedupe.StaffID, "74020"), dedupe.Numbers, dedupe.OneEdit},
		{"too short for a slip", num(dedupe.StaffID, "402"), num(dedupe.StaffID, "403"), dedupe.Numbers, dedupe.Differ},
		{"no number in words", num(dedupe.StaffID, "N/A"), num(dedupe.StaffID, "n/a"), dedupe.Numbers, dedupe.Missing},
		{"across spaces", num(dedupe.StaffID, "74002"), num(dedupe.TeacherSIS, "74002"), dedupe.Across, dedupe.Equal},
		{"across is not within", num(dedupe.StaffID, "74002"), num(dedupe.TeacherSIS, "74002"), dedupe.Numbers, dedupe.Missing},
		{"email", mail(n("a", "x"), "A.Novotny@x.example "), mail(n("a", "x"), "a.novotny@X.example"), dedupe.Emails, dedupe.Equal},
		{"other domain of the district", mail(n("a", "x"), "rk.novo@lakeside.example"), mail(n("a", "x"), "rk.novo@lakeside-schools.example"), dedupe.Emails, dedupe.Alias},
		{"subdomain", mail(n("a", "x"), "rknovo@staff.q.example"), mail(n("a", "x"), "rk.novo+news@q.example"), dedupe.Emails, dedupe.Alias},
		{"unrelated domain", mail(n("a", "x"), "rknovo@gmail.com"), mail(n("a", "x"), "rknovo@q.example"), dedupe.Emails, dedupe.SameLocal},
		{"made of the name they share", mail(n("Ivo", "Novotny"), "ivo.novotny@gmail.com"), mail(n("Ivo", "Novotny"), "ivo.novotny@q.example"), dedupe.Emails, dedupe.Resembles},
		{"mistyped", mail(n("a", "x"), "rknovotni@q.example"), mail(n("a", "x"), "rknovotny@q.example"), dedupe.Emails, dedupe.Resembles},
		{"as alike as the names", mail(n("Ivo", "Novotny"), "ivo.novotny@q.example"), mail(n("Ivo", "Novotni"), "ivo.novotni@q.example"), dedupe.Emails, dedupe.Differ},
		{"digits tell mailboxes apart", mail(n("a", "x"), "jsmith2@q.example"), mail(n("a", "x"), "jsmith3@q.example"), dedupe.Emails, dedupe.Differ},
		{"made of a former name", mail(n("Leila", "Fitzroy"), "leila.kovalenko@q.example"), n("Leila", "Kovalenko"), dedupe.Emails, dedupe.FitsName},
		{"office", mail(n("a", "x"), "lincoln-office@q.example"), mail(n("b", "y"), "lincoln-office@q.example"), dedupe.Emails, dedupe.Generic},
		{"schools", dedupe.Record{Schools: []int64{3, 1}}, dedupe.Record{Schools: []int64{1}}, dedupe.Schools, dedupe.Shared},
		{"no school in common", dedupe.Record{Schools: []int64{3}}, dedupe.Record{Schools: []int64{1}}, dedupe.Schools, dedupe.NoneShared},
		{"former name", dedupe.Record{Names: []dedupe.Name{{Given: "a", Surname: "Bell"}, {Given: "a", Surname: "Novotny"}}}, n("a", "Novotny"), dedupe.Surname, dedupe.Equal},
		{"other scripts", n("Дарина", "Шевченко"), n("дарина", "ШЕВЧЕНКО"), dedupe.Surname, dedupe.Equal},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.a.ID, c.b.ID = 1, 2
			if got := m.Compare(&c.a, &c.b).At(c.field); got != c.want {
				t.Errorf("%s is %q, want %q", c.field, got, c.want)
			}
		})
	}
}

func TestRareNamesWeighMore(t *testing.T) {
	m := plainModel(t)
	weight := func(surname string) int {
		a := dedupe.Record{ID: 1, Names: []dedupe.Name{{Given: "Q", Surname: surname}}}
		b := a
		b.ID = 2
		for _, item := range m.Compare(&a, &b).Items {
			if item.Field == dedupe.Surname {
				return item.Tenths
			}
		}
		return 0
	}
	if smith, rare := weight("Smith"), weight("Achterberg"); smith+30 > rare || smith < 20 {
		t.Errorf("Smith weighs %d, Achterberg %d: want the rare name three bits above the common one", smith, rare)
	}
}

func TestGenericMailbox(t *testing.T) {
	for _, address := range []string{"office@x.example", "Front.Desk@x.example", "info2@x.example", "lincoln-office@x.example", "no-reply@x.example", "helpdesk+a@x.example", "oficina@x.example"} {
		if !dedupe.GenericMailbox(address) {
			t.Errorf("%s is taken for a person's", address)
		}
	}
	for _, address := range []string{"m.deskins@x.example", "john.office-smith@x.example@", "cofficer@x.example", "priya.v@x.example", "", "office"} {
		if dedupe.GenericMailbox(address) {
			t.Errorf("%s is taken for an office's", address)
		}
	}
}

// TestForbidden walks through each hard rule that the records themselves can break.
func TestForbidden(t *testing.T) {
	teacher := dedupe.Record{ID: 1, District: 1, Roles: []dedupe.Role{{Role: access.Teacher, Current: true}}}
	with := func(change func(*dedupe.Record)) dedupe.Record {
		r := dedupe.Record{ID: 2, District: 1, Roles: []dedupe.Role{{Role: access.Staff, Current: true}}}
		change(&r)
		return r
	}
	for _, c := range []struct {
		name  string
		other dedupe.Record
		said  dedupe.Verdict
		want  []dedupe.Code
	}{
		{"nothing", with(func(*dedupe.Record) {}), "", nil},
		{"the same record", with(func(r *dedupe.Record) { r.ID = 1 }), "", []dedupe.Code{dedupe.SameRecord}},
		{"another district", with(func(r *dedupe.Record) { r.District = 2 }), "", []dedupe.Code{dedupe.OtherDistrict}},
		{"a student, even a former one", with(func(r *dedupe.Record) { r.Roles = append(r.Roles, dedupe.Role{Role: access.Student}) }), "", []dedupe.Code{dedupe.StudentRole}},
		{"a contact", with(func(r *dedupe.Record) { r.Roles = []dedupe.Role{{Role: access.Contact, Current: true}} }), "", []dedupe.Code{dedupe.ContactRole}},
		{"a service account", with(func(r *dedupe.Record) { r.Service = true }), "", []dedupe.Code{dedupe.ServiceAccount}},
		{"called different", with(func(*dedupe.Record) {}), dedupe.SaidDifferent, []dedupe.Code{dedupe.DecidedDifferent}},
		{"unsure is not no", with(func(*dedupe.Record) {}), dedupe.SaidUnsure, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := func(dedupe.PairKey) (dedupe.Decision, bool) {
				return dedupe.Decision{Verdict: c.said}, c.said != ""
			}
			for _, pair := range [][2]*dedupe.Record{{&teacher, &c.other}, {&c.other, &teacher}} {
				var got []dedupe.Code
				for _, reason := range dedupe.Forbidden(pair[0], pair[1], said) {
					got = append(got, reason.Code)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("rules:\n%s", diff)
				}
			}
		})
	}
}

func TestMayDecide(t *testing.T) {
	member := func(id int64, user string, role access.Role, schools ...int64) dedupe.Record {
		r := dedupe.Record{ID: id, District: 1, Schools: schools, Roles: []dedupe.Role{{Role: role, Current: true}}}
		if user != "" {
			r.Clever = []dedupe.CleverID{{Value: user, User: true, Current: true}}
		}
		return r
	}
	lead := dedupe.Actor{Record: 9, Schools: []int64{1, 2}, Grants: []access.Role{access.Teacher, access.Staff}}
	admin := dedupe.Actor{Record: 8, District: true, Grants: access.Roles()}
	for _, c := range []struct {
		name    string
		by      dedupe.Actor
		members []dedupe.Record
		want    []dedupe.Code
	}{
		{"at their schools", lead, []dedupe.Record{member(1, "u1", access.Teacher, 1), member(2, "", access.Staff, 1, 2)}, nil},
		{"a school too many", lead, []dedupe.Record{member(1, "u1", access.Teacher, 1), member(2, "", access.Staff, 1, 3)}, []dedupe.Code{dedupe.OutOfReach}},
		{"no school at all", lead, []dedupe.Record{member(1, "u1", access.Teacher, 1), member(2, "", access.Staff)}, []dedupe.Code{dedupe.OutOfReach}},
		{"themselves", lead, []dedupe.Record{member(9, "u9", access.Staff, 1), member(2, "", access.Staff, 1)}, []dedupe.Code{dedupe.OwnRecord}},
		{"an admin by a lead", lead, []dedupe.Record{member(1, "u1", access.DistrictAdmin), member(2, "", access.Staff, 1)}, []dedupe.Code{dedupe.OutOfReach, dedupe.MoreThanOwn, dedupe.SecondEyes}},
		{"an admin by an admin", admin, []dedupe.Record{member(1, "u1", access.DistrictAdmin), member(2, "", access.Staff, 1)}, []dedupe.Code{dedupe.SecondEyes}},
		{"two whom Clever lists", admin, []dedupe.Record{member(1, "u1", access.Teacher), member(2, "u2", access.Staff, 1)}, []dedupe.Code{dedupe.SecondEyes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []dedupe.Code
			for _, reason := range dedupe.MayDecide(c.by, c.members) {
				got = append(got, reason.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("reasons:\n%s", diff)
			}
		})
	}
}

// TestDifferentIsRemembered asks again only when there is more to say than there was.
func TestDifferentIsRemembered(t *testing.T) {
	district := dedupetest.District(2, 800)
	traps := []dedupetest.Trap{{Records: []dedupe.Record{
		{Names: []dedupe.Name{{Given: "Ingrid", Surname: "Achterberg"}}, Schools: []int64{1}, Roles: []dedupe.Role{{Role: access.Teacher, Current: true}}},
		{Names: []dedupe.Name{{Given: "Ingrid", Surname: "Achterberg"}}, Schools: []int64{1}, Roles: []dedupe.Role{{Role: access.Teacher}}},
	}}}
	records, _ := dedupetest.Plant(district, traps)
	key := dedupe.Key(traps[0].Records[0].ID, traps[0].Records[1].ID)
	ix := dedupe.NewIndex(dedupe.Learn(records), records)
	state := func(o dedupe.Options) (suggested, unsure, returned bool) {
		result := ix.Suggest(o)
		for _, s := range result.Suggestions {
			if slices.Contains(s.Members, key.Lo) && slices.Contains(s.Members, key.Hi) {
				suggested, unsure = true, s.Unsure
			}
		}
		return suggested, unsure, slices.ContainsFunc(result.Returned, func(r dedupe.Returned) bool { return r.PairKey == key })
	}
	now := 0
	for k, tenths := range ix.Weights {
		if k == key {
			now = tenths
		}
	}
	for _, c := range []struct {
		name                        string
		said                        []dedupe.Decision
		suggested, unsure, returned bool
	}{
		{"nothing said", nil, true, false, false},
		{"unsure", []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidUnsure, Class: dedupe.Fuzzy, Tenths: now}}, true, true, false},
		{"different", []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidDifferent, Class: dedupe.Fuzzy, Tenths: now}}, false, false, false},
		{"different, a little weaker then", []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidDifferent, Class: dedupe.Fuzzy, Tenths: now - 59}}, false, false, false},
		{"different, six bits weaker then", []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidDifferent, Class: dedupe.Fuzzy, Tenths: now - 60}}, false, false, true},
		{"different, though backed by an id then", []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidDifferent, Class: dedupe.Identified, Tenths: now}}, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			suggested, unsure, returned := state(dedupe.Options{Decisions: c.said})
			if suggested != c.suggested || unsure != c.unsure || returned != c.returned {
				t.Errorf("suggested %t, unsure %t, returned %t; want %t, %t, %t", suggested, unsure, returned, c.suggested, c.unsure, c.returned)
			}
		})
	}
	traps[0].Records[0].Numbers = []dedupe.Number{{Space: dedupe.StaffID, Value: "74002"}}
	traps[0].Records[1].Numbers = traps[0].Records[0].Numbers
	records, _ = dedupetest.Plant(district, traps)
	ix = dedupe.NewIndex(dedupe.Learn(records), records)
	_, _, returned := state(dedupe.Options{Decisions: []dedupe.Decision{{PairKey: key, Verdict: dedupe.SaidDifferent, Class: dedupe.Fuzzy, Tenths: 1000}}})
	if !returned {
		t.Error("an identifier backs the pair now, and it is not asked again")
	}
}

// TestOversizedBlocksAreListed has more people behind one mailbox than are compared.
func TestOversizedBlocksAreListed(t *testing.T) {
	records := make([]dedupe.Record, 312)
	for i := range records {
		records[i] = dedupe.Record{
			ID: int64(i + 1), District: 1, Emails: []string{"office@q.example"},
			Names: []dedupe.Name{{Given: strings.Repeat("k", i%20+1), Surname: fmt.Sprintf("Z%dk%dz", i, i*i)}},
		}
	}
	ix := dedupe.NewIndex(dedupe.Learn(records), records)
	want := dedupe.Oversized{Block: dedupe.ByEmail, Value: "office@q.example", Records: 312}
	result := ix.Suggest(dedupe.Options{})
	if !slices.Contains(result.Oversized, want) {
		t.Errorf("not among %v", result.Oversized)
	}
	if len(result.Suggestions) > 0 {
		t.Errorf("%d suggestions among people who share an office", len(result.Suggestions))
	}
}

// TestKeysStayTheSame pins what is stored: a key that changes finds nothing any more.
func TestKeysStayTheSame(t *testing.T) {
	r := dedupe.Record{
		ID: 1, District: 1, Names: []dedupe.Name{{Given: "Bob", Surname: "Núñez"}}, Emails: []string{"B.Nunez7@q.example"},
		Numbers: []dedupe.Number{{Space: dedupe.StaffID, Value: "0074"}}, Schools: []int64{40},
		Roles: []dedupe.Role{{Role: access.Staff, Current: true}}, Clever: []dedupe.CleverID{{Value: "c1"}},
	}
	var got []string
	for _, key := range dedupe.Keys(&r) {
		got = append(got, fmt.Sprintf("%s %q %x", key.Block, key.Value, key.Hash))
	}
	if diff := cmp.Diff(pinnedKeys, got); diff != "" {
		t.Errorf("keys (-pinned +now):\n%s", diff)
	}
	contact := dedupe.Record{ID: 2, District: 1, Names: r.Names, Emails: r.Emails, Roles: []dedupe.Role{{Role: access.Contact}}}
	for _, key := range dedupe.Keys(&contact) {
		if key.Block != dedupe.ByEmail {
			t.Errorf("a contact is compared by %s", key.Block)
		}
	}
}

var pinnedKeys = []string{
	`clever_id "c1" 5a89e274519d3b74`,
	`email "b.nunez7@q.example" c9e2250802499d61`,
	`number "staff_id 74" 2b4f963eb4ebb477`,
	`mailbox "bnunez" 1beb8bfec85f4afd`,
	`sound "nns b" 2cf3c219d861dff9`,
	`surname_part "nunez b 14" ece29d241aed6313`,
	`sound "nns r" 2cbdc219d8345089`,
	`surname_part "nunez r 14" a2358fcb52894b63`,
	`sound "bb n" d7648d00fffa83ec`,
	`given_school "bob 14 staff" c8e841f584acf2c3`,
	`given_school "robert 14 staff" 4faefb6860b9a68c`,
	`given_school "roberto 14 staff" a5c1034c09ef66a9`,
}

// TestGroupsAreOfOneClass has a person with two confirmed accounts and one that merely looks alike.
func TestGroupsAreOfOneClass(t *testing.T) {
	name := []dedupe.Name{{Given: "Ingrid", Surname: "Achterberg"}}
	teacher := []dedupe.Role{{Role: access.Teacher}}
	traps := []dedupetest.Trap{{Records: []dedupe.Record{
		{Names: name, Schools: []int64{1}, Roles: teacher, Clever: []dedupe.CleverID{{Value: "x"}}},
		{Names: name, Schools: []int64{1}, Roles: teacher, Clever: []dedupe.CleverID{{Value: "x"}}},
		{Names: name, Schools: []int64{1}, Roles: teacher},
	}}}
	records, _ := dedupetest.Plant(dedupetest.District(2, 800), traps)
	result := dedupe.NewIndex(dedupe.Learn(records), records).Suggest(dedupe.Options{})
	first := traps[0].Records[0].ID
	var got []string
	for _, s := range result.Suggestions {
		if s.Members[0] >= first {
			members := make([]int64, len(s.Members))
			for i, id := range s.Members {
				members[i] = id - first
			}
			got = append(got, fmt.Sprint(s.Class, members, s.Bulk()))
		}
	}
	if diff := cmp.Diff([]string{"A[0 1] true", "C[0 2] false"}, got); diff != "" {
		t.Errorf("suggestions:\n%s", diff)
	}
}
