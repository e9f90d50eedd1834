package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// showSettings is what the district decides for everybody.
func showSettings(v *visit) (reply, error) {
	d, err := v.tx.Decided(v.ctx)
	if err != nil {
		return nil, err
	}
	rules, err := v.rulesPage(d, "")
	if err != nil {
		return nil, err
	}
	c, err := v.tx.Connection(v.ctx)
	if err != nil {
		return nil, err
	}
	p := views.SettingsPage{
		Frame: v.frame(), Combining: string(d.Policy.ChosenCombining()), Strategy: string(d.Policy.Strategy), TimeZone: d.District.TimeZone,
		YearEnd: d.District.SchoolYearEnd, Changed: rules.Changed, State: c.State(), Hour: d.District.SyncHour, Days: d.District.RetentionDays,
		Brake: shownBrake(brakeText(d.District.Brake())), BulkWrong: int(d.District.BulkWrong),
	}
	return page(views.Settings(p)), nil
}

// setting is one thing that a district decides, other than its rules. Its value is text: what the database holds.
type setting struct {
	name   string // in the address
	values []string
	now    func(*visit, models.District) (settingValue, error)
	// policy is what the value would make of the district's policy; nil: it has no say in it.
	policy func(models.Decided, string) *access.Policy
	set    func(*visit, settingValue) error
	read   func(url.Values) (settingValue, []views.SettingProblem)
}

// settingValue is a setting's value; the calendar has two.
type settingValue struct {
	Value   string `json:"value,omitempty"`
	Zone    string `json:"time_zone,omitempty"`
	YearEnd string `json:"school_year_end,omitempty"`
}

func readOneOf(values []string) func(url.Values) (settingValue, []views.SettingProblem) {
	return func(form url.Values) (settingValue, []views.SettingProblem) {
		value := form.Get("value")
		if !slices.Contains(values, value) {
			return settingValue{}, []views.SettingProblem{{Field: "value", Code: "choose"}}
		}
		return settingValue{Value: value}, nil
	}
}

func texts[T ~string](values ...T) (list []string) {
	for _, v := range values {
		list = append(list, string(v))
	}
	return list
}

var combiningSetting = setting{
	name:   "combining",
	values: texts(access.Combinings()...),
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: string(d.Combining)}, nil
	},
	policy: func(d models.Decided, to string) *access.Policy { return d.WithCombining(access.Combining(to)) },
	set:    func(v *visit, to settingValue) error { return v.tx.SetCombining(v.ctx, access.Combining(to.Value)) },
	read:   readOneOf(texts(access.Combinings()...)),
}

var strategySetting = setting{
	name:   "strategy",
	values: texts(access.Consolidated, access.PerRole),
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: string(d.Strategy)}, nil
	},
	policy: func(d models.Decided, to string) *access.Policy { return d.WithStrategy(access.Strategy(to)) },
	set: func(v *visit, to settingValue) error {
		if err := v.tx.SetStrategy(v.ctx, access.Strategy(to.Value)); err != nil {
			return err
		}
		return v.tx.FitAccounts(v.ctx, access.Strategy(to.Value))
	},
	read: readOneOf(texts(access.Consolidated, access.PerRole)),
}

var calendarSetting = setting{
	name: "calendar",
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Zone: d.TimeZone, YearEnd: d.SchoolYearEnd}, nil
	},
	set:  func(v *visit, to settingValue) error { return v.tx.SetCalendar(v.ctx, to.Zone, to.YearEnd) },
	read: readCalendar,
}

// settings by what stands in the address and in the records.
var settings = []setting{combiningSetting, strategySetting, calendarSetting, nightSetting, retentionSetting, connectionSetting, brakeSetting, bulkSetting}

// zoneNames are the time zones on offer: those of the United States and its territories, by the names of the IANA
// database.
var zoneNames = []string{
	"America/New_York", "America/Detroit", "America/Indiana/Indianapolis", "America/Kentucky/Louisville", "America/Chicago", "America/Denver",
	"America/Boise", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico",
	"America/St_Thomas", "Pacific/Guam", "Pacific/Saipan", "Pacific/Pago_Pago", "UTC",
}

