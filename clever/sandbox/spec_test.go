package sandbox_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"

	"hallpass/clever/sandbox"
)

// TestAnswersFitCleversOwnSpec checks answers of every path against the Swagger
// file that Clever publishes. Fields that the spec does not know are refused in
// records, so that nothing is made up.
func TestAnswersFitCleversOwnSpec(t *testing.T) {
	doc := cleverSpec(t)
	f := newFixture(t, sandbox.Options{Seed: 7, Districts: 2})
	for _, path := range specPaths(f) {
		t.Run(path, func(t *testing.T) {
			status, body := f.get(t, "/v3.1"+path)
			if status != 200 {
				t.Fatalf("status %d: %s", status, body)
			}
			pattern := specPattern(path)
			item := doc.Paths.Value(pattern)
			if item == nil {
				t.Fatalf("the spec has no path %s", pattern)
			}
			schema := item.Get.Responses.Status(200).Value.Content.Get("application/json").Schema.Value
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Fatal(err)
			}
			if err := schema.VisitJSON(v, openapi3.MultiErrors()); err != nil {
				t.Errorf("%v\n%.2000s", err, body)
			}
		})
	}
	t.Run("not found", func(t *testing.T) {
		status, body := f.get(t, "/v3.1/users/000000000000000000000000")
		var v struct {
			Message string `json:"message"`
		}
		if err := json.Unmarshal(body, &v); err != nil || status != 404 || v.Message == "" {
			t.Errorf("status %d, body %s", status, body)
		}
	})
}

func specPaths(f *fixture) []string {
	paths := []string{
		"/users?limit=500", "/users?role=staff", "/users?role=district_admin", "/users?role=contact", "/users?role=teacher",
		"/users?role=student", "/schools", "/sections", "/courses", "/terms", "/districts", "/districts/" + sandbox.SeedDistrictID,
		"/resources", "/users?ending_before=last&limit=10", "/users?limit=3&starting_after=" + sandbox.SeedUserID,
	}
	for _, id := range planted {
		paths = append(paths, "/users/"+id)
	}
	for _, id := range plantedSections {
		paths = append(paths, "/sections/"+id)
	}
	school, section := sandbox.SeedTeacherSchool, sandbox.SeedUserSectionID
	course, term := f.firstID("/v3.1/courses"), f.firstID("/v3.1/terms")
	for _, rel := range []string{"district", "schools", "sections", "myteachers", "mystudents", "mycontacts", "resources"} {
		for _, id := range []string{sandbox.SeedUserID, sandbox.StudentUserID, sandbox.ContactUserID, f.s.UserIDAt(0)} {
			paths = append(paths, "/users/"+id+"/"+rel)
		}
	}
	for _, p := range []string{"", "/users", "/users?primary=true", "/users?role=teacher", "/sections", "/terms", "/courses", "/district"} {
		paths = append(paths, "/schools/"+school+p)
	}
	for _, p := range []string{"/users", "/users?role=student", "/resources", "/course", "/term", "/school", "/district"} {
		paths = append(paths, "/sections/"+section+p)
	}
	for _, p := range []string{"", "/schools", "/sections", "/resources", "/district"} {
		paths = append(paths, "/courses/"+course+p)
	}
	for _, p := range []string{"", "/schools", "/sections", "/district"} {
		paths = append(paths, "/terms/"+term+p)
	}
	return paths
}

// specPattern turns a path with an id into the spec's.
func specPattern(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	if len(parts) > 2 {
		parts[2] = "{id}"
	}
	return strings.Join(parts, "/")
}

// cleverSpec reads the spec from beside the repository, where it is kept out of
// the code's own tree.
func cleverSpec(t *testing.T) *openapi3.T {
	t.Helper()
	return specAt(t, "clever-v3.1.yml")
}

func specAt(t *testing.T, name string) *openapi3.T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(moduleRoot(t), "..", "shared", "clever", name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("Clever's spec is needed where CI=true: %v", err)
		}
		t.Skipf("Clever's spec is not beside this repository: %v", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	for name, def := range tree["definitions"].(map[string]any) {
		strict(name, def.(map[string]any))
	}
	nullableRefs(tree)
	raw, err = json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var v2 openapi2.T
	if err := json.Unmarshal(raw, &v2); err != nil {
		t.Fatal(err)
	}
	v3, err := openapi2conv.ToV3(&v2)
	if err != nil {
		t.Fatal(err)
	}
	return v3
}

// strict makes a record's definition refuse fields that it does not name. Roles
// stay open, for a role that Clever may add is planted.
func strict(name string, def map[string]any) {
	if !strings.HasSuffix(name, "Response") && name != "Roles" && name != "Event" && !strings.Contains(name, ".") {
		def["additionalProperties"] = false
	}
}

// nullableRefs rewrites "$ref" with "x-nullable" beside it, which JSON Schema
// would ignore, to the form that says the same.
func nullableRefs(v any) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && v["x-nullable"] == true {
			delete(v, "$ref")
			v["type"] = "object"
			v["allOf"] = []any{map[string]any{"$ref": ref}}
		}
		for _, c := range v {
			nullableRefs(c)
		}
	case []any:
		for _, c := range v {
			nullableRefs(c)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
