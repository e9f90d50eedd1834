package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The names of browsers that .ci/install looks for too.
var chromiumNames = []string{
	"headless_shell", "headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// chromium is the one browser of this test process; each window is a guest in it, with cookies of its own.
var chromium struct {
	once  gosync.Once
	ctx   context.Context
	close context.CancelFunc
	err   error
}

func openChromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range chromiumNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const none = "no Chromium or Chrome on this machine: make setup-test installs one"
		if os.Getenv("CI") == "true" {
			t.Fatal(none)
		}
		t.Skip(none)
	}
	chromium.once.Do(func() {
		// A profile of its own, empty and removed at the end: chromedp makes one where none is named.
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"),
		)
		ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, closeTab := chromedp.NewContext(ctx)
		chromium.ctx, chromium.close = ctx, func() { closeTab(); stop() }
		chromium.err = chromedp.Do(ctx)
	})
	if chromium.err != nil {
		t.Fatalf("start %s: %v", path, chromium.err)
	}
	return chromium.ctx
}

func closeChromium() error {
	if chromium.ctx == nil {
		return nil
	}
	err := chromedp.Cancel(chromium.ctx)
	chromium.close()
	return err
}

// window is a browser window that somebody looks at. Whatever goes wrong in it is a fault: an error on the console,
// a breach of the content security policy, a request that failed.
type window struct {
	t   *testing.T
	ctx context.Context

	mu       gosync.Mutex
	faults   []string
	expected map[int64]bool // statuses that the next pages may have
	planted  bool           // the faults are the test's own
}

// patience is for machines that are busy with something else: only a test that fails waits so long.
const patience = 2 * time.Minute

type action = chromedp.Action[chromedp.Void]

// command is one of the protocol's, as an action.
func command[P, R any](c cdp.Command[P, R], params P) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func withoutScript(without bool) action {
	return command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: without})
}

// dress is a screen's size and a colour scheme.
func dress(width, height int64, scheme string) action {
	phone := width < 600
	return chromedp.Steps(
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: phone}),
		command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: phone}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
	)
}

// openWindow is of a new guest, 1280 pixels wide, in the light.
func openWindow(t *testing.T) *window {
	t.Helper()
	return newWindow(t, openChromium(t), chromedp.WithNewBrowserContext())
}

// tab is another window of the same guest.
func (w *window) tab() *window {
	w.t.Helper()
	return newWindow(w.t, w.ctx)
}

func newWindow(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *window {
	t.Helper()
	w := &window{t: t, expected: map[int64]bool{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(w.watch))...)
	w.ctx = ctx
	t.Cleanup(func() {
		cancel()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, fault := range w.faults {
			if w.planted {
				break
			}
			t.Errorf("in the browser: %s", fault)
		}
	})
	// The first call makes the window, for as long as its context lasts: no deadline here.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open window: %v", err)
	}
	w.do(command(network.Enable, network.EnableParams{}), command(cdplog.Enable, cdp.Empty{}), command(audits.Enable, cdp.Empty{}), dress(1280, 900, "light")) //nolint:contextcheck // a window carries the context of its own
	return w
}

