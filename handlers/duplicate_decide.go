package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
	"hallpass/views"
)

// pairChange is what an answer did, for its receipt and its undo.
type pairChange struct {
	Members []int64 `json:"members"` // of the case
	Verdict string  `json:"verdict"` // different, unsure, same or reopen
	Dropped int64   `json:"dropped,omitempty"`
	Made    []int64 `json:"made,omitempty"`  // answers
	Ended   []int64 `json:"ended,omitempty"` // answers that no longer stand
}

func readPairChange(c models.Change) (d pairChange, ok bool, err error) {
	if c.Kind != audit.PairDecided {
		return d, false, nil
	}
	if err := json.Unmarshal(c.After, &d); err != nil {
		return d, false, fmt.Errorf("read change %d: %w", c.ID, err)
	}
	return d, true, nil
}

// decideDuplicate takes a case, or answers it.
func decideDuplicate(v *visit) (reply, error) {
	id, err := v.dupID()
	if err != nil {
		return nil, err
	}
	if v.c.FormValue("verdict") == "take" {
		if _, err := v.tx.Suggestion(v.ctx, v.duplicateReader(), id); errors.Is(err, models.ErrNotFound) {
			return v.dupGone(http.StatusConflict), nil
		} else if err != nil {
			return nil, err
		}
		if err := v.tx.TakeSuggestion(v.ctx, id); err != nil {
			return nil, err
		}
		return seeOther(views.DuplicateOnePath(v.me.District.CleverID, string(v.actor.View), id, 0, v.c.FormValue("mode") == "one", 0)), nil
	}
	return v.apply(func() (plan, reply, error) {
		c, err := v.dupCase(id)
		if errors.Is(err, models.ErrNotFound) {
			return plan{}, v.dupGone(http.StatusConflict), nil
		}
		if err != nil {
			return plan{}, nil, err
		}
		p, err := v.planAnswer(c)
		return p, nil, err
	})
}

// planAnswer plans the posted answer to a case. What the page promises is the case as it was shown, whatever the
// answer: with another fingerprint, or somebody else at it, nothing is written.
func (v *visit) planAnswer(c dupCase) (plan, error) {
	taken := int64(0)
	if c.TakenBy != nil && *c.TakenBy != v.me.User.ID {
		taken = *c.TakenBy
	}
	p := plan{
		stated: struct {
			ID          int64
			Fingerprint string
			Taken       int64
		}{c.ID, c.Fingerprint, taken},
		unguarded: true,
	}
	shown, err := v.dupPage(c)
	if err != nil {
		return p, err
	}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		shown.Check = check
		return views.Duplicate(shown)
	}
	p.make = func() (models.NewChange, error) { return v.answer(c) }
	return p, nil
}

// answer writes what the posted form says of the case.
func (v *visit) answer(c dupCase) (models.NewChange, error) {
	none := models.NewChange{}
	members := c.ids()
	done := pairChange{Members: members, Verdict: v.c.FormValue("verdict")}
	reason := text(v.c.FormValue("reason"), 1000)
	dropped, err := strconv.ParseInt(v.c.FormValue("drop"), 10, 64)
	dropping := err == nil && len(members) > 2 && slices.Contains(members, dropped)
	if dropping {
		done.Verdict, done.Dropped = string(dedupe.SaidDifferent), dropped
	}
	next, err := v.nextDuplicate(c.SuggestionRow)
	if err != nil {
		return none, err
	}
	switch again := c.shown.Split != nil && c.shown.Split.Merge != 0; {
	case done.Verdict == "reopen" && c.shown.Before != nil:
		said, err := v.tx.LiveDecisions(v.ctx, members)
		if err != nil {
			return none, err
		}
		for _, d := range said {
			if d.Verdict != string(dedupe.SaidDifferent) || !slices.Contains(members, d.LoHome) || !slices.Contains(members, d.HiHome) {
				continue
			}
			if _, err := v.tx.EndDecision(v.ctx, d.ID); err != nil {
				return none, err
			}
			done.Ended = append(done.Ended, d.ID)
		}
	case done.Verdict == string(dedupe.SaidDifferent) && !again, done.Verdict == string(dedupe.SaidUnsure) && !again, done.Verdict == string(dedupe.SaidSame) && again:
		for i, lo := range members {
			for _, hi := range members[i+1:] {
				if dropping && lo != dropped && hi != dropped {
					continue
				}
				made, instead, err := v.tx.DecidePair(v.ctx, c.decision(lo, hi, done.Verdict, reason))
				if err != nil {
					return none, err
				}
				done.Made = append(done.Made, made)
				if instead != 0 {
					done.Ended = append(done.Ended, instead)
				}
			}
		}
	default:
		return none, models.ErrNotFound
	}
	if err := queue.Around(v.ctx, v.tx, members); err != nil {
		return none, err
	}
	if err := v.goOnAfter(c, done, next); err != nil {
		return none, err
	}
	return models.NewChange{Action: audit.PairDecided, Subject: "user:" + strconv.FormatInt(c.KeepID, 10), Before: struct{}{}, After: done}, nil
}

