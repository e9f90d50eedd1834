package views

import (
	"net/url"
	"strconv"

	"hallpass/access"
)

// Finding is one permission at one place, for somebody.
type Finding struct {
	Reason   Reason
	Place    string // as in addresses, of the place that the reason is about
	Sections int    // not at the school as a whole, but in this many of its sections
	Except   int    // at the school as a whole, but not in this many of its sections
	Changed  bool   // not what the roles alone would give
}

// kind is yes, some or no.
func (a Finding) kind() string {
	switch {
	case a.Sections > 0 || a.Except > 0 && a.Reason.Allowed:
		return "some"
	case a.Reason.Allowed:
		return "yes"
	}
	return "no"
}

// word is the answer: "Yes", "In 3 own sections", "No".
func (a Finding) word(l *Locale) string {
	switch {
	case a.Sections > 0:
		return l.N("access.in_sections", a.Sections)
	case a.Except > 0 && a.Reason.Allowed:
		return l.N("access.except_sections", a.Except)
	case a.Reason.Allowed:
		return l.T("access.yes")
	}
	return l.T("access.no")
}

func (a Finding) act(l *Locale) Act { return l.Act(a.Reason.Definition) }

func (a Finding) until(l *Locale) string {
	if until := l.ReasonUntil(a.Reason); until != "" {
		return until
	}
	return "–"
}

// FindingPlace is the answers at the district or at one school.
type FindingPlace struct {
	Spot     Spot
	Findings []Finding
}

// LensLink leads to the same answers for another view of the person, where the district goes by the view in use.
type LensLink struct {
	View    string
	Current bool
}

// lensHref is this page for another of the person's views.
func (f Frame) lensHref(view string) string {
	q, err := url.ParseQuery(f.Query)
	if err != nil {
		q = url.Values{}
	}
	q.Set("as", view)
	return f.Path + "?" + q.Encode()
}

func (f Frame) userAccessHref(id int64) string {
	return UserAccessPath(f.District.CleverID, f.View, id)
}

func (f Frame) whyHref(id int64, permission, place string) string {
	return WhyPath(f.District.CleverID, f.View, id, permission, place)
}

func (f Frame) whoCanHref(permission, place string) string {
	return WhoCanPath(f.District.CleverID, f.View, permission, place)
}

func (f Frame) compareHref(id, with int64) string {
	return ComparePath(f.District.CleverID, f.View, id, with)
}

func (f Frame) checkHref() string { return CheckPath(f.District.CleverID, f.View) }

// newOverrideHref is the form of an override with its permission and place filled in.
func (f Frame) newOverrideHref(id int64, permission, place string) string {
	return withQuery(NewOverridePath(f.District.CleverID, f.View, id), asked(permission, place))
}

// differentHref is the access page with only what differs from the roles' own, or with everything again.
func (p UserAccessPage) differentHref(only bool) string {
	q := url.Values{}
	if only {
		q.Set("different", "1")
	}
	if p.Lens != "" {
		q.Set("as", p.Lens)
	}
	return withQuery(p.userAccessHref(p.ID), q)
}

// Deed is one thing that would change an answer.
type Deed struct {
	access.Remedy
	Title, Text string
	Href, Act   string // empty: for the reader to read only
}

// Deeds puts what would change an answer into words, for someone who may change overrides, roles by hand or rules.
func (p Frame) Deeds(r Reason, user int64, place string, list []access.Remedy, may func(access.Permission) bool) []Deed {
	l := p.Locale()
	deeds := make([]Deed, len(list))
	for i, remedy := range list {
		deeds[i] = l.deed(r, remedy)
		d := &deeds[i]
		switch remedy.Way {
		case access.AllowOverride, access.DenyOverride:
			if may(access.OverridesManage) {
				d.Href = p.newOverrideHref(user, string(r.Permission), place)
				d.Act = l.T("why.change.override.act")
			}
		case access.EndOverride:
			if may(access.OverridesManage) {
				d.Href, d.Act = p.overrideHref(remedy.Override), l.F("why.change.end.act", "Number", strconv.FormatInt(remedy.Override, 10))
			}
		case access.ChangeRule:
			if may(access.SettingsManage) {
				d.Href, d.Act = RulesPath(p.District.CleverID, p.View), l.T("why.change.rule.act")
			}
		case access.AddTeacher, access.AddStaff, access.DropTeacher:
			d.Href, d.Act = HelpPath, l.T("why.change.sis.act")
		case access.GiveRole, access.DropRole:
			if may(access.RolesAssign) {
				d.Href, d.Act = p.userHref(user), l.T("why.change.role.act")
			}
		case access.SwitchView: // the person's own to do
		}
	}
	return deeds
}

func (l *Locale) deed(r Reason, m access.Remedy) Deed {
	name, where := r.person(l), r.where(l)
	role := l.roleLower(string(m.Role))
	if m.Label != "" {
		role = label(l, m.Label)
	}
	switch m.Way {
	case access.SwitchView:
		return Deed{Remedy: m, Title: l.F("why.change.view", "View", l.roleLower(string(m.View))), Text: l.T("why.change.view.text")}
	case access.AddTeacher:
		return Deed{Remedy: m, Title: l.F("why.change.add_teacher", "Name", name), Text: l.T("why.change.lasting")}
	case access.AddStaff:
		return Deed{Remedy: m, Title: l.F("why.change.add_staff", "Name", name, "Role", role), Text: l.T("why.change.lasting")}
	case access.GiveRole:
		return Deed{Remedy: m, Title: l.F("why.change.give_role", "Name", name, "Role", role), Text: l.T("why.change.give_role.text")}
	case access.AllowOverride:
		return Deed{Remedy: m, Title: l.F("why.change.allow", "Where", where), Text: l.T("why.change.override.text")}
	case access.DropTeacher:
		return Deed{Remedy: m, Title: l.F("why.change.drop_teacher", "Name", name), Text: l.T("why.change.lasting")}
	case access.DropRole:
		if m.Source == access.ByHand {
			return Deed{Remedy: m, Title: l.F("why.change.end_role", "Name", name, "Role", role), Text: l.T("why.change.end_role.text")}
		}
		return Deed{Remedy: m, Title: l.F("why.change.drop_role", "Name", name, "Role", role), Text: l.T("why.change.lasting")}
	case access.DenyOverride:
		return Deed{Remedy: m, Title: l.F("why.change.deny", "Where", where), Text: l.T("why.change.deny.text")}
	case access.EndOverride:
		return Deed{Remedy: m, Title: l.F("why.change.end", "Number", strconv.FormatInt(m.Override, 10)), Text: l.T("why.change.end.text")}
	case access.ChangeRule:
	}
	title := l.F("why.change.rule_less", "Role", role, "Act", r.act(l))
	if m.Given {
		title = l.F("why.change.rule_more", "Role", role, "Act", r.act(l))
	}
	return Deed{Remedy: m, Title: title, Text: l.T("why.change.rule.text")}
}

// Same reports that two findings say the same of two people, whatever the reasons.
func (a Finding) Same(b Finding) bool {
	return a.kind() == b.kind() && a.Sections == b.Sections && a.Except == b.Except
}
