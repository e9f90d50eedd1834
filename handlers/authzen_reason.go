package handlers

import (
	"net/http"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// reason is one sentence in the languages that Hallpass speaks.
type reason struct {
	English string `json:"en"`
	Spanish string `json:"es"`
}

// traceStep is one role grant or one override as the decision considered it.
type traceStep struct {
	Role     access.Role    `json:"role,omitempty"`
	Label    string         `json:"label,omitempty"`
	Source   access.Source  `json:"source,omitempty"`
	Override *traceOverride `json:"override,omitempty"`
	Outcome  access.Outcome `json:"outcome"`
	Decides  bool           `json:"decides"`
}

type traceOverride struct {
	ID       int64       `json:"id"`
	Allow    bool        `json:"allow"`
	At       access.Kind `json:"at"`
	Ends     *time.Time  `json:"ends,omitempty"`
	WithRole access.Role `json:"with_role,omitempty"`
}

// deeds are the people and the overrides that the reasons cannot do without: where somebody gave a role by hand or made
// an override, it is said who and why.
func deeds(judged ...judgement) (users, overrides []int64) {
	for _, j := range judged {
		named := false
		for _, s := range j.verdict.Trace {
			if s.Override != nil {
				overrides = append(overrides, s.Override.ID)
			}
			named = named || s.Override != nil || s.Source == access.ByHand
		}
		if named {
			users = append(users, j.user.ID)
		}
	}
	return users, overrides
}

// explain says why a decision is what it is.
func (k keyed) explain(j judgement, notes models.ReasonNotes) *decisionContext {
	if j.fault != "" {
		return &decisionContext{Error: &itemError{http.StatusBadRequest, j.fault}}
	}
	at := zone(k.told.District.TimeZone)
	english, spanish := views.NewLocale("en", k.told.Now(), at), views.NewLocale("es", k.told.Now(), at)
	r := reasonOf(k.told.Policy.Catalogue, notes, j.decided)
	r.Missing = j.missing
	c := &decisionContext{View: j.verdict.View, Code: r.Code(), ReasonUser: &reason{english.ReasonUser(r), spanish.ReasonUser(r)}}
	if k.key.Explains {
		c.ReasonAdmin = &reason{english.ReasonAdmin(r), spanish.ReasonAdmin(r)}
		c.Trace = trace(j.verdict.Trace)
	}
	return c
}

func trace(steps []access.Step) []traceStep {
	said := make([]traceStep, len(steps))
	for i, s := range steps {
		said[i] = traceStep{Role: s.Role, Label: s.Label, Source: s.Source, Outcome: s.Outcome, Decides: s.Decides}
		if o := s.Override; o != nil {
			said[i].Override = &traceOverride{ID: o.ID, Allow: o.Allow, At: o.Place.Kind, WithRole: o.WithRole}
			if !o.Ends.IsZero() {
				said[i].Override.Ends = &o.Ends
			}
		}
	}
	return said
}
