package views

// helpRoles explains the roles by their slugs.
var helpRoles = []struct{ word, text string }{
	{"teacher", key("help.role.teacher")},
	{"staff", key("help.role.staff")},
	{"district_admin", key("help.role.district_admin")},
	{"student", key("help.role.student")},
	{"contact", key("help.role.contact")},
}

var helpWords = []struct{ word, text string }{
	{key("help.word.view"), key("help.word.view.text")},
	{key("help.word.account"), key("help.word.account.text")},
	{key("help.word.sync"), key("help.word.sync.text")},
	{key("help.word.ended"), key("help.word.ended.text")},
	{key("help.word.clever_id"), key("help.word.clever_id.text")},
	{key("help.word.legacy_id"), key("help.word.legacy_id.text")},
	{key("help.word.sis_id"), key("help.word.sis_id.text")},
	{key("help.word.labels"), key("help.word.labels.text")},
}
