package views

import (
	"net/url"
	"strconv"
)

// Addresses outside a district.
const (
	SignInPath        = "/signin"
	SignInCleverPath  = "/signin/clever"
	ViewsPath         = "/signin/choose-view"
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

// SyncLivePath tells, as server-sent events, that a run has moved.
func SyncLivePath(district, view string, id int64) string {
	return SyncPath(district, view, id) + "/live"
}

// NothingHerePath is the page for those whom the console has nothing for. reason is one of NoConsolePage's.
func NothingHerePath(reason string) string {
	return TurnedAwayPath + "?" + url.Values{"as": {reason}}.Encode()
}

// ChooseViewPath asks in which view to begin, and goes on to next, a path of the district or "".
func ChooseViewPath(next string) string {
	if next == "" {
		return ViewsPath
	}
	return ViewsPath + "?" + url.Values{"next": {next}}.Encode()
}

// ChangePath is the receipt of a change, by its number.
func ChangePath(district, view string, number int64) string {
	return viewPath(district, view) + "changes/" + strconv.FormatInt(number, 10)
}

// UndoPath is the preview of undoing a change, and where that is done by POST.
func UndoPath(district, view string, number int64) string {
	return ChangePath(district, view, number) + "/undo"
}

// NewOverridePath is the form of a new override for a person.
func NewOverridePath(district, view string, user int64) string {
	return UserPath(district, view, user) + "/overrides/new"
}

// OverridesPath is the list of overrides, and where a new one is made by POST.
func OverridesPath(district, view string) string { return viewPath(district, view) + "overrides" }

// OverridePreviewPath is where the form of an override is posted.
func OverridePreviewPath(district, view string) string {
	return OverridesPath(district, view) + "/preview"
}

// OverridesBulkPath is where ticked overrides are changed as one: /preview below it, and by POST itself.
func OverridesBulkPath(district, view string) string {
	return OverridesPath(district, view) + "/bulk"
}

// OverridePath is one override; /extend and /end below it change it.
func OverridePath(district, view string, id int64) string {
	return OverridesPath(district, view) + "/" + strconv.FormatInt(id, 10)
}

// RolesPath is where a role is given to a person by POST; /new and /preview below it lead there.
func RolesPath(district, view string, user int64) string {
	return UserPath(district, view, user) + "/roles"
}

// EndRolePath is the preview of ending a role given by hand, and where that is done by POST.
func EndRolePath(district, view string, user, grant int64) string {
	return RolesPath(district, view, user) + "/" + strconv.FormatInt(grant, 10) + "/end"
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
	Status string // "" and current, ended, imported, any
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

// SettingsPath is what the district decides for everybody.
func SettingsPath(district, view string) string { return viewPath(district, view) + "settings" }

// SettingPath is the form of one setting, or of connection the page that tells of it; what it says is applied there by POST.
func SettingPath(district, view, setting string) string {
	return SettingsPath(district, view) + "/" + setting
}

// SettingPreviewPath shows what another value of a setting would do.
func SettingPreviewPath(district, view, setting string) string {
	return SettingPath(district, view, setting) + "/preview"
}

// RulesPath is what each role gives, and where a change of it is applied by POST.
func RulesPath(district, view string) string { return viewPath(district, view) + "rules" }

// RulesEditPath is the form of the rules.
func RulesEditPath(district, view string) string { return RulesPath(district, view) + "/edit" }

// RulesLabelPath is the form with a column for one more staff label.
func RulesLabelPath(district, view, label string) string {
	return RulesEditPath(district, view) + "?" + url.Values{"label": {label}}.Encode()
}

// RulesPreviewPath shows what other rules would do.
func RulesPreviewPath(district, view string) string { return RulesPath(district, view) + "/preview" }

// KeysPath is the list of the decision API's keys, and where one is made by POST.
func KeysPath(district, view string) string { return SettingsPath(district, view) + "/keys" }

// KeyPath asks once more before a key is revoked.
func KeyPath(district, view string, id int64) string {
	return KeysPath(district, view) + "/" + strconv.FormatInt(id, 10)
}

// RevokeKeyPath is where a key is revoked by POST.
func RevokeKeyPath(district, view string, id int64) string {
	return KeyPath(district, view, id) + "/revoke"
}

// UserAccessPath is what one person may, place by place.
func UserAccessPath(district, view string, id int64) string {
	return UserPath(district, view, id) + "/access"
}

// WhyPath is why a person may or may not do something. place is district, school:ID or section:ID with Clever's id.
func WhyPath(district, view string, id int64, permission, place string) string {
	return withQuery(UserAccessPath(district, view, id)+"/why", asked(permission, place))
}

// ComparePath sets two people beside each other; without the second it asks for one.
func ComparePath(district, view string, id, with int64) string {
	q := url.Values{}
	if with != 0 {
		q.Set("with", strconv.FormatInt(with, 10))
	}
	return withQuery(UserPath(district, view, id)+"/compare", q)
}

// CheckPath asks whether anybody may do anything anywhere.
func CheckPath(district, view string) string { return viewPath(district, view) + "access/check" }

// WhoCanPath is everybody who may do something at a place.
func WhoCanPath(district, view, permission, place string) string {
	return withQuery(viewPath(district, view)+"access/who-can", asked(permission, place))
}

// WhoCanCSVPath is the same list as a file.
func WhoCanCSVPath(district, view, permission, place string) string {
	return withQuery(viewPath(district, view)+"access/who-can.csv", asked(permission, place))
}

func asked(permission, place string) url.Values {
	q := url.Values{}
	if permission != "" {
		q.Set("permission", permission)
	}
	if place != "" {
		q.Set("place", place)
	}
	return q
}

// ImportsPath is where files of the app's old accounts are given, by POST, and listed.
func ImportsPath(district, view string) string { return viewPath(district, view) + "imports" }

// ImportPath is one file: how far it is, what it would do or did.
func ImportPath(district, view string, id int64) string {
	return ImportsPath(district, view) + "/" + strconv.FormatInt(id, 10)
}

// ImportApplyPath is where a file that was looked at is applied by POST.
func ImportApplyPath(district, view string, id int64) string {
	return ImportPath(district, view, id) + "/apply"
}

// ImportDropPath is where a file is forgotten by POST.
func ImportDropPath(district, view string, id int64) string {
	return ImportPath(district, view, id) + "/drop"
}

// ImportUndoPath shows what taking a file back would do, and is where that is done by POST.
func ImportUndoPath(district, view string, id int64) string {
	return ImportPath(district, view, id) + "/undo"
}

// ImportErrorsPath is what is wrong with a file's rows, as a file.
func ImportErrorsPath(district, view string, id int64) string {
	return ImportPath(district, view, id) + "/errors.csv"
}

// MigrationPath is how far the app's old accounts have found their people; state, role and after choose the list.
func MigrationPath(district, view, state, role, after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"state": state, "role": role, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return withQuery(viewPath(district, view)+"migration", q)
}

// MigrationCSVOfPath is the old accounts of one state as a file.
func MigrationCSVOfPath(district, view, state string) string {
	return withQuery(MigrationCSVPath(district, view), url.Values{"state": {state}})
}

// CutOverPath is the form for the date of the cut-over, and where it is set by POST.
func CutOverPath(district, view string) string {
	return MigrationPath(district, view, "", "", "") + "/cut-over"
}

// CutOverPreviewPath shows by POST what a date would do.
func CutOverPreviewPath(district, view string) string {
	return CutOverPath(district, view) + "/preview"
}

// MigrationCSVPath is all old accounts as a file.
func MigrationCSVPath(district, view string) string {
	return viewPath(district, view) + "migration.csv"
}
