package handlers

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/clever"
	"hallpass/models"
	"hallpass/roster"
	"hallpass/views"
)

// callbackPath is the redirect URI that is registered at Clever, after the base URL.
const callbackPath = views.SignInCleverPath + "/callback"

// showSignIn is the door. Someone signed in already is let through.
func (s *server) showSignIn(c echo.Context) error {
	notice := c.QueryParam("notice")
	v, err := s.whoIs(c)
	if err != nil {
		return err
	}
	if v != nil && notice == "" && len(v.views) > 0 {
		return c.Redirect(http.StatusSeeOther, v.home(v.begins))
	}
	noteOf(c).visit = nil // the door looks the same to everybody
	if next := landing(c.QueryParam("next")); next != "" {
		under := s.cookies.signInUnderWay(c) // in another tab, perhaps: its state stays good
		under.next = next
		if err := s.cookies.setSignIn(c, under); err != nil {
			return fmt.Errorf("remember the page asked for: %w", err)
		}
	}
	p := views.SignInPage{Frame: s.frame(c)}
	switch notice {
	case "signed_out", "idle", "absolute", "replaced":
		p.Notice = notice
	}
	return c.Render(http.StatusOK, "", views.SignIn(p))
}

// beginSignIn sends the browser to Clever with a state that only this browser and we know.
// The page asked for is in the address, or was remembered at the door.
func (s *server) beginSignIn(c echo.Context) error {
	next := landing(c.QueryParam("next"))
	if !c.QueryParams().Has("next") {
		next = landing(s.cookies.signInUnderWay(c).next)
	}
	return s.toClever(c, signIn{next: next})
}

func (s *server) toClever(c echo.Context, in signIn) error {
	in.state = rand.Text()
	if err := s.cookies.setSignIn(c, in); err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	return c.Redirect(http.StatusFound, s.Clever.AuthorizeURL(in.state, ""))
}

// restartEvery bounds how often an arrival without state may begin a sign-in of ours, so that a Clever which never
// brings the state back cannot send a browser round in circles.
const restartEvery = time.Minute

// finishSignIn is the way back from Clever. Whatever happens, the state is spent.
func (s *server) finishSignIn(c echo.Context) error {
	q := c.QueryParams()
	begun := s.cookies.takeSignIn(c)
	code, n := q.Get("code"), noteOf(c)
	if q.Has("error") {
		n.event = "clever_refused_sign_in"
		return s.door(c, http.StatusForbidden, "clever_error", q.Get("error"))
	}
	// A refresh or the back button brings the same code again. In the browser that it signed in, it leads home.
	if again, err := s.madeFrom(c, code); err != nil || again {
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/")
	}
	// Without state somebody else began this: Clever's portal, an Instant Login link, or an image on a page that wants
	// this browser signed in as its author. The code is dropped and we ask Clever ourselves.
	if !q.Has("state") {
		if s.Now().Sub(begun.restarted) < restartEvery {
			n.event = "sign_in_restarted_twice"
			return s.door(c, http.StatusBadRequest, "restarted", "")
		}
		return s.toClever(c, signIn{restarted: s.Now()})
	}
	if begun.state == "" || subtle.ConstantTimeCompare([]byte(begun.state), []byte(q.Get("state"))) != 1 {
		n.event = "sign_in_state_mismatch"
		return s.door(c, http.StatusBadRequest, "restarted", "")
	}
	if code == "" {
		n.event = "sign_in_without_code"
		return s.door(c, http.StatusBadRequest, "restarted", "")
	}
	return s.redeem(c, code, begun.next)
}

// madeFrom reports whether this browser's session came from that very code.
func (s *server) madeFrom(c echo.Context, code string) (again bool, err error) {
	t := s.cookies.token(c)
	if t.text == "" || code == "" {
		return false, nil
	}
	ctx := c.Request().Context()
	err = s.Store.As(access.Visitor(t.district)).Read(ctx, func(tx *models.Tx) (err error) {
		again, err = tx.SessionOfCode(ctx, t.hash(), hash(code))
		return err
	})
	return again, err
}

