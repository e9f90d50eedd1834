package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
)

// linkageCommand is how this program is told to be the child whose time and memory are taken.
const linkageCommand = "linkage-run"

// Bars of the duplicates.
const (
	linkageDistrict  = 10_000  // employees of the district whose quality is measured
	linkageEmployees = 100_000 // and of the one whose time is
	barFebrl         = 0.99
	barLinkage       = 60.0  // s, all suggestions
	barLinkageMB     = 500.0 // the whole process, the generated records included
	barRescore       = 20.0  // ms
	rescored         = 500
)

// labelledFolder is where the labelled files lie, seen from the repository.
var labelledFolder = filepath.Join("..", "shared", "data", "linkage")

// linkageFigures is what the child reports.
type linkageFigures struct {
	Records, Compared, Suggestions, Oversized int
	Learn, Index, Suggest                     float64 // s
	Rescore                                   []float64
}

// linkage measures how well and how fast duplicates are found, and what a few lines of SQL would do in their place.
func linkage(ctx context.Context, o options, r *report) (err error) {
	fmt.Fprintf(r.out, "Duplicates: quality, speed and a baseline in SQL; %d cores, %s, seed %d, load %s\n", runtime.NumCPU(), runtime.Version(), o.seed, r.load())
	sets, err := labelledSets(r.out)
	if err != nil {
		return err
	}
	sets = append(sets, dedupetest.District(o.seed, linkageDistrict))
	sql, err := newLinkageSQL(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sql.end(ctx)) }()
	fmt.Fprintln(r.out, "\nQuality if every suggestion were accepted. The generated district is synthetic: its truth is exact and its mixture invented.")
	for _, set := range sets {
		if err := linkageQuality(ctx, r, sql, set); err != nil {
			return err
		}
	}
	linkageTraps(r, o.seed)
	if err := linkageSpeed(ctx, o, r); err != nil {
		return err
	}
	large := dedupetest.District(o.seed, linkageEmployees)
	if err := linkageStored(ctx, sql, r, large); err != nil {
		return err
	}
	return sql.speed(ctx, r, large)
}

// labelledSets reads the files that are there, and says which are not.
func labelledSets(out io.Writer) ([]dedupetest.Labelled, error) {
	var sets []dedupetest.Labelled
	for _, file := range []struct {
		name string
		read func(string, io.Reader) (dedupetest.Labelled, error)
	}{{"febrl_dataset3.csv", dedupetest.Febrl}, {"splink_fake_1000.csv", dedupetest.Splink}} {
		from, err := os.Open(filepath.Join(labelledFolder, file.name))
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(out, "  %s is not here and not measured\n", file.name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read labelled data: %w", err)
		}
		set, err := file.read(file.name, from)
		from.Close()
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
		if len(set.Records[0].Numbers) > 0 { // a number that nearly all true pairs share settles most of a file by itself
			set.Name, set.Records = set.Name+" without its number", slices.Clone(set.Records)
			for i := range set.Records {
				set.Records[i].Numbers = nil
			}
			sets = append(sets, set)
		}
	}
	return sets, nil
}

func linkageQuality(ctx context.Context, r *report, sql *linkageSQL, set dedupetest.Labelled) error {
	measure := func() (dedupetest.Quality, float64) {
		began := time.Now()
		ix := dedupe.NewIndex(dedupe.Learn(set.Records), set.Records)
		result := ix.Suggest(dedupe.Options{})
		took := time.Since(began).Seconds()
		return dedupetest.Measure(set, ix, result.Suggestions), took
	}
	q, took := measure()
	fmt.Fprintf(r.out, "\n  %s: %d records, %.1f s\n", set.Name, len(set.Records), took)
	q.Print(r.out, "Hallpass")
	best, rule, seconds, err := sql.best(ctx, set)
	if err != nil {
		return err
	}
	best.Print(r.out, "SQL, best threshold")
	fmt.Fprintf(r.out, "  %-22s %s; %.1f s\n", "", rule, seconds)
	fmt.Fprintln(r.out, "  Calibration of the pairs compared:")
	q.PrintCalibration(r.out)
	again, _ := measure()
	r.bar(again.Pairs == q.Pairs && again.BCubed == q.BCubed && slices.Equal(again.Calibration, q.Calibration), "%s: the same figures twice", set.Name)
	if strings.HasPrefix(set.Name, "febrl_dataset3.csv") {
		r.bar(q.Pairs.F1 >= barFebrl, "%s: pairwise F1 %.4f, at least %.2f", set.Name, q.Pairs.F1, barFebrl)
	}
	return nil
}

