package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// Bars of access.
const (
	barTrips      = 3.0  // server time of one evaluation over one bare round trip
	barOpenFGA    = 0.6  // ms, what OpenFGA over PostgreSQL takes for a check at its best
	barTogether   = 5.0  // a hundred evaluations in one call over one
	barDecide     = 5.0  // µs
	barSimulation = 5.0  // s
	together      = 100  // evaluations in one call
	bigSchool     = 4000 // people of the school whose who-can is asked for, or the nearest
)

// accessFigures are what access takes. Times are ms, but where they say otherwise.
type accessFigures struct {
	Evaluation   siteFigures        `json:"evaluation"`
	Together     siteFigures        `json:"evaluations_100_of_one_person"`
	Crowd        siteFigures        `json:"evaluations_100_of_as_many_people"`
	Nothing      siteFigures        `json:"bare_nothing"`
	Trip         siteFigures        `json:"bare_round_trip"`
	Loops        loopFigures        `json:"in_a_loop_ms"`
	WhoCan       siteFigures        `json:"who_can"`
	WhoCanPeople int                `json:"who_can_people"`
	UserAccess   siteFigures        `json:"user_access"`
	Simulation   float64            `json:"simulation_s"`
	Check        map[string]float64 `json:"check_us"`
}

// asked is a decision to ask about, by the ids a program would send.
type asked struct{ subject, kind, resource, permission string }

// access takes the figures of decisions: over HTTP as an app asks them, and of the check alone in this process.
func (w *world) access(ctx context.Context, o options) (err error) {
	stop, err := w.serveConsole(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	bareAddress, stopBare, err := w.serveBare(ctx, self)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopBare()) }()
	key, err := w.apiKey(ctx)
	if err != nil {
		return err
	}
	questions, err := w.decisions(ctx, rand.New(rand.NewPCG(o.seed, 0x616363657373))) //nolint:gosec // questions, not secrets
	if err != nil {
		return err
	}
	var f accessFigures
	length := time.Duration(o.seconds * float64(time.Second))
	var one, page, crowd [][]byte // a page of an app asks about one person, a report about many
	for i, q := range questions {
		one = append(one, w.post("/access/v1/evaluation", key, q.body()))
		var own, all []string
		for j := range together {
			other := questions[(i+j)%len(questions)]
			all = append(all, other.body())
			other.subject = q.subject
			own = append(own, other.body())
		}
		page = append(page, w.post("/access/v1/evaluations", key, `{"evaluations":[`+strings.Join(own, ",")+`]}`))
		crowd = append(crowd, w.post("/access/v1/evaluations", key, `{"evaluations":[`+strings.Join(all, ",")+`]}`))
	}
	if err := w.plausible(ctx, one); err != nil {
		return err
	}
	bare := site{address: bareAddress}
	nothing := [][]byte{bare.request(nothingPath, false)}
	var trip [][]byte
	for _, q := range questions {
		trip = append(trip, bare.request(tripPath+q.subject, false))
	}
	for _, t := range []struct {
		into     *siteFigures
		address  string
		requests [][]byte
	}{
		{&f.Evaluation, w.console, one},
		{&f.Together, w.console, page},
		{&f.Crowd, w.console, crowd},
		{&f.Nothing, bareAddress, nothing},
		{&f.Trip, bareAddress, trip},
	} {
		if !o.measures("decisions") {
			continue
		}
		if *t.into, err = turns(ctx, o, t.address, t.requests, length); err != nil {
			return fmt.Errorf("decisions: %w", err)
		}
	}
	if o.measures("decisions") {
		if f.Loops, err = w.loops(ctx, key, questions, length); err != nil {
			return err
		}
	}
	if err := w.accessPages(ctx, o, &f, length); err != nil {
		return err
	}
	if o.measures("decisions") {
		if f.Check, err = w.checks(ctx, questions); err != nil {
			return err
		}
	}
	w.report.access(f)
	return nil
}

// apiKey puts a key into the database; the console only ever sees its hash.
func (w *world) apiKey(ctx context.Context) (string, error) {
	text := fmt.Sprintf("hp_%d_%s", w.district, base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
	sum := sha256.Sum256([]byte(text))
	_, err := w.owner.Exec(ctx, `INSERT INTO api_keys (district_id, name, key_hash, hint, created_by, created_at)
		SELECT $1, 'bench', $2, 'AAAA', min(id), now() FROM users WHERE district_id = $1 ON CONFLICT DO NOTHING`, w.district, sum[:])
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	return text, nil
}

func (q asked) body() string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":%q},"resource":{"type":%q,"id":%q}}`, q.subject, q.permission, q.kind, q.resource)
}

