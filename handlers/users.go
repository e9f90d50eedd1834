package handlers

import (
	"errors"
	"net/url"
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// maxQuery is the letters of a search that are looked at.
const maxQuery = 200

// Notices of lists, by the names that views knows.
const (
	noticeBadCursor     = "bad_cursor"
	noticeUnknownFilter = "unknown_filter"
	noticeNoSchool      = "school_not_found"
)

// listUsers lists the people within reach, under the filter of the query string.
func listUsers(v *visit) (reply, error) {
	choices, err := v.tx.SchoolChoices(v.ctx, v.me.District, v.reach)
	if err != nil {
		return nil, err
	}
	roles, err := v.roleChoices(access.Role(v.c.QueryParam("role")))
	if err != nil {
		return nil, err
	}
	asked, filter, notices := parseUsers(v.c.QueryParams(), choices, roles)
	list, err := v.tx.Users(v.ctx, v.reach, filter)
	if errors.Is(err, models.ErrBadCursor) {
		notices = append(notices, noticeBadCursor)
		asked.After, asked.Before, filter.After, filter.Before = "", "", "", ""
		list, err = v.tx.Users(v.ctx, v.reach, filter)
	}
	if err != nil {
		return nil, err
	}
	p := views.UsersPage{
		Filter: asked, Total: list.Count, Bounded: list.AtLeast, Notices: notices,
		Next: link(list.Next, list.NextName), Prev: link(list.Prev, ""), CanSync: v.maySync(),
		NoPeople: len(list.Rows) == 0 && !asked.Active() && asked.After == "" && asked.Before == "",
	}
	p.Roles, p.Confined = roles, !v.reach.District
	p.Schools = make([]views.SchoolOption, len(choices))
	for i, s := range choices {
		p.Schools[i] = views.SchoolOption{ID: s.CleverID, Name: s.Name}
	}
	p.Rows = make([]views.UserRow, len(list.Rows))
	for i, row := range list.Rows {
		p.Rows[i] = userRow(row)
	}
	p.Frame = v.frame()
	return page(views.Users(p)), nil
}

// roleChoices are the roles a list can be filtered by: Clever's, and the one asked for if somebody within reach holds
// it. Whether others hold it is not for the reader to find out.
func (v *visit) roleChoices(asked access.Role) ([]string, error) {
	var roles []string
	for _, role := range access.Roles() {
		roles = append(roles, string(role))
	}
	if asked == "" || asked.Known() {
		return roles, nil
	}
	counts, err := v.tx.HeadCounts(v.ctx, v.reach)
	for _, c := range counts {
		if c.Role == asked {
			roles = append(roles, string(c.Role))
		}
	}
	return roles, err
}

// parseUsers reads the filter. What it does not know is left out and said so: an old bookmark still opens a list.
func parseUsers(q url.Values, schools []models.SchoolChoice, roles []string) (asked views.UsersFilter, filter models.UserFilter, notices []string) {
	say := func(notice string) {
		if !slices.Contains(notices, notice) {
			notices = append(notices, notice)
		}
	}
	asked.Q = text(q.Get("q"), maxQuery)
	if asked.Role = q.Get("role"); asked.Role != "" && !slices.Contains(roles, asked.Role) {
		asked.Role = ""
		say(noticeUnknownFilter)
	}
	if asked.School = q.Get("school"); asked.School != "" {
		at := slices.IndexFunc(schools, func(s models.SchoolChoice) bool { return s.CleverID == asked.School })
		if at < 0 {
			asked.School = ""
			say(noticeNoSchool)
		} else {
			filter.School = schools[at].ID
		}
	}
	switch status := models.Status(q.Get("status")); status {
	case "", models.Current:
	case models.Ended, models.Any, models.Imported:
		asked.Status, filter.Status = string(status), status
	default:
		say(noticeUnknownFilter)
	}
	switch q.Get("multi") {
	case "", "0":
	case "1":
		asked.Multi = true
	default:
		say(noticeUnknownFilter)
	}
	if asked.Sort = q.Get("sort"); !models.ValidSort(asked.Sort) {
		asked.Sort = ""
		say(noticeUnknownFilter)
	}
	asked.After, asked.Before = q.Get("after"), q.Get("before")
	if asked.After != "" {
		asked.Before = "" // both at once is no place in a list
	}
	filter.Q, filter.Role, filter.Several, filter.Sort = asked.Q, access.Role(asked.Role), asked.Multi, asked.Sort
	filter.After, filter.Before = asked.After, asked.Before
	return asked, filter, notices
}

func userRow(r models.UserRow) views.UserRow {
	row := views.UserRow{
		ID: r.ID, Name: listName(r.First, r.Middle, r.Last), Email: r.Email,
		MoreSchools: r.More, Ended: r.EndedAt != nil, Changed: r.ChangedAt, Pinned: r.Pinned, Imported: r.Imported,
	}
	for _, g := range r.Grants {
		row.Grants = append(row.Grants, views.RowGrant{Role: string(g.Role), School: g.School, Labels: g.Labels, Primary: g.Primary})
	}
	return row
}

// link is the way to the page beside this one, or nil at an end.
func link(cursor, name string) *views.PageLink {
	if cursor == "" {
		return nil
	}
	return &views.PageLink{Cursor: cursor, Name: name}
}

// maySync reports whether the person may start a sync in this view.
func (v *visit) maySync() bool { return v.actor.Decide(access.SyncRun, access.InDistrict()).Allowed }
