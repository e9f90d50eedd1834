package models_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// hamlet is a small district in which everything that a simulation must get right happens by chance: people with
// several roles, labels, no schools or no sections, the same role twice, overrides and ended ones.
type hamlet struct {
	store    *models.Store
	url      string
	district int64
	people   []int64
	schools  []int64
	sections []access.Place
}

var hamlets int

const hamletPeople, hamletSchools, hamletSections = 14, 2, 3

func (h *hamlet) write(t testing.TB, fn func(context.Context, *models.Tx) error) {
	t.Helper()
	modelstest.Write(t, h.store, h.district, func(tx *models.Tx) error { return fn(t.Context(), tx) })
}

func drawHamlet(t *testing.T, rt *rapid.T, store *models.Store, url string) *hamlet {
	t.Helper()
	hamlets++
	h := &hamlet{store: store, url: url, district: modelstest.District(t, store, fmt.Sprintf("hamlet-%d", hamlets))}
	var schools []models.RosterSchool
	for i := range hamletSchools {
		schools = append(schools, models.RosterSchool{CleverID: fmt.Sprintf("s%d", i), Name: fmt.Sprintf("School %d", i)})
	}
	people := make([]models.RosterUser, hamletPeople)
	for i := range people {
		people[i] = models.RosterUser{CleverID: fmt.Sprintf("u%d", i), First: "Pat", Last: fmt.Sprintf("Number %02d", i)}
		for _, role := range rapid.SampledFrom([][]string{
			{"teacher"},
			{"staff"},
			{"teacher", "staff"},
			{"district_admin"},
			{"staff", "district_admin"},
			{"teacher", "district_admin", "staff"},
			{"student"},
			{"contact"},
			{"teacher", "contact"},
			{"librarian", "staff"},
			nil,
		}).Draw(rt, "roles") {
			g := models.RosterGrant{Role: role}
			if role != "district_admin" && role != "contact" {
				for s := range hamletSchools {
					if rapid.Bool().Draw(rt, "at school") {
						g.Schools = append(g.Schools, fmt.Sprintf("s%d", s))
					}
				}
			}
			if role == "staff" {
				g.Labels = rapid.SampledFrom([][]string{nil, {"SchoolTechLead"}, {"PortalOnly", "SchoolTechLead"}, {"PortalOnly"}}).Draw(rt, "labels")
			}
			people[i].Grants = append(people[i].Grants, g)
		}
	}
	h.write(t, func(ctx context.Context, tx *models.Tx) error {
		if _, err := tx.WriteSchools(ctx, schools, &models.Seen{}); err != nil {
			return err
		}
		_, err := tx.WriteUsers(ctx, people, &models.Seen{})
		return err
	})
	conn := connect(t, url)
	defer conn.Close(context.WithoutCancel(t.Context()))
	h.people = ids(t, conn, `SELECT id FROM users WHERE district_id = $1 ORDER BY id`, h.district)
	h.schools = ids(t, conn, `SELECT id FROM schools WHERE district_id = $1 ORDER BY id`, h.district)
	for i := range hamletSections {
		school := h.schools[i%hamletSchools]
		id := ids(t, conn, `INSERT INTO sections (district_id, clever_id, school_id, name_key, created_at, changed_at, ended_at)
			VALUES ($1, $2, $3, '', now(), now(), CASE WHEN $4 THEN now() END) RETURNING id`, h.district, fmt.Sprint("c", i), school, i == hamletSections-1)[0]
		for _, who := range h.people {
			if rapid.IntRange(0, 4).Draw(rt, "teaches") == 0 {
				ids(t, conn, `INSERT INTO section_teachers (district_id, section_id, user_id, is_primary) VALUES ($1, $2, $3, false) RETURNING section_id`, h.district, id, who)
			}
		}
		h.sections = append(h.sections, access.AtSection(id, school))
	}
	h.decide(t, rt, conn)
	return h
}

