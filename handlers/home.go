package handlers

import (
	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showHome is where a view begins: a teacher's own sections, and for everybody else the counts of what they reach.
func showHome(v *visit) (reply, error) {
	if v.actor.View == teacherView {
		return listMySections(v)
	}
	p := views.HomePage{}
	schools := v.reach.Schools
	if v.reach.District {
		schools = []int64{0}
	}
	counts, err := v.tx.HeadCounts(v.ctx, schools)
	if err != nil {
		return nil, err
	}
	p.Counts, p.People, p.Several = sumCounts(counts)
	if p.ShowSync = v.maySync(); p.ShowSync {
		p.CanSync = true
		runs, err := v.tx.SyncRuns(v.ctx, 0, 1)
		if err != nil {
			return nil, err
		}
		if len(runs) == 1 {
			run, err := v.syncRun(runs[0])
			if err != nil {
				return nil, err
			}
			p.LastSync = &run
		}
	}
	p.Frame = v.frame()
	return page(views.Home(p)), nil
}

// sumCounts adds up the head counts of one or several schools, by role in the order of tables. Somebody at two of
// the schools counts at each: head counts know people by school, not by name.
func sumCounts(counts []models.HeadCount) (byRole []views.RoleCount, people, several int) {
	sums := map[access.Role]*views.RoleCount{}
	var unknown []access.Role
	for _, c := range counts {
		if c.Role == "" {
			people, several = people+c.People, several+c.Several
			continue
		}
		if sums[c.Role] == nil {
			sums[c.Role] = &views.RoleCount{Role: string(c.Role)}
			if !c.Role.Known() {
				unknown = append(unknown, c.Role)
			}
		}
		sums[c.Role].People += c.People
		sums[c.Role].WithAnother += c.Several
	}
	for _, role := range append(access.Roles(), unknown...) {
		if sum := sums[role]; sum != nil && sum.People > 0 {
			byRole = append(byRole, *sum)
		}
	}
	return byRole, people, several
}

// listMySections lists the sections the person teaches.
func listMySections(v *visit) (reply, error) {
	sections, err := v.tx.UserSections(v.ctx, v.me.User.ID) // taught ones: who works in the console attends none
	if err != nil {
		return nil, err
	}
	p := views.MySectionsPage{}
	seen := map[int64]bool{}
	for _, s := range sections {
		at := access.AtSection(s.ID, s.SchoolID)
		p.Sections = append(p.Sections, views.MySection{
			ID: s.CleverID, Name: s.Name, School: s.School, Term: s.Term, Period: s.Period, Students: s.Students, Primary: s.As == "primary",
			MayView: v.actor.Decide(access.ClassroomView, at).Allowed,
			MayEdit: v.actor.Decide(access.ClassroomEdit, at).Allowed && v.actor.Decide(access.GradesEdit, at).Allowed,
		})
		if !seen[s.SchoolID] && s.School != "" {
			p.Schools = append(p.Schools, s.School)
		}
		seen[s.SchoolID] = true
	}
	p.Frame = v.frame()
	return page(views.MySections(p)), nil
}
