package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"hallpass/access"
	"hallpass/dedupe"
	"hallpass/models"
)

const (
	// aroundAtMost is how many people are compared one by one; beyond it, or beyond a twentieth of the district,
	// everything is computed anew, because frequencies have moved with them.
	aroundAtMost = 500
	aroundShare  = 20
	aroundSlice  = 50 // people in one transaction, so that nobody who decides waits long
)

// Refresh computes what is wanted: everything anew, or what changed people resemble. It does nothing where nothing
// changed, and may run beside a sync.
func Refresh(ctx context.Context, store *models.Store, district int64) error {
	system := store.As(access.System(district, "duplicates"))
	var err error
	everything := false
	for more := true; more && err == nil; {
		// One transaction for finding out and doing: on one connection, whose statements are planned already.
		err = system.Write(ctx, func(tx *models.Tx) error {
			w, err := tx.DuplicatesWanted(ctx)
			if err != nil {
				return err
			}
			everything = w.All || w.Changed > aroundAtMost || w.Changed > 10 && w.Changed*aroundShare > w.Records
			if more = w.Changed > 0 && !everything; !more {
				return nil
			}
			changed, err := tx.TakeMarks(ctx, aroundSlice)
			if more = len(changed) == aroundSlice; err != nil || len(changed) == 0 {
				return err
			}
			return Around(ctx, tx, changed)
		})
	}
	if err == nil && everything {
		_, err = Rebuild(ctx, store, district)
	}
	return err
}

// Rebuild learns the district anew and makes its suggestions what they would be if they had never been computed. What
// stood before and stands now keeps its number and who took it. What people decide meanwhile counts.
func Rebuild(ctx context.Context, store *models.Store, district int64) (models.SuggestionsStored, error) {
	var done models.SuggestionsStored
	fail := func(err error) (models.SuggestionsStored, error) {
		return done, fmt.Errorf("rebuild suggestions of district %d: %w", district, err)
	}
	system := store.As(access.System(district, "duplicates"))
	var in input
	err := system.Write(ctx, func(tx *models.Tx) error {
		in.began = tx.Now()
		return tx.BeginRebuild(ctx)
	})
	if err != nil {
		return fail(err)
	}
	if err := system.Read(ctx, func(tx *models.Tx) error { return in.read(ctx, tx, nil) }); err != nil {
		return fail(err)
	}
	// The keys follow from the records alone: they are stored while the rest is computed. Until that is stored too, the
	// wish for all of it stands.
	stored := make(chan error, 1)
	storing, stop := context.WithCancel(ctx)
	go func() { stored <- storeKeys(storing, system, in.records) }()
	model, raw, list, err := in.learn()
	if err != nil {
		stop()
	}
	err = errors.Join(err, <-stored)
	stop()
	if err != nil {
		return fail(err)
	}
	told := ""
	err = system.Write(ctx, func(tx *models.Tx) error {
		if err := tx.LockDuplicates(ctx); err != nil {
			return err
		}
		if err := tx.StoreModel(ctx, raw, len(in.records), in.began); err != nil {
			return err
		}
		var err error
		if told, err = tx.DedupeModelPrint(ctx); err != nil {
			return err
		}
		if done, err = tx.StoreSuggestions(ctx, list, nil); err != nil {
			return err
		}
		changed, err := tx.TakeMarks(ctx, aroundAtMost) // while this was computing
		if err != nil || len(changed) == 0 {
			return err
		}
		return around(ctx, tx, model, changed)
	})
	if err != nil {
		return fail(err)
	}
	keep(district, told, model) // whoever changes next is compared by it
	return done, nil
}

func storeKeys(ctx context.Context, system models.Scope, records []dedupe.Record) error {
	keys := keysOf(records)
	return system.Write(ctx, func(tx *models.Tx) error {
		if err := tx.LockDuplicates(ctx); err != nil {
			return err
		}
		return tx.StoreKeys(ctx, keys)
	})
}

// learn makes the model, as it is and as it is stored, and the suggestions that follow from it.
func (in *input) learn() (*dedupe.Model, json.RawMessage, []models.NewSuggestion, error) {
	model := dedupe.Learn(in.records)
	raw, err := json.Marshal(model)
	if err != nil {
		return nil, nil, nil, err
	}
	list, err := in.suggest(model)
	return model, raw, list, err
}

// input is what suggestions are computed from.
type input struct {
	records []dedupe.Record
	said    []dedupe.Decision
	again   []models.ListedAgain
	began   time.Time
}

