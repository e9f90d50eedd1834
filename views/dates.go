package views

import (
	"strconv"
	"time"
)

var months = map[string][12]string{
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	"es": {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"},
}

var longMonths = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"es": {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
}

var weekdays = map[string][7]string{
	"en": {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	"es": {"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
}

var longWeekdays = map[string][7]string{
	"en": {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"es": {"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
}

// Date is "Nov 4, 2024", or "4 nov 2024", on the district's calendar.
func (l *Locale) Date(t time.Time) string {
	if t.IsZero() {
		return l.T("date.never")
	}
	t = t.In(l.tz)
	month := months[l.Lang][t.Month()-1]
	if l.Lang == "es" {
		return strconv.Itoa(t.Day()) + " " + month + " " + strconv.Itoa(t.Year())
	}
	return month + " " + strconv.Itoa(t.Day()) + ", " + strconv.Itoa(t.Year())
}

// LongDate is "Friday, November 20, 2026", or "viernes, 20 de noviembre de 2026".
func (l *Locale) LongDate(t time.Time) string {
	t = t.In(l.tz)
	day, month := longWeekdays[l.Lang][t.Weekday()], longMonths[l.Lang][t.Month()-1]
	if l.Lang == "es" {
		return day + ", " + strconv.Itoa(t.Day()) + " de " + month + " de " + strconv.Itoa(t.Year())
	}
	return day + ", " + month + " " + strconv.Itoa(t.Day()) + ", " + strconv.Itoa(t.Year())
}

// Time is "6:02 am", or "6:02 a. m.".
func (l *Locale) Time(t time.Time) string {
	t = t.In(l.tz)
	hour := t.Hour() % 12
	if hour == 0 {
		hour = 12
	}
	half := " am"
	switch {
	case l.Lang == "es" && t.Hour() < 12:
		half = " a. m."
	case l.Lang == "es":
		half = " p. m."
	case t.Hour() >= 12:
		half = " pm"
	}
	minute := strconv.Itoa(t.Minute())
	if t.Minute() < 10 {
		minute = "0" + minute
	}
	return strconv.Itoa(hour) + ":" + minute + half
}

// DateTime is the date and the time, in full: "Nov 4, 2024, 6:02 am".
func (l *Locale) DateTime(t time.Time) string {
	if t.IsZero() {
		return l.T("date.never")
	}
	return l.Date(t) + ", " + l.Time(t)
}

// Short is for columns: "Today, 7:41 am" today, "Thu, Nov 19" in the last half
// year, and the full date before that.
func (l *Locale) Short(t time.Time) string {
	if t.IsZero() {
		return l.T("date.never")
	}
	t = t.In(l.tz)
	switch days := l.daysAgo(t); {
	case days == 0:
		return l.T("date.today_upper") + ", " + l.Time(t)
	case days == 1:
		return l.T("date.yesterday_upper") + ", " + l.Time(t)
	case days > 0 && days < 180:
		day, month := weekdays[l.Lang][t.Weekday()], months[l.Lang][t.Month()-1]
		if l.Lang == "es" {
			return day + " " + strconv.Itoa(t.Day()) + " " + month
		}
		return day + ", " + month + " " + strconv.Itoa(t.Day())
	default:
		return l.Date(t)
	}
}

// Relative is for the middle of a sentence: "today at 6:02 am", "yesterday at
// 6:02 am", "on Nov 4, 2024 at 6:02 am".
func (l *Locale) Relative(t time.Time) string {
	if t.IsZero() {
		return l.T("date.never_lower")
	}
	t = t.In(l.tz)
	at := " " + l.T("date.at") + " "
	if l.Lang == "es" && (t.Hour()%12 == 1) {
		at = " a la "
	}
	switch l.daysAgo(t) {
	case 0:
		return l.T("date.today") + at + l.Time(t)
	case 1:
		return l.T("date.yesterday") + at + l.Time(t)
	default:
		return l.F("date.on", "Date", l.Date(t)) + at + l.Time(t)
	}
}

// Took is how long something lasted, in its two largest units: "2 min 3 s".
func (l *Locale) Took(d time.Duration) string {
	if d < time.Second {
		return l.T("date.under_second")
	}
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return strconv.Itoa(s) + " s"
	case s < 3600:
		return strconv.Itoa(s/60) + " min " + strconv.Itoa(s%60) + " s"
	default:
		return l.Num(s/3600) + " h " + strconv.Itoa(s%3600/60) + " min"
	}
}

// daysAgo counts midnights of the district between t and now; the future is negative.
func (l *Locale) daysAgo(t time.Time) int {
	midnight := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(l.now).Sub(midnight(t)) / (24 * time.Hour))
}

// iso is the machine's form for <time datetime>.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }
