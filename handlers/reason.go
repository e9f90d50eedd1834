package handlers

import (
	"context"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// decided is a verdict about somebody on its way to words.
type decided struct {
	user    models.User
	grants  []access.Grant // the facts' own, so that they go with the trace
	verdict access.Verdict
	spot    views.Spot // of the verdict's place
}

// reasonsOf puts verdicts into the form that views has words for, in their order. It reads what the words need in one
// round trip for all of them.
func reasonsOf(ctx context.Context, tx *models.Tx, c *access.Catalogue, list ...decided) ([]views.Reason, error) {
	var users, overrides []int64
	for _, d := range list {
		users = append(users, d.user.ID)
		for _, s := range d.verdict.Trace {
			if s.Override != nil {
				overrides = append(overrides, s.Override.ID)
			}
		}
	}
	notes, err := tx.ReasonNotes(ctx, users, overrides)
	if err != nil {
		return nil, err
	}
	said := make([]views.Reason, len(list))
	for i, d := range list {
		said[i] = reasonOf(c, notes, d)
	}
	return said, nil
}

// reasonOf puts a verdict into the form that views has words for.
func reasonOf(c *access.Catalogue, notes models.ReasonNotes, d decided) views.Reason {
	def, _, _ := c.Find(d.verdict.Permission)
	r := views.Reason{
		Verdict: d.verdict, Definition: def, Spot: d.spot, Person: fullName(d.user), EndedAt: d.user.EndedAt,
		Overrides: map[int64]views.ReasonOverride{},
	}
	if d.user.CleverID != nil {
		r.CleverID = *d.user.CleverID
	}
	for _, g := range d.grants {
		said := views.ReasonGrant{Labels: g.Labels}
		if note, ok := notes.Grants[models.GrantKey{User: d.user.ID, Role: g.Role, Source: g.Source}]; ok {
			said.By, said.Since, said.Until, said.Schools = note.By, new(note.Since), note.Until, note.Schools
		}
		r.Grants = append(r.Grants, said)
	}
	for _, s := range d.verdict.Trace {
		if s.Override == nil {
			continue
		}
		if o, ok := notes.Overrides[s.Override.ID]; ok {
			r.Overrides[o.ID] = views.ReasonOverride{
				Spot: overrideSpot(o), By: o.By, Why: o.Reason, Note: o.Note, Created: o.CreatedAt, EndKind: o.EndKind, Locked: o.Locked,
			}
		}
	}
	return r
}

func overrideSpot(o models.OverrideNote) views.Spot {
	s := views.Spot{Kind: string(o.PlaceKind), Name: o.SchoolName}
	if o.PlaceKind == access.Section {
		s.Name, s.Period, s.Around = o.Section, o.Period, o.SchoolName
	}
	return s
}
