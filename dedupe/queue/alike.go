package queue

import (
	"context"
	"maps"
	"slices"

	"hallpass/dedupe"
	"hallpass/models"
)

// alike finds whom some people are worth comparing with: who shares their blocks. Most of those in a block of names are
// somebody else as their names alone tell, and are left out before the rest about them is read: in a large district,
// some three hundred for one person.
func alike(ctx context.Context, tx *models.Tx, model *dedupe.Model, mine []dedupe.Record, blocks []models.DedupeBlock) ([]int64, error) {
	in := make(map[int64]models.DedupeBlock, len(blocks))
	for _, block := range blocks {
		in[block.Hash] = block
	}
	sure := map[int64]bool{}   // to be read whatever their names are
	asked := map[int64][]int{} // and those whom their names may rule out, with the people whose block they are in
	for i := range mine {
		keys := dedupe.Keys(&mine[i])
		// Of a strong block that is too large nobody says who is in it: it may be anybody.
		all := slices.ContainsFunc(keys, func(key dedupe.CandidateKey) bool { return key.Block.Strong() && in[int64(key.Hash)].Large })
		for _, key := range keys {
			for _, id := range in[int64(key.Hash)].Users {
				if all || key.Block.Strong() {
					sure[id] = true
				} else {
					asked[id] = append(asked[id], i)
				}
			}
		}
	}
	maps.DeleteFunc(asked, func(id int64, _ []int) bool { return sure[id] })
	rows, err := tx.DuplicateNames(ctx, slices.Sorted(maps.Keys(asked)))
	if err != nil {
		return nil, err
	}
	screens := make([]func(*dedupe.Record) bool, len(mine))
	for i := range mine {
		screens[i] = model.Screen(&mine[i], dedupe.Options{})
	}
	named := records(tx.Actor().District, rows)
	for i := range named {
		other := &named[i]
		of, blocked := asked[other.ID]
		if !blocked || slices.ContainsFunc(slices.Compact(of), func(i int) bool { return screens[i](other) }) { // one who was merged since is another
			sure[other.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(sure)), nil
}
