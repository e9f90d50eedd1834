package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// key makes a key past the page, for questions about the API alone.
func (c *console) key(explains bool) string {
	c.t.Helper()
	b := newBearer(c.district)
	admin := c.id(sandbox.DistrictAdminUserID)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		if err := tx.Become(access.Actor{District: c.district, User: admin}); err != nil {
			return err
		}
		_, err := tx.CreateAPIKey(ctx, models.NewAPIKey{Name: "test", Hash: hash(b.text), Hint: keyHint(b), Explains: explains})
		return err
	})
	return b.text
}

// program asks as a program does.
type program struct {
	c   *console
	key string
}

func (p program) send(path string, body io.Reader, headers ...string) answer {
	p.c.t.Helper()
	r, err := http.NewRequestWithContext(p.c.t.Context(), http.MethodPost, p.c.url+path, body)
	if err != nil {
		p.c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return p.c.browser().stepWith(r)
}

type told struct {
	Decision bool
	Context  struct {
		Code, View              string
		Error                   *struct{ Status int }
		ReasonUser, ReasonAdmin map[string]string
		Trace                   []map[string]any
	}
	Evaluations []told
	Page        *struct {
		NextToken string `json:"next_token"`
		Count     int
		Total     *int
	}
	Results []map[string]any
	Error   struct{ Code, Message, RequestID string }
}

func (p program) ask(path, body string) told {
	p.c.t.Helper()
	a := p.send(path, strings.NewReader(body))
	if a.StatusCode != http.StatusOK {
		p.c.t.Fatalf("%s of %.200s: status %d, %s", path, body, a.StatusCode, a.body)
	}
	return parsed(p.c.t, a.body)
}

func parsed(t *testing.T, body string) (d told) {
	t.Helper()
	body = strings.NewReplacer(`"reason_user"`, `"ReasonUser"`, `"reason_admin"`, `"ReasonAdmin"`, `"request_id"`, `"RequestID"`).Replace(body)
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatalf("%v in %.300s", err, body)
	}
	return d
}

// q is the body of a question. The ids hold nothing that JSON writes otherwise.
func q(subject, action, resource string, more ...string) string {
	typ, id, _ := strings.Cut(subject, ":")
	kind, place, _ := strings.Cut(resource, ":")
	return fmt.Sprintf(`{"subject":{"type":%q,"id":%q},"action":{"name":%q},"resource":{"type":%q,"id":%q}%s}`, typ, id, action, kind, place, strings.Join(more, ""))
}

// sql does something to the database past everything.
func (c *console) sql(sql string, args ...any) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(c.t.Context(), sql, args...); err != nil {
		c.t.Fatal(err)
	}
}

// decides sets how the district combines roles.
func (c *console) decides(by access.Combining, strategy access.Strategy) {
	c.t.Helper()
	c.sql(`UPDATE districts SET combining = $2, strategy = $3, policy_version = nextval('policy_versions') WHERE district_id = $1`, c.district, by, strategy)
}

