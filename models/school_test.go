package models_test

import (
	"slices"
	"testing"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// However schools come and go, by a sync or by hand, the choice of them is what the database has: another replica's copy
// in memory too, and another district's stays as it was.
func TestSchoolChoicesAreCurrent(t *testing.T) {
	store, url, here, there := two(t)
	conn, replica := connect(t, url), modelstest.Open(t, url, store.Now)
	choices := func(store *models.Store, district int64, reach access.Reach) (names []string) {
		modelstest.Read(t, store, district, func(tx *models.Tx) error {
			d, err := tx.District(t.Context())
			if err != nil {
				return err
			}
			list, err := tx.SchoolChoices(t.Context(), d, reach)
			for _, c := range list {
				names = append(names, c.CleverID)
			}
			return err
		})
		return names
	}
	check := func(after string, want ...string) {
		t.Helper()
		for range 2 { // read, and known
			for _, s := range []*models.Store{store, replica} {
				if got := choices(s, here, access.Reach{District: true}); !slices.Equal(got, want) {
					t.Errorf("after %s: schools %q, want %q", after, got, want)
				}
				if got := choices(s, there, access.Reach{District: true}); !slices.Equal(got, []string{"there-school"}) {
					t.Errorf("after %s: the other district has schools %q", after, got)
				}
			}
		}
	}
	check("one school", "here-school")
	modelstest.Write(t, store, here, func(tx *models.Tx) error {
		_, err := tx.WriteSchools(t.Context(), []models.RosterSchool{{CleverID: "here-school", Name: "Twin Peaks"}, {CleverID: "b", Name: "B"}, {CleverID: "c", Name: "C"}, {CleverID: "d", Name: "D"}}, &models.Seen{})
		return err
	})
	check("three more", "b", "c", "d", "here-school")
	modelstest.Write(t, store, here, func(tx *models.Tx) error {
		_, err := tx.WriteSections(t.Context(), []models.RosterSection{{CleverID: "s", School: "unlisted"}}, &models.Seen{})
		return err
	})
	check("one that Clever does not list", "b", "c", "d", "here-school")
	for _, step := range []struct {
		sql  string
		want []string
	}{
		{`UPDATE schools SET ended_at = now() WHERE clever_id = 'b'`, []string{"c", "d", "here-school"}},
		{`UPDATE schools SET listed = false WHERE clever_id = 'c'`, []string{"d", "here-school"}},
		{`UPDATE schools SET ended_at = NULL, name_key = 'z' WHERE clever_id = 'b'`, []string{"d", "here-school", "b"}},
		{`DELETE FROM schools WHERE clever_id = 'd'`, []string{"here-school", "b"}},
	} {
		if _, err := conn.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		check(step.sql, step.want...)
	}
	var id int64
	if err := conn.QueryRow(t.Context(), `SELECT id FROM schools WHERE clever_id = 'b'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	for _, within := range [][]int64{nil, {id}} {
		if got := choices(store, here, access.Reach{Schools: within}); len(got) != len(within) {
			t.Errorf("within the schools %d: %q", within, got)
		}
	}
}

// A district that was not read whole has no version, and must not be remembered by it.
func TestSchoolChoicesWithoutAVersionAreReadAnew(t *testing.T) {
	store, _, here, _ := two(t)
	for _, want := range []int{1, 2} {
		modelstest.Read(t, store, here, func(tx *models.Tx) error {
			list, err := tx.SchoolChoices(t.Context(), models.District{}, access.Reach{District: true})
			if len(list) != want {
				t.Errorf("%d schools, want %d", len(list), want)
			}
			return err
		})
		modelstest.Write(t, store, here, func(tx *models.Tx) error {
			_, err := tx.WriteSchools(t.Context(), []models.RosterSchool{{CleverID: "here-school", Name: "Twin Peaks"}, {CleverID: "b", Name: "B"}}, &models.Seen{})
			return err
		})
	}
}
