package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hallpass/access"
	"hallpass/audit"
)

// Switch is what people decided about a district's connection.
type Switch string

// The positions of a switch. Paused is frozen, not emptied: nothing is synced and nobody ends. Off keeps the district
// out of the console too.
const (
	SwitchWaiting Switch = "waiting" // found in Clever's token list, and nobody has decided yet
	SwitchOn      Switch = "on"
	SwitchPaused  Switch = "paused"
	SwitchOff     Switch = "off"
)

// ConnectionLeft and ConnectionRefused are states that Clever brings about, not people. The other states are switches.
const (
	ConnectionLeft    = "left"
	ConnectionRefused = "refused"
)

// ErrNotOn says that nothing may be synced in the district: it waits to be switched on, is paused or off, or has left.
var ErrNotOn = errors.New("this district is not switched on")

// Connection is how a district is connected to this app. The token itself is read by Token only.
type Connection struct {
	DistrictID  int64
	Switch      Switch
	SwitchedAt  time.Time
	LeftAt      *time.Time // gone from Clever's token list since then
	RefusedAt   *time.Time // Clever has refused the token since then
	RefusedText string     // in Clever's own words
	TokenKey    string     // id of the key that opens the token; "": none is kept
	TokenMadeAt *time.Time // by Clever's clock
	TokenKeptAt *time.Time
	// PolledAt is when Clever last answered about the district: events or a whole sync. nil: never.
	PolledAt *time.Time
}

// State is the one word for it: what Clever did weighs more than what people decided.
func (c Connection) State() string {
	switch {
	case c.LeftAt != nil:
		return ConnectionLeft
	case c.Switch == SwitchOn && c.RefusedAt != nil:
		return ConnectionRefused
	}
	return string(c.Switch)
}

// Since is when that state began.
func (c Connection) Since() time.Time {
	switch c.State() {
	case ConnectionLeft:
		return *c.LeftAt
	case ConnectionRefused:
		return *c.RefusedAt
	}
	return c.SwitchedAt
}

// Gone says since when the district is not synced for good: it left, or was switched off. nil: it is here.
func (c Connection) Gone() *time.Time {
	switch {
	case c.LeftAt != nil:
		return c.LeftAt
	case c.Switch == SwitchOff:
		return &c.SwitchedAt
	}
	return nil
}

const connectionColumns = `district_id, switch, switched_at, left_at, refused_at, refused_text, token_key, token_made_at, token_kept_at`

// Connection reads the district's own.
func (tx *Tx) Connection(ctx context.Context) (Connection, error) {
	c, err := one[Connection](ctx, tx, `SELECT `+connectionColumns+`,
		greatest((SELECT synced_at FROM districts WHERE district_id = c.district_id), (SELECT max(saved_at) FROM event_cursors WHERE district_id = c.district_id)) AS polled_at
		FROM connections c WHERE district_id = ?`, tx.actor.District)
	if err != nil {
		return c, fmt.Errorf("connection of district %d: %w", tx.actor.District, err)
	}
	return c, nil
}

// mustBeOn refuses what only a connected district that is switched on may begin. The switch stays where it is until
// the transaction ends.
func (tx *Tx) mustBeOn(ctx context.Context) error {
	c, err := one[Connection](ctx, tx, `SELECT `+connectionColumns+` FROM connections WHERE district_id = ? FOR SHARE`, tx.actor.District)
	if err == nil && (c.Switch != SwitchOn || c.LeftAt != nil) {
		err = ErrNotOn
	}
	if err != nil {
		return fmt.Errorf("district %d: %w", tx.actor.District, err)
	}
	return nil
}

// Errors of runs that a switch ended.
const (
	syncPaused = "The district was paused or switched off before the sync was finished. Nobody was deactivated; what had arrived before is kept."
)

// SetSwitch turns the district's switch. Away from on it ends whatever run is wanted or under way: its next page finds
// that out, and nobody ends. changed is false where the switch was there already.
func (tx *Tx) SetSwitch(ctx context.Context, to Switch) (changed bool, err error) {
	n, err := exec(ctx, tx, `UPDATE connections SET switch = ?, switched_at = ? WHERE district_id = ? AND switch <> ?`, to, tx.now, tx.actor.District, to)
	if err != nil {
		return false, fmt.Errorf("switch district %s: %w", to, err)
	}
	if n == 0 {
		return false, nil
	}
	// What was approved of a held run is neither lost nor applied meanwhile: it is wanted anew.
	if _, err := exec(ctx, tx, `UPDATE sync_runs SET state = 'requested', started_at = NULL, beat_at = NULL, requested_at = ?
		WHERE district_id = ? AND kind = 'release' AND state IN ('requested', 'running')`, tx.now, tx.actor.District); err != nil {
		return false, fmt.Errorf("switch district %s: %w", to, err)
	}
	if to == SwitchOn {
		return true, nil
	}
	runs, err := query[SyncRun](ctx, tx, `UPDATE sync_runs SET state = 'failed', finished_at = ?, error = ?, error_next = 'paused'
		WHERE district_id = ? AND state IN ('requested', 'running') AND kind <> 'release' RETURNING *`, tx.now, syncPaused, tx.actor.District)
	if err != nil {
		return false, fmt.Errorf("switch district %s: %w", to, err)
	}
	for _, run := range runs {
		if err := tx.auditFailure(ctx, run); err != nil {
			return false, err
		}
	}
	if to == SwitchOff {
		if _, err := exec(ctx, tx, `UPDATE sessions SET revoked_at = ? WHERE district_id = ? AND revoked_at IS NULL`, tx.now, tx.actor.District); err != nil {
			return false, fmt.Errorf("switch district %s: %w", to, err)
		}
	}
	return true, nil
}

