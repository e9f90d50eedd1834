package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
)

const (
	defaultLimit = 100
	maxLimit     = 10000
)

// buffers are reused from page to page: a page of a large sync is some hundred
// kilobytes.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<20); return &b }}

// listOf answers a list: of the chosen records of a collection, or of those
// with the given ids if ids is not nil.
func (q *request) listOf(c *collection, ok keep, ids []string) {
	params := q.URL.Query()
	var some []entry
	if ids != nil {
		some = c.some(ids)
		if ok != nil {
			some = slices.DeleteFunc(some, func(e entry) bool { return !ok(e) })
		}
	}
	if params.Get("count") == "true" {
		switch {
		case ids != nil:
			q.count(len(some))
		case ok != nil:
			q.count(len(c.after("", 1<<31-1, ok)))
		default:
			q.count(c.count())
		}
		return
	}
	limit := defaultLimit
	if v := params.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		switch {
		case err != nil || n < 1:
			q.s.fail(q.w, http.StatusBadRequest, "invalid limit")
			return
		case n > maxLimit:
			q.s.fail(q.w, http.StatusRequestEntityTooLarge, "limit is over 10000")
			return
		}
		limit = n
	}
	after, end := params.Get("starting_after"), params.Get("ending_before")
	if after != "" && end != "" {
		q.s.fail(q.w, http.StatusBadRequest, "starting_after and ending_before cannot go together")
		return
	}
	var found []entry
	more := false
	if end != "" {
		if end == "last" {
			end = ""
		}
		if ids != nil {
			found = cutBefore(c, some, end, limit)
		} else {
			found = c.before(end, limit, ok)
		}
	} else {
		if ids != nil {
			found = cutAfter(c, some, after, limit+1)
		} else {
			found = c.after(after, limit+1, ok)
		}
		if more = len(found) > limit; more {
			found = found[:limit]
		}
	}
	q.list(c, found, q.pageLinks(c, found, after, limit, more))
}

func cutAfter(c *collection, es []entry, id string, most int) []entry {
	for len(es) > 0 && id != "" && c.id(es[0]) <= id {
		es = es[1:]
	}
	return es[:min(most, len(es))]
}

func cutBefore(c *collection, es []entry, id string, most int) []entry {
	for len(es) > 0 && id != "" && c.id(es[len(es)-1]) >= id {
		es = es[:len(es)-1]
	}
	return es[max(0, len(es)-most):]
}

// pageLinks follows what was seen of Clever: self as it was asked; forward,
// next when more follow, and prev after the first page; backward, prev when the
// page is full.
func (q *request) pageLinks(c *collection, found []entry, after string, limit int, more bool) []link {
	links := []link{{"self", q.URL.RequestURI()}}
	params := q.URL.Query()
	other := func(rel, cursor, id string) link {
		// limit first, then the cursor, then what else was asked.
		query := ""
		if v := params.Get("limit"); v != "" {
			query = "limit=" + url.QueryEscape(v) + "&"
		}
		query += cursor + "=" + url.QueryEscape(id)
		rest := url.Values{}
		for k, v := range params {
			if k != "limit" && k != "starting_after" && k != "ending_before" {
				rest[k] = v
			}
		}
		if len(rest) > 0 {
			query += "&" + rest.Encode()
		}
		return link{rel, q.URL.Path + "?" + query}
	}
	backward := params.Get("ending_before") != ""
	if len(found) == 0 {
		if after != "" {
			links = append(links, other("prev", "ending_before", after))
		}
		return links
	}
	if after != "" || backward && len(found) == limit {
		links = append(links, other("prev", "ending_before", c.id(found[0])))
	}
	if more {
		links = append(links, other("next", "starting_after", c.id(found[len(found)-1])))
	}
	return links
}

func (q *request) count(n int) {
	writeJSON(q.w, http.StatusOK, struct {
		Count int    `json:"count"`
		Links []link `json:"links"`
	}{n, []link{{"self", q.URL.RequestURI()}}})
}

func (q *request) list(c *collection, found []entry, links []link) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b := (*buf)[:0]
	b = append(b, `{"data":[`...)
	for i, e := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"data":`...)
		b = q.record(c, b, e)
		b = append(b, `,"uri":"/`...)
		b = append(b, q.version...)
		b = append(b, '/')
		b = append(b, c.kind...)
		b = append(b, '/')
		if e.extra != nil {
			b = append(b, e.extra.id...)
		} else {
			b = c.ids.append(b, e.gen)
		}
		b = append(b, `"}`...)
	}
	b = append(b, `],"links":`...)
	b, err := appendJSON(b, links)
	if err != nil {
		q.s.fail(q.w, http.StatusInternalServerError, "Internal error")
		return
	}
	b = append(b, '}')
	*buf = b
	write(q.w, http.StatusOK, b)
}
