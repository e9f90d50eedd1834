package roster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
)

// gapAfter is how long events may have gone without a good poll. Clever keeps them for 30 days, and a cursor from
// before is probably not refused but passes over what is missing, so there is a margin.
const gapAfter = 25 * 24 * time.Hour

// ErrNeverSynced says that there is nothing yet that events could change: the district needs a full sync first.
var ErrNeverSynced = errors.New("this district has not been synced in full yet")

// Followed is what came of following a district's events once.
type Followed struct {
	Run  models.SyncRun // with ID 0, nothing had happened and no run was noted
	More bool           // the bound was reached and events are left
	Full models.SyncRun // with an ID, a full sync that was asked for instead, or for what the brake spared; its Cause says why
}

// Follow brings our copy of a district in step with the events after the saved cursor, page by page in the order of
// their ids. The cursor moves in the transaction that writes what the page brought, so that whatever stops a run, the
// next one goes on where the tables are. Following twice changes nothing the second time.
//
// Where events cannot lead on (none were followed for 25 days, the cursor is of another API version, Clever forgot it)
// a full sync is asked for. A run that fails is marked failed and given back with the error.
func Follow(ctx context.Context, store *models.Store, client *clever.Client, districtCleverID string, opts Options) (Followed, error) {
	f := &follower{work: work{client: client, store: store, cleverID: districtCleverID, opts: opts.filled()}}
	f.run.Kind = models.SyncEvents
	id, err := store.DistrictID(ctx, districtCleverID)
	if errors.Is(err, models.ErrNotFound) {
		err = ErrNeverSynced
	}
	if err != nil {
		return Followed{}, fmt.Errorf("follow events: %w", err)
	}
	f.run.DistrictID = id
	f.scope = store.As(access.System(id, "events"))
	done, err := f.follow(ctx)
	if err != nil {
		err = fmt.Errorf("follow events of district %d: %w", id, err)
	}
	return done, err
}

// follower is one run that follows events.
type follower struct {
	work
	cursor string
	read   int            // events, in this run
	full   models.SyncRun // that was asked for, because the brake spared somebody
	// unsettled: a full sync failed before this run, so what follows from all people must be worked out anew.
	unsettled bool
}

func (f *follower) follow(ctx context.Context) (Followed, error) {
	cause, err := f.whereFrom(ctx)
	if err == nil && f.opts.RunID != 0 {
		err = f.takeUp(ctx)
	}
	if err != nil {
		return Followed{}, err
	}
	if cause != "" {
		return f.askFull(ctx, cause)
	}
	// Clever is asked before a run is noted: mostly nothing has happened.
	var listed clever.DistrictToken
	if f.token, listed, err = f.open(ctx); err == nil {
		err = f.keep(ctx, f.run.DistrictID, listed)
	}
	if err != nil {
		return Followed{}, f.failPoll(ctx, err)
	}
	pages, stop := iter.Pull2(f.client.Events(ctx, f.token, f.cleverID, f.cursor))
	defer stop()
	first, err, some := pages()
	switch {
	case errors.Is(err, clever.ErrCursorExpired):
		return f.askFull(ctx, models.CauseCursor)
	case err != nil:
		return Followed{}, f.failPoll(ctx, err)
	case !some || len(first.Events) == 0 && !first.More:
		err := f.scope.Write(ctx, func(tx *models.Tx) error {
			if err := tx.SaveEventCursor(ctx, f.opts.Version, f.cursor, f.cursor); err != nil || f.run.ID == 0 {
				return err
			}
			return f.close(ctx, tx)
		})
		return Followed{Run: f.run}, f.underWay(err)
	}
	if err := f.begin(ctx); err != nil {
		return Followed{}, f.underWay(err)
	}
	more := false
	err = f.alive(ctx, func(ctx context.Context) error {
		for page := first; ; {
			f.at = place{recordType: string(models.RosterEvents), page: page.Number}
			f.read += len(page.Events)
			more = page.More && f.read >= f.opts.Events
			if err := f.take(ctx, page, more || !page.More); err != nil {
				return err
			}
			if more || !page.More {
				return nil
			}
			next, err, ok := pages()
			if err != nil {
				f.at.page++
				return err
			}
			if !ok {
				return errors.New("the feed ended though more was announced")
			}
			page = next
		}
	})
	if err != nil {
		run, err := f.fail(ctx, err)
		return Followed{Run: run}, err
	}
	return Followed{Run: f.run, More: more, Full: f.full}, nil
}

// whereFrom reads the cursor, or gives the reason why it leads nowhere.
func (f *follower) whereFrom(ctx context.Context) (cause string, err error) {
	err = f.scope.Read(ctx, func(tx *models.Tx) error {
		if err := mustBeOn(ctx, tx); err != nil {
			return err
		}
		c, synced, err := tx.EventCursor(ctx, f.opts.Version)
		switch {
		case errors.Is(err, models.ErrNotFound) && !synced:
			return ErrNeverSynced
		case errors.Is(err, models.ErrNotFound):
			cause = models.CauseVersion
			return nil
		case err == nil && tx.Now().Sub(c.SavedAt) > gapAfter:
			cause = models.CauseGap
		}
		f.cursor = c.EventID
		return err
	})
	return cause, err
}

