package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
)

// found is the answer to a search. page comes first, so that who reads it as it arrives knows whether there is more.
type found struct {
	Page    foundPage `json:"page"`
	Results []result  `json:"results"`
}

type foundPage struct {
	NextToken string `json:"next_token"` // "" at the end
	Count     int    `json:"count"`
	Total     *int   `json:"total,omitempty"` // where it is cheap to know
}

// result is a subject, a resource or an action.
type result struct {
	Type       string            `json:"type,omitempty"`
	ID         string            `json:"id,omitempty"`
	Name       string            `json:"name,omitempty"`
	Properties *resultProperties `json:"properties,omitempty"`
}

// resultProperties carries Hallpass's own id where the result goes by Clever's.
type resultProperties struct {
	HallpassID string `json:"hallpass_id"`
}

// How many results one page of a search has.
const (
	defaultFound = 50
	maxFound     = 200
)

// paging is the page that is asked for.
type paging struct {
	limit int
	after string // a cursor of models; "" is the beginning
}

// search reads a search of the given kind and answers it with find.
func (s *server) search(c echo.Context, kind string, find func(keyed, evaluation, paging) (found, error)) error {
	b, body, err := s.readAsked(c)
	if err != nil {
		return err
	}
	var q evaluation
	if q.subject, err = readEntity(&body.Subject, "subject", kind == "subject"); err != nil {
		return err
	}
	if kind != "action" {
		if q.action, err = body.readAction(); err != nil {
			return err
		}
	}
	if q.resource, err = readEntity(&body.Resource, "resource", kind == "resource"); err != nil {
		return err
	}
	if q.view, err = body.readView(); err != nil {
		return err
	}
	about := strings.Join([]string{
		kind, strconv.FormatInt(b.district, 10), strconv.Quote(q.subject.Type), strconv.Quote(q.subject.ID), strconv.Quote(q.action),
		strconv.Quote(q.resource.Type), strconv.Quote(q.resource.ID), strconv.Quote(q.view),
	}, " ")
	p, err := s.readPage(body, about)
	if err != nil {
		return err
	}
	l := newLookup()
	l.add(&q)
	return s.withKey(c, b, l.asked, func(k keyed) (any, error) {
		_, _, known := k.told.Policy.Catalogue.Find(access.Permission(q.action))
		if kind != "action" && !known || kind != "subject" && !k.subject(q).Known() || kind != "resource" && !k.place(q).Known() {
			return found{Results: []result{}}, nil // what is unknown has no results, and is no error
		}
		f, err := find(k, q, p)
		if f.Results == nil {
			f.Results = []result{}
		}
		f.Page.Count = len(f.Results)
		if f.Page.NextToken != "" {
			f.Page.NextToken = s.sealPage(about, f.Page.NextToken)
		}
		return f, err
	})
}

// searchSubjects lists who may.
func (s *server) searchSubjects(c echo.Context) error {
	return s.search(c, "subject", func(k keyed, q evaluation, p paging) (found, error) {
		switch q.subject.Type {
		case subjectUser:
			return k.usersWhoCan(q, p)
		case subjectAccount:
			return k.accountsWhoCan(q, p)
		}
		return found{}, nil
	})
}

func (k keyed) whoCan(q evaluation, p paging, view access.View) (models.WhoList, error) {
	list, err := k.tx.WhoCan(k.c.Request().Context(), models.WhoQuestion{
		Permission: access.Permission(q.action), Place: k.place(q).Place, View: view, After: p.after, Limit: p.limit,
	})
	return list, err
}

func (k keyed) usersWhoCan(q evaluation, p paging) (f found, err error) {
	list, err := k.whoCan(q, p, k.view(q.view))
	if err != nil {
		return f, err
	}
	for _, r := range list.Rows {
		f.Results = append(f.Results, userResult(r.ID, r.CleverID))
	}
	f.Page.NextToken = list.Next
	if !list.AtLeast {
		f.Page.Total = new(list.Count)
	}
	return f, nil
}

// userResult goes by Clever's id, which the app knows from sign-in, or by ours for a person whom Clever does not know
// yet.
func userResult(id int64, cleverID *string) result {
	ours := strconv.FormatInt(id, 10)
	if cleverID == nil {
		return result{Type: subjectUser, ID: ours}
	}
	return result{Type: subjectUser, ID: *cleverID, Properties: &resultProperties{ours}}
}

