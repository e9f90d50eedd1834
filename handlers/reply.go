package handlers

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// reply is what a handler decided to answer. It is sent after the transaction has ended well: a page never claims
// what was not committed, and nobody's slow line holds a connection to the database.
type reply func(echo.Context) error

// page answers with a whole page of personal data.
func page(component templ.Component) reply {
	return func(c echo.Context) error { return c.Render(http.StatusOK, "", component) }
}

// seeOther sends the browser on to a path of ours.
func seeOther(path string) reply {
	return func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, path) }
}
