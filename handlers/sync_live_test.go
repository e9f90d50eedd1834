package handlers

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestRunIsWatched: an event for the state there is, one for each move, and the last one when it is over.
func TestRunIsWatched(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	var run models.SyncRun
	c.write(func(ctx context.Context, tx *models.Tx) (err error) {
		run, err = tx.StartSync(ctx, 0)
		return err
	})
	at := adminBase + "syncs/" + strconv.FormatInt(run.ID, 10)
	if page := admin.get(at); page.doc(t).Find(`[data-live="`+at+`/live"]`).Length() != 1 {
		t.Error("the page does not watch its run")
	}
	stream, err := admin.http.Do(admin.request(http.MethodGet, at+"/live"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if got := stream.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("status %d, type %s", stream.StatusCode, got)
	}
	lines := bufio.NewScanner(stream.Body)
	next := func() string {
		for lines.Scan() {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				return event
			}
		}
		return "nothing"
	}
	if got := next(); got != "moved" {
		t.Errorf("first %s", got)
	}
	c.write(func(ctx context.Context, tx *models.Tx) error {
		return tx.SaveSyncProgress(ctx, run.ID, []models.SyncProgress{{Type: models.RosterSchools, Read: 3}})
	})
	if got := next(); got != "moved" {
		t.Errorf("after a page %s", got)
	}
	c.write(func(ctx context.Context, tx *models.Tx) error {
		_, err := tx.FinishSync(ctx, run.ID, nil)
		return err
	})
	if got := next(); got != "over" {
		t.Errorf("at the end %s", got)
	}
	if got := next(); got != "nothing" {
		t.Errorf("after the end %s", got)
	}
}
