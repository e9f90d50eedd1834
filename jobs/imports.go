package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"hallpass/access"
	"hallpass/models"
)

// importLimit is more than the largest file takes to be applied.
const importLimit = time.Hour

// Import does with a file what somebody agreed to.
type Import func(ctx context.Context, district, id int64) error

// ImportArgs names a file that somebody agreed to apply or to take back.
type ImportArgs struct {
	District int64 `json:"district"`
	Import   int64 `json:"import"`
}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (ImportArgs) Kind() string { return "import" }

// InsertOpts allows one attempt: the deed is one transaction, and the sweeper asks again for what was not done.
func (ImportArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: syncQueue, MaxAttempts: 1}
}

type importWorker struct {
	river.WorkerDefaults[ImportArgs]
	do Import
}

func (w *importWorker) Timeout(*river.Job[ImportArgs]) time.Duration { return importLimit }

func (w *importWorker) Work(ctx context.Context, job *river.Job[ImportArgs]) error {
	if w.do == nil {
		return nil // another program's job
	}
	return w.do(ctx, job.Args.District, job.Args.Import)
}

// EnqueueImport nudges a file that somebody agreed to. Two nudges for the same file do it once.
func (r *Runner) EnqueueImport(ctx context.Context, district, id int64) error {
	if _, err := r.client.Insert(ctx, ImportArgs{District: district, Import: id}, nil); err != nil {
		return fmt.Errorf("enqueue import %d of district %d: %w", id, district, err)
	}
	return nil
}

// importAge is how long a file may wait for its job before the sweeper asks again.
const importAge = 2 * time.Minute

// sweepImports tidies up after files that stopped arriving, and asks again for those whose nudge was lost.
func (r *Runner) sweepImports(ctx context.Context, district int64) error {
	var waiting []models.Import
	err := r.store.As(access.System(district, "import sweep")).Write(ctx, func(tx *models.Tx) (err error) {
		if err = tx.TidyImports(ctx); err == nil {
			waiting, err = tx.WaitingImports(ctx, tx.Now().Add(-importAge))
		}
		return err
	})
	for _, i := range waiting {
		err = errors.Join(err, r.EnqueueImport(ctx, district, i.ID))
	}
	return err
}
