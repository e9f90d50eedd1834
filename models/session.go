package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// SignedIn is everything a request needs to know of the person who makes it.
type SignedIn struct {
	User        User
	District    District
	Grants      []access.Grant
	Teaches     []access.Place
	Overrides   []access.Override // those not ended at the transaction's moment
	Policy      *access.Policy
	SchoolNames map[int64]string // of the schools in Grants
	Held        bool             // a sync of the district waits for a person
	Session     Session          // zero when read by UserFacts
}

// Session is a signed-in browser. The token is known to that browser alone; the database has its SHA-256.
type Session struct {
	UserID    int64
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// ErrNoSession is ErrNotFound for the session itself: nobody is signed in.
var ErrNoSession = fmt.Errorf("session: %w", ErrNotFound)

// facts reads person, district, grants, sections and overrides in one statement, so that every page pays one round
// trip to know who asks. @now is the moment by which roles by hand and overrides may have ended.
const facts = `
	SELECT u.id, u.clever_id, u.first_name, u.middle_name, u.last_name, u.email, u.created_at, u.changed_at,
	       d.clever_id AS district_clever_id, d.name AS district_name, d.time_zone, d.schools_version,
	       greatest(d.synced_at, (SELECT max(e.saved_at) FROM event_cursors e WHERE e.district_id = d.district_id)) AS synced_at,
	       d.combining, d.strategy, d.policy_version, d.school_year_end,
	       EXISTS (SELECT FROM sync_runs h WHERE h.district_id = u.district_id AND h.state = 'held') AS held,
	       (SELECT json_agg(json_build_object('role', g.role, 'source', g.source, 'labels', g.labels, 'schools',
	               (SELECT json_agg(json_build_object('id', h.id, 'name', h.name) ORDER BY h.name_key, h.id)
	                  FROM role_grant_schools gs JOIN schools h ON h.district_id = gs.district_id AND h.id = gs.school_id
	                 WHERE gs.district_id = g.district_id AND gs.grant_id = g.id AND gs.user_id = g.user_id AND gs.ended_at IS NULL)) ORDER BY g.id)
	          FROM role_grants g WHERE g.district_id = u.district_id AND g.user_id = u.id AND g.ended_at IS NULL
	           AND (g.ends_at IS NULL OR g.ends_at > @now)) AS grants_json,
	       (SELECT json_agg(json_build_object('Kind', 'section', 'Section', s.id, 'School', s.school_id))
	          FROM section_teachers t JOIN sections s ON s.district_id = t.district_id AND s.id = t.section_id
	         WHERE t.district_id = u.district_id AND t.user_id = u.id AND s.ended_at IS NULL) AS teaches_json,
	       (SELECT json_agg(json_build_object('ID', o.id, 'Permission', o.permission, 'Allow', o.allow, 'Ends', o.ends_at, 'WithRole', o.end_role,
	               'Place', json_build_object('Kind', o.place_kind, 'School', o.school_id, 'Section', o.section_id)) ORDER BY o.id)
	          FROM overrides o WHERE o.district_id = u.district_id AND o.user_id = u.id AND o.ended_at IS NULL
	           AND (o.ends_at IS NULL OR o.ends_at > @now)) AS overrides_json`

type factsRow struct {
	User
	DistrictCleverID string
	DistrictName     string
	TimeZone         string
	SchoolsVersion   int64
	SyncedAt         *time.Time
	Combining        access.Combining
	Strategy         access.Strategy
	PolicyVersion    int64
	SchoolYearEnd    string
	Held             bool
	GrantsJSON       []byte
	TeachesJSON      []byte
	OverridesJSON    []byte
	SessionCreatedAt time.Time
	SeenAt           time.Time
	ExpiresAt        time.Time
}

// Facts is what Decide is told of the person; the view is the asker's to set.
func (in SignedIn) Facts(now time.Time) access.Facts {
	return access.Facts{Policy: in.Policy, Grants: in.Grants, Teaches: in.Teaches, Overrides: in.Overrides, Now: now}
}

// SignedIn finds the session of a token and everything about its person. A session that was revoked or has passed
// its absolute limit, and one whose person has ended, is ErrNoSession. The idle limit is the caller's to apply.
func (tx *Tx) SignedIn(ctx context.Context, tokenHash []byte) (SignedIn, error) {
	var rows []factsRow
	b := &pgx.Batch{}
	tx.askSignedIn(b, tokenHash, &rows)
	if err := tx.send(ctx, "session", b); err != nil {
		return SignedIn{}, err
	}
	return tx.signedIn(ctx, rows)
}

// askSignedIn adds SignedIn's question to a batch; signedIn makes sense of the answer.
func (tx *Tx) askSignedIn(b *pgx.Batch, tokenHash []byte, into *[]factsRow) {
	ask(b, into, facts+`, x.created_at AS session_created_at, x.seen_at, x.expires_at
	  FROM sessions x
	  JOIN users u     ON u.district_id = x.district_id AND u.id = x.user_id
	  JOIN districts d ON d.district_id = x.district_id
	 WHERE x.district_id = @district AND x.token_hash = @token AND x.revoked_at IS NULL AND x.expires_at > @now AND u.ended_at IS NULL AND u.merged_into IS NULL`,
		map[string]any{"district": tx.actor.District, "token": tokenHash, "now": tx.now})
}

func (tx *Tx) signedIn(ctx context.Context, rows []factsRow) (SignedIn, error) {
	if len(rows) == 0 {
		return SignedIn{}, ErrNoSession
	}
	r := rows[0]
	in, err := r.signedIn(ctx, tx)
	in.Session = Session{UserID: r.ID, CreatedAt: r.SessionCreatedAt, SeenAt: r.SeenAt, ExpiresAt: r.ExpiresAt}
	return in, err
}

// UserFacts reads what SignedIn reads, of a current person without a session. A merged record is nobody's.
func (tx *Tx) UserFacts(ctx context.Context, userID int64) (SignedIn, error) {
	rows, err := scan[factsRow](ctx, tx, facts+`
	  FROM users u JOIN districts d ON d.district_id = u.district_id
	 WHERE u.district_id = @district AND u.id = @user AND u.ended_at IS NULL AND u.merged_into IS NULL`,
		map[string]any{"district": tx.actor.District, "user": userID, "now": tx.now})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return SignedIn{}, fmt.Errorf("facts of user %d: %w", userID, err)
	}
	return rows[0].signedIn(ctx, tx)
}

