package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// ErrFamily says that somebody is a student or a contact, who never hold a second role.
var ErrFamily = errors.New("students and contacts hold no second role")

// ManualRole is a role that a person of the district gave by hand. There is at most one of a role for a user; one
// that ended and is given again is the same grant.
type ManualRole struct {
	ID      int64
	UserID  int64
	Role    access.Role
	Labels  []string
	Schools []int64 // in order; of one that has ended, those it was last held at
	Reason  string
	Note    string
	GivenBy *int64
	Since   time.Time
	EndsAt  *time.Time // the first moment at which it no longer counts; nil: no end
	EndedAt *time.Time
}

// Subject is how the audit and changes speak of the role.
func (r ManualRole) Subject() string { return fmt.Sprintf("grant:%d", r.ID) }

// Standing reports that the role is held.
func (r ManualRole) Standing(now time.Time) bool {
	return r.EndedAt == nil && (r.EndsAt == nil || now.Before(*r.EndsAt))
}

// Grant is the role as Decide takes it.
func (r ManualRole) Grant() access.Grant {
	return access.Grant{Role: r.Role, Labels: r.Labels, Schools: r.Schools, Source: access.ByHand}
}

// The schools of a grant that ended are those that ended with it.
const manualRoles = `SELECT g.id, g.user_id, g.role, g.labels, g.reason, g.note, g.given_by, g.since, g.ends_at, g.ended_at,
	       ARRAY(SELECT gs.school_id FROM role_grant_schools gs WHERE gs.district_id = g.district_id AND gs.grant_id = g.id
	             AND gs.ended_at IS NOT DISTINCT FROM g.ended_at ORDER BY gs.school_id) AS schools
	  FROM role_grants g WHERE g.district_id = @district AND g.source = 'manual'`

// ManualRole reads a role given by hand, held or ended.
func (tx *Tx) ManualRole(ctx context.Context, id int64) (ManualRole, error) {
	list, err := scan[ManualRole](ctx, tx, manualRoles+` AND g.id = @id`, map[string]any{"district": tx.actor.District, "id": id})
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return ManualRole{}, fmt.Errorf("role by hand %d: %w", id, err)
	}
	return list[0], nil
}

// ManualRoles lists the roles that somebody holds or held by hand.
func (tx *Tx) ManualRoles(ctx context.Context, user int64) ([]ManualRole, error) {
	list, err := scan[ManualRole](ctx, tx, manualRoles+` AND g.user_id = @user ORDER BY g.id`, map[string]any{"district": tx.actor.District, "user": user})
	if err != nil {
		return nil, fmt.Errorf("roles by hand of user %d: %w", user, err)
	}
	return list, nil
}

// SetManualRole writes a role given by hand as it is to be: new, changed, ended or held again, with everything that
// follows from it in lists and counts. A new one has no id, and is returned with it. ErrFamily: the person is a student or a contact.
// LockAccess must be held.
func (tx *Tx) SetManualRole(ctx context.Context, r ManualRole) (ManualRole, error) {
	held, err := query[struct{ ID int64 }](ctx, tx, `SELECT id FROM users WHERE district_id = ? AND id = ? AND ended_at IS NULL AND merged_into IS NULL FOR UPDATE`, tx.actor.District, r.UserID)
	if err != nil {
		return r, fmt.Errorf("set role by hand: %w", err)
	}
	if r.EndedAt == nil { // a sync that makes somebody a student meanwhile has the row, or waits for it
		if len(held) == 0 {
			return r, fmt.Errorf("set role by hand: %w", ErrNotFound)
		}
		family, err := query[struct{ ID int64 }](ctx, tx, `SELECT id FROM role_grants WHERE district_id = ? AND user_id = ? AND role IN ('student', 'contact') AND ended_at IS NULL LIMIT 1`,
			tx.actor.District, r.UserID)
		if err != nil {
			return r, fmt.Errorf("set role by hand: %w", err)
		}
		if len(family) > 0 {
			return r, ErrFamily
		}
	}
	err = tx.recounting(ctx, []int64{r.UserID}, func() error { return tx.writeManualRole(ctx, &r) })
	if err != nil {
		return r, fmt.Errorf("set role by hand: %w", err)
	}
	return r, tx.EnsureAccounts(ctx, r.UserID)
}

