package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hallpass/clever/sandbox"
)

// TestBrowserWalk is the main job, seen by somebody with a mouse: sign in, search, a person, a school, another view,
// sign out. It is the same with JavaScript switched off, but for what script adds.
func TestBrowserWalk(t *testing.T) {
	for _, script := range []bool{true, false} {
		name := map[bool]string{true: "with JavaScript", false: "without JavaScript"}[script]
		t.Run(name, func(t *testing.T) { walk(t, script) })
	}
}

func walk(t *testing.T, script bool) { //nolint:thelper // the body of two tests: its own lines are the ones to point at
	w := openWindow(t)
	w.do(withoutScript(!script))
	w.signIn("Teacher, staff and district admin")
	w.until(`location.pathname === ` + asJSON(seedHome+"district_admin/"))
	w.saw(".view p", "You're logged in as a District admin. Switch to Staff view →")

	w.press(`.nav a[href$="/users"]`, `location.pathname.endsWith("/users") && document.querySelectorAll("#results a.person").length === 50`)
	// Danny, and what the old app has of him.
	const all = `document.querySelectorAll("#results a.person").length < 5 && [...document.querySelectorAll("#results a.person")].some(a => a.textContent === "Brakus, Danny D")`
	w.do(chromedp.SendKeys(chromedp.CSS("#q"), "brakus"))
	if script {
		w.until(all + ` && new URLSearchParams(location.search).get("q") === "brakus"`)
		if got := ask[string](w, `document.activeElement.id + " " + document.activeElement.value + " " + document.activeElement.selectionStart`); got != "q brakus 6" {
			t.Errorf("while the results change, the cursor is at %q", got)
		}
		w.do(chromedp.SendKeys(chromedp.CSS("#q"), " d")) // goes on typing
		w.until(all + ` && new URLSearchParams(location.search).get("q") === "brakus d"`)
	} else {
		if n := ask[int](w, `document.querySelectorAll("#results a.person").length`); n != 50 {
			t.Errorf("without script there are %d people before Apply is pressed", n)
		}
		w.press(`form.filters button[type="submit"]`, all)
	}
	w.open(seedHome + "district_admin/users?q=" + sandbox.SeedUserID)
	w.until(`document.querySelectorAll("#results a.person").length === 1`)
	w.saw("#count", "1 person matches.")

	w.press("#results a.person", `document.querySelector("h1")?.textContent === "Danny D Brakus"`)
	if shown := ask[bool](w, `[...document.querySelectorAll(".copy")].some(b => b.checkVisibility())`); shown != script {
		t.Errorf("buttons that copy are shown: %t, with script: %t", shown, script)
	}
	school := ask[string](w, `document.querySelector('table.matrix a[href$="`+sandbox.SeedTeacherSchool+`"]').textContent`)
	w.press(`table.matrix a[href$="`+sandbox.SeedTeacherSchool+`"]`, `document.querySelector("h1")?.textContent === `+asJSON(school))

	w.press(".view-rest summary", `document.querySelector(".view-rest").open`)
	w.press(`.view a[href*="/teacher/"]`, `location.pathname === `+asJSON(seedHome+"teacher/")) // that view has no page of schools
	w.saw(".view p", "You're logged in as a Teacher. Switch to Admin view →")
	w.saw("h1", "My sections")
	w.until(`[...document.querySelectorAll("main a")].some(a => a.textContent.startsWith("Composition"))`)

	other := w.tab() // two tabs, two hats
	other.do(withoutScript(!script))
	other.open(seedHome + "district_admin/schools")
	other.saw(".view p span", "You're logged in as a District admin. Switch to Staff view →")
	w.do(chromedp.Reload())
	w.saw("h1", "My sections")

	w.press(".account summary", `document.querySelector(".account").open`)
	w.press(`.account form button`, `location.pathname === "/signin" && document.querySelector(".notice")`)
	w.saw(".notice strong", "You are signed out.")
	for _, gone := range []*window{w, other} {
		gone.open(seedHome + "district_admin/users")
		gone.until(`location.pathname === "/signin"`)
	}
}

// TestBrowserNoticesTrouble: a window that would overlook trouble would make every test here worthless.
func TestBrowserNoticesTrouble(t *testing.T) {
	for name, row := range map[string]struct{ script, want string }{
		"console":        {`console.error("spilled")`, "spilled"},
		"exception":      {`setTimeout(() => { throw new Error("thrown") })`, "thrown"},
		"rejection":      {`Promise.reject(new Error("rejected"))`, "rejected"},
		"inline style":   {`document.body.setAttribute("style", "color: red")`, "style-src"},
		"inline script":  {`document.body.append(Object.assign(document.createElement("script"), {textContent: "1"}))`, "script-src"},
		"foreign image":  {`new Image().src = "http://127.0.0.1:1/x.png"`, "img-src"},
		"missing page":   {`fetch("/nowhere")`, "status 404"},
		"broken request": {`fetch("/assets/" + "x".repeat(9e4))`, "status 4"},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWindow(t)
			w.open("/help")
			ask[bool](w, row.script+`; true`)
			w.planted = true
			eventually(t, "fault that says "+row.want, func() bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return strings.Contains(strings.Join(w.faults, "\n"), row.want)
			})
		})
	}
	w := openWindow(t)
	w.open("/help")
	ask[bool](w, `document.querySelector("main").append(document.createElement("input")); true`)
	if found := w.violations([]string{"wcag2a"}); len(found) != 1 || found[0].ID != "label" {
		t.Errorf("axe-core says of a field without a label: %v", found)
	}
}

