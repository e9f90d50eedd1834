package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"hallpass/clever"
	"hallpass/models"
	"hallpass/roster"
)

// listEvery is how often Clever's token list is looked at: one request for all districts.
const listEvery = 5 * time.Minute

// Poll looks at Clever's token list once.
type Poll func(ctx context.Context) error

// PollConnections is a Poll by roster.Poll.
func PollConnections(store *models.Store, client *clever.Client, log *slog.Logger) Poll {
	return func(ctx context.Context) error {
		found, err := roster.Poll(ctx, store, client, log)
		if n := len(found.New); n > 0 {
			log.WarnContext(ctx, "new districts wait to be switched on", "districts", found.New)
		}
		for _, told := range []struct {
			what string
			ids  []int64
		}{{"districts left the token list", found.Left}, {"districts are back in the token list", found.Back}, {"tokens of districts are new", found.Renewed}, {"tokens of districts are refused", found.Refused}} {
			if len(told.ids) > 0 {
				log.InfoContext(ctx, "connections changed", "what", told.what, "districts", told.ids)
			}
		}
		return err
	}
}

type connectionsArgs struct{}

// Kind is the job's name in the queue's table; it is stored, so it never changes.
func (connectionsArgs) Kind() string { return "poll_connections" }

// InsertOpts allows one look in each stretch of listEvery, however many programs there are.
func (connectionsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: listEvery, ByState: rivertype.JobStates()}}
}

type connectionsWorker struct {
	river.WorkerDefaults[connectionsArgs]
	poll Poll
}

func (w *connectionsWorker) Timeout(*river.Job[connectionsArgs]) time.Duration { return listEvery }

func (w *connectionsWorker) Work(ctx context.Context, _ *river.Job[connectionsArgs]) error {
	if w.poll == nil {
		return nil // another program's job
	}
	return w.poll(ctx)
}
