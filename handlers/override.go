package handlers

import (
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// override finds the override of the address with its person.
func (v *visit) override() (models.Override, holder, error) {
	id, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return models.Override{}, holder{}, models.ErrNotFound
	}
	o, err := v.tx.Override(v.ctx, id)
	if err != nil {
		return o, holder{}, err
	}
	who, err := v.holderOf(o.UserID)
	return o, who, err
}

// showOverride is the receipt of an override and its life.
func showOverride(v *visit) (reply, error) {
	o, who, err := v.override()
	if err != nil {
		return nil, err
	}
	l := v.locale()
	p := views.OverridePage{
		ID: o.ID, UserID: o.UserID, Reason: o.Reason, Note: o.Note, At: o.CreatedAt, EndedAt: o.EndedAt, Locked: o.Locked,
		MayChange: !o.Locked || v.mayUnlock(), Dormant: o.Standing(v.tx.Now()) && !o.Fact().InForce(v.tx.Now(), who.facts.Grants),
	}
	if p.Words, err = v.overrideWords(o, who.user); err != nil {
		return nil, err
	}
	flags, err := v.tx.OverrideFlags(v.ctx, v.me.Policy, []models.Override{o})
	if err != nil {
		return nil, err
	}
	p.Flags = flags[o.ID].Words()
	changes, err := v.tx.ChangesOfOverride(v.ctx, o)
	if err != nil {
		return nil, err
	}
	people := []int64{o.CreatedBy, value(o.EndedBy)}
	undone := map[int64]bool{}
	for _, c := range changes {
		people = append(people, c.MadeBy)
		undone[value(c.Undoes)] = true
	}
	names, err := v.tx.UserNames(v.ctx, people)
	if err != nil {
		return nil, err
	}
	p.By, p.EndedBy = names[o.CreatedBy], names[value(o.EndedBy)]
	for _, c := range changes {
		p.History = append(p.History, views.OverrideDeed{Number: c.ID, Says: l.OverrideDeed(string(c.Kind), o.ID), At: c.MadeAt, By: names[c.MadeBy]})
		if c.Kind == audit.OverrideCreated && !c.OfSeveralOverrides() {
			_, after, err := recorded(c)
			if err != nil {
				return nil, err
			}
			if p.Lines, err = v.diffLines(after.Effects); err != nil {
				return nil, err
			}
		}
	}
	if len(changes) > 0 && !undone[changes[0].ID] {
		p.UndoOf = changes[0].ID
	}
	p.Frame = v.frame()
	return page(views.Override(p)), nil
}

// overrideOfChange is where the receipt of an override's change is: the override's own page, if it is about one.
func overrideOfChange(v *visit, c models.Change) (string, error) {
	if c.OfSeveralOverrides() {
		return v.changePath(c.ID), nil
	}
	_, after, err := recorded(c)
	return views.OverridePath(v.me.District.CleverID, string(v.actor.View), after.Override), err
}

// overrideReceipt is one change of an override in words.
func overrideReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	if c.OfSeveralOverrides() {
		return overridesReceipt(v, c)
	}
	before, after, err := recorded(c)
	if err != nil {
		return r, err
	}
	o, err := v.tx.Override(v.ctx, after.Override)
	if err != nil {
		return r, err
	}
	u, err := v.tx.User(v.ctx, o.UserID)
	if err != nil {
		return r, err
	}
	l := v.locale()
	o.OverrideEnd = after.End
	w, err := v.overrideWords(o, u)
	if err != nil {
		return r, err
	}
	r.Sentence = l.OverrideDeed(string(c.Kind), o.ID) + ": " + w.Sentence(l)
	if after.Ended {
		r.Sentence = l.OverrideDeed(string(c.Kind), o.ID) + "."
	}
	var was views.EndWords
	if before.Exists {
		if was, err = v.endWords(before.End); err != nil {
			return r, err
		}
	}
	r.Answers = l.OverrideReceipt(w, o.Reason, o.Note, was, before.Exists && !sameEnd(before.End, after.End))
	if r.Lines, err = v.diffLines(after.Effects); err != nil {
		return r, err
	}
	district, view := v.me.District.CleverID, string(v.actor.View)
	r.Links = []views.Link{{Href: views.OverridePath(district, view, o.ID), Word: l.OverrideTitle(o.ID)}, {Href: views.UserPath(district, view, u.ID), Word: fullName(u)}}
	return r, nil
}

// extendOverride asks for another end.
func extendOverride(v *visit) (reply, error) {
	o, who, err := v.override()
	if err != nil {
		return nil, err
	}
	answers := endAnswers(v.c.QueryParams())
	if answers.End == "" {
		answers.End = string(o.EndKind)
		if o.EndKind == models.EndsAtDate {
			answers.Date = o.EndsAt.In(v.today().Location()).AddDate(0, 0, -1).Format("2006-01-02")
		}
		if o.EndTermID != nil {
			answers.Term = strconv.FormatInt(*o.EndTermID, 10)
		}
		answers.Role = string(value(o.EndRole))
	}
	return v.extendForm(http.StatusOK, o, who, answers, nil)
}

