package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
)

// rosterPerson is one record on its way into the tables, with what the tables hold of that user.
type rosterPerson struct {
	*RosterUser
	id      int64
	home    int64 // the person whose record it is: the user, or whom the user was merged into
	held    held
	known   bool // the user was here before
	adopted bool // known, but without a Clever id until now
	past    *userState
	kept    bool // what the record no longer has stays for now
}

// userPage is the work on one page of users.
type userPage struct {
	tx      *Tx
	seen    *Seen
	count   RosterCount
	people  []*rosterPerson       // to be written
	schools map[string]int64      // by Clever id, every one the people name
	legacy  map[string]legacyHeld // by legacy id, every one that is known
	homes   map[int64]int64       // of those whose records are merged
	ids     []int64               // for new grants
	rows    userRows
}

type legacyHeld struct {
	user    int64
	current bool
}

// WriteUsers brings a page of people into the district: users, identities, role grants with their schools, the
// students of contacts, accounts and search rows. Grants given by hand are left alone.
//
// An id that leads to another user already (Clever may merge and split people at any sync) stays where it is and is
// counted as a problem.
func (tx *Tx) WriteUsers(ctx context.Context, page []RosterUser, seen *Seen) (RosterCount, error) {
	p := &userPage{tx: tx, seen: seen}
	if err := p.write(ctx, page, seen); err != nil {
		return p.count, fmt.Errorf("write users: %w", err)
	}
	return p.count, nil
}

func (p *userPage) write(ctx context.Context, page []RosterUser, seen *Seen) error {
	ids := make([]string, len(page))
	for i := range page {
		page[i].Prepare()
		ids[i] = page[i].CleverID
	}
	if err := p.tx.beginPage(ctx); err != nil {
		return err
	}
	found, err := p.tx.heldRecords(ctx, "users", "true", ids)
	if err != nil {
		return err
	}
	record := func(u *RosterUser) (string, []byte) { return u.CleverID, u.digest }
	sift(&p.count, seen, page, found, record, func(u *RosterUser, h held, known bool) {
		p.people = append(p.people, &rosterPerson{RosterUser: u, id: h.id, held: h, known: known})
	})
	if len(p.people) == 0 {
		return nil
	}
	if err := p.identify(ctx, seen); err != nil {
		return err
	}
	if err := p.readPast(ctx); err != nil {
		return err
	}
	p.rows.district, p.rows.now = p.tx.actor.District, p.tx.now
	for _, u := range p.people {
		p.count.wrote(u.held, u.known)
		seen.add(u.id)
		if err := p.keep(u); err != nil {
			return err
		}
		p.noteRecord(u)
		p.compose(u)
	}
	b := &pgx.Batch{}
	p.rows.queue(b)
	p.rows.held.queue(b, p.tx.actor.District, seen.run)
	if p.tx.notes() {
		p.rows.notes.queue(b, p.tx.actor.District, p.tx.noting)
	}
	if err := p.tx.send(ctx, "write rows", b); err != nil {
		return err
	}
	return p.tx.settleRecords(ctx, p.homes)
}

// identify settles who each record is about. Identities come first, ended ones included: only a Clever id that no
// identity knows makes a new user.
func (p *userPage) identify(ctx context.Context, seen *Seen) error {
	district := p.tx.actor.District
	var strangers, legacy []string
	named := map[string]bool{}
	for _, u := range p.people {
		if !u.known {
			strangers = append(strangers, u.CleverID)
		}
		for _, g := range u.Grants {
			if usableID(g.LegacyID) {
				legacy = append(legacy, g.LegacyID)
			}
			for _, s := range g.Schools {
				named[s] = true
			}
		}
	}
	var err error
	if p.schools, err = p.tx.schoolIDs(ctx, named); err != nil {
		return err
	}
	b := &pgx.Batch{}
	var value string
	aliases := map[string]int64{} // users by Clever ids that are known, but are not those of their records
	var user int64
	if len(strangers) > 0 {
		collect(b, byKey("text", `SELECT i.value, i.user_id FROM identities i WHERE i.district_id = $1 AND i.kind = 'clever' AND i.value = w.id`),
			[]any{district, strangers}, []any{&value, &user}, func() { aliases[value] = user })
	}
	p.legacy = make(map[string]legacyHeld, len(legacy))
	var l legacyHeld
	if len(legacy) > 0 {
		collect(b, byKey("text", `SELECT i.value, i.user_id, i.ended_at IS NULL FROM identities i WHERE i.district_id = $1 AND i.kind = 'legacy' AND i.value = w.id`),
			[]any{district, legacy}, []any{&value, &l.user, &l.current}, func() { p.legacy[value] = l })
	}
	var fresh []int64
	newIDs(b, "users", len(strangers), &fresh)
	if err := p.tx.send(ctx, "look up identities", b); err != nil {
		return err
	}
	adoptable, err := p.adoptable(ctx, aliases)
	if err != nil {
		return err
	}
	people := p.people[:0]
	for _, u := range p.people {
		user, alias := aliases[u.CleverID]
		h, free := adoptable[user]
		switch {
		case u.known:
		case alias && free:
			delete(adoptable, user) // one record for a user
			u.id, u.held, u.known, u.adopted = user, h, true, true
		case alias:
			// The id belongs to a user whose record comes under another id. That user is here, so must not end.
			p.count.Problems++
			p.count.Claimed++
			seen.add(user)
			continue
		default:
			u.id, fresh = fresh[0], fresh[1:]
		}
		people = append(people, u)
	}
	p.people = people
	return p.findHomes(ctx)
}

