package views

import (
	"strconv"
	"strings"
	"time"
)

// ImportShown is one file of the app's old accounts.
type ImportShown struct {
	ID                        int64
	FileName, Kind, Form      string // kind accounts or migration; "" until the head was read
	State                     string // reading, ready, applying, applied, undoing, undone, dropped, failed
	Error                     string // a code
	Notices                   []string
	Bytes, BytesAll           int64
	Rows, Wrong               int
	New, Changed, Same, Users int
	Fates                     []ImportFate
	By                        string
	Started                   time.Time
	Finished                  *time.Time
	Change, Undo              int64 // receipts; 0: none
}

// ImportFate is how many accounts of a role come into a state, and why.
type ImportFate struct {
	State, Role, Why string
	N                int
}

// ImportError is what is wrong with a row. Col 0 is the whole line.
type ImportError struct {
	Line, Col   int
	Field, Code string
}

func (s ImportShown) moving() bool {
	return s.State == "reading" || s.State == "applying" || s.State == "undoing"
}

// name is the file's, or that it has none yet.
func (s ImportShown) name(l *Locale) string {
	if s.FileName == "" {
		return l.T("import.no_name")
	}
	return s.FileName
}

func importState(l *Locale, state string) string {
	switch state {
	case "reading":
		return l.T("import.state.reading")
	case "ready":
		return l.T("import.state.ready")
	case "applying":
		return l.T("import.state.applying")
	case "applied":
		return l.T("import.state.applied")
	case "undoing":
		return l.T("import.state.undoing")
	case "undone":
		return l.T("import.state.undone")
	case "dropped":
		return l.T("import.state.dropped")
	}
	return l.T("import.state.failed")
}

// importFailure says why a whole file could not be taken.
func importFailure(l *Locale, s ImportShown) string {
	switch s.Error {
	case "rows":
		return l.N("import.failed.rows", s.Wrong)
	case "empty":
		return l.T("import.failed.empty")
	case "spreadsheet":
		return l.T("import.failed.spreadsheet")
	case "archive", "binary":
		return l.T("import.failed.binary")
	case "too_large":
		return l.T("import.failed.too_large")
	case "no_file":
		return l.T("import.failed.no_file")
	case "broken_off", "lost":
		return l.T("import.failed.broken_off")
	}
	return l.T("import.failed.internal")
}

func importNotice(l *Locale, code string) string {
	if code == "too_many" {
		return l.T("import.notice.too_many")
	}
	return l.T("import.notice.no_line_end")
}

// ImportErrorText says what is wrong with a row, in a sentence.
func (l *Locale) ImportErrorText(code, field string) string {
	switch code {
	case "column_missing":
		return l.F("import.wrong.column_missing", "Field", field)
	case "column_twice":
		return l.F("import.wrong.column_twice", "Field", field)
	case "empty":
		return l.F("import.wrong.empty", "Field", field)
	case "long":
		return l.F("import.wrong.long", "Field", field)
	case "role":
		return l.T("import.wrong.role")
	case "date":
		return l.T("import.wrong.date")
	case "twice":
		return l.T("import.wrong.twice")
	case "cells_few":
		return l.T("import.wrong.cells_few")
	case "cells_many":
		return l.T("import.wrong.cells_many")
	case "quote", "quote_inside":
		return l.T("import.wrong.quote")
	case "quote_open":
		return l.T("import.wrong.quote_open")
	case "record_long":
		return l.T("import.wrong.record_long")
	case "cut_off":
		return l.T("import.wrong.cut_off")
	case "json":
		return l.T("import.wrong.json")
	case "shape":
		return l.F("import.wrong.shape", "Field", field)
	}
	return l.F("import.wrong.letter", "Field", field)
}

// ImportErrorsHead heads the file of a file's errors.
func (l *Locale) ImportErrorsHead() []string {
	return []string{l.T("import.line"), l.T("import.column"), l.T("import.field"), l.T("import.wrong")}
}

func accountState(l *Locale, state string) string {
	switch state {
	case "linked":
		return l.T("account_state.linked")
	case "ambiguous":
		return l.T("account_state.ambiguous")
	case "unmatched":
		return l.T("account_state.unmatched")
	case "merged":
		return l.T("account_state.merged")
	}
	return l.T("account_state.archived")
}

// accountWhy says why an account is in its state, and what to do about it.
func accountWhy(l *Locale, state, why string) string {
	switch {
	case state == "linked":
		return l.T("account_why.linked")
	case state == "merged":
		return l.T("account_why.merged")
	case state == "archived" && why != "contact":
		return l.T("account_why.cut_over")
	}
	switch why {
	case "contact":
		return l.T("account_why.contact")
	case "no_id":
		return l.T("account_why.no_id")
	case "not_here":
		return l.T("account_why.not_here")
	case "other_role":
		return l.T("account_why.other_role")
	case "several":
		return l.T("account_why.several")
	case "history":
		return l.T("account_why.history")
	}
	return l.T("account_why.not_found")
}

// OldAccount is one account of the app's old days.
type OldAccount struct {
	AppID, Role, LegacyID, Name, Email, State, Why string
	LastUsed                                       *time.Time
	UserID                                         int64 // 0: with nobody
	User                                           string
}

// MigrationHead heads the file of all old accounts, and MigrationCells is a row of it.
func (l *Locale) MigrationHead() []string {
	return []string{
		l.T("migration.app_id"), l.T("migration.role"), l.T("migration.legacy_id"), l.T("migration.name"), l.T("migration.email"),
		l.T("migration.state"), l.T("migration.why"), l.T("migration.last_used"), l.T("migration.person"), l.T("migration.person_id"),
	}
}

// MigrationCells is one account as a row.
func (l *Locale) MigrationCells(a OldAccount) []string {
	used, id := "", ""
	if a.LastUsed != nil {
		used = a.LastUsed.UTC().Format(time.RFC3339)
	}
	if a.UserID != 0 {
		id = strconv.FormatInt(a.UserID, 10)
	}
	return []string{a.AppID, a.Role, a.LegacyID, a.Name, a.Email, accountState(l, a.State), accountWhy(l, a.State, a.Why), used, a.User, id}
}

// accountWhyState says what to do about the accounts of a state.
func accountWhyState(l *Locale, state string) string {
	switch state {
	case "linked":
		return l.T("migration.do.linked")
	case "ambiguous":
		return l.T("migration.do.ambiguous")
	case "unmatched":
		return l.T("migration.do.unmatched")
	case "merged":
		return l.T("migration.do.merged")
	}
	return l.T("migration.do.archived")
}

// ImportDone says on a receipt what was done with a file.
func (l *Locale) ImportDone(undone bool) string {
	if undone {
		return l.T("import.receipt_undo")
	}
	return l.T("import.receipt")
}

// ImportsTitle is what the page of files is called.
func (l *Locale) ImportsTitle() string { return l.T("imports.title") }

// form says how a file was read: "comma, UTF-8".
func (i ImportShown) form(l *Locale) string {
	words := strings.Fields(i.Form)
	for at, word := range words {
		switch word {
		case "comma":
			words[at] = l.T("import.form.comma")
		case "semicolon":
			words[at] = l.T("import.form.semicolon")
		case "tab":
			words[at] = l.T("import.form.tab")
		default: // an encoding, or JSON
			words[at] = strings.ToUpper(word)
		}
	}
	return upperFirst(strings.Join(words, ", "))
}
