package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"hallpass/assets"
	"hallpass/views"
)

// showHelp and showAccessibility are open to all, and keep the navigation of those signed in.
func (s *server) showHelp(c echo.Context) error {
	if _, err := s.whoIs(c); err != nil {
		return err
	}
	return c.Render(http.StatusOK, "", views.Help(views.HelpPage{Frame: s.frame(c)}))
}

func (s *server) showAccessibility(c echo.Context) error {
	if _, err := s.whoIs(c); err != nil {
		return err
	}
	return c.Render(http.StatusOK, "", views.Accessibility(views.AccessibilityPage{Frame: s.frame(c)}))
}

func isAsset(path string) bool { return strings.HasPrefix(path, assets.Prefix) }

// serveAsset may be kept for ever: another content has another name.
func serveAsset(c echo.Context) error {
	path := c.Request().URL.Path
	content, typ, ok := assets.Open(path)
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	if strings.Contains(c.Request().Header.Get(echo.HeaderAcceptEncoding), "gzip") {
		h.Set(echo.HeaderContentEncoding, "gzip")
		content, typ, _ = assets.OpenGzip(path)
	}
	return c.Blob(http.StatusOK, typ, content)
}

// showHealth says that the program answers.
func (s *server) showHealth(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// showReadiness says that it can serve: the database is reached and has the schema this program was built for. Syncs that
// the brake holds are told beside it: they wait for a person and keep nobody from being served.
func (s *server) showReadiness(c echo.Context) error {
	ctx := c.Request().Context()
	if err := s.Store.Ping(ctx); err != nil {
		return errors.Join(errUnready, err)
	}
	if err := s.Store.SchemaCurrent(ctx); err != nil {
		return fmt.Errorf("%w: %w", errUnready, err)
	}
	held, since, err := s.Store.HeldSince(ctx)
	if err != nil {
		return errors.Join(errUnready, err)
	}
	detail := map[string]any{"status": "ready", "held_syncs": held}
	if since != nil {
		detail["held_since"] = since.UTC()
	}
	return c.JSON(http.StatusOK, detail)
}
