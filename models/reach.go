package models

import (
	"context"
	"fmt"

	"hallpass/access"
)

// SpellOut turns a reach that excepts whole schools from the district into the list of the others, so that lists need
// to know one way only of being limited. People who are at no school, such as other district admins, are beyond a
// reach that is spelled out.
func (tx *Tx) SpellOut(ctx context.Context, reach access.Reach) (access.Reach, error) {
	if len(reach.NotSchools) == 0 {
		return reach, nil
	}
	others, err := scan[struct{ ID int64 }](ctx, tx, `SELECT id FROM schools
		WHERE district_id = @district AND ended_at IS NULL AND id <> ALL(CAST(@not AS bigint[])) ORDER BY id`,
		map[string]any{"district": tx.actor.District, "not": idArray(reach.NotSchools)})
	if err != nil {
		return reach, fmt.Errorf("schools within reach: %w", err)
	}
	spelled := access.Reach{Sections: reach.Sections, NotSections: reach.NotSections}
	for _, s := range others {
		spelled.Schools = append(spelled.Schools, s.ID)
	}
	return spelled, nil
}
