package views

import (
	"strings"
	"testing"
	"time"

	"hallpass/access"
)

// reasonOf decides about Ana Ruiz by the shipped rules and gives the verdict its names.
func reasonOf(f access.Facts, p access.Permission, at access.Place) Reason {
	c := access.ShippedCatalogue()
	if f.Policy == nil {
		f.Policy = access.ShippedPolicy(c)
	}
	f.Now = sampleNow
	v := f.Decide(p, at)
	d, _, _ := c.Find(p)
	r := Reason{Verdict: v, Definition: d, Person: "Ana Ruiz", Spot: Spot{Kind: string(v.Place.Kind)}, Overrides: map[int64]ReasonOverride{}}
	switch v.Place.Kind {
	case access.Section:
		r.Spot.Name, r.Spot.Period, r.Spot.Around = "Earth Science", "3", "Orion High"
	case access.School:
		r.Spot.Name = "Orion High"
	case access.District:
	}
	for _, g := range f.Grants {
		said := ReasonGrant{Labels: g.Labels, Since: at2024}
		if g.Source == access.ByHand {
			said.By, said.Until = "Wren Castellano", at2027
		}
		for range g.Schools {
			said.Schools = append(said.Schools, "Orion High")
		}
		r.Grants = append(r.Grants, said)
	}
	for _, o := range f.Overrides {
		r.Overrides[o.ID] = ReasonOverride{Spot: Spot{Kind: string(o.Place.Kind), Name: "Orion High"}, By: "Wren Castellano", Why: "covering", Note: "leave", Created: *at2024, Locked: true}
	}
	return r
}

var (
	at2024 = at(2024, time.November, 4, 9, 0)
	at2027 = at(2027, time.June, 5, 0, 0)
)

