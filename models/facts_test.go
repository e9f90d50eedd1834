package models_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// TestFactsOfAreThoseOfTheSession: whoever is asked about by a program is decided about by the same facts as when
// they sign in, whichever of their ids is named, and strangers lead nowhere.
func TestFactsOfAreThoseOfTheSession(t *testing.T) {
	store, url, here, _ := two(t)
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), `UPDATE identities SET ended_at = now() WHERE kind = 'legacy'`); err != nil {
		t.Fatal(err)
	}
	modelstest.Read(t, store, here, func(tx *models.Tx) error {
		id, err := tx.UserByCleverID(t.Context(), "here-teacher")
		if err != nil {
			return err
		}
		accounts, err := tx.AccountsOf(t.Context(), []int64{id})
		if err != nil || len(accounts) != 1 {
			t.Fatalf("accounts %v, error %v", accounts, err)
		}
		ids := []models.AskedSubject{
			{ID: strconv.FormatInt(id, 10)},
			{ID: "here-teacher"},
			{ID: "here-legacy"},
			{Account: true, ID: strconv.FormatInt(accounts[0], 10)},
			{ID: "there-teacher"},
			{ID: "there-legacy"},
			{ID: "0" + strconv.FormatInt(id, 10)},
			{ID: "999999999"},
			{ID: ""},
			{ID: "here\x00teacher"},
			{ID: strings.Repeat("9", 300)},
			{Account: true, ID: "here-teacher"},
			{Account: true, ID: "999999999"},
		}
		const known = 4
		told, err := tx.FactsOf(t.Context(), models.Asked{Subjects: ids, Places: []models.AskedPlace{
			{Kind: access.Section, ID: "here-section"},
			{Kind: access.School, ID: "here-school"},
			{Kind: access.District, ID: "here"},
			{Kind: access.Section, ID: "here-school"},
			{Kind: access.School, ID: "here-section"},
			{Kind: access.District, ID: "there"},
			{Kind: access.Section, ID: "there-section"},
			{Kind: access.School, ID: "there-school"},
			{Kind: "planet", ID: "here"},
		}})
		if err != nil {
			return err
		}
		me, err := tx.UserFacts(t.Context(), id)
		if err != nil {
			return err
		}
		if len(me.Grants) == 0 || len(me.Teaches) == 0 || len(me.Overrides) == 0 {
			t.Fatalf("too few facts to compare: %+v", me)
		}
		ordered := cmpopts.SortSlices(func(a, b access.Grant) bool { return a.Role < b.Role })
		for i, s := range told.Subjects {
			if s.Known() != (i < known) {
				t.Errorf("%+v: known %t", ids[i], s.Known())
			}
			if diff := gocmp.Diff(me.Facts(tx.Now()), told.Facts(s, ""), ordered, cmpopts.IgnoreFields(access.Facts{}, "Policy")); i < known && diff != "" {
				t.Errorf("%+v is decided about otherwise (-session +asked):\n%s", ids[i], diff)
			}
		}
		if told.Policy != me.Policy {
			t.Error("the policy is another one")
		}
		for i, p := range told.Places {
			if p.Known() != (i < 3) {
				t.Errorf("place %d: known %t, %+v", i, p.Known(), p)
			}
		}
		if at := told.Places[0]; !slices.Contains(me.Teaches, at.Place) || at.School != "Twin Peaks" || told.Places[1].School != "" || told.Places[1].Name != "Twin Peaks" {
			t.Errorf("places are %+v", told.Places)
		}
		return nil
	})
}

