package views

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/a-h/templ"

	"hallpass/access"
)

var (
	sampleZone = time.FixedZone("CST", -6*3600)
	sampleNow  = time.Date(2026, time.November, 20, 8, 19, 0, 0, sampleZone)
)

func at(y int, m time.Month, d, hour, minute int) *time.Time {
	t := time.Date(y, m, d, hour, minute, 0, 0, sampleZone)
	return &t
}

const (
	sampleDistrict = "6385008f69df036e83e984a3"
	sampleSchoolA  = "63850203bfb8460546071e60"
	sampleSchoolB  = "63850203bfb8460546071e5e"
)

// sampleFrame is an admin who also teaches, on the page with the given nav key.
func sampleFrame(lang, current string) Frame {
	f := Frame{
		Lang:       lang,
		District:   District{CleverID: sampleDistrict, Name: "Cedar Fork Unified"},
		User:       SignedIn{ID: 7, Name: "Wren Castellano", FirstName: "Wren"},
		View:       "district_admin",
		ViewPlaces: "All 64 schools",
		Path:       HomePath(sampleDistrict, "district_admin") + current,
		Query:      "q=x&role=teacher",
		SyncedAt:   at(2026, time.November, 20, 6, 2),
		Now:        sampleNow,
		TZ:         sampleZone,
		RequestID:  "01JD4V7Q2M4410",
		Views: []ViewLink{
			{Slug: "district_admin", Href: HomePath(sampleDistrict, "district_admin"), Current: true},
			{Slug: "teacher", Href: HomePath(sampleDistrict, "teacher")},
		},
	}
	for _, key := range []string{"home", "users", "schools", "syncs"} {
		f.Nav = append(f.Nav, NavItem{Key: key, Href: HomePath(sampleDistrict, "district_admin") + key, Current: key == current, Held: key == "syncs"})
	}
	return f
}

func sampleTeacherFrame(lang string) Frame {
	f := sampleFrame(lang, "sections")
	f.View, f.ViewPlaces = "teacher", "Juniper Ridge Middle"
	f.Views = []ViewLink{
		{Slug: "teacher", Href: HomePath(sampleDistrict, "teacher"), Current: true},
		{Slug: "district_admin", Href: HomePath(sampleDistrict, "district_admin")},
	}
	f.Nav = []NavItem{
		{Key: "sections", Href: HomePath(sampleDistrict, "teacher"), Current: true},
		{Key: "schools", Href: SchoolsPath(sampleDistrict, "teacher")},
	}
	return f
}

// sampleLanded is a teacher whose other view led here, with accounts by role and something waiting elsewhere.
func sampleLanded(lang string) Frame {
	f := sampleTeacherFrame(lang)
	f.PerRole, f.Landed = true, Landing{Thing: "user", View: "teacher"}
	f.Views[1].Waiting = 2
	return f
}

// sampleActs are three things to do in a section; the last is an override's word.
func sampleActs(allowed ...bool) (acts []SectionAct) {
	for i, a := range allowed {
		acts = append(acts, SectionAct{Act: Act{Code: "grades.edit", Sentence: "Change grades."}, Allowed: a, Override: i == 2, Why: "/x"})
	}
	return acts
}

func outsideFrame(lang string) Frame {
	return Frame{Lang: lang, Path: "/signin", Now: sampleNow, TZ: sampleZone, RequestID: "01JD4V7Q2M4410"}
}

func sampleRows(n int) []UserRow {
	names := []string{
		"Abara, Chidi", "Aguinaldo, Marisela", "Ahlstrom, Berit", "Amadi, Folake", "Anselmo, Tobias", "Arriaga, Yesenia",
		"Balderas, Ximena", "Bergström, Åsa", "Brakus, Danny D", "Ó Súilleabháin, Caoimhe",
	}
	schools := []string{"Alder Creek High", "Juniper Ridge Middle", "Harbor View Elementary", "Willow Bend K–8"}
	rows := make([]UserRow, n)
	for i := range rows {
		name := names[i%len(names)]
		rows[i] = UserRow{
			ID: int64(100 + i), Name: name,
			Email:   strings.ToLower(strings.SplitN(name, ",", 2)[0]) + fmt.Sprint(i) + "@cedarfork.example",
			Changed: sampleNow.Add(-time.Duration(i*i) * time.Hour),
			Grants:  []RowGrant{{Role: "teacher", School: schools[i%4], Primary: true}},
		}
		switch i % 5 {
		case 1:
			rows[i].Grants = append(rows[i].Grants, RowGrant{Role: "staff", School: schools[(i+1)%4], Labels: []string{"SchoolTechLead"}})
		case 3:
			rows[i].Grants = []RowGrant{{Role: "district_admin"}, {Role: "teacher", School: schools[3], Primary: true}}
		case 4:
			rows[i].Email = ""
			rows[i].Grants = []RowGrant{
				{Role: "staff", School: schools[0], Labels: []string{"PortalOnly"}},
				{Role: "staff", School: schools[1]},
				{Role: "staff", School: schools[2]},
			}
			rows[i].MoreSchools = 3
			rows[i].Ended = i%2 == 0
		}
	}
	return rows
}

