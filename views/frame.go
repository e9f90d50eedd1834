package views

import "time"

// Frame is what surrounds every page: who is signed in, in which view, where they
// may go. A page outside a session has only Lang, Path, Query, Theme, RequestID,
// Now and TZ.
type Frame struct {
	Lang       string // en or es; anything else is en
	Title      string // before " · Hallpass"; empty: the page names itself
	District   District
	User       SignedIn
	View       string     // slug of the view in use: teacher, staff, district_admin, all
	Views      []ViewLink // every view this person has, the current one too
	PerRole    bool       // each role has its own account: switching the view switches it
	Landed     Landing    // said once, above the page
	ViewPlaces string     // what the view covers: "All 64 schools", "Orion High, Kepler Middle"
	Nav        []NavItem
	Path       string // of this page, for the way back from /language and /theme
	Query      string // raw query of this page, without "?"
	// SearchQuery fills the search box of the header. The box is there when Nav has "users".
	SearchQuery string
	SyncedAt    *time.Time // last finished sync; nil: never
	Now         time.Time
	TZ          *time.Location // the district's
	Theme       string         // light, dark; anything else follows the system
	Keys        bool           // single letters are shortcuts where a page has some
	RequestID   string
	CSRF        string // hidden field _csrf of every form; empty: no field
}

// District is the one district a page is about.
type District struct{ CleverID, Name string }

// SignedIn is the person behind the session.
type SignedIn struct {
	ID        int64
	Name      string // as displayed
	FirstName string // may be empty
}

// ViewLink is one view a person can wear. Href leads to it, keeping the place where
// that makes sense. Waiting is how many things wait there for the reader.
type ViewLink struct {
	Slug    string
	Href    string
	Current bool
	Waiting int
	Places  string // the schools it covers; "" for the whole district
}

// Landing says why the reader is on this page and not another. Thing is what was in
// hand when the view was switched to one that cannot open it: user, school, section or
// page. GoneView is the view chosen once that the reader no longer has. Anything else
// says nothing.
type Landing struct {
	Thing    string
	GoneView string
	View     string // the one in use now
}

// NavItem is one place in the navigation. Key is home, sections (the person's own) or
// one of navPlaces. A Count of 0 is not shown.
type NavItem struct {
	Key     string
	Href    string
	Current bool
	Count   int
	Held    bool // something there waits for a decision
}

// Locale is the language, clock and time zone of this page.
func (f Frame) Locale() *Locale { return NewLocale(f.Lang, f.Now, f.TZ) }

// signedIn says whether there is a session behind the page.
func (f Frame) signedIn() bool { return f.User.Name != "" || f.User.ID != 0 }

// inside says whether the page stands in a district, with navigation.
func (f Frame) inside() bool { return f.signedIn() && f.District.CleverID != "" }

func (f Frame) back() string {
	path := f.Path
	if path == "" {
		path = "/"
	}
	if f.Query != "" {
		path += "?" + f.Query
	}
	return path
}

func (f Frame) searchable() bool {
	for _, item := range f.Nav {
		if item.Key == "users" {
			return true
		}
	}
	return false
}

// otherViews are the views to switch to.
func (f Frame) otherViews() []ViewLink {
	var other []ViewLink
	for _, v := range f.Views {
		if !v.Current {
			other = append(other, v)
		}
	}
	return other
}

func (f Frame) homeHref() string {
	if f.inside() && f.View != "" {
		return HomePath(f.District.CleverID, f.View)
	}
	return "/"
}

func (f Frame) userHref(id int64) string      { return UserPath(f.District.CleverID, f.View, id) }
func (f Frame) usersHref() string             { return UsersPath(f.District.CleverID, f.View) }
func (f Frame) schoolHref(id string) string   { return SchoolPath(f.District.CleverID, f.View, id) }
func (f Frame) schoolsHref() string           { return SchoolsPath(f.District.CleverID, f.View) }
func (f Frame) sectionHref(id string) string  { return SectionPath(f.District.CleverID, f.View, id) }
func (f Frame) syncsHref() string             { return SyncsPath(f.District.CleverID, f.View) }
func (f Frame) syncHref(id int64) string      { return SyncPath(f.District.CleverID, f.View, id) }
func (f Frame) listHref(q UsersFilter) string { return q.Path(f.District.CleverID, f.View) }

// htmxConfig keeps htmx inside the content security policy: no style sheet of its
// own, requests to this origin only.
const htmxConfig = `{"includeIndicatorCSS":false,"mode":"same-origin"}`

var themeChoices = []struct{ value, key string }{
	{"system", key("theme.system")},
	{"light", key("theme.light")},
	{"dark", key("theme.dark")},
}

func (f Frame) theme() string {
	if f.Theme == "light" || f.Theme == "dark" {
		return f.Theme
	}
	return "system"
}

func (f Frame) colorScheme() string {
	if t := f.theme(); t != "system" {
		return t
	}
	return "light dark"
}