// decision is an answer with what was shown.
func (c dupCase) decision(lo, hi int64, verdict, reason string) models.PairDecision {
	d := models.PairDecision{Lo: lo, Hi: hi, Verdict: verdict, Reason: reason, Class: c.Class, Tenths: c.Tenths}
	for _, pair := range c.shown.Pairs {
		if pair.PairKey == dedupe.Key(lo, hi) {
			d.Class, d.Tenths = string(pair.Class), pair.Evidence.Tenths
			if raw, err := json.Marshal(pair.Evidence); err == nil {
				d.Evidence = raw
			}
		}
	}
	return d
}

// goOnAfter says where an answer leads: to the rest of a group, to the next case of those gone through one by one, or
// to the receipt.
func (v *visit) goOnAfter(c dupCase, done pairChange, next int64) error {
	district, view, one := v.me.District.CleverID, string(v.actor.View), v.c.FormValue("mode") == "one"
	if done.Dropped != 0 {
		rest := slices.DeleteFunc(slices.Clone(done.Members), func(id int64) bool { return id == done.Dropped })
		id, err := v.tx.SuggestionOf(v.ctx, c.Kind, rest)
		if err == nil {
			v.goOn = func(change int64) string { return views.DuplicateOnePath(district, view, id, 0, one, change) }
			return nil
		}
		if !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	if one && next != 0 && next != c.ID {
		v.goOn = func(change int64) string { return views.DuplicateOnePath(district, view, next, 0, true, change) }
	}
	return nil
}

// pairPath is where an answer leads.
func pairPath(v *visit, c models.Change) (string, error) {
	if v.goOn != nil {
		return v.goOn(c.ID), nil
	}
	return v.changePath(c.ID), nil
}

// mayDecideAbout reports whether the person decides about some people, all of them and wherever they are.
func (v *visit) mayDecideAbout(ids []int64) (bool, error) {
	records, err := queue.Records(v.ctx, v.tx, ids)
	if err != nil {
		return false, err
	}
	r := v.duplicateReader()
	by := dedupe.Actor{Record: r.User, District: r.District, Schools: r.Schools, Grants: access.Roles()}
	return len(records) > 0 && !slices.ContainsFunc(dedupe.MayDecide(by, records), func(r dedupe.Reason) bool { return r.Code != dedupe.SecondEyes }), nil
}

// minePair reports whether the answer of a change is the person's to see and to take back.
func minePair(v *visit, c models.Change) (bool, error) {
	d, ok, err := readPairChange(c)
	if c.Kind == audit.PairUndone {
		ok, err = true, json.Unmarshal(c.After, &d)
	}
	if err != nil || !ok {
		return false, err
	}
	return v.mayDecideAbout(d.Members)
}

// pairReceipt says what was answered.
func pairReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	var d pairChange
	if err := json.Unmarshal(c.After, &d); err != nil {
		return r, fmt.Errorf("read change %d: %w", c.ID, err)
	}
	names, err := v.tx.UserNames(v.ctx, d.Members)
	if err != nil {
		return r, err
	}
	l := v.locale()
	district, view := v.me.District.CleverID, string(v.actor.View)
	who := make([]string, 0, len(d.Members))
	for _, id := range d.Members {
		who = append(who, names[id])
		r.Links = append(r.Links, views.Link{Href: views.UserPath(district, view, id), Word: names[id]})
	}
	r.Sentence = l.DuplicateDeed(d.Verdict, who)
	if d.Dropped != 0 {
		r.Sentence = l.DuplicateDropped(names[d.Dropped], who)
	}
	if c.Kind == audit.PairUndone {
		r.Sentence, _, _ = l.DuplicateUndoWords(who)
	}
	if len(d.Made) > 0 {
		said, err := v.tx.PairDecision(v.ctx, d.Made[0])
		if err != nil {
			return r, err
		}
		if said.Reason != "" {
			r.Answers = append(r.Answers, views.Answer{Label: l.DuplicateReason(), Value: said.Reason})
		}
	}
	r.Links = append(r.Links, views.Link{Href: views.DuplicatesPath(district, view, ""), Word: l.DuplicateLink()})
	return r, nil
}

