// Package assets owns the files a browser fetches beside a page: the one
// stylesheet, the one script module, the icon sprite, the favicon and the
// vendored htmx. It gives each a name with a hash of its content, so that it may
// be cached for ever, and knows nothing of HTTP: a handler asks Open and writes
// the headers.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// Prefix is where the files are served; every URL begins with it.
const Prefix = "/assets/"

//go:embed css/*.css js/app.js icons.svg favicon.svg vendor/htmx-4.0.1.min.js
var source embed.FS

// file is one served file with its compressed twin.
type file struct {
	content []byte
	gzip    []byte
	typ     string
}

// recipes lists what is served and what it is made of. A pattern with several
// matches is joined in name order: the stylesheet is written in parts and served
// as one.
var recipes = []struct{ name, pattern, typ string }{
	{"app.css", "css/*.css", "text/css; charset=utf-8"},
	{"app.js", "js/app.js", "text/javascript; charset=utf-8"},
	{"htmx.js", "vendor/htmx-4.0.1.min.js", "text/javascript; charset=utf-8"},
	{"icons.svg", "icons.svg", "image/svg+xml"},
	{"favicon.svg", "favicon.svg", "image/svg+xml"},
}

// built at start: plain name to URL, and served name to file.
var urls, served = build()

func build() (map[string]string, map[string]file) {
	urls := make(map[string]string, len(recipes))
	served := make(map[string]file, len(recipes))
	for _, r := range recipes {
		content, err := join(r.pattern)
		if err != nil {
			panic(fmt.Sprintf("build asset %s: %v", r.name, err)) // an embedded file is missing: nothing can start
		}
		sum := sha256.Sum256(content)
		stem, ext, _ := strings.Cut(r.name, ".")
		name := stem + "." + hex.EncodeToString(sum[:6]) + "." + ext
		urls[r.name] = Prefix + name
		served[name] = file{content: content, gzip: compress(content), typ: r.typ}
	}
	return urls, served
}

func join(pattern string) ([]byte, error) {
	names, err := fs.Glob(source, pattern)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("nothing matches %s", pattern)
	}
	var all bytes.Buffer
	for _, name := range names {
		part, err := source.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all.Write(part)
		all.WriteByte('\n')
	}
	return all.Bytes(), nil
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is a valid constant
	_, _ = w.Write(content)                                 // a bytes.Buffer does not fail
	_ = w.Close()
	return out.Bytes()
}

// URL gives the address of a served file by its plain name (app.css, app.js,
// htmx.js, icons.svg, favicon.svg). The address changes whenever the content
// does. An unknown name is a mistake in the program and panics.
func URL(name string) string {
	url, ok := urls[name]
	if !ok {
		panic("assets: no file named " + name)
	}
	return url
}

// Open gives the content and type of a file by the path in its URL, with or
// without Prefix. ok is false for everything else, older hashes included. The
// content must not be changed, and may be cached for ever.
func Open(path string) (content []byte, contentType string, ok bool) {
	f, ok := served[strings.TrimPrefix(path, Prefix)]
	return f.content, f.typ, ok
}

// OpenGzip is Open for a client that accepts gzip: the answer needs
// "Content-Encoding: gzip" and "Vary: Accept-Encoding".
func OpenGzip(path string) (content []byte, contentType string, ok bool) {
	f, ok := served[strings.TrimPrefix(path, Prefix)]
	return f.gzip, f.typ, ok
}
