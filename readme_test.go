package main

import (
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestREADMEPictures: the committed pictures are there, and as wide as README shows them.
func TestREADMEPictures(t *testing.T) {
	for _, name := range []string{"users", "user"} {
		f, err := os.Open(filepath.Join("docs", "images", name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if size, _, err := image.DecodeConfig(f); err != nil || size.Width != 1280 || size.Height < 800 {
			t.Errorf("%s: %v, %d by %d pixels", f.Name(), err, size.Width, size.Height)
		}
	}
}