// undoPair plans to take an answer back: what was said before holds again.
func undoPair(v *visit, c models.Change) (plan, error) {
	d, ok, err := readPairChange(c)
	if err != nil || !ok {
		return plan{}, errors.Join(err, models.ErrNotFound)
	}
	names, err := v.tx.UserNames(v.ctx, d.Members)
	if err != nil {
		return plan{}, err
	}
	who := make([]string, len(d.Members))
	for i, id := range d.Members {
		who[i] = names[id]
	}
	var stand []bool
	stale := false
	for _, id := range d.Made {
		said, err := v.tx.PairDecision(v.ctx, id)
		if err != nil {
			return plan{}, err
		}
		stand = append(stand, said.EndedAt == nil)
		stale = stale || said.EndedAt != nil
	}
	l := v.locale()
	p := plan{unguarded: true, stated: struct {
		Change int64
		Stand  []bool
	}{c.ID, stand}}
	if stale {
		p.blocked = l.DuplicateStale()
	}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		shown := views.UndoPage{Check: check, Number: c.ID}
		shown.Sentence, shown.Nothing, shown.Button = l.DuplicateUndoWords(who)
		shown.Heading = l.DuplicateLink()
		shown.Frame = v.frame()
		return views.Undo(shown)
	}
	p.make = func() (models.NewChange, error) {
		undone := pairChange{Members: d.Members, Verdict: "undone"}
		for _, id := range d.Made {
			if _, err := v.tx.EndDecision(v.ctx, id); err != nil {
				return models.NewChange{}, err
			}
			undone.Ended = append(undone.Ended, id)
		}
		for _, id := range d.Ended {
			if _, err := v.tx.ReviveDecision(v.ctx, id); err != nil {
				return models.NewChange{}, err
			}
		}
		if err := queue.Around(v.ctx, v.tx, d.Members); err != nil {
			return models.NewChange{}, err
		}
		return models.NewChange{Action: audit.PairUndone, Subject: c.Subject, Before: struct{}{}, After: undone}, nil
	}
	return p, nil
}

// lastUsed is when any of a member's accounts was used last, nil for never.
func lastUsed(accounts []models.Account, imported []models.ImportedAs) (last *time.Time) {
	later := func(at *time.Time) {
		if at != nil && (last == nil || at.After(*last)) {
			last = at
		}
	}
	for _, a := range accounts {
		later(a.LastSignInAt)
	}
	for _, a := range imported {
		later(a.LastUsedAt)
	}
	return last
}
