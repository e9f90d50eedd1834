package access

// View is the hat worn now: one of the user's roles, or all of them together.
type View string

// ViewAll wears every role at once.
const ViewAll View = "all"

// wears reports whether the view counts the role.
func (v View) wears(r Role) bool { return v == ViewAll || v == View(r) }

// Views lists the views open to someone with these grants: one for each role that the rules give anything to, those
// with the widest reach first, and ViewAll after them where there are several. Someone without any has no page in
// the console.
func Views(grants []Grant, rules []Rule) []View {
	var views []View
	for _, role := range Roles() {
		for _, g := range grants {
			if g.Role == role && givesAnything(g, rules) {
				views = append(views, View(role))
				break
			}
		}
	}
	if len(views) > 1 {
		views = append(views, ViewAll)
	}
	return views
}

func givesAnything(g Grant, rules []Rule) bool {
	f := Facts{Rules: rules}
	for p := range scopes {
		if _, given := f.gives(g, p); given {
			return true
		}
	}
	return false
}
