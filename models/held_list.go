package models

import (
	"context"
	"encoding/hex"
	"fmt"

	"hallpass/access"
)

// HeldPick is which part of a held list is meant. The zero value is all of it.
type HeldPick struct {
	Type   string      // schools, terms, users, sections, roles or teaching
	Cause  string      // all_new, type_gone, school_gone, single or newcomer
	Role   access.Role // people who would lose this role
	School int64       // what is at this school
	Keys   []string    // just these, each a type and an id with a space between
}

// waits is what of a held list still waits: neither approved nor here again, and not ended in another way.
const waits = ` h.district_id = @district AND h.run_id = @run AND h.release_id IS NULL AND h.returned_at IS NULL AND CASE h.type
	WHEN 'schools' THEN EXISTS (SELECT FROM schools r WHERE r.district_id = h.district_id AND r.id = h.record_id AND r.ended_at IS NULL)
	WHEN 'terms' THEN EXISTS (SELECT FROM terms r WHERE r.district_id = h.district_id AND r.id = h.record_id AND r.ended_at IS NULL)
	WHEN 'sections' THEN EXISTS (SELECT FROM sections r WHERE r.district_id = h.district_id AND r.id = h.record_id AND r.ended_at IS NULL)
	WHEN 'teaching' THEN EXISTS (SELECT FROM sections r WHERE r.district_id = h.district_id AND r.id = h.record_id AND r.ended_at IS NULL)
	ELSE EXISTS (SELECT FROM users r WHERE r.district_id = h.district_id AND r.id = h.record_id AND r.ended_at IS NULL) END
	AND (@type = '' OR h.type = @type) AND (@cause = '' OR h.cause = @cause) AND (@role = '' OR @role = ANY(h.roles))
	AND (@school::bigint = 0 OR h.school_id = @school) AND (@keys::text[] IS NULL OR h.type || ' ' || h.record_id = ANY(@keys::text[]))`

func (tx *Tx) pickArgs(run int64, p HeldPick) map[string]any {
	return map[string]any{
		"district": tx.actor.District, "run": run, "type": p.Type, "cause": p.Cause, "role": string(p.Role), "school": p.School, "keys": p.Keys,
	}
}

// HeldSum counts what would go of one type, cause and school, and of people by the roles they would lose.
type HeldSum struct {
	Type, Cause string
	Roles       []access.Role
	School      int64
	SchoolName  string
	Count       int
}

// HeldSums counts what still waits of a part of a held list, the largest groups first, schools by name within.
func (tx *Tx) HeldSums(ctx context.Context, run int64, pick HeldPick) ([]HeldSum, error) {
	sums, err := scan[HeldSum](ctx, tx, `SELECT x.*, coalesce(s.name, '') AS school_name FROM (
			SELECT h.type, h.cause, h.roles, coalesce(h.school_id, 0) AS school, count(*)::int AS count FROM held_records h WHERE`+waits+`
			GROUP BY h.type, h.cause, h.roles, h.school_id) x
		  LEFT JOIN schools s ON s.district_id = @district AND s.id = x.school
		 ORDER BY x.cause, s.name_key NULLS LAST, x.school, x.type, x.roles`, tx.pickArgs(run, pick))
	if err != nil {
		return nil, fmt.Errorf("count held sync %d: %w", run, err)
	}
	return sums, nil
}

// HeldList identifies what still waits of a part of a held list: how much, and the SHA-256 of exactly that.
type HeldList struct {
	Count int
	Hash  string // hex
}

// HeldHash identifies a part of a held list. Records that came back, or come with other content, make it another.
func (tx *Tx) HeldHash(ctx context.Context, run int64, pick HeldPick) (HeldList, error) {
	type row struct {
		Count int
		Hash  []byte
	}
	rows, err := scan[row](ctx, tx, `SELECT count(*)::int AS count, sha256(convert_to(coalesce(string_agg(h.type || ' ' || h.record_id || ' ' || coalesce(md5(h.record::text), ''), ',' ORDER BY h.type, h.record_id), ''), 'UTF8')) AS hash
		FROM held_records h WHERE`+waits, tx.pickArgs(run, pick))
	if err != nil {
		return HeldList{}, fmt.Errorf("identify list of sync %d: %w", run, err)
	}
	return HeldList{rows[0].Count, hex.EncodeToString(rows[0].Hash)}, nil
}

// HeldRecord is one record of a held list as it is shown.
type HeldRecord struct {
	Type, Cause string
	ID          int64
	CleverID    string
	Name        string
	Email       string
	Roles       []access.Role
	School      string
	SortKey     string
}

// HeldAfter is where a page of a held list begins: after this record.
type HeldAfter struct {
	SortKey, Type string
	ID            int64
}

