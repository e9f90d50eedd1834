package models_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// What was weighed is not weighed again, and never given where it would come out otherwise: after whatever changes what
// somebody may do, and after something has ended by itself.
func TestKeptSimulationIsWhatWouldBeSimulated(t *testing.T) {
	url := modelstest.URL(t)
	now := time.Now()
	store := modelstest.Open(t, url, func() time.Time { return now })
	conn := connect(t, url)
	changes := []string{
		`UPDATE overrides SET ended_at = now() WHERE district_id = $1 AND ended_at IS NULL`,
		`UPDATE overrides SET ends_at = now() + interval '9 hours' WHERE district_id = $1 AND ended_at IS NULL AND ends_at IS NOT NULL`,
		`UPDATE role_grants SET labels = '{SchoolTechLead}' WHERE district_id = $1 AND role = 'staff'`,
		`UPDATE role_grants SET ended_at = now() WHERE district_id = $1 AND role = 'teacher'`,
		`UPDATE role_grant_schools SET ended_at = now() WHERE district_id = $1`,
		`UPDATE sections SET ended_at = now() WHERE district_id = $1`,
		`DELETE FROM section_teachers WHERE district_id = $1`,
		`UPDATE users SET ended_at = now() WHERE district_id = $1`,
	}
	reused := 0
	rapid.Check(t, func(rt *rapid.T) {
		now = time.Now()
		h := drawHamlet(t, rt, store, url)
		cells, combining, strategy := drawChange(rt)
		foresee := func() (got, want models.Simulation, weighed bool) {
			err := store.As(access.System(h.district, "test")).Read(t.Context(), func(tx *models.Tx) error {
				is, err := tx.Decided(t.Context())
				if err != nil {
					return err
				}
				c := is.Policy.Catalogue
				after := access.NewPolicy(c, c.Amend(is.Changes, cells), combining, strategy)
				if got, err = tx.Foresee(t.Context(), is.Policy, after, func(int, int) { weighed = true }); err == nil {
					want, err = tx.Simulate(t.Context(), is.Policy, after, nil)
				}
				return err
			})
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("kept (-would be +is):\n%s", diff)
			}
			return got, want, weighed
		}
		if _, _, weighed := foresee(); !weighed {
			rt.Fatal("another district's simulation was given")
		}
		if _, _, weighed := foresee(); !weighed {
			reused++
		}
		for _, change := range rapid.SliceOfNDistinct(rapid.SampledFrom(changes), 1, 3, func(s string) string { return s }).Draw(rt, "changes") {
			if _, err := conn.Exec(context.Background(), change, h.district); err != nil {
				rt.Fatal(err)
			}
			foresee()
		}
		now = now.Add(10 * time.Hour)
		foresee()
		cells = slices.Clone(cells)
		combining = access.LeastPrivileged
		foresee()
	})
	if reused == 0 {
		t.Error("nothing was ever kept")
	}
}
