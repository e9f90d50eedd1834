package views

// kind is the small line over the heading: what sort of answer this is.
func (p ErrorPage) kind(l *Locale) string {
	switch p.Status {
	case 400:
		return l.T("error.400.kind")
	case 403:
		return l.T("error.403.kind")
	case 404:
		return l.T("error.404.kind")
	case 405:
		return l.T("error.405.kind")
	case 409:
		return l.T("error.409.kind")
	case 422:
		return l.T("error.422.kind")
	case 429:
		return l.T("error.429.kind")
	case 503:
		return l.T("error.503.kind")
	}
	return l.T("error.500.kind")
}

func (p ErrorPage) heading(l *Locale) string {
	switch p.Status {
	case 400:
		return l.T("error.400")
	case 403:
		return l.T("error.403")
	case 404:
		return l.T("error.404")
	case 405:
		return l.T("error.405")
	case 409:
		return l.T("error.409")
	case 422:
		return l.T("error.422")
	case 429:
		return l.T("error.429")
	case 503:
		return l.T("error.503")
	}
	return l.T("error.500")
}

// text says what happened and what to do next.
func (p ErrorPage) text(l *Locale) string {
	if p.Status == 403 && p.OtherViewHref != "" {
		return l.viewSentence(p.View) + " " + l.viewCan(p.OtherView)
	}
	if p.Message != "" {
		return p.Message
	}
	switch p.Status {
	case 400:
		return l.T("error.400.text")
	case 403:
		return l.T("error.403.text")
	case 404:
		return l.T("error.404.text")
	case 405:
		return l.T("error.405.text")
	case 409:
		return l.T("error.409.text")
	case 422:
		return l.T("error.422.text")
	case 429, 503:
		return p.waitText(l)
	}
	return l.T("error.500.text")
}

func (p ErrorPage) waitText(l *Locale) string {
	said := l.T("error.503.text")
	if p.Status == 429 {
		said = l.T("error.429.text")
	}
	if p.RetryAfter > 0 {
		return said + " " + l.N("error.wait", p.RetryAfter)
	}
	return said + " " + l.T("error.wait_a_little")
}

// viewCan is the way out of a refusal: another of the reader's own views.
func (l *Locale) viewCan(view string) string {
	switch view {
	case "teacher":
		return l.T("view.can.teacher")
	case "staff":
		return l.T("view.can.staff")
	case "district_admin":
		return l.T("view.can.district_admin")
	}
	return l.T("view.can.all")
}

// again says whether asking once more may help.
func (p ErrorPage) again() bool {
	switch p.Status {
	case 429, 503, 409:
		return true
	case 400, 403, 404, 405, 422:
		return false
	}
	return true
}

// A visitor without a session is led to sign in where that may be what is missing.
func (p ErrorPage) doorHref() string {
	if p.again() {
		return p.back()
	}
	if p.signedIn() {
		return "/"
	}
	return SignInPath
}

func (p ErrorPage) doorAct(l *Locale) string {
	if p.again() {
		return l.T("error.again")
	}
	if p.signedIn() {
		return l.T("error.home")
	}
	return l.T("error.to_signin")
}
