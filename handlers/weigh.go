package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"hallpass/models"
	"hallpass/views"
)

// weigh previews a plan that is foreseen for everybody in the district. In a large one that takes some seconds: the
// page then begins at once and is sent as it comes, with how many people of how many have been weighed, and ends with
// the preview. That needs no script, and nothing has to be kept of it. begun is how the page begins, back where the form
// is.
func (v *visit) weigh(begun views.WeighingPage, back string, propose func(*visit) (plan, reply, error)) (reply, error) {
	long, err := v.tx.MoreThanOneSlice(v.ctx)
	if err != nil {
		return nil, err
	}
	if !long {
		p, answer, err := propose(v)
		if err != nil || answer != nil {
			return answer, err
		}
		return p.preview()
	}
	// The page is sent while it is worked out, so it is worked out when this transaction has ended, in one that reads
	// one moment of the database and that a slow line keeps open no longer than the request may last.
	begun.Frame = v.frame()
	broken := views.Unweighed(begun.Frame, back)
	step := func(done, of int) templ.Component { return views.Weighed(begun.Frame, done, of) }
	return func(c echo.Context) (failed error) {
		var preview templ.Component
		steps := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
			preview, failed = v.foreseeAloud(ctx, w, step, propose)
			if failed != nil {
				preview = broken
			}
			return nil
		})
		part := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { return preview.Render(ctx, w) })
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
		h.Set("X-Accel-Buffering", "no") // a proxy would keep the steps until there are many
		c.Response().WriteHeader(http.StatusOK)
		err := c.Echo().Renderer.Render(c.Response(), "", views.Weighing(begun, steps, part), c)
		return errors.Join(failed, err)
	}, nil
}

// foreseeAloud proposes the plan anew, in a transaction of its own, and writes each step to w as it is taken.
func (v *visit) foreseeAloud(ctx context.Context, w io.Writer, step func(done, of int) templ.Component, propose func(*visit) (plan, reply, error)) (shown templ.Component, err error) {
	tell := func(done, of int) {
		if err := step(done, of).Render(ctx, w); err == nil {
			_ = templ.Flush().Render(ctx, w) // the browser has gone: the request's end says so
		}
	}
	err = v.server.Store.As(v.actor).Read(ctx, func(tx *models.Tx) error {
		own := *v
		own.tx, own.ctx, own.told = tx, ctx, tell
		p, answer, err := propose(&own)
		if err == nil && answer != nil {
			err = errors.New("the change was undone meanwhile")
		}
		if err != nil {
			return err
		}
		check, err := p.check()
		if err != nil {
			return err
		}
		shown = p.part(check)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("foresee: %w", err)
	}
	return shown, nil
}
