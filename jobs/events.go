package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"hallpass/clever"
	"hallpass/models"
	"hallpass/roster"
)

const (
	eventsQueue   = "events" // of its own, so that a long full sync holds nobody's events up
	eventsWorkers = 2
	eventsEvery   = 5 * time.Minute
	eventsLimit   = 15 * time.Minute // of one slice, which is bounded by its number of events

	// nightlyAhead: a full sync not long before counts as the night's.
	nightlyAhead = 3 * time.Hour
)

// Follow takes over a district's events, up to a bound, and says whether some are left. Where events cannot lead on, or
// not without a person, it gives the full sync that was asked for instead, else 0.
type Follow func(ctx context.Context, district int64) (more bool, full int64, err error)

// FollowEvents is a Follow by roster.Follow; opts serve for every run.
func FollowEvents(store *models.Store, client *clever.Client, opts roster.Options) Follow {
	return func(ctx context.Context, district int64) (bool, int64, error) {
		cleverID, err := cleverID(ctx, store, district)
		if err != nil {
			return false, 0, fmt.Errorf("follow events of district %d: %w", district, err)
		}
		done, err := roster.Follow(ctx, store, client, cleverID, opts)
		return done.More, done.Full.ID, err
	}
}

// EventsArgs names a district whose events are to be followed.
type EventsArgs struct {
	District int64 `json:"district"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (EventsArgs) Kind() string { return "follow_events" }

// InsertOpts allows one job for a district in each stretch of eventsEvery, however many programs ask and whatever
// became of it: that is the schedule.
func (EventsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: eventsQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{
		ByArgs: true, ByPeriod: eventsEvery, ByState: rivertype.JobStates(),
	}}
}

type eventsWorker struct {
	river.WorkerDefaults[EventsArgs]
	follow Follow
	runner *Runner
}

func (w *eventsWorker) Timeout(*river.Job[EventsArgs]) time.Duration { return eventsLimit }

func (w *eventsWorker) Work(ctx context.Context, job *river.Job[EventsArgs]) error {
	if w.follow == nil {
		return nil // another program's job
	}
	more, full, err := w.follow(ctx, job.Args.District)
	switch {
	case errors.Is(err, roster.ErrUnderWay), errors.Is(err, roster.ErrNeverSynced), errors.Is(err, roster.ErrNotOn):
		return nil
	case err != nil:
		return err
	case full != 0:
		return w.runner.Enqueue(ctx, job.Args.District, full)
	case !more:
		return w.runner.nudgeDuplicates(ctx, job.Args.District)
	case more: // to the end of the queue: other districts have their turn
		return river.JobSnooze(0)
	}
	return nil
}

// night is the newest moment, up to now, at which the district's nightly sync was due: in the hour that the district
// chose, by its own clock. Districts of one hour are spread over it.
func night(now time.Time, d models.District) time.Time {
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	local := now.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), d.SyncHour, int(d.DistrictID%60), 0, 0, zone)
	if at.After(now) {
		at = time.Date(local.Year(), local.Month(), local.Day()-1, d.SyncHour, int(d.DistrictID%60), 0, 0, zone)
	}
	return at
}

// schedule asks for the night's full sync if it is due, and tells whether events are to be followed: of a district
// that was never synced, neither, nor of one that is not switched on, or whose token is refused and waits for another.
func schedule(ctx context.Context, tx *models.Tx) (follow bool, err error) {
	c, err := tx.Connection(ctx)
	if err != nil || c.State() != string(models.SwitchOn) {
		return false, err
	}
	d, err := tx.District(ctx)
	if err != nil || d.SyncedAt == nil {
		return false, err
	}
	last, err := tx.LastFullSync(ctx)
	if err != nil {
		return false, err
	}
	if last.Before(night(tx.Now(), d).Add(-nightlyAhead)) {
		_, _, err = tx.RequestSyncFor(ctx, models.CauseNightly)
	}
	return true, err
}
