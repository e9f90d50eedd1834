package views

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed locales/*.json
var localeFiles embed.FS

// catalogue is one language, taken apart once at start: a list page asks for
// several hundred words, so plain ones are one map look-up and the others are
// strings to be joined. The files have go-i18n's form, and a test holds the answers
// against go-i18n's own.
type catalogue struct {
	tag   language.Tag
	plain map[string]string
	forms map[string]*[formCount]message
}

// The plural forms that English and Spanish have for whole numbers.
const (
	formOther = iota
	formOne
	formMany
	formCount
)

// message is words with places: text, name, text, name, …, text.
type message []string

var catalogues = loadCatalogues()

func loadCatalogues() map[string]*catalogue {
	all := make(map[string]*catalogue, len(Languages))
	for _, lang := range Languages {
		c, err := loadCatalogue(lang)
		if err != nil {
			panic(err) // an embedded file is wrong: nothing can start
		}
		all[lang] = c
	}
	return all
}

func loadCatalogue(lang string) (*catalogue, error) {
	name := "locales/" + lang + ".json"
	buf, err := localeFiles.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	parsed, err := i18n.ParseMessageFileBytes(buf, lang+".json", map[string]i18n.UnmarshalFunc{"json": json.Unmarshal})
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	c := &catalogue{
		tag:   language.Make(lang),
		plain: make(map[string]string, len(parsed.Messages)),
		forms: make(map[string]*[formCount]message),
	}
	for _, m := range parsed.Messages {
		if m.One == "" && m.Many == "" && !strings.Contains(m.Other, "{{") {
			c.plain[m.ID] = m.Other
			continue
		}
		forms := &[formCount]message{formOther: compile(m.Other), formOne: compile(m.Other), formMany: compile(m.Other)}
		if m.One != "" {
			forms[formOne] = compile(m.One)
		}
		if m.Many != "" {
			forms[formMany] = compile(m.Many)
		}
		c.forms[m.ID] = forms
	}
	return c, nil
}

// compile takes "a {{.X}} b" apart into a, X, b.
func compile(text string) message {
	var m message
	for {
		before, rest, found := strings.Cut(text, "{{.")
		m = append(m, before)
		if !found {
			return m
		}
		name, after, _ := strings.Cut(rest, "}}")
		m = append(m, name)
		text = after
	}
}

func (m message) fill(pairs []string) string {
	if len(m) == 1 {
		return m[0]
	}
	var b strings.Builder
	size := 0
	for i := 0; i < len(m); i += 2 {
		size += len(m[i])
	}
	for i := 1; i < len(pairs); i += 2 {
		size += len(pairs[i])
	}
	b.Grow(size)
	stopped := false // a value ended in a full stop: "6:02 a. m." needs no second one
	for i, part := range m {
		if i%2 == 0 {
			if stopped {
				part = strings.TrimPrefix(part, ".")
			}
			b.WriteString(part)
			continue
		}
		stopped = false
		for p := 0; p+1 < len(pairs); p += 2 {
			if pairs[p] == part {
				b.WriteString(pairs[p+1])
				stopped = strings.HasSuffix(pairs[p+1], ".")
				break
			}
		}
	}
	return b.String()
}

// pluralForm picks the form of a whole number by CLDR's rules.
func (c *catalogue) pluralForm(n int) int {
	if n < 0 {
		n = -n
	}
	switch plural.Cardinal.MatchPlural(c.tag, n, 0, 0, 0, 0) {
	case plural.One:
		return formOne
	case plural.Many:
		return formMany
	default:
		return formOther
	}
}

// key marks a catalogue key that is chosen here and looked up elsewhere, for the
// test that compares the keys in use with the catalogues.
func key(k string) string { return k }
