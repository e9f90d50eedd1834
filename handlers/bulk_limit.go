package handlers

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"hallpass/dedupe"
	"hallpass/models"
	"hallpass/views"
)

// bulkSetting is how many of a batch of merges may be wrong, as a percentage with up to four decimals.
var bulkSetting = setting{
	name: "bulk",
	now: func(_ *visit, d models.District) (settingValue, error) {
		return settingValue{Value: bulkShare(int(d.BulkWrong))}, nil
	},
	set: func(v *visit, to settingValue) error {
		return v.tx.SetBulkWrong(v.ctx, bulkMillionths(to.Value))
	},
	read: func(form url.Values) (settingValue, []views.SettingProblem) {
		n := bulkMillionths(form.Get("value"))
		if n < models.LeastBulkWrong || n > models.MostBulkWrong {
			return settingValue{}, []views.SettingProblem{{Field: "value", Code: "bulk"}}
		}
		return settingValue{Value: bulkShare(n)}, nil
	},
}

// bulkMillionths reads a percentage, with a point or a comma; 0 where it is none.
func bulkMillionths(text string) int {
	share, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(text), ",", ".", 1), 64)
	if err != nil || !(share > 0 && share <= 100) {
		return 0
	}
	return int(math.Round(share * 10_000))
}

func bulkShare(millionths int) string {
	return strconv.FormatFloat(float64(millionths)/10_000, 'f', -1, 64)
}

// bulkSentence says what a limit means: how many of a full batch somebody has to read.
func bulkSentence(l *views.Locale, value string) (sentence, button string) {
	limit := bulkMillionths(value)
	read, _ := dedupe.SampleSize(models.MaxBulk, limit)
	return l.BulkLimitSentence(limit, read, models.MaxBulk)
}
