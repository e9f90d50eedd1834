package clever

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const opExchange = "exchange sign-in code"

const tokensPath = "/oauth/tokens"

// wireToken is an item of the token list, which unlike the Data API's lists
// does not wrap its items in a second "data".
type wireToken struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Owner   struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"owner"`
	AccessToken string   `json:"access_token"`
	Scopes      []string `json:"scopes"`
}

// Tokens lists the districts that are connected to this app, with the token
// that opens each. Keep the district id and ask again: tokens are rotated.
func (c *Client) Tokens(ctx context.Context) ([]DistrictToken, error) {
	return c.tokens(ctx, url.Values{"owner_type": {"district"}})
}

// DistrictToken finds one district's token, or ErrNoToken.
func (c *Client) DistrictToken(ctx context.Context, districtID string) (DistrictToken, error) {
	list, err := c.tokens(ctx, url.Values{"owner_type": {"district"}, "district": {districtID}})
	if err != nil {
		return DistrictToken{}, err
	}
	// The newest counts should a rotation leave two; another district's token
	// in the answer is not ours to use.
	var found DistrictToken
	for _, t := range list {
		if t.DistrictID == districtID && (found.Token == "" || t.Created.After(found.Created)) {
			found = t
		}
	}
	if found.Token == "" {
		return found, fmt.Errorf("find token of district %s: %w", tame(districtID), ErrNoToken)
	}
	return found, nil
}

func (c *Client) tokens(ctx context.Context, query url.Values) ([]DistrictToken, error) {
	k := &call{op: "list district tokens", base: c.auth, path: tokensPath, query: query, recordType: "tokens", page: 1}
	var out []DistrictToken
	seen := map[string]bool{}
	for {
		var list struct {
			Data  []wireToken `json:"data"`
			Links []struct {
				Rel string `json:"rel"`
				URI string `json:"uri"`
			} `json:"links"`
		}
		err := c.get(ctx, k, func(body io.Reader) error {
			list.Data, list.Links = nil, nil
			dec := jsontext.NewDecoder(body, wireOptions)
			if err := json.UnmarshalDecode(dec, &list, wireOptions); err != nil {
				return err
			}
			if list.Data == nil {
				return errNoData
			}
			return atEnd(dec)
		})
		if err != nil {
			return nil, err
		}
		for _, t := range list.Data {
			if t.Owner.Type == "district" && t.Owner.ID != "" && t.AccessToken != "" {
				out = append(out, DistrictToken{DistrictID: t.Owner.ID, Token: t.AccessToken, Scopes: t.Scopes, Created: t.Created})
			}
		}
		next := ""
		for _, l := range list.Links {
			if strings.EqualFold(l.Rel, "next") {
				next = l.URI
			}
		}
		if next == "" {
			return out, nil
		}
		seen[k.query.Encode()] = true
		if k.query, err = k.followTokens(next, seen, c.cfg.MaxPages); err != nil {
			return nil, err
		}
		k.page++
	}
}

// followTokens is follow for a list whose cursors are unknown: whether the
// token list pages at all is not documented.
func (k *call) followTokens(next string, seen map[string]bool, maxPages int) (url.Values, error) {
	u, err := k.sameList(next)
	if err != nil {
		return nil, err
	}
	if seen[u.Encode()] || k.page >= maxPages {
		return nil, k.fail(http.StatusOK, "its next link does not go forward", nil)
	}
	return u, nil
}

// AuthorizeURL is where a browser goes to sign in. districtID may be "": it
// only spares the visitor the choice of a district.
func (c *Client) AuthorizeURL(state, districtID string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.cfg.ClientID},
		"redirect_uri": {c.cfg.RedirectURL}, "state": {state},
	}
	if districtID != "" {
		q.Set("district_id", districtID)
	}
	u := *c.auth
	u.Path += "/oauth/authorize"
	u.RawQuery = q.Encode()
	return u.String()
}

// Exchange trades a sign-in code for a user token. It is tried once: a code is
// good for one use. ErrInvalidGrant, under errors.Is, means that the code was
// used or has expired.
func (c *Client) Exchange(ctx context.Context, code string) (string, error) {
	fail := func(status int, message string, cause error) (string, error) {
		return "", &Error{Op: opExchange, Path: tokensPath, Status: status, Message: tame(message, code, c.cfg.ClientSecret), Err: cause}
	}
	form := url.Values{"code": {code}, "grant_type": {"authorization_code"}, "redirect_uri": {c.cfg.RedirectURL}}
	u := *c.auth
	u.Path += tokensPath
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return fail(0, "the request could not be built", nil)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.SetBasicAuth(c.cfg.ClientID, c.cfg.ClientSecret)
	resp, err := c.once.Do(req)
	if err != nil {
		return fail(0, "no answer", bare(err))
	}
	defer resp.Body.Close()
	// Nothing but a token is due: what is larger than this is not one.
	body := &boundedBody{r: resp.Body, left: min(c.cfg.MaxBody, 1<<20)}
	if err := c.judge(&call{op: opExchange, path: tokensPath}, resp, body); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Message = tame(e.Message, code, c.cfg.ClientSecret)
		}
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.UnmarshalRead(body, &answer, wireOptions); err != nil {
		return fail(resp.StatusCode, wireMessage(err), nil)
	}
	if answer.AccessToken == "" {
		return fail(resp.StatusCode, "the answer has no access token", nil)
	}
	return answer.AccessToken, nil
}
