package handlers

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// reply is what a handler decided to answer. It is sent after the transaction has ended well: a page never claims
// what was not committed, and nobody's slow line holds a connection to the database.
type reply func(echo.Context) error

// page answers with a whole page of personal data. It is drawn before the first byte is sent, so that one that fails
// half way becomes a clean error; its length is then known, and it leaves in two writes instead of one for every 4 kB.
func page(component templ.Component) reply {
	return func(c echo.Context) error {
		b := drawn.Get().(*bytes.Buffer)
		defer drawn.Put(b)
		b.Reset()
		if err := c.Echo().Renderer.Render(b, "", component, c); err != nil {
			return err
		}
		c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(b.Len())) // the compressor drops it
		return c.HTMLBlob(http.StatusOK, b.Bytes())
	}
}

// drawn keeps the room that pages are drawn in: the list of people fills 60 kB each time.
var drawn = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// seeOther sends the browser on to a path of ours.
func seeOther(path string) reply {
	return func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, path) }
}
