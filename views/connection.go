package views

import "time"

// ConnectionPage is how the district is connected with Clever.
type ConnectionPage struct {
	Frame
	State     string // on, paused, waiting, off, left, refused
	Since     time.Time
	Polled    *time.Time // Clever's last good answer; nil: never
	KeptSince *time.Time // the token; nil: none is kept
	Key       string     // id of the key that seals it
	KeptUntil *time.Time // of a district that left: its data
	Refused   string     // what Clever said of the token, in its own words
	Failed    *SyncRun   // the newest run, if it failed
	Hour      int        // of the nightly sync
	Days      int        // of keeping data
}

// ConnectionNote is what the home page says of a connection that is not on.
type ConnectionNote struct {
	State string // paused, refused, left; anything else says nothing
	Since time.Time
}

// ConnectionState is a state of the connection in words.
func (l *Locale) ConnectionState(state string) string {
	switch state {
	case "on":
		return l.T("connection.on")
	case "paused":
		return l.T("connection.paused")
	case "waiting":
		return l.T("connection.waiting")
	case "left":
		return l.T("connection.left")
	case "refused":
		return l.T("connection.refused")
	}
	return l.T("connection.off")
}

func connectionText(l *Locale, state string) string {
	switch state {
	case "on":
		return l.T("connection.on.text")
	case "paused":
		return l.T("connection.paused.text")
	case "left":
		return l.T("connection.left.text")
	case "refused":
		return l.T("connection.refused.text")
	case "waiting":
		return l.T("settings.connection.text")
	}
	return l.T("connection.off.text")
}

// owner says whose turn it is, and what to do.
func (p ConnectionPage) owner(l *Locale) string {
	switch p.State {
	case "refused":
		return l.T("connection.refused.owner")
	case "left":
		return l.T("connection.left.owner")
	}
	return ""
}

func connectionTag(state string) (class, symbol string) {
	switch state {
	case "on":
		return "tag tag--yes", "yes"
	case "paused", "waiting":
		return "tag tag--wait", "hold"
	}
	return "tag tag--no", "no"
}

// hourSaid is the hour that begins at so many o'clock: the day stands for any.
func hourSaid(l *Locale, hour int) (from, to string) {
	at := time.Date(2026, time.January, 15, hour, 0, 0, 0, l.tz)
	return l.Time(at), l.Time(at.Add(time.Hour))
}

// Night is the hour of the nightly sync in words.
func (l *Locale) Night(hour int) string {
	from, to := hourSaid(l, hour)
	return l.F("night.said", "From", from, "To", to)
}

// NightSentence says what another hour means, and names the button that sets it.
func (l *Locale) NightSentence(hour int) (sentence, button string) {
	from, to := hourSaid(l, hour)
	return l.F("night.sentence", "From", from, "To", to), l.T("night.button")
}

// Retention is how long data is kept, in words.
func (l *Locale) Retention(days int) string { return l.N("retention.said", days) }

// RetentionSentence says what keeping data for so long means, and names the button that sets it.
func (l *Locale) RetentionSentence(days int) (sentence, button string) {
	return l.N("retention.sentence", days), l.T("retention.button")
}

// ConnectionSentence says what turning the switch means, and names the button that does it.
func (l *Locale) ConnectionSentence(to string) (sentence, button string) {
	if to == "paused" {
		return l.T("connection.pause.sentence"), l.T("connection.pause")
	}
	return l.T("connection.resume.sentence"), l.T("connection.resume")
}

// connectionItem is what the connection asks of the reader.
func (p HomePage) connectionItem(l *Locale) (item ledgerItem) {
	if p.Connection == nil {
		return item
	}
	item = ledgerItem{
		icon: "alert", wait: true, href: p.settingHref("connection"), act: l.T("home.look"),
	}
	when := l.Relative(p.Connection.Since)
	switch p.Connection.State {
	case "paused":
		item.icon, item.title, item.text = "hold", l.T("home.connection.paused"), l.F("home.connection.paused.text", "When", when)
	case "refused":
		item.title, item.text = l.T("home.connection.refused"), l.F("home.connection.refused.text", "When", when)
	case "left":
		item.title, item.text = l.T("home.connection.left"), l.F("home.connection.left.text", "When", when)
	default:
		return ledgerItem{}
	}
	return item
}