func linkageTraps(r *report, seed uint64) {
	traps := dedupetest.Traps()
	records, decisions := dedupetest.Plant(dedupetest.District(seed, linkageDistrict), traps)
	ix := dedupe.NewIndex(dedupe.Learn(records), records)
	sprung := dedupetest.Sprung(records, traps, ix.Suggest(dedupe.Options{Decisions: decisions}))
	fmt.Fprintf(r.out, "\nTraps: %d planted\n", len(traps))
	for _, err := range sprung {
		fmt.Fprintf(r.out, "  failed: %v\n", err)
	}
	r.bar(len(sprung) == 0, "trap failures: %d, 0 wanted", len(sprung))
}

// linkageSpeed lets a child work through a large district and watches its clock and its memory.
func linkageSpeed(ctx context.Context, o options, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("linkage speed: %w", err)
	}
	cmd := command(ctx, self, linkageCommand, strconv.FormatUint(o.seed, 10), strconv.Itoa(linkageEmployees))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("linkage speed: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("linkage speed: %w", err)
	}
	peak := watchMemory(cmd.Process.Pid)
	var f linkageFigures
	read := json.NewDecoder(stdout).Decode(&f)
	ended := cmd.Wait()
	mb := float64(peak(cmd.ProcessState)) / (1 << 20)
	if err := errors.Join(read, ended); err != nil {
		return fmt.Errorf("linkage speed: %w", err)
	}
	all := f.Learn + f.Index + f.Suggest
	slices.Sort(f.Rescore)
	p99 := f.Rescore[len(f.Rescore)*99/100]
	fmt.Fprintf(r.out, "\nSpeed: district of %s employees, %s records; load %s\n", thousands(linkageEmployees), thousands(int64(f.Records)), r.load())
	fmt.Fprintf(r.out, "  all suggestions   %.1f s (learn %.1f, index %.1f, compare and group %.1f), %s pairs compared, %s suggestions, %d blocks too large; peak memory %.0f MB\n",
		all, f.Learn, f.Index, f.Suggest, thousands(int64(f.Compared)), thousands(int64(f.Suggestions)), f.Oversized, mb)
	fmt.Fprintf(r.out, "  one changed user  median %.2f ms, p99 %.2f ms, worst %.2f ms of %d\n", f.Rescore[len(f.Rescore)/2], p99, f.Rescore[len(f.Rescore)-1], len(f.Rescore))
	r.bar(all <= barLinkage, "all suggestions: %.1f s, at most %.0f", all, barLinkage)
	r.bar(mb <= barLinkageMB, "all suggestions: peak memory %.0f MB, at most %.0f", mb, barLinkageMB)
	r.bar(p99 <= barRescore, "one changed user: p99 %.2f ms, at most %.0f", p99, barRescore)
	return nil
}

// linkageRun is the child: everything in one process, as a job would.
func linkageRun(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("linkage-run: want seed and employees")
	}
	seed, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("linkage-run: %w", err)
	}
	employees, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("linkage-run: %w", err)
	}
	set := dedupetest.District(seed, employees)
	set.Truth = nil
	f := linkageFigures{Records: len(set.Records)}
	lap := time.Now()
	since := func() float64 { took := time.Since(lap).Seconds(); lap = time.Now(); return took }
	model := dedupe.Learn(set.Records)
	f.Learn = since()
	ix := dedupe.NewIndex(model, set.Records)
	f.Index = since()
	result := ix.Suggest(dedupe.Options{})
	f.Suggest = since()
	f.Compared, f.Suggestions, f.Oversized = result.Compared, len(result.Suggestions), len(result.Oversized)
	for i := range rescored {
		changed := set.Records[i*len(set.Records)/rescored]
		changed.Emails = append(slices.Clone(changed.Emails), fmt.Sprintf("changed%d@elsewhere.example", i))
		began := time.Now()
		ix.Around(&changed, dedupe.Options{})
		f.Rescore = append(f.Rescore, time.Since(began).Seconds()*1000)
	}
	return json.NewEncoder(out).Encode(f)
}
