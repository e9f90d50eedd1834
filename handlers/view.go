package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// target is a page with the thing in hand, as far as another view is asked about it.
type target struct {
	pattern []string // of the row's path, after the view
	path    []string // the same with its ids
	query   url.Values
	places  []access.Place // where the thing in hand is; nil when the page is about no one thing
	school  string         // Clever id of the school around a section
}

// here is the page that is asked for.
func (v *visit) here() target {
	s := target{places: v.places, school: v.school}
	pattern, inside := strings.CutPrefix(v.row.path, inside)
	parts := strings.SplitN(v.c.Request().URL.EscapedPath(), "/", 5) // "", d, district, view, rest
	if !inside || len(parts) < 5 {
		return s
	}
	s.pattern, s.path = segments(pattern), segments(parts[4])
	if v.c.Request().Method != http.MethodPost {
		s.query = v.c.QueryParams()
	}
	return s
}

func segments(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// upTo is the page of the first n segments.
func (s target) upTo(n int) target {
	return target{pattern: s.pattern[:n], path: s.path[:n], places: s.places}
}

// above lists what surrounds the page, the nearest first: a section lies in a school, everything else in the list that
// its address begins with.
func (s target) above() (list []target) {
	if len(s.pattern) > 1 && s.pattern[0] == "sections" {
		if s.school != "" && len(s.places) > 0 {
			at := access.AtSchool(s.places[0].School)
			list = append(list, target{pattern: []string{"schools", ":id"}, path: []string{"schools", url.PathEscape(s.school)}, places: []access.Place{at}})
		}
		return append(list, target{pattern: []string{"schools"}, path: []string{"schools"}})
	}
	for n := len(s.pattern) - 1; n > 0; n-- {
		list = append(list, s.upTo(n))
	}
	return list
}

// thing names what is in hand, in the words of views.
func (s target) thing() string {
	if len(s.pattern) > 1 && s.pattern[1] == ":id" {
		switch s.pattern[0] {
		case "users":
			return "user"
		case "schools":
			return "school"
		case "sections":
			return "section"
		}
	}
	return "page"
}

// opens reports whether a view of the person's may open the page with the thing in hand.
func (v *visit) opens(view access.View, s target) bool {
	row, ok := v.server.pages[inside+strings.Join(s.pattern, "/")]
	if !ok || len(s.path) != len(s.pattern) {
		return false
	}
	facts := v.wearing(view)
	return row.lets(facts) && (s.places == nil || !slices.Contains(s.pattern, ":id") || facts.DecideAny(row.permission, s.places).Allowed)
}

// lead leads to the page in another view or, where that view cannot open it, to the nearest page around it, which then
// says so.
func (v *visit) lead(view access.View, s target) string {
	if v.opens(view, s) {
		return v.home(view) + s.address()
	}
	said := "?" + url.Values{"landed": {s.thing()}}.Encode()
	for _, around := range s.above() {
		if v.opens(view, around) {
			return v.home(view) + around.address() + said
		}
	}
	if len(s.pattern) == 0 {
		said = ""
	}
	return v.home(view) + said
}

// address is the target's after the view. The place in a list belongs to the rows of one view, and a notice to one
// moment.
func (s target) address() string {
	path := strings.Join(s.path, "/")
	kept := make(url.Values, len(s.query))
	for name, values := range s.query {
		switch name {
		case "after", "before", "notice", "landed", "was":
		default:
			kept[name] = values
		}
	}
	if len(kept) > 0 {
		path += "?" + kept.Encode()
	}
	return path
}

// switchTo leads to another view: to the thing in hand or as near as that view comes. From a page that was refused it
// leads where the refusal says, or home.
func (v *visit) switchTo(view access.View) string {
	failed := noteOf(v.c).err
	if r, ok := errors.AsType[refusal](failed); ok && r.other == view {
		return r.href
	}
	if failed != nil || v.row.page == nil {
		return v.home(view)
	}
	return v.lead(view, v.here())
}

func (v *visit) home(view access.View) string {
	return views.HomePath(v.me.District.CleverID, string(view))
}

// hrefIn is this page's address in another view.
func (v *visit) hrefIn(view access.View) string {
	s := v.here()
	if v.c.Request().Method == http.MethodPost {
		return v.home(view)
	}
	return v.home(view) + s.address()
}

// targetAt finds the page that an address of this district leads to, with where its thing is. ok is false for what no
// view opens.
func (v *visit) targetAt(address string) (s target, ok bool, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return s, false, nil //nolint:nilerr // what is no address leads nowhere
	}
	parts := strings.SplitN(u.EscapedPath(), "/", 5)
	if len(parts) < 5 || parts[1] != "d" || parts[2] != v.me.District.CleverID {
		return s, false, nil
	}
	s = target{path: segments(parts[4]), query: u.Query()}
	for path := range v.server.pages {
		if pattern, within := strings.CutPrefix(path, inside); within && matches(segments(pattern), s.path) &&
			(s.pattern == nil || !strings.Contains(pattern, ":")) { // users/new before users/:id
			s.pattern = segments(pattern)
		}
	}
	if len(s.pattern) == 0 {
		return s, len(s.path) == 0, nil
	}
	err = v.findPlaces(&s)
	if errors.Is(err, models.ErrNotFound) {
		return s, false, nil
	}
	return s, err == nil, err
}

