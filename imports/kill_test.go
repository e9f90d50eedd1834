package imports

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// workCommand is how this test is told to be a program that does what somebody agreed to.
const workCommand = "import-work"

func workAlone(args []string) int {
	ctx := context.Background()
	district, err := strconv.ParseInt(args[1], 10, 64)
	id, err2 := strconv.ParseInt(args[2], 10, 64)
	store, err3 := models.Open(ctx, models.Config{URL: args[0], MaxConns: 2, StatementTimeout: 10 * time.Minute, Now: time.Now})
	if err != nil || err2 != nil || err3 != nil {
		fmt.Fprintln(os.Stderr, err, err2, err3)
		return 1
	}
	defer store.Close()
	if err := Work(ctx, store, district, id); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// killAmid has a program work on an import, and ends it by kill -9 when it has written nearly everything and not yet
// committed: it waits to write its audit entry.
func (p place) killAmid(id int64) {
	p.Helper()
	ctx := p.Context()
	url := p.look.Config().ConnString()
	held, err := pgx.Connect(ctx, url)
	if err != nil {
		p.Fatal(err)
	}
	defer held.Close(context.WithoutCancel(ctx))
	hold, err := held.Begin(ctx)
	if err == nil {
		_, err = hold.Exec(ctx, `LOCK TABLE audit_entries IN EXCLUSIVE MODE`)
	}
	if err != nil {
		p.Fatal(err)
	}
	var said strings.Builder
	child := exec.CommandContext(ctx, os.Args[0], workCommand, url, strconv.FormatInt(p.district, 10), strconv.FormatInt(id, 10))
	child.Stderr = &said
	if err := child.Start(); err != nil {
		p.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	backend := 0 // of the program, once it waits for the lock
	for end := time.Now().Add(2 * time.Minute); backend == 0; {
		select {
		case err := <-ended:
			p.Fatalf("the program ended by itself: %v\n%s", err, said.String())
		case <-tick.C:
		}
		err := p.look.QueryRow(ctx, `SELECT coalesce(max(l.pid), 0) FROM pg_locks l WHERE l.relation = 'audit_entries'::regclass AND NOT l.granted
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&backend)
		if err != nil || time.Now().After(end) {
			p.Fatalf("the program never came to its audit entry, error %v", err)
		}
	}
	if err := child.Process.Kill(); err != nil {
		p.Fatal(err)
	}
	<-ended
	if err := hold.Rollback(ctx); err != nil {
		p.Fatal(err)
	}
	for there := true; there; <-tick.C { // the server notices that nobody is at the other end
		if err := p.look.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND datname = current_database())`, backend).Scan(&there); err != nil {
			p.Fatal(err)
		}
	}
}

// A program that dies by kill -9 while it applies a file, or takes one back, leaves nothing of it. The file waits as it
// was agreed to, the sweeper finds it, and the next program does it whole.
func TestAKilledImportLeavesNothing(t *testing.T) {
	p := newPlace(t)
	write := func(fn func(*models.Tx) error) { t.Helper(); modelstest.Write(t, p.store, p.district, fn) }
	i, err := p.dryRun(sample)
	if err != nil || i.State != models.ImportReady {
		t.Fatalf("import %+v, error %v", i, err)
	}
	for _, deed := range []struct {
		agree       func(*models.Tx) error
		waits, done models.ImportState
	}{
		{func(tx *models.Tx) error { return tx.AgreeToImport(t.Context(), i.ID, "", nil) }, models.ImportApplying, models.ImportApplied},
		{func(tx *models.Tx) error { return tx.AgreeToUndo(t.Context(), i.ID, "", nil) }, models.ImportUndoing, models.ImportUndone},
	} {
		write(deed.agree)
		before := p.sum()
		p.killAmid(i.ID)
		if after := p.sum(); after != before {
			t.Errorf("%s: something is left of it", deed.waits)
		}
		var waiting []models.Import
		modelstest.Read(t, p.store, p.district, func(tx *models.Tx) (err error) {
			waiting, err = tx.WaitingImports(t.Context(), tx.Now().Add(time.Hour))
			return err
		})
		if len(waiting) != 1 || waiting[0].ID != i.ID || waiting[0].State != deed.waits {
			t.Fatalf("%s: waiting are %+v", deed.waits, waiting)
		}
		if err := Work(t.Context(), p.store, p.district, i.ID); err != nil {
			t.Fatal(err)
		}
		var state models.ImportState
		modelstest.Read(t, p.store, p.district, func(tx *models.Tx) error {
			now, err := tx.Import(t.Context(), i.ID)
			state = now.State
			return err
		})
		if state != deed.done || p.sum() == before {
			t.Errorf("the next program leaves it %s", state)
		}
	}
}

// dryRun reads a file up to where somebody must agree.
func (p place) dryRun(text string) (i models.Import, err error) {
	scope := p.store.As(access.System(p.district, "import"))
	err = scope.Write(p.Context(), func(tx *models.Tx) (err error) {
		i, err = tx.StartImport(p.Context(), "accounts.csv", int64(len(text)))
		return err
	})
	if err == nil {
		i, err = Read(p.Context(), scope, i, strings.NewReader(text), p.store.Now)
	}
	return i, err
}
