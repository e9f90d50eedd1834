package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// visit is one request by someone signed in, inside the transaction that reads or changes what it asks for.
type visit struct {
	c      echo.Context
	ctx    context.Context
	tx     *models.Tx // not to be used once the handler has returned
	server *server
	row    route
	me     models.SignedIn
	actor  access.Actor
	views  []access.View  // those the person can wear, the widest first
	reach  access.Reach   // where the row's permission is held in this view
	places []access.Place // where the thing in hand is; nil when the page is about no one thing
	school string         // Clever id of the school around the section in hand

	begins  access.View // where the person begins: the view they chose, or the widest; set outside of a district
	waiting int         // things that wait in waitsIn, another of the person's views
	waitsIn access.View

	told  func(done, of int)        // hears how far a simulation has come; nil: nobody waits for it
	under string                    // the place of the menu that a receipt belongs to
	goOn  func(change int64) string // where a change that was made leads, in place of its receipt
}

// noSessionError sends a visitor to the door.
type noSessionError struct{ notice string }

func (noSessionError) Error() string { return "no session" }

// visited wraps a row's page: session, district, view and permission are settled before the handler runs, in one
// transaction with what it reads or writes.
func (s *server) visited(row route) echo.HandlerFunc {
	return s.signedIn(row, func(v *visit) (reply, error) {
		if answer, err := v.enter(); err != nil || answer != nil {
			return answer, err
		}
		return row.page(v)
	})
}

// signedIn is the way to a page for whoever is signed in, in one transaction; the row's method says of which kind.
func (s *server) signedIn(row route, fn func(*visit) (reply, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		t := s.cookies.token(c)
		if t.text == "" {
			return s.toDoor(c, "")
		}
		var v *visit
		var answer reply
		scope := s.Store.As(access.Visitor(t.district))
		run := scope.ReadSignedIn
		if row.method == http.MethodPost {
			run = scope.WriteSignedIn
		}
		var first models.First
		if row.first != nil {
			if id, ok := pathID(c); ok {
				first = row.first(id)
			}
		}
		err := run(c.Request().Context(), t.hash(), first, func(tx *models.Tx, me models.SignedIn) (err error) {
			if v, err = s.visit(c, tx, t, me); err != nil {
				return err
			}
			v.row = row
			answer, err = fn(v)
			return err
		})
		if errors.Is(err, models.ErrNoSession) { // the idle limit would have spoken first
			err = noSessionError{"absolute"}
		}
		if gone, ok := errors.AsType[noSessionError](err); ok {
			if gone.notice == "idle" {
				s.endIdle(c, t)
			}
			s.cookies.dropToken(c)
			return s.toDoor(c, gone.notice)
		}
		if v != nil {
			s.touch(c, v, t)
		}
		if err != nil {
			return err
		}
		return answer(c)
	}
}

// visit begins with who is signed in.
func (s *server) visit(c echo.Context, tx *models.Tx, t token, me models.SignedIn) (*visit, error) {
	n := noteOf(c)
	tx.RequestID = n.requestID
	ctx := c.Request().Context()
	if tx.Now().Sub(me.Session.SeenAt) > s.IdleLimit {
		return nil, noSessionError{"idle"}
	}
	v := &visit{
		c: c, ctx: ctx, tx: tx, server: s, me: me, views: me.Policy.Views(me.Grants),
		actor: access.Actor{District: t.district, User: me.User.ID, Facts: me.Facts(tx.Now())},
	}
	n.visit, n.district = v, t.district
	return v, nil
}

// touchEvery is how exactly the idle limit is kept, and how seldom reading a page writes.
const touchEvery = time.Minute

// touch remembers that the session is in use. A page that was read well is not lost over it.
func (s *server) touch(c echo.Context, v *visit, t token) {
	if s.Store.Now().Sub(v.me.Session.SeenAt) < touchEvery {
		return
	}
	ctx := c.Request().Context()
	err := s.Store.As(access.Visitor(t.district)).Write(ctx, func(tx *models.Tx) error {
		if err := tx.TouchSession(ctx, t.hash()); err != nil {
			return err
		}
		return v.noteAccount(ctx, tx, v.actor.View)
	})
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "session not touched", "request_id", noteOf(c).requestID, "error", err)
	}
}

