package handlers

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/models"
)

// exportPage is how many entries a file of the activity is written in one go.
const exportPage = 500

// exportPatience is how long the reader of a file may take for each of these pages.
const exportPatience = time.Minute

// exportActivity is the activity as a file, as long as it is: it is read and sent a page at a time, each in a
// transaction of its own, so that neither memory nor the database is held meanwhile. Entries never change, so the file
// is one moment's all the same.
func exportActivity(v *visit) (reply, error) {
	_, f, none, err := v.activityAsked()
	if err != nil {
		return nil, err
	}
	f.Limit = exportPage
	l := v.locale()
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
		h.Set(echo.HeaderContentDisposition, `attachment; filename="activity.csv"`)
		c.Response().WriteHeader(http.StatusOK)
		if _, err := c.Response().Write([]byte("\ufeff")); err != nil { // spreadsheets take a file for UTF-8 only with this
			return nil //nolint:nilerr // the reader has gone
		}
		file := csv.NewWriter(c.Response())
		file.UseCRLF = true
		_ = file.Write(l.ActivityCSVHead()) // what fails here fails again at the next Flush
		// The time for a page is not enough for a file; the line's own is set anew with each page of it.
		ctx := context.WithoutCancel(c.Request().Context())
		for more := !none; more; {
			rows, older, err := v.exportedPage(ctx, f)
			if err != nil {
				v.server.Log.ErrorContext(ctx, "activity export broken off", "request_id", noteOf(c).requestID, "error", err)
				panic(http.ErrAbortHandler) // half a file must not look like a whole one
			}
			_ = file.WriteAll(rows)                                                                       // flushes
			_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(exportPatience)) // where the server has none, there is none to move
			if file.Error() != nil {
				return nil //nolint:nilerr // the reader has gone
			}
			c.Response().Flush()
			f.After, more = older, older > 0
		}
		file.Flush()
		return nil
	}, nil
}

// exportedPage reads one page of the file; older is the entry after which the next one begins, 0 at the end.
func (v *visit) exportedPage(ctx context.Context, f models.ActivityFilter) (cells [][]string, older int64, err error) {
	own := *v
	own.ctx = ctx
	err = v.server.Store.As(v.actor).Read(ctx, func(tx *models.Tx) error {
		own.tx = tx
		list, err := tx.Activity(ctx, f)
		if err != nil {
			return err
		}
		rows, err := own.activityRows(list.Rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			cells = append(cells, ForSpreadsheet(r.Cells(own.locale())))
		}
		if list.Older {
			older = list.Rows[len(list.Rows)-1].ID
		}
		return nil
	})
	return cells, older, err
}

// ForSpreadsheet marks cells as text that a spreadsheet would take for a formula. It changes cells and returns them.
func ForSpreadsheet(cells []string) []string {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
