package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/models/modelstest"
	"hallpass/roster"
	"hallpass/views"
)

func TestMain(m *testing.M) { os.Exit(modelstest.Run(m)) }

const (
	clientID     = "console-under-test"
	clientSecret = "0123456789abcdef"
)

// patience is how long a page may take where the time it takes is not what is tested.
const patience = 2 * time.Minute

// console is the whole thing: the console and a Clever over HTTP, and a database with two synced districts.
type console struct {
	t        *testing.T
	server   *server
	url      string
	box      *sandbox.Sandbox
	boxURL   string
	store    *models.Store
	database string // its URL as superuser, who sees past every wall
	district int64  // Hallpass id of the first district
	ahead    atomic.Int64
	log      *lines
	queued   atomic.Int64 // runs put to work
	bulks    atomic.Int64 // batches put to work
}

// bridge is the renderer that package main has.
type bridge struct{}

func (bridge) Render(w io.Writer, _ string, data any, c echo.Context) error {
	return data.(templ.Component).Render(c.Request().Context(), w)
}

// newBox is a Clever with the same districts every time.
func newBox(redirect string) (*sandbox.Sandbox, error) {
	return sandbox.New(sandbox.Options{
		Seed: 7, Users: 400, Schools: 6, Districts: 2, ClientID: clientID, ClientSecret: clientSecret,
		RedirectURLs: []string{redirect}, RateLimit: -1, Now: cleverTime,
	})
}

// cleverTime is always this moment: what Clever says of the year does not change between two sandboxes.
func cleverTime() time.Time { return time.Date(2026, time.November, 20, 14, 0, 0, 0, time.UTC) }

func newClient(boxURL, redirect string) (*clever.Client, error) {
	return clever.New(clever.Config{
		APIURL: boxURL, AuthURL: boxURL, ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirect,
		MinWait: time.Millisecond, MaxAttempts: 2, PageTimeout: patience,
	})
}

// fill migrates a database and syncs both districts into it.
func fill(ctx context.Context, url string) error {
	if _, err := models.MigrateUp(ctx, url); err != nil {
		return err
	}
	box, err := newBox("http://127.0.0.1/unused")
	if err != nil {
		return err
	}
	srv := httptest.NewServer(box.Handler())
	defer srv.Close()
	client, err := newClient(srv.URL, "http://127.0.0.1/unused")
	if err != nil {
		return err
	}
	store, err := models.Open(ctx, models.Config{URL: url})
	if err != nil {
		return err
	}
	defer store.Close()
	for _, id := range box.DistrictIDs() {
		if _, err := roster.Full(ctx, store, client, id, roster.Options{}); err != nil {
			return err
		}
	}
	return nil
}

// template names the database by what goes into it. Other processes sync what their own code makes of it.
func template() string {
	return fmt.Sprintf("handlers: two sandbox districts, seed 7, process %d, schema %s", os.Getpid(), models.SchemaHash())
}

func newConsole(t *testing.T, change ...func(*Config)) *console {
	t.Helper()
	return newConsoleOver(t, func(_ *testing.T, database string) string { return database }, change...)
}

// newConsoleOver has the store reach its database by a detour.
func newConsoleOver(t *testing.T, by func(*testing.T, string) string, change ...func(*Config)) *console {
	t.Helper()
	c := &console{t: t, log: &lines{}}
	begun := time.Now() // the clock stands still between calls of pass, however long the machine takes
	now := func() time.Time { return begun.Add(time.Duration(c.ahead.Load())) }

	srv := httptest.NewUnstartedServer(nil)
	c.url = "http://" + srv.Listener.Addr().String()
	var err error
	if c.box, err = newBox(c.url + callbackPath); err != nil {
		t.Fatal(err)
	}
	box := httptest.NewServer(c.box.Handler())
	t.Cleanup(box.Close)
	c.boxURL = box.URL
	client, err := newClient(box.URL, c.url+callbackPath)
	if err != nil {
		t.Fatal(err)
	}
	c.database = modelstest.Database(t, template(), fill)
	c.store, err = models.Open(t.Context(), models.Config{URL: by(t, c.database), Now: now, MaxConns: 8, StatementTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.store.Close)
	if c.district, err = c.store.DistrictID(t.Context(), sandbox.SeedDistrictID); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Store: c.store, Clever: client, Renderer: bridge{}, BaseURL: c.url, CookieKeys: [][]byte{[]byte(strings.Repeat("k", 32))}, Now: now,
		RequestTimeout: patience, Log: slog.New(slog.NewTextHandler(c.log, nil)),
		Enqueue:     func(context.Context, int64, int64) error { c.queued.Add(1); return errors.New("queue is down") },
		EnqueueBulk: func(context.Context, int64, int64) error { c.bulks.Add(1); return errors.New("queue is down") },
	}
	for _, f := range change {
		f(&cfg)
	}
	if c.server, err = newServer(cfg); err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = c.server.router()
	srv.Start()
	t.Cleanup(srv.Close)
	return c
}

// lines is a log to read back. A request's line is there at the latest when the same browser's next answer is.
type lines struct {
	mu   sync.Mutex
	kept strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}

// pass moves the clock.
func (c *console) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// browser is somebody's browser: it keeps cookies and follows redirects unless told otherwise.
type browser struct {
	c    *console
	jar  http.CookieJar
	http *http.Client
}

