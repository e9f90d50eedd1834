package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// maxChanges bounds how many changes of people one run lists. What is beyond is counted by type only.
const maxChanges = 200_000

// The kinds of a change.
const (
	ChangeCame         = "came"
	ChangeReturned     = "returned"
	ChangeLeft         = "left"
	ChangeRoleGained   = "role_gained"
	ChangeRoleLost     = "role_lost"
	ChangeSchoolGained = "school_gained"
	ChangeSchoolLost   = "school_lost"
	ChangeName         = "name"
	ChangeEmail        = "email"
	ChangeLabels       = "labels"
)

// SyncChangeKinds lists them in the order of menus.
func SyncChangeKinds() []string {
	return []string{
		ChangeCame, ChangeReturned, ChangeLeft, ChangeRoleGained, ChangeRoleLost, ChangeSchoolGained, ChangeSchoolLost, ChangeLabels,
		ChangeName, ChangeEmail,
	}
}

// Noting is a run's list of what it changes of people, bounded. The zero value lists nothing.
type Noting struct {
	run  int64
	left int
}

// NoteFor is the list of a run. The first sync of a district lists nothing: everyone is new.
func NoteFor(r SyncRun) *Noting {
	if r.FirstSync {
		return &Noting{}
	}
	return &Noting{r.ID, maxChanges}
}

// Note has the transaction list what it changes of people.
func (tx *Tx) Note(n *Noting) { tx.noting = n }

// noteColumns are changes on their way into the list.
type noteColumns struct {
	user, school              []int64
	kind, role, before, after []string
}

func (c *noteColumns) add(kind string, user int64, role string, school int64, before, after string) {
	c.kind = append(c.kind, kind)
	c.user = append(c.user, user)
	c.role = append(c.role, role)
	c.school = append(c.school, school)
	c.before = append(c.before, before)
	c.after = append(c.after, after)
}

func (c *noteColumns) queue(b *pgx.Batch, district int64, n *Noting) {
	most := min(len(c.user), n.left)
	if most == 0 {
		return
	}
	n.left -= most
	b.Queue(`INSERT INTO sync_changes (district_id, run_id, user_id, kind, role, school_id, before, after)
		SELECT $1, $2, r.person, r.kind, r.role, nullif(r.school, 0), r.before, r.after
		FROM unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[]) AS r(person, kind, role, school, before, after)`,
		district, n.run, c.user[:most], c.kind[:most], c.role[:most], c.school[:most], c.before[:most], c.after[:most])
}

// notes tells whether changes are listed.
func (tx *Tx) notes() bool { return tx.noting != nil && tx.noting.left > 0 }

// noteLeft lists those in gone_users.
func (tx *Tx) noteLeft(ctx context.Context) error {
	if !tx.notes() {
		return nil
	}
	tag, err := tx.conn.Exec(ctx, `INSERT INTO sync_changes (district_id, run_id, user_id, kind) SELECT $1, $2, id, 'left' FROM gone_users ORDER BY id LIMIT $3`,
		tx.actor.District, tx.noting.run, tx.noting.left)
	if err != nil {
		return fmt.Errorf("list who left: %w", err)
	}
	tx.noting.left -= int(tag.RowsAffected())
	return nil
}

// noteRecord lists what a record changes of somebody, before it is composed into rows.
func (p *userPage) noteRecord(u *rosterPerson) {
	if !p.tx.notes() {
		return
	}
	add := func(kind, role string, school int64, before, after string) {
		p.rows.notes.add(kind, u.id, role, school, before, after)
	}
	switch {
	case !u.known:
		add(ChangeCame, "", 0, "", "")
		return
	case !u.held.current:
		add(ChangeReturned, "", 0, "", "")
		return
	}
	if was, is := wholeName(u.past.names), wholeName([3]string{u.First, u.Middle, u.Last}); was != is && is != "" {
		add(ChangeName, "", 0, was, is)
	}
	if u.past.email != u.Email {
		add(ChangeEmail, "", 0, u.past.email, u.Email)
	}
	listed := map[string]bool{}
	for i := range u.Grants {
		g := &u.Grants[i]
		listed[g.Role] = true
		p.noteGrant(u, g, add)
	}
	for _, g := range u.past.grants {
		if !g.manual && g.current && !listed[g.role] && !u.kept && !u.RolesWithheld {
			add(ChangeRoleLost, g.role, 0, "", "")
		}
	}
}

