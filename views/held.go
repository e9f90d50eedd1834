package views

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// HeldPart is what a held run would take, and waits for.
type HeldPart struct {
	Decided bool // a part of the list was approved already; the rest is what waits
	Gauges  []HeldGauge
	Losing  int // people who would lose a sensitive permission
	Limit   int // of them
	AllNew  bool
	Causes  []HeldCause
	Effects []HeldEffect
	Total   int // records that still wait
	First   *HeldFirst
	Asking  bool // a run is open already: Clever is being asked again
}

// HeldGauge is one type against its limit. Type is schools, sections, terms or a role.
type HeldGauge struct {
	Type      string
	Now, Gone int
	Limit     int // of a hundred
	Over      bool
}

// HeldCause is what seems to have happened, and to how many.
type HeldCause struct {
	Cause   string // all_new, type_gone, school_gone, single, newcomer
	Schools []string
	Counts  []HeldCount
	Total   int
}

// HeldCount is how many of one type. Type is schools, terms, sections, teaching, roles or a role of people who go.
type HeldCount struct {
	Type string
	N    int
}

// HeldEffect is how many would lose, or gain, a sensitive permission at one place.
type HeldEffect struct {
	Act      Act
	Spot     Spot
	Gained   bool
	People   int
	Examples []Example
}

// HeldFirst is the first of two people who approved.
type HeldFirst struct {
	Name string
	At   time.Time
	Mine bool
}

// HeldPick is which part of a list is meant, as it stands in a query or form.
type HeldPick struct {
	Type, Cause, Role, School string
	IDs                       []string // type-id, each
}

// values are the part as answers of a form.
func (p HeldPick) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"type": p.Type, "cause": p.Cause, "role": p.Role, "school": p.School} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(p.IDs) > 0 {
		q["id"] = p.IDs
	}
	return q
}

// Hidden are the part, and what is to be done with it, as hidden answers.
func (p HeldPick) Hidden(do string) []Hidden {
	list := []Hidden{{Name: "do", Value: do}}
	for _, h := range []Hidden{{"type", p.Type}, {"cause", p.Cause}, {"role", p.Role}, {"school", p.School}} {
		if h.Value != "" {
			list = append(list, h)
		}
	}
	for _, id := range p.IDs {
		list = append(list, Hidden{"id", id})
	}
	return list
}

// HeldPath is the list of what a held run would take, and where a decision is applied by POST.
func HeldPath(district, view string, run int64) string {
	return SyncPath(district, view, run) + "/held"
}

// HeldListPath is a part of that list.
func HeldListPath(district, view string, run int64, pick HeldPick, after string) string {
	q := pick.values()
	if after != "" {
		q.Set("after", after)
	}
	return withQuery(HeldPath(district, view, run), q)
}

// HeldPreviewPath shows what a decision would do.
func HeldPreviewPath(district, view string, run int64) string {
	return HeldPath(district, view, run) + "/preview"
}

// HeldCSVPath is a part of the list as a file, HeldAccessCSVPath everybody's loss of access.
func HeldCSVPath(district, view string, run int64, pick HeldPick) string {
	return withQuery(HeldPath(district, view, run)+".csv", pick.values())
}

// HeldAccessCSVPath is who would lose or gain which sensitive permission where, as a file.
func HeldAccessCSVPath(district, view string, run int64) string {
	return HeldPath(district, view, run) + "/access.csv"
}

// heldNoun counts records of a type in words: "4,871 students".
func heldNoun(l *Locale, typ string, n int) string {
	switch typ {
	case "schools":
		return l.N("held.n.schools", n)
	case "terms":
		return l.N("held.n.terms", n)
	case "sections":
		return l.N("held.n.sections", n)
	case "teaching":
		return l.N("held.n.teaching", n)
	case "roles":
		return l.N("held.n.roles", n)
	case "student":
		return l.N("held.n.student", n)
	case "teacher":
		return l.N("held.n.teacher", n)
	case "staff":
		return l.N("held.n.staff", n)
	case "district_admin":
		return l.N("held.n.district_admin", n)
	case "contact":
		return l.N("held.n.contact", n)
	}
	return l.N("held.n.users", n)
}

// HeldCounts says several counts in one breath.
func (l *Locale) HeldCounts(counts []HeldCount) string {
	words := make([]string, len(counts))
	for i, c := range counts {
		words[i] = heldNoun(l, c.Type, c.N)
	}
	return l.List(words)
}

