package roster

import (
	"context"
	"errors"
	"fmt"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/models"
)

// Take runs a requested run, whatever kind it is, to its end. ErrUnderWay: it is not waiting any more. ErrBusy: another
// run writes in the district at this moment.
func Take(ctx context.Context, store *models.Store, client *clever.Client, districtCleverID string, opts Options) error {
	id, err := store.DistrictID(ctx, districtCleverID)
	if err != nil {
		return fmt.Errorf("take up sync %d: %w", opts.RunID, err)
	}
	var run models.SyncRun
	err = store.As(access.System(id, "sync")).Read(ctx, func(tx *models.Tx) (err error) {
		run, err = tx.SyncRun(ctx, opts.RunID)
		return err
	})
	if err != nil {
		return fmt.Errorf("take up sync %d: %w", opts.RunID, err)
	}
	switch run.Kind {
	case models.SyncRelease:
		_, err = Release(ctx, store, id, opts)
		return err
	case models.SyncEvents:
		return takeEvents(ctx, store, client, districtCleverID, opts)
	}
	_, err = Full(ctx, store, client, districtCleverID, opts)
	return err
}

// takeEvents follows events until none are left, or reads everything where they lead nowhere.
func takeEvents(ctx context.Context, store *models.Store, client *clever.Client, districtCleverID string, opts Options) error {
	for {
		done, err := Follow(ctx, store, client, districtCleverID, opts)
		switch {
		case err != nil:
			return err
		case done.Full.ID != 0:
			opts.RunID = done.Full.ID
			_, err = Full(ctx, store, client, districtCleverID, opts)
			return err
		case !done.More:
			return nil
		}
		opts.RunID = 0
		if opts.Progress != nil {
			opts.Progress(models.SyncProgress{Type: models.RosterEvents})
		}
	}
}

// Release applies what was approved of a held run, in one transaction: all of it or, if the program dies, nothing, and
// then the run is asked for again. Clever is not asked. What Clever listed again meanwhile is left alone.
func Release(ctx context.Context, store *models.Store, district int64, opts Options) (models.SyncRun, error) {
	f := &work{store: store, opts: opts.filled()}
	f.run.DistrictID = district
	f.scope = store.As(access.System(district, "release"))
	err := f.scope.Write(ctx, func(tx *models.Tx) (err error) {
		f.run, err = tx.StartSync(ctx, opts.RunID)
		return err
	})
	switch {
	case errors.Is(err, models.ErrConflict):
		return models.SyncRun{}, fmt.Errorf("release in district %d: %w", district, ErrUnderWay)
	case errors.Is(err, models.ErrBusy):
		return models.SyncRun{}, fmt.Errorf("release in district %d: %w", district, ErrBusy)
	case err != nil:
		return models.SyncRun{}, fmt.Errorf("release in district %d: %w", district, err)
	}
	if err := f.alive(ctx, f.release); err != nil {
		if ctx.Err() == nil {
			return f.fail(ctx, err)
		}
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), failTime)
		defer cancel()
		return f.run, errors.Join(err, f.scope.Write(back, func(tx *models.Tx) error { return tx.PutBackSync(back, f.run.ID) }))
	}
	return f.run, nil
}

func (f *work) release(ctx context.Context) error {
	return f.scope.Write(ctx, func(tx *models.Tx) error {
		tx.Note(models.NoteFor(f.run))
		done, err := tx.ApplyRelease(ctx, f.run)
		if err != nil {
			return err
		}
		var progress []models.SyncProgress
		for _, t := range []models.RosterType{models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections} {
			p := models.SyncProgress{Type: t, Ended: done.Ended[t], Updated: done.Lessened[t], Done: true}
			if t == models.RosterUsers {
				p.RolesLost, p.Unchanged = done.RolesLost, done.Left
			}
			progress = append(progress, p)
		}
		if err := tx.Settle(ctx); err != nil {
			return err
		}
		run, err := tx.FinishSync(ctx, f.run.ID, progress)
		if err == nil {
			f.run = run
		}
		return err
	})
}
