package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"hallpass/models"
)

// migrate brings the schema up to date, or says where it stands.
func migrate(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 || args[0] != "up" && args[0] != "status" {
		return fmt.Errorf("%w: migrate up, or migrate status", errUsage)
	}
	if err := parse(flag.NewFlagSet("migrate "+args[0], flag.ContinueOnError), args[1:], errOut); err != nil {
		return err
	}
	c, err := loadConfig(os.LookupEnv, needs{})
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.stop()
	if args[0] == "up" {
		n, err := models.MigrateUp(ctx, db.url)
		if err == nil {
			fmt.Fprintf(out, "schema up to date, %d steps taken\n", n)
		}
		return err
	}
	steps, err := models.Migrations(ctx, db.url)
	for _, m := range steps {
		state := "pending"
		if m.Applied {
			state = "taken"
		}
		fmt.Fprintf(out, "%-8s %s\n", state, m.Name)
	}
	return err
}
