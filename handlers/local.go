package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"hallpass/views"
)

// maxPath bounds an address to come back to: cookies hold about 4,000 bytes.
const maxPath = 1500

// local gives an address back if it leads to this host and nowhere else, and otherwise "". Browsers read "//host"
// and "/\host" as another host, and drop tabs and newlines from within addresses.
func local(to string) string {
	if len(to) == 0 || len(to) > maxPath || to[0] != '/' || len(to) > 1 && (to[1] == '/' || to[1] == '\\') {
		return ""
	}
	if strings.ContainsRune(to, '\\') || strings.ContainsFunc(to, unicode.IsControl) || !utf8.ValidString(to) {
		return ""
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	return to
}

// landing is local, for the pages of a district only: nothing else is worth keeping through a sign-in.
func landing(to string) string {
	if to = local(to); strings.HasPrefix(to, "/d/") && !strings.Contains(to, "/../") {
		return to
	}
	return ""
}

// text is what may be made of text that came with a request: valid, without control characters, and at most max
// letters of it.
func text(s string, maxLetters int) string {
	if len(s) > 8*maxLetters {
		s = s[:8*maxLetters]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r == 0 {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if letters := []rune(s); len(letters) > maxLetters {
		s = string(letters[:maxLetters])
	}
	return strings.TrimSpace(s)
}

// maxID is longer than any id that Clever or Hallpass makes.
const maxID = 100

// pathID is an id from the path. ok is false for what cannot be one, and would only upset the database.
func pathID(c echo.Context) (id string, ok bool) {
	id = c.Param("id")
	if strings.Contains(id, "%") { // the router matched the escaped path
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
	}
	return id, id != "" && len(id) <= maxID && text(id, maxID) == id
}

// chooseLanguage and chooseTheme remember a choice in a cookie and go back. They change nothing but this browser.
func (s *server) chooseLanguage(c echo.Context) error {
	return s.choose(c, langCookie, views.Languages)
}

func (s *server) chooseTheme(c echo.Context) error {
	return s.choose(c, themeCookie, []string{"light", "dark", "system"})
}

// chooseKeys turns shortcuts of single letters on or off: they are off until somebody wants them.
func (s *server) chooseKeys(c echo.Context) error {
	return s.choose(c, keysCookie, []string{"on", "off"})
}

func (s *server) choose(c echo.Context, name string, known []string) error {
	if to := c.QueryParam("to"); slices.Contains(known, to) {
		s.cookies.setChoice(c, name, to)
	}
	back := local(c.QueryParam("back"))
	if back == "" {
		back = "/"
	}
	return c.Redirect(http.StatusSeeOther, back)
}