// TestAKeyOpensItsOwnDistrictUntilItIsRevoked and no transaction begins for another.
func TestAKeyOpensItsOwnDistrictUntilItIsRevoked(t *testing.T) {
	store, _, here, there := two(t)
	var key models.APIKey
	write := func(fn func(*models.Tx) error) {
		t.Helper()
		modelstest.Write(t, store, here, func(tx *models.Tx) error {
			who, err := tx.UserByCleverID(t.Context(), "here-teacher")
			if err != nil {
				return err
			}
			if err := tx.Become(access.Actor{District: here, User: who}); err != nil {
				return err
			}
			return fn(tx)
		})
	}
	write(func(tx *models.Tx) (err error) {
		key, err = tx.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "gradebook", Hash: hash32("gradebook"), Hint: "book", Explains: true})
		return err
	})
	opens := func(district int64, hash string) error {
		return store.As(access.System(district, "test")).ReadKeyed(t.Context(), hash32(hash), models.Asked{}, func(_ *models.Tx, k models.APIKey, told models.Told) error {
			if k.ID != key.ID || !k.Explains || told.District.CleverID != "here" || told.Policy == nil {
				t.Errorf("the key opens %+v in %+v", k, told.District)
			}
			return nil
		})
	}
	if err := opens(here, "gradebook"); err != nil {
		t.Fatal(err)
	}
	for _, no := range []struct {
		district int64
		hash     string
	}{{there, "gradebook"}, {here, "another"}, {99, "gradebook"}} {
		if err := opens(no.district, no.hash); !errors.Is(err, models.ErrNoKey) {
			t.Errorf("district %d, key %q: error %v, want %v", no.district, no.hash, err, models.ErrNoKey)
		}
	}
	if !key.Stale(time.Now()) {
		t.Error("a key never used counts as used lately")
	}
	if err := store.As(access.System(here, "test")).TouchAPIKey(t.Context(), hash32("gradebook"), key.ID); err != nil {
		t.Fatal(err)
	}
	write(func(tx *models.Tx) error {
		k, err := tx.APIKey(t.Context(), key.ID)
		if err == nil && (k.LastUsedAt == nil || k.LastUsedAt.Second() != 0 || k.Stale(tx.Now().Truncate(time.Minute)) || !k.Stale(k.LastUsedAt.Add(time.Minute))) {
			t.Errorf("last use %v", k.LastUsedAt)
		}
		return err
	})
	write(func(tx *models.Tx) error { _, err := tx.RevokeAPIKey(t.Context(), key.ID); return err })
	if err := opens(here, "gradebook"); !errors.Is(err, models.ErrNoKey) {
		t.Errorf("a revoked key: error %v", err)
	}
	write(func(tx *models.Tx) error {
		if _, err := tx.RevokeAPIKey(t.Context(), key.ID); !errors.Is(err, models.ErrConflict) {
			t.Errorf("revoked twice: error %v", err)
		}
		if _, err := tx.RevokeAPIKey(t.Context(), 0); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("revoked nothing: error %v", err)
		}
		keys, err := tx.APIKeys(t.Context())
		if err == nil && (len(keys) < 2 || keys[len(keys)-1].ID != key.ID || keys[0].RevokedAt != nil) {
			t.Errorf("revoked keys do not come last: %+v", keys)
		}
		return err
	})
}

// BenchmarkFactsOf is what one decision, and a hundred, cost in the database, beside one bare round trip.
func BenchmarkFactsOf(b *testing.B) {
	v := settle(b, 2000)
	modelstest.Write(b, v.store, v.district, func(tx *models.Tx) error {
		who, err := tx.UserByCleverID(b.Context(), fmt.Sprintf("6%023x", 0))
		if err != nil {
			return err
		}
		if err := tx.Become(access.Actor{District: v.district, User: who}); err != nil {
			return err
		}
		_, err = tx.CreateAPIKey(b.Context(), models.NewAPIKey{Name: "bench", Hash: hash32("bench"), Hint: "ench"})
		return err
	})
	if _, err := v.store.JobPool().Exec(b.Context(), `SELECT settle_roster()`); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var asked models.Asked
			for i := range n {
				asked.Subjects = append(asked.Subjects, models.AskedSubject{ID: fmt.Sprintf("6%023x", i*7)})
				asked.Places = append(asked.Places, models.AskedPlace{Kind: access.School, ID: fmt.Sprintf("s%d", 1+i%3)})
			}
			b.ReportAllocs()
			for b.Loop() {
				err := v.store.As(access.System(v.district, "bench")).ReadKeyed(b.Context(), hash32("bench"), asked, func(_ *models.Tx, _ models.APIKey, told models.Told) error {
					if !told.Subjects[n-1].Known() || !told.Places[n-1].Known() {
						b.Fatal("nobody is known")
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("proven", func(b *testing.B) {
		asked := models.Asked{
			Subjects: []models.AskedSubject{{ID: fmt.Sprintf("6%023x", 0)}},
			Places:   []models.AskedPlace{{Kind: access.School, ID: "s1"}},
		}
		scope := v.store.As(access.System(v.district, "bench"))
		for range 2 { // the first read makes the district's copies, the second those of what was asked
			if err := scope.ReadKeyed(b.Context(), hash32("bench"), asked, func(*models.Tx, models.APIKey, models.Told) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, _, proven, err := scope.Prove(b.Context(), hash32("bench"), asked); err != nil || !proven {
				b.Fatal(proven, err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		var one int
		for b.Loop() {
			if err := v.store.JobPool().QueryRow(b.Context(), `SELECT 1`).Scan(&one); err != nil {
				b.Fatal(err)
			}
		}
	})
}