// HeldRecords lists what still waits of a part of a held list, by name. limit is cut to 1000.
func (tx *Tx) HeldRecords(ctx context.Context, run int64, pick HeldPick, after HeldAfter, limit int) ([]HeldRecord, error) {
	return tx.heldRows(ctx, run, pick, after, false, min(max(limit, 1), 1000))
}

// HeldPage is one page of that list: after the record from, or back from it, or the first page for the zero place.
func (tx *Tx) HeldPage(ctx context.Context, run int64, pick HeldPick, from HeldAfter, back bool, limit int) (Paged[HeldRecord], error) {
	limit = min(max(limit, 1), 1000)
	rows, err := tx.heldRows(ctx, run, pick, from, back, limit+1)
	return paged(rows, limit, from != HeldAfter{}, back), err
}

func (tx *Tx) heldRows(ctx context.Context, run int64, pick HeldPick, from HeldAfter, back bool, limit int) ([]HeldRecord, error) {
	beyond, order := `>`, `ASC`
	if back {
		beyond, order = `<`, `DESC`
	}
	args := tx.pickArgs(run, pick)
	args["key"], args["from_type"], args["from"], args["limit"] = from.SortKey, from.Type, from.ID, limit
	rows, err := scan[HeldRecord](ctx, tx, `SELECT x.type, x.cause, x.record_id AS id, x.roles, x.sort_key, coalesce(s.name, '') AS school,
			coalesce(u.clever_id, c.clever_id, k.clever_id, t.clever_id, '') AS clever_id, coalesce(u.email, '') AS email,
			coalesce(concat_ws(' ', nullif(u.first_name, ''), nullif(u.middle_name, ''), u.last_name), c.name, k.name, t.name, '') AS name
		  FROM (SELECT h.* FROM held_records h WHERE`+waits+` AND (h.sort_key, h.type, h.record_id) `+beyond+` (@key, @from_type, @from)
			ORDER BY h.sort_key `+order+`, h.type `+order+`, h.record_id `+order+` LIMIT @limit) x
		  LEFT JOIN users u ON x.type IN ('users', 'roles') AND u.district_id = @district AND u.id = x.record_id
		  LEFT JOIN sections c ON x.type IN ('sections', 'teaching') AND c.district_id = @district AND c.id = x.record_id
		  LEFT JOIN schools k ON x.type = 'schools' AND k.district_id = @district AND k.id = x.record_id
		  LEFT JOIN terms t ON x.type = 'terms' AND t.district_id = @district AND t.id = x.record_id
		  LEFT JOIN schools s ON s.district_id = @district AND s.id = x.school_id
		 ORDER BY x.sort_key `+order+`, x.type `+order+`, x.record_id `+order, args)
	if err != nil {
		return nil, fmt.Errorf("list held sync %d: %w", run, err)
	}
	return rows, nil
}

// HeldEffect counts the people who would lose, or gain, a sensitive permission at one place, and names the first.
type HeldEffect struct {
	Permission access.Permission
	School     int64 // 0: the whole district
	SchoolName string
	Gained     bool
	People     int
	Examples   []AffectedPerson
}

// AffectedPerson is somebody affected.
type AffectedPerson struct {
	ID   int64
	Name string
}

// maxHeldEffects bounds the lines of access that a page shows.
const maxHeldEffects = 100

// effectsOf are the stored effects on people who are in the part that is meant, or teach a section that is.
const effectsOf = ` FROM held_effects e WHERE e.district_id = @district AND e.run_id = @run AND (
	EXISTS (SELECT FROM held_records h WHERE` + waits + ` AND h.type IN ('users', 'roles') AND h.record_id = e.user_id)
	OR EXISTS (SELECT FROM section_teachers t JOIN held_records h ON h.record_id = t.section_id AND h.type IN ('sections', 'teaching')
		WHERE t.district_id = @district AND t.user_id = e.user_id AND` + waits + `))`

