package models

// Lists of a few hundred people take every strategy when the bounds are small, and a dozen people fill several slices.
func init() {
	listBounds.probe, listBounds.fence, listBounds.count = 60, 90, 120
	countedSlice = 3
}
