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
	var gone int
	if err := tx.conn.QueryRow(ctx, `SELECT count(*) FROM gone_`+string(t)).Scan(&gone); err != nil {
		return fail(err)
	}
	return gone, nil
}

// endGone ends what is in the tables of unseen. Nothing is deleted: an ended record comes back when Clever lists its id
// again.
func (tx *Tx) endGone(ctx context.Context, gone map[RosterType]int) error {
	b := &pgx.Batch{}
	b.Queue(`SET LOCAL enable_nestloop = on`) // few rows end, as a rule
	d, now := tx.actor.District, tx.now
	for _, t := range []RosterType{RosterSchools, RosterTerms, RosterSections} {
		if gone[t] > 0 {
			endRecords(b, t, d, now)
		}
	}
	if gone[RosterUsers] > 0 {
		endUsers(b, d, now)
	}
	if err := tx.send(ctx, "end what is gone", b); err != nil || gone[RosterUsers] == 0 {
		return err
	}
	return tx.settleGone(ctx)
}

// endRecords ends what is in gone_<type>, of any type but users.
func endRecords(b *pgx.Batch, t RosterType, district int64, now any) {
	b.Queue(`UPDATE `+string(t)+` r SET ended_at = $2, changed_at = $2, digest = '' FROM gone_`+string(t)+` g WHERE r.district_id = $1 AND r.id = g.id`, district, now)
}

// goneGrants are the people in gone_users, u, each with the role grants r that come of their record: they are its
// person's, whom it may be merged into. Whether a grant has ended is asked outside: see headsAmong.
const goneGrants = `gone_users g, LATERAL (
		SELECT u.id, coalesce(u.merged_into, u.id) AS home FROM users u WHERE u.district_id = $1 AND u.id = g.id OFFSET 0) u, LATERAL (
		SELECT r.id, r.role, r.source, r.ended_at FROM role_grants r WHERE r.district_id = $1 AND r.user_id = u.home AND r.record_id = u.id OFFSET 0) r`

// endUsers ends people with everything that Clever gave them. Identities end too, but go on answering: an old link or
// a late sign-in still finds whose it was. Grants given by hand stay, and give nothing to someone who is ended.
func endUsers(b *pgx.Batch, district int64, now any) {
	b.Queue(`ANALYZE gone_users`)
	b.Queue(`UPDATE users u SET ended_at = $2, changed_at = $2, digest = '',
			role_count = (SELECT count(DISTINCT m.role) FROM role_grants m WHERE m.district_id = $1 AND m.user_id = u.id AND m.source = 'manual' AND m.ended_at IS NULL)
		FROM gone_users g WHERE u.district_id = $1 AND u.id = g.id`, district, now)
	b.Queue(`UPDATE role_grant_schools s SET ended_at = $2 FROM (SELECT r.id FROM `+goneGrants+` WHERE r.source = 'clever') x
		WHERE s.district_id = $1 AND s.grant_id = x.id AND s.ended_at IS NULL`, district, now)
	b.Queue(`INSERT INTO dedupe_keys (district_id, hash, user_id) SELECT DISTINCT $1::bigint, $2::bigint, u.id FROM `+goneGrants+`
		WHERE r.role IN ('teacher', 'staff', 'district_admin') ON CONFLICT DO NOTHING`, district, changedMark)
	b.Queue(`UPDATE role_grants o SET ended_at = $2 FROM (SELECT r.id FROM `+goneGrants+` WHERE r.source = 'clever' AND r.ended_at IS NULL) x
		WHERE o.district_id = $1 AND o.id = x.id`, district, now)
	b.Queue(`UPDATE identities i SET ended_at = $2 FROM gone_users g
		WHERE i.district_id = $1 AND i.user_id = g.id AND i.kind IN ('clever', 'legacy') AND i.ended_at IS NULL`, district, now)
	b.Queue(`UPDATE user_search s SET current = false FROM gone_users g WHERE s.district_id = $1 AND s.user_id = g.id AND s.current`, district)
	b.Queue(`UPDATE sessions s SET revoked_at = $2 FROM gone_users g
		WHERE s.district_id = $1 AND s.user_id = g.id AND s.revoked_at IS NULL`, district, now)
}