func (f Frame) titleOr(title string) string {
	if f.Title != "" {
		return f.Title
	}
	return title
}

// navGroup is some of the navigation's items under a word, or under none.
type navGroup struct {
	id, word string
	items    []NavItem
}

// navPlaces are the places with their icon, their word and the group they stand in.
var navPlaces = map[string]struct{ icon, word, group string }{
	"home":       {"home", key("nav.home"), ""},
	"sections":   {"section", key("nav.sections"), ""},
	"users":      {"people", key("nav.users"), ""},
	"schools":    {"school", key("nav.schools"), ""},
	"check":      {"key", key("nav.check"), "access"},
	"who_can":    {"people", key("nav.who_can"), "access"},
	"overrides":  {"ticket", key("nav.overrides"), "access"},
	"rules":      {"lock", key("nav.rules"), "access"},
	"duplicates": {"pair", key("nav.duplicates"), "upkeep"},
	"migration":  {"people", key("nav.migration"), "upkeep"},
	"syncs":      {"sync", key("nav.syncs"), "upkeep"},
	"activity":   {"clock", key("nav.activity"), "upkeep"},
	"settings":   {"settings", key("nav.settings"), "upkeep"},
}

// navGroups are the navigation's groups that have items.
func (f Frame) navGroups(l *Locale) []navGroup {
	all := []navGroup{{}, {id: "access", word: l.T("nav.access")}, {id: "upkeep", word: l.T("nav.upkeep")}}
	var shown []navGroup
	for _, g := range all {
		for _, item := range f.Nav {
			if navPlaces[item.Key].group == g.id {
				g.items = append(g.items, item)
			}
		}
		if len(g.items) > 0 {
			shown = append(shown, g)
		}
	}
	return shown
}

func (n NavItem) icon() string {
	if p, ok := navPlaces[n.Key]; ok {
		return p.icon
	}
	return "arrow"
}

func (l *Locale) navWord(item string) string {
	if p, ok := navPlaces[item]; ok {
		return l.T(p.word)
	}
	return item
}

// viewSentence opens the banner: "You're logged in as a Teacher."
func (l *Locale) viewSentence(view string) string {
	switch view {
	case "teacher":
		return l.T("view.in.teacher")
	case "staff":
		return l.T("view.in.staff")
	case "district_admin":
		return l.T("view.in.district_admin")
	}
	return l.T("view.in.all")
}

// viewSwitch is the banner's link: "Switch to Admin view".
func (l *Locale) viewSwitch(view string) string {
	switch view {
	case "teacher":
		return l.T("view.to.teacher")
	case "staff":
		return l.T("view.to.staff")
	case "district_admin":
		return l.T("view.to.district_admin")
	}
	return l.T("view.to.all")
}

// accountSwitch is viewSwitch where each role has its own account.
func (l *Locale) accountSwitch(view string) string {
	switch view {
	case "teacher":
		return l.T("view.account.teacher")
	case "staff":
		return l.T("view.account.staff")
	}
	return l.T("view.account.district_admin")
}

func (f Frame) switchWords(l *Locale, view string) string {
	if f.PerRole && view != "all" {
		return l.accountSwitch(view)
	}
	return l.viewSwitch(view)
}

// viewPhrase is a view inside a sentence: "Admin view".
func (l *Locale) viewPhrase(view string) string {
	switch view {
	case "teacher":
		return l.T("view.name.teacher")
	case "staff":
		return l.T("view.name.staff")
	case "district_admin":
		return l.T("view.name.district_admin")
	}
	return l.T("view.name.all")
}

// landing is the sentence of Landed, "" for none.
func (f Frame) landing(l *Locale) string {
	switch f.Landed.GoneView {
	case "":
	case "all":
		return l.T("landed.gone.all") + " " + l.F("landed.showing", "View", l.viewPhrase(f.Landed.View))
	case "teacher":
		return l.T("landed.gone.teacher") + " " + l.F("landed.showing", "View", l.viewPhrase(f.Landed.View))
	case "staff":
		return l.T("landed.gone.staff") + " " + l.F("landed.showing", "View", l.viewPhrase(f.Landed.View))
	case "district_admin":
		return l.T("landed.gone.district_admin") + " " + l.F("landed.showing", "View", l.viewPhrase(f.Landed.View))
	}
	switch f.Landed.Thing {
	case "user":
		return upperFirst(l.F("landed.user", "View", l.viewPhrase(f.Landed.View)))
	case "school":
		return upperFirst(l.F("landed.school", "View", l.viewPhrase(f.Landed.View)))
	case "section":
		return upperFirst(l.F("landed.section", "View", l.viewPhrase(f.Landed.View)))
	case "page":
		return upperFirst(l.F("landed.page", "View", l.viewPhrase(f.Landed.View)))
	}
	return ""
}

// waiting are the other views in which something waits.
func (f Frame) waiting() []ViewLink {
	var some []ViewLink
	for _, v := range f.otherViews() {
		if v.Waiting > 0 {
			some = append(some, v)
		}
	}
	return some
}
