package handlers

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"hallpass/models"
	"hallpass/views"
)

// brakeSetting is how much a sync may take before a person is asked. Its value is one text, such as
// "schools=10 student=5 people=25": shares of a hundred by type, and people.
var brakeSetting = setting{
	name: "brake",
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: brakeText(d.Brake())}, nil
	},
	set: func(v *visit, to settingValue) error {
		b, _ := readBrakeText(to.Value) // readBrake made it
		return v.tx.SetBrake(v.ctx, b)
	},
	read: readBrake,
}

// maxBrakePeople bounds the number of people, past which it is no limit.
const maxBrakePeople = 1_000_000

const brakePeopleKey = "people"

func brakeText(b models.Brake) string {
	var words []string
	for _, t := range models.BrakeTypes() {
		words = append(words, fmt.Sprintf("%s=%d", t, b.Share(t)))
	}
	return strings.Join(append(words, fmt.Sprintf("%s=%d", brakePeopleKey, b.People)), " ")
}

// readBrakeText reads what brakeText wrote; ok is false where a number is missing or out of bounds.
func readBrakeText(text string) (b models.Brake, ok bool) {
	numbers := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		numbers[name] = value
	}
	return brakeOf(func(name string) string { return numbers[name] })
}

func brakeOf(get func(string) string) (b models.Brake, ok bool) {
	b.Shares, ok = map[models.BrakeType]int{}, true
	for _, t := range models.BrakeTypes() {
		n, err := strconv.Atoi(strings.TrimSpace(get(string(t))))
		ok = ok && err == nil && n >= 1 && n <= 100
		b.Shares[t] = n
	}
	n, err := strconv.Atoi(strings.TrimSpace(get(brakePeopleKey)))
	b.People = n
	return b, ok && err == nil && n >= 0 && n <= maxBrakePeople
}

// readBrake reads the form's fields, or the one text that a preview carries.
func readBrake(form url.Values) (settingValue, []views.SettingProblem) {
	b, ok := readBrakeText(form.Get("value"))
	if !form.Has("value") {
		b, ok = brakeOf(func(name string) string { return form.Get("brake_" + name) })
	}
	if !ok {
		return settingValue{}, []views.SettingProblem{{Field: "value", Code: "brake"}}
	}
	return settingValue{Value: brakeText(b)}, nil
}

// shownBrake is the setting as views say it.
func shownBrake(text string) (shown views.Brake) {
	b, _ := readBrakeText(text)
	for _, t := range models.BrakeTypes() {
		shown.Shares = append(shown.Shares, views.BrakeShare{Type: string(t), Share: b.Share(t)})
	}
	shown.People = b.People
	return shown
}
