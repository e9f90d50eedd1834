package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepareData makes the data folder if it is not complete yet, and the socket
// folder always. copied says that the data came out of the cache.
func (c *Cluster) prepareData(ctx context.Context, prog program, who *account) (copied bool, err error) {
	if err := c.folder.passable(who); err != nil {
		return false, err
	}
	if c.folder.mark.State == stateReady {
		if err := probe(ctx, prog, c.folder.pg(), who); err != nil {
			return false, err
		}
	} else if copied, err = c.makeData(ctx, prog, who); err != nil {
		return false, err
	}
	c.socket, err = c.folder.makeSocket(who)
	return copied, err
}

// run starts the server process and waits until it answers.
func (c *Cluster) run(ctx context.Context, prog program, who *account) error {
	cmd := command(filepath.Join(prog.bin, "postgres"), who, serverArgs(c.o, c.folder.pg(), c.socket)...)
	// The working directory must be one that the server's account may enter.
	cmd.Dir = "/"
	if !c.o.Outlive {
		// A killed program still gets its data checkpointed, unless nobody
		// will read them again.
		sig := syscall.SIGINT
		if c.o.ThrowAway {
			sig = syscall.SIGQUIT
		}
		tie(cmd.SysProcAttr, sig)
	}
	var err error
	c.server, err = launch(cmd, func(line string) { c.o.Log.DebugContext(ctx, "postgres", "line", line) })
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	return c.checkExtensions(ctx, prog)
}

// await returns when a connection succeeds. The log would tell sooner, but only
// a connection proves that socket, authentication and recovery are all in order.
func (c *Cluster) await(ctx context.Context) error {
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	began, told := c.o.Now(), time.Duration(0)
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		var answer *pgconn.PgError
		if errors.As(err, &answer) && answer.Code != "57P03" && answer.Code != "53300" {
			// 57P03: starting up, or still recovering. 53300: full. Anything
			// else the server says will not change by waiting.
			return fmt.Errorf("connect to the private database: %w", err)
		}
		select {
		case <-c.server.done:
			return serverFailed(c.folder.dir, c.server)
		case <-ctx.Done():
			return fmt.Errorf("wait for the private database in %s: %w (last answer: %w)%s", c.folder.dir, context.Cause(ctx), err, c.server.tail)
		case <-tick.C:
		}
		if spent := c.o.Now().Sub(began); spent-told > 5*time.Second {
			told = spent
			c.o.Log.InfoContext(ctx, "private database is still starting, perhaps recovering after a crash", "waited", spent.Round(time.Second))
		}
	}
}
