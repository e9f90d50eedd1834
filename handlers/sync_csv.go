package handlers

import (
	"context"
	"encoding/csv"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/models"
	"hallpass/views"
)

// sendRows sends a list as a file, however long: each call of next reads a page in a transaction of its own, until it
// gives none.
func (v *visit) sendRows(name string, head []string, next func(context.Context, *models.Tx) ([][]string, error)) reply {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
		h.Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
		c.Response().WriteHeader(http.StatusOK)
		if _, err := c.Response().Write([]byte("\ufeff")); err != nil { // spreadsheets take a file for UTF-8 only with this
			return nil //nolint:nilerr // the reader has gone
		}
		file := csv.NewWriter(c.Response())
		file.UseCRLF = true
		_ = file.Write(head) // what fails here fails again at the next Flush
		ctx := context.WithoutCancel(c.Request().Context())
		for {
			var rows [][]string
			err := v.server.Store.As(v.actor).Read(ctx, func(tx *models.Tx) (err error) {
				rows, err = next(ctx, tx)
				return err
			})
			if err != nil {
				v.server.Log.ErrorContext(ctx, "list broken off", "request_id", noteOf(c).requestID, "error", err)
				panic(http.ErrAbortHandler) // half a file must not look like a whole one
			}
			for _, cells := range rows {
				_ = file.Write(ForSpreadsheet(cells))
			}
			file.Flush()
			_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(exportPatience)) // where the server has none, there is none to move
			if file.Error() != nil || len(rows) == 0 {
				return nil //nolint:nilerr // the reader has gone, or everything is sent
			}
			c.Response().Flush()
		}
	}
}

// listedPage is how many rows of a file are read at a time.
const listedPage = 1000

// exportHeld is what a held run would take, as a file.
func exportHeld(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	pick, _ := v.heldPick(v.c.QueryParam, nil)
	var after models.HeldAfter
	l := v.locale()
	return v.sendRows("held.csv", l.HeldCSVHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		rows, err := tx.HeldRecords(ctx, run.ID, pick, after, listedPage)
		for _, r := range rows {
			cells = append(cells, views.HeldRowCells(l, r.CleverID, v.heldRow(r)))
			after = models.HeldAfter{SortKey: r.SortKey, Type: r.Type, ID: r.ID}
		}
		return cells, err
	}), nil
}

// exportHeldAccess is who would lose or gain which sensitive permission where, as a file.
func exportHeldAccess(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	var after models.HeldEffectRow
	l := v.locale()
	return v.sendRows("access.csv", l.HeldAccessCSVHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		rows, err := tx.HeldEffectRows(ctx, run.ID, after, listedPage)
		for _, r := range rows {
			cells = append(cells, l.HeldAccessCells(r.Name, r.CleverID, string(r.Permission), heldSpot(r.School, r.SchoolName), r.Gained))
			after = r
		}
		return cells, err
	}), nil
}