// enter settles district, view and permission. A reply instead of an error is what someone gets whose roles no
// longer open anything.
func (v *visit) enter() (reply, error) {
	if v.c.Param("district") != v.me.District.CleverID {
		return nil, models.ErrNotFound
	}
	if len(v.views) == 0 {
		return func(c echo.Context) error { return v.server.turnAway(c, nothingHere(v.me, "")) }, nil
	}
	view := access.View(v.c.Param("view"))
	switch {
	case slices.Contains(v.views, view):
	case view == access.ViewAll || access.Role(view).Known():
		return nil, refusal{other: v.views[0], href: v.hrefIn(v.views[0])}
	default:
		return nil, models.ErrNotFound
	}
	v.actor.View = view
	if err := v.tx.Become(v.actor); err != nil {
		return nil, err
	}
	if err := v.lookElsewhere(); err != nil {
		return nil, err
	}
	reach, err := v.tx.SpellOut(v.ctx, v.actor.Reach(v.row.permission))
	if err != nil {
		return nil, err
	}
	v.reach = reach
	if v.row.lets(v.actor.Facts) {
		return nil, nil
	}
	return nil, v.refused()
}

// refused is the refusal of the row, whatever it is asked about: with the decision about the whole district, and
// another of the person's own views if one would be let in.
func (v *visit) refused() error {
	verdict := v.actor.Decide(v.row.permission, access.InDistrict())
	for _, other := range v.views {
		if v.row.lets(v.wearing(other)) {
			return v.refuse(verdict, other)
		}
	}
	return v.refuse(verdict, "")
}

// refuse tells the person of a decision by the trace that everybody is told it by. Who made an override, and what for,
// is not for the one it is about.
func (v *visit) refuse(verdict access.Verdict, other access.View) error {
	r := refusal{other: other}
	if other != "" {
		r.href = v.hrefIn(other)
	}
	spots, err := v.spotsOf([]access.Place{verdict.Place})
	if err != nil {
		return err
	}
	said, err := reasonsOf(v.ctx, v.tx, v.me.Policy.Catalogue, decided{v.me.User, v.actor.Grants, verdict, spots[verdict.Place].spot})
	if err != nil {
		return err
	}
	r.reason = &said[0]
	r.reason.Overrides = nil
	for i := range r.reason.Grants {
		r.reason.Grants[i].By = ""
	}
	return r
}

// may asks for the row's permission at the places where the thing in hand is: one of them is enough. A thing out of
// reach is not found, unless another of the person's own views reaches it.
func (v *visit) may(places ...access.Place) error {
	verdict := v.actor.DecideAny(v.row.permission, places)
	if verdict.Allowed {
		v.places = places
		return nil
	}
	if other, ok := verdict.OtherView(); ok && slices.Contains(v.views, other) {
		return v.refuse(verdict, other)
	}
	return models.ErrNotFound
}

// wearing is what the person could do in another view.
func (v *visit) wearing(view access.View) access.Facts {
	f := v.actor.Facts
	f.View = view
	return f
}

// toDoor sends someone who is not signed in to sign in, and afterwards back to the page asked for.
func (s *server) toDoor(c echo.Context, notice string) error {
	q := url.Values{}
	if notice != "" {
		q.Set("notice", notice)
	}
	r := c.Request()
	if r.Method != http.MethodPost && strings.HasPrefix(r.URL.Path, "/d/") {
		q.Set("next", r.URL.RequestURI())
	}
	path := views.SignInPath
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	if r.Header.Get("HX-Request") == "true" { // a part of a page was asked for: the whole page has to go
		c.Response().Header().Set("HX-Redirect", path)
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// addSlash mends an address typed without its last stroke.
func addSlash(c echo.Context) error {
	to := *c.Request().URL
	to.Path += "/"
	to.RawPath = ""
	return c.Redirect(http.StatusSeeOther, (&url.URL{Path: to.Path, RawQuery: to.RawQuery}).RequestURI())
}
