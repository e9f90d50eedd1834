package handlers

import (
	"slices"

	"hallpass/access"
	"hallpass/models"
	"hallpass/views"
)

// mayAssign reports whether the reader may give and end roles by hand.
func (v *visit) mayAssign() bool {
	return v.actor.Decide(access.RolesAssign, access.InDistrict()).Allowed
}

// mayOverride reports whether the reader manages overrides.
func (v *visit) mayOverride() bool {
	return v.actor.Decide(access.OverridesManage, access.InDistrict()).Allowed
}

// addOverrides lists a person's overrides for those who manage them, and says what may be done to the person.
func (v *visit) addOverrides(p *views.UserPage, d models.UserDetails) error {
	works := d.User.EndedAt == nil && !slices.ContainsFunc(d.Grants, func(g models.UserGrant) bool {
		return g.EndedAt == nil && (g.Role == access.Student || g.Role == access.Contact)
	})
	p.CanGive = works && v.mayAssign()
	p.ShowOverrides = v.mayOverride()
	if !p.ShowOverrides {
		return nil
	}
	p.CanOverride = works
	list := d.Overrides
	if err := v.tx.FlagOverrides(v.ctx, v.me.Policy, list); err != nil {
		return err
	}
	p.ShowOverrides = works || len(list) > 0
	l, unlock := v.locale(), v.mayUnlock()
	for _, o := range list {
		row := v.overrideRow(l, o)
		p.Overrides = append(p.Overrides, views.UserOverride{
			ID: row.ID, Words: row.Words, Reason: row.Reason, Note: row.Note, By: row.By, At: row.At, Ended: row.Ended, Soon: row.Soon,
			Locked: row.Locked, May: !row.Locked || unlock, Flags: row.Flags,
		})
	}
	return nil
}
