package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"hallpass/access"
	"hallpass/models"
)

const (
	bulkLimit = 15 * time.Minute // more than MaxBulk merges take
	// bulkAge is how long a batch may lie still before the sweeper asks again.
	bulkAge = 20 * time.Second
)

// Bulk works on a batch of suggestions as far as no person is needed.
type Bulk func(ctx context.Context, district, id int64) error

// BulkArgs names a batch that is to be planned, merged or taken back.
type BulkArgs struct {
	District int64 `json:"district"`
	Bulk     int64 `json:"bulk"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (BulkArgs) Kind() string { return "bulk" }

// InsertOpts allows one attempt and one job for a batch at a time: what is done stands with each merge, and the sweeper
// asks again for the rest.
func (BulkArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: duplicatesQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

type bulkWorker struct {
	river.WorkerDefaults[BulkArgs]
	do Bulk
}

func (w *bulkWorker) Timeout(*river.Job[BulkArgs]) time.Duration { return bulkLimit }

func (w *bulkWorker) Work(ctx context.Context, job *river.Job[BulkArgs]) error {
	if w.do == nil {
		return nil // another program's job
	}
	return w.do(ctx, job.Args.District, job.Args.Bulk)
}

// EnqueueBulk nudges a batch. Two nudges for the same one do it once.
func (r *Runner) EnqueueBulk(ctx context.Context, district, id int64) error {
	if _, err := r.client.Insert(ctx, BulkArgs{District: district, Bulk: id}, nil); err != nil {
		return fmt.Errorf("enqueue bulk %d of district %d: %w", id, district, err)
	}
	return nil
}

// sweepBulks asks again for batches whose nudge was lost, or whose program died.
func (r *Runner) sweepBulks(ctx context.Context, district int64) error {
	if !r.bulk {
		return nil
	}
	var waiting []models.Bulk
	err := r.store.As(access.System(district, "bulk sweep")).Read(ctx, func(tx *models.Tx) (err error) {
		waiting, err = tx.WaitingBulks(ctx, tx.Now().Add(-bulkAge))
		return err
	})
	for _, b := range waiting {
		err = errors.Join(err, r.EnqueueBulk(ctx, district, b.ID))
	}
	return err
}