// heldType heads a row of the table.
func heldType(l *Locale, typ string) string {
	switch typ {
	case "schools", "sections", "terms":
		return recordType(l, typ)
	}
	return l.rolePlural(typ)
}

// says is what seems to have happened.
func (c HeldCause) says(l *Locale) string {
	counts := l.HeldCounts(c.Counts)
	switch c.Cause {
	case "all_new":
		return l.F("held.cause.all_new", "Counts", counts)
	case "type_gone":
		return l.F("held.cause.type_gone", "Counts", counts)
	case "school_gone":
		return l.F("held.cause.school_gone", "Schools", l.SomeSchools(c.Schools), "Counts", counts)
	case "newcomer":
		return l.F("held.cause.newcomer", "Counts", counts)
	}
	return l.F("held.cause.single", "Counts", counts)
}

// looks is what that looks like.
func (c HeldCause) looks(l *Locale) string {
	switch c.Cause {
	case "all_new":
		return l.T("held.cause.all_new.text")
	case "type_gone":
		return l.T("held.cause.type_gone.text")
	case "school_gone":
		return l.T("held.cause.school_gone.text")
	case "newcomer":
		return l.T("held.cause.newcomer.text")
	}
	return l.T("held.cause.single.text")
}

// heldSentence opens the page.
func (p HeldPart) sentence(l *Locale) string {
	var counts []HeldCount
	for _, c := range p.Causes {
		for _, n := range c.Counts {
			at := -1
			for i := range counts {
				if counts[i].Type == n.Type {
					at = i
				}
			}
			if at < 0 {
				counts = append(counts, n)
				continue
			}
			counts[at].N += n.N
		}
	}
	if len(counts) == 0 {
		return l.T("held.nothing_left")
	}
	if p.Decided {
		return l.F("held.sentence.rest", "Counts", l.HeldCounts(counts))
	}
	return l.F("held.sentence", "Counts", l.HeldCounts(counts))
}

// heldFew is how many records of a type never stop a sync.
const heldFew = 5

// few tells that the share is over the limit, and does not count because it is of few records.
func (g HeldGauge) few() bool {
	return !g.Over && g.Gone > 0 && g.Gone <= heldFew && 100*g.Gone > g.Limit*g.Now
}

// severalRoles tells that roles are counted, of which a person may have more than one.
func severalRoles(gauges []HeldGauge) bool {
	return slices.ContainsFunc(gauges, func(g HeldGauge) bool {
		return g.Gone > 0 && !slices.Contains([]string{"schools", "sections", "terms"}, g.Type)
	})
}

// share is a gauge's part of a hundred, with a digit.
func (g HeldGauge) share(l *Locale) string {
	if g.Now == 0 {
		return ""
	}
	tenths := (1000*g.Gone + g.Now/2) / g.Now
	return l.F("held.share", "Share", l.Num(tenths/10)+"."+strconv.Itoa(tenths%10))
}

// HeldListPage lists what a held run would take, record by record.
type HeldListPage struct {
	Frame
	Run   int64
	Pick  HeldPick
	Names []string // what narrows the list, in words
	Rows  []HeldRow
	Open  bool // a decision can be made
	Next  *PageLink
	Prev  *PageLink
}

// HeldRow is one record.
type HeldRow struct {
	Type, Cause string
	ID          int64
	Name        string
	Email       string
	Roles       []string
	School      string
	Href        string
}

func (r HeldRow) key() string { return r.Type + "-" + strconv.FormatInt(r.ID, 10) }

// what is the record's type, or the roles that go.
func (r HeldRow) what(l *Locale) string {
	switch r.Type {
	case "schools", "terms", "sections":
		return heldNoun(l, r.Type, 1)
	case "teaching":
		return l.T("held.row.teaching")
	}
	words := make([]string, len(r.Roles))
	for i, role := range r.Roles {
		words[i] = l.roleLower(role)
	}
	if r.Type == "roles" {
		if len(words) == 0 {
			return l.T("held.row.narrower")
		}
		return l.F("held.row.roles", "Roles", l.List(words))
	}
	if len(words) == 0 {
		return l.T("held.row.no_role")
	}
	return l.List(words)
}

// HeldRowCells are a record as cells of a file.
func HeldRowCells(l *Locale, cleverID string, r HeldRow) []string {
	return []string{r.Name, r.what(l), cleverID, r.Email, r.School, heldCauseWord(l, r.Cause)}
}

