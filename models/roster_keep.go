package models

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// take counts a role that ended.
func (s *Seen) take(role string) {
	if s.took == nil {
		s.took = toll{}
	}
	s.took[BrakeType(role)]++
}

// heldColumns are records for a run's list.
type heldColumns struct {
	kind, sortKey, record, roles []string
	id, school                   []int64
}

func (c *heldColumns) add(kind string, id int64, record any, roles []string, school int64, sortKey string) error {
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("list what would end: %w", err)
	}
	c.kind = append(c.kind, kind)
	c.id = append(c.id, id)
	c.record = append(c.record, string(text))
	c.roles = append(c.roles, textArray(roles))
	c.school = append(c.school, school)
	c.sortKey = append(c.sortKey, sortKey)
	return nil
}

func (c *heldColumns) queue(b *pgx.Batch, district, run int64) {
	if len(c.id) == 0 {
		return
	}
	b.Queue(`INSERT INTO held_records (district_id, run_id, type, record_id, record, roles, school_id, sort_key)
		SELECT $1, $2, r.kind, r.id, r.record::jsonb, r.roles::text[], nullif(r.school, 0), r.sort_key
		FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[]) AS r(kind, id, record, roles, school, sort_key)
		ON CONFLICT (district_id, run_id, type, record_id) DO UPDATE SET record = excluded.record, roles = excluded.roles, returned_at = NULL`,
		district, run, c.kind, c.id, c.record, c.roles, c.school, c.sortKey)
}

// unsure is the digest of a record that is not taken over as a whole: the next full sync looks at it again.
var unsure = []byte{}

// keep decides whether what the record would end waits. It ends a role, or of a role that works here a school or a
// label: what gives access, or is a person's whole standing. Schools of students change with no more ado.
func (p *userPage) keep(u *rosterPerson) error {
	if !u.known || !u.held.current || u.RolesWithheld {
		return nil
	}
	keep, list := p.seen.keeps(u.id)
	if !keep {
		return nil
	}
	ends, roles := p.ends(u)
	if !ends {
		return nil
	}
	if list {
		if err := p.rows.held.add("roles", u.id, u.RosterUser, roles, u.past.mainSchool(), u.nameKey); err != nil {
			return err
		}
	}
	u.kept, u.digest = true, unsure
	p.seen.kept = append(p.seen.kept, u.id)
	return nil
}

// ends tells whether the record would end anything that the brake is about, and which roles.
func (p *userPage) ends(u *rosterPerson) (any bool, roles []string) {
	for i := range u.past.grants {
		old := &u.past.grants[i]
		if old.manual || !old.current {
			continue
		}
		at := slices.IndexFunc(u.Grants, func(g RosterGrant) bool { return g.Role == old.role })
		if at < 0 {
			any, roles = true, append(roles, old.role)
			continue
		}
		if !access.Role(old.role).WorksHere() {
			continue
		}
		now := idSet{}
		for _, s := range u.Grants[at].Schools {
			now.add(p.schools[s])
		}
		any = any || slices.ContainsFunc(old.schools, func(s grantSchoolState) bool { return s.current && !now.has(s.school) }) ||
			slices.ContainsFunc(old.labels, func(l string) bool { return !slices.Contains(u.Grants[at].Labels, l) })
	}
	slices.Sort(roles)
	return any, roles
}

// mainSchool is a school of the user's, the primary one first; 0 if there is none.
func (s *userState) mainSchool() (school int64) {
	for _, g := range s.grants {
		for _, h := range g.schools {
			if h.current && (h.primary || school == 0) {
				school = h.school
			}
		}
	}
	return school
}

// keep decides whether teachers whom the record no longer names stay for now.
func (p *sectionPage) keep(c *rosterClass, seen *Seen) error {
	if !c.known || !c.held.current {
		return nil
	}
	keep, list := seen.keeps(c.id)
	if !keep {
		return nil
	}
	lost := false
	for user := range c.pastTeachers {
		lost = lost || !slices.Contains(c.teachers, user)
	}
	if !lost {
		return nil
	}
	if list {
		if err := p.rows.held.add("teaching", c.id, c.RosterSection, nil, p.schools[c.School], key(c.Name)); err != nil {
			return err
		}
	}
	c.kept, c.digest = true, unsure
	seen.kept = append(seen.kept, c.id)
	return nil
}