func (w *window) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.fault("exception: %s", explain(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var said []string
			for _, arg := range e.Args {
				said = append(said, string(arg.Value)+arg.Description)
			}
			w.fault("console: %s", strings.Join(said, " "))
		}
	case *cdplog.EventEntryAdded:
		// A page that was to be an error is one for the log as well; EventResponseReceived judges those.
		if (e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning) && e.Entry.Source != cdplog.EntrySourceNetwork {
			w.fault("log (%s): %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
			said, _ := json.Marshal(e.Issue.Details)
			w.fault("content security policy: %s", said)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled { // search-as-you-type drops the question before the last
			w.fault("request of a %s failed: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		if status := e.Response.Status; status >= 400 && !w.mayBe(status) {
			w.fault("status %d: %s", status, e.Response.URL)
		}
	}
}

func (w *window) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

func (w *window) mayBe(status int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.expected[status]
}

// expect says which statuses are no fault from now on.
func (w *window) expect(statuses ...int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.expected)
	for _, status := range statuses {
		w.expected[status] = true
	}
}

func explain(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func (w *window) do(steps ...action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%v\nat %s", err, w.place())
	}
}

// place says where the window is, for messages.
func (w *window) place() string {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + " " + document.title + "\n" + document.body.innerText.slice(0, 1500)`))
	if err != nil {
		return err.Error()
	}
	return said
}

// open goes to an address, a path of the demo's console or a whole one.
func (w *window) open(address string) {
	w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = sharedDemo(w.t).console + address
	}
	w.do(chromedp.Navigate(address))
}

// ask is the value of an expression in the page. It works with scripts switched off as well: those of the page are.
func ask[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s: %v\nat %s", expression[:min(len(expression), 200)], err, w.place())
	}
	return value
}

// until waits for an expression to become true, whatever pages come and go meanwhile.
func (w *window) until(expression string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+expression+`)`))
		if err == nil && is {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("it never comes true that %s (%v)\nat %s", expression, err, w.place())
		}
	}
}

// still is when nothing moves or fades any more: the mouse would miss it, and its colours would be those of a moment.
const still = `document.getAnimations().every(a => a.playState !== "running")`

// press clicks the first thing the selector finds, with the mouse, and waits for an expression to come true.
func (w *window) press(selector, then string) {
	w.t.Helper()
	w.until(still)
	w.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	w.until(then)
}

// saw fails the test unless the text of what the selector finds first is as said.
func (w *window) saw(selector, want string) {
	w.t.Helper()
	got := ask[string](w, `(document.querySelector(`+asJSON(selector)+`)?.innerText ?? "nothing there").replace(/\s+/g, " ").trim()`)
	if got != want {
		w.t.Errorf("%s reads %q, want %q", selector, got, want)
	}
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings always have a form in JSON
	}
	return string(text)
}

// signIn comes in through the sandbox's own screen, by clicking on a person.
func (w *window) signIn(label string) {
	w.t.Helper()
	w.open("/")
	w.until(`location.pathname === "/signin"`)
	w.press(`a[href="/signin/clever"]`, `document.querySelector("ul.people")`)
	w.saw("h1", "Who is signing in?")
	email := sharedDemo(w.t).email(label)
	found := ask[bool](w, `(() => { for (const b of document.querySelectorAll(".people button")) if (b.querySelector(".mail").textContent === `+asJSON(email)+`) { b.id = "this-one"; return true } return false })()`)
	if !found {
		w.t.Fatalf("the sandbox offers nobody with the address %q", email)
	}
	w.press("#this-one", `document.querySelector("main h1") && location.origin === `+asJSON(sharedDemo(w.t).console))
	if ask[bool](w, `location.pathname === "/signin/choose-view"`) { // somebody with several roles says where to begin
		w.press("main button", `document.querySelector("main h1") && location.pathname !== "/signin/choose-view"`)
	}
}

//go:embed testdata/axe-core/axe.min.js
var axeCore string

// accessible runs axe-core: every rule of WCAG 2.0 to 2.2 at levels A and AA, or those that are named.
func (w *window) accessible(what string, rules ...string) {
	w.t.Helper()
	run := []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"}
	if len(rules) > 0 {
		run = rules
	}
	for _, v := range w.violations(run) {
		for i, n := range v.Nodes {
			if i == 3 {
				w.t.Errorf("%s: %s: and %d more", what, v.ID, len(v.Nodes)-i)
				break
			}
			w.t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

type violation struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

func (w *window) violations(run []string) []violation {
	w.t.Helper()
	w.until(still)
	if !ask[bool](w, `"axe" in window`) {
		ask[bool](w, axeCore+`; true`)
	}
	return ask[[]violation](w, `axe.run({runOnly: `+asJSON(run)+`, resultTypes: ["violations"]})
		.then(r => r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`)
}
