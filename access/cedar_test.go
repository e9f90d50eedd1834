package access_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go"
	"pgregory.net/rapid"

	"hallpass/access"
)

// A second opinion: the same facts as Cedar policies, evaluated by Cedar's own engine. It shares nothing with Decide
// but the meaning of a rule.

// cedarEntities are the places, each in the place around it, and one person with the roles that Clever lists.
func cedarEntities(f access.Facts) cedar.EntityMap {
	district := cedar.NewEntityUID("District", "d")
	all := cedar.EntityMap{district: {UID: district}}
	for _, at := range everyPlace() {
		uid := cedarPlace(at)
		switch at.Kind {
		case access.School:
			all[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(district)}
		case access.Section:
			all[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(cedarPlace(access.AtSchool(at.School)))}
		case access.District: // is there already
		}
	}
	var roles []cedar.Value
	for _, g := range f.Grants {
		if g.Source != access.ByHand {
			roles = append(roles, cedar.String(g.Role))
		}
	}
	user := cedar.NewEntityUID("User", "u")
	all[user] = cedar.Entity{UID: user, Attributes: cedar.NewRecord(cedar.RecordMap{"listed": cedar.NewSet(roles...)})}
	return all
}

func cedarPlace(at access.Place) cedar.EntityUID {
	switch at.Kind {
	case access.Section:
		return cedar.NewEntityUID("Section", cedar.String(fmt.Sprint(at.Section)))
	case access.School:
		return cedar.NewEntityUID("School", cedar.String(fmt.Sprint(at.School)))
	case access.District:
	}
	return cedar.NewEntityUID("District", "d")
}

// in is Cedar for being at one of some places, or inside one.
func in(places []access.Place) string {
	list := make([]string, len(places))
	for i, at := range places {
		list[i] = cedarPlace(at).String()
	}
	return "resource in [" + strings.Join(list, ", ") + "]"
}

// given reports whether the rules give p, or anything where p is "", to a grant.
func given(f access.Facts, g access.Grant, p access.Permission) bool {
	return slices.ContainsFunc(f.Policy.Rules(), func(r access.Rule) bool {
		return r.Role == g.Role && (r.Label == "" || slices.Contains(g.Labels, r.Label)) &&
			(p == "" && len(r.Permissions) > 0 || slices.Contains(r.Permissions, p))
	})
}

// counted is whether a role counts in the view that is worn.
func counted(f access.Facts) func(access.Role) bool {
	if f.View != access.ViewAll && f.View != "" {
		return func(r access.Role) bool { return access.View(r) == f.View }
	}
	if f.Policy.Combining() != access.ViewInUse {
		return func(access.Role) bool { return true }
	}
	var views []access.Role
	for _, g := range f.Grants {
		if given(f, g, "") && !slices.Contains(views, g.Role) {
			views = append(views, g.Role)
		}
	}
	return func(r access.Role) bool { return len(views) == 1 && views[0] == r }
}

// cedarPolicies says in Cedar what the facts say about one permission.
func cedarPolicies(f access.Facts, p access.Permission) string {
	var b strings.Builder
	reach, gives := map[access.Role][]access.Place{}, map[access.Role][]access.Place{}
	counts := counted(f)
	for _, g := range f.Grants {
		var region []access.Place
		switch g.Role {
		case access.DistrictAdmin:
			region = []access.Place{access.InDistrict()}
		case access.Staff:
			for _, s := range g.Schools {
				region = append(region, access.AtSchool(s))
			}
		case access.Teacher:
			region = f.Teaches
		case access.Student, access.Contact: // reach nowhere
		}
		if !counts(g.Role) || len(region) == 0 {
			continue
		}
		reach[g.Role] = append(reach[g.Role], region...)
		if given(f, g, p) {
			gives[g.Role] = append(gives[g.Role], region...)
		}
	}
	var anywhere []access.Place
	for _, region := range gives {
		anywhere = append(anywhere, region...)
	}
	fmt.Fprintf(&b, "permit (principal, action, resource) when { %s", in(anywhere))
	if f.Policy.Combining() == access.LeastPrivileged {
		for role, region := range reach {
			fmt.Fprintf(&b, " && (!(%s) || %s)", in(region), in(gives[role]))
		}
	}
	b.WriteString(" };\n")
	for _, o := range f.Overrides {
		if o.Permission != p {
			continue
		}
		if o.Allow {
			fmt.Fprintf(&b, "permit (principal, action, resource) when { %s };\n", standing(o))
			continue
		}
		fmt.Fprintf(&b, "forbid (principal, action, resource) when { %s }", standing(o))
		for _, nearer := range f.Overrides {
			if nearer.Permission == p && nearer.Allow && nearer.Place != o.Place && o.Place.Contains(nearer.Place) {
				fmt.Fprintf(&b, " unless { %s }", standing(nearer))
			}
		}
		b.WriteString(";\n")
	}
	return b.String()
}

// standing is Cedar for an override that is in force where it is asked about.
func standing(o access.Override) string {
	said := in([]access.Place{o.Place})
	if !o.Ends.IsZero() {
		said += fmt.Sprintf(" && context.now < datetime(%q)", o.Ends.UTC().Format(time.RFC3339))
	}
	if o.WithRole != "" {
		said += fmt.Sprintf(" && principal.listed.contains(%q)", o.WithRole)
	}
	return said
}

func TestCedarAgreesWithDecide(t *testing.T) {
	cases, allowed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		f.Grants = onePerSource(f.Grants)
		f.Overrides = slices.Concat(f.Overrides, drawOverrides(t))
		entities := cedarEntities(f)
		context := cedar.NewRecord(cedar.RecordMap{"now": cedar.NewDatetime(f.Now)})
		for _, d := range access.ShippedCatalogue().Definitions() {
			text := cedarPolicies(f, d.Permission)
			policies, err := cedar.NewPolicySetFromBytes("case", []byte(text))
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			for _, at := range everyPlace() {
				asked := at // as wide as the permission
				switch {
				case d.Scope == access.District:
					asked = access.InDistrict()
				case d.Scope == access.School && at.Kind == access.Section:
					asked = access.AtSchool(at.School)
				}
				answer, diagnostic := cedar.Authorize(policies, entities, cedar.Request{
					Principal: cedar.NewEntityUID("User", "u"), Action: cedar.NewEntityUID("Action", cedar.String(d.Permission)),
					Resource: cedarPlace(asked), Context: context,
				})
				if len(diagnostic.Errors) > 0 {
					t.Fatalf("%v in\n%s", diagnostic.Errors, text)
				}
				cases++
				if bool(answer) {
					allowed++
				}
				if v := f.Decide(d.Permission, at); v.Allowed != bool(answer) {
					t.Fatalf("%s at %+v: Decide says %v, Cedar %v, of\n%s\n%+v", d.Permission, at, v.Allowed, bool(answer), text, v)
				}
			}
		}
	})
	t.Logf("%d cases, %d of them allowed", cases, allowed)
	if os.Getenv("CI") == "true" && (cases < 10_000 || allowed < cases/50) && !t.Failed() {
		t.Errorf("%d cases, %d of them allowed, prove too little", cases, allowed)
	}
}
