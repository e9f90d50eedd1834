package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/dedupe/queue"
	"hallpass/models"
	"hallpass/views"
)

// dupCase is one suggestion with all that its page and its answers need.
type dupCase struct {
	models.SuggestionRow
	shown   queue.Evidence
	records map[int64]*dedupe.Record // by member; one that was merged has none of its own
}

// dupCase reads the suggestion of the address. ErrNotFound: there is none, or it is somebody else's.
func (v *visit) dupCase(id int64) (dupCase, error) {
	var c dupCase
	var err error
	if c.SuggestionRow, err = v.tx.Suggestion(v.ctx, v.duplicateReader(), id); err != nil {
		return c, err
	}
	if c.shown, err = readEvidence(c.Suggestion); err != nil {
		return c, err
	}
	records, err := queue.Records(v.ctx, v.tx, c.ids())
	c.records = map[int64]*dedupe.Record{}
	for i := range records {
		c.records[records[i].ID] = &records[i]
	}
	return c, err
}

// ids are the members, ascending.
func (c dupCase) ids() []int64 {
	ids := make([]int64, len(c.Members))
	for i, m := range c.Members {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}

func (c dupCase) names() map[int64]string {
	names, like := map[int64]string{}, map[string]int{}
	for _, m := range c.Members {
		names[m.ID] = join(" ", m.First, m.Middle, m.Last)
		like[names[m.ID]]++
	}
	// Of more than two, a sentence about a pair would not say which of those who have one name.
	for i, m := range c.Members {
		if name := names[m.ID]; len(c.Members) > 2 && name != "" && like[name] > 1 {
			names[m.ID] = name + " (" + strconv.Itoa(i+1) + ")"
		}
	}
	return names
}

// keepFirst puts the member to keep before the others.
func (c dupCase) keepFirst(keep int64) {
	slices.SortStableFunc(c.Members, func(a, b models.SuggestionMember) int {
		switch {
		case a.ID == keep && b.ID != keep:
			return -1
		case b.ID == keep && a.ID != keep:
			return 1
		}
		return 0
	})
}

// showDuplicate is one case.
func showDuplicate(v *visit) (reply, error) {
	id, err := v.dupID()
	if err != nil {
		return nil, err
	}
	c, err := v.dupCase(id)
	if errors.Is(err, models.ErrNotFound) {
		return v.dupGone(http.StatusNotFound), nil
	}
	if err != nil {
		return nil, err
	}
	p, err := v.planAnswer(c)
	if err != nil {
		return nil, err
	}
	return p.preview()
}

// dupPage makes the page of a case.
func (v *visit) dupPage(c dupCase) (views.DuplicatePage, error) {
	keep := c.KeepID
	if asked, err := strconv.ParseInt(v.c.QueryParam("keep"), 10, 64); err == nil && slices.Contains(c.ids(), asked) {
		keep = asked
	}
	c.keepFirst(keep)
	names := c.names()
	_, merges := v.server.pages[inside+"merges/new"]
	_, unmerges := v.server.pages[inside+"merges/:id/unmerge"]
	p := views.DuplicatePage{
		ID: c.ID, Kind: c.Kind, Class: c.Class, Chance: c.Chance, Unsure: c.Unsure, Reasons: dupReasons(c.shown.Reasons, names),
		One: v.c.QueryParam("mode") == "one" || v.c.FormValue("mode") == "one", MayMerge: merges, MayUndo: unmerges, Reason: text(v.c.FormValue("reason"), 1000),
	}
	for _, pair := range c.shown.Pairs {
		p.Pairs = append(p.Pairs, views.DupPair{
			A: names[pair.Lo], B: names[pair.Hi], Class: string(pair.Class), Tenths: pair.Evidence.Tenths, Chance: pair.Evidence.Chance,
			Items: dupItems(pair, c.records[pair.Lo], c.records[pair.Hi]),
		})
	}
	if c.TakenBy != nil && *c.TakenBy != v.me.User.ID {
		p.Taken, p.TakenAt = c.TakenName, value(c.TakenAt)
	}
	if s := c.shown.Split; s != nil {
		p.Split = &views.DupSplit{CleverID: s.CleverID, Merge: s.Merge, Since: s.Since}
	}
	if err := v.addBefore(&p, c); err != nil {
		return p, err
	}
	if err := v.addSides(&p, c); err != nil {
		return p, err
	}
	var err error
	if p.One {
		if p.Next, err = v.nextDuplicate(c.SuggestionRow); err != nil {
			return p, err
		}
	}
	if p.Undo, err = v.decidedBefore(); err != nil {
		return p, err
	}
	p.Frame = v.frame()
	return p, nil
}

// nextDuplicate is the case that follows in the same list, 0 for none.
func (v *visit) nextDuplicate(s models.SuggestionRow) (int64, error) {
	f := models.SuggestionFilter{Kind: s.Kind, Class: s.Class, Parked: s.Unsure}
	return v.tx.NextSuggestion(v.ctx, v.duplicateReader(), f, s.ID)
}

// addBefore says who said "different" before, and what is new since.
func (v *visit) addBefore(p *views.DuplicatePage, c dupCase) error {
	if c.shown.Before == nil {
		return nil
	}
	said, err := v.tx.LiveDecisions(v.ctx, c.ids())
	if err != nil {
		return err
	}
	for _, d := range said {
		if d.Verdict != string(dedupe.SaidDifferent) || d.LoHome != c.ids()[0] || d.HiHome != c.ids()[1] {
			continue
		}
		by, err := v.tx.UserNames(v.ctx, []int64{value(d.DecidedBy)})
		if err != nil {
			return err
		}
		p.Before = &views.DupBefore{By: by[value(d.DecidedBy)], At: d.DecidedAt, Reason: d.Reason, Class: d.Class > c.Class || d.Class == "", Bits: c.Tenths - d.Tenths}
	}
	return nil
}

// addSides puts the members' records beside each other.
func (v *visit) addSides(p *views.DuplicatePage, c dupCase) error {
	l := v.locale()
	w := l.DupWords()
	n, names := len(c.Members), c.names()
	row := func(label, match string) *views.DupField {
		p.Fields = append(p.Fields, views.DupField{Label: label, Match: match, Cells: make([][]views.DupLine, n)})
		return &p.Fields[len(p.Fields)-1]
	}
	var top dedupe.Evidence
	if len(c.shown.Pairs) > 0 {
		top = c.shown.Pairs[0].Evidence
	}
	for range 8 + len(dupSpaces) {
		p.Fields = append(p.Fields, views.DupField{})
	}
	p.Fields = p.Fields[:0] // rows are filled through pointers: the list must not move
	name := row(w.Name, worst(matchOf(top.At(dedupe.Given)), matchOf(top.At(dedupe.Surname))))
	email := row(w.Email, matchOf(top.At(dedupe.Emails)))
	roles := row(w.Roles, matchOf(top.At(dedupe.Schools)))
	numbers := map[string]*views.DupField{}
	for _, space := range dupSpaces {
		if c.hasNumber(space) {
			match := ""
			for _, item := range top.Items {
				if item.Field == dedupe.Numbers && item.Kind == space {
					match = matchOf(item.Level)
				}
			}
			numbers[space] = row(l.DupNumber(space), match)
		}
	}
	clever := row(w.Clever, "")
	used, sections, overrides, accounts := row(w.Used, ""), row(w.Sections, ""), row(w.Overrides, ""), row(w.Accounts, "")
	related := map[int64]bool{}
	for i, m := range c.Members {
		d, err := v.tx.UserDetails(v.ctx, strconv.FormatInt(m.ID, 10), models.UserWants{Overrides: true})
		if err != nil {
			return err
		}
		u := d.User
		since := u.CreatedAt
		if u.EndedAt != nil {
			since = *u.EndedAt
		}
		p.Members = append(p.Members, views.DupMember{
			ID: m.ID, Name: names[m.ID], Since: l.DupSince(m.CleverID == "", u.EndedAt != nil, since),
			Gone: m.MergedInto != nil && (c.shown.Split == nil || c.shown.Split.Merge == 0),
		})
		name.Cells[i] = dupNames(u, c.records[m.ID])
		if r := c.records[m.ID]; r != nil {
			for _, address := range r.Emails {
				email.Cells[i] = append(email.Cells[i], views.DupLine{Text: address})
			}
			for _, number := range r.Numbers {
				if f := numbers[number.Space]; f != nil {
					f.Cells[i] = append(f.Cells[i], views.DupLine{Text: number.Value})
				}
			}
		} else if u.Email != "" {
			email.Cells[i] = []views.DupLine{{Text: u.Email}}
		}
		roles.Cells[i] = dupRoles(l, d.Grants, m.Imported)
		if m.CleverID != "" {
			clever.Cells[i] = []views.DupLine{{Text: m.CleverID, ID: true}}
		}
		used.Cells[i] = []views.DupLine{{Text: w.Never}}
		if at := lastUsed(d.Accounts, m.Imported); at != nil {
			used.Cells[i][0].Text = l.Relative(*at)
		}
		sections.Cells[i] = []views.DupLine{{Text: counted(l, len(d.Sections), w.None)}}
		overrides.Cells[i] = []views.DupLine{{Text: counted(l, standing(d.Overrides, v), w.None)}}
		accounts.Cells[i] = dupAccounts(l, m.Imported, w.None)
		for _, r := range d.Related {
			if r.Kind == models.SameEmail && !related[r.ID] && slices.ContainsFunc(r.Roles, outsider) {
				related[r.ID] = true
				p.Related = append(p.Related, views.DupRelated{ID: r.ID, Name: join(" ", r.FirstName, r.MiddleName, r.LastName), Roles: r.Roles})
			}
		}
	}
	return nil
}

func outsider(role string) bool {
	return role == string(access.Student) || role == string(access.Contact)
}

// dupSpaces are the number spaces in the order shown.
var dupSpaces = []string{dedupe.TeacherSIS, dedupe.TeacherNumber, dedupe.StaffID, dedupe.AdminID, dedupe.AccountNumber}

func (c dupCase) hasNumber(space string) bool {
	for _, r := range c.records {
		if slices.ContainsFunc(r.Numbers, func(n dedupe.Number) bool { return n.Space == space }) {
			return true
		}
	}
	return false
}

// dupNames are the name in use and former ones.
func dupNames(u models.User, r *dedupe.Record) []views.DupLine {
	lines := []views.DupLine{{Text: fullName(u)}}
	if r != nil {
		for _, n := range r.Names {
			if s := join(" ", n.Given, n.Middle, n.Surname, n.Suffix); s != lines[0].Text && !slices.Contains(lines, views.DupLine{Text: s}) {
				lines = append(lines, views.DupLine{Text: s})
			}
		}
	}
	return lines
}

// dupRoles are a member's roles at schools, current ones, or else what there was.
func dupRoles(l *views.Locale, grants []models.UserGrant, imported []models.ImportedAs) (lines []views.DupLine) {
	for _, current := range []bool{true, false} {
		for _, g := range grants {
			if (g.EndedAt == nil) != current || len(lines) >= 8 {
				continue
			}
			said := false
			for _, s := range g.Schools {
				if s.EndedAt == nil || !current {
					said = true
					lines = append(lines, views.DupLine{Role: string(g.Role), Text: ended(l, s.Name, !current)})
				}
			}
			if !said {
				lines = append(lines, views.DupLine{Role: string(g.Role), Text: ended(l, l.DupWords().District, !current)})
			}
		}
		if len(lines) > 0 {
			return lines
		}
	}
	for _, a := range imported {
		lines = append(lines, views.DupLine{Role: a.Role, Text: join(", ", a.SchoolNames()...)})
	}
	return lines
}

func ended(l *views.Locale, s string, is bool) string {
	if is {
		return l.DupEnded(s)
	}
	return s
}

func dupAccounts(l *views.Locale, imported []models.ImportedAs, none string) (lines []views.DupLine) {
	for _, a := range imported {
		lines = append(lines, views.DupLine{Text: l.DupAccount(a.Role, a.AppID, nil)})
	}
	if lines == nil {
		lines = []views.DupLine{{Text: none}}
	}
	return lines
}

func counted(l *views.Locale, n int, none string) string {
	if n == 0 {
		return none
	}
	return l.Num(n)
}

func standing(list []models.OverrideRow, v *visit) (n int) {
	for _, o := range list {
		if o.Standing(v.tx.Now()) {
			n++
		}
	}
	return n
}

// matchOf says in one word how two records compare at a level.
func matchOf(level dedupe.Level) string {
	switch level {
	case dedupe.Equal:
		return "same"
	case dedupe.Shared:
		return "overlap"
	case dedupe.Differ, dedupe.NoneShared:
		return "differs"
	case dedupe.Missing, "":
		return "missing"
	default:
		return "close"
	}
}

// worst is the less agreeing of two words.
func worst(a, b string) string {
	for _, w := range []string{"differs", "close", "missing"} {
		if a == w || b == w {
			return w
		}
	}
	return a
}