func sampleUsers(lang string) UsersPage {
	return UsersPage{
		Frame:   sampleFrame(lang, "users"),
		Filter:  UsersFilter{Role: "teacher", Q: "cedar"},
		Roles:   []string{"teacher", "staff", "district_admin", "student", "contact"},
		Schools: []SchoolOption{{sampleSchoolA, "Juniper Ridge Middle"}, {sampleSchoolB, "Harbor View Elementary"}},
		Rows:    sampleRows(50),
		Total:   10000,
		Bounded: true,
		Next:    &PageLink{Cursor: "abc", Name: "Finch, Ada"},
	}
}

func sampleUser(lang string) UserPage {
	since, sinceStaff := at(2024, time.November, 4, 9, 0), at(2025, time.April, 15, 9, 0)
	return UserPage{
		Frame: sampleFrame(lang, "users"),
		ID:    4711, Name: "Danny D Brakus", Email: "danny.brakus@cedarfork.example",
		CleverID:  "67290af290b55408fa4b09e7",
		ChangedAt: at(2026, time.November, 17, 9, 0),
		Grants: []UserGrant{
			{Role: "teacher", SchoolID: sampleSchoolA, School: "Juniper Ridge Middle", SchoolSIS: "42", Primary: true, Source: "clever", Since: since},
			{Role: "staff", SchoolID: sampleSchoolB, School: "Harbor View Elementary", SchoolSIS: "17", Labels: []string{"PortalOnly"}, Source: "clever", Since: sinceStaff},
		},
		TotalSchools: 64,
		IDs: []UserIDs{
			{Role: "teacher", LegacyID: "67290af290b55408fa4b09e3"},
			{Role: "staff", LegacyID: "67feda77ecb57b200c573ce6", Number: "74002"},
		},
		Sections: []UserSection{
			{ID: "s1", Name: "Earth Science", School: "Juniper Ridge Middle", Term: "Fall 2026", Period: "1", As: "primary", Students: 28},
			{ID: "s2", Name: "Earth Science", School: "Juniper Ridge Middle", Term: "Fall 2026", Period: "3", As: "primary", Students: 31},
			{ID: "s3", Name: "Robotics Lab", School: "Juniper Ridge Middle", Period: "4", As: "co", Students: 19},
		},
		Accounts: []UserAccount{
			{ID: "9f1c2a", Role: "teacher", Created: *since, LastSignIn: at(2026, time.November, 20, 7, 49)},
			{ID: "77aa01", Role: "staff", Created: *sinceStaff},
		},
		PerRole: true,
		Related: []RelatedUser{{ID: 99, Name: "Brakus", Roles: []string{"contact"}, Kind: "same_email"}},
	}
}

func sampleAllRolesUser(lang string) UserPage {
	p := sampleUser(lang)
	p.Name = "Odalys Carmichael"
	p.EndedAt = nil
	p.Grants = append(p.Grants,
		UserGrant{Role: "staff", SchoolID: sampleSchoolA, School: "Juniper Ridge Middle", SchoolSIS: "42", Source: "manual", By: "Wren Castellano", Since: at(2026, time.October, 5, 9, 0), Until: at(2026, time.December, 19, 0, 0)},
		UserGrant{Role: "district_admin", Source: "clever", Since: at(2025, time.August, 1, 9, 0)},
		UserGrant{Role: "coach", SchoolID: "63850203bfb8460546071e99", Source: "clever"},
		UserGrant{Role: "staff", SchoolID: sampleSchoolB, School: "Harbor View Elementary", Source: "clever", EndedAt: at(2026, time.June, 4, 9, 0)},
	)
	return p
}

