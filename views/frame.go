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
// that makes sense.
type ViewLink struct {
	Slug    string
	Href    string
	Current bool
}

// NavItem is one place in the navigation. Key is home, users, schools, sections
// (the person's own) or syncs. A Count of 0 is not shown.
type NavItem struct {
	Key     string
	Href    string
	Current bool
	Count   int
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

func (f Frame) hasUpkeep() bool {
	for _, item := range f.Nav {
		if item.upkeep() {
			return true
		}
	}
	return false
}

// upkeep says whether the item stands in the second group.
func (n NavItem) upkeep() bool { return n.Key == "syncs" }

func (n NavItem) icon() string {
	switch n.Key {
	case "home":
		return "home"
	case "users":
		return "people"
	case "schools":
		return "school"
	case "sections":
		return "section"
	case "syncs":
		return "sync"
	}
	return "arrow"
}

func (l *Locale) navWord(item string) string {
	switch item {
	case "home":
		return l.T("nav.home")
	case "users":
		return l.T("nav.users")
	case "schools":
		return l.T("nav.schools")
	case "sections":
		return l.T("nav.sections")
	case "syncs":
		return l.T("nav.syncs")
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
