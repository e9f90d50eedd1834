package views

func (p SectionPage) summary(l *Locale) string {
	return l.F("section.summary", "School", schoolName(l, p.School), "Term", termName(l, p.Term))
}

// termText is the term with its days, where Clever gives them.
func (p SectionPage) termText(l *Locale) string {
	said := termName(l, p.Term)
	if p.Term != "" && p.TermStart != nil && p.TermEnd != nil {
		said = l.F("section.term_days", "Term", said, "From", l.Date(*p.TermStart), "To", l.Date(*p.TermEnd))
	}
	return said
}

type fact struct{ name, value string }

// facts are the plain ones, where they are known.
func (p SectionPage) facts(l *Locale) []fact {
	all := []fact{
		{l.T("section.period"), p.Period},
		{l.T("section.subject"), subject(l, p.Subject)},
		{l.T("section.grade"), grade(l, p.Grade)},
		{l.T("section.course"), p.Course},
		{l.T("section.number"), p.Number},
	}
	known := all[:0]
	for _, f := range all {
		if f.value != "" {
			known = append(known, f)
		}
	}
	return known
}