func matches(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i := range pattern {
		if pattern[i] != path[i] && !strings.HasPrefix(pattern[i], ":") {
			return false
		}
	}
	return true
}

// findPlaces reads where the thing of the page is, as its own handler would.
func (v *visit) findPlaces(s *target) error {
	if len(s.pattern) < 2 || s.pattern[1] != ":id" {
		return nil
	}
	id, err := url.PathUnescape(s.path[1])
	if err != nil || id == "" || len(id) > maxID || text(id, maxID) != id {
		return models.ErrNotFound
	}
	switch s.pattern[0] {
	case "users":
		u, err := v.tx.UserByAnyID(v.ctx, id)
		if err != nil {
			return err
		}
		s.places, err = v.tx.UserPlaces(v.ctx, u.ID)
		return err
	case "schools":
		school, err := v.tx.School(v.ctx, id)
		s.places = []access.Place{access.AtSchool(school.ID)}
		return err
	case "sections":
		section, err := v.tx.Section(v.ctx, id)
		s.places, s.school = []access.Place{access.AtSection(section.ID, section.SchoolID)}, section.SchoolCleverID
		return err
	}
	return nil
}

// lookElsewhere counts what waits in another of the person's views, if one of those can do something about it that
// this one cannot. Nobody else's page asks for it.
func (v *visit) lookElsewhere() error {
	if len(v.views) < 2 {
		return nil
	}
	here := v.minds(v.actor.View)
	for _, view := range v.views {
		there := v.minds(view)
		if view == v.actor.View || view == access.ViewAll || there == here || there == (minding{}) {
			continue
		}
		n, err := v.waitingFor(there)
		if err != nil {
			return err
		}
		if n > 0 {
			v.waiting, v.waitsIn = n, view
		}
		return nil // the widest such view
	}
	return nil
}

// minding is which of the things that wait are somebody's to see to.
type minding struct{ overrides, syncs bool }

func (v *visit) minds(view access.View) minding {
	facts := v.wearing(view)
	return minding{
		overrides: facts.Decide(access.OverridesManage, access.InDistrict()).Allowed,
		syncs:     facts.Decide(access.SyncRun, access.InDistrict()).Allowed,
	}
}

// waitingFor counts the kinds of things that wait: each is a line on the home page.
func (v *visit) waitingFor(m minding) (n int, err error) {
	w, err := v.tx.Waiting(v.ctx)
	if w.Overrides && m.overrides {
		n++
	}
	if w.Sync && m.syncs {
		n++
	}
	return n, err
}

// noteAccount notes which account is in use where each role has its own: switching the view is switching the account.
func (v *visit) noteAccount(ctx context.Context, tx *models.Tx, view access.View) error {
	if v.me.Policy.Strategy != access.PerRole || !access.Role(view).WorksHere() {
		return nil
	}
	return tx.NoteAccount(ctx, v.me.User.ID, access.Role(view))
}
