package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hallpass/clever/sandbox"
	"hallpass/imports"
)

// upload sends a file as the form does, and gives the address of its page.
func (b *browser) upload(name, text string) string {
	b.c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.c.t.Context(), http.MethodPost, b.c.url+adminBase+"imports", &body)
	if err != nil {
		b.c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", b.c.url)
	a := b.stepWith(r)
	if a.StatusCode != http.StatusSeeOther {
		b.c.t.Fatalf("upload: status %d\n%s", a.StatusCode, a.body)
	}
	return a.Header.Get("Location")
}

func (c *console) workImport(path string) {
	c.t.Helper()
	id, err := strconv.ParseInt(path[strings.LastIndex(path, "/")+1:], 10, 64)
	if err == nil {
		err = imports.Work(c.t.Context(), c.store, c.district, id)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// A file from its upload to its undo: looked at first, which changes nothing, then applied, then taken back.
func TestAFileFromUploadToUndo(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	counts := func() string {
		return strings.Join(c.rows(`SELECT (SELECT count(*) FROM imported_accounts) || ' ' || (SELECT count(*) FROM users WHERE clever_id IS NULL AND ended_at IS NULL)`), "")
	}
	bad := admin.upload("bad.csv", "account_id,role\n1,teacher\n1,teacher\n")
	if text := admin.get(bad).doc(t).Find("main").Text(); !strings.Contains(text, "Nothing") || counts() != "0 0" {
		t.Errorf("a file with a wrong row: %s, %s", counts(), text)
	}
	at := admin.upload("accounts.csv", "account_id,role,first_name,last_name,email\nU1,teacher,Odile,Ferrant,o@example.org\nU2,staff,Lost,Soul,l@example.org\n")
	page := admin.get(at)
	if text := page.doc(t).Find("main").Text(); !strings.Contains(text, "Bring in 2 accounts") || counts() != "0 0" {
		t.Fatalf("looked at: %s, %s", counts(), text)
	}
	button := fields(t, page, at+"/apply")
	for range 2 { // the second click of two
		if a := admin.send(at+"/apply", button); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("apply: status %d", a.StatusCode)
		}
	}
	c.workImport(at)
	if counts() != "2 2" {
		t.Errorf("applied: %s", counts())
	}
	c.wantCountsRight("brought in")
	for query, want := range map[string]int{"status=imported": 2, "status=imported&q=odile": 1, "status=imported&role=teacher": 0, "status=imported&sort=-changed": 2} {
		if n := admin.get(adminBase + "users?" + query).doc(t).Find(".people tbody tr").Length(); n != want {
			t.Errorf("%s: %d people, want %d", query, n, want)
		}
	}
	undo := admin.get(at + "/undo")
	if a := admin.send(at+"/undo", fields(t, undo, at+"/undo")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo: status %d", a.StatusCode)
	}
	c.workImport(at)
	if counts() != "0 0" {
		t.Errorf("taken back: %s", counts())
	}
	c.wantCountsRight("taken back")
}

// A file that is too large is not taken, not even the part of it that would have been within the limit, and whoever
// sends it is told so while it is on its way.
func TestAFileTooLarge(t *testing.T) {
	const most = 1 << 20
	c := newConsole(t, func(cfg *Config) { cfg.MaxUpload = most })
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	if at, _ := admin.get(adminBase + "imports").doc(t).Find("#file").Attr("data-most"); at != strconv.Itoa(most) {
		t.Errorf("the form says %q", at)
	}
	row := func(i int) string { return fmt.Sprintf("%08d,teacher,Some,Body\n", i) }
	head := "account_id,role,first_name,last_name\n"
	// The whole of it is rows that are right, and the limit lies between two of them.
	head += strings.Repeat("\n", (most-len(head))%len(row(0)))
	within := (most - len(head)) / len(row(0))
	for _, f := range []struct {
		name   string
		rows   int
		length bool // told before
		wrong  string
	}{
		{"just right", within, false, ""},
		{"one row more", within + 1, false, "1 GB"},
		{"said to be too large", 40 * within, true, "1 GB"},
		{"endless", 40 * within, false, "1 GB"},
	} {
		body, end := io.Pipe()
		form := multipart.NewWriter(end)
		go func() {
			part, err := form.CreateFormFile("file", f.name+".csv")
			if err == nil {
				_, err = io.WriteString(part, head)
			}
			for i := 0; i < f.rows && err == nil; i++ {
				_, err = io.WriteString(part, row(i))
			}
			_ = end.CloseWithError(errors.Join(err, form.Close()))
		}()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+adminBase+"imports", body)
		if err != nil {
			t.Fatal(err)
		}
		if f.length {
			r.ContentLength = 1 << 40
		}
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Origin", c.url)
		a := admin.stepWith(r)
		body.Close()
		if a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: status %d", f.name, a.StatusCode)
		}
		text := admin.get(a.Header.Get("Location")).doc(t).Find("main").Text()
		if f.wrong == "" && !strings.Contains(text, "Bring in") || f.wrong != "" && (!strings.Contains(text, f.wrong) || !strings.Contains(text, "Nothing was imported")) {
			t.Errorf("%s: %s", f.name, text)
		}
	}
	if staged := strings.Join(c.rows(`SELECT count(*) || ' ' || count(DISTINCT import_id) FROM import_rows`), ""); staged != fmt.Sprintf("%d 1", within) {
		t.Errorf("kept are %s rows and files, want those of the one that fits: %d", staged, within)
	}
}
