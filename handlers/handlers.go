// Package handlers owns the way from a request to a page: the route table, sessions and sign-in with Clever, the
// headers every answer carries, and the one place that answers when something went wrong. A handler parses, asks
// models and fills a page of views; who may do what is decided by access, and what is true is read by models.
package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/clever"
	"hallpass/models"
)

// Config is what the console needs. Only Enqueue, the limits, the clock and the log have defaults.
type Config struct {
	Store    *models.Store
	Clever   *clever.Client
	Renderer echo.Renderer
	// Enqueue puts a requested sync to work. It is called after the request is saved, and an error is only logged:
	// the sweeper finds what was left lying. Nil leaves everything to the sweeper.
	Enqueue func(ctx context.Context, district, run int64) error

	// EnqueueImport is for a file that somebody agreed to apply or take back what Enqueue is for a sync.
	EnqueueImport func(ctx context.Context, district, id int64) error
	// EnqueueBulk is the same for a batch of suggestions.
	EnqueueBulk func(ctx context.Context, district, id int64) error

	// BaseURL is where browsers reach the console, scheme and host only. With https, cookies are Secure and HSTS is
	// sent; plain http is meant for this machine.
	BaseURL string
	// CookieKeys sign the cookies, 32 bytes or more each. The first signs, all of them verify, so that a key can be
	// replaced while people are signed in.
	CookieKeys [][]byte

	IdleLimit      time.Duration // a session unused for so long ends; default 2 h
	AbsoluteLimit  time.Duration // every session ends after so long; default 12 h
	RequestTimeout time.Duration // default 15 s
	MaxUpload      int64         // bytes of a file that comes through the page, which says 1 GB: the default
	Now            func() time.Time
	Log            *slog.Logger
}

// server is the console's state: none of it changes after New.
type server struct {
	Config
	https   bool
	cookies cookies
	said    *saidCache // of the decision API
	cross   *http.CrossOriginProtection
	pages   map[string]route // the rows with a permission that are read, by path
}

// New checks the configuration and puts the console together.
func New(c Config) (*echo.Echo, error) {
	s, err := newServer(c)
	if err != nil {
		return nil, err
	}
	return s.router(), nil
}

func newServer(c Config) (*server, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.Path != "" && base.Path != "/" {
		return nil, errors.New("base URL: want http:// or https:// with a host and nothing after it")
	}
	if c.Store == nil || c.Clever == nil || c.Renderer == nil {
		return nil, errors.New("store, Clever client and renderer are all needed")
	}
	if len(c.CookieKeys) == 0 {
		return nil, errors.New("cookie keys: at least one is needed")
	}
	for i, key := range c.CookieKeys {
		if len(key) < 32 {
			return nil, fmt.Errorf("cookie key %d: %d bytes, at least 32 are needed", i+1, len(key))
		}
	}
	defaultTo(&c.IdleLimit, 2*time.Hour)
	defaultTo(&c.AbsoluteLimit, 12*time.Hour)
	defaultTo(&c.RequestTimeout, 15*time.Second)
	defaultTo(&c.MaxUpload, maxUpload)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{Config: c, https: base.Scheme == "https", cross: http.NewCrossOriginProtection(), said: newSaidCache()}
	s.cookies = newCookies(c.CookieKeys, s.https)
	s.pages = map[string]route{}
	for _, r := range s.routes() {
		if r.method == http.MethodGet && r.page != nil {
			s.pages[r.path] = r
		}
	}
	// A proxy may rewrite Host; the address people type is ours all the same.
	if err := s.cross.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	return s, nil
}

func (s *server) router() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Renderer = s.Renderer
	e.HTTPErrorHandler = s.answerError
	e.Use(s.observe, s.secure, compress(), limitBody, s.limitTime, s.refuseCrossOrigin)
	for _, r := range s.routes() {
		h := r.open
		if r.page != nil {
			h = s.visited(r)
		}
		e.Add(r.method, r.path, h)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, h)
		}
	}
	return e
}

func defaultTo[T ~int64](d *T, v T) {
	if *d <= 0 {
		*d = v
	}
}
