package models_test

import (
	"fmt"
	"slices"
	"testing"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// A school's sections and a district's schools are walked forth and back without losing or repeating a row.
func TestPagesOfSectionsAndSchools(t *testing.T) {
	store := modelstest.New(t)
	district := modelstest.District(t, store, "pages")
	var schools []models.RosterSchool
	var sections []models.RosterSection
	for i := range 23 {
		schools = append(schools, models.RosterSchool{CleverID: fmt.Sprintf("h%02d", i), Name: []string{"Same Name", "Other"}[i%2]})
		sections = append(sections, models.RosterSection{CleverID: fmt.Sprintf("s%02d", i), School: "h00", Name: []string{"Algebra", "Biology", "Algebra 2"}[i%3]})
	}
	modelstest.Write(t, store, district, func(tx *models.Tx) error {
		if _, err := tx.WriteSchools(t.Context(), schools, &models.Seen{}); err != nil {
			return err
		}
		_, err := tx.WriteSections(t.Context(), sections, &models.Seen{})
		return err
	})
	type page struct {
		ids        []string
		next, prev string
	}
	lists := map[string]func(tx *models.Tx, after, before string) (page, error){
		"sections": func(tx *models.Tx, after, before string) (p page, err error) {
			school, err := tx.School(t.Context(), "h00")
			if err != nil {
				return p, err
			}
			l, err := tx.SchoolSections(t.Context(), school.ID, after, before, 5)
			for _, r := range l.Rows {
				p.ids = append(p.ids, r.CleverID)
			}
			p.next, p.prev = l.Next, l.Prev
			return p, err
		},
		"schools": func(tx *models.Tx, after, before string) (p page, err error) {
			l, err := tx.Schools(t.Context(), access.Reach{District: true}, models.SchoolFilter{After: after, Before: before, Limit: 5})
			for _, r := range l.Rows {
				p.ids = append(p.ids, r.CleverID)
			}
			p.next, p.prev = l.Next, l.Prev
			return p, err
		},
	}
	for name, list := range lists {
		modelstest.Read(t, store, district, func(tx *models.Tx) error {
			var pages []page
			p, err := list(tx, "", "")
			for ; err == nil; p, err = list(tx, p.next, "") {
				pages = append(pages, p)
				if p.next == "" {
					break
				}
			}
			if err != nil {
				return err
			}
			var all []string
			for _, p := range pages {
				all = append(all, p.ids...)
			}
			slices.Sort(all)
			if len(pages) != 5 || len(slices.Compact(all)) != 23 || pages[0].prev != "" {
				t.Errorf("%s: %d pages, %d rows, before the first %q", name, len(pages), len(all), pages[0].prev)
			}
			for i := len(pages) - 2; i >= 0; i-- {
				if p, err = list(tx, "", p.prev); err != nil {
					return err
				}
				if !slices.Equal(p.ids, pages[i].ids) {
					t.Errorf("%s: back to page %d: %v, forth it was %v", name, i+1, p.ids, pages[i].ids)
				}
			}
			if p.prev != "" {
				t.Errorf("%s: back at the first page there is one before it", name)
			}
			return nil
		})
	}
}
