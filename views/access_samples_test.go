package views

import (
	"testing"

	"github.com/a-h/templ"

	"hallpass/access"
)

// accessSamples are the pages that explain, by name.
func accessSamples(lang string) map[string]templ.Component {
	section, school := access.AtSection(7, 1), access.AtSchool(1)
	grants := []access.Grant{{Role: access.Teacher, Schools: []int64{1}}, {Role: access.Staff, Schools: []int64{1}, Labels: []string{"PortalOnly"}, Source: access.ByHand}}
	facts := access.Facts{
		Grants: grants, Teaches: []access.Place{section},
		Overrides: []access.Override{{ID: 12, Permission: "reports.export", Place: school, Allow: true, Ends: *at2027}, {ID: 13, Permission: "grades.edit", Place: section}},
	}
	frame := sampleFrame(lang, "users")
	frame.Path = UserAccessPath(sampleDistrict, "district_admin", 7)
	allowed, denied := reasonOf(facts, "reports.export", school), reasonOf(facts, "grades.edit", section)
	other := reasonOf(access.Facts{Grants: grants}, "grades.edit", school)
	line := func(r Reason) Finding {
		return Finding{Reason: r, Place: "school:" + sampleSchoolA, Changed: r.Allowed}
	}
	inSections := Finding{Reason: denied, Place: "section:x", Sections: 2}
	places := []FindingPlace{
		{Spot: Spot{Kind: "district"}, Findings: []Finding{line(reasonOf(facts, "settings.manage", school))}},
		{Spot: Spot{Kind: "school", Name: "Orion High"}, Findings: []Finding{line(allowed), line(denied), inSections, {Reason: allowed, Except: 1}}},
	}
	everything := func(access.Permission) bool { return true }
	remedies := []access.Remedy{
		{Way: access.SwitchView, View: "staff"},
		{Way: access.AddTeacher, Role: access.Teacher, Place: section},
		{Way: access.AddStaff, Role: access.Staff, Label: access.SchoolTechLead, Place: school},
		{Way: access.GiveRole, Role: access.Staff, Place: school},
		{Way: access.AllowOverride, Place: section},
		{Way: access.DropTeacher, Role: access.Teacher, Place: section},
		{Way: access.DropRole, Role: access.Staff, Place: school},
		{Way: access.DropRole, Role: access.Staff, Source: access.ByHand, Place: school},
		{Way: access.DenyOverride, Place: section},
		{Way: access.EndOverride, Override: 13},
		{Way: access.ChangeRule, Role: access.Teacher, Given: true},
		{Way: access.ChangeRule, Role: access.Staff},
	}
	why := Why{
		ID: 7, Place: "section:x", Reason: denied, Deeds: frame.Deeds(denied, 7, "section:x", remedies, everything), Others: true, Link: "https://hallpass.example/x",
		Lenses: []LensLink{{View: "teacher", Current: true}, {View: "staff"}},
	}
	form := CheckForm{
		User: "ruiz", Permission: "grades.edit", Place: "section:x", Permissions: []Act{frame.Locale().Act(allowed.Definition)},
		Places: []PlaceChoice{
			{Place: "district", Spot: Spot{Kind: "district"}, Group: "district"},
			{Place: "school:" + sampleSchoolA, Spot: Spot{Kind: "school", Name: "Orion High"}, Group: "schools"},
			{Place: "section:x", Spot: denied.Spot, Group: "sections"},
		},
	}
	found := CheckPeople{Q: "ruiz", Count: 12, Rows: []UserRow{
		{ID: 7, Name: "Ruiz, Ana", Email: "ana@school.example", Grants: []RowGrant{{Role: "teacher", School: "Orion High"}}, MoreSchools: 2}, {ID: 8, Ended: true},
	}}
	rows := []WhoCanRow{{ID: 7, Name: "Ruiz, Ana", Reason: allowed}, {Reason: allowed}, {ID: 9, Name: "Child, A", Student: true, Reason: allowed}}
	who := WhoCanPage{
		Frame: frame, Form: form, Asked: true, Act: form.Permissions[0], Spot: allowed.Spot, Rows: rows, Count: WhoCanCount{N: 10_000, AtLeast: true},
		Next: &PageLink{Cursor: "c"}, Sections: []WhoCanRow{{ID: 7, Name: "Ruiz, Ana", Sections: 2}}, SectionsCount: WhoCanCount{N: 60},
	}
	inOwn := who
	inOwn.InSections, inOwn.Rows, inOwn.Sections, inOwn.Prev = true, who.Sections, nil, &PageLink{Cursor: "b"}
	lines := []CompareLine{{Spot: allowed.Spot, A: line(allowed), B: line(other)}, {Spot: Spot{Kind: "district"}, A: inSections, B: line(denied)}}
	return map[string]templ.Component{
		"access":         UserAccess(UserAccessPage{Frame: frame, ID: 7, Name: "Ana Ruiz", Places: places, Beyond: true, Lenses: why.Lenses, Lens: "teacher"}),
		"access-none":    UserAccess(UserAccessPage{Frame: frame, ID: 7, Name: "Ana Ruiz", EndedAt: at2024, Different: true}),
		"access-nothing": UserAccess(UserAccessPage{Frame: frame, ID: 7}),
		"why":            WhyNot(WhyPage{Frame: frame, Why: why}),
		"check":          AccessCheck(CheckPage{Frame: frame, Form: form, Answer: &why}),
		"check-empty":    AccessCheck(CheckPage{Frame: frame}),
		"check-problems": AccessCheck(CheckPage{Frame: frame, Form: form, Problems: []string{"nobody", "several", "permission", "place"}, People: found}),
		"who-can":        WhoCan(who),
		"who-can-own":    WhoCan(inOwn),
		"who-can-nobody": WhoCan(WhoCanPage{Frame: frame, Form: form, Asked: true, Act: form.Permissions[0], Spot: allowed.Spot, Notices: []string{"bad_cursor"}}),
		"who-can-empty":  WhoCan(WhoCanPage{Frame: frame, Form: form, Problems: []string{"place"}}),
		"compare":        Compare(ComparePage{Frame: frame, A: ComparePerson{7, "Ana Ruiz"}, B: ComparePerson{8, ""}, Different: lines, Same: lines[:1]}),
		"compare-same":   Compare(ComparePage{Frame: frame, A: ComparePerson{7, "Ana Ruiz"}, B: ComparePerson{8, "Bo"}}),
		"compare-whom":   Compare(ComparePage{Frame: frame, A: ComparePerson{7, "Ana Ruiz"}, Q: "x", Found: found, Problems: []string{"several"}}),
	}
}

