package models_test

import (
	"testing"

	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestRosterSettingsDoNotOutliveWritingOnePerson: what follows in a sign-in's transaction is bounded like any page.
func TestRosterSettingsDoNotOutliveWritingOnePerson(t *testing.T) {
	store, district, _ := rosterDB(t)
	settings := []string{"statement_timeout", "lock_timeout", "random_page_cost", "enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_nestloop"}
	for _, wait := range []bool{true, false} {
		modelstest.Write(t, store, district, func(tx *models.Tx) error {
			before := tx.Settings(t.Context(), settings)
			written, err := tx.WritePerson(t.Context(), models.RosterUser{CleverID: "one", Last: "Name"}, wait)
			if err != nil || !written {
				t.Errorf("wait %t: written %t, %v", wait, written, err)
			}
			if after := tx.Settings(t.Context(), settings); after != before {
				t.Errorf("wait %t: settings were %s and are %s", wait, before, after)
			}
			return err
		})
	}
}
