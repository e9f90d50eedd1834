package handlers

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"hallpass/clever/sandbox"
)

// TestTheDescriptionHolds: the OpenAPI file that is served describes what is asked in its examples and what is
// answered to them, errors included, and every route of the API.
func TestTheDescriptionHolds(t *testing.T) {
	c := newConsole(t)
	a := c.browser().get(openAPIPath)
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("status %d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	fits := func(what string, schema *openapi3.SchemaRef, body string) {
		t.Helper()
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s: %v\n%s", what, err, body)
		}
	}
	described := 0
	p := program{c, c.key(true)}
	section := "section:" + sandbox.CoTaughtSectionID
	more := map[string][]string{
		evaluationPath:     {q("user:"+sandbox.TeacherUserID, "grades.edit", section), q("user:nobody", "fly", "planet:x"), q("user:"+sandbox.AllRolesUserID, "roster.view", section)},
		evaluationsPath:    {`{"evaluations":[{},` + q("user:"+sandbox.TeacherUserID, "grades.edit", section) + `]}`},
		searchSubjectPath:  {q("user:x", "grades.edit", section), q("account:x", "grades.edit", section)},
		searchResourcePath: {q("user:"+sandbox.TeacherUserID, "grades.edit", "section:x")},
		searchActionPath:   {q("user:"+sandbox.TeacherUserID, "x", section)},
	}
	c.override(sandbox.TeacherUserID, "grades.edit", true, "2090-01-01")
	for path, item := range doc.Paths.Map() {
		described++
		if item.Get != nil {
			a := c.browser().get(path)
			fits(path, item.Get.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema, a.body)
			continue
		}
		media := item.Post.RequestBody.Value.Content["application/json"]
		example, err := json.Marshal(media.Example)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range append(more[path], string(example)) {
			if path != evaluationsPath {
				fits("question at "+path, media.Schema, body)
			}
			a := p.send(path, strings.NewReader(body))
			answered := item.Post.Responses.Status(a.StatusCode)
			if a.StatusCode != http.StatusOK || answered == nil {
				t.Fatalf("%s: status %d, %s", path, a.StatusCode, a.body)
			}
			fits("answer at "+path, answered.Value.Content["application/json"].Schema, a.body)
		}
		for _, a := range []answer{p.send(path, strings.NewReader("[]")), program{c, ""}.send(path, strings.NewReader("{}")), p.send(path, strings.NewReader(strings.Repeat(" ", 2<<20)))} {
			answered := item.Post.Responses.Status(a.StatusCode)
			if answered == nil {
				t.Errorf("%s: status %d is not described", path, a.StatusCode)
				continue
			}
			fits("error at "+path, answered.Value.Content["application/json"].Schema, a.body)
		}
	}
	for _, r := range c.server.routes() {
		if isAPI(r.path) && doc.Paths.Find(r.path) == nil && r.path != openAPIPath && r.path != "/healthz" && r.path != "/readyz" {
			t.Errorf("%s is not described", r.path)
		}
	}
	if described < 6 {
		t.Errorf("%d paths are described", described)
	}
}
