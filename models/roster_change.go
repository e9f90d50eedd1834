package models

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Types of which only runs that follow events have counts: the events themselves, and the district's own record.
const (
	RosterEvents    RosterType = "events"
	RosterDistricts RosterType = "districts"
)

// RosterChanges is what some events come to: the newest state of every record they name, each once.
type RosterChanges struct {
	Schools  []RosterSchool
	Terms    []RosterTerm
	Users    []RosterUser
	Sections []RosterSection
	District *RosterDistrict
	// Gone are Clever ids of records that are no longer shared.
	Gone map[RosterType][]string
	// Passing are those of them that came and went within these events: they may never have been here.
	Passing map[string]bool
}

// RosterDistrict is what is kept of the district's own record.
type RosterDistrict struct{ Name, State string }

// WriteChanges brings the district in step with some events, and with itself: sections, contacts' schools and head
// counts are as a full sync would leave them. What is unchanged is not written.
func (tx *Tx) WriteChanges(ctx context.Context, c *RosterChanges) (map[RosterType]*SyncProgress, error) {
	w := &changes{tx: tx, RosterChanges: c, done: map[RosterType]*SyncProgress{}}
	if err := w.write(ctx); err != nil {
		return nil, fmt.Errorf("write changes: %w", err)
	}
	return w.done, nil
}

type changes struct {
	tx *Tx
	*RosterChanges
	done  map[RosterType]*SyncProgress
	spare bool                      // nothing is taken
	run   int64                     // the held run; 0: none
	held  map[string]map[int64]bool // of what the changes name, what is on its list, by type
	took  toll
}

// count adds to what is done with a type.
func (w *changes) count(t RosterType, n RosterCount) *SyncProgress {
	p := w.done[t]
	if p == nil {
		p = &SyncProgress{Type: t}
		w.done[t] = p
	}
	pages := p.Pages
	p.Add(n)
	p.Pages = pages
	return p
}

func (w *changes) write(ctx context.Context) error {
	tx := w.tx
	if err := tx.beginPage(ctx); err != nil {
		return err
	}
	if err := w.holdList(ctx); err != nil {
		return err
	}
	w.took = toll{}
	people := slices.Clone(w.Gone[RosterUsers])
	for i := range w.Users {
		w.Users[i].Prepare()
		people = append(people, w.Users[i].CleverID)
	}
	people, err := tx.withHomes(ctx, people)
	if err != nil {
		return err
	}
	before, err := tx.headsOf(ctx, people)
	if err != nil {
		return err
	}
	// People go before others come: a school counts them once.
	for _, t := range []RosterType{RosterSections, RosterUsers, RosterTerms, RosterSchools} {
		if err := w.end(ctx, t); err != nil {
			return err
		}
	}
	if err := w.come(ctx); err != nil {
		return err
	}
	b := &pgx.Batch{}
	if len(people) > 0 {
		if err := tx.settleMembers(ctx, people); err != nil {
			return err
		}
		settleContacts(b, tx.actor.District, people)
	}
	if len(w.Terms)+len(w.Gone[RosterTerms]) > 0 {
		settleTerms(b, tx.actor.District)
	}
	if err := tx.send(ctx, "settle", b); err != nil {
		return err
	}
	after, err := tx.headsOf(ctx, people)
	if err != nil {
		return err
	}
	return tx.moveHeads(ctx, before, after)
}

func (w *changes) come(ctx context.Context) error {
	tx := w.tx
	if len(w.Schools) > 0 {
		seen := w.seenOf("")
		n, err := tx.WriteSchools(ctx, w.Schools, seen)
		if err != nil {
			return err
		}
		w.count(RosterSchools, n)
		if err := w.returned(ctx, RosterSchools, seen); err != nil {
			return err
		}
	}
	if len(w.Terms) > 0 {
		seen := w.seenOf("")
		n, err := tx.WriteTerms(ctx, w.Terms, seen)
		if err != nil {
			return err
		}
		w.count(RosterTerms, n)
		if err := w.returned(ctx, RosterTerms, seen); err != nil {
			return err
		}
	}
	if len(w.Users) > 0 {
		seen := w.seenOf("roles")
		n, err := tx.WriteUsers(ctx, w.Users, seen)
		if err != nil {
			return err
		}
		w.count(RosterUsers, n)
		for t, n := range seen.took {
			w.took[t] += n
		}
		if err := w.returned(ctx, RosterUsers, seen); err != nil {
			return err
		}
	}
	if len(w.Sections) > 0 {
		seen := w.seenOf("teaching")
		n, err := tx.WriteSections(ctx, w.Sections, seen)
		if err != nil {
			return err
		}
		w.count(RosterSections, n)
		if err := w.returned(ctx, RosterSections, seen); err != nil {
			return err
		}
	}
	if d := w.District; d != nil {
		n := RosterCount{Read: 1, Unchanged: 1}
		changed, err := exec(ctx, tx, `UPDATE districts SET name = CASE ? WHEN '' THEN name ELSE ? END, state = ?
			WHERE district_id = ? AND (state <> ? OR ? NOT IN ('', name))`,
			clean(d.Name), clean(d.Name), clean(d.State), tx.actor.District, clean(d.State), clean(d.Name))
		if err != nil {
			return fmt.Errorf("write district: %w", err)
		}
		if changed > 0 {
			n.Unchanged, n.Updated = 0, 1
		}
		w.count(RosterDistricts, n)
	}
	return nil
}

