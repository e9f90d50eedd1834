package clever

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Page is one answer of a list.
type Page[T any] struct {
	Number int // from 1
	Items  []T // the caller's to keep
}

// Users walks every user of the token's district, whatever their roles, in the
// order of their ids. Pages come as they arrive and one is held at a time. An
// error is yielded once, with the number of the page that could not be read,
// and ends the walk; only a walk that ends without an error has seen everyone.
//
// district is the one that every record must belong to; "" takes the first
// record's word for it.
func (c *Client) Users(ctx context.Context, token, district string) iter.Seq2[Page[User], error] {
	return walk(ctx, c, token, district, "users", func(u *User) (string, string) {
		tidyUnknown(u)
		return u.ID, u.District
	})
}

// Schools walks the shared schools; see Users for how a walk ends.
func (c *Client) Schools(ctx context.Context, token, district string) iter.Seq2[Page[School], error] {
	return walk(ctx, c, token, district, "schools", func(s *School) (string, string) { return s.ID, s.District })
}

// Sections walks the sections; see Users for how a walk ends.
func (c *Client) Sections(ctx context.Context, token, district string) iter.Seq2[Page[Section], error] {
	return walk(ctx, c, token, district, "sections", func(s *Section) (string, string) { return s.ID, s.District })
}

// Terms walks the terms; see Users for how a walk ends.
func (c *Client) Terms(ctx context.Context, token, district string) iter.Seq2[Page[Term], error] {
	return walk(ctx, c, token, district, "terms", func(t *Term) (string, string) { return t.ID, t.District })
}

// listError is a list that does not hold together.
type listError struct{ message string }

func (e *listError) Error() string { return e.message }

// walk follows links[rel=next] from the first page to the page that has none.
// A walk must prove that it saw the whole list, because what it did not see is
// taken to be gone: so every page must have links, go on where the last one
// ended, and belong to one district.
func walk[T any](ctx context.Context, c *Client, token, district, recordType string, ids func(*T) (id, district string)) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		k := &call{
			op: "read " + recordType, base: c.api, token: token, recordType: recordType, page: 1,
			path: "/" + c.cfg.DataVersion + "/" + recordType, query: url.Values{"limit": {strconv.Itoa(c.cfg.PageSize)}},
		}
		lastID := ""
		for {
			var p listPage[T]
			err := c.get(ctx, k, func(body io.Reader) (err error) {
				p, err = readList(body, lastID, district, c.cfg.PageSize, ids)
				return err
			})
			var query url.Values
			if err == nil && p.next != "" {
				query, err = k.follow(p.next, lastID, p.lastID, len(p.items), c.cfg.MaxPages)
			}
			if err != nil {
				yield(Page[T]{Number: k.page}, err)
				return
			}
			lastID, district = p.lastID, p.district
			if !yield(Page[T]{Number: k.page, Items: p.items}, nil) || query == nil {
				return
			}
			k.page++
			k.query = query
		}
	}
}

// follow turns a next link into the next query, or says why it leads nowhere
// or somewhere else. before is the last id of the page before, last that of
// this one, after which the next page begins.
func (k *call) follow(next, before, last string, items, maxPages int) (url.Values, error) {
	query, err := k.sameList(next)
	if err != nil {
		return nil, err
	}
	refuse := func(message string) (url.Values, error) {
		return nil, k.fail(http.StatusOK, message, nil)
	}
	switch {
	case items == 0:
		return refuse("it is empty, yet has a next link")
	case query.Encode() == k.query.Encode():
		return refuse("its next link leads back to itself")
	case query.Get("starting_after") == "" || query.Get("starting_after") == before,
		before != "" && query.Get("starting_after") < before:
		return refuse("its next link does not go forward")
	case query.Get("starting_after") != last:
		return refuse("its next link does not begin after its last record")
	case k.page >= maxPages:
		return refuse(fmt.Sprintf("the list has more than %d pages", maxPages))
	}
	return query, nil
}

// sameList gives the query of a next link that leads to the same list on the
// same host. Clever's are paths relative to the host.
func (k *call) sameList(next string) (url.Values, error) {
	refuse := func(message string) (url.Values, error) {
		return nil, k.fail(http.StatusOK, message, nil)
	}
	u, err := url.Parse(next)
	if err != nil {
		return refuse("its next link is not a URL")
	}
	if u.Host != "" && !strings.EqualFold(u.Host, k.base.Host) || u.Scheme != "" && u.Scheme != k.base.Scheme || u.User != nil {
		return refuse("its next link points to another host")
	}
	if u.Path != k.path && u.Path != k.base.Path+k.path {
		return refuse("its next link points to another list")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return refuse("its next link has a query that cannot be read")
	}
	return query, nil
}

type listPage[T any] struct {
	items    []T
	next     string
	lastID   string
	district string
}

// readList decodes one page, record by record, in any order of its fields.
func readList[T any](body io.Reader, after, district string, size int, ids func(*T) (id, district string)) (listPage[T], error) {
	p := listPage[T]{lastID: after, district: district}
	dec := jsontext.NewDecoder(body, wireOptions)
	if err := open(dec, '{'); err != nil {
		return p, err
	}
	data, links := false, false
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return p, err
		}
		switch name.String() {
		case "data":
			data = true
			if err := readItems(dec, &p, size, ids); err != nil {
				return p, err
			}
		case "links":
			links = true
			if p.next, err = readNext(dec); err != nil {
				return p, err
			}
		default:
			if err := dec.SkipValue(); err != nil {
				return p, err
			}
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return p, err
	}
	switch {
	case !data:
		return p, errNoData
	case !links:
		return p, errNoLinks
	}
	return p, atEnd(dec)
}

func open(dec *jsontext.Decoder, kind jsontext.Kind) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != kind {
		return errDataKind
	}
	return nil
}

func readItems[T any](dec *jsontext.Decoder, p *listPage[T], size int, ids func(*T) (id, district string)) error {
	if err := open(dec, '['); err != nil {
		return err
	}
	p.items = make([]T, 0, size)
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		var item struct {
			Data *T `json:"data"`
		}
		p.items = append(p.items, *new(T))
		item.Data = &p.items[len(p.items)-1]
		if err := readRecord(raw, &item); err != nil {
			return err
		}
		if item.Data == nil {
			return &recordError{message: fmt.Sprintf("record %d of the page is null", len(p.items))}
		}
		id, district := ids(item.Data)
		switch {
		case id == "":
			return &recordError{message: fmt.Sprintf("record %d of the page has no id", len(p.items))}
		case p.lastID != "" && id <= p.lastID:
			// Lists are ordered by ascending id; anything else means a page
			// served twice or a cursor that slipped.
			return &recordError{id: id, message: "it does not come after the record before it"}
		case p.district != "" && district != "" && district != p.district:
			return &recordError{id: id, message: "it belongs to another district"}
		}
		p.lastID = id
		if district != "" {
			p.district = district
		}
		if len(p.items) > MaxPageSize {
			return &listError{fmt.Sprintf("it has more than %d records", MaxPageSize)}
		}
	}
	_, err := dec.ReadToken()
	return err
}

func readNext(dec *jsontext.Decoder) (string, error) {
	var links []struct {
		Rel string `json:"rel"`
		URI string `json:"uri"`
	}
	if err := json.UnmarshalDecode(dec, &links, wireOptions); err != nil {
		return "", err
	}
	for _, l := range links {
		if strings.EqualFold(l.Rel, "next") {
			return l.URI, nil
		}
	}
	return "", nil
}
