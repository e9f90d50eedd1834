package sandbox

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// recorded is an answer that has not gone out.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(status int)      { r.status = status }
func (r *recorded) Write(p []byte) (int, error) { return r.body.Write(p) }

// endless opens a JSON list and never closes it.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write([]byte(`{"data":[`)); err != nil {
		return
	}
	blank := bytes.Repeat([]byte(" "), 32<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(blank); err != nil {
			return
		}
	}
}

// drip sends a recorded answer out in pieces, the first at once.
func drip(w http.ResponseWriter, r *http.Request, rec *recorded, delay time.Duration) {
	const pieces = 5
	maps.Copy(w.Header(), rec.header)
	w.WriteHeader(rec.status)
	body := rec.body.Bytes()
	t := time.NewTicker(max(delay, 1))
	defer t.Stop()
	for i := range pieces {
		if _, err := w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush() // a client that has gone is noticed by the next piece
		if i == pieces-1 {
			return
		}
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
}

// spoil sends a recorded answer out with one thing wrong.
func spoil(w http.ResponseWriter, r *http.Request, kind FaultKind, rec *recorded) {
	maps.Copy(w.Header(), rec.header)
	body := rec.body.Bytes()
	half := body[:len(body)/2]
	switch kind {
	case Malformed:
		body = append(append(append([]byte{}, half...), `"<<>>`...), body[len(half):]...)
	case Truncated:
		body = half
	case Reset:
		// The length announces the whole answer; then the handler gives up, and
		// the server drops the connection.
		w.WriteHeader(rec.status)
		_, _ = w.Write(half) // it breaks next anyway
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		body = spoilList(r, kind, body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.status)
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
}

// spoilList changes what a list says.
func spoilList(r *http.Request, kind FaultKind, body []byte) []byte {
	var list struct {
		Data  []map[string]any `json:"data"`
		Links []link           `json:"links,omitempty"`
	}
	if json.Unmarshal(body, &list) != nil {
		return body
	}
	next := func(uri string) {
		for i := range list.Links {
			if list.Links[i].Rel == "next" {
				list.Links[i].URI = uri
				return
			}
		}
		list.Links = append(list.Links, link{"next", uri})
	}
	first := map[string]any{}
	if len(list.Data) > 0 {
		first, _ = list.Data[0]["data"].(map[string]any)
	}
	if spoilEvents(kind, list.Data) {
		kind = "" // done
	}
	q := r.URL.Query()
	switch kind {
	case Twice:
		twice := make([]map[string]any, 0, 2*len(list.Data))
		for _, item := range list.Data {
			twice = append(twice, item, item)
		}
		list.Data = twice
	case Shuffled:
		slices.Reverse(list.Data)
	default: // the others are not about the order
	}
	switch kind {
	case NextLoop:
		next(r.URL.RequestURI())
	case NextFirst:
		q.Del("starting_after")
		next(r.URL.Path + "?" + q.Encode())
	case NextForeign:
		next("http://169.254.169.254/v3.1/users?starting_after=ffffffffffffffffffffffff")
	case NextOther:
		next("/v3.1/districts?starting_after=ffffffffffffffffffffffff")
	case SkippingNext:
		q.Set("starting_after", "eeeeeeeeeeeeeeeeeeeeeeee")
		next(r.URL.Path + "?" + q.Encode())
	case NoCount:
		list.Data = []map[string]any{}
	case Foreign:
		for _, item := range list.Data {
			if record, ok := item["data"].(map[string]any); ok {
				record["district"] = OtherDistrictID
			}
		}
	case NoLinks:
		list.Links = nil
	case EmptyPage:
		list.Data = []map[string]any{}
	case NoRecords:
		list.Data, list.Links = []map[string]any{}, []link{{"self", r.URL.RequestURI()}}
	case RolesArray:
		first["roles"] = []string{"teacher"}
	case WrongType:
		first["name"] = 7
	case NoID:
		delete(first, "id")
	case WrongID:
		first["id"] = wrongID(first["id"])
	default: // the others are not about what a list says
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return body
	}
	return raw
}

// wrongID is an id that nobody has, and that stands in a list's order where the right one does: the one before it.
func wrongID(id any) string {
	text, _ := id.(string)
	raw, err := hex.DecodeString(text)
	if err != nil {
		return text
	}
	for i := len(raw) - 1; i >= 0; i-- {
		if raw[i]--; raw[i] != 0xff {
			break
		}
	}
	return hex.EncodeToString(raw)
}

// spoilEvents strikes what is special to events, and tells whether it did.
func spoilEvents(kind FaultKind, items []map[string]any) bool {
	event := func(i int) (event, object map[string]any) {
		event, _ = items[i]["data"].(map[string]any)
		data, _ := event["data"].(map[string]any)
		object, _ = data["object"].(map[string]any)
		return event, object
	}
	if len(items) == 0 {
		return false
	}
	first, object := event(0)
	if object == nil {
		return false
	}
	switch kind {
	case RolesArray:
		object["roles"] = []string{"teacher"}
	case WrongType:
		object["name"] = 7
	case NoRecordID:
		delete(object, "id")
	case WrongID:
		object["id"] = wrongID(object["id"])
	case UnknownType:
		first["type"] = "timetables.shuffled"
	case NullObject:
		first["data"] = map[string]any{"object": nil}
	case Foreign:
		for i := range items {
			if _, o := event(i); o != nil {
				o["district"] = OtherDistrictID
			}
		}
	case Skewed:
		for i := range items {
			e, _ := event(i)
			text, _ := e["created"].(string)
			if t, err := time.Parse(stampLayout, text); err == nil {
				e["created"] = t.Add(time.Duration(1-i%2*2) * 9 * time.Hour).Format(stampLayout)
			}
		}
	default:
		return false
	}
	return true
}