// end ends the records of one type that are gone, leaving alone those that ended before.
func (w *changes) end(ctx context.Context, t RosterType) error {
	if len(w.Gone[t]) == 0 {
		return nil
	}
	tx := w.tx
	ids := slices.DeleteFunc(slices.Clone(w.Gone[t]), func(id string) bool { return !usableID(id) })
	known := map[string]bool{}
	var gone []int64
	var cleverID string
	var id int64
	var current bool
	b := &pgx.Batch{}
	collect(b, byKey("text", `SELECT r.clever_id, r.id, r.ended_at IS NULL FROM `+string(t)+` r WHERE r.district_id = $1 AND r.clever_id = w.id AND `+endable[t]),
		[]any{tx.actor.District, ids}, []any{&cleverID, &id, &current}, func() {
			known[cleverID] = true
			if current && !w.spare && !w.held[string(t)][id] {
				gone = append(gone, id)
			}
		})
	if err := tx.send(ctx, "find "+string(t)+" that are gone", b); err != nil {
		return err
	}
	n := RosterCount{Read: len(w.Gone[t]), Unchanged: len(known) - len(gone)}
	for _, s := range w.Gone[t] {
		if !known[s] && !w.Passing[s] {
			n.Problems++
			n.Unknown++
		}
	}
	w.count(t, n).Ended += len(gone)
	if len(gone) == 0 {
		return nil
	}
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE gone_`+string(t)+` (id bigint) ON COMMIT DROP`); err != nil {
		return err
	}
	b = &pgx.Batch{}
	b.Queue(`INSERT INTO gone_`+string(t)+` SELECT unnest($1::bigint[])`, gone)
	if t == RosterUsers {
		var role BrakeType
		var n int
		collect(b, `SELECT r.role, count(*) FROM `+goneGrants+`
			WHERE r.source = 'clever' AND r.ended_at IS NULL GROUP BY r.role`, []any{tx.actor.District}, []any{&role, &n}, func() { w.took[role] += n })
		endUsers(b, tx.actor.District, tx.now)
	} else {
		if t != RosterTerms { // which Clever makes anew at will
			w.took[BrakeType(t)] += len(gone)
		}
		endRecords(b, t, tx.actor.District, tx.now)
	}
	if err := tx.send(ctx, "end "+string(t), b); err != nil || t != RosterUsers {
		return err
	}
	if err := tx.settleGone(ctx); err != nil {
		return err
	}
	return tx.noteLeft(ctx)
}

// returned takes what the changes brought off the held list, if there is one.
func (w *changes) returned(ctx context.Context, t RosterType, seen *Seen) error {
	open := false
	err := w.tx.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM sync_runs WHERE district_id = $1 AND state = 'held')
		OR EXISTS (SELECT FROM sync_runs WHERE district_id = $1 AND kind = 'release' AND state IN ('requested', 'running'))`, w.tx.actor.District).Scan(&open)
	if err != nil || !open {
		return wrap("look for a held list", err)
	}
	return w.tx.markReturned(ctx, t, seen)
}

// headCell is one number of head_counts.
type headCell struct {
	school int64
	role   string
}

type heads struct{ people, several int }

