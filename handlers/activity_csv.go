package handlers

import (
	"context"

	"hallpass/models"
)

// exportActivity is the activity as a file, as long as it is. Entries never change, so the file is one moment's although
// it is read a page at a time.
func exportActivity(v *visit) (reply, error) {
	_, f, none, err := v.activityAsked()
	if err != nil {
		return nil, err
	}
	f.Limit = listedPage
	l, over := v.locale(), none
	return v.sendRows("activity.csv", l.ActivityCSVHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		if over {
			return nil, nil
		}
		list, err := tx.Activity(ctx, f)
		if err != nil {
			return nil, err
		}
		own := *v
		own.tx, own.ctx = tx, ctx
		rows, err := own.activityRows(list.Rows)
		for _, r := range rows {
			cells = append(cells, r.Cells(l))
		}
		if over = !list.Older; !over {
			f.After = list.Rows[len(list.Rows)-1].ID
		}
		return cells, err
	}), nil
}
