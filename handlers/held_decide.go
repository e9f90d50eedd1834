package handlers

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// heldDecision is what a decision about a held run records.
type heldDecision struct {
	Run       int64 `json:"run"`
	Discarded bool  `json:"discarded,omitempty"`
	First     bool  `json:"first,omitempty"` // somebody else must confirm
	Release   int64 `json:"release,omitempty"`
	Records   int   `json:"records"`
}

// previewHeld shows what a decision about a held run would do.
func previewHeld(v *visit) (reply, error) {
	p, answer, err := v.planHeld(nil)
	if err != nil || answer != nil {
		return answer, err
	}
	return p.preview()
}

// decideHeld makes it.
func (s *server) decideHeld(v *visit) (reply, error) {
	var release int64
	answer, err := v.apply(func() (plan, reply, error) { return v.planHeld(&release) })
	if err != nil || release == 0 {
		return answer, err
	}
	return func(c echo.Context) error {
		s.nudge(c, v.actor.District, release)
		return answer(c)
	}, nil
}

// nudge puts an open run to work; if that fails, the sweeper does.
func (s *server) nudge(c echo.Context, district, run int64) {
	if s.Enqueue == nil {
		return
	}
	ctx := context.WithoutCancel(c.Request().Context()) // the run is asked for, whether or not anybody still waits
	if err := s.Enqueue(ctx, district, run); err != nil {
		s.Log.WarnContext(ctx, "sync left to the sweeper", "request_id", noteOf(c).requestID, "run", run, "error", err)
	}
}

// planHeld plans the decision that the form asks for. release is told the run that is to apply it, if one is.
func (v *visit) planHeld(release *int64) (plan, reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return plan{}, nil, err
	}
	form, err := v.form()
	if err != nil {
		return plan{}, nil, err
	}
	if form.Get("do") == "discard" {
		p, err := v.planDiscard(run)
		return p, nil, err
	}
	pick, shown := v.heldPick(form.Get, form["id"])
	if form.Get("ticked") != "" && len(pick.Keys) == 0 {
		pick.Keys = []string{"nothing"}
	}
	p, err := v.planApproval(run, pick, shown, release)
	return p, nil, err
}

func (v *visit) planDiscard(run models.SyncRun) (plan, error) {
	l := v.locale()
	list, err := v.tx.HeldHash(v.ctx, run.ID, models.HeldPick{})
	if err != nil {
		return plan{}, err
	}
	p := plan{stated: heldDecision{Run: run.ID, Discarded: true}, unguarded: true}
	if run.State != models.SyncHeld {
		p.blocked = l.HeldGone()
	}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		return views.HeldCheck(views.HeldCheckPage{
			Frame: v.frame(), Check: check, Run: run.ID, Discard: true, Button: l.HeldButton(true, false, false, 0),
			Answers: views.HeldPick{}.Hidden("discard"),
		})
	}
	p.make = func() (models.NewChange, error) {
		return models.NewChange{
			Action: audit.SyncDiscarded, Subject: fmt.Sprintf("sync:%d", run.ID), After: heldDecision{Run: run.ID, Discarded: true, Records: list.Count},
		}, v.tx.DiscardHeld(v.ctx, run.ID)
	}
	return p, nil
}

// planApproval plans ending a part of the list. Where that is more than half of a type, the first of two people only
// says so, and the second, who sees exactly the same list, sets it going.
func (v *visit) planApproval(run models.SyncRun, pick models.HeldPick, shown views.HeldPick, release *int64) (plan, error) {
	l := v.locale()
	list, err := v.tx.HeldHash(v.ctx, run.ID, pick)
	if err != nil {
		return plan{}, err
	}
	all, err := v.tx.HeldHash(v.ctx, run.ID, models.HeldPick{})
	if err != nil {
		return plan{}, err
	}
	sums, err := v.tx.HeldSums(v.ctx, run.ID, pick)
	if err != nil {
		return plan{}, err
	}
	gauges, err := v.tx.HeldGauges(v.ctx, run, pick)
	if err != nil {
		return plan{}, err
	}
	effects, losing, err := v.tx.HeldEffects(v.ctx, run.ID, pick)
	if err != nil {
		return plan{}, err
	}
	open, err := v.tx.SyncOpen(v.ctx)
	if err != nil {
		return plan{}, err
	}
	first, approved, err := v.heldFirst(run.ID)
	if err != nil {
		return plan{}, err
	}
	if hex.EncodeToString(approved) != list.Hash {
		first = nil
	}
	two := slices.ContainsFunc(gauges, models.Gauge.MoreThanHalf)
	second := two && first != nil
	counts := heldCounts(sums)
	p := plan{
		stated: struct {
			Run         int64
			List        string
			Two, Second bool
		}{run.ID, list.Hash, two, second},
		unguarded: true, // who is left out is for Clever to say, and roles by hand stay
	}
	for _, c := range counts {
		p.lines = append(p.lines, fmt.Sprintf("%+v", c))
	}
	switch {
	case run.State != models.SyncHeld:
		p.blocked = l.HeldGone()
	case list.Count == 0:
		p.blocked = l.HeldNone()
	case open:
		p.blocked = l.HeldBusy()
	case second && first.Mine:
		p.blocked = l.HeldMine()
	}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		c := views.HeldCheckPage{
			Frame: v.frame(), Check: check, Run: run.ID, Counts: counts, Gauges: heldGauges(gauges), Effects: v.heldEffects(effects), Losing: losing,
			Two: two && !second, Button: l.HeldButton(false, two, second, list.Count), Answers: shown.Hidden("approve"), LeftOver: all.Count - list.Count,
		}
		if two {
			c.First = first
		}
		return views.HeldCheck(c)
	}
	p.make = func() (models.NewChange, error) {
		done := heldDecision{Run: run.ID, Records: list.Count}
		if two && !second {
			hash, err := hex.DecodeString(list.Hash)
			if err != nil {
				return models.NewChange{}, fmt.Errorf("approve list: %w", err)
			}
			done.First = true
			return models.NewChange{Action: audit.SyncApproved, Subject: fmt.Sprintf("sync:%d", run.ID), After: done}, v.tx.ApproveFirst(v.ctx, run.ID, hash)
		}
		made, err := v.tx.ReleaseHeld(v.ctx, run.ID, pick)
		if err != nil {
			return models.NewChange{}, err
		}
		done.Release = made.ID
		if release != nil {
			*release = made.ID
		}
		return models.NewChange{Action: audit.SyncApproved, Subject: fmt.Sprintf("sync:%d", run.ID), After: done}, nil
	}
	return p, nil
}

// heldReceipt says what a decision about a held run was.
func heldReceipt(v *visit, c models.Change) (views.Receipt, error) {
	var done heldDecision
	if err := json.Unmarshal(c.After, &done); err != nil {
		return views.Receipt{}, fmt.Errorf("read change %d: %w", c.ID, err)
	}
	l, district, view := v.locale(), v.me.District.CleverID, string(v.actor.View)
	r := views.Receipt{Waits: done.First, Sentence: l.HeldReceipt(done.Discarded, done.First, done.Run, done.Records)}
	for _, id := range []int64{done.Run, done.Release} {
		if id != 0 {
			r.Links = append(r.Links, views.Link{Href: views.SyncPath(district, view, id), Word: l.SyncWord(id)})
		}
	}
	return r, nil
}
