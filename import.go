package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"hallpass/access"
	"hallpass/imports"
	"hallpass/models"
)

// importFile brings one file of the app's old accounts, or Clever's list of old ids and new ones, into one district.
func importFile(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	district := flags.String("district", "", "Clever `id` of the district; needed where there are several")
	dry := flags.Bool("dry-run", false, "say what the file would do, and do nothing")
	var file string
	if len(args) > 0 && (args[0] == "" || args[0][0] != '-') { // before the flags, or after them
		file, args = args[0], args[1:]
	}
	flags.SetOutput(errOut)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: import: %w", errUsage, err)
	}
	if file == "" {
		file = flags.Arg(0)
	}
	if file == "" || flags.NArg() > 1 || flags.NArg() == 1 && flags.Arg(0) != file {
		return fmt.Errorf("%w: import: want one file", errUsage)
	}
	body, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer body.Close()
	size := int64(0)
	if info, err := body.Stat(); err == nil {
		size = info.Size()
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
	store, err := openStore(ctx, c, db.url)
	if err != nil {
		return err
	}
	defer store.Close()
	id, err := theDistrict(ctx, store, *district)
	if err != nil {
		return err
	}
	i, err := imports.File(ctx, store, id, filepath.Base(file), size, body, *dry)
	if err != nil {
		return err
	}
	return reportImport(ctx, store, id, i, *dry, out)
}

// theDistrict is the one that was named, or the only one there is.
func theDistrict(ctx context.Context, store *models.Store, cleverID string) (int64, error) {
	if cleverID != "" {
		id, err := store.DistrictID(ctx, cleverID)
		if errors.Is(err, models.ErrNotFound) {
			return 0, fmt.Errorf("district %s is not known here: sync it first", cleverID)
		}
		return id, err
	}
	all, err := store.DistrictIDs(ctx)
	switch {
	case err != nil:
		return 0, err
	case len(all) == 0:
		return 0, errors.New("no district is known here yet: sync one first")
	case len(all) > 1:
		return 0, fmt.Errorf("%w: import: there are %d districts, name one with --district", errUsage, len(all))
	}
	return all[0], nil
}

// reportImport prints what became of a file; one that could not be taken is an error.
func reportImport(ctx context.Context, store *models.Store, district int64, i models.Import, dry bool, out io.Writer) error {
	fmt.Fprintf(out, "%s: %d bytes, %d rows, read as %s\n", i.FileName, i.BytesRead, i.RowsRead, i.Form)
	for _, n := range i.Notices {
		fmt.Fprintf(out, "  note: %s\n", n)
	}
	if i.State == models.ImportFailed {
		var list []models.RowError
		err := store.As(access.System(district, "import")).Read(ctx, func(tx *models.Tx) (err error) {
			list, err = tx.ImportErrors(ctx, i.ID, models.RowError{}, 20)
			return err
		})
		for _, e := range list {
			place := fmt.Sprintf("line %d", e.Line)
			if e.Col > 0 { // else it is the whole row
				place += fmt.Sprintf(", column %d", e.Col)
			}
			fmt.Fprintf(out, "  %s: %s %s\n", place, e.Code, e.Field)
		}
		return errors.Join(err, fmt.Errorf("import %d: nothing was imported: %s, %d rows with errors", i.ID, i.Error, i.RowsWrong))
	}
	fmt.Fprintf(out, "  %d new, %d changed, %d as they were\n", i.Counts.New, i.Counts.Changed, i.Counts.Same)
	for _, f := range i.Counts.Fates {
		fmt.Fprintf(out, "  %-9s %-14s %-10s %8d\n", f.State, f.Role, f.Why, f.N)
	}
	if dry {
		fmt.Fprintln(out, "a dry run: nothing was changed")
	} else if i.State != models.ImportApplied {
		return fmt.Errorf("import %d was not applied: it is %s", i.ID, i.State)
	}
	return nil
}
