// Hallpass is the people-and-permissions console of an app that is rostered by Clever. This package picks a command,
// reads the settings, wires the rooms together and decides nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // districts' time zones, on machines and in images that have none
)

const usage = `hallpass: who is this person, in which schools, in which roles, and what may they do here?

  hallpass demo              an invented district, its Clever and the console, until you stop it
  hallpass serve             the console
  hallpass migrate up        bring the database schema up to date
  hallpass migrate status    list the steps of the schema and which are taken
  hallpass sync [--full] [--district ID]
                             bring one district, or all, in step with Clever once
  hallpass import FILE [--district ID] [--dry-run]
                             bring in the accounts the app has from before, or Clever's list of old ids and new ones
  hallpass connections       list the districts that are connected, and how
  hallpass connections find  look at Clever's token list now
  hallpass connections on|pause|off ID ...
                             switch districts on, freeze or disconnect them
  hallpass connections rotate
                             seal every kept token under the newest key
  hallpass export --district ID [--what KIND] [--format csv|jsonl] [--out FOLDER]
                             write a district's people, grants, overrides, decisions, merges and audit down
  hallpass erase --district ID [--yes]
                             remove a district that has left, for good, with a certificate
  hallpass audit verify [--district ID] [--noted NUMBER:HASH]
                             recompute the chain of audit entries and say which does not hold
  hallpass version           which build this is

hallpass COMMAND -h lists a command's flags. README.md lists the settings.
`

// errUsage ends the program with code 2: the words of the call are off.
var errUsage = errors.New("usage")

func main() {
	if os.Getenv("GOGC") == "" {
		// The program's own heap is small: collecting whenever it has doubled, as Go does by itself, took an eighth of
		// the processor time of a page.
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stopped := ctx.Err() != nil
	stop()
	switch {
	case err != nil && stopped && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "hallpass: stopped before it was done")
		os.Exit(1)
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "hallpass: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "hallpass: %v\n", err)
		os.Exit(1)
	}
}

// run carries out one command. Cancelling ctx stops it gently.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(errOut, usage)
		return fmt.Errorf("%w: which command?", errUsage)
	}
	command, args := args[0], args[1:]
	switch command {
	case "demo":
		return demo(ctx, args, out, errOut)
	case "serve":
		return serve(ctx, args, out, errOut)
	case "migrate":
		return migrate(ctx, args, out, errOut)
	case "sync":
		return sync(ctx, args, out, errOut)
	case "import":
		return importFile(ctx, args, out, errOut)
	case "connections":
		return connections(ctx, args, out, errOut)
	case "export":
		return export(ctx, args, out, errOut)
	case "erase":
		return erase(ctx, args, out, errOut)
	case "audit":
		return audit(ctx, args, out, errOut)
	case "version":
		fmt.Fprintln(out, "hallpass", version())
		return nil
	case "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return nil
	}
	fmt.Fprint(errOut, usage)
	return fmt.Errorf("%w: no command %q", errUsage, command)
}

// parse reads a command's flags. Words that are no flags are not for any command.
func parse(flags *flag.FlagSet, args []string, errOut io.Writer) error {
	flags.SetOutput(errOut)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %s: %w", errUsage, flags.Name(), err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: %s: what is %q?", errUsage, flags.Name(), flags.Arg(0))
	}
	return nil
}

// version is the module's version or the commit it was built from, as Go recorded them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown build)"
	}
	parts := []string{info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			parts = append(parts, s.Value)
		}
	}
	return strings.Join(append(parts, info.GoVersion), " ")
}
