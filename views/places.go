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

// StepInUse is the step of a refusal that tells which role was asked. place may be
// empty.
func (l *Locale) StepInUse(role, place string) ErrorStep {
	return ErrorStep{Title: l.F("step.in_use", "Role", l.roleLower(role)), Text: place}
}

// StepOther is the step that tells of another of the reader's own roles.
func (l *Locale) StepOther(role, place string, allows bool) ErrorStep {
	return ErrorStep{Title: l.F("step.other", "Role", l.roleLower(role)), Text: place, Allows: allows}
}
