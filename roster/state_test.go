package roster

import "hallpass/models/modelstest"

// state gives what the district is, for comparing two ways to it.
func (w *world) state() map[string][]string {
	w.Helper()
	out, err := modelstest.State(w.Context(), w.look)
	w.must(err)
	return out
}
