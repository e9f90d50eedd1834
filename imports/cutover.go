package imports

import (
	"context"
	"errors"
	"fmt"

	"hallpass/access"
	"hallpass/models"
)

// CutOver carries a district's cut-over out, if its date has come by the store's clock and nobody has yet: in the name
// of whoever set the date. It does nothing otherwise.
func CutOver(ctx context.Context, store *models.Store, district int64) error {
	var set models.Change
	err := store.As(access.System(district, "cut-over")).Read(ctx, func(tx *models.Tx) (err error) {
		set, err = tx.DueCutOver(ctx)
		return err
	})
	if err == nil {
		actor := access.Actor{District: district, User: set.MadeBy, Facts: access.Facts{View: access.View(set.View)}}
		err = store.As(actor).Write(ctx, func(tx *models.Tx) error {
			_, err := tx.CarryOutCutOver(ctx)
			return err
		})
	}
	if errors.Is(err, models.ErrNotFound) || errors.Is(err, models.ErrConflict) { // nothing is due, or another program was quicker
		return nil
	}
	if err != nil {
		return fmt.Errorf("cut-over of district %d: %w", district, err)
	}
	return nil
}
