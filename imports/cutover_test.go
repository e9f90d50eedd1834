package imports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// sum is a checksum over everything that a cut-over may touch.
func (p place) sum() (sum string) {
	p.Helper()
	parts := []string{}
	for _, table := range []string{"imported_accounts", "users", "user_search", "accounts", "identities", "role_grants", "head_counts"} {
		parts = append(parts, `coalesce((SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM `+table+` t), '')`)
	}
	if err := p.look.QueryRow(p.Context(), `SELECT concat_ws(' ', `+strings.Join(parts, ", ")+`)`).Scan(&sum); err != nil {
		p.Fatal(err)
	}
	return sum
}

// setCutOver sets a date as somebody does, and gives the change.
func (p place) setCutOver(in time.Duration, rest string) (c models.Change) {
	p.Helper()
	var by int64
	if err := p.look.QueryRow(p.Context(), `SELECT id FROM users WHERE clever_id = 'u2'`).Scan(&by); err != nil {
		p.Fatal(err)
	}
	err := p.store.As(access.Actor{District: p.district, User: by}).Write(p.Context(), func(tx *models.Tx) (err error) {
		at := tx.Now().Add(in)
		if c, err = tx.RecordChange(p.Context(), models.NewChange{Token: fmt.Sprintf("%032x", at.UnixNano()), Action: audit.CutOverChanged, Subject: "district:1", Plan: []byte{1}}); err != nil {
			return err
		}
		return tx.SetCutOver(p.Context(), models.CutOver{At: &at, Rest: rest, Change: c.ID})
	})
	if err != nil {
		p.Fatal(err)
	}
	return c
}

func (p place) cutOver() {
	p.Helper()
	if err := CutOver(p.Context(), p.store, p.district); err != nil {
		p.Fatal(err)
	}
}

// done is the receipt of the cut-over, which must have been carried out.
func (p place) done() (c models.Change) {
	p.Helper()
	modelstest.Read(p.T, p.store, p.district, func(tx *models.Tx) error {
		o, err := tx.CutOver(p.Context())
		if err == nil {
			c, err = tx.Change(p.Context(), o.Done)
		}
		return err
	})
	return c
}

func (p place) undoCutOver(c models.Change) (counts models.CutOverCounts) {
	p.Helper()
	modelstest.Write(p.T, p.store, p.district, func(tx *models.Tx) (err error) {
		counts, err = tx.UndoCutOver(p.Context(), c)
		return err
	})
	return counts
}

// Before the date nothing happens; at the date what leads to nobody is archived, once; and undo leaves every row as it was.
func TestCutOverArchivesOnceAndComesBack(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	before := p.sum()
	p.setCutOver(time.Hour, models.CutOverArchive)
	p.cutOver()
	if p.sum() != before {
		t.Fatal("something happened before the date")
	}
	p.ahead.Add(int64(2 * time.Hour))
	p.cutOver()
	want := strings.NewReplacer("4: unmatched not_found own Old", "4: archived cut_over - ended id", "6: unmatched not_found - no id", "6: archived cut_over - no id",
		"8: unmatched no_id own No", "8: archived cut_over - ended id", "9: unmatched other_role own Odd", "9: archived cut_over - ended id").Replace(matched)
	if have := p.accounts(); have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
	if n := p.count("users WHERE clever_id IS NULL AND ended_at IS NULL"); n != 2 { // the two that are ambiguous
		t.Errorf("%d people stand for accounts, want 2", n)
	}
	after := p.sum()
	p.ahead.Add(int64(time.Hour))
	p.cutOver()
	if p.sum() != after || p.count("audit_entries WHERE action = 'cutover.done'") != 1 {
		t.Error("it was carried out twice")
	}
	if c := p.undoCutOver(p.done()); c.Accounts != 4 || c.People != 3 || c.Found != 0 {
		t.Errorf("undone: %+v", c)
	}
	if p.sum() != before {
		t.Errorf("not as before:\n%s", p.accounts())
	}
	p.cutOver()
	if p.sum() != before {
		t.Error("it was carried out again after its undo")
	}
}

// A district may keep what leads to nobody, and who comes back late finds an archived account.
func TestCutOverKeepsAndFindsLate(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	before := p.sum()
	p.setCutOver(time.Hour, models.CutOverKeep)
	p.ahead.Add(int64(2 * time.Hour))
	p.cutOver()
	if p.sum() != before || p.count("audit_entries WHERE action = 'cutover.done'") != 1 {
		t.Error("accounts to be kept were not kept, or nothing says that the cut-over was")
	}
	p.setCutOver(time.Hour, models.CutOverArchive)
	p.ahead.Add(int64(2 * time.Hour))
	p.cutOver()
	p.people(models.RosterUser{CleverID: "u9", First: "Old", Last: "Teacher", Grants: []models.RosterGrant{{Role: "teacher", LegacyID: "gone", Schools: []string{"s1"}}}})
	if have := p.accounts(); !strings.Contains(have, "4: linked  u9\n") {
		t.Errorf("who came back finds\n%s", have)
	}
	if c := p.undoCutOver(p.done()); c.Accounts != 3 || c.Found != 1 || c.People != 2 {
		t.Errorf("undone: %+v", c)
	}
	if have := p.accounts(); !strings.Contains(have, "4: linked  u9\n") || strings.Contains(have, "cut_over") {
		t.Errorf("after the undo\n%s", have)
	}
}

// Old ids open accounts until the date; from then on only those of accounts that are kept without another id.
func TestOldIDsOpenUntilTheCutOver(t *testing.T) {
	p := newPlace(t)
	p.bring(sample)
	old := func(id string) (o models.OldID) {
		modelstest.Read(t, p.store, p.district, func(tx *models.Tx) (err error) { o, err = tx.OldID(t.Context(), id); return err })
		return o
	}
	for _, id := range []string{"lt1", "ls1", "lt2", "gone"} {
		if o := old(id); o.User == 0 {
			t.Errorf("%s opens nothing before the date: %+v", id, o)
		}
	}
	if o := old("lt1"); o.User != old("ls1").User {
		t.Error("two roles of one person open two people")
	}
	if o := old("never"); o != (models.OldID{}) {
		t.Errorf("nobody's id: %+v", o)
	}
	p.setCutOver(time.Hour, models.CutOverKeep)
	p.ahead.Add(int64(2 * time.Hour))
	p.cutOver()
	if o := old("gone"); o.User == 0 {
		t.Errorf("a kept account does not open by its only id: %+v", o)
	}
	if o := old("lt2"); !o.Over || o.User != 0 {
		t.Errorf("a linked account opens by its old id: %+v", o)
	}
	p.setCutOver(time.Hour, models.CutOverArchive)
	p.ahead.Add(int64(2 * time.Hour))
	p.cutOver()
	if o := old("gone"); !o.Archived || o.User != 0 {
		t.Errorf("an archived account: %+v", o)
	}
}
