package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Bars that are set for the product.
const (
	barRatio    = 3.0  // median of a page over that of the bare one
	barMiddle   = 1.1  // a page in the middle over the first: as fast, give or take the noise of a run
	barPage     = 30.0 // ms at concurrency 1
	barSync     = 0.5  // users a second over those of the bare loader
	barMemoryMB = 300.0
)

// report prints figures as they come and keeps them for --json.
type report struct {
	out io.Writer

	Began   time.Time              `json:"began"`
	Machine string                 `json:"machine"`
	Users   int                    `json:"users_asked_for"`
	Schools int                    `json:"schools"`
	Seed    uint64                 `json:"seed"`
	Edited  int                    `json:"edited"`
	Syncs   map[string]syncFigures `json:"syncs"`
	Bare    map[string]float64     `json:"bare_sync_users_per_second"`
	Pages   []pageFigures          `json:"pages"`
	Access  *accessFigures         `json:"access,omitempty"`

	Meanwhile *meanwhileFigures `json:"meanwhile,omitempty"`
	Held      *heldFigures      `json:"held,omitempty"`

	Missed   []string `json:"bars_missed"`
	LoadsAvg []string `json:"load_average"`
}

// describe says what the figures are of.
func (w *world) describe(ctx context.Context) error {
	var version string
	if err := w.owner.QueryRow(ctx, `SHOW server_version`).Scan(&version); err != nil {
		return fmt.Errorf("describe machine: %w", err)
	}
	r := w.report
	r.Machine = fmt.Sprintf("%d cores%s%s, %s/%s, PostgreSQL %s (shared_buffers %s, work_mem %s, fsync off), %s", runtime.NumCPU(),
		detail(" of ", "/proc/cpuinfo", "model name"), memory(), runtime.GOOS, runtime.GOARCH, version, settings["shared_buffers"], settings["work_mem"], runtime.Version())
	fmt.Fprintf(r.out, "%s\nLoad generator, console, yardstick, pretend Clever and database share the machine; load average %s.\n", r.Machine, r.load())
	fmt.Fprintf(r.out, "District: about %s users, %d schools, seed %d.\n", thousands(int64(r.Users)), r.Schools, r.Seed)
	return nil
}

// detail reads a line "name : value" of a file that Linux has, or nothing.
func detail(before, path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return before + strings.TrimSpace(value)
		}
	}
	return ""
}

func memory() string {
	kb, err := strconv.ParseFloat(strings.TrimSuffix(detail("", "/proc/meminfo", "MemTotal"), " kB"), 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", %.0f GiB", kb/(1<<20))
}

// load is the load average now, where the machine says.
func (r *report) load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load := strings.Join(strings.Fields(string(raw))[:3], " ")
	r.LoadsAvg = append(r.LoadsAvg, load)
	return load
}

var syncNames = map[string]string{"first": "first sync", "unchanged": "nothing changed", "changed": "some changed"}

func (r *report) sync(name string, f syncFigures) {
	if r.Syncs == nil {
		r.Syncs = map[string]syncFigures{}
	}
	r.Syncs[name] = f
	rows, all := f.rosterRows()
	fmt.Fprintf(r.out, "  %-16s %10s users %7.1f s %9s users/s   peak memory %.0f MB   whole sync %.1f s (sections %.1f s)   load %s\n", syncNames[name],
		thousands(int64(f.Read["users"])), f.Seconds["users"], thousands(int64(f.usersPerSecond())), f.PeakMB, f.Total, f.Seconds["sections"], r.load())
	fmt.Fprintf(r.out, "  %-16s %10s roster rows written: %s\n", "", thousands(rows), all)
	if name == "changed" {
		fmt.Fprintf(r.out, "  %-16s %10s people had been edited\n", "", thousands(int64(r.Edited)))
	}
}

func (r *report) bareSync(name string, users int, took time.Duration) {
	if r.Bare == nil {
		r.Bare = map[string]float64{}
	}
	r.Bare[name] = float64(users) / took.Seconds()
	fmt.Fprintf(r.out, "  %-16s %10s users %7.1f s %9s users/s   bare COPY + INSERT … ON CONFLICT\n", "  yardstick",
		thousands(int64(users)), took.Seconds(), thousands(int64(r.Bare[name])))
}

