package access

import "slices"

// Rule gives permissions to a role or, with a label, to the staff who carry that label. How far they reach follows
// from the role: a teacher's to the sections taught, staff's to their schools, a district admin's to the district.
type Rule struct {
	Role        Role
	Label       string // "" is everyone in the role
	Permissions []Permission
}

// name tells rules apart: teacher, staff/SchoolTechLead.
func (r Rule) name() string {
	if r.Label == "" {
		return string(r.Role)
	}
	return string(r.Role) + "/" + r.Label
}

// RuleChange is where a district differs from the catalogue's rules: one permission given to, or kept from, a role.
type RuleChange struct {
	Role       Role
	Label      string
	Permission Permission
	Given      bool
}

// Combining says how the roles of one person come together.
type Combining string

// A district combines roles in one of three ways. Whatever it chooses, wearing one view counts that role alone.
const (
	MostPrivileged  Combining = "most_privileged"  // what any role gives: the default
	LeastPrivileged Combining = "least_privileged" // what every role held at the place gives
	ViewInUse       Combining = "view_in_use"      // what the role of the view worn gives
)

// Combinings lists the ways, the default first.
func Combinings() []Combining { return []Combining{MostPrivileged, LeastPrivileged, ViewInUse} }

// Strategy says how many accounts a person with several roles has.
type Strategy string

// One account for each user, or one for each user and role under the one Clever id.
const (
	Consolidated Strategy = "consolidated"
	PerRole      Strategy = "per_role"
)

// Policy is what holds for everybody in a district: the catalogue, the rules as the district changed them, and how
// roles combine. It never changes once made, so requests share it.
type Policy struct {
	Catalogue *Catalogue
	Strategy  Strategy
	chosen    Combining
	rules     []Rule
	given     map[Role]roleRules
}

// roleRules is what a role gives to everyone in it, and adds for each label.
type roleRules struct {
	base   Set
	labels map[string]Set
}

// NewPolicy makes a district's policy. Changes that name what the catalogue does not know are ignored: the catalogue
// of an installation may shrink. Unknown ways of combining are the default.
func NewPolicy(c *Catalogue, changes []RuleChange, combining Combining, strategy Strategy) *Policy {
	p := &Policy{Catalogue: c, Strategy: Consolidated, chosen: MostPrivileged, given: map[Role]roleRules{}}
	if slices.Contains(Combinings(), combining) {
		p.chosen = combining
	}
	if strategy == PerRole {
		p.Strategy = PerRole
	}
	sets := map[string]Set{}
	var rules []Rule
	for _, r := range c.rules {
		sets[r.name()] = c.Set(r.Permissions...)
		rules = append(rules, Rule{Role: r.Role, Label: r.Label})
	}
	for _, ch := range changes {
		_, at, known := c.Find(ch.Permission)
		if !known || !ch.Role.WorksHere() || ch.Label != "" && ch.Role != Staff {
			continue
		}
		r := Rule{Role: ch.Role, Label: ch.Label}
		set, before := sets[r.name()]
		if !before {
			rules = append(rules, r)
		}
		var one Set
		one.add(at)
		if ch.Given {
			sets[r.name()] = set.Or(one)
		} else {
			sets[r.name()] = set.Without(one)
		}
	}
	for _, r := range rules {
		set := sets[r.name()]
		r.Permissions = c.Permissions(set)
		p.rules = append(p.rules, r)
		of := p.given[r.Role]
		if r.Label == "" {
			of.base = set
		} else {
			if of.labels == nil {
				of.labels = map[string]Set{}
			}
			of.labels[r.Label] = set
		}
		p.given[r.Role] = of
	}
	return p
}

// ShippedPolicy is what a district starts with.
func ShippedPolicy(c *Catalogue) *Policy { return NewPolicy(c, nil, MostPrivileged, Consolidated) }

// Rules lists the rules as they hold in the district, the catalogue's first.
func (p *Policy) Rules() []Rule { return slices.Clone(p.rules) }

// Combining is how roles combine: as the district chose, except that separate accounts never combine.
func (p *Policy) Combining() Combining {
	if p.Strategy == PerRole {
		return ViewInUse
	}
	return p.chosen
}

// ChosenCombining is the district's setting, whatever the strategy makes of it.
func (p *Policy) ChosenCombining() Combining { return p.chosen }

// Gives is everything the rules give to a grant of the role with these labels.
func (p *Policy) Gives(r Role, labels []string) Set {
	of := p.given[r]
	set := of.base
	for _, l := range labels {
		set = set.Or(of.labels[l])
	}
	return set
}

// Giver is a role, or the staff with a label, to whom a rule gives a permission.
type Giver struct {
	Role  Role
	Label string
}

// Givers lists to whom the rules give a permission, for reverse questions in SQL.
func (p *Policy) Givers(permission Permission) (givers []Giver) {
	for _, r := range p.rules {
		if slices.Contains(r.Permissions, permission) {
			givers = append(givers, Giver{r.Role, r.Label})
		}
	}
	return givers
}

// by is the label by which the rules give a permission to a grant, "" where its role alone does.
func (p *Policy) by(g Grant, at int) (label string, given bool) {
	of := p.given[g.Role]
	if of.base.Has(at) {
		return "", true
	}
	for _, l := range g.Labels {
		if of.labels[l].Has(at) {
			return l, true
		}
	}
	return "", false
}