func (v *visit) extendForm(status int, o models.Override, who holder, answers views.EndAnswers, problems []views.Problem) (reply, error) {
	p := views.OverrideExtendPage{ID: o.ID, UserID: o.UserID, Answers: answers, Problems: problems}
	switch l := v.locale(); {
	case o.Locked && !v.mayUnlock():
		p.Blocked = l.OverrideLocked()
	case !o.Standing(v.tx.Now()):
		p.Blocked = l.OverrideOver()
	}
	if p.Blocked != "" {
		status = http.StatusUnprocessableEntity
	}
	var err error
	if p.Words, err = v.overrideWords(o, who.user); err != nil {
		return nil, err
	}
	if p.Ends, err = v.endChoices(who); err != nil {
		return nil, err
	}
	p.Frame = v.frameAt(answers.ExtendPath(v.me.District.CleverID, string(v.actor.View), o.ID))
	return pageAs(status, views.OverrideExtend(p)), nil
}

// planExtension plans the new end of the posted form.
func (v *visit) planExtension() (plan, reply, error) {
	was, who, err := v.override()
	if err != nil {
		return plan{}, nil, err
	}
	form, err := v.c.FormParams()
	if err != nil {
		return plan{}, nil, err
	}
	answers := endAnswers(form)
	end, problems, err := v.readEnd(answers, who, true)
	if err != nil {
		return plan{}, nil, err
	}
	if was.Allow && !v.actor.Decide(was.Permission, was.Place()).Allowed {
		problems = append(problems, views.Problem{Field: "end", Text: v.locale().OverrideProblem("not_held")})
	}
	if len(problems) > 0 || was.Locked && !v.mayUnlock() || !was.Standing(v.tx.Now()) {
		answer, err := v.extendForm(http.StatusUnprocessableEntity, was, who, answers, problems)
		return plan{}, answer, err
	}
	will := was
	will.OverrideEnd = end
	words, err := v.overrideWords(will, who.user)
	if err != nil {
		return plan{}, nil, err
	}
	before, err := v.endWords(was.OverrideEnd)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	district, view := v.me.District.CleverID, string(v.actor.View)
	formPath := answers.ExtendPath(district, view, was.ID)
	change := overrideChange{action: audit.OverrideExtended, who: who, was: was, will: will}
	p, err := v.planOverride(change, func(check views.Check, lines []views.DiffLine, _ string) templ.Component {
		page := views.OverridePreviewPage{
			Check: check, UserID: was.UserID, Title: l.CheckTitle(), Words: words, Lines: lines, Nothing: l.OnlyTheEnd(), Step: 2,
			Answers: l.ExtensionAnswers(words, before, formPath), Fields: answers.Hidden(),
			To: views.OverridePath(district, view, was.ID) + "/extend/apply", Button: l.ExtendButton(was.ID, words), Back: formPath,
		}
		page.Frame = v.frameAt(formPath)
		return views.OverridePreview(page)
	})
	if err == nil && sameEnd(was.OverrideEnd, will.OverrideEnd) {
		p.blocked = l.OverrideEndedAlready()
	}
	return p, nil, err
}

func previewExtension(v *visit) (reply, error) {
	p, answer, err := v.planExtension()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func applyExtension(v *visit) (reply, error) { return v.apply(v.planExtension) }

// planEnding plans to end the override of the address now.
func (v *visit) planEnding() (plan, reply, error) {
	was, who, err := v.override()
	if err != nil {
		return plan{}, nil, err
	}
	will := was
	if was.Standing(v.tx.Now()) {
		will.EndedAt, will.EndedBy = new(v.tx.Now()), &v.me.User.ID
	}
	words, err := v.overrideWords(was, who.user)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	district, view := v.me.District.CleverID, string(v.actor.View)
	own := views.OverridePath(district, view, was.ID)
	change := overrideChange{action: audit.OverrideEnded, who: who, was: was, will: will}
	p, err := v.planOverride(change, func(check views.Check, lines []views.DiffLine, nothing string) templ.Component {
		page := views.OverridePreviewPage{
			Check: check, UserID: was.UserID, Title: l.EndTitle(), Words: words, Says: l.EndSays(was.ID), Lines: lines, Nothing: nothing,
			Answers: l.OverrideAnswers(words, was.Reason, was.Note, was.Locked, ""), To: own + "/end", Button: l.EndButton(was.ID), Ends: true, Back: own,
		}
		page.Frame = v.frameAt(own + "/end")
		return views.OverridePreview(page)
	})
	if err != nil {
		return p, nil, err
	}
	switch {
	case was.Locked && !v.mayUnlock():
		p.blocked = l.OverrideLocked()
	case !was.Standing(v.tx.Now()):
		p.blocked = l.OverrideOver()
	}
	return p, nil, nil
}

func previewEnding(v *visit) (reply, error) {
	p, answer, err := v.planEnding()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func applyEnding(v *visit) (reply, error) { return v.apply(v.planEnding) }
