package models

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// RosterType is a kind of record that a sync walks.
type RosterType string

// The types a full sync walks, in this order.
const (
	RosterSchools  RosterType = "schools"
	RosterTerms    RosterType = "terms"
	RosterUsers    RosterType = "users"
	RosterSections RosterType = "sections"
)

// MassEndError says that a walk met so few records that ending the others would be a disaster if Clever's answer were
// wrong. Nothing was ended.
type MassEndError struct {
	Type          RosterType
	Seen          int // records the walk met
	Current, Gone int // current here, and of those not met
}

func (e *MassEndError) Error() string {
	if e.Seen == 0 {
		return fmt.Sprintf("Clever lists no %s, but %d are current here: nothing was ended", e.Type, e.Current)
	}
	return fmt.Sprintf("Clever lists %d %s, so %d of the %d that are current here would end, more than half: nothing was ended",
		e.Seen, e.Type, e.Gone, e.Current)
}

// what a walk that lists everything can be missing. Schools that are only named by others are never listed, and
// people who were imported and not matched are not Clever's.
var endable = map[RosterType]string{
	RosterSchools:  `listed`,
	RosterTerms:    `true`,
	RosterUsers:    `clever_id IS NOT NULL AND ` + listedRecord,
	RosterSections: `true`,
}

// listedRecord holds but for people who are current by another record that was merged into theirs, while their own has
// ended.
const listedRecord = `(ended_at IS NOT NULL OR digest <> '' OR NOT EXISTS (SELECT FROM identities i WHERE i.district_id = current_district() AND i.kind = 'clever' AND i.value = clever_id AND i.ended_at IS NOT NULL))`

// CheckUnseen returns a *MassEndError if more than half of a type's current records, or all of them, are not among
// those seen. It must be asked as soon as a type's last page arrived, before anything is built upon what was seen.
// Terms may all go at once (Clever makes them anew at will), but not to none.
func (tx *Tx) CheckUnseen(ctx context.Context, t RosterType, seen *Seen) error {
	if err := tx.beginRoster(ctx); err != nil {
		return fmt.Errorf("check %s: %w", t, err)
	}
	_, err := tx.unseen(ctx, t, seen)
	return err
}

// sinceRun holds for people who signed in since the run under way began: Clever knew them then, whatever its list says.
// Locked, they cannot sign in between this and their end.
const sinceRun = `coalesce(confirmed_at >= (SELECT started_at FROM sync_runs WHERE district_id = current_district() AND state = 'running'), false)`

// unseen fills a temporary table, gone_<type>, with the current records that were not met.
func (tx *Tx) unseen(ctx context.Context, t RosterType, seen *Seen) (int, error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("find %s that are gone: %w", t, err) }
	met := seen.Len()
	if _, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE met_`+string(t)+` (id bigint) ON COMMIT DROP`); err != nil {
		return fail(err)
	}
	rows := pgx.CopyFromSlice(met, func(i int) ([]any, error) { return []any{seen.ids[i]}, nil })
	if _, err := tx.conn.CopyFrom(ctx, pgx.Identifier{"met_" + string(t)}, []string{"id"}, rows); err != nil {
		return fail(err)
	}
	but := ``
	if t == RosterUsers {
		but = ` AND NOT ` + sinceRun + ` FOR NO KEY UPDATE OF r`
	}
	_, err := tx.conn.Exec(ctx, `CREATE TEMP TABLE gone_`+string(t)+` ON COMMIT DROP AS
		SELECT id FROM `+string(t)+` r WHERE district_id = current_district() AND ended_at IS NULL AND `+endable[t]+`
		AND NOT EXISTS (SELECT FROM met_`+string(t)+` m WHERE m.id = r.id)`+but)
	if err != nil {
		return fail(err)
	}
	e := &MassEndError{Type: t, Seen: met}
	err = tx.conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM gone_`+string(t)+`), (SELECT count(*) FROM `+string(t)+`
		WHERE district_id = $1 AND ended_at IS NULL AND `+endable[t]+`)`, tx.actor.District).Scan(&e.Gone, &e.Current)
	if err != nil {
		return fail(err)
	}
	if e.Gone > 0 && (e.Seen == 0 || t != RosterTerms && 2*e.Gone > e.Current) {
		return 0, e
	}
	return e.Gone, nil
}

