package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// ReasonNotes is what the words about some verdicts need beyond the verdicts: from where and since when a role is
// held, and who decided an override, why and for how long.
type ReasonNotes struct {
	Grants    map[GrantKey]GrantNote
	Overrides map[int64]OverrideNote
}

// GrantKey is a role as somebody holds it: Clever's and the one by hand are two.
type GrantKey struct {
	User   int64
	Role   access.Role
	Source access.Source
}

// GrantNote is about a current role grant.
type GrantNote struct {
	By      string // who gave it by hand
	Since   time.Time
	Until   *time.Time
	Schools []string // names, "" where Clever does not share the school
}

// OverrideNote is about an override.
type OverrideNote struct {
	ID         int64
	By         string
	Reason     string
	Note       string
	CreatedAt  time.Time
	EndKind    string
	Locked     bool
	PlaceKind  access.Kind
	SchoolName string
	Section    string
	Period     string
}

// ReasonNotes reads the notes about the current roles of some people and about some overrides, in one round trip.
func (tx *Tx) ReasonNotes(ctx context.Context, users, overrides []int64) (ReasonNotes, error) {
	type grantRow struct {
		UserID      int64
		Role        access.Role
		Source      access.Source
		GivenBy     string
		Since       time.Time
		EndsAt      *time.Time
		SchoolsJSON []byte
	}
	notes := ReasonNotes{Grants: map[GrantKey]GrantNote{}, Overrides: map[int64]OverrideNote{}}
	var grants []grantRow
	var about []OverrideNote
	b := &pgx.Batch{}
	args := map[string]any{"district": tx.actor.District, "now": tx.now, "users": users, "overrides": overrides}
	if len(users) > 0 {
		ask(b, &grants, `
			SELECT g.user_id, g.role, g.source, coalesce(`+spokenName("b")+`, '') AS given_by, g.since, g.ends_at,
			       (SELECT json_agg(h.name ORDER BY h.name_key, h.id) FROM role_grant_schools a JOIN schools h ON h.district_id = @district AND h.id = a.school_id
			         WHERE a.district_id = @district AND a.grant_id = g.id AND a.ended_at IS NULL) AS schools_json
			  FROM role_grants g LEFT JOIN users b ON b.district_id = @district AND b.id = g.given_by
			 WHERE g.district_id = @district AND g.user_id = ANY(CAST(@users AS bigint[])) AND `+currentGrant, args)
	}
	if len(overrides) > 0 {
		ask(b, &about, `
			SELECT o.id, coalesce(`+spokenName("b")+`, '') AS by, o.reason, o.note, o.created_at, o.end_kind, o.locked, o.place_kind,
			       coalesce(h.name, '') AS school_name, coalesce(s.name, '') AS section, coalesce(s.period, '') AS period
			  FROM overrides o
			  LEFT JOIN users b    ON b.district_id = @district AND b.id = o.created_by
			  LEFT JOIN schools h  ON h.district_id = @district AND h.id = o.school_id
			  LEFT JOIN sections s ON s.district_id = @district AND s.id = o.section_id
			 WHERE o.district_id = @district AND o.id = ANY(CAST(@overrides AS bigint[]))`, args)
	}
	if b.Len() == 0 {
		return notes, nil
	}
	if err := tx.send(ctx, "notes", b); err != nil {
		return notes, err
	}
	for _, g := range grants {
		note := GrantNote{By: g.GivenBy, Since: g.Since, Until: g.EndsAt}
		if g.SchoolsJSON != nil {
			if err := json.Unmarshal(g.SchoolsJSON, &note.Schools); err != nil {
				return notes, fmt.Errorf("schools of user %d: %w", g.UserID, err)
			}
		}
		notes.Grants[GrantKey{g.UserID, g.Role, g.Source}] = note
	}
	for _, o := range about {
		notes.Overrides[o.ID] = o
	}
	return notes, nil
}

// spokenName is SQL for a person's name as it is spoken, NULL without a person.
func spokenName(alias string) string {
	return `CASE WHEN ` + alias + `.id IS NOT NULL THEN concat_ws(' ', nullif(` + alias + `.first_name, ''), nullif(` + alias + `.middle_name, ''), ` + alias + `.last_name) END`
}
