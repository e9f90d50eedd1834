package handlers

import (
	"context"

	"hallpass/models"
	"hallpass/views"
)

// exportHeld is what a held run would take, as a file.
func exportHeld(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	pick, _ := v.heldPick(v.c.QueryParam, nil)
	var after models.HeldAfter
	l := v.locale()
	return v.sendRows("held.csv", l.HeldCSVHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		rows, err := tx.HeldRecords(ctx, run.ID, pick, after, listedPage)
		for _, r := range rows {
			cells = append(cells, views.HeldRowCells(l, r.CleverID, v.heldRow(r)))
			after = models.HeldAfter{SortKey: r.SortKey, Type: r.Type, ID: r.ID}
		}
		return cells, err
	}), nil
}

// exportHeldAccess is who would lose or gain which sensitive permission where, as a file.
func exportHeldAccess(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	var after models.HeldEffectRow
	l := v.locale()
	return v.sendRows("access.csv", l.HeldAccessCSVHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		rows, err := tx.HeldEffectRows(ctx, run.ID, after, listedPage)
		for _, r := range rows {
			cells = append(cells, l.HeldAccessCells(r.Name, r.CleverID, string(r.Permission), heldSpot(r.School, r.SchoolName), r.Gained))
			after = r
		}
		return cells, err
	}), nil
}