func (c *console) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &browser{c: c, jar: jar, http: &http.Client{Jar: jar}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (a answer) doc(t *testing.T) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// at is the path and query the browser ended on.
func (a answer) at() string { return a.Request.URL.RequestURI() }

func (b *browser) do(r *http.Request) answer {
	b.c.t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.c.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (b *browser) request(method, path string) *http.Request {
	b.c.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.c.url + path
	}
	r, err := http.NewRequestWithContext(b.c.t.Context(), method, path, nil)
	if err != nil {
		b.c.t.Fatal(err)
	}
	return r
}

// get follows redirects; step does not.
func (b *browser) get(path string) answer {
	b.c.t.Helper()
	return b.do(b.request(http.MethodGet, path))
}

func (b *browser) step(method, path string) answer {
	b.c.t.Helper()
	return b.stepWith(b.request(method, path))
}

func (b *browser) stepWith(r *http.Request) answer {
	b.c.t.Helper()
	once := *b
	once.http = &http.Client{Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return once.do(r)
}

// atClever signs somebody in at the sandbox, by Clever id.
func (b *browser) atClever(userID string) {
	b.c.t.Helper()
	for _, p := range b.c.box.People() {
		if p.ID == userID {
			if a := b.get(b.c.boxURL + "/signin?as=" + url.QueryEscape(p.Email)); a.StatusCode != http.StatusOK {
				b.c.t.Fatalf("sandbox sign-in of %s: status %d", p.Label, a.StatusCode)
			}
			return
		}
	}
	b.c.t.Fatalf("nobody at the sandbox has id %s", userID)
}

// submit sends a form and follows redirects.
func (b *browser) submit(path string, form url.Values) answer {
	b.c.t.Helper()
	r := b.request(http.MethodPost, path)
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// formOf is what the form of a page would send as it stands.
func formOf(t *testing.T, a answer) url.Values {
	t.Helper()
	form := url.Values{}
	a.doc(t).Find("main input").Each(func(_ int, s *goquery.Selection) {
		typ, _ := s.Attr("type")
		_, checked := s.Attr("checked")
		if typ == "hidden" || checked {
			form.Add(s.AttrOr("name", ""), s.AttrOr("value", ""))
		}
	})
	return form
}

// signedIn is a browser that came in through Clever; somebody with several views takes the one that is offered first.
func (c *console) signedIn(userID string) *browser {
	c.t.Helper()
	b := c.browser()
	b.atClever(userID)
	a := b.get("/signin/clever")
	if a.Request.URL.Path == views.ViewsPath {
		a = b.submit(views.ViewsPath, formOf(c.t, a))
	}
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.at(), "/d/") {
		c.t.Fatalf("sign-in of %s ended at %s with status %d", userID, a.at(), a.StatusCode)
	}
	return b
}

// holding is a browser with a session that was made past the door, for people whom the door would not let in.
func (c *console) holding(userID string) *browser {
	c.t.Helper()
	b := c.browser()
	t := newToken(c.district)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		id, err := tx.UserByCleverID(ctx, userID)
		if err != nil {
			return err
		}
		return tx.CreateSession(ctx, t.hash(), id, hash("made for a test"), tx.Now().Add(time.Hour))
	})
	ec := echo.New().NewContext(httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder())
	if err := c.server.cookies.setToken(ec, t); err != nil {
		c.t.Fatal(err)
	}
	u, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	b.jar.SetCookies(u, (&http.Response{Header: ec.Response().Header()}).Cookies())
	return b
}

func (c *console) write(fn func(context.Context, *models.Tx) error) {
	c.t.Helper()
	ctx := c.t.Context()
	err := c.store.As(access.System(c.district, "test")).Write(ctx, func(tx *models.Tx) error { return fn(ctx, tx) })
	if err != nil {
		c.t.Fatal(err)
	}
}

// id is the Hallpass id of a user of the first district.
func (c *console) id(userID string) (id int64) {
	c.t.Helper()
	c.write(func(ctx context.Context, tx *models.Tx) (err error) {
		id, err = tx.UserByCleverID(ctx, userID)
		return err
	})
	return id
}

// token is the session's cookie as the browser holds it.
func (b *browser) token() string {
	for _, cookie := range b.jar.Cookies(b.request(http.MethodGet, "/").URL) {
		if cookie.Name == b.c.server.cookies.sessionName {
			return cookie.Value
		}
	}
	return ""
}

// echoContext is a request of the browser as a handler sees it.
func echoContext(t *testing.T, b *browser) echo.Context {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, b.c.url+"/", nil)
	for _, cookie := range b.jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	return echo.New().NewContext(r, httptest.NewRecorder())
}

// entry is what tests look at of an audit entry.
type entry struct {
	ActorID                    *int64
	Action, Subject, RequestID string
}

// audited are the audit entries of all districts, in order.
func (c *console) audited() []entry {
	c.t.Helper()
	ctx := c.t.Context()
	conn, err := pgx.Connect(ctx, c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT actor_id, action, subject, request_id FROM audit_entries ORDER BY district_id, id`)
	if err != nil {
		c.t.Fatal(err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	if err != nil {
		c.t.Fatal(err)
	}
	return entries
}
