package views

func (k Key) answers(l *Locale) string {
	if k.Explains {
		return l.T("keys.answers.explained")
	}
	return l.T("keys.answers.plain")
}

func keyProblem(l *Locale, problem string) string {
	if problem == "long" {
		return l.T("keys.problem.long")
	}
	return l.T("keys.problem.missing")
}

func keyNotice(l *Locale, notice string) string {
	switch notice {
	case "revoked":
		return l.T("keys.notice.revoked")
	case "already_revoked":
		return l.T("keys.notice.already_revoked")
	}
	return l.T("keys.notice.shown_once")
}

func (f Frame) keysHref() string { return KeysPath(f.District.CleverID, f.View) }

func (f Frame) keyHref(id int64) string { return KeyPath(f.District.CleverID, f.View, id) }

func (f Frame) revokeHref(id int64) string { return RevokeKeyPath(f.District.CleverID, f.View, id) }

// KeyReceipt says what was done to a key.
func (l *Locale) KeyReceipt(made bool, name, hint string) string {
	if made {
		return l.F("keys.receipt.made", "Name", name, "Hint", hint)
	}
	return l.F("keys.receipt.revoked", "Name", name, "Hint", hint)
}
