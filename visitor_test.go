package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// running is a command at work in this process.
type running struct {
	text   string // what it had printed when it was ready
	cancel context.CancelFunc
	ended  chan error
}

// begin returns when the command has printed a line with ready in it.
func begin(args []string, ready string) (*running, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, ended: make(chan error, 1)}
	out, in := io.Pipe()
	var warnings strings.Builder
	go func() {
		err := run(ctx, args, in, &warnings)
		in.CloseWithError(errors.Join(io.EOF, err))
		r.ended <- err
	}()
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), ready) {
			r.text = text.String()
			go func() { _, _ = io.Copy(io.Discard, out) }() // whatever else it says must not block it
			return r, nil
		}
	}
	cancel()
	return nil, fmt.Errorf("%s ended without saying %q: %w\n%s%s", args[0], ready, <-r.ended, text.String(), warnings.String())
}

// stop is Ctrl-C.
func (r *running) stop() error {
	r.cancel()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(patience):
		return fmt.Errorf("still at work %s after it was told to stop", patience)
	}
}

// invented is a demo: where it is, and who its table says can sign in.
type invented struct {
	*running
	console, clever string
	people          []invitee
}

type invitee struct{ label, name, email string }

func (d *invented) email(label string) string {
	for _, p := range d.people {
		if p.label == label {
			return p.email
		}
	}
	return ""
}

var (
	consoleLine = regexp.MustCompile(`(?m)^Hallpass is at (http://\S+)$`)
	cleverLine  = regexp.MustCompile(`(?m)^The pretend Clever is at (http://[^\s;]+);`)
	inviteeLine = regexp.MustCompile(`(?m)^  (\S.*?) {2,}(\S.*?) {2,}(\S+@\S+)$`)
)

// invent runs a demo on addresses that are free, and reads what it prints as a person or a script would.
func invent(args ...string) (*invented, error) {
	r, err := begin(append([]string{"demo", "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0"}, args...), "Stop with Ctrl-C.")
	if err != nil {
		return nil, err
	}
	d := &invented{running: r}
	for _, line := range []struct {
		of *regexp.Regexp
		to *string
	}{{consoleLine, &d.console}, {cleverLine, &d.clever}} {
		found := line.of.FindStringSubmatch(r.text)
		if found == nil {
			return nil, errors.Join(fmt.Errorf("no line %s in:\n%s", line.of, r.text), r.stop())
		}
		*line.to = found[1]
	}
	for _, found := range inviteeLine.FindAllStringSubmatch(r.text, -1) {
		d.people = append(d.people, invitee{found[1], found[2], found[3]})
	}
	return d, nil
}

// shared is the one demo that most tests visit: a cluster and a sync for each would take minutes.
var shared struct {
	once gosync.Once
	demo *invented
	err  error
}

func sharedDemo(t testing.TB) *invented {
	t.Helper()
	shared.once.Do(func() { shared.demo, shared.err = invent("--users", "600") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.demo
}

func stopSharedDemo() error {
	if shared.demo == nil {
		return nil
	}
	if err := shared.demo.stop(); err != nil {
		return fmt.Errorf("demo stopped: %w", err)
	}
	return nil
}

// visitor is somebody's browser, as far as HTTP goes: it keeps cookies and follows redirects.
type visitor struct {
	t               *testing.T
	http            *http.Client
	console, clever string
}

func newVisitor(t *testing.T, console, clever string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, http: &http.Client{Jar: jar, Timeout: patience}, console: console, clever: clever}
}

// sight is a page as it came.
type sight struct {
	*goquery.Document
	status int
	at     *url.URL
}

func (s sight) path() string { return s.at.Path }

// words of what the selector finds, with single spaces.
func (s sight) words(selector string) string { return words(s.Find(selector)) }

func words(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

func (v *visitor) get(address string) sight {
	v.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.console + address
	}
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return sight{doc, resp.StatusCode, resp.Request.URL}
}

// signIn is the way for scripts: two requests.
func (v *visitor) signIn(email string) sight {
	v.t.Helper()
	if p := v.get(v.clever + "/signin?as=" + url.QueryEscape(email)); p.status != http.StatusOK {
		v.t.Fatalf("nobody at the sandbox has the address %s", email)
	}
	return v.get("/signin/clever")
}

// visit is a visitor of the shared demo who has come in as one of those in its table.
func visit(t *testing.T, label string) (*visitor, sight) {
	t.Helper()
	d := sharedDemo(t)
	v := newVisitor(t, d.console, d.clever)
	return v, v.signIn(d.email(label))
}