// override allows or denies somebody something in the whole district until a day.
func (c *console) override(user string, p access.Permission, allow bool, ends string) {
	c.t.Helper()
	c.sql(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, ends_at, created_by, created_at)
		VALUES ($1, $2, $3, $4, 'district', 'duty', 'test', 'date', $5, $6, now())`, c.district, c.id(user), p, allow, ends, c.id(sandbox.DistrictAdminUserID))
}

// asks are people and places worth asking about, by the ids a program would use.
func asks(c *console) (people, places []string) {
	people = []string{
		sandbox.TeacherUserID, sandbox.StaffUserID, sandbox.TechLeadUserID, sandbox.DistrictAdminUserID, sandbox.AllRolesUserID,
		sandbox.SeedUserID, sandbox.SeedTeacherLegacy, sandbox.StudentUserID, sandbox.ContactUserID, strconv.FormatInt(c.id(sandbox.SeedUserID), 10),
	}
	places = []string{
		"section:" + sandbox.CoTaughtSectionID, "section:" + sandbox.AllRolesSectionID, "section:" + sandbox.SeedUserSectionID,
		"school:" + c.box.SchoolID(0), "school:" + c.box.SchoolID(1), "school:" + c.box.SchoolID(2), "district:" + sandbox.SeedDistrictID,
	}
	return people, places
}

// TestTheAPIDecidesAsTheConsole: everybody, everywhere, everything, however the district combines roles.
func TestTheAPIDecidesAsTheConsole(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	people, places := asks(c)
	c.override(sandbox.StaffUserID, "grades.edit", true, "2090-01-01")
	c.override(sandbox.TeacherUserID, "classroom.edit", false, "2090-01-01")
	c.override(sandbox.StudentUserID, "grades.view", true, "2020-01-01") // over
	permissions := c.store.Catalogue().Definitions()
	for _, mode := range []struct {
		combining access.Combining
		strategy  access.Strategy
		view      access.View // named by the program
		counts    access.View // what the console decides about
	}{
		{access.MostPrivileged, access.Consolidated, "teacher", access.ViewAll},
		{access.LeastPrivileged, access.Consolidated, "district_admin", access.ViewAll},
		{access.ViewInUse, access.Consolidated, "staff", "staff"},
		{access.MostPrivileged, access.PerRole, "teacher", "teacher"},
		{access.ViewInUse, access.Consolidated, "", access.ViewAll},
	} {
		c.decides(mode.combining, mode.strategy)
		allowed, refused := 0, 0
		for _, person := range people {
			var items []string
			for _, place := range places {
				kind, id, _ := strings.Cut(place, ":")
				for _, d := range permissions {
					items = append(items, fmt.Sprintf(`{"action":{"name":%q},"resource":{"type":%q,"id":%q}}`, d.Permission, kind, id))
				}
			}
			view := ""
			if mode.view != "" {
				view = fmt.Sprintf(`,"context":{"view":%q}`, mode.view)
			}
			got := p.ask(evaluationsPath, fmt.Sprintf(`{"subject":{"type":"user","id":%q}%s,"evaluations":[%s]}`, person, view, strings.Join(items, ","))).Evaluations
			if len(got) != len(items) {
				t.Fatalf("%d answers to %d questions", len(got), len(items))
			}
			c.write(func(ctx context.Context, tx *models.Tx) error {
				u, err := tx.UserByAnyID(ctx, person)
				if err != nil {
					return err
				}
				in, err := tx.UserFacts(ctx, u.ID)
				if err != nil {
					return err
				}
				facts := in.Facts(tx.Now())
				facts.View = mode.counts
				asked := models.Asked{}
				for _, place := range places {
					kind, id, _ := strings.Cut(place, ":")
					asked.Places = append(asked.Places, models.AskedPlace{Kind: access.Kind(kind), ID: id})
				}
				where, err := tx.FactsOf(ctx, asked)
				if err != nil {
					return err
				}
				for i, place := range where.Places {
					for j, d := range permissions {
						want, said := facts.Decide(d.Permission, place.Place), got[i*len(permissions)+j]
						if said.Decision != want.Allowed || len(said.Context.Trace) != len(want.Trace) || said.Context.View != string(want.View) {
							t.Errorf("%v: %s %s at %s: %+v, the console says %+v", mode, person, d.Permission, places[i], said, want)
						}
						for _, lang := range []string{"en", "es"} {
							if said.Context.ReasonUser[lang] == "" || said.Context.ReasonAdmin[lang] == "" {
								t.Errorf("%v: %s %s at %s: no reason in %s", mode, person, d.Permission, places[i], lang)
							}
						}
						if said.Decision {
							allowed++
						} else {
							refused++
						}
					}
				}
				return nil
			})
		}
		if allowed == 0 || refused == 0 {
			t.Errorf("%v: %d allowed, %d refused: nothing is proved", mode, allowed, refused)
		}
	}
}

// TestWhatIsUnknownIsDeniedWithAReason and is no error: another district's ids are unknown too.
func TestWhatIsUnknownIsDeniedWithAReason(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	admin, district := "user:"+sandbox.DistrictAdminUserID, "district:"+sandbox.SeedDistrictID
	var foreign, foreignSection, foreignSchool string
	conn, err := pgx.Connect(t.Context(), c.database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), `SELECT max(u.clever_id), max(s.clever_id), max(h.clever_id) FROM users u, sections s, schools h
		WHERE u.district_id <> $1 AND s.district_id <> $1 AND h.district_id <> $1`, c.district).Scan(&foreign, &foreignSection, &foreignSchool)
	if err != nil {
		t.Fatal(err)
	}
	if !p.ask(evaluationPath, q(admin, "settings.manage", district)).Decision {
		t.Fatal("an admin may not")
	}
	for _, row := range []struct{ subject, action, resource, code string }{
		{"user:nobody", "settings.manage", district, "unknown_user"},
		{"user:" + foreign, "settings.manage", district, "unknown_user"},
		{"robot:" + sandbox.DistrictAdminUserID, "settings.manage", district, "unknown_user"},
		{"account:999999999", "settings.manage", district, "unknown_user"},
		{admin, "settings.manage", "district:" + sandbox.OtherDistrictID, "unknown_place"},
		{admin, "users.view", "section:" + foreignSection, "unknown_place"},
		{admin, "users.view", "school:" + foreignSchool, "unknown_place"},
		{admin, "settings.manage", "planet:" + sandbox.SeedDistrictID, "unknown_place"},
		{admin, "users.view", "school:0123456789abcdef01234567", "unknown_place"},
		{admin, "fly", district, "unknown_permission"},
		{admin, strings.Repeat("x", 5000), district, "unknown_permission"},
		{"user:" + strings.Repeat("x", 5000), "users.view", district, "unknown_user"},
		{"user:' OR 1=1 --", "users.view", "school:%", "unknown_user"},
	} {
		got := p.ask(evaluationPath, q(row.subject, row.action, row.resource))
		if got.Decision || got.Context.Code != row.code || got.Context.ReasonUser["en"] == "" || got.Context.ReasonAdmin["es"] == "" {
			t.Errorf("%.60v: %+v", row, got)
		}
	}
	if a := p.send(evaluationPath, strings.NewReader("{\"subject\":{\"type\":\"user\",\"id\":\"a\\u0000b\"},\"action\":{\"name\":\"users.view\"},\"resource\":{\"type\":\"school\",\"id\":\"\\u0000\"}}")); a.StatusCode != http.StatusOK {
		t.Errorf("ids with zero bytes: status %d", a.StatusCode)
	}
}

// TestAnswersKeepToWhatTheKeyMaySee: a key that does not explain gets the person's reason alone.
func TestAnswersKeepToWhatTheKeyMaySee(t *testing.T) {
	c := newConsole(t)
	body := q("user:"+sandbox.TeacherUserID, "classroom.edit", "section:"+sandbox.CoTaughtSectionID, `,"unheard_of":[1,{"a":2}]`)
	plain, full := program{c, c.key(false)}.ask(evaluationPath, body), program{c, c.key(true)}.ask(evaluationPath, body)
	if !plain.Decision || plain.Context.ReasonUser["en"] == "" || plain.Context.ReasonAdmin != nil || plain.Context.Trace != nil {
		t.Errorf("a key that does not explain: %+v", plain)
	}
	if !full.Decision || full.Context.ReasonAdmin["en"] == "" || len(full.Context.Trace) == 0 || full.Context.Code != "role" {
		t.Errorf("a key that explains: %+v", full)
	}
}

// TestAChangeCountsOnTheNextRequest, and its reason says who and until when.
func TestAChangeCountsOnTheNextRequest(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	body := q("user:"+sandbox.StaffUserID, "grades.edit", "school:"+c.box.SchoolID(0))
	if got := p.ask(evaluationPath, body); got.Decision {
		t.Fatalf("%+v", got)
	}
	c.override(sandbox.StaffUserID, "grades.edit", true, "2090-06-01T12:00:00Z")
	got := p.ask(evaluationPath, body)
	if reason := got.Context.ReasonAdmin["en"]; !got.Decision || !strings.Contains(reason, "2090") || !strings.Contains(reason, "Quintero-Hale") {
		t.Errorf("with an override: %+v", got)
	}
	if strings.Contains(got.Context.ReasonUser["en"], "Quintero-Hale") {
		t.Errorf("the person is told who did it: %+v", got.Context.ReasonUser)
	}
	c.sql(`UPDATE overrides SET ended_at = now() WHERE district_id = $1`, c.district)
	if got := p.ask(evaluationPath, body); got.Decision {
		t.Errorf("after it ended: %+v", got)
	}
	c.sql(`INSERT INTO role_rules VALUES ($1, 'staff', '', 'grades.edit', true)`, c.district)
	c.decides(access.MostPrivileged, access.Consolidated)
	if got := p.ask(evaluationPath, body); !got.Decision {
		t.Errorf("with a rule: %+v", got)
	}
}

// TestSeveralQuestionsInOneCall: defaults are replaced whole, order is kept, and semantics say where to stop.
func TestSeveralQuestionsInOneCall(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(true)}
	section, other := sandbox.CoTaughtSectionID, sandbox.AllRolesSectionID
	ask := func(items, more string) (said string) {
		t.Helper()
		got := p.ask(evaluationsPath, fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"classroom.edit"},"resource":{"type":"section","id":%q},"evaluations":[%s]%s}`,
			sandbox.TeacherUserID, section, items, more))
		for _, e := range got.Evaluations {
			switch {
			case e.Context.Error != nil:
				said += "e" + strconv.Itoa(e.Context.Error.Status)
			case e.Decision:
				said += "y"
			default:
				said += "n"
			}
		}
		return said
	}
	elsewhere := fmt.Sprintf(`{"resource":{"type":"section","id":%q}}`, other)
	for _, row := range []struct{ items, more, want string }{
		{`{},{}`, "", "yy"},
		{`{},` + elsewhere + `,{}`, "", "yny"},
		{`{},` + elsewhere + `,{}`, `,"options":{"evaluations_semantic":"execute_all","unheard_of":1}`, "yny"},
		{`{},` + elsewhere + `,{}`, `,"options":{"evaluations_semantic":"deny_on_first_deny"}`, "yn"},
		{elsewhere + `,{},{}`, `,"options":{"evaluations_semantic":"permit_on_first_permit"}`, "ny"},
		{`{"resource":{"id":"` + section + `"}},{}`, "", "e400y"}, // the type of the default does not shine through
		{`{"subject":null},5,[],{"action":{"name":7}},{}`, "", "e400e400e400e400y"},
		{`{"subject":7},{}`, `,"options":{"evaluations_semantic":"deny_on_first_deny"}`, "e400"},
	} {
		if got := ask(row.items, row.more); got != row.want {
			t.Errorf("%s%s: %s, want %s", row.items, row.more, got, row.want)
		}
	}
	for _, none := range []string{"", `,"evaluations":[]`} {
		if got := p.ask(evaluationsPath, q("user:"+sandbox.TeacherUserID, "classroom.edit", "section:"+section, none)); !got.Decision || got.Evaluations != nil {
			t.Errorf("without a list: %+v", got)
		}
	}
}