// redeem trades the code for a person and the person for a session. No transaction is open while Clever is asked.
func (s *server) redeem(c echo.Context, code, next string) error {
	ctx, n := c.Request().Context(), noteOf(c)
	me, person, partial, err := s.identify(ctx, code)
	switch {
	case errors.Is(err, clever.ErrInvalidGrant):
		n.event = "sign_in_code_refused"
		return s.door(c, http.StatusBadRequest, "restarted", "")
	case err != nil && me.ID == "":
		n.event, n.err = "clever_failed_sign_in", err
		return s.door(c, http.StatusBadGateway, "clever_error", "")
	}
	// From here on somebody has proved to be someone. Whoever used this device before is signed out, even if the new
	// arrival may not come in.
	if err := s.endSession(c, s.cookies.token(c), "replaced"); err != nil {
		return err
	}
	s.cookies.dropToken(c)
	unlisted := errors.Is(err, clever.ErrNotFound) // Clever knows them, and does not share them with this app under that id
	if err != nil && !unlisted {
		n.event, n.err = "clever_failed_sign_in", err
		return s.door(c, http.StatusBadGateway, "clever_error", "")
	}
	district, err := s.Store.DistrictID(ctx, me.District)
	if errors.Is(err, models.ErrNotFound) {
		n.event = "sign_in_from_unknown_district"
		return s.door(c, http.StatusForbidden, "district_unknown", "")
	}
	if err != nil {
		return err
	}
	n.district = district
	if unlisted {
		n.event = "sign_in_of_unlisted_person"
		return s.admit(c, district, func(tx *models.Tx) (models.SignedIn, string, error) { return arriveByOldID(ctx, tx, me.ID) }, code, next)
	}
	return s.admit(c, district, func(tx *models.Tx) (models.SignedIn, string, error) { return arrive(ctx, tx, person, partial) }, code, next)
}

// identify asks Clever whose code it is, and then for that person's roles: /me names none. An error after /me has
// answered comes with the answer.
//
// The person is read with the district's own token, so that signing in sees what a sync sees. Where that token is not
// there or reaches no people (apps without Secure Sync), the person's own is shown a part of the record.
func (s *server) identify(ctx context.Context, code string) (me clever.Me, person clever.User, partial bool, err error) {
	userToken, err := s.Clever.Exchange(ctx, code)
	if err != nil {
		return me, person, false, err
	}
	me, err = s.Clever.Me(ctx, userToken)
	if err != nil {
		return clever.Me{}, person, false, err
	}
	t, err := s.Clever.DistrictToken(ctx, me.District)
	if err == nil {
		person, err = s.Clever.User(ctx, t.Token, me.ID)
	}
	if errors.Is(err, clever.ErrNoToken) || errors.Is(err, clever.ErrNotFound) || errors.Is(err, clever.ErrUnauthorized) {
		partial = true
		person, err = s.Clever.User(ctx, userToken, me.ID)
	}
	if err == nil && person.District != me.District {
		err = errors.New("two districts are named for one person by Clever")
	}
	return me, person, partial, err
}

