package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// barHeld bounds, in seconds, what people wait for when half of the district is held: each page, and each run.
const barHeld = 30.0

// heldStep is one step of a held list's life, in seconds.
type heldStep struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// heldFigures are of half the district unshared, held by the brake, approved by two people and shared again.
type heldFigures struct {
	Schools int        `json:"schools"`
	Ended   int        `json:"people_ended"`
	Steps   []heldStep `json:"steps"`
}

// current counts what a whole district has, to be compared when it is back.
const current = `SELECT (SELECT count(*) FROM users WHERE ended_at IS NULL) || ' people, ' || (SELECT count(*) FROM role_grants WHERE ended_at IS NULL)
	|| ' roles, ' || (SELECT count(*) FROM role_grant_schools WHERE ended_at IS NULL) || ' of them at schools, ' || (SELECT count(*) FROM sections WHERE ended_at IS NULL)
	|| ' sections with ' || (SELECT count(*) FROM section_teachers) || ' teachers and ' || (SELECT count(*) FROM section_students) || ' students'`

// held takes the figures of the brake, from half of the schools unshared until everybody is back.
func (w *world) held(ctx context.Context) error {
	f := &heldFigures{}
	w.report.Held = f
	step := func(name string, do func() error) error {
		began := time.Now()
		if err := do(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.Steps = append(f.Steps, heldStep{name, time.Since(began).Seconds()})
		return nil
	}
	sync := func() error { _, err := w.syncOnce(ctx, "--full"); return err }
	var before, after string
	schools, err := w.schoolIDs(ctx)
	if err == nil {
		err = w.owner.QueryRow(ctx, current).Scan(&before)
	}
	if err != nil {
		return fmt.Errorf("held sync: %w", err)
	}
	schools = schools[:len(schools)/2]
	f.Schools = len(schools)
	if err := w.clever.UnshareSchools(schools); err != nil {
		return err
	}
	if err := step("full sync, until it is held", sync); err != nil {
		return err
	}
	var run int64
	if err := w.owner.QueryRow(ctx, `SELECT id FROM sync_runs WHERE state = 'held'`).Scan(&run); err != nil {
		return fmt.Errorf("find the held sync: %w", err)
	}
	stop, err := w.serveConsole(ctx, w.url) // which applies what is approved
	if err != nil {
		return err
	}
	err = w.approve(ctx, run, step)
	if err == nil {
		err = step("release", func() error { return w.released(ctx) })
	}
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	if err := w.owner.QueryRow(ctx, `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`).Scan(&f.Ended); err != nil {
		return fmt.Errorf("count who ended: %w", err)
	}
	if err := w.clever.ShareSchools(schools); err != nil {
		return err
	}
	if err := step("full sync, everybody back", sync); err != nil {
		return err
	}
	if err := w.owner.QueryRow(ctx, current).Scan(&after); err != nil {
		return fmt.Errorf("count who is back: %w", err)
	}
	w.report.held(before, after)
	return nil
}

// approve has two district admins approve the whole list, by the pages they see.
func (w *world) approve(ctx context.Context, run int64, step func(string, func() error) error) error {
	rows, err := w.owner.Query(ctx, `SELECT u.email FROM users u JOIN role_grants g USING (district_id) WHERE g.user_id = u.id AND g.role = 'district_admin' AND g.ended_at IS NULL
		AND u.ended_at IS NULL AND u.role_count = 1 AND u.email_key <> '' AND (SELECT count(*) FROM users o WHERE o.email_key = u.email_key) = 1 ORDER BY u.id LIMIT 2`)
	if err != nil {
		return fmt.Errorf("choose who approves: %w", err)
	}
	var email string
	var admins []string
	for rows.Next() {
		if err := rows.Scan(&email); err != nil {
			return fmt.Errorf("choose who approves: %w", err)
		}
		admins = append(admins, email)
	}
	if err := rows.Err(); err != nil || len(admins) < 2 {
		return fmt.Errorf("choose who approves: %d people: %w", len(admins), err)
	}
	for n, email := range admins {
		admin, err := w.signInAs(ctx, email)
		if err != nil {
			return err
		}
		at := fmt.Sprintf("%s/syncs/%d", admin.base, run)
		if n == 0 {
			if err := step("the held sync's page", func() error { _, err := admin.form(ctx, http.MethodGet, at, nil); return err }); err != nil {
				return err
			}
		}
		var button url.Values
		err = step([]string{"first preview", "second preview"}[n], func() (err error) {
			button, err = admin.form(ctx, http.MethodPost, at+"/held/preview", url.Values{"do": {"approve"}})
			return err
		})
		if err == nil {
			err = step([]string{"first approval", "second approval"}[n], func() error {
				_, err := admin.form(ctx, http.MethodPost, at+"/held", button)
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// form asks for a page and reads the fields of the first form on it that leads to a change; where a change was made
// instead, there are none.
func (s site) form(ctx context.Context, method, path string, fields url.Values) (url.Values, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Cookie", s.cookie)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSeeOther && !strings.HasPrefix(res.Header.Get("Location"), "/signin") {
		return nil, nil
	}
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 4000)) // for whoever reads the error
		return nil, fmt.Errorf("status %d\n%s", res.StatusCode, said)
	}
	doc, err := goquery.NewDocumentFromReader(res.Body)
	if err != nil {
		return nil, err
	}
	button := url.Values{}
	doc.Find(`main form[method="post"]`).First().Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		button.Add(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return button, nil
}

// released waits until what was approved has been applied.
func (w *world) released(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		var state, why string
		if err := w.owner.QueryRow(ctx, `SELECT state, error FROM sync_runs WHERE kind = 'release' ORDER BY id DESC LIMIT 1`).Scan(&state, &why); err != nil {
			return fmt.Errorf("wait for the release: %w", err)
		}
		switch state {
		case "done":
			return nil
		case "failed":
			return errors.New(why)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (r *report) held(before, after string) {
	f := r.Held
	fmt.Fprintf(r.out, "\nThe brake: %d of the schools unshared, %s people of them approved by two others, and shared again; load %s\n", f.Schools, thousands(int64(f.Ended)), r.load())
	for _, s := range f.Steps {
		r.bar(s.Seconds <= barHeld, "%s: %.1f s, at most %.0f", s.Name, s.Seconds, barHeld)
	}
	r.bar(before == after, "afterwards there are %s; before there were %s", after, before)
}
