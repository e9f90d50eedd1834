package clever_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"hallpass/clever"
)

// said makes a client whose every answer is this.
func said(t *testing.T, body string, change ...func(*clever.Config)) *clever.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body)) // the client under test tells if it is missing
	}))
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL, change...)
}

func firstPage(t *testing.T, body string) ([]clever.User, error) {
	t.Helper()
	for p, err := range said(t, body).Users(t.Context(), "tok", "") {
		return p.Items, err
	}
	t.Fatal("the walk gave nothing at all")
	return nil, nil
}

// TestHostileAnswersAreRefusedByName never panics and never takes a broken list
// for a whole one.
func TestHostileAnswersAreRefusedByName(t *testing.T) {
	const id = "67290af290b55408fa4b09e7"
	for name, c := range map[string]struct{ body, want, record string }{
		"roles an array":     {`{"data":[{"data":{"id":"` + id + `","roles":[]}}],"links":[]}`, "/roles holds an array", id},
		"id after the fault": {`{"data":[{"data":{"roles":7,"id":"` + id + `"}}],"links":[]}`, "/roles holds a number", id},
		"teacher a string":   {`{"data":[{"data":{"id":"` + id + `","roles":{"teacher":"yes"}}}],"links":[]}`, "/roles/teacher holds text", id},
		"schools a string":   {`{"data":[{"data":{"id":"` + id + `","roles":{"staff":{"schools":"A"}}}}],"links":[]}`, "/roles/staff/schools", id},
		"id a number":        {`{"data":[{"data":{"id":12,"roles":{}}}],"links":[]}`, "/id holds a number", ""},
		"created a word":     {`{"data":[{"data":{"id":"` + id + `","created":"Hannah"}}],"links":[]}`, "/created holds", id},
		"record null":        {`{"data":[null],"links":[]}`, "record 1 of the page", ""},
		"data null":          {`{"data":[{"data":null}],"links":[]}`, "record 1 of the page is null", ""},
		"no data":            {`{"links":[]}`, `no "data"`, ""},
		"data an object":     {`{"data":{},"links":[]}`, "kind", ""},
		"an array":           {`[]`, "kind", ""},
		"links an object":    {`{"data":[],"links":{"next":"/x"}}`, "does not fit", ""},
		"no links":           {`{"data":[]}`, `no "links"`, ""},
		"a message":          {`{"message":"hello"}`, `no "data"`, ""},
		"nothing":            {``, "stops in the middle", ""},
		"two answers":        {`{"data":[],"links":[]}{"data":[],"links":[]}`, "more text follows", ""},
		"twice the same": {
			`{"data":[{"data":{"id":"` + id + `"}},{"data":{"id":"` + id + `"}}],"links":[]}`,
			"does not come after", id,
		},
		"two districts": {`{"data":[{"data":{"id":"1","district":"a"}},{"data":{"id":"2","district":"b"}}],"links":[]}`, "another district", "2"},
		"nested deep":   {`{"data":[{"data":{"id":"` + id + `","ext":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}}],"links":[]}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := firstPage(t, c.body)
			e, ok := errors.AsType[*clever.Error](err)
			if !ok || e.Page != 1 || e.RecordType != "users" || e.Record != c.record || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %q about record %q", err, c.want, c.record)
			}
			if err != nil && strings.Contains(err.Error(), "Hannah") {
				t.Errorf("the error quotes the record: %v", err)
			}
		})
	}
}

func TestTextThatCannotBeStoredIsMended(t *testing.T) {
	users, err := firstPage(t, "{\"data\":[{\"data\":{\"id\":\"1\",\"name\":{\"first\":\"A\\u0000b\",\"middle\":\"\xff\xfe\",\"last\":\"\\ud800 \\\\u0000\"},"+
		"\"email\":null,\"roles\":{\"drone\":{\"label\":\"x\\u0000y\xff\\ud800\"},\"ghost\":null}}}],\"links\":null}")
	if err != nil || len(users) != 1 {
		t.Fatal(users, err)
	}
	u := users[0]
	if u.Name != (clever.Name{First: "A\ufffdb", Middle: "\ufffd\ufffd", Last: "\ufffd \\u0000"}) {
		t.Errorf("name %+q", u.Name)
	}
	raw := u.Roles.Unknown["drone"]
	if !json.Valid(raw) || !utf8.Valid(raw) || strings.Contains(string(raw), `\u0000`) || strings.Contains(string(raw), `\ud800`) {
		t.Errorf("unknown role %q", raw)
	}
	if _, ok := u.Roles.Unknown["ghost"]; ok {
		t.Error("a null role counts as held")
	}
}

func TestNamesOfAnyScriptComeThrough(t *testing.T) {
	for _, name := range []string{"Ọláyínká", "ليلى الحدّاد", "<script>alert(1)</script>", "李", strings.Repeat("ß", 500), "a\u202eb", `O'Neil "Q" \ /`} {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		users, err := firstPage(t, `{"data":[{"data":{"id":"1","name":{"last":`+string(quoted)+`}}}],"links":[]}`)
		if err != nil || users[0].Name.Last != name {
			t.Errorf("%q: %v %v", name, users, err)
		}
	}
}

func TestMessagesAreTame(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		raw, _ := json.Marshal(map[string]string{"message": "bad token " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") +
			"\n\x1b[31m" + strings.Repeat("x", 5000)}) // a map of strings always marshals
		_, _ = w.Write(raw) // the client under test tells if it is missing
	}))
	defer srv.Close()
	_, err := newClient(t, srv.URL).User(t.Context(), "tok-123456", "abc")
	if err == nil || strings.Contains(err.Error(), "tok-123456") || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 400 {
		t.Errorf("%v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer thief.Close()
	srv := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	c := newClient(t, srv.URL)
	if _, err := c.Me(t.Context(), "tok"); err == nil {
		t.Error("a redirect passed for an answer")
	}
	if _, err := c.Exchange(t.Context(), "code"); err == nil || reached {
		t.Errorf("the code went elsewhere: %v", err)
	}
}

func FuzzUsersPage(f *testing.F) {
	f.Add(`{"data":[{"data":{"id":"1","roles":{"teacher":{"schools":["a"]},"x":1}}}],"links":[{"rel":"next","uri":"/v3.1/users?starting_after=1"}]}`)
	f.Add("{\"data\":[{\"data\":{\"id\":\"1\",\"name\":{\"last\":\"\\u0000\xff\"}}}],\"links\":[]}")
	f.Fuzz(func(t *testing.T, body string) {
		c := newClient(t, "http://clever.example", func(c *clever.Config) {
			c.MaxPages, c.HTTP = 3, &http.Client{Transport: answers(body)}
		})
		for p, err := range c.Users(t.Context(), "tok", "") {
			if err != nil {
				if _, ok := errors.AsType[*clever.Error](err); !ok {
					t.Fatalf("%T: %v", err, err)
				}
				continue
			}
			for _, u := range p.Items {
				for _, s := range []string{u.ID, u.Name.First, u.Name.Last, u.Email} {
					if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
						t.Fatalf("%q cannot be stored", s)
					}
				}
			}
		}
	})
}

// answers gives every request the same body without a network, for speed.
type answers string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(a))),
	}, nil
}
