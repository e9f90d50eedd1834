package models

// Lists of a few hundred people take every strategy when the bounds are small.
func init() {
	listBounds.probe, listBounds.fence, listBounds.count = 60, 90, 120
}