func (r factsRow) signedIn(ctx context.Context, tx *Tx) (in SignedIn, err error) {
	in = SignedIn{User: r.User, Held: r.Held, SchoolNames: map[int64]string{}, District: District{
		DistrictID: tx.actor.District, CleverID: r.DistrictCleverID, Name: r.DistrictName, TimeZone: r.TimeZone, SchoolsVersion: r.SchoolsVersion, SyncedAt: r.SyncedAt,
		Combining: r.Combining, Strategy: r.Strategy, PolicyVersion: r.PolicyVersion, SchoolYearEnd: r.SchoolYearEnd,
	}}
	if in.Policy, err = tx.policy(ctx, in.District); err != nil {
		return in, err
	}
	var grants []struct {
		Role    access.Role
		Source  access.Source
		Labels  []string
		Schools []struct {
			ID   int64
			Name string
		}
	}
	if r.GrantsJSON != nil {
		if err := json.Unmarshal(r.GrantsJSON, &grants); err != nil {
			return in, fmt.Errorf("grants of user %d: %w", r.ID, err)
		}
	}
	if r.TeachesJSON != nil {
		if err := json.Unmarshal(r.TeachesJSON, &in.Teaches); err != nil {
			return in, fmt.Errorf("sections of user %d: %w", r.ID, err)
		}
	}
	if r.OverridesJSON != nil {
		if err := json.Unmarshal(r.OverridesJSON, &in.Overrides); err != nil {
			return in, fmt.Errorf("overrides of user %d: %w", r.ID, err)
		}
	}
	for _, g := range grants {
		grant := access.Grant{Role: g.Role, Source: g.Source, Labels: g.Labels}
		for _, s := range g.Schools {
			grant.Schools = append(grant.Schools, s.ID)
			in.SchoolNames[s.ID] = s.Name
		}
		in.Grants = append(in.Grants, grant)
	}
	return in, nil
}

// CreateSession remembers a browser that signed in. codeHash is the SHA-256 of the OAuth code it came with, so that
// the same callback delivered twice can be recognised.
func (tx *Tx) CreateSession(ctx context.Context, tokenHash []byte, userID int64, codeHash []byte, expires time.Time) error {
	_, err := exec(ctx, tx, `INSERT INTO sessions (district_id, token_hash, user_id, code_hash, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		tx.actor.District, tokenHash, userID, codeHash, tx.now, tx.now, expires)
	if err != nil {
		return fmt.Errorf("make session of user %d: %w", userID, err)
	}
	_, err = exec(ctx, tx, `UPDATE accounts SET last_sign_in_at = ? WHERE district_id = ? AND user_id = ? AND role = '' AND retired_at IS NULL`, tx.now, tx.actor.District, userID)
	if err != nil {
		return fmt.Errorf("note sign-in of user %d: %w", userID, err)
	}
	return nil
}

// TouchSession moves the session's last sign of life to now.
func (tx *Tx) TouchSession(ctx context.Context, tokenHash []byte) error {
	_, err := exec(ctx, tx, `UPDATE sessions SET seen_at = ? WHERE district_id = ? AND token_hash = ? AND revoked_at IS NULL`, tx.now, tx.actor.District, tokenHash)
	if err != nil {
		return fmt.Errorf("touch session: %w", err)
	}
	return nil
}

// seenLately is how far back a page was asked for by somebody who is still at it: sessions note that once a minute.
const seenLately = 2 * time.Minute

// Visited tells whether anybody of the district is at the console.
func (tx *Tx) Visited(ctx context.Context) (bool, error) {
	got, err := one[struct{ Here bool }](ctx, tx, `SELECT EXISTS (SELECT FROM sessions WHERE district_id = ? AND seen_at > ? AND revoked_at IS NULL) AS here`,
		tx.actor.District, tx.now.Add(-seenLately))
	if err != nil {
		return false, fmt.Errorf("look for visitors: %w", err)
	}
	return got.Here, nil
}

// RevokeSession ends a session for good. ErrNotFound: there was no open session of that token.
func (tx *Tx) RevokeSession(ctx context.Context, tokenHash []byte) error {
	n, err := exec(ctx, tx, `UPDATE sessions SET revoked_at = ? WHERE district_id = ? AND token_hash = ? AND revoked_at IS NULL`, tx.now, tx.actor.District, tokenHash)
	if err != nil {
		return fmt.Errorf("revoke session: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("revoke session: %w", ErrNotFound)
	}
	return nil
}

// SessionOfCode reports whether this very session was made from that OAuth code.
func (tx *Tx) SessionOfCode(ctx context.Context, tokenHash, codeHash []byte) (bool, error) {
	found, err := query[struct{ UserID int64 }](ctx, tx, `SELECT user_id FROM sessions
		WHERE district_id = ? AND token_hash = ? AND code_hash = ? AND revoked_at IS NULL AND expires_at > ?`,
		tx.actor.District, tokenHash, codeHash, tx.now)
	if err != nil {
		return false, fmt.Errorf("session of code: %w", err)
	}
	return len(found) == 1, nil
}
