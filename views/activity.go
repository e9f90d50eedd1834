package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"hallpass/audit"
)

// ActivityFilter is what the activity is asked for, as it stands in the query.
type ActivityFilter struct {
	By, For  string // people: an id, an address or a name
	Kind     string
	Worn     string // slug of a view
	From, To string // yyyy-mm-dd, both included
}

// Active says whether anything narrows the list.
func (f ActivityFilter) Active() bool { return f != ActivityFilter{} }

func (f ActivityFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"by": f.By, "for": f.For, "kind": f.Kind, "worn": f.Worn, "from": f.From, "to": f.To} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// ActivityPath is everything that was done, and ActivityCSVPath the same as a file.
func ActivityPath(district, view string) string { return viewPath(district, view) + "activity" }

// ActivityCSVPath is the activity as a file.
func ActivityCSVPath(district, view string) string { return viewPath(district, view) + "activity.csv" }

func (p ActivityPage) activityHref(f ActivityFilter) string {
	return withQuery(ActivityPath(p.District.CleverID, p.View), f.query())
}

func (p ActivityPage) csvHref() string {
	return withQuery(ActivityCSVPath(p.District.CleverID, p.View), p.Filter.query())
}

func (p ActivityPage) pageHref(param string, to *PageLink) string {
	q := p.Filter.query()
	if to != nil {
		q.Set(param, to.Cursor)
	}
	return withQuery(ActivityPath(p.District.CleverID, p.View), q)
}

// activityViews are the views to choose from.
var activityViews = []string{"district_admin", "staff", "teacher", "all"}

// activityKinds are the words for kinds of actions, by the noun.
var activityKinds = map[string]string{
	"accounts": key("activity.kind.accounts"), "cutover": key("activity.kind.cutover"), "duplicates": key("activity.kind.duplicates"), "override": key("activity.kind.override"), "role": key("activity.kind.role"), "rules": key("activity.kind.rules"),
	"users": key("activity.kind.users"), "merge": key("activity.kind.merge"),
	"setting": key("activity.kind.setting"), "key": key("activity.kind.key"), "sync": key("activity.kind.sync"),
	"session": key("activity.kind.session"), "connection": key("activity.kind.connection"), "export": key("activity.kind.export"), "pair": key("activity.kind.pair"),
}

func activityKind(l *Locale, kind string) string {
	if word, ok := activityKinds[kind]; ok {
		return l.T(word)
	}
	return kind
}

// activityTasks are the words for what Hallpass was doing when it acted by itself. Entries keep the name of the task,
// and one that has no words stands as it is stored.
var activityTasks = map[string]string{
	"full sync": key("activity.task.full_sync"), "events": key("activity.task.events"), "sync sweep": key("activity.task.timetable"), "release": key("activity.task.release"),
	"connections": key("activity.task.connections"), "import": key("activity.task.import"), "bulk": key("activity.task.bulk"), "cut-over": key("activity.task.cut_over"),
	"operator": key("activity.task.operator"), "demo": key("activity.task.demo"),
}

func activityTask(l *Locale, task string) string {
	if word, ok := activityTasks[task]; ok {
		return l.T(word)
	}
	return task
}

// activitySentences are the words for what happened. Who acted, What it was done to.
var activitySentences = map[audit.Action]string{
	audit.AccountsImported:   key("activity.accounts.imported"),
	audit.AccountsTakenOut:   key("activity.accounts.taken_out"),
	audit.AccountsLinked:     key("activity.accounts.linked"),
	audit.BulkAccepted:       key("activity.duplicates.bulk"),
	audit.BulkUndone:         key("activity.duplicates.bulk_undone"),
	audit.CutOverChanged:     key("activity.cutover.changed"),
	audit.CutOverDone:        key("activity.cutover.done"),
	audit.CutOverUndone:      key("activity.cutover.undone"),
	audit.SessionStarted:     key("activity.session.started"),
	audit.SessionEnded:       key("activity.session.ended"),
	audit.SyncRequested:      key("activity.sync.requested"),
	audit.SyncFinished:       key("activity.sync.finished"),
	audit.SyncFailed:         key("activity.sync.failed"),
	audit.SyncHeld:           key("activity.sync.held"),
	audit.SyncApproved:       key("activity.sync.approved"),
	audit.SyncDiscarded:      key("activity.sync.discarded"),
	audit.SyncSuperseded:     key("activity.sync.superseded"),
	audit.KeyMade:            key("activity.key.made"),
	audit.ConnectionFound:    key("activity.connection.found"),
	audit.ConnectionSwitched: key("activity.connection.switched"),
	audit.ConnectionRenewed:  key("activity.connection.renewed"),
	audit.ConnectionSealed:   key("activity.connection.sealed"),
	audit.ConnectionRefused:  key("activity.connection.refused"),
	audit.ConnectionLeft:     key("activity.connection.left"),
	audit.ConnectionBack:     key("activity.connection.back"),
	audit.ExportMade:         key("activity.export.made"),
	audit.KeyRevoked:         key("activity.key.revoked"),
	audit.RulesChanged:       key("activity.rules.changed"),
	audit.SettingChanged:     key("activity.setting.changed"),
	audit.OverrideCreated:    key("activity.override.created"),
	audit.OverrideExtended:   key("activity.override.extended"),
	audit.OverrideEnded:      key("activity.override.ended"),
	audit.OverrideUndone:     key("activity.override.undone"),
	audit.RoleGiven:          key("activity.role.given"),
	audit.RoleEnded:          key("activity.role.ended"),
	audit.RoleUndone:         key("activity.role.undone"),
	audit.PairDecided:        key("activity.pair.decided"),
	audit.PairUndone:         key("activity.pair.undone"),
	audit.UsersMerged:        key("activity.users.merged"),
	audit.UsersUnmerged:      key("activity.users.unmerged"),
	audit.MergeProposed:      key("activity.merge.proposed"),
	audit.MergeRefused:       key("activity.merge.refused"),
}

