package models_test

import (
	"testing"
	"time"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestEventsReadWhatTheyName: a page of events looks up whom it names, and does not go through everybody for each.
func TestEventsReadWhatTheyName(t *testing.T) {
	const people, edited, gone = 4000, 100, 40
	store := modelstest.Open(t, modelstest.URL(t), time.Now)
	district := modelstest.District(t, store, "d1")
	loadUsers(t, store, district, people)
	modelstest.Write(t, store, district, func(tx *models.Tx) error { return tx.CountHeads(t.Context()) })
	modelstest.Write(t, store, district, func(tx *models.Tx) error { return tx.SettleRoster(t.Context()) })
	c := &models.RosterChanges{Users: benchUsers(0, edited, 60), Gone: map[models.RosterType][]string{}}
	for i := range c.Users {
		c.Users[i].Email = "moved." + c.Users[i].Email
	}
	for _, u := range benchUsers(120, gone, 60) { // students
		c.Gone[models.RosterUsers] = append(c.Gone[models.RosterUsers], u.CleverID)
	}
	modelstest.Write(t, store, district, func(tx *models.Tx) error {
		done, spared, err := tx.FollowChanges(t.Context(), c)
		if err != nil {
			return err
		}
		if p := done[models.RosterUsers]; spared || p.Updated != edited || p.Ended != gone {
			t.Errorf("%+v, spared %v", p, spared)
		}
		read, err := tx.Fetched(t.Context())
		for table, n := range read {
			if n > (edited+gone)*people/10 {
				t.Errorf("%d rows of %s are read for %d events among %d people", n, table, edited+gone, people)
			}
		}
		return err
	})
}
