package handlers

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// showActivity is everything that was done in the district, a page at a time.
func showActivity(v *visit) (reply, error) {
	p, f, none, err := v.activityAsked()
	if err != nil {
		return nil, err
	}
	q := v.c.QueryParams()
	for _, side := range []struct {
		name string
		into *int64
	}{{"after", &f.After}, {"before", &f.Before}} {
		if text := q.Get(side.name); text != "" {
			if *side.into, err = models.EntryCursor(text); err != nil {
				p.Notices = append(p.Notices, noticeBadCursor)
			}
		}
	}
	var list models.Activity
	if !none {
		if list, err = v.tx.Activity(v.ctx, f); err != nil {
			return nil, err
		}
		if f.Before > 0 && len(list.Rows) == 0 { // nothing newer: the first page
			f.Before = 0
			if list, err = v.tx.Activity(v.ctx, f); err != nil {
				return nil, err
			}
		}
	}
	if p.Rows, err = v.activityRows(list.Rows); err != nil {
		return nil, err
	}
	if n := len(list.Rows); n > 0 {
		if list.Newer {
			p.Newer = link(strconv.FormatInt(list.Rows[0].ID, 10), "")
		}
		if list.Older {
			p.Older = link(strconv.FormatInt(list.Rows[n-1].ID, 10), "")
		}
	}
	p.Frame = v.frame()
	return page(views.Activity(p)), nil
}

// activityAsked reads the filter. What it does not know is left out and said so; none is a person whom nobody knows,
// so that there is nothing to show.
func (v *visit) activityAsked() (p views.ActivityPage, f models.ActivityFilter, none bool, err error) {
	q := v.c.QueryParams()
	p.Kinds = audit.Kinds()
	say := func(notice string) {
		if !slices.Contains(p.Notices, notice) {
			p.Notices = append(p.Notices, notice)
		}
	}
	if kind := q.Get("kind"); kind != "" {
		if f.Actions = audit.OfKind(kind); f.Actions == nil {
			say(noticeUnknownFilter)
		} else {
			p.Filter.Kind = kind
		}
	}
	if worn := access.View(q.Get("worn")); worn != "" {
		if worn == access.ViewAll || access.Role(worn).WorksHere() {
			p.Filter.Worn, f.View = string(worn), worn
		} else {
			say(noticeUnknownFilter)
		}
	}
	f.From, f.Until = v.days(q, &p, say)
	for _, who := range []struct {
		name string
		text *string // as it stays in the form
		said *string
		into func(models.User) error
	}{
		{"by", &p.Filter.By, &p.By, func(u models.User) error { f.Actor = u.ID; return nil }},
		{"for", &p.Filter.For, &p.For, func(u models.User) (err error) { f.Subjects, err = v.tx.SubjectsOf(v.ctx, u.ID); return err }},
	} {
		if *who.text = text(q.Get(who.name), maxQuery); *who.text == "" {
			continue
		}
		u, notice, err := v.onePerson(*who.text)
		if err != nil {
			return p, f, none, err
		}
		if notice != "" {
			say(notice)
			none = true
			continue
		}
		*who.said = fullName(u)
		if err := who.into(u); err != nil {
			return p, f, none, err
		}
	}
	return p, f, none, nil
}

// days reads the first and the last day, on the district's calendar.
func (v *visit) days(q url.Values, p *views.ActivityPage, say func(string)) (from, until time.Time) {
	const day = "2006-01-02"
	at := zone(v.me.District.TimeZone)
	if text := q.Get("from"); text != "" {
		if t, err := time.ParseInLocation(day, text, at); err != nil {
			say("bad_date")
		} else {
			from, p.Filter.From = t, text
		}
	}
	if text := q.Get("to"); text != "" {
		if t, err := time.ParseInLocation(day, text, at); err != nil {
			say("bad_date")
		} else {
			until, p.Filter.To = t.AddDate(0, 0, 1), text
		}
	}
	return from, until
}

// onePerson finds whom an id, an address or a name means, people who have left included. notice says why it is nobody.
func (v *visit) onePerson(text string) (u models.User, notice string, err error) {
	u, err = v.tx.UserByAnyID(v.ctx, text)
	if !errors.Is(err, models.ErrNotFound) {
		return u, "", err
	}
	list, err := v.tx.Users(v.ctx, access.Reach{District: true}, models.UserFilter{Q: text, Status: models.Any, Limit: 2})
	switch {
	case err != nil:
		return u, "", err
	case len(list.Rows) == 0:
		return u, "nobody", nil
	case len(list.Rows) > 1:
		return u, "several", nil
	}
	u, err = v.tx.User(v.ctx, list.Rows[0].ID)
	return u, "", err
}
