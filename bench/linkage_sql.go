package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hallpass/dedupe"
	"hallpass/dedupe/dedupetest"
	"hallpass/models/cluster"
)

// linkageSQL is the honest baseline: what a team would do with PostgreSQL's own means, a self-join by equal ids, by
// trigram similarity and by surnames that sound alike. It knows nothing of frequencies, nicknames or contradictions,
// and gets one thing that a team would not have: the threshold that happens to suit the truth best.
type linkageSQL struct {
	cluster *cluster.Cluster
	conn    *pgx.Conn
}

// linkagePatience is how long the baseline may take for the large district.
const linkagePatience = 3 * time.Minute

func newLinkageSQL(ctx context.Context) (_ *linkageSQL, err error) {
	s := &linkageSQL{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end(ctx))
		}
	}()
	if s.cluster, err = cluster.Start(ctx, cluster.Options{ThrowAway: true, Settings: settings}); err != nil {
		return nil, err
	}
	url, err := s.cluster.EnsureDatabase(ctx, "linkage")
	if err != nil {
		return nil, err
	}
	if s.conn, err = pgx.Connect(ctx, url); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	for _, sql := range []string{"CREATE EXTENSION pg_trgm", "CREATE EXTENSION fuzzystrmatch", "CREATE EXTENSION unaccent"} {
		if _, err := s.conn.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("baseline: %s: %w", sql, err)
		}
	}
	return s, nil
}

func (s *linkageSQL) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close(ctx))
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop(ctx))
	}
	return errors.Join(errs...)
}

// load makes the table and its indexes.
func (s *linkageSQL) load(ctx context.Context, set dedupetest.Labelled) error {
	_, err := s.conn.Exec(ctx, `DROP TABLE IF EXISTS person; CREATE TABLE person (id bigint PRIMARY KEY, given text, surname text, email text, number text, text text, sound text)`)
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	rows := make([][]any, len(set.Records))
	for i := range set.Records {
		rows[i] = linkageRow(&set.Records[i])
	}
	if _, err := s.conn.CopyFrom(ctx, pgx.Identifier{"person"}, []string{"id", "given", "surname", "email", "number", "text"}, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	for _, sql := range []string{
		`UPDATE person SET given = lower(unaccent(given)), surname = lower(unaccent(surname)), text = lower(unaccent(text)), sound = dmetaphone(unaccent(surname)) || ' ' || left(lower(unaccent(given)), 1)`,
		`CREATE INDEX ON person USING gin (text gin_trgm_ops)`, `CREATE INDEX ON person (email)`, `CREATE INDEX ON person (number)`, `CREATE INDEX ON person (sound)`,
		`VACUUM ANALYZE person`,
	} {
		if _, err := s.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
	}
	return nil
}

// linkageRow is a record as a table has it: names, ids, and everything together as one text.
func linkageRow(r *dedupe.Record) []any {
	var given, surname, email, number string
	if len(r.Names) > 0 {
		given, surname = r.Names[0].Given, r.Names[0].Surname
	}
	if len(r.Emails) > 0 {
		email = r.Emails[0]
	}
	if len(r.Numbers) > 0 {
		number = r.Numbers[0].Space + " " + r.Numbers[0].Value
	}
	text := []string{given, surname}
	for _, t := range r.Traits {
		text = append(text, t.Value)
	}
	if len(r.Traits) == 0 {
		local, _, _ := strings.Cut(email, "@")
		text = append(text, local)
		for _, school := range r.Schools {
			text = append(text, fmt.Sprintf("school%d", school))
		}
	}
	return []any{r.ID, given, surname, email, number, strings.Join(text, " ")}
}

const (
	// linkageJoin finds pairs by ids, by trigrams from $1 on, and by sound with a letter's difference in the given name.
	linkageJoin = `
		SELECT a.id, b.id, 2.0::float8, 'id' FROM person a JOIN person b ON a.email = b.email AND a.id < b.id WHERE a.email <> ''
		UNION ALL
		SELECT a.id, b.id, 2.0, 'id' FROM person a JOIN person b ON a.number = b.number AND a.id < b.id WHERE a.number <> ''
		UNION ALL
		SELECT a.id, b.id, similarity(a.text, b.text), 'trigram' FROM person a JOIN person b ON a.text % b.text AND a.id < b.id
		UNION ALL
		SELECT a.id, b.id, similarity(a.text, b.text), 'sound' FROM person a JOIN person b ON a.sound = b.sound AND a.id < b.id
		WHERE a.given <> '' AND a.surname <> '' AND levenshtein(left(a.given, 60), left(b.given, 60)) <= 1`
	linkageFloor = 0.5
)

type sqlPair struct {
	a, b       int64
	similarity float64
	how        string
}

func (s *linkageSQL) pairs(ctx context.Context) ([]sqlPair, error) {
	if _, err := s.conn.Exec(ctx, fmt.Sprintf("SET pg_trgm.similarity_threshold = %g", linkageFloor)); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	rows, err := s.conn.Query(ctx, linkageJoin)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	pairs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p sqlPair, err error) {
		return p, row.Scan(&p.a, &p.b, &p.similarity, &p.how)
	})
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	return pairs, nil
}

// best joins a set and returns the quality at the threshold and rule that suit its truth best.
func (s *linkageSQL) best(ctx context.Context, set dedupetest.Labelled) (best dedupetest.Quality, rule string, seconds float64, err error) {
	if err := s.load(ctx, set); err != nil {
		return best, "", 0, err
	}
	began := time.Now()
	pairs, err := s.pairs(ctx)
	if err != nil {
		return best, "", 0, err
	}
	seconds = time.Since(began).Seconds()
	for _, how := range []string{"trigram", "sound"} {
		for _, threshold := range []float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1} {
			if how == "trigram" && threshold < linkageFloor {
				continue
			}
			var groups []dedupe.Suggestion
			for _, p := range pairs {
				if p.how == "id" || p.how == how && p.similarity >= threshold {
					groups = append(groups, dedupe.Suggestion{Members: []int64{p.a, p.b}})
				}
			}
			var q dedupetest.Quality
			q.Pairs, q.BCubed, q.TruePairs, q.Wrong = dedupetest.Compare(set, dedupetest.Groups(set.Records, groups))
			if rule == "" || q.Pairs.F1 > best.Pairs.F1 {
				best, rule = q, fmt.Sprintf("equal number or email, or %s with similarity of %.1f", how, threshold)
			}
		}
	}
	seen := map[dedupe.PairKey]bool{} // a pair may be found in several ways
	for _, p := range pairs {
		if key := dedupe.Key(p.a, p.b); !seen[key] {
			seen[key] = true
			best.Compared++
			if set.Truth[p.a] == set.Truth[p.b] {
				best.Found++
			}
		}
	}
	return best, rule, seconds, nil
}

// speed runs the same join over the large district, for as long as patience lasts.
func (s *linkageSQL) speed(ctx context.Context, r *report, set dedupetest.Labelled) error {
	if err := s.load(ctx, set); err != nil {
		return err
	}
	if _, err := s.conn.Exec(ctx, fmt.Sprintf("SET statement_timeout = %d", linkagePatience.Milliseconds())); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	began := time.Now()
	pairs, err := s.pairs(ctx)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == "57014":
		fmt.Fprintf(r.out, "  SQL               not done after %.0f s\n", linkagePatience.Seconds())
	case err != nil:
		return err
	default:
		fmt.Fprintf(r.out, "  SQL               %.1f s for the pairs alone, %s of them\n", time.Since(began).Seconds(), thousands(int64(len(pairs))))
	}
	return nil
}
