package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
)

// pages takes the figures of the pages: the console as the district's admin has it, signed in through the pretend
// Clever, and the bare server beside it over the same tables.
func (w *world) pages(ctx context.Context, o options) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	stopConsole, err := w.serveConsole(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopConsole()) }()
	product, err := w.signIn(ctx)
	if err != nil {
		return err
	}
	bareAddress, stopBare, err := w.serveBare(ctx, self)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopBare()) }()
	plain := site{address: bareAddress}
	views, err := w.views(ctx, o)
	if err != nil {
		return err
	}
	for _, v := range views {
		if err := compare(ctx, v, product, plain); err != nil {
			return fmt.Errorf("page %q: %w", v.name, err)
		}
	}
	w.report.pagesBegin(o)
	for _, v := range views {
		f, err := timed(ctx, o, v, product, plain)
		if err != nil {
			return fmt.Errorf("page %q: %w", v.name, err)
		}
		w.report.page(f)
	}
	w.report.pagesEnd()
	return nil
}

// site is a server to ask.
type site struct {
	address string // host:port
	base    string // path of the pages; "" for the bare server
	cookie  string // of a session
}

// request is what goes over the wire for a page, ready made.
func (s site) request(path string, gzip bool) []byte {
	text := "GET " + s.base + path + " HTTP/1.1\r\nHost: " + s.address + "\r\n"
	if s.cookie != "" {
		text += "Cookie: " + s.cookie + "\r\n"
	}
	if gzip {
		text += "Accept-Encoding: gzip\r\n"
	}
	return []byte(text + "\r\n")
}

// signIn goes the way of a person with a browser: through Clever's OAuth screens, as the district's admin.
func (w *world) signIn(ctx context.Context) (site, error) {
	return w.signInAs(ctx, w.clever.People()[0].Email)
}

// signInAs is signIn for somebody else.
func (w *world) signInAs(ctx context.Context, email string) (site, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return site{}, fmt.Errorf("sign in: %w", err)
	}
	client := &http.Client{Jar: jar}
	defer client.CloseIdleConnections()
	status, err := fetch(ctx, client, w.cleverURL+"/signin?as="+url.QueryEscape(email))
	if err != nil || status != http.StatusOK {
		return site{}, fmt.Errorf("sign in at the pretend Clever: status %d: %w", status, err)
	}
	var at *url.URL
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error { at = r.URL; return nil }
	status, err = fetch(ctx, client, w.consoleURL+"/signin/clever")
	if err != nil || status != http.StatusOK || at == nil || !strings.HasPrefix(at.Path, "/d/") {
		return site{}, fmt.Errorf("sign in: status %d at %v: %w", status, at, err)
	}
	parts := strings.SplitN(at.Path, "/", 5) // "", d, district, view, rest
	s := site{address: w.console, base: strings.Join(parts[:4], "/")}
	var cookies []string
	for _, c := range jar.Cookies(at) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	s.cookie = strings.Join(cookies, "; ")
	return s, nil
}
