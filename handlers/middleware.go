package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// note is what is learned of one request on its way, for its log line and for the page that is shown when it fails.
type note struct {
	requestID string
	visit     *visit // nil until somebody is known to be signed in
	district  int64
	event     string // something the security of sign-in depends on, for the log
	err       error
}

type noteKey struct{}

func noteOf(c echo.Context) *note {
	if n, ok := c.Request().Context().Value(noteKey{}).(*note); ok {
		return n
	}
	return &note{} // outside the chain: only tests of single functions
}

// observe surrounds everything: it names the request, answers what failed or panicked, and logs one line. The line
// has the route's pattern and no path, query or name: those are children's.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Now()
		n := &note{requestID: requestID(c.Request())}
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), noteKey{}, n)))
		c.Response().Header().Set(echo.HeaderXRequestID, n.requestID)
		if err := survive(next, c); err != nil {
			n.err = err
			s.answerError(err, c)
		}
		s.log(c, n, s.Now().Sub(began))
		return nil
	}
}

func (s *server) log(c echo.Context, n *note, took time.Duration) {
	ctx, status := c.Request().Context(), c.Response().Status
	args := []any{
		"request_id", n.requestID, "method", known(c.Request().Method), "route", c.Path(), "status", status,
		"duration_ms", took.Milliseconds(), "district_id", n.district,
	}
	if n.event != "" {
		args = append(args, "event", n.event)
	}
	switch {
	case n.err != nil && (status >= 500 || n.event != "" && !errors.Is(n.err, errCrossOrigin)):
		s.Log.ErrorContext(ctx, "request failed", append(args, "error", n.err)...)
	case n.event != "":
		s.Log.WarnContext(ctx, "request refused", args...)
	default:
		s.Log.InfoContext(ctx, "request", args...)
	}
}

// known keeps invented methods out of the log.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// survive turns a panic into an error with the place it happened at.
func survive(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // the server compares it this way too
				panic(p)
			}
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return next(c)
}

// requestID takes over the id that a proxy gave, if it is one that may stand in a log. A program that asks for
// decisions gets its own back, whatever plain text it is.
func requestID(r *http.Request) string {
	id := r.Header.Get(echo.HeaderXRequestID)
	if isAPI(r.URL.Path) && id != "" && len(id) <= 128 && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return id
	}
	if len(id) < 8 || len(id) > 64 {
		return rand.Text()
	}
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if strings.ContainsFunc(id, func(r rune) bool { return !strings.ContainsRune(plain, r) }) {
		return rand.Text()
	}
	return id
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure puts the headers on every answer that keep a browser from being turned against its owner, and keeps pages
// out of every cache unless a handler says otherwise.
func (s *server) secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if s.https {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		return next(c)
	}
}

// compress leaves assets alone, which were compressed when the program was built, and what is shorter than it is worth:
// making the compressor ready takes longer than a decision.
func compress() echo.MiddlewareFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{
		Level: 5, MinLength: 1024,
		Skipper: func(c echo.Context) bool {
			return c.Path() == "" || isAsset(c.Path()) || c.Path() == evaluationPath || isFile(c)
		},
	})
}

// isFile reports that a file is sent, which is answered by an address alone, perhaps while it is still on its way.
func isFile(c echo.Context) bool {
	return c.Request().Method == http.MethodPost && c.Path() == inside+"imports"
}

// limitBody holds every form Hallpass has many times over, and a thousand questions of a program. The form of rules has
// a box for each permission of the app's catalogue in each column.
func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if isAPI(c.Request().URL.Path) {
			return questionLimit(next)(c)
		}
		if c.Path() == inside+"rules" || c.Path() == inside+"rules/preview" {
			return rulesLimit(next)(c)
		}
		if isFile(c) { // createImport bounds it
			return next(c)
		}
		return formLimit(next)(c)
	}
}

// Made once: Echo puts its middleware together for each request.
var formLimit, questionLimit, rulesLimit = middleware.BodyLimit("64K"), middleware.BodyLimit("1M"), middleware.BodyLimit("2M")

// limitTime ends a request's queries with it.
func (s *server) limitTime(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		outer := c.Request()
		ctx, cancel := context.WithTimeout(outer.Context(), s.RequestTimeout)
		defer cancel()
		c.SetRequest(outer.WithContext(ctx))
		defer c.SetRequest(outer) // the page that says what went wrong is drawn after the time is up
		err := next(c)
		if err != nil && ctx.Err() != nil { // whatever a query makes of being stopped
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return err
	}
}

var errCrossOrigin = errors.New("sent from another site")

// refuseCrossOrigin keeps other sites from pressing our buttons. GET and HEAD change nothing, so they pass.
func (s *server) refuseCrossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.cross.Check(c.Request()); err != nil {
			noteOf(c).event = "cross_origin"
			return errCrossOrigin
		}
		return next(c)
	}
}
