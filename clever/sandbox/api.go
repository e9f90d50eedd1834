package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// caller is who a bearer token speaks for: a whole district, or one user.
type caller struct {
	district *district
	user     string // "" for a district token
	role     string // the role of this sign-in
}

// request is one call of the Data API with its token already read.
type request struct {
	w http.ResponseWriter
	*http.Request
	s       *Sandbox
	who     caller
	version string // "v3.1"
}

// serveAPI answers /v3.0/… and /v3.1/….
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !s.withinRate(w, token) {
		return
	}
	who, ok := s.callerOf(token)
	if !ok {
		s.fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q := &request{w, r, s, who, parts[0]}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.fail(w, http.StatusNotImplemented, "Unsupported request")
		return
	}
	parts = parts[1:]
	switch {
	case len(parts) == 1 && parts[0] == "me":
		q.me()
	case who.user != "" && !q.userMay(parts):
		q.wrongToken()
	case who.user == "" && s.opt.NoSecureSync && parts[0] != "districts":
		q.wrongToken()
	case len(parts) == 1:
		q.top(parts[0])
	case len(parts) == 2:
		q.single(parts[0], parts[1])
	case len(parts) == 3:
		q.related(parts[0], parts[1], parts[2])
	default:
		s.fail(w, http.StatusNotFound, "Resource not found")
	}
}

// userMay says what a sign-in's token reaches: its own user and district, no
// list, no paging.
func (q *request) userMay(parts []string) bool {
	if len(parts) < 2 || q.URL.Query().Has("limit") {
		return false
	}
	switch parts[0] {
	case "users":
		return len(parts) == 2 || parts[2] == "district"
	case "districts":
		return len(parts) == 2
	}
	return false
}

func (q *request) wrongToken() {
	if q.s.opt.HTMLWrongToken {
		page(q.w, http.StatusUnauthorized, "<!doctype html><title>Unauthorized</title><h1>Unauthorized</h1>")
		return
	}
	q.s.fail(q.w, http.StatusUnauthorized, "Resource not in token's scopes")
}

func (q *request) notFound() { q.s.fail(q.w, http.StatusNotFound, "Resource not found") }

