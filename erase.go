package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"hallpass/models"
)

// erase removes a district for good and writes the certificate. Without --yes it only says what would go.
func erase(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("erase", flag.ContinueOnError)
	district := flags.String("district", "", "Clever `id` of the district")
	yes := flags.Bool("yes", false, "erase; without it, only say what would go")
	now := flags.Bool("now", false, "before the set retention is over; needs --confirm")
	confirm := flags.String("confirm", "", "the district's `name`, word for word, for --now")
	by := flags.String("by", "", "`who` answers for it, for the certificate (default: this computer's account)")
	to := flags.String("out", "", "`file` for the certificate (default: erasure-DISTRICT.json here); - is standard output")
	if err := parse(flags, args, errOut); err != nil {
		return err
	}
	if *district == "" {
		return fmt.Errorf("%w: erase: --district is missing", errUsage)
	}
	if *by == "" {
		*by = account()
	}
	if *to == "" {
		*to = "erasure-" + *district + ".json"
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
	store, err := openStore(ctx, c, db.url) // of this program's schema: it erases what it knows
	if err != nil {
		return err
	}
	store.Close()
	plan, err := models.PlanErasure(ctx, db.url, *district)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return fmt.Errorf("district %s: not known here, or erased before", *district)
	case errors.Is(err, models.ErrStillHere):
		return fmt.Errorf("%w: hallpass connections off %s", err, *district)
	case err != nil:
		return err
	}
	early := time.Now().Before(plan.KeptUntil)
	if !*yes {
		sayErasure(out, plan, early)
		return nil
	}
	switch {
	case early && !*now:
		return fmt.Errorf("district %s is kept until %s: --now --confirm NAME erases it before", *district, moment(plan.KeptUntil))
	case early && *confirm != plan.Name:
		return fmt.Errorf("--confirm %q is not the name of district %s", *confirm, *district)
	}
	// The file is made before anything goes, so that a certificate has somewhere to be.
	file, err := certificateFile(*to, out)
	if err != nil {
		return err
	}
	done, err := models.Erase(ctx, db.url, *district, *by, time.Now())
	if err != nil && done.Erased == nil {
		return errors.Join(err, file.drop())
	}
	text, marshalled := json.MarshalIndent(done, "", "  ")
	if marshalled != nil {
		return errors.Join(err, marshalled)
	}
	if written := file.write(append(text, '\n')); written != nil {
		return errors.Join(err, fmt.Errorf("everything is erased, and the certificate stands in the table erasures only: %w", written))
	}
	if *to != "-" {
		fmt.Fprintf(out, "district %s is erased: %d rows. Its certificate is %s\nBackups made before still hold it: see docs/decisions/0009-connections-and-erasure.md\n", *district, done.Total(), *to)
	}
	return err
}

func sayErasure(out io.Writer, plan models.Erasure, early bool) {
	fmt.Fprintf(out, "District %s (%s), %s since %s.\nErasing it removes:\n\n", plan.District, plan.Name, plan.State, moment(plan.GoneSince))
	for _, r := range plan.Rows {
		if r.Rows > 0 {
			fmt.Fprintf(out, "%12d  %s\n", r.Rows, r.Table)
		}
	}
	fmt.Fprintf(out, "%12d  in all\n", plan.Total())
	fmt.Fprintf(out, "\nNothing has been erased. The audit goes too: hallpass export --district %s keeps a copy.\n", plan.District)
	if early {
		fmt.Fprintf(out, "It is kept until %s. Before that, erase with: --yes --now --confirm %q\n", moment(plan.KeptUntil), plan.Name)
	} else {
		fmt.Fprintln(out, "Erase with: --yes")
	}
}

// account is who is at this computer.
func account() string {
	u, err := user.Current()
	if err != nil {
		return fmt.Sprintf("account %d", os.Getuid())
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" {
		return sudo + " as " + u.Username
	}
	return u.Username
}

// certificate is where one goes.
type certificate struct {
	out  io.Writer
	file *os.File
}

func certificateFile(path string, out io.Writer) (certificate, error) {
	if path == "-" {
		return certificate{out: out}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return certificate{}, fmt.Errorf("make the certificate's file: %w", err)
	}
	return certificate{out: file, file: file}, nil
}

func (c certificate) write(text []byte) error {
	_, err := c.out.Write(text)
	if c.file != nil {
		err = errors.Join(err, c.file.Sync(), c.file.Close())
	}
	return err
}

// drop takes the empty file away again.
func (c certificate) drop() error {
	if c.file == nil {
		return nil
	}
	return errors.Join(c.file.Close(), os.Remove(c.file.Name()))
}