// TestBrowserBanner reads the sentence on the banner of people with several roles, in each of their views.
func TestBrowserBanner(t *testing.T) {
	w := openWindow(t)
	w.signIn("Teacher and staff")
	for view, want := range map[string]string{
		"staff": "You're logged in as Staff. Switch to Teacher view →", "teacher": "You're logged in as a Teacher. Switch to Staff view →",
		"all": "You're logged in with all your roles. Switch to Staff view →",
	} {
		w.open(seedHome + view + "/")
		w.saw(".view p", want)
	}
	alone := openWindow(t)
	alone.signIn("Teacher")
	alone.saw("h1", "My sections")
	if ask[bool](alone, `document.querySelector(".view") !== null`) {
		t.Error("somebody with one role is offered another view")
	}
}

// TestBrowserKeyboard goes through the list of people with the Tab key alone: everything that takes the focus shows
// it, and can be seen.
func TestBrowserKeyboard(t *testing.T) {
	w := openWindow(t)
	w.signIn("District admin")
	w.open(seedHome + "district_admin/users?q=fenwick")
	w.do(chromedp.KeyEvent(kb.Tab))
	w.saw(":focus", "Skip to main content")
	const visible = `(() => {
		const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
		if (!e.matches(":focus-visible")) return "no visible focus";
		if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) return "no ring";
		if (r.width < 1 || r.height < 1 || r.top < 0 || r.left < 0 || r.bottom > innerHeight + 1 || r.right > innerWidth + 1) return "out of sight at " + JSON.stringify(r);
		return "";
	})()`
	w.until(visible + ` === ""`) // the link slides in
	w.do(chromedp.KeyEvent(kb.Enter))
	w.until(`document.activeElement.id === "main"`)

	w.open(seedHome + "district_admin/users?q=fenwick")
	seen, first := map[string]bool{}, ""
	for n := range 80 {
		w.do(chromedp.KeyEvent(kb.Tab))
		where := ask[string](w, `(e => e.tagName + " " + (e.id || e.name || e.getAttribute("href") || e.innerText))(document.activeElement)`)
		if strings.HasPrefix(where, "BODY") || n > 0 && where == first {
			break // once around
		}
		if n == 0 {
			first = where
		}
		seen[where] = true
		if trouble := ask[string](w, visible); trouble != "" && where != "A #main" {
			t.Errorf("%s: %s", where, trouble)
		}
	}
	for _, want := range []string{"INPUT find", "INPUT q", "SELECT role", "SELECT school", "SELECT status", "SELECT sort", "INPUT multi"} {
		if !seen[want] {
			t.Errorf("the Tab key does not reach %s", want)
		}
	}
	if len(seen) < 20 {
		t.Errorf("the Tab key reaches %d things: %v", len(seen), seen)
	}

	// The account menu opens with Enter, and Escape closes it and gives the focus back.
	w.do(chromedp.Focus(chromedp.CSS(".account summary")), chromedp.KeyEvent(kb.Enter))
	w.until(`document.querySelector(".account").open`)
	w.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
	w.until(`!document.querySelector(".account").open && document.activeElement.tagName === "SUMMARY"`)
	// Enter in the search box of the header searches.
	w.do(chromedp.SendKeys(chromedp.CSS("#find"), "brakus"+kb.Enter))
	w.until(`[...document.querySelectorAll("#results a.person")].some(a => a.textContent === "Brakus, Danny D")`)
}

