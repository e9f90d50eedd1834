package handlers

import (
	"errors"
	"strings"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// spot is a place of the district in words and as it stands in queries and forms: "district", "school:" or "section:"
// with Clever's id.
type spot struct {
	place access.Place
	text  string
	spot  views.Spot
	ended bool // Clever no longer lists it
}

var wholeDistrict = spot{place: access.InDistrict(), text: "district", spot: views.Spot{Kind: "district"}}

// spotOf finds the place that a query or a form names. models.ErrNotFound: there is no such place.
func (v *visit) spotOf(text string) (spot, error) {
	kind, id, _ := strings.Cut(text, ":")
	switch access.Kind(kind) {
	case access.District:
		return wholeDistrict, nil
	case access.School:
		s, err := v.tx.School(v.ctx, id)
		if err != nil {
			return spot{}, err
		}
		return spot{access.AtSchool(s.ID), text, views.Spot{Kind: "school", Name: s.Name}, s.EndedAt != nil}, nil
	case access.Section:
		s, err := v.tx.Section(v.ctx, id)
		if err != nil {
			return spot{}, err
		}
		return spot{
			access.AtSection(s.ID, s.SchoolID), text,
			views.Spot{Kind: "section", Name: s.Name, Period: s.Period, Around: s.SchoolName},
			s.EndedAt != nil,
		}, nil
	}
	return spot{}, models.ErrNotFound
}

// spotsOf puts places into words, by place.
func (v *visit) spotsOf(places []access.Place) (map[access.Place]spot, error) {
	names, err := v.tx.PlaceNames(v.ctx, places)
	if err != nil {
		return nil, err
	}
	spots := map[access.Place]spot{}
	for _, p := range places {
		school, section := names.Schools[p.School], names.Sections[p.Section]
		switch p.Kind {
		case access.District:
			spots[p] = wholeDistrict
		case access.School:
			spots[p] = spot{p, "school:" + school.CleverID, views.Spot{Kind: "school", Name: school.Name}, school.Ended}
		case access.Section:
			spots[p] = spot{p, "section:" + section.CleverID, views.Spot{Kind: "section", Name: section.Name, Period: section.Period, Around: school.Name}, section.Ended}
		}
	}
	return spots, nil
}

// knownSpot is spotOf for links that people follow: what is not there is no place rather than an error.
func (v *visit) knownSpot(text string) (s spot, found bool, err error) {
	s, err = v.spotOf(text)
	if errors.Is(err, models.ErrNotFound) {
		return s, false, nil
	}
	return s, err == nil, err
}