// findHomes settles to whom each record gives what it gives.
func (p *userPage) findHomes(ctx context.Context) (err error) {
	var known []int64
	for _, u := range p.people {
		u.home = u.id
		if u.known {
			known = append(known, u.id)
		}
	}
	if len(known) == 0 {
		return nil
	}
	if p.homes, err = p.tx.mergedHomes(ctx, known); err != nil {
		return err
	}
	for _, u := range p.people {
		if home, merged := p.homes[u.id]; merged {
			u.home = home
		}
	}
	return nil
}

// adoptable gives those of the users who have no Clever id yet: they were imported.
func (p *userPage) adoptable(ctx context.Context, aliases map[string]int64) (map[int64]held, error) {
	found := map[int64]held{}
	if len(aliases) == 0 {
		return found, nil
	}
	b := &pgx.Batch{}
	var h held
	collect(b, byKey("bigint", `SELECT u.id, u.ended_at IS NULL FROM users u WHERE u.district_id = $1 AND u.id = w.id AND u.clever_id IS NULL`),
		[]any{p.tx.actor.District, slices.Collect(maps.Values(aliases))}, []any{&h.id, &h.current}, func() { found[h.id] = h })
	return found, p.tx.send(ctx, "find imported users", b)
}

// compose turns one record and what is held of the user into rows.
func (p *userPage) compose(u *rosterPerson) {
	if u.past == nil {
		u.past = &userState{}
	}
	since := p.tx.now
	if !u.known {
		since = when(p.tx.now, u.Created)
	}
	if u.First+u.Middle+u.Last == "" && u.known { // withheld, not blank
		u.First, u.Middle, u.Last, u.nameKey = u.past.names[0], u.past.names[1], u.past.names[2], u.past.nameKey
	}
	p.composeIdentities(u)
	listed, roles := map[string]bool{}, map[string]bool{} // Clever's, and all
	schools := idSet{}
	employee, contact := false, false
	for i := range u.Grants {
		g := &u.Grants[i]
		listed[g.Role], roles[g.Role] = true, true
		switch access.Role(g.Role) {
		case access.Teacher, access.Staff, access.DistrictAdmin:
			employee = true
		case access.Contact:
			contact = true
		default: // students, and roles that Clever may yet invent
		}
		id, old := p.composeGrant(u, g, since)
		if u.known && u.held.current && (old == nil || !old.current) {
			p.count.RolesGained++
		}
		p.composeSchools(u, g, id, old, since, &schools)
	}
	for i := range u.past.grants {
		switch g := &u.past.grants[i]; {
		case g.current && (g.manual || u.RolesWithheld || u.kept && !listed[g.role]):
			roles[g.role] = true
			contact = contact || g.role == string(access.Contact)
			for _, s := range g.schools {
				if s.current {
					schools.add(s.school)
				}
			}
		case !g.manual && g.current && !listed[g.role]:
			p.rows.endedGrants = append(p.rows.endedGrants, g.id)
			p.count.RolesLost++
			p.seen.take(g.role)
		}
	}
	if !u.RolesWithheld {
		p.composeStudents(u)
	}
	if employee || u.past.worked() {
		p.rows.compare = append(p.rows.compare, u.id)
	}
	if employee {
		p.rows.accounts = append(p.rows.accounts, u.home)
	}
	if u.known && u.past.nameKey != u.nameKey {
		p.rows.renamed.id = append(p.rows.renamed.id, u.id)
		p.rows.renamed.key = append(p.rows.renamed.key, u.nameKey)
	}
	p.rows.user(u, len(roles))
	p.rows.searchRow(u, schools.list(), contact)
}

