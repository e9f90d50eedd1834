package imports

import (
	"testing"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// Whoever stands for an account is at the schools that its file names, so that those who review that school find them.
func TestStandInsAreWhereTheirFileSays(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	var user, school int64
	if err := p.look.QueryRow(t.Context(), `SELECT user_id, school_ids[1] FROM imported_accounts WHERE app_id = '4'`).Scan(&user, &school); err != nil {
		t.Fatal(err)
	}
	modelstest.Read(t, p.store, p.district, func(tx *models.Tx) error {
		places, err := tx.UserPlaces(t.Context(), user)
		if len(places) != 1 || places[0] != access.AtSchool(school) {
			t.Errorf("places %v, want school %d", places, school)
		}
		return err
	})
}

// An old account is kept in the account that the strategy of the day gives its person.
func TestOldAccountsFollowTheStrategy(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	role := func(want string) {
		t.Helper()
		var have string
		if err := p.look.QueryRow(t.Context(), `SELECT c.role || CASE WHEN c.retired_at IS NULL THEN '' ELSE ' retired' END FROM imported_accounts a JOIN accounts c ON c.id = a.account_id WHERE a.app_id = '3'`).Scan(&have); err != nil {
			t.Fatal(err)
		}
		if have != want {
			t.Errorf("kept in the account of %q, want %q", have, want)
		}
	}
	role("")
	for _, to := range []access.Strategy{access.PerRole, access.Consolidated} {
		modelstest.Write(t, p.store, p.district, func(tx *models.Tx) error {
			if err := tx.SetStrategy(t.Context(), to); err != nil {
				return err
			}
			return tx.FitAccounts(t.Context(), to)
		})
		role(map[access.Strategy]string{access.PerRole: "teacher", access.Consolidated: ""}[to])
	}
}
