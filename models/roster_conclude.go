package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"hallpass/audit"
)

// Conclusion is what came of a full walk's end.
type Conclusion struct {
	Ended     map[RosterType]int
	RolesLost int
	Held      bool // nothing ended: the run waits for a person, see HoldSync
}

// errHeld undoes an ending that the brake stops.
var errHeld = errors.New("the brake stops the run")

// concluding is the end of one full walk.
type concluding struct {
	tx      *Tx
	run     SyncRun
	seen    map[RosterType]*Seen
	gone    map[RosterType]int
	listed  int // records that stay and would lose something
	earlier *SyncRun
	took    toll // without those who came only with the held run before
	state   BrakeState
	shifts  []shift
}

// Conclude ends every current record that a whole walk of all types did not meet, and what the walk gathered from
// records that stay; see Gather. If that were more than the district's brake lets go, nothing ends, the list is kept
// with the run, and HoldSync has to be called in place of FinishSync.
//
// A run that was held before is superseded either way: this walk is newer.
func (tx *Tx) Conclude(ctx context.Context, run SyncRun, seen map[RosterType]*Seen) (Conclusion, error) {
	c := &concluding{tx: tx, run: run, seen: seen, gone: map[RosterType]int{}}
	done, err := c.conclude(ctx)
	if err != nil {
		return done, fmt.Errorf("end what is gone: %w", err)
	}
	return done, nil
}

