package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
)

// browser is a district admin's, as far as HTTP goes: it keeps cookies over the deaths of consoles and follows
// redirects only to sign in.
type browser struct {
	http    *http.Client
	console string // http://host:port
	home    string // of the view worn
}

// visit signs the district's admin in at a console.
func (w *world) visit(ctx context.Context, address string) (*browser, error) {
	return w.visitAs(ctx, address, w.admin())
}

// visitAs signs somebody in at a console.
func (w *world) visitAs(ctx context.Context, address, email string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("visit: %w", err)
	}
	// Each request has a connection of its own: one that a dead console left must not be what the next one fails by.
	transport := &http.Transport{DisableKeepAlives: true}
	b := &browser{console: "http://" + address, home: "/d/" + w.clever.DistrictID() + "/district_admin/", http: &http.Client{Jar: jar, Timeout: patience, Transport: transport}}
	for _, to := range []string{w.cleverURL + "/signin?as=" + url.QueryEscape(email), b.console + "/signin/clever"} {
		status, _, err := b.get(ctx, to)
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("sign in: status %d: %w", status, err)
		}
	}
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b, nil
}

// admin is the address of somebody who is a district admin, and whom no edit touches.
func (w *world) admin() string {
	for _, p := range w.clever.People() {
		if p.ID == sandbox.DistrictAdminUserID {
			return p.Email
		}
	}
	return ""
}

func (b *browser) get(ctx context.Context, address string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	res, err := b.do(req)
	return res.status, res.body, err
}

// answer is what came back, whole.
type answer struct {
	status int
	to     string // where it leads
	body   []byte
}

func (b *browser) post(ctx context.Context, path string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.console+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

func (b *browser) do(req *http.Request) (answer, error) {
	res, err := b.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header.Get("Location"), body}, err
}

// button reads the form of a page as a browser would send it unchanged.
func button(page []byte) (path string, fields url.Values, err error) {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
	if err != nil {
		return "", nil, fmt.Errorf("read page: %w", err)
	}
	form := doc.Find(`main form[method="post"]`).First()
	if form.Length() == 0 {
		return "", nil, errors.New("read page: there is no form on it")
	}
	fields = url.Values{}
	form.Find("input[name]").Each(func(_ int, s *goquery.Selection) {
		_, checked := s.Attr("checked")
		if kind := s.AttrOr("type", ""); kind != "radio" && kind != "checkbox" || checked {
			fields.Add(s.AttrOr("name", ""), s.AttrOr("value", ""))
		}
	})
	return form.AttrOr("action", ""), fields, nil
}

// deed is one change that a person has previewed: pressing its button makes it, once.
type deed struct {
	path   string
	fields url.Values
}

func (d deed) token() string { return d.fields.Get("token") }

// deeds are the ways to prepare a change of each kind.
var deeds = []func(*world, context.Context, *browser, *base) (deed, error){(*world).override}

// override prepares an override of a random permission of somebody at a school.
func (w *world) override(ctx context.Context, b *browser, on *base) (deed, error) {
	acts := []string{"grades.edit", "reports.view", "devices.manage", "support.assist"}
	for range 20 {
		var user int64
		var school string
		err := on.look.QueryRow(ctx, `SELECT g.user_id, h.clever_id FROM role_grants g JOIN role_grant_schools s USING (district_id, user_id)
			JOIN schools h ON h.district_id = s.district_id AND h.id = s.school_id
			WHERE g.ended_at IS NULL AND s.ended_at IS NULL AND g.role = 'teacher' ORDER BY md5(g.user_id || $1) LIMIT 1`, fmt.Sprint(w.random.Uint64())).Scan(&user, &school)
		if err != nil {
			return deed{}, fmt.Errorf("choose somebody: %w", err)
		}
		a, err := b.post(ctx, b.home+"overrides/preview", url.Values{
			"user": {fmt.Sprint(user)}, "effect": {"allow"}, "permission": {acts[w.random.IntN(len(acts))]}, "place": {"school:" + school},
			"reason": {"covering"}, "note": {"Covers"}, "end": {"date"}, "date": {w.now().AddDate(0, 1, 0).Format(time.DateOnly)},
		})
		switch {
		case err == nil && a.status == http.StatusOK:
			path, fields, err := button(a.body)
			return deed{path, fields}, err
		case err != nil || a.status != http.StatusUnprocessableEntity: // they may have just that already
			return deed{}, fmt.Errorf("%w: an override's preview was answered with status %d: %w", errBroken, a.status, err)
		}
	}
	return deed{}, errors.New("nobody is left to prepare an override for")
}

// outcome is what became of a deed as far as whoever pressed the button can tell.
type outcome int

const (
	unknown outcome = iota // no answer, or one that does not say
	made
	refused
)

// press presses a deed's button.
func (b *browser) press(ctx context.Context, d deed) (outcome, error) {
	a, err := b.post(ctx, d.path, d.fields)
	switch {
	case err != nil:
		return unknown, nil //nolint:nilerr // nobody answered: that is the outcome
	case a.status == http.StatusSeeOther && !strings.HasPrefix(a.to, "/signin"):
		return made, nil
	case a.status == http.StatusConflict || a.status == http.StatusUnprocessableEntity:
		return refused, nil
	case a.status == http.StatusServiceUnavailable:
		return unknown, nil
	}
	return unknown, fmt.Errorf("%w: a change was answered with status %d, %s", errBroken, a.status, a.to)
}

// hold looks whether a deed came out as its outcome says, and then presses the button again as a person would who saw
// no answer: it must be made once in the end, or not at all where it is refused.
func (w *world) hold(ctx context.Context, part *figure, b *browser, on *base, d deed, o outcome) error {
	count := func() (n int, err error) {
		err = on.look.QueryRow(ctx, `SELECT count(*) FROM changes WHERE token = $1`, d.token()).Scan(&n)
		return n, err
	}
	n, err := count()
	if err != nil {
		return fmt.Errorf("look for a change: %w", err)
	}
	if o == made && n != 1 || o == refused && n != 0 {
		part.Differences++
		w.find("%s: a change with outcome %d is there %d times", part.Name, o, n)
	}
	again, err := b.press(ctx, d)
	if err != nil {
		return err
	}
	after, err := count()
	if err != nil {
		return fmt.Errorf("look for a change: %w", err)
	}
	if again == unknown || again == made && after != 1 || n == 1 && (again != made || after != 1) {
		part.Differences++
		w.find("%s: a change with outcome %d, then %d, is there %d times, then %d", part.Name, o, again, n, after)
	}
	return nil
}