func ids(t testing.TB, conn *pgx.Conn, sql string, args ...any) []int64 {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// decide gives roles by hand, and overrides.
func (h *hamlet) decide(t testing.TB, rt *rapid.T, conn *pgx.Conn) {
	t.Helper()
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	ends := func() any {
		return rapid.SampledFrom([]any{nil, time.Now().Add(time.Hour), time.Now().Add(-time.Hour)}).Draw(rt, "ends")
	}
	for range rapid.IntRange(0, 4).Draw(rt, "manual roles") {
		who := rapid.SampledFrom(h.people).Draw(rt, "who")
		run(`WITH g AS (INSERT INTO role_grants (district_id, user_id, record_id, role, source, labels, name_key, since, ends_at)
				VALUES ($1, $2, $2, $3, 'manual', $4, '', now(), $5) ON CONFLICT DO NOTHING RETURNING id)
			INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
			SELECT $1, g.id, $6, $2, $3, false, '', now() FROM g WHERE $3 <> 'district_admin'`, h.district, who,
			rapid.SampledFrom([]string{"teacher", "staff", "district_admin"}).Draw(rt, "role"),
			rapid.SampledFrom([][]string{{}, {"SchoolTechLead"}}).Draw(rt, "labels"), ends(), rapid.SampledFrom(h.schools).Draw(rt, "school"))
	}
	all := access.ShippedCatalogue().Definitions()
	for range rapid.IntRange(0, 8).Draw(rt, "overrides") {
		d := rapid.SampledFrom(all).Draw(rt, "permission")
		var school, section any
		kind := "district"
		if d.Scope != access.District && rapid.Bool().Draw(rt, "at a school") {
			kind, school = "school", rapid.SampledFrom(h.schools).Draw(rt, "school")
		} else if d.Scope == access.Section && rapid.Bool().Draw(rt, "at a section") {
			s := rapid.SampledFrom(h.sections).Draw(rt, "section")
			kind, school, section = "section", s.School, s.Section
		}
		end := ends()
		endKind, role := "date", any(nil)
		if end == nil {
			endKind, role = "role", rapid.SampledFrom([]string{"teacher", "staff", "student"}).Draw(rt, "while")
		}
		run(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, school_id, section_id, reason, note, end_kind, ends_at, end_role, created_by, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'other', 'why', $8, $9, $10, $2, now()) ON CONFLICT DO NOTHING`, h.district,
			rapid.SampledFrom(h.people).Draw(rt, "who"), d.Permission, rapid.Bool().Draw(rt, "allow"), kind, school, section, endKind, end, role)
	}
}

// may is everything that everybody may do now at every place, as Decide answers from the facts read for that person
// alone: whether at all, and whether without naming a view.
func (h *hamlet) may(t testing.TB) (at map[int64]map[access.Place][2]access.Set) {
	t.Helper()
	places := slices.Clone(h.sections)
	for _, s := range h.schools {
		places = append(places, access.AtSchool(s))
	}
	places = append(places, access.InDistrict())
	at = map[int64]map[access.Place][2]access.Set{}
	modelstest.Read(t, h.store, h.district, func(tx *models.Tx) error {
		for _, id := range h.people {
			in, err := tx.UserFacts(t.Context(), id)
			if err != nil {
				return err
			}
			f := in.Facts(tx.Now())
			sets := map[access.Place][2]access.Set{}
			for _, p := range places {
				f.View = ""
				free := f.Holds(p)
				all := free
				if f.Policy.Combining() == access.ViewInUse {
					for _, v := range f.Policy.Views(f.Grants) {
						f.View = v
						all = all.Or(f.Holds(p))
					}
				}
				sets[p] = [2]access.Set{free, all}
			}
			at[id] = sets
		}
		return nil
	})
	return at
}

// counted are people by permission: gained, lost, bound, freed; touched is how many of them there are.
func counted(before, after map[int64]map[access.Place][2]access.Set) (counts map[access.Permission][4]int, touched int) {
	counts = map[access.Permission][4]int{}
	for who, places := range before {
		any := false
		for i, d := range access.ShippedCatalogue().Definitions() {
			var happens [4]bool
			for at, was := range places {
				is := after[who][at]
				happens[0] = happens[0] || !was[1].Has(i) && is[1].Has(i)
				happens[1] = happens[1] || was[1].Has(i) && !is[1].Has(i)
				happens[2] = happens[2] || was[0].Has(i) && is[1].Has(i) && !is[0].Has(i)
				happens[3] = happens[3] || is[0].Has(i) && was[1].Has(i) && !was[0].Has(i)
			}
			n := counts[d.Permission]
			for j, h := range happens {
				if h {
					n[j]++
					any = true
				}
			}
			if n != [4]int{} {
				counts[d.Permission] = n
			}
		}
		if any {
			touched++
		}
	}
	return counts, touched
}

func predicted(s models.Simulation) map[access.Permission][4]int {
	counts := map[access.Permission][4]int{}
	for _, g := range s.Groups {
		for _, c := range g.Changes {
			n := counts[c.Permission]
			counts[c.Permission] = [4]int{n[0] + c.Gained, n[1] + c.Lost, n[2] + c.Bound, n[3] + c.Freed}
		}
	}
	return counts
}

// TestSimulationForetellsWhatHappens: for random districts and random changes of rules, combining and strategy, the
// people counted before are those whose answers differ after; and undone, everybody may what they might.
func TestSimulationForetellsWhatHappens(t *testing.T) {
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHamlet(t, rt, store, url)
		for range 2 { // each from where the one before led
			before := h.may(t)
			var was models.Decided
			var foretold models.Simulation
			cells, combining, strategy := drawChange(rt)
			h.write(t, func(ctx context.Context, tx *models.Tx) (err error) {
				if was, err = tx.Decided(ctx); err != nil {
					return err
				}
				c := was.Policy.Catalogue
				after := access.NewPolicy(c, c.Amend(was.Changes, cells), combining, strategy)
				weighed, all := -1, 0
				told := func(done, of int) {
					if done < weighed || done > of || all != 0 && of != all {
						rt.Errorf("weighed %d of %d after %d of %d", done, of, weighed, all)
					}
					weighed, all = done, of
				}
				if foretold, err = tx.Simulate(ctx, was.Policy, after, told); err != nil {
					return err
				}
				if weighed != foretold.People || all != foretold.People {
					rt.Errorf("at the end %d of %d people were weighed, %d in all", weighed, all, foretold.People)
				}
				return change(ctx, tx, cells, combining, strategy)
			})
			after := h.may(t)
			measured, touched := counted(before, after)
			if diff := cmp.Diff(measured, predicted(foretold)); diff != "" || touched != foretold.Touched {
				rt.Fatalf("touched %d, foretold %d (-measured +foretold):\n%s", touched, foretold.Touched, diff)
			}
			for _, g := range foretold.Groups {
				if len(g.Examples) != min(g.People, 5) {
					rt.Fatalf("%d examples of %d people", len(g.Examples), g.People)
				}
				for _, e := range g.Examples {
					one, _ := counted(map[int64]map[access.Place][2]access.Set{e.ID: before[e.ID]}, after)
					if len(one) == 0 || e.Name == "" {
						rt.Fatalf("%+v is no example", e)
					}
				}
			}
			if rapid.Bool().Draw(rt, "undo") {
				h.write(t, func(ctx context.Context, tx *models.Tx) error {
					var back []access.RuleChange
					for _, c := range cells {
						back = append(back, access.RuleChange{Role: c.Role, Label: c.Label, Permission: c.Permission, Given: was.Policy.Rule(c.Role, c.Label, c.Permission)})
					}
					if err := change(ctx, tx, back, was.District.Combining, was.District.Strategy); err != nil {
						return err
					}
					is, err := tx.Decided(ctx)
					if diff := cmp.Diff(was.Changes, is.Changes); diff != "" {
						rt.Fatalf("undone, the rules differ:\n%s", diff)
					}
					return err
				})
				if diff := cmp.Diff(before, h.may(t)); diff != "" {
					rt.Fatalf("undone, somebody may something else:\n%s", diff)
				}
			}
		}
	})
}

func drawChange(rt *rapid.T) (cells []access.RuleChange, _ access.Combining, _ access.Strategy) {
	seen := map[access.RuleChange]bool{}
	for range rapid.IntRange(0, 5).Draw(rt, "cells") {
		c := access.RuleChange{
			Role:       rapid.SampledFrom([]access.Role{access.Teacher, access.Staff, access.DistrictAdmin}).Draw(rt, "role"),
			Permission: rapid.SampledFrom(access.ShippedCatalogue().Definitions()).Draw(rt, "permission").Permission,
		}
		if c.Role == access.Staff {
			c.Label = rapid.SampledFrom([]string{"", "SchoolTechLead", "PortalOnly"}).Draw(rt, "label")
		}
		if !seen[c] {
			seen[c] = true
			c.Given = rapid.Bool().Draw(rt, "given")
			cells = append(cells, c)
		}
	}
	return cells, rapid.SampledFrom(access.Combinings()).Draw(rt, "combining"),
		rapid.SampledFrom([]access.Strategy{access.Consolidated, access.Consolidated, access.PerRole}).Draw(rt, "strategy")
}

func change(ctx context.Context, tx *models.Tx, cells []access.RuleChange, combining access.Combining, strategy access.Strategy) error {
	if err := tx.SetRules(ctx, cells); err != nil {
		return err
	}
	if err := tx.SetCombining(ctx, combining); err != nil {
		return err
	}
	return tx.SetStrategy(ctx, strategy)
}
