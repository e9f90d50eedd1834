package views

import "strings"

// FixRow is one row of a district's file and the field in it that is to be looked at.
type FixRow struct {
	Case  int64
	File  string // teachers.csv or staff.csv
	Key   string // the column that finds the row, and its value
	Value string
	Name  string
	Field string
	Now   string // what stands in the field
	Why   string // two_users or mailbox
}

func (r FixRow) why(l *Locale) string {
	if r.Why == "mailbox" {
		return l.T("fix.why.mailbox")
	}
	return l.T("fix.why.two_users")
}

func (r FixRow) now(l *Locale) string {
	if r.Now == "" {
		return l.T("fix.empty")
	}
	return r.Now
}

// FixColumns head the file.
func (l *Locale) FixColumns() []string {
	return []string{l.T("fix.col.case"), l.T("fix.col.file"), l.T("fix.col.column"), l.T("fix.col.value"), l.T("override.person"), l.T("fix.col.field"), l.T("fix.col.now"), l.T("fix.col.why")}
}

// Cells are a row of the file.
func (r FixRow) Cells(l *Locale) []string {
	return []string{idOf(r.Case), r.File, r.Key, r.Value, r.Name, r.Field, r.Now, r.why(l)}
}

// text is the rows as a message to whoever keeps the district's files.
func (p DuplicateFixPage) text(l *Locale) string {
	var b strings.Builder
	last := int64(0)
	for _, r := range p.Rows {
		if r.Case != last {
			if last != 0 {
				b.WriteString("\n")
			}
			b.WriteString(r.why(l) + "\n")
			last = r.Case
		}
		b.WriteString("  " + l.F("fix.line", "File", r.File, "Column", r.Key, "Value", r.Value, "Name", r.Name, "Field", r.Field, "Now", r.now(l)) + "\n")
	}
	return b.String()
}
