package views

import "strings"

// userSorts are the orders a list of people has; the first is the usual one and needs
// no word in the address.
var userSorts = []struct{ value, key string }{
	{"", key("users.sort.name")},
	{"-name", key("users.sort.name_down")},
	{"email", key("users.sort.email")},
	{"-email", key("users.sort.email_down")},
	{"-changed", key("users.sort.changed_down")},
	{"changed", key("users.sort.changed")},
}

func (p UsersPage) sort() string {
	if p.Filter.Sort == "" {
		return "name"
	}
	return p.Filter.Sort
}

// ariaSort says how a column is sorted, in the words of aria-sort.
func (p UsersPage) ariaSort(column string) string {
	switch p.sort() {
	case column:
		return "ascending"
	case "-" + column:
		return "descending"
	}
	return ""
}

// sortedBy is the list by a column from its first page; a second time turns it round.
func (p UsersPage) sortedBy(column string) UsersFilter {
	f := p.Filter.firstPage()
	switch {
	case p.sort() == column:
		f.Sort = "-" + column
	case p.sort() == "-"+column:
		f.Sort = column
	case column == "changed":
		f.Sort = "-changed" // newest first is what people look for
	default:
		f.Sort = column
	}
	if f.Sort == "name" {
		f.Sort = ""
	}
	return f
}

func (p UsersPage) byName() bool { return strings.TrimPrefix(p.sort(), "-") == "name" }

// sub says whose list it is: everyone's only where the reader sees everyone.
func (p UsersPage) sub(l *Locale) string {
	switch {
	case p.Confined && p.ViewPlaces != "":
		return l.F("users.sub_confined", "Places", p.ViewPlaces)
	case p.Confined:
		return l.T("users.sub_confined_nowhere")
	case p.District.Name != "":
		return l.F("users.sub", "Places", p.District.Name)
	}
	return l.F("users.sub", "Places", l.T("users.this_district"))
}

// span is the first and last name on the page. An exact id is pinned out of order and
// does not count.
func (p UsersPage) span() (first, last string) {
	rows := p.Rows
	for len(rows) > 1 && rows[0].Pinned {
		rows = rows[1:]
	}
	if len(rows) == 0 {
		return "", ""
	}
	return family(rows[0].Name), family(rows[len(rows)-1].Name)
}

func (p UsersPage) title(l *Locale) string {
	first, _ := p.span()
	if first == "" || !p.byName() {
		return l.T("users.title")
	}
	return l.F("users.title_from", "Name", first)
}

// hereText names the rows of this page: "Abara, Chidi to Figueroa, Anahí".
func (p UsersPage) hereText() string {
	if len(p.Rows) == 0 || !p.byName() {
		return ""
	}
	rows := p.Rows
	for len(rows) > 1 && rows[0].Pinned {
		rows = rows[1:]
	}
	return rows[0].Name + " – " + rows[len(rows)-1].Name
}

// countHead is the honest count: exact, or "10,000+" where counting stopped.
func (p UsersPage) countHead(l *Locale) string {
	switch {
	case p.NoTotal && len(p.Rows) > 0:
		return l.T("users.count.none")
	case p.Bounded:
		return l.N("users.count", p.Total, "Count", l.Num(p.Total)+"+")
	case p.Total == 0 && len(p.Rows) == 0:
		return l.T("users.count.zero")
	}
	return l.N("users.count", max(p.Total, len(p.Rows)))
}

func (p UsersPage) countRest(l *Locale) string {
	if len(p.Rows) == 0 {
		return ""
	}
	said := ""
	if !p.NoTotal {
		if p.Filter.Active() {
			said = l.N("users.count.match", max(p.Total, len(p.Rows))) + " "
		} else {
			said = l.N("users.count.listed", max(p.Total, len(p.Rows))) + " "
		}
		if p.Next == nil && p.Prev == nil {
			return strings.TrimSpace(said)
		}
	}
	if first, last := p.span(); p.byName() && len(p.Rows) > 1 {
		return said + l.F("users.count.showing", "Count", l.Num(len(p.Rows)), "First", first, "Last", last)
	}
	return said + l.F("users.count.showing_some", "Count", l.Num(len(p.Rows)))
}

func (p UsersPage) caption(l *Locale) string {
	order := ""
	for _, s := range userSorts {
		if s.value == p.Filter.Sort || s.value == "" && order == "" {
			order = l.T(s.key)
		}
	}
	return l.F("users.caption", "Order", order)
}

// chip is one active filter and the list without it.
type chip struct {
	word    string
	without UsersFilter
}

func (p UsersPage) chips(l *Locale) []chip {
	f := p.Filter.firstPage()
	var chips []chip
	if f.Q != "" {
		without := f
		without.Q = ""
		chips = append(chips, chip{l.F("quoted", "Text", f.Q), without})
	}
	if f.Role != "" {
		without := f
		without.Role = ""
		chips = append(chips, chip{l.Role(f.Role), without})
	}
	if f.School != "" {
		without := f
		without.School = ""
		chips = append(chips, chip{p.schoolName(), without})
	}
	if f.Status != "" {
		without := f
		without.Status = ""
		word := l.T("status.any_people")
		switch f.Status {
		case "ended":
			word = l.T("status.ended")
		case "imported":
			word = l.T("status.imported")
		}
		chips = append(chips, chip{word, without})
	}
	if f.Multi {
		without := f
		without.Multi = false
		chips = append(chips, chip{l.T("users.filter.multi"), without})
	}
	return chips
}

// schoolName is the filtered school's name, or its id where the name is not shared.
func (p UsersPage) schoolName() string {
	for _, s := range p.Schools {
		if s.ID == p.Filter.School {
			return s.Name
		}
	}
	return p.Filter.School
}

func usersNotice(l *Locale, n string) string {
	switch n {
	case "bad_cursor":
		return l.T("users.notice.bad_cursor")
	case "unknown_filter":
		return l.T("users.notice.unknown_filter")
	case "school_not_found":
		return l.T("users.notice.school_not_found")
	}
	return n
}

// nobody says what was searched: "Nobody matches “brakkus” among current people".
func (p UsersPage) nobody(l *Locale) string {
	among := l.T("users.empty.current")
	switch p.Filter.Status {
	case "ended":
		among = l.T("users.empty.ended")
	case "any":
		among = l.T("users.empty.any")
	case "imported":
		among = l.T("users.empty.imported")
	}
	if p.Filter.Q == "" {
		return l.F("users.empty.filters", "Among", among)
	}
	return l.F("users.empty.query", "Query", p.Filter.Q, "Among", among)
}

func (p UsersPage) narrowed() bool {
	return p.Filter.Role != "" || p.Filter.School != "" || p.Filter.Multi
}

func (p UsersPage) anyStatus() UsersFilter {
	f := p.Filter.firstPage()
	f.Status = "any"
	return f
}

func (p UsersPage) onlyQuery() UsersFilter {
	return UsersFilter{Q: p.Filter.Q, Status: p.Filter.Status, Sort: p.Filter.Sort}
}

func (p UsersPage) nextHref() string {
	f := p.Filter.firstPage()
	if p.Next != nil {
		f.After = p.Next.Cursor
	}
	return p.listHref(f)
}

func (p UsersPage) prevHref() string {
	f := p.Filter.firstPage()
	if p.Prev != nil {
		f.Before = p.Prev.Cursor
	}
	return p.listHref(f)
}