// sessionEnds are the words for how a session ended.
var sessionEnds = map[string]string{
	"sign_out": key("activity.session.sign_out"), "idle": key("activity.session.idle"), "replaced": key("activity.session.replaced"),
}

// Where Who and What stand in a sentence until they become links.
const (
	whoMark  = "\x01"
	whatMark = "\x02"
)

type activityPiece struct {
	text, href string
	person     bool
}

func (r ActivityRow) number() string { return strconv.FormatInt(r.ID, 10) }

// pieces is the sentence, with its people and things as links.
func (r ActivityRow) pieces(p ActivityPage, l *Locale) (pieces []activityPiece) {
	add := func(piece activityPiece) {
		if piece.text != "" {
			pieces = append(pieces, piece)
		}
	}
	said := r.sentence(l)
	for said != "" {
		at := strings.IndexAny(said, whoMark+whatMark)
		if at < 0 {
			add(activityPiece{text: said})
			break
		}
		add(activityPiece{text: said[:at]})
		if said[at:at+1] == whoMark {
			who := activityPiece{text: r.who(l)}
			if r.ActorID != 0 {
				who.href, who.person = p.userHref(r.ActorID), true
			}
			add(who)
		} else {
			add(activityPiece{text: r.Thing.said(l), href: r.Thing.Href, person: r.Thing.Kind == "user"})
		}
		said = said[at+1:]
	}
	return pieces
}

// sentence has marks in place of who and what. An action that has no words is shown as it is stored.
func (r ActivityRow) sentence(l *Locale) string {
	words, ok := activitySentences[audit.Action(r.Action)]
	if why, known := sessionEnds[r.Why]; known && r.Action == string(audit.SessionEnded) {
		words = why
	}
	said := ""
	if marks := []string{"Who", whoMark, "What", whatMark}; ok {
		said = l.F(words, marks...)
	} else {
		said = l.F("activity.unknown", "Who", whoMark, "What", whatMark, "Action", r.Action)
	}
	if r.Undoes != 0 && !strings.HasSuffix(r.Action, ".undone") {
		said += " " + l.F("activity.undid", "Number", strconv.FormatInt(r.Undoes, 10))
	}
	if r.Says != "" {
		said += " " + r.Says
	}
	return said
}

// Text is the sentence without links, for files.
func (r ActivityRow) Text(l *Locale) string {
	return strings.NewReplacer(whoMark, r.who(l), whatMark, r.Thing.said(l)).Replace(r.sentence(l))
}

func (r ActivityRow) who(l *Locale) string {
	if r.ActorID == 0 {
		return l.F("activity.program", "Task", activityTask(l, r.Actor))
	}
	return personName(l, r.Actor)
}

// said is the thing inside a sentence: a person's name, "override 12".
func (t ActivityThing) said(l *Locale) string {
	switch t.Kind {
	case "user":
		return personName(l, t.Name)
	case "override":
		return l.F("activity.thing.override", "Number", t.ID)
	case "overrides":
		return l.F("activity.thing.overrides", "Number", t.ID)
	case "grant", "role":
		return l.F("activity.thing.role", "Name", personName(l, t.Name))
	case "merge":
		return l.F("merge.link", "Number", t.ID)
	case "sync":
		return l.F("activity.thing.sync", "Number", t.ID)
	case "key":
		return l.F("activity.thing.key", "Number", t.ID)
	case "import":
		return l.F("activity.thing.import", "Number", t.ID)
	case "bulk":
		return l.F("activity.thing.bulk", "Number", t.ID)
	case "district", "":
		return l.T("activity.thing.district")
	}
	return t.Kind + " " + t.ID
}

