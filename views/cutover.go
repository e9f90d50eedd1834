package views

import "time"

// CutOver is what the district decided about accounts that lead to nobody.
type CutOver struct {
	At       *time.Time // nil: no date is set
	Rest     string     // keep or archive
	Done     int64      // the receipt of carrying it out; 0: not yet
	Archived int        // of accounts, when it was carried out
}

// CutOverLine is how many accounts of a role would be archived.
type CutOverLine struct {
	Role      string
	N, ByHand int
}

// CutOverForm asks for the date and for what becomes of the rest.
type CutOverForm struct {
	Frame
	At, Rest string // the answers; At as date fields of forms have it, by the district's clock
	Zone     string
	First    string // the earliest that can be chosen
	Problems []Problem
}

// CutOverPreview is what a cut-over would do.
type CutOverPreview struct {
	Frame
	Check
	Was, To CutOver
	Lines   []CutOverLine
	Answers []Hidden
	Undoes  int64 // the change that this takes back; 0: none
}

func (p CutOverPreview) total() (n, byHand int) {
	for _, c := range p.Lines {
		n, byHand = n+c.N, byHand+c.ByHand
	}
	return n, byHand
}

// CutOverSaid is a decision in words: "Dec 18, 2026, 6:00 pm: archive accounts that lead to nobody".
func (l *Locale) CutOverSaid(c CutOver) string {
	switch {
	case c.At == nil:
		return l.T("cutover.none")
	case c.Rest == "archive":
		return l.F("cutover.said.archive", "When", l.DateTime(*c.At))
	}
	return l.F("cutover.said.keep", "When", l.DateTime(*c.At))
}

// CutOverAnswer is the decision on a receipt, before and after.
func (l *Locale) CutOverAnswer(was, to CutOver) Answer {
	return Answer{Label: l.T("cutover.title"), Value: l.CutOverSaid(to), From: l.F("rules.answer.from", "Before", l.CutOverSaid(was))}
}

// CutOverSet says on a receipt what was decided.
func (l *Locale) CutOverSet(to CutOver) string {
	return l.F("cutover.set", "Said", inSentence(l.CutOverSaid(to)))
}

// CutOverDid says on a receipt what a cut-over came to.
func (l *Locale) CutOverDid(archive bool, accounts int) string {
	if !archive {
		return l.T("cutover.did.keep")
	}
	return l.N("cutover.did.archive", accounts)
}

// CutOverPeople is how many people who stood for accounts ended with them, on a receipt.
func (l *Locale) CutOverPeople(people int) Answer {
	return Answer{Label: l.T("cutover.people"), Value: l.Num(people)}
}

// CutOverBack says on a receipt what came back.
func (l *Locale) CutOverBack(accounts int) string { return l.N("cutover.back", accounts) }

// CutOverFound says that some accounts stay with the people they found since.
func (l *Locale) CutOverFound(n int) string { return l.N("cutover.found", n) }

// CutOverUndo is what undoing a cut-over that was carried out would do, in words.
func (l *Locale) CutOverUndo(accounts, people, found int) (heading, sentence, nothing, button string) {
	sentence = l.N("cutover.undo.sentence", accounts)
	if found > 0 {
		sentence += " " + l.CutOverFound(found)
	}
	return l.T("cutover.undo.heading"), sentence, l.N("cutover.undo.people", people), l.T("change.undo")
}

// CutOverBlocked says why a decision about the cut-over cannot be taken back or made.
func (l *Locale) CutOverBlocked(code string) string {
	switch code {
	case "carried_out":
		return l.T("cutover.blocked.carried_out")
	case "changed":
		return l.T("cutover.blocked.changed")
	case "past":
		return l.T("cutover.problem.past")
	}
	return l.T("cutover.blocked.same")
}

// CutOverProblem is what is wrong with an answer.
func (l *Locale) CutOverProblem(code string) string {
	switch code {
	case "past":
		return l.T("cutover.problem.past")
	case "far":
		return l.T("cutover.problem.far")
	case "rest":
		return l.T("cutover.problem.rest")
	}
	return l.T("cutover.problem.date")
}

// MigrationTitle is what the page of old accounts is called.
func (l *Locale) MigrationTitle() string { return l.T("migration.title") }
