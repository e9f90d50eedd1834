package handlers

import (
	"context"
	"slices"
	"strconv"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

const shownAccounts = 50

// accountStates are the states an account of the old days may be listed by.
var accountStates = append(slices.Clone(models.AccountStates), models.AccountMerged)

// showMigration is how far the app's old accounts have found their people.
func showMigration(v *visit) (reply, error) {
	counts, err := v.tx.MigrationCounts(v.ctx)
	if err != nil {
		return nil, err
	}
	p := views.MigrationPage{State: v.c.QueryParam("state"), Role: v.c.QueryParam("role")}
	if !slices.Contains(accountStates, models.AccountState(p.State)) {
		p.State = string(models.AccountAmbiguous)
	}
	if !access.Role(p.Role).Known() {
		p.Role = ""
	}
	for _, f := range counts {
		p.Counts = append(p.Counts, views.ImportFate{State: string(f.State), Role: string(f.Role), Why: f.Why, N: f.N})
	}
	after, _ := strconv.ParseInt(v.c.QueryParam("after"), 10, 64) // a bad one is the first page
	list, err := v.tx.ImportedAccounts(v.ctx, models.AccountFilter{
		State: models.AccountState(p.State), Role: access.Role(p.Role), AfterID: max(after, 0), Limit: shownAccounts + 1,
	})
	if err != nil {
		return nil, err
	}
	if len(list) > shownAccounts {
		list = list[:shownAccounts]
		p.Next = strconv.FormatInt(list[shownAccounts-1].ID, 10)
	}
	for _, a := range list {
		p.Accounts = append(p.Accounts, oldAccount(a))
	}
	if p.CutOver, err = v.cutOverShown(); err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.Migration(p)), nil
}

func oldAccount(a models.ImportedAccount) views.OldAccount {
	o := views.OldAccount{
		AppID: a.AppID, Role: string(a.Role), LegacyID: a.LegacyID, Name: listName(a.FirstName, a.MiddleName, a.LastName), Email: a.Email,
		State: string(a.State), Why: a.Why, LastUsed: a.LastUsedAt, User: a.UserName,
	}
	if a.UserID != nil {
		o.UserID = *a.UserID
	}
	return o
}

// exportMigration is every account of the old days as a file, or those of one state.
func exportMigration(v *visit) (reply, error) {
	l, states := v.locale(), accountStates
	if one := models.AccountState(v.c.QueryParam("state")); slices.Contains(accountStates, one) {
		states = []models.AccountState{one}
	}
	f := models.AccountFilter{Limit: listedPage}
	return v.sendRows("migration.csv", l.MigrationHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		for ; len(states) > 0; states, f.AfterID = states[1:], 0 {
			f.State = states[0]
			list, err := tx.ImportedAccounts(ctx, f)
			if err != nil {
				return nil, err
			}
			for _, a := range list {
				cells = append(cells, l.MigrationCells(oldAccount(a)))
				f.AfterID = a.ID
			}
			if len(cells) > 0 {
				break
			}
		}
		return cells, nil
	}), nil
}
