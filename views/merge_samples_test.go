package views

import (
	"time"

	"github.com/a-h/templ"
)

// mergeSamples are the pages of merges in their more telling states.
func mergeSamples(lang string) map[string]templ.Component {
	f, lines := sampleFrame(lang, "duplicates"), sampleDiff(lang)
	act, spot := sampleOverrideWords(lang).Act, sampleOverrideWords(lang).Spot
	check := Check{Plan: "00", Token: "11", Seen: "22"}
	names := MergeNames{Survivor: "Danny D Brakus", SurvivorID: 7, Members: []string{"Dan Brackus", ""}, IDs: []int64{8, 9}}
	plan := MergePlanPage{
		Frame: f, Check: check, Answers: MergeAnswers{Members: []int64{7, 8}, Keep: 7, Name: 7, Email: 8, Allow: []string{"a.school.1.0"}, Class: "A", Reason: "x"},
		People: []MergePerson{
			{ID: 7, Name: names.Survivor, Email: "danny@cedarfork.example", CleverID: "67290af290b55408fa4b09e7", Since: sampleNow, Used: sampleNow, Kept: true, MayKeep: true, Roles: []MergeRole{{"teacher", []string{"Juniper Ridge Middle", ""}}, {"district_admin", nil}}},
			{ID: 8, Name: "Dan Brackus", Imported: true, Ended: true, MayKeep: true},
			{ID: 9},
		},
		Fields: []MergeField{
			{Name: "name", Value: names.Survivor, From: names.Survivor, Chosen: 7, Options: []MergeOption{{7, names.Survivor, names.Survivor}, {8, "Dan Brackus", "Dan Brackus"}}},
			{Name: "email", From: names.Survivor, Fixed: true},
		},
		Moves:    []MergeMove{{"role_grants", 2, "Dan Brackus"}},
		Accounts: []MergeAccount{{ID: 4, Into: 3, Of: "Dan Brackus"}, {ID: 5, Role: "staff", Of: "Dan Brackus"}},
		Clashes: []MergeClash{
			{Kind: "section_twice", Count: 2},
			{Kind: "override_twice", Act: act, Spot: spot},
			{Kind: "preferences_stay", Count: 1},
			{Kind: "override_disagrees", Key: "a", Act: act, Spot: spot, Allows: "Dan Brackus", Denies: names.Survivor, Allowed: true},
			{Kind: "override_disagrees", Key: "b", Act: act, Spot: spot, Locked: true},
		},
		Sessions: 1, Alike: 2, Effects: []MergeEffects{{names.Survivor, lines}, {"Dan Brackus", nil}}, Second: []string{"second_person", "more_than_held"},
	}
	moved := plan
	moved.Second, moved.Check = nil, Check{Plan: "00", Token: "11", Moved: true, Gone: 2, Problem: "No.", Blocked: true}
	waits, mine := plan, plan
	waits.Proposal, waits.ProposedBy, waits.ProposedAt = 3, "Wren Castellano", sampleNow.Add(-time.Hour)
	mine.Proposal, mine.Mine, mine.Blocked = 3, true, true
	records := []MergedRecord{{ID: 8, Name: "Dan Brackus", Email: "dan@cedarfork.example", CleverID: "6aa007487be2a90013f7a2c4", Legacy: []string{"l"}, Ended: true, Merge: 3}}
	receipt := MergePage{Frame: f, ID: 3, State: "merged", Class: "A", Reason: "Old accounts", Names: names, ProposedBy: "A", ProposedAt: sampleNow, By: "B", At: sampleNow, Rows: []MergeMove{{Kind: "users", Rows: 2}, {Kind: "x", Rows: 1}}, Records: records}
	back := receipt
	back.State, back.UnmergedBy, back.UnmergedAt, back.Records = "unmerged", "C", sampleNow, nil
	differs := back
	differs.Differs = []MergeDiffers{{"users", `{"id": 7}`, "changed"}, {"overrides", `{"id": 9}`, "created"}, {"section_teachers", `{}`, "gone"}}
	stale := MergePage{Frame: f, ID: 4, State: "proposed", Names: names, Stale: true}
	refused := MergePage{Frame: f, ID: 5, State: "refused", Names: names}
	undo := UnmergePage{
		Frame: f, Check: check, ID: 3, Names: names, Reason: "x", Returned: []MergeMove{{Kind: "users", Rows: 2}}, Since: 2, Effects: []MergeEffects{{names.Survivor, lines}},
		Questions: []UnmergeQuestion{{Key: "overrides.4", Act: act, Spot: spot, To: "Dan Brackus", Answer: "give", Options: []string{"give", "keep", "restore"}}, {Key: "overrides.5", Created: true, Act: act, Spot: spot, Answer: "keep", Options: []string{"keep"}}},
	}
	clean := undo
	clean.Questions, clean.Since = nil, 0
	stacked := UnmergePage{Frame: f, Check: Check{Problem: f.Locale().UnmergeStacked([]int64{4, 5}), Blocked: true}, ID: 3, Names: names, Stacked: []int64{4, 5}}
	return map[string]templ.Component{
		"merge plan": MergePlan(plan), "merge plan moved": MergePlan(moved), "merge proposal": MergePlan(waits), "merge proposal of mine": MergePlan(mine),
		"merge": Merge(receipt), "merge taken back": Merge(back), "merge differs": Merge(differs), "merge stale": Merge(stale), "merge refused": Merge(refused),
		"unmerge": Unmerge(undo), "unmerge clean": Unmerge(clean), "unmerge stacked": Unmerge(stacked),
		"merges": Merges(MergesPage{Frame: f, Rows: []MergeRow{{3, "merged", names, "A", sampleNow}, {2, "unmerged", names, "A", sampleNow}, {1, "proposed", names, "A", sampleNow}}, More: 1}), "merges none": Merges(MergesPage{Frame: f}),
	}
}
