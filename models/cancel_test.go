package models_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/models"
)

// A request whose client has gone stops its query on the server, and gives its connection back in order.
func TestAbandonedRequestStopsItsQuery(t *testing.T) {
	store, url, here, _ := two(t)
	blocker := connect(t, url)
	held, err := blocker.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(t.Context(), "LOCK TABLE schools IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	watcher := connect(t, url)
	ctx, gone := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- store.As(access.System(here, "test")).Read(ctx, func(tx *models.Tx) error {
			_, err := tx.School(ctx, "here-school")
			return err
		})
	}()
	waitFor(t, watcher, 1)
	gone()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("an abandoned request answered")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("an abandoned request still waits")
	}
	waitFor(t, watcher, 0) // while the lock is still held: it was the query that stopped, not the wait that ended
	if err := held.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = store.As(access.System(here, "test")).Read(t.Context(), func(tx *models.Tx) error {
		_, err := tx.School(t.Context(), "here-school")
		return err
	})
	if err != nil {
		t.Errorf("the next request: %v", err)
	}
}

// A client that goes between two questions costs a connection, and must not have it written to by two at once: the
// driver gives it back to the pool before the transaction can be rolled back.
func TestAbandonedBetweenTwoQuestions(t *testing.T) {
	store, _, here, _ := two(t)
	for range 300 {
		ctx, gone := context.WithCancel(t.Context())
		err := store.As(access.System(here, "test")).Write(ctx, func(tx *models.Tx) error {
			gone()
			_, err := tx.School(ctx, "here-school") // by GORM, and so by database/sql
			return err
		})
		if err == nil {
			t.Fatal("an abandoned request answered")
		}
	}
	err := store.As(access.System(here, "test")).Read(t.Context(), func(tx *models.Tx) error {
		_, err := tx.School(t.Context(), "here-school")
		return err
	})
	if err != nil {
		t.Errorf("the next request: %v", err)
	}
}

// waitFor waits until n queries of the store wait for a lock.
func waitFor(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for have := -1; have != n; <-tick.C {
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'hallpass' AND state = 'active' AND wait_event_type = 'Lock'`).Scan(&have)
		if err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d queries wait, want %d", have, n)
		}
	}
}
