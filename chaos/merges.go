package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hallpass/clever/sandbox"
)

// perRound is how many deaths lie between two moments at which everything is taken back.
const perRound = 20

// merging is a database in which records are merged and taken apart again, beside one in which they never are.
type merging struct {
	*world
	part    *figure
	on      *base
	control *base

	first, second *browser // two admins: one proposes what the other must agree to
	alone         bool     // the district stays as it is meanwhile
	outcomes      map[string]map[outcome]int
	identical     int
}

// pressed is a deed whose console died.
type pressed struct {
	deed
	by   *browser
	kind string
	outcome
	before map[string][]string // every row when the button was pressed; nil where Clever changes some meanwhile
}

// mergeKills ends `hallpass serve` by kill -9 while somebody merges two records or takes a merge back. After each death
// the merge must be there whole or not at all, and so its undoing; whoever presses again makes it once. After a round
// everything is taken back, and then every row of everybody must be as it was before the round, if Clever changed nothing
// meanwhile, and in any case what Clever says of a database in which nobody was merged.
func (w *world) mergeKills(ctx context.Context, part *figure) error {
	m := &merging{world: w, part: part, outcomes: map[string]map[outcome]int{}}
	if err := m.begins(ctx); err != nil {
		return err
	}
	lasts := 60 * time.Millisecond
	for round := 0; part.Done < w.merged; round++ {
		m.alone = round%3 != 2
		if err := m.ready(ctx); err != nil {
			return err
		}
		before, err := m.everything(ctx)
		if err != nil {
			return err
		}
		var last *pressed
		for range min(perRound, w.merged-part.Done) {
			if last, err = m.one(ctx, last, &lasts); err != nil {
				return err
			}
		}
		if err := m.takeBack(ctx, last); err != nil {
			return err
		}
		if err := m.same(ctx, "after everything was taken back", before); err != nil {
			return err
		}
		if err := w.compareWith(ctx, part, m.on, m.control, byFull); err != nil {
			return err
		}
		w.progress(part, w.merged)
	}
	var said []string
	for _, kind := range []string{"merges", "second opinions", "undoings"} {
		n := m.outcomes[kind]
		said = append(said, fmt.Sprintf("%s: %d made, %d without an answer, %d refused", kind, n[made], n[unknown], n[refused]))
	}
	part.What = strings.Join(said, "; ") + fmt.Sprintf("; %d times identical to before", m.identical)
	return nil
}

// begins makes both databases, with the accounts of an old app, of which one in three leads to nobody whom Clever knows.
func (m *merging) begins(ctx context.Context) error {
	path := filepath.Join(m.folder, "old-app.csv")
	if err := oldApp(m.clever, path); err != nil {
		return err
	}
	for _, made := range []struct {
		base **base
		name string
	}{{&m.on, "merging"}, {&m.control, "unmerged"}} {
		b, err := m.newBase(ctx, m.server, made.name)
		if err != nil {
			return err
		}
		if err := m.begin(ctx, b); err != nil {
			return err
		}
		c, err := m.started(ctx, m.environ(b.url, m.cleverURL, m.addresses[0]), "import", path, "--district", m.clever.DistrictID())
		if err != nil {
			return err
		}
		if err := c.wait(ctx); err != nil {
			return fmt.Errorf("import old accounts: %w\n%s", err, c.said())
		}
		*made.base = b
	}
	return nil
}

