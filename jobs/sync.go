package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/riverqueue/river"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
	"hallpass/roster"
)

// SyncArgs names a requested sync run.
type SyncArgs struct {
	District int64 `json:"district"`
	Run      int64 `json:"run"`
	// Try tells the jobs of a release apart, by the second in which it was last asked for: one that was stopped and put
	// back is worth another job.
	Try int64 `json:"try,omitempty"`
	// Again tells the jobs of a run that nobody takes up apart: a program that died between taking a job and beginning
	// its run leaves the job at work, as the queue sees it, for as long as a sync may take.
	Again int `json:"again,omitempty"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (SyncArgs) Kind() string { return "full_sync" }

// InsertOpts allows one job for a run, and one attempt: a run that failed says why and stays failed, and the next
// sync is another run. Failed jobs stay visible in the queue's table.
func (SyncArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: syncQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// nudgeAge is how long a requested run waits until its job is thought lost. Then another one is put beside it, and again
// whenever the run has waited twice as long: where all workers are busy, few jobs gather.
const nudgeAge = 2 * time.Minute

// nudgesLost is how often that has been, of a run that has waited so long.
func nudgesLost(waited time.Duration) int { return bits.Len64(uint64(max(waited, 0) / nudgeAge)) }

type syncWorker struct {
	river.WorkerDefaults[SyncArgs]
	sync   Sync
	turns  *turns
	runner *Runner
}

func (w *syncWorker) Timeout(*river.Job[SyncArgs]) time.Duration { return syncLimit }

func (w *syncWorker) Work(ctx context.Context, job *river.Job[SyncArgs]) error {
	if err := w.turns.take(ctx); err != nil {
		return err
	}
	mine := &slice{turns: w.turns, left: sliceSteps, held: true}
	defer mine.end()
	// Where the wait ends with ctx, the sync finds that out for itself.
	err := w.sync(ctx, job.Args.District, job.Args.Run, func() { _ = mine.step(ctx) })
	switch {
	case errors.Is(err, roster.ErrUnderWay), errors.Is(err, roster.ErrNotOn):
		return nil // another program took it up, or a person ended it
	case errors.Is(err, roster.ErrBusy):
		return river.JobSnooze(busyWait)
	case err == nil: // the sweeper would come to it as well
		return w.runner.nudgeDuplicates(ctx, job.Args.District)
	}
	return err
}

type sweepArgs struct{}

func (sweepArgs) Kind() string { return "sync_sweep" }

func (sweepArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1} }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	runner *Runner
}

func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.runner.Sweep(ctx)
}

// FullSync is a Sync by roster.Take; opts serve for every run, but for RunID.
func FullSync(store *models.Store, client *clever.Client, opts roster.Options) Sync {
	return func(ctx context.Context, district, run int64, rest func()) error {
		cleverID, err := cleverID(ctx, store, district)
		if err != nil {
			return fmt.Errorf("sync district %d: %w", district, err)
		}
		opts := opts
		opts.RunID = run
		tell := opts.Progress
		opts.Progress = func(p models.SyncProgress) { // between two transactions
			if tell != nil {
				tell(p)
			}
			rest()
		}
		return roster.Take(ctx, store, client, cleverID, opts)
	}
}

// busyWait is how long a full sync waits before it asks again whether events are still being followed.
const busyWait = 5 * time.Second

func cleverID(ctx context.Context, store *models.Store, district int64) (id string, err error) {
	err = store.As(access.System(district, "sync")).Read(ctx, func(tx *models.Tx) error {
		d, err := tx.District(ctx)
		id = d.CleverID
		return err
	})
	return id, err
}
