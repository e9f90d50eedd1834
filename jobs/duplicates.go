package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"hallpass/access"
	"hallpass/models"
)

const (
	duplicatesQueue   = "duplicates" // of its own: computing a big district takes a core for half a minute
	duplicatesWorkers = 1
	duplicatesLimit   = 15 * time.Minute
)

// Duplicates computes what is wanted of a district's suggestions.
type Duplicates func(ctx context.Context, district int64) error

// DuplicatesArgs names a district whose suggestions are to be computed.
type DuplicatesArgs struct {
	District int64 `json:"district"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (DuplicatesArgs) Kind() string { return "suggest_duplicates" }

// InsertOpts allows one job for a district at a time. What is wanted stands in models, and the sweeper asks again for
// what a failed job left.
func (DuplicatesArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: duplicatesQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

type duplicatesWorker struct {
	river.WorkerDefaults[DuplicatesArgs]
	compute Duplicates
}

func (w *duplicatesWorker) Timeout(*river.Job[DuplicatesArgs]) time.Duration { return duplicatesLimit }

func (w *duplicatesWorker) Work(ctx context.Context, job *river.Job[DuplicatesArgs]) error {
	if w.compute == nil {
		return nil // another program's job
	}
	return w.compute(ctx, job.Args.District)
}

// nudgeDuplicates puts a district's suggestions to work if anything about them is wanted. Where nothing is, that is
// two looks into indexes.
func (r *Runner) nudgeDuplicates(ctx context.Context, district int64) error {
	if !r.duplicates {
		return nil
	}
	var w models.DuplicatesWanted
	err := r.store.As(access.System(district, "duplicates sweep")).Read(ctx, func(tx *models.Tx) (err error) {
		w, err = tx.DuplicatesWanted(ctx)
		return err
	})
	if err != nil || !w.All && w.Changed == 0 {
		return err
	}
	_, err = r.client.Insert(ctx, DuplicatesArgs{District: district}, nil)
	return err
}
