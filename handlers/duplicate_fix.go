package handlers

import (
	"slices"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
	"hallpass/views"
)

// maxFixes bounds the cases from which rows for the district are made.
const maxFixes = 500

// fixes are the rows of the district's own files that make two users of one person, or one of two: Clever joins a
// teacher's and a staff member's row by an equal email, so the email is the field in which they are put right.
func (v *visit) fixes() ([]views.FixRow, error) {
	r := v.duplicateReader()
	var cases []models.SuggestionRow
	for _, tab := range []string{"a", "b"} {
		f := dupFilters[tab]
		f.Limit = maxFixes
		list, err := v.tx.Suggestions(v.ctx, r, f)
		if err != nil {
			return nil, err
		}
		cases = append(cases, list.Rows...)
	}
	var ids []int64
	for _, c := range cases {
		for _, m := range c.Members {
			ids = append(ids, m.ID)
		}
	}
	people := map[int64]dedupe.Record{}
	if len(ids) > 0 {
		records, err := queue.Records(v.ctx, v.tx, ids)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			people[record.ID] = record
		}
	}
	var rows []views.FixRow
	for _, c := range cases {
		e, err := readEvidence(c.Suggestion)
		if err != nil {
			return nil, err
		}
		why := ""
		for _, reason := range e.Reasons {
			switch reason.Code {
			case dedupe.OfficeMailbox, dedupe.SharedMailbox:
				why = "mailbox"
			case dedupe.TwoCleverUsers:
				if why == "" {
					why = "two_users"
				}
			default: // not for the district to put right
			}
		}
		if why == "" {
			continue
		}
		for _, m := range c.Members {
			rows = append(rows, fixRows(c.ID, why, m, people[m.ID])...)
		}
	}
	return rows, nil
}

// fixRows are a member's rows in the district's files, one for each role that has a file.
func fixRows(id int64, why string, m models.SuggestionMember, r dedupe.Record) (rows []views.FixRow) {
	for _, of := range []struct {
		role             access.Role
		space, file, key string
		field            string
	}{
		{access.Teacher, dedupe.TeacherSIS, "teachers.csv", "Teacher_id", "Teacher_email"},
		{access.Staff, dedupe.StaffID, "staff.csv", "Staff_id", "Staff_email"},
	} {
		if !slices.Contains(r.Roles, dedupe.Role{Role: of.role, Current: true}) {
			continue
		}
		value := ""
		for _, n := range r.Numbers {
			if n.Space == of.space {
				value = n.Value
			}
		}
		rows = append(rows, views.FixRow{Case: id, File: of.file, Key: of.key, Value: value, Name: join(" ", m.First, m.Middle, m.Last), Field: of.field, Now: m.Email, Why: why})
	}
	return rows
}

// showDuplicateFixes is what the district has to put right, as text to send.
func showDuplicateFixes(v *visit) (reply, error) {
	rows, err := v.fixes()
	if err != nil {
		return nil, err
	}
	p := views.DuplicateFixPage{Rows: rows}
	p.Frame = v.frame()
	return page(views.DuplicateFix(p)), nil
}

// exportDuplicateFixes is the same as a file.
func exportDuplicateFixes(v *visit) (reply, error) {
	rows, err := v.fixes()
	if err != nil {
		return nil, err
	}
	l := v.locale()
	cells := [][]string{l.FixColumns()}
	for _, r := range rows {
		cells = append(cells, r.Cells(l))
	}
	return csvFile("fix-at-the-source.csv", cells)
}
