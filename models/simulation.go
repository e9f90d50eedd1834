package models

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hallpass/access"
)

// maxExamples is how many people of a group are named.
const maxExamples = 5

// Simulation is what another policy would change for everybody in the district.
type Simulation struct {
	People  int // who hold a role that rules can speak of
	Touched int // of those, for whom something changes
	Groups  []SimulatedGroup
}

// SimulatedGroup is the people of one combination of roles for whom something changes.
type SimulatedGroup struct {
	Roles    []access.Giver // in the order of access.Roles; labels are those that rules speak of
	People   int
	More     int               // of them, who gain something, or need no view for it any longer
	Changes  []SimulatedChange // in the catalogue's order
	Examples []SimulatedPerson // the first by name, ready to be shown
}

// SimulatedChange counts the people to whom one permission happens, as access.Difference has it. One person may gain
// it at one place and lose it at another.
type SimulatedChange struct {
	Permission                 access.Permission
	Gained, Lost, Bound, Freed int
}

// SimulatedPerson is somebody for whom something changes, and what.
type SimulatedPerson struct {
	ID   int64
	Name string
	access.Difference
}

// Empty reports that nothing changes for anybody.
func (s Simulation) Empty() bool { return s.Touched == 0 }

// More is how many people gain something somewhere.
func (s Simulation) More() (n int) {
	for _, g := range s.Groups {
		n += g.More
	}
	return n
}

// heldNow are the current role grants that rules can speak of.
const heldNow = `role_grants g JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id AND u.ended_at IS NULL
	 WHERE g.district_id = @district AND g.role IN ('teacher', 'staff', 'district_admin') AND g.ended_at IS NULL
	   AND (g.ends_at IS NULL OR g.ends_at > @now)`

// labelled are a grant's labels that rules speak of, in order.
const labelled = `CASE WHEN g.labels = '{}' THEN g.labels ELSE ARRAY(SELECT DISTINCT l FROM unnest(g.labels) l WHERE l = ANY(@labels::text[]) ORDER BY l) END AS labels`

// overridden are the people with an override that has not ended.
const overridden = `SELECT o.user_id FROM overrides o WHERE o.district_id = @district AND o.ended_at IS NULL AND (o.ends_at IS NULL OR o.ends_at > @now)`

