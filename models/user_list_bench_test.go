package models_test

import (
	"testing"

	"hallpass/access"
	"hallpass/models"
)

// BenchmarkUsers is the first page of a list of 300, and the schools it can be filtered by: what the program adds to
// the database's own time.
func BenchmarkUsers(b *testing.B) {
	v := settle(b, 300)
	b.ReportAllocs()
	for b.Loop() {
		err := v.store.As(access.System(v.district, "bench")).Read(b.Context(), func(tx *models.Tx) error {
			_, err := tx.Users(b.Context(), access.Reach{District: true}, models.UserFilter{})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
