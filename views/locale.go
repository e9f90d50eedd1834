package views

import (
	"strconv"
	"strings"
	"time"
)

// Languages are the catalogues there are, the default first.
var Languages = []string{"en", "es"}

// Language gives the catalogue that fits a wish, such as a cookie's value or the
// first tag of Accept-Language: "es-MX" is "es", anything unknown is "en".
func Language(wish string) string {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(wish)), "-")
	for _, lang := range Languages {
		if base == lang {
			return lang
		}
	}
	return Languages[0]
}

// Locale speaks one language in one district's time: words, counts, dates and
// numbers for a single page. It is cheap to make and must not be kept beyond the
// request, since it remembers what time it is.
type Locale struct {
	Lang string
	now  time.Time
	tz   *time.Location
	cat  *catalogue
}

// NewLocale speaks lang, seen from now in the time zone tz. Without tz it is UTC.
func NewLocale(lang string, now time.Time, tz *time.Location) *Locale {
	lang = Language(lang)
	if tz == nil {
		tz = time.UTC
	}
	return &Locale{Lang: lang, now: now.In(tz), tz: tz, cat: catalogues[lang]}
}

// T gives the words for a key. A key that no catalogue has comes back as itself;
// a test keeps that from happening.
func (l *Locale) T(key string) string {
	if s, ok := l.cat.plain[key]; ok {
		return s
	}
	return key
}

// F gives the words for a key with its placeholders filled from name, value pairs.
func (l *Locale) F(key string, pairs ...string) string {
	if forms, ok := l.cat.forms[key]; ok {
		return forms[formOther].fill(pairs)
	}
	return l.T(key)
}

// N gives the words for a key in the plural form for n.
func (l *Locale) N(key string, n int, pairs ...string) string {
	forms, ok := l.cat.forms[key]
	if !ok {
		return l.T(key)
	}
	return forms[l.cat.pluralForm(n)].fill(append(pairs, "Count", l.Num(n)))
}

// Num writes a whole number with the separators of the language: Spanish as it is
// written in the United States also parts thousands with a comma.
func (l *Locale) Num(n int) string {
	if n > -1000 && n < 1000 {
		return strconv.Itoa(n)
	}
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	out := make([]byte, 0, len(sign)+len(digits)+len(digits)/3)
	out = append(out, sign...)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, digits[i])
	}
	return string(out)
}

// List joins words as the language does: "a, b and c".
func (l *Locale) List(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := words[len(words)-1]
	and := " " + l.T("list.and") + " "
	// Spanish says "e" before the sound of i: "docente e Iris".
	if l.Lang == "es" && startsWithI(last) {
		and = " e "
	}
	return strings.Join(words[:len(words)-1], ", ") + and + last
}

func startsWithI(word string) bool {
	w := strings.ToLower(word)
	return (strings.HasPrefix(w, "i") || strings.HasPrefix(w, "hi") || strings.HasPrefix(w, "í")) &&
		!strings.HasPrefix(w, "hie") && !strings.HasPrefix(w, "ia")
}
