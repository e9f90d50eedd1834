package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/handlers"
	"hallpass/models"
)

// loopFigures are medians in ms of doing one thing again and again, with nothing around it.
type loopFigures struct {
	SelectOne  float64 `json:"select_1"`
	Grants     float64 `json:"grants_of_one"`
	Evaluation float64 `json:"evaluation"`
}

// loops times in this process what a decision does at least, a round trip that reads the person's grants through bare
// pgx, and what the console does for one from the request to the answer; neither is sent over HTTP.
func (w *world) loops(ctx context.Context, key string, questions []asked, length time.Duration) (f loopFigures, err error) {
	fail := func(err error) (loopFigures, error) { return f, fmt.Errorf("loops: %w", err) }
	pool, err := pgxpool.New(ctx, w.url)
	if err != nil {
		return fail(err)
	}
	defer pool.Close()
	store, err := models.Open(ctx, models.Config{URL: w.url, MaxConns: many})
	if err != nil {
		return fail(err)
	}
	defer store.Close()
	logFile, err := os.CreateTemp("", "hallpass-bench-*.log") // a console writes a line for each request
	if err != nil {
		return fail(err)
	}
	defer func() {
		logFile.Close()
		os.Remove(logFile.Name())
	}()
	console, err := handlers.New(handlers.Config{
		Store: store, Clever: &clever.Client{}, Renderer: noPages{}, BaseURL: "http://127.0.0.1", CookieKeys: [][]byte{make([]byte, 32)},
		Log: slog.New(slog.NewTextHandler(logFile, nil)),
	})
	if err != nil {
		return fail(err)
	}
	for into, once := range map[*float64]func(asked) error{
		&f.SelectOne: func(asked) error {
			var one int
			return pool.QueryRow(ctx, `SELECT 1`).Scan(&one)
		},
		&f.Grants: func(q asked) error { return roundTrip(ctx, pool, bareTrip, w.district, q.subject) },
		&f.Evaluation: func(q asked) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/access/v1/evaluation", strings.NewReader(q.body()))
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			if console.ServeHTTP(answer, r); answer.Code != http.StatusOK {
				return fmt.Errorf("status %d: %s", answer.Code, answer.Body)
			}
			return nil
		},
	} {
		for range 2 { // the first warms connections, plans and copies
			var took []float64
			for until := time.Now().Add(length); time.Now().Before(until); {
				for _, q := range questions {
					began := time.Now()
					if err := once(q); err != nil {
						return fail(err)
					}
					took = append(took, ms(time.Since(began)))
				}
			}
			*into = median(took)
		}
	}
	return f, nil
}

// noPages is for a console of which no page is asked.
type noPages struct{}

func (noPages) Render(io.Writer, string, any, echo.Context) error {
	return errors.New("no pages")
}

// maxGrants is how many grants the engines in this process are given.
const maxGrants = 100_000

// checks times the check alone, in µs, on the same grants: Decide and Cedar with one person's facts at hand, as a
// request has them, and casbin with all of them in memory, as it is used.
func (w *world) checks(ctx context.Context, questions []asked) (map[string]float64, error) {
	f, err := w.checkFacts(ctx, questions)
	if err != nil {
		return nil, err
	}
	enforcer, err := f.casbin()
	if err != nil {
		return nil, err
	}
	policies, err := f.cedarPolicies()
	if err != nil {
		return nil, err
	}
	entities := make([]cedar.EntityMap, len(questions))
	requests := make([]cedar.Request, len(questions))
	for i, q := range questions {
		entities[i], requests[i] = f.cedar(q)
	}
	decide := func(i int) bool {
		q := questions[i]
		return f.facts[q.subject].Decide(access.Permission(q.permission), f.places[q.kind+q.resource]).Allowed
	}
	engines := map[string]func(int) (bool, error){
		"Decide": func(i int) (bool, error) { return decide(i), nil },
		"cedar-go": func(i int) (bool, error) {
			answer, _ := cedar.Authorize(policies, entities[i], requests[i])
			return bool(answer), nil
		},
		"casbin": func(i int) (bool, error) {
			q := questions[i]
			return enforcer.Enforce(q.subject, f.domain(q), q.permission)
		},
	}
	took := map[string]float64{}
	for name, check := range engines {
		for i := range questions {
			if may, err := check(i); err != nil || may != decide(i) {
				return nil, fmt.Errorf("%s says %t of %+v, Decide the opposite: %w", name, may, questions[i], err)
			}
		}
		n, began := 0, time.Now()
		for time.Since(began) < time.Second {
			for i := range questions {
				_, _ = check(i)
			}
			n += len(questions)
		}
		took[name] = time.Since(began).Seconds() * 1e6 / float64(n)
	}
	return took, nil
}

