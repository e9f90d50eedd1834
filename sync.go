package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"hallpass/clever"
	"hallpass/models"
	"hallpass/roster"
)

// sync brings districts in step with Clever once and exits.
func sync(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	full := flags.Bool("full", false, "read everything, also where the changes since the last sync would do")
	district := flags.String("district", "", "Clever `id` of one district; without it, every connected district")
	if err := parse(flags, args, errOut); err != nil {
		return err
	}
	c, err := loadConfig(os.LookupEnv, needs{clever: true})
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.stop()
	store, err := openStore(ctx, c, db.url)
	if err != nil {
		return err
	}
	defer store.Close()
	client, err := cleverClient(c)
	if err != nil {
		return err
	}
	if _, err := roster.Poll(ctx, store, client, c.log); err != nil {
		return err
	}
	districts, err := toSync(ctx, store, *district, out)
	if err != nil {
		return err
	}
	var failed []error // one district's trouble does not keep the others waiting
	for _, id := range districts {
		fmt.Fprintf(out, "district %s\n", id)
		opts := roster.Options{Progress: progressTo(out), Log: c.log}
		var err error
		if *full {
			_, err = roster.Full(ctx, store, client, id, opts)
		} else {
			err = followOrSync(ctx, store, client, id, opts)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("district %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// toSync lists the districts that are to be synced: those that are switched on, or the one that is named.
func toSync(ctx context.Context, store *models.Store, only string, out io.Writer) (ids []string, err error) {
	list, err := connectedDistricts(ctx, store)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		on, state := c.Switch == models.SwitchOn && c.LeftAt == nil, c.Connection.State()
		switch {
		case only != "" && c.CleverID != only:
		case on:
			ids = append(ids, c.CleverID)
		case only != "" && state == models.ConnectionLeft:
			return nil, fmt.Errorf("district %s has left: Clever lists no token for it any more", only)
		case only != "":
			return nil, fmt.Errorf("district %s is %s: hallpass connections on %s switches it on", only, state, only)
		case state == string(models.SwitchWaiting):
			fmt.Fprintf(out, "district %s (%s) waits to be switched on: hallpass connections on %s\n", c.CleverID, c.Name, c.CleverID)
		}
	}
	switch {
	case only != "" && len(ids) == 0:
		return nil, fmt.Errorf("district %s: Clever lists no token for it, so it is not connected to this app", only)
	case len(list) == 0:
		fmt.Fprintln(out, "no district is connected to this app in Clever yet")
	}
	return ids, nil
}

// followOrSync takes over what changed since the last sync, and reads everything where that does not lead on: the
// first time, and after a gap.
func followOrSync(ctx context.Context, store *models.Store, client *clever.Client, district string, opts roster.Options) error {
	for {
		done, err := roster.Follow(ctx, store, client, district, opts)
		switch {
		case errors.Is(err, roster.ErrNeverSynced):
			_, err = roster.Full(ctx, store, client, district, opts)
			return err
		case err != nil:
			return err
		case done.Full.ID != 0:
			opts.RunID = done.Full.ID
			_, err = roster.Full(ctx, store, client, district, opts)
			return err
		case !done.More:
			return nil
		}
	}
}

// progressTo prints one line for each record type: rewritten in place while it grows in a terminal, and otherwise
// only when the type is through.
func progressTo(out io.Writer) func(models.SyncProgress) {
	began := time.Now()
	file, ok := out.(*os.File)
	live := ok && term.IsTerminal(int(file.Fd()))
	return func(p models.SyncProgress) {
		line := fmt.Sprintf("  %-9s %9d read  %9d new  %7d changed  %7d ended  %6.1f s", p.Type, p.Read, p.Created, p.Updated+p.Revived, p.Ended, time.Since(began).Seconds())
		switch {
		case p.Done && live:
			fmt.Fprintf(out, "\r%s\n", line)
		case p.Done:
			fmt.Fprintln(out, line)
		case live:
			fmt.Fprintf(out, "\r%s", line)
		}
	}
}