// TestSearchesAgreeWithEvaluations: every result asked back is true, nothing true is left out, and pages meet
// everything once.
func TestSearchesAgreeWithEvaluations(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(false)}
	c.override(sandbox.StudentUserID, "grades.edit", true, "2090-01-01")
	c.override(sandbox.StaffUserID, "roster.view", false, "2090-01-01")
	// walk follows the pages of a search.
	walk := func(path, body string, limit int) (all []map[string]any) {
		t.Helper()
		token := ""
		for range 1000 {
			got := p.ask(path, strings.TrimSuffix(body, "}")+fmt.Sprintf(`,"page":{"limit":%d,"token":%q}}`, limit, token))
			if got.Page == nil || got.Results == nil || got.Page.Count != len(got.Results) {
				t.Fatalf("%s: %+v", body, got)
			}
			all = append(all, got.Results...)
			if token = got.Page.NextToken; token == "" {
				return all
			}
		}
		t.Fatalf("%s has no end", body)
		return nil
	}
	people, places := asks(c)
	for _, mode := range []struct {
		combining access.Combining
		strategy  access.Strategy
	}{{access.MostPrivileged, access.Consolidated}, {access.LeastPrivileged, access.Consolidated}, {access.ViewInUse, access.PerRole}} {
		c.decides(mode.combining, mode.strategy)
		for _, action := range []string{"grades.edit", "roster.view", "devices.manage", "users.view", "settings.manage"} {
			for _, place := range places[2:] {
				var items []string
				for _, typ := range []string{"user", "account"} {
					for _, r := range walk(searchSubjectPath, q(typ+":ignored", action, place), 7) {
						items = append(items, q(fmt.Sprint(typ, ":", r["id"]), action, place))
					}
				}
				if len(items) > 0 {
					for i, e := range p.ask(evaluationsPath, `{"evaluations":[`+strings.Join(items, ",")+`]}`).Evaluations {
						if !e.Decision {
							t.Errorf("%v: found, and false: %s", mode, items[i])
						}
					}
				}
			}
			for _, person := range people {
				for _, kind := range []string{"section", "school", "district"} {
					var found, items []string
					for _, r := range walk(searchResourcePath, q("user:"+person, action, kind+":ignored"), 13) {
						found = append(found, fmt.Sprint(kind, ":", r["id"]))
						items = append(items, q("user:"+person, action, found[len(found)-1]))
					}
					for _, place := range places {
						if strings.HasPrefix(place, kind) && !slices.Contains(found, place) {
							items = append(items, q("user:"+person, action, place))
						}
					}
					if len(items) == 0 {
						continue
					}
					for i, e := range p.ask(evaluationsPath, `{"evaluations":[`+strings.Join(items, ",")+`]}`).Evaluations {
						if e.Decision != (i < len(found)) {
							t.Errorf("%v: found %t, decided %t: %s", mode, i < len(found), e.Decision, items[i])
						}
					}
				}
			}
		}
		for _, person := range people {
			for _, place := range places {
				var found, items []string
				for _, r := range walk(searchActionPath, q("user:"+person, "ignored", place), 4) {
					found = append(found, fmt.Sprint(r["name"]))
				}
				for _, d := range c.store.Catalogue().Definitions() {
					items = append(items, q("user:"+person, string(d.Permission), place))
				}
				for i, e := range p.ask(evaluationsPath, `{"evaluations":[`+strings.Join(items, ",")+`]}`).Evaluations {
					if action := string(c.store.Catalogue().Definitions()[i].Permission); e.Decision != slices.Contains(found, action) {
						t.Errorf("%v: %s %s at %s: decided %t, found %v", mode, person, action, place, e.Decision, found)
					}
				}
			}
		}
	}
}

