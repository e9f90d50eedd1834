package handlers

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/models"
)

const (
	csvType = "text/csv; charset=utf-8"
	// utf8Mark begins a file: spreadsheets take it for UTF-8 only with this.
	utf8Mark = "\ufeff"
	// listedPage is how many rows of a file are read at a time.
	listedPage = 1000
	// exportPatience is how long the reader of a file may take for each of these pages.
	exportPatience = time.Minute
)

// csvFile answers with a file of few rows.
func csvFile(name string, rows [][]string) (reply, error) {
	var b bytes.Buffer
	b.WriteString(utf8Mark)
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, row := range rows {
		if err := w.Write(ForSpreadsheet(row)); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentDisposition, "attachment; filename="+strconv.Quote(name))
		return c.Blob(http.StatusOK, csvType, b.Bytes())
	}, nil
}

// sendRows sends a list as a file, however long: each call of next reads a page in a transaction of its own, until it
// gives none.
func (v *visit) sendRows(name string, head []string, next func(context.Context, *models.Tx) ([][]string, error)) reply {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, csvType)
		h.Set(echo.HeaderContentDisposition, "attachment; filename="+strconv.Quote(name))
		c.Response().WriteHeader(http.StatusOK)
		if _, err := c.Response().Write([]byte(utf8Mark)); err != nil {
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

// ForSpreadsheet marks cells as text that a spreadsheet would take for a formula. It changes cells and returns them.
func ForSpreadsheet(cells []string) []string {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
