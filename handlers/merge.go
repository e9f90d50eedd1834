package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/dedupe"
	"hallpass/dedupe/merge"
	"hallpass/models"
	"hallpass/views"
)

// maxMergeMembers bounds the people of one merge: more are no duplicates, but a mistake.
const maxMergeMembers = 20

// mergeRequest reads who is to be merged, and the answers given so far.
func mergeRequest(q url.Values) (r merge.Request) {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(q.Get(name), 10, 64) // anything else is nobody
		return n
	}
	for _, s := range q["member"] {
		if id, err := strconv.ParseInt(s, 10, 64); err == nil && len(r.Members) < maxMergeMembers {
			r.Members = append(r.Members, id)
		}
	}
	r.Keep, r.Reason = number("keep"), text(q.Get("reason"), maxNote)
	r.Choices = merge.Choices{Name: number("name"), Email: number("email"), Allow: q["allow"]}
	if class := dedupe.Class(q.Get("class")); slices.Contains([]dedupe.Class{dedupe.Confirmed, dedupe.Identified, dedupe.Fuzzy}, class) {
		r.Class = class
	}
	return r
}

// mergeAnswers are the request's answers as the pages carry them on.
func mergeAnswers(r merge.Request) views.MergeAnswers {
	return views.MergeAnswers{Members: r.Members, Keep: r.Keep, Name: r.Choices.Name, Email: r.Choices.Email, Allow: r.Choices.Allow, Class: string(r.Class), Reason: r.Reason, Proposal: r.Proposal}
}

