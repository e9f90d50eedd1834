package roster

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"hallpass/clever"
	"hallpass/models"
)

func TestWhatCanBeDoneAboutAFailure(t *testing.T) {
	answered := func(status int) error {
		return &clever.Error{Op: "read users", RecordType: "users", Page: 3, Status: status}
	}
	for want, causes := range map[string][]error{
		nextCredentials: {answered(401), fmt.Errorf("find token: %w", clever.ErrNoToken)},
		nextApp:         {&clever.Error{Op: "read tokens", RecordType: "tokens", Status: 401}},
		nextSharing:     {answered(403)},
		nextRate:        {answered(429)},
		nextAnswer:      {answered(200), answered(500), answered(503), answered(404), answered(302), &shortListError{models.RosterUsers, 9, 3}},
		nextReach:       {answered(0), &clever.Error{Op: "read users", Status: 200, Err: io.ErrUnexpectedEOF}},
		nextDisk:        {fmt.Errorf("write users: %w", &pgconn.PgError{Code: "53100"})},
		nextSupport:     {errors.New("out of luck"), &pgconn.PgError{Code: "23505"}},
	} {
		for _, cause := range causes {
			if got := nextStep(cause); got != want {
				t.Errorf("%v: %s, want %s", cause, got, want)
			}
		}
	}
}
