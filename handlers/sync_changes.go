package handlers

import (
	"context"
	"slices"
	"strconv"

	"hallpass/models"
	"hallpass/views"
)

// changesPage is how many changes stand on a page.
const changesPage = 50

// listSyncChanges is what one run changed of people, one line for each change.
func listSyncChanges(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	p := views.SyncChangesPage{Run: run.ID, Started: syncRun(run).Started, FirstSync: run.FirstSync, Kind: v.c.QueryParam("kind")}
	if !slices.Contains(models.SyncChangeKinds(), p.Kind) {
		p.Kind = ""
	}
	after, before, _ := v.numberedPage()
	counts, err := v.tx.SyncChangeCounts(v.ctx, run.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		p.Kinds = append(p.Kinds, views.SyncChangeKind{Kind: c.Kind, N: c.Count})
	}
	p.Trimmed = len(counts) == 0 && run.FinishedAt != nil && run.FinishedAt.Before(v.tx.Now().Add(-models.KeepLists))
	list, err := v.tx.SyncChangePage(v.ctx, run.ID, p.Kind, after, before, changesPage)
	if err != nil {
		return nil, err
	}
	p.Prev, p.Next = pageLinks(list, func(c models.SyncChange) string { return strconv.FormatInt(c.ID, 10) })
	for _, r := range list.Rows {
		p.Rows = append(p.Rows, v.syncChange(r))
	}
	p.Frame = v.frame()
	return page(views.SyncChanges(p)), nil
}

func (v *visit) syncChange(r models.SyncChange) views.SyncChangeRow {
	return views.SyncChangeRow{
		Person: r.Name, Href: views.UserPath(v.me.District.CleverID, string(v.actor.View), r.UserID), Kind: r.Kind, Role: string(r.Role),
		School: r.School, Before: r.Before, After: r.After,
	}
}

// exportSyncChanges is the same as a file.
func exportSyncChanges(v *visit) (reply, error) {
	run, err := v.heldRun()
	if err != nil {
		return nil, err
	}
	kind := v.c.QueryParam("kind")
	if !slices.Contains(models.SyncChangeKinds(), kind) {
		kind = ""
	}
	var after int64
	l := v.locale()
	return v.sendRows("changes.csv", l.SyncChangesHead(), func(ctx context.Context, tx *models.Tx) (cells [][]string, err error) {
		rows, err := tx.SyncChanges(ctx, run.ID, kind, after, listedPage)
		for _, r := range rows {
			cells = append(cells, v.syncChange(r).Cells(l, r.CleverID))
			after = r.ID
		}
		return cells, err
	}), nil
}
