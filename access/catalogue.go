package access

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed catalogue.yaml
var shipped []byte

// ShippedCatalogue is the catalogue the product ships with.
var ShippedCatalogue = sync.OnceValue(func() *Catalogue {
	c, err := ParseCatalogue(shipped)
	if err != nil {
		panic(err) // a test reads the file; a program that was built wrong must not start
	}
	return c
})

// catalogueFile is the form of the YAML file.
type catalogueFile struct {
	// Extends, where it says "shipped", keeps the shipped permissions and rules and adds the file's to them. A
	// permission of the same name and a rule for the same role and label replace the shipped ones.
	Extends     string      `yaml:"extends"`
	Permissions []yaml.Node `yaml:"permissions"`
	Rules       []yaml.Node `yaml:"rules"`
}

type permissionEntry struct {
	Name      Permission `yaml:"name"`
	Scope     Kind       `yaml:"scope"`
	Sensitive bool       `yaml:"sensitive"`
	English   string     `yaml:"en"`
	Spanish   string     `yaml:"es"`
}

type ruleEntry struct {
	Role        Role         `yaml:"role"`
	Label       string       `yaml:"label"`
	Permissions []Permission `yaml:"permissions"`
}

var permissionName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

const maxName, maxSentence = 64, 300 // characters

// ParseCatalogue reads a catalogue file. The error joins every mistake, each with its line.
func ParseCatalogue(text []byte) (*Catalogue, error) {
	r := &catalogueReader{}
	if r.read(text) { // else there is nothing to look at as a whole
		r.check()
	}
	if len(r.faults) == 0 {
		return newCatalogue(r.definitions, r.rules), nil
	}
	slices.SortStableFunc(r.faults, func(a, b catalogueError) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	all := make([]error, len(r.faults))
	for i, f := range r.faults {
		all[i] = f
	}
	return nil, fmt.Errorf("catalogue: %w", errors.Join(all...))
}

// catalogueError is one mistake; line 0 is the file as a whole.
type catalogueError struct {
	line int
	text string
}

func (f catalogueError) Error() string {
	if f.line == 0 {
		return f.text
	}
	return fmt.Sprintf("line %d: %s", f.line, f.text)
}

type catalogueReader struct {
	definitions []Definition
	rules       []Rule
	lines       map[string]int // where the file being read says what
	faults      []catalogueError
}

// everything, in place of a permission, stands for all of the catalogue.
const everything Permission = "*"

// read takes a file in, on top of what was read before, and reports whether it is YAML of the right form at all.
func (r *catalogueReader) read(text []byte) bool {
	var file catalogueFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		r.fault(0, "%v", err) // YAML's own errors name the line
		return false
	}
	switch file.Extends {
	case "":
	case "shipped":
		r.read(shipped)
	default:
		r.fault(0, "extends must be shipped or left out, not %q", file.Extends)
	}
	r.lines = map[string]int{} // what a file says twice is a mistake; what it says anew of the shipped is not
	for i := range file.Permissions {
		r.permission(&file.Permissions[i])
	}
	for i := range file.Rules {
		r.rule(&file.Rules[i])
	}
	return true
}

// check looks at the catalogue as a whole, and writes out what * stands for.
func (r *catalogueReader) check() {
	for p, scope := range consoleNeeds {
		switch at := r.find(p); {
		case at < 0:
			r.fault(0, "permission %s is missing: the console needs it (or write extends: shipped)", p)
		case r.definitions[at].Scope != scope:
			r.fault(r.lines[string(p)], "permission %s must have scope %s: the console relies on it", p, scope)
		}
	}
	if len(r.definitions) > MaxPermissions {
		r.fault(0, "%d permissions are too many: at most %d", len(r.definitions), MaxPermissions)
	}
	for i, rule := range r.rules {
		if slices.Contains(rule.Permissions, everything) {
			r.rules[i].Permissions = nil
			for _, d := range r.definitions {
				r.rules[i].Permissions = append(r.rules[i].Permissions, d.Permission)
			}
		}
		for _, p := range r.rules[i].Permissions {
			if r.find(p) < 0 {
				r.fault(r.lines[rule.name()], "the rule for %s gives %q, which is not in the catalogue", rule.name(), p)
			}
		}
	}
}

func (r *catalogueReader) find(p Permission) int {
	return slices.IndexFunc(r.definitions, func(d Definition) bool { return d.Permission == p })
}

// first reports a thing that the file says twice, and otherwise notes where it says it.
func (r *catalogueReader) first(what string, line int) bool {
	if before, twice := r.lines[what]; twice {
		r.fault(line, "%s is defined already on line %d", what, before)
		return false
	}
	r.lines[what] = line
	return true
}

func (r *catalogueReader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, catalogueError{line, fmt.Sprintf(format, args...)})
}

// decode reads one entry and reports keys that mean nothing: a misspelt "sensitive" must not pass for false.
func (r *catalogueReader) decode(node *yaml.Node, into any, keys ...string) bool {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		r.fault(node.Line, "want an entry with %v", keys)
		return false
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			r.fault(key.Line, "unknown key %q: want %v", key.Value, keys)
		}
	}
	if err := node.Decode(into); err != nil {
		r.fault(node.Line, "%v", err)
		return false
	}
	return true
}

func (r *catalogueReader) permission(node *yaml.Node) {
	var e permissionEntry
	if !r.decode(node, &e, "name", "scope", "sensitive", "en", "es") {
		return
	}
	if len(e.Name) > maxName || !permissionName.MatchString(string(e.Name)) {
		r.fault(node.Line, "permission name %q: want words of a-z, 0-9 and _ with dots between, such as grades.edit, at most %d characters", e.Name, maxName)
		return
	}
	if !r.first(string(e.Name), node.Line) {
		return
	}
	if e.Scope.width() < 0 {
		r.fault(node.Line, "permission %s: scope %q is not section, school or district", e.Name, e.Scope)
		e.Scope = District
	}
	for _, s := range []struct{ language, text string }{{"en", e.English}, {"es", e.Spanish}} {
		if s.text == "" || len([]rune(s.text)) > maxSentence {
			r.fault(node.Line, "permission %s: %s must be a sentence of 1 to %d characters", e.Name, s.language, maxSentence)
		}
	}
	d := Definition{e.Name, e.Scope, e.Sensitive, e.English, e.Spanish}
	if at := r.find(e.Name); at >= 0 {
		r.definitions[at] = d
		return
	}
	r.definitions = append(r.definitions, d)
}

func (r *catalogueReader) rule(node *yaml.Node) {
	var e ruleEntry
	if !r.decode(node, &e, "role", "label", "permissions") {
		return
	}
	switch {
	case !e.Role.WorksHere():
		r.fault(node.Line, "role %q: want teacher, staff or district_admin; students and contacts get nothing", e.Role)
		return
	case e.Label != "" && e.Role != Staff:
		r.fault(node.Line, "label %q: only staff carry labels", e.Label)
		return
	}
	rule := Rule(e)
	if !r.first(rule.name(), node.Line) {
		return
	}
	if at := slices.IndexFunc(r.rules, func(o Rule) bool { return o.name() == rule.name() }); at >= 0 {
		r.rules[at] = rule
		return
	}
	r.rules = append(r.rules, rule)
}
