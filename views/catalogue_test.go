package views

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// calls are the functions whose first text is a catalogue key.
var calls = map[string]bool{"T": true, "TF": true, "TN": true, "F": true, "N": true, "key": true}

// keysInUse reads every Go file of the module, generated ones included, and gives the
// keys that are asked for with the place of one use.
func keysInUse(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		inViews := filepath.Base(filepath.Dir(path)) == "views"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !asksForWords(call, inViews) {
				return true
			}
			for _, arg := range call.Args[:min(2, len(call.Args))] {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					k, _ := strconv.Unquote(lit.Value)
					used[k] = fset.Position(lit.Pos()).String()
					break
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

func asksForWords(call *ast.CallExpr, inViews bool) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return inViews && calls[f.Name]
	case *ast.SelectorExpr:
		if !calls[f.Sel.Name] {
			return false
		}
		if inViews {
			return true
		}
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "views"
	}
	return false
}

func catalogueFile(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	buf, err := os.ReadFile("locales/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(buf, &raw); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	all := make(map[string]map[string]string, len(raw))
	for k, v := range raw {
		all[k] = map[string]string{}
		switch v := v.(type) {
		case string:
			all[k]["other"] = v
		case map[string]any:
			for form, text := range v {
				all[k][form] = text.(string)
			}
		}
	}
	return all
}

func TestEveryKeyInUseIsInBothLanguages(t *testing.T) {
	used := keysInUse(t)
	if len(used) < 400 {
		t.Fatalf("only %d keys found in the sources: the search is broken", len(used))
	}
	for _, lang := range Languages {
		have := catalogueFile(t, lang)
		for k, where := range used {
			if _, ok := have[k]; !ok {
				t.Errorf("%s: %q, used at %s, is missing", lang, k, where)
			}
		}
		for k := range have {
			if _, ok := used[k]; !ok {
				t.Errorf("%s: %q is used nowhere", lang, k)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func TestLanguagesAgreeOnPlaceholdersAndForms(t *testing.T) {
	en, es := catalogueFile(t, "en"), catalogueFile(t, "es")
	names := func(forms map[string]string) []string {
		found := map[string]bool{}
		for _, text := range forms {
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				if m[1] != "Count" { // "at one school" needs no number
					found[m[1]] = true
				}
			}
		}
		return slices.Sorted(maps.Keys(found))
	}
	for k, forms := range en {
		if got, want := names(es[k]), names(forms); !slices.Equal(got, want) {
			t.Errorf("%s: es has places %v, en has %v", k, got, want)
		}
		if len(es[k]) != len(forms) {
			t.Errorf("%s: es has %d forms, en has %d", k, len(es[k]), len(forms))
		}
		for lang, forms := range map[string]map[string]string{"en": forms, "es": es[k]} {
			for form, text := range forms {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %s %s is empty", k, lang, form)
				}
				if strings.Count(text, "{{") != len(placeholder.FindAllString(text, -1)) {
					t.Errorf("%s: %s %s has a place that is not {{.Name}}: %s", k, lang, form, text)
				}
			}
		}
	}
}

// The catalogues are taken apart for speed; what they say must be what go-i18n says.
func TestWordsAreGoI18nsWords(t *testing.T) {
	for _, lang := range Languages {
		bundle := i18n.NewBundle(language.English)
		bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
		if _, err := bundle.LoadMessageFileFS(localeFiles, "locales/"+lang+".json"); err != nil {
			t.Fatal(err)
		}
		theirs, ours := i18n.NewLocalizer(bundle, lang), NewLocale(lang, sampleNow, nil)
		for k, forms := range catalogueFile(t, lang) {
			data := map[string]string{}
			var pairs []string
			for _, text := range forms {
				for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
					if _, ok := data[m[1]]; !ok {
						data[m[1]] = "<" + m[1] + ">"
						pairs = append(pairs, m[1], "<"+m[1]+">")
					}
				}
			}
			for _, n := range []int{0, 1, 2, 5, 1000, 1_000_000} {
				if len(forms) == 1 {
					break
				}
				data["Count"] = ours.Num(n)
				want, err := theirs.Localize(&i18n.LocalizeConfig{MessageID: k, TemplateData: data, PluralCount: n})
				if err != nil && want == "" {
					t.Fatalf("%s %s %d: %v", lang, k, n, err)
				}
				if got := ours.N(k, n, dropCount(pairs)...); got != want {
					t.Errorf("%s %s %d: got %q, go-i18n says %q", lang, k, n, got, want)
				}
			}
			if len(forms) == 1 {
				data["Count"] = "<Count>"
				want, err := theirs.Localize(&i18n.LocalizeConfig{MessageID: k, TemplateData: data})
				if err != nil {
					t.Fatalf("%s %s: %v", lang, k, err)
				}
				if got := ours.F(k, pairs...); got != want {
					t.Errorf("%s %s: got %q, go-i18n says %q", lang, k, got, want)
				}
			}
		}
	}
}

func dropCount(pairs []string) []string {
	var rest []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "Count" {
			rest = append(rest, pairs[i], pairs[i+1])
		}
	}
	return rest
}

// A name can hold anything, also what looks like a place.
func TestValuesAreNotReadAsPlaces(t *testing.T) {
	l := NewLocale("en", sampleNow, nil)
	if got, want := l.F("users.title_from", "Name", "{{.Name}} & <b>"), "People, from {{.Name}} & <b>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkPlainWord(b *testing.B) {
	l := NewLocale("es", sampleNow, nil)
	for b.Loop() {
		_ = l.T("users.title")
	}
}

func BenchmarkPluralWord(b *testing.B) {
	l := NewLocale("es", sampleNow, nil)
	for b.Loop() {
		_ = l.N("grants.more", 3)
	}
}
