package views

import (
	"time"

	"github.com/a-h/templ"
)

// duplicateSamples are the pages of duplicates in their more telling states.
func duplicateSamples(lang string) map[string]templ.Component {
	f := sampleFrame(lang, "duplicates")
	items := []DupItem{
		{Field: "prior", Level: "base", Tenths: -156},
		{Field: "number", Kind: "staff_id", Level: "one_edit", Tenths: 60, A: "74002", B: "74020"},
		{Field: "email", Level: "differ", Tenths: -20, A: "danny@x.example", B: "dan@x.example"},
		{Field: "surname", Level: "equal", Tenths: 76, OneIn: 190, A: "Brakus", B: "Brakus"},
		{Field: "given", Level: "nickname", Tenths: 40, A: "Danny", B: "Dan"},
		{Field: "middle", Level: "missing"},
		{Field: "schools", Level: "shared", Tenths: 49, OneIn: 30},
	}
	reasons := []DupReason{
		{Code: "two_clever_users"},
		{Code: "clever_split"},
		{Code: "shared_mailbox"},
		{Code: "office_mailbox", Params: map[string]string{"email": "office@x.example"}},
		{Code: "too_many_accounts", Params: map[string]string{"accounts": "4"}},
		{Code: "same_role_twice", Params: map[string]string{"role": "staff"}},
		{Code: "weak_bridge", Names: []string{"Danny D Brakus", "Dan Brakus"}},
		{Code: "second_person"},
		{Code: "uncertain"},
	}
	people := []DupPerson{
		{ID: 7, Name: "Danny D Brakus", Roles: []string{"teacher", "staff"}, Schools: []string{"Juniper Ridge Middle", "Harbor View Elementary"}},
		{ID: 8, Name: "Dan Brakus", Roles: []string{"staff"}, Schools: []string{"Harbor View Elementary"}, Imported: true},
		{ID: 9, Name: "", Roles: []string{"staff"}, Ended: true},
		{ID: 10, Imported: true},
		{ID: 11, Ended: true},
	}
	undo := &ChangeRef{Number: 3, Href: "/x", At: sampleNow, By: f.Locale().DuplicateShort("different")}
	queue := DuplicatesPage{
		Frame: f, Tab: "c", Counts: DupCounts{1, 2, 3, 4, 5, 6}, Decided: 41, First: 4, Pending: true, Undo: undo, Notices: []string{"bad_cursor", "unknown_filter"},
		Next: &PageLink{Cursor: "x"},
		Rows: []DupRow{
			{ID: 4, Kind: "merge", Class: "C", People: people, Items: items, Reasons: reasons, Chance: 970_000, Returned: true, ReturnedAt: at(2026, time.September, 3, 8, 0), Taken: "Theo Lindqvist", TakenAt: sampleNow},
			{ID: 5, Kind: "merge", Class: "B", People: people[:2], Items: items, Chance: 999_900},
		},
	}
	confirmed := queue
	confirmed.Tab, confirmed.Rows = "a", []DupRow{{ID: 6, Kind: "merge", Class: "A", People: people[:2], Items: items}}
	split := queue
	split.Tab, split.Rows = "split", []DupRow{{ID: 6, Kind: "split", Class: "A", People: people[:2]}, {ID: 7, Kind: "split", Class: "A", People: people[:2], Items: items}}
	one := DuplicatePage{
		Frame: f, Check: Check{Plan: "00", Token: "11"}, ID: 4, Kind: "merge", Class: "C", Chance: 970_000, MayMerge: true, One: true, Next: 5, Undo: undo,
		Members: []DupMember{{ID: 7, Name: "Danny D Brakus", Since: "x", Current: true}, {ID: 8, Name: "Dan Brakus", Since: "y", Gone: true}},
		Fields: []DupField{
			{Label: "Name", Match: "same", Cells: [][]DupLine{{{Text: "Danny D Brakus"}}, {{Text: "Dan Brakus"}, {Text: "Daniel Brakus"}}}},
			{Label: "Roles", Match: "overlap", Cells: [][]DupLine{{{Role: "teacher", Text: "Juniper Ridge Middle"}}, {{Role: "staff"}}}},
			{Label: "ID", Match: "differs", Cells: [][]DupLine{{{Text: "67290af290b55408fa4b09e7", ID: true}}, nil}},
			{Label: "Email", Match: "close", Cells: [][]DupLine{nil, nil}},
			{Label: "Number", Match: "missing", Cells: [][]DupLine{nil, nil}},
			{Label: "Used", Cells: [][]DupLine{nil, nil}},
		},
		Pairs: []DupPair{{A: "Danny D Brakus", B: "Dan Brakus", Class: "C", Tenths: 49, Chance: 967_000, Items: items}}, Reasons: reasons,
		Related: []DupRelated{{ID: 12, Name: "Brakus", Roles: []string{"contact"}}},
	}
	returned := one
	returned.Before, returned.Taken, returned.TakenAt = &DupBefore{By: "Wren Castellano", At: sampleNow, Reason: "I know both", Bits: 61}, "Theo Lindqvist", sampleNow
	group := one
	group.Class, group.Unsure = "A", true
	group.Members = append(group.Members, DupMember{ID: 9, Name: "D Brakus", Since: "z"})
	group.Pairs = append(group.Pairs, DupPair{A: "x", B: "y", Tenths: -3, Chance: 3, Items: items[:1]})
	for i := range group.Fields {
		group.Fields[i].Cells = append(group.Fields[i].Cells[:2:2], nil)
	}
	again := one
	again.Kind, again.Class, again.Pairs, again.MayUndo, again.Keys = "split", "A", nil, true, true
	again.Split = &DupSplit{CleverID: "67290af290b55408fa4b09e7", Merge: 3, Since: sampleNow}
	two := again
	two.Split, two.Class = &DupSplit{CleverID: "67feda77ecb57b200c573ce6"}, "B"
	fix := DuplicateFixPage{Frame: f, Rows: []FixRow{
		{Case: 4, File: "teachers.csv", Key: "Teacher_id", Value: "42", Name: "Danny D Brakus", Field: "Teacher_email", Now: "danny@x.example", Why: "two_users"},
		{Case: 5, File: "staff.csv", Key: "Staff_id", Value: "74002", Name: "Dan Brakus", Field: "Staff_email", Why: "mailbox"},
	}}
	return map[string]templ.Component{
		"duplicates": Duplicates(queue), "duplicates-a": Duplicates(confirmed), "duplicates-split": Duplicates(split),
		"duplicates-none":      Duplicates(DuplicatesPage{Frame: f, Tab: "a", Decided: 41}),
		"duplicates-none-here": Duplicates(DuplicatesPage{Frame: f, Tab: "parked", Counts: DupCounts{A: 1}}),
		"duplicate":            Duplicate(one), "duplicate-returned": Duplicate(returned), "duplicate-group": Duplicate(group), "duplicate-again": Duplicate(again),
		"duplicate-split": Duplicate(two), "duplicate-gone": DuplicateGone(DuplicateGonePage{Frame: f, Tried: true}),
		"duplicate-fix": DuplicateFix(fix), "duplicate-fix-none": DuplicateFix(DuplicateFixPage{Frame: f}),
	}
}

