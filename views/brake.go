package views

import "strconv"

// Brake is how much a sync may take before a person is asked.
type Brake struct {
	Shares []BrakeShare
	People int // who may lose a sensitive permission
}

// BrakeShare is the share of one type, of a hundred.
type BrakeShare struct {
	Type  string
	Share int
}

// Brake is the setting in words: "Students 10 %, …; 25 people".
func (l *Locale) Brake(b Brake) string {
	words := make([]string, len(b.Shares))
	for i, s := range b.Shares {
		words[i] = l.F("brake.share", "Type", heldType(l, s.Type), "Share", l.Num(s.Share))
	}
	return l.F("brake.said", "Shares", l.List(words), "People", l.N("brake.people", b.People))
}

// BrakeSentence heads a preview, with its button.
func (l *Locale) BrakeSentence(b Brake) (sentence, button string) {
	return l.F("brake.sentence", "Limits", l.Brake(b)), l.T("brake.button")
}

func (s BrakeShare) field() string { return "brake_" + s.Type }

func (s BrakeShare) value() string { return strconv.Itoa(s.Share) }
