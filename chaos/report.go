package main

import (
	"fmt"
	"text/tabwriter"
	"time"
)

// figure is what one part did and found.
type figure struct {
	Name        string
	Done        int    // kills, restarts, troubles
	Amid        int    // of them, those that left a run behind
	What        string // further figures in words
	Compared    int
	Differences int
	Took        time.Duration
	Skipped     string // why it was not done
}

type figures struct {
	parts []*figure
	found []string
}

// find notes what is wrong.
func (w *world) find(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.figures.found = append(w.figures.found, text)
	fmt.Fprintln(w.out, "  FOUND", text)
}

// progress says that the program is alive.
func (w *world) progress(part *figure, of int) {
	fmt.Fprintf(w.out, "  %s: %d of %d, %d in the middle of a run, %d comparisons, %d differences\n", part.Name, part.Done, of, part.Amid, part.Compared, part.Differences)
}

// print is the table at the end.
func (w *world) print() (differences int) {
	fmt.Fprintf(w.out, "\nSeed %d, %d people, %d edits of the district meanwhile\n", w.seed, w.users, w.edits.made)
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "part\ttimes\tamid a run\tcompared\tdifferences\ttime\t")
	for _, p := range w.figures.parts {
		differences += p.Differences
		if p.Skipped != "" {
			fmt.Fprintf(table, "%s\tskipped: %s\n", p.Name, p.Skipped)
			continue
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%s\t%s\n", p.Name, p.Done, p.Amid, p.Compared, p.Differences, p.Took.Round(time.Second), p.What)
	}
	table.Flush()
	for _, text := range w.figures.found {
		fmt.Fprintln(w.out, "FOUND", text)
	}
	fmt.Fprintf(w.out, "%d differences\n", differences)
	return differences
}