// callerOf looks a bearer token up.
func (s *Sandbox) callerOf(token string) (caller, bool) {
	for _, d := range s.districts {
		if l := d.linked.Load(); token == l.token && !l.refused {
			return caller{district: d}, true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[token]
	if !ok || s.opt.Now().After(t.until) {
		return caller{}, false
	}
	return t.caller, true
}

// fail answers as Clever's Data API does.
func (s *Sandbox) fail(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := appendJSON(nil, v)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	write(w, status, raw)
}

func write(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone; there is nobody to tell
}

// link is one of an answer's links; its uri is a path below the host.
type link struct {
	Rel string `json:"rel"`
	URI string `json:"uri"`
}

// me answers /me: who, but neither role nor name.
func (q *request) me() {
	if q.who.user == "" {
		q.s.fail(q.w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	d := q.who.district
	writeJSON(q.w, http.StatusOK, map[string]any{
		"type": "user",
		"data": map[string]string{"id": q.who.user, "district": d.id, "type": "user", "authorized_by": "district"},
		"links": []link{
			{"self", "/me"},
			{"canonical", "/" + q.version + "/users/" + q.who.user},
			{"district", "/" + q.version + "/districts/" + d.id},
		},
	})
}

func (d *district) collection(kind string) *collection {
	for _, c := range []*collection{d.users, d.schools, d.sections, d.courses, d.termList, d.feed.events} {
		if c.kind == kind {
			return c
		}
	}
	return nil
}

// top answers a list of everything of a kind.
func (q *request) top(kind string) {
	d := q.who.district
	switch kind {
	case "districts":
		if q.URL.Query().Get("count") == "true" {
			q.count(1)
			return
		}
		b := append([]byte(`{"data":[{"data":`), d.ownRecord(q.v31())...)
		b = append(b, `,"uri":"/`+q.version+`/districts/`+d.id+`"}],"links":`...)
		b, _ = appendJSON(b, []link{{"self", q.URL.RequestURI()}})
		write(q.w, http.StatusOK, append(b, '}'))
		return
	case "resources": // none are shared
		q.listOf(&collection{kind: kind}, nil, []string{})
		return
	case "events":
		q.events()
		return
	}
	c := d.collection(kind)
	if c == nil {
		q.notFound()
		return
	}
	ok, fits := q.byRole(kind, "contact", "district_admin", "staff", "student", "teacher")
	if !fits {
		return
	}
	q.listOf(c, ok, nil)
}

// byRole reads ?role=, which only lists of users know.
func (q *request) byRole(kind string, allowed ...string) (keep, bool) {
	role := q.URL.Query().Get("role")
	if role == "" || kind != "users" {
		return nil, true
	}
	if !slices.Contains(allowed, role) {
		q.s.fail(q.w, http.StatusBadRequest, "invalid role")
		return nil, false
	}
	d, bit := q.who.district, roleBits[role]
	return func(e entry) bool { return d.rolesOf(e)&bit != 0 }, true
}

func (d *district) rolesOf(e entry) int {
	if e.extra != nil {
		return e.extra.roles
	}
	return d.roleMask(e.gen)
}

func (q *request) v31() bool { return q.version == "v3.1" }

// single answers one record.
func (q *request) single(kind, id string) {
	d := q.who.district
	if q.who.user != "" && kind == "users" && id != q.who.user {
		q.notFound()
		return
	}
	if kind == "districts" {
		if id != d.id {
			q.notFound()
			return
		}
		q.one("districts", id, d.ownRecord(q.v31()), nil)
		return
	}
	c := d.collection(kind)
	if c == nil {
		q.notFound()
		return
	}
	e, ok := c.find(id)
	if !ok || kind == "events" && !q.eventsFor()(e) {
		q.notFound()
		return
	}
	record := q.record(c, nil, e)
	if q.who.user != "" && kind == "users" && q.s.opt.ThinUserTokens {
		record = thin(record)
	}
	q.one(kind, id, record, q.relLinks(kind, id, e))
}

// thin is a user's record as far as it is shown to that user's own token.
func thin(record []byte) []byte {
	var u map[string]any
	if json.Unmarshal(record, &u) != nil {
		return record
	}
	delete(u, "email")
	roles, _ := u["roles"].(map[string]any)
	for _, role := range roles {
		if fields, ok := role.(map[string]any); ok {
			for _, name := range []string{
				"school", "schools", "legacy_id", "sis_id", "staff_id", "teacher_number", "student_number", "state_id", "student_relationships",
			} {
				delete(fields, name)
			}
		}
	}
	raw, err := appendJSON(nil, u)
	if err != nil {
		return record
	}
	return raw
}

// one writes a single-record envelope.
func (q *request) one(kind, id string, record []byte, rels []string) {
	base := "/" + q.version + "/" + kind + "/" + id
	links := []link{{"self", base}}
	if kind != "districts" {
		links = append(links, link{"district", "/" + q.version + "/districts/" + q.who.district.id})
	}
	for _, rel := range rels {
		links = append(links, link{rel, base + "/" + strings.ToLower(rel)})
	}
	b := append([]byte(`{"data":`), record...)
	b = append(b, `,"links":`...)
	b, _ = appendJSON(b, links)
	write(q.w, http.StatusOK, append(b, '}'))
}

func (q *request) relLinks(kind, _ string, e entry) []string {
	switch kind {
	case "users":
		rels := []string{"schools", "sections"}
		m := q.who.district.rolesOf(e)
		if m&isStudent != 0 {
			rels = append(rels, "myContacts", "myTeachers")
		}
		if m&(isTeacher|isContact) != 0 {
			rels = append(rels, "myStudents")
		}
		return rels
	case "schools":
		return []string{"sections", "users", "terms", "courses"}
	case "sections":
		return []string{"school", "users", "term", "course"}
	}
	return nil
}

// appendJSON leaves & and < as they are, which links and names are full of.
func appendJSON(b []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}