func sampleContact(lang string) UserPage {
	return UserPage{
		Frame: sampleFrame(lang, "users"),
		ID:    99, Name: "Brakus", Email: "danny.brakus@cedarfork.example", CleverID: "67290af290b55408fa4b0aaa",
		EndedAt: at(2026, time.October, 1, 9, 0),
		Grants:  []UserGrant{{Role: "contact", Source: "clever"}},
		IDs:     []UserIDs{{Role: "contact", LegacyID: "67290af290b55408fa4b0aab"}},
		Related: []RelatedUser{
			{ID: 12, Name: "Lovisa Ekström", Roles: []string{"student"}, Kind: "student", Relationship: "Parent"},
			{ID: 4711, Name: "Danny D Brakus", Roles: []string{"staff", "teacher"}, Kind: "same_email"},
		},
		TotalSchools: 64,
	}
}

func sampleRun(state string) SyncRun {
	r := SyncRun{
		ID: 8841, Kind: "full", State: state, By: "Wren Castellano", Started: *at(2026, time.November, 20, 6, 0),
		Types: []SyncType{
			{Type: "schools", State: "done", Pages: 1, Read: 64, Unchanged: 64},
			{Type: "terms", State: "done", Pages: 1, Read: 4, Unchanged: 4},
			{Type: "users", State: "done", Pages: 11, Read: 105122, Created: 38, Updated: 12, Unchanged: 105072, Ended: 3, Revived: 1},
			{Type: "sections", State: "done", Pages: 3, Read: 2802, Updated: 5, Unchanged: 2797, Problems: 2},
		},
	}
	switch state {
	case "running":
		r.Types[2].State, r.Types[3] = "running", SyncType{Type: "sections", State: "waiting"}
	case "failed":
		r.Types[2].State, r.Types[3] = "failed", SyncType{Type: "sections", State: "waiting"}
		r.Finished = at(2026, time.November, 20, 6, 1)
		r.Error = &SyncError{Message: "Clever answered with HTML where JSON was due.", Said: "Service Unavailable: try again later", Type: "users", Page: 12, Next: "answer"}
	default:
		r.Finished = at(2026, time.November, 20, 6, 2)
	}
	return r
}

func sampleSchool(lang string) SchoolPage {
	return SchoolPage{
		Frame: sampleFrame(lang, "schools"), ID: sampleSchoolA, Name: "Juniper Ridge Middle", SISID: "42", Number: "42",
		LowGrade: "6", HighGrade: "8", Shared: true, ChangedAt: at(2026, time.August, 11, 9, 0),
		Counts:    []RoleCount{{"teacher", 48, 6}, {"staff", 21, 6}, {"student", 812, 0}},
		Employees: []SchoolPerson{{1, "Aguinaldo, Marisela", "teacher", nil, true}, {1, "Aguinaldo, Marisela", "staff", []string{"SchoolTechLead"}, false}, {2, "Brakus, Danny D", "teacher", nil, true}},
		Sections: []SectionRow{
			{ID: "s1", Name: "Earth Science", Period: "1", Term: "Fall 2026", Subject: "science", Grade: "7", TeacherID: 4711, Teacher: "Brakus, Danny D", Students: 28},
			{ID: "s3", Name: "Robotics Lab", Period: "4", Subject: "technology and engineering", Grade: "8", TeacherID: 2, Teacher: "Bui, Thanh Mai", CoTeachers: 1, Students: 19},
			{ID: "s4", Name: "Advisory 7B", Students: 16},
		},
		TotalSections: 130, Next: &PageLink{Cursor: "zz", Name: "Algebra"},
	}
}

func sampleSection(lang string) SectionPage {
	return SectionPage{
		Frame: sampleFrame(lang, "schools"), ID: "s3", Name: "Robotics Lab", SchoolID: sampleSchoolA, School: "Juniper Ridge Middle",
		Period: "4", Subject: "technology and engineering", Grade: "8", Term: "Fall 2026", TermStart: at(2026, time.August, 11, 0, 0), TermEnd: at(2026, time.December, 18, 0, 0),
		Teachers:          []SectionPerson{{ID: 2, Name: "Bui, Thanh Mai", Email: "thanhmai.bui@cedarfork.example", Primary: true}, {ID: 4711, Name: "Brakus, Danny D", Email: "danny.brakus@cedarfork.example"}},
		Students:          []SectionPerson{{ID: 31, Name: "Ekström, Lovisa", Grade: "8", Number: "100231"}, {ID: 32, Name: "Fennimore, Gus", Grade: "8", Number: "100444", Ended: true}},
		StudentsNotShared: 3, TeachersNotShared: 1,
	}
}

