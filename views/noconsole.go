package views

import "strings"

const cleverPortal = "https://clever.com/login"

func (p NoConsolePage) portal() string {
	if strings.HasPrefix(p.PortalURL, "https://") || strings.HasPrefix(p.PortalURL, "http://") {
		return p.PortalURL
	}
	return cleverPortal
}

// says is the first thing the reader learns: it is no mistake of theirs.
func (p NoConsolePage) says(l *Locale) string {
	switch p.Reason {
	case "student":
		return l.T("noconsole.student")
	case "contact":
		return l.T("noconsole.contact")
	case "unknown_role":
		return l.T("noconsole.unknown_role")
	case "ended":
		return l.T("noconsole.ended")
	case "not_listed":
		return l.T("noconsole.not_listed")
	case "archived":
		return l.T("noconsole.archived")
	case "old_id":
		return l.T("noconsole.old_id")
	}
	return l.T("noconsole.no_role")
}

// next is where to turn.
func (p NoConsolePage) next(l *Locale) string {
	switch p.Reason {
	case "student", "contact":
		return l.T("noconsole.next.portal")
	case "archived":
		return l.T("noconsole.next.archived")
	case "old_id":
		return l.T("noconsole.next.old_id")
	}
	return l.T("noconsole.next.office")
}
