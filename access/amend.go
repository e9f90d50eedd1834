package access

import (
	"cmp"
	"slices"
)

// Default reports whether the catalogue's own rules give a permission to a role, or to the staff with a label.
func (c *Catalogue) Default(r Role, label string, p Permission) bool {
	return slices.ContainsFunc(c.rules, func(o Rule) bool {
		return o.Role == r && o.Label == label && slices.Contains(o.Permissions, p)
	})
}

// Rule reports whether the rule for a role, or for the staff with a label, gives a permission. What the role gives to
// everyone in it is not counted for its labels.
func (p *Policy) Rule(r Role, label string, permission Permission) bool {
	return slices.ContainsFunc(p.rules, func(o Rule) bool {
		return o.Role == r && o.Label == label && slices.Contains(o.Permissions, permission)
	})
}

// Amend is a district's list of changes with some cells set anew, in a fixed order. What then says the same as the
// catalogue is left out, and what names a permission that the catalogue does not know is kept: it may come back.
func (c *Catalogue) Amend(changes, cells []RuleChange) []RuleChange {
	type cell struct {
		role       Role
		label      string
		permission Permission
	}
	set := map[cell]bool{}
	for _, list := range [][]RuleChange{changes, cells} {
		for _, ch := range list {
			set[cell{ch.Role, ch.Label, ch.Permission}] = ch.Given
		}
	}
	var amended []RuleChange
	for at, given := range set {
		_, _, known := c.Find(at.permission)
		if !known || given != c.Default(at.role, at.label, at.permission) {
			amended = append(amended, RuleChange{at.role, at.label, at.permission, given})
		}
	}
	slices.SortFunc(amended, func(a, b RuleChange) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Permission, b.Permission))
	})
	return amended
}
