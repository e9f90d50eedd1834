package views

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BulkOfferPage is what can be accepted together, with a tick for each, and what cannot.
type BulkOfferPage struct {
	Frame
	Class  string // A or B
	Least  int    // the lowest chance, in millionths; 0: any
	Bands  []int
	Rows   []BulkRow
	All    int      // that could be; the page has the first of them
	Left   []DupRow // some of those that a person must read
	Alone  int      // how many those are
	Read   int      // how many would be drawn to be read
	Limit  int      // the most that may be wrong, in millionths
	All100 bool     // so few of Clever's own that looking over the list is reading all of them
	TooFew bool     // so few that they are better read one by one
	// What came back from the form: nothing ticked, or only cases that are not on offer any more.
	Unticked bool
	Gone     int
	Before   []BulkBefore
}

// problem says why no batch was begun.
func (p BulkOfferPage) problem(l *Locale) string {
	if p.Unticked {
		return l.T("bulk.problem.unticked")
	}
	return l.N("bulk.problem.gone", p.Gone)
}

// BulkRow is one suggestion that may be accepted with others.
type BulkRow struct {
	DupRow
	Tick string // its name and print
}

// BulkBefore is a batch of before.
type BulkBefore struct {
	ID           int64
	Class, State string
	At           time.Time
}

// BulkPage is one batch, wherever it stands.
type BulkPage struct {
	Frame
	Check
	ID                int64
	Class, State, Why string
	By                string
	At                time.Time
	Mine              bool
	Limit             int // the most that may be wrong, in millionths
	All               int
	Planned, Open     int
	Merged, Unmerged  int
	Out               []BulkOut // left for a person, or kept
	// What the merges would do, or did.
	Rows, Accounts, Sessions, More, Less, Widened int
	// What reading the sample came to.
	Known              bool
	Drawn, Wrong, Torn int
	MostWrong          int // millionths
	Sample             []BulkDrawn
	Missing            int // answers that were not given
	Change             int64
}

// BulkOut is a suggestion that was left out of its batch, or whose merge stays.
type BulkOut struct {
	Case  int64
	Names []string
	Why   string
	Merge int64
	Kept  bool
}

// BulkDrawn is one of those drawn, to be read without its weights.
type BulkDrawn struct {
	Field, Answer string
	People        []BulkPerson
}

// BulkPerson is what is known of one of its people.
type BulkPerson struct {
	ID                            int64
	Names, Emails, Roles, Schools []string
	Numbers                       []BulkNumber
}

// BulkNumber is a number and which one it is.
type BulkNumber struct{ Space, Value string }

func (p BulkPerson) lines(l *Locale) (lines []string) {
	if len(p.Emails) > 0 {
		lines = append(lines, l.List(p.Emails))
	}
	var held []string
	for _, r := range p.Roles {
		held = append(held, l.Role(r))
	}
	if len(held) > 0 {
		lines = append(lines, l.List(held))
	}
	if len(p.Schools) > 0 {
		lines = append(lines, l.SomeSchools(p.Schools))
	}
	for _, n := range p.Numbers {
		lines = append(lines, l.DupNumber(n.Space)+": "+n.Value)
	}
	return lines
}

// share says millionths as a percentage: "2 %", "0.5 %".
func share(l *Locale, millionths int) string {
	text := strconv.FormatFloat(float64(millionths)/10_000, 'f', -1, 64)
	if whole := millionths / 10_000; whole*10_000 != millionths {
		text = strconv.FormatFloat(float64(millionths)/10_000, 'f', 2, 64)
	}
	return l.F("bulk.share", "Share", text)
}

// percentage is millionths as a field takes them: 2, 0.5.
func percentage(millionths int) string {
	return strconv.FormatFloat(float64(millionths)/10_000, 'f', -1, 64)
}

// BulkLimit says how many of a batch may be wrong.
func (l *Locale) BulkLimit(millionths int) string {
	return l.F("bulk.limit", "Share", share(l, millionths))
}

// BulkLimitSentence says what such a limit means for a full batch, of which somebody has to read so many, and names the
// button that sets it.
func (l *Locale) BulkLimitSentence(millionths, read, batch int) (sentence, button string) {
	return l.F("bulk.limit.sentence", "Share", share(l, millionths), "Read", l.Num(read), "Batch", l.Num(batch)), l.T("bulk.limit.button")
}

func bulkClass(l *Locale, class string) string {
	if class == "B" {
		return l.T("dups.tab.b")
	}
	return l.T("dups.tab.a")
}

func bulkState(l *Locale, state string) string {
	switch state {
	case "planning":
		return l.T("bulk.state.planning")
	case "sampling":
		return l.T("bulk.state.sampling")
	case "ready":
		return l.T("bulk.state.ready")
	case "refused":
		return l.T("bulk.state.refused")
	case "dropped":
		return l.T("bulk.state.dropped")
	case "applying":
		return l.T("bulk.state.applying")
	case "accepted":
		return l.T("bulk.state.accepted")
	case "undoing":
		return l.T("bulk.state.undoing")
	}
	return l.T("bulk.state.undone")
}