// samples are all pages in their more telling states.
func samples(lang string) map[string]templ.Component {
	all := map[string]templ.Component{
		"users":          Users(sampleUsers(lang)),
		"users-results":  UsersResults(sampleUsers(lang)),
		"user":           User(sampleUser(lang)),
		"user-all-roles": User(sampleAllRolesUser(lang)),
		"user-contact":   User(sampleContact(lang)),
		"user-bare":      User(UserPage{Frame: sampleFrame(lang, "users"), ID: 5}),
		"school":         School(sampleSchool(lang)),
		"school-hidden":  School(SchoolPage{Frame: sampleFrame(lang, "schools"), ID: "63850203bfb8460546071e99"}),
		"section":        Section(sampleSection(lang)),
		"section-bare":   Section(SectionPage{Frame: sampleTeacherFrame(lang), ID: "s9", Mine: true, SchoolID: sampleSchoolA}),
		"schools": Schools(SchoolsPage{Frame: sampleFrame(lang, "schools"), Total: 3, Rows: []SchoolRow{
			{ID: sampleSchoolB, Name: "Harbor View Elementary", SISID: "17", LowGrade: "Kindergarten", HighGrade: "5", Teachers: 31, Staff: 12, Students: 402, Sections: 44, Shared: true},
			{ID: sampleSchoolA, Name: "Juniper Ridge Middle", SISID: "42", LowGrade: "6", HighGrade: "8", Teachers: 48, Staff: 21, Students: 1812, Sections: 130, Shared: true},
			{ID: "63850203bfb8460546071e99", Staff: 2},
		}}),
		"schools-none":  Schools(SchoolsPage{Frame: sampleFrame(lang, "schools"), CanSync: true}),
		"schools-empty": Schools(SchoolsPage{Frame: sampleFrame(lang, "schools"), Q: "zzz"}),
		"home": Home(HomePage{
			Frame: sampleFrame(lang, "home"), ShowSync: true, LastSync: new(sampleRun("done")), Several: 436,
			Counts: []RoleCount{{"student", 41206, 0}, {"contact", 58912, 0}, {"teacher", 3118, 221}, {"staff", 1874, 215}, {"district_admin", 12, 9}},
		}),
		"home-failed": Home(HomePage{Frame: sampleFrame(lang, "home"), ShowSync: true, LastSync: new(sampleRun("failed"))}),
		"home-new":    Home(HomePage{Frame: sampleFrame(lang, "home"), ShowSync: true, CanSync: true}),
		"mysections": MySections(MySectionsPage{Frame: sampleTeacherFrame(lang), Schools: []string{"Juniper Ridge Middle"}, Sections: []MySection{
			{ID: "s1", Name: "Earth Science", School: "Juniper Ridge Middle", Term: "Fall 2026", Period: "1", Students: 28, Primary: true, Acts: sampleActs(true, true, true)},
			{ID: "s3", Name: "Robotics Lab, Period 4", School: "Juniper Ridge Middle", Period: "4", Students: 19, Acts: sampleActs(true, false, true)},
		}}),
		"choose-view": ChooseView(ChooseViewPage{
			Frame: sampleFrame(lang, "home"), Selected: "teacher", OnlyOne: true, Next: HomePath(sampleDistrict, "teacher") + "sections",
			Options: []ViewOption{
				{Slug: "district_admin", Waiting: 2},
				{Slug: "staff", Places: "Alder Creek High, Juniper Ridge Middle"},
				{Slug: "teacher", Places: "Juniper Ridge Middle", Sections: 5},
				{Slug: "all"},
			},
		}),
		"activity":      Activity(sampleActivity(lang)),
		"activity-none": Activity(ActivityPage{Frame: sampleFrame(lang, "activity"), Kinds: []string{"session"}}),
		"activity-empty": Activity(ActivityPage{
			Frame: sampleFrame(lang, "activity"), Filter: ActivityFilter{By: "x", From: "2026-01-01"}, Notices: []string{"nobody", "several", "bad_date", "bad_cursor", "unknown_filter"},
		}),
		"landed":          MySections(MySectionsPage{Frame: sampleLanded(lang)}),
		"mysections-none": MySections(MySectionsPage{Frame: sampleTeacherFrame(lang)}),
		"syncs":           Syncs(SyncsPage{Frame: sampleFrame(lang, "syncs"), CanSync: true, Runs: []SyncRun{sampleRun("done"), sampleRun("failed"), sampleRun("running")}}),
		"syncs-none":      Syncs(SyncsPage{Frame: sampleFrame(lang, "syncs"), CanSync: true}),
		"sync":            Sync(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleRun("done")}),
		"sync-running":    Sync(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleRun("running")}),
		"sync-events":     Sync(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleEvents("done")}),
		"sync-events-bad": Sync(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleEvents("failed")}),
		"sync-progress":   SyncProgress(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleRun("running")}),
		"sync-failed":     Sync(SyncPage{Frame: sampleFrame(lang, "syncs"), Run: sampleRun("failed")}),
		"help":            Help(HelpPage{sampleFrame(lang, "help")}),
		"help-outside":    Help(HelpPage{outsideFrame(lang)}),
		"accessibility":   Accessibility(AccessibilityPage{outsideFrame(lang)}),
	}
	empty := sampleUsers(lang)
	empty.Rows, empty.Total, empty.Bounded, empty.Next = nil, 0, false, nil
	empty.Filter = UsersFilter{Q: "brakkus", Role: "staff", School: "unknown-school", Multi: true}
	empty.Notices = []string{"bad_cursor", "unknown_filter", "school_not_found"}
	all["users-empty"] = Users(empty)
	pinned := sampleUsers(lang)
	pinned.Filter = UsersFilter{Q: "67290af290b55408fa4b09e7"}
	pinned.Rows, pinned.Total, pinned.Bounded, pinned.Next = sampleRows(3), 3, false, nil
	pinned.Rows[0].Pinned = true
	all["users-pinned"] = Users(pinned)
	all["users-nobody"] = Users(UsersPage{Frame: sampleFrame(lang, "users"), NoPeople: true, CanSync: true})
	for _, n := range []string{"", "signed_out", "idle", "absolute", "replaced", "clever_error", "restarted", "district_unknown"} {
		all["signin-"+n] = SignIn(SignInPage{Frame: outsideFrame(lang), Notice: n, Code: "access_denied"})
	}
	for _, r := range []string{"student", "contact", "no_role", "unknown_role", "ended", "not_listed", "archived", "old_id"} {
		p := NoConsolePage{Frame: outsideFrame(lang), Reason: r, FirstName: "Lovisa", Schools: []string{"A", "B", "C", "D", "E"}}
		p.User = SignedIn{ID: 3, Name: "Lovisa Ekström"}
		switch r {
		case "student", "contact":
			p.Roles = []string{r}
		case "unknown_role":
			p.Roles = []string{"coach"}
		}
		all["noconsole-"+r] = NoConsole(p)
	}
	for _, status := range []int{400, 403, 404, 405, 409, 422, 429, 500, 503} {
		all[fmt.Sprint("error-", status)] = Error(ErrorPage{Frame: sampleFrame(lang, "users"), Status: status, RetryAfter: 30})
		all[fmt.Sprint("error-outside-", status)] = Error(ErrorPage{Frame: outsideFrame(lang), Status: status})
	}
	refused := reasonOf(access.Facts{
		Grants: []access.Grant{{Role: access.Teacher, Schools: []int64{1}}, {Role: access.DistrictAdmin}}, View: access.View(access.Teacher),
	}, "sync.run", access.InDistrict())
	all["error-other-view"] = Error(ErrorPage{
		Frame: sampleTeacherFrame(lang), Status: 403, OtherView: "district_admin", OtherViewHref: UsersPath(sampleDistrict, "district_admin"), Reason: &refused,
	})
	maps.Copy(all, ruleSamples(lang))
	maps.Copy(all, accessSamples(lang))
	maps.Copy(all, changeSamples(lang))
	maps.Copy(all, mergeSamples(lang))
	maps.Copy(all, duplicateSamples(lang))
	maps.Copy(all, importSamples(lang))
	maps.Copy(all, bulkSamples(lang))
	return all
}
