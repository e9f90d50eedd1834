package views

import "time"

// sampleEvents is a run that followed changes.
func sampleEvents(state string) SyncRun {
	end := time.Date(2026, 11, 20, 14, 5, 9, 0, time.UTC)
	r := SyncRun{ID: 12, Kind: "events", State: state, Started: end.Add(-9 * time.Second), Finished: &end, Types: []SyncType{
		{Type: "events", State: "done", Pages: 1, Read: 31, Problems: 1, Unusable: 1},
		{Type: "districts", State: "done", Read: 1, Updated: 1},
		{Type: "users", State: "done", Read: 24, Problems: 9, Claimed: 1, Unknown: 2, Created: 4, Updated: 9, Ended: 6, Revived: 2, RolesGained: 3, RolesLost: 1, Joined: 1, Split: 2},
	}}
	if state == "failed" {
		r.Error = &SyncError{Message: "The program was told to stop.", Type: "events", Page: 2, Next: "stopped"}
	}
	return r
}