func (in *input) read(ctx context.Context, tx *models.Tx, ids []int64) (err error) {
	if in.records, err = Records(ctx, tx, ids); err != nil {
		return err
	}
	if in.said, err = decisions(ctx, tx, ids); err != nil {
		return err
	}
	in.again, err = tx.ListedAgain(ctx, ids)
	return err
}

// readBeside is read for some people, of whom most have been read already in the same transaction.
func (in *input) readBeside(ctx context.Context, tx *models.Tx, ids []int64, have []dedupe.Record) (err error) {
	read := make(map[int64]bool, len(have))
	for i := range have {
		if read[have[i].ID] = slices.Contains(ids, have[i].ID); read[have[i].ID] {
			in.records = append(in.records, have[i])
		}
	}
	if missing := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return read[id] }); len(missing) > 0 {
		more, err := Records(ctx, tx, missing)
		if err != nil {
			return err
		}
		for _, r := range more { // of one who was merged, the survivor, who may be there
			if !read[r.ID] {
				in.records = append(in.records, r)
			}
		}
	}
	if in.said, err = decisions(ctx, tx, ids); err != nil {
		return err
	}
	in.again, err = tx.ListedAgain(ctx, ids)
	return err
}

func (in *input) suggest(model *dedupe.Model) ([]models.NewSuggestion, error) {
	result := dedupe.NewIndex(model, in.records).Suggest(dedupe.Options{Decisions: in.said})
	people := make(map[int64]*dedupe.Record, len(in.records))
	for i := range in.records {
		people[in.records[i].ID] = &in.records[i]
	}
	return compose(result, in.said, in.again, people)
}

func keysOf(records []dedupe.Record) []models.DedupeKey {
	var keys []models.DedupeKey
	for i := range records {
		mine := map[int64]bool{}
		for _, key := range dedupe.Keys(&records[i]) {
			mine[int64(key.Hash)] = true
		}
		for _, hash := range slices.Sorted(maps.Keys(mine)) {
			keys = append(keys, models.DedupeKey{Hash: hash, User: records[i].ID})
		}
	}
	return keys
}

// Around computes anew what some people are suggested with, because they changed or somebody decided about them. The
// model is the one that was learned last; where there is none yet, nothing is suggested until everything is.
func Around(ctx context.Context, tx *models.Tx, changed []int64) error {
	model, err := modelOf(ctx, tx)
	if err != nil {
		return err
	}
	if model == nil {
		return tx.WantSuggestions(ctx)
	}
	if err := tx.LockDuplicates(ctx); err != nil {
		return err
	}
	return around(ctx, tx, model, changed)
}

// around takes everybody whom the changed people resemble, or are or were suggested with, and everybody whom those are
// suggested with in turn: groups are joined and parted within them alone.
func around(ctx context.Context, tx *models.Tx, model *dedupe.Model, changed []int64) error {
	fail := func(err error) error { return fmt.Errorf("suggest around %d people: %w", len(changed), err) }
	mine, err := Records(ctx, tx, changed)
	if err != nil {
		return fail(err)
	}
	ids, keys := slices.Clone(changed), keysOf(mine)
	for i := range mine {
		ids = append(ids, mine[i].ID) // of one who was merged, the survivor
	}
	blocks, err := tx.StoreKeysOf(ctx, keys, ids, dedupe.BlockCap)
	if err != nil {
		return fail(err)
	}
	alike, err := alike(ctx, tx, model, mine, blocks)
	if err != nil {
		return fail(err)
	}
	others, err := Records(ctx, tx, slices.Concat(alike, ids))
	if err != nil {
		return fail(err)
	}
	ix := dedupe.NewIndex(model, others)
	for i := range mine {
		for _, pair := range ix.Around(&mine[i], dedupe.Options{}) {
			ids = append(ids, pair.Lo, pair.Hi)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	suggested := false
	for before := -1; before != len(ids); {
		before = len(ids)
		members, err := tx.SuggestionMembers(ctx, ids)
		if err != nil {
			return fail(err)
		}
		suggested = suggested || len(members) > 0
		ids = append(ids, members...)
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	var in input
	if err := in.readBeside(ctx, tx, ids, others); err != nil {
		return fail(err)
	}
	list, err := in.suggest(model)
	if err != nil {
		return fail(err)
	}
	if len(list) == 0 && !suggested { // as of most people who change
		return nil
	}
	if _, err := tx.StoreSuggestions(ctx, list, ids); err != nil {
		return fail(err)
	}
	return nil
}