// HeldEffects counts, by permission and place, what a part of a held list does to access: the largest counts first, and
// how many people lose anything. Only sensitive permissions are followed.
func (tx *Tx) HeldEffects(ctx context.Context, run int64, pick HeldPick) (effects []HeldEffect, losing int, err error) {
	type row struct {
		Permission access.Permission
		School     int64
		SchoolName string
		Gained     bool
		People     int
		Losing     int
		Examples   []int64
	}
	args := tx.pickArgs(run, pick)
	args["most"], args["examples"] = maxHeldEffects, maxExamples
	rows, err := scan[row](ctx, tx, `WITH touched AS MATERIALIZED (SELECT e.user_id, e.permission, e.school_id, e.gained`+effectsOf+`)
		SELECT x.*, coalesce(s.name, '') AS school_name, (SELECT count(DISTINCT user_id)::int FROM touched WHERE NOT gained) AS losing FROM (
			SELECT permission, school_id AS school, gained, count(*)::int AS people, (array_agg(user_id ORDER BY user_id))[1:@examples] AS examples
			  FROM touched GROUP BY permission, school_id, gained) x
		  LEFT JOIN schools s ON s.district_id = @district AND s.id = x.school
		 ORDER BY x.gained, x.people DESC, x.permission, s.name_key NULLS FIRST, x.school LIMIT @most`, args)
	if err != nil {
		return nil, 0, fmt.Errorf("access lost by sync %d: %w", run, err)
	}
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.Examples...)
	}
	names, err := tx.UserNames(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	for _, r := range rows {
		e := HeldEffect{Permission: r.Permission, School: r.School, SchoolName: r.SchoolName, Gained: r.Gained, People: r.People}
		for _, id := range r.Examples {
			e.Examples = append(e.Examples, AffectedPerson{id, names[id]})
		}
		effects, losing = append(effects, e), r.Losing
	}
	return effects, losing, nil
}

// HeldEffectRow is one line of access lost or gained, for a file.
type HeldEffectRow struct {
	UserID     int64
	CleverID   string
	Name       string
	Permission access.Permission
	School     int64
	SchoolName string
	Gained     bool
}

// HeldEffectRows lists every effect of a held run that still waits, a page at a time. limit is cut to 1000.
func (tx *Tx) HeldEffectRows(ctx context.Context, run int64, after HeldEffectRow, limit int) ([]HeldEffectRow, error) {
	args := tx.pickArgs(run, HeldPick{})
	args["user"], args["permission"], args["at"], args["limit"] = after.UserID, string(after.Permission), after.School, min(max(limit, 1), 1000)
	rows, err := scan[HeldEffectRow](ctx, tx, `SELECT x.user_id, x.permission, x.school_id AS school, x.gained, coalesce(u.clever_id, '') AS clever_id, coalesce(s.name, '') AS school_name,
			coalesce(concat_ws(' ', nullif(u.first_name, ''), nullif(u.middle_name, ''), u.last_name), '') AS name
		  FROM (SELECT e.*`+effectsOf+` AND (e.user_id, e.permission, e.school_id) > (@user, @permission, @at)
			ORDER BY e.user_id, e.permission, e.school_id LIMIT @limit) x
		  LEFT JOIN users u ON u.district_id = @district AND u.id = x.user_id
		  LEFT JOIN schools s ON s.district_id = @district AND s.id = x.school_id
		 ORDER BY x.user_id, x.permission, x.school_id`, args)
	if err != nil {
		return nil, fmt.Errorf("list access lost by sync %d: %w", run, err)
	}
	return rows, nil
}

// HeldGauges measures a part of a held list against what is here now: for how many people must approve. Where every id
// was new, those who came with the run are none of it: they would make any part of those known look like half.
func (tx *Tx) HeldGauges(ctx context.Context, run SyncRun, pick HeldPick) ([]Gauge, error) {
	sums, err := tx.HeldSums(ctx, run.ID, pick)
	if err != nil {
		return nil, err
	}
	t := toll{}
	for _, s := range sums {
		switch s.Type {
		case "schools", "sections", "terms":
			t[BrakeType(s.Type)] += s.Count
		case "users", "roles":
			for _, r := range s.Roles {
				t[BrakeType(r)] += s.Count
			}
		}
	}
	marks := nobodyNew
	if run.Brake.AllNew {
		marks = run.Marks
	}
	current, err := tx.brakeCurrent(ctx, marks)
	if err != nil {
		return nil, err
	}
	d, err := tx.District(ctx)
	if err != nil {
		return nil, err
	}
	return d.Brake().gauges(current, t, nil), nil
}

// HeldPlace finds where a record stands in a held list, for the page after it. ErrNotFound: it is not on the list.
func (tx *Tx) HeldPlace(ctx context.Context, run int64, kind string, id int64) (HeldAfter, error) {
	at, err := one[HeldAfter](ctx, tx, `SELECT sort_key, type, record_id AS id FROM held_records WHERE district_id = ? AND run_id = ? AND type = ? AND record_id = ?`,
		tx.actor.District, run, kind, id)
	if err != nil {
		return at, fmt.Errorf("place in the list of sync %d: %w", run, err)
	}
	return at, nil
}

// SyncOpen tells whether a full sync or a release is asked for or under way.
func (tx *Tx) SyncOpen(ctx context.Context) (bool, error) {
	got, err := one[struct{ Open bool }](ctx, tx, `SELECT EXISTS (SELECT FROM sync_runs WHERE district_id = ? AND state IN ('requested', 'running') AND kind IN ('full', 'release')) AS open`, tx.actor.District)
	if err != nil {
		return false, fmt.Errorf("look for an open sync: %w", err)
	}
	return got.Open, nil
}
