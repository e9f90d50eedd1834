package access

import "slices"

// Permission is a named act.
type Permission string

// The permissions that the console itself asks for. Every catalogue has them; see catalogue.yaml for the rest.
const (
	ClassroomView    Permission = "classroom.view"
	RosterView       Permission = "roster.view"
	UsersView        Permission = "users.view"
	RolesAssign      Permission = "roles.assign"
	OverridesManage  Permission = "overrides.manage"
	DuplicatesReview Permission = "duplicates.review"
	SyncRun          Permission = "sync.run"
	AuditView        Permission = "audit.view"
	SettingsManage   Permission = "settings.manage"
)

// consoleNeeds is what a catalogue must define for the console to work, with the scope its pages rely on.
var consoleNeeds = map[Permission]Kind{
	ClassroomView: Section, RosterView: Section, UsersView: Section, DuplicatesReview: School, RolesAssign: District,
	OverridesManage: District, SyncRun: District, AuditView: District, SettingsManage: District,
}

// Definition describes a permission: the smallest place it can be asked about, whether it is sensitive (a sync that
// takes it from many people waits for a person), and what it lets someone do, in one sentence for each language.
type Definition struct {
	Permission Permission
	Scope      Kind
	Sensitive  bool
	English    string
	Spanish    string
}

// MaxPermissions bounds a catalogue: a Set has a bit for each.
const MaxPermissions = 256

// Set is some of a catalogue's permissions, a bit for each by its place in the catalogue.
type Set [MaxPermissions / 64]uint64

// Has reports whether the permission at that place of the catalogue is in the set.
func (s Set) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s *Set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s *Set) put(i int, is bool) {
	s[i/64] &^= 1 << (i % 64)
	if is {
		s.add(i)
	}
}

// Or, And and Without are the set operations.
func (s Set) Or(o Set) Set {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

// And keeps what is in both.
func (s Set) And(o Set) Set {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}

// Without takes o away.
func (s Set) Without(o Set) Set {
	for i := range s {
		s[i] &^= o[i]
	}
	return s
}

// Empty reports that nothing is in the set.
func (s Set) Empty() bool { return s == Set{} }

// Catalogue is the permissions of this installation, the same for every district, and the rules a district starts
// with. It never changes while the program runs.
type Catalogue struct {
	definitions []Definition
	index       map[Permission]int
	rules       []Rule
	scoped      [3]Set // the permissions of each scope, by Kind.width
}

func newCatalogue(definitions []Definition, rules []Rule) *Catalogue {
	c := &Catalogue{definitions: definitions, index: make(map[Permission]int, len(definitions)), rules: rules}
	for i, d := range definitions {
		c.index[d.Permission] = i
		c.scoped[d.Scope.width()].add(i)
	}
	return c
}

// Definitions lists the permissions in the order they are shown; a permission's place in it is its bit in a Set.
func (c *Catalogue) Definitions() []Definition { return slices.Clone(c.definitions) }

// Find returns a permission's definition and its place in the catalogue.
func (c *Catalogue) Find(p Permission) (d Definition, at int, known bool) {
	at, known = c.index[p]
	if known {
		d = c.definitions[at]
	}
	return d, at, known
}

// Rules is what a district starts with.
func (c *Catalogue) Rules() []Rule { return slices.Clone(c.rules) }

// Set gathers permissions; unknown ones are left out.
func (c *Catalogue) Set(permissions ...Permission) (s Set) {
	for _, p := range permissions {
		if i, known := c.index[p]; known {
			s.add(i)
		}
	}
	return s
}

// Permissions lists a set's members in the catalogue's order.
func (c *Catalogue) Permissions(s Set) (list []Permission) {
	for i, d := range c.definitions {
		if s.Has(i) {
			list = append(list, d.Permission)
		}
	}
	return list
}
