package handlers

import (
	"errors"
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showHome is where a view begins: a teacher's own sections, and for everybody else the counts of what they reach.
func showHome(v *visit) (reply, error) {
	if v.actor.View == teacherView {
		return listMySections(v)
	}
	p := views.HomePage{Confined: !v.reach.District}
	counts, err := v.tx.HeadCounts(v.ctx, v.reach)
	if err != nil {
		return nil, err
	}
	p.Counts = roleCounts(counts)
	for _, c := range counts {
		if c.Role == "" {
			p.People, p.Several = c.People, c.Several
		}
	}
	if p.ShowSync = v.maySync(); p.ShowSync {
		p.CanSync = true
		run, err := v.tx.PressingSync(v.ctx)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			shown, err := v.syncRuns(run)
			if err != nil {
				return nil, err
			}
			p.LastSync = &shown[0]
		}
	}
	if p.Connection, err = v.connectionNote(); err != nil {
		return nil, err
	}
	if v.mayOverride() {
		needs, err := v.tx.OverrideNeeds(v.ctx, v.me.Policy)
		if err != nil {
			return nil, err
		}
		p.OverridesEnding, p.OverridesStale = needs.Ending, needs.Stale
	}
	if v.mayDuplicates() {
		cases, err := v.tx.SuggestionCounts(v.ctx, v.duplicateReader())
		if err != nil {
			return nil, err
		}
		p.Duplicates = cases.Waiting()
	}
	p.Frame = v.frame()
	return page(views.Home(p)), nil
}

// roleCounts are head counts in the order of tables, roles Hallpass does not know last.
func roleCounts(counts []models.HeadCount) (rows []views.RoleCount) {
	at := func(c models.HeadCount) int {
		if i := slices.Index(access.Roles(), c.Role); i >= 0 {
			return i
		}
		return len(access.Roles())
	}
	slices.SortStableFunc(counts, func(a, b models.HeadCount) int { return at(a) - at(b) })
	for _, c := range counts {
		if c.Role != "" && c.People > 0 {
			rows = append(rows, views.RoleCount{Role: string(c.Role), People: c.People, WithAnother: c.Several})
		}
	}
	return rows
}

// listMySections lists the sections the person teaches, with each permission that is about sections and whether they
// have it there.
func listMySections(v *visit) (reply, error) {
	sections, err := v.tx.UserSections(v.ctx, v.me.User.ID) // taught ones: who works in the console attends none
	if err != nil {
		return nil, err
	}
	p := views.MySectionsPage{}
	l, seen := v.locale(), map[int64]bool{}
	_, explained := v.server.pages[inside+"users/:id/access/why"]
	for _, s := range sections {
		at := access.AtSection(s.ID, s.SchoolID)
		mine := views.MySection{ID: s.CleverID, Name: s.Name, School: s.School, Term: s.Term, Period: s.Period, Students: s.Students, Primary: s.As == "primary"}
		own := explained && v.actor.Decide(access.UsersView, at).Allowed // whether the reader's own page opens for them
		for _, d := range v.me.Policy.Catalogue.Definitions() {
			if d.Scope != access.Section {
				continue
			}
			verdict := v.actor.Decide(d.Permission, at)
			act := views.SectionAct{Act: l.Act(d), Allowed: verdict.Allowed}
			for _, step := range verdict.Trace {
				act.Override = act.Override || step.Override != nil && step.Decides
			}
			if own {
				act.Why = views.WhyPath(v.me.District.CleverID, string(v.actor.View), v.me.User.ID, string(d.Permission), "section:"+s.CleverID)
			}
			mine.Acts = append(mine.Acts, act)
		}
		p.Sections = append(p.Sections, mine)
		if !seen[s.SchoolID] && s.School != "" {
			p.Schools = append(p.Schools, s.School)
		}
		seen[s.SchoolID] = true
	}
	p.Frame = v.frame()
	return page(views.MySections(p)), nil
}