func (w *world) post(path, key, body string) []byte {
	return []byte("POST " + path + " HTTP/1.1\r\nHost: " + w.console + "\r\nAuthorization: Bearer " + key +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// decisions are questions about people who work in the district: half about where they are, half about anywhere.
func (w *world) decisions(ctx context.Context, random *rand.Rand) (list []asked, err error) {
	rows, err := w.owner.Query(ctx, `
		(SELECT u.clever_id, 'section', s.clever_id FROM section_teachers t JOIN users u ON (u.district_id, u.id) = (t.district_id, t.user_id)
		   JOIN sections s ON (s.district_id, s.id) = (t.district_id, t.section_id)
		  WHERE t.district_id = $1 AND u.ended_at IS NULL AND s.ended_at IS NULL ORDER BY md5(s.clever_id) LIMIT $2)
		UNION ALL
		(SELECT u.clever_id, 'school', h.clever_id FROM role_grant_schools g JOIN users u ON (u.district_id, u.id) = (g.district_id, g.user_id)
		   JOIN schools h ON (h.district_id, h.id) = (g.district_id, g.school_id)
		  WHERE g.district_id = $1 AND g.role = 'staff' AND g.ended_at IS NULL AND u.ended_at IS NULL AND h.ended_at IS NULL ORDER BY md5(u.clever_id) LIMIT $2)`,
		w.district, questionsEach)
	if err != nil {
		return nil, fmt.Errorf("choose decisions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var q asked
		if err := rows.Scan(&q.subject, &q.kind, &q.resource); err != nil {
			return nil, fmt.Errorf("choose decisions: %w", err)
		}
		q.permission = []string{"users.view", "grades.edit", "classroom.view"}[random.IntN(3)]
		list = append(list, q)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("choose decisions: %w", err)
	}
	if len(list) < together {
		return nil, errors.New("choose decisions: the district is too small")
	}
	for i := range list { // somebody else's place, for every other one
		if j := random.IntN(len(list)); i%2 == 1 {
			list[i].kind, list[i].resource = list[j].kind, list[j].resource
		}
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list, nil
}

const questionsEach = 200

// plausible looks at what is answered before it is timed.
func (w *world) plausible(ctx context.Context, requests [][]byte) error {
	line, err := dial(ctx, w.console)
	if err != nil {
		return err
	}
	defer line.conn.Close()
	yes, no := 0, 0
	for _, r := range requests {
		var body strings.Builder
		status, _, err := line.get(r, &body)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("ask for a decision: status %d: %s: %w", status, body.String(), err)
		}
		switch {
		case strings.HasPrefix(body.String(), `{"decision":true`):
			yes++
		case strings.HasPrefix(body.String(), `{"decision":false`) && !strings.Contains(body.String(), `"code":"unknown`):
			no++
		default:
			return fmt.Errorf("ask for a decision: %s", body.String())
		}
	}
	if yes == 0 || no == 0 {
		return fmt.Errorf("ask for decisions: %d yes, %d no: not worth timing", yes, no)
	}
	return nil
}

// turns drives requests at one client and at many, several times.
func turns(ctx context.Context, o options, address string, requests [][]byte, length time.Duration) (siteFigures, error) {
	var alone, crowd []sample
	for round := -1; round < o.rounds; round++ {
		a, err := drive(ctx, address, requests, 1, length)
		if err != nil {
			return siteFigures{}, err
		}
		c, err := drive(ctx, address, requests, many, length)
		if err != nil {
			return siteFigures{}, err
		}
		if round >= 0 { // the first warms connections and plans
			alone, crowd = append(alone, a), append(crowd, c)
		}
	}
	return medians(alone, crowd), nil
}

// accessPages takes the pages that answer about access, as the district's admin has them.
func (w *world) accessPages(ctx context.Context, o options, f *accessFigures, length time.Duration) error {
	admin, err := w.signIn(ctx)
	if err != nil {
		return err
	}
	var school string
	err = w.owner.QueryRow(ctx, `SELECT s.clever_id, c.people FROM head_counts c JOIN schools s ON (s.district_id, s.id) = (c.district_id, c.school_id)
		WHERE c.district_id = $1 AND c.role = '' ORDER BY abs(c.people - $2) LIMIT 1`, w.district, bigSchool).Scan(&school, &f.WhoCanPeople)
	if err != nil {
		return fmt.Errorf("choose a school: %w", err)
	}
	people, err := w.people(ctx, rand.New(rand.NewPCG(o.seed, 1))) //nolint:gosec // questions, not secrets
	if err != nil {
		return err
	}
	var users [][]byte
	for _, p := range people {
		users = append(users, admin.request("/users/"+strconv.FormatInt(p.id, 10)+"/access", false))
	}
	who := [][]byte{admin.request("/access/who-can?"+url.Values{"permission": {"roster.view"}, "place": {"school:" + school}}.Encode(), false)}
	if o.measures("who-can") {
		if f.WhoCan, err = turns(ctx, o, w.console, who, length); err != nil {
			return fmt.Errorf("who can: %w", err)
		}
	}
	if o.measures("decisions") {
		if f.UserAccess, err = turns(ctx, o, w.console, users, length); err != nil {
			return fmt.Errorf("a person's access: %w", err)
		}
	}
	if o.measures("simulation") {
		f.Simulation, err = w.simulation(ctx, admin)
	}
	return err
}

// simulation times the preview of a change of rules that touches the most people it can: teachers lose their grades.
func (w *world) simulation(ctx context.Context, admin site) (float64, error) {
	form, err := read(ctx, admin, "/rules/edit")
	if err != nil {
		return 0, fmt.Errorf("simulation: %w", err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(form))
	if err != nil {
		return 0, fmt.Errorf("simulation: %w", err)
	}
	fields := url.Values{}
	doc.Find(`main form[action$="/rules/preview"] input`).Each(func(_ int, in *goquery.Selection) {
		_, ticked := in.Attr("checked")
		if name := in.AttrOr("name", ""); name != "" && (in.AttrOr("type", "") != "checkbox" || ticked && in.AttrOr("value", "") != "grades.edit") {
			fields.Add(name, in.AttrOr("value", ""))
		}
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+admin.address+admin.base+"/rules/preview", strings.NewReader(fields.Encode()))
	if err != nil {
		return 0, fmt.Errorf("simulation: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", admin.cookie)
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("simulation: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("simulation: status %d: %w", res.StatusCode, err)
	}
	return time.Since(began).Seconds(), nil
}

func (r *report) access(f accessFigures) {
	r.Access = &f
	fmt.Fprintf(r.out, "\nAccess, median and p99 in ms; load %s\n", r.load())
	fmt.Fprintf(r.out, "  %-34s | %9s %9s | %9s %9s %9s\n", "over HTTP", "1 client", "p99", "16", "p99", "/s")
	for _, row := range []struct {
		name string
		siteFigures
	}{
		{"one evaluation", f.Evaluation},
		{fmt.Sprintf("%d in one call, one person", together), f.Together},
		{fmt.Sprintf("%d in one call, as many people", together), f.Crowd},
		{"a bare server: nothing", f.Nothing},
		{"a bare server: the person's grants", f.Trip},
		{"who can, school of " + thousands(int64(f.WhoCanPeople)), f.WhoCan},
		{"a person's access", f.UserAccess},
	} {
		if row.Requests == 0 { // not asked for
			continue
		}
		fmt.Fprintf(r.out, "  %-34s | %9.2f %9.2f | %9.2f %9.2f %9s\n", row.name, row.P50, row.P99, row.P50Many, row.P99Many, thousands(int64(row.PerSec)))
	}
	if f.Evaluation.Requests > 0 {
		fmt.Fprintf(r.out, "  in a loop, without HTTP: bare pgx, SELECT 1 %.3f, the person's grants %.3f; one evaluation %.3f\n", f.Loops.SelectOne, f.Loops.Grants, f.Loops.Evaluation)
		fmt.Fprintf(r.out, "  the check alone, in this process, µs:")
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for name := range f.Check {
				if !yield(name) {
					return
				}
			}
		}) {
			fmt.Fprintf(r.out, "  %s %.2f", name, f.Check[name])
		}
		fmt.Fprintln(r.out)
		// Time on the server is what a request takes over HTTP, less what a bare server takes to answer nothing. A round
		// trip is held against it that a server makes for a request, on the same grants: the same in a loop finds both
		// processes awake.
		server, trip := f.Evaluation.P50-f.Nothing.P50, f.Trip.P50-f.Nothing.P50
		r.bar(server <= barTrips*trip, "one evaluation: %.3f ms on the server (%.3f over HTTP, less the %.3f that a bare server takes to answer nothing), %.1f × one bare round trip of %.3f there, at most %.0f; p99 at %d clients %.1f ms",
			server, f.Evaluation.P50, f.Nothing.P50, server/trip, trip, barTrips, many, f.Evaluation.P99Many)
		l := f.Loops
		r.bar(l.Evaluation <= barTrips*l.Grants, "one evaluation, both in a loop: %.1f × one bare round trip, at most %.0f", l.Evaluation/l.Grants, barTrips)
		fmt.Fprintf(r.out, "  info    one evaluation: %.1f × SELECT 1, both in a loop; on the server %.1f × SELECT 1 in a loop\n", l.Evaluation/l.SelectOne, server/l.SelectOne)
		r.bar(server <= barOpenFGA, "one evaluation: %.3f ms on the server, below %.1f", server, barOpenFGA)
		r.bar(f.Together.P50 <= barTogether*f.Evaluation.P50, "%d evaluations of one person in one call: %.1f × one, at most %.0f", together, f.Together.P50/f.Evaluation.P50, barTogether)
		fmt.Fprintf(r.out, "  info    %d evaluations of as many people in one call: %.1f × one\n", together, f.Crowd.P50/f.Evaluation.P50)
		r.bar(f.Check["Decide"] <= barDecide, "Decide: %.2f µs, at most %.0f", f.Check["Decide"], barDecide)
	}
	if f.Simulation > 0 {
		r.bar(f.Simulation <= barSimulation, "simulation of a change of rules: %.2f s, at most %.0f", f.Simulation, barSimulation)
	}
}
