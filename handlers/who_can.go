package handlers

import (
	"context"
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
	if get("sheet") == "1" {
		return v.whoSheet(shown, q)
	}
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

// maxSheet bounds the people of a sheet.
const maxSheet = 1000

// whoSheet puts everybody who may on one page, as many as there is room for.
func (v *visit) whoSheet(shown *views.WhoCanPage, q whoAsked) (err error) {
	shown.Sheet = true
	add := func(rows *[]views.WhoCanRow, count *views.WhoCanCount) func(models.WhoList, []views.WhoCanRow) bool {
		return func(list models.WhoList, more []views.WhoCanRow) bool {
			*count = views.WhoCanCount{N: list.Count, AtLeast: list.AtLeast}
			*rows = append(*rows, more...)
			return len(shown.Rows)+len(shown.Sections) < maxSheet
		}
	}
	if err = v.everyWho(q, v.tx.WhoCan, add(&shown.Rows, &shown.Count)); err == nil {
		err = v.everyWho(q, v.tx.WhoCanInSections, add(&shown.Sections, &shown.SectionsCount))
	}
	return err
}

// everyWho asks page by page and hands over each with its reasons, as long as more is wanted.
func (v *visit) everyWho(q whoAsked, ask func(context.Context, models.WhoQuestion) (models.WhoList, error), take func(models.WhoList, []views.WhoCanRow) (more bool)) error {
	q.Limit = 200
	for {
		list, err := ask(v.ctx, q.WhoQuestion)
		if err != nil {
			return err
		}
		rows, err := v.whoRows(q, list.Rows)
		if err != nil {
			return err
		}
		if q.After = list.Next; !take(list, rows) || q.After == "" {
			return nil
		}
	}
}

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
	add := func(list models.WhoList, rows []views.WhoCanRow) bool {
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
		return len(lines) < maxWhoRows
	}
	if err = v.everyWho(q, v.tx.WhoCan, add); err == nil {
		err = v.everyWho(q, v.tx.WhoCanInSections, add)
	}
	if err != nil {
		return nil, err
	}
	return csvFile("who-can.csv", lines)
}
