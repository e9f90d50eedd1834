package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"hallpass/audit"
)

// SyncState is how far a run has come.
type SyncState string

// The states of a run. A district has at most one full one that is requested or running, and one that is held.
const (
	SyncRequested SyncState = "requested"
	SyncRunning   SyncState = "running"
	SyncDone      SyncState = "done"
	SyncFailed    SyncState = "failed"
	// A held run is over but for what the brake stopped, which waits for a person. It then is one of the three below.
	SyncHeld       SyncState = "held"
	SyncReleased   SyncState = "released"   // all that was left of the list was approved
	SyncDiscarded  SyncState = "discarded"  // everything stays
	SyncSuperseded SyncState = "superseded" // a newer full sync knows better
)

// A run without a sign of life for syncSilence has lost its program. A living one gives a sign every SyncBeat.
const (
	SyncBeat    = 20 * time.Second
	syncSilence = 2 * time.Minute
)

// Errors of runs whose program died.
const (
	syncLost   = "The program stopped before the sync was finished. Nobody was deactivated; what had arrived before is kept. The next sync starts over."
	eventsLost = "The program stopped before all changes were taken over. What had been taken over is kept. The next run goes on from there."
)

// SyncProgress is what a run has done with one type of record.
type SyncProgress struct {
	Type      RosterType `json:"type"`
	Pages     int        `json:"pages"`
	Read      int        `json:"read"`
	Created   int        `json:"created"`
	Updated   int        `json:"updated"`
	Unchanged int        `json:"unchanged"`
	Ended     int        `json:"ended"`
	Revived   int        `json:"revived"`
	Problems  int        `json:"problems"`
	Done      bool       `json:"done"`
	// Of people, by cause; see RosterCount.
	RolesGained int `json:"roles_gained,omitempty"`
	RolesLost   int `json:"roles_lost,omitempty"`
	Joined      int `json:"joined,omitempty"`
	Split       int `json:"split,omitempty"`
	// Spared counts pages of events whose removals were left for a full sync, because the brake would not let them.
	Spared int `json:"spared,omitempty"`
	// Of the problems, by kind; see RosterCount.
	Unusable int `json:"unusable,omitempty"`
	Claimed  int `json:"claimed,omitempty"`
	Unknown  int `json:"unknown,omitempty"`
}

// Add counts one more page.
func (p *SyncProgress) Add(n RosterCount) {
	p.Pages++
	p.Read += n.Read
	p.Created += n.Created
	p.Updated += n.Updated
	p.Unchanged += n.Unchanged
	p.Revived += n.Revived
	p.Problems += n.Problems
	p.RolesGained += n.RolesGained
	p.RolesLost += n.RolesLost
	p.Joined += n.Joined
	p.Split += n.Split
	p.Unusable += n.Unusable
	p.Claimed += n.Claimed
	p.Unknown += n.Unknown
}

// Merge adds what another run, or another part of this one, did with the same type.
func (p *SyncProgress) Merge(q SyncProgress) {
	pages := p.Pages + q.Pages
	p.Add(RosterCount{
		Read: q.Read, Created: q.Created, Updated: q.Updated, Unchanged: q.Unchanged, Revived: q.Revived, Problems: q.Problems,
		RolesGained: q.RolesGained, RolesLost: q.RolesLost, Joined: q.Joined, Split: q.Split, Unusable: q.Unusable, Claimed: q.Claimed, Unknown: q.Unknown,
	})
	p.Pages = pages
	p.Ended += q.Ended
	p.Spared += q.Spared
}

// SyncRun is one sync of the district, wanted, under way or over.
type SyncRun struct {
	DistrictID  int64  `gorm:"primaryKey"`
	ID          int64  `gorm:"primaryKey"`
	Kind        string // SyncFull, SyncEvents or SyncRelease
	State       SyncState
	Cause       string // why the program asked for it, "" where a person or a command did: nightly, gap, version, cursor, brake or held
	RequestedBy *int64
	RequestedAt time.Time
	StartedAt   *time.Time
	BeatAt      *time.Time
	FinishedAt  *time.Time
	Progress    []SyncProgress `gorm:"type:jsonb;serializer:json"`
	Error       string
	ErrorType   string
	ErrorPage   int
	ErrorNext   string // what to do about it; see SyncFailure
	ErrorSaid   string // Clever's own words, if it gave any

	Holds     *int64               // of a release: the held run whose list it applies
	Brake     BrakeState           `gorm:"type:jsonb;serializer:json"` // of a run that was held
	FirstSync bool                 // everyone was new
	Marks     map[RosterType]int64 `gorm:"type:jsonb;serializer:json"` // ids above these are new since the run, or the held one before it, began
	DecidedBy *int64
	DecidedAt *time.Time
}

