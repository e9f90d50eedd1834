package handlers

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"hallpass/models"
	"hallpass/views"
)

// shownSyncs is how many runs stand on a page.
const shownSyncs = 50

// listSyncs is the history of syncs with Clever, newest first.
func listSyncs(v *visit) (reply, error) {
	p := views.SyncsPage{CanSync: v.maySync()}
	if notice := v.c.QueryParam("notice"); notice == "already_running" || notice == "sync_started" || notice == "not_on" {
		p.Notices = append(p.Notices, notice)
	}
	var before int64
	if after := v.c.QueryParam("after"); after != "" { // the next page is of older runs
		id, err := strconv.ParseInt(after, 10, 64)
		if err != nil || id <= 0 {
			p.Notices = append(p.Notices, noticeBadCursor)
		} else {
			before = id
		}
	}
	runs, err := v.tx.SyncRuns(v.ctx, before, shownSyncs+1)
	if err != nil {
		return nil, err
	}
	if len(runs) > shownSyncs {
		runs = runs[:shownSyncs]
		p.Next = link(strconv.FormatInt(runs[shownSyncs-1].ID, 10), "")
	}
	if p.Runs, err = v.syncRuns(runs...); err != nil {
		return nil, err
	}
	for _, r := range runs {
		p.Running = p.Running || r.Open()
	}
	p.Frame = v.frame()
	return page(views.Syncs(p)), nil
}

// showSync is one run, in progress or over.
func showSync(v *visit) (reply, error) {
	value, ok := pathID(v.c)
	id, err := strconv.ParseInt(value, 10, 64)
	if !ok || err != nil {
		return nil, models.ErrNotFound
	}
	run, err := v.tx.SyncRun(v.ctx, id)
	if err != nil {
		return nil, err
	}
	shown, err := v.syncRuns(run)
	if err != nil {
		return nil, err
	}
	p := views.SyncPage{Run: shown[0], CanSync: v.maySync()}
	if run.State == models.SyncHeld {
		if p.Held, err = v.heldPart(run); err != nil {
			return nil, err
		}
	}
	p.Frame = v.frame()
	return page(views.Sync(p)), nil
}

// createSync asks for the changes since the last sync, or for everything. If a sync is under way already, that is the
// one.
func (s *server) createSync(v *visit) (reply, error) {
	request := v.tx.RequestEvents
	if v.c.FormValue("what") == models.SyncFull {
		request = v.tx.RequestSync
	}
	run, created, err := request(v.ctx)
	district, view := v.me.District.CleverID, string(v.actor.View)
	if errors.Is(err, models.ErrNotOn) {
		return seeOther(views.SyncsPath(district, view) + "?notice=not_on"), nil
	}
	if err != nil {
		return nil, err
	}
	if !created {
		return seeOther(views.SyncsPath(district, view) + "?notice=already_running"), nil
	}
	to := views.SyncPath(district, view, run.ID)
	return func(c echo.Context) error {
		s.nudge(c, v.actor.District, run.ID)
		return c.Redirect(http.StatusSeeOther, to)
	}, nil
}

// syncStates are the states of models in the words of views.
var syncStates = map[models.SyncState]string{
	models.SyncRequested: "queued", models.SyncRunning: "running", models.SyncDone: "done", models.SyncFailed: "failed",
	models.SyncHeld: "held", models.SyncReleased: "released", models.SyncDiscarded: "discarded", models.SyncSuperseded: "superseded",
}

// syncRuns are runs as pages show them, with the names of those who asked for them.
func (v *visit) syncRuns(runs ...models.SyncRun) ([]views.SyncRun, error) {
	var by []int64
	for _, r := range runs {
		if r.RequestedBy != nil {
			by = append(by, *r.RequestedBy)
		}
	}
	names, err := v.tx.UserNames(v.ctx, by)
	if err != nil {
		return nil, err
	}
	shown := make([]views.SyncRun, len(runs))
	for i, r := range runs {
		shown[i] = syncRun(r)
		if r.RequestedBy != nil {
			shown[i].By = names[*r.RequestedBy]
		}
	}
	return shown, nil
}

func syncRun(r models.SyncRun) views.SyncRun {
	run := views.SyncRun{ID: r.ID, Kind: r.Kind, Cause: r.Cause, State: syncStates[r.State], Started: r.RequestedAt, Finished: r.FinishedAt}
	if r.StartedAt != nil {
		run.Started = *r.StartedAt
	}
	for i, t := range r.Progress {
		run.Types = append(run.Types, views.SyncType{
			Type: string(t.Type), State: typeState(r, i), Pages: t.Pages, Read: t.Read, Created: t.Created, Updated: t.Updated,
			Unchanged: t.Unchanged, Ended: t.Ended, Revived: t.Revived, Problems: t.Problems,
			RolesGained: t.RolesGained, RolesLost: t.RolesLost, Joined: t.Joined, Split: t.Split, Spared: t.Spared,
			Unusable: t.Unusable, Claimed: t.Claimed, Unknown: t.Unknown,
		})
	}
	if r.Error != "" {
		run.Error = &views.SyncError{Message: r.Error, Said: r.ErrorSaid, Type: r.ErrorType, Page: r.ErrorPage, Next: r.ErrorNext}
	}
	return run
}

// typeState is how far a run has come with its record type i: they are walked one after the other.
func typeState(r models.SyncRun, i int) string {
	t := r.Progress[i]
	switch {
	case t.Done:
		return "done"
	case r.State == models.SyncFailed && string(t.Type) == r.ErrorType:
		return "failed"
	case r.State == models.SyncRunning && (i == 0 || r.Kind == models.SyncEvents || r.Progress[i-1].Done):
		return "running"
	}
	return "waiting"
}
