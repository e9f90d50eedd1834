package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// DupItem is one comparison of two records: a field, how far they agree in it, and what that weighs.
type DupItem struct {
	Field, Kind, Level string // dedupe's words
	Tenths             int    // of a bit
	OneIn              int    // one of so many people here has the shared value; 0: not said
	A, B               string // the two values, "" where there is nothing to show
}

// dupSays has a sentence for each field at each level that dedupe knows.
var dupSays = map[string]string{
	"number.equal": key("dup.say.number.equal"), "number.one_edit": key("dup.say.number.one_edit"), "number.differ": key("dup.say.number.differ"),
	"number_across.equal": key("dup.say.number_across.equal"),
	"email.equal":         key("dup.say.email.equal"), "email.alias": key("dup.say.email.alias"), "email.same_local": key("dup.say.email.same_local"),
	"email.resembles": key("dup.say.email.resembles"), "email.fits_name": key("dup.say.email.fits_name"), "email.generic": key("dup.say.email.generic"), "email.differ": key("dup.say.email.differ"),
	"surname.equal": key("dup.say.surname.equal"), "surname.swapped": key("dup.say.surname.swapped"), "surname.part": key("dup.say.surname.part"),
	"surname.close": key("dup.say.surname.close"), "surname.differ": key("dup.say.surname.differ"),
	"given.equal": key("dup.say.given.equal"), "given.nickname": key("dup.say.given.nickname"), "given.close": key("dup.say.given.close"),
	"given.initial_only": key("dup.say.given.initial_only"), "given.differ": key("dup.say.given.differ"), "given.with_swap": key("dup.say.given.with_swap"),
	"middle.equal": key("dup.say.middle.equal"), "middle.initial_only": key("dup.say.middle.initial_only"), "middle.differ": key("dup.say.middle.differ"),
	"suffix.equal": key("dup.say.suffix.equal"), "suffix.one_side": key("dup.say.suffix.one_side"), "suffix.differ": key("dup.say.suffix.differ"),
	"schools.shared": key("dup.say.schools.shared"), "schools.none_shared": key("dup.say.schools.none_shared"),
	"posts.two_posts": key("dup.say.posts.two_posts"), "users.two_users": key("dup.say.users.two_users"),
	"trait.equal": key("dup.say.trait.equal"), "trait.close": key("dup.say.trait.close"), "trait.differ": key("dup.say.trait.differ"),
}

// says is the comparison as a sentence.
func (i DupItem) says(l *Locale) string {
	k, ok := dupSays[i.Field+"."+i.Level]
	if !ok {
		return i.name(l) + ": " + l.T("dup.not_on_record") + "."
	}
	what := l.T("dup.number")
	if w := l.dupKind(i.Kind); w != "" {
		what = w
	}
	fill := []string{"What", what}
	said := l.F(k, fill...)
	if i.OneIn > 1 && i.Tenths > 0 && i.Field != "number" && i.Field != "email" { // of an identifier the sentence says enough
		said += " " + l.F("dup.one_in", "Count", l.Num(i.OneIn))
	}
	return upperFirst(said)
}

// dupKind names a number space, or two of them.
func (l *Locale) dupKind(kind string) string {
	if a, b, two := strings.Cut(kind, "/"); two {
		return l.List([]string{l.dupKind(a), l.dupKind(b)})
	}
	switch kind {
	case "teacher_sis_id":
		return l.T("dup.kind.teacher_sis_id")
	case "teacher_number":
		return l.T("dup.kind.teacher_number")
	case "staff_id":
		return l.T("dup.kind.staff_id")
	case "district_admin_id":
		return l.T("dup.kind.district_admin_id")
	case "account_number":
		return l.T("dup.kind.account_number")
	}
	return kind
}

// name is the row's name in the waterfall.
func (i DupItem) name(l *Locale) string {
	switch i.Field {
	case "prior":
		return l.T("dup.field.prior")
	case "number":
		return l.T("dup.field.number")
	case "number_across":
		return l.T("dup.field.number_across")
	case "email":
		return l.T("dup.field.email")
	case "surname":
		return l.T("dup.field.surname")
	case "given":
		return l.T("dup.field.given")
	case "middle":
		return l.T("dup.field.middle")
	case "suffix":
		return l.T("dup.field.suffix")
	case "schools":
		return l.T("dup.field.schools")
	case "posts":
		return l.T("dup.field.posts")
	case "users":
		return l.T("dup.field.users")
	}
	return i.Kind
}