func oldApp(from *sandbox.Sandbox, path string) error {
	var whole bytes.Buffer
	if err := from.OldApp(&whole); err != nil {
		return err
	}
	rows, err := csv.NewReader(&whole).ReadAll()
	if err != nil {
		return fmt.Errorf("read the old app: %w", err)
	}
	for i, row := range rows[1:] {
		if i%3 == 0 && row[1] != "student" && row[1] != "contact" {
			row[2] = fmt.Sprintf("5a%022x", i)
		}
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return fmt.Errorf("write the old app: %w", err)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

// ready brings the database in step, signs two admins in, and lets one override a little, so that there is more to move.
func (m *merging) ready(ctx context.Context) error {
	if err := m.edits.some(m.random.IntN(6)); err != nil {
		return err
	}
	if err := m.settle(ctx, m.on, byFull); err != nil {
		return err
	}
	c, err := m.serving(ctx, m.on.url, m.cleverURL, m.addresses[0])
	if err != nil {
		return err
	}
	err = func() error {
		if m.first, err = m.visit(ctx, c.address); err != nil {
			return err
		}
		if m.second, err = m.secondAdmin(ctx, c.address); err != nil {
			return err
		}
		for range 3 {
			d, err := m.override(ctx, m.first, m.on)
			if err != nil {
				return err
			}
			if _, err := m.first.press(ctx, d); err != nil {
				return err
			}
		}
		return nil
	}()
	return errors.Join(err, c.stop(ctx))
}

// secondAdmin signs another admin in, if there is one just now: edits may have taken their role.
func (m *merging) secondAdmin(ctx context.Context, address string) (*browser, error) {
	var email string
	err := m.on.look.QueryRow(ctx, `SELECT coalesce(min(u.email), '') FROM users u JOIN role_grants g USING (district_id) WHERE g.user_id = u.id AND g.role = 'district_admin'
		AND g.ended_at IS NULL AND u.ended_at IS NULL AND u.email <> '' AND u.clever_id <> $1`, sandbox.DistrictAdminUserID).Scan(&email)
	if err != nil || email == "" {
		return nil, err
	}
	return m.visitAs(ctx, address, email)
}

// one starts a console, presses again what the last one died of, and kills it while something else is pressed.
func (m *merging) one(ctx context.Context, last *pressed, lasts *time.Duration) (*pressed, error) {
	c, err := m.serving(ctx, m.on.url, m.cleverURL, m.addresses[0])
	if err != nil {
		return nil, err
	}
	d, err := m.press(ctx, c, last, *lasts)
	killed := c.kill()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, c.said())
	}
	if !killed {
		return nil, fmt.Errorf("%w: the console ended by itself: %w\n%s", errBroken, c.err, c.said())
	}
	if *lasts += *lasts / 10; d.outcome == made { // half of them are to die on the way
		*lasts -= *lasts / 5
	}
	amid, err := m.buried(ctx, m.on)
	if err != nil {
		return nil, err
	}
	m.part.Done++
	if amid {
		m.part.Amid++
	}
	m.count(d.kind, d.outcome)
	return d, m.whole(ctx, d)
}

func (m *merging) count(kind string, o outcome) {
	if m.outcomes[kind] == nil {
		m.outcomes[kind] = map[outcome]int{}
	}
	m.outcomes[kind][o]++
}

// press does what one console lives for.
func (m *merging) press(ctx context.Context, c *console, last *pressed, lasts time.Duration) (*pressed, error) {
	if last != nil {
		if err := m.hold(ctx, m.part, last.by, m.on, last.deed, last.outcome); err != nil {
			return nil, err
		}
	}
	d, err := m.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if m.random.IntN(3) == 0 { // a sync meanwhile
		if !m.alone {
			if err := m.edits.some(1 + m.random.IntN(5)); err != nil {
				return nil, err
			}
		}
		if err := m.syncNow(ctx, m.first); err != nil {
			return nil, err
		}
	}
	answered := make(chan error, 1)
	go func() {
		var err error
		d.outcome, err = d.by.press(ctx, d.deed)
		answered <- err
	}()
	if err := pause(ctx, m.somewhere(lasts)); err != nil {
		return nil, err
	}
	c.kill()
	return d, <-answered
}

// prepare previews the next thing to do, and keeps every row as it is now.
func (m *merging) prepare(ctx context.Context) (*pressed, error) {
	d := &pressed{by: m.first}
	var err error
	var open int
	if err := m.on.look.QueryRow(ctx, `SELECT count(*) FROM merges WHERE state = 'merged'`).Scan(&open); err != nil {
		return nil, fmt.Errorf("count merges: %w", err)
	}
	switch at := m.random.IntN(10); {
	case open > 0 && (at < 4 || open > 6):
		d.kind = "undoings"
		d.deed, _, err = m.undoing(ctx)
	case at < 6 && m.alone && m.second != nil:
		d.kind, d.by = "second opinions", m.second
		d.deed, err = m.agreement(ctx)
	default:
		d.kind = "merges"
		d.deed, err = m.merge(ctx, false)
	}
	if err != nil || !m.alone {
		return d, err
	}
	d.before, err = m.everything(ctx)
	return d, err
}

