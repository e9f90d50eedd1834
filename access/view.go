package access

// View is the hat worn now: one of the user's roles, or all of them together.
type View string

// ViewAll wears every role at once.
const ViewAll View = "all"

// wears reports whether the view counts the role.
func (v View) wears(r Role) bool { return v == ViewAll || v == View(r) }

// Views lists the views open to someone with these grants: one for each role that the rules give anything to, those
// with the widest reach first, and ViewAll after them where there are several and the district combines roles.
// Someone without any has no page in the console.
func (p *Policy) Views(grants []Grant) []View {
	var views []View
	for _, role := range Roles() {
		for _, g := range grants {
			if g.Role == role && !p.Gives(g.Role, g.Labels).Empty() {
				views = append(views, View(role))
				break
			}
		}
	}
	if len(views) > 1 && p.Combining() != ViewInUse {
		views = append(views, ViewAll)
	}
	return views
}

// worn is the view whose roles count. Where the district decides by the view in use and none was named, a person with
// one view wears it, and one with several wears none: which one is for the asker to say.
func (f Facts) worn() View {
	if f.View == "" {
		f.View = ViewAll
	}
	if f.View != ViewAll || f.Policy.Combining() != ViewInUse {
		return f.View
	}
	if views := f.Policy.Views(f.Grants); len(views) == 1 {
		return views[0]
	}
	return ""
}
