package models

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// OverrideFlag says what is the matter with a standing override.
type OverrideFlag struct {
	Redundant    bool // without it the person may, or may not, the same everywhere
	Contradicted bool // a deny at the same place outranks the allowance, or a role given since would allow what it denies
	Orphaned     bool // the person has left, or left that school, or the place has ended
}

// Any reports whether something is the matter.
func (f OverrideFlag) Any() bool { return f.Redundant || f.Contradicted || f.Orphaned }

// Words are the flags by name.
func (f OverrideFlag) Words() (words []string) {
	if f.Redundant {
		words = append(words, "redundant")
	}
	if f.Contradicted {
		words = append(words, "contradicted")
	}
	if f.Orphaned {
		words = append(words, "orphaned")
	}
	return words
}

// flagFacts is a person's facts with the beginning of each role at each school.
type flagFacts struct {
	access.Facts
	since map[int][]time.Time // by grant: of each of its schools, or of the grant where it has none
}

// then are the facts as roles were at a moment, as far as what is still held tells.
func (f flagFacts) then(at time.Time) access.Facts {
	was := f.Facts
	was.Grants = nil
	for i, g := range f.Grants {
		schools := []int64{}
		kept := len(g.Schools) == 0 && !f.since[i][0].After(at)
		for j, s := range g.Schools {
			if !f.since[i][j].After(at) {
				schools = append(schools, s)
				kept = true
			}
		}
		if kept {
			g.Schools = schools
			was.Grants = append(was.Grants, g)
		}
	}
	return was
}

// OverrideFlags says of standing overrides what is the matter with them, by id, in one round trip for all of them.
// Those that do not stand have no flags.
func (tx *Tx) OverrideFlags(ctx context.Context, policy *access.Policy, list []Override) (map[int64]OverrideFlag, error) {
	flags := map[int64]OverrideFlag{}
	list = slices.DeleteFunc(slices.Clone(list), func(o Override) bool { return !o.Standing(tx.now) })
	if len(list) == 0 {
		return flags, nil
	}
	facts, orphans, err := tx.flagFacts(ctx, policy, list)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		flag := OverrideFlag{Orphaned: orphans[o.ID]}
		if f := facts[o.UserID]; f != nil && o.Fact().InForce(tx.now, f.Grants) {
			flag.Contradicted = f.contradicts(o)
			if !flag.Contradicted {
				without := f.Facts
				without.Overrides = slices.DeleteFunc(slices.Clone(f.Overrides), func(x access.Override) bool { return x.ID == o.ID })
				flag.Redundant = len(access.Effects(f.Facts, without)) == 0
			}
		}
		flags[o.ID] = flag
	}
	return flags, nil
}

// contradicts reports whether something newer, or nearer, says the opposite of an override.
func (f *flagFacts) contradicts(o Override) bool {
	at := o.Place()
	if o.Allow {
		v := f.Decide(o.Permission, at)
		return !v.Allowed && slices.ContainsFunc(v.Trace, func(s access.Step) bool {
			return s.Decides && s.Override != nil && s.Override.Place == at && !s.Override.Allow
		})
	}
	roles := func(f access.Facts) bool {
		f.Overrides = nil
		return anyView(f, func(f access.Facts) bool { return f.Decide(o.Permission, at).Allowed })
	}
	return roles(f.Facts) && !roles(f.then(o.CreatedAt))
}

// anyView asks in the district's way of combining, or where that goes by the view in use, in each view.
func anyView(f access.Facts, ask func(access.Facts) bool) bool {
	if f.Policy.Combining() != access.ViewInUse {
		f.View = access.ViewAll
		return ask(f)
	}
	return slices.ContainsFunc(f.Policy.Views(f.Grants), func(v access.View) bool {
		f.View = v
		return ask(f)
	})
}

// flagFacts reads the facts of those whom overrides are about, and which of the overrides have lost their ground.
func (tx *Tx) flagFacts(ctx context.Context, policy *access.Policy, list []Override) (map[int64]*flagFacts, map[int64]bool, error) {
	facts, orphans := map[int64]*flagFacts{}, map[int64]bool{}
	var users, ids []int64
	for _, o := range list {
		ids = append(ids, o.ID)
		if facts[o.UserID] == nil {
			facts[o.UserID] = &flagFacts{Facts: access.Facts{Policy: policy, View: access.ViewAll, Now: tx.now}, since: map[int][]time.Time{}}
			users = append(users, o.UserID)
		}
	}
	var grants []struct {
		UserID  int64
		Role    access.Role
		Source  access.Source
		Labels  []string
		Since   time.Time
		Schools []int64
		Sinces  []time.Time
	}
	var teaches []struct{ UserID, SectionID, SchoolID int64 }
	var standing []Override
	var gone []struct{ ID int64 }
	args := map[string]any{"district": tx.actor.District, "users": users, "ids": ids, "now": tx.now}
	b := &pgx.Batch{}
	ask(b, &grants, `SELECT g.user_id, g.role, g.source, g.labels, g.since,
		       coalesce(array_agg(gs.school_id ORDER BY gs.school_id) FILTER (WHERE gs.school_id IS NOT NULL), '{}') AS schools,
		       coalesce(array_agg(gs.since ORDER BY gs.school_id) FILTER (WHERE gs.school_id IS NOT NULL), '{}') AS sinces
		  FROM role_grants g JOIN users u ON u.district_id = @district AND u.id = g.user_id AND u.ended_at IS NULL
		  LEFT JOIN role_grant_schools gs ON gs.district_id = @district AND gs.grant_id = g.id AND gs.ended_at IS NULL
		 WHERE g.district_id = @district AND g.user_id = ANY(@users) AND g.ended_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > @now)
		 GROUP BY g.district_id, g.id ORDER BY g.id`, args)
	ask(b, &teaches, `SELECT t.user_id, s.id AS section_id, s.school_id FROM section_teachers t
		  JOIN sections s ON s.district_id = @district AND s.id = t.section_id AND s.ended_at IS NULL
		 WHERE t.district_id = @district AND t.user_id = ANY(@users)`, args)
	ask(b, &standing, `SELECT * FROM overrides WHERE district_id = @district AND user_id = ANY(@users) AND ended_at IS NULL
		AND (ends_at IS NULL OR ends_at > @now) ORDER BY id`, args)
	ask(b, &gone, `SELECT o.id FROM overrides o JOIN users u ON u.district_id = @district AND u.id = o.user_id
		  LEFT JOIN schools h  ON h.district_id = @district AND h.id = o.school_id
		  LEFT JOIN sections s ON s.district_id = @district AND s.id = o.section_id
		 WHERE o.district_id = @district AND o.id = ANY(@ids) AND (u.ended_at IS NOT NULL OR h.ended_at IS NOT NULL OR s.ended_at IS NOT NULL
		    OR o.school_id IS NOT NULL AND EXISTS (SELECT FROM role_grant_schools gs
		         WHERE gs.district_id = @district AND gs.user_id = o.user_id AND gs.school_id = o.school_id AND gs.ended_at >= o.created_at)
		       AND NOT EXISTS (SELECT FROM role_grant_schools gs
		         WHERE gs.district_id = @district AND gs.user_id = o.user_id AND gs.school_id = o.school_id AND gs.ended_at IS NULL))`, args)
	if err := tx.send(ctx, "flags of overrides", b); err != nil {
		return nil, nil, err
	}
	for _, g := range grants {
		f := facts[g.UserID]
		i := len(f.Grants)
		f.Grants = append(f.Grants, access.Grant{Role: g.Role, Source: g.Source, Labels: g.Labels, Schools: g.Schools})
		f.since[i] = append(g.Sinces, g.Since)
	}
	for _, t := range teaches {
		facts[t.UserID].Teaches = append(facts[t.UserID].Teaches, access.AtSection(t.SectionID, t.SchoolID))
	}
	for _, o := range standing {
		facts[o.UserID].Overrides = append(facts[o.UserID].Overrides, o.Fact())
	}
	for _, o := range gone {
		orphans[o.ID] = true
	}
	return facts, orphans, nil
}
