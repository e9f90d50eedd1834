package handlers

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// nightSetting is the hour of the nightly full sync.
var nightSetting = setting{
	name: "night",
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: strconv.Itoa(d.SyncHour)}, nil
	},
	set: func(v *visit, to settingValue) error {
		hour, err := strconv.Atoi(to.Value)
		if err != nil {
			return err
		}
		return v.tx.SetNight(v.ctx, hour)
	},
	read: readNumber(0, 23, "hour"),
}

// retentionSetting is how many days data is kept after the district has left.
var retentionSetting = setting{
	name: "retention",
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: strconv.Itoa(d.RetentionDays)}, nil
	},
	set: func(v *visit, to settingValue) error {
		days, err := strconv.Atoi(to.Value)
		if err != nil {
			return err
		}
		return v.tx.SetRetention(v.ctx, days)
	},
	read: readNumber(1, 3650, "days"),
}

// connectionSetting pauses and resumes syncing. Its page tells of the connection too.
var connectionSetting = setting{
	name:   "connection",
	values: texts(models.SwitchOn, models.SwitchPaused),
	now: func(v *visit, _ models.District) (settingValue, error) {
		c, err := v.tx.Connection(v.ctx)
		return settingValue{Value: string(c.Switch)}, err
	},
	set: func(v *visit, to settingValue) error {
		_, err := v.tx.SetSwitch(v.ctx, models.Switch(to.Value))
		return err
	},
	read: readOneOf(texts(models.SwitchOn, models.SwitchPaused)),
}

// readNumber reads a number within bounds; code says what is wrong with any other answer.
func readNumber(least, most int, code string) func(url.Values) (settingValue, []views.SettingProblem) {
	return func(form url.Values) (settingValue, []views.SettingProblem) {
		n, err := strconv.Atoi(strings.TrimSpace(form.Get("value")))
		if err != nil || n < least || n > most {
			return settingValue{}, []views.SettingProblem{{Field: "value", Code: code}}
		}
		return settingValue{Value: strconv.Itoa(n)}, nil
	}
}

// showConnection is how the district is connected with Clever.
func showConnection(v *visit) (reply, error) {
	d, err := v.tx.District(v.ctx)
	if err != nil {
		return nil, err
	}
	c, err := v.tx.Connection(v.ctx)
	if err != nil {
		return nil, err
	}
	p := views.ConnectionPage{
		State: c.State(), Since: c.Since(), Polled: c.PolledAt, KeptSince: c.TokenKeptAt, Key: c.TokenKey, Refused: c.RefusedText,
		Hour: d.SyncHour, Days: d.RetentionDays,
	}
	if left := c.LeftAt; left != nil {
		until := left.Add(time.Duration(d.RetentionDays) * 24 * time.Hour)
		p.KeptUntil = &until
	}
	runs, err := v.tx.SyncRuns(v.ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	if len(runs) == 1 && runs[0].State == models.SyncFailed {
		shown, err := v.syncRuns(runs...)
		if err != nil {
			return nil, err
		}
		p.Failed = &shown[0]
	}
	p.Frame = v.frame()
	return page(views.Connection(p)), nil
}

// connectionNote is what the home page says of a connection that is not on; nil for a reader who cannot do anything
// about it.
func (v *visit) connectionNote() (*views.ConnectionNote, error) {
	if !v.actor.Decide(access.SettingsManage, access.InDistrict()).Allowed {
		return nil, nil
	}
	c, err := v.tx.Connection(v.ctx)
	if err != nil || c.State() == string(models.SwitchOn) {
		return nil, err
	}
	return &views.ConnectionNote{State: c.State(), Since: c.Since()}, nil
}
