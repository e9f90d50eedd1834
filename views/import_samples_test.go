package views

import (
	"time"

	"github.com/a-h/templ"
)

// importSamples are the pages of old accounts in their more telling states.
func importSamples(lang string) map[string]templ.Component {
	f := sampleFrame(lang, "duplicates")
	check := Check{Plan: "00", Token: "11"}
	began := *at(2026, time.November, 20, 7, 0)
	fates := []ImportFate{
		{State: "linked", Role: "teacher", N: 1204},
		{State: "linked", Role: "student", N: 31200},
		{State: "ambiguous", Role: "staff", Why: "several", N: 41},
		{State: "unmatched", Role: "teacher", Why: "not_found", N: 1},
		{State: "unmatched", Role: "teacher", Why: "not_here", N: 3},
		{State: "unmatched", Role: "staff", Why: "no_id", N: 12},
		{State: "unmatched", Role: "district_admin", Why: "other_role", N: 2},
		{State: "ambiguous", Role: "teacher", Why: "history", N: 2},
		{State: "merged", Role: "staff", N: 2},
		{State: "archived", Role: "contact", Why: "contact", N: 800},
		{State: "archived", Role: "teacher", Why: "cut_over", N: 9},
	}
	file := ImportShown{
		ID: 3, FileName: "accounts.csv", Kind: "accounts", Form: "comma utf-8", State: "ready", Bytes: 20_000, BytesAll: 20_000, Rows: 33274,
		New: 33270, Changed: 4, Same: 7, Users: 58, Fates: fates, By: "Wren Castellano", Started: began, Notices: []string{"no_line_end", "too_many"},
	}
	in := func(state, why string) ImportPage {
		p := ImportPage{Frame: f, Import: file}
		p.Import.State, p.Import.Error, p.Import.Notices = state, why, nil
		return p
	}
	all := map[string]templ.Component{}
	var files []ImportShown
	for i, s := range []string{"reading", "ready", "applying", "applied", "undoing", "undone", "dropped", "failed"} {
		p := in(s, "")
		p.Check = check
		p.Import.ID = int64(i + 1)
		all["import-"+s] = Import(p)
		files = append(files, p.Import)
	}
	files = append(files, ImportShown{ID: 20, State: "failed", Error: "no_file", Started: began})
	for _, why := range []string{"empty", "spreadsheet", "binary", "too_large", "no_file", "lost", "internal"} {
		all["import-failed-"+why] = Import(in("failed", why))
	}
	wrong := in("failed", "rows")
	wrong.Import.Wrong = 14
	for i, code := range []string{"column_missing", "column_twice", "empty", "long", "role", "date", "twice", "cells_few", "cells_many", "quote", "quote_open", "cut_off", "json", "shape", "letter"} {
		wrong.Errors = append(wrong.Errors, ImportError{Line: i + 2, Col: 1, Field: "app_id", Code: code})
	}
	all["import-failed-rows"] = Import(wrong)
	moved := in("ready", "moved")
	moved.Check, moved.Moved = check, true
	all["import-moved"] = Import(moved)
	all["import-kept"] = Import(in("applied", "blocked"))
	all["imports"] = Imports(ImportsPage{Frame: f, Imports: files, Next: "1"})
	all["imports-none"] = Imports(ImportsPage{Frame: f})
	undo := ImportUndoPage{Frame: f, Check: check, Import: file, Removed: 33270, Restored: 4, Ended: 58}
	all["import-undo"] = ImportUndo(undo)
	undo.Later, undo.Decided, undo.Blocked, undo.Moved = 4, 2, true, true
	all["import-undo-blocked"] = ImportUndo(undo)

	list := []OldAccount{
		{AppID: "A-1", Role: "teacher", LegacyID: "67290af290b55408fa4b09e3", Name: "Brakus, Danny D", Email: "danny@x.example", State: "ambiguous", Why: "several", LastUsed: at(2026, time.May, 1, 8, 0), UserID: 8, User: "Dan Brakus"},
		{AppID: "A-2", Role: "staff", Name: "", State: "unmatched", Why: "no_id"},
	}
	migration := MigrationPage{Frame: f, Counts: fates, State: "ambiguous", Role: "teacher", Accounts: list, Next: "2", CutOver: CutOver{Rest: "keep"}}
	all["migration"] = Migration(migration)
	all["migration-none"] = Migration(MigrationPage{Frame: f, State: "unmatched"})
	due := CutOver{At: at(2027, time.July, 15, 18, 0), Rest: "archive"}
	for _, s := range []string{"unmatched", "linked", "merged", "archived"} {
		p := migration
		p.State, p.Accounts, p.CutOver = s, nil, due
		if s == "archived" {
			p.CutOver.Done, p.CutOver.Archived = 12, 1
		}
		all["migration-"+s] = Migration(p)
	}

	form := CutOverForm{Frame: f, Rest: "archive", Zone: "America/Los_Angeles", First: "2026-11-20T08:00", At: "2027-07-15T18:00"}
	all["cutover-form"] = CutOverEdit(form)
	l := f.Locale()
	form.Problems = []Problem{{"at", l.CutOverProblem("past")}, {"rest", l.CutOverProblem("rest")}, {"at", l.CutOverProblem("far")}, {"at", l.CutOverProblem("date")}}
	all["cutover-form-wrong"] = CutOverEdit(form)
	look := CutOverPreview{Frame: f, Check: check, Was: CutOver{Rest: "keep"}, To: due, Lines: []CutOverLine{{"teacher", 4, 1}, {"staff", 12, 0}}, Answers: []Hidden{{"rest", "archive"}}}
	all["cutover-check"] = CutOverCheck(look)
	keep := look
	keep.Was, keep.To.Rest, keep.Lines, keep.Check = due, "keep", nil, Check{Problem: l.CutOverBlocked("same"), Blocked: true}
	all["cutover-keep"] = CutOverCheck(keep)
	back := look
	back.Undoes, back.Was, back.To, back.Check = 3, due, CutOver{Rest: "keep"}, Check{Problem: l.CutOverBlocked("carried_out") + l.CutOverBlocked("changed") + l.CutOverBlocked("past"), Blocked: true}
	all["cutover-undo-date"] = CutOverCheck(back)
	slip := func(sentence string, a ...Answer) templ.Component {
		return Change(ChangePage{Frame: f, Number: 12, At: began, By: "Wren Castellano", CanUndo: true, Receipt: Receipt{Sentence: sentence, Answers: a}})
	}
	all["cutover-set"] = slip(l.CutOverSet(due), l.CutOverAnswer(CutOver{}, due))
	all["cutover-done"] = slip(l.CutOverDid(true, 16), l.CutOverPeople(16))
	all["cutover-kept"] = slip(l.CutOverDid(false, 0))
	all["cutover-undone"] = slip(l.CutOverBack(15)+" "+l.CutOverFound(1), l.CutOverPeople(15))
	u := UndoPage{Frame: f, Check: check, Number: 12}
	u.Heading, u.Sentence, u.Nothing, u.Button = l.CutOverUndo(15, 15, 1)
	all["cutover-undo"] = Undo(u)
	return all
}