// A printed list of who may names no child, and one beyond the reader's reach is counted but never named.
func TestWhoCanKeepsNamesBack(t *testing.T) {
	doc, _ := draw(t, accessSamples("en")["who-can"])
	wantText(t, doc, "tbody tr:nth-child(2) th", "Somebody beyond your reach")
	if n := doc.Find("tbody tr:nth-child(2) a").Length(); n != 0 {
		t.Errorf("%d links lead to somebody beyond reach", n)
	}
	wantText(t, doc, "tbody .print-only", "A student")
	wantText(t, doc, "tbody a.screen-only", "Child, A")
	wantContains(t, doc, "#who + .count", "10,000+ people")
}

// What would change an answer is a link for those who may do it, and words for everybody else.
func TestDeedsAreLinksForThoseWhoMay(t *testing.T) {
	frame := sampleFrame("en", "users")
	r := reasonOf(access.Facts{}, "grades.edit", access.AtSchool(1))
	list := []access.Remedy{{Way: access.AllowOverride, Place: access.AtSchool(1)}, {Way: access.EndOverride, Override: 3}, {Way: access.ChangeRule, Role: access.Staff, Given: true}}
	for _, d := range frame.Deeds(r, 7, "school:a", list, func(access.Permission) bool { return false }) {
		if d.Href != "" || d.Title == "" || d.Text == "" {
			t.Errorf("to somebody who may change nothing: %+v", d)
		}
	}
	deeds := frame.Deeds(r, 7, "school:a", list, func(p access.Permission) bool { return p == access.OverridesManage })
	if want := NewOverridePath(sampleDistrict, "district_admin", 7) + "?permission=grades.edit&place=school%3Aa"; deeds[0].Href != want {
		t.Errorf("the override's form is at %s, want %s", deeds[0].Href, want)
	}
	if deeds[1].Href == "" || deeds[2].Href != "" {
		t.Errorf("overrides are the reader's to change, rules are not: %+v", deeds)
	}
}
