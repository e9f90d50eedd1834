package views

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	tests := []struct {
		name   string
		t      time.Time
		form   func(*Locale, time.Time) string
		en, es string
	}{
		{"date", *at(2024, time.November, 4, 9, 0), (*Locale).Date, "Nov 4, 2024", "4 nov 2024"},
		{"date and time", *at(2024, time.November, 4, 0, 5), (*Locale).DateTime, "Nov 4, 2024, 12:05 am", "4 nov 2024, 12:05 a. m."},
		{"long", sampleNow, (*Locale).LongDate, "Friday, November 20, 2026", "viernes, 20 de noviembre de 2026"},
		{"earlier today", *at(2026, time.November, 20, 6, 2), (*Locale).Relative, "today at 6:02 am", "hoy a las 6:02 a. m."},
		{"at one", *at(2026, time.November, 20, 1, 2), (*Locale).Relative, "today at 1:02 am", "hoy a la 1:02 a. m."},
		{"yesterday noon", *at(2026, time.November, 19, 12, 0), (*Locale).Relative, "yesterday at 12:00 pm", "ayer a las 12:00 p. m."},
		{"long ago", *at(2024, time.November, 4, 18, 30), (*Locale).Relative, "on Nov 4, 2024 at 6:30 pm", "el 4 nov 2024 a las 6:30 p. m."},
		{"never", time.Time{}, (*Locale).Relative, "never", "nunca"},
		{"never in a column", time.Time{}, (*Locale).Short, "Never", "Nunca"},
		{"column today", *at(2026, time.November, 20, 7, 41), (*Locale).Short, "Today, 7:41 am", "Hoy, 7:41 a. m."},
		{"column this year", *at(2026, time.November, 17, 7, 41), (*Locale).Short, "Tue, Nov 17", "mar 17 nov"},
		{"column last year", *at(2025, time.November, 17, 7, 41), (*Locale).Short, "Nov 17, 2025", "17 nov 2025"},
		{"column future", *at(2026, time.December, 18, 7, 41), (*Locale).Short, "Dec 18, 2026", "18 dic 2026"},
		// 3 am in UTC is still the evening before in the district.
		{"zone", time.Date(2026, time.November, 20, 3, 0, 0, 0, time.UTC), (*Locale).Short, "Yesterday, 9:00 pm", "Ayer, 9:00 p. m."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for lang, want := range map[string]string{"en": tt.en, "es": tt.es} {
				if got := tt.form(NewLocale(lang, sampleNow, sampleZone), tt.t); got != want {
					t.Errorf("%s: got %q, want %q", lang, got, want)
				}
			}
		})
	}
}

func TestNumbersAndDurations(t *testing.T) {
	l := NewLocale("en", sampleNow, nil)
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "−1,000"} {
		if got := l.Num(n); got != want {
			t.Errorf("Num(%d) is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		300 * time.Millisecond: "under 1 s", 5 * time.Second: "5 s", 123 * time.Second: "2 min 3 s", 2*time.Hour + 5*time.Minute: "2 h 5 min",
	} {
		if got := l.Took(d); got != want {
			t.Errorf("Took(%v) is %q, want %q", d, got, want)
		}
	}
}

func TestListsJoinAsTheLanguageDoes(t *testing.T) {
	en, es := NewLocale("en", sampleNow, nil), NewLocale("es", sampleNow, nil)
	for _, tt := range []struct {
		l     *Locale
		words []string
		want  string
	}{
		{en, nil, ""},
		{en, []string{"a"}, "a"},
		{en, []string{"a", "b", "c"}, "a, b and c"},
		{es, []string{"docente", "personal"}, "docente y personal"},
		{es, []string{"Norte", "Iris"}, "Norte e Iris"},
		{es, []string{"agua", "hielo"}, "agua y hielo"},
	} {
		if got := tt.l.List(tt.words); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestLanguageOfAWish(t *testing.T) {
	for wish, want := range map[string]string{"": "en", "es": "es", "es-MX": "es", "ES": "es", "fr": "en", "english": "en"} {
		if got := Language(wish); got != want {
			t.Errorf("Language(%q) is %q, want %q", wish, got, want)
		}
	}
}

func TestBoundedCount(t *testing.T) {
	l := NewLocale("es", sampleNow, nil)
	if got := l.N("users.count", 10000, "Count", "10,000+"); got != "10,000+ personas" {
		t.Errorf("bounded count: %q", got)
	}
}

func TestSentencesEndInOneFullStop(t *testing.T) {
	es := NewLocale("es", sampleNow, sampleZone)
	got := es.F("home.needs.none_synced", "When", es.Relative(*at(2026, time.November, 20, 6, 2)))
	if want := "Nada requiere su atención. Última sincronización: hoy a las 6:02 a. m."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSectionNamesSayThePeriodOnce(t *testing.T) {
	for _, lang := range Languages {
		l := NewLocale(lang, sampleNow, nil)
		if got, want := sectionName(l, "Robotics Lab, Period 4", "4"), "Robotics Lab, Period 4"; got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	l := NewLocale("en", sampleNow, nil)
	for _, tt := range [][3]string{
		{"Earth Science", "3", "Earth Science, Period 3"},
		{"Earth Science", "", "Earth Science"},
		{"Earth Science", "Block A, red days", "Earth Science, Block A, red days"},
		{"", "2", "Section without a name, Period 2"},
	} {
		if got := sectionName(l, tt[0], tt[1]); got != tt[2] {
			t.Errorf("got %q, want %q", got, tt[2])
		}
	}
}

func TestPlacesOfAView(t *testing.T) {
	l := NewLocale("en", sampleNow, nil)
	for got, want := range map[string]string{
		l.AllSchools(64):                                 "All 64 schools",
		l.SomeSchools([]string{"A", "B"}):                "A, B",
		l.SomeSchools([]string{"A", "B", "C", "D", "E"}): "A, B, C + 2 more schools",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