// bulkSamples are the pages of batches in their more telling states.
func bulkSamples(lang string) map[string]templ.Component {
	f := sampleFrame(lang, "duplicates")
	l := f.Locale()
	row := DupRow{ID: 4, Kind: "merge", Class: "A", Chance: 999_900, Bulk: true, Items: []DupItem{{Field: "number", Kind: "staff_id", Level: "equal", Tenths: 180}}, People: []DupPerson{
		{ID: 7, Name: "Danny D Brakus", Roles: []string{"teacher", "staff"}, Schools: []string{"Juniper Ridge Middle"}}, {ID: 8, Name: "Dan Brakus", Roles: []string{"staff"}, Imported: true},
	}}
	left := row
	left.Reasons = []DupReason{{Code: "office_mailbox", Params: map[string]string{"email": "office@x.example"}}, {Code: "second_person"}}
	offer := BulkOfferPage{Frame: f, Class: "A", Bands: []int{999_000, 990_000}, Rows: []BulkRow{{row, "4.ab"}, {row, "5.cd"}}, All: 812, Alone: 26, Left: []DupRow{left}, Read: 128, Limit: 20_000}
	for i, s := range []string{"planning", "sampling", "ready", "refused", "dropped", "applying", "accepted", "undoing", "undone"} {
		offer.Before = append(offer.Before, BulkBefore{int64(i + 1), "B", s, sampleNow})
	}
	all := map[string]templ.Component{"bulk-offer": BulkOffer(offer), "bulk-none": BulkOffer(BulkOfferPage{Frame: f, Class: "A"})}
	few, few2 := offer, offer
	few.Class, few.Least, few.TooFew, few.All, few.Before = "B", 999_000, true, 2, nil
	few2.All100, few2.All = true, 2
	all["bulk-few"], all["bulk-all"] = BulkOffer(few), BulkOffer(few2)
	person := BulkPerson{ID: 7, Names: []string{"Danny D Brakus", "Dan Brakus"}, Emails: []string{"danny@x.example"}, Roles: []string{"teacher", "staff"}, Schools: []string{"Juniper Ridge Middle"}, Numbers: []BulkNumber{{"staff_id", "74002"}}}
	page := BulkPage{Frame: f, ID: 3, Class: "B", By: "Wren Castellano", At: sampleNow, Mine: true, Limit: 20_000, All: 500, Planned: 490, Open: 480, Rows: 900, Accounts: 480, Sessions: 3, More: 12, Widened: 4, Less: 1}
	for _, s := range []string{"planning", "applying", "undoing", "undone", "dropped"} {
		p := page
		p.State = s
		all["bulk-"+s] = Bulk(p)
	}
	sample := page
	sample.State, sample.Sample = "sampling", []BulkDrawn{{Field: "answer-0", Answer: "same", People: []BulkPerson{person, person}}, {Field: "answer-1", People: []BulkPerson{person, {ID: 9}}}}
	all["bulk-sampling"] = Bulk(sample)
	sample.Missing = 1
	all["bulk-missing"] = Bulk(sample)
	sample.Sample, sample.Mine, sample.Missing = nil, false, 0
	all["bulk-sampling-other"] = Bulk(sample)
	ready := page
	ready.State, ready.Check, ready.Known, ready.Drawn, ready.Torn, ready.MostWrong = "ready", Check{Plan: "00", Token: "11"}, true, 128, 1, 18_000
	for _, why := range []string{"changed", "clash", "moved", "different", "nobody_left", "stacked", "since", "taken_back", "second_person", "own_record"} {
		ready.Out = append(ready.Out, BulkOut{Case: 4, Names: []string{"Danny D Brakus", "Dan Brakus"}, Why: why})
	}
	all["bulk-ready"] = Bulk(ready)
	done := ready
	done.State, done.Change, done.Merged, done.Open, done.Out[5].Merge, done.Drawn = "accepted", 12, 480, 0, 9, 0
	all["bulk-accepted"] = Bulk(done)
	for _, why := range []string{"few", "wrong", "none"} {
		p := ready
		p.State, p.Why, p.Wrong, p.MostWrong = "refused", why, 3, 61_234
		all["bulk-refused-"+why] = Bulk(p)
	}
	for i, p := range []BulkPage{done, {State: "applying", Open: 4, Known: true}, {State: "undone", Unmerged: 4}} {
		sentence, a := l.BulkReceipt(p, i == 2)
		all["bulk-receipt-"+p.State] = Change(ChangePage{Frame: f, Number: 12, At: sampleNow, CanUndo: true, Receipt: Receipt{Sentence: sentence, Answers: a, Links: []Link{{Href: "/x", Word: l.BulkLink(3)}}}})
	}
	u := UndoPage{Frame: f, Check: Check{Problem: l.BulkBusy() + l.BulkNothing() + l.BulkEmpty()}, Number: 12}
	u.Heading, u.Sentence, u.Button = l.BulkUndo(478, map[string]int{"stacked": 2})
	u.Counts, u.CountsText, u.Widens = l.BulkUndoCounts(478, 480, 900, 12, 1)
	all["bulk-undo"] = Undo(u)
	return all
}