// under is the second line in the waterfall: the values, and what they say.
func (i DupItem) under(l *Locale) string {
	switch {
	case i.Field == "prior":
		return l.T("dup.field.prior.text")
	case i.Level == "missing":
		return l.T("dup.not_on_record")
	}
	said := strings.TrimSuffix(i.says(l), ".")
	switch {
	case i.A != "" && i.B != "" && i.A != i.B:
		return i.A + ", " + i.B + ": " + lowerFirst(said)
	case i.A != "":
		return i.A + ": " + lowerFirst(said)
	}
	return said
}

func lowerFirst(s string) string {
	if s == "" || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// bits writes tenths of a bit with a sign: "+7.6".
func bits(tenths int) string {
	sign := ""
	switch {
	case tenths > 0:
		sign = "+"
	case tenths < 0:
		sign, tenths = "−", -tenths
	}
	return sign + strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10)
}

// chanceWords is a probability in millionths as people say one.
func chanceWords(l *Locale, millionths int) string {
	switch {
	case millionths >= 999_500:
		return l.T("dup.chance.sure")
	case millionths >= 990_000:
		return l.F("dup.chance.of_thousand", "Count", strconv.Itoa(millionths/1000))
	case millionths < 10_000:
		return l.T("dup.chance.hardly")
	}
	return l.F("dup.chance.of_hundred", "Count", strconv.Itoa((millionths+5000)/10_000))
}

// DupPair is what is known of two people together.
type DupPair struct {
	A, B   string // names
	Class  string
	Tenths int
	Chance int
	Items  []DupItem // the prior first
}

// speaking are the items that say something for one person, or against, the strongest first.
func (p DupPair) speaking(pro bool) []DupItem {
	var some []DupItem
	for _, i := range p.Items {
		if i.Field != "prior" && (pro && i.Tenths > 0 || !pro && i.Tenths < 0) {
			some = append(some, i)
		}
	}
	slices.SortStableFunc(some, func(a, b DupItem) int {
		if pro {
			return cmp.Compare(b.Tenths, a.Tenths)
		}
		return cmp.Compare(a.Tenths, b.Tenths)
	})
	return some
}

// missing names the fields that one side has not on record.
func (p DupPair) missing(l *Locale) []string {
	var some []string
	for _, i := range p.Items {
		if i.Level == "missing" {
			some = append(some, lowerFirst(i.name(l)))
		}
	}
	return some
}

// dupBar is one bar of the waterfall in tenths of a bit.
type dupBar struct {
	DupItem
	class    string
	x, width int
}

// waterfall lays the bars out: each begins where the one before it ends. zero is even odds, wide the whole width.
func (p DupPair) waterfall() (bars []dupBar, zero, wide, sumX, sumWidth int) {
	lo, hi, at := min(p.Tenths, 0), max(p.Tenths, 0), 0
	for _, i := range p.Items {
		at += i.Tenths
		lo, hi = min(lo, at), max(hi, at)
	}
	const margin = 6
	zero, wide = margin-lo, hi-lo+2*margin
	at = 0
	for _, i := range p.Items {
		b := dupBar{DupItem: i, class: "bar-for", x: zero + min(at, at+i.Tenths), width: max(i.Tenths, -i.Tenths)}
		switch {
		case i.Field == "prior":
			b.class = "bar-start"
		case i.Tenths < 0:
			b.class = "bar-against"
		case i.Tenths == 0:
			b.class, b.width = "bar-start", 1
		}
		bars = append(bars, b)
		at += i.Tenths
	}
	return bars, zero, wide, zero + min(p.Tenths, 0), max(p.Tenths, -p.Tenths)
}

// DupReason is why a person has to look, as data.
type DupReason struct {
	Code   string
	Params map[string]string
	Names  []string
}

// dupReasons are the reasons that have a sentence of their own; the others say what the evidence says already.
func dupReason(l *Locale, r DupReason) string {
	switch r.Code {
	case "two_clever_users":
		return l.T("dup.reason.two_clever_users")
	case "clever_split":
		return l.T("dup.reason.clever_split")
	case "shared_mailbox":
		return l.T("dup.reason.shared_mailbox")
	case "office_mailbox":
		return l.F("dup.reason.office_mailbox", "Email", r.Params["email"])
	case "names_disagree":
		return l.T("dup.reason.names_disagree")
	case "suffix_contradicts":
		return l.T("dup.reason.suffix_contradicts")
	case "middle_contradicts":
		return l.T("dup.reason.middle_contradicts")
	case "too_many_accounts":
		return l.F("dup.reason.too_many_accounts", "Count", r.Params["accounts"])
	case "same_role_twice":
		return l.F("dup.reason.same_role_twice", "Role", l.roleLower(r.Params["role"]))
	case "weak_bridge":
		return l.F("dup.reason.weak_bridge", "Names", l.List(r.Names))
	case "second_person":
		return l.T("dup.reason.second_person")
	case "uncertain":
		return l.T("dup.reason.uncertain")
	}
	return r.Code
}
