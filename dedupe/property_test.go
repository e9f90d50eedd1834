package dedupe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

// drawDistrict invents a handful of records that collide in every way there is, and what people said of some of them.
func drawDistrict(t *rapid.T) ([]dedupe.Record, []dedupe.Decision) {
	few := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	records := make([]dedupe.Record, rapid.IntRange(2, 24).Draw(t, "records"))
	for i := range records {
		r := &records[i]
		r.ID, r.District = int64(i+1), int64(rapid.SampledFrom([]int{1, 1, 1, 1, 1, 2}).Draw(t, "district"))
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 0}).Draw(t, "names") {
			r.Names = append(r.Names, dedupe.Name{
				Given:   few("given", "Robert", "Bob", "BOB", "Rob", "María", "Maria José", "M", "", "José", "Okoro"),
				Surname: few("surname", "Okoro", "Okoro", "Okoroh", "García", "Garcia-Okoro", "Robert", "Smith Jr", "Smith", ""),
				Middle:  few("middle", "", "", "A", "Ann", "Bea"), Suffix: few("suffix", "", "", "", "Jr", "Sr.", "III"),
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "emails") {
			r.Emails = append(r.Emails, few("email", "bokoro@a.example", "bokoro@b.example", "robert.okoro@a.example", "office@a.example", "maria.garcia@a.example", "maria.garcia2@a.example", "broken", ""))
		}
		for range rapid.IntRange(0, 2).Draw(t, "numbers") {
			r.Numbers = append(r.Numbers, dedupe.Number{Space: few("space", dedupe.TeacherSIS, dedupe.StaffID), Value: few("number", "74002", "074002", "74003", "n/a", "5")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "schools") {
			r.Schools = append(r.Schools, rapid.Int64Range(1, 3).Draw(t, "school"))
		}
		for range rapid.IntRange(0, 2).Draw(t, "roles") {
			r.Roles = append(r.Roles, dedupe.Role{
				Role:    access.Role(few("role", "teacher", "teacher", "staff", "staff", "district_admin", "student", "contact")),
				Current: rapid.Bool().Draw(t, "current"),
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "clever") {
			user := rapid.Bool().Draw(t, "user")
			id := few("id", "1", "2", "3", "4")
			if user {
				id = "u" + id
			}
			r.Clever = append(r.Clever, dedupe.CleverID{Value: id, User: user, Current: rapid.Bool().Draw(t, "listed")})
		}
		if rapid.Bool().Draw(t, "trait") {
			r.Traits = []dedupe.Trait{{Kind: "phone", Value: few("phone", "555 0100", "555 0101", "555 0199")}}
		}
		r.Service = rapid.IntRange(0, 19).Draw(t, "service") == 0
		r.LastUsed = rapid.Int64Range(0, 3).Draw(t, "last used")
	}
	said := map[dedupe.PairKey]dedupe.Decision{}
	for range rapid.IntRange(0, 12).Draw(t, "decisions") {
		key := dedupe.Key(rapid.Int64Range(1, int64(len(records))).Draw(t, "a"), rapid.Int64Range(1, int64(len(records))).Draw(t, "b"))
		said[key] = dedupe.Decision{
			PairKey: key, Verdict: rapid.SampledFrom([]dedupe.Verdict{dedupe.SaidDifferent, dedupe.SaidDifferent, dedupe.SaidUnsure, dedupe.SaidSame}).Draw(t, "verdict"),
			Class: rapid.SampledFrom([]dedupe.Class{dedupe.Confirmed, dedupe.Fuzzy}).Draw(t, "class"), Tenths: rapid.IntRange(-100, 300).Draw(t, "tenths"),
		}
	}
	var decisions []dedupe.Decision
	for _, d := range said {
		decisions = append(decisions, d)
	}
	return records, decisions
}

func run(records []dedupe.Record, decisions []dedupe.Decision) (*dedupe.Model, *dedupe.Index, dedupe.Result) {
	m := dedupe.Learn(records)
	ix := dedupe.NewIndex(m, records)
	return m, ix, ix.Suggest(dedupe.Options{Decisions: decisions, Floor: -40})
}

func TestOrderMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, decisions := drawDistrict(t)
		m, _, want := run(records, decisions)
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 1))
		other, said := slices.Clone(records), slices.Clone(decisions)
		shuffle.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		shuffle.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
		for i := range said { // a pair is a pair in either order
			said[i].Lo, said[i].Hi = said[i].Hi, said[i].Lo
		}
		for i := range other {
			r := &other[i]
			r.Numbers, r.Emails, r.Schools, r.Roles = slices.Clone(r.Numbers), slices.Clone(r.Emails), slices.Clone(r.Schools), slices.Clone(r.Roles)
			slices.Reverse(r.Numbers)
			slices.Reverse(r.Emails)
			slices.Reverse(r.Schools)
			slices.Reverse(r.Roles)
		}
		again, _, got := run(other, said)
		before := cmpopts.IgnoreFields(dedupe.Returned{}, "Before") // names its pair as it was given
		if diff := cmp.Diff(want, got, before); diff != "" {
			t.Fatalf("another order, another answer (-first +second):\n%s", diff)
		}
		if a, b := marshal(t, m), marshal(t, again); !bytes.Equal(a, b) {
			t.Fatalf("another order, another model:\n%s\n%s", a, b)
		}
	})
}

func TestEvidenceAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, decisions := drawDistrict(t)
		m, ix, result := run(records, decisions)
		check := func(p dedupe.Pair) {
			sum := 0
			for _, item := range p.Evidence.Items {
				if item.Level == dedupe.Missing && item.Tenths != 0 {
					t.Fatalf("what is missing weighs %d in %+v", item.Tenths, p)
				}
				sum += item.Tenths
			}
			if sum != p.Evidence.Tenths || p.Evidence.Chance != dedupe.Chance(sum) {
				t.Fatalf("items add up to %d, evidence says %d and %d: %+v", sum, p.Evidence.Tenths, p.Evidence.Chance, p)
			}
		}
		for _, s := range result.Suggestions {
			for _, p := range s.Pairs {
				check(p)
			}
		}
		for _, h := range result.Held {
			check(h.Pair)
		}
		for key, tenths := range ix.Weights {
			a, b := &records[key.Lo-1], &records[key.Hi-1]
			e := m.Compare(a, b)
			check(dedupe.Pair{PairKey: key, Evidence: e})
			if e.Tenths != tenths {
				t.Fatalf("pair %v weighs %d in the index and %d written out", key, tenths, e.Tenths)
			}
			if diff := cmp.Diff(e, m.Compare(b, a)); diff != "" {
				t.Fatalf("pair %v the other way round:\n%s", key, diff)
			}
		}
	})
}

// TestNeverMergePairsAreNeverSuggested holds for each suggestion and for all of them accepted together.
func TestNeverMergePairsAreNeverSuggested(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, decisions := drawDistrict(t)
		_, _, result := run(records, decisions)
		said := map[dedupe.PairKey]dedupe.Decision{}
		for _, d := range decisions {
			said[d.PairKey] = d
		}
		find := func(key dedupe.PairKey) (dedupe.Decision, bool) { d, ok := said[key]; return d, ok }
		groups := dedupetest.Groups(records, result.Suggestions)
		for i := range records {
			for j := range i {
				a, b := &records[i], &records[j]
				if rules := dedupe.Forbidden(a, b, find); len(rules) > 0 && groups[a.ID] == groups[b.ID] {
					t.Fatalf("records %d and %d are joined, though %v", a.ID, b.ID, rules)
				}
			}
		}
		for _, s := range result.Suggestions {
			if len(s.Members) < 2 || !slices.Contains(s.Members, s.Keep) || s.Bulk() && s.Class == dedupe.Fuzzy {
				t.Fatalf("odd suggestion: %+v", s)
			}
		}
	})
}

// TestAroundAgreesWithAll wants the same pairs of one record as of all of them together.
func TestAroundAgreesWithAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, decisions := drawDistrict(t)
		_, ix, result := run(records, decisions)
		around := map[dedupe.PairKey]dedupe.Pair{}
		for i := range records {
			for _, p := range ix.Around(&records[i], dedupe.Options{Decisions: decisions, Floor: -40}) {
				if other, ok := around[p.PairKey]; ok && !cmp.Equal(p, other) {
					t.Fatalf("pair %v differs by the side it is seen from:\n%s", p.PairKey, cmp.Diff(p, other))
				}
				around[p.PairKey] = p
			}
		}
		shown := 0
		for _, s := range result.Suggestions {
			for _, p := range s.Pairs {
				if have, ok := around[p.PairKey]; ok {
					shown++
					if diff := cmp.Diff(p, have); diff != "" {
						t.Fatalf("pair %v:\n%s", p.PairKey, diff)
					}
				}
			}
			if len(s.Members) == 2 {
				if _, ok := around[dedupe.Key(s.Members[0], s.Members[1])]; !ok {
					t.Fatalf("%v is suggested, and not found around either", s.Members)
				}
			}
		}
		if len(result.Suggestions) > 0 && shown == 0 {
			t.Fatal("no suggestion has a pair that is found around a record")
		}
	})
}

func TestModelTravels(t *testing.T) {
	district := dedupetest.District(3, 300)
	m := dedupe.Learn(district.Records)
	var back dedupe.Model
	if err := json.Unmarshal(marshal(t, m), &back); err != nil {
		t.Fatal(err)
	}
	want := dedupe.NewIndex(m, district.Records).Suggest(dedupe.Options{})
	got := dedupe.NewIndex(&back, district.Records).Suggest(dedupe.Options{})
	if diff := cmp.Diff(want, got); diff != "" || len(want.Suggestions) == 0 {
		t.Errorf("%d suggestions; after the journey:\n%s", len(want.Suggestions), diff)
	}
	if err := json.Unmarshal([]byte(`{"weights":[{"field":"shoe_size","level":"equal","tenths":3}]}`), &back); err == nil {
		t.Error("a model of another program is taken as ours")
	}
}

func marshal(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *dedupe.Model,
) []byte {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("marshal model: %v", err)
	}
	if bytes.Contains(raw, []byte(`\u0000`)) {
		t.Fatalf("jsonb refuses NUL: %s", fmt.Sprintf("%.200s", raw))
	}
	return raw
}
