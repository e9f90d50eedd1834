package handlers

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

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

// exportMigration is every account of the old days as a file, or those of one state, read and sent a page at a time.
func exportMigration(v *visit) (reply, error) {
	l, states := v.locale(), accountStates
	if one := models.AccountState(v.c.QueryParam("state")); slices.Contains(accountStates, one) {
		states = []models.AccountState{one}
	}
	return func(c echo.Context) error {
		beginCSV(c, "migration.csv")
		file := csv.NewWriter(c.Response())
		file.UseCRLF = true
		_ = file.Write(l.MigrationHead()) // what fails here fails again at Flush
		ctx := context.WithoutCancel(c.Request().Context())
		for _, state := range states {
			f := models.AccountFilter{State: state, Limit: exportPage}
			for more := true; more; {
				var list []models.ImportedAccount
				err := v.server.Store.As(v.actor).Read(ctx, func(tx *models.Tx) (err error) {
					list, err = tx.ImportedAccounts(ctx, f)
					return err
				})
				if err != nil {
					v.server.Log.ErrorContext(ctx, "migration export broken off", "request_id", noteOf(c).requestID, "error", err)
					panic(http.ErrAbortHandler) // half a file must not look like a whole one
				}
				for _, a := range list {
					_ = file.Write(ForSpreadsheet(l.MigrationCells(oldAccount(a))))
				}
				_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(exportPatience)) // where the server has none, there is none to move
				if file.Flush(); file.Error() != nil {
					return nil //nolint:nilerr // the reader has gone
				}
				c.Response().Flush()
				if more = len(list) == exportPage; more {
					f.AfterID = list[len(list)-1].ID
				}
			}
		}
		return nil
	}, nil
}
