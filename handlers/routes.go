package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/assets"
	"hallpass/models"
	"hallpass/views"
)

// route is one row of the table. It has either a permission and a page, or a reason why anyone may open it.
type route struct {
	method, path string

	// permission is needed somewhere to get in; at says how wide that somewhere must be for the page to mean
	// anything. Which rows the page shows is for the handler to limit to the same reach.
	permission access.Permission
	or         []access.Permission // any of these opens the page as well; the handler settles what of it
	at         access.Kind
	empty      bool // also for someone who holds it nowhere yet, such as a teacher before sections are shared
	page       func(*visit) (reply, error)
	first      func(id string) models.First // what the page asks first of the thing in its address; nil: nothing

	public string
	open   echo.HandlerFunc
}

// inside is where every page of a district lives: the district's Clever id, then the view worn.
const inside = "/d/:district/:view/"

func (s *server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	const keyed = "for programs: the bearer key in the request says whose it is"
	return []route{
		{method: get, path: inside, permission: access.UsersView, at: access.Section, empty: true, page: showHome},
		{method: get, path: inside + "users", permission: access.UsersView, at: access.Section, empty: true, page: listUsers},
		{method: get, path: inside + "users/:id", permission: access.UsersView, at: access.Section, page: showUser, first: models.FirstUser},
		{method: get, path: inside + "users/:id/access", permission: access.UsersView, at: access.Section, page: showUserAccess},
		{method: get, path: inside + "users/:id/access/why", permission: access.UsersView, at: access.Section, page: showWhy},
		{method: get, path: inside + "users/:id/compare", permission: access.UsersView, at: access.Section, page: showCompare},
		{method: get, path: inside + "access/check", permission: access.UsersView, at: access.Section, page: showCheck},
		{method: get, path: inside + "access/who-can", permission: access.UsersView, at: access.School, page: showWhoCan},
		{method: get, path: inside + "access/who-can.csv", permission: access.UsersView, at: access.School, page: exportWhoCan},
		{method: get, path: inside + "schools", permission: access.UsersView, at: access.School, page: listSchools},
		{method: get, path: inside + "schools/:id", permission: access.UsersView, at: access.School, page: showSchool},
		{method: get, path: inside + "sections", permission: access.ClassroomView, at: access.Section, empty: true, page: listMySections},
		{method: get, path: inside + "sections/:id", permission: access.RosterView, at: access.Section, page: showSection},
		{method: get, path: inside + "syncs", permission: access.SyncRun, at: access.District, page: listSyncs},
		{method: post, path: inside + "syncs", permission: access.SyncRun, at: access.District, page: s.createSync},
		{method: get, path: inside + "syncs/:id", permission: access.SyncRun, at: access.District, page: showSync},
		{method: get, path: inside + "syncs/:id/live", permission: access.SyncRun, at: access.District, page: watchSync},
		{method: get, path: inside + "syncs/:id/changes", permission: access.SyncRun, at: access.District, page: listSyncChanges},
		{method: get, path: inside + "syncs/:id/changes.csv", permission: access.SyncRun, at: access.District, page: exportSyncChanges},
		{method: get, path: inside + "syncs/:id/held", permission: access.SyncRun, at: access.District, page: listHeld},
		{method: get, path: inside + "syncs/:id/held.csv", permission: access.SyncRun, at: access.District, page: exportHeld},
		{method: get, path: inside + "syncs/:id/held/access.csv", permission: access.SyncRun, at: access.District, page: exportHeldAccess},
		{method: post, path: inside + "syncs/:id/held/preview", permission: access.SyncRun, at: access.District, page: previewHeld},
		{method: post, path: inside + "syncs/:id/held", permission: access.SyncRun, at: access.District, page: s.decideHeld},

		// The app's accounts from before are the whole district's.
		{method: get, path: inside + "migration", permission: access.DuplicatesReview, at: access.District, page: showMigration},
		{method: get, path: inside + "migration.csv", permission: access.DuplicatesReview, at: access.District, page: exportMigration},
		{method: get, path: inside + "migration/cut-over", permission: access.DuplicatesReview, at: access.District, page: editCutOver},
		{method: post, path: inside + "migration/cut-over/preview", permission: access.DuplicatesReview, at: access.District, page: previewCutOver},
		{method: post, path: inside + "migration/cut-over", permission: access.DuplicatesReview, at: access.District, page: changeCutOver},
		{method: get, path: inside + "imports", permission: access.DuplicatesReview, at: access.District, page: listImports},
		{method: post, path: inside + "imports", permission: access.DuplicatesReview, at: access.District, page: s.createImport},
		{method: get, path: inside + "imports/:id", permission: access.DuplicatesReview, at: access.District, page: showImport},
		{method: get, path: inside + "imports/:id/errors.csv", permission: access.DuplicatesReview, at: access.District, page: exportImportErrors},
		{method: post, path: inside + "imports/:id/apply", permission: access.DuplicatesReview, at: access.District, page: s.applyImport},
		{method: post, path: inside + "imports/:id/drop", permission: access.DuplicatesReview, at: access.District, page: dropImport},
		{method: get, path: inside + "imports/:id/undo", permission: access.DuplicatesReview, at: access.District, page: previewImportUndo},
		{method: post, path: inside + "imports/:id/undo", permission: access.DuplicatesReview, at: access.District, page: s.undoImport},

		{method: get, path: inside + "merges", permission: access.DuplicatesReview, at: access.School, page: listMerges},
		{method: get, path: inside + "merges/new", permission: access.DuplicatesReview, at: access.School, page: newMerge},
		{method: post, path: inside + "merges", permission: access.DuplicatesReview, at: access.School, page: createMerge},
		{method: get, path: inside + "merges/:id", permission: access.DuplicatesReview, at: access.School, page: showMerge},
		{method: post, path: inside + "merges/:id/agree", permission: access.DuplicatesReview, at: access.School, page: agreeMerge},
		{method: post, path: inside + "merges/:id/refuse", permission: access.DuplicatesReview, at: access.School, page: refuseMerge},
		{method: get, path: inside + "merges/:id/unmerge", permission: access.DuplicatesReview, at: access.School, page: previewUnmerge},
		{method: post, path: inside + "merges/:id/unmerge", permission: access.DuplicatesReview, at: access.School, page: unmerge},

		{method: get, path: inside + "users/:id/overrides/new", permission: access.OverridesManage, at: access.District, page: newOverride},
		{method: get, path: inside + "users/:id/roles/new", permission: access.RolesAssign, at: access.District, page: newRole},
		{method: post, path: inside + "users/:id/roles/preview", permission: access.RolesAssign, at: access.District, page: previewRole},
		{method: post, path: inside + "users/:id/roles", permission: access.RolesAssign, at: access.District, page: giveRole},
		{method: get, path: inside + "users/:id/roles/:grant/end", permission: access.RolesAssign, at: access.District, page: previewRoleEnding},
		{method: post, path: inside + "users/:id/roles/:grant/end", permission: access.RolesAssign, at: access.District, page: endRole},
		{method: get, path: inside + "overrides", permission: access.OverridesManage, at: access.District, page: listOverrides},
		{method: get, path: inside + "overrides.csv", permission: access.OverridesManage, at: access.District, page: exportOverrides},
		{method: post, path: inside + "overrides/preview", permission: access.OverridesManage, at: access.District, page: previewOverride},
		{method: post, path: inside + "overrides", permission: access.OverridesManage, at: access.District, page: createOverride},
		{method: get, path: inside + "overrides/bulk", permission: access.OverridesManage, at: access.District, page: severalOverrides},
		{method: post, path: inside + "overrides/bulk/preview", permission: access.OverridesManage, at: access.District, page: previewOverrides},
		{method: post, path: inside + "overrides/bulk", permission: access.OverridesManage, at: access.District, page: applyOverrides},
		{method: get, path: inside + "overrides/:id", permission: access.OverridesManage, at: access.District, page: showOverride},
		{method: get, path: inside + "overrides/:id/extend", permission: access.OverridesManage, at: access.District, page: extendOverride},
		{method: post, path: inside + "overrides/:id/extend", permission: access.OverridesManage, at: access.District, page: previewExtension},
		{method: post, path: inside + "overrides/:id/extend/apply", permission: access.OverridesManage, at: access.District, page: applyExtension},
		{method: get, path: inside + "overrides/:id/end", permission: access.OverridesManage, at: access.District, page: previewEnding},
		{method: post, path: inside + "overrides/:id/end", permission: access.OverridesManage, at: access.District, page: applyEnding},

		{method: get, path: inside + "duplicates", permission: access.DuplicatesReview, at: access.School, page: listDuplicates},
		{method: get, path: inside + "duplicates/fix", permission: access.DuplicatesReview, at: access.School, page: showDuplicateFixes},
		{method: get, path: inside + "duplicates/fix.csv", permission: access.DuplicatesReview, at: access.School, page: exportDuplicateFixes},
		{method: get, path: inside + "duplicates/bulk", permission: access.DuplicatesReview, at: access.School, page: newBulk},
		{method: post, path: inside + "duplicates/bulk", permission: access.DuplicatesReview, at: access.School, page: s.createBulk},
		{method: get, path: inside + "duplicates/bulk/:id", permission: access.DuplicatesReview, at: access.School, page: showBulk},
		{method: post, path: inside + "duplicates/bulk/:id", permission: access.DuplicatesReview, at: access.School, page: acceptBulk},
		{method: post, path: inside + "duplicates/bulk/:id/sample", permission: access.DuplicatesReview, at: access.School, page: answerBulk},
		{method: post, path: inside + "duplicates/bulk/:id/drop", permission: access.DuplicatesReview, at: access.School, page: dropBulk},
		{method: get, path: inside + "duplicates/:id", permission: access.DuplicatesReview, at: access.School, page: showDuplicate},
		{method: post, path: inside + "duplicates/:id/decide", permission: access.DuplicatesReview, at: access.School, page: decideDuplicate},

		// A change belongs to whoever may make its kind; reading it also to whoever sees what was changed.
		{method: get, path: inside + "changes/:id", permission: access.AuditView, or: changers, at: access.School, page: showChange},
		{method: get, path: inside + "changes/:id/undo", permission: access.OverridesManage, or: changers, at: access.School, page: previewUndo},
		{method: post, path: inside + "changes/:id/undo", permission: access.OverridesManage, or: changers, at: access.School, page: undoChange},

		// What the district decides for everybody.
		{method: get, path: inside + "rules", permission: access.SettingsManage, at: access.District, page: showRules},
		{method: get, path: inside + "rules/edit", permission: access.SettingsManage, at: access.District, page: editRules},
		{method: post, path: inside + "rules/preview", permission: access.SettingsManage, at: access.District, page: previewRules},
		{method: post, path: inside + "rules", permission: access.SettingsManage, at: access.District, page: changeRules},
		{method: get, path: inside + "settings", permission: access.SettingsManage, at: access.District, page: showSettings},
		{method: get, path: inside + "settings/combining", permission: access.SettingsManage, at: access.District, page: editSetting(combiningSetting)},
		{method: post, path: inside + "settings/combining/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(combiningSetting)},
		{method: post, path: inside + "settings/combining", permission: access.SettingsManage, at: access.District, page: changeSetting(combiningSetting)},
		{method: get, path: inside + "settings/strategy", permission: access.SettingsManage, at: access.District, page: editSetting(strategySetting)},
		{method: post, path: inside + "settings/strategy/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(strategySetting)},
		{method: post, path: inside + "settings/strategy", permission: access.SettingsManage, at: access.District, page: changeSetting(strategySetting)},
		{method: get, path: inside + "settings/calendar", permission: access.SettingsManage, at: access.District, page: editSetting(calendarSetting)},
		{method: post, path: inside + "settings/calendar/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(calendarSetting)},
		{method: post, path: inside + "settings/calendar", permission: access.SettingsManage, at: access.District, page: changeSetting(calendarSetting)},
		{method: get, path: inside + "settings/night", permission: access.SettingsManage, at: access.District, page: editSetting(nightSetting)},
		{method: post, path: inside + "settings/night/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(nightSetting)},
		{method: post, path: inside + "settings/night", permission: access.SettingsManage, at: access.District, page: changeSetting(nightSetting)},
		{method: get, path: inside + "settings/retention", permission: access.SettingsManage, at: access.District, page: editSetting(retentionSetting)},
		{method: post, path: inside + "settings/retention/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(retentionSetting)},
		{method: post, path: inside + "settings/retention", permission: access.SettingsManage, at: access.District, page: changeSetting(retentionSetting)},
		{method: get, path: inside + "settings/bulk", permission: access.SettingsManage, at: access.District, page: editSetting(bulkSetting)},
		{method: post, path: inside + "settings/bulk/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(bulkSetting)},
		{method: post, path: inside + "settings/bulk", permission: access.SettingsManage, at: access.District, page: changeSetting(bulkSetting)},
		{method: get, path: inside + "settings/connection", permission: access.SettingsManage, at: access.District, page: showConnection},
		{method: post, path: inside + "settings/connection/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(connectionSetting)},
		{method: post, path: inside + "settings/connection", permission: access.SettingsManage, at: access.District, page: changeSetting(connectionSetting)},
		{method: get, path: inside + "settings/brake", permission: access.SettingsManage, at: access.District, page: editSetting(brakeSetting)},
		{method: post, path: inside + "settings/brake/preview", permission: access.SettingsManage, at: access.District, page: previewSetting(brakeSetting)},
		{method: post, path: inside + "settings/brake", permission: access.SettingsManage, at: access.District, page: changeSetting(brakeSetting)},
		{method: get, path: inside + "settings/keys", permission: access.SettingsManage, at: access.District, page: listKeys},
		{method: post, path: inside + "settings/keys", permission: access.SettingsManage, at: access.District, page: createKey},
		{method: get, path: inside + "settings/keys/:id", permission: access.SettingsManage, at: access.District, page: confirmRevokeKey},
		{method: post, path: inside + "settings/keys/:id/revoke", permission: access.SettingsManage, at: access.District, page: revokeKey},

		{method: get, path: inside + "activity", permission: access.AuditView, at: access.District, page: showActivity},
		{method: get, path: inside + "activity.csv", permission: access.AuditView, at: access.District, page: exportActivity},

		{method: get, path: "/", public: "leads to the own home, or to the door", open: s.start},
		{method: get, path: "/d/:district", public: "leads to the own home, or to the door", open: s.start},
		{method: get, path: "/d/:district/", public: "leads to the own home, or to the door", open: s.start},
		{method: get, path: "/d/:district/:view", public: "the same address with its slash", open: addSlash},

		{method: get, path: views.SignInPath, public: "the door", open: s.showSignIn},
		{method: get, path: views.SignInCleverPath, public: "the way to Clever", open: s.beginSignIn},
		{method: get, path: callbackPath, public: "the way back from Clever; the state says whose it is", open: s.finishSignIn},
		{method: get, path: views.ViewsPath, public: "for whoever is signed in, about their own views only", open: s.signedIn(route{method: get}, s.showChooseView)},
		{method: post, path: views.ViewsPath, public: "for whoever is signed in, about their own views only", open: s.signedIn(route{method: post}, s.chooseView)},
		{method: get, path: views.TurnedAwayPath, public: "says in plain words why there is nothing here, shows nobody's data", open: s.showNothingHere},
		{method: post, path: views.SignOutPath, public: "ends the session of this browser, whatever it is", open: s.signOut},

		{method: get, path: views.HelpPath, public: "explains words and roles, shows nobody's data", open: s.showHelp},
		{method: get, path: views.AccessibilityPath, public: "a statement to the public", open: s.showAccessibility},
		{method: get, path: "/language", public: "remembers a choice in this browser", open: s.chooseLanguage},
		{method: get, path: "/keys", public: "remembers a choice in this browser", open: s.chooseKeys},
		{method: get, path: "/theme", public: "remembers a choice in this browser", open: s.chooseTheme},
		{method: get, path: assets.Prefix + "*", public: "style and script, the same for everybody", open: serveAsset},

		{method: post, path: evaluationPath, public: keyed, open: s.evaluate},
		{method: post, path: evaluationsPath, public: keyed, open: s.evaluateAll},
		{method: post, path: searchSubjectPath, public: keyed, open: s.searchSubjects},
		{method: post, path: searchResourcePath, public: keyed, open: s.searchResources},
		{method: post, path: searchActionPath, public: keyed, open: s.searchActions},
		{method: get, path: discoveryPath, public: "says where programs may ask, shows nobody's data", open: s.showDiscovery},
		{method: get, path: openAPIPath, public: "describes the decision API, shows nobody's data", open: showOpenAPI},

		{method: get, path: "/healthz", public: "for the machine that watches", open: s.showHealth},
		{method: get, path: "/readyz", public: "for the machine that watches", open: s.showReadiness},
	}
}

// changers are the permissions that make changes with receipts.
var changers = []access.Permission{access.OverridesManage, access.RolesAssign, access.SettingsManage, access.SyncRun, access.DuplicatesReview}

// lets reports whether facts allow the row anything.
func (r route) lets(f access.Facts) bool {
	for _, p := range r.or {
		if (route{permission: p, at: r.at}).lets(f) {
			return true
		}
	}
	reach := f.Reach(r.permission)
	switch {
	case reach.District || r.empty:
		return true
	case r.at == access.School:
		return len(reach.Schools) > 0
	case r.at == access.Section:
		return !reach.Empty()
	}
	return false
}