// Simulate compares two policies for everybody in the district, and writes nothing. People who hold one role and no
// override are counted by the database, for each role, label and whether the role reaches anywhere; the others are read
// and decided one by one. Both go slice by slice, and before the first and after each of them told, if not nil, hears how
// many people of how many have been weighed.
func (tx *Tx) Simulate(ctx context.Context, before, after *access.Policy, told func(done, of int)) (Simulation, error) {
	s := &simulation{tx: tx, before: before, after: after, groups: map[string]*SimulatedGroup{}, told: told}
	s.args = map[string]any{"district": tx.actor.District, "now": tx.now, "labels": labelsOf(before, after)}
	err := s.simple(ctx)
	if err == nil {
		err = s.several(ctx)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	if err != nil {
		return Simulation{}, fmt.Errorf("simulate: %w", err)
	}
	return s.Simulation, nil
}

// labelsOf are the staff labels that the rules of either policy speak of.
func labelsOf(policies ...*access.Policy) []string {
	labels := []string{}
	for _, p := range policies {
		for _, r := range p.Rules() {
			if r.Label != "" {
				labels = append(labels, r.Label)
			}
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

type simulation struct {
	tx            *Tx
	before, after *access.Policy
	args          map[string]any
	groups        map[string]*SimulatedGroup
	told          func(done, of int)
	of            int // people to weigh
	Simulation
}

// tell says how far it has come.
func (s *simulation) tell() {
	if s.told != nil {
		s.told(s.People, s.of)
	}
}

// simulatedSlice is how many people are decided at a time.
const simulatedSlice = 2000

// several decides the people with several role grants or with overrides, in the order of their names.
func (s *simulation) several(ctx context.Context) error {
	people, err := scan[struct {
		ID    int64
		Works bool
	}](ctx, s.tx, `
		SELECT p.id, p.works FROM (
			SELECT g.user_id AS id, true AS works FROM `+heldNow+` GROUP BY g.user_id HAVING count(*) > 1
			UNION
			SELECT o.user_id, EXISTS (SELECT FROM `+heldNow+` AND g.user_id = o.user_id) FROM (`+overridden+`) o) p JOIN users u ON u.district_id = @district AND u.id = p.id AND u.ended_at IS NULL
		 ORDER BY u.name_key, u.id`, s.args)
	if err != nil {
		return fmt.Errorf("people with several roles: %w", err)
	}
	for part := range slices.Chunk(people, simulatedSlice) {
		ids := make([]int64, len(part))
		for i, p := range part {
			ids[i] = p.ID
			if p.Works {
				s.People++
			}
		}
		facts, err := s.tx.roleFacts(ctx, ids, s.args)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if f := facts[id]; f != nil {
				s.add(*f, 1, []int64{id})
			}
		}
		s.tell()
	}
	return nil
}

// add counts n people for whom the facts hold.
func (s *simulation) add(f access.Facts, n int, ids []int64) {
	d := f.Compare(s.before, s.after)
	if d.Empty() {
		return
	}
	roles := combination(f.Grants)
	key := fmt.Sprint(roles)
	g := s.groups[key]
	if g == nil {
		g = &SimulatedGroup{Roles: roles}
		s.groups[key] = g
	}
	s.Touched += n
	g.People += n
	if !d.Gained.Empty() || !d.Freed.Empty() {
		g.More += n
	}
	for i, def := range s.before.Catalogue.Definitions() {
		g.change(def.Permission, d.Gained.Has(i), n, func(c *SimulatedChange) *int { return &c.Gained })
		g.change(def.Permission, d.Lost.Has(i), n, func(c *SimulatedChange) *int { return &c.Lost })
		g.change(def.Permission, d.Bound.Has(i), n, func(c *SimulatedChange) *int { return &c.Bound })
		g.change(def.Permission, d.Freed.Has(i), n, func(c *SimulatedChange) *int { return &c.Freed })
	}
	for _, id := range ids {
		if len(g.Examples) < maxExamples {
			g.Examples = append(g.Examples, SimulatedPerson{ID: id, Difference: d})
		}
	}
}

func (g *SimulatedGroup) change(p access.Permission, happens bool, n int, which func(*SimulatedChange) *int) {
	if !happens {
		return
	}
	at := slices.IndexFunc(g.Changes, func(c SimulatedChange) bool { return c.Permission == p })
	if at < 0 {
		g.Changes = append(g.Changes, SimulatedChange{Permission: p})
		at = len(g.Changes) - 1
	}
	*which(&g.Changes[at]) += n
}

// combination is the roles of somebody, each once, with the labels that came with the facts.
func combination(grants []access.Grant) (roles []access.Giver) {
	for _, role := range access.Roles() {
		var labels []string
		held := false
		for _, g := range grants {
			if g.Role == role && role.WorksHere() {
				held = true
				labels = append(labels, g.Labels...)
			}
		}
		slices.Sort(labels)
		if held {
			roles = append(roles, access.Giver{Role: role, Label: strings.Join(slices.Compact(labels), ", ")})
		}
	}
	return roles
}

// finish puts the groups in order, those with the most people first, and names the examples.
func (s *simulation) finish(ctx context.Context) error {
	var ids []int64
	for _, g := range s.groups {
		for _, p := range g.Examples {
			ids = append(ids, p.ID)
		}
		slices.SortFunc(g.Changes, func(a, b SimulatedChange) int {
			_, i, _ := s.before.Catalogue.Find(a.Permission)
			_, j, _ := s.before.Catalogue.Find(b.Permission)
			return i - j
		})
		s.Groups = append(s.Groups, *g)
	}
	slices.SortFunc(s.Groups, func(a, b SimulatedGroup) int {
		if a.People != b.People {
			return b.People - a.People
		}
		return strings.Compare(fmt.Sprint(a.Roles), fmt.Sprint(b.Roles))
	})
	names, err := s.tx.UserNames(ctx, ids)
	if err != nil {
		return err
	}
	for _, g := range s.Groups {
		for i, p := range g.Examples {
			g.Examples[i].Name = names[p.ID]
		}
	}
	return nil
}

// roleFacts reads the facts of many people at once. Labels are only those of args["labels"], in order.
func (tx *Tx) roleFacts(ctx context.Context, ids []int64, args map[string]any) (map[int64]*access.Facts, error) {
	args["ids"] = ids
	defer delete(args, "ids")
	facts := make(map[int64]*access.Facts, len(ids))
	of := func(id int64) *access.Facts {
		if facts[id] == nil {
			facts[id] = &access.Facts{Now: tx.now}
		}
		return facts[id]
	}
	grants, err := scan[struct {
		UserID  int64
		Role    access.Role
		Source  access.Source
		Labels  []string
		Schools []int64
	}](ctx, tx, `SELECT g.user_id, g.role, g.source, `+labelled+`,
		       CASE g.role WHEN 'staff' THEN ARRAY(SELECT gs.school_id FROM role_grant_schools gs
		         WHERE gs.district_id = g.district_id AND gs.grant_id = g.id AND gs.ended_at IS NULL) ELSE '{}'::bigint[] END AS schools
		  FROM role_grants g WHERE g.district_id = @district AND g.user_id = ANY(@ids::bigint[]) AND g.ended_at IS NULL
		   AND (g.ends_at IS NULL OR g.ends_at > @now)`, args)
	if err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	for _, g := range grants {
		f := of(g.UserID)
		f.Grants = append(f.Grants, access.Grant{Role: g.Role, Source: g.Source, Labels: g.Labels, Schools: g.Schools})
	}
	sections, err := scan[struct{ UserID, ID, SchoolID int64 }](ctx, tx, `SELECT t.user_id, s.id, s.school_id
		  FROM section_teachers t JOIN sections s ON s.district_id = t.district_id AND s.id = t.section_id
		 WHERE t.district_id = @district AND t.user_id = ANY(@ids::bigint[]) AND s.ended_at IS NULL`, args)
	if err != nil {
		return nil, fmt.Errorf("sections: %w", err)
	}
	for _, t := range sections {
		f := of(t.UserID)
		f.Teaches = append(f.Teaches, access.AtSection(t.ID, t.SchoolID))
	}
	overrides, err := scan[struct {
		UserID, ID int64
		Permission access.Permission
		Allow      bool
		Kind       access.Kind
		School     int64
		Section    int64
		Role       access.Role
	}](ctx, tx, `SELECT o.user_id, o.id, o.permission, o.allow, o.place_kind AS kind, coalesce(o.school_id, 0) AS school, coalesce(o.section_id, 0) AS section, coalesce(o.end_role, '') AS role
		  FROM overrides o WHERE o.district_id = @district AND o.user_id = ANY(@ids::bigint[]) AND o.ended_at IS NULL
		   AND (o.ends_at IS NULL OR o.ends_at > @now)`, args)
	if err != nil {
		return nil, fmt.Errorf("overrides: %w", err)
	}
	for _, o := range overrides {
		f := of(o.UserID)
		f.Overrides = append(f.Overrides, access.Override{
			ID: o.ID, Permission: o.Permission, Allow: o.Allow, WithRole: o.Role,
			Place: access.Place{Kind: o.Kind, School: o.School, Section: o.Section},
		})
	}
	return facts, nil
}
