package handlers

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// heldRun finds the run of the address.
func (v *visit) heldRun() (models.SyncRun, error) {
	value, ok := pathID(v.c)
	id, err := strconv.ParseInt(value, 10, 64)
	if !ok || err != nil {
		return models.SyncRun{}, models.ErrNotFound
	}
	return v.tx.SyncRun(v.ctx, id)
}

// heldPart is what a held run waits for, as its page shows it.
func (v *visit) heldPart(run models.SyncRun) (*views.HeldPart, error) {
	p := &views.HeldPart{Losing: run.Brake.Losing, Limit: run.Brake.Limit, AllNew: run.Brake.AllNew, Gauges: heldGauges(run.Brake.Gauges)}
	sums, err := v.tx.HeldSums(v.ctx, run.ID, models.HeldPick{})
	if err != nil {
		return nil, err
	}
	p.Causes = heldCauses(sums)
	for _, c := range p.Causes {
		p.Total += c.Total
	}
	if p.Decided, err = v.tx.HeldDecided(v.ctx, run.ID); err != nil {
		return nil, err
	}
	if p.Decided { // what made it stop is not what waits any more
		gauges, err := v.tx.HeldGauges(v.ctx, run, models.HeldPick{})
		if err != nil {
			return nil, err
		}
		p.Gauges = heldGauges(gauges)
	}
	effects, losing, err := v.tx.HeldEffects(v.ctx, run.ID, models.HeldPick{})
	if err != nil {
		return nil, err
	}
	p.Effects, p.Losing = v.heldEffects(effects), losing
	if p.Asking, err = v.tx.SyncOpen(v.ctx); err != nil {
		return nil, err
	}
	p.First, _, err = v.heldFirst(run.ID)
	return p, err
}

func heldGauges(list []models.Gauge) (shown []views.HeldGauge) {
	for _, g := range list {
		shown = append(shown, views.HeldGauge{Type: string(g.Type), Now: g.Current, Gone: g.Gone, Limit: g.Share, Over: g.Over})
	}
	return shown
}

// heldFirst is who approved first, and which list.
func (v *visit) heldFirst(run int64) (*views.HeldFirst, []byte, error) {
	first, err := v.tx.HeldApproval(v.ctx, run)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	names, err := v.tx.UserNames(v.ctx, []int64{first.ApprovedBy})
	return &views.HeldFirst{Name: names[first.ApprovedBy], At: first.ApprovedAt, Mine: first.ApprovedBy == v.me.User.ID}, first.List, err
}

// heldCauses gathers sums by cause, the gravest first.
func heldCauses(sums []models.HeldSum) (causes []views.HeldCause) {
	for _, cause := range []string{"all_new", "type_gone", "school_gone", "newcomer", "single"} {
		c := views.HeldCause{Cause: cause}
		for _, s := range sums {
			if s.Cause != cause {
				continue
			}
			c.Total += s.Count
			if cause == "school_gone" && s.SchoolName != "" && !slices.Contains(c.Schools, s.SchoolName) {
				c.Schools = append(c.Schools, s.SchoolName)
			}
		}
		if c.Total > 0 {
			c.Counts = heldCounts(slices.DeleteFunc(slices.Clone(sums), func(s models.HeldSum) bool { return s.Cause != cause }))
			causes = append(causes, c)
		}
	}
	return causes
}

// heldCounts counts by type, people who go by their first role in the order of tables.
func heldCounts(sums []models.HeldSum) (counts []views.HeldCount) {
	by := map[string]int{}
	for _, s := range sums {
		kind := s.Type
		if kind == "users" {
			for _, r := range []access.Role{access.DistrictAdmin, access.Teacher, access.Staff, access.Student, access.Contact} {
				if kind == "users" && slices.Contains(s.Roles, r) {
					kind = string(r)
				}
			}
		}
		by[kind] += s.Count
	}
	for _, kind := range []string{"student", "teacher", "staff", "district_admin", "contact", "users", "roles", "schools", "sections", "teaching", "terms"} {
		if by[kind] > 0 {
			counts = append(counts, views.HeldCount{Type: kind, N: by[kind]})
		}
	}
	return counts
}

