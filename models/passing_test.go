package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestPassingTroubleIsTold: what is over by itself is no mistake of ours, and what is not must not look so.
func TestPassingTroubleIsTold(t *testing.T) {
	gone, stop := context.WithCancel(t.Context())
	stop()
	pg := func(code string) error { return fmt.Errorf("list users: %w", &pgconn.PgError{Code: code}) }
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want error // nil: neither
	}{
		{t.Context(), pg("57014"), ErrTooSlow},
		{t.Context(), pg("57P01"), ErrAway}, // admin_shutdown
		{t.Context(), pg("57P03"), ErrAway}, // cannot_connect_now
		{t.Context(), pg("53100"), ErrAway}, // disk_full
		{t.Context(), pg("53300"), ErrAway}, // too_many_connections
		{t.Context(), pg("08006"), ErrAway},
		{t.Context(), fmt.Errorf("begin: %w", io.ErrUnexpectedEOF), ErrAway},
		{t.Context(), fmt.Errorf("begin: %w", driver.ErrBadConn), ErrAway},
		{t.Context(), &net.OpError{Op: "read", Err: syscall.ECONNRESET}, ErrAway},
		{t.Context(), pg("23505"), nil},
		{t.Context(), pg("42P01"), nil},
		{t.Context(), ErrNotFound, nil},
		{gone, pg("57014"), nil},
		{gone, io.ErrUnexpectedEOF, nil},
	} {
		got := passing(c.ctx, c.err)
		if !errors.Is(got, c.err) {
			t.Errorf("%v became %v", c.err, got)
		}
		for _, sentinel := range []error{ErrTooSlow, ErrAway} {
			if errors.Is(got, sentinel) != (c.want != nil && errors.Is(c.want, sentinel)) {
				t.Errorf("%v is told as %v, want %v", c.err, got, c.want)
			}
		}
	}
	if passing(t.Context(), nil) != nil {
		t.Error("no error became one")
	}
}