// newMerge shows the plan.
func newMerge(v *visit) (reply, error) {
	p, answer, err := v.planMerge(mergeRequest(v.c.QueryParams()))
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

func createMerge(v *visit) (reply, error) {
	return v.apply(func() (plan, reply, error) {
		form, err := v.c.FormParams()
		if err != nil {
			return plan{}, nil, err
		}
		return v.planMerge(mergeRequest(form))
	})
}

// planMerge plans a merge and draws it. Whoever cannot review all of the people learns nothing of them.
func (v *visit) planMerge(r merge.Request) (plan, reply, error) {
	p, err := merge.Look(v.ctx, v.tx, r)
	if errors.Is(err, models.ErrNotFound) {
		return v.mergedMeanwhile(r)
	}
	if err != nil {
		return plan{}, nil, err
	}
	if slices.ContainsFunc(p.Refused, func(x dedupe.Reason) bool { return x.Code == dedupe.OutOfReach }) {
		return plan{}, nil, models.ErrNotFound
	}
	page, records, err := v.mergePlanPage(p, r)
	if err != nil {
		return plan{}, nil, err
	}
	l := v.locale()
	out := plan{stated: p.Stated(), lines: lineTexts(records)}
	if len(p.Refused) > 0 {
		out.blocked = l.MergeRefused(string(p.Refused[0].Code))
	}
	out.draw = func(check views.Check, moved map[int]bool) templ.Component {
		page.Check = check
		n := 0
		for i := range page.Effects {
			for j := range page.Effects[i].Lines {
				page.Effects[i].Lines[j].Moved = moved[n]
				n++
			}
		}
		page.Frame = v.frameAt(page.Answers.Path(v.me.District.CleverID, string(v.actor.View)))
		return views.MergePlan(page)
	}
	out.record = func(token string, sum []byte) (models.Change, error) {
		d, err := merge.Apply(v.ctx, v.tx, r, sum, token)
		if refused, ok := errors.AsType[merge.RefusedError](err); ok {
			return models.Change{}, deniedError{l.MergeRefused(string(refused.Reasons[0].Code))}
		}
		return d.Change, err
	}
	return out, nil, nil
}

// mergedMeanwhile answers about people one of whom is merged already: who is left leads to whom they are now.
func (v *visit) mergedMeanwhile(r merge.Request) (plan, reply, error) {
	for _, id := range r.Members {
		u, err := v.tx.UserByAnyID(v.ctx, strconv.FormatInt(id, 10))
		if errors.Is(err, models.ErrNotFound) || err == nil && u.ID == id {
			continue
		}
		if err != nil {
			return plan{}, nil, err
		}
		places, err := v.tx.UserPlaces(v.ctx, u.ID)
		if err != nil {
			return plan{}, nil, err
		}
		if err := v.may(places...); err != nil {
			return plan{}, nil, err
		}
		return plan{}, seeOther(views.MergedUserPath(v.me.District.CleverID, string(v.actor.View), u.ID, id)), nil
	}
	return plan{}, nil, models.ErrNotFound
}

// mergePlanPage puts a plan into words.
func (v *visit) mergePlanPage(p merge.Plan, r merge.Request) (page views.MergePlanPage, all []effectRecord, err error) {
	r.Keep = p.Survivor
	page = views.MergePlanPage{Answers: mergeAnswers(r), Sessions: p.Sessions, Alike: p.Alike}
	names := map[int64]string{}
	for _, m := range p.Members {
		names[m.ID] = merge.Name(m.MergeRecord)
		person := views.MergePerson{ID: m.ID, Name: names[m.ID], Email: m.Email, Kept: m.ID == p.Survivor, Since: m.CreatedAt, Imported: !m.Known, Ended: m.EndedAt != nil, MayKeep: m.Known || !p.Members[0].Known}
		if m.CleverID != nil {
			person.CleverID = *m.CleverID
		}
		if m.UsedAt != nil {
			person.Used = *m.UsedAt
		}
		for _, g := range m.Facts.Grants {
			spots, err := v.schoolSpots(g.Schools)
			if err != nil {
				return page, nil, err
			}
			person.Roles = append(person.Roles, views.MergeRole{Role: string(g.Role), Schools: spots})
		}
		page.People = append(page.People, person)
	}
	for _, f := range p.Fields {
		field := views.MergeField{Name: f.Name, Value: f.Value, From: names[f.From], Chosen: f.From, Fixed: f.Fixed}
		for _, o := range f.Options {
			field.Options = append(field.Options, views.MergeOption{From: o.From, Of: names[o.From], Value: o.Value})
		}
		page.Fields = append(page.Fields, field)
	}
	for _, m := range p.Moves {
		page.Moves = append(page.Moves, views.MergeMove{Kind: m.Kind, Rows: m.Rows, Of: names[m.From]})
	}
	for _, a := range p.Accounts {
		page.Accounts = append(page.Accounts, views.MergeAccount{ID: a.ID, Role: a.Role, Into: a.Into, Of: names[a.UserID]})
	}
	if page.Clashes, err = v.mergeClashes(p, names); err != nil {
		return page, nil, err
	}
	for _, reason := range p.Second {
		page.Second = append(page.Second, string(reason.Code))
	}
	for _, m := range p.Effects {
		records := effectRecords(m.Effects)
		lines, err := v.diffLines(records)
		if err != nil {
			return page, nil, err
		}
		page.Effects = append(page.Effects, views.MergeEffects{Name: names[m.Member], Lines: lines})
		all = append(all, records...)
	}
	return page, all, nil
}

// schoolSpots names schools.
func (v *visit) schoolSpots(schools []int64) (names []string, err error) {
	places := make([]access.Place, len(schools))
	for i, s := range schools {
		places[i] = access.AtSchool(s)
	}
	spots, err := v.spotsOf(places)
	for _, at := range places {
		names = append(names, spots[at].spot.Name)
	}
	return names, err
}

func (v *visit) mergeClashes(p merge.Plan, names map[int64]string) (list []views.MergeClash, err error) {
	l := v.locale()
	for _, c := range p.Clashes {
		clash := views.MergeClash{Kind: c.Kind, Count: c.Count, Key: c.Key, Allowed: c.Allowed}
		if c.Keep != nil {
			clash.Locked = c.Keep.Locked && !c.Keep.Allow
			clash.Act = v.act(l, c.Keep.Permission)
			spots, err := v.spotsOf([]access.Place{c.Keep.Place()})
			if err != nil {
				return nil, err
			}
			clash.Spot = spots[c.Keep.Place()].spot
			allow, deny := c.Keep, c.Keep
			if len(c.Drop) > 0 {
				if c.Keep.Allow {
					deny = &c.Drop[0]
				} else {
					allow = &c.Drop[0]
				}
			}
			clash.Allows, clash.Denies = names[allow.UserID], names[deny.UserID]
		}
		list = append(list, clash)
	}
	return list, nil
}

// mergePlace is where a merge's own page is.
func (v *visit) mergePlace(id int64) string {
	return views.MergePath(v.me.District.CleverID, string(v.actor.View), id)
}

// mergeOfChange leads from a receipt to the merge's own page.
func mergeOfChange(v *visit, c models.Change) (string, error) {
	m, err := merge.OfSubject(v.ctx, v.tx, c.Subject)
	return v.mergePlace(m.ID), err
}

// mergeReceipt is one change of a merge in words; the merge's own page says more.
func mergeReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	m, err := merge.OfSubject(v.ctx, v.tx, c.Subject)
	if err != nil {
		return r, err
	}
	words, err := v.mergeWords(m)
	if err != nil {
		return r, err
	}
	l := v.locale()
	states := map[audit.Action]string{audit.UsersMerged: models.MergeDone, audit.UsersUnmerged: models.MergeUndone, audit.MergeProposed: models.MergeProposed, audit.MergeRefused: models.MergeRefused}
	r.Sentence = l.MergeSentence(states[c.Kind], words)
	r.Links = []views.Link{{Href: v.mergePlace(m.ID), Word: l.MergeLink(m.ID)}}
	return r, nil
}

