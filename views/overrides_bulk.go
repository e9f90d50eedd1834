package views

import "strconv"

// OverridesBulkItem is one override of several that change as one.
type OverridesBulkItem struct {
	ID     int64
	Words  OverrideWords // as it will be
	Before EndWords
	Moved  bool // its end moves from Before
	Ended  bool // it will have ended
}

// OverridesBulkPerson is the overrides of one person among them, and what they do together.
type OverridesBulkPerson struct {
	UserID int64
	Name   string
	Items  []OverridesBulkItem
	Lines  []DiffLine
	Lost   []DiffLine // what was so before the change that is undone, and will not be so again
}

// OverridesBulkLeft is an override that was ticked and stays as it is, and why.
type OverridesBulkLeft struct {
	ID        int64
	Says, Why string
}

// Count is how many overrides change.
func (p OverridesBulkPage) Count() (n int) {
	for _, person := range p.People {
		n += len(person.Items)
	}
	return n
}

func (p OverridesBulkPage) to() string {
	if p.Undoes != 0 {
		return p.undoHref(p.Undoes)
	}
	return OverridesBulkPath(p.District.CleverID, p.View)
}

func (p OverridesBulkPage) back() string {
	if p.Undoes != 0 {
		return p.changeHref(p.Undoes)
	}
	return p.Back
}

func (p OverridesBulkPage) buttonClass() string {
	if p.Ends {
		return "btn--no"
	}
	return ""
}

// becomes says what happens to one of them.
func (i OverridesBulkItem) becomes(l *Locale) string {
	switch {
	case i.Ended:
		return l.T("overrides.bulk.ends_now")
	case i.Moved:
		return l.F("overrides.bulk.moves", "Before", i.Before.short(l), "After", i.Words.End.short(l))
	}
	return l.T("overrides.bulk.stands")
}

func (i OverridesBulkItem) reference() string { return "OV-" + strconv.FormatInt(i.ID, 10) }

func (i OverridesBulkItem) idText() string { return strconv.FormatInt(i.ID, 10) }

// partID names an element by what it is about.
func partID(noun string, id int64) string { return noun + "-" + strconv.FormatInt(id, 10) }

func (left OverridesBulkLeft) reference() string { return "OV-" + strconv.FormatInt(left.ID, 10) }

// OverridesBulkHidden are what a form about several overrides carries.
func OverridesBulkHidden(do string, ids []int64) []Hidden {
	list := []Hidden{{"do", do}}
	for _, id := range ids {
		list = append(list, Hidden{"pick", strconv.FormatInt(id, 10)})
	}
	return list
}

// OverridesBulkPath is the form of another end for several overrides with these answers.
func (e EndAnswers) OverridesBulkPath(district, view string, ids []int64) string {
	return filledIn(OverridesBulkPath(district, view), append(OverridesBulkHidden("extend", ids), e.Hidden()...))
}

// OverridesBulkEndPath is the preview of ending several overrides.
func OverridesBulkEndPath(district, view string, ids []int64) string {
	return filledIn(OverridesBulkPath(district, view), OverridesBulkHidden("end", ids))
}

// OverridesBulkNothing says that none of several overrides can be changed.
func (l *Locale) OverridesBulkNothing() string { return l.T("overrides.bulk.nothing") }

// OverridesBulkExtending are title, sentence and button of a preview that gives n overrides another end.
func (l *Locale) OverridesBulkExtending(n int, end EndWords) (title, sentence, button string) {
	return l.CheckTitle(), l.N("overrides.bulk.extend.says", n, "Until", end.short(l)), l.N("overrides.bulk.extend.button", n, "Until", end.short(l))
}

// OverridesBulkEnding are those of a preview that ends n overrides now.
func (l *Locale) OverridesBulkEnding(n int) (title, sentence, button string) {
	return l.CheckTitle(), l.N("overrides.bulk.end.says", n), l.N("overrides.bulk.end.button", n)
}

// OverridesBulkUndoing says what undoing a change of several overrides comes to.
func (l *Locale) OverridesBulkUndoing(n int) string { return l.N("overrides.bulk.undo.says", n) }

// OverridesBulkDone says what was done to n overrides.
func (l *Locale) OverridesBulkDone(action string, n int) string {
	switch action {
	case "override.extended":
		return l.N("overrides.bulk.done.extended", n)
	case "override.ended":
		return l.N("overrides.bulk.done.ended", n)
	}
	return l.N("overrides.bulk.done.undone", n)
}

// OverridesBulkAnswer is one of them on the receipt.
func (l *Locale) OverridesBulkAnswer(id int64, says string, was, is EndWords, endedBefore, ended bool) Answer {
	line := l.OverrideLine(id, was, is, endedBefore, ended)
	return Answer{Label: line.What, Value: says, From: l.F("overrides.bulk.was", "Before", line.Before, "After", line.After)}
}

// OverrideLine is an override of several, by what its end was and is.
func (l *Locale) OverrideLine(id int64, was, is EndWords, endedBefore, ended bool) ActivityLine {
	said := func(e EndWords, ended bool) string {
		if ended {
			return l.T("overrides.status.ended")
		}
		return e.short(l)
	}
	return ActivityLine{What: "OV-" + strconv.FormatInt(id, 10), Before: said(was, endedBefore), After: said(is, ended)}
}

// OverrideNumbers lists overrides by their references, as the end of a sentence.
func (l *Locale) OverrideNumbers(ids []int64) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = "OV-" + strconv.FormatInt(id, 10)
	}
	return l.List(names) + "."
}