// ActivityLine is one difference.
type ActivityLine struct {
	What, Before, After string
	More                bool // more access than before
}

// EffectLine is a permission that somebody may or may not use at a place.
func (l *Locale) EffectLine(spot Spot, act Act, before, after bool) ActivityLine {
	return ActivityLine{What: act.says() + ", " + spot.inside(l), Before: l.may(before), After: l.may(after), More: after && !before}
}

// RuleLine is a permission that a role gives or does not give.
func (l *Locale) RuleLine(role, label string, act Act, before, after bool) ActivityLine {
	what := l.Role(role)
	if label != "" {
		what += " (" + labelList(l, []string{label}) + ")"
	}
	return ActivityLine{What: what + ": " + act.says(), Before: l.gives(before), After: l.gives(after), More: after && !before}
}

func (l *Locale) may(may bool) string {
	if may {
		return l.T("activity.may")
	}
	return l.T("activity.may_not")
}

func (l *Locale) gives(gives bool) string {
	if gives {
		return l.T("activity.gives")
	}
	return l.T("activity.gives_not")
}

// activityFields are the words for what a change records by name; others stand as they are stored.
var activityFields = map[string]string{
	"combining": key("activity.field.combining"), "strategy": key("activity.field.strategy"), "calendar": key("activity.field.calendar"),
	"end": key("activity.field.end"), "ended": key("activity.field.ended"), "end.at": key("activity.field.end"),
	"brake": key("settings.brake"), "night": key("settings.night"), "retention": key("settings.retention"), "bulk": key("settings.bulk"), "connection": key("settings.connection"),
	"at": key("cutover.at"), "rest": key("cutover.rest"), "explains": key("keys.explains"), "hint": key("keys.ends"), "verdict": key("activity.field.verdict"),
}

// activityValues are the words for what stands under such a name.
var activityValues = map[string]map[string]string{
	"rest": {"archive": key("cutover.archive"), "keep": key("cutover.keep")},
	"verdict": {
		"same": key("activity.verdict.same"), "different": key("dup.different"), "unsure": key("dup.unsure"), "reopen": key("activity.verdict.reopen"), "undone": key("activity.verdict.undone"),
	},
}

// FieldLine is a value under a name.
func (l *Locale) FieldLine(name, before, after string) ActivityLine {
	values := activityValues[name]
	if word, ok := activityFields[name]; ok {
		name = l.T(word)
	}
	none := func(value string) string {
		switch value {
		case "":
			return l.T("activity.nothing")
		case "true":
			return l.T("activity.yes")
		case "false":
			return l.T("activity.no")
		}
		if word, ok := values[value]; ok {
			return l.T(word)
		}
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return l.DateTime(at)
		}
		return value
	}
	return ActivityLine{What: name, Before: none(before), After: none(after)}
}

// Moment is for a log: "Today, 7:41 am", "Thu, Nov 19, 7:41 am", and with the year where that is another one.
func (l *Locale) Moment(t time.Time) string {
	said := l.Short(t)
	if days := l.daysAgo(t.In(l.tz)); days == 0 || days == 1 {
		return said
	}
	return said + ", " + l.Time(t)
}

// ActivityCSVHead names the columns of the file.
func (l *Locale) ActivityCSVHead() []string {
	return []string{
		l.T("activity.entry"), l.T("activity.when"), l.T("activity.by"), l.T("activity.worn"), l.T("activity.col.action"),
		l.T("activity.col.sentence"), l.T("activity.col.subject"), l.T("activity.col.changed"), l.T("activity.request"), l.T("activity.receipt"),
		l.T("activity.col.undone_by"), l.T("activity.col.hash"),
	}
}

// Cells is the entry as a line of the file.
func (r ActivityRow) Cells(l *Locale) []string {
	var changed []string
	for _, line := range r.Lines {
		changed = append(changed, line.What+": "+line.Before+" → "+line.After)
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	subject := r.Thing.Kind
	if r.Thing.ID != "" {
		subject += ":" + r.Thing.ID
	}
	return []string{
		r.number(), iso(r.At), r.who(l), r.Worn, r.Action, r.Text(l), subject, strings.Join(changed, "; "), r.RequestID, number(r.Change),
		number(r.UndoneBy), r.Hash,
	}
}

func activityNotice(l *Locale, n string) string {
	switch n {
	case "bad_cursor":
		return l.T("users.notice.bad_cursor")
	case "unknown_filter":
		return l.T("users.notice.unknown_filter")
	case "bad_date":
		return l.T("activity.notice.bad_date")
	case "nobody":
		return l.T("activity.notice.nobody")
	case "several":
		return l.T("activity.notice.several")
	}
	return n
}

// EndSaid is an end in a table.
func (l *Locale) EndSaid(e EndWords) string { return e.short(l) }
