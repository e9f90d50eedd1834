// Command bench measures Hallpass with a district of any size, a million people unless told otherwise: how fast a
// sync brings it in and in how much memory, and how fast the console's pages are. Beside every figure stands a
// yardstick taken in the same run on the same machine: the same rows by bare COPY and INSERT … ON CONFLICT, and the
// same lists by bare pgx and HTML appended to a buffer, without sessions, permissions, row-level security, GORM or
// templ. Ratios travel between machines; milliseconds do not.
//
// It owns the yardsticks, the load and the report. What is measured is the program as it is shipped: built, started
// as `hallpass sync` and `hallpass serve`, and reached over HTTP. Everything lives in a throw-away database and a
// temporary folder, listens on 127.0.0.1 alone and ends with the run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	users, schools int
	seed           uint64
	rounds         int
	seconds        float64
	skipYardstick  bool
	repeat         bool
	explain        bool
	linkage        bool
	json           string
	data           string
	only           string
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever read our output may go; what was started must still be ended
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) > 0 && args[0] == bareCommand {
		return serveBare(ctx, args[1:], os.Stdin, out)
	}
	if len(args) > 0 && args[0] == keepCommand {
		return keep(ctx, args[1:], os.Stdin)
	}
	if len(args) > 0 && args[0] == linkageCommand {
		return linkageRun(args[1:], out)
	}
	if len(args) > 0 && args[0] == storedCommand {
		return storedRun(ctx, args[1:], out)
	}
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.IntVar(&o.users, "users", 1_000_000, "about how many people the district has")
	flags.IntVar(&o.schools, "schools", 250, "how many schools")
	flags.Uint64Var(&o.seed, "seed", 1, "the district and the questions are invented anew for each seed, and the same for the same one")
	flags.IntVar(&o.rounds, "rounds", 7, "turns that product and yardstick take at each page")
	flags.Float64Var(&o.seconds, "seconds", 1, "length of one turn at one concurrency")
	flags.BoolVar(&o.skipYardstick, "skip-sync-yardstick", false, "do not load the same rows by COPY for comparison")
	flags.BoolVar(&o.repeat, "repeat-yardstick", false, "also load the rows by COPY once more unchanged, and once with one in fifty changed")
	flags.BoolVar(&o.explain, "explain", false, "print the plan of every statement behind the pages in place of timing them")
	flags.BoolVar(&o.linkage, "linkage", false, "measure how duplicates are found in place of syncs and pages")
	flags.StringVar(&o.data, "data", "", "keep the database in a `folder`; where one is there from an earlier run, its district is measured as it is, without syncs")
	flags.StringVar(&o.only, "only", "", "after the syncs measure only one `part`: pages, decisions, who-can or simulation")
	flags.StringVar(&o.json, "json", "", "also write the figures to a `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "pages", "decisions", "who-can", "simulation"}, o.only) {
		return fmt.Errorf("--only: no part is called %q", o.only)
	}
	if flags.NArg() > 0 || o.users < 1000 || o.rounds < 1 || o.seconds <= 0 {
		return errors.New("want flags only, --users of 1000 or more, --rounds of 1 or more and --seconds above 0")
	}
	o.schools = min(o.schools, o.users/10)
	r := &report{out: out, Began: time.Now(), Users: o.users, Schools: o.schools, Seed: o.seed}
	taken := measure
	if o.linkage {
		taken = linkage
	}
	if err := taken(ctx, o, r); err != nil {
		return err
	}
	if o.json == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if err := os.WriteFile(o.json, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	return nil
}

// measure builds the world, takes every figure and tears the world down.
func measure(ctx context.Context, o options, r *report) (err error) {
	w, err := newWorld(ctx, o, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.end(ctx)) }()
	if err := w.describe(ctx); err != nil {
		return err
	}
	if err := w.fill(ctx, o); err != nil {
		return err
	}
	if o.explain {
		return w.explain(ctx, o)
	}
	if o.measures("pages") {
		if err := w.pages(ctx, o); err != nil {
			return err
		}
	}
	if o.only == "pages" {
		return nil
	}
	return w.access(ctx, o)
}

// measures reports whether a part is asked for.
func (o options) measures(part string) bool { return o.only == "" || o.only == part }

// fill brings the district in, unless an earlier run has left it.
func (w *world) fill(ctx context.Context, o options) error {
	if found, err := w.findDistrict(ctx); err != nil || found {
		return err
	}
	if err := w.syncs(ctx, o); err != nil {
		return err
	}
	return w.settle(ctx)
}
