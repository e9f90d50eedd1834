package models

import "testing"

// A statement that was read before gets its own arguments each time, and one that lacks an argument is refused: it would
// compare with NULL and find nobody.
func TestStatementsGetTheirArgumentsByName(t *testing.T) {
	const sql = `SELECT 'a@b', @one, @two, @one`
	for _, given := range []named{{"one": 1, "two": 2}, {"one": "x", "two": nil, "more": true}} {
		text, args, err := given.RewriteQuery(t.Context(), nil, sql, nil)
		if err != nil || text != `SELECT 'a@b', $1, $2, $1` || len(args) != 2 || args[0] != given["one"] || args[1] != given["two"] {
			t.Errorf("%v became %q with %v: %v", given, text, args, err)
		}
	}
	for range 2 { // read anew, and known
		if _, args, err := (named{"one": 1}).RewriteQuery(t.Context(), nil, sql+` -- more`, nil); err == nil {
			t.Errorf("a missing argument became %v", args)
		}
	}
}