// merge previews the merge of an old account's person and of an employee, or of two employees whom Clever lists both.
func (m *merging) merge(ctx context.Context, both bool) (deed, error) {
	for range 20 {
		var keep, other int64
		err := m.on.look.QueryRow(ctx, `WITH people AS (SELECT u.id, u.clever_id FROM users u WHERE u.ended_at IS NULL AND u.merged_into IS NULL
				AND (u.clever_id IS NULL OR EXISTS (SELECT FROM role_grants g WHERE g.user_id = u.id AND g.ended_at IS NULL AND g.role IN ('teacher', 'staff')))
				AND NOT EXISTS (SELECT FROM role_grants g WHERE g.user_id = u.id AND g.ended_at IS NULL AND g.role NOT IN ('teacher', 'staff')))
			SELECT a.id, b.id FROM people a, people b WHERE a.id <> b.id AND a.clever_id IS NOT NULL AND (b.clever_id IS NOT NULL) = $2
			ORDER BY md5(a.id || '-' || b.id || $1) LIMIT 1`, fmt.Sprint(m.random.Uint64()), both).Scan(&keep, &other)
		if err != nil {
			return deed{}, fmt.Errorf("choose two to merge: %w", err)
		}
		status, page, err := m.first.get(ctx, fmt.Sprintf("%s%smerges/new?member=%d&member=%d&keep=%d", m.first.console, m.first.home, keep, other, keep))
		if err != nil || status != http.StatusOK {
			return deed{}, fmt.Errorf("%w: a merge's preview was answered with status %d: %w", errBroken, status, err)
		}
		if path, fields, err := button(page); err == nil { // else they have been said to be different
			return deed{path, fields}, nil
		}
	}
	return deed{}, errors.New("nobody is left to merge")
}

// agreement lets one admin propose, and previews it for the other.
func (m *merging) agreement(ctx context.Context) (deed, error) {
	d, err := m.merge(ctx, true)
	if err != nil {
		return d, err
	}
	a, err := m.first.post(ctx, d.path, d.fields)
	if err != nil || a.status != http.StatusSeeOther || !strings.Contains(a.to, "/merges/") {
		return d, fmt.Errorf("%w: a proposal was answered with status %d, %s: %w", errBroken, a.status, a.to, err)
	}
	return m.preview(ctx, m.second, a.to)
}

// undoing previews the taking back of a merge on which no later one stands. none: there is none.
func (m *merging) undoing(ctx context.Context) (d deed, none bool, err error) {
	var ids []int64
	err = m.on.look.QueryRow(ctx, `WITH people AS (SELECT id AS merge, survivor_id AS person FROM merges WHERE state = 'merged'
			UNION SELECT m.id, x.user_id FROM merges m JOIN merge_members x ON x.merge_id = m.id WHERE m.state = 'merged')
		SELECT coalesce(array_agg(m.id ORDER BY m.id), '{}') FROM merges m WHERE m.state = 'merged'
		   AND NOT EXISTS (SELECT FROM people mine JOIN people later USING (person) WHERE mine.merge = m.id AND later.merge > m.id)`).Scan(&ids)
	if err != nil || len(ids) == 0 {
		return d, true, err
	}
	d, err = m.preview(ctx, m.first, fmt.Sprintf("%smerges/%d/unmerge", m.first.home, ids[m.random.IntN(len(ids))]))
	d.fields.Set("reason", "They are two people")
	return d, false, err
}

func (m *merging) preview(ctx context.Context, b *browser, path string) (deed, error) {
	status, page, err := b.get(ctx, b.console+path)
	if err != nil || status != http.StatusOK {
		return deed{fields: url.Values{}}, fmt.Errorf("%w: %s was answered with status %d: %w", errBroken, path, status, err)
	}
	path, fields, err := button(page)
	if err != nil {
		return deed{fields: url.Values{}}, fmt.Errorf("%w: %s: %w", errBroken, path, err)
	}
	return deed{path, fields}, nil
}
