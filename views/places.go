package views

import "strings"

// AllSchools says that a view covers every school, for Frame.ViewPlaces: "All 64
// schools".
func (l *Locale) AllSchools(n int) string { return l.N("places.all", n) }

// SomeSchools names the schools a view covers, the first three by name, for
// Frame.ViewPlaces: "Orion High, Kepler Middle".
func (l *Locale) SomeSchools(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " " + l.N("grants.more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
