package handlers

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// held is everything that one person may do, by view and place.
type held struct {
	sets map[access.View]map[access.Place]access.Set
	worn []access.View // that the person can wear, where the district goes by the view in use; else all of them together
}

// measure asks Holds about every place that there is, in every way that the person can be asked about.
func (c *console) measure(user int64, places []access.Place) (h held) {
	c.t.Helper()
	c.write(func(ctx context.Context, tx *models.Tx) error {
		in, err := tx.UserFacts(ctx, user)
		if err != nil {
			return err
		}
		f := in.Facts(tx.Now())
		h = held{sets: map[access.View]map[access.Place]access.Set{}, worn: []access.View{access.ViewAll}}
		if in.Policy.Combining() == access.ViewInUse {
			h.worn = in.Policy.Views(in.Grants)
		}
		for _, view := range []access.View{access.ViewAll, "teacher", "staff", "district_admin"} {
			f.View = view
			h.sets[view] = map[access.Place]access.Set{}
			for _, at := range places {
				h.sets[view][at] = f.Holds(at)
			}
		}
		return nil
	})
	return h
}

func (h held) equal(o held) bool {
	for view, places := range h.sets {
		for at, set := range places {
			if o.sets[view][at] != set {
				return false
			}
		}
	}
	return true
}

// says reads of recorded effects what becomes of a permission at a place.
func says(effects []effectRecord, view access.View, p access.Permission, at access.Place) (before, after, found bool) {
	around := []access.Place{at}
	if at.Kind == access.Section {
		around = append(around, access.AtSchool(at.School))
	}
	if at.Kind != access.District {
		around = append(around, access.InDistrict())
	}
	for _, place := range around {
		for _, e := range effects {
			if e.place() == place && e.Permission == p && (len(e.Views) == 0 || slices.Contains(e.Views, view)) {
				return e.Before, e.After, true
			}
		}
	}
	return false, false, false
}