// checkedFacts is what the engines know: everybody's grants, and where the places of the questions are.
type checkedFacts struct {
	policy *access.Policy
	facts  map[string]access.Facts // by Clever id
	places map[string]access.Place // by kind and Clever id
	grants [][]string              // user, role, domain
}

func (w *world) checkFacts(ctx context.Context, questions []asked) (*checkedFacts, error) {
	f := &checkedFacts{policy: access.ShippedPolicy(access.ShippedCatalogue()), facts: map[string]access.Facts{}, places: map[string]access.Place{}}
	var people, places []string
	for _, q := range questions {
		people, places = append(people, q.subject), append(places, q.resource)
	}
	each := func(sql string, args []any, scan []any, row func()) error {
		rows, err := w.owner.Query(ctx, sql, args...)
		if err == nil {
			_, err = pgx.ForEachRow(rows, scan, func() error { row(); return nil })
		}
		if err != nil {
			return fmt.Errorf("facts of the checks: %w", err)
		}
		return nil
	}
	var user, role, id string
	var labels []string
	var school, section int64
	// The people of the questions come first, so that they are among the grants of the others.
	err := each(`SELECT u.clever_id, g.role, g.labels, coalesce(s.school_id, 0) FROM role_grants g
		JOIN users u ON (u.district_id, u.id) = (g.district_id, g.user_id)
		LEFT JOIN role_grant_schools s ON (s.district_id, s.grant_id) = (g.district_id, g.id) AND s.ended_at IS NULL
		WHERE g.district_id = $1 AND g.ended_at IS NULL AND g.role <> 'contact' AND u.clever_id IS NOT NULL
		ORDER BY u.clever_id <> ALL($2), g.role = 'student', u.id LIMIT $3`, []any{w.district, people, maxGrants}, []any{&user, &role, &labels, &school}, func() {
		facts := f.facts[user]
		facts.Policy = f.policy
		facts.Grants = append(facts.Grants, access.Grant{Role: access.Role(role), Labels: slices.Clone(labels), Schools: []int64{school}, Source: access.FromClever})
		f.facts[user] = facts
		switch access.Role(role) {
		case access.Teacher: // by section, below
		case access.DistrictAdmin:
			f.grants = append(f.grants, []string{user, role, "*"})
		default:
			f.grants = append(f.grants, []string{user, role, fmt.Sprint("school ", school)})
			for _, l := range labels {
				f.grants = append(f.grants, []string{user, role + "/" + l, fmt.Sprint("school ", school)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(`SELECT u.clever_id, s.school_id, s.id FROM section_teachers t JOIN sections s ON (s.district_id, s.id) = (t.district_id, t.section_id)
		JOIN users u ON (u.district_id, u.id) = (t.district_id, t.user_id) WHERE t.district_id = $1 AND s.ended_at IS NULL
		ORDER BY u.clever_id <> ALL($2) LIMIT $3`, []any{w.district, people, maxGrants}, []any{&user, &school, &section}, func() {
		if facts, known := f.facts[user]; known {
			facts.Teaches = append(facts.Teaches, access.AtSection(section, school))
			f.facts[user] = facts
			if slices.ContainsFunc(facts.Grants, func(g access.Grant) bool { return g.Role == access.Teacher }) {
				f.grants = append(f.grants, []string{user, "teacher", fmt.Sprint("section ", section)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(`SELECT clever_id, school_id, id FROM sections WHERE district_id = $1 AND clever_id = ANY($2)
		UNION ALL SELECT clever_id, id, 0 FROM schools WHERE district_id = $1 AND clever_id = ANY($2)`, []any{w.district, places}, []any{&id, &school, &section}, func() {
		if section == 0 {
			f.places["school"+id] = access.AtSchool(school)
		} else {
			f.places["section"+id] = access.AtSection(section, school)
		}
	})
	return f, err
}

// domain is the place of a question as casbin is asked about it.
func (f *checkedFacts) domain(q asked) string {
	at := f.places[q.kind+q.resource]
	if at.Kind == access.Section {
		return fmt.Sprint("section ", at.Section)
	}
	return fmt.Sprint("school ", at.School)
}

// casbin is RBAC with domains over the grants. A section lies in a school, which casbin does not know: the sections
// asked about are domains of whoever holds a role at their school.
func (f *checkedFacts) casbin() (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(`
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && (g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, "*"))
`)
	if err != nil {
		return nil, fmt.Errorf("casbin: %w", err)
	}
	e, err := casbin.NewEnforcer(m, false)
	if err != nil {
		return nil, fmt.Errorf("casbin: %w", err)
	}
	var rules [][]string
	for _, r := range f.policy.Rules() {
		name := string(r.Role)
		if r.Label != "" {
			name += "/" + r.Label
		}
		for _, p := range r.Permissions {
			rules = append(rules, []string{name, string(p)})
		}
	}
	grants := slices.Clone(f.grants)
	for _, at := range f.places {
		if at.Kind != access.Section {
			continue
		}
		for _, g := range f.grants {
			if g[2] == fmt.Sprint("school ", at.School) {
				grants = append(grants, []string{g[0], g[1], fmt.Sprint("section ", at.Section)})
			}
		}
	}
	if _, err := e.AddPoliciesEx(rules); err != nil {
		return nil, fmt.Errorf("casbin: %w", err)
	}
	if _, err := e.AddGroupingPoliciesEx(grants); err != nil {
		return nil, fmt.Errorf("casbin: %w", err)
	}
	return e, nil
}

// cedarPolicies says the rules in Cedar, with a person's places as attributes by role and label.
func (f *checkedFacts) cedarPolicies() (*cedar.PolicySet, error) {
	var text strings.Builder
	for _, r := range f.policy.Rules() {
		where := fmt.Sprintf("principal has %q && resource in principal[%q]", "at "+string(r.Role)+r.Label, "at "+string(r.Role)+r.Label)
		for _, p := range r.Permissions {
			fmt.Fprintf(&text, "permit (principal, action == Action::%q, resource) when { %s };\n", p, where)
		}
	}
	set, err := cedar.NewPolicySetFromBytes("rules", []byte(text.String()))
	if err != nil {
		return nil, fmt.Errorf("cedar: %w", err)
	}
	return set, nil
}

// cedar is the entities of one question, and the question.
func (f *checkedFacts) cedar(q asked) (cedar.EntityMap, cedar.Request) {
	district := cedar.NewEntityUID("District", "d")
	school := func(id int64) cedar.EntityUID { return cedar.NewEntityUID("School", cedar.String(fmt.Sprint(id))) }
	section := func(id int64) cedar.EntityUID { return cedar.NewEntityUID("Section", cedar.String(fmt.Sprint(id))) }
	facts, at, user := f.facts[q.subject], f.places[q.kind+q.resource], cedar.NewEntityUID("User", cedar.String(q.subject))
	places := map[string][]cedar.Value{}
	for _, g := range facts.Grants {
		switch g.Role {
		case access.DistrictAdmin:
			places["at district_admin"] = []cedar.Value{district}
		case access.Teacher:
			for _, s := range facts.Teaches {
				places["at teacher"] = append(places["at teacher"], section(s.Section))
			}
		case access.Staff:
			for _, s := range g.Schools {
				for _, l := range append([]string{""}, g.Labels...) {
					places["at staff"+l] = append(places["at staff"+l], school(s))
				}
			}
		case access.Student, access.Contact: // reach nowhere
		}
	}
	attributes := cedar.RecordMap{}
	for name, list := range places {
		attributes[cedar.String(name)] = cedar.NewSet(list...)
	}
	all := cedar.EntityMap{
		district:          {UID: district},
		user:              {UID: user, Attributes: cedar.NewRecord(attributes)},
		school(at.School): {UID: school(at.School), Parents: cedar.NewEntityUIDSet(district)},
	}
	resource := school(at.School)
	if at.Kind == access.Section {
		resource = section(at.Section)
		all[resource] = cedar.Entity{UID: resource, Parents: cedar.NewEntityUIDSet(school(at.School))}
	}
	return all, cedar.Request{Principal: user, Action: cedar.NewEntityUID("Action", cedar.String(q.permission)), Resource: resource}
}
