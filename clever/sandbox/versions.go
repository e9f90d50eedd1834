package sandbox

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
	if c.kind == "events" {
		return append(b, event30(e.extra.json)...)
	}
	o := fields(e.extra.json)
	if o == nil {
		return c.append(b, e)
	}
	b, _ = appendJSON(b, as30(o))
	return b
}
