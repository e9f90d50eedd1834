package handlers

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/dedupe"
	"hallpass/dedupe/merge"
	"hallpass/dedupe/queue"
	"hallpass/models"
	"hallpass/views"
)

// bulkBands are the lowest chances, in millionths, that a batch of the identifier-backed may have; the first is offered.
var bulkBands = []int{999_000, 990_000}

// bulkChoice is the class and band that a request is about.
func bulkChoice(class, band string) (dedupe.Class, int) {
	if dedupe.Class(class) != dedupe.Identified {
		return dedupe.Confirmed, 0
	}
	least, _ := strconv.Atoi(band) // anything else is the first
	if !slices.Contains(bulkBands, least) {
		least = bulkBands[0]
	}
	return dedupe.Identified, least
}

// newBulk lists what can be accepted together, and what cannot and why.
func newBulk(v *visit) (reply, error) {
	class, least := bulkChoice(v.c.QueryParam("class"), v.c.QueryParam("least"))
	o, err := v.tx.BulkOffer(v.ctx, v.duplicateReader(), string(class), least)
	if err != nil {
		return nil, err
	}
	p, err := v.bulkOffer(o, class, least)
	return page(views.BulkOffer(p)), err
}

// bulkOffer puts what can be accepted together into words.
func (v *visit) bulkOffer(o models.BulkOffer, class dedupe.Class, least int) (p views.BulkOfferPage, err error) {
	d, err := v.tx.District(v.ctx)
	if err != nil {
		return p, err
	}
	p = views.BulkOfferPage{Class: string(class), Least: least, Bands: bulkBands, All: o.All, Alone: o.Alone, Limit: int(d.BulkWrong)}
	var worth bool
	p.Read, worth = dedupe.SampleSize(len(o.Rows), int(d.BulkWrong))
	p.All100, p.TooFew = class == dedupe.Confirmed && !worth, class != dedupe.Confirmed && !worth
	for _, s := range o.Rows {
		row, err := v.dupRow(s)
		if err != nil {
			return p, err
		}
		p.Rows = append(p.Rows, views.BulkRow{DupRow: row, Tick: bulkTick(s)})
	}
	for _, s := range o.Left {
		row, err := v.dupRow(s)
		if err != nil {
			return p, err
		}
		p.Left = append(p.Left, row)
	}
	by := v.me.User.ID
	if v.reach.District {
		by = 0
	}
	before, err := v.tx.Bulks(v.ctx, by)
	if err != nil {
		return p, err
	}
	for _, b := range before {
		p.Before = append(p.Before, views.BulkBefore{ID: b.ID, Class: b.Class, State: string(b.State), At: b.MadeAt})
	}
	p.Frame = v.frame()
	return p, nil
}

// bulkTick names a suggestion as it was listed: with other members or evidence it is another.
func bulkTick(s models.SuggestionRow) string {
	return strconv.FormatInt(s.ID, 10) + "." + s.Fingerprint[:min(len(s.Fingerprint), 12)]
}

// createBulk begins a batch of those that were left ticked.
func (s *server) createBulk(v *visit) (reply, error) {
	form, err := v.form()
	if err != nil {
		return nil, err
	}
	class, least := bulkChoice(form.Get("class"), form.Get("least"))
	o, err := v.tx.BulkOffer(v.ctx, v.duplicateReader(), string(class), least)
	if err != nil {
		return nil, err
	}
	ticked := form["case"]
	var items []models.BulkItem
	for _, row := range o.Rows {
		if !slices.Contains(ticked, bulkTick(row)) {
			continue
		}
		i := models.BulkItem{N: len(items) + 1, CaseID: row.ID, Fingerprint: row.Fingerprint, KeepID: row.KeepID}
		for _, m := range row.Members {
			i.Members = append(i.Members, m.ID)
		}
		slices.Sort(i.Members)
		items = append(items, i)
	}
	if len(items) == 0 {
		p, err := v.bulkOffer(o, class, least)
		p.Unticked, p.Gone = len(ticked) == 0, len(ticked)
		return pageAs(http.StatusUnprocessableEntity, views.BulkOffer(p)), err
	}
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], rand.Uint64())
	b, err := v.tx.CreateBulk(v.ctx, string(class), int64(binary.LittleEndian.Uint64(seed[:])>>1), items) //nolint:gosec // 63 bits
	if err != nil {
		return nil, err
	}
	return s.nudgeBulk(v, b.ID, seeOther(v.bulkPlace(b.ID))), nil
}

// nudgeBulk puts a batch to work once the request's transaction has ended.
func (s *server) nudgeBulk(v *visit, id int64, then reply) reply {
	return func(c echo.Context) error {
		if s.EnqueueBulk != nil {
			ctx := context.WithoutCancel(c.Request().Context()) // it is decided, whether or not anybody still waits
			if err := s.EnqueueBulk(ctx, v.actor.District, id); err != nil {
				s.Log.WarnContext(ctx, "bulk left to the sweeper", "request_id", noteOf(c).requestID, "bulk", id, "error", err)
			}
		}
		return then(c)
	}
}

