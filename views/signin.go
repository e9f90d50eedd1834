package views

// said is what the notice tells: a few words, then what to do.
func (p SignInPage) said(l *Locale) (title, text string) {
	switch p.Notice {
	case "signed_out":
		return l.T("signin.signed_out"), l.T("signin.signed_out.text")
	case "idle":
		return l.T("signin.idle"), l.T("signin.idle.text")
	case "absolute":
		return l.T("signin.absolute"), l.T("signin.absolute.text")
	case "replaced":
		return l.T("signin.replaced"), l.T("signin.replaced.text")
	case "clever_error":
		return l.T("signin.clever_error"), l.T("signin.clever_error.text")
	case "restarted":
		return l.T("signin.restarted"), l.T("signin.restarted.text")
	case "district_unknown":
		return l.T("signin.district_unknown"), l.T("signin.district_unknown.text")
	}
	return "", ""
}

func (p SignInPage) noticeIcon() string {
	switch p.Notice {
	case "signed_out":
		return "yes"
	case "idle", "absolute":
		return "clock"
	case "replaced", "restarted":
		return "note"
	}
	return "alert"
}
