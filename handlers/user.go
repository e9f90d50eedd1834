package handlers

import (
	"slices"
	"strconv"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// shownSections bounds the sections on a person's page.
const shownSections = 100

// showUser is one person. A Clever id or a legacy id in the address leads to the address with ours.
func showUser(v *visit) (reply, error) {
	value, ok := pathID(v.c)
	if !ok {
		return nil, models.ErrNotFound
	}
	d, err := v.tx.UserDetails(v.ctx, value, models.UserWants{
		Places:    !v.reach.District || len(v.views) > 1, // else everybody is within reach, and no other view asks where
		Overrides: v.mayOverride(),
	})
	if err != nil {
		return nil, err
	}
	if err := v.may(d.Places...); err != nil { // before the redirect, which would tell that the person exists
		return nil, err
	}
	if d.Record != d.User.ID {
		return seeOther(views.MergedUserPath(v.me.District.CleverID, string(v.actor.View), d.User.ID, d.Record)), nil
	}
	if value != strconv.FormatInt(d.User.ID, 10) {
		return seeOther(views.UserPath(v.me.District.CleverID, string(v.actor.View), d.User.ID)), nil
	}
	p, err := v.userPage(d)
	if err != nil {
		return nil, err
	}
	return page(views.User(p)), nil
}

func (v *visit) userPage(d models.UserDetails) (views.UserPage, error) {
	u := d.User
	p := views.UserPage{
		ID: u.ID, Name: fullName(u), Email: u.Email, EndedAt: u.EndedAt, ChangedAt: new(u.ChangedAt),
	}
	if v.reach.District { // what is beyond one's own schools cannot be counted up to a whole
		schools, err := v.tx.SchoolChoices(v.ctx, v.me.District, v.reach)
		if err != nil {
			return p, err
		}
		p.TotalSchools = len(schools)
	}
	if u.CleverID != nil {
		p.CleverID = *u.CleverID
	}
	if v.mayReview() {
		p.Merged = mergedRecordViews(d.Merged)
	}
	p.CameBy = slices.ContainsFunc(d.Merged, func(m models.MergedRecord) bool { return strconv.FormatInt(m.ID, 10) == v.c.QueryParam("merged") })
	for _, g := range d.Grants {
		p.Grants = append(p.Grants, v.userGrants(u.ID, g, d.Givers)...)
		if g.Source != access.ByHand && (g.EndedAt == nil || u.EndedAt != nil) && v.mayKnowIDs(u, g) { // by hand, a role has no ids
			p.IDs = append(p.IDs, views.UserIDs{Role: string(g.Role), LegacyID: g.LegacyID, SISID: g.SISID, Number: g.Number})
		}
	}
	v.addUserSections(&p, d.Sections)
	v.addAccounts(&p, d.Accounts)
	if err := v.addOverrides(&p, d); err != nil {
		return p, err
	}
	if d.Suggested {
		if err := v.addDuplicates(&p); err != nil {
			return p, err
		}
	}
	if err := v.addRelated(&p, d.Related); err != nil {
		return p, err
	}
	p.Frame = v.frame()
	return p, nil
}

// mayReview reports that the reader reviews duplicates somewhere.
func (v *visit) mayReview() bool { return !v.actor.Reach(access.DuplicatesReview).Empty() }

// mayKnowIDs reports whether a role's ids are for the reader: the role must be held within reach. A student's are the
// teacher's business too. A contact holds its role wherever its students are, which is how the page was reached.
func (v *visit) mayKnowIDs(u models.User, g models.UserGrant) bool {
	if v.reach.District || g.Role == access.Student || g.Role == access.Contact {
		return true
	}
	return slices.ContainsFunc(g.Schools, func(s models.UserGrantSchool) bool {
		held := s.EndedAt == nil || u.EndedAt != nil && !s.EndedAt.Before(*u.EndedAt)
		return held && slices.Contains(v.reach.Schools, s.SchoolID)
	})
}

// addAccounts lists the accounts, with when they were last used, for those who are there for the person's school or
// the district: a shared section does not make a colleague's comings and goings one's business.
func (v *visit) addAccounts(p *views.UserPage, accounts []models.Account) {
	atSchool := slices.ContainsFunc(v.places, func(at access.Place) bool { return slices.Contains(v.reach.Schools, at.School) })
	if !v.reach.District && !atSchool {
		return
	}
	for _, a := range accounts {
		p.PerRole = p.PerRole || a.Role != ""
		p.Accounts = append(p.Accounts, views.UserAccount{
			ID: strconv.FormatInt(a.ID, 10), Role: a.Role, Created: a.CreatedAt, LastSignIn: a.LastSignInAt, EndedAt: a.RetiredAt,
		})
	}
}

// userGrants is one role grant as the matrix shows it: a row for each school.
func (v *visit) userGrants(user int64, g models.UserGrant, givers map[int64]string) []views.UserGrant {
	base := views.UserGrant{Role: string(g.Role), Labels: g.Labels, Source: string(g.Source), Since: new(g.Since), EndedAt: g.EndedAt, Until: g.EndsAt}
	if g.GivenBy != nil {
		base.By = givers[*g.GivenBy]
	}
	if g.Source == access.ByHand && g.EndedAt == nil && v.mayAssign() {
		base.EndHref = views.EndRolePath(v.me.District.CleverID, string(v.actor.View), user, g.ID)
	}
	if len(g.Schools) == 0 {
		return []views.UserGrant{base}
	}
	rows := make([]views.UserGrant, len(g.Schools))
	for i, s := range g.Schools {
		row := base
		row.SchoolID, row.School, row.SchoolSIS, row.Primary, row.Since = s.CleverID, s.Name, s.SISID, s.Primary, new(s.Since)
		row.OutOfReach = !v.actor.Decide(access.UsersView, access.AtSchool(s.SchoolID)).Allowed
		row.EndedAt = earlier(g.EndedAt, s.EndedAt)
		rows[i] = row
	}
	return rows
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// addUserSections lists the person's sections that the reader may open: a teacher does not see a student's other
// classes.
func (v *visit) addUserSections(p *views.UserPage, sections []models.UserSection) {
	for _, s := range sections {
		if !v.actor.Decide(access.RosterView, access.AtSection(s.ID, s.SchoolID)).Allowed {
			p.HiddenSections = true
			continue
		}
		if len(p.Sections) == shownSections {
			p.MoreSections++
			continue
		}
		p.Sections = append(p.Sections, views.UserSection{
			ID: s.CleverID, Name: s.Name, School: s.School, Term: s.Term, Period: s.Period, As: s.As, Students: s.Students,
		})
	}
}

// relatedKinds are the kinds of models in the words of views.
var relatedKinds = map[string]string{
	models.StudentOfContact: "student", models.ContactOfStudent: "contact", models.SameEmail: "same_email",
}

// addRelated lists the related people whom the reader may see as well.
func (v *visit) addRelated(p *views.UserPage, related []models.RelatedPerson) error {
	if len(related) == 0 {
		return nil
	}
	ids := make([]int64, len(related))
	for i, r := range related {
		ids[i] = r.ID
	}
	within, err := v.tx.WithinReach(v.ctx, v.reach, ids)
	if err != nil {
		return err
	}
	for _, r := range related {
		if !within[r.ID] {
			continue
		}
		p.Related = append(p.Related, views.RelatedUser{
			ID: r.ID, Name: join(" ", r.FirstName, r.MiddleName, r.LastName), Roles: slices.Compact(r.Roles), // one may be Clever's and by hand
			Kind: relatedKinds[r.Kind], Relationship: r.Relationship,
		})
	}
	return nil
}
