package main

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserShortcuts: single letters do nothing until somebody turns them on. Then they press what can be seen, and
// are letters again in a field.
func TestBrowserShortcuts(t *testing.T) {
	w := openWindow(t)
	w.signIn("District admin")
	queue := seedHome + "district_admin/duplicates"
	const cases = `[...document.querySelectorAll('.pairs a[href*="/duplicates/"]')]`
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C { // the demo computes them beside its first pages
		w.open(queue)
		if ask[bool](w, cases+`.length > 1`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nothing is suggested at %s", w.place())
		}
	}
	first := ask[string](w, cases+`[0].href`)
	w.open(first)
	w.until(`document.querySelector('[data-key="s"]')`)
	for _, letter := range "sdnxjk" {
		w.do(chromedp.KeyEvent(string(letter)))
	}
	w.open(first) // whatever a letter had pressed would be on its way before this
	w.until(`document.querySelector('[data-key="s"]') && !document.querySelector("[data-keys]")`)

	w.open("/accessibility")
	w.press(`a[href*="/keys?"][href*="to=on"]`, `document.querySelector('a[href*="to=off"]')`)
	w.open(first)
	w.until(`document.querySelector("[data-keys]")`)
	here := ask[string](w, `location.pathname`)
	w.do(chromedp.Focus(chromedp.CSS(`main textarea, main input[type="text"], main input:not([type])`)), chromedp.KeyEvent("s"), chromedp.KeyEvent("j"))
	w.until(`document.activeElement.value === "sj" && location.pathname === ` + asJSON(here))
	w.do(chromedp.KeyEvent(kb.Tab))
	w.open(first)
	w.until(`document.querySelector("[data-keys]")`)
	w.do(chromedp.KeyEvent("j")) // skips it
	w.until(`location.pathname !== ` + asJSON(here) + ` && document.querySelector("main h1")`)
	w.open(queue)
	w.open(first)
	w.until(`document.querySelector("[data-keys]")`)
	w.do(chromedp.KeyEvent("k")) // and back
	w.until(`location.pathname === ` + asJSON(queue) + ` && document.querySelector(".pairs")`)
	w.open(first)
	w.until(`document.querySelector("[data-keys]")`)
	w.do(chromedp.KeyEvent("s")) // the same person: the plan of the merge
	w.until(`location.pathname.endsWith("/merges/new")`)

	w.open("/accessibility")
	w.press(`a[href*="/keys?"][href*="to=off"]`, `document.querySelector('a[href*="to=on"]')`)
	w.open(first)
	w.until(`document.querySelector('[data-key="s"]') && !document.querySelector("[data-keys]")`)
}
