package roster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hallpass/clever"
	"hallpass/models"
)

// failTime bounds noting a failure, which is done even where the sync was told to stop.
const failTime = 10 * time.Second

// fail marks the run failed and gives it back with the error.
func (f *work) fail(ctx context.Context, cause error) (models.SyncRun, error) {
	failure := f.explain(ctx, cause)
	f.opts.Log.ErrorContext(ctx, "sync failed", "district", f.run.DistrictID, "sync", f.run.ID,
		"type", failure.Type, "page", failure.Page, "error", cause)
	err := fmt.Errorf("sync district %d: %w", f.run.DistrictID, cause)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failTime)
	defer cancel()
	noted := f.scope.Write(ctx, func(tx *models.Tx) (err error) {
		run, err := tx.FailSync(ctx, f.run.ID, failure)
		if err == nil {
			f.run = run
		}
		return err
	})
	f.refused(ctx, cause)
	// A run that was given up for lost has been marked failed by whoever gave it up.
	if noted != nil && !errors.Is(noted, models.ErrConflict) {
		err = errors.Join(err, noted)
	}
	return f.run, err
}

// explain puts a failure into words for the person who reads the list of syncs.
func (f *work) explain(ctx context.Context, cause error) models.SyncFailure {
	at := models.SyncFailure{Type: f.at.recordType, Page: f.at.page, Next: nextStep(cause)}
	where := "while the sync was being finished"
	if at.Type != "" {
		where = "at " + at.Type
		if at.Page > 0 {
			where += fmt.Sprintf(", page %d", at.Page)
		}
	}
	kept := " Nobody was deactivated; what had arrived before is kept. The next sync starts over."
	if f.run.Kind == models.SyncEvents {
		where = "while changes were being taken over"
		if at.Page > 0 {
			where += fmt.Sprintf(", at page %d of them", at.Page)
		}
		kept = " What had been taken over before is kept. The next run goes on from there."
	}
	if ctx.Err() != nil {
		at.Next = nextStopped
		at.Text = "The program was told to stop " + where + "." + kept
		return at
	}
	if short, ok := errors.AsType[*shortListError](cause); ok {
		at.Text = "Stopped to be safe " + where + ": " + short.Error() + "." + kept
		return at
	}
	if e, ok := errors.AsType[*clever.Error](cause); ok {
		if e.RecordType != "" {
			at.Type, at.Page = e.RecordType, e.Page
			if f.run.Kind != models.SyncEvents {
				where = fmt.Sprintf("at %s, page %d", at.Type, at.Page)
			}
		}
		at.Said = e.Said
		at.Text = "Clever's answer could not be used " + where + ": " + e.Error() + "." + kept
		return at
	}
	if errors.Is(cause, clever.ErrNoToken) {
		at.Text = "Clever lists no token for this district: it is not, or no longer, connected to this app." + kept
		return at
	}
	at.Text = "Writing stopped " + where + ": " + cause.Error() + "." + kept
	return at
}

// What to do about a failure, as models.SyncFailure says it.
const (
	nextCredentials = "credentials"
	nextSharing     = "sharing"
	nextRate        = "rate"
	nextAnswer      = "answer"
	nextReach       = "reach"
	nextApp         = "app"
	nextDisk        = "disk"
	nextStopped     = "stopped"
	nextSupport     = "support"
)

// nextStep is what somebody can do about a failure. Who, follows from it.
func nextStep(cause error) string {
	if _, ok := errors.AsType[*shortListError](cause); ok {
		return nextAnswer
	}
	if e, ok := errors.AsType[*clever.Error](cause); ok {
		switch {
		case e.Status == http.StatusUnauthorized && e.RecordType == "tokens": // asked for with the app's own secret
			return nextApp
		case e.Status == http.StatusUnauthorized:
			return nextCredentials
		case e.Status == http.StatusForbidden:
			return nextSharing
		case e.Status == http.StatusTooManyRequests:
			return nextRate
		case e.Status == 0 || e.Err != nil: // no answer, or one that broke off
			return nextReach
		}
		return nextAnswer
	}
	switch {
	case errors.Is(cause, clever.ErrNoToken):
		return nextCredentials
	case models.DiskFull(cause):
		return nextDisk
	}
	return nextSupport
}
