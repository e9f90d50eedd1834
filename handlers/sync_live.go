package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/models"
)

// liveEvery is how often a run is looked at for those who watch it.
const liveEvery = time.Second

// watchSync tells, as server-sent events, that a run has moved: the page then asks for itself. It lasts as long as a
// request may, and the browser asks again by itself, so that session and permission are looked at again too.
func watchSync(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, "text/event-stream")
		h.Set(echo.HeaderCacheControl, "no-store")
		h.Set("X-Accel-Buffering", "no") // a proxy would keep events until there are many
		c.Response().WriteHeader(http.StatusOK)
		ctx := c.Request().Context()
		ticker := time.NewTicker(liveEvery)
		defer ticker.Stop()
		for last := ""; ; {
			now, open, err := v.server.lookAtRun(ctx, v, run.ID)
			if err != nil {
				return nil // the browser has gone, or asks again
			}
			if err := tellMove(c, now, last, open); err != nil || !open {
				return nil // as above
			}
			last = now
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	}, nil
}

// lookAtRun says where a run is, in a text that differs when it has moved, and whether it may still move.
func (s *server) lookAtRun(ctx context.Context, v *visit, id int64) (where string, open bool, err error) {
	err = s.Store.As(v.actor).Read(ctx, func(tx *models.Tx) error {
		run, err := tx.SyncRun(ctx, id)
		if err != nil {
			return err
		}
		text, err := json.Marshal(run.Progress)
		where, open = string(run.State)+" "+string(text), run.Open()
		return err
	})
	return where, open, err
}

// tellMove writes an event if there is one to tell; what has moved, the page asks for.
func tellMove(c echo.Context, now, last string, open bool) error {
	event := "moved"
	switch {
	case !open:
		event = "over"
	case now == last:
		event = ""
	}
	text := ": still here\n\n"
	if event != "" {
		text = fmt.Sprintf("event: %s\ndata:\n\n", event)
	}
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(exportPatience)) // where the server has none, there is none to move
	if _, err := c.Response().Write([]byte(text)); err != nil {
		return err
	}
	c.Response().Flush()
	return nil
}