func (r *report) syncBars() {
	for _, name := range []string{"first", "unchanged", "changed"} {
		f := r.Syncs[name]
		r.bar(f.PeakMB < barMemoryMB, "%s: peak memory %.0f MB, below %.0f", syncNames[name], f.PeakMB, barMemoryMB)
		if bare := r.Bare[name]; bare > 0 {
			ratio := f.usersPerSecond() / bare
			if name == "first" {
				r.bar(ratio >= barSync, "%s: %.2f of the yardstick's users/s, at least %.1f", syncNames[name], ratio, barSync)
			} else {
				fmt.Fprintf(r.out, "  info    %s: %.2f of the yardstick's users/s\n", syncNames[name], ratio)
			}
		}
	}
	rows, _ := r.Syncs["unchanged"].rosterRows()
	r.bar(rows == 0, "nothing changed: %d roster rows written, 0 wanted", rows)
}

// bar prints whether a bar is met, and remembers those that are not.
func (r *report) bar(met bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	word := "  ok     "
	if !met {
		word = "  MISSED "
		r.Missed = append(r.Missed, text)
	}
	fmt.Fprintln(r.out, word, text)
}

func (r *report) pagesBegin(o options) {
	fmt.Fprintf(r.out, "\nPages, median and p99 in ms of %d rounds × %g s in turns; x is the product's median over the bare one's; load %s\n", o.rounds, o.seconds, r.load())
	fmt.Fprintf(r.out, "  %-20s | %31s | %31s | %5s | %35s | %35s | %5s\n", "", "product, 1 client", "bare, 1 client", "x", "product, 16 clients", "bare, 16 clients", "x")
	fmt.Fprintf(r.out, "  %-20s | %9s %9s %11s | %9s %9s %11s | %5s | %10s %10s %13s | %10s %10s %13s | %5s\n", "page",
		"median", "p99", "bytes", "median", "p99", "bytes", "", "median", "p99", "pages/s", "median", "p99", "pages/s", "")
}

func (r *report) page(f pageFigures) {
	r.Pages = append(r.Pages, f)
	p, b := f.Product, f.Bare
	name := f.Name
	if !f.Judged {
		name = "(" + name + ")"
	}
	fmt.Fprintf(r.out, "  %-20s | %9.2f %9.2f %11s | %9.2f %9.2f %11s | %5.2f | %10.2f %10.2f %13s | %10.2f %10.2f %13s | %5.2f\n", name,
		p.P50, p.P99, thousands(p.Bytes), b.P50, b.P99, thousands(b.Bytes), p.P50/b.P50,
		p.P50Many, p.P99Many, thousands(int64(p.PerSec)), b.P50Many, b.P99Many, thousands(int64(b.PerSec)), p.P50Many/b.P50Many)
}

func (r *report) pagesEnd() {
	fmt.Fprintf(r.out, "  load average at the end %s\n", r.load())
	at := map[string]pageFigures{}
	for _, f := range r.Pages {
		if !f.Judged {
			continue
		}
		r.bar(f.Product.P50 <= barRatio*f.Bare.P50 && f.Product.P50Many <= barRatio*f.Bare.P50Many,
			"%s: median %.2f × the bare one at 1 client, %.2f × at %d, at most %.0f", f.Name, f.Product.P50/f.Bare.P50, f.Product.P50Many/f.Bare.P50Many, many, barRatio)
		r.bar(f.Product.P50 <= barPage && f.Product.P99 <= barPage, "%s: median %.2f ms, p99 %.2f ms at 1 client, at most %.0f", f.Name, f.Product.P50, f.Product.P99, barPage)
		at[f.Name] = f
	}
	first, middle, amid := at[firstPage], at[inTheMiddle], at[amidTheList]
	r.bar(middle.Product.P50 <= barMiddle*first.Product.P50, "%s: %.2f × the first page, at most %.1f", middle.Name, middle.Product.P50/first.Product.P50, barMiddle)
	fmt.Fprintf(r.out, "  info    %s, each another one: %.2f × the first page, and %.2f × on the bare server: they come from memory\n", amid.Name,
		amid.Product.P50/first.Product.P50, amid.Bare.P50/first.Bare.P50)
	if len(r.Missed) > 0 {
		fmt.Fprintf(r.out, "%d bars missed.\n", len(r.Missed))
	}
}

// thousands writes 1269267 as 1,269,267.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
