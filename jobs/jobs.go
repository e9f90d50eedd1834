// Package jobs runs work for later, on River: it owns the queue's workers, their limits and the schedule. Each job is
// one call to a verb of another room; what a sync does is the business of roster, and what has been asked for is
// kept by models.
//
// A job is only a nudge. What is wanted stands in a row of our own (a requested sync run), written in the asker's
// transaction; a sweeper finds rows whose nudge was lost.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"hallpass/access"
	"hallpass/models"
)

const (
	syncQueue  = "syncs"
	syncPlaces = 2              // syncs that work at the same moment; more would only share the database
	syncsOpen  = 8              // syncs begun and not over: those without a place rest between two slices
	sliceSteps = 10             // pages, each with up to some thousand records, until a sync lets others have its place
	syncLimit  = 12 * time.Hour // no sync is that long: a job beyond it is stuck
	sweepEvery = 30 * time.Second
	sweepAge   = 5 * time.Second // younger requests still have their own nudge
)

// Sync runs one requested sync to its end. It calls rest after each bounded piece of work, such as a page, and holds
// nothing meanwhile that others wait for: rest returns when the sync's turn has come again.
type Sync func(ctx context.Context, district, run int64, rest func()) error

// Work is what there is to do.
type Work struct {
	Sync   Sync
	Follow Follow // nil follows no events and asks for no nightly sync
	// Duplicates computes suggestions after a sync, an import or a merge; nil leaves that to another program.
	Duplicates Duplicates
	Import     Import  // applies files of the app's old accounts; nil leaves that to another program
	CutOver    CutOver // carries out cut-overs whose date has come; nil leaves that to another program
	Bulk       Bulk    // works on batches of suggestions; nil leaves that to another program
	Poll       Poll    // nil looks at no token list
}

// Runner works jobs off until it is stopped.
type Runner struct {
	client *river.Client[pgx.Tx]
	pool   *pgxpool.Pool // River's own
	store  *models.Store
	follow bool
	log    *slog.Logger

	duplicates bool
	cutOver    bool
	bulk       bool
}

// New prepares a runner; no job runs before Start. A nil log discards.
func New(store *models.Store, work Work, log *slog.Logger) (*Runner, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{store: store, follow: work.Follow != nil, duplicates: work.Duplicates != nil, cutOver: work.CutOver != nil, bulk: work.Bulk != nil, log: log}
	workers := river.NewWorkers()
	river.AddWorker(workers, &syncWorker{sync: work.Sync, turns: newTurns(syncPlaces), runner: r})
	river.AddWorker(workers, &duplicatesWorker{compute: work.Duplicates})
	river.AddWorker(workers, &importWorker{do: work.Import})
	river.AddWorker(workers, &cutOverWorker{do: work.CutOver})
	river.AddWorker(workers, &bulkWorker{do: work.Bulk})
	river.AddWorker(workers, &eventsWorker{follow: work.Follow, runner: r})
	river.AddWorker(workers, &sweepWorker{runner: r})
	river.AddWorker(workers, &connectionsWorker{poll: work.Poll})
	river.AddWorker(workers, &trimWorker{runner: r})
	sweep := river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
		func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})
	trim := river.NewPeriodicJob(river.PeriodicInterval(trimAsk),
		func() (river.JobArgs, *river.InsertOpts) { return trimArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})
	periodic := []*river.PeriodicJob{sweep, trim}
	if work.Poll != nil {
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(listEvery),
			func() (river.JobArgs, *river.InsertOpts) { return connectionsArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	pool, err := ownPool(store)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Logger:            log,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}, syncQueue: {MaxWorkers: syncsOpen}, eventsQueue: {MaxWorkers: eventsWorkers}, duplicatesQueue: {MaxWorkers: duplicatesWorkers}},
		Workers:           workers,
		PeriodicJobs:      periodic,
		ReindexerSchedule: river.NeverSchedule(), // reindexing is the owner's right, and the app's role owns nothing
	})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("set up jobs: %w", err)
	}
	r.client, r.pool = client, pool
	return r, nil
}

// Start begins to work jobs off. ctx bounds the start only.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	return nil
}

// Stop ends running jobs by their contexts and waits for them until ctx ends. A sync that is stopped is marked
// failed and has deactivated nobody.
func (r *Runner) Stop(ctx context.Context) error {
	err := r.client.StopAndCancel(ctx)
	if err != nil {
		return fmt.Errorf("stop jobs: %w", err)
	}
	r.pool.Close()
	return nil
}

// Enqueue nudges a requested run. It is called after the transaction that requested it, from any program; a second
// nudge for the same run does nothing.
func (r *Runner) Enqueue(ctx context.Context, district, run int64) error {
	return r.enqueue(ctx, SyncArgs{District: district, Run: run})
}

func (r *Runner) enqueue(ctx context.Context, args SyncArgs) error {
	if _, err := r.client.Insert(ctx, args, nil); err != nil {
		return fmt.Errorf("enqueue sync %d of district %d: %w", args.Run, args.District, err)
	}
	return nil
}

// Sweep enqueues requested runs that nobody took up, and marks those failed whose program died. It is the timetable
// too: events that are to be followed, and the night's full sync.
func (r *Runner) Sweep(ctx context.Context) error {
	districts, err := r.store.DistrictIDs(ctx)
	if err != nil {
		return fmt.Errorf("sweep syncs: %w", err)
	}
	var errs []error
	var due []river.InsertManyParams
	for _, d := range districts {
		var waiting []models.SyncRun
		var now time.Time
		follow := false
		err := r.store.As(access.System(d, "sync sweep")).Write(ctx, func(tx *models.Tx) error {
			lost, err := tx.FailLostSyncs(ctx)
			if lost > 0 {
				r.log.WarnContext(ctx, "sync lost its program", "district", d, "runs", lost)
			}
			if err != nil {
				return err
			}
			if r.follow {
				if follow, err = schedule(ctx, tx); err != nil {
					return err
				}
			}
			now = tx.Now()
			waiting, err = tx.RequestedSyncs(ctx, now.Add(-sweepAge))
			return err
		})
		if follow && err == nil {
			due = append(due, river.InsertManyParams{Args: EventsArgs{District: d}})
		}
		err = errors.Join(err, r.nudgeDuplicates(ctx, d), r.sweepImports(ctx, d), r.nudgeCutOver(ctx, d), r.sweepBulks(ctx, d))
		for _, run := range waiting {
			args := SyncArgs{District: d, Run: run.ID, Again: nudgesLost(now.Sub(run.RequestedAt))}
			if run.Kind == models.SyncRelease {
				args.Try = run.RequestedAt.Unix()
			}
			err = errors.Join(err, r.enqueue(ctx, args))
		}
		if err != nil { // the other districts still have their turn
			errs = append(errs, fmt.Errorf("sweep syncs of district %d: %w", d, err))
		}
	}
	if len(due) > 0 {
		if _, err := r.client.InsertMany(ctx, due); err != nil {
			errs = append(errs, fmt.Errorf("enqueue events: %w", err))
		}
	}
	return errors.Join(errs...)
}