func TestReasonSentences(t *testing.T) {
	section, school := access.AtSection(7, 1), access.AtSchool(1)
	teacher := access.Grant{Role: access.Teacher, Schools: []int64{1}}
	staff := access.Grant{Role: access.Staff, Schools: []int64{1}, Labels: []string{access.SchoolTechLead}}
	override := func(allow bool) []access.Override {
		return []access.Override{{ID: 12, Permission: "grades.edit", Allow: allow, Place: school, Ends: *at2027}}
	}
	least := access.NewPolicy(access.ShippedCatalogue(), nil, access.LeastPrivileged, access.Consolidated)
	byView := access.NewPolicy(access.ShippedCatalogue(), nil, access.ViewInUse, access.Consolidated)
	for _, tt := range []struct {
		name  string
		facts access.Facts
		p     access.Permission
		place access.Place
		code  string
		admin string
		user  string
		brief string
		until string
	}{
		{
			"own section",
			access.Facts{Grants: []access.Grant{teacher}, Teaches: []access.Place{section}},
			"grades.edit", section, ReasonRole,
			"Ana Ruiz can change grades in Earth Science, Period 3 at Orion High, because Clever lists Ana Ruiz as a teacher of this section.",
			"You can change grades in Earth Science, Period 3 at Orion High. You are listed as a teacher of this section.",
			"A teacher of this section · Clever", "",
		},
		{
			"by hand",
			access.Facts{Grants: []access.Grant{{Role: access.Staff, Schools: []int64{1}, Source: access.ByHand}}},
			"grades.view", school, ReasonRole,
			"Ana Ruiz can see grades at Orion High, because Wren Castellano made Ana Ruiz staff at Orion High by hand until Jun 4, 2027.",
			"You can see grades at Orion High. You are listed as staff at Orion High.", "Staff at Orion High · by hand", "Jun 4, 2027",
		},
		{
			"label",
			access.Facts{Grants: []access.Grant{staff}},
			"devices.manage", school, ReasonRole,
			"Ana Ruiz can manage devices at Orion High, because Clever lists Ana Ruiz as School Tech Lead at Orion High.",
			"You can manage devices at Orion High. You are listed as School Tech Lead at Orion High.", "School Tech Lead at Orion High · Clever", "",
		},
		{
			"allowed by override",
			access.Facts{Overrides: override(true)},
			"grades.edit", section, ReasonOverrideAllows,
			"Ana Ruiz can change grades in Earth Science, Period 3 at Orion High, because Wren Castellano allowed it at Orion High until Jun 4, 2027 (override 12).",
			"You can change grades in Earth Science, Period 3 at Orion High. It was allowed for you until Jun 4, 2027.", "Override 12: allowed by Wren Castellano", "Jun 4, 2027",
		},
		{
			"denied by override",
			access.Facts{Grants: []access.Grant{{Role: access.DistrictAdmin}}, Overrides: override(false)},
			"grades.edit", school, ReasonOverrideDenies,
			"Ana Ruiz cannot change grades at Orion High, because Wren Castellano denied it until Jun 4, 2027 (override 12).",
			"You cannot change grades at Orion High. It was turned off for you until Jun 4, 2027. The district’s help desk can tell you more.",
			"Override 12: denied by Wren Castellano", "Jun 4, 2027",
		},
		{
			"another section",
			access.Facts{Grants: []access.Grant{teacher}},
			"grades.edit", section, ReasonOutOfReach,
			"Ana Ruiz cannot change grades in Earth Science, Period 3 at Orion High, because the role of teacher gives it in the teacher’s own sections, and this is not one of them.",
			"You cannot change grades in Earth Science, Period 3 at Orion High. Your role covers other places.", "The role of teacher gives it elsewhere", "",
		},
		{
			"elsewhere twice",
			access.Facts{Grants: []access.Grant{teacher, {Role: access.Staff, Schools: []int64{2}}}},
			"grades.view", section, ReasonOutOfReach,
			"Ana Ruiz cannot see grades in Earth Science, Period 3 at Orion High, because the role of teacher gives it in the teacher’s own sections, and this is not one of them; the role of staff gives it at the schools of that role, and this is not one of them.",
			"You cannot see grades in Earth Science, Period 3 at Orion High. Your role covers other places.", "The roles of teacher and staff give it elsewhere", "",
		},
		{
			"least privileged",
			access.Facts{Policy: least, Grants: []access.Grant{teacher, staff}, Teaches: []access.Place{section}},
			"grades.edit", section, ReasonWithheld,
			"Ana Ruiz cannot change grades in Earth Science, Period 3 at Orion High, because in this district every role held at a place must give a permission, and staff does not give it.",
			"You cannot change grades in Earth Science, Period 3 at Orion High. Not all of your roles here include it.", "Withheld by the role of staff", "",
		},
		{
			"another view",
			access.Facts{Policy: byView, View: "staff", Grants: []access.Grant{teacher, staff}, Teaches: []access.Place{section}},
			"grades.edit", section, ReasonNotInView,
			"Ana Ruiz cannot change grades in Earth Science, Period 3 at Orion High, because only the view in use counts; the role that would give it is teacher.",
			"You cannot change grades in Earth Science, Period 3 at Orion High. It takes your view as teacher.", "Only in the view as teacher", "",
		},
		{
			"no rule",
			access.Facts{Grants: []access.Grant{{Role: access.Student}}},
			"settings.manage", section, ReasonNotGiven,
			"Ana Ruiz cannot change settings and role rules in the whole district, because no rule gives it to the role held: student.",
			"You cannot change settings and role rules in the whole district. Your roles do not include it.", "No role gives it", "",
		},
		{
			"no rule for several roles",
			access.Facts{Grants: []access.Grant{teacher, staff, {Role: access.Teacher, Schools: []int64{2}}}},
			"settings.manage", section, ReasonNotGiven,
			"Ana Ruiz cannot change settings and role rules in the whole district, because no rule gives it to the roles held: teacher and staff.",
			"You cannot change settings and role rules in the whole district. Your roles do not include it.", "No role gives it", "",
		},
		{
			"no role",
			access.Facts{},
			"grades.view", school, ReasonNoRole,
			"Ana Ruiz cannot see grades at Orion High, because Ana Ruiz holds no role in this district.",
			"You cannot see grades at Orion High. Your roles do not include it.", "Ana Ruiz holds no role in this district", "",
		},
		{
			"no such permission",
			access.Facts{},
			"grades.burn", school, ReasonUnknown,
			"Ana Ruiz cannot grades.burn at Orion High, because there is no permission called grades.burn.",
			"You cannot grades.burn at Orion High. This is not known here.", "There is no permission called grades.burn", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := reasonOf(tt.facts, tt.p, tt.place)
			l := NewLocale("en", sampleNow, sampleZone)
			for what, said := range map[string][2]string{
				"code": {r.Code(), tt.code}, "admin": {l.ReasonAdmin(r), tt.admin}, "user": {l.ReasonUser(r), tt.user},
				"brief": {l.ReasonBrief(r), tt.brief}, "until": {l.ReasonUntil(r), tt.until},
			} {
				if said[0] != said[1] {
					t.Errorf("%s:\n got %s\nwant %s", what, said[0], said[1])
				}
			}
			if strings.Contains(l.ReasonUser(r), "Wren") {
				t.Error("tells the person who decided about them")
			}
			es := NewLocale("es", sampleNow, sampleZone)
			for _, said := range []string{es.ReasonAdmin(r), es.ReasonUser(r), es.ReasonBrief(r)} {
				if said == "" || strings.Contains(said, "reason.") || strings.Contains(said, "{{") {
					t.Errorf("in Spanish: %q", said)
				}
			}
		})
	}
}

// Everything that was considered is told, the losers too, and exactly what decided says that it did.
func TestReasonStepsTellAll(t *testing.T) {
	place := access.AtSection(7, 1)
	f := access.Facts{
		Grants: []access.Grant{{Role: access.Teacher, Schools: []int64{1}}, {Role: access.Staff, Schools: []int64{1}}},
		Overrides: []access.Override{
			{ID: 1, Permission: "grades.edit", Place: access.AtSchool(1), Allow: true},
			{ID: 2, Permission: "grades.edit", Place: place},
		},
	}
	r := reasonOf(f, "grades.edit", place)
	for _, lang := range Languages {
		l := NewLocale(lang, sampleNow, sampleZone)
		steps := l.ReasonSteps(r)
		if want := 1 + 2 + 1 + 2; len(steps) != want { // the person, two roles, how they combine, two overrides
			t.Fatalf("%s: %d steps, want %d", lang, len(steps), want)
		}
		decides := 0
		for _, s := range steps {
			if s.Decides {
				decides++
			}
			if s.Title == "" || s.Word == "" || strings.Contains(s.Title+s.Text+s.Word, "reason.") {
				t.Errorf("%s: %+v", lang, s)
			}
		}
		if decides != 1 || !steps[4].Decides || steps[5].Decides {
			t.Errorf("%s: the nearer override decides, and nothing else: %+v", lang, steps)
		}
	}
	if steps := NewLocale("en", sampleNow, nil).ReasonSteps(reasonOf(access.Facts{}, "grades.edit", place)); len(steps) != 4 {
		t.Errorf("without roles and overrides: %+v", steps)
	}
}