// TestSearchesForTheUnknownFindNothing, and a page's token opens no other search.
func TestSearchesForTheUnknownFindNothing(t *testing.T) {
	c := newConsole(t)
	p := program{c, c.key(false)}
	district := "district:" + sandbox.SeedDistrictID
	for _, row := range []struct{ path, body string }{
		{searchSubjectPath, q("robot:", "users.view", district)},
		{searchSubjectPath, q("user:", "fly", district)},
		{searchSubjectPath, q("user:", "users.view", "district:"+sandbox.OtherDistrictID)},
		{searchResourcePath, q("user:nobody", "users.view", "school:")},
		{searchResourcePath, q("user:"+sandbox.TeacherUserID, "users.view", "planet:")},
		{searchActionPath, q("user:nobody", "", district)},
		{searchActionPath, q("user:"+sandbox.TeacherUserID, "", "school:nowhere")},
	} {
		a := p.send(row.path, strings.NewReader(row.body))
		if got := parsed(t, a.body); a.StatusCode != http.StatusOK || got.Results == nil || len(got.Results) != 0 || !strings.HasPrefix(a.body, `{"page":`) {
			t.Errorf("%s %s: status %d, %s", row.path, row.body, a.StatusCode, a.body)
		}
	}
	body := func(action, token string) string {
		return q("user:", action, district, `,"page":{"limit":1,"token":"`+token+`"}`)
	}
	first := p.ask(searchSubjectPath, body("users.view", ""))
	if first.Page.NextToken == "" {
		t.Fatalf("%+v", first)
	}
	if a := p.send(searchSubjectPath, strings.NewReader(body("users.view", first.Page.NextToken))); a.StatusCode != http.StatusOK {
		t.Errorf("the token of this search: status %d", a.StatusCode)
	}
	for _, wrong := range []string{body("roster.view", first.Page.NextToken), body("users.view", first.Page.NextToken[1:]), body("users.view", "A"+first.Page.NextToken[1:])} {
		if a := p.send(searchSubjectPath, strings.NewReader(wrong)); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", wrong, a.StatusCode)
		}
	}
}

// TestProgramsFindTheWay from the well-known address, at the base the program was set to and no other.
func TestProgramsFindTheWay(t *testing.T) {
	c := newConsole(t)
	r := c.browser().request(http.MethodGet, discoveryPath)
	r.Host = "elsewhere.example"
	a := c.browser().stepWith(r)
	var found map[string]string
	if err := json.Unmarshal([]byte(a.body), &found); err != nil {
		t.Fatal(err)
	}
	if found["policy_decision_point"] != c.url || len(found) != 6 {
		t.Errorf("%v", found)
	}
	for name, at := range found {
		if name != "policy_decision_point" && !slices.Contains([]string{evaluationPath, evaluationsPath, searchSubjectPath, searchResourcePath, searchActionPath}, strings.TrimPrefix(at, c.url)) {
			t.Errorf("%s is at %s", name, at)
		}
	}
}