// places are pages worth looking at, each with who looks at it and the status it has.
var places = []struct {
	name, who, path string
	status          int64
}{
	{"signin", "", "/signin", 200},
	{"signin again", "", "/signin?notice=idle", 200},
	{"help", "", "/help", 200},
	{"accessibility", "", "/accessibility", 200},
	{"kind page", "Student", "/signin/clever", 403},
	{"no role", "No role shared", "/signin/clever", 403},
	{"home", "District admin", seedHome + "district_admin/", 200},
	{"users", "District admin", seedHome + "district_admin/users?multi=1", 200},
	{"nobody", "District admin", seedHome + "district_admin/users?q=zzzz&role=teacher", 200},
	{"user", "District admin", seedHome + "district_admin/users/" + sandbox.SeedUserID, 200},
	{"contact", "District admin", seedHome + "district_admin/users/" + sandbox.ContactUserID, 200},
	{"long name", "District admin", seedHome + "district_admin/users/" + sandbox.LongNameUserID, 200},
	{"hostile name", "District admin", seedHome + "district_admin/users/" + sandbox.ScriptUserID, 200},
	{"every school", "District admin", seedHome + "district_admin/users/" + sandbox.ManySchoolsUserID, 200},
	{"schools", "District admin", seedHome + "district_admin/schools", 200},
	{"school", "District admin", seedHome + "district_admin/schools/" + sandbox.SeedTeacherSchool, 200},
	{"section", "District admin", seedHome + "district_admin/sections/" + sandbox.CoTaughtSectionID, 200},
	{"activity", "District admin", seedHome + "district_admin/activity?kind=session", 200},
	{"no activity", "District admin", seedHome + "district_admin/activity?by=nobody-at-all", 200},
	{"check", "District admin", seedHome + "district_admin/access/check", 200},
	{"who can", "District admin", seedHome + "district_admin/access/who-can", 200},
	{"overrides", "District admin", seedHome + "district_admin/overrides", 200},
	{"rules", "District admin", seedHome + "district_admin/rules", 200},
	{"settings", "District admin", seedHome + "district_admin/settings", 200},
	{"access", "District admin", seedHome + "district_admin/users/" + sandbox.SeedUserID + "/access", 200},
	{"why", "District admin", seedHome + "district_admin/users/" + sandbox.SeedUserID + "/access/why?permission=grades.edit&place=school:" + sandbox.SeedTeacherSchool, 200},
	{"syncs", "District admin", seedHome + "district_admin/syncs", 200},
	{"sync", "District admin", seedHome + "district_admin/syncs/1", 200},
	{"not found", "District admin", seedHome + "district_admin/users/0", 404},
	{"choose view", "Teacher and staff", "/signin/choose-view?next=" + seedHome + "teacher/users", 200},
	{"my sections", "Teacher and staff", seedHome + "teacher/", 200},
	{"staff home", "Teacher and staff", seedHome + "staff/", 200},
	{"other view", "Teacher and staff", seedHome + "teacher/users/" + sandbox.StaffUserID, 403},
}

// look goes to each place, signed in as who looks at it.
func look(w *window, at func(name string)) {
	w.t.Helper()
	d := sharedDemo(w.t)
	who := ""
	for _, p := range places {
		w.expect(p.status)
		if p.who != who {
			w.open(d.clever + "/signin?as=" + strings.ReplaceAll(d.email(p.who), "+", "%2B"))
			w.open("/signin/clever")
			who = p.who
		}
		w.open(p.path)
		w.until(`document.querySelector("main h1")`)
		at(p.name)
	}
}

// squeezed are roles whose word is broken over several lines: the columns beside a very long name get too little.
const squeezed = `[...document.querySelectorAll("td .role, th .role")].filter(e => e.getBoundingClientRect().height > 48).length`

// TestBrowserEveryPageIsAccessible has axe-core look at every kind of page, in the light and in the dark.
func TestBrowserEveryPageIsAccessible(t *testing.T) {
	w := openWindow(t)
	look(w, func(name string) {
		if n := ask[int](w, squeezed); n > 0 {
			t.Errorf("%s: %d roles are squeezed", name, n)
		}
		w.accessible(name)
		w.do(dress(1280, 900, "dark"))
		w.accessible(name+" in the dark", "color-contrast")
		w.do(dress(1280, 900, "light"))
	})
}

// TestBrowserEveryPageFitsAPhone: nothing needs scrolling sideways at 390 and 320 pixels, and axe-core finds nothing there.
func TestBrowserEveryPageFitsAPhone(t *testing.T) {
	w := openWindow(t)
	look(w, func(name string) {
		for _, width := range []int64{320, 390} {
			w.do(dress(width, 844, "dark"))
			if got := ask[int64](w, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)`); got > width {
				t.Errorf("%s is %d pixels wide on a screen of %d: %s", name, got, width, ask[string](w, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 200)).join("\n")`))
			}
		}
		w.accessible(name + " on a phone")
	})
	// The navigation opens, leads somewhere and closes.
	w.press(".menu-button", `document.querySelector("#menu").matches(":popover-open")`)
	w.accessible("menu on a phone")
	w.press(".nav-close", `!document.querySelector("#menu").matches(":popover-open")`)
	w.expect(200)
	w.press(".menu-button", `document.querySelector("#menu").matches(":popover-open")`)
	w.press(`#menu a[href$="/users"]`, `location.pathname.endsWith("/users")`)
}

// TestBrowserChoices: language and theme are links, and this browser remembers them.
func TestBrowserChoices(t *testing.T) {
	w := openWindow(t)
	w.signIn("District admin")
	w.open(seedHome + "district_admin/users?q=brakus")
	w.press(`.board-links a[hreflang="es"]`, `document.documentElement.lang === "es" && location.search === "?q=brakus"`)
	w.saw("h1", "Personas")
	w.accessible("users in Spanish")
	w.press(".account summary", `document.querySelector(".account").open`)
	w.press(`.account a[href*="to=dark"]`, `document.documentElement.dataset.theme === "dark"`)
	w.open(seedHome + "district_admin/")
	w.until(`document.documentElement.dataset.theme === "dark" && document.documentElement.lang === "es"`)
	if got := ask[string](w, `getComputedStyle(document.body).backgroundColor`); got != "rgb(16, 24, 21)" {
		t.Errorf("the chosen dark is %s", got)
	}
}
