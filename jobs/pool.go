package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"hallpass/models"
)

// jobConns is how many connections River has: one listens, the others fetch, keep and enqueue jobs.
const jobConns = 6

// ownPool is like the store's, but that its connections are interrupted at once. The store's ask the server to stop a
// query and give it two seconds, because a page's query is worth that; River interrupts its listening whenever it is
// to listen to more, nobody answers for a connection that only listens, and a program took up to six seconds to start.
func ownPool(store *models.Store) (*pgxpool.Pool, error) {
	own := store.JobPool().Config()
	own.MaxConns = jobConns
	own.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), own)
	if err != nil {
		return nil, fmt.Errorf("set up jobs: %w", err)
	}
	return pool, nil
}