func (v *visit) bulkPlace(id int64) string {
	return views.BulkPath(v.me.District.CleverID, string(v.actor.View), id)
}

// theBulk is the batch of the address, if it is the reader's own or they review the whole district.
func (v *visit) theBulk() (b models.Bulk, items []models.BulkItem, err error) {
	id, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return b, nil, models.ErrNotFound
	}
	if b, err = v.tx.Bulk(v.ctx, id); err != nil {
		return b, nil, err
	}
	if !v.reach.District && b.MadeBy != v.me.User.ID {
		return b, nil, models.ErrNotFound
	}
	items, err = v.tx.BulkItems(v.ctx, id)
	return b, items, err
}

// showBulk is a batch wherever it stands: planned, read, agreed to, merged or taken back.
func showBulk(v *visit) (reply, error) {
	b, items, err := v.theBulk()
	if err != nil {
		return nil, err
	}
	if b.State == models.BulkReady && b.MadeBy == v.me.User.ID {
		return v.planBulk(b, items).preview()
	}
	p, err := v.bulkPage(b, items)
	if err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.Bulk(p)), nil
}

// bulkPage puts a batch into words.
func (v *visit) bulkPage(b models.Bulk, items []models.BulkItem) (p views.BulkPage, err error) {
	p = views.BulkPage{ID: b.ID, Class: b.Class, State: string(b.State), Why: b.Why, At: b.MadeAt, Mine: b.MadeBy == v.me.User.ID, All: len(items)}
	d, err := v.tx.District(v.ctx)
	if err != nil {
		return p, err
	}
	p.Limit = int(d.BulkWrong)
	who := []int64{b.MadeBy}
	for _, i := range items {
		if i.State == models.ItemLeft || i.State == models.ItemKept {
			who = append(who, i.Members...)
		}
	}
	names, err := v.tx.UserNames(v.ctx, who)
	if err != nil {
		return p, err
	}
	p.By = names[b.MadeBy]
	batch := 0
	for _, i := range items {
		switch i.State {
		case models.ItemWaiting:
			p.Open++
		case models.ItemMerged:
			p.Merged++
		case models.ItemUnmerged:
			p.Unmerged++
		default:
			o := views.BulkOut{Case: i.CaseID, Why: i.Why, Kept: i.State == models.ItemKept}
			for _, id := range i.Members {
				o.Names = append(o.Names, names[id])
			}
			if i.MergeID != nil {
				o.Merge = *i.MergeID
			}
			p.Out = append(p.Out, o)
		}
		if i.Plan != nil {
			p.Planned++
			batch++
		}
		if i.State == models.ItemWaiting || i.State == models.ItemMerged {
			p.Rows, p.Accounts, p.Sessions = p.Rows+i.Counts.Rows, p.Accounts+i.Counts.Accounts, p.Sessions+i.Counts.Sessions
			p.More, p.Less = p.More+i.Counts.More, p.Less+i.Counts.Less
			if i.Counts.More > 0 {
				p.Widened++
			}
		}
	}
	if b.Wrong != nil {
		p.Known = true
		p.Drawn, p.Wrong, p.Torn, _ = merge.Answered(b.Sample, batch)
		p.MostWrong = int(*b.Wrong)
	}
	if b.ChangeID != nil {
		p.Change = *b.ChangeID
	}
	if b.State == models.BulkSampling && p.Mine {
		p.Sample, err = v.bulkSample(b, items)
	}
	return p, err
}

// bulkSample is those drawn, with what is known of their people and without what it weighs.
func (v *visit) bulkSample(b models.Bulk, items []models.BulkItem) (list []views.BulkDrawn, err error) {
	var who []int64
	at := map[int]models.BulkItem{}
	for _, i := range items {
		at[i.N] = i
	}
	for _, a := range b.Sample {
		who = append(who, at[a.N].Members...)
	}
	slices.Sort(who)
	records, err := queue.Records(v.ctx, v.tx, slices.Compact(who))
	if err != nil {
		return nil, err
	}
	people := map[int64]views.BulkPerson{}
	for _, r := range records {
		p := views.BulkPerson{ID: r.ID, Emails: r.Emails}
		for _, n := range r.Names {
			p.Names = append(p.Names, join(" ", n.Given, n.Middle, n.Surname))
		}
		for _, role := range r.Roles {
			p.Roles = append(p.Roles, string(role.Role))
		}
		for _, n := range r.Numbers {
			p.Numbers = append(p.Numbers, views.BulkNumber{Space: n.Space, Value: n.Value})
		}
		if p.Schools, err = v.schoolSpots(r.Schools); err != nil {
			return nil, err
		}
		people[r.ID] = p
	}
	for place, a := range b.Sample {
		drawn := views.BulkDrawn{Field: "answer-" + strconv.Itoa(place), Answer: v.c.FormValue("answer-" + strconv.Itoa(place))}
		for _, id := range at[a.N].Members {
			drawn.People = append(drawn.People, people[id])
		}
		list = append(list, drawn)
	}
	return list, nil
}

