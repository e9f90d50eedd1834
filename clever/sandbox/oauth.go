package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	codeLife  = time.Minute
	tokenLife = 24 * time.Hour
	// cookieName is the sandbox's own: cookies do not tell ports apart, and the
	// console may run on the same host.
	cookieName = "clever_sandbox"
)

// grant is a code that can be exchanged once.
type grant struct {
	caller
	redirect string
	nonce    string
	until    time.Time
}

// userToken is a sign-in's token.
type userToken struct {
	caller
	until time.Time
}

// basic checks the app's client id and secret.
func (s *Sandbox) basic(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	return ok && subtle.ConstantTimeCompare([]byte(id), []byte(s.opt.ClientID)) == 1 &&
		subtle.ConstantTimeCompare([]byte(secret), []byte(s.opt.ClientSecret)) == 1
}

func oauthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// serveTokens lists district tokens (GET) and exchanges codes (POST).
func (s *Sandbox) serveTokens(w http.ResponseWriter, r *http.Request) {
	if !s.basic(r) {
		w.Header().Set("WWW-Authenticate", "Basic")
		oauthError(w, http.StatusUnauthorized, "invalid_client", "client id or secret is wrong")
		return
	}
	if r.Method == http.MethodPost {
		s.exchange(w, r)
		return
	}
	q := r.URL.Query()
	if q.Has("owner_type") && q.Get("owner_type") != "district" || !q.Has("owner_type") && !q.Has("district") {
		oauthError(w, http.StatusBadRequest, "invalid_request", "owner_type must be district")
		return
	}
	scopes := []string{
		"read:district_admins", "read:districts", "read:school_admins", "read:schools", "read:sections",
		"read:student_contacts", "read:students", "read:teachers", "read:user_id",
	}
	data := []map[string]any{}
	for _, d := range s.districts {
		l := d.linked.Load()
		if want := q.Get("district"); want != "" && want != d.id || !l.listed {
			continue
		}
		data = append(data, map[string]any{
			"id": d.users.ids.id(0)[:18] + "70ce01", "created": l.made,
			"owner": map[string]string{"type": "district", "id": d.id}, "access_token": l.token, "scopes": scopes,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data, "links": []link{{"self", r.URL.RequestURI()}}})
}

// exchange trades a code for a user token. The body may be a form or JSON, and
// its Content-Type must say which.
func (s *Sandbox) exchange(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Code     string `json:"code"`
		Grant    string `json:"grant_type"`
		Redirect string `json:"redirect_uri"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json":
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			oauthError(w, http.StatusBadRequest, "invalid_request", "the body is not JSON")
			return
		}
	case kind == "application/x-www-form-urlencoded" && r.ParseForm() == nil:
		in.Code, in.Grant, in.Redirect = r.PostForm.Get("code"), r.PostForm.Get("grant_type"), r.PostForm.Get("redirect_uri")
	default:
		oauthError(w, http.StatusBadRequest, "invalid_request", "the content type does not match the body")
		return
	}
	if in.Grant != "authorization_code" {
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "grant_type must be authorization_code")
		return
	}
	now := s.opt.Now()
	token := "il" + rand.Text()
	s.mu.Lock()
	g, ok := s.grants[in.Code]
	delete(s.grants, in.Code) // whatever comes of it, a code is good for one try
	ok = ok && !now.After(g.until) && g.redirect == in.Redirect
	if ok {
		if len(s.tokens) > 10000 {
			for k, t := range s.tokens {
				if now.After(t.until) {
					delete(s.tokens, k)
				}
			}
		}
		s.tokens[token] = userToken{g.caller, now.Add(tokenLife)}
	}
	s.mu.Unlock()
	if !ok {
		oauthError(w, http.StatusBadRequest, "invalid_grant", "invalid code")
		return
	}
	answer := map[string]string{"access_token": token, "token_type": "bearer"}
	if s.opt.OIDC {
		id, err := s.idToken(r, g)
		if err != nil {
			oauthError(w, http.StatusInternalServerError, "server_error", "no ID token")
			return
		}
		answer["id_token"] = id
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// tokenInfo says which app a token belongs to.
func (s *Sandbox) tokenInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, ok := s.callerOf(token); !ok {
		s.fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"client_id": s.opt.ClientID, "scopes": []string{"read:user_id"}})
}

// issue makes a code for a person and sends the browser back with it.
func (s *Sandbox) issue(w http.ResponseWriter, r *http.Request, p person, redirect, state, nonce string) {
	now := s.opt.Now()
	code := rand.Text()
	s.mu.Lock()
	for k, g := range s.grants {
		if now.After(g.until) {
			delete(s.grants, k)
		}
	}
	s.grants[code] = grant{caller{p.district, p.id, p.role()}, redirect, nonce, now.Add(codeLife)}
	s.mu.Unlock()
	back(w, r, redirect, url.Values{"code": {code}, "scope": {"read:user_id"}}, state)
}

// back redirects to the app. A sign-in that Clever started has no state.
func back(w http.ResponseWriter, r *http.Request, redirect string, q url.Values, state string) {
	if state != "" {
		q.Set("state", state)
	}
	u, err := url.Parse(redirect)
	if err != nil {
		http.Error(w, "the redirect URI is not a URL", http.StatusBadRequest)
		return
	}
	maps.Copy(q, u.Query())
	u.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, u.String(), http.StatusFound)
}

// serveAuthorize is where the app sends a browser to sign in.
func (s *Sandbox) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.oops(w, http.StatusBadRequest, "This request cannot be read.")
		return
	}
	q := r.Form
	redirect := q.Get("redirect_uri")
	switch {
	case q.Get("client_id") != s.opt.ClientID:
		s.oops(w, http.StatusBadRequest, "No app has this client id.")
		return
	case !slices.Contains(s.opt.RedirectURLs, redirect):
		// Never redirect to an address that nobody registered.
		s.oops(w, http.StatusBadRequest, "This redirect URI is not registered for the app.")
		return
	case q.Get("response_type") != "code":
		back(w, r, redirect, url.Values{"error": {"unsupported_response_type"}, "error_description": {"response_type must be code"}}, q.Get("state"))
		return
	}
	want := q.Get("district_id")
	if r.Method == http.MethodPost {
		p, ok := s.lookUp(q.Get("as"), want)
		if !ok {
			s.chooser(w, r, http.StatusNotFound, q, "Nobody in this district has that email address.")
			return
		}
		s.setCookie(w, r, p)
		s.issue(w, r, p, redirect, q.Get("state"), q.Get("nonce"))
		return
	}
	p, ok := s.signedIn(r)
	if !ok || want != "" && want != p.district.id || q.Get("confirmed") == "false" {
		s.chooser(w, r, http.StatusOK, q, "")
		return
	}
	if q.Get("return_unshared") == "true" && p.roles == 0 {
		back(w, r, redirect, url.Values{"error": {"unauthorized-user"}, "error_description": {"this user is not shared with the app"}}, q.Get("state"))
		return
	}
	s.issue(w, r, p, redirect, q.Get("state"), q.Get("nonce"))
}

// serveInstantLogin is the link that districts put on their own pages. Like the
// portal it ends at the first redirect URI, with a code and no state.
func (s *Sandbox) serveInstantLogin(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Form.Get("client_id") != s.opt.ClientID {
		s.oops(w, http.StatusBadRequest, "No app has this client id.")
		return
	}
	q := r.Form
	p, ok := s.signedIn(r)
	if r.Method == http.MethodPost {
		if p, ok = s.lookUp(q.Get("as"), q.Get("district_id")); ok {
			s.setCookie(w, r, p)
		}
	} else if want := q.Get("district_id"); want != "" && ok && p.district.id != want {
		ok = false
	}
	if !ok {
		s.chooser(w, r, http.StatusOK, q, "")
		return
	}
	if len(s.opt.RedirectURLs) == 0 {
		s.oops(w, http.StatusConflict, "The app has no redirect URI.")
		return
	}
	s.issue(w, r, p, s.opt.RedirectURLs[0], "", "")
}

func (s *Sandbox) setCookie(w http.ResponseWriter, r *http.Request, p person) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: p.id, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
}
