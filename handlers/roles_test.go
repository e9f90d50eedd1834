package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
	"hallpass/roster"
)

// rows reads behind the wall, each row as text.
func (c *console) rows(sql string, args ...any) []string {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(c.t.Context()))
	found, err := conn.Query(c.t.Context(), sql, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	list, err := pgx.CollectRows(found, func(r pgx.CollectableRow) (string, error) {
		values, err := r.Values()
		return fmt.Sprint(values...), err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

func (c *console) heads() []string {
	c.t.Helper()
	return c.rows(`SELECT school_id, role, people, several FROM head_counts WHERE district_id = $1 ORDER BY 1, 2`, c.district)
}

// wantCountsRight holds the counts against those that a sync would make anew.
func (c *console) wantCountsRight(when string) {
	c.t.Helper()
	before := c.heads()
	c.write(func(ctx context.Context, tx *models.Tx) error { return tx.CountHeads(ctx) })
	if diff := cmp.Diff(c.heads(), before); diff != "" {
		c.t.Errorf("%s: head counts, counted anew -, as they were +\n%s", when, diff)
	}
	wrong := c.rows(`SELECT u.id FROM users u WHERE u.district_id = $1 AND u.role_count <>
		(SELECT count(DISTINCT role) FROM role_grants g WHERE g.district_id = $1 AND g.user_id = u.id AND g.ended_at IS NULL)`, c.district)
	if len(wrong) > 0 {
		c.t.Errorf("%s: %d people with a wrong number of roles", when, len(wrong))
	}
}

func (c *console) sync() {
	c.t.Helper()
	if _, err := roster.Full(c.t.Context(), c.store, c.server.Clever, sandbox.SeedDistrictID, roster.Options{}); err != nil {
		c.t.Fatal(err)
	}
}

// techLead is a filled-in form: staff and tech lead at a school, until a day.
func techLead(c *console, school string) url.Values {
	return url.Values{
		"given": {"staff"}, "school": {school}, "label": {access.SchoolTechLead}, "reason": {"duty"}, "note": {"Runs the help desk"},
		"end": {"date"}, "date": {c.store.Now().AddDate(0, 1, 0).Format(time.DateOnly)},
	}
}

// TestARoleByHandSurvivesSyncs: given, counted, kept by two full syncs, undone, given back, ended by its date.
func TestARoleByHandSurvivesSyncs(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := c.box.SchoolID(0) // not the teacher's own
	person := fmt.Sprintf("%susers/%d", adminHome, c.id(sandbox.TeacherUserID))
	at := access.AtSchool(c.schoolID(school))
	holds := func(when string, want bool) {
		t.Helper()
		if got := c.may(sandbox.TeacherUserID, "devices.manage", at); got != want {
			t.Errorf("%s: manages devices is %v, want %v", when, got, want)
		}
		list := b.get(adminHome + "users?role=staff&school=" + school).body
		if got := strings.Contains(list, fmt.Sprintf("/users/%d\"", c.id(sandbox.TeacherUserID))); got != want {
			t.Errorf("%s: in the list of staff at the school is %v, want %v", when, got, want)
		}
		c.wantCountsRight(when)
	}
	holds("before", false)
	counts := c.heads()
	preview := b.post(person+"/roles/preview", techLead(c, school))
	if text := preview.doc(t).Find(".diff").Text(); preview.StatusCode != http.StatusOK || !strings.Contains(text, "Manage devices") {
		t.Fatalf("preview: status %d: %s %s", preview.StatusCode, preview.doc(t).Find(".problem").Text(), text)
	}
	action, fields := buttonOf(t, preview)
	receipt := b.post(action, fields).Header.Get("Location")
	if again := b.post(action, fields).Header.Get("Location"); again != receipt || receipt == "" {
		t.Errorf("the second click leads to %q, want %q", again, receipt)
	}
	holds("after giving it", true)
	for i := range 2 {
		c.sync()
		holds(fmt.Sprintf("after sync %d", i+1), true)
	}
	page := b.get(person)
	if text := page.doc(t).Find(".matrix").Text(); !strings.Contains(text, "By hand, by Marisol Quintero-Hale") || !strings.Contains(text, "until") {
		t.Errorf("the matrix does not say by whom and until when: %s", text)
	}
	b.pressed(receipt + "/undo")
	holds("after the undo", false)
	if diff := cmp.Diff(counts, c.heads()); diff != "" {
		t.Errorf("counts before and after the undo:\n%s", diff)
	}
	b.pressed(adminHome + "changes/2/undo")
	holds("after undoing the undo", true)
	end, _ := b.get(person).doc(t).Find(`.matrix a[href$="/end"]`).Attr("href")
	b.pressed(end)
	holds("after ending it", false)
	b.pressed(adminHome + "changes/4/undo")
	holds("after undoing the end", true)
	c.pass(40 * 24 * time.Hour)
	b = c.signedIn(sandbox.DistrictAdminUserID)
	if c.may(sandbox.TeacherUserID, "devices.manage", at) {
		t.Error("a role whose time is over still counts")
	}
	c.sync()
	holds("after its time and a sync", false)
	if diff := cmp.Diff(counts, c.heads()); diff != "" {
		t.Errorf("counts before, and after its time:\n%s", diff)
	}
}

func TestNobodyGivesARoleToFamiliesOrBeyondTheirOwn(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	school := c.box.SchoolID(0)
	for _, user := range []string{sandbox.StudentUserID, sandbox.ContactUserID} {
		path := fmt.Sprintf("%susers/%d/roles", adminHome, c.id(user))
		if a := b.post(path, techLead(c, school)); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "never hold a second role") {
			t.Errorf("role for %s: status %d", user, a.StatusCode)
		}
		err := c.store.As(access.System(c.district, "test")).Write(t.Context(), func(tx *models.Tx) error {
			_, err := tx.SetManualRole(t.Context(), models.ManualRole{UserID: c.id(user), Role: access.Staff, Labels: []string{}, Schools: []int64{}, Reason: "duty", Note: "x"})
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "second role") {
			t.Errorf("in the transaction: %v", err)
		}
	}
	person := fmt.Sprintf("%susers/%d", adminHome, c.id(sandbox.TeacherUserID))
	for name, row := range map[string]struct{ field, value, problem string }{
		"role": {"given", "student", "given-teacher"}, "no school": {"school", "", "schools"}, "foreign school": {"school", "0123456789abcdef01234567", "schools"},
		"reason": {"reason", "", "reason"}, "note": {"note", "", "note"}, "past": {"date", "2020-01-01", "date"}, "with a role": {"end", "role", "end"},
	} {
		form := techLead(c, school)
		form.Set(row.field, row.value)
		a := b.post(person+"/roles/preview", form)
		doc := a.doc(t)
		if a.StatusCode != http.StatusUnprocessableEntity || doc.Find(`.problem a[href="#`+row.problem+`"]`).Length() != 1 || doc.Find("#"+row.problem).Length() != 1 {
			t.Errorf("%s: status %d, problems %q", name, a.StatusCode, doc.Find(".problem").Text())
		}
	}
	deny := allowance(c, sandbox.DistrictAdminUserID, "school:"+school)
	deny.Set("effect", "deny")
	deny.Set("permission", "devices.manage")
	b.made(deny)
	if a := b.post(person+"/roles/preview", techLead(c, school)); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "only what you hold") {
		t.Errorf("a role that gives what the giver is denied: status %d", a.StatusCode)
	}
	admin := techLead(c, school)
	admin.Set("given", "district_admin")
	if a := b.post(person+"/roles/preview", admin); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a whole district with a hole in the giver's own: status %d", a.StatusCode)
	}
	if a := b.post(person+"/roles/preview", techLead(c, c.box.SchoolID(1))); a.StatusCode != http.StatusOK {
		t.Errorf("at another school: status %d", a.StatusCode)
	}
}

// TestARoleByHandEndsWithTheFirstDayAtSchool: somebody whom Clever makes a student holds nothing else.
func TestARoleByHandEndsForAStudent(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	id := c.id(sandbox.TeacherUserID)
	b.pressedForm(fmt.Sprintf("%susers/%d/roles/preview", adminHome, id), techLead(c, c.box.SchoolID(0)))
	c.behind(`UPDATE role_grants SET role = 'student' WHERE user_id = $1 AND source = 'clever' AND role = 'teacher'`, id)
	run := int64(0)
	c.write(func(ctx context.Context, tx *models.Tx) error {
		r, err := tx.StartSync(ctx, 0)
		run = r.ID
		return err
	})
	c.write(func(ctx context.Context, tx *models.Tx) error { _, err := tx.FinishSync(ctx, run, nil); return err })
	if left := c.rows(`SELECT role FROM role_grants WHERE user_id = $1 AND source = 'manual' AND ended_at IS NULL`, id); len(left) > 0 {
		t.Errorf("still holds %v by hand", left)
	}
}

// pressedForm previews a form and presses the preview's button.
func (b *browser) pressedForm(preview string, form url.Values) {
	b.c.t.Helper()
	if a := b.post(buttonOf(b.c.t, b.post(preview, form))); a.StatusCode != http.StatusSeeOther {
		b.c.t.Fatalf("%s: status %d: %s", preview, a.StatusCode, a.doc(b.c.t).Find("main").Text())
	}
}

// TestAnEndMovesWithItsTerm: a sync that brings another last day moves the overrides that end with the term.
func TestAnEndMovesWithItsTerm(t *testing.T) {
	c := newConsole(t)
	c.behind(`UPDATE terms SET end_date = $1 WHERE district_id = $2`, c.store.Now().AddDate(0, 2, 0), c.district)
	b := c.signedIn(sandbox.DistrictAdminUserID)
	term := c.rows(`SELECT id FROM terms WHERE district_id = $1 AND ended_at IS NULL ORDER BY id LIMIT 1`, c.district)[0]
	form := allowance(c, sandbox.StaffUserID, "school:"+c.box.SchoolID(0))
	form.Set("end", "term")
	form.Set("term", term)
	b.made(form)
	ends := func() string {
		return c.rows(`SELECT to_char(o.ends_at AT TIME ZONE d.time_zone, 'YYYY-MM-DD HH24:MI') FROM overrides o JOIN districts d USING (district_id)`)[0]
	}
	last := c.store.Now().AddDate(0, 3, 0)
	c.behind(`UPDATE terms SET end_date = $1 WHERE id = $2`, last, term)
	c.write(func(ctx context.Context, tx *models.Tx) error { return tx.MoveTermEnds(ctx) })
	if got, want := ends(), last.AddDate(0, 0, 1).Format(time.DateOnly)+" 00:00"; got != want {
		t.Errorf("ends at %s, want %s", got, want)
	}
}