// TestAPreviewIsWhatHappensAndAnUndoTakesItBack: whatever is changed, in whatever order, the difference that the
// preview promised is the one that is measured at every place, and the undo brings the same set back.
func TestAPreviewIsWhatHappensAndAnUndoTakesItBack(t *testing.T) {
	for name, value := range map[string]string{"rapid.checks": "30", "rapid.nofailfile": "true"} { // each check makes changes over HTTP
		f := flag.Lookup(name)
		before := f.Value.String()
		if name == "rapid.checks" && before != f.DefValue {
			continue // somebody asked for more
		}
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, before) })
	}
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	var places []access.Place
	var names []string
	c.write(func(ctx context.Context, tx *models.Tx) error {
		places, names = []access.Place{access.InDistrict()}, []string{"district"}
		schools, err := tx.SchoolChoices(ctx, models.District{}, access.Reach{District: true})
		for _, s := range schools {
			places, names = append(places, access.AtSchool(s.ID)), append(names, "school:"+s.CleverID)
		}
		return err
	})
	schools := len(names)
	for _, row := range c.rows(`SELECT id || ' ' || school_id || ' ' || clever_id FROM sections WHERE district_id = $1 AND ended_at IS NULL ORDER BY id LIMIT 60`, c.district) {
		var section, school int64
		var id string
		if _, err := fmt.Sscan(row, &section, &school, &id); err != nil {
			t.Fatal(err)
		}
		places, names = append(places, access.AtSection(section, school)), append(names, "section:"+id)
	}
	people := []int64{c.id(sandbox.TeacherUserID), c.id(sandbox.StaffUserID), c.id(sandbox.TechLeadUserID)}
	definitions := access.ShippedCatalogue().Definitions()
	last := func() (change models.Change) {
		newest := c.rows(`SELECT max(id) FROM changes WHERE district_id = $1`, c.district)
		c.write(func(ctx context.Context, tx *models.Tx) (err error) {
			for _, n := range newest {
				var id int64
				if _, err = fmt.Sscan(n, &id); err == nil {
					change, err = tx.Change(ctx, id)
				}
			}
			return err
		})
		return change
	}
	verify := func(t *rapid.T, before, after held) models.Change {
		change := last()
		var outcome struct {
			Effects []effectRecord `json:"effects"`
			overridesOutcome
		}
		if err := json.Unmarshal(change.After, &outcome); err != nil {
			t.Fatal(err)
		}
		for _, o := range outcome.Overrides {
			outcome.Effects = append(outcome.Effects, o.Effects...)
		}
		for _, view := range slices.Concat(before.worn, after.worn) {
			for _, at := range places {
				for i, d := range definitions {
					was, is := before.sets[view][at].Has(i), after.sets[view][at].Has(i)
					saidBefore, saidAfter, found := says(outcome.Effects, view, d.Permission, at)
					if found && (saidBefore != was || saidAfter != is) || !found && was != is {
						t.Fatalf("%s %s at %+v in view %s: was %v and is %v, the preview said %v to %v (found %v)", change.Kind, d.Permission, at, view, was, is, saidBefore, saidAfter, found)
					}
				}
			}
		}
		return change
	}
	// press previews and applies; what the console refuses changes nothing.
	press := func(preview string, form url.Values) bool {
		a := b.post(preview, form)
		if a.StatusCode == http.StatusUnprocessableEntity {
			return false
		}
		done := b.post(buttonOf(c.t, a))
		return done.StatusCode == http.StatusSeeOther
	}
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom(access.Combinings()).Draw(t, "combining")
		c.behind(`UPDATE districts SET combining = $2, policy_version = nextval('policy_versions') WHERE district_id = $1`, c.district, string(by))
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			user := rapid.SampledFrom(people).Draw(t, "person")
			before := c.measure(user, places)
			applied := false
			switch rapid.SampledFrom([]string{"override", "override", "override", "role", "end", "role end", "several end", "several extend"}).Draw(t, "kind") {
			case "override":
				d := rapid.SampledFrom(definitions).Draw(t, "permission")
				applied = press(adminHome+"overrides/preview", url.Values{
					"user": {fmt.Sprint(user)}, "effect": {rapid.SampledFrom([]string{"allow", "deny"}).Draw(t, "effect")}, "permission": {string(d.Permission)},
					"place": {rapid.SampledFrom(names).Draw(t, "place")}, "reason": {"other"}, "note": {"x"}, "end": {"none"}, "confirm": {"1"},
				})
			case "role":
				form := url.Values{
					"given": {rapid.SampledFrom([]string{"teacher", "staff", "district_admin"}).Draw(t, "role")}, "reason": {"other"}, "note": {"x"}, "end": {"date"},
					"date": {c.store.Now().AddDate(0, 1, 0).Format(time.DateOnly)}, "label": {rapid.SampledFrom([]string{"", access.SchoolTechLead}).Draw(t, "label")},
				}
				for _, s := range rapid.SliceOfNDistinct(rapid.SampledFrom(names[1:schools]), 1, 2, rapid.ID).Draw(t, "schools") {
					form.Add("school", strings.TrimPrefix(s, "school:"))
				}
				applied = press(fmt.Sprintf("%susers/%d/roles/preview", adminHome, user), form)
			case "end":
				standing := c.rows(`SELECT id FROM overrides WHERE district_id = $1 AND user_id = $2 AND ended_at IS NULL ORDER BY id`, c.district, user)
				if len(standing) > 0 {
					b.pressed(adminHome + "overrides/" + rapid.SampledFrom(standing).Draw(t, "override") + "/end")
					applied = true
				}
			case "role end":
				given := c.rows(`SELECT id FROM role_grants WHERE district_id = $1 AND user_id = $2 AND source = 'manual' AND ended_at IS NULL ORDER BY id`, c.district, user)
				if len(given) > 0 {
					b.pressed(fmt.Sprintf("%susers/%d/roles/%s/end", adminHome, user, rapid.SampledFrom(given).Draw(t, "role")))
					applied = true
				}
			case "several end", "several extend":
				standing := c.rows(`SELECT id FROM overrides WHERE district_id = $1 AND user_id = $2 AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > $3) ORDER BY id`, c.district, user, c.store.Now())
				if len(standing) == 0 {
					break
				}
				picks := url.Values{"pick": rapid.SliceOfNDistinct(rapid.SampledFrom(standing), 1, len(standing), rapid.ID).Draw(t, "overrides")}
				if rapid.Bool().Draw(t, "end them") {
					b.pressed(adminHome + "overrides/bulk?do=end&" + picks.Encode())
					applied = true
					break
				}
				picks.Set("end", "date")
				picks.Set("date", c.store.Now().AddDate(0, rapid.IntRange(1, 20).Draw(t, "months"), 0).Format(time.DateOnly))
				applied = press(adminHome+"overrides/bulk/preview", picks)
			}
			after := c.measure(user, places)
			if !applied {
				if !before.equal(after) {
					t.Fatal("what was refused changed something")
				}
				continue
			}
			made++
			change := verify(t, before, after)
			if rapid.Bool().Draw(t, "undo") {
				b.pressed(fmt.Sprintf("%schanges/%d/undo", adminHome, change.ID))
				restored := c.measure(user, places)
				verify(t, after, restored)
				if !before.equal(restored) {
					t.Fatalf("the undo of %s did not bring the same set back", change.Kind)
				}
			}
		}
	})
	if made < 10 {
		t.Errorf("only %d changes were made: the test tests nothing", made)
	}
}
