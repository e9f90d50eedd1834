package models

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"
)

// FollowChanges is WriteChanges under the brake: what events have taken since the last full sync stays, all together,
// within the district's limits. Changes that would pass them take nothing at all, and spared is true: what they bring
// is written, and a full sync has to look at the rest, which asks a person.
func (tx *Tx) FollowChanges(ctx context.Context, c *RosterChanges) (done map[RosterType]*SyncProgress, spared bool, err error) {
	left := 0
	if tx.noting != nil {
		left = tx.noting.left
	}
	err = tx.Attempt(ctx, func() error {
		w := &changes{tx: tx, RosterChanges: c, done: map[RosterType]*SyncProgress{}}
		if err := w.braked(ctx); err != nil {
			return err
		}
		done = w.done
		return nil
	})
	if !errors.Is(err, errHeld) {
		return done, false, wrap("write changes", err)
	}
	if tx.noting != nil {
		tx.noting.left = left
	}
	w := &changes{tx: tx, RosterChanges: c, done: map[RosterType]*SyncProgress{}, spare: true}
	return w.done, true, wrap("write changes", w.write(ctx))
}

// braked writes the changes and returns errHeld if they took too much.
func (w *changes) braked(ctx context.Context) error {
	tx := w.tx
	if err := tx.beginPage(ctx); err != nil { // nobody else writes between the two readings
		return err
	}
	users, sections := w.named()
	affected, err := tx.affected(ctx, `SELECT u.id FROM unnest($2::text[]) w(id), LATERAL (SELECT u.id FROM users u WHERE u.district_id = $1 AND u.clever_id = w.id OFFSET 0) u
		UNION SELECT t.user_id FROM unnest($3::text[]) w(id), LATERAL (SELECT s.id FROM sections s WHERE s.district_id = $1 AND s.clever_id = w.id OFFSET 0) s,
			LATERAL (SELECT t.user_id FROM section_teachers t WHERE t.district_id = $1 AND t.section_id = s.id OFFSET 0) t`, tx.actor.District, users, sections)
	if err != nil {
		return err
	}
	before, err := tx.standings(ctx, affected)
	if err != nil {
		return err
	}
	if err := w.write(ctx); err != nil {
		return err
	}
	after, err := tx.standings(ctx, affected)
	if err != nil {
		return err
	}
	took := toll{BrakePeopleLosing: losing(shifts(before, after))}
	for t, n := range w.took {
		took[t] += n
	}
	return tx.within(ctx, took)
}

// BrakePeopleLosing is, among what events have taken, the people who lost a sensitive permission.
const BrakePeopleLosing BrakeType = "people"

// within adds to what events have taken, or returns errHeld if that is too much.
func (tx *Tx) within(ctx context.Context, took toll) error {
	any := false
	for _, n := range took {
		any = any || n > 0
	}
	if !any {
		return nil
	}
	spent, err := tx.spent(ctx)
	if err != nil {
		return err
	}
	d, err := tx.District(ctx)
	if err != nil {
		return err
	}
	if took[BrakePeopleLosing] > 0 && took[BrakePeopleLosing]+spent[BrakePeopleLosing] > d.BrakePeople {
		return errHeld
	}
	current, err := tx.roughlyCurrent(ctx)
	if err != nil {
		return err
	}
	if (BrakeState{Gauges: d.Brake().gauges(current, took, spent)}).Over() {
		return errHeld
	}
	return tx.spend(ctx, took)
}

// roughlyCurrent is brakeCurrent for every page of events: by the head counts, which are kept as people come and go.
func (tx *Tx) roughlyCurrent(ctx context.Context) (toll, error) {
	current := toll{}
	var t BrakeType
	var n int
	rows, err := tx.conn.Query(ctx, `SELECT role, people FROM head_counts WHERE district_id = $1 AND school_id = 0 AND role <> ''
		UNION ALL SELECT 'schools', count(*) FROM schools WHERE district_id = $1 AND ended_at IS NULL AND listed
		UNION ALL SELECT 'sections', count(*) FROM sections WHERE district_id = $1 AND ended_at IS NULL`, tx.actor.District)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&t, &n}, func() error { current[t] = n; return nil })
	}
	return current, wrap("count what is current", err)
}

// holdList reads which of the records that the changes name are on the list of the held run: nothing is taken from
// those but by a person's approval.
func (w *changes) holdList(ctx context.Context) error {
	tx := w.tx
	run, err := tx.holding(ctx)
	if err != nil || run == 0 {
		return err
	}
	w.held = map[string]map[int64]bool{}
	gather := func(table string, ids []string, types ...string) error {
		rows, err := tx.conn.Query(ctx, `SELECT h.type, h.record_id FROM unnest($2::text[]) w(id),
				LATERAL (SELECT r.id FROM `+table+` r WHERE r.district_id = $1 AND r.clever_id = w.id OFFSET 0) r,
				LATERAL (SELECT h.type, h.record_id FROM held_records h WHERE h.district_id = $1 AND h.run_id = $3 AND h.type = ANY($4::text[]) AND h.record_id = r.id
					AND h.returned_at IS NULL OFFSET 0) h`, tx.actor.District, ids, run, types)
		if err != nil {
			return err
		}
		var kind string
		var id int64
		_, err = pgx.ForEachRow(rows, []any{&kind, &id}, func() error {
			if w.held[kind] == nil {
				w.held[kind] = map[int64]bool{}
			}
			w.held[kind][id] = true
			return nil
		})
		return err
	}
	users, sections := w.named()
	w.run = run
	err = gather("users", users, "users", "roles")
	if err == nil {
		err = gather("sections", sections, "sections", "teaching")
	}
	if err == nil {
		err = gather("schools", w.Gone[RosterSchools], "schools")
	}
	if err == nil {
		err = gather("terms", w.Gone[RosterTerms], "terms")
	}
	return wrap("look at the held list", err)
}

// named are the Clever ids of the users and sections that the changes are about.
func (w *changes) named() (users, sections []string) {
	users, sections = slices.Clone(w.Gone[RosterUsers]), slices.Clone(w.Gone[RosterSections])
	for i := range w.Users {
		users = append(users, w.Users[i].CleverID)
	}
	for i := range w.Sections {
		sections = append(sections, w.Sections[i].CleverID)
	}
	return users, sections
}

// seenOf is what writing records of a type goes by.
func (w *changes) seenOf(kind string) *Seen {
	s := &Seen{spare: w.spare}
	if w.run != 0 {
		s.run, s.only = w.run, w.held[kind]
		if s.only == nil {
			s.only = map[int64]bool{}
		}
	}
	return s
}