func (f *follower) askFull(ctx context.Context, cause string) (done Followed, err error) {
	f.opts.Log.WarnContext(ctx, "events cannot be followed, asking for a full sync", "district", f.run.DistrictID, "cause", cause)
	err = f.scope.Write(ctx, func(tx *models.Tx) (err error) {
		if done.Full, _, err = tx.RequestSyncFor(ctx, cause); err == nil && f.run.ID != 0 {
			err = f.close(ctx, tx)
		}
		return err
	})
	return done, err
}

// takeUp begins the run that somebody asked for. Unlike one of the timetable it is noted whatever comes of it.
func (f *follower) takeUp(ctx context.Context) error {
	err := f.scope.Write(ctx, func(tx *models.Tx) error {
		run, err := tx.StartSync(ctx, f.opts.RunID)
		if err == nil {
			f.run = run
		}
		return err
	})
	if errors.Is(err, models.ErrBusy) {
		return ErrBusy
	}
	return f.underWay(err)
}

// close ends a run that found nothing to do.
func (f *follower) close(ctx context.Context, tx *models.Tx) error {
	run, err := tx.FinishSync(ctx, f.run.ID, nil)
	if err == nil {
		f.run = run
	}
	return err
}

// begin notes the run, unless another one writes or has moved the cursor since it was read.
func (f *follower) begin(ctx context.Context) error {
	return f.scope.Write(ctx, func(tx *models.Tx) (err error) {
		run := f.run
		if run.ID == 0 {
			run, err = tx.StartEvents(ctx)
		}
		if err == nil {
			f.unsettled, err = tx.RosterUnsettled(ctx)
		}
		if err != nil {
			return err
		}
		c, _, err := tx.EventCursor(ctx, f.opts.Version)
		if err == nil && c.EventID != f.cursor {
			err = models.ErrConflict
		}
		if err == nil {
			f.run, f.noting = run, models.NoteFor(run)
		}
		return err
	})
}

func (f *follower) underWay(err error) error {
	switch {
	case errors.Is(err, models.ErrConflict):
		return ErrUnderWay
	case errors.Is(err, models.ErrNotOn):
		return ErrNotOn
	}
	return err
}

// take writes what one page brought, with the cursor and the progress made; the last page closes the run.
func (f *follower) take(ctx context.Context, page clever.EventPage, last bool) error {
	changes, counts := gather(page.Events, f.cleverID)
	counts.Pages, counts.Unchanged = 1, page.Known
	err := f.scope.Write(ctx, func(tx *models.Tx) error {
		tx.Note(f.noting)
		done, spared, err := tx.FollowChanges(ctx, changes)
		if err != nil {
			return err
		}
		if spared { // a full sync finds what was left alone, and asks a person
			counts.Spared = 1
			if f.full, _, err = tx.RequestSyncFor(ctx, models.CauseBrake); err != nil {
				return err
			}
		}
		progress := addProgress(f.progress, counts, done, last)
		if err := tx.SaveEventCursor(ctx, f.opts.Version, f.cursor, page.Last); err != nil {
			return err
		}
		// Saving is the fence: it fails if the run was given up for lost, and with it everything above.
		if err := tx.SaveSyncProgress(ctx, f.run.ID, progress); err != nil {
			return err
		}
		if last && f.unsettled {
			if err := tx.Settle(ctx); err != nil {
				return err
			}
		}
		if last {
			run, err := tx.FinishSync(ctx, f.run.ID, progress)
			if err != nil {
				return err
			}
			f.run = run
		}
		f.progress = progress
		return nil
	})
	if err != nil {
		return err
	}
	f.cursor = page.Last
	told := f.progress[:1] // the events themselves; what they changed is told when all is done
	if last {
		told = f.progress
	}
	for _, p := range told {
		f.report(p)
	}
	return nil
}

// failPoll notes a poll that failed before there was a run, unless the newest run says just that already: at every
// five minutes the history would hold nothing else.
func (f *follower) failPoll(ctx context.Context, cause error) error {
	f.at = place{recordType: string(models.RosterEvents), page: 1}
	if f.run.ID != 0 {
		_, err := f.fail(ctx, cause)
		return err
	}
	if ctx.Err() != nil {
		return cause
	}
	failure := f.explain(ctx, cause)
	f.refused(ctx, cause)
	f.opts.Log.WarnContext(ctx, "events could not be read", "district", f.run.DistrictID, "error", cause)
	err := f.scope.Write(ctx, func(tx *models.Tx) error {
		newest, err := tx.SyncRuns(ctx, 0, 1)
		if err != nil {
			return err
		}
		if len(newest) > 0 && newest[0].State == models.SyncFailed && newest[0].Kind == models.SyncEvents && newest[0].Error == failure.Text {
			return nil
		}
		run, err := tx.StartEvents(ctx)
		if errors.Is(err, models.ErrConflict) {
			return nil // another run is under way and will say for itself
		}
		if err == nil {
			_, err = tx.FailSync(ctx, run.ID, failure)
		}
		return err
	})
	return errors.Join(cause, err)
}
