package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"hallpass/models"
)

// errBrokenChain ends the program with code 1.
var errBrokenChain = errors.New("the audit chain does not hold: see above")

// audit verifies the chain of audit entries of one district, or of all.
func audit(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 || args[0] != "verify" {
		return fmt.Errorf("%w: audit verify", errUsage)
	}
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	district := flags.String("district", "", "Clever `id` of one district; without it, every district")
	noted := flags.String("noted", "", "an entry noted before, as `NUMBER:HASH`; needs --district")
	if err := parse(flags, args[1:], errOut); err != nil {
		return err
	}
	number, hash, err := parseNoted(*noted)
	if err != nil || *noted != "" && *district == "" {
		return fmt.Errorf("%w: audit verify: --noted wants NUMBER:HASH, as a run before printed it, and --district", errUsage)
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
	districts, err := store.DistrictIDs(ctx)
	if *district != "" {
		var id int64
		id, err = store.DistrictID(ctx, *district)
		districts = []int64{id}
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("district %s: not known here", *district)
		}
	}
	if err != nil {
		return err
	}
	return verify(ctx, store, districts, number, hash, out)
}

func verify(ctx context.Context, store *models.Store, districts []int64, number int64, hash []byte, out io.Writer) error {
	if len(districts) == 0 {
		fmt.Fprintln(out, "no district has been here yet")
	}
	broken := false
	for _, id := range districts {
		r, err := store.VerifyAudit(ctx, id, number, nil)
		if err != nil {
			return err
		}
		if number > 0 && !bytes.Equal(r.Noted, hash) {
			broken = true
			fmt.Fprintf(out, "district %s: entry %d is %s\n", r.CleverID, number, notedState(r))
		}
		for _, f := range r.Faults {
			fmt.Fprintf(out, "district %s: %s\n", r.CleverID, faultText(f))
		}
		if more := r.Broken - len(r.Faults); more > 0 {
			fmt.Fprintf(out, "district %s: and %d more\n", r.CleverID, more)
		}
		broken = broken || r.Broken > 0
		if r.Broken == 0 {
			fmt.Fprintf(out, "district %s: %d entries, each follows the one before it\n", r.CleverID, r.Entries)
		}
		if r.Entries > 0 {
			fmt.Fprintf(out, "  last entry, of %s: %d:%x\n", r.LastAt.UTC().Format("2006-01-02 15:04:05 MST"), r.Last, r.LastHash)
		}
	}
	if len(districts) > 0 {
		fmt.Fprint(out, `
Note the last entry somewhere that this database's administrators cannot write. A chain that was cut off at its end, or
made anew as a whole, looks unbroken: only --district ID --noted NUMBER:HASH, with what was noted before, shows it.
`)
	}
	if broken {
		return errBrokenChain
	}
	return nil
}

// notedState says what became of an entry that was noted before.
func notedState(r models.AuditReport) string {
	if r.Noted == nil {
		return "not there any more"
	}
	return "not the one that was noted: its hash is now " + hex.EncodeToString(r.Noted)
}

// parseNoted reads NUMBER:HASH; nothing is 0.
func parseNoted(text string) (number int64, hash []byte, err error) {
	if text == "" {
		return 0, nil, nil
	}
	before, after, _ := strings.Cut(text, ":")
	if number, err = strconv.ParseInt(before, 10, 64); err != nil {
		return 0, nil, err
	}
	hash, err = hex.DecodeString(after)
	if err != nil || len(hash) != 32 || number <= 0 {
		return 0, nil, errors.New("not an entry")
	}
	return number, hash, nil
}

// faultText says what is wrong with an entry, and what was done to make it so.
func faultText(f models.AuditFault) string {
	switch f.Kind {
	case models.EntryMissing:
		if f.Other > f.Entry {
			return fmt.Sprintf("entries %d to %d are missing: they were removed", f.Entry, f.Other)
		}
		return fmt.Sprintf("entry %d is missing: it was removed", f.Entry)
	case models.EntryMoved:
		return fmt.Sprintf("entry %d was written as number %d: entries were put in, taken out or reordered", f.Entry, f.Other)
	case models.EntryUnlinked:
		return fmt.Sprintf("entry %d does not follow entry %d: that one was replaced, or one was put in between", f.Entry, f.Entry-1)
	case models.EntryNotListed:
		return fmt.Sprintf("entry %d is told of by a receipt, and is not there or tells of something else", f.Entry)
	}
	return fmt.Sprintf("entry %d was changed: its content does not match its hash", f.Entry)
}
