package views

// roles is how many of the choices are a role of its own.
func (p ChooseViewPage) roles() (n int) {
	for _, o := range p.Options {
		if o.Slug != "all" {
			n++
		}
	}
	return n
}

func (o ViewOption) icon() string {
	if o.Slug == "all" {
		return "people"
	}
	return roleIcon(o.Slug)
}

func (o ViewOption) name(l *Locale) string {
	if o.Slug == "all" {
		return l.T("views.all")
	}
	return l.Role(o.Slug)
}

// where is the view's schools, or the district.
func (o ViewOption) where(p ChooseViewPage, l *Locale) string {
	switch {
	case o.Places != "":
		return o.Places + "."
	case o.Slug == "district_admin" || o.Slug == "all":
		return p.District.Name + "."
	}
	return l.T("views.nowhere")
}

// does is what the view is for, in one line.
func (o ViewOption) does(l *Locale) string {
	switch o.Slug {
	case "district_admin":
		return l.T("views.does.district_admin")
	case "staff":
		return l.T("views.does.staff")
	case "teacher":
		return l.N("views.does.teacher", o.Sections)
	}
	return l.T("views.does.all")
}
