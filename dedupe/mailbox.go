package dedupe

import (
	"slices"
	"strings"
	"unicode"
)

// email is an address made comparable.
type email struct {
	whole  string // lower case
	local  string // before the @, without dots, hyphens, underscores and +tag
	core   string // the letters of local, or all of it where there are none
	domain string

	generic bool
	rare    int16 // tenths of a bit that agreement is worth, set by the model
}

func newEmail(s string) (email, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(domain, "@ ") {
		return email{}, false
	}
	e := email{whole: s, domain: domain}
	local, _, _ = strings.Cut(local, "+")
	e.local = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, local)
	e.core = strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, e.local)
	if e.core == "" {
		e.core = e.local
	}
	e.generic = genericLocal(local, e.core)
	return e, e.local != ""
}

// GenericMailbox reports whether an address is by its name that of an office or a machine, not of a person.
func GenericMailbox(address string) bool {
	e, ok := newEmail(address)
	return ok && e.generic
}

// genericLocals are what such addresses are called, without separators and digits.
var genericLocals = words(`
	office frontoffice frontdesk mainoffice schooloffice theoffice reception receptionist desk secretary secretaries
	info information contact contactus hello mail email mailbox inbox main general enquiries inquiries
	admin admins administration administrator principal principals vp assistantprincipal dean superintendent
	attendance registrar registration enrollment admissions records transcripts
	helpdesk help support it itsupport techsupport tech technology sysadmin root postmaster webmaster hostmaster abuse
	noreply donotreply notifications alerts newsletter news
	staff allstaff faculty teacher teachers sub subs substitute substitutes guest visitor temp
	hr humanresources payroll finance accounting billing business purchasing
	nurse clinic counselor counselors counseling guidance library librarian media mediacenter athletics coach cafeteria
	transportation custodian maintenance security pta pto district school test testing demo sample example user
	oficina secretaría dirección recepción información escuela maestros biblioteca`)

// genericWords make an address generic wherever they stand as a word of their own, as in lincoln-office@.
var genericWords = words(`office frontoffice frontdesk reception noreply attendance registrar helpdesk oficina secretaría`)

func genericLocal(local, core string) bool {
	if genericLocals[core] {
		return true
	}
	for _, word := range strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if genericWords[word] {
			return true
		}
	}
	return strings.HasPrefix(core, "frontoffice") || strings.HasSuffix(core, "frontoffice") || strings.HasSuffix(core, "frontdesk")
}

// publicDomains give anybody an address: two of them are no two addresses of one district.
var publicDomains = []string{"gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "msn.com", "icloud.com", "me.com", "aol.com", "comcast.net", "att.net", "verizon.net", "proton.me", "protonmail.com"}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(fold(s)) {
		set[word] = true
	}
	return set
}

// related reports whether two domains may be one district's: both are among those it uses, or one lies within the
// other.
func related(a, b string, districts []string) bool {
	if a == b {
		return true
	}
	if slices.Contains(publicDomains, a) || slices.Contains(publicDomains, b) {
		return false
	}
	return strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a) || slices.Contains(districts, a) && slices.Contains(districts, b)
}

// fits reports whether an address looks made of a name: given and surname, or one of them and the other's initial.
func (e *email) fits(n *name) bool {
	if n.given == "" || n.surname == "" || e.generic {
		return false
	}
	core, given, surname := e.core, strings.ReplaceAll(n.given, " ", ""), strings.ReplaceAll(n.surname, " ", "")
	for _, last := range append([]string{surname}, n.parts...) {
		if len(last) < 3 {
			continue
		}
		if rest, ok := strings.CutSuffix(core, last); ok && isStart(rest, given, n.canon) {
			return true
		}
		if rest, ok := strings.CutPrefix(core, last); ok && isStart(rest, given, n.canon) {
			return true
		}
	}
	return false
}

// isStart reports whether s is a given name, a form of it, or its initial.
func isStart(s, given string, canon []string) bool {
	return s != "" && (s == given || s == given[:len(string(initial(given)))] || slices.Contains(canon, s))
}
