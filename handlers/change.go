package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// plan is a change as it would be made at this moment. The preview shows it, and the button of the preview makes it
// only if it still comes out the same.
type plan struct {
	// stated is the change and all that its outcome depends on, before and after, in ids and codes. Its hash is what
	// the preview promises, so nothing in it may depend on when it was made.
	stated any
	// lines say each difference that is shown, in the order shown, so that those that moved can be marked.
	lines []string
	// blocked says in a sentence why it cannot be done; "" if it can.
	blocked string
	// draw makes the preview. moved marks lines.
	draw func(check views.Check, moved map[int]bool) templ.Component
	// part makes what draw puts into the page, for a preview whose page has begun before there is a plan; nil: it never does.
	part func(check views.Check) templ.Component
	// make does it, and says what to record. A deniedError undoes it and is shown in place of the receipt.
	make func() (models.NewChange, error)
	// record does it and records it too, in place of make. models.ErrConflict: the plan moved at the last moment.
	record func(token string, sum []byte) (models.Change, error)
	// then is what follows once it stands: a nudge for the job whose turn it is; nil: nothing.
	then func(reply) reply
	// unguarded: it cannot take a permission from anybody.
	unguarded bool
}

// deniedError is a change that cannot be made, in words for the person who asked.
type deniedError struct{ why string }

func (deniedError) Error() string { return "change denied" }

// changeKind is what the console knows of one kind of change.
type changeKind struct {
	under      string            // the place of the menu it belongs to
	permission access.Permission // to make it and to undo it
	receipt    func(*visit, models.Change) (views.Receipt, error)
	undo       func(*visit, models.Change) (plan, error) // nil: there is no undo
	path       func(*visit, models.Change) (string, error)
	weighs     bool                                      // its undo is foreseen for everybody in the district
	mine       func(*visit, models.Change) (bool, error) // whose it is to see and undo; nil: of whoever holds the permission in the district
}

// changeKinds are the kinds by their actions. An undo is a change like any other, and has a kind of its own.
func changeKinds() map[audit.Action]changeKind {
	override := changeKind{under: "overrides", permission: access.OverridesManage, receipt: overrideReceipt, undo: undoOverride, path: overrideOfChange}
	role := changeKind{under: "users", permission: access.RolesAssign, receipt: roleReceipt, undo: undoRole}
	merged := changeKind{under: "duplicates", permission: access.DuplicatesReview, receipt: mergeReceipt, path: mergeOfChange}
	return map[audit.Action]changeKind{
		audit.PairDecided: {under: "duplicates", permission: access.DuplicatesReview, receipt: pairReceipt, undo: undoPair, path: pairPath, mine: minePair},
		audit.PairUndone:  {under: "duplicates", permission: access.DuplicatesReview, receipt: pairReceipt, mine: minePair},

		audit.OverrideCreated: override, audit.OverrideExtended: override, audit.OverrideEnded: override, audit.OverrideUndone: override,
		audit.RoleGiven: role, audit.RoleEnded: role, audit.RoleUndone: role,
		audit.SyncApproved:  {under: "syncs", permission: access.SyncRun, receipt: heldReceipt},
		audit.SyncDiscarded: {under: "syncs", permission: access.SyncRun, receipt: heldReceipt},
		audit.KeyMade:       {under: "settings", permission: access.SettingsManage, receipt: keyReceipt},
		audit.KeyRevoked:    {under: "settings", permission: access.SettingsManage, receipt: keyReceipt},
		audit.UsersMerged:   merged, audit.UsersUnmerged: merged, audit.MergeProposed: merged, audit.MergeRefused: merged,
		audit.AccountsImported: {under: "migration", permission: access.DuplicatesReview, receipt: importReceipt, path: importOfChange},
		audit.AccountsTakenOut: {under: "migration", permission: access.DuplicatesReview, receipt: importReceipt, path: importOfChange},
		audit.BulkAccepted:     {under: "duplicates", permission: access.DuplicatesReview, receipt: bulkReceipt, undo: undoBulk, path: bulkOfChange, mine: bulkMine},
		audit.BulkUndone:       {under: "duplicates", permission: access.DuplicatesReview, receipt: bulkReceipt, path: bulkOfChange, mine: bulkMine},
		audit.CutOverChanged:   {under: "migration", permission: access.DuplicatesReview, receipt: cutOverReceipt, undo: undoCutOverDate},
		audit.CutOverDone:      {under: "migration", permission: access.DuplicatesReview, receipt: cutOverReceipt, undo: undoCutOver},
		audit.CutOverUndone:    {under: "migration", permission: access.DuplicatesReview, receipt: cutOverReceipt},
		audit.RulesChanged:     {under: "rules", permission: access.SettingsManage, receipt: rulesReceipt, undo: undoRules, weighs: true},
		audit.SettingChanged:   {under: "settings", permission: access.SettingsManage, receipt: settingReceipt, undo: undoSetting, weighs: true},
	}
}

