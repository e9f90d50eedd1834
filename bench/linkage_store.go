package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
	"hallpass/dedupe/merge"
	"hallpass/dedupe/queue"
	"hallpass/dedupe/queue/queuetest"
	"hallpass/models"
)

// storedCommand is how this program is told to be the child that works through a district in the database.
const storedCommand = "linkage-store"

const (
	storedRuns    = 3 // of everything
	storedChanged = 200
	mergeRows     = 10_000
	mergeRuns     = 5
	barMerge      = 1000.0 // ms, preview and merge together
	barQueue      = 1.1    // as fast as the people's page
	mergeSites    = 500    // sections at one school, so that the rows lie as a roster's do
	listRuns      = 50     // of the rows of a page
)

// storedFigures is what the child reports. The first of All stores every suggestion, the others find them stored.
type storedFigures struct {
	All         []float64 // s
	Suggestions int
	Changed     []float64 // ms
}

// linkageStored measures what a job of the product does with a large district: read it, compute, and store, in a
// process of its own; then single people who change; then merges of somebody with many rows.
func linkageStored(ctx context.Context, sql *linkageSQL, r *report, set dedupetest.Labelled) error {
	fail := func(err error) error { return fmt.Errorf("stored district: %w", err) }
	url, err := sql.cluster.EnsureDatabase(ctx, "stored")
	if err != nil {
		return fail(err)
	}
	if _, err := models.MigrateUp(ctx, url); err != nil {
		return fail(err)
	}
	store, err := models.Open(ctx, models.Config{URL: url, MaxConns: 4, Now: time.Now})
	if err != nil {
		return fail(err)
	}
	defer store.Close()
	owner, err := pgx.Connect(ctx, url)
	if err != nil {
		return fail(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	district, err := store.EnsureDistrict(ctx, "linkage", "Linkage", "running")
	if err != nil {
		return fail(err)
	}
	records, admins := withAdmins(set.Records)
	if err := queuetest.Plant(ctx, owner, map[int64]int64{1: district}, records); err != nil {
		return fail(err)
	}
	f, mb, err := storedChild(ctx, url, district)
	if err != nil {
		return fail(err)
	}
	first, again := f.All[0], median(f.All[1:])
	fmt.Fprintf(r.out, "\nThrough the database: the same district; load %s\n", r.load())
	fmt.Fprintf(r.out, "  all suggestions   %.1f s the first time, %.1f s where they stand already (median of %d); %s suggestions; peak memory %.0f MB\n",
		first, again, storedRuns-1, thousands(int64(f.Suggestions)), mb)
	p99 := f.Changed[len(f.Changed)*99/100]
	fmt.Fprintf(r.out, "  one changed user  median %.1f ms, p90 %.1f ms, p99 %.1f ms, worst %.1f ms of %d\n", median(f.Changed), f.Changed[len(f.Changed)*9/10], p99, f.Changed[len(f.Changed)-1], len(f.Changed))
	r.bar(first <= barLinkage, "all suggestions, stored: %.1f s, at most %.0f", first, barLinkage)
	r.bar(mb <= barLinkageMB, "all suggestions, stored: peak memory %.0f MB, at most %.0f", mb, barLinkageMB)
	r.bar(p99 <= barRescore, "one changed user, stored: p99 %.1f ms, at most %.0f", p99, barRescore)
	m := &merging{store: store, owner: owner, district: district, admins: admins}
	if err := m.lists(ctx, r); err != nil {
		return err
	}
	return m.measure(ctx, r)
}

// lists reads the rows of the queue's page and those of the page of people, in turns.
func (m *merging) lists(ctx context.Context, r *report) error {
	scope, err := m.as(ctx, m.admins[0])
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	reader := models.DuplicateReader{User: m.admins[0], District: true}
	var queued, people []float64
	for range listRuns {
		began := time.Now()
		err = scope.Read(ctx, func(tx *models.Tx) error {
			if _, err := tx.SuggestionCounts(ctx, reader); err != nil {
				return err
			}
			_, err := tx.Suggestions(ctx, reader, models.SuggestionFilter{Kind: models.SuggestMerge, Class: "B"})
			return err
		})
		queued = append(queued, ms(time.Since(began)))
		if err != nil {
			return fmt.Errorf("lists: %w", err)
		}
		began = time.Now()
		err = scope.Read(ctx, func(tx *models.Tx) error {
			_, err := tx.Users(ctx, access.Reach{District: true}, models.UserFilter{})
			return err
		})
		people = append(people, ms(time.Since(began)))
		if err != nil {
			return fmt.Errorf("lists: %w", err)
		}
	}
	fmt.Fprintf(r.out, "  rows of a page    queue %.1f ms with its counts, people %.1f ms; medians of %d, in turns\n", median(queued), median(people), listRuns)
	ratio := median(queued) / median(people)
	r.bar(ratio <= barQueue, "rows of the queue's page: %.2f × those of the people's, at most %.1f", ratio, barQueue)
	return nil
}

func median(sorted []float64) float64 {
	sorted = slices.Sorted(slices.Values(sorted))
	return sorted[len(sorted)/2]
}

// withAdmins adds two district admins, who decide about merges in the end.
func withAdmins(records []dedupe.Record) ([]dedupe.Record, []int64) {
	top := int64(0)
	for i := range records {
		top = max(top, records[i].ID)
	}
	ids := []int64{top + 1, top + 2}
	records = slices.Clone(records)
	for i, id := range ids {
		name := []string{"Perpetua", "Thaddeus"}[i]
		records = append(records, dedupe.Record{
			ID: id, District: 1, Names: []dedupe.Name{{Given: name, Surname: "Oberlander-" + name}}, Roles: []dedupe.Role{{Role: access.DistrictAdmin, Current: true}},
			Clever: []dedupe.CleverID{{Value: "bench-admin-" + name, User: true, Current: true}},
		})
	}
	return records, ids
}

func storedChild(ctx context.Context, url string, district int64) (f storedFigures, mb float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, 0, err
	}
	cmd := command(ctx, self, storedCommand, strconv.FormatInt(district, 10))
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return f, 0, err
	}
	if err := cmd.Start(); err != nil {
		return f, 0, err
	}
	peak := watchMemory(cmd.Process.Pid)
	read := json.NewDecoder(stdout).Decode(&f)
	ended := cmd.Wait()
	mb = float64(peak(cmd.ProcessState)) / (1 << 20)
	slices.Sort(f.Changed)
	return f, mb, errors.Join(read, ended)
}

