package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MergesPath is the list of merges, and where one is made by POST.
func MergesPath(district, view string) string { return viewPath(district, view) + "merges" }

// MergePath is one merge.
func MergePath(district, view string, id int64) string {
	return MergesPath(district, view) + "/" + strconv.FormatInt(id, 10)
}

// UnmergePath is the preview of taking a merge back, and where that is done by POST.
func UnmergePath(district, view string, id int64) string {
	return MergePath(district, view, id) + "/unmerge"
}

// MergedUserPath is a person's page, reached by the id of a record that was merged into them.
func MergedUserPath(district, view string, id, record int64) string {
	return withQuery(UserPath(district, view, id), url.Values{"merged": {strconv.FormatInt(record, 10)}})
}

// MergeAnswers are who is to be merged, and what was answered.
type MergeAnswers struct {
	Members           []int64
	Keep, Name, Email int64
	Allow             []string
	Class, Reason     string
	Proposal          int64
}

// Path is the plan with these answers.
func (a MergeAnswers) Path(district, view string) string {
	q := url.Values{}
	for _, h := range a.Hidden() {
		q.Add(h.Name, h.Value)
	}
	return withQuery(MergesPath(district, view)+"/new", q)
}

// keeping is the plan with another one who stays, and nothing else answered.
func (a MergeAnswers) keeping(id int64) MergeAnswers {
	return MergeAnswers{Members: a.Members, Keep: id, Class: a.Class}
}

// Hidden carries the answers to a button.
func (a MergeAnswers) Hidden() (list []Hidden) {
	list = a.people()
	if a.Name != 0 {
		list = append(list, Hidden{"name", strconv.FormatInt(a.Name, 10)})
	}
	if a.Email != 0 {
		list = append(list, Hidden{"email", strconv.FormatInt(a.Email, 10)})
	}
	for _, k := range a.Allow {
		list = append(list, Hidden{"allow", k})
	}
	return list
}

// people carries who is to be merged, without what was answered.
func (a MergeAnswers) people() (list []Hidden) {
	for _, id := range a.Members {
		list = append(list, Hidden{"member", strconv.FormatInt(id, 10)})
	}
	list = append(list, Hidden{"keep", strconv.FormatInt(a.Keep, 10)})
	if a.Class != "" {
		list = append(list, Hidden{"class", a.Class})
	}
	return list
}

// MergePerson is one of those who are to be one.
type MergePerson struct {
	ID       int64
	Name     string
	Email    string
	CleverID string
	Since    time.Time
	Used     time.Time // zero: never
	Roles    []MergeRole
	Kept     bool
	MayKeep  bool
	Imported bool // Clever does not know them
	Ended    bool
}

// MergeRole is a role with the names of its schools.
type MergeRole struct {
	Role    string
	Schools []string
}

func (r MergeRole) words(l *Locale) string {
	if len(r.Schools) == 0 {
		return l.Role(r.Role)
	}
	names := make([]string, len(r.Schools))
	for i, s := range r.Schools {
		names[i] = schoolName(l, s)
	}
	return l.Role(r.Role) + ", " + l.List(names)
}

// MergeField is a field of whoever stays.
type MergeField struct {
	Name    string // name or email
	Value   string
	From    string // whose it is
	Chosen  int64
	Fixed   bool
	Options []MergeOption
}

// MergeOption is a value somebody has for it.
type MergeOption struct {
	From  int64
	Of    string
	Value string
}

// others are the values that stay on record beside the one in use.
func (f MergeField) others() (list []string) {
	seen := map[string]bool{f.Value: true}
	for _, o := range f.Options {
		if !seen[o.Value] {
			seen[o.Value] = true
			list = append(list, o.Value)
		}
	}
	return list
}

// MergeMove is how many rows of one kind go over.
type MergeMove struct {
	Kind string // a table
	Rows int
	Of   string
}

// mergeKinds are the words for what moves, by table.
var mergeKinds = map[string]string{
	"users": key("merge.kind.users"), "identities": key("merge.kind.identities"), "accounts": key("merge.kind.accounts"), "role_grants": key("merge.kind.role_grants"),
	"role_grant_schools": key("merge.kind.role_grant_schools"), "section_teachers": key("merge.kind.section_teachers"), "overrides": key("merge.kind.overrides"),
	"user_preferences": key("merge.kind.user_preferences"), "imported_accounts": key("merge.kind.imported_accounts"), "user_search": key("merge.kind.user_search"),
	"section_students": key("merge.kind.section_students"), "contact_students": key("merge.kind.contact_students"),
}

func mergeKind(l *Locale, table string) string {
	if word, ok := mergeKinds[table]; ok {
		return l.T(word)
	}
	return table
}

// MergeAccount is an account of somebody who does not stay. Into is the one that keeps its data; 0: it comes along.
type MergeAccount struct {
	ID, Into int64
	Role, Of string
}

func (a MergeAccount) words(l *Locale) string {
	id := strconv.FormatInt(a.ID, 10)
	if a.Into == 0 {
		return l.F("merge.account.moves", "ID", id, "Name", a.Of)
	}
	return l.F("merge.account.folds", "ID", id, "Name", a.Of, "Into", strconv.FormatInt(a.Into, 10))
}

// MergeClash is what several of them have and one can have.
type MergeClash struct {
	Kind           string
	Count          int
	Key            string
	Allowed        bool // the answer
	Locked         bool // the denial is locked: there is no choice
	Act            Act
	Spot           Spot
	Allows, Denies string // whose override it is
}