// mergeWords names the people of a merge.
func (v *visit) mergeWords(m models.Merge) (w views.MergeNames, err error) {
	members, err := v.tx.MergeMembers(v.ctx, m.ID)
	if err != nil {
		return w, err
	}
	names, err := v.tx.UserNames(v.ctx, append(slices.Clone(members), m.SurvivorID))
	if err != nil {
		return w, err
	}
	w.Survivor, w.SurvivorID = names[m.SurvivorID], m.SurvivorID
	for _, id := range members {
		w.Members = append(w.Members, names[id])
		w.IDs = append(w.IDs, id)
	}
	return w, nil
}

// mergeInPath reads the merge of the address, if all of its people are within reach.
func (v *visit) mergeInPath() (models.Merge, error) {
	id, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return models.Merge{}, models.ErrNotFound
	}
	m, err := v.tx.MergeByID(v.ctx, id)
	if err != nil || v.reach.District {
		return m, err
	}
	list, err := v.tx.Merges(v.ctx, "", id+1)
	if err != nil || len(list) == 0 || list[0].ID != id || !v.withinReach(list[0]) {
		return m, errors.Join(err, models.ErrNotFound)
	}
	return m, nil
}

// withinReach reports that a merge is for the reader: everybody in it works only where the reader reviews duplicates.
func (v *visit) withinReach(m models.MergeListed) bool {
	outside := func(s int64) bool { return !slices.Contains(v.reach.Schools, s) }
	return v.reach.District || len(m.Schools) > 0 && !slices.ContainsFunc(m.Schools, outside)
}

// listMerges is what was merged, proposed and taken back.
func listMerges(v *visit) (reply, error) {
	before, _ := strconv.ParseInt(v.c.QueryParam("before"), 10, 64) // anything else is the first page
	state := v.c.QueryParam("state")
	if !slices.Contains([]string{models.MergeProposed, models.MergeDone, models.MergeUndone, models.MergeRefused}, state) {
		state = ""
	}
	list, err := v.tx.Merges(v.ctx, state, before)
	if err != nil {
		return nil, err
	}
	p := views.MergesPage{State: state}
	for i, m := range list {
		if i == 50 {
			p.More = list[49].ID
			break
		}
		if !v.withinReach(m) {
			continue
		}
		at := m.ProposedAt
		for _, t := range []*time.Time{m.MergedAt, m.UnmergedAt} {
			if t != nil {
				at = *t
			}
		}
		p.Rows = append(p.Rows, views.MergeRow{ID: m.ID, State: m.State, Names: views.MergeNames{Survivor: m.Survivor, Members: m.Members}, By: m.By, At: at})
	}
	p.Frame = v.frame()
	return page(views.Merges(p)), nil
}

// showMerge is the receipt of a merge, or a proposal that waits for somebody else.
func showMerge(v *visit) (reply, error) {
	m, err := v.mergeInPath()
	if err != nil {
		return nil, err
	}
	if m.State == models.MergeProposed {
		p, answer, err := v.planProposal(m)
		if err != nil || answer != nil {
			return answer, err
		}
		return p.preview()
	}
	p, err := v.mergePage(m)
	if err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.Merge(p)), nil
}