// EndUnseen ends every current record that a whole walk of all types did not meet, and gives how many of each. The
// checks of CheckUnseen are made again for all types before anything ends. Nothing is deleted: an ended record comes
// back when Clever lists its id again.
func (tx *Tx) EndUnseen(ctx context.Context, seen map[RosterType]*Seen) (map[RosterType]int, error) {
	if err := tx.beginRoster(ctx); err != nil {
		return nil, fmt.Errorf("end what is gone: %w", err)
	}
	ended := map[RosterType]int{}
	for _, t := range []RosterType{RosterSchools, RosterTerms, RosterUsers, RosterSections} {
		n, err := tx.unseen(ctx, t, seen[t])
		if err != nil {
			return nil, err
		}
		ended[t] = n
	}
	b := &pgx.Batch{}
	b.Queue(`SET LOCAL enable_nestloop = on`) // few rows end, as a rule
	d, now := tx.actor.District, tx.now
	for _, t := range []RosterType{RosterSchools, RosterTerms, RosterSections} {
		if ended[t] > 0 {
			endRecords(b, t, d, now)
		}
	}
	if ended[RosterUsers] > 0 {
		endUsers(b, d, now)
	}
	if err := tx.send(ctx, "end what is gone", b); err != nil {
		return nil, err
	}
	if ended[RosterUsers] > 0 {
		if err := tx.settleGone(ctx); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// endRecords ends what is in gone_<type>, of any type but users.
func endRecords(b *pgx.Batch, t RosterType, district int64, now any) {
	b.Queue(`UPDATE `+string(t)+` r SET ended_at = $2, changed_at = $2, digest = '' FROM gone_`+string(t)+` g WHERE r.district_id = $1 AND r.id = g.id`, district, now)
}

// endUsers ends people with everything that Clever gave them. Identities end too, but go on answering: an old link or
// a late sign-in still finds whose it was. Grants given by hand stay, and give nothing to someone who is ended.
func endUsers(b *pgx.Batch, district int64, now any) {
	b.Queue(`ANALYZE gone_users`)
	b.Queue(`UPDATE users u SET ended_at = $2, changed_at = $2, digest = '',
			role_count = (SELECT count(DISTINCT m.role) FROM role_grants m WHERE m.district_id = $1 AND m.user_id = u.id AND m.source = 'manual' AND m.ended_at IS NULL)
		FROM gone_users g WHERE u.district_id = $1 AND u.id = g.id`, district, now)
	const grantsOf = `r.district_id = $1 AND r.user_id = coalesce(u.merged_into, u.id) AND r.record_id = g.id AND r.source = 'clever'`
	b.Queue(`UPDATE role_grant_schools s SET ended_at = $2 FROM gone_users g JOIN users u ON u.district_id = $1 AND u.id = g.id, role_grants r
		WHERE `+grantsOf+` AND s.district_id = $1 AND s.grant_id = r.id AND s.ended_at IS NULL`, district, now)
	b.Queue(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT $1, $2, g.id FROM gone_users g JOIN users u ON u.district_id = $1 AND u.id = g.id
		WHERE EXISTS (SELECT FROM role_grants r WHERE r.district_id = $1 AND r.user_id = coalesce(u.merged_into, u.id) AND r.role IN ('teacher', 'staff', 'district_admin'))
		ON CONFLICT DO NOTHING`, district, changedMark)
	b.Queue(`UPDATE role_grants r SET ended_at = $2 FROM gone_users g JOIN users u ON u.district_id = $1 AND u.id = g.id
		WHERE `+grantsOf+` AND r.ended_at IS NULL`, district, now)
	b.Queue(`UPDATE identities i SET ended_at = $2 FROM gone_users g
		WHERE i.district_id = $1 AND i.user_id = g.id AND i.kind IN ('clever', 'legacy') AND i.ended_at IS NULL`, district, now)
	b.Queue(`UPDATE user_search s SET current = false FROM gone_users g WHERE s.district_id = $1 AND s.user_id = g.id AND s.current`, district)
	b.Queue(`UPDATE sessions s SET revoked_at = $2 FROM gone_users g
		WHERE s.district_id = $1 AND s.user_id = g.id AND s.revoked_at IS NULL`, district, now)
}