func readCalendar(form url.Values) (to settingValue, problems []views.SettingProblem) {
	to.Zone = form.Get("zone")
	if _, err := time.LoadLocation(to.Zone); err != nil || len(to.Zone) > 64 || to.Zone == "" || to.Zone == "Local" {
		problems = append(problems, views.SettingProblem{Field: "zone", Code: "zone"})
	}
	month, err1 := strconv.Atoi(form.Get("month"))
	day, err2 := strconv.Atoi(form.Get("day"))
	to.YearEnd = fmt.Sprintf("%02d-%02d", month, day)
	// 2026 is not a leap year: a day that it has, every year has.
	if t := time.Date(2026, time.Month(month), day, 0, 0, 0, 0, time.UTC); err1 != nil || err2 != nil || t.Format("01-02") != to.YearEnd {
		problems = append(problems, views.SettingProblem{Field: "day", Code: "day"})
	}
	return to, problems
}

// editSetting is the form of one setting.
func editSetting(s setting) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		d, err := v.tx.Decided(v.ctx)
		if err != nil {
			return nil, err
		}
		now, err := s.now(v, d.District)
		if err != nil {
			return nil, err
		}
		return page(views.EditSetting(v.settingForm(s, now, now, nil))), nil
	}
}

func (v *visit) settingForm(s setting, now, filled settingValue, problems []views.SettingProblem) views.SettingForm {
	p := views.SettingForm{Frame: v.frame(), Setting: s.name, Problems: problems, Zones: zoneNames, Zone: filled.Zone}
	for _, value := range s.values {
		p.Choices = append(p.Choices, views.SettingChoice{Value: value, Current: value == now.Value, Ticked: value == filled.Value})
	}
	if now.Zone != "" && !slices.Contains(zoneNames, now.Zone) {
		p.Zones = append([]string{now.Zone}, zoneNames...)
	}
	// A value that is no month and day leaves both at their first choice.
	_, _ = fmt.Sscanf(filled.YearEnd, "%d-%d", &p.Month, &p.Day)
	if len(s.values) == 0 { // the numbers; one that was not right gives way to the one that holds
		number := filled.Value
		if number == "" {
			number = now.Value
		}
		p.Number, _ = strconv.Atoi(number)
		switch s.name {
		case brakeSetting.name:
			p.Brake = shownBrake(number)
		case bulkSetting.name:
			p.Number = bulkMillionths(number)
		}
	}
	return p
}

// previewSetting shows what another value would do.
func previewSetting(s setting) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		d, err := v.tx.Decided(v.ctx)
		if err != nil {
			return nil, err
		}
		to, answer, err := v.readSetting(s, d)
		if err != nil || answer != nil {
			return answer, err
		}
		now, err := s.now(v, d.District)
		if err != nil {
			return nil, err
		}
		if to == now {
			field := "value"
			if s.name == calendarSetting.name {
				field = "zone"
			}
			return pageAs(http.StatusUnprocessableEntity, views.EditSetting(v.settingForm(s, now, to, []views.SettingProblem{{Field: field, Code: "same"}}))), nil
		}
		propose := func(v *visit) (plan, reply, error) {
			d, err := v.tx.Decided(v.ctx)
			if err != nil {
				return plan{}, nil, err
			}
			p, err := v.planSetting(s, d, to, nil)
			return p, nil, err
		}
		if s.policy != nil {
			l, district, view := v.locale(), v.me.District.CleverID, string(v.actor.View)
			begun := views.WeighingPage{Title: l.SettingCheck(), Crumb: views.Link{Href: views.SettingsPath(district, view), Word: l.SettingsTitle()}}
			return v.weigh(begun, views.SettingPath(district, view, s.name), propose)
		}
		p, _, err := propose(v)
		if err != nil {
			return nil, err
		}
		return p.preview()
	}
}

// readSetting reads the answers, or answers with the form if something is wrong with them.
func (v *visit) readSetting(s setting, d models.Decided) (settingValue, reply, error) {
	form, err := v.form()
	if err != nil {
		return settingValue{}, nil, err
	}
	to, problems := s.read(form)
	if len(problems) > 0 {
		now, err := s.now(v, d.District)
		if err != nil {
			return to, nil, err
		}
		return to, pageAs(http.StatusUnprocessableEntity, views.EditSetting(v.settingForm(s, now, to, problems))), nil
	}
	return to, nil, nil
}

// form is what was sent.
func (v *visit) form() (url.Values, error) {
	values, err := v.c.FormParams()
	if err == nil {
		return values, nil
	}
	if _, ours := errors.AsType[*echo.HTTPError](err); ours { // larger than any form
		return nil, err
	}
	return nil, echo.ErrBadRequest.WithInternal(err)
}
