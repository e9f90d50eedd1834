package handlers

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"hallpass/audit"
	"hallpass/models"
	"hallpass/views"
)

// settingChange is what a change of one setting records.
type settingChange struct {
	Setting string `json:"setting"`
	settingValue
	Touched *touched `json:"touched,omitempty"`
}

// changeSetting applies a previewed value.
func changeSetting(s setting) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		return v.apply(func() (plan, reply, error) {
			d, err := v.tx.Decided(v.ctx)
			if err != nil {
				return plan{}, nil, err
			}
			to, answer, err := v.readSetting(s, d)
			if err != nil || answer != nil {
				return plan{}, answer, err
			}
			p, err := v.planSetting(s, d, to, nil)
			return p, nil, err
		})
	}
}

// planSetting plans setting a value. undoes is the change that this takes back, if it does.
func (v *visit) planSetting(s setting, d models.Decided, to settingValue, undoes *models.Change) (plan, error) {
	l := v.locale()
	was, err := s.now(v, d.District)
	if err != nil {
		return plan{}, err
	}
	var f foreseen
	if s.policy != nil {
		if f, err = v.foresee(d, s.policy(d, to.Value)); err != nil {
			return plan{}, err
		}
	}
	p := plan{
		stated: struct {
			Setting       string
			Before, After settingValue
			Foreseen      statedForesight
		}{s.name, was, to, f.stated()},
		lines:     append([]string{fmt.Sprintf("%s %+v %+v", s.name, was, to)}, f.lines()...),
		unguarded: s.policy == nil,
	}
	if was == to {
		p.blocked = l.SettingSaysSo()
	}
	show := func(check views.Check, moved map[int]bool) views.PolicyPreview {
		shown := v.settingPreview(l, s, was, to, undoes)
		shown.Check = check
		shown.Settings[0].Moved = moved[0]
		f.show(&shown, l, d.Policy.Catalogue, 1, moved)
		shown.Frame = v.frame()
		return shown
	}
	p.draw = func(check views.Check, moved map[int]bool) templ.Component {
		return views.PolicyCheck(show(check, moved))
	}
	p.part = func(check views.Check) templ.Component { return views.PolicyCheckPart(show(check, nil)) }
	p.make = func() (models.NewChange, error) {
		if err := s.set(v, to); err != nil {
			return models.NewChange{}, err
		}
		return models.NewChange{
			Action: audit.SettingChanged, Subject: fmt.Sprintf("district:%d", v.actor.District),
			Before: settingChange{s.name, was, nil}, After: settingChange{s.name, to, f.touched()},
		}, nil
	}
	return p, nil
}

// settingPreview is the preview's frame: what it is about and where its button leads.
func (v *visit) settingPreview(l *views.Locale, s setting, was, to settingValue, undoes *models.Change) views.PolicyPreview {
	district, view := v.me.District.CleverID, string(v.actor.View)
	p := views.PolicyPreview{Crumb: views.Link{Href: views.SettingsPath(district, view), Word: l.SettingsTitle()}}
	switch s.name {
	case combiningSetting.name:
		p.Sentence, p.Button = l.CombiningSentence(to.Value)
	case strategySetting.name:
		p.Sentence, p.Button = l.StrategySentence(to.Value)
	case nightSetting.name:
		p.Sentence, p.Button = l.NightSentence(settingNumber(to))
	case retentionSetting.name:
		p.Sentence, p.Button = l.RetentionSentence(settingNumber(to))
	case brakeSetting.name:
		p.Sentence, p.Button = l.BrakeSentence(shownBrake(to.Value))
	case bulkSetting.name:
		p.Sentence, p.Button = bulkSentence(l, to.Value)
	case connectionSetting.name:
		p.Sentence, p.Button = l.ConnectionSentence(to.Value)
	default:
		p.Sentence, p.Button = l.CalendarSentence(to.Zone, to.YearEnd)
	}
	p.Settings = []views.SettingLine{{Label: l.SettingName(s.name), Before: settingSaid(l, s.name, was), After: settingSaid(l, s.name, to)}}
	if undoes != nil {
		p.Undoes = undoes.ID
		p.Title, p.Button = l.UndoSetting(undoes.ID)
		p.To, p.Cancel = views.UndoPath(district, view, undoes.ID), v.changePath(undoes.ID)
		return p
	}
	p.Title = l.SettingCheck()
	p.To, p.Cancel = views.SettingPath(district, view, s.name), views.SettingPath(district, view, s.name)
	if s.name != calendarSetting.name {
		p.Answers = []views.Hidden{{Name: "value", Value: to.Value}}
		return p
	}
	var month, day int
	_, _ = fmt.Sscanf(to.YearEnd, "%d-%d", &month, &day) // readCalendar wrote it
	p.Answers = []views.Hidden{{Name: "zone", Value: to.Zone}, {Name: "month", Value: strconv.Itoa(month)}, {Name: "day", Value: strconv.Itoa(day)}}
	return p
}

// settingSaid is a value in words.
func settingSaid(l *views.Locale, name string, value settingValue) string {
	switch name {
	case combiningSetting.name:
		return l.Combining(value.Value)
	case strategySetting.name:
		return l.Strategy(value.Value)
	case nightSetting.name:
		return l.Night(settingNumber(value))
	case retentionSetting.name:
		return l.Retention(settingNumber(value))
	case brakeSetting.name:
		return l.Brake(shownBrake(value.Value))
	case bulkSetting.name:
		return l.BulkLimit(bulkMillionths(value.Value))
	case connectionSetting.name:
		return l.ConnectionState(value.Value)
	}
	return l.Calendar(value.Zone, value.YearEnd)
}

// settingNumber is a value that is a number: it was read as one.
func settingNumber(value settingValue) int {
	n, _ := strconv.Atoi(value.Value)
	return n
}

// readSettingChange reads what a change of a setting recorded.
func readSettingChange(c models.Change) (s setting, before, after settingChange, err error) {
	if err = unmarshalChange(c, &before, &after); err != nil {
		return s, before, after, err
	}
	at := slices.IndexFunc(settings, func(o setting) bool { return o.name == after.Setting })
	if at < 0 {
		return s, before, after, fmt.Errorf("read change %d: there is no setting %q", c.ID, after.Setting)
	}
	return settings[at], before, after, nil
}

// undoSetting plans giving a setting its value from before.
func undoSetting(v *visit, c models.Change) (plan, error) {
	s, before, _, err := readSettingChange(c)
	if err != nil {
		return plan{}, err
	}
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return plan{}, err
	}
	return v.planSetting(s, d, before.settingValue, &c)
}

// settingReceipt says what a change of a setting was.
func settingReceipt(v *visit, c models.Change) (views.Receipt, error) {
	s, before, after, err := readSettingChange(c)
	if err != nil {
		return views.Receipt{}, err
	}
	l := v.locale()
	from, to := settingSaid(l, s.name, before.settingValue), settingSaid(l, s.name, after.settingValue)
	r := views.Receipt{
		Sentence: l.SettingDone(s.name, to), Answers: []views.Answer{l.SettingAnswer(s.name, from, to)},
		Links: []views.Link{{Href: views.SettingsPath(v.me.District.CleverID, string(v.actor.View)), Word: l.SettingsTitle()}},
	}
	if t := after.Touched; t != nil {
		r.Answers = append(r.Answers, l.TouchedAnswer(t.People, t.More))
		if s.name == strategySetting.name {
			r.Answers = append(r.Answers, l.AccountsAnswer(t.Made, t.Back, t.Retired))
		}
	}
	return r, nil
}