// headsOf counts what some people, by Clever id, contribute to the head counts; see CountHeads.
func (tx *Tx) headsOf(ctx context.Context, cleverIDs []string) (map[headCell]heads, error) {
	if len(cleverIDs) == 0 {
		return nil, nil
	}
	return tx.headsAmong(ctx, `SELECT DISTINCT u.id, u.several FROM unnest($2::text[]) w(id), LATERAL (
				SELECT i.user_id FROM identities i WHERE i.district_id = $1 AND i.kind = 'clever' AND i.value = w.id OFFSET 0) i, LATERAL (
				SELECT coalesce(r.merged_into, r.id) AS home FROM users r WHERE r.district_id = $1 AND r.id = i.user_id OFFSET 0) r, LATERAL (
				SELECT u.id, u.role_count > 1 AS several, u.ended_at FROM users u WHERE u.district_id = $1 AND u.id = r.home OFFSET 0) u
			WHERE u.ended_at IS NULL`, cleverIDs)
}

// headsOfUsers is headsOf by Hallpass id.
func (tx *Tx) headsOfUsers(ctx context.Context, users []int64) (map[headCell]heads, error) {
	return tx.headsAmong(ctx, `SELECT u.id, u.role_count > 1 AS several FROM unnest($2::bigint[]) w(id), LATERAL (
				SELECT u.id, u.role_count FROM users u WHERE u.district_id = $1 AND u.id = w.id AND u.ended_at IS NULL AND u.merged_into IS NULL OFFSET 0) u`, users)
}

// headsAmong counts the parts of those whom a query finds by their ids. Whether a row has ended is asked outside of the
// look-up by person: asked inside, an index over everything current serves as well, and is read through for each person.
func (tx *Tx) headsAmong(ctx context.Context, them string, ids any) (map[headCell]heads, error) {
	cells := map[headCell]heads{}
	var c headCell
	var n heads
	b := &pgx.Batch{}
	collect(b, `WITH them AS MATERIALIZED (`+them+`
		), held AS (
			SELECT DISTINCT gs.school_id, gs.role, t.id AS user_id, t.several FROM them t, LATERAL (
				SELECT gs.school_id, gs.role, gs.ended_at FROM role_grant_schools gs WHERE gs.district_id = $1 AND gs.user_id = t.id OFFSET 0) gs
			 WHERE gs.ended_at IS NULL
		), roles AS (
			SELECT DISTINCT g.role, t.id AS user_id, t.several FROM them t, LATERAL (
				SELECT g.role, g.ended_at FROM role_grants g WHERE g.district_id = $1 AND g.user_id = t.id OFFSET 0) g
			 WHERE g.ended_at IS NULL
		)
		SELECT school_id, role, count(*), count(*) FILTER (WHERE several) FROM held GROUP BY school_id, role
		UNION ALL
		SELECT school_id, '', count(*), count(*) FILTER (WHERE several) FROM (SELECT DISTINCT school_id, user_id, several FROM held) x GROUP BY school_id
		UNION ALL
		SELECT 0, role, count(*), count(*) FILTER (WHERE several) FROM roles GROUP BY role
		UNION ALL
		SELECT 0, '', count(*), count(*) FILTER (WHERE several) FROM them`,
		[]any{tx.actor.District, ids}, []any{&c.school, &c.role, &n.people, &n.several}, func() { cells[c] = n })
	return cells, tx.send(ctx, "count heads", b)
}

// moveHeads changes the head counts by what changed of some people's part in them.
func (tx *Tx) moveHeads(ctx context.Context, before, after map[headCell]heads) error {
	var schools []int64
	var roles []string
	var people, several []int32
	add := func(c headCell, n heads) {
		if n != (heads{}) {
			schools, roles = append(schools, c.school), append(roles, c.role)
			people, several = append(people, int32(n.people)), append(several, int32(n.several))
		}
	}
	for c, n := range after {
		add(c, heads{n.people - before[c].people, n.several - before[c].several})
	}
	for c, n := range before {
		if _, both := after[c]; !both {
			add(c, heads{-n.people, -n.several})
		}
	}
	if len(schools) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO head_counts AS h (district_id, school_id, role, people, several)
		SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::integer[], $5::integer[])
		ON CONFLICT (district_id, school_id, role) DO UPDATE SET people = h.people + excluded.people, several = h.several + excluded.several`,
		tx.actor.District, schools, roles, people, several)
	b.Queue(`DELETE FROM head_counts WHERE district_id = $1 AND people <= 0 AND NOT (school_id = 0 AND role = '')`, tx.actor.District)
	return tx.send(ctx, "move head counts", b)
}
