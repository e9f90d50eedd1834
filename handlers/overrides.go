package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// overrideFlags are what the list can be narrowed to beside what stands in a column.
var overrideFlags = []string{"redundant", "contradicted", "orphaned", "stale"}

// parseOverrides reads the filter of the query. What it does not know is left out and said so.
func (v *visit) parseOverrides(q url.Values, schools []models.SchoolChoice) (asked views.OverridesFilter, f models.OverrideFilter, notices []string) {
	say := func(notice string) {
		if !slices.Contains(notices, notice) {
			notices = append(notices, notice)
		}
	}
	asked.Q = text(q.Get("q"), maxQuery)
	if asked.Permission = text(q.Get("permission"), 100); asked.Permission != q.Get("permission") {
		asked.Permission = ""
		say(noticeUnknownFilter)
	}
	if asked.School = q.Get("school"); asked.School != "" {
		at := slices.IndexFunc(schools, func(s models.SchoolChoice) bool { return s.CleverID == asked.School })
		if at < 0 {
			asked.School = ""
			say(noticeNoSchool)
		} else {
			f.School = schools[at].ID
		}
	}
	switch status := q.Get("status"); status {
	case models.OverridesStanding, "standing":
	case models.OverridesEnded, models.OverridesAny:
		asked.Status, f.Status = status, status
	default:
		say(noticeUnknownFilter)
	}
	switch only := q.Get("only"); {
	case only == "":
	case only == "ending", only == "no_end", only == "locked":
		asked.Only, f.Ending, f.NoEnd, f.Locked = only, only == "ending", only == "no_end", only == "locked"
		if only == "ending" { // what ends soon stands
			asked.Status, f.Status = "", models.OverridesStanding
		}
	case slices.Contains(overrideFlags, only):
		asked.Only, f.Flag = only, only
		asked.Status = ""
	default:
		say(noticeUnknownFilter)
	}
	asked.After, asked.Before = q.Get("after"), q.Get("before")
	if asked.After != "" {
		asked.Before = ""
	}
	f.Q, f.Permission, f.After, f.Before = asked.Q, access.Permission(asked.Permission), asked.After, asked.Before
	return asked, f, notices
}

// listOverrides lists the district's overrides, the newest first.
func listOverrides(v *visit) (reply, error) { return v.overridesList(http.StatusOK) }

func (v *visit) overridesList(status int, said ...string) (reply, error) {
	schools, err := v.tx.SchoolChoices(v.ctx, v.me.District, access.Reach{District: true})
	if err != nil {
		return nil, err
	}
	asked, f, notices := v.parseOverrides(v.c.QueryParams(), schools)
	notices = append(notices, said...)
	list, err := v.tx.Overrides(v.ctx, v.me.Policy, f)
	if errors.Is(err, models.ErrBadCursor) {
		notices = append(notices, noticeBadCursor)
		asked.After, asked.Before, f.After, f.Before = "", "", "", ""
		list, err = v.tx.Overrides(v.ctx, v.me.Policy, f)
	}
	if err != nil {
		return nil, err
	}
	l := v.locale()
	p := views.OverridesPage{
		Filter: asked, Total: list.Count, Bounded: list.AtLeast, Notices: notices, Next: link(list.Next, ""), Prev: link(list.Prev, ""),
		None: len(list.Rows) == 0 && !asked.Active() && asked.After == "" && asked.Before == "",
	}
	for _, d := range v.me.Policy.Catalogue.Definitions() {
		p.Permissions = append(p.Permissions, l.Act(d))
	}
	for _, s := range schools {
		p.Schools = append(p.Schools, views.SchoolOption{ID: s.CleverID, Name: s.Name})
	}
	for _, row := range list.Rows {
		p.Rows = append(p.Rows, v.overrideRow(l, row))
	}
	p.Frame = v.frameAt(asked.Path(v.me.District.CleverID, string(v.actor.View)))
	if status != http.StatusOK {
		return pageAs(status, views.Overrides(p)), nil
	}
	return page(views.Overrides(p)), nil
}

// overrideRow is a row of the list in words.
func (v *visit) overrideRow(l *views.Locale, r models.OverrideRow) views.OverrideRow {
	row := views.OverrideRow{
		ID: r.ID, UserID: r.UserID, Name: listName(r.First, r.Middle, r.Last), By: r.By, At: r.CreatedAt,
		Reason: r.Reason, Note: r.Note, Locked: r.Locked, Flags: r.Flags.Words(),
		Words: views.OverrideWords{
			Name: join(" ", r.First, r.Middle, r.Last), Allow: r.Allow, Act: v.act(l, r.Permission),
			Spot: views.Spot{Kind: string(r.PlaceKind), Name: r.School},
			End:  views.EndWords{Kind: string(r.EndKind), At: value(r.EndsAt), Term: r.Term, Role: string(value(r.EndRole))},
		},
	}
	if r.PlaceKind == access.Section {
		row.Words.Spot = views.Spot{Kind: "section", Name: r.Section, Period: r.Period, Around: r.School}
	}
	if !r.Standing(v.tx.Now()) {
		row.Ended = r.EndedAt
		if row.Ended == nil {
			row.Ended = r.EndsAt
		}
	} else if r.EndsAt != nil && !r.EndsAt.After(v.tx.Now().Add(models.OverridesEnding)) {
		row.Soon = true
	}
	return row
}

// maxExported bounds the rows of a file.
const maxExported = 10_000

// exportOverrides is the list as a file, under the same filter.
func exportOverrides(v *visit) (reply, error) {
	schools, err := v.tx.SchoolChoices(v.ctx, v.me.District, access.Reach{District: true})
	if err != nil {
		return nil, err
	}
	_, f, _ := v.parseOverrides(v.c.QueryParams(), schools)
	f.After, f.Before, f.Limit = "", "", maxExported
	list, err := v.tx.Overrides(v.ctx, v.me.Policy, f)
	if err != nil {
		return nil, err
	}
	l := v.locale()
	rows := [][]string{l.OverrideColumns()}
	for _, r := range list.Rows {
		rows = append(rows, v.overrideRow(l, r).Cells(l))
	}
	return csvFile("overrides.csv", rows)
}
