package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
	"hallpass/views"
)

// duplicateReader is what the person may decide in this view.
func (v *visit) duplicateReader() models.DuplicateReader {
	reach := v.actor.Reach(access.DuplicatesReview)
	if v.row.permission == access.DuplicatesReview {
		reach = v.reach // spelled out
	}
	schools := reach.Schools
	if schools == nil {
		schools = []int64{}
	}
	return models.DuplicateReader{User: v.me.User.ID, District: reach.District, Schools: schools}
}

// mayDuplicates reports whether the person decides duplicates anywhere in this view.
func (v *visit) mayDuplicates() bool {
	r := v.duplicateReader()
	return r.District || len(r.Schools) > 0
}

// dupFilters are the lists of the queue by their place in addresses.
var dupFilters = map[string]models.SuggestionFilter{
	"split":  {Kind: models.SuggestSplit, Class: string(dedupe.Confirmed)},
	"a":      {Kind: models.SuggestMerge, Class: string(dedupe.Confirmed)},
	"b":      {Kind: models.SuggestMerge, Class: string(dedupe.Identified)},
	"c":      {Kind: models.SuggestMerge, Class: string(dedupe.Fuzzy)},
	"parked": {Parked: true},
}

func dupCounts(c models.SuggestionCounts) views.DupCounts {
	return views.DupCounts{Split: c.Split, A: c.A, B: c.B, C: c.C, Parked: c.Parked, Others: c.Others}
}

// firstTab is the first list that has anything.
func firstTab(c models.SuggestionCounts) string {
	switch {
	case c.Split > 0:
		return "split"
	case c.A > 0:
		return "a"
	case c.B > 0:
		return "b"
	case c.C > 0:
		return "c"
	}
	return "a"
}

// listDuplicates is the queue. With mode=one it leads to the first case.
func listDuplicates(v *visit) (reply, error) {
	r := v.duplicateReader()
	counts, err := v.tx.SuggestionCounts(v.ctx, r)
	if err != nil {
		return nil, err
	}
	p := views.DuplicatesPage{Tab: v.c.QueryParam("class"), Counts: dupCounts(counts)}
	f, known := dupFilters[p.Tab]
	if !known {
		if p.Tab != "" {
			p.Notices = append(p.Notices, noticeUnknownFilter)
		}
		p.Tab = firstTab(counts)
		f = dupFilters[p.Tab]
	}
	f.After, f.Before = v.c.QueryParam("after"), v.c.QueryParam("before")
	if f.After != "" {
		f.Before = ""
	}
	list, err := v.tx.Suggestions(v.ctx, r, f)
	if errors.Is(err, models.ErrBadCursor) {
		p.Notices = append(p.Notices, noticeBadCursor)
		f.After, f.Before = "", ""
		list, err = v.tx.Suggestions(v.ctx, r, f)
	}
	if err != nil {
		return nil, err
	}
	district, view := v.me.District.CleverID, string(v.actor.View)
	if len(list.Rows) > 0 {
		p.First = list.Rows[0].ID
		if v.c.QueryParam("mode") == "one" {
			return seeOther(views.DuplicateOnePath(district, view, p.First, 0, true, 0)), nil
		}
	}
	month := v.today()
	if p.Decided, err = v.tx.DecisionsSince(v.ctx, time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, month.Location())); err != nil {
		return nil, err
	}
	wanted, err := v.tx.DuplicatesWanted(v.ctx)
	if err != nil {
		return nil, err
	}
	p.Pending = wanted.All || wanted.Changed > 0
	p.Next, p.Prev = link(list.Next, ""), link(list.Prev, "")
	for _, s := range list.Rows {
		row, err := v.dupRow(s)
		if err != nil {
			return nil, err
		}
		p.Rows = append(p.Rows, row)
	}
	if p.Undo, err = v.decidedBefore(); err != nil {
		return nil, err
	}
	p.Frame = v.frame()
	return page(views.Duplicates(p)), nil
}

// dupRow is a suggestion as a list shows it.
func (v *visit) dupRow(s models.SuggestionRow) (views.DupRow, error) {
	e, err := readEvidence(s.Suggestion)
	if err != nil {
		return views.DupRow{}, err
	}
	row := views.DupRow{ID: s.ID, Kind: s.Kind, Class: s.Class, Chance: s.Chance, Returned: s.Returned, Bulk: s.Bulk, Reasons: dupReasons(e.Reasons, nil)}
	if s.TakenBy != nil && *s.TakenBy != v.me.User.ID {
		row.Taken, row.TakenAt = s.TakenName, value(s.TakenAt)
	}
	for _, m := range s.Members {
		row.People = append(row.People, dupPerson(m))
	}
	if len(e.Pairs) > 0 {
		row.Items = dupItems(e.Pairs[0], nil, nil)
	}
	return row, nil
}