// Open reports that the run is not over.
func (r SyncRun) Open() bool { return r.State == SyncRequested || r.State == SyncRunning }

// Total adds up all types.
func (r SyncRun) Total() (t SyncProgress) {
	for _, p := range r.Progress {
		t.Merge(p)
	}
	return t
}

func (r SyncRun) subject() string { return fmt.Sprintf("sync:%d", r.ID) }

// The kinds of a run.
const (
	SyncFull    = "full"
	SyncEvents  = "events"
	SyncRelease = "release" // applies what was approved of a held run
)

// Why the program itself asks for a full sync.
const (
	CauseNightly = "nightly" // it is the district's hour
	CauseGap     = "gap"     // events were not followed for so long that Clever may have dropped some
	CauseVersion = "version" // the cursor is of another version of Clever's API, or there is none
	CauseCursor  = "cursor"  // Clever does not know the cursor any more
	CauseBrake   = "brake"   // events would have taken more than the brake lets them
	CauseHeld    = "held"    // a held run was decided, and what was left alone meanwhile must be looked at
)

// RequestSync asks for a full sync in the actor's name. Where one is open already, it is given back and created is
// false. It starts when no run that follows events is under way. ErrNotOn: nothing may be synced here.
func (tx *Tx) RequestSync(ctx context.Context) (run SyncRun, created bool, err error) {
	return tx.RequestSyncFor(ctx, "")
}

// RequestSyncFor is RequestSync with the reason why the program asks.
func (tx *Tx) RequestSyncFor(ctx context.Context, cause string) (run SyncRun, created bool, err error) {
	if err := tx.mustBeOn(ctx); err != nil {
		return run, false, err
	}
	if _, err := tx.FailLostSyncs(ctx); err != nil {
		return run, false, err
	}
	var by *int64
	if tx.actor.User != 0 {
		by = &tx.actor.User
	}
	rows, err := query[SyncRun](ctx, tx, `INSERT INTO sync_runs (district_id, kind, state, requested_by, requested_at, cause) VALUES (?, 'full', 'requested', ?, ?, ?)
		ON CONFLICT (district_id) WHERE state IN ('requested', 'running') AND kind = 'full' DO NOTHING RETURNING *`, tx.actor.District, by, tx.now, cause)
	if err != nil {
		return run, false, fmt.Errorf("request sync: %w", err)
	}
	if len(rows) == 1 {
		entry := audit.Entry{Action: audit.SyncRequested, Subject: rows[0].subject()}
		if cause != "" {
			entry.Data = map[string]any{"cause": cause}
		}
		return rows[0], true, tx.Audit(ctx, entry)
	}
	run, err = one[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND state IN ('requested', 'running') AND kind = 'full'`, tx.actor.District)
	if err != nil { // it ended in between
		return run, false, fmt.Errorf("request sync: %w", err)
	}
	return run, false, nil
}

// RequestEvents asks, in the actor's name, for the changes since the last sync. Where a full sync is open, or has never
// been, it is that one. One that is open already is given back, and created is false. ErrNotOn as RequestSync.
func (tx *Tx) RequestEvents(ctx context.Context) (run SyncRun, created bool, err error) {
	if err := tx.mustBeOn(ctx); err != nil {
		return run, false, err
	}
	if _, err := tx.FailLostSyncs(ctx); err != nil {
		return run, false, err
	}
	open, err := query[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND state IN ('requested', 'running') AND kind IN ('full', 'events') ORDER BY id DESC LIMIT 1`, tx.actor.District)
	if err != nil {
		return run, false, fmt.Errorf("request changes: %w", err)
	}
	if len(open) == 1 {
		return open[0], false, nil
	}
	d, err := tx.District(ctx)
	if err != nil {
		return run, false, err
	}
	if d.SyncedAt == nil {
		return tx.RequestSync(ctx)
	}
	rows, err := query[SyncRun](ctx, tx, `INSERT INTO sync_runs (district_id, kind, state, requested_by, requested_at) VALUES (?, 'events', 'requested', ?, ?)
		ON CONFLICT DO NOTHING RETURNING *`, tx.actor.District, tx.actor.User, tx.now)
	if err != nil {
		return run, false, fmt.Errorf("request changes: %w", err)
	}
	if len(rows) == 0 { // somebody else asked in the same moment
		return tx.RequestEvents(ctx)
	}
	return rows[0], true, tx.Audit(ctx, audit.Entry{Action: audit.SyncRequested, Subject: rows[0].subject(), Data: map[string]any{"kind": SyncEvents}})
}