func (p BulkPage) working() bool {
	return p.State == "planning" || p.State == "applying" || p.State == "undoing"
}

// bulkRefused says why nothing of a batch can be accepted together.
func (p BulkPage) refused(l *Locale) string {
	switch p.Why {
	case "few":
		return l.T("bulk.refused.few")
	case "wrong":
		return l.F("bulk.refused.wrong", "Most", share(l, p.MostWrong), "Limit", share(l, p.Limit))
	}
	return l.T("bulk.refused.none")
}

// bound says what the sample came to.
func (p BulkPage) bound(l *Locale) string {
	if p.Drawn == 0 {
		return l.T("bulk.bound.all")
	}
	said := l.F("bulk.bound", "Wrong", l.Num(p.Wrong), "Drawn", l.Num(p.Drawn), "Most", share(l, p.MostWrong), "Limit", share(l, p.Limit))
	if p.Torn > 0 {
		said += " " + l.N("bulk.torn", p.Torn)
	}
	return said
}

// bulkWhys are the words for why a suggestion is left to a person; the rules of merging have theirs.
var bulkWhys = map[string]string{
	"changed": key("bulk.why.changed"), "clash": key("bulk.why.clash"), "moved": key("bulk.why.moved"), "different": key("bulk.why.different"),
	"nobody_left": key("change.nobody_left"), "stacked": key("bulk.why.stacked"), "since": key("bulk.why.since"), "taken_back": key("bulk.why.taken_back"),
	"second_person": key("bulk.why.second"), "more_than_held": key("bulk.why.second"),
}

func bulkWhy(l *Locale, code string) string {
	if word, ok := bulkWhys[code]; ok {
		return l.T(word)
	}
	return l.MergeRefused(code)
}

// BulkEmpty says that nothing of a batch is left to accept.
func (l *Locale) BulkEmpty() string { return l.T("bulk.refused.none") }

// BulkBusy says that a batch is still at work.
func (l *Locale) BulkBusy() string { return l.T("bulk.busy") }

// BulkNothing says that nothing of a batch is there to be taken back.
func (l *Locale) BulkNothing() string { return l.T("bulk.nothing") }

// BulkLink names a batch.
func (l *Locale) BulkLink(id int64) string {
	return l.F("bulk.link", "Number", strconv.FormatInt(id, 10))
}

// BulkReceipt says what came of a batch.
func (l *Locale) BulkReceipt(p BulkPage, undone bool) (string, []Answer) {
	if undone {
		return l.N("bulk.did.undone", p.Unmerged), nil
	}
	a := []Answer{{Label: l.T("bulk.sample"), Value: p.bound(l)}}
	if p.State == "applying" {
		return l.N("bulk.did.agreed", p.Open+p.Merged), a
	}
	return l.N("bulk.did.merged", p.Merged+p.Unmerged), append(a, Answer{Label: l.T("bulk.out"), Value: l.Num(len(p.Out))})
}

// waits says how far a job has come with a batch.
func (p BulkPage) waits(l *Locale) string {
	switch p.State {
	case "planning":
		return l.F("bulk.wait.planning", "Done", l.Num(p.Planned+len(p.Out)), "All", l.Num(p.All))
	case "undoing":
		return l.F("bulk.wait.undoing", "Done", l.Num(p.Unmerged), "All", l.Num(p.Unmerged+p.Merged))
	}
	return l.F("bulk.wait", "Done", l.Num(p.Merged), "All", l.Num(p.Merged+p.Open))
}

// BulkUndoCounts is what becomes of everybody when merges of a batch are taken back, by what they did: who gained a
// permission loses it again, and who lost one regains it.
func (l *Locale) BulkUndoCounts(merges, accounts, rows, gained, lost int) (counts []Answer, text, widens string) {
	counts = []Answer{
		{Label: l.T("bulk.fact.undo"), Value: l.Num(merges)},
		{Label: l.T("bulk.fact.accounts.back"), Value: l.Num(accounts)},
		{Label: l.T("bulk.fact.rows.back"), Value: l.Num(rows)},
		{Label: l.T("bulk.fact.less.back"), Value: l.Num(gained)},
		{Label: l.T("bulk.fact.more.back"), Value: l.Num(lost)},
	}
	if lost > 0 {
		widens = l.N("bulk.undo.widens", lost)
	}
	return counts, l.T("bulk.undo.text"), widens
}

// BulkUndo is what taking a batch back would do, in words.
func (l *Locale) BulkUndo(merges int, kept map[string]int) (heading, sentence, button string) {
	said := []string{l.N("bulk.undo.sentence", merges)}
	for _, why := range slices.Sorted(maps.Keys(kept)) {
		said = append(said, l.N("bulk.undo.kept", kept[why], "Why", bulkWhy(l, why)))
	}
	return l.T("bulk.undo.heading"), strings.Join(said, " "), l.N("bulk.undo.button", merges)
}
