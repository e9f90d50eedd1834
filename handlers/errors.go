package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// refusal is a page that the person may not open in the view in use.
type refusal struct {
	reason *views.Reason // nil where a view itself is refused
	other  access.View   // of the person's own views, one that may; "" if none
	href   string        // of the same page in that view
}

func (refusal) Error() string { return "not allowed in this view" }

// errUnready says that the program cannot serve yet, or for now.
var errUnready = errors.New("not ready")

// problems says what each error looks like from outside. What is not here is a mistake of ours: 500.
var problems = []struct {
	err    error
	status int
	code   string
}{
	{models.ErrNotFound, http.StatusNotFound, "not_found"},
	{models.ErrConflict, http.StatusConflict, "conflict"},
	{errCrossOrigin, http.StatusForbidden, "cross_origin"},
	{errUnready, http.StatusServiceUnavailable, "not_ready"},
	{models.ErrTooSlow, http.StatusServiceUnavailable, "timeout"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "timeout"},
	{context.Canceled, statusClientGone, "client_gone"},
}

// statusClientGone is for the log alone: nobody is there to read it.
const statusClientGone = 499

// retryAfter is the seconds after which a 503 may be over.
const retryAfter = 5

func classify(err error) (status int, code string) {
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return p.status, p.code
		}
	}
	if _, ok := errors.AsType[refusal](err); ok {
		return http.StatusForbidden, "forbidden"
	}
	if p, ok := errors.AsType[requestError](err); ok {
		return p.status, p.code
	}
	if he, ok := errors.AsType[*echo.HTTPError](err); ok && he.Code >= 400 && he.Code < 500 {
		return he.Code, strings.ReplaceAll(strings.ToLower(http.StatusText(he.Code)), " ", "_")
	}
	return http.StatusInternalServerError, "internal"
}

// answerError is the only place that answers an error. The visitor gets a sentence of ours and the request's id,
// never the error's own text.
func (s *server) answerError(err error, c echo.Context) {
	n := noteOf(c)
	n.err = err
	if c.Response().Committed {
		return
	}
	status, code := classify(err)
	if status == statusClientGone {
		c.Response().Status = status
		return
	}
	// Headers of the answer that did not come about.
	h := c.Response().Header()
	for _, name := range []string{echo.HeaderContentEncoding, echo.HeaderContentType, echo.HeaderContentLength, echo.HeaderLocation} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(retryAfter))
	}
	if isAPI(c.Request().URL.Path) {
		message := http.StatusText(status)
		if p, ok := errors.AsType[requestError](err); ok {
			message = p.message
		}
		if status == http.StatusUnauthorized {
			h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="hallpass"`)
		}
		_ = c.JSON(status, apiError{apiErrorBody{code, message, n.requestID}}) // the line is broken: nothing to add
		return
	}
	if n.visit == nil && errors.Is(err, echo.ErrNotFound) { // an address no route has: still a page with navigation
		if _, lost := s.whoIs(c); lost != nil {
			n.err = errors.Join(err, lost)
		}
	}
	p := views.ErrorPage{Frame: s.frame(c), Status: status}
	if status == http.StatusServiceUnavailable {
		p.RetryAfter = retryAfter
	}
	if r, ok := errors.AsType[refusal](err); ok {
		p.OtherView, p.OtherViewHref, p.Reason = string(r.other), r.href, r.reason
	}
	if drawErr := c.Render(status, "", views.Error(p)); drawErr != nil && !c.Response().Committed {
		n.err, n.event = errors.Join(err, drawErr), "error_page_not_drawn"
		_ = c.String(status, http.StatusText(status)+"\n"+n.requestID+"\n")
	}
}

type apiError struct {
	Error apiErrorBody `json:"error"`
}

type apiErrorBody struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// isAPI tells programs from people.
func isAPI(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == openAPIPath || strings.HasPrefix(path, "/access/") || strings.HasPrefix(path, "/.well-known/")
}
