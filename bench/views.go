package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// view is one kind of page with many addresses: the same question at the same index, put to either server.
type view struct {
	name    string
	judged  bool // against the bars; the others are for information
	gzip    bool
	product []string
	bare    []string
}

func (v *view) ask(product, bare string) {
	v.product, v.bare = append(v.product, product), append(v.bare, bare)
}

// someone is a person to ask about.
type someone struct {
	id                   int64
	cleverID, key, email string
	first, last          string
}

// questions is how many different addresses a view has, where there are as many.
const questions = 400

// Views that are compared with each other.
const (
	firstPage   = "first page"
	inTheMiddle = "page in the middle"
	amidTheList = "pages amid the list"
)

// views chooses what is asked, the same for the same seed and district.
func (w *world) views(ctx context.Context, o options) ([]view, error) {
	random := rand.New(rand.NewPCG(o.seed, 0x68616c6c70617373)) //nolint:gosec // questions, not secrets
	people, err := w.people(ctx, random)
	if err != nil {
		return nil, err
	}
	end, err := w.lastOnes(ctx)
	if err != nil {
		return nil, err
	}
	schools, err := w.schoolIDs(ctx)
	if err != nil {
		return nil, err
	}
	first := view{name: firstPage, judged: true}
	first.ask("/users", "/users")
	// One page over and over, as the first is: what the place in the list costs. And many pages, which are in no cache of
	// the processor as the first always is.
	center, err := w.someones(ctx, `SELECT id, coalesce(clever_id, ''), name_key, email, first_name, last_name FROM users WHERE district_id = $1 AND ended_at IS NULL
		ORDER BY name_key, id OFFSET (SELECT count(*) / 2 FROM users WHERE district_id = $1 AND ended_at IS NULL) LIMIT 1`, w.district)
	if err != nil {
		return nil, err
	}
	middle, amid := view{name: inTheMiddle, judged: true}, view{name: amidTheList, judged: true}
	for _, p := range center {
		middle.ask("/users?after="+cursor(p), after(p))
	}
	for _, p := range middleHalf(people) {
		amid.ask("/users?after="+cursor(p), after(p))
	}
	last := view{name: "last page", judged: true}
	for _, p := range end {
		last.ask("/users?after="+cursor(p), after(p))
	}
	filter := view{name: "role and school", judged: true}
	for range questions {
		q := url.Values{"role": {[]string{"student", "teacher", "staff"}[random.IntN(3)]}, "school": {schools[random.IntN(len(schools))]}}.Encode()
		filter.ask("/users?"+q, "/users?"+q)
	}
	search := func(name string, judged bool, text func(someone) string) view {
		v := view{name: name, judged: judged}
		for _, p := range people {
			if words := text(p); words != "" && !slices.Contains(v.product, "/users?q="+url.QueryEscape(words)) {
				v.ask("/users?q="+url.QueryEscape(words), "/users?q="+url.QueryEscape(words))
			}
		}
		return v
	}
	two := search("two-word search", true, func(p someone) string {
		if p.first == "" {
			return ""
		}
		return p.first + " " + p.last
	})
	exact := search("exact id", true, func(p someone) string { return p.cleverID })
	user := view{name: "person", judged: true}
	for _, p := range people {
		at := "/users/" + strconv.FormatInt(p.id, 10)
		user.ask(at, at)
	}
	one := search("one-word search", false, func(p someone) string { return p.last })
	short := search("two-letter search", false, func(p someone) string {
		if letters := []rune(p.last); len(letters) >= 2 && !strings.ContainsAny(string(letters[:2]), " '’-.,") {
			return string(letters[:2])
		}
		return ""
	})
	packed := first
	packed.name, packed.judged, packed.gzip = "first page, gzipped", false, true
	return []view{first, middle, amid, last, filter, two, exact, user, one, short, packed}, nil
}

// people picks current people at random.
func (w *world) people(ctx context.Context, random *rand.Rand) ([]someone, error) {
	var low, high int64
	if err := w.owner.QueryRow(ctx, `SELECT min(id), max(id) FROM users WHERE district_id = $1`, w.district).Scan(&low, &high); err != nil {
		return nil, fmt.Errorf("choose people: %w", err)
	}
	ids := make([]int64, 2*questions) // ids may have holes
	for i := range ids {
		ids[i] = low + random.Int64N(high-low+1)
	}
	people, err := w.someones(ctx, `SELECT id, coalesce(clever_id, ''), name_key, email, first_name, last_name FROM users
		WHERE district_id = $1 AND id = ANY($2) AND ended_at IS NULL ORDER BY array_position($2, id) LIMIT $3`, w.district, ids, questions)
	return people, err
}

// lastOnes are people shortly before the end of the list, so that what follows each is the last page.
func (w *world) lastOnes(ctx context.Context) ([]someone, error) {
	return w.someones(ctx, `SELECT id, coalesce(clever_id, ''), name_key, email, first_name, last_name FROM users
		WHERE district_id = $1 AND ended_at IS NULL ORDER BY name_key DESC, id DESC OFFSET 40 LIMIT 10`, w.district)
}

func (w *world) someones(ctx context.Context, sql string, args ...any) ([]someone, error) {
	rows, err := w.owner.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("choose people: %w", err)
	}
	people, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p someone, err error) {
		err = row.Scan(&p.id, &p.cleverID, &p.key, &p.email, &p.first, &p.last)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("choose people: %w", err)
	}
	return people, nil
}

func (w *world) schoolIDs(ctx context.Context) ([]string, error) {
	rows, err := w.owner.Query(ctx, `SELECT clever_id FROM schools WHERE district_id = $1 AND listed ORDER BY id`, w.district)
	if err != nil {
		return nil, fmt.Errorf("choose schools: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("choose schools: %w", err)
	}
	return ids, nil
}

// middleHalf leaves the quarter at either end of the list of names out.
func middleHalf(people []someone) []someone {
	sorted := slices.Clone(people)
	slices.SortFunc(sorted, func(a, b someone) int { return strings.Compare(a.key, b.key) })
	middle := sorted[len(sorted)/4 : len(sorted)*3/4]
	kept := make([]someone, 0, len(middle))
	for _, p := range people { // in random order again
		if slices.Contains(middle, p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// cursor is the console's for the place after a person. That it means the same is seen when the pages are compared.
func cursor(p someone) string {
	raw, err := json.Marshal(struct {
		Sort string `json:"s"`
		Key  string `json:"k"`
		ID   int64  `json:"i"`
	}{"name", p.key, p.id})
	if err != nil {
		panic(err) // two strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// after is the bare server's.
func after(p someone) string {
	return "/users?" + url.Values{"key": {p.key}, "id": {strconv.FormatInt(p.id, 10)}}.Encode()
}