// storedRun is the child.
func storedRun(ctx context.Context, args []string, out io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", storedCommand, err) }
	if len(args) != 1 {
		return fail(errors.New("want a district"))
	}
	district, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return fail(err)
	}
	url := os.Getenv("DATABASE_URL")
	store, err := models.Open(ctx, models.Config{URL: url, MaxConns: 4, Now: time.Now})
	if err != nil {
		return fail(err)
	}
	defer store.Close()
	var f storedFigures
	for range storedRuns {
		began := time.Now()
		done, err := queue.Rebuild(ctx, store, district)
		if err != nil {
			return fail(err)
		}
		f.All = append(f.All, time.Since(began).Seconds())
		f.Suggestions = done.Added + done.Changed + done.Kept
		runtime.GC() // as a server would in the hours between
	}
	owner, err := pgx.Connect(ctx, url)
	if err != nil {
		return fail(err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	if _, err := owner.Exec(ctx, `VACUUM ANALYZE`); err != nil { // as autovacuum would
		return fail(err)
	}
	for i := range storedChanged {
		if _, err := owner.Exec(ctx, `WITH u AS (UPDATE users SET email = 'changed' || id || '@elsewhere.example' WHERE district_id = $1
				AND id = (SELECT user_id FROM role_grants WHERE district_id = $1 AND role = 'teacher' ORDER BY user_id OFFSET $2 LIMIT 1) RETURNING id)
			INSERT INTO dedupe_keys SELECT $1, 0, id FROM u`, district, i*101); err != nil {
			return fail(err)
		}
		began := time.Now()
		if err := queue.Refresh(ctx, store, district); err != nil {
			return fail(err)
		}
		f.Changed = append(f.Changed, time.Since(began).Seconds()*1000)
	}
	return json.NewEncoder(out).Encode(f)
}

// merging merges people with many rows and takes it back, several times.
type merging struct {
	store    *models.Store
	owner    *pgx.Conn
	district int64
	admins   []int64
}

func (m *merging) measure(ctx context.Context, r *report) error {
	fail := func(err error) error { return fmt.Errorf("merge of many rows: %w", err) }
	rows, err := m.owner.Query(ctx, `SELECT s.keep_id, array_agg(x.user_id ORDER BY x.user_id) FROM suggestions s JOIN suggestion_members x ON x.district_id = s.district_id AND x.suggestion_id = s.id
		WHERE s.district_id = $1 AND s.class = 'A' AND s.kind = 'merge' AND s.risk = 0 GROUP BY s.id, s.keep_id HAVING count(*) = 2 ORDER BY s.id LIMIT $2`, m.district, mergeRuns)
	if err != nil {
		return fail(err)
	}
	type pair struct {
		Keep    int64
		Members []int64
	}
	pairs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil {
		return fail(err)
	}
	var looked, both, back []float64
	for i, p := range pairs {
		loser := p.Members[0]
		if loser == p.Keep {
			loser = p.Members[1]
		}
		mark := fmt.Sprintf("bench-%d-", i)
		for _, sql := range []string{
			`INSERT INTO sections (district_id, clever_id, school_id, name_key, created_at, changed_at)
			 SELECT $1, $2 || n, (SELECT id FROM schools WHERE district_id = $1 ORDER BY id OFFSET n / $4 LIMIT 1), '', now(), now() FROM generate_series(1, $5::int) n WHERE $3::bigint > 0`,
			`INSERT INTO section_teachers SELECT $1, id, $3, true FROM sections WHERE district_id = $1 AND clever_id LIKE $2 || '%' AND $4::int + $5::int > 0`,
		} {
			if _, err := m.owner.Exec(ctx, sql, m.district, mark, loser, mergeSites, mergeRows); err != nil {
				return fail(err)
			}
		}
		if _, err := m.owner.Exec(ctx, `ANALYZE sections, section_teachers`); err != nil { // as a sync does
			return fail(err)
		}
		began := time.Now()
		d, look, err := m.merge(ctx, m.admins[0], merge.Request{Members: p.Members, Keep: p.Keep, Class: dedupe.Confirmed})
		took := time.Since(began)
		if err == nil && d.Merge.State != models.MergeDone { // a second person agrees
			began = time.Now()
			d, look, err = m.merge(ctx, m.admins[1], merge.Request{Members: p.Members, Keep: p.Keep, Class: dedupe.Confirmed, Proposal: d.Merge.ID})
			took = time.Since(began)
		}
		if err != nil {
			return fail(err)
		}
		looked, both = append(looked, ms(look)), append(both, ms(took))
		began = time.Now()
		if err := m.unmerge(ctx, m.admins[1], d.Merge.ID); err != nil {
			return fail(err)
		}
		back = append(back, ms(time.Since(began)))
	}
	if len(both) == 0 {
		return fail(errors.New("nobody to merge"))
	}
	fmt.Fprintf(r.out, "  merge of %s rows  preview %.0f ms, preview and merge %.0f ms, preview and taking back %.0f ms; medians of %d\n", thousands(mergeRows), median(looked), median(both), median(back), len(both))
	r.bar(median(both) <= barMerge, "preview and merge of %s rows: median %.0f ms, at most %.0f", thousands(mergeRows), median(both), barMerge)
	return nil
}

func (m *merging) as(ctx context.Context, user int64) (models.Scope, error) {
	actor := access.Actor{District: m.district, User: user}
	err := m.store.As(access.System(m.district, "bench")).Read(ctx, func(tx *models.Tx) error {
		in, err := tx.UserFacts(ctx, user)
		actor.Facts = in.Facts(tx.Now())
		actor.View = access.ViewAll
		return err
	})
	return m.store.As(actor), err
}

// merge looks at a plan and makes it, each in a transaction of its own as two pages would.
func (m *merging) merge(ctx context.Context, user int64, r merge.Request) (d merge.Done, look time.Duration, err error) {
	scope, err := m.as(ctx, user)
	if err != nil {
		return d, 0, err
	}
	began := time.Now()
	var hash []byte
	err = scope.Read(ctx, func(tx *models.Tx) error {
		p, err := merge.Look(ctx, tx, r)
		if err == nil {
			hash, err = p.Hash()
		}
		return err
	})
	look = time.Since(began)
	if err != nil {
		return d, look, err
	}
	err = scope.Write(ctx, func(tx *models.Tx) (err error) {
		if err = tx.LockAccess(ctx); err == nil {
			d, err = merge.Apply(ctx, tx, r, hash, benchToken(r))
		}
		return err
	})
	return d, look, err
}

func (m *merging) unmerge(ctx context.Context, user, id int64) error {
	scope, err := m.as(ctx, user)
	if err != nil {
		return err
	}
	r := merge.UnmergeRequest{Merge: id}
	return scope.Write(ctx, func(tx *models.Tx) error {
		if err := tx.LockAccess(ctx); err != nil {
			return err
		}
		u, err := merge.LookBack(ctx, tx, r)
		if err != nil {
			return err
		}
		hash, err := u.Hash()
		if err == nil {
			_, err = merge.Unmerge(ctx, tx, r, hash, benchToken(id))
		}
		return err
	})
}

// benchToken is a token as forms have them, the same for the same thing.
func benchToken(of any) string {
	text := fmt.Sprintf("%x", fmt.Sprint(of))
	return (text + strings.Repeat("0", 32))[:32]
}
