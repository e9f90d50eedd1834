package roster

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hallpass/clever"
	"hallpass/models"
)

// shortListError says that a list ended before it gave as many records as Clever counts. What it did not give must not
// be taken to be gone.
type shortListError struct {
	recordType models.RosterType
	said, read int
}

func (e *shortListError) Error() string {
	return fmt.Sprintf("Clever says there are %d %s but listed %d", e.said, e.recordType, e.read)
}

// count asks Clever how many records of a type there are. A Clever that does not say is no reason to stop, since every
// page is checked as well; one that refuses the token is.
func (f *full) count(ctx context.Context, t models.RosterType) (n int, known bool, err error) {
	n, err = f.client.Count(ctx, f.token, string(t))
	switch {
	case err == nil:
		return n, true, nil
	case ctx.Err() != nil:
		return 0, false, err
	}
	if e, ok := errors.AsType[*clever.Error](err); ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		return 0, false, err
	}
	f.opts.Log.DebugContext(ctx, "records not counted", "district", f.run.DistrictID, "sync", f.run.ID, "type", t, "error", err)
	return 0, false, nil
}

// checkCount compares a walk with what Clever counts now and counted before it: records may come and go meanwhile, so
// the smaller number is due.
func (f *full) checkCount(ctx context.Context, t models.RosterType, before, read int) error {
	if read >= before {
		return nil
	}
	after, known, err := f.count(ctx, t)
	if err != nil || !known {
		return err
	}
	if due := min(before, after); read < due {
		return &shortListError{t, due, read}
	}
	return nil
}