// OperateSwitch is SetSwitch by an operator's command, which leaves no receipt but an entry. A district that is
// switched on is synced soon.
func (tx *Tx) OperateSwitch(ctx context.Context, to Switch) (changed bool, err error) {
	if changed, err = tx.SetSwitch(ctx, to); err != nil || !changed {
		return changed, err
	}
	err = tx.Audit(ctx, audit.Entry{Action: audit.ConnectionSwitched, Subject: tx.districtSubject(), Data: map[string]any{"switch": to}})
	if err != nil || to != SwitchOn {
		return true, err
	}
	if _, _, err = tx.RequestSync(ctx); errors.Is(err, ErrNotOn) { // it has left meanwhile
		err = nil
	}
	return true, err
}

func (tx *Tx) districtSubject() string { return fmt.Sprintf("district:%d", tx.actor.District) }

// keptToken is the token's own columns.
type keptToken struct {
	CleverID  string
	Token     []byte
	TokenKey  string
	RefusedAt *time.Time
	LeftAt    *time.Time
}

func (tx *Tx) keptToken(ctx context.Context, lock string) (keptToken, error) {
	return one[keptToken](ctx, tx, `SELECT i.clever_id, c.token, c.token_key, c.refused_at, c.left_at FROM connections c
		JOIN district_ids i USING (district_id) WHERE c.district_id = ?`+lock, tx.actor.District)
}

// Token opens the kept token. ErrNotFound: there is none, or none that the keys of this program open. ErrNoKeys: this
// program has no keys.
func (tx *Tx) Token(ctx context.Context) (string, error) {
	ring, err := tx.store.keys()
	if err != nil {
		return "", err
	}
	k, err := tx.keptToken(ctx, "")
	if err != nil || k.Token == nil {
		return "", fmt.Errorf("token of district %d: %w", tx.actor.District, ErrNotFound)
	}
	token, err := ring.open(k.CleverID, k.TokenKey, k.Token)
	if err != nil {
		return "", fmt.Errorf("token of district %d: %w: %w", tx.actor.District, ErrNotFound, err)
	}
	return token, nil
}

// TokenKept says what keeping a token changed.
type TokenKept struct {
	Renewed bool // it is another token than the one kept before
	Back    bool // the district had left, and is back
	Refused bool // it is the token that Clever refused
}

// KeepToken puts down the token that Clever's list names: it is sealed under the newest key, and sealed anew where it
// was under an older one. A token that is new, or a district that is back, heals the connection. ErrNoKeys: this
// program has no keys, and the token was not kept; the rest is.
func (tx *Tx) KeepToken(ctx context.Context, token string, made time.Time) (done TokenKept, err error) {
	k, err := tx.keptToken(ctx, " FOR UPDATE OF c")
	if err != nil {
		return done, fmt.Errorf("keep token: %w", err)
	}
	if k.LeftAt != nil {
		done.Back = true
		if err := tx.connectionChanged(ctx, `left_at = NULL, refused_at = NULL, refused_text = ''`, audit.ConnectionBack); err != nil {
			return done, err
		}
	}
	ring, err := tx.store.keys()
	if err != nil {
		return done, err
	}
	have := ""
	if k.Token != nil {
		// One that cannot be opened is replaced like one that is not there.
		have, _ = ring.open(k.CleverID, k.TokenKey, k.Token)
	}
	done.Refused = have == token && k.RefusedAt != nil && !done.Back
	if have == token && k.TokenKey == ring.Newest() {
		return done, nil
	}
	sealed, key := ring.seal(k.CleverID, token)
	if _, err = exec(ctx, tx, `UPDATE connections SET token = ?, token_key = ?, token_made_at = ?, token_kept_at = ? WHERE district_id = ?`,
		sealed, key, &made, tx.now, tx.actor.District); err != nil {
		return done, fmt.Errorf("keep token: %w", err)
	}
	if done.Renewed = have != token; !done.Renewed {
		return done, tx.Audit(ctx, audit.Entry{Action: audit.ConnectionSealed, Subject: tx.districtSubject(), Data: map[string]any{"key": key}})
	}
	if err := tx.AcceptToken(ctx); err != nil {
		return done, err
	}
	return done, tx.Audit(ctx, audit.Entry{Action: audit.ConnectionRenewed, Subject: tx.districtSubject(), Data: map[string]any{"key": key}})
}

