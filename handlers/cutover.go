package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

const (
	// cutOverAhead bounds how far ahead a cut-over may be set: further is a slip of the pen.
	cutOverAhead = 2 * 366 * 24 * time.Hour
	// formTime is how a form's field of date and time is written.
	formTime = "2006-01-02T15:04"
)

// cutOverState is what a change of the cut-over records, before or after.
type cutOverState struct {
	At   *time.Time `json:"at"`
	Rest string     `json:"rest"`
}

func (s cutOverState) shown() views.CutOver { return views.CutOver{At: s.At, Rest: s.Rest} }

// same compares moments and not how they are written.
func (s cutOverState) same(o cutOverState) bool {
	if s.At == nil || o.At == nil {
		return s.At == nil && o.At == nil
	}
	return s.At.Equal(*o.At) && s.Rest == o.Rest
}

func cutOverStateOf(c models.CutOver) cutOverState { return cutOverState{c.At, c.Rest} }

// cutOverShown is the part of the migration page.
func (v *visit) cutOverShown() (views.CutOver, error) {
	c, err := v.tx.CutOver(v.ctx)
	if err != nil {
		return views.CutOver{}, err
	}
	shown := cutOverStateOf(c).shown()
	if shown.Done = c.Done; c.Done != 0 {
		done, err := v.tx.Change(v.ctx, c.Done)
		if err != nil {
			return shown, err
		}
		counts, err := readCutOverCounts(done)
		shown.Archived = counts.Accounts
		return shown, err
	}
	return shown, nil
}

func readCutOverCounts(c models.Change) (counts models.CutOverCounts, err error) {
	if err := json.Unmarshal(c.After, &counts); err != nil {
		return counts, fmt.Errorf("read change %d: %w", c.ID, err)
	}
	return counts, nil
}

// editCutOver is the form.
func editCutOver(v *visit) (reply, error) {
	c, err := v.tx.CutOver(v.ctx)
	if err != nil {
		return nil, err
	}
	form := views.CutOverForm{Rest: c.Rest}
	if c.At != nil && c.Done == 0 {
		form.At = c.At.In(zone(v.me.District.TimeZone)).Format(formTime)
	}
	return v.cutOverForm(form, http.StatusOK), nil
}

func (v *visit) cutOverForm(p views.CutOverForm, status int) reply {
	p.Zone, p.First = v.me.District.TimeZone, v.today().Format(formTime)
	p.Frame = v.frame()
	return pageAs(status, views.CutOverEdit(p))
}

// readCutOver reads the answers, or answers with the form if something is wrong with them. No date is an answer too.
func (v *visit) readCutOver(form url.Values) (to cutOverState, answer reply) {
	to.Rest = form.Get("rest")
	l, at := v.locale(), form.Get("at")
	var problems []views.Problem
	wrong := func(field, code string) {
		problems = append(problems, views.Problem{Field: field, Text: l.CutOverProblem(code)})
	}
	if at != "" {
		t, err := time.ParseInLocation(formTime, at, zone(v.me.District.TimeZone))
		switch t = t.UTC(); {
		case err != nil:
			wrong("at", "date")
		case !t.After(v.tx.Now()):
			wrong("at", "past")
		case t.After(v.tx.Now().Add(cutOverAhead)):
			wrong("at", "far")
		}
		to.At = &t
	}
	if to.Rest != models.CutOverKeep && to.Rest != models.CutOverArchive {
		wrong("rest", "rest")
	}
	if len(problems) > 0 {
		return to, v.cutOverForm(views.CutOverForm{At: text(at, 30), Rest: to.Rest, Problems: problems}, http.StatusUnprocessableEntity)
	}
	return to, nil
}

