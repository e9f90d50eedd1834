package assets

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestEveryFileIsServedUnderItsHash(t *testing.T) {
	shape := regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{12}\.(css|js|svg)$`)
	for _, r := range recipes {
		url := URL(r.name)
		if !shape.MatchString(url) {
			t.Errorf("%s is at %s", r.name, url)
		}
		content, typ, ok := Open(url)
		if !ok || len(content) == 0 || typ != r.typ {
			t.Errorf("%s: %d bytes, type %q, found %t", url, len(content), typ, ok)
		}
		packed, _, ok := OpenGzip(url)
		if !ok || len(packed) >= len(content) {
			t.Errorf("%s: %d bytes packed, %d plain", url, len(packed), len(content))
		}
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(unpacked, content) {
			t.Errorf("%s unpacks to something else: %v", url, err)
		}
	}
}

func TestOpenFindsNothingElse(t *testing.T) {
	for _, path := range []string{"", "/", "app.css", "/assets/app.css", "/assets/app.000000000000.css", "css/10-tokens.css", "../assets.go", "/assets/../assets.go"} {
		if _, _, ok := Open(path); ok {
			t.Errorf("Open(%q) found a file", path)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown name has a URL")
		}
	}()
	URL("nothing.css")
}

// The content security policy allows this origin only, and no data: addresses.
func TestStylesheetFetchesNothing(t *testing.T) {
	css, _, _ := Open(URL("app.css"))
	for _, refused := range []string{"url(", "@import", "data:", "http"} {
		if bytes.Contains(css, []byte(refused)) {
			t.Errorf("the stylesheet contains %s", refused)
		}
	}
	if open, shut := bytes.Count(css, []byte("{")), bytes.Count(css, []byte("}")); open != shut {
		t.Errorf("%d braces open, %d close", open, shut)
	}
	if i, j := bytes.Index(css, []byte("@layer reset, tokens")), bytes.Index(css, []byte("@layer reset {")); i < 0 || j < i {
		t.Error("the order of the layers is not stated first")
	}
}

func TestScriptStaysInsideThePolicy(t *testing.T) {
	js, _, _ := Open(URL("app.js"))
	for _, refused := range []string{"eval(", "new Function", "innerHTML", ".style.", "http:", "https:"} {
		if bytes.Contains(js, []byte(refused)) {
			t.Errorf("the script contains %s", refused)
		}
	}
}

func TestSpriteIsSoundAndHasNoDuplicates(t *testing.T) {
	svg, _, _ := Open(URL("icons.svg"))
	seen := map[string]bool{}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "symbol" {
			continue
		}
		for _, a := range start.Attr {
			if a.Name.Local == "id" {
				if seen[a.Value] {
					t.Errorf("icon %q stands twice", a.Value)
				}
				seen[a.Value] = true
			}
		}
	}
	if len(seen) < 20 || strings.Contains(string(svg), "style=") {
		t.Errorf("%d icons", len(seen))
	}
}
