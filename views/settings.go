package views

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// SettingsPage is what the district decides for everybody.
type SettingsPage struct {
	Frame
	Combining string // the setting, whatever the strategy makes of it
	Strategy  string // consolidated, per_role
	TimeZone  string
	YearEnd   string // 06-30
	State     string // of the connection with Clever; as ConnectionPage has it
	Hour      int    // of the nightly sync
	Brake     Brake
	Days      int // of keeping data after the district has left
	BulkWrong int // most wrong of a batch of merges, in millionths
	Changed   int // rules that differ from the shipped ones
}

// SettingForm is the form of one setting.
type SettingForm struct {
	Frame
	Setting  string // combining, strategy, calendar, night, retention, connection, brake, bulk
	Choices  []SettingChoice
	Zones    []string
	Zone     string
	Month    int
	Day      int
	Number   int // the hour of night, the days of retention, the millionths of bulk
	Brake    Brake
	Problems []SettingProblem
}

// SettingChoice is one value of combining or strategy.
type SettingChoice struct {
	Value   string
	Current bool // as it is set now
	Ticked  bool
}

// SettingProblem is what is wrong with an answer. Field is value, zone or day; value is the one answer of every setting
// but the calendar.
type SettingProblem struct{ Field, Code string }

// Combining is a way of combining roles in words.
func (l *Locale) Combining(way string) string {
	switch way {
	case "least_privileged":
		return l.T("combining.least_privileged")
	case "view_in_use":
		return l.T("combining.view_in_use")
	}
	return l.T("combining.most_privileged")
}

func combiningText(l *Locale, way string) string {
	switch way {
	case "least_privileged":
		return l.T("combining.least_privileged.text")
	case "view_in_use":
		return l.T("combining.view_in_use.text")
	}
	return l.T("combining.most_privileged.text")
}

// Strategy is a strategy of accounts in words.
func (l *Locale) Strategy(s string) string {
	if s == "per_role" {
		return l.T("strategy.per_role")
	}
	return l.T("strategy.consolidated")
}

func strategyText(l *Locale, s string) string {
	if s == "per_role" {
		return l.T("strategy.per_role.text")
	}
	return l.T("strategy.consolidated.text")
}

// YearEnd says a month and day, as 06-30, in words.
func (l *Locale) YearEnd(monthDay string) string {
	m, d, ok := readMonthDay(monthDay)
	if !ok {
		return monthDay
	}
	return l.F("settings.month_day", "Month", longMonths[l.Lang][m-1], "Day", l.Num(d))
}

func readMonthDay(s string) (month, day int, ok bool) {
	if len(s) != 5 || s[2] != '-' {
		return 0, 0, false
	}
	digits := func(a, b byte) int { return int(a-'0')*10 + int(b-'0') }
	month, day = digits(s[0], s[1]), digits(s[3], s[4])
	return month, day, month >= 1 && month <= 12 && day >= 1 && day <= 31
}

func (f SettingForm) title(l *Locale) string { return l.SettingName(f.Setting) }

// SettingName is what a setting is called.
func (l *Locale) SettingName(setting string) string {
	switch setting {
	case "combining":
		return l.T("settings.combining")
	case "strategy":
		return l.T("settings.strategy")
	case "brake":
		return l.T("settings.brake")
	case "night":
		return l.T("settings.night")
	case "retention":
		return l.T("settings.retention")
	case "bulk":
		return l.T("settings.bulk")
	case "connection":
		return l.T("settings.connection")
	}
	return l.T("settings.calendar")
}

func (f SettingForm) sub(l *Locale) string {
	switch f.Setting {
	case "combining":
		return l.T("settings.combining.text")
	case "strategy":
		return l.T("settings.strategy.text")
	case "brake":
		return l.T("settings.brake.text")
	case "night":
		return l.T("settings.night.text")
	case "retention":
		return l.T("settings.retention.text")
	case "bulk":
		return l.T("settings.bulk.text")
	case "connection":
		return l.T("settings.connection.text")
	}
	return l.T("settings.calendar.text")
}

