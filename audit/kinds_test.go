package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// TestEveryActionIsListed reads the constants: one that is missing from the list could not be filtered by.
func TestEveryActionIsListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "audit.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Action" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if a := Action(text); !slices.Contains(Actions(), a) || !slices.Contains(OfKind(a.Kind()), a) || !slices.Contains(Kinds(), a.Kind()) {
			t.Errorf("%s is in no list", a)
		}
		return true
	})
	if found < 16 || found != len(Actions()) {
		t.Errorf("%d constants, %d actions in the list", found, len(Actions()))
	}
	if len(OfKind("nothing")) != 0 {
		t.Error("a kind that does not exist has actions")
	}
}
