package roster

import (
	"context"
	"time"

	"hallpass/models"
)

const (
	restShare = 2                // a rest is so many times as long as the page before it took
	restMost  = 3 * time.Second  // a page that took long is no reason to stand still
	lookEvery = 10 * time.Second // how often a run looks whether anybody is at the console
)

// rest is how a full sync leaves the database to the people of its district: while anybody is at the console, it rests
// after each page, and works alone for a part of its time. At night, and on a first sync, nobody is there, and it does
// not rest.
type rest struct {
	looked  time.Time
	visited bool
}

// makeRoom rests after a page that began at a moment, if somebody is at the console.
func (f *full) makeRoom(ctx context.Context, began time.Time) error {
	now := f.opts.Now()
	if now.Sub(f.rest.looked) >= lookEvery {
		err := f.scope.Read(ctx, func(tx *models.Tx) (err error) {
			f.rest.visited, err = tx.Visited(ctx)
			return err
		})
		if err != nil {
			return err
		}
		f.rest.looked = now
	}
	if !f.rest.visited {
		return nil
	}
	timer := time.NewTimer(min(restShare*now.Sub(began), restMost))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
