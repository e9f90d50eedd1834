package handlers

import (
	"errors"
	"slices"
	"strconv"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// whoAsked is a question that the list can answer.
type whoAsked struct {
	models.WhoQuestion
	text string // the place as in addresses
	spot views.Spot
}

// readWho reads the question of the query string. problem is permission or place, or "".
func (v *visit) readWho(permission, place string) (q whoAsked, problem string, err error) {
	if _, _, known := v.me.Policy.Catalogue.Find(access.Permission(permission)); !known {
		return q, "permission", nil
	}
	at, found, err := v.knownSpot(place)
	if err != nil || !found {
		return q, "place", err
	}
	wide := access.Facts{Policy: v.me.Policy}.Decide(access.Permission(permission), at.place).Place
	if !v.reach.Contains(wide) {
		return q, "place", nil
	}
	if wide != at.place {
		spots, err := v.spotsOf([]access.Place{wide})
		if err != nil {
			return q, "", err
		}
		at = spots[wide]
	}
	return whoAsked{models.WhoQuestion{Permission: access.Permission(permission), Place: at.place, View: models.AnyView}, at.text, at.spot}, "", nil
}

// showWhoCan is everybody who may do something at a place, with the reason.
func showWhoCan(v *visit) (reply, error) {
	get := v.c.QueryParam
	var shown views.WhoCanPage
	var err error
	if shown.Form, err = v.checkForm(text(get("permission"), maxID), text(get("place"), maxID)); err != nil {
		return nil, err
	}
	if shown.Form.Permission != "" || shown.Form.Place != "" {
		q, problem, err := v.readWho(shown.Form.Permission, shown.Form.Place)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			shown.Problems = append(shown.Problems, problem)
		} else if err := v.answerWho(&shown, q); err != nil {
			return nil, err
		}
	}
	shown.Frame = v.frame()
	return page(views.WhoCan(shown)), nil
}

func (v *visit) answerWho(shown *views.WhoCanPage, q whoAsked) error {
	get := v.c.QueryParam
	d, _, _ := v.me.Policy.Catalogue.Find(q.Permission)
	shown.Asked, shown.Act, shown.Spot, shown.Form.Place = true, v.frame().Locale().Act(d), q.spot, q.text
	shown.InSections = get("in") == "sections"
	ask := v.tx.WhoCan
	if shown.InSections {
		ask = v.tx.WhoCanInSections
	}
	q.After, q.Before = get("after"), get("before")
	list, err := ask(v.ctx, q.WhoQuestion)
	if errors.Is(err, models.ErrBadCursor) {
		shown.Notices = append(shown.Notices, noticeBadCursor)
		q.After, q.Before = "", ""
		list, err = ask(v.ctx, q.WhoQuestion)
	}
	if err != nil {
		return err
	}
	shown.Count = views.WhoCanCount{N: list.Count, AtLeast: list.AtLeast}
	shown.Prev, shown.Next = link(list.Prev, ""), link(list.Next, "")
	if shown.Rows, err = v.whoRows(q, list.Rows); err != nil || shown.InSections {
		return err
	}
	q.After, q.Before = "", ""
	if list, err = v.tx.WhoCanInSections(v.ctx, q.WhoQuestion); err != nil {
		return err
	}
	shown.SectionsCount = views.WhoCanCount{N: list.Count, AtLeast: list.AtLeast}
	shown.Sections, err = v.whoRows(q, list.Rows)
	return err
}

// whoRows gives people who may their reasons. Those beyond the reader's reach are counted and not named.
func (v *visit) whoRows(q whoAsked, list []models.WhoRow) ([]views.WhoCanRow, error) {
	ids := make([]int64, len(list))
	var asked models.Asked
	for i, r := range list {
		ids[i] = r.ID
		asked.Subjects = append(asked.Subjects, models.AskedSubject{ID: strconv.FormatInt(r.ID, 10)})
	}
	if len(ids) == 0 {
		return nil, nil
	}
	within, err := v.tx.WithinReach(v.ctx, v.reach, ids)
	if err != nil {
		return nil, err
	}
	told, err := v.tx.FactsOf(v.ctx, asked)
	if err != nil {
		return nil, err
	}
	about := make([]decided, len(list))
	for i, s := range told.Subjects {
		about[i] = decided{user: s.User, grants: s.Grants, verdict: allowing(told.Facts(s, access.ViewAll), q), spot: q.spot}
	}
	said, err := reasonsOf(v.ctx, v.tx, v.me.Policy.Catalogue, about...)
	if err != nil {
		return nil, err
	}
	rows := make([]views.WhoCanRow, len(list))
	for i, r := range list {
		rows[i] = views.WhoCanRow{Reason: said[i], Sections: r.Sections}
		if within[r.ID] {
			rows[i].ID, rows[i].Name = r.ID, listName(r.First, r.Middle, r.Last)
			rows[i].Student = slices.ContainsFunc(about[i].grants, func(g access.Grant) bool { return g.Role == access.Student })
		} else {
			rows[i].Reason.Person = ""
		}
	}
	return rows, nil
}

// allowing is the verdict that allows what the list says is allowed: where the district goes by the view in use, in
// the first of the person's views that does.
func allowing(f access.Facts, q whoAsked) access.Verdict {
	verdict := f.Decide(q.Permission, q.Place)
	for _, view := range f.Policy.Views(f.Grants) {
		if verdict.Allowed || f.Policy.Combining() != access.ViewInUse {
			break
		}
		f.View = view
		verdict = f.Decide(q.Permission, q.Place)
	}
	return verdict
}

// maxWhoRows bounds the file.
const maxWhoRows = 10_000

// exportWhoCan is the list as a file, those of own sections after the others.
func exportWhoCan(v *visit) (reply, error) {
	permission, place := text(v.c.QueryParam("permission"), maxID), text(v.c.QueryParam("place"), maxID)
	q, problem, err := v.readWho(permission, place)
	if err != nil {
		return nil, err
	}
	if problem != "" {
		return nil, models.ErrNotFound
	}
	l := v.frame().Locale()
	lines := [][]string{l.WhoCanHeader()}
	for _, ask := range []func(models.WhoQuestion) (models.WhoList, error){
		func(w models.WhoQuestion) (models.WhoList, error) { return v.tx.WhoCan(v.ctx, w) },
		func(w models.WhoQuestion) (models.WhoList, error) { return v.tx.WhoCanInSections(v.ctx, w) },
	} {
		for q.After, q.Limit = "", 200; len(lines) < maxWhoRows; {
			list, err := ask(q.WhoQuestion)
			if err != nil {
				return nil, err
			}
			rows, err := v.whoRows(q, list.Rows)
			if err != nil {
				return nil, err
			}
			for i, r := range rows {
				id, clever := "", ""
				if r.ID != 0 {
					id = strconv.FormatInt(r.ID, 10)
					if list.Rows[i].CleverID != nil {
						clever = *list.Rows[i].CleverID
					}
				}
				lines = append(lines, l.WhoCanLine(r, id, clever, permission, q.text))
			}
			if q.After = list.Next; q.After == "" {
				break
			}
		}
	}
	return csvFile("who-can.csv", lines)
}