func (c MergeClash) words(l *Locale) string {
	switch c.Kind {
	case "section_twice":
		return l.N("merge.clash.section_twice", c.Count)
	case "override_twice":
		return l.F("merge.clash.override_twice", "Act", c.Act.does(), "Place", c.Spot.inside(l))
	case "override_disagrees":
		return l.F("merge.clash.override_disagrees", "Act", c.Act.does(), "Place", c.Spot.inside(l), "Allows", c.Allows, "Denies", c.Denies)
	}
	return l.T("merge.clash.preferences_stay")
}

// MergeEffects is what changes for whoever comes in as one of them.
type MergeEffects struct {
	Name  string
	Lines []DiffLine
}

// MergeNames are the people of a merge by name.
type MergeNames struct {
	Survivor   string
	SurvivorID int64
	Members    []string
	IDs        []int64
}

func (n MergeNames) joined(l *Locale) string {
	names := make([]string, len(n.Members))
	for i, name := range n.Members {
		names[i] = personName(l, name)
	}
	return l.List(names)
}

func (n MergeNames) kept(l *Locale) string { return personName(l, n.Survivor) }

// MergeSentence says what a merge came to.
func (l *Locale) MergeSentence(state string, n MergeNames) string {
	k := map[string]string{
		"merged": key("merge.sentence.merged"), "unmerged": key("merge.sentence.unmerged"), "proposed": key("merge.sentence.proposed"), "refused": key("merge.sentence.refused"),
	}[state]
	words := []string{"Members", n.joined(l), "Survivor", n.kept(l)}
	return l.F(k, words...)
}

// MergeLink names a merge.
func (l *Locale) MergeLink(id int64) string { return l.F("merge.link", "Number", l.Num(int(id))) }

// mergeRules are the words for what forbids a merge, by the codes of package dedupe, and for what asks for a second
// person.
var mergeRules = map[string]string{
	"student": key("merge.rule.student"), "contact": key("merge.rule.contact"), "other_district": key("merge.rule.other_district"),
	"decided_different": key("merge.rule.decided_different"), "service_account": key("merge.rule.service_account"), "same_record": key("merge.rule.same_record"),
	"own_record": key("merge.rule.own_record"), "out_of_reach": key("merge.rule.out_of_reach"), "more_than_own": key("merge.rule.more_than_own"),
	"second_person": key("merge.rule.second_person"), "more_than_held": key("merge.rule.more_than_held"), "same_person": key("merge.rule.same_person"),
}

// MergeRefused says why people cannot be merged.
func (l *Locale) MergeRefused(code string) string {
	if word, ok := mergeRules[code]; ok {
		return l.T(word)
	}
	return l.T("merge.rule.other")
}

// UnmergeStacked says that later merges are in the way.
func (l *Locale) UnmergeStacked(ids []int64) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = l.MergeLink(id)
	}
	return l.F("unmerge.stacked", "Merges", l.List(names))
}

// MergedRecord is a record that was merged into a person.
type MergedRecord struct {
	ID       int64
	Name     string
	Email    string
	CleverID string
	Legacy   []string
	Ended    bool
	Merge    int64
}

// ids are the outside ids that lead to the record.
func (r MergedRecord) ids() string {
	list := r.Legacy
	if r.CleverID != "" {
		list = append([]string{r.CleverID}, list...)
	}
	return strings.Join(list, ", ")
}

// MergeDiffers is a row that was not as before when the merge was taken back.
type MergeDiffers struct{ Table, Key, Why string }

func (d MergeDiffers) why(l *Locale) string {
	switch d.Why {
	case "created":
		return l.T("unmerge.differs.created")
	case "gone":
		return l.T("unmerge.differs.gone")
	}
	return l.T("unmerge.differs.changed")
}

// Count adds a row that the merge changed to the receipt.
func (p *MergePage) Count(table string) {
	for i := range p.Rows {
		if p.Rows[i].Kind == table {
			p.Rows[i].Rows++
			return
		}
	}
	p.Rows = append(p.Rows, MergeMove{Kind: table, Rows: 1})
}

// UnmergeQuestion is an override that somebody changed or made since.
type UnmergeQuestion struct {
	Key     string
	Created bool
	Allow   bool
	Act     Act
	Spot    Spot
	To      string // who it can be given to
	Answer  string
	Options []string
}

func (q UnmergeQuestion) asks(l *Locale) string {
	k := key("unmerge.ask.changed")
	if q.Created {
		k = key("unmerge.ask.created")
	}
	words := []string{"Act", q.Act.does(), "Place", q.Spot.inside(l)}
	return l.F(k, words...)
}

func (q UnmergeQuestion) option(l *Locale, answer, survivor string) string {
	switch answer {
	case "give":
		return l.F("unmerge.answer.give", "Name", personName(l, q.To))
	case "restore":
		return l.T("unmerge.answer.restore")
	}
	return l.F("unmerge.answer.keep", "Name", survivor)
}

// mergeState is a state in words, with the class of its tag and its icon.
func mergeState(l *Locale, state string) (word, class, symbol string) {
	switch state {
	case "proposed":
		return l.T("merge.state.proposed"), "tag--wait", "clock"
	case "refused":
		return l.T("merge.state.refused"), "tag--off", "no"
	case "unmerged":
		return l.T("merge.state.unmerged"), "tag--off", "undo"
	}
	return l.T("merge.state.merged"), "", "yes"
}
