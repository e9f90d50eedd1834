package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// bareCommand, as the first argument, makes this program the yardstick's server: a process of its own, as the
// console's is.
const bareCommand = "bare-server"

// bare answers the questions of the console's pages with as little as possible between database and wire: net/http,
// pgx as the owner, HTML appended to a buffer.
type bare struct {
	pool     *pgxpool.Pool
	searches *pgxpool.Pool // plans anew for every search: a plan that suits common words suits rare ones badly
	district int64
}

// serveBare listens, says where, and ends when its standard input does: with the program that started it.
func serveBare(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("bare server: want the database and the district")
	}
	district, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("bare server: district: %w", err)
	}
	config, err := pgxpool.ParseConfig(args[0])
	if err != nil {
		return fmt.Errorf("bare server: %w", err)
	}
	config.MaxConns = 16 // as the console has
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("bare server: %w", err)
	}
	defer pool.Close()
	config = config.Copy()
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	searches, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("bare server: %w", err)
	}
	defer searches.Close()
	b := &bare{pool: pool, searches: searches, district: district}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", b.list)
	mux.HandleFunc("GET /users/{id}", b.user)
	mux.HandleFunc("GET "+nothingPath, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok\n") })
	mux.HandleFunc("GET "+tripPath+"{id}", b.trip)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bare server: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		server.Close()
	}()
	fmt.Fprintln(out, l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("bare server: %w", err)
	}
	return nil
}

// What a server does of itself, and with one round trip to the database.
const (
	nothingPath = "/nothing"
	tripPath    = "/grants/"
)

// bareTrip reads what every decision about a person rests on.
const bareTrip = `SELECT g.role, g.school_id FROM users u JOIN role_grant_schools g ON g.district_id = u.district_id AND g.user_id = u.id
	WHERE u.district_id = $1 AND u.clever_id = $2 AND g.ended_at IS NULL`

func (b *bare) trip(rw http.ResponseWriter, r *http.Request) {
	if err := roundTrip(r.Context(), b.pool, bareTrip, b.district, r.PathValue("id")); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(rw, "ok\n")
}

func roundTrip(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) error {
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var role string
	var school int64
	_, err = pgx.ForEachRow(rows, []any{&role, &school}, func() error { return nil })
	return err
}

// serveBare starts the yardstick's server and says where it is.
func (w *world) serveBare(ctx context.Context, self string) (address string, stop func() error, err error) {
	cmd := command(ctx, self, bareCommand, w.url, strconv.FormatInt(w.district, 10))
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start bare server: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, fmt.Errorf("start bare server: %w", err)
	}
	last, err := w.logged(cmd, "bare")
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start bare server: %w", err)
	}
	stop = func() error {
		in.Close()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("bare server: %w\n%s", err, last())
		}
		return nil
	}
	if _, err := fmt.Fscanln(out, &address); err != nil {
		return "", nil, errors.Join(fmt.Errorf("start bare server: %w", err), stop())
	}
	return address, stop, nil
}

// barePerson is one row of a list with its first roles.
type barePerson struct {
	id                         int64
	first, middle, last, email string
	key                        string // for the place after it
	grants                     []bareGrant
	more                       int
}

type bareGrant struct {
	role, school string
	labels       []string
	primary      bool
}

func (b *bare) list(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	people, count, err := b.people(r.Context(), q)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	var next *barePerson
	page := make([]byte, 0, 32<<10)
	page = append(page, `<!doctype html><meta charset="utf-8"><title>People</title><p>`...)
	page = strconv.AppendInt(page, int64(count), 10)
	page = append(page, `<table>`...)
	for i := range people {
		p := &people[i]
		if i == 50 {
			next = &people[i-1]
			break
		}
		page = append(page, `<tr><td><a href="/users/`...)
		page = strconv.AppendInt(page, p.id, 10)
		page = append(page, `">`...)
		page = appendName(page, p.last, p.first, p.middle)
		page = append(page, `</a><td>`...)
		page = appendText(page, p.email)
		for _, g := range p.grants {
			page = appendGrant(page, g)
		}
		if p.more > 0 {
			page = append(page, `<i>+ `...)
			page = strconv.AppendInt(page, int64(p.more), 10)
			page = append(page, `</i>`...)
		}
	}
	page = append(page, `</table>`...)
	if next != nil {
		page = append(page, `<a href="/users?key=`...)
		page = append(page, url.QueryEscape(next.key)...)
		page = append(page, `&amp;id=`...)
		page = strconv.AppendInt(page, next.id, 10)
		page = append(page, `">Next</a>`...)
	}
	send(rw, page)
}

func appendGrant(page []byte, g bareGrant) []byte {
	page = append(page, `<i>`...)
	page = appendText(page, g.role)
	for _, label := range g.labels {
		page = append(page, ' ')
		page = appendText(page, label)
	}
	page = append(page, `</i><td>`...)
	page = appendText(page, g.school)
	if g.primary {
		page = append(page, `<i>primary</i>`...)
	}
	return page
}

// people asks what the query string asks, in one round trip.
func (b *bare) people(ctx context.Context, q url.Values) ([]barePerson, int, error) {
	switch {
	case q.Has("q"):
		return b.search(ctx, q.Get("q"))
	case q.Has("school"):
		return rows(ctx, b.pool, atSchool, b.district, q.Get("school"), q.Get("role"))
	}
	id, _ := strconv.ParseInt(q.Get("id"), 10, 64) // none is the first page
	return rows(ctx, b.pool, inOrder, b.district, q.Get("key"), id)
}

// rows reads a statement of one row for each person and role.
func rows(ctx context.Context, pool *pgxpool.Pool, sql string, args ...any) (people []barePerson, count int, err error) {
	found, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, 0, err
	}
	defer found.Close()
	var p barePerson
	var id *int64
	var first, middle, last, email, key, role, school *string
	var labels []string
	var primary *bool
	var places *int
	for found.Next() {
		if err := found.Scan(&count, &id, &first, &middle, &last, &email, &key, &role, &labels, &school, &primary, &places); err != nil {
			return nil, 0, err
		}
		if id == nil {
			continue // nobody: only the count
		}
		if len(people) == 0 || people[len(people)-1].id != *id {
			p = barePerson{id: *id, first: *first, middle: *middle, last: *last, email: *email, key: *key}
			people = append(people, p)
		}
		if role != nil {
			at := &people[len(people)-1]
			at.grants = append(at.grants, bareGrant{*role, *school, labels, *primary})
			at.more = *places - len(at.grants)
		}
	}
	return people, count, found.Err()
}

func send(rw http.ResponseWriter, page []byte) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = rw.Write(page) // the client has gone: nobody to tell
}

// collect reads every row of one answer of a batch.
func collect(results pgx.BatchResults, scan []any, each func()) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, scan, func() error { each(); return nil })
	return err
}
