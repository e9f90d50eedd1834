package main

import (
	"fmt"
	"io"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

//go:generate go tool templ generate -path views

// templRenderer lets a handler write c.Render(status, "", views.Users(page)). The
// name is unused: the page is the value. Echo draws into a buffer first, so a page
// that fails half way becomes a clean error and never half a page.
type templRenderer struct{}

var _ echo.Renderer = templRenderer{}

// Render draws data, which must be a templ.Component, with the request's context.
func (templRenderer) Render(w io.Writer, _ string, data any, c echo.Context) error {
	component, ok := data.(templ.Component)
	if !ok {
		return fmt.Errorf("render %T: not a templ component", data)
	}
	if err := component.Render(c.Request().Context(), w); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return nil
}