// accountsWhoCan lists accounts: of everybody who may in any view, those that may themselves. A page of people may so
// come to fewer accounts, or to more.
func (k keyed) accountsWhoCan(q evaluation, p paging) (f found, err error) {
	ctx := k.c.Request().Context()
	list, err := k.whoCan(q, p, models.AnyView)
	if err != nil {
		return f, err
	}
	ids := make([]int64, len(list.Rows))
	for i, r := range list.Rows {
		ids[i] = r.ID
	}
	accounts, err := k.tx.AccountsOf(ctx, ids)
	if err != nil {
		return f, err
	}
	var asked models.Asked
	for _, id := range accounts {
		asked.Subjects = append(asked.Subjects, models.AskedSubject{Account: true, ID: strconv.FormatInt(id, 10)})
	}
	told, err := k.tx.FactsOf(ctx, asked)
	if err != nil {
		return f, err
	}
	for i, subject := range told.Subjects {
		if subject.Known() && told.Facts(subject, k.view(q.view)).Decide(access.Permission(q.action), k.place(q).Place).Allowed {
			f.Results = append(f.Results, result{Type: subjectAccount, ID: asked.Subjects[i].ID})
		}
	}
	f.Page.NextToken = list.Next
	return f, nil
}

// searchResources lists where somebody may.
func (s *server) searchResources(c echo.Context) error {
	return s.search(c, "resource", func(k keyed, q evaluation, p paging) (f found, err error) {
		facts, kind := k.told.Facts(k.subject(q), k.view(q.view)), access.Kind(q.resource.Type)
		switch kind {
		case access.District:
			if facts.Decide(access.Permission(q.action), access.InDistrict()).Allowed {
				f.Results = []result{{Type: q.resource.Type, ID: k.told.District.CleverID}}
			}
			f.Page.Total = new(len(f.Results))
		case access.School, access.Section:
			list, err := k.tx.PlacesWithin(c.Request().Context(), facts.Reach(access.Permission(q.action)), kind, p.after, p.limit)
			if err != nil {
				return f, err
			}
			for _, r := range list.Rows {
				f.Results = append(f.Results, result{Type: q.resource.Type, ID: r.CleverID})
			}
			f.Page.NextToken = list.Next
		}
		return f, nil
	})
}

// searchActions lists what somebody may do at a place, in the catalogue's order.
func (s *server) searchActions(c echo.Context) error {
	return s.search(c, "action", func(k keyed, q evaluation, p paging) (f found, err error) {
		held := k.told.Facts(k.subject(q), k.view(q.view)).Holds(k.place(q).Place)
		list := k.told.Policy.Catalogue.Permissions(held)
		from := 0
		if p.after != "" {
			for from < len(list) && string(list[from]) != p.after {
				from++
			}
			from = min(from+1, len(list))
		}
		to := min(from+p.limit, len(list))
		for _, permission := range list[from:to] {
			f.Results = append(f.Results, result{Name: string(permission)})
		}
		if to < len(list) {
			f.Page.NextToken = string(list[to-1])
		}
		f.Page.Total = new(len(list))
		return f, nil
	})
}

// readPage reads which page is asked for. A token is only good for the search that it came from.
func (s *server) readPage(body *askedBody, about string) (p paging, err error) {
	p.limit = defaultFound
	if err := body.Page.check("page", false); err != nil {
		return p, err
	}
	page := &body.Page.is
	if page.Limit != nil {
		if page.Limit.Kind() != '0' || json.Unmarshal(page.Limit, &p.limit) != nil || p.limit < 1 {
			return p, malformed("page.limit: must be a whole number above 0")
		}
		p.limit = min(p.limit, maxFound)
	}
	if page.Token.kind == 0 || page.Token.kind == '"' && page.Token.is == "" {
		return p, nil
	}
	token, err := page.Token.read("page.token")
	if err != nil {
		return p, err
	}
	var ok bool
	if p.after, ok = s.openPage(about, token); !ok {
		return p, malformed("page.token: is not of this search")
	}
	return p, nil
}

// sealPage makes a token of a cursor: signed together with the whole question, so that it opens no other.
func (s *server) sealPage(about, cursor string) string {
	return base64.RawURLEncoding.EncodeToString(append(pageSum(s.CookieKeys[0], about, cursor), cursor...))
}

func (s *server) openPage(about, token string) (cursor string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= sha256.Size {
		return "", false
	}
	cursor = string(raw[sha256.Size:])
	for _, key := range s.CookieKeys {
		if hmac.Equal(raw[:sha256.Size], pageSum(key, about, cursor)) {
			return cursor, true
		}
	}
	return "", false
}

func pageSum(key []byte, about, cursor string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("a page of a search\n" + about + "\n" + cursor)) // apart from everything else the key signs
	return mac.Sum(nil)
}