// ErrBusy says that the district's events are being followed: a full sync must wait for that, which is not long.
var ErrBusy = errors.New("events are being followed")

// StartSync takes a requested run up, or with id 0 requests one and takes it up. ErrConflict: a full run is under way
// already, or this one is over. ErrBusy: events are being followed at this moment. ErrNotOn: nothing may be synced here.
func (tx *Tx) StartSync(ctx context.Context, id int64) (SyncRun, error) {
	if id == 0 {
		run, _, err := tx.RequestSync(ctx)
		if err != nil {
			return SyncRun{}, err
		}
		id = run.ID
	}
	if err := tx.mustBeOn(ctx); err != nil {
		return SyncRun{}, err
	}
	rows, err := query[SyncRun](ctx, tx, `UPDATE sync_runs r SET state = 'running', started_at = ?, beat_at = ?,
			first_sync = r.kind = 'full' AND (SELECT d.synced_at IS NULL FROM districts d WHERE d.district_id = r.district_id),
			marks = coalesce((SELECT h.marks FROM sync_runs h WHERE h.district_id = r.district_id AND h.state = 'held'), jsonb_build_object(
				'users', (SELECT coalesce(max(id), 0) FROM users WHERE district_id = r.district_id),
				'schools', (SELECT coalesce(max(id), 0) FROM schools WHERE district_id = r.district_id),
				'sections', (SELECT coalesce(max(id), 0) FROM sections WHERE district_id = r.district_id)))
		WHERE r.district_id = ? AND r.id = ? AND r.state = 'requested' RETURNING *`, tx.now, tx.now, tx.actor.District, id)
	// A deadlock is with somebody who starts a run in the same moment: PostgreSQL lets one of the two begin.
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); errors.Is(err, gorm.ErrDuplicatedKey) || ok && pgErr.Code == "40P01" {
		return SyncRun{}, fmt.Errorf("start sync %d: %w", id, ErrBusy)
	}
	if err != nil {
		return SyncRun{}, fmt.Errorf("start sync %d: %w", id, err)
	}
	if len(rows) == 0 {
		return SyncRun{}, fmt.Errorf("start sync %d: it is not waiting: %w", id, ErrConflict)
	}
	return tx.begun(ctx, id)
}

// begun notes the moment at which a run has its turn. The transaction may be older: it may have waited for the end of
// the run before, and two runs of a district would seem to have worked at once.
func (tx *Tx) begun(ctx context.Context, id int64) (SyncRun, error) {
	now := tx.store.Now()
	run, err := one[SyncRun](ctx, tx, `UPDATE sync_runs SET started_at = ?, beat_at = ? WHERE district_id = ? AND id = ? RETURNING *`, now, now, tx.actor.District, id)
	return run, wrap("note when a sync began", err)
}

// StartEvents begins a run that follows events. ErrConflict: another run is under way, or is asked for and will bring
// everything anyway. ErrNotOn: nothing may be synced here.
func (tx *Tx) StartEvents(ctx context.Context) (SyncRun, error) {
	if err := tx.mustBeOn(ctx); err != nil {
		return SyncRun{}, err
	}
	if _, err := tx.FailLostSyncs(ctx); err != nil {
		return SyncRun{}, err
	}
	rows, err := query[SyncRun](ctx, tx, `INSERT INTO sync_runs (district_id, kind, state, requested_at, started_at, beat_at) VALUES (?, 'events', 'running', ?, ?, ?)
		ON CONFLICT DO NOTHING RETURNING *`, tx.actor.District, tx.now, tx.now, tx.now)
	if err != nil {
		return SyncRun{}, fmt.Errorf("start following events: %w", err)
	}
	if len(rows) == 0 {
		return SyncRun{}, fmt.Errorf("start following events: %w", ErrConflict)
	}
	return tx.begun(ctx, rows[0].ID)
}

// BeatSync gives a sign of life. ErrConflict: the run is not running any more, so its program must stop.
func (tx *Tx) BeatSync(ctx context.Context, id int64) error {
	n, err := exec(ctx, tx, `UPDATE sync_runs SET beat_at = ? WHERE district_id = ? AND id = ? AND state = 'running'`, tx.now, tx.actor.District, id)
	return changedOne(n, err, "keep sync", id)
}

