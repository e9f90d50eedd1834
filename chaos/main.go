// Command chaos breaks Hallpass on purpose and looks whether anything is lost: its processes are killed at random
// moments of a sync, of a change or of a merge, its database is restarted as by a power cut, the network before and
// behind it is cut and slowed down, its disk fills up, and two of it want the same district. A district changes at the
// pretend Clever all the while. Again and again the trouble is over, and then the rows must be those of a database that
// was never disturbed, nothing may be half done, and the audit chain must hold.
//
// It owns the trouble and the comparison. What is broken is the program as it is shipped, built and started as
// `hallpass sync` and `hallpass serve`. Everything is in a temporary folder, listens on 127.0.0.1 alone and ends with
// the run; only processes that it started are killed. When something strikes is random to the millisecond, so a seed
// repeats the kind of a run and not the run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	seed      uint64
	users     int
	killed    int
	consoles  int
	merged    int
	restarted int
	network   int
	full      int
	replicas  int
	only      string
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever read our output may go; what was started must still be ended
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, time.Now)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(1)
	}
}

// part is one kind of trouble.
type part struct {
	name, flag string
	times      func(options) int
	work       func(*world, context.Context, *figure) error
}

var parts = []part{
	{"kill -9 of hallpass sync", "kills", func(o options) int { return o.killed }, (*world).kills},
	{"kill -9 of hallpass serve", "console-kills", func(o options) int { return o.consoles }, (*world).consoleKills},
	{"kill -9 amid merges", "merge-kills", func(o options) int { return o.merged }, (*world).mergeKills},
	{"pg_ctl restart -m immediate", "restarts", func(o options) int { return o.restarted }, (*world).restarts},
	{"network trouble", "network", func(o options) int { return o.network }, (*world).networks},
	{"disk full", "full-disks", func(o options) int { return o.full }, (*world).fullDisks},
	{"two replicas", "replicas", func(o options) int { return o.replicas }, (*world).rivals},
}

func run(ctx context.Context, args []string, out, errOut io.Writer, now func() time.Time) error {
	if len(args) > 0 && args[0] == keepCommand {
		return keep(ctx, os.Stdin)
	}
	o := options{}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Uint64Var(&o.seed, "seed", uint64(now().UnixNano()), "what is random follows from it, but for the moments at which trouble meets a run")
	flags.IntVar(&o.users, "users", 600, "about how many people the district has")
	flags.IntVar(&o.killed, "kills", 800, "kills of hallpass sync")
	flags.IntVar(&o.consoles, "console-kills", 200, "kills of hallpass serve, at work on a sync or on an override")
	flags.IntVar(&o.merged, "merge-kills", 200, "kills of hallpass serve while records are merged or taken apart again")
	flags.IntVar(&o.restarted, "restarts", 100, "restarts of PostgreSQL, as by a power cut")
	flags.IntVar(&o.network, "network", 60, "troubles of the network to PostgreSQL and to Clever")
	flags.IntVar(&o.full, "full-disks", 8, "times that the database's disk fills up (root alone can make a small one)")
	flags.IntVar(&o.replicas, "replicas", 30, "times that two consoles and two commands want one district")
	flags.StringVar(&o.only, "only", "", "only these `parts`, by their flags, with commas between")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || o.users < 300 {
		return errors.New("want flags only, and --users of 300 or more")
	}
	fmt.Fprintf(out, "Chaos, seed %d\n", o.seed)
	differences, err := wreak(ctx, o, out, now)
	if err == nil && differences > 0 {
		err = fmt.Errorf("%d differences: see the list above; --seed %d", differences, o.seed)
	}
	return err
}

// wreak makes a world, does to it what is asked for, and counts what is wrong afterwards.
func wreak(ctx context.Context, o options, out io.Writer, now func() time.Time) (differences int, err error) {
	w, err := newWorld(ctx, o, out, now)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.end(ctx)) }()
	var errs []error
	for _, p := range parts {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), p.flag) || p.times(o) == 0 {
			continue
		}
		f := &figure{Name: p.name}
		w.figures.parts = append(w.figures.parts, f)
		fmt.Fprintf(out, "%s, %d times\n", p.name, p.times(o))
		began := now()
		err := p.work(w, ctx, f)
		f.Took = now().Sub(began)
		if err != nil { // the other parts still have their turn, unless it was us who were told to stop
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			fmt.Fprintf(out, "  FOUND %v\n", errs[len(errs)-1])
		}
		if ctx.Err() != nil {
			break
		}
	}
	if ctx.Err() == nil {
		looked, err := w.amcheck(ctx)
		errs = append(errs, err)
		if looked && err == nil {
			fmt.Fprintln(out, "pg_amcheck finds nothing wrong with the server's files")
		}
	}
	return w.print(), errors.Join(errs...)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
