package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"hallpass/access"
	"hallpass/models"
)

// CutOver carries out what a district decided about accounts that lead to nobody, once the date has come.
type CutOver func(ctx context.Context, district int64) error

// CutOverArgs names a district whose cut-over is due.
type CutOverArgs struct {
	District int64 `json:"district"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (CutOverArgs) Kind() string { return "cut_over" }

// InsertOpts allows one attempt and one job for a district at a time: the deed is one transaction, and the sweeper asks
// again for what was not done.
func (CutOverArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: syncQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

type cutOverWorker struct {
	river.WorkerDefaults[CutOverArgs]
	do CutOver
}

func (w *cutOverWorker) Timeout(*river.Job[CutOverArgs]) time.Duration { return importLimit }

func (w *cutOverWorker) Work(ctx context.Context, job *river.Job[CutOverArgs]) error {
	if w.do == nil {
		return nil // another program's job
	}
	return w.do(ctx, job.Args.District)
}

// nudgeCutOver asks for a cut-over whose date has come.
func (r *Runner) nudgeCutOver(ctx context.Context, district int64) error {
	if !r.cutOver {
		return nil
	}
	err := r.store.As(access.System(district, "cut-over sweep")).Read(ctx, func(tx *models.Tx) error {
		_, err := tx.DueCutOver(ctx)
		return err
	})
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = r.client.Insert(ctx, CutOverArgs{District: district}, nil)
	}
	return err
}
