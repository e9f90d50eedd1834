package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/roster"
)

const connectionsUsage = "connections, connections find, connections on|pause|off ID ..., or connections rotate"

// operator is on whose behalf commands act that no district's person may give.
const operator = "operator"

// switches are the words of the command for the positions of a switch.
var switches = map[string]models.Switch{"on": models.SwitchOn, "pause": models.SwitchPaused, "off": models.SwitchOff}

// connections lists the districts that are connected, and turns their switches.
func connections(ctx context.Context, args []string, out, errOut io.Writer) error {
	deed := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		deed, args = args[0], args[1:]
	}
	to, turns := switches[deed]
	flags := flag.NewFlagSet("connections "+deed, flag.ContinueOnError)
	all := new(bool)
	if turns {
		all = flags.Bool("all", false, "every district that is known here")
	}
	flags.SetOutput(errOut)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil || !turns && deed != "" && deed != "find" && deed != "rotate" || !turns && flags.NArg() > 0 || turns && (flags.NArg() > 0) == *all:
		return fmt.Errorf("%w: %s", errUsage, connectionsUsage)
	}
	c, err := loadConfig(os.LookupEnv, needs{clever: deed == "find", keys: deed == "rotate"})
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
	switch {
	case turns:
		return turn(ctx, store, flags.Args(), *all, to, out)
	case deed == "rotate":
		return rotate(ctx, store, out)
	case deed == "find":
		client, err := cleverClient(c)
		if err != nil {
			return err
		}
		if _, err := roster.Poll(ctx, store, client, c.log); err != nil {
			return err
		}
	}
	return listConnections(ctx, store, out)
}

// connected is one district with its connection.
type connected struct {
	models.District
	models.Connection
}

func connectedDistricts(ctx context.Context, store *models.Store) ([]connected, error) {
	ids, err := store.DistrictIDs(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]connected, 0, len(ids))
	for _, id := range ids {
		var c connected
		err := store.As(access.System(id, operator)).Read(ctx, func(tx *models.Tx) (err error) {
			if c.District, err = tx.District(ctx); err != nil {
				return err
			}
			c.Connection, err = tx.Connection(ctx)
			return err
		})
		if errors.Is(err, models.ErrNotFound) {
			continue // half entered: the next look at the list goes on with it
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func listConnections(ctx context.Context, store *models.Store, out io.Writer) error {
	list, err := connectedDistricts(ctx, store)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no district is known here yet: hallpass connections find looks at Clever's token list")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DISTRICT\tNAME\tSTATE\tSINCE\tCLEVER ANSWERED\tKEY")
	waiting := ""
	for _, c := range list {
		answered, key := "never", c.TokenKey
		if c.PolledAt != nil {
			answered = moment(*c.PolledAt)
		}
		if key == "" {
			key = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", c.CleverID, c.Name, c.Connection.State(), moment(c.Since()), answered, key)
		if c.Connection.State() == string(models.SwitchWaiting) && waiting == "" {
			waiting = c.CleverID
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if waiting != "" {
		fmt.Fprintf(out, "\nSwitch a waiting district on with: hallpass connections on %s\n", waiting)
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// turn puts districts' switches where the operator wants them.
func turn(ctx context.Context, store *models.Store, ids []string, all bool, to models.Switch, out io.Writer) error {
	if all {
		list, err := connectedDistricts(ctx, store)
		if err != nil {
			return err
		}
		for _, c := range list {
			ids = append(ids, c.CleverID)
		}
	}
	var errs []error
	for _, cleverID := range ids {
		id, err := store.DistrictID(ctx, cleverID)
		if errors.Is(err, models.ErrNotFound) {
			err = errors.New("not known here: hallpass connections find looks at Clever's token list")
		}
		changed := false
		if err == nil {
			err = store.As(access.System(id, operator)).Write(ctx, func(tx *models.Tx) (err error) {
				changed, err = tx.OperateSwitch(ctx, to)
				return err
			})
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("district %s: %w", cleverID, err))
		case changed:
			fmt.Fprintf(out, "district %s is now %s\n", cleverID, to)
		default:
			fmt.Fprintf(out, "district %s was %s already\n", cleverID, to)
		}
	}
	return errors.Join(errs...)
}

// rotate seals every kept token under the newest key, so that older keys can be taken away.
func rotate(ctx context.Context, store *models.Store, out io.Writer) error {
	ids, err := store.DistrictIDs(ctx)
	if err != nil {
		return err
	}
	n := 0
	var errs []error
	for _, id := range ids {
		done := false
		err := store.As(access.System(id, operator)).Write(ctx, func(tx *models.Tx) (err error) {
			done, err = tx.ResealToken(ctx)
			return err
		})
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			errs = append(errs, err)
		}
		if done {
			n++
		}
	}
	fmt.Fprintf(out, "%d tokens sealed under the newest key\n", n)
	return errors.Join(errs...)
}
