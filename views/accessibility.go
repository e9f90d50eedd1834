package views

var accessibilityDone = []string{
	key("accessibility.done.script"),
	key("accessibility.done.keyboard"),
	key("accessibility.done.words"),
	key("accessibility.done.zoom"),
	key("accessibility.done.themes"),
	key("accessibility.done.languages"),
}

var accessibilityGaps = []string{
	key("accessibility.gaps.audit"),
	key("accessibility.gaps.readers"),
	key("accessibility.gaps.names"),
}
