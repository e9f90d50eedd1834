package views

import (
	"net/url"
	"strconv"
)

// Addresses outside a district.
const (
	SignInPath        = "/signin"
	SignInCleverPath  = "/signin/clever"
	TurnedAwayPath    = "/signin/nothing-here"
	SignOutPath       = "/signout"
	HelpPath          = "/help"
	AccessibilityPath = "/accessibility"
)

func viewPath(district, view string) string {
	return "/d/" + url.PathEscape(district) + "/" + url.PathEscape(view) + "/"
}

// HomePath is where a view of a district begins. district is its Clever id, view
// one of teacher, staff, district_admin and all.
func HomePath(district, view string) string { return viewPath(district, view) }

// UsersPath is the list of people.
func UsersPath(district, view string) string { return viewPath(district, view) + "users" }

// UserPath is one person, by Hallpass id.
func UserPath(district, view string, id int64) string {
	return viewPath(district, view) + "users/" + strconv.FormatInt(id, 10)
}

// SchoolsPath is the list of schools.
func SchoolsPath(district, view string) string { return viewPath(district, view) + "schools" }

// SchoolPath is one school, by Clever id.
func SchoolPath(district, view, id string) string {
	return viewPath(district, view) + "schools/" + url.PathEscape(id)
}

// SectionPath is one section, by Clever id.
func SectionPath(district, view, id string) string {
	return viewPath(district, view) + "sections/" + url.PathEscape(id)
}

// SyncsPath is the list of sync runs, and where a new one is asked for by POST.
func SyncsPath(district, view string) string { return viewPath(district, view) + "syncs" }

// SyncPath is one sync run.
func SyncPath(district, view string, id int64) string {
	return viewPath(district, view) + "syncs/" + strconv.FormatInt(id, 10)
}

// NothingHerePath is the page for those whom the console has nothing for. reason is one of NoConsolePage's.
func NothingHerePath(reason string) string {
	return TurnedAwayPath + "?" + url.Values{"as": {reason}}.Encode()
}

// ChangePath is the receipt of a change, by its number.
func ChangePath(district, view string, number int64) string {
	return viewPath(district, view) + "changes/" + strconv.FormatInt(number, 10)
}

// UndoPath is the preview of undoing a change, and where that is done by POST.
func UndoPath(district, view string, number int64) string {
	return ChangePath(district, view, number) + "/undo"
}

// LanguagePath remembers a language and returns to back, a path with its query.
func LanguagePath(to, back string) string {
	return "/language?" + url.Values{"to": {to}, "back": {back}}.Encode()
}

// ThemePath remembers light, dark or system and returns to back.
func ThemePath(to, back string) string {
	return "/theme?" + url.Values{"to": {to}, "back": {back}}.Encode()
}

// UsersFilter is what a list of people is asked for, as it stands in the query.
// Zero fields are left out of links.
type UsersFilter struct {
	Q      string // words, all of which must match
	Role   string // role slug
	School string // Clever id; with Role, that role at that school
	Status string // "" and current, ended, any
	Multi  bool   // people with several roles
	Sort   string // "" and name, email, changed; with "-" in front, descending
	After  string // cursor: rows after it
	Before string // cursor: rows before it
}

// Path is the list of people under this filter.
func (f UsersFilter) Path(district, view string) string {
	q := make(url.Values, 8)
	for name, value := range map[string]string{
		"q": f.Q, "role": f.Role, "school": f.School, "status": f.Status, "sort": f.Sort, "after": f.After, "before": f.Before,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Multi {
		q.Set("multi", "1")
	}
	return withQuery(UsersPath(district, view), q)
}

// Active says whether anything but the order narrows the list.
func (f UsersFilter) Active() bool {
	return f.Q != "" || f.Role != "" || f.School != "" || f.Status != "" || f.Multi
}

// page is the filter without a place in the list.
func (f UsersFilter) firstPage() UsersFilter {
	f.After, f.Before = "", ""
	return f
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
