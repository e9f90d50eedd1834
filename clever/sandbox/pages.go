package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed sandbox.css
var css []byte

//go:embed *.gohtml
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "*.gohtml"))

// view is what the sandbox's few pages show.
type view struct {
	Title    string
	Error    string
	Signed   *shown
	People   []shown
	Carry    []carry // hidden fields that keep the request
	Action   string
	Portal   string
	District string
}

type shown struct{ Name, Email, Label, ID string }

type carry struct{ Name, Value string }

func page(w http.ResponseWriter, status int, html string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html)) // the browser has gone; there is nobody to tell
}

func (s *Sandbox) show(w http.ResponseWriter, status int, name string, v view) {
	s.draw(w, status, name, v)
}

func (s *Sandbox) draw(w http.ResponseWriter, status int, name string, v any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	page(w, status, b.String())
}

func (s *Sandbox) oops(w http.ResponseWriter, status int, sentence string) {
	s.show(w, status, "oops", view{Title: "This did not work", Error: sentence})
}

func show(p person) *shown {
	name := p.name
	if name == "" {
		name = p.id
	}
	return &shown{Name: name, Email: p.email, ID: p.id}
}

// chooser is the sign-in screen: the named people, and a field for any email.
func (s *Sandbox) chooser(w http.ResponseWriter, r *http.Request, status int, q url.Values, problem string) {
	v := view{Title: "Who is signing in?", Error: problem, Action: r.URL.Path}
	for _, key := range []string{"response_type", "client_id", "redirect_uri", "state", "nonce", "district_id"} {
		if q.Has(key) {
			v.Carry = append(v.Carry, carry{key, q.Get(key)})
		}
	}
	if p, ok := s.signedIn(r); ok {
		v.Signed = show(p)
	}
	for _, d := range s.districts {
		if want := q.Get("district_id"); want != "" && want != d.id {
			continue
		}
		for _, p := range d.people {
			v.People = append(v.People, shown{Name: p.Name, Email: p.Email, Label: p.Label, ID: p.ID})
		}
	}
	s.show(w, status, "chooser", v)
}

// serveSignIn sets who is signed in at the sandbox: GET /signin?as=email. The
// real Clever has nothing like it.
func (s *Sandbox) serveSignIn(w http.ResponseWriter, r *http.Request) {
	as := r.FormValue("as")
	if as == "" {
		s.chooser(w, r, http.StatusOK, r.URL.Query(), "")
		return
	}
	p, ok := s.lookUp(as, r.FormValue("district_id"))
	if !ok {
		s.chooser(w, r, http.StatusNotFound, r.URL.Query(), "Nobody has that email address.")
		return
	}
	s.setCookie(w, r, p)
	s.show(w, http.StatusOK, "signedin", view{Title: "Signed in at the sandbox", Signed: show(p), Portal: "/portal"})
}

func (s *Sandbox) serveSignOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
	s.show(w, http.StatusOK, "signedout", view{Title: "Signed out of the sandbox"})
}

// servePortal is the page of app icons.
func (s *Sandbox) servePortal(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(r)
	if !ok {
		http.Redirect(w, r, "/signin", http.StatusFound)
		return
	}
	q := url.Values{"client_id": {s.opt.ClientID}, "district_id": {p.district.id}}
	s.show(w, http.StatusOK, "portal", view{
		Title: "Portal", Signed: show(p), District: p.district.name,
		Portal: "/oauth/instant-login?" + q.Encode(),
	})
}

func serveCSS(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css) // the browser has gone; there is nobody to tell
}
