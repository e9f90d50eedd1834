package models

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// PlaceName is what a school or section is called, with the id that stands in addresses.
type PlaceName struct {
	ID       int64
	CleverID string
	Name     string // "" where Clever does not share the school
	Period   string // of a section
	SchoolID int64
	Ended    bool
}

// PlaceNames are the names of some schools and sections, by Hallpass id.
type PlaceNames struct {
	Schools, Sections map[int64]PlaceName
}

// PlaceNames reads the names of places, and of the schools around sections, in one round trip.
func (tx *Tx) PlaceNames(ctx context.Context, places []access.Place) (PlaceNames, error) {
	var schools, sections []int64
	for _, p := range places {
		if p.Kind != access.District {
			schools = append(schools, p.School)
		}
		if p.Kind == access.Section {
			sections = append(sections, p.Section)
		}
	}
	names := PlaceNames{Schools: map[int64]PlaceName{}, Sections: map[int64]PlaceName{}}
	if len(schools) == 0 {
		return names, nil
	}
	var atSchools, inSections []PlaceName
	b := &pgx.Batch{}
	args := map[string]any{"district": tx.actor.District, "schools": schools, "sections": sections}
	ask(b, &atSchools, `SELECT id, clever_id, name, id AS school_id, ended_at IS NOT NULL AS ended FROM schools
		WHERE district_id = @district AND id = ANY(CAST(@schools AS bigint[]))`, args)
	ask(b, &inSections, `SELECT id, clever_id, name, period, school_id, ended_at IS NOT NULL AS ended FROM sections
		WHERE district_id = @district AND id = ANY(CAST(@sections AS bigint[]))`, args)
	if err := tx.send(ctx, "names of places", b); err != nil {
		return names, err
	}
	for _, s := range atSchools {
		names.Schools[s.ID] = s
	}
	for _, s := range inSections {
		names.Sections[s.ID] = s
	}
	return names, nil
}