func (v *visit) heldEffects(list []models.HeldEffect) (shown []views.HeldEffect) {
	l := v.locale()
	for _, e := range list {
		d, _, known := v.me.Policy.Catalogue.Find(e.Permission)
		if !known {
			d = access.Definition{Permission: e.Permission}
		}
		s := views.HeldEffect{Act: l.Act(d), Spot: heldSpot(e.School, e.SchoolName), Gained: e.Gained, People: e.People}
		for _, x := range e.Examples {
			s.Examples = append(s.Examples, views.Example{ID: x.ID, Name: x.Name})
		}
		shown = append(shown, s)
	}
	return shown
}

func heldSpot(school int64, name string) views.Spot {
	if school == 0 {
		return views.Spot{Kind: "district"}
	}
	return views.Spot{Kind: "school", Name: name}
}

// heldPick reads which part of the list is meant, from a query or a form. Whatever makes no sense means nothing there.
func (v *visit) heldPick(get func(string) string, ids []string) (pick models.HeldPick, shown views.HeldPick) {
	word := func(name string) string { return text(get(name), 64) }
	shown = views.HeldPick{Type: word("type"), Cause: word("cause"), Role: word("role"), School: word("school")}
	pick = models.HeldPick{Type: shown.Type, Cause: shown.Cause, Role: access.Role(shown.Role)}
	if shown.School != "" {
		pick.School, _ = strconv.ParseInt(shown.School, 10, 64)
		if pick.School <= 0 {
			pick.School = -1
		}
	}
	for _, one := range ids {
		kind, number, _ := strings.Cut(text(one, 64), "-")
		if id, err := strconv.ParseInt(number, 10, 64); err == nil && len(shown.IDs) < heldPage {
			shown.IDs = append(shown.IDs, kind+"-"+strconv.FormatInt(id, 10))
			pick.Keys = append(pick.Keys, kind+" "+strconv.FormatInt(id, 10))
		}
	}
	return pick, shown
}

// heldPage is how many records stand on a page, and can be ticked.
const heldPage = 50

// listHeld is what a held run would take, record by record.
func listHeld(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	if run.Open() { // the list still grows, and is nobody's to decide about
		return seeOther(views.SyncPath(v.me.District.CleverID, string(v.actor.View), run.ID)), nil
	}
	pick, shown := v.heldPick(v.c.QueryParam, nil)
	p := views.HeldListPage{Run: run.ID, Pick: shown, Open: run.State == models.SyncHeld, Names: v.heldNames(shown)}
	at, back := text(v.c.QueryParam("after"), 64), false
	if at == "" {
		at, back = text(v.c.QueryParam("before"), 64), true
	}
	var from models.HeldAfter
	if kind, number, ok := strings.Cut(at, "-"); ok {
		id, _ := strconv.ParseInt(number, 10, 64)
		if from, err = v.tx.HeldPlace(v.ctx, run.ID, kind, id); err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
	}
	list, err := v.tx.HeldPage(v.ctx, run.ID, pick, from, back && from != models.HeldAfter{}, heldPage)
	if err != nil {
		return nil, err
	}
	p.Prev, p.Next = pageLinks(list, func(r models.HeldRecord) string { return r.Type + "-" + strconv.FormatInt(r.ID, 10) })
	rows := list.Rows
	for _, r := range rows {
		p.Rows = append(p.Rows, v.heldRow(r))
	}
	if pick.School != 0 && len(rows) > 0 && rows[0].School != "" {
		p.Names = append(p.Names, rows[0].School)
	}
	p.Frame = v.frame()
	return page(views.HeldList(p)), nil
}

func (v *visit) heldRow(r models.HeldRecord) views.HeldRow {
	row := views.HeldRow{Type: r.Type, Cause: r.Cause, ID: r.ID, Name: r.Name, Email: r.Email, School: r.School, Roles: texts(r.Roles...)}
	district, view := v.me.District.CleverID, string(v.actor.View)
	switch r.Type {
	case "users", "roles":
		row.Href = views.UserPath(district, view, r.ID)
	case "sections", "teaching":
		row.Href = views.SectionPath(district, view, r.CleverID)
	case "schools":
		row.Href = views.SchoolPath(district, view, r.CleverID)
	}
	return row
}

// heldNames says in words what narrows a list.
func (v *visit) heldNames(shown views.HeldPick) []string {
	l := v.locale()
	names := []string{l.HeldTypeWord(shown.Type), l.HeldCauseWord(shown.Cause), l.HeldRoleWord(shown.Role)}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}