// planProposal plans what somebody proposed, as the reader may do it.
func (v *visit) planProposal(m models.Merge) (plan, reply, error) {
	r, err := merge.RequestOf(v.ctx, v.tx, m)
	if err != nil {
		return plan{}, nil, err
	}
	p, err := merge.Look(v.ctx, v.tx, r)
	if errors.Is(err, models.ErrNotFound) {
		words, err := v.mergeWords(m)
		if err != nil {
			return plan{}, nil, err
		}
		stale := views.MergePage{ID: m.ID, State: m.State, Names: words, Stale: true}
		stale.Frame = v.frame()
		return plan{}, pageAs(http.StatusOK, views.Merge(stale)), nil
	}
	if err != nil {
		return plan{}, nil, err
	}
	out, answer, err := v.planMerge(r)
	if err != nil || answer != nil {
		return out, answer, err
	}
	names, err := v.tx.UserNames(v.ctx, []int64{m.ProposedBy})
	if err != nil {
		return plan{}, nil, err
	}
	if why := merge.CannotAgree(v.tx, m, p); why != "" {
		out.blocked = v.locale().MergeRefused(string(why))
	}
	page, records, err := v.mergePlanPage(p, r)
	if err != nil {
		return plan{}, nil, err
	}
	out.lines = lineTexts(records)
	page.Proposal, page.ProposedBy, page.ProposedAt, page.Mine = m.ID, names[m.ProposedBy], m.ProposedAt, m.ProposedBy == v.me.User.ID
	out.draw = func(check views.Check, _ map[int]bool) templ.Component {
		page.Check = check
		page.Frame = v.frame()
		return views.MergePlan(page)
	}
	return out, nil, nil
}

// agreeMerge merges what somebody else proposed.
func agreeMerge(v *visit) (reply, error) {
	return v.apply(func() (plan, reply, error) {
		m, err := v.mergeInPath()
		if err != nil {
			return plan{}, nil, err
		}
		if m.State != models.MergeProposed {
			return plan{}, seeOther(v.mergePlace(m.ID)), nil
		}
		return v.planProposal(m)
	})
}

// refuseMerge ends a proposal without merging.
func refuseMerge(v *visit) (reply, error) {
	m, err := v.mergeInPath()
	if err != nil {
		return nil, err
	}
	token := v.c.FormValue("token")
	if m.State != models.MergeProposed || !isToken(token) {
		return seeOther(v.mergePlace(m.ID)), nil
	}
	_, err = merge.Refuse(v.ctx, v.tx, m, token)
	if errors.Is(err, models.ErrConflict) {
		err = nil // somebody else was first, and the page says who
	}
	return seeOther(v.mergePlace(m.ID)), err
}

func (v *visit) mergePage(m models.Merge) (p views.MergePage, err error) {
	p = views.MergePage{ID: m.ID, State: m.State, Class: m.Class, Reason: m.Reason, ProposedAt: m.ProposedAt}
	if p.Names, err = v.mergeWords(m); err != nil {
		return p, err
	}
	who := []int64{m.ProposedBy, value(m.MergedBy), value(m.UnmergedBy)}
	names, err := v.tx.UserNames(v.ctx, who)
	if err != nil {
		return p, err
	}
	p.ProposedBy, p.By, p.UnmergedBy = names[who[0]], names[who[1]], names[who[2]]
	p.At, p.UnmergedAt = value(m.MergedAt), value(m.UnmergedAt)
	rows, err := v.tx.MergeRows(v.ctx, m.ID)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		if string(r.Before) != string(r.After) {
			p.Count(r.Table)
		}
	}
	if m.State == models.MergeUndone {
		p.Differs, err = mergeDiffers(m)
		return p, err
	}
	if m.State == models.MergeDone {
		if p.Stacked, err = v.tx.StackedMerges(v.ctx, m.ID); err != nil {
			return p, err
		}
		if p.Records, err = v.mergedRecords(m.SurvivorID); err != nil {
			return p, err
		}
	}
	return p, nil
}
