package views

// PolicyPreview is what a change of rules or settings would do, for everybody: nothing is done yet.
type PolicyPreview struct {
	Frame
	Check
	Undoes     int64 // the number of the change that this undoes; 0: a new one
	Title      string
	Sentence   string
	Crumb      Link
	Cells      []RuleLine
	Settings   []SettingLine
	Simulation *Simulated
	Accounts   *Accounts
	Losing     bool // the reader would no longer change settings and rules
	Answers    []Hidden
	To, Cancel string
	Button     string
}

// RuleLine is one cell of the rules before and after.
type RuleLine struct {
	RuleHead
	Act           Act
	Before, After bool
	Default       bool
	Moved         bool
}

// SettingLine is a setting before and after, in words.
type SettingLine struct {
	Label         string
	Before, After string
	Moved         bool
}

// Simulated is how many people gain or lose what.
type Simulated struct {
	People  int // with a role that rules speak of
	Touched int
	More    int
	Groups  []SimulatedGroup
}

// SimulatedGroup is the people of one combination of roles for whom something changes.
type SimulatedGroup struct {
	Roles    []RuleHead
	People   int
	More     int
	Changes  []SimulatedChange
	Examples []Example
	Moved    bool
}

// SimulatedChange counts people for one permission.
type SimulatedChange struct {
	Act                        Act
	Gained, Lost, Bound, Freed int
}

// Example is one person, by name.
type Example struct {
	ID    int64
	Name  string
	More  bool
	Less  bool
	Roles []string // of separate accounts
}

// Accounts is what becomes of accounts.
type Accounts struct {
	Separate                             bool // one for each role from now on
	People, Several, Made, Back, Retired int
	Examples                             []Example
	Moved                                bool
}

// who is the combination in words: "Teacher and Staff: School Tech Lead".
func (g SimulatedGroup) who(l *Locale) string {
	names := make([]string, len(g.Roles))
	for i, h := range g.Roles {
		names[i] = h.name(l)
	}
	if len(names) == 1 {
		return l.F("simulation.only", "Role", names[0])
	}
	return l.List(names)
}

// foldFrom is how many permissions of a group are shown at once: changes of combining touch nearly all.
const foldFrom = 6

// bound says whether something is kept in one view at a time only.
func (g SimulatedGroup) bound() bool {
	for _, c := range g.Changes {
		if c.Bound > 0 {
			return true
		}
	}
	return false
}

// views says whether the columns about views have anything to say.
func (s Simulated) views() bool {
	for _, g := range s.Groups {
		for _, c := range g.Changes {
			if c.Bound+c.Freed > 0 {
				return true
			}
		}
	}
	return false
}

func (s Simulated) sentence(l *Locale) string {
	if s.Touched == 0 {
		return l.N("simulation.nobody", s.People)
	}
	said := l.N("simulation.touched", s.Touched, "Of", l.Num(s.People))
	if s.More > 0 {
		said += " · " + l.N("simulation.more", s.More)
	}
	return said
}

func (a Accounts) sentence(l *Locale) string {
	if a.Separate {
		return l.N("accounts.separate", a.Several)
	}
	return l.N("accounts.folded", a.Several)
}

// sensitiveRules are the sensitive permissions that the cells give to more people, each once.
func (p PolicyPreview) sensitiveRules() (words []string) {
	seen := map[string]bool{}
	for _, c := range p.Cells {
		if c.Act.Sensitive && c.After && !c.Before && !seen[c.Act.Code] {
			seen[c.Act.Code] = true
			words = append(words, c.Act.says())
		}
	}
	return words
}
