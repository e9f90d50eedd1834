package models

import (
	"context"
	"fmt"
	"slices"

	"hallpass/access"
)

// Decided is what a district has decided about access, read afresh. A change reads it once it holds LockAccess: what
// the request itself was let in by may be older.
type Decided struct {
	District District
	Changes  []access.RuleChange
	Policy   *access.Policy
}

// Decided reads the district's decisions.
func (tx *Tx) Decided(ctx context.Context) (d Decided, err error) {
	if d.District, err = tx.District(ctx); err != nil {
		return d, err
	}
	if d.Changes, err = tx.RuleChanges(ctx); err != nil {
		return d, err
	}
	d.Policy, err = tx.policy(ctx, d.District)
	return d, err
}

// WithRules is the policy that these cells would make of what is decided.
func (d Decided) WithRules(cells []access.RuleChange) *access.Policy {
	c := d.Policy.Catalogue
	return access.NewPolicy(c, c.Amend(d.Changes, cells), d.District.Combining, d.District.Strategy)
}

// WithCombining and WithStrategy are the same for the two settings.
func (d Decided) WithCombining(to access.Combining) *access.Policy {
	return access.NewPolicy(d.Policy.Catalogue, d.Changes, to, d.District.Strategy)
}

// WithStrategy is the policy under another strategy of accounts.
func (d Decided) WithStrategy(to access.Strategy) *access.Policy {
	return access.NewPolicy(d.Policy.Catalogue, d.Changes, d.District.Combining, to)
}

// SetRules sets cells of the district's rules. A cell that says what the catalogue says is no longer kept.
func (tx *Tx) SetRules(ctx context.Context, cells []access.RuleChange) error {
	for _, c := range cells {
		var err error
		if c.Given == tx.store.catalogue.Default(c.Role, c.Label, c.Permission) {
			_, err = exec(ctx, tx, `DELETE FROM role_rules WHERE district_id = ? AND role = ? AND label = ? AND permission = ?`,
				tx.actor.District, c.Role, c.Label, c.Permission)
		} else {
			_, err = exec(ctx, tx, `INSERT INTO role_rules (district_id, role, label, permission, given) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (district_id, role, label, permission) DO UPDATE SET given = excluded.given`,
				tx.actor.District, c.Role, c.Label, c.Permission, c.Given)
		}
		if err != nil {
			return fmt.Errorf("set rule of %s: %w", c.Role, err)
		}
	}
	return wrap("set rules", tx.movePolicy(ctx, ``))
}

// SetCombining decides how roles come together.
func (tx *Tx) SetCombining(ctx context.Context, to access.Combining) error {
	return wrap("set combining", tx.movePolicy(ctx, `, combining = ?`, to))
}

// SetStrategy decides how many accounts a person with several roles has. The accounts themselves are FitAccounts'.
func (tx *Tx) SetStrategy(ctx context.Context, to access.Strategy) error {
	return wrap("set strategy", tx.movePolicy(ctx, `, strategy = ?`, to))
}

// movePolicy gives the district's policy the next version, so that the very next request of every replica reads it
// anew.
func (tx *Tx) movePolicy(ctx context.Context, set string, args ...any) error {
	_, err := exec(ctx, tx, `UPDATE districts SET policy_version = nextval('policy_versions')`+set+` WHERE district_id = ?`, append(args, tx.actor.District)...)
	return err
}

// SetCalendar sets the district's time zone (a name of the IANA database) and the end of its school year (month and
// day, as 06-30).
func (tx *Tx) SetCalendar(ctx context.Context, zone, yearEnd string) error {
	_, err := exec(ctx, tx, `UPDATE districts SET time_zone = ?, school_year_end = ? WHERE district_id = ?`, zone, yearEnd, tx.actor.District)
	return wrap("set calendar", err)
}

// SetNight sets the hour, by the district's clock, in which everything is read from Clever.
func (tx *Tx) SetNight(ctx context.Context, hour int) error {
	_, err := exec(ctx, tx, `UPDATE districts SET sync_hour = ? WHERE district_id = ?`, hour, tx.actor.District)
	return wrap("set nightly sync", err)
}

// SetRetention sets for how many days data is kept after the district has left.
func (tx *Tx) SetRetention(ctx context.Context, days int) error {
	_, err := exec(ctx, tx, `UPDATE districts SET retention_days = ? WHERE district_id = ?`, days, tx.actor.District)
	return wrap("set retention", err)
}

// The bounds of what a district may allow to be wrong of a batch of merges, in millionths.
const (
	LeastBulkWrong = 1_000
	MostBulkWrong  = 200_000
)

// SetBulkWrong sets how many millionths of a batch of merges may be wrong, at 95 %.
func (tx *Tx) SetBulkWrong(ctx context.Context, millionths int) error {
	_, err := exec(ctx, tx, `UPDATE districts SET bulk_wrong = ? WHERE district_id = ?`, millionths, tx.actor.District)
	return wrap("set bulk limit", err)
}

// LabelCount is a staff label and how many people carry it.
type LabelCount struct {
	Label  string
	People int
}

// maxLabels bounds the labels a page offers; labels are free text.
const maxLabels = 100

// StaffLabels lists the labels that the district's staff carry now, the most common first.
func (tx *Tx) StaffLabels(ctx context.Context) ([]LabelCount, error) {
	labels, err := query[LabelCount](ctx, tx, `SELECT l.label, count(DISTINCT g.user_id) AS people
		FROM role_grants g, unnest(g.labels) AS l(label)
		WHERE g.district_id = ? AND g.role = 'staff' AND g.ended_at IS NULL AND g.labels <> '{}' AND (g.ends_at IS NULL OR g.ends_at > ?)
		GROUP BY l.label ORDER BY people DESC, l.label LIMIT ?`, tx.actor.District, tx.now, maxLabels)
	if err != nil {
		return nil, fmt.Errorf("staff labels: %w", err)
	}
	return slices.DeleteFunc(labels, func(l LabelCount) bool { return l.Label == "" }), nil
}