// composeIdentities keeps the ways that lead to the user: the Clever id and each role's legacy id.
func (p *userPage) composeIdentities(u *rosterPerson) {
	if !u.known {
		p.rows.identity("clever", u.CleverID, u.id, "")
	} else if _, merged := p.homes[u.id]; merged || !u.held.current || u.adopted {
		p.rows.revivedIdentities = append(p.rows.revivedIdentities, u.CleverID)
	}
	if u.RolesWithheld {
		return
	}
	holds, others := map[string]bool{}, idSet{}
	for _, g := range u.Grants {
		if g.LegacyID == "" || holds[g.LegacyID] {
			continue
		}
		if !usableID(g.LegacyID) {
			p.count.Problems++
			p.count.Unusable++
			continue
		}
		switch l, known := p.legacy[g.LegacyID]; {
		case !known:
			p.rows.identity("legacy", g.LegacyID, u.id, g.Role)
			p.legacy[g.LegacyID] = legacyHeld{u.id, true}
		case l.user != u.id:
			p.count.Problems++
			p.count.Claimed++
			others.add(l.user)
			continue
		case !l.current:
			p.rows.revivedLegacy = append(p.rows.revivedLegacy, g.LegacyID)
		}
		holds[g.LegacyID] = true
	}
	switch {
	case u.known:
	case len(others.ids) > 1:
		p.count.Joined++
	case len(others.ids) == 1:
		p.count.Split++
	}
	for _, value := range u.past.legacy {
		if !holds[value] && !u.kept {
			p.rows.endedLegacy = append(p.rows.endedLegacy, value)
		}
	}
}

// composeGrant gives the grant's id and, if it was held before, its former state. A role that comes back begins anew.
func (p *userPage) composeGrant(u *rosterPerson, g *RosterGrant, since time.Time) (int64, *grantState) {
	for i := range u.past.grants {
		old := &u.past.grants[i]
		if old.manual || old.role != g.Role {
			continue
		}
		if u.kept && old.current {
			g.Labels = tidySet(append(slices.Clone(g.Labels), old.labels...), func(string) bool { return true })
		}
		if !old.current || !old.same(g) {
			if !old.current {
				old.since = since
			}
			p.rows.changedGrants.add(old.id, u, g, old.since)
		}
		return old.id, old
	}
	id := p.ids[0]
	p.ids = p.ids[1:]
	p.rows.newGrants.add(id, u, g, since)
	return id, nil
}

func (p *userPage) composeSchools(u *rosterPerson, g *RosterGrant, grant int64, old *grantState, since time.Time, all *idSet) {
	want := idSet{}
	for _, s := range g.Schools {
		school := p.schools[s]
		want.add(school)
		all.add(school)
		primary := s == g.Primary
		if old != nil {
			if h, found := old.school(school); found {
				switch {
				case !h.current:
					p.rows.changedSchools.add(grant, school, u, g.Role, primary, since)
				case h.primary != primary:
					p.rows.changedSchools.add(grant, school, u, g.Role, primary, h.since)
				}
				continue
			}
		}
		p.rows.newSchools.add(grant, school, u, g.Role, primary, since)
	}
	if old == nil {
		return
	}
	for _, h := range old.schools {
		if h.current && !want.has(h.school) {
			if u.kept {
				all.add(h.school)
				continue
			}
			p.rows.endedSchools.grant = append(p.rows.endedSchools.grant, grant)
			p.rows.endedSchools.school = append(p.rows.endedSchools.school, h.school)
		}
	}
}

func (p *userPage) composeStudents(u *rosterPerson) {
	left := u.past.students
	for _, s := range u.Students {
		if old, held := left[s.Student]; held {
			delete(left, s.Student)
			if old == s {
				continue
			}
		}
		p.rows.students.add(u.id, s)
	}
	for student := range left {
		p.rows.lostStudents.contact = append(p.rows.lostStudents.contact, u.id)
		p.rows.lostStudents.student = append(p.rows.lostStudents.student, student)
	}
}
