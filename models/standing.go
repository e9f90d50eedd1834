package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"hallpass/access"
)

// standing is one sensitive permission that somebody holds: anywhere at a school, its sections included, or in the
// whole district (school 0). A teacher who changes sections within a school stands where they stood.
type standing struct {
	user, school int64
	permission   int16 // its place in the catalogue
}

func compareStanding(a, b standing) int {
	return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.permission, b.permission), cmp.Compare(a.school, b.school))
}

// standings reads who of some people holds which sensitive permission where, in order. Ended people hold nothing.
func (tx *Tx) standings(ctx context.Context, users []int64) (list []standing, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	d, err := tx.Decided(ctx)
	if err != nil {
		return nil, err
	}
	var sensitive []int
	definitions := d.Policy.Catalogue.Definitions()
	for i, def := range definitions {
		if def.Sensitive {
			sensitive = append(sensitive, i)
		}
	}
	args := map[string]any{"district": tx.actor.District, "now": tx.now, "labels": labelsOf(d.Policy)}
	for part := range slices.Chunk(users, simulatedSlice) {
		here, err := scan[struct{ ID int64 }](ctx, tx, `SELECT u.id FROM users u WHERE u.district_id = @district AND u.id = ANY(@ids::bigint[]) AND u.ended_at IS NULL`,
			map[string]any{"district": tx.actor.District, "ids": part})
		if err != nil {
			return nil, fmt.Errorf("read standings: %w", err)
		}
		ids := make([]int64, len(here))
		for i, u := range here {
			ids[i] = u.ID
		}
		facts, err := tx.roleFacts(ctx, ids, args)
		if err != nil {
			return nil, fmt.Errorf("read standings: %w", err)
		}
		for id, f := range facts {
			f.Policy = d.Policy
			for _, i := range sensitive {
				for _, school := range stands(*f, definitions[i].Permission) {
					list = append(list, standing{id, school, int16(i)}) //nolint:gosec // a catalogue has at most 256
				}
			}
		}
	}
	slices.SortFunc(list, compareStanding)
	return list, nil
}

// stands lists where somebody holds a permission, in any of their views: just 0 for the whole district.
func stands(f access.Facts, p access.Permission) (schools []int64) {
	lenses := []access.View{""}
	if f.Policy.Combining() == access.ViewInUse {
		lenses = append(lenses, f.Policy.Views(f.Grants)...)
	}
	for _, view := range lenses {
		f.View = view
		r := f.Reach(p)
		if r.District {
			return []int64{0}
		}
		schools = append(schools, r.Schools...)
		for _, s := range r.Sections {
			schools = append(schools, schoolOf(f, s))
		}
	}
	slices.Sort(schools)
	return slices.Compact(schools)
}

// schoolOf is the school of a section that the facts name.
func schoolOf(f access.Facts, section int64) int64 {
	for _, at := range f.Teaches {
		if at.Section == section {
			return at.School
		}
	}
	for _, o := range f.Overrides {
		if o.Place.Section == section {
			return o.Place.School
		}
	}
	return 0
}

// shift is one standing that a run takes or gives.
type shift struct {
	standing
	gained bool
}

// shifts are the differences between two readings of the same people. Whoever stands in the whole district stands at
// its schools.
func shifts(before, after []standing) (list []shift) {
	has := func(list []standing, s standing) bool {
		_, found := slices.BinarySearchFunc(list, s, compareStanding)
		if !found && s.school != 0 {
			s.school = 0
			_, found = slices.BinarySearchFunc(list, s, compareStanding)
		}
		return found
	}
	for _, s := range before {
		if !has(after, s) {
			list = append(list, shift{s, false})
		}
	}
	for _, s := range after {
		if !has(before, s) {
			list = append(list, shift{s, true})
		}
	}
	return list
}

// losing counts the people among shifts who lose something.
func losing(list []shift) (n int) {
	lost := map[int64]bool{}
	for _, s := range list {
		if !s.gained {
			lost[s.user] = true
		}
	}
	return len(lost)
}
