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
	older, newer, ok := v.numberedPage()
	if !ok {
		p.Notices = append(p.Notices, noticeBadCursor)
	}
	list, err := v.tx.SyncRunPage(v.ctx, older, newer, shownSyncs)
	if err != nil {
		return nil, err
	}
	p.Prev, p.Next = pageLinks(list, func(r models.SyncRun) string { return strconv.FormatInt(r.ID, 10) })
	if p.Runs, err = v.syncRuns(list.Rows...); err != nil {
		return nil, err
	}
	for _, r := range list.Rows {
		p.Running = p.Running || r.Open()
	}
	p.Frame = v.frame()
	return page(views.Syncs(p)), nil
}

// numberedPage reads which page of a list of numbered rows is meant: after one, or before one. ok is false where the
// address makes no sense, and the first page is meant.
func (v *visit) numberedPage() (after, before int64, ok bool) {
	ok = true
	number := func(name string) int64 {
		text := v.c.QueryParam(name)
		n, err := strconv.ParseInt(text, 10, 64)
		if text != "" && (err != nil || n <= 0) {
			ok = false
		}
		return n
	}
	if after, before = number("after"), number("before"); !ok || after > 0 && before > 0 {
		return 0, 0, false
	}
	return after, before, true
}

// pageLinks lead back from a page's first row and on from its last, where there is anything.
func pageLinks[T any](p models.Paged[T], cursor func(T) string) (prev, next *views.PageLink) {
	if p.Before {
		prev = link(cursor(p.Rows[0]), "")
	}
	if p.After {
		next = link(cursor(p.Rows[len(p.Rows)-1]), "")
	}
	return prev, next
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
