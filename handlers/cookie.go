package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"
)

// cookies keeps what a browser remembers. Two cookies are signed: the session's, which carries the token and nothing
// else, and the sign-in's, which lives from the door to Clever and back.
type cookies struct {
	session, signIn         *sessions.CookieStore
	sessionName, signInName string
	secure                  bool
}

// signInLife is how long someone may take at Clever.
const signInLife = 10 * time.Minute

func newCookies(keys [][]byte, secure bool) cookies {
	var pairs [][]byte
	for _, k := range keys {
		pairs = append(pairs, k, nil) // signed, not encrypted: neither holds anything but random text and a path
	}
	prefix := ""
	if secure {
		prefix = "__Host-" // the browser then refuses to have it set by another host or over plain http
	}
	c := cookies{
		session: sessions.NewCookieStore(pairs...), signIn: sessions.NewCookieStore(pairs...),
		sessionName: prefix + "hallpass", signInName: prefix + "hallpass-signin", secure: secure,
	}
	// The session's limits are the database's business. The cookie goes when the browser closes, because devices are
	// shared.
	c.session.MaxAge(0)
	c.signIn.MaxAge(int(signInLife / time.Second))
	for _, store := range []*sessions.CookieStore{c.session, c.signIn} {
		store.Options.HttpOnly, store.Options.Secure = true, secure
		store.Options.SameSite = http.SameSiteLaxMode // Strict would be withheld on the way back from Clever
		for _, codec := range store.Codecs {
			if signed, ok := codec.(*securecookie.SecureCookie); ok {
				signed.SetSerializer(plainValues{})
			}
		}
	}
	return c
}

// plainValues writes a cookie's values, texts all of them, as a query string. The store's own way, gob, describes its
// types in every cookie, and reading it takes longer than anything else that a page does before it asks the database.
type plainValues struct{}

// Serialize implements securecookie.Serializer.
func (plainValues) Serialize(src any) ([]byte, error) {
	values, ok := src.(map[any]any)
	if !ok {
		return nil, errors.New("cookie: not the values of a session")
	}
	written := url.Values{}
	for name, value := range values {
		n, isText := name.(string)
		v, alsoText := value.(string)
		if !isText || !alsoText {
			return nil, errors.New("cookie: a value is no text")
		}
		written.Set(n, v)
	}
	return []byte(written.Encode()), nil
}

// Deserialize implements securecookie.Serializer.
func (plainValues) Deserialize(src []byte, dst any) error {
	values, ok := dst.(*map[any]any)
	if !ok {
		return errors.New("cookie: not the values of a session")
	}
	read, err := url.ParseQuery(string(src))
	if err != nil {
		return errors.New("cookie: not as it was written")
	}
	*values = make(map[any]any, len(read))
	for name := range read {
		(*values)[name] = read.Get(name)
	}
	return nil
}

// token is a session as its browser holds it: the Hallpass id of the district, because no session can be looked up
// outside of one, and 32 random bytes.
type token struct {
	district int64
	text     string // "" is no token
}

const tokenBytes = 32

func newToken(district int64) token {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	return token{district, strconv.FormatInt(district, 10) + "." + base64.RawURLEncoding.EncodeToString(random)}
}

func parseToken(text string) token {
	district, random, _ := strings.Cut(text, ".")
	id, err := strconv.ParseInt(district, 10, 64)
	if err != nil || id <= 0 || len(random) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return token{}
	}
	return token{id, text}
}

// hash is what the database knows of the token.
func (t token) hash() []byte { return hash(t.text) }

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// token reads the session's cookie; one that is absent, forged or damaged is no token.
func (k cookies) token(c echo.Context) token {
	stored, _ := k.session.New(c.Request(), k.sessionName)
	text, _ := stored.Values["token"].(string)
	return parseToken(text)
}

func (k cookies) setToken(c echo.Context, t token) error {
	stored := sessions.NewSession(k.session, k.sessionName)
	stored.Options = k.session.Options
	stored.Values["token"] = t.text
	return k.session.Save(c.Request(), c.Response(), stored)
}

func (k cookies) dropToken(c echo.Context) { k.drop(c, k.sessionName) }

// signIn is a sign-in under way.
type signIn struct {
	state     string    // what Clever must bring back; "" when none is under way
	next      string    // where to go afterwards, a local path
	restarted time.Time // when it began because of an arrival without state
}

// takeSignIn reads the sign-in under way and forgets it: a state is good for one callback.
func (k cookies) takeSignIn(c echo.Context) signIn {
	if _, err := c.Request().Cookie(k.signInName); err == nil {
		k.drop(c, k.signInName)
	}
	return k.signInUnderWay(c)
}

// signInUnderWay reads the sign-in and leaves it.
func (k cookies) signInUnderWay(c echo.Context) signIn {
	stored, err := k.signIn.New(c.Request(), k.signInName)
	if err != nil || stored.IsNew {
		return signIn{}
	}
	var in signIn
	in.state, _ = stored.Values["state"].(string)
	in.next, _ = stored.Values["next"].(string)
	if text, ok := stored.Values["restarted"].(string); ok {
		if at, err := strconv.ParseInt(text, 10, 64); err == nil {
			in.restarted = time.Unix(at, 0)
		}
	}
	return in
}

func (k cookies) setSignIn(c echo.Context, in signIn) error {
	stored := sessions.NewSession(k.signIn, k.signInName)
	stored.Options = k.signIn.Options
	stored.Values["state"], stored.Values["next"] = in.state, in.next
	if !in.restarted.IsZero() {
		stored.Values["restarted"] = strconv.FormatInt(in.restarted.Unix(), 10)
	}
	// A sign-in forgotten and begun anew in one answer leaves one cookie, not two.
	dropSetCookie(c.Response().Header(), k.signInName)
	return k.signIn.Save(c.Request(), c.Response(), stored)
}

func (k cookies) drop(c echo.Context, name string) {
	dropSetCookie(c.Response().Header(), name)
	http.SetCookie(c.Response(), &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: k.secure, SameSite: http.SameSiteLaxMode,
	})
}

// setChoice remembers a preference for a year.
func (k cookies) setChoice(c echo.Context, name, value string) {
	http.SetCookie(c.Response(), &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: k.secure, SameSite: http.SameSiteLaxMode,
	})
}

func choice(c echo.Context, name string) string {
	if cookie, err := c.Request().Cookie(name); err == nil {
		return cookie.Value
	}
	return ""
}

func dropSetCookie(h http.Header, name string) {
	kept := h.Values("Set-Cookie")[:0:0]
	for _, line := range h.Values("Set-Cookie") {
		if !strings.HasPrefix(line, name+"=") {
			kept = append(kept, line)
		}
	}
	h.Del("Set-Cookie")
	for _, line := range kept {
		h.Add("Set-Cookie", line)
	}
}