func (f SettingForm) choiceWords(l *Locale, c SettingChoice) (name, text string) {
	switch f.Setting {
	case "combining":
		return l.Combining(c.Value), combiningText(l, c.Value)
	case "connection":
		return l.ConnectionState(c.Value), connectionText(l, c.Value)
	}
	return l.Strategy(c.Value), strategyText(l, c.Value)
}

// problem is what is wrong with a field; "" if nothing is.
func (f SettingForm) problem(l *Locale, field string) string {
	for _, p := range f.Problems {
		if p.Field == field {
			return settingProblem(l, p)
		}
	}
	return ""
}

func settingProblem(l *Locale, p SettingProblem) string {
	switch p.Code {
	case "same":
		return l.T("settings.problem.same")
	case "zone":
		return l.T("settings.problem.zone")
	case "day":
		return l.T("settings.problem.day")
	case "brake":
		return l.T("settings.problem.brake")
	case "hour":
		return l.T("settings.problem.hour")
	case "days":
		return l.T("settings.problem.days")
	case "bulk":
		return l.T("settings.problem.bulk")
	}
	return l.T("settings.problem.choose")
}

func (f Frame) settingHref(setting string) string {
	return SettingPath(f.District.CleverID, f.View, setting)
}

// SettingsTitle is what the page of settings is called.
func (l *Locale) SettingsTitle() string { return l.T("nav.settings") }

// SettingCheck heads the preview of a setting.
func (l *Locale) SettingCheck() string { return l.T("settings.check.title") }

// SettingSaysSo says that there is nothing to change.
func (l *Locale) SettingSaysSo() string { return l.T("settings.check.same") }

// UndoSetting heads the preview of an undo, and names its button.
func (l *Locale) UndoSetting(number int64) (title, button string) {
	return l.F("settings.undo.title", "Number", l.Num(int(number))), l.T("change.undo")
}

// CombiningSentence says what another way of combining means, and names the button that sets it.
func (l *Locale) CombiningSentence(way string) (sentence, button string) {
	return l.F("combining.sentence", "Way", inSentence(l.Combining(way)), "Text", combiningText(l, way)), l.F("combining.button", "Way", inSentence(l.Combining(way)))
}

// StrategySentence says what another strategy means, and names the button that sets it.
func (l *Locale) StrategySentence(s string) (sentence, button string) {
	return l.F("strategy.sentence", "Way", inSentence(l.Strategy(s)), "Text", strategyText(l, s)), l.F("combining.button", "Way", inSentence(l.Strategy(s)))
}

// CalendarSentence says what another calendar means, and names the button that sets it.
func (l *Locale) CalendarSentence(zone, yearEnd string) (sentence, button string) {
	return l.F("calendar.sentence", "Zone", zone, "Date", l.YearEnd(yearEnd)), l.T("calendar.button")
}

// Calendar is time zone and end of the school year in words.
func (l *Locale) Calendar(zone, yearEnd string) string {
	return l.F("calendar.said", "Zone", zone, "Date", l.YearEnd(yearEnd))
}

// SettingDone says on a receipt what was set.
func (l *Locale) SettingDone(setting, to string) string {
	return l.F("settings.done", "Setting", l.SettingName(setting), "To", inSentence(to))
}

// SettingAnswer is the setting on a receipt, before and after.
func (l *Locale) SettingAnswer(setting, before, after string) Answer {
	return Answer{Label: l.SettingName(setting), Value: after, From: l.F("rules.answer.from", "Before", before)}
}

// AccountsAnswer says on a receipt what became of accounts.
func (l *Locale) AccountsAnswer(made, back, retired int) Answer {
	return Answer{Label: l.T("accounts.title"), Value: l.F("accounts.said", "Made", l.Num(made), "Back", l.Num(back), "Retired", l.Num(retired))}
}

// inSentence is words that stand alone elsewhere, within a sentence.
func inSentence(words string) string {
	r, size := utf8.DecodeRuneInString(words)
	if next, _ := utf8.DecodeRuneInString(words[size:]); size == 0 || !unicode.IsLower(next) || strings.Contains(words[:min(len(words), 20)], "/") {
		return words
	}
	return string(unicode.ToLower(r)) + words[size:]
}