func wholeName(n [3]string) string { return strings.Join(strings.Fields(strings.Join(n[:], " ")), " ") }

func (p *userPage) noteGrant(u *rosterPerson, g *RosterGrant, add func(kind, role string, school int64, before, after string)) {
	var old *grantState
	for i := range u.past.grants {
		if o := &u.past.grants[i]; !o.manual && o.role == g.Role {
			old = o
		}
	}
	if old == nil || !old.current {
		add(ChangeRoleGained, g.Role, 0, "", "")
		return
	}
	want := idSet{}
	for _, s := range g.Schools {
		want.add(p.schools[s])
		if h, held := old.school(p.schools[s]); !held || !h.current {
			add(ChangeSchoolGained, g.Role, p.schools[s], "", "")
		}
	}
	if u.kept {
		return
	}
	for _, h := range old.schools {
		if h.current && !want.has(h.school) {
			add(ChangeSchoolLost, g.Role, h.school, "", "")
		}
	}
	if was, is := strings.Join(old.labels, ", "), strings.Join(g.Labels, ", "); was != is {
		add(ChangeLabels, g.Role, 0, was, is)
	}
}

// SyncChange is one change of one person by one run. Name and school are as they are now.
type SyncChange struct {
	ID, UserID    int64
	CleverID      string
	Name          string
	Kind          string
	Role          access.Role
	School        string
	Before, After string
}

// SyncChanges lists what a run changed of people, in the order in which it did: those of one kind or, for "", all. limit
// is cut to 1000.
func (tx *Tx) SyncChanges(ctx context.Context, run int64, kind string, after int64, limit int) ([]SyncChange, error) {
	return tx.syncChanges(ctx, run, kind, after, false, min(max(limit, 1), 1000))
}

// SyncChangePage is one page of that list: after the change after, or back from the change before, or the first page for
// neither.
func (tx *Tx) SyncChangePage(ctx context.Context, run int64, kind string, after, before int64, limit int) (Paged[SyncChange], error) {
	limit = min(max(limit, 1), 1000)
	rows, err := tx.syncChanges(ctx, run, kind, cmp.Or(before, after), before > 0, limit+1)
	return paged(rows, limit, after > 0, before > 0), err
}

// syncChanges reads changes from one on, or back from it.
func (tx *Tx) syncChanges(ctx context.Context, run int64, kind string, from int64, back bool, limit int) ([]SyncChange, error) {
	beyond, order := `>`, `ASC`
	if back {
		beyond, order = `<`, `DESC`
	}
	rows, err := scan[SyncChange](ctx, tx, `SELECT c.id, c.user_id, c.kind, c.role, c.before, c.after, coalesce(s.name, '') AS school, coalesce(u.clever_id, '') AS clever_id,
			coalesce(concat_ws(' ', nullif(u.first_name, ''), nullif(u.middle_name, ''), u.last_name), '') AS name
		  FROM (SELECT * FROM sync_changes WHERE district_id = @district AND run_id = @run AND (@kind = '' OR kind = @kind) AND id `+beyond+` @from ORDER BY id `+order+` LIMIT @limit) c
		  LEFT JOIN users u ON u.district_id = @district AND u.id = c.user_id
		  LEFT JOIN schools s ON s.district_id = @district AND s.id = c.school_id
		 ORDER BY c.id `+order, map[string]any{"district": tx.actor.District, "run": run, "kind": kind, "from": from, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("changes of sync %d: %w", run, err)
	}
	return rows, nil
}

// SyncChangeCount is how many changes of a kind a run lists.
type SyncChangeCount struct {
	Kind  string
	Count int
}

// SyncChangeCounts counts a run's changes by kind, in the order of SyncChangeKinds.
func (tx *Tx) SyncChangeCounts(ctx context.Context, run int64) ([]SyncChangeCount, error) {
	rows, err := scan[SyncChangeCount](ctx, tx, `SELECT kind, count(*)::int AS count FROM sync_changes WHERE district_id = @district AND run_id = @run GROUP BY kind`,
		map[string]any{"district": tx.actor.District, "run": run})
	if err != nil {
		return nil, fmt.Errorf("count changes of sync %d: %w", run, err)
	}
	kinds := SyncChangeKinds()
	slices.SortFunc(rows, func(a, b SyncChangeCount) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	return rows, nil
}