// SaveSyncProgress belongs into the transaction that wrote the page: page and progress are kept together or not at
// all. ErrConflict: the run was given up for lost, so the page must not be written.
//
// A page that took long began before the last sign of life, which must not be taken back.
func (tx *Tx) SaveSyncProgress(ctx context.Context, id int64, progress []SyncProgress) error {
	text, err := json.Marshal(progress)
	if err != nil {
		return fmt.Errorf("save progress of sync %d: %w", id, err)
	}
	n, err := exec(ctx, tx, `UPDATE sync_runs SET beat_at = greatest(beat_at, ?), progress = ?::jsonb WHERE district_id = ? AND id = ? AND state = 'running'`,
		tx.now, string(text), tx.actor.District, id)
	return changedOne(n, err, "save progress of sync", id)
}

func changedOne(n int64, err error, deed string, id int64) error {
	if err == nil && n == 0 {
		err = ErrConflict
	}
	if err != nil {
		return fmt.Errorf("%s %d: %w", deed, id, err)
	}
	return nil
}

// FinishSync marks a run done, once what people decided about access is in step with what the run brought.
func (tx *Tx) FinishSync(ctx context.Context, id int64, progress []SyncProgress) (SyncRun, error) {
	if err := tx.settleFinish(ctx, id, progress); err != nil {
		return SyncRun{}, err
	}
	run, err := one[SyncRun](ctx, tx, `UPDATE sync_runs SET state = 'done', finished_at = ? WHERE district_id = ? AND id = ? RETURNING *`,
		tx.now, tx.actor.District, id)
	if err != nil {
		return run, fmt.Errorf("finish sync %d: %w", id, err)
	}
	return run, tx.Audit(ctx, audit.Entry{Action: audit.SyncFinished, Subject: run.subject(), Data: run.counts()})
}

// settleFinish is what every end of a run does that is no failure.
func (tx *Tx) settleFinish(ctx context.Context, id int64, progress []SyncProgress) error {
	if err := tx.settleManualRoles(ctx); err != nil {
		return err
	}
	if err := tx.MoveTermEnds(ctx); err != nil {
		return err
	}
	if t := (SyncRun{Progress: progress}).Total(); t.Created+t.Updated+t.Revived > 0 { // or nobody new can be found
		if _, err := tx.MatchAccounts(ctx); err != nil {
			return err
		}
	}
	return tx.SaveSyncProgress(ctx, id, progress)
}

// counts is what the audit keeps of a run: numbers by type.
func (r SyncRun) counts() map[string]any {
	data := map[string]any{}
	for _, p := range r.Progress {
		data[string(p.Type)] = map[string]any{"read": p.Read, "created": p.Created, "updated": p.Updated, "ended": p.Ended, "revived": p.Revived}
	}
	return data
}

// SyncFailure says in plain words why a run failed, and at which page of which type if it was at one.
type SyncFailure struct {
	Text string
	Type string
	Page int
	// Next is what to do about it: credentials, sharing or paused for the district, rate or answer for Clever, reach, disk,
	// app, stopped or support for whoever runs the program. Runs from before these were told apart say retry.
	Next string
	Said string // Clever's own words, if it gave any
}

// FailSync marks an open run failed.
func (tx *Tx) FailSync(ctx context.Context, id int64, f SyncFailure) (SyncRun, error) {
	rows, err := query[SyncRun](ctx, tx, `UPDATE sync_runs SET state = 'failed', finished_at = ?, error = ?, error_type = ?, error_page = ?, error_next = ?, error_said = ?
		WHERE district_id = ? AND id = ? AND state IN ('requested', 'running') RETURNING *`,
		tx.now, clean(f.Text), clean(f.Type), f.Page, f.Next, clean(f.Said), tx.actor.District, id)
	if err != nil {
		return SyncRun{}, fmt.Errorf("fail sync %d: %w", id, err)
	}
	if len(rows) == 0 {
		return SyncRun{}, fmt.Errorf("fail sync %d: %w", id, ErrConflict)
	}
	return rows[0], tx.auditFailure(ctx, rows[0])
}

func (tx *Tx) auditFailure(ctx context.Context, run SyncRun) error {
	data := run.counts()
	data["type"], data["page"] = run.ErrorType, run.ErrorPage
	return tx.Audit(ctx, audit.Entry{Action: audit.SyncFailed, Subject: run.subject(), Data: data})
}

