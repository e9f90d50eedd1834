package handlers

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// frame is what surrounds a page: with the person and the navigation once somebody is known to be signed in.
func (s *server) frame(c echo.Context) views.Frame {
	n := noteOf(c)
	r := c.Request()
	f := views.Frame{
		Lang: lang(c), Theme: choice(c, themeCookie), Keys: choice(c, keysCookie) == "on", Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, RequestID: n.requestID, Now: s.Now(),
	}
	if n.visit != nil {
		n.visit.surround(&f)
	}
	return f
}

// frame of a page inside a visit.
func (v *visit) frame() views.Frame { return v.server.frame(v.c) }

func (v *visit) surround(f *views.Frame) {
	d := v.me.District
	f.District = views.District{CleverID: d.CleverID, Name: d.Name}
	f.User = views.SignedIn{ID: v.me.User.ID, Name: fullName(v.me.User), FirstName: v.me.User.FirstName}
	f.SyncedAt, f.TZ = d.SyncedAt, zone(d.TimeZone)
	worn := v.actor.View
	if worn == "" { // outside of any view, or in one that is not the person's: the way home is where they begin
		if len(v.views) == 0 {
			return
		}
		if worn = v.begins; worn == "" {
			worn = v.views[0]
		}
	}
	l := f.Locale()
	f.View, f.ViewPlaces = string(worn), v.viewPlaces(worn, l)
	for _, view := range v.views {
		o := views.ViewLink{Slug: string(view), Href: v.switchTo(view), Current: view == worn}
		if view != worn && len(v.views) > 2 { // they stand in a list then
			o.Places = v.viewPlaces(view, l)
		}
		if view == v.waitsIn {
			o.Waiting = v.waiting
		}
		f.Views = append(f.Views, o)
	}
	f.PerRole = v.me.Policy.Strategy == access.PerRole
	f.Landed = v.landed(worn)
	f.Nav = v.nav(worn)
	if v.row.path == inside+"users" {
		f.SearchQuery = text(v.c.QueryParam("q"), maxQuery)
	}
}

// teacherView begins with the person's own sections; every other view with the counts of what it reaches.
const teacherView = access.View(access.Teacher)

// navigation is every place there may be, in order. Where each leads, and who may go there, is said by the row of the
// table with that path after the view; a place whose row does not exist is left out. also is the path of further pages
// that belong there.
var navigation = []struct{ key, path, also string }{
	{"users", "users", ""},
	{"schools", "schools", ""},
	{"check", "access/check", ""},
	{"who_can", "access/who-can", ""},
	{"overrides", "overrides", ""},
	{"rules", "rules", ""},
	{"duplicates", "duplicates", "merges"},
	{"migration", "migration", "imports"},
	{"syncs", "syncs", ""},
	{"activity", "activity", ""},
	{"settings", "settings", ""},
}

func (v *visit) nav(worn access.View) []views.NavItem {
	facts, home := v.wearing(worn), v.home(worn)
	current := func(path string) bool {
		return v.row.path == inside+path || path != "" && strings.HasPrefix(v.row.path, inside+path+"/")
	}
	var items []views.NavItem
	if worn == teacherView {
		items = append(items, views.NavItem{Key: "sections", Href: home, Current: current("") || current("sections")})
	} else {
		items = append(items, views.NavItem{Key: "home", Href: home, Current: current("")})
	}
	if worn == access.ViewAll && len(v.me.Teaches) > 0 {
		items = append(items, views.NavItem{Key: "sections", Href: home + "sections", Current: current("sections")})
	}
	for _, p := range navigation {
		if row, ok := v.server.pages[inside+p.path]; ok && row.lets(facts) {
			here := current(p.path) || p.also != "" && current(p.also) || p.key == v.under
			items = append(items, views.NavItem{Key: p.key, Href: home + p.path, Current: here, Held: p.key == "syncs" && v.me.Held})
		}
	}
	return items
}

// landed is what the page has to say of how the reader came to be on it, from the address: that the view switched to
// cannot open what was in hand, or that the view chosen once is gone. An address can be written by anybody, so it says
// nothing that is not so.
func (v *visit) landed(worn access.View) views.Landing {
	q := v.c.QueryParams()
	if was := access.View(q.Get("was")); q.Get("notice") == "view_gone" && !slices.Contains(v.views, was) {
		return views.Landing{GoneView: string(was), View: string(worn)}
	}
	if len(v.views) > 1 {
		return views.Landing{Thing: q.Get("landed"), View: string(worn)}
	}
	return views.Landing{}
}

// viewPlaces names the schools a view covers; "" for the whole district.
func (v *visit) viewPlaces(worn access.View, l *views.Locale) string {
	reach := v.wearing(worn).Reach(access.UsersView)
	if reach.District {
		return ""
	}
	ids := reach.Schools
	for _, place := range v.me.Teaches {
		if slices.Contains(reach.Sections, place.Section) {
			ids = append(ids, place.School)
		}
	}
	var names []string
	for _, id := range ids {
		if name := v.me.SchoolNames[id]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return l.SomeSchools(names)
}

// zones remembers time zones: loading one reads files, and every page needs its district's.
var zones sync.Map

// zone is the district's time zone, UTC if this machine does not know it.
func zone(name string) *time.Location {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		loc = time.UTC
	}
	zones.Store(name, loc)
	return loc
}

// fullName is a person's name as it is spoken, listName as it is sorted. A contact's whole name is the last one.
func fullName(u models.User) string { return join(" ", u.FirstName, u.MiddleName, u.LastName) }

func listName(first, middle, last string) string { return join(", ", last, join(" ", first, middle)) }

func join(sep string, parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

const (
	langCookie  = "lang"
	themeCookie = "theme"
	keysCookie  = "keys"
)

// lang is the language chosen in this browser, or else the first that it asks for and we speak.
func lang(c echo.Context) string {
	if chosen := choice(c, langCookie); slices.Contains(views.Languages, chosen) {
		return chosen
	}
	wishes := c.Request().Header.Get("Accept-Language")
	if len(wishes) > 200 {
		return views.Languages[0]
	}
	tags, _, err := language.ParseAcceptLanguage(wishes)
	if err != nil {
		return views.Languages[0]
	}
	for _, tag := range tags {
		base, _ := tag.Base()
		if slices.Contains(views.Languages, base.String()) {
			return base.String()
		}
	}
	return views.Languages[0]
}