// hash is the plan's promise in hex.
func (p plan) hash() (string, []byte, error) {
	text, err := json.Marshal(p.stated)
	if err != nil {
		return "", nil, fmt.Errorf("hash plan: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), sum[:], nil
}

// maxSeen bounds the lines that a preview remembers for the next one.
const maxSeen = 400

// seen is a short print of each line.
func (p plan) seen() []string {
	prints := make([]string, 0, len(p.lines))
	for _, line := range p.lines[:min(len(p.lines), maxSeen)] {
		sum := sha256.Sum256([]byte(line))
		prints = append(prints, hex.EncodeToString(sum[:5]))
	}
	return prints
}

// check is what a new preview of the plan carries.
func (p plan) check() (views.Check, error) {
	promise, _, err := p.hash()
	if err != nil {
		return views.Check{}, err
	}
	return views.Check{Plan: promise, Token: newChangeToken(), Seen: strings.Join(p.seen(), "."), Problem: p.blocked, Blocked: p.blocked != ""}, nil
}

// preview shows the plan for the first time.
func (p plan) preview() (reply, error) {
	c, err := p.check()
	if err != nil {
		return nil, err
	}
	return page(p.draw(c, nil)), nil
}

// again shows the plan anew to someone who looked at another one, and marks what differs.
func (p plan) again(seenBefore string) (reply, error) {
	c, err := p.check()
	if err != nil {
		return nil, err
	}
	c.Moved = true
	before := map[string]int{}
	for print := range strings.SplitSeq(seenBefore, ".") {
		if print != "" {
			before[print]++
		}
	}
	moved := map[int]bool{}
	for i, print := range p.seen() {
		if before[print] == 0 {
			moved[i] = true
			continue
		}
		before[print]--
	}
	for _, n := range before {
		c.Gone += n
	}
	return pageAs(http.StatusConflict, p.draw(c, moved)), nil
}

// refused shows the plan with why it was not done.
func (p plan) refused(why string) (reply, error) {
	c, err := p.check()
	if err != nil {
		return nil, err
	}
	c.Problem = why
	return pageAs(http.StatusUnprocessableEntity, p.draw(c, nil)), nil
}

// pageAs is page with another status.
func pageAs(status int, component templ.Component) reply {
	return func(c echo.Context) error { return c.Render(status, "", component) }
}

// newChangeToken makes the proof that two clicks are one.
func newChangeToken() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// isToken reports whether s is as newChangeToken makes them: sixteen bytes in hex.
func isToken(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 16
}

// apply makes a change that was previewed: once, and only as it was shown. One change is made at a time in a
// district, and everything it depends on is read after its turn has come. propose makes the plan anew, or answers the
// request itself: with the form, if an answer in it has become wrong.
func (v *visit) apply(propose func() (plan, reply, error)) (reply, error) {
	if err := v.tx.LockAccess(v.ctx); err != nil {
		return nil, err
	}
	token, promised := v.c.FormValue("token"), v.c.FormValue("plan")
	if isToken(token) {
		made, err := v.tx.ChangeOfToken(v.ctx, token)
		if err == nil { // the second click of two
			return v.toReceipt(made)
		}
		if !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
	}
	if err := v.recall(); err != nil {
		return nil, err
	}
	p, answer, err := propose()
	if err != nil || answer != nil {
		return answer, err
	}
	if p.blocked != "" {
		return p.refused(p.blocked)
	}
	promise, sum, err := p.hash()
	if err != nil {
		return nil, err
	}
	if promise != promised || !isToken(token) {
		return p.again(v.c.FormValue("seen"))
	}
	var made models.Change
	err = v.tx.Attempt(v.ctx, func() (err error) {
		var n models.NewChange
		if p.record != nil {
			made, err = p.record(token, sum)
		} else {
			n, err = p.make()
		}
		if err != nil {
			return err
		}
		if !p.unguarded {
			left, err := v.tx.AnyoneMay(v.ctx, access.SettingsManage)
			if err != nil {
				return err
			}
			if !left {
				return deniedError{v.locale().NobodyLeft()}
			}
		}
		if p.record != nil {
			return nil
		}
		n.Token, n.Plan = token, sum
		made, err = v.tx.RecordChange(v.ctx, n)
		return err
	})
	if p.record != nil && errors.Is(err, models.ErrConflict) {
		if p, answer, err = propose(); err != nil || answer != nil {
			return answer, err
		}
		return p.again(v.c.FormValue("seen"))
	}
	if denied, ok := errors.AsType[deniedError](err); ok {
		return p.refused(denied.why)
	}
	if err != nil {
		return nil, err
	}
	answer, err = v.toReceipt(made)
	if err == nil && p.then != nil {
		answer = p.then(answer)
	}
	return answer, err
}

// recall reads the person again, now that nobody else changes access: what they may do may have changed while they
// waited.
func (v *visit) recall() error {
	me, err := v.tx.UserFacts(v.ctx, v.me.User.ID)
	if err != nil {
		return err
	}
	me.Session = v.me.Session
	view := v.actor.View
	v.me, v.views = me, me.Policy.Views(me.Grants)
	v.actor.Facts = me.Facts(v.tx.Now())
	v.actor.View = view
	if err := v.tx.Become(v.actor); err != nil {
		return err
	}
	if v.reach, err = v.tx.SpellOut(v.ctx, v.actor.Reach(v.row.permission)); err != nil {
		return err
	}
	if !v.row.lets(v.actor.Facts) {
		return v.refused()
	}
	return nil
}

// locale speaks the language of this browser.
func (v *visit) locale() *views.Locale {
	return views.NewLocale(lang(v.c), v.server.Now(), zone(v.me.District.TimeZone))
}

func (v *visit) toReceipt(c models.Change) (reply, error) {
	if kind, known := changeKinds()[c.Kind]; known && kind.path != nil {
		path, err := kind.path(v, c)
		if err != nil {
			return nil, err
		}
		return seeOther(path), nil
	}
	return seeOther(views.ChangePath(v.me.District.CleverID, string(v.actor.View), c.ID)), nil
}

// change finds the change of the address, if it is one that the person may see.
func (v *visit) change(toUndo bool) (models.Change, changeKind, error) {
	number, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || number <= 0 {
		return models.Change{}, changeKind{}, models.ErrNotFound
	}
	c, err := v.tx.Change(v.ctx, number)
	if err != nil {
		return c, changeKind{}, err
	}
	kind, known := changeKinds()[c.Kind]
	made := v.actor.Decide(kind.permission, access.InDistrict()).Allowed
	if kind.mine != nil {
		if made, err = kind.mine(v, c); err != nil {
			return c, kind, err
		}
	}
	read := v.actor.Decide(access.AuditView, access.InDistrict()).Allowed
	if !known || !made && (toUndo || !read) {
		return c, kind, models.ErrNotFound
	}
	v.under = kind.under
	return c, kind, nil
}

// showChange is the receipt of one change.
func showChange(v *visit) (reply, error) {
	c, kind, err := v.change(false)
	if err != nil {
		return nil, err
	}
	p := views.ChangePage{Number: c.ID, At: c.MadeAt, InView: c.View}
	if p.Receipt, err = kind.receipt(v, c); err != nil {
		return nil, err
	}
	p.CanUndo = kind.undo != nil && v.actor.Decide(kind.permission, access.InDistrict()).Allowed
	if kind.undo != nil && kind.mine != nil {
		if p.CanUndo, err = kind.mine(v, c); err != nil {
			return nil, err
		}
	}
	by := []int64{c.MadeBy}
	undo, err := v.tx.UndoneBy(v.ctx, c.ID)
	switch {
	case err == nil:
		p.UndoneBy = &views.ChangeRef{Number: undo.ID, Href: v.changePath(undo.ID), At: undo.MadeAt}
	case !errors.Is(err, models.ErrNotFound):
		return nil, err
	}
	if c.Undoes != nil {
		p.Undoes = &views.ChangeRef{Number: *c.Undoes, Href: v.changePath(*c.Undoes)}
	}
	names, err := v.tx.UserNames(v.ctx, by)
	if err != nil {
		return nil, err
	}
	p.By = names[c.MadeBy]
	p.Frame = v.frame()
	return page(views.Change(p)), nil
}

func (v *visit) changePath(number int64) string {
	return views.ChangePath(v.me.District.CleverID, string(v.actor.View), number)
}

// unmarshalChange reads what a change recorded.
func unmarshalChange(c models.Change, before, after any) error {
	err := json.Unmarshal(c.Before, before)
	if err == nil {
		err = json.Unmarshal(c.After, after)
	}
	if err != nil {
		return fmt.Errorf("read change %d: %w", c.ID, err)
	}
	return nil
}

// previewUndo shows what undoing a change would do now.
func previewUndo(v *visit) (reply, error) {
	c, kind, done, err := v.undoable()
	if err != nil || done != nil {
		return done, err
	}
	if kind.weighs {
		title, receipt := v.locale().UndoTitles(c.ID)
		begun := views.WeighingPage{Title: title, Crumb: views.Link{Href: v.changePath(c.ID), Word: receipt}, Undo: true}
		return v.weigh(begun, v.changePath(c.ID), (*visit).planUndo)
	}
	p, done, err := v.planUndo()
	if err != nil || done != nil {
		return done, err
	}
	return p.preview()
}

// undoChange does it.
func undoChange(v *visit) (reply, error) {
	return v.apply(v.planUndo)
}

// undoable finds the change of the address, if it has an undo. One that was undone already leads to its receipt, which
// says so.
func (v *visit) undoable() (models.Change, changeKind, reply, error) {
	c, kind, err := v.change(true)
	if err != nil {
		return c, kind, nil, err
	}
	if kind.undo == nil {
		return c, kind, nil, models.ErrNotFound
	}
	switch _, err := v.tx.UndoneBy(v.ctx, c.ID); {
	case err == nil:
		return c, kind, seeOther(v.changePath(c.ID)), nil
	case !errors.Is(err, models.ErrNotFound):
		return c, kind, nil, err
	}
	return c, kind, nil, nil
}

// planUndo plans the inverse of the change of the address.
func (v *visit) planUndo() (plan, reply, error) {
	c, kind, done, err := v.undoable()
	if err != nil || done != nil {
		return plan{}, done, err
	}
	p, err := kind.undo(v, c)
	if err != nil {
		return p, nil, err
	}
	inner := p.make
	p.make = func() (models.NewChange, error) {
		n, err := inner()
		n.Undoes = c.ID
		return n, err
	}
	return p, nil, nil
}