// FailLostSyncs marks running runs failed that gave no sign of life for two minutes, and says how many. A release among
// them is asked for again instead.
func (tx *Tx) FailLostSyncs(ctx context.Context) (int, error) {
	// What was approved is applied all the same: a release wrote either everything or nothing.
	if _, err := exec(ctx, tx, `UPDATE sync_runs SET state = 'requested', started_at = NULL, beat_at = NULL, requested_at = ?
		WHERE district_id = ? AND state = 'running' AND kind = 'release' AND beat_at < ?`, tx.now, tx.actor.District, tx.now.Add(-syncSilence)); err != nil {
		return 0, fmt.Errorf("put lost releases back: %w", err)
	}
	rows, err := query[SyncRun](ctx, tx, `UPDATE sync_runs SET state = 'failed', finished_at = ?, error = CASE kind WHEN 'full' THEN ? ELSE ? END, error_next = 'stopped'
		WHERE district_id = ? AND state = 'running' AND beat_at < ? RETURNING *`,
		tx.now, syncLost, eventsLost, tx.actor.District, tx.now.Add(-syncSilence))
	if err != nil {
		return 0, fmt.Errorf("fail lost syncs: %w", err)
	}
	for _, run := range rows {
		if err := tx.auditFailure(ctx, run); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// PutBackSync asks again for a run that was stopped and wrote nothing.
func (tx *Tx) PutBackSync(ctx context.Context, id int64) error {
	n, err := exec(ctx, tx, `UPDATE sync_runs SET state = 'requested', started_at = NULL, beat_at = NULL, requested_at = ?
		WHERE district_id = ? AND id = ? AND state = 'running'`, tx.now, tx.actor.District, id)
	return changedOne(n, err, "put back sync", id)
}

// SyncRun reads one run.
func (tx *Tx) SyncRun(ctx context.Context, id int64) (SyncRun, error) {
	run, err := one[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND id = ?`, tx.actor.District, id)
	if err != nil {
		return run, fmt.Errorf("sync %d: %w", id, err)
	}
	return run, nil
}

// SyncRuns lists runs, the newest first: those with ids below before, or all for before 0. limit is cut to 200.
func (tx *Tx) SyncRuns(ctx context.Context, before int64, limit int) ([]SyncRun, error) {
	limit = min(max(limit, 1), 200)
	runs, err := query[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND (?::bigint = 0 OR id < ?) ORDER BY id DESC LIMIT ?`,
		tx.actor.District, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list syncs: %w", err)
	}
	return runs, nil
}

// SyncRunPage is one page of the runs, the newest first: below the run older, or back from the run newer, or the first
// page for neither. limit is cut to 200.
func (tx *Tx) SyncRunPage(ctx context.Context, older, newer int64, limit int) (Paged[SyncRun], error) {
	limit, order := min(max(limit, 1), 200), "DESC"
	if newer > 0 {
		order = "ASC"
	}
	runs, err := scan[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = @district AND (@older::bigint = 0 OR id < @older::bigint) AND id > @newer::bigint ORDER BY id `+order+` LIMIT @limit`,
		map[string]any{"district": tx.actor.District, "older": older, "newer": newer, "limit": limit + 1})
	if err != nil {
		return Paged[SyncRun]{}, fmt.Errorf("list syncs: %w", err)
	}
	return paged(runs, limit, older > 0, newer > 0), nil
}

// LastFullSync is when a full sync was last asked for, or the zero time.
func (tx *Tx) LastFullSync(ctx context.Context) (time.Time, error) {
	run, err := one[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND kind = 'full' ORDER BY id DESC LIMIT 1`, tx.actor.District)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("last full sync: %w", err)
	}
	return run.RequestedAt, nil
}

// RosterUnsettled tells whether the newest run that did anything was a full sync that failed: it wrote people, but what
// is worked out from all of them (sections' members, contacts' schools, head counts) only comes at the end of one.
func (tx *Tx) RosterUnsettled(ctx context.Context) (bool, error) {
	run, err := one[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND (state IN ('done', 'held', 'released', 'discarded', 'superseded') OR state = 'failed' AND kind = 'full') ORDER BY id DESC LIMIT 1`, tx.actor.District)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("last sync: %w", err)
	}
	return run.State == SyncFailed, nil
}

// RequestedSyncs lists runs that have waited to be taken up since before the given moment.
func (tx *Tx) RequestedSyncs(ctx context.Context, before time.Time) ([]SyncRun, error) {
	runs, err := query[SyncRun](ctx, tx, `SELECT * FROM sync_runs WHERE district_id = ? AND state = 'requested' AND requested_at <= ?`, tx.actor.District, before)
	if err != nil {
		return nil, fmt.Errorf("list requested syncs: %w", err)
	}
	return runs, nil
}
