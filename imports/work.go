package imports

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hallpass/access"
	"hallpass/models"
)

// manyAccounts is how many new accounts change what the planner should know of the tables.
const manyAccounts = 500

// Work does what somebody agreed to: it applies a file, or takes one back. An import that would do something else by
// now is given back for another look. One that nobody agreed to, or that is done, is left as it is.
func Work(ctx context.Context, store *models.Store, district, id int64) error {
	var i models.Import
	err := store.As(access.System(district, "import")).Read(ctx, func(tx *models.Tx) (err error) {
		i, err = tx.Import(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	actor := access.System(district, "import")
	if i.StartedBy != nil && i.Token != "" { // in the name of whoever agreed
		actor = access.Actor{District: district, User: *i.StartedBy, Facts: access.Facts{View: access.View(i.View)}}
	}
	scope := store.As(actor)
	do, instead := (*models.Tx).ApplyImport, (*models.Tx).LookAgain
	switch i.State {
	case models.ImportApplying:
	case models.ImportUndoing:
		do, instead = (*models.Tx).UndoImport, (*models.Tx).KeepImport
	default:
		return nil
	}
	err = scope.Write(ctx, func(tx *models.Tx) error {
		_, err := do(tx, ctx, id)
		return err
	})
	if err == nil && i.Counts.New >= manyAccounts { // people and identities came: statements would be planned for the tables before
		err = scope.Write(ctx, func(tx *models.Tx) error { return tx.SettleRoster(ctx) })
	}
	switch {
	case errors.Is(err, models.ErrMoved), errors.Is(err, models.ErrBlocked):
		err = scope.Write(ctx, func(tx *models.Tx) error { return instead(tx, ctx, id) })
	case errors.Is(err, models.ErrConflict):
		err = nil // another program was quicker
	}
	if err != nil {
		return fmt.Errorf("work on import %d: %w", id, err)
	}
	return nil
}

// File reads a file and, unless only a look is wanted, applies it at once: what a command does, which has no page to
// show first what would be done. The import that comes back says how that went.
func File(ctx context.Context, store *models.Store, district int64, name string, size int64, body io.Reader, look bool) (models.Import, error) {
	scope := store.As(access.System(district, "import"))
	var i models.Import
	err := scope.Write(ctx, func(tx *models.Tx) (err error) {
		i, err = tx.StartImport(ctx, name, size)
		return err
	})
	if err != nil {
		return i, err
	}
	if i, err = Read(ctx, scope, i, body, store.Now); err != nil || i.State != models.ImportReady {
		return i, err
	}
	err = scope.Write(ctx, func(tx *models.Tx) error {
		if look {
			return tx.DropImport(ctx, i.ID)
		}
		return tx.AgreeToImport(ctx, i.ID, "", nil)
	})
	if err == nil && !look {
		err = Work(ctx, store, district, i.ID)
	}
	if err != nil {
		return i, err
	}
	err = scope.Read(ctx, func(tx *models.Tx) (err error) {
		i, err = tx.Import(ctx, i.ID)
		return err
	})
	return i, err
}
