// Package queue is where package dedupe meets the tables: records and decisions out of models, suggestions into them.
//
// It owns what a row means as evidence, when suggestions are computed anew and how they are told apart from those that
// stood before. Weighing is dedupe's business, rows and SQL are those of models, and what comes of a suggestion
// (a merge, an answer) is for its readers: handlers, and dedupe/merge.
package queue

import (
	"context"
	"slices"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/models"
)

// Records reads people as dedupe takes them, by ascending id: those named, whoever they are, or every employee where
// ids is nil. A record that was merged is part of the person it was merged into.
func Records(ctx context.Context, tx *models.Tx, ids []int64) ([]dedupe.Record, error) {
	rows, err := tx.DuplicateRows(ctx, ids)
	if err != nil {
		return nil, err
	}
	return records(tx.Actor().District, rows), nil
}

func records(district int64, rows models.DuplicateRows) []dedupe.Record {
	out := make([]dedupe.Record, 0, len(rows.People))
	at := make(map[int64]int, len(rows.People))
	users := map[string]bool{} // v3 ids that Clever lists now
	for _, p := range rows.People {
		if _, ok := at[p.Home]; !ok {
			at[p.Home] = len(out)
			out = append(out, dedupe.Record{ID: p.Home, District: district})
		}
		if p.CleverID != "" && p.Current {
			users[p.CleverID] = true
		}
	}
	of := func(home int64) *dedupe.Record {
		if i, ok := at[home]; ok {
			return &out[i]
		}
		return new(dedupe.Record) // of somebody who was merged, or came, between two statements: they are marked
	}
	for _, own := range []bool{true, false} { // the person's own name is the one in use
		for _, p := range rows.People {
			if own == (p.ID == p.Home) {
				named(of(p.Home), p.First, p.Middle, p.Last, p.Email)
			}
		}
	}
	for _, g := range rows.Grants {
		r := of(g.Home)
		holds(r, g.Role, g.Current)
		ledBy(r, dedupe.CleverID{Value: g.LegacyID, Current: g.Current})
		numbered(r, g.Role, g.SISID, g.Number)
	}
	for _, i := range rows.Identities {
		user := i.Kind == "clever"
		ledBy(of(i.Home), dedupe.CleverID{Value: i.Value, User: user, Current: i.Current && (!user || users[i.Value])})
	}
	for _, m := range rows.Imported {
		r := of(m.Home)
		r.Accounts++
		named(r, m.First, m.Middle, m.Last, m.Email)
		holds(r, m.Role, false)
		ledBy(r, dedupe.CleverID{Value: m.LegacyID})
		ledBy(r, dedupe.CleverID{Value: m.CleverID, User: true})
		numbered(r, m.Role, m.SISID, m.Number)
		if m.LastUsedAt != nil {
			r.LastUsed = max(r.LastUsed, m.LastUsedAt.Unix())
		}
	}
	for _, a := range rows.Accounts {
		r := of(a.Home)
		r.LastUsed = max(r.LastUsed, a.LastUsedAt.Unix())
	}
	work(rows, of)
	return out
}

func named(r *dedupe.Record, first, middle, last, email string) {
	if name := (dedupe.Name{Given: first, Middle: middle, Surname: last}); name != (dedupe.Name{}) && !slices.Contains(r.Names, name) {
		r.Names = append(r.Names, name)
	}
	if email != "" && !slices.Contains(r.Emails, email) {
		r.Emails = append(r.Emails, email)
	}
}

func holds(r *dedupe.Record, role access.Role, current bool) {
	if role == "" {
		return
	}
	for i := range r.Roles {
		if r.Roles[i].Role == role {
			r.Roles[i].Current = r.Roles[i].Current || current
			return
		}
	}
	r.Roles = append(r.Roles, dedupe.Role{Role: role, Current: current})
}

func ledBy(r *dedupe.Record, id dedupe.CleverID) {
	if id.Value == "" {
		return
	}
	for i := range r.Clever {
		if have := &r.Clever[i]; have.Value == id.Value {
			have.User, have.Current = have.User || id.User, have.Current || id.Current
			return
		}
	}
	r.Clever = append(r.Clever, id)
}

// spaces are the number spaces of a role's two numbers. Clever's staff have one number, which the table keeps where
// teachers have their sis_id.
var spaces = map[access.Role][2]string{
	access.Teacher:       {dedupe.TeacherSIS, dedupe.TeacherNumber},
	access.Staff:         {dedupe.StaffID, dedupe.StaffID},
	access.DistrictAdmin: {dedupe.AdminID, dedupe.AdminID},
}

func numbered(r *dedupe.Record, role access.Role, numbers ...string) {
	for i, value := range numbers {
		number := dedupe.Number{Space: dedupe.AccountNumber, Value: value}
		if known, ok := spaces[role]; ok {
			number.Space = known[i]
		}
		if value != "" && !slices.Contains(r.Numbers, number) {
			r.Numbers = append(r.Numbers, number)
		}
	}
}

// work fills in schools: those where somebody works now, or, where there are none, the last that are known.
func work(rows models.DuplicateRows, of func(int64) *dedupe.Record) {
	add := func(home, school int64) {
		if r := of(home); !slices.Contains(r.Schools, school) {
			r.Schools = append(r.Schools, school)
		}
	}
	now := map[int64]bool{}
	for _, s := range rows.Schools {
		if s.Current {
			now[s.Home] = true
			add(s.Home, s.School)
		}
	}
	for _, s := range rows.Schools {
		if !now[s.Home] {
			add(s.Home, s.School)
		}
	}
	for _, m := range rows.Imported {
		if !now[m.Home] {
			for _, school := range m.Schools {
				add(m.Home, school)
			}
		}
	}
	for _, p := range rows.People {
		if p.ID == p.Home {
			slices.Sort(of(p.Home).Schools)
		}
	}
}

// Decisions reads what people said of pairs, as dedupe takes it: about people as they are merged now, and the one that
// counts last.
func Decisions(ctx context.Context, tx *models.Tx) ([]dedupe.Decision, error) {
	return decisions(ctx, tx, nil)
}

func decisions(ctx context.Context, tx *models.Tx, ids []int64) ([]dedupe.Decision, error) {
	live, err := tx.LiveDecisions(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]dedupe.Decision, len(live))
	for i, d := range live {
		out[i] = dedupe.Decision{PairKey: dedupe.Key(d.LoHome, d.HiHome), Verdict: dedupe.Verdict(d.Verdict), Class: dedupe.Class(d.Class), Tenths: d.Tenths}
	}
	return out, nil
}