func (c *concluding) conclude(ctx context.Context) (done Conclusion, err error) {
	tx := c.tx
	if err := tx.beginRoster(ctx); err != nil {
		return done, err
	}
	if err := c.find(ctx); err != nil {
		return done, err
	}
	done.Ended = c.gone
	if c.listed > 0 || slices.ContainsFunc(rosterTypes, func(t RosterType) bool { return c.gone[t] > 0 }) {
		err = tx.Attempt(ctx, func() error {
			done.RolesLost, err = c.end(ctx)
			return err
		})
	}
	if err != nil && !errors.Is(err, errHeld) {
		return done, err
	}
	if err := tx.supersede(ctx, c.earlier); err != nil {
		return done, err
	}
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM brake_spent WHERE district_id = $1`, tx.actor.District)
	b.Queue(`DELETE FROM held_records h USING sync_runs r WHERE h.district_id = $1 AND r.district_id = $1 AND r.id = h.run_id AND r.state = 'failed'`, tx.actor.District)
	if err := tx.send(ctx, "begin anew", b); err != nil {
		return done, err
	}
	if err == nil {
		_, err = tx.conn.Exec(ctx, `DELETE FROM held_records WHERE district_id = $1 AND run_id = $2`, tx.actor.District, c.run.ID)
		return done, err
	}
	return Conclusion{Ended: map[RosterType]int{}, Held: true}, c.hold(ctx)
}

var rosterTypes = []RosterType{RosterSchools, RosterTerms, RosterUsers, RosterSections}

// find fills the tables of unseen, and counts.
func (c *concluding) find(ctx context.Context) error {
	tx := c.tx
	for _, t := range rosterTypes {
		n, err := tx.unseen(ctx, t, c.seen[t])
		if err != nil {
			return err
		}
		c.gone[t] = n
	}
	if err := tx.conn.QueryRow(ctx, `SELECT count(*) FROM held_records WHERE district_id = $1 AND run_id = $2`, tx.actor.District, c.run.ID).Scan(&c.listed); err != nil {
		return err
	}
	earlier, err := tx.HeldSync(ctx)
	if err == nil {
		c.earlier = &earlier
	}
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return err
}

// end ends everything and then asks the brake, so that who may do what afterwards is read from the rows themselves. The
// caller takes it back if the answer is errHeld.
func (c *concluding) end(ctx context.Context) (rolesLost int, err error) {
	tx := c.tx
	if err := c.judgeNews(ctx); err != nil {
		return 0, err
	}
	marks := nobodyNew
	if c.state.AllNew || c.earlier != nil && c.earlier.Brake.AllNew {
		marks = c.run.Marks
	}
	current, err := tx.brakeCurrent(ctx, marks)
	if err != nil {
		return 0, err
	}
	if err := c.count(ctx); err != nil {
		return 0, err
	}
	affected, err := tx.affected(ctx, `SELECT coalesce(u.merged_into, u.id) FROM users u WHERE u.district_id = $1 AND u.id IN (SELECT id FROM gone_users
			UNION SELECT record_id FROM held_records WHERE district_id = $1 AND run_id = $2 AND type = 'roles')
		UNION SELECT t.user_id FROM section_teachers t JOIN gone_sections g ON g.id = t.section_id WHERE t.district_id = $1
		UNION SELECT t.user_id FROM section_teachers t JOIN held_records h ON h.record_id = t.section_id AND h.type = 'teaching'
			WHERE t.district_id = $1 AND h.district_id = $1 AND h.run_id = $2`, tx.actor.District, c.run.ID)
	if err != nil {
		return 0, err
	}
	before, err := tx.standings(ctx, affected)
	if err != nil {
		return 0, err
	}
	listed, err := tx.endListed(ctx, `run_id = $2`, c.run.ID)
	if err != nil {
		return 0, err
	}
	if err := tx.beginRoster(ctx); err != nil {
		return 0, err
	}
	if err := tx.noteLeft(ctx); err != nil {
		return 0, err
	}
	if err := tx.endGone(ctx, c.gone); err != nil {
		return 0, err
	}
	after, err := tx.standings(ctx, affected)
	if err != nil {
		return 0, err
	}
	c.shifts = shifts(before, after)
	d, err := tx.District(ctx)
	if err != nil {
		return 0, err
	}
	c.state.Gauges = d.Brake().gauges(current, c.took, nil)
	above := c.newcomersAbove(RosterUsers)
	known := slices.DeleteFunc(slices.Clone(c.shifts), func(s shift) bool { return s.user > above })
	c.state.Losing, c.state.Limit = losing(known), d.BrakePeople
	if c.state.Over() {
		return 0, errHeld
	}
	return listed.rolesLost, nil
}

// count counts by type what goes. Somebody who came with the run that is held, when every id was new, and is gone again
// is none of it: nobody was told that they are here.
func (c *concluding) count(ctx context.Context) error {
	tx := c.tx
	c.took = toll{BrakeSchools: c.gone[RosterSchools], BrakeSections: c.gone[RosterSections]}
	if c.seen[RosterTerms].Len() == 0 {
		c.took[BrakeTerms] = c.gone[RosterTerms]
	}
	var role string
	var n int
	rows, err := tx.conn.Query(ctx, `SELECT role, count(*) FROM (
			SELECT r.role FROM `+goneGrants+`
			 WHERE r.source = 'clever' AND r.ended_at IS NULL AND u.id <= $3
			UNION ALL SELECT unnest(roles) FROM held_records WHERE district_id = $1 AND run_id = $2) x GROUP BY role`,
		tx.actor.District, c.run.ID, c.newcomersAbove(RosterUsers))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&role, &n}, func() error { c.took[BrakeType(role)] = n; return nil })
	}
	for typ, t := range map[BrakeType]RosterType{BrakeSchools: RosterSchools, BrakeSections: RosterSections} {
		if err == nil && c.took[typ] > 0 {
			err = tx.conn.QueryRow(ctx, `SELECT count(*) FROM gone_`+string(t)+` WHERE id <= $1`, c.newcomersAbove(t)).Scan(&n)
			c.took[typ] = n
		}
	}
	return wrap("count what goes", err)
}

// newcomersAbove is the id above which a record came with the held run before this one, if that one found every id new.
func (c *concluding) newcomersAbove(t RosterType) int64 {
	if c.earlier != nil && c.earlier.Brake.AllNew {
		return c.earlier.Marks[t]
	}
	return 1<<63 - 1
}

// judgeNews finds out whether every id is new: people are listed, and none of them was known when the run began.
func (c *concluding) judgeNews(ctx context.Context) error {
	if c.gone[RosterUsers] <= brakeFloor {
		return nil
	}
	return wrap("compare ids", c.tx.conn.QueryRow(ctx, `SELECT count(*) > 0 AND coalesce(min(id), 0) > $1 FROM met_users`, c.run.Marks[RosterUsers]).Scan(&c.state.AllNew))
}

// affected are the people of a query, by id, who may have a permission to lose.
func (tx *Tx) affected(ctx context.Context, them string, args ...any) (ids []int64, err error) {
	rows, err := tx.conn.Query(ctx, `WITH them(id) AS (`+them+`)
		SELECT DISTINCT them.id FROM them, LATERAL (SELECT g.role, g.ended_at FROM role_grants g WHERE g.district_id = $1 AND g.user_id = them.id OFFSET 0) g
		 WHERE g.ended_at IS NULL AND g.role IN ('teacher', 'staff', 'district_admin')
		UNION SELECT o.user_id FROM them JOIN overrides o ON o.district_id = $1 AND o.user_id = them.id WHERE o.ended_at IS NULL
		ORDER BY 1`, args...)
	if err == nil {
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	return ids, wrap("find whom it affects", err)
}

// listedSlice is how many listed records are written at a time.
const listedSlice = 1000

// lessened is what came of listed records that stay and lose something: how many were written, and the roles that ended.
type lessened struct{ people, sections, rolesLost int }

// endListed writes the records of a list that stay and lose something, as Clever has them. Which ones, where says; $2 is
// of it. Those who have ended meanwhile, or came back, are left alone.
func (tx *Tx) endListed(ctx context.Context, where string, of int64) (did lessened, err error) {
	err = eachListed(ctx, tx, where, of, "roles", "users", func(page []RosterUser) error {
		n, err := tx.WriteUsers(ctx, page, &Seen{})
		did.people += len(page)
		did.rolesLost += n.RolesLost
		return err
	})
	if err == nil {
		err = eachListed(ctx, tx, where, of, "teaching", "sections", func(page []RosterSection) error {
			_, err := tx.WriteSections(ctx, page, &Seen{})
			did.sections += len(page)
			return err
		})
	}
	return did, err
}

func eachListed[T any](ctx context.Context, tx *Tx, where string, of int64, kind, table string, each func([]T) error) error {
	for after := int64(0); ; {
		rows, err := tx.conn.Query(ctx, `SELECT h.record_id, h.record FROM held_records h WHERE h.district_id = $1 AND h.`+where+` AND h.type = $3 AND h.record_id > $4
			AND h.returned_at IS NULL AND EXISTS (SELECT FROM `+table+` r WHERE r.district_id = $1 AND r.id = h.record_id AND r.ended_at IS NULL)
			ORDER BY h.record_id LIMIT $5`, tx.actor.District, of, kind, after, listedSlice)
		if err != nil {
			return fmt.Errorf("read listed %s: %w", table, err)
		}
		var page []T
		var text []byte
		_, err = pgx.ForEachRow(rows, []any{&after, &text}, func() error {
			var r T
			err := json.Unmarshal(text, &r)
			page = append(page, r)
			return err
		})
		if err != nil {
			return fmt.Errorf("read listed %s: %w", table, err)
		}
		if len(page) == 0 {
			return nil
		}
		if err := each(page); err != nil {
			return err
		}
	}
}

// hold keeps the list with the run.
func (c *concluding) hold(ctx context.Context) error {
	tx := c.tx
	var all []string // roles that nobody would hold any more
	for _, g := range c.state.Gauges {
		if g.Gone >= g.Current {
			all = append(all, string(g.Type))
		}
	}
	b := &pgx.Batch{}
	d, run := tx.actor.District, c.run.ID
	// Joined as wholes: asked for person by person, whatever the planner does not know of the tables is paid once for each.
	b.Queue(`INSERT INTO held_records (district_id, run_id, type, record_id, cause, roles, school_id, sort_key)
		WITH closed AS (SELECT coalesce(array_agg(id), '{}') AS ids FROM gone_schools),
		going AS MATERIALIZED (SELECT u.id, u.name_key, coalesce(u.merged_into, u.id) AS home FROM gone_users g JOIN users u ON u.district_id = $1 AND u.id = g.id),
		given AS MATERIALIZED (SELECT g.id, r.id AS grant_id, r.role, r.source = 'clever' AND r.ended_at IS NULL AS held
		  FROM going g JOIN role_grants r ON r.district_id = $1 AND r.user_id = g.home AND r.record_id = g.id),
		roles AS (SELECT id, array_agg(DISTINCT role ORDER BY role) AS held FROM given WHERE held GROUP BY id),
		main AS (SELECT DISTINCT ON (v.id) v.id, gs.school_id FROM given v JOIN role_grant_schools gs ON gs.district_id = $1 AND gs.grant_id = v.grant_id AND gs.ended_at IS NULL
		  ORDER BY v.id, gs.is_primary DESC, gs.school_id)
		SELECT $1, $2, 'users', u.id,
			CASE WHEN u.id > $5 THEN 'newcomer' WHEN $4 THEN 'all_new' WHEN s.school_ids <> '{}' AND s.school_ids <@ closed.ids THEN 'school_gone'
				WHEN roles.held <@ $3::text[] THEN 'type_gone' ELSE 'single' END,
			coalesce(roles.held, '{}'), coalesce(main.school_id, s.school_ids[1]), u.name_key
		  FROM going u CROSS JOIN closed
		  LEFT JOIN user_search s ON s.district_id = $1 AND s.user_id = u.home
		  LEFT JOIN roles ON roles.id = u.id
		  LEFT JOIN main ON main.id = u.id`,
		d, run, all, c.state.AllNew, c.newcomersAbove(RosterUsers))
	b.Queue(`INSERT INTO held_records (district_id, run_id, type, record_id, cause, school_id, sort_key)
		SELECT $1, $2, 'sections', s.id, CASE WHEN s.school_id IN (SELECT id FROM gone_schools) THEN 'school_gone' WHEN 'sections' = ANY($3::text[]) THEN 'type_gone' ELSE 'single' END, s.school_id, s.name_key
		  FROM gone_sections g JOIN sections s ON s.district_id = $1 AND s.id = g.id`, d, run, all)
	b.Queue(`INSERT INTO held_records (district_id, run_id, type, record_id, cause, school_id, sort_key)
		SELECT $1, $2, 'schools', s.id, CASE WHEN 'schools' = ANY($3::text[]) THEN 'type_gone' ELSE 'school_gone' END, s.id, s.name_key
		  FROM gone_schools g JOIN schools s ON s.district_id = $1 AND s.id = g.id`, d, run, all)
	b.Queue(`INSERT INTO held_records (district_id, run_id, type, record_id, cause, sort_key)
		SELECT $1, $2, 'terms', t.id, CASE WHEN 'terms' = ANY($3::text[]) THEN 'type_gone' ELSE 'single' END, t.name
		  FROM gone_terms g JOIN terms t ON t.district_id = $1 AND t.id = g.id`, d, run, all)
	b.Queue(`UPDATE held_records SET cause = CASE WHEN roles <> '{}' AND roles <@ $3::text[] THEN 'type_gone' ELSE 'single' END
		WHERE district_id = $1 AND run_id = $2 AND type IN ('roles', 'teaching')`, d, run, all)
	if err := tx.send(ctx, "keep the list", b); err != nil {
		return err
	}
	return c.holdEffects(ctx)
}

// holdEffects keeps who would lose and gain which sensitive permission.
func (c *concluding) holdEffects(ctx context.Context) error {
	tx := c.tx
	definitions := tx.store.catalogue.Definitions()
	for part := range slices.Chunk(c.shifts, 10_000) {
		var users, schools []int64
		var permissions []string
		var gained []bool
		for _, s := range part {
			users, schools = append(users, s.user), append(schools, s.school)
			permissions, gained = append(permissions, string(definitions[s.permission].Permission)), append(gained, s.gained)
		}
		_, err := tx.conn.Exec(ctx, `INSERT INTO held_effects (district_id, run_id, user_id, permission, school_id, gained)
			SELECT $1, $2, * FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::boolean[])`, tx.actor.District, c.run.ID, users, permissions, schools, gained)
		if err != nil {
			return fmt.Errorf("keep effects: %w", err)
		}
	}
	text, err := json.Marshal(c.state)
	if err == nil {
		_, err = tx.conn.Exec(ctx, `UPDATE sync_runs SET brake = $3 WHERE district_id = $1 AND id = $2`, tx.actor.District, c.run.ID, string(text))
	}
	return wrap("keep effects", err)
}

// supersede closes a held run that a newer one makes pointless.
func (tx *Tx) supersede(ctx context.Context, held *SyncRun) error {
	if held == nil {
		return nil
	}
	if err := tx.closeHeld(ctx, held.ID, SyncSuperseded); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{Action: audit.SyncSuperseded, Subject: held.subject()})
}
