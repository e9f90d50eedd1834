package access

import (
	"cmp"
	"slices"
	"time"
)

// Override allows or denies one permission for one user at one place, whatever the roles say.
type Override struct {
	ID         int64
	Permission Permission
	Place      Place
	Allow      bool
	Ends       time.Time // zero: at no date
	WithRole   Role      // "" or: in force only while Clever lists the user in this role
}

// InForce reports whether the override counts now, for someone with these grants.
func (o Override) InForce(now time.Time, grants []Grant) bool {
	if !o.Ends.IsZero() && !now.Before(o.Ends) {
		return false
	}
	return o.WithRole == "" || slices.ContainsFunc(grants, func(g Grant) bool { return g.Role == o.WithRole && g.Source != ByHand })
}

// applicable lists the overrides that speak of p at the place, the one that decides first: the nearer place before
// the wider, at one place deny before allow.
func (f Facts) applicable(p Permission, at Place) (list []Override) {
	for _, o := range f.Overrides {
		if o.Permission == p && o.Place.Contains(at) && o.InForce(f.Now, f.Grants) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Override) int {
		if a.Allow != b.Allow && a.Place.Kind == b.Place.Kind {
			if a.Allow {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Place.Kind.width(), b.Place.Kind.width()), cmp.Compare(a.ID, b.ID))
	})
	return list
}
