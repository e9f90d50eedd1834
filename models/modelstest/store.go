package modelstest

import (
	"context"
	"testing"
	"time"

	"hallpass/access"
	"hallpass/models"
)

// URL returns a migrated database of the test's own, reached as its owner: what a test needs to look behind the
// store's wall.
func URL(t testing.TB) string {
	t.Helper()
	return Database(t, "hallpass_"+models.SchemaHash(), func(ctx context.Context, url string) error {
		_, err := models.MigrateUp(ctx, url)
		return err
	})
}

// New returns a store over a migrated database of the test's own.
func New(t testing.TB) *models.Store {
	t.Helper()
	return Open(t, URL(t), time.Now)
}

// Open returns a store over a database that URL made, closed when the test ends.
func Open(t testing.TB, url string, now func() time.Time) *models.Store {
	t.Helper()
	// How long a query of a page may take is for the machines that serve pages, not for one that is busy with tests.
	store, err := models.Open(context.Background(), models.Config{URL: url, MaxConns: 8, StatementTimeout: 2 * time.Minute, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// District makes a district and returns the id to act in it.
func District(t testing.TB, store *models.Store, cleverID string) int64 {
	t.Helper()
	id, err := store.EnsureDistrict(t.Context(), cleverID, "District "+cleverID, "running")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Write runs fn in a district in the name of the test, and fails the test with its error.
func Write(t testing.TB, store *models.Store, district int64, fn func(*models.Tx) error) {
	t.Helper()
	if err := store.As(access.System(district, "test")).Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Read runs fn in a district in the name of the test, and fails the test with its error.
func Read(t testing.TB, store *models.Store, district int64, fn func(*models.Tx) error) {
	t.Helper()
	if err := store.As(access.System(district, "test")).Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
