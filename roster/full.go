package roster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
)

// ErrUnderWay says that a sync of the district is running already, or that the run asked for is over.
var ErrUnderWay = errors.New("a sync of this district is under way, or this one is over")

// ErrBusy says that the district's events are being followed at this moment: a full sync can start when they have been.
var ErrBusy = errors.New("events of this district are being followed")

// Options shape a sync. The zero value requests a run and reports to nobody.
type Options struct {
	RunID int64 // of a requested run; 0 requests a full one
	// Version is the API version that the client reads data from, default "v3.1". Event ids of two versions are not
	// known to agree, so it is kept with the newest one.
	Version string
	// Progress is told after every page and when a type is through. It is called from the sync's own goroutine.
	Progress func(models.SyncProgress)
	Log      *slog.Logger
	// Now is the clock by which a full sync measures its pages, default time.Now.
	Now func() time.Time
	// Events bounds how many events Follow takes over before it lets others have their turn, default 5000.
	Events int
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "v3.1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Events == 0 {
		o.Events = 5000
	}
	return o
}

// Full brings our copy of a district in step with Clever: every school, term, user and section, in pages, each in a
// transaction of its own with the run's progress. What takes something away comes at the very end, when everything
// arrived: people, schools and sections that are gone, and roles that arrived records no longer have. A run that stops
// before has taken nothing, and keeps what it brought. The next run starts anew.
//
// A run that would take more than the district's brake allows ends held: what it brought is here, what it would have
// taken is listed with it and waits for a person.
//
// A run that fails is marked failed with the type and page it was at, and given back with the error.
func Full(ctx context.Context, store *models.Store, client *clever.Client, districtCleverID string, opts Options) (models.SyncRun, error) {
	f := &full{
		work: work{client: client, store: store, cleverID: districtCleverID, opts: opts.filled()},
		seen: map[models.RosterType]*models.Seen{},
	}
	// A district that is not known yet must be entered before there is a place to note its run.
	id, err := store.DistrictID(ctx, districtCleverID)
	if errors.Is(err, models.ErrNotFound) {
		id, err = f.enter(ctx)
	}
	if err != nil {
		return models.SyncRun{}, fmt.Errorf("sync district: %w", err)
	}
	f.scope = store.As(access.System(id, "full sync"))
	err = f.scope.Write(ctx, func(tx *models.Tx) (err error) {
		// A run lost by another program must not stand in the way. It is marked in a transaction of its own: should
		// starting be refused, the mark stays.
		_, err = tx.FailLostSyncs(ctx)
		return err
	})
	if err == nil {
		err = f.scope.Write(ctx, func(tx *models.Tx) (err error) {
			f.run, err = tx.StartSync(ctx, opts.RunID)
			f.noting = models.NoteFor(f.run)
			return err
		})
	}
	switch {
	case errors.Is(err, models.ErrConflict):
		return models.SyncRun{}, fmt.Errorf("sync district %d: %w", id, ErrUnderWay)
	case errors.Is(err, models.ErrBusy):
		return models.SyncRun{}, fmt.Errorf("sync district %d: %w", id, ErrBusy)
	case errors.Is(err, models.ErrNotOn):
		return models.SyncRun{}, fmt.Errorf("sync district %d: %w", id, ErrNotOn)
	case err != nil:
		return models.SyncRun{}, fmt.Errorf("sync district %d: %w", id, err)
	}
	if err := f.alive(ctx, f.walk); err != nil {
		return f.fail(ctx, err)
	}
	return f.run, nil
}

// full is one full sync under way.
type full struct {
	work
	seen map[models.RosterType]*models.Seen
	rest rest
}

// work is what every run has.
type work struct {
	client   *clever.Client
	store    *models.Store
	cleverID string
	opts     Options

	scope    models.Scope
	run      models.SyncRun
	token    string
	noting   *models.Noting
	progress []models.SyncProgress // by type, in the order walked
	at       place
}

// place is where the run is, for the error of a failure that does not say so itself.
type place struct {
	recordType string
	page       int
}

// enter reads the token and the district's own record, and puts them down.
func (f *work) enter(ctx context.Context) (int64, error) {
	f.at = place{recordType: "districts"}
	d, listed, err := f.district(ctx)
	if err != nil {
		return 0, err
	}
	if d.ID != f.cleverID {
		return 0, errors.New("the token in Clever's list opens another district")
	}
	id, err := f.store.EnsureDistrict(ctx, d.ID, d.Name, d.State)
	if err == nil {
		err = f.keep(ctx, id, listed)
	}
	if err == nil {
		err = f.store.As(access.System(id, "connections")).Write(ctx, func(tx *models.Tx) error { return tx.AcceptToken(ctx) })
	}
	return id, err
}

// alive runs the sync and gives a sign of life meanwhile. A run that was given up for lost, because its program slept
// too long, is stopped: another one may be writing.
func (f *work) alive(ctx context.Context, walk func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(models.SyncBeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := f.scope.Write(ctx, func(tx *models.Tx) error { return tx.BeatSync(ctx, f.run.ID) })
			if errors.Is(err, models.ErrConflict) {
				stop(fmt.Errorf("the run was given up for lost: %w", err))
			}
		}
	}()
	err := walk(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, models.ErrConflict) {
		err = cause
	}
	stop(nil)
	<-gone
	return err
}

