package views

import (
	"slices"
	"strconv"
	"time"
)

// DupMember heads a column.
type DupMember struct {
	ID      int64
	Name    string
	Since   string // what sort of record it is, and since when
	Gone    bool   // merged into somebody, or no record any more
	Current bool
}

// DupLine is one line of a cell.
type DupLine struct {
	Role string // slug, where the line is about a role
	Text string
	ID   bool // an outside id
}

// DupField is one row of the records side by side.
type DupField struct {
	Label string
	Cells [][]DupLine // one for each member
	Match string      // same, close, differs, overlap, missing or "": not weighed
}

// DupBefore is a "no" that was said when there was less to say.
type DupBefore struct {
	By     string
	At     time.Time
	Reason string
	Class  bool // the class rose
	Bits   int  // tenths by which the weight rose
}

// DupSplit is what Clever took apart.
type DupSplit struct {
	CleverID string
	Merge    int64 // to be taken back; 0: they are two records here
	Since    time.Time
}

// DupRelated is somebody whose record touches one of these and who is never the same user: named, not suggested.
type DupRelated struct {
	ID    int64
	Name  string
	Roles []string
}

func (p DuplicatePage) title(l *Locale) string {
	if p.Kind == "split" {
		return l.T("dup.title.split")
	}
	if len(p.Members) > 2 {
		return l.F("dup.title.group", "Count", l.Num(len(p.Members)))
	}
	return l.T("dup.title")
}

func (p DuplicatePage) sub(l *Locale) string {
	switch {
	case p.Kind == "split":
		return l.T("dup.sub.split")
	case p.Class == "A":
		return l.T("dup.sub.a")
	case p.Class == "B":
		return l.F("dup.sub.b", "Chance", chanceWords(l, p.Chance))
	}
	return l.F("dup.sub.c", "Chance", chanceWords(l, p.Chance))
}

func (p DuplicatePage) tab() string {
	switch {
	case p.Unsure:
		return "parked"
	case p.Kind == "split":
		return "split"
	case p.Class == "A":
		return "a"
	case p.Class == "B":
		return "b"
	}
	return "c"
}

func (p DuplicatePage) own(keep int64) string {
	return DuplicateOnePath(p.District.CleverID, p.View, p.ID, keep, p.One, 0)
}

func (p DuplicatePage) keep() int64 {
	if len(p.Members) == 0 {
		return 0
	}
	return p.Members[0].ID
}

func (p DuplicatePage) mergeHref() string {
	ids := make([]int64, len(p.Members))
	for i, m := range p.Members {
		ids[i] = m.ID
	}
	return mergeMembersPath(p.District.CleverID, p.View, ids, p.keep(), p.ID)
}

func (p DuplicatePage) oneText() string {
	if p.One {
		return "one"
	}
	return ""
}

func (p DuplicatePage) matchWord(l *Locale, match string) (icon, word, class string) {
	switch match {
	case "same":
		return "yes", l.T("dup.match.same"), "verdict--yes"
	case "overlap":
		return "yes", l.T("dup.match.overlap"), "verdict--yes"
	case "close":
		return "same", l.T("dup.match.close"), ""
	case "differs":
		return "no", l.T("dup.match.differs"), "verdict--no"
	case "missing":
		return "skip", l.T("dup.match.missing"), "verdict--off"
	}
	return "skip", l.T("dup.match.not_weighed"), "verdict--off"
}

// isNew says what is new since somebody said "different".
func (b DupBefore) isNew(l *Locale) string {
	if b.Class {
		return l.T("dup.new.class")
	}
	return l.F("dup.new.bits", "Bits", bits(b.Bits))
}

// DuplicateDeed says what an answer was: "You said that …".
func (l *Locale) DuplicateDeed(verdict string, names []string) string {
	who := l.List(names)
	switch verdict {
	case "different":
		return l.F("dup.deed.different", "Names", who)
	case "unsure":
		return l.F("dup.deed.unsure", "Names", who)
	case "same":
		return l.F("dup.deed.same", "Names", who)
	}
	return l.F("dup.deed.reopen", "Names", who)
}

// DuplicateDropped is the answer that one of a group is somebody else.
func (l *Locale) DuplicateDropped(name string, names []string) string {
	rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
	return l.F("dup.deed.dropped", "Name", name, "Names", l.List(rest))
}

// DuplicateShort is the same for the line that stays above the next case.
func (l *Locale) DuplicateShort(verdict string) string {
	switch verdict {
	case "different":
		return l.T("dup.marked.different")
	case "unsure":
		return l.T("dup.marked.unsure")
	case "same":
		return l.T("dup.marked.same")
	}
	return l.T("dup.marked.reopen")
}

// DuplicateUndoWords are what the preview of taking an answer back says.
func (l *Locale) DuplicateUndoWords(names []string) (sentence, nothing, button string) {
	return l.F("dup.undo.sentence", "Names", l.List(names)), l.T("dup.undo.nothing"), l.T("dup.undo.button")
}

// DuplicateStale says why an answer cannot be taken back any more.
func (l *Locale) DuplicateStale() string { return l.T("dup.undo.stale") }

// DuplicateReason labels the reason of an answer.
func (l *Locale) DuplicateReason() string { return l.T("dup.reason") }

// DuplicateLink is the way to the queue.
func (l *Locale) DuplicateLink() string { return l.T("nav.duplicates") }

// DupWords are words that handlers put into cells.
type DupWords struct{ Name, Email, Roles, Clever, Used, Sections, Overrides, Accounts, None, Never, FromFile, District string }

// DupWords gives them in the language of the page.
func (l *Locale) DupWords() DupWords {
	return DupWords{
		Name: l.T("dup.cell.name"), Email: l.T("dup.cell.email"), Roles: l.T("dup.cell.roles"), Clever: l.T("dup.cell.clever"), Used: l.T("dup.cell.used"),
		Sections: l.T("dup.cell.sections"), Overrides: l.T("dup.cell.overrides"), Accounts: l.T("dup.cell.accounts"),
		None: l.T("dup.none"), Never: l.T("dup.never"), FromFile: l.T("dup.from_file"), District: l.T("place.whole_district"),
	}
}

// DupNumber labels a row of numbers.
func (l *Locale) DupNumber(space string) string { return upperFirst(l.dupKind(space)) }

// DupAccount is an account of the app's file in a line.
func (l *Locale) DupAccount(role, app string, schools []string) string {
	said := l.F("dup.account", "Role", l.Role(role), "ID", app)
	if len(schools) > 0 {
		said += ", " + l.List(schools)
	}
	return said
}

// DupEnded marks what is no longer so.
func (l *Locale) DupEnded(s string) string { return l.F("dup.was", "What", s) }

// DupSince says what sort of record it is.
func (l *Locale) DupSince(imported, ended bool, since time.Time) string {
	switch {
	case imported:
		return l.T("dup.record.file")
	case ended:
		return l.F("dup.record.ended", "Date", l.Date(since))
	}
	return l.F("dup.record.current", "Date", l.Date(since))
}

func idOf(id int64) string { return strconv.FormatInt(id, 10) }

// DuplicateOf says on a person's page who else they may be.
func (l *Locale) DuplicateOf(names []string) string {
	return l.F("user.duplicates.line", "Name", l.List(names))
}
