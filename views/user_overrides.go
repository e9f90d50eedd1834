package views

import "slices"

func (p UserPage) pastOverrides() []UserOverride {
	return slices.DeleteFunc(slices.Clone(p.Overrides), func(o UserOverride) bool { return o.Ended == nil })
}

func (p UserPage) overridesSub(l *Locale) string {
	if n := len(p.Overrides) - len(p.pastOverrides()); n > 0 {
		return l.N("user.overrides.standing", n)
	}
	return l.T("user.overrides.none")
}

// fromClever reports whether Clever lists one of the grants of a cell.
func fromClever(held []UserGrant) bool {
	return slices.ContainsFunc(held, func(g UserGrant) bool { return g.Source == "clever" })
}
