package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/merge"
	"hallpass/models"
	"hallpass/views"
)

// mergeDiffers are the rows that were not as before when a merge was taken back.
func mergeDiffers(m models.Merge) (list []views.MergeDiffers, err error) {
	var differs []models.MergeDifference
	if err := json.Unmarshal(m.Differs, &differs); err != nil {
		return nil, fmt.Errorf("differences of merge %d: %w", m.ID, err)
	}
	for _, d := range differs {
		list = append(list, views.MergeDiffers{Table: d.Table, Key: string(d.Key), Why: d.Why})
	}
	return list, nil
}

// mergedRecords are the records merged into somebody, as pages list them.
func (v *visit) mergedRecords(user int64) ([]views.MergedRecord, error) {
	records, err := v.tx.MergedRecords(v.ctx, user)
	return mergedRecordViews(records), err
}

func mergedRecordViews(records []models.MergedRecord) (list []views.MergedRecord) {
	for _, r := range records {
		list = append(list, views.MergedRecord{
			ID: r.ID, Name: merge.Name(models.MergeRecord{FirstName: r.FirstName, MiddleName: r.MiddleName, LastName: r.LastName}), Email: r.Email,
			CleverID: value(r.CleverID), Legacy: r.Legacy, Ended: r.EndedAt != nil, Merge: r.MergeID,
		})
	}
	return list
}

// previewUnmerge shows what taking a merge back would do now.
func previewUnmerge(v *visit) (reply, error) {
	p, answer, err := v.planUnmerge()
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func unmerge(v *visit) (reply, error) { return v.apply(v.planUnmerge) }

// planUnmerge plans it with the answers given so far.
func (v *visit) planUnmerge() (plan, reply, error) {
	m, err := v.mergeInPath()
	if err != nil {
		return plan{}, nil, err
	}
	form, err := v.c.FormParams()
	if err != nil {
		return plan{}, nil, err
	}
	r := merge.UnmergeRequest{Merge: m.ID, Reason: text(form.Get("reason"), maxNote), Answers: map[string]merge.Answer{}}
	for name, given := range form {
		if len(given) == 1 {
			r.Answers[name] = merge.Answer(given[0])
		}
	}
	u, err := merge.LookBack(v.ctx, v.tx, r)
	if err != nil {
		return plan{}, nil, err
	}
	if u.Merge.State != models.MergeDone {
		return plan{}, seeOther(v.mergePlace(m.ID)), nil
	}
	page, records, err := v.unmergePage(u, r)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	out := plan{stated: u.Stated(), lines: lineTexts(records)}
	switch {
	case len(u.Stacked) > 0:
		out.blocked = l.UnmergeStacked(u.Stacked)
	case slices.ContainsFunc(u.Refused, func(x dedupe.Reason) bool { return x.Code == dedupe.OutOfReach }):
		return plan{}, nil, models.ErrNotFound
	case len(u.Refused) > 0:
		out.blocked = l.MergeRefused(string(u.Refused[0].Code))
	}
	out.draw = func(check views.Check, _ map[int]bool) templ.Component {
		page.Check = check
		page.Frame = v.frame()
		return views.Unmerge(page)
	}
	out.record = func(token string, sum []byte) (models.Change, error) {
		d, err := merge.Unmerge(v.ctx, v.tx, r, sum, token)
		if refused, ok := errors.AsType[merge.RefusedError](err); ok {
			return models.Change{}, deniedError{l.MergeRefused(string(refused.Reasons[0].Code))}
		}
		return d.Change, err
	}
	return out, nil, nil
}

func (v *visit) unmergePage(u merge.Undo, r merge.UnmergeRequest) (p views.UnmergePage, all []effectRecord, err error) {
	p = views.UnmergePage{ID: u.Merge.ID, Reason: r.Reason, Since: u.Since, Alike: u.Alike, Stacked: u.Stacked}
	if p.Names, err = v.mergeWords(u.Merge); err != nil {
		return p, nil, err
	}
	names, err := v.tx.UserNames(v.ctx, u.People)
	if err != nil {
		return p, nil, err
	}
	for _, kind := range []string{"users", "role_grants", "role_grant_schools", "section_teachers", "overrides", "accounts", "user_preferences"} {
		if n := u.Returned[kind]; n > 0 {
			p.Returned = append(p.Returned, views.MergeMove{Kind: kind, Rows: n})
		}
	}
	l := v.locale()
	for _, q := range u.Questions {
		o, err := v.tx.Override(v.ctx, q.ID)
		if err != nil {
			return p, nil, err
		}
		spots, err := v.spotsOf([]access.Place{o.Place()})
		if err != nil {
			return p, nil, err
		}
		question := views.UnmergeQuestion{Key: q.Key, Created: q.Created, Allow: o.Allow, Act: v.act(l, o.Permission), Spot: spots[o.Place()].spot, To: names[q.To], Answer: string(q.Answer)}
		for _, a := range q.Options {
			question.Options = append(question.Options, string(a))
		}
		p.Questions = append(p.Questions, question)
	}
	for _, m := range u.Effects {
		records := effectRecords(m.Effects)
		lines, err := v.diffLines(records)
		if err != nil {
			return p, nil, err
		}
		p.Effects = append(p.Effects, views.MergeEffects{Name: names[m.Member], Lines: lines})
		all = append(all, records...)
	}
	return p, all, nil
}
