package queue

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"hallpass/dedupe"
	"hallpass/models"
)

// keptModels is how many districts' models are kept as they were read last: reading a large one takes longer than all
// that is asked of it for one changed person.
const keptModels = 8

// kept holds the model read or learned last of each district, with the print of its row. They are read-only.
var kept = struct {
	sync.Mutex
	by    map[int64]keptModel
	order []int64 // the oldest first
}{by: map[int64]keptModel{}}

type keptModel struct {
	told  string
	model *dedupe.Model
}

// modelOf is what was learned of the district last; nil where nothing was, or by another version of the program.
func modelOf(ctx context.Context, tx *models.Tx) (*dedupe.Model, error) {
	told, err := tx.DedupeModelPrint(ctx)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kept.Lock()
	have := kept.by[tx.Actor().District]
	kept.Unlock()
	if have.told == told {
		return have.model, nil
	}
	raw, _, err := tx.DedupeModel(ctx)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	model := new(dedupe.Model)
	if known := json.Unmarshal(raw, model) == nil; !known {
		return nil, nil
	}
	// The row may have changed since its print was read; what is kept must be what the print is of.
	again, err := tx.DedupeModelPrint(ctx)
	if err != nil || again != told {
		return model, err
	}
	keep(tx.Actor().District, told, model)
	return model, nil
}

func keep(district int64, told string, model *dedupe.Model) {
	kept.Lock()
	defer kept.Unlock()
	if _, known := kept.by[district]; !known {
		kept.order = append(kept.order, district)
	}
	kept.by[district] = keptModel{told, model}
	if len(kept.order) > keptModels {
		delete(kept.by, kept.order[0])
		kept.order = kept.order[1:]
	}
}
