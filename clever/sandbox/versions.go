package sandbox

import "encoding/json"

// only31 are the fields that v3.0 does not have, on a user and in a student
// role. Generated records have none of them.
var only31 = []string{
	"lms_status", "preferred_name", "iep_status", "frl_status", "gifted_status", "section_504_status",
	"disability", "home_language", "home_language_code",
}

// record appends a record in the request's version.
func (q *request) record(c *collection, b []byte, e entry) []byte {
	if e.extra == nil || q.v31() {
		return c.append(b, e)
	}
	var o map[string]any
	if json.Unmarshal(e.extra.json, &o) != nil {
		return c.append(b, e)
	}
	roles, _ := o["roles"].(map[string]any)
	student, _ := roles["student"].(map[string]any)
	for _, key := range only31 {
		delete(o, key)
		delete(student, key)
	}
	b, _ = appendJSON(b, o)
	return b
}
