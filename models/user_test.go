package models_test

import (
	"slices"
	"testing"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// Someone who has left is where they were to the end, on the page as in the list: not at a school left long before.
func TestEndedPeopleAreWhereTheyLeftFrom(t *testing.T) {
	v := settle(t, 40)
	at := func(schools ...string) []models.RosterUser {
		return []models.RosterUser{
			{CleverID: "mover", First: "Mo", Last: "Ver", Grants: []models.RosterGrant{{Role: "teacher", Schools: schools}}},
			{CleverID: "parent", Last: "Mo Parent", Grants: []models.RosterGrant{{Role: "contact"}}, Students: []models.RosterContactStudent{{Student: "child"}}},
			{CleverID: "child", First: "Child", Last: "Ver", Grants: []models.RosterGrant{{Role: "student", Schools: schools[:1]}}},
		}
	}
	everyone := &models.Seen{}
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error {
		_, err := tx.WriteUsers(t.Context(), at("s1", "s2"), &models.Seen{})
		return err
	})
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error {
		if _, err := tx.WriteUsers(t.Context(), at("s3", "s2"), &models.Seen{}); err != nil {
			return err
		}
		return tx.SettleContacts(t.Context())
	})
	modelstest.Write(t, v.store, v.district, func(tx *models.Tx) error { // all three leave, and nobody else
		var stay []models.RosterUser
		for _, p := range v.people {
			if !p.ended {
				stay = append(stay, p.RosterUser)
			}
		}
		if _, err := tx.WriteUsers(t.Context(), stay, everyone); err != nil {
			return err
		}
		schools := &models.Seen{}
		var list []models.RosterSchool
		for id, name := range v.names {
			list = append(list, models.RosterSchool{CleverID: id, Name: name, Created: villageTime, Modified: villageTime})
		}
		if _, err := tx.WriteSchools(t.Context(), list, schools); err != nil {
			return err
		}
		_, err := tx.EndUnseen(t.Context(), map[models.RosterType]*models.Seen{
			models.RosterSchools: schools, models.RosterTerms: {}, models.RosterUsers: everyone, models.RosterSections: {},
		})
		return err
	})
	modelstest.Read(t, v.store, v.district, func(tx *models.Tx) error {
		for who, want := range map[string][]string{"mover": {"s2", "s3"}, "child": {"s3"}, "parent": {"s3"}} {
			id, err := tx.UserByCleverID(t.Context(), who)
			if err != nil {
				return err
			}
			places, err := tx.UserPlaces(t.Context(), id)
			if err != nil {
				return err
			}
			for _, s := range []string{"s1", "s2", "s3"} {
				listed, err := tx.WithinReach(t.Context(), access.Reach{Schools: []int64{v.schools[s]}}, []int64{id})
				if err != nil {
					return err
				}
				here := slices.ContainsFunc(places, func(p access.Place) bool { return p.School == v.schools[s] })
				if here != slices.Contains(want, s) || listed[id] != here {
					t.Errorf("%s at %s: page %t, list %t, want %t", who, s, here, listed[id], slices.Contains(want, s))
				}
			}
		}
		return nil
	})
}