// answerBulk takes the answers about those drawn.
func answerBulk(v *visit) (reply, error) {
	if err := v.tx.LockAccess(v.ctx); err != nil {
		return nil, err
	}
	b, items, err := v.theBulk()
	if err != nil {
		return nil, err
	}
	if b.State != models.BulkSampling || b.MadeBy != v.me.User.ID {
		return seeOther(v.bulkPlace(b.ID)), nil
	}
	missing := 0
	for i := range b.Sample {
		answer := v.c.FormValue("answer-" + strconv.Itoa(i))
		if answer != string(dedupe.SaidSame) && answer != string(dedupe.SaidDifferent) {
			missing++
			continue
		}
		b.Sample[i].Answer = answer
	}
	if missing > 0 {
		p, err := v.bulkPage(b, items)
		if err != nil {
			return nil, err
		}
		p.Missing = missing
		p.Frame = v.frame()
		return pageAs(http.StatusUnprocessableEntity, views.Bulk(p)), nil
	}
	d, err := v.tx.District(v.ctx)
	if err != nil {
		return nil, err
	}
	batch := 0
	for _, i := range items {
		if i.State == models.ItemWaiting {
			batch++
		}
	}
	_, _, _, most := merge.Answered(b.Sample, batch)
	b.Wrong, b.State = &most, models.BulkReady
	if most > d.BulkWrong {
		b.State, b.Why = models.BulkRefused, models.BulkWrong
	}
	for _, a := range b.Sample {
		for _, i := range items {
			if i.N == a.N && a.Answer == string(dedupe.SaidDifferent) && i.State == models.ItemWaiting {
				i.State, i.Why = models.ItemLeft, merge.LeftDifferent
				if err := v.tx.SetBulkItem(v.ctx, b.ID, i); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := v.tx.MoveBulk(v.ctx, b, models.BulkSampling); err != nil && !errors.Is(err, models.ErrConflict) {
		return nil, err
	}
	return seeOther(v.bulkPlace(b.ID)), nil
}

// dropBulk forgets a batch that nobody agreed to.
func dropBulk(v *visit) (reply, error) {
	if err := v.tx.LockAccess(v.ctx); err != nil {
		return nil, err
	}
	b, _, err := v.theBulk()
	if err != nil {
		return nil, err
	}
	from := b.State
	if from == models.BulkSampling || from == models.BulkReady {
		b.State = models.BulkDropped
		if err := v.tx.MoveBulk(v.ctx, b, from); err != nil && !errors.Is(err, models.ErrConflict) {
			return nil, err
		}
	}
	return seeOther(v.bulkPlace(b.ID)), nil
}

// acceptBulk agrees to all that is left of a batch. The merges are a job's.
func acceptBulk(v *visit) (reply, error) {
	return v.apply(func() (plan, reply, error) {
		b, items, err := v.theBulk()
		if err != nil {
			return plan{}, nil, err
		}
		if b.State != models.BulkReady || b.MadeBy != v.me.User.ID {
			return plan{}, seeOther(v.bulkPlace(b.ID)), nil
		}
		return v.planBulk(b, items), nil, nil
	})
}

// bulkDone is what agreeing to a batch or taking it back records.
type bulkDone struct {
	Bulk     int64             `json:"bulk"`
	Class    string            `json:"class"`
	Pairs    int               `json:"pairs"`
	Drawn    int               `json:"drawn,omitempty"`
	Most     int32             `json:"most_wrong"`
	Counts   models.BulkCounts `json:"counts"`
	Kept     map[string]int    `json:"kept,omitempty"`
	Accepted int64             `json:"accepted,omitempty"` // the change that this takes back
}

// planBulk plans making the merges of a batch, each as it was planned.
func (v *visit) planBulk(b models.Bulk, items []models.BulkItem) plan {
	type promised struct {
		N    int
		Plan []byte
	}
	var stated []promised
	done := bulkDone{Bulk: b.ID, Class: b.Class}
	if b.Wrong != nil {
		done.Most = *b.Wrong
	}
	for _, i := range items {
		if i.State != models.ItemWaiting {
			continue
		}
		stated = append(stated, promised{i.N, i.Plan})
		done.Pairs++
		done.Counts.Add(i.Counts)
	}
	done.Drawn, _, _, _ = merge.Answered(b.Sample, 0)
	p := plan{unguarded: true, stated: struct { // each merge that takes a permission is guarded as any other
		Bulk  int64
		Items []promised
	}{b.ID, stated}}
	if len(stated) == 0 {
		p.blocked = v.locale().BulkEmpty()
	}
	p.then = func(then reply) reply { return v.server.nudgeBulk(v, b.ID, then) }
	shown, err := v.bulkPage(b, items)
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		shown.Check = check
		shown.Frame = v.frame()
		return views.Bulk(shown)
	}
	p.record = func(token string, sum []byte) (models.Change, error) {
		if err != nil {
			return models.Change{}, err
		}
		c, err := v.tx.RecordChange(v.ctx, models.NewChange{Token: token, Action: audit.BulkAccepted, Subject: b.Subject(), Plan: sum, Before: struct{}{}, After: done})
		if err != nil {
			return c, err
		}
		b.State, b.ChangeID, b.View = models.BulkApplying, &c.ID, string(v.actor.View)
		return c, v.tx.MoveBulk(v.ctx, b, models.BulkReady)
	}
	return p
}

// bulkOfSubject reads the batch that a change is about.
func (v *visit) bulkOfSubject(c models.Change) (models.Bulk, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(c.Subject, "bulk:"), 10, 64)
	if err != nil {
		return models.Bulk{}, fmt.Errorf("read change %d: %w", c.ID, err)
	}
	return v.tx.Bulk(v.ctx, id)
}

// bulkOfChange leads from a receipt to the batch's own page.
func bulkOfChange(v *visit, c models.Change) (string, error) {
	b, err := v.bulkOfSubject(c)
	return v.bulkPlace(b.ID), err
}

// bulkMine reports that a batch is the reader's own, or within their district.
func bulkMine(v *visit, c models.Change) (bool, error) {
	if v.actor.Decide(access.DuplicatesReview, access.InDistrict()).Allowed {
		return true, nil
	}
	return c.MadeBy == v.me.User.ID && v.mayDuplicates(), nil
}

// bulkReceipt says what was agreed to; the batch's own page says what came of it.
func bulkReceipt(v *visit, c models.Change) (r views.Receipt, err error) {
	b, err := v.bulkOfSubject(c)
	if err != nil {
		return r, err
	}
	items, err := v.tx.BulkItems(v.ctx, b.ID)
	if err != nil {
		return r, err
	}
	p, err := v.bulkPage(b, items)
	l := v.locale()
	r.Sentence, r.Answers = l.BulkReceipt(p, c.Kind == audit.BulkUndone)
	r.Links = []views.Link{{Href: v.bulkPlace(b.ID), Word: l.BulkLink(b.ID)}}
	return r, err
}

// undoBulk plans taking a batch back as one.
func undoBulk(v *visit, c models.Change) (plan, error) {
	b, err := v.bulkOfSubject(c)
	if err != nil {
		return plan{}, err
	}
	items, err := v.tx.BulkItems(v.ctx, b.ID)
	if err != nil {
		return plan{}, err
	}
	o, err := merge.LookBackAt(v.ctx, v.tx, items)
	if err != nil {
		return plan{}, err
	}
	l := v.locale()
	p := plan{unguarded: true, stated: struct {
		Change int64
		State  models.BulkState
		Back   merge.BackOut
	}{c.ID, b.State, o}}
	switch {
	case b.State == models.BulkApplying:
		p.blocked = l.BulkBusy()
	case b.State != models.BulkAccepted || o.Merges == 0:
		p.blocked = l.BulkNothing()
	}
	p.draw = func(check views.Check, _ map[int]bool) templ.Component {
		shown := views.UndoPage{Check: check, Number: c.ID}
		shown.Heading, shown.Sentence, shown.Button = l.BulkUndo(o.Merges, o.Kept)
		shown.Counts, shown.CountsText, shown.Widens = l.BulkUndoCounts(o.Merges, o.Did.Accounts, o.Did.Rows, o.Did.More, o.Did.Less)
		shown.Frame = v.frame()
		return views.Undo(shown)
	}
	p.then = func(then reply) reply { return v.server.nudgeBulk(v, b.ID, then) }
	p.make = func() (models.NewChange, error) {
		by := v.me.User.ID
		b.State, b.UndoneBy, b.View = models.BulkUndoing, &by, string(v.actor.View)
		if err := v.tx.MoveBulk(v.ctx, b, models.BulkAccepted); err != nil {
			return models.NewChange{}, err
		}
		return models.NewChange{Action: audit.BulkUndone, Subject: c.Subject, Before: struct{}{}, After: bulkDone{Bulk: b.ID, Class: b.Class, Pairs: o.Merges, Kept: o.Kept, Accepted: c.ID}}, nil
	}
	return p, nil
}