func (tx *Tx) writeManualRole(ctx context.Context, r *ManualRole) error {
	rows, err := query[struct {
		ID    int64
		Since time.Time
	}](ctx, tx, `INSERT INTO role_grants AS g (district_id, user_id, record_id, role, source, labels, name_key, since, given_by, reason, note, ends_at, ended_at)
		SELECT district_id, id, coalesce((SELECT g.record_id FROM role_grants g WHERE g.district_id = @district AND g.id = @id), id), @role, 'manual', CAST(@labels AS text[]), name_key, @now, @by, @reason, @note, @ends, @ended FROM users WHERE district_id = @district AND id = @user
		ON CONFLICT (district_id, user_id, role, source, record_id) DO UPDATE SET labels = excluded.labels, given_by = excluded.given_by, reason = excluded.reason,
			note = excluded.note, ends_at = excluded.ends_at, ended_at = excluded.ended_at,
			since = CASE WHEN g.ended_at IS NOT NULL AND excluded.ended_at IS NULL THEN excluded.since ELSE g.since END
		RETURNING id, since`, map[string]any{
		"district": tx.actor.District, "user": r.UserID, "role": string(r.Role), "labels": textArray(r.Labels), "now": tx.now,
		"id": r.ID, "by": r.GivenBy, "reason": r.Reason, "note": r.Note, "ends": r.EndsAt, "ended": r.EndedAt,
	})
	if err != nil {
		return err
	}
	r.ID, r.Since = rows[0].ID, rows[0].Since
	args := map[string]any{"district": tx.actor.District, "grant": r.ID, "user": r.UserID, "schools": idArray(r.Schools), "now": tx.now, "ended": r.EndedAt}
	for _, statement := range []string{
		`UPDATE role_grant_schools SET ended_at = coalesce(CAST(@ended AS timestamptz), @now) WHERE district_id = @district AND grant_id = @grant AND ended_at IS NULL
			AND (CAST(@ended AS timestamptz) IS NOT NULL OR school_id <> ALL(CAST(@schools AS bigint[])))`,
		`INSERT INTO role_grant_schools AS gs (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
			SELECT g.district_id, g.id, s.id, g.user_id, g.role, false, g.name_key, @now FROM role_grants g, unnest(CAST(@schools AS bigint[])) s(id)
			 WHERE g.district_id = @district AND g.id = @grant AND CAST(@ended AS timestamptz) IS NULL
			ON CONFLICT (district_id, grant_id, school_id) DO UPDATE SET ended_at = NULL,
				since = CASE WHEN gs.ended_at IS NULL THEN gs.since ELSE excluded.since END`,
	} {
		if _, err := exec(ctx, tx, statement, args); err != nil {
			return err
		}
	}
	return nil
}

// recounting makes a change to what some people hold, and brings into step what is copied or counted of it: the
// number of roles, the schools in the people search, and the head counts.
func (tx *Tx) recounting(ctx context.Context, users []int64, change func() error) error {
	before, err := tx.headsOfUsers(ctx, users)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(`UPDATE users u SET role_count = n.roles
		FROM (SELECT w.id, (SELECT count(DISTINCT g.role) FROM role_grants g WHERE g.district_id = $1 AND g.user_id = w.id AND g.ended_at IS NULL) AS roles
		        FROM unnest($2::bigint[]) w(id)) n
		WHERE u.district_id = $1 AND u.id = n.id AND u.role_count <> n.roles`, tx.actor.District, users)
	b.Queue(`UPDATE user_search s SET school_ids = n.schools
		FROM (SELECT w.id, ARRAY(SELECT DISTINCT gs.school_id FROM role_grant_schools gs WHERE gs.district_id = $1 AND gs.user_id = w.id AND gs.ended_at IS NULL ORDER BY 1) AS schools
		        FROM unnest($2::bigint[]) w(id)
		       WHERE NOT EXISTS (SELECT FROM role_grants g WHERE g.district_id = $1 AND g.user_id = w.id AND g.role = 'contact' AND g.ended_at IS NULL)) n
		WHERE s.district_id = $1 AND s.user_id = n.id AND s.school_ids <> n.schools`, tx.actor.District, users)
	if err := tx.send(ctx, "count roles", b); err != nil {
		return err
	}
	after, err := tx.headsOfUsers(ctx, users)
	if err != nil {
		return err
	}
	return tx.moveHeads(ctx, before, after)
}

// settleManualRoles ends roles given by hand whose time is over and those of people whom Clever has made students or
// contacts, who never hold a second role, and counts the roles of everybody with one by hand again: a page of a sync
// may have counted while one was being given.
func (tx *Tx) settleManualRoles(ctx context.Context) error {
	found, err := query[struct{ UserID int64 }](ctx, tx, `SELECT DISTINCT g.user_id FROM role_grants g
		JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id
		WHERE g.district_id = ? AND g.source = 'manual' AND (
			g.ended_at IS NULL AND (g.ends_at <= ? OR EXISTS (SELECT FROM role_grants c WHERE c.district_id = g.district_id AND c.user_id = g.user_id
				AND c.role IN ('student', 'contact') AND c.source = 'clever' AND c.ended_at IS NULL))
			OR u.role_count <> (SELECT count(DISTINCT a.role) FROM role_grants a WHERE a.district_id = g.district_id AND a.user_id = g.user_id AND a.ended_at IS NULL))`,
		tx.actor.District, tx.now)
	if err != nil {
		return fmt.Errorf("find roles by hand that end: %w", err)
	}
	if len(found) == 0 {
		return nil
	}
	users := make([]int64, len(found))
	for i, f := range found {
		users[i] = f.UserID
	}
	slices.Sort(users)
	err = tx.recounting(ctx, users, func() error {
		b := &pgx.Batch{}
		b.Queue(`UPDATE role_grants g SET ended_at = coalesce(least(g.ends_at, $3), $3) WHERE g.district_id = $1 AND g.user_id = ANY($2::bigint[]) AND g.source = 'manual'
			AND g.ended_at IS NULL AND (g.ends_at <= $3 OR EXISTS (SELECT FROM role_grants c WHERE c.district_id = $1 AND c.user_id = g.user_id
				AND c.role IN ('student', 'contact') AND c.source = 'clever' AND c.ended_at IS NULL))`, tx.actor.District, users, tx.now)
		b.Queue(`UPDATE role_grant_schools gs SET ended_at = g.ended_at FROM role_grants g WHERE g.district_id = $1 AND g.user_id = ANY($2::bigint[])
			AND g.source = 'manual' AND g.ended_at IS NOT NULL AND gs.district_id = $1 AND gs.grant_id = g.id AND gs.ended_at IS NULL`, tx.actor.District, users)
		return tx.send(ctx, "end roles by hand", b)
	})
	if err != nil {
		return fmt.Errorf("end roles by hand: %w", err)
	}
	return nil
}