func (f *full) walk(ctx context.Context) error {
	if f.token == "" {
		if _, err := f.enter(ctx); err != nil {
			return err
		}
	}
	// Read before anything else: an event that comes during the walk must be met again after it.
	f.at = place{recordType: "events"}
	newest, err := f.client.LatestEventID(ctx, f.token)
	if err != nil {
		return err
	}
	if err := f.walkTypes(ctx); err != nil {
		return err
	}
	return f.finish(ctx, newest)
}

func (f *full) walkTypes(ctx context.Context) error {
	err := walkType(ctx, f, models.RosterSchools, f.client.Schools, school, (*models.RosterSchool).Prepare,
		func(tx *models.Tx, page []models.RosterSchool, seen *models.Seen) (models.RosterCount, error) {
			return tx.WriteSchools(ctx, page, seen)
		})
	if err == nil {
		err = walkType(ctx, f, models.RosterTerms, f.client.Terms, term, (*models.RosterTerm).Prepare,
			func(tx *models.Tx, page []models.RosterTerm, seen *models.Seen) (models.RosterCount, error) {
				return tx.WriteTerms(ctx, page, seen)
			})
	}
	if err == nil { // unfiltered: a filtered list could not tell that a role is gone
		err = walkType(ctx, f, models.RosterUsers, f.client.Users, user, (*models.RosterUser).Prepare,
			func(tx *models.Tx, page []models.RosterUser, seen *models.Seen) (models.RosterCount, error) {
				return tx.WriteUsers(ctx, page, seen)
			})
	}
	if err == nil {
		err = walkType(ctx, f, models.RosterSections, f.client.Sections, section, (*models.RosterSection).Prepare,
			func(tx *models.Tx, page []models.RosterSection, seen *models.Seen) (models.RosterCount, error) {
				return tx.WriteSections(ctx, page, seen)
			})
	}
	return err
}

// walkType brings every page of one type in, each in its own transaction with the progress made.
func walkType[T, R any](ctx context.Context, f *full, t models.RosterType, list func(ctx context.Context, token, district string) iter.Seq2[clever.Page[T], error],
	convert func(T) R, prepare func(*R), write func(*models.Tx, []R, *models.Seen) (models.RosterCount, error),
) error {
	seen := models.Gather(f.run.ID)
	f.seen[t] = seen
	f.progress = append(f.progress, models.SyncProgress{Type: t})
	made := &f.progress[len(f.progress)-1]
	f.at = place{string(t), 0}
	said, counted, err := f.count(ctx, t)
	if err != nil {
		return err
	}
	f.at.page = 1
	pages := ahead(ctx, func(ctx context.Context) iter.Seq2[clever.Page[T], error] { return list(ctx, f.token, f.cleverID) },
		func(record T) R {
			r := convert(record)
			prepare(&r)
			return r
		})
	for p, err := range pages {
		f.at.page = p.number
		if err != nil {
			return err
		}
		before, began := *made, f.opts.Now()
		err = f.scope.Write(ctx, func(tx *models.Tx) error {
			tx.Note(f.noting)
			n, err := write(tx, p.records, seen)
			if err != nil {
				return err
			}
			made.Add(n)
			return tx.SaveSyncProgress(ctx, f.run.ID, f.progress)
		})
		if err != nil {
			*made = before
			return err
		}
		f.report(*made)
		if err := f.makeRoom(ctx, began); err != nil {
			return err
		}
	}
	if counted {
		if err := f.checkCount(ctx, t, said, made.Read); err != nil {
			return err
		}
	}
	err = f.scope.Write(ctx, func(tx *models.Tx) error {
		made.Done = true
		return tx.SaveSyncProgress(ctx, f.run.ID, f.progress)
	})
	if err != nil {
		made.Done = false
		return err
	}
	f.report(*made)
	f.opts.Log.InfoContext(ctx, "type synced", "district", f.run.DistrictID, "sync", f.run.ID, "type", t,
		"pages", made.Pages, "read", made.Read, "created", made.Created, "updated", made.Updated, "problems", made.Problems)
	return f.settle(ctx, *made)
}

// settle tells the planner when much of a type is new: statements on the next type would be planned for empty tables.
func (f *full) settle(ctx context.Context, made models.SyncProgress) error {
	written := made.Created + made.Revived + made.Updated
	if made.Type != models.RosterUsers && made.Type != models.RosterSections || written < 500 || 10*written < made.Read {
		return nil
	}
	return f.scope.Write(ctx, func(tx *models.Tx) error { return tx.SettleRoster(ctx) })
}

// finish ends what is gone, settles what is counted and closes the run, all or nothing. If the brake stops it, nothing
// ends and the run is held.
func (f *full) finish(ctx context.Context, newestEvent string) error {
	f.at = place{}
	return f.scope.Write(ctx, func(tx *models.Tx) error {
		tx.Note(f.noting)
		done, err := tx.Conclude(ctx, f.run, f.seen)
		if err != nil {
			return err
		}
		for i := range f.progress {
			p := &f.progress[i]
			p.Ended = done.Ended[p.Type]
			if p.Type == models.RosterUsers {
				p.RolesLost += done.RolesLost
			}
		}
		if err := tx.Settle(ctx); err != nil {
			return err
		}
		if err := tx.RosterSynced(ctx, f.opts.Version, newestEvent); err != nil {
			return err
		}
		end := tx.FinishSync
		if done.Held {
			end = tx.HoldSync
		}
		run, err := end(ctx, f.run.ID, f.progress)
		if err == nil {
			f.run = run
		}
		return err
	})
}

func (f *work) report(p models.SyncProgress) {
	if f.opts.Progress != nil {
		f.opts.Progress(p)
	}
}
