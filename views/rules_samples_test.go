package views

import (
	"time"

	"github.com/a-h/templ"
)

// ruleSamples are the pages of what the district decides for everybody.
func ruleSamples(lang string) map[string]templ.Component {
	f := sampleFrame(lang, "rules")
	edit := Act{Code: "grades.edit", Sentence: "Change grades.", Sensitive: true}
	view := Act{Code: "reports.view", Sentence: "Open reports."}
	staff, lead := RuleHead{Role: "staff"}, RuleHead{Role: "staff", Label: "SchoolTechLead", People: 25}
	rules := RulesPage{
		Frame: f, Heads: []RuleHead{{Role: "district_admin"}, staff, lead, {Role: "teacher"}}, Changed: 1, Combining: "most_privileged",
		Labels: []RuleLabel{{"PortalOnly", 58}, {"<b>Odd</b>", 1}}, Was: []string{"0", "0", "0", "0"}, Of: "cbf29ce484222325",
		Rows: []RuleRow{
			{edit, "section", []RuleCell{{Given: true, Default: true, Ticked: true}, {Given: true, Ticked: true}, {}, {Given: true, Default: true, Ticked: true}}},
			{view, "section", []RuleCell{{Given: true, Default: true, Ticked: true}, {Given: true, Default: true, Ticked: true}, {Through: true}, {Default: true}}},
		},
	}
	wrong := rules
	wrong.Problems, wrong.PerRole = []string{"nothing", "moved", "label", "odd"}, true
	check := PolicyPreview{
		Frame: f, Check: Check{Plan: "aa", Token: "bb", Moved: true, Gone: 2}, Title: "Check the new rules", Sentence: "2 rules change.", Crumb: Link{"/d/x/all/rules", "Role rules"},
		Cells: []RuleLine{{RuleHead: staff, Act: edit, After: true, Moved: true}, {RuleHead: staff, Act: view, Before: true}, {RuleHead: lead, Act: view}},
		Simulation: &Simulated{People: 2841, Touched: 221, More: 212, Groups: []SimulatedGroup{{
			Roles: []RuleHead{staff, {Role: "teacher"}}, People: 212, More: 212, Moved: true, Changes: []SimulatedChange{{Act: edit, Gained: 212}, {Act: view, Lost: 7}},
			Examples: []Example{{ID: 7, Name: "Danny D Brakus"}, {ID: 8}},
		}, {Roles: []RuleHead{lead}, People: 9, Changes: []SimulatedChange{{Act: view, Lost: 9}}}}},
		Losing: true, Answers: []Hidden{{"cell", "+staff:grades.edit"}}, To: RulesPath(sampleDistrict, "all"), Cancel: RulesEditPath(sampleDistrict, "all"), Button: "Apply these rules",
	}
	strategy := PolicyPreview{
		Frame: f, Title: "Check before this takes effect", Sentence: "One account for each role.", Crumb: Link{"/d/x/all/settings", "Settings"}, Undoes: 12, Cancel: SettingsPath(sampleDistrict, "all"),
		Check: Check{Problem: "Nobody would be left.", Blocked: true}, Settings: []SettingLine{{"Accounts", "One account for each person", "One account for each role", true}, {"Time", "Same", "Same", false}},
		Accounts: &Accounts{Separate: true, People: 2841, Several: 221, Made: 3062, Retired: 2841, Moved: true, Examples: []Example{{ID: 7, Name: "Danny D Brakus", Roles: []string{"staff", "teacher"}}}},
		Simulation: &Simulated{People: 2841, Touched: 221, Groups: []SimulatedGroup{{Roles: []RuleHead{staff, {Role: "teacher"}}, People: 221, Changes: []SimulatedChange{
			{Act: edit, Bound: 221}, {Act: view, Freed: 1}, {Act: Act{Code: "a.a"}}, {Act: Act{Code: "a.b"}}, {Act: Act{Code: "a.c"}}, {Act: Act{Code: "a.d"}}, {Act: Act{Code: "a.e"}},
		}}}},
	}
	weighing := WeighingPage{Frame: f, Title: "Check the new rules", Crumb: Link{"/d/x/all/rules", "Role rules"}}
	nobody := PolicyPreview{Frame: f, Title: "Check the new rules", Sentence: "One rule changes.", Crumb: Link{"/d/x/all/rules", "Role rules"}, Simulation: &Simulated{People: 2841}, Accounts: &Accounts{Several: 4}, Button: "Apply these rules", Cancel: RulesPath(sampleDistrict, "all")}
	choices := []SettingChoice{{"most_privileged", true, false}, {"least_privileged", false, true}, {"view_in_use", false, false}}
	return map[string]templ.Component{
		"rules":              Rules(rules),
		"rules-edit":         RulesForm(rules),
		"rules-edit-wrong":   RulesForm(wrong),
		"policy-check":       PolicyCheck(check),
		"policy-strategy":    PolicyCheck(strategy),
		"policy-weighing":    Weighing(weighing, templ.Join(Weighed(f, 10_000, 120_001), Weighed(f, 20_000, 120_001)), templ.NopComponent),
		"policy-weighed":     Weighing(weighing, templ.Join(Weighed(f, 10_000, 120_001), Weighed(f, 120_001, 120_001)), PolicyCheckPart(check)),
		"policy-unweighed":   Weighing(weighing, Weighed(f, 10_000, 120_001), Unweighed(f, RulesEditPath(sampleDistrict, "all"))),
		"policy-nobody":      PolicyCheck(nobody),
		"settings":           Settings(SettingsPage{Frame: f, Combining: "view_in_use", Strategy: "per_role", TimeZone: "America/Chicago", YearEnd: "06-30"}),
		"settings-changed":   Settings(SettingsPage{Frame: f, Combining: "least_privileged", Strategy: "consolidated", TimeZone: "America/Chicago", YearEnd: "odd", Changed: 3}),
		"combining":          EditSetting(SettingForm{Frame: f, Setting: "combining", Choices: choices}),
		"strategy":           EditSetting(SettingForm{Frame: f, Setting: "strategy", Choices: []SettingChoice{{"consolidated", true, false}, {"per_role", false, true}}, Problems: []SettingProblem{{"value", "same"}}}),
		"night":              EditSetting(SettingForm{Frame: f, Setting: "night", Number: 13, Problems: []SettingProblem{{"value", "hour"}}}),
		"retention":          EditSetting(SettingForm{Frame: f, Setting: "retention", Number: 60, Problems: []SettingProblem{{"value", "days"}}}),
		"bulk-limit":         EditSetting(SettingForm{Frame: f, Setting: "bulk", Number: 5_000, Problems: []SettingProblem{{"value", "bulk"}}}),
		"connection-form":    EditSetting(SettingForm{Frame: f, Setting: "connection", Choices: []SettingChoice{{"on", true, true}, {"paused", false, false}}}),
		"connection":         Connection(ConnectionPage{Frame: f, State: "on", Since: *at(2026, time.November, 1, 8, 0), Polled: at(2026, time.November, 20, 8, 0), KeptSince: at(2026, time.November, 1, 8, 0), Key: "20261101", Hour: 2, Days: 60}),
		"connection-paused":  Connection(ConnectionPage{Frame: f, State: "paused", Since: *at(2026, time.June, 12, 8, 0), Hour: 0, Days: 1}),
		"connection-waiting": Connection(ConnectionPage{Frame: f, State: "waiting", Since: *at(2026, time.November, 1, 8, 0)}),
		"connection-off":     Connection(ConnectionPage{Frame: f, State: "off", Since: *at(2026, time.November, 1, 8, 0)}),
		"connection-left":    Connection(ConnectionPage{Frame: f, State: "left", Since: *at(2026, time.November, 1, 8, 0), KeptUntil: at(2026, time.December, 31, 8, 0), Days: 60}),
		"connection-refused": Connection(ConnectionPage{Frame: f, State: "refused", Since: *at(2026, time.November, 1, 8, 0), Refused: "status 401: Bad <b>token</b>", Failed: &SyncRun{ID: 3, State: "failed", Error: &SyncError{Message: "Clever's answer could not be used.", Next: "credentials"}}, Hour: 23, Days: 3650}),
		"calendar": EditSetting(SettingForm{
			Frame: f, Setting: "calendar", Zones: []string{"America/Chicago", "UTC"}, Zone: "UTC", Month: 2, Day: 30,
			Problems: []SettingProblem{{"zone", "zone"}, {"day", "day"}},
		}),
	}
}