// previewCutOver shows what the cut-over would come to if it were now.
func previewCutOver(v *visit) (reply, error) {
	p, answer, err := v.proposeCutOver()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func changeCutOver(v *visit) (reply, error) { return v.apply(v.proposeCutOver) }

func (v *visit) proposeCutOver() (plan, reply, error) {
	form, err := v.form()
	if err != nil {
		return plan{}, nil, err
	}
	to, answer := v.readCutOver(form)
	if answer != nil {
		return plan{}, answer, nil
	}
	p, err := v.planCutOver(to, nil)
	return p, nil, err
}

// planCutOver plans setting a date, or none. undoes is the change that this takes back, if it does.
func (v *visit) planCutOver(to cutOverState, undoes *models.Change) (plan, error) {
	now, err := v.tx.CutOver(v.ctx)
	if err != nil {
		return plan{}, err
	}
	roles, err := v.tx.PlanCutOver(v.ctx)
	if err != nil {
		return plan{}, err
	}
	was, l := cutOverStateOf(now), v.locale()
	if now.Done != 0 {
		was = cutOverState{nil, now.Rest} // that date is over: another one may be set
	}
	p := plan{unguarded: true, stated: struct {
		Was, To cutOverState
		Roles   []models.CutOverRole
	}{was, to, roles}}
	switch {
	case undoes != nil && now.Change != undoes.ID:
		p.blocked = l.CutOverBlocked("changed")
	case undoes != nil && now.Done != 0:
		p.blocked = l.CutOverBlocked("carried_out")
	case to.At != nil && !to.At.After(v.tx.Now()):
		p.blocked = l.CutOverBlocked("past")
	case was.same(to):
		p.blocked = l.CutOverBlocked("same")
	}
	p.draw = func(check views.Check, moved map[int]bool) templ.Component {
		shown := views.CutOverPreview{Check: check, Was: was.shown(), To: to.shown()}
		for _, r := range roles {
			shown.Lines = append(shown.Lines, views.CutOverLine{Role: string(r.Role), N: r.N, ByHand: r.ByHand})
		}
		if undoes != nil {
			shown.Undoes = undoes.ID
		} else {
			shown.Answers = []views.Hidden{{Name: "rest", Value: to.Rest}}
			if to.At != nil {
				shown.Answers = append(shown.Answers, views.Hidden{Name: "at", Value: to.At.In(zone(v.me.District.TimeZone)).Format(formTime)})
			}
		}
		shown.Frame = v.frame()
		return views.CutOverCheck(shown)
	}
	p.record = func(token string, sum []byte) (models.Change, error) {
		n := models.NewChange{Token: token, Plan: sum, Action: audit.CutOverChanged, Subject: fmt.Sprintf("district:%d", v.actor.District), Before: was, After: to}
		if undoes != nil {
			n.Undoes = undoes.ID
		}
		c, err := v.tx.RecordChange(v.ctx, n)
		if err != nil {
			return c, err
		}
		return c, v.tx.SetCutOver(v.ctx, models.CutOver{At: to.At, Rest: to.Rest, Change: c.ID})
	}
	return p, nil
}

func readCutOverChange(c models.Change) (was, to cutOverState, err error) {
	err = unmarshalChange(c, &was, &to)
	return was, to, err
}

// undoCutOverDate plans giving the cut-over its date from before.
func undoCutOverDate(v *visit, c models.Change) (plan, error) {
	was, _, err := readCutOverChange(c)
	if err != nil {
		return plan{}, err
	}
	return v.planCutOver(was, &c)
}

// undoCutOver plans bringing back what a cut-over archived.
func undoCutOver(v *visit, c models.Change) (plan, error) {
	counts, err := v.tx.PlanCutOverUndo(v.ctx, c)
	if err != nil {
		return plan{}, err
	}
	l := v.locale()
	p := plan{unguarded: true, stated: struct {
		Change int64
		Counts models.CutOverCounts
	}{c.ID, counts}}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		shown := views.UndoPage{Check: check, Number: c.ID}
		shown.Heading, shown.Sentence, shown.Nothing, shown.Button = l.CutOverUndo(counts.Accounts, counts.People, counts.Found)
		shown.Frame = v.frame()
		return views.Undo(shown)
	}
	p.make = func() (models.NewChange, error) {
		did, err := v.tx.UndoCutOver(v.ctx, c)
		return models.NewChange{Action: audit.CutOverUndone, Subject: c.Subject, Before: struct{}{}, After: did}, err
	}
	return p, nil
}

// cutOverReceipt says what was decided, done or brought back.
func cutOverReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	l := v.locale()
	r.Links = []views.Link{{Href: views.MigrationPath(v.me.District.CleverID, string(v.actor.View), "", "", ""), Word: l.MigrationTitle()}}
	if c.Kind == audit.CutOverChanged {
		was, to, err := readCutOverChange(c)
		r.Sentence, r.Answers = l.CutOverSet(to.shown()), []views.Answer{l.CutOverAnswer(was.shown(), to.shown())}
		return r, err
	}
	counts, err := readCutOverCounts(c)
	r.Answers = []views.Answer{l.CutOverPeople(counts.People)}
	if c.Kind == audit.CutOverUndone {
		r.Sentence = l.CutOverBack(counts.Accounts)
		if counts.Found > 0 {
			r.Sentence += " " + l.CutOverFound(counts.Found)
		}
		return r, err
	}
	r.Sentence = l.CutOverDid(counts.Rest == models.CutOverArchive, counts.Accounts)
	return r, err
}
