package views

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"hallpass/assets"
)

// TestStorybook draws every sample page. With STORYBOOK_DIR set it also leaves them
// there with their assets, to be served and looked at:
//
//	STORYBOOK_DIR=$(mktemp -d) go test ./views -run Storybook
func TestStorybook(t *testing.T) {
	dir := os.Getenv("STORYBOOK_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, name := range []string{"app.css", "app.js", "htmx.js", "icons.svg", "favicon.svg"} {
		path := assets.URL(name)
		content, _, ok := assets.Open(path)
		if !ok {
			t.Fatalf("no asset at %s", path)
		}
		write(t, filepath.Join(dir, path), content)
	}
	for _, lang := range Languages {
		pages := samples(lang)
		for name, page := range hostilePages(lang) {
			pages["hostile-"+name] = page
		}
		for name, page := range pages {
			f, err := os.Create(filepath.Join(dir, lang+"-"+name+".html"))
			if err != nil {
				t.Fatal(err)
			}
			if err := page.Render(context.Background(), f); err != nil {
				t.Errorf("draw %s in %s: %v", name, lang, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
