package handlers

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hallpass/access"
	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// entryData is what entries say in their data, as far as it is known here. Entries of other programs, older or newer ones,
// say other things, and what does not fit is left out.
type entryData struct {
	Why    string          `json:"why"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// stated is what changes record of themselves, of all kinds at once.
type stated struct {
	settingChange
	Rules   []ruleChange   `json:"rules"`
	Effects []effectRecord `json:"effects"`
	overridesOutcome
	Exists *bool `json:"exists"`
	Ended  *bool `json:"ended"`
	End    *struct {
		models.OverrideEnd
	} `json:"end"`
}

// activityWords is what a page of entries needs to be put into words: names are read now, because entries hold ids.
type activityWords struct {
	v         *visit
	l         *views.Locale
	names     map[int64]string
	overrides map[int64]models.Override
	holders   map[int64]int64 // of roles by hand
	spots     map[access.Place]spot
	undoable  map[audit.Action]changeKind
}

// activityRows puts entries into words, in a fixed number of queries.
func (v *visit) activityRows(rows []models.ActivityRow) ([]views.ActivityRow, error) {
	w := activityWords{v: v, l: v.locale(), undoable: changeKinds()}
	var users, overrides, grants []int64
	var places []access.Place
	states := make([][2]stated, len(rows))
	said := make([]entryData, len(rows))
	for i, r := range rows {
		_ = json.Unmarshal(r.Data, &said[i]) // what does not fit is left out
		_ = json.Unmarshal(said[i].Before, &states[i][0])
		_ = json.Unmarshal(said[i].After, &states[i][1])
		for _, e := range states[i][1].Effects {
			places = append(places, e.place())
		}
		for _, o := range states[i][1].Overrides {
			for _, e := range o.Effects {
				places = append(places, e.place())
			}
		}
		if r.ActorID != nil {
			users = append(users, *r.ActorID)
		}
		switch kind, id := subjectOf(r.Subject); kind {
		case "user":
			users = append(users, id)
		case "override":
			overrides = append(overrides, id)
		case "grant", "role":
			grants = append(grants, id)
		}
	}
	var err error
	if w.overrides, err = v.tx.OverridesByID(v.ctx, overrides); err != nil {
		return nil, err
	}
	if w.holders, err = v.tx.GrantHolders(v.ctx, grants); err != nil {
		return nil, err
	}
	for _, o := range w.overrides {
		users, places = append(users, o.UserID), append(places, o.Place())
	}
	for _, user := range w.holders {
		users = append(users, user)
	}
	if w.names, err = v.tx.UserNames(v.ctx, users); err != nil {
		return nil, err
	}
	if w.spots, err = v.spotsOf(places); err != nil {
		return nil, err
	}
	shown := make([]views.ActivityRow, len(rows))
	for i, r := range rows {
		shown[i] = w.row(r, said[i])
		shown[i].Lines = w.lines(said[i], states[i][0], states[i][1])
		if list := states[i][1].Overrides; len(list) > 0 {
			ids := make([]int64, len(list))
			for j, o := range list {
				ids[j] = o.Override
			}
			shown[i].Says = w.l.OverrideNumbers(ids)
		}
	}
	return shown, nil
}

// subjectOf takes "override:12" apart; id is 0 where there is no number.
func subjectOf(subject string) (kind string, id int64) {
	kind, number, _ := strings.Cut(subject, ":")
	id, _ = strconv.ParseInt(number, 10, 64)
	return kind, id
}

func (w activityWords) row(r models.ActivityRow, said entryData) views.ActivityRow {
	row := views.ActivityRow{
		ID: r.ID, At: r.At, Actor: r.Actor, Worn: r.View, Action: r.Action, Why: said.Why, RequestID: r.RequestID,
		Change: r.Change, Undoes: r.Undoes, UndoneBy: r.UndoneBy, Hash: hex.EncodeToString(r.Hash),
	}
	if r.ActorID != nil {
		row.ActorID, row.Actor = *r.ActorID, w.names[*r.ActorID]
	}
	if kind, ok := w.undoable[audit.Action(r.Action)]; ok && kind.undo != nil {
		row.CanUndo = w.v.actor.Decide(kind.permission, access.InDistrict()).Allowed
	}
	district, view := w.v.me.District.CleverID, string(w.v.actor.View)
	kind, id := subjectOf(r.Subject)
	_, number, _ := strings.Cut(r.Subject, ":")
	row.Thing = views.ActivityThing{Kind: kind, ID: number}
	if id == 0 {
		return row
	}
	switch kind {
	case "user":
		row.Thing.Name, row.Thing.Href = w.names[id], views.UserPath(district, view, id)
	case "override":
		o, ok := w.overrides[id]
		if !ok {
			break
		}
		row.Thing.Href = views.OverridePath(district, view, id)
		words := views.OverrideWords{Name: w.names[o.UserID], Allow: o.Allow, Act: w.v.act(w.l, o.Permission), Spot: w.spots[o.Place()].spot, End: endOf(o.OverrideEnd)}
		row.Says = words.Sentence(w.l)
	case "overrides":
		row.Thing.Href = views.ChangePath(district, view, id)
	case "grant", "role":
		if user := w.holders[id]; user != 0 {
			row.Thing.Name, row.Thing.Href = w.names[user], views.UserPath(district, view, user)
		}
	case "merge":
		if w.v.mayReview() {
			row.Thing.Href = views.MergePath(district, view, id)
		}
	case "sync":
		if w.v.maySync() {
			row.Thing.Href = views.SyncPath(district, view, id)
		}
	}
	return row
}

// endOf is an end in words, without the name of its term.
func endOf(e models.OverrideEnd) views.EndWords {
	end := views.EndWords{Kind: string(e.EndKind)}
	if e.EndsAt != nil {
		end.At = *e.EndsAt
	}
	if e.EndRole != nil {
		end.Role = string(*e.EndRole)
	}
	return end
}

// lines are the differences that a change recorded.
func (w activityWords) lines(said entryData, before, after stated) (lines []views.ActivityLine) {
	for _, e := range after.Effects {
		lines = append(lines, w.l.EffectLine(w.spots[e.place()].spot, w.v.act(w.l, e.Permission), e.Before, e.After))
	}
	for i, o := range after.Overrides[:min(len(after.Overrides), len(before.Overrides))] {
		was := before.Overrides[i]
		lines = append(lines, w.l.OverrideLine(o.Override, endOf(was.End), endOf(o.End), was.Ended, o.Ended))
		for _, e := range o.Effects {
			lines = append(lines, w.l.EffectLine(w.spots[e.place()].spot, w.v.act(w.l, e.Permission), e.Before, e.After))
		}
	}
	for _, r := range after.Rules {
		was := slices.IndexFunc(before.Rules, func(o ruleChange) bool {
			return o.Role == r.Role && o.Label == r.Label && o.Permission == r.Permission
		})
		if was >= 0 {
			lines = append(lines, w.l.RuleLine(string(r.Role), r.Label, w.v.act(w.l, r.Permission), before.Rules[was].Given, r.Given))
		}
	}
	if after.Setting != "" {
		lines = append(lines, w.l.FieldLine(after.Setting, settingSaid(w.l, after.Setting, before.settingValue), settingSaid(w.l, after.Setting, after.settingValue)))
	}
	if after.End != nil && before.End != nil && before.Exists != nil && *before.Exists && !sameEnd(before.End.OverrideEnd, after.End.OverrideEnd) {
		lines = append(lines, w.l.FieldLine("end", w.l.EndSaid(endOf(before.End.OverrideEnd)), w.l.EndSaid(endOf(after.End.OverrideEnd))))
	}
	if len(lines) > 0 || said.Before == nil && said.After == nil {
		return lines
	}
	return w.plainLines(said)
}

// ownIDs are what a change records for its own undo: numbers of rows, which say nothing to a reader.
var ownIDs = []string{"accepted", "bulk", "dropped", "key", "merge", "survivor"}

// plainLines are the differences of a change whose record nobody here knows, as it stands.
func (w activityWords) plainLines(said entryData) (lines []views.ActivityLine) {
	before, after := flat(said.Before), flat(said.After)
	var names []string
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, twice := before[name]; !twice {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if before[name] != after[name] && !slices.Contains(ownIDs, name) {
			lines = append(lines, w.l.FieldLine(name, before[name], after[name]))
		}
	}
	return lines
}

// flat is an object's values by name, those inside others with a dot. Lists are of ids, and left out.
func flat(raw json.RawMessage) map[string]string {
	values := map[string]string{}
	var walk func(name string, value any)
	walk = func(name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for k, inner := range value {
				walk(strings.TrimPrefix(name+"."+k, "."), inner)
			}
		case nil, []any:
		default:
			values[name] = fmt.Sprint(value)
		}
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err == nil {
		walk("", value)
	}
	return values
}