// HeldCSVHead heads that file.
func (l *Locale) HeldCSVHead() []string {
	return []string{l.T("held.col.name"), l.T("held.col.what"), l.T("held.col.clever"), l.T("held.col.email"), l.T("held.col.school"), l.T("held.col.cause")}
}

// HeldAccessCSVHead heads the file of access lost.
func (l *Locale) HeldAccessCSVHead() []string {
	return []string{l.T("held.col.name"), l.T("held.col.clever"), l.T("diff.permission"), l.T("held.col.where"), l.T("held.col.effect")}
}

// HeldAccessCells is one line of it.
func (l *Locale) HeldAccessCells(name, cleverID, permission string, at Spot, gained bool) []string {
	return []string{name, cleverID, permission, at.name(l), heldEffectWord(l, gained)}
}

func heldEffectWord(l *Locale, gained bool) string {
	if gained {
		return l.T("held.gains")
	}
	return l.T("held.loses")
}

func heldCauseWord(l *Locale, cause string) string {
	switch cause {
	case "all_new":
		return l.T("held.word.all_new")
	case "type_gone":
		return l.T("held.word.type_gone")
	case "school_gone":
		return l.T("held.word.school_gone")
	case "newcomer":
		return l.T("held.word.newcomer")
	}
	return l.T("held.word.single")
}

// HeldCheckPage is the preview of a decision.
type HeldCheckPage struct {
	Frame
	Check
	Run      int64
	Discard  bool
	Counts   []HeldCount
	Gauges   []HeldGauge
	Effects  []HeldEffect
	Losing   int
	Two      bool // two people must approve
	First    *HeldFirst
	Button   string
	Answers  []Hidden
	LeftOver int // what of the list is not meant and goes on waiting
}

// HeldButton is the word on the preview's button.
func (l *Locale) HeldButton(discard, two, second bool, n int) string {
	switch {
	case discard:
		return l.T("held.button.discard")
	case two && second:
		return l.N("held.button.confirm", n)
	case two:
		return l.N("held.button.first", n)
	}
	return l.N("held.button.approve", n)
}

// HeldMine blocks a second approval by the same person.
func (l *Locale) HeldMine() string { return l.T("held.problem.mine") }

// HeldGone blocks a decision about a run that is not held any more.
func (l *Locale) HeldGone() string { return l.T("held.problem.gone") }

// HeldNone blocks a decision about nothing.
func (l *Locale) HeldNone() string { return l.T("held.problem.none") }

// HeldBusy blocks an approval while a run is open.
func (l *Locale) HeldBusy() string { return l.T("held.problem.busy") }

// HeldReceipt is what a decision was. first: somebody else must confirm.
func (l *Locale) HeldReceipt(discarded, first bool, run int64, n int) string {
	number := strconv.FormatInt(run, 10)
	switch {
	case discarded:
		return l.F("held.receipt.discarded", "Number", number)
	case first:
		return l.N("held.receipt.first", n, "Number", number)
	}
	return l.N("held.receipt.approved", n, "Number", number)
}

// SyncWord names a sync on a link that stands alone.
func (l *Locale) SyncWord(id int64) string {
	return upperFirst(l.F("activity.thing.sync", "Number", strconv.FormatInt(id, 10)))
}

// heldNext is the next page of the list.
// pageHref leads to the page that begins after a record, or ends before it.
func (p HeldListPage) pageHref(param string, to *PageLink) string {
	if to == nil {
		return ""
	}
	q := p.Pick.values()
	q.Set(param, to.Cursor)
	return withQuery(HeldPath(p.District.CleverID, p.View, p.Run), q)
}

// HeldTypeWord, HeldCauseWord and HeldRoleWord say what narrows a list; "" for nothing known.
func (l *Locale) HeldTypeWord(typ string) string {
	switch typ {
	case "schools", "sections", "terms", "users":
		return recordType(l, typ)
	case "roles":
		return l.T("held.col.what")
	}
	return ""
}

// HeldCauseWord is a cause in short.
func (l *Locale) HeldCauseWord(cause string) string {
	switch cause {
	case "all_new", "type_gone", "school_gone", "newcomer", "single":
		return heldCauseWord(l, cause)
	}
	return ""
}

// HeldRoleWord is a role's people.
func (l *Locale) HeldRoleWord(role string) string {
	if role == "" {
		return ""
	}
	return l.rolePlural(role)
}
