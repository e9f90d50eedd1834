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
	trimEvery  = 24 * time.Hour
	trimAsk    = time.Hour // how often the day's trimming is asked for, of which one is enough
	trimLimit  = 30 * time.Minute
	trimSlice  = 5000 // rows of each kind in one transaction
	trimSlices = 2000 // of one district a day: what is left has its turn tomorrow
)

type trimArgs struct{}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (trimArgs) Kind() string { return "trim" }

// InsertOpts allows one trimming a day, however many programs there are.
func (trimArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: trimEvery, ByState: rivertype.JobStates()}}
}

type trimWorker struct {
	river.WorkerDefaults[trimArgs]
	runner *Runner
}

func (w *trimWorker) Timeout(*river.Job[trimArgs]) time.Duration { return trimLimit }

func (w *trimWorker) Work(ctx context.Context, _ *river.Job[trimArgs]) error {
	return w.runner.Trim(ctx)
}

// Trim deletes, district after district and slice by slice, what has been kept long enough; see models.Trim.
func (r *Runner) Trim(ctx context.Context) error {
	districts, err := r.store.DistrictIDs(ctx)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	var errs []error
	for _, d := range districts {
		if err := r.trim(ctx, d); err != nil { // the other districts still have their turn
			errs = append(errs, fmt.Errorf("trim district %d: %w", d, err))
		}
	}
	return errors.Join(errs...)
}

func (r *Runner) trim(ctx context.Context, district int64) error {
	scope := r.store.As(access.System(district, "trim"))
	for range trimSlices {
		var n models.Trimmed
		err := scope.Write(ctx, func(tx *models.Tx) (err error) {
			n, err = tx.Trim(ctx, trimSlice)
			return err
		})
		if err != nil || !n.Any() {
			return err
		}
	}
	return nil
}