// admit begins a session for those to whom a role opens something. The identity is the issuer, which is the one
// Clever that is configured, and Clever's user id.
func (s *server) admit(c echo.Context, district int64, arrive func(*models.Tx) (models.SignedIn, string, error), code, next string) error {
	ctx := c.Request().Context()
	t := newToken(district)
	var to string                  // where those go who are let in
	var turned views.NoConsolePage // what the others get
	shut := false                  // the district waits to be switched on, or is off
	err := s.Store.As(access.Visitor(district)).Write(ctx, func(tx *models.Tx) error {
		tx.RequestID = noteOf(c).requestID
		connection, err := tx.Connection(ctx)
		if err != nil {
			return err
		}
		if shut = connection.Switch == models.SwitchWaiting || connection.Switch == models.SwitchOff; shut {
			return nil
		}
		in, reason, err := arrive(tx)
		if err != nil {
			return err
		}
		wearable := in.Policy.Views(in.Grants)
		if reason != "" || len(wearable) == 0 {
			turned = nothingHere(in, reason)
			return nil
		}
		facts := in.Facts(s.Store.Now())
		if err := tx.Become(access.Actor{District: district, User: in.User.ID, Facts: facts}); err != nil {
			return err
		}
		if err := tx.CreateSession(ctx, t.hash(), in.User.ID, hash(code), tx.Now().Add(s.AbsoluteLimit)); err != nil {
			return err
		}
		v := visit{me: in}
		if to, err = v.arriveAt(ctx, tx, wearable, next); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{Action: audit.SessionStarted, Subject: subject(in.User.ID)})
	})
	if err != nil {
		return err
	}
	if shut {
		noteOf(c).event = "sign_in_from_district_not_on"
		return s.door(c, http.StatusForbidden, "district_unknown", "")
	}
	if to == "" {
		return s.turnAway(c, turned)
	}
	if err := s.cookies.setToken(c, t); err != nil {
		return fmt.Errorf("give the session to the browser: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// arriveAt settles where the newcomer goes. A view chosen once that is gone is explained now and forgotten.
func (v *visit) arriveAt(ctx context.Context, tx *models.Tx, wearable []access.View, next string) (to string, err error) {
	user := v.me.User.ID
	var chosen access.View
	if chosen, err = tx.DefaultView(ctx, user); err != nil {
		return "", err
	}
	to, worn, gone := begin(v.me.District.CleverID, wearable, chosen, next)
	if gone != "" {
		if err := tx.SetDefaultView(ctx, user, ""); err != nil {
			return "", err
		}
	}
	return to, v.noteAccount(ctx, tx, worn)
}

// arrive writes the person down as Clever just described them, so that a role that was lost or won since the last
// sync counts, and reads them back. reason is why they are nobody here.
func arrive(ctx context.Context, tx *models.Tx, person clever.User, partial bool) (in models.SignedIn, reason string, err error) {
	id, err := roster.SignIn(ctx, tx, person, partial)
	if errors.Is(err, models.ErrNotFound) { // a record that could not be kept, such as one with an impossible id
		return in, "not_listed", nil
	}
	if err != nil {
		return in, "", err
	}
	in, err = tx.UserFacts(ctx, id)
	if errors.Is(err, models.ErrNotFound) {
		return in, "ended", nil
	}
	return in, "", err
}

// arriveByOldID reads who signs in under an id that Clever lists nobody by. Until the district's cut-over, an id from the
// days of API v2 opens the account that had it.
func arriveByOldID(ctx context.Context, tx *models.Tx, id string) (in models.SignedIn, reason string, err error) {
	old, err := tx.OldID(ctx, id)
	switch {
	case err != nil:
		return in, "", err
	case old.Archived:
		return in, "archived", nil
	case old.Over:
		return in, "old_id", nil
	case old.User == 0:
		return in, "not_listed", nil
	}
	in, err = tx.UserFacts(ctx, old.User)
	if errors.Is(err, models.ErrNotFound) {
		return in, "ended", nil
	}
	if err == nil && len(in.Grants) == 0 { // an account that waits for its person
		reason = "not_listed"
	}
	return in, reason, err
}

// door shows the sign-in page with what went wrong. code is Clever's own word for it.
func (s *server) door(c echo.Context, status int, notice, code string) error {
	return c.Render(status, "", views.SignIn(views.SignInPage{Frame: s.frame(c), Notice: notice, Code: oauthCode(code)}))
}

// reasons why a role opens nothing in the console; others are kept and shown, and open nothing either.
var reasons = map[access.Role]string{access.Student: "student", access.Contact: "contact"}

// nothingHere is what someone is told whom no role lets in. reason is "" when the roles say it.
func nothingHere(in models.SignedIn, reason string) views.NoConsolePage {
	p := views.NoConsolePage{FirstName: in.User.FirstName, Reason: "no_role"}
	p.District = views.District{CleverID: in.District.CleverID, Name: in.District.Name}
	for _, g := range in.Grants {
		p.Roles = append(p.Roles, string(g.Role))
		p.Reason = "unknown_role"
		for _, id := range g.Schools {
			if name := in.SchoolNames[id]; name != "" && !slices.Contains(p.Schools, name) {
				p.Schools = append(p.Schools, name)
			}
		}
	}
	for _, g := range in.Grants {
		if known, ok := reasons[g.Role]; ok {
			p.Reason = known
		}
	}
	if reason != "" {
		p.Reason = reason
	}
	return p
}

// turnAway shows the kind page, which has no navigation: there is nowhere to go. Coming from Clever, the code must not
// stay in the address: loading it again would only show an error.
func (s *server) turnAway(c echo.Context, p views.NoConsolePage) error {
	if c.Path() == callbackPath {
		return c.Redirect(http.StatusSeeOther, views.NothingHerePath(p.Reason))
	}
	noteOf(c).visit = nil
	district := p.District
	p.Frame = s.frame(c)
	p.District = district
	return c.Render(http.StatusForbidden, "", views.NoConsole(p))
}
