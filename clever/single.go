package clever

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Me says who a user token belongs to. It calls the identity version of the
// API; a district token is refused there.
func (c *Client) Me(ctx context.Context, userToken string) (Me, error) {
	var me Me
	k := &call{op: "read me", base: c.api, path: "/" + c.cfg.IdentityVersion + "/me", token: userToken}
	err := c.get(ctx, k, func(body io.Reader) error {
		me = Me{}
		return readOne(body, &me)
	})
	if err == nil && me.ID == "" {
		err = k.fail(http.StatusOK, "the answer has no user id", nil)
	}
	return me, err
}

// User reads one user with every shared role. A user token reads only its own
// user; anyone else is ErrNotFound.
func (c *Client) User(ctx context.Context, token, id string) (User, error) {
	var u User
	if id == "" {
		return u, errors.New("clever: read user: no id given")
	}
	k := &call{op: "read user", base: c.api, path: "/" + c.cfg.DataVersion + "/users/" + url.PathEscape(id), token: token}
	err := c.get(ctx, k, func(body io.Reader) error {
		u = User{}
		return readOne(body, &u)
	})
	if err == nil && u.ID != id {
		err = k.fail(http.StatusOK, "the answer is about another user", nil)
	}
	if err != nil {
		return User{}, err
	}
	tidyUnknown(&u)
	return u, nil
}

// District reads the one district that a district token belongs to.
func (c *Client) District(ctx context.Context, token string) (District, error) {
	var p listPage[District]
	k := &call{
		op: "read district", base: c.api, path: "/" + c.cfg.DataVersion + "/districts", token: token,
		recordType: "districts", page: 1,
	}
	err := c.get(ctx, k, func(body io.Reader) (err error) {
		p, err = readList(body, "", "", 1, func(d *District) (string, string) { return d.ID, "" })
		return err
	})
	if err != nil {
		return District{}, err
	}
	if len(p.items) != 1 {
		return District{}, k.fail(http.StatusOK, fmt.Sprintf("got %d districts where one was due", len(p.items)), nil)
	}
	return p.items[0], nil
}

// LatestEventID gives the newest event's id, from which a later poll goes on.
// It is "" when the feed is empty and when events are switched off for the app.
func (c *Client) LatestEventID(ctx context.Context, token string) (string, error) {
	var p EventPage
	// Plain limit=1 would be the oldest event.
	k := &call{
		op: "read newest event", base: c.api, path: "/" + c.cfg.DataVersion + "/events", token: token,
		recordType: "events", page: 1, query: url.Values{"ending_before": {"last"}, "limit": {"1"}},
	}
	err := c.get(ctx, k, func(body io.Reader) (err error) {
		p, _, err = readEvents(body, "", "")
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok && (e.Status == http.StatusNotFound || e.Status == http.StatusNotImplemented) {
		return "", nil
	}
	return p.Last, err
}

// Count asks how many records a list has ("users", "schools", "sections",
// "terms"). The list may change while it is walked.
func (c *Client) Count(ctx context.Context, token, recordType string) (int, error) {
	var n struct {
		Count *int `json:"count"`
	}
	k := &call{
		op: "count " + recordType, base: c.api, path: "/" + c.cfg.DataVersion + "/" + recordType, token: token,
		query: url.Values{"count": {"true"}},
	}
	err := c.get(ctx, k, func(body io.Reader) error {
		dec := jsontext.NewDecoder(body, wireOptions)
		if err := json.UnmarshalDecode(dec, &n, wireOptions); err != nil {
			return err
		}
		return atEnd(dec)
	})
	if err != nil {
		return 0, err
	}
	if n.Count == nil || *n.Count < 0 {
		return 0, k.fail(http.StatusOK, "the answer has no count", nil)
	}
	return *n.Count, nil
}
