package access_test

import (
	"strings"
	"testing"

	"hallpass/access"
)

// valid is a small catalogue of an app's own on top of the shipped one.
const valid = `extends: shipped
permissions:
  - {name: lessons.plan, scope: section, en: "Plan lessons.", es: "Planificar clases.", sensitive: true}
rules:
  - {role: teacher, permissions: [classroom.view, lessons.plan]}
  - {role: staff, label: Coach, permissions: [lessons.plan]}
`

func TestCatalogueExtendsTheShippedOne(t *testing.T) {
	c, err := access.ParseCatalogue([]byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	d, _, known := c.Find("lessons.plan")
	if !known || d.Scope != access.Section || !d.Sensitive || d.English != "Plan lessons." || d.Spanish != "Planificar clases." {
		t.Errorf("lessons.plan is %+v", d)
	}
	p := access.ShippedPolicy(c)
	for _, tt := range []struct {
		role  access.Role
		label string
		of    access.Permission
		given bool
	}{
		{access.Teacher, "", "lessons.plan", true},
		{access.Teacher, "", "grades.edit", false}, // the file's rule for teachers takes the place of the shipped one
		{access.Staff, "", "grades.view", true},    // one that the file does not speak of stays
		{access.Staff, "Coach", "lessons.plan", true},
		{access.DistrictAdmin, "", "lessons.plan", true}, // everything, and so what the file adds
	} {
		if got := p.Rule(tt.role, tt.label, tt.of); got != tt.given {
			t.Errorf("the rule for %s/%s gives %s: %v", tt.role, tt.label, tt.of, got)
		}
	}
}

// Every mistake is named at once, each with its line.
func TestCatalogueNamesEveryMistakeWithItsLine(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"all of them together", `extends: shipped
permissions:
  - {name: Grades, scope: section, en: "x", es: "x"}
  - {name: a.b, scope: room, en: "x", es: ""}
  - {name: c.d, scope: school, en: "x", es: "x", sensitiv: true}
  - {name: c.d, scope: school, en: "x", es: "x"}
  - {name: users.view, scope: district, en: "x", es: "x"}
rules:
  - {role: student, permissions: [c.d]}
  - {role: teacher, label: Coach, permissions: [c.d]}
  - {role: staff, permissions: [c.d, nothing.known]}
  - {role: staff, permissions: []}
`, []string{
			`line 3: permission name "Grades"`,
			`line 4: permission a.b: es must be a sentence`,
			`line 4: permission a.b: scope "room" is not section, school or district`,
			`line 5: unknown key "sensitiv"`,
			`line 6: c.d is defined already on line 5`,
			`line 7: permission users.view must have scope section`,
			`line 9: role "student"`,
			`line 10: label "Coach": only staff carry labels`,
			`line 11: the rule for staff gives "nothing.known", which is not in the catalogue`,
			`line 12: staff is defined already on line 11`,
		}},
		{"no YAML", "permissions: [\n  - {", []string{"catalogue: yaml: line "}},
		{"a value of another kind", "extends: shipped\npermissions:\n  - {name: a.b, scope: school, en: \"x\", es: \"x\", sensitive: perhaps}\n", []string{"line 3: "}},
		{"an entry that is none", "extends: shipped\npermissions:\n  - a.b\n", []string{"line 3: want an entry with"}},
		{"an unknown base", "extends: yours\n", []string{`extends must be shipped or left out, not "yours"`, "permission users.view is missing"}},
		{"a sentence too long", "extends: shipped\npermissions:\n  - {name: a.b, scope: school, es: \"x\", en: \"" + strings.Repeat("x", 301) + "\"}\n", []string{"line 3: permission a.b: en must be a sentence"}},
		{"nothing that the console needs", "permissions:\n  - {name: a.b, scope: school, en: \"x\", es: \"x\"}\n", []string{
			"permission classroom.view is missing: the console needs it", "permission settings.manage is missing", "permission audit.view is missing",
		}},
		{"too many", tooMany(), []string{"are too many: at most 256"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := access.ParseCatalogue([]byte(tt.text))
			if err == nil {
				t.Fatalf("%d permissions, and no error", len(c.Definitions()))
			}
			from := 0
			for _, want := range tt.want {
				at := strings.Index(err.Error(), want)
				if at < 0 {
					t.Errorf("%q is not named in\n%v", want, err)
				} else if at < from && strings.HasPrefix(want, "line") {
					t.Errorf("%q comes before an earlier line in\n%v", want, err)
				}
				from = max(from, at)
			}
			if named := strings.Count(err.Error(), "\n") + 1; (strings.HasPrefix(tt.want[0], "line 3: permission name") || tt.name == "no YAML") && named != len(tt.want) {
				t.Errorf("%d mistakes are named, want %d:\n%v", named, len(tt.want), err)
			}
		})
	}
}

// tooMany is a catalogue with more permissions than a set has bits.
func tooMany() string {
	var b strings.Builder
	b.WriteString("extends: shipped\npermissions:\n")
	for i := range access.MaxPermissions {
		b.WriteString("  - {name: a.n" + strings.Repeat("x", i%40) + string(rune('a'+i/40)) + ", scope: school, en: x, es: x}\n")
	}
	return b.String()
}

// A name, a key or a sentence may be anything: reading it ends in a catalogue or in a sentence, never in a crash, and a
// catalogue that was read gives nobody what it does not define.
func FuzzCatalogue(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte("permissions: &a [*a]\n"))
	f.Add([]byte("extends: shipped\nrules:\n  - {role: teacher, permissions: ['*']}\n"))
	f.Add([]byte("rules: {role: teacher}\npermissions: 3\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := access.ParseCatalogue(text)
		if err != nil {
			return
		}
		for _, r := range c.Rules() {
			for _, p := range r.Permissions {
				if _, _, known := c.Find(p); !known {
					t.Errorf("the rule for %s gives %q, which is not in the catalogue", r.Role, p)
				}
			}
		}
	})
}
