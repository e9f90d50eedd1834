package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// TestRulesOfALargeCatalogue: an app's catalogue of 200 permissions is ticked in every column, applied and undone.
func TestRulesOfALargeCatalogue(t *testing.T) {
	shipped, err := os.ReadFile("../access/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, rules, found := strings.Cut(string(shipped), "\nrules:")
	if !found {
		t.Fatal("the shipped catalogue has no rules")
	}
	var file strings.Builder
	file.WriteString(head)
	more := 200 - len(access.ShippedCatalogue().Definitions())
	for i := range more {
		fmt.Fprintf(&file, "\n  - {name: lessons.of_the_day_and_of_the_week.number_%03d, scope: section, en: \"Do the lesson number %d.\", es: \"Hacer la lección número %d.\"}", i, i, i)
	}
	file.WriteString("\nrules:" + rules)
	catalogue, err := access.ParseCatalogue([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	at := ""
	c := newConsoleOver(t, func(_ *testing.T, database string) string { at = database; return database }, func(cfg *Config) {
		store, err := models.Open(t.Context(), models.Config{URL: at, Now: cfg.Now, MaxConns: 4, StatementTimeout: patience, Catalogue: catalogue})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(store.Close)
		cfg.Store = store
	})
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	label := strings.Repeat("Coach of everything ", 4)
	form := fields(t, admin.get(adminBase+"rules/edit?"+url.Values{"label": {label}}.Encode()), adminBase+"rules/preview")
	columns := len(form["row"])
	for i := range columns {
		form.Del(fmt.Sprint("r", i))
		for _, d := range catalogue.Definitions() {
			form.Add(fmt.Sprint("r", i), string(d.Permission))
		}
	}
	if n := len(form.Encode()); columns < 5 || n < 20_000 {
		t.Fatalf("%d columns and a form of %d bytes try nothing", columns, n)
	}
	preview := admin.send(adminBase+"rules/preview", form)
	if preview.StatusCode != http.StatusOK {
		t.Fatalf("preview: status %d", preview.StatusCode)
	}
	apply := fields(t, preview, adminBase+"rules")
	if n := len(apply.Encode()); n <= 64<<10 {
		t.Errorf("the preview carries %d bytes, less than any other form may: this tries nothing", n)
	}
	made := admin.send(adminBase+"rules", apply)
	receipt := made.Header.Get("Location")
	if made.StatusCode != http.StatusSeeOther || len(c.rules()) < more*(columns-2) {
		t.Fatalf("status %d, %d rules changed", made.StatusCode, len(c.rules()))
	}
	if a := admin.send(receipt+"/undo", fields(t, admin.get(receipt+"/undo"), receipt+"/undo")); a.StatusCode != http.StatusSeeOther || len(c.rules()) != 0 {
		t.Errorf("undo: status %d, %d rules left", a.StatusCode, len(c.rules()))
	}
}