// dupPerson is a member with roles and schools: those of Clever, or else those of the app's file.
func dupPerson(m models.SuggestionMember) views.DupPerson {
	p := views.DupPerson{ID: m.ID, Name: join(" ", m.First, m.Middle, m.Last), More: m.More, Imported: m.CleverID == "", Ended: m.EndedAt != nil}
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, g := range m.Grants {
		add(&p.Roles, string(g.Role))
		add(&p.Schools, g.School)
	}
	if len(m.Grants) == 0 {
		for _, a := range m.Imported {
			add(&p.Roles, a.Role)
			for _, s := range a.SchoolNames() {
				add(&p.Schools, s)
			}
		}
	}
	return p
}

func readEvidence(s models.Suggestion) (queue.Evidence, error) {
	var e queue.Evidence
	if err := json.Unmarshal(s.Evidence, &e); err != nil {
		return e, fmt.Errorf("evidence of suggestion %d: %w", s.ID, err)
	}
	return e, nil
}

// covered are reasons that say what a comparison says already.
var covered = []dedupe.Code{dedupe.Uncertain, dedupe.NamesDisagree, dedupe.SuffixContradicts, dedupe.MiddleContradicts}

// dupReasons leaves each reason once; names are those of the members.
func dupReasons(reasons []dedupe.Reason, names map[int64]string) []views.DupReason {
	var out []views.DupReason
	seen := map[dedupe.Code]bool{}
	for _, r := range reasons {
		if seen[r.Code] || slices.Contains(covered, r.Code) {
			continue
		}
		seen[r.Code] = true
		said := views.DupReason{Code: string(r.Code), Params: r.Params}
		for _, id := range r.Records {
			said.Names = append(said.Names, names[id])
		}
		out = append(out, said)
	}
	return out
}

// dupItems are a pair's comparisons, with the two records' values where they are at hand.
func dupItems(p dedupe.Pair, a, b *dedupe.Record) []views.DupItem {
	items := make([]views.DupItem, len(p.Evidence.Items))
	for i, item := range p.Evidence.Items {
		items[i] = views.DupItem{Field: string(item.Field), Kind: item.Kind, Level: string(item.Level), Tenths: item.Tenths, OneIn: item.OneIn}
		if a != nil && b != nil {
			items[i].A, items[i].B = dupValue(a, item), dupValue(b, item)
		}
	}
	return items
}

// dupValue is what a record has in a field, as it would be shown beside a comparison.
func dupValue(r *dedupe.Record, item dedupe.Item) string {
	var name dedupe.Name
	if len(r.Names) > 0 {
		name = r.Names[0]
	}
	switch item.Field {
	case dedupe.Numbers:
		for _, n := range r.Numbers {
			if n.Space == item.Kind {
				return n.Value
			}
		}
	case dedupe.Emails:
		if len(r.Emails) > 0 {
			return r.Emails[0]
		}
	case dedupe.Surname:
		return name.Surname
	case dedupe.Given:
		return name.Given
	case dedupe.Middle:
		return name.Middle
	default: // the sentence says it
	}
	return ""
}

// dupID is the number of a suggestion in the address.
func (v *visit) dupID() (int64, error) {
	id, err := strconv.ParseInt(v.c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, models.ErrNotFound
	}
	return id, nil
}

// dupGone says that a case is not there, or no longer.
func (v *visit) dupGone(status int) reply {
	return pageAs(status, views.DuplicateGone(views.DuplicateGonePage{Frame: v.frame(), Tried: status == http.StatusConflict}))
}

// decidedBefore is the answer given just before, whose receipt the address names. An address can be written by
// anybody, so it must be one's own.
func (v *visit) decidedBefore() (*views.ChangeRef, error) {
	number, _ := strconv.ParseInt(v.c.QueryParam("done"), 10, 64)
	if number <= 0 {
		return nil, nil
	}
	c, err := v.tx.Change(v.ctx, number)
	if errors.Is(err, models.ErrNotFound) || err == nil && c.MadeBy != v.me.User.ID {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, ok, err := readPairChange(c)
	if err != nil || !ok {
		return nil, err
	}
	if _, err := v.tx.UndoneBy(v.ctx, c.ID); err == nil || !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	return &views.ChangeRef{Number: c.ID, Href: v.changePath(c.ID), At: c.MadeAt, By: v.locale().DuplicateShort(d.Verdict)}, nil
}

// addDuplicates leads from a person's page to the cases that have them.
func (v *visit) addDuplicates(p *views.UserPage) error {
	if !v.mayDuplicates() {
		return nil
	}
	cases, err := v.tx.SuggestionsWith(v.ctx, v.duplicateReader(), p.ID)
	if err != nil {
		return err
	}
	l := v.locale()
	for _, s := range cases {
		var others []string
		for _, m := range s.Members {
			if m.ID != p.ID {
				others = append(others, join(" ", m.First, m.Middle, m.Last))
			}
		}
		p.Duplicates = append(p.Duplicates, views.Link{Href: views.DuplicatePath(v.me.District.CleverID, string(v.actor.View), s.ID), Word: l.DuplicateOf(others)})
	}
	return nil
}
