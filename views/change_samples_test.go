package views

import (
	"time"

	"github.com/a-h/templ"
)

func sampleOverrideWords(lang string) OverrideWords {
	act := Act{Code: "grades.edit", Sentence: "Change grades.", Sensitive: true}
	if lang == "es" {
		act.Sentence = "Cambiar las calificaciones."
	}
	return OverrideWords{
		Name: "Danny D Brakus", Allow: true, Act: act, Spot: Spot{Kind: "school", Name: "Harbor View Elementary"},
		End: EndWords{Kind: "term", At: *at(2026, time.December, 19, 0, 0), Term: "Fall 2026"},
	}
}

func sampleDiff(lang string) []DiffLine {
	w := sampleOverrideWords(lang)
	return []DiffLine{
		{Spot: w.Spot, Act: w.Act, After: true},
		{Spot: Spot{Kind: "section", Name: "Art", Period: "2", Around: "Harbor View Elementary"}, Act: w.Act, Note: "x", Moved: true},
		{Spot: Spot{Kind: "district"}, Act: Act{Code: "audit.view", Sentence: "See what was changed."}, Before: true, Views: []string{"district_admin", "all"}},
	}
}

// changeSamples are the pages of changes in their more telling states.
func changeSamples(lang string) map[string]templ.Component {
	f, w, lines := sampleFrame(lang, "overrides"), sampleOverrideWords(lang), sampleDiff(lang)
	check := Check{Plan: "00", Token: "11", Seen: "22"}
	ends := EndChoices{Terms: []TermChoice{{"5", "Fall 2026", *at(2026, time.December, 18, 0, 0)}, {"6", "", *at(2027, time.June, 4, 0, 0)}}, Roles: []string{"teacher"}, YearEnd: *at(2027, time.June, 30, 0, 0), First: "2026-11-20"}
	places := []ChoiceGroup{{"x", []Choice{{"school:" + sampleSchoolA, "Juniper Ridge Middle"}}}, {"y", []Choice{{"district", "z"}}}}
	permissions := []PermissionChoice{{w.Act, "section"}, {Act{Code: "a.b"}, "school"}, {Act{Code: "c.d", Sentence: "See."}, "district"}}
	form := OverrideFormPage{Frame: f, UserID: 7, Name: w.Name, Permissions: permissions, Places: places, Ends: ends, MayLock: true}
	wrong := form
	for _, field := range []string{"effect-allow", "permission", "place", "reason", "note", "end", "confirm", "date", "term", "role", "locked"} {
		wrong.Problems = append(wrong.Problems, Problem{field, "Not so " + field})
	}
	blocked := form
	blocked.Blocked = "Students hold none."
	role := RoleWords{Name: w.Name, Role: "staff", Labels: []string{"SchoolTechLead"}, Schools: []string{"Harbor View Elementary", ""}, Ends: at(2026, time.December, 19, 0, 0)}
	l := f.Locale()
	page := OverridePage{
		Frame: f, ID: 12, UserID: 7, Words: w, Reason: "covering", Note: "Grade 4", By: "Wren Castellano", At: *at(2026, time.November, 20, 8, 0),
		Locked: true, MayChange: true, Flags: []string{"redundant", "contradicted", "orphaned"}, Lines: lines, UndoOf: 3,
		History: []OverrideDeed{{3, l.OverrideDeed("override.created", 12), *at(2026, time.November, 20, 8, 0), "Wren Castellano"}},
	}
	ended := page
	ended.EndedAt, ended.EndedBy, ended.MayChange = at(2026, time.November, 20, 9, 0), "Wren Castellano", false
	bulk := OverridesBulkPage{
		Frame: f, Check: check, Title: l.CheckTitle(), Button: "End 2 overrides now", Sentence: "2 overrides end now.", Ends: true, Fields: OverridesBulkHidden("end", []int64{12, 11}),
		People: []OverridesBulkPerson{{UserID: 7, Name: w.Name, Items: []OverridesBulkItem{{ID: 12, Words: w, Ended: true}, {ID: 11, Words: w, Moved: true}}, Lines: lines}},
		Left:   []OverridesBulkLeft{{ID: 9, Says: "Danny may.", Why: l.OverrideLocked()}}, Back: OverridesPath(sampleDistrict, "all"),
	}
	bulkUndo := bulk
	bulkUndo.Undoes, bulkUndo.Ends, bulkUndo.People = 14, false, []OverridesBulkPerson{{UserID: 8, Items: []OverridesBulkItem{{ID: 12, Words: w}}, Lost: lines}}
	row := OverrideRow{ID: 12, UserID: 7, Name: "Brakus, Danny D", Words: w, Reason: "covering", Note: "Grade 4", By: "Wren Castellano", At: *at(2026, time.November, 20, 8, 0), Soon: true, Locked: true, Flags: []string{"redundant"}}
	gone := row
	gone.ID, gone.Ended, gone.Words.Allow, gone.Words.End = 11, at(2026, time.November, 1, 0, 0), false, EndWords{Kind: "role", Role: "teacher"}
	roleForm := RoleFormPage{Frame: f, UserID: 7, Name: w.Name, Roles: []string{"teacher", "staff", "district_admin"}, Labels: []string{"SchoolTechLead"}, Schools: []SchoolOption{{sampleSchoolA, "Juniper Ridge Middle"}}, Ends: ends}
	roleWrong := roleForm
	roleWrong.Answers.Given = "staff"
	for _, field := range []string{"given-staff", "schools", "label", "reason", "note", "end"} {
		roleWrong.Problems = append(roleWrong.Problems, Problem{field, "Not so " + field})
	}
	moved := check
	moved.Moved, moved.Gone = true, 2
	refused := check
	refused.Problem, refused.Blocked = "It cannot be.", true
	receipt := Receipt{Sentence: w.Sentence(l), Answers: l.OverrideReceipt(w, "covering", "Grade 4", EndWords{Kind: "none"}, true), Lines: lines, Links: []Link{{"/x", "Danny"}}}
	ref := &ChangeRef{Number: 2, Href: "/y", At: *at(2026, time.November, 20, 8, 0)}
	user := sampleUser(lang)
	user.ShowOverrides, user.CanOverride, user.CanGive = true, true, true
	user.Overrides = []UserOverride{
		{ID: 12, Words: w, Reason: "covering", Note: "Grade 4", By: "Wren Castellano", At: row.At, Soon: true, Locked: true, May: true, Flags: []string{"orphaned"}},
		{ID: 13, Words: gone.Words, Reason: "other", Note: "y", By: "Wren Castellano", At: row.At},
		{ID: 11, Words: gone.Words, Ended: gone.Ended, At: row.At},
	}
	return map[string]templ.Component{
		"override-form":       OverrideForm(form),
		"override-wrong":      OverrideForm(wrong),
		"override-blocked":    OverrideForm(blocked),
		"override-preview":    OverridePreview(OverridePreviewPage{Frame: f, Check: check, UserID: 7, Title: l.CheckTitle(), Words: w, Lines: lines, Answers: l.OverrideAnswers(w, "covering", "Grade 4", true, "/x"), To: "/x", Back: "/y", Step: 2}),
		"override-moved":      OverridePreview(OverridePreviewPage{Frame: f, Check: moved, UserID: 7, Title: l.CheckTitle(), Words: w, Nothing: l.RolesGiveIt(), To: "/x", Back: "/y", Step: 2}),
		"override-refused":    OverridePreview(OverridePreviewPage{Frame: f, Check: refused, UserID: 7, Title: l.EndTitle(), Words: w, Says: l.EndSays(12), Lines: lines, To: "/x", Button: l.EndButton(12), Ends: true, Back: "/y"}),
		"override":            Override(page),
		"override-ended":      Override(ended),
		"overrides-bulk":      OverridesBulk(bulk),
		"overrides-bulk-undo": OverridesBulk(bulkUndo),
		"overrides-bulk-form": OverridesBulkForm(OverridesBulkFormPage{Frame: f, Items: []OverridesBulkItem{{ID: 12, Words: w}}, Ends: ends, Problems: []Problem{{"end", "Choose an end"}}}),
		"override-extend":     OverrideExtend(OverrideExtendPage{Frame: f, ID: 12, UserID: 7, Words: w, Ends: ends, Answers: EndAnswers{End: "term", Term: "5"}}),
		"override-extend-no":  OverrideExtend(OverrideExtendPage{Frame: f, ID: 12, UserID: 7, Words: w, Ends: ends, Blocked: l.OverrideLocked()}),
		"overrides":           Overrides(OverridesPage{Frame: f, Filter: OverridesFilter{Q: "br", Only: "stale", Status: "any"}, Permissions: []Act{w.Act}, Rows: []OverrideRow{row, gone}, Total: 2, Next: &PageLink{Cursor: "z"}, Notices: []string{"bad_cursor", "unknown_filter", "school_not_found"}}),
		"overrides-none":      Overrides(OverridesPage{Frame: f, None: true}),
		"overrides-no-match":  Overrides(OverridesPage{Frame: f, Filter: OverridesFilter{Q: "zz"}, Bounded: true}),
		"role-form":           RoleForm(roleForm),
		"role-wrong":          RoleForm(roleWrong),
		"role-preview":        RolePreview(RolePreviewPage{Frame: f, Check: check, UserID: 7, Title: l.CheckTitle(), Words: role, Lines: lines, Answers: l.RoleGivenAnswers(role, "duty", "x", "/f"), Fields: RoleAnswers{Given: "staff", Schools: []string{"a", "b"}}.Hidden(), To: "/x", Back: "/y", Step: 2}),
		"role-end":            RolePreview(RolePreviewPage{Frame: f, Check: check, UserID: 7, Title: l.EndRoleTitle(), Words: role, Ends: true, Nothing: l.RoleNothing("teacher", true), To: "/x", Back: "/y"}),
		"change":              Change(ChangePage{Frame: f, Receipt: receipt, Number: 3, At: row.At, By: "Wren Castellano", CanUndo: true, Undoes: ref}),
		"change-undone":       Change(ChangePage{Frame: f, Receipt: receipt, Number: 3, At: row.At, By: "Wren Castellano", CanUndo: true, UndoneBy: ref}),
		"undo":                Undo(UndoPage{Frame: f, Check: check, Number: 3, Heading: l.WhatChangesFor(w.Name), Sentence: l.UndoOverride(12, true, ""), Lines: lines, Lost: lines, Button: l.UndoButton(3)}),
		"user-with-overrides": User(user),
		"home-overrides":      Home(HomePage{Frame: f, OverridesEnding: 2, OverridesStale: 1}),
	}
}