func (tx *Tx) connectionChanged(ctx context.Context, set string, action audit.Action) error {
	if _, err := exec(ctx, tx, `UPDATE connections SET `+set+` WHERE district_id = ?`, tx.actor.District); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return tx.Audit(ctx, audit.Entry{Action: action, Subject: tx.districtSubject()})
}

// RefuseToken notes that Clever refuses the kept token, in Clever's words. A token that has been replaced meanwhile is
// not touched.
func (tx *Tx) RefuseToken(ctx context.Context, token, text string) error {
	have, err := tx.Token(ctx)
	switch {
	case err == nil && have != token:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoKeys):
		return err
	}
	n, err := exec(ctx, tx, `UPDATE connections SET refused_at = ?, refused_text = ? WHERE district_id = ? AND refused_at IS NULL`,
		tx.now, clean(text), tx.actor.District)
	if err != nil || n == 0 {
		return err
	}
	return tx.Audit(ctx, audit.Entry{Action: audit.ConnectionRefused, Subject: tx.districtSubject()})
}

// AcceptToken notes that Clever takes the token after all.
func (tx *Tx) AcceptToken(ctx context.Context) error {
	_, err := exec(ctx, tx, `UPDATE connections SET refused_at = NULL, refused_text = '' WHERE district_id = ? AND refused_at IS NOT NULL`, tx.actor.District)
	if err != nil {
		return fmt.Errorf("accept token: %w", err)
	}
	return nil
}

// Leave notes that the district is gone from Clever's token list, with the token that was kept. Its people stay: they
// end by a sync only, and there is none any more. changed is false where it had left before.
func (tx *Tx) Leave(ctx context.Context) (changed bool, err error) {
	n, err := exec(ctx, tx, `UPDATE connections SET left_at = ?, token = NULL, token_key = '', token_made_at = NULL, token_kept_at = NULL
		WHERE district_id = ? AND left_at IS NULL`, tx.now, tx.actor.District)
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.Audit(ctx, audit.Entry{Action: audit.ConnectionLeft, Subject: tx.districtSubject()})
}

// ResealToken seals the kept token under the newest key, if it is under another one.
func (tx *Tx) ResealToken(ctx context.Context) (done bool, err error) {
	ring, err := tx.store.keys()
	if err != nil {
		return false, err
	}
	k, err := tx.keptToken(ctx, " FOR UPDATE OF c")
	if err != nil || k.Token == nil || k.TokenKey == ring.Newest() {
		return false, err
	}
	token, err := ring.open(k.CleverID, k.TokenKey, k.Token)
	if err != nil {
		return false, fmt.Errorf("seal token of district %d anew: %w", tx.actor.District, err)
	}
	sealed, key := ring.seal(k.CleverID, token)
	if _, err := exec(ctx, tx, `UPDATE connections SET token = ?, token_key = ? WHERE district_id = ?`, sealed, key, tx.actor.District); err != nil {
		return false, fmt.Errorf("seal token of district %d anew: %w", tx.actor.District, err)
	}
	return true, tx.Audit(ctx, audit.Entry{Action: audit.ConnectionSealed, Subject: tx.districtSubject(), Data: map[string]any{"key": key}})
}

// FindDistrict is EnsureDistrict for a district that Clever's token list names and nobody has asked for: it waits to be
// switched on. created is false where it was known.
func (s *Store) FindDistrict(ctx context.Context, cleverID, name, state string) (id int64, created bool, err error) {
	if id, created, err = s.enterDistrict(ctx, cleverID, name, state, SwitchWaiting); err != nil || !created {
		return id, created, err
	}
	err = s.As(access.System(id, "connections")).Write(ctx, func(tx *Tx) error {
		return tx.Audit(ctx, audit.Entry{Action: audit.ConnectionFound, Subject: tx.districtSubject()})
	})
	return id, true, err
}

// keys are the keys of this moment: their file may change while the program runs.
func (s *Store) keys() (*Keyring, error) {
	if s.tokenKeys == nil {
		return nil, ErrNoKeys
	}
	ring, err := s.tokenKeys()
	if err != nil {
		return nil, fmt.Errorf("keys of tokens: %w", err)
	}
	return ring, nil
}
