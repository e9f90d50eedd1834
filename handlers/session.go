package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// whoIs reads who is signed in, if anybody is, for a page that is open to all. It writes nothing.
func (s *server) whoIs(c echo.Context) (*visit, error) {
	t := s.cookies.token(c)
	if t.text == "" {
		return nil, nil
	}
	var v *visit
	ctx := c.Request().Context()
	err := s.Store.As(access.Visitor(t.district)).ReadSignedIn(ctx, t.hash(), nil, func(tx *models.Tx, me models.SignedIn) (err error) {
		if v, err = s.visit(c, tx, t, me); err != nil || len(v.views) == 0 {
			return err
		}
		v.begins = v.views[0]
		if len(v.views) > 1 {
			chosen, err := tx.DefaultView(ctx, me.User.ID)
			if err != nil {
				return err
			}
			if slices.Contains(v.views, chosen) {
				v.begins = chosen
			}
		}
		return nil
	})
	if _, gone := errors.AsType[noSessionError](err); gone || errors.Is(err, models.ErrNoSession) {
		return nil, nil
	}
	return v, err
}

// start leads home, or to the door.
func (s *server) start(c echo.Context) error {
	v, err := s.whoIs(c)
	if err != nil {
		return err
	}
	if v == nil {
		return s.toDoor(c, "")
	}
	if d := c.Param("district"); d != "" && d != v.me.District.CleverID {
		return models.ErrNotFound
	}
	if len(v.views) == 0 {
		return s.turnAway(c, nothingHere(v.me, ""))
	}
	return c.Redirect(http.StatusSeeOther, v.home(v.begins))
}

// signOut ends this browser's session on the server and forgets it here.
func (s *server) signOut(c echo.Context) error {
	if err := s.endSession(c, s.cookies.token(c), "sign_out"); err != nil {
		return err
	}
	s.cookies.dropToken(c)
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return c.Redirect(http.StatusSeeOther, views.SignInPath+"?notice=signed_out")
}

// endSession revokes the session behind a token, if it still lives, and says so in the audit.
func (s *server) endSession(c echo.Context, t token, why string) error {
	if t.text == "" {
		return nil
	}
	ctx := c.Request().Context()
	return s.Store.As(access.Visitor(t.district)).Write(ctx, func(tx *models.Tx) error {
		return s.revoke(ctx, c, tx, t, why)
	})
}

// endIdle revokes a session that was left lying, so that its cookie stays worthless whatever the idle limit becomes.
// The way to the door does not depend on it.
func (s *server) endIdle(c echo.Context, t token) {
	if err := s.endSession(c, t, "idle"); err != nil && c.Request().Context().Err() == nil {
		s.Log.WarnContext(c.Request().Context(), "idle session not ended", "request_id", noteOf(c).requestID, "error", err)
	}
}

func (s *server) revoke(ctx context.Context, c echo.Context, tx *models.Tx, t token, why string) error {
	in, err := tx.SignedIn(ctx, t.hash())
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	tx.RequestID = noteOf(c).requestID
	if err := tx.Become(access.Actor{District: t.district, User: in.User.ID}); err != nil {
		return err
	}
	if err := tx.RevokeSession(ctx, t.hash()); errors.Is(err, models.ErrNotFound) {
		return nil // ended by another request meanwhile
	} else if err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{Action: audit.SessionEnded, Subject: subject(in.User.ID), Data: map[string]any{"why": why}})
}

func subject(user int64) string { return "user:" + strconv.FormatInt(user, 10) }

// oauthCodes are the words that a failed sign-in may come back with: those of RFC 6749 (section 4.1.2.1) and OpenID
// Connect, and Clever's own. The address is anybody's to write, and the page must not say what strangers want said.
var oauthCodes = []string{
	"access_denied", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type", "server_error",
	"temporarily_unavailable", "interaction_required", "login_required", "account_selection_required", "consent_required",
	"unauthorized-user", "unauthorized_user",
}

// oauthCode is code, or "unknown" for one that is none.
func oauthCode(code string) string {
	if code == "" || slices.Contains(oauthCodes, code) {
		return code
	}
	return "unknown"
}

// showNothingHere is the kind page at an address of its own: it can be loaded again, and says nothing of anybody.
func (s *server) showNothingHere(c echo.Context) error {
	p := views.NoConsolePage{Reason: "no_role"}
	switch as := c.QueryParam("as"); as {
	case "student", "contact", "unknown_role", "ended", "not_listed", "archived", "old_id":
		p.Reason = as
	}
	return s.turnAway(c, p)
}
