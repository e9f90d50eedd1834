package handlers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// accounts are those in use, as user and role, in order.
func (c *console) accounts() []string {
	c.t.Helper()
	return c.ask(`SELECT user_id || ' ' || role || ' ' || id FROM accounts WHERE retired_at IS NULL ORDER BY user_id, role`)
}

// ask reads one column past every wall.
func (c *console) ask(sql string, args ...any) []string {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.database)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(c.t.Context()))
	rows, err := conn.Query(c.t.Context(), sql, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

// set walks a setting from its form to the receipt, and gives preview and receipt.
func set(t *testing.T, b *browser, setting string, answers url.Values) (preview answer, receipt string) {
	t.Helper()
	at := adminBase + "settings/" + setting
	form := fields(t, b.get(at), at+"/preview")
	maps.Copy(form, answers)
	if preview = b.send(at+"/preview", form); preview.StatusCode != http.StatusOK {
		t.Fatalf("%s: preview has status %d\n%s", setting, preview.StatusCode, preview.body)
	}
	a := b.send(at, fields(t, preview, at))
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s: status %d\n%s", setting, a.StatusCode, a.body)
	}
	return preview, a.Header.Get("Location")
}

func undo(t *testing.T, b *browser, receipt string) {
	t.Helper()
	if a := b.send(receipt+"/undo", fields(t, b.get(receipt+"/undo"), receipt+"/undo")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo of %s: status %d\n%s", receipt, a.StatusCode, a.body)
	}
}

func (c *console) decided() (d models.Decided) {
	c.t.Helper()
	c.write(func(ctx context.Context, tx *models.Tx) (err error) {
		d, err = tx.Decided(ctx)
		return err
	})
	return d
}

// TestCombiningIsChangedAndUndone: people with several roles stand in the simulation, and the setting counts at once.
func TestCombiningIsChangedAndUndone(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	preview, receipt := set(t, admin, "combining", url.Values{"value": {"view_in_use"}})
	if groups := preview.doc(t).Find(".group"); groups.Length() == 0 || strings.Contains(groups.Text(), "Teacher only") {
		t.Errorf("%d groups: %s", groups.Length(), groups.Text())
	}
	if got := c.decided().District.Combining; got != access.ViewInUse {
		t.Errorf("the district combines by %s", got)
	}
	if a := admin.get(receipt); a.StatusCode != http.StatusOK {
		t.Errorf("receipt: status %d", a.StatusCode)
	}
	undo(t, admin, receipt)
	if got := c.decided().District.Combining; got != access.MostPrivileged {
		t.Errorf("undone, the district combines by %s", got)
	}
}

// TestStrategyMakesAndFoldsAccounts: one account for each working role, whoever comes later too, and an undo gives back
// the very accounts that there were. The other district keeps its own.
func TestStrategyMakesAndFoldsAccounts(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	before := c.accounts()
	preview, receipt := set(t, admin, "strategy", url.Values{"value": {"per_role"}})
	if !strings.Contains(preview.doc(t).Find("#accounts").Parent().Parent().Text(), "one Clever ID") {
		t.Error("nothing says that separate accounts have one Clever ID")
	}
	seed := c.id(sandbox.SeedUserID)
	roles := func(user int64) []string {
		return c.ask(`SELECT role FROM accounts WHERE user_id = $1 AND retired_at IS NULL ORDER BY role`, user)
	}
	if got := roles(seed); !slices.Equal(got, []string{"staff", "teacher"}) {
		t.Errorf("accounts of a teacher and staff: %v", got)
	}
	wrong := c.ask(`SELECT g.user_id || ' ' || g.role FROM role_grants g JOIN users u ON u.district_id = g.district_id AND u.id = g.user_id AND u.ended_at IS NULL
		WHERE g.district_id = $1 AND g.ended_at IS NULL AND g.role IN ('teacher', 'staff', 'district_admin')
		  AND (SELECT count(*) FROM accounts a WHERE a.district_id = g.district_id AND a.user_id = g.user_id AND a.role = g.role AND a.retired_at IS NULL) <> 1`, c.district)
	if len(wrong) != 0 {
		t.Errorf("without their account: %v", wrong)
	}
	if other := c.ask(`SELECT DISTINCT role FROM accounts WHERE district_id <> $1`, c.district); !slices.Equal(other, []string{""}) {
		t.Errorf("the other district has accounts of the roles %q", other)
	}
	// Somebody new, and a role that somebody gains, by sync or sign-in.
	c.write(func(ctx context.Context, tx *models.Tx) error {
		_, err := tx.WriteUsers(ctx, []models.RosterUser{
			{CleverID: "5f0000000000000000000001", First: "New", Last: "Here", Grants: []models.RosterGrant{{Role: "teacher"}, {Role: "staff"}}},
			{CleverID: sandbox.TeacherUserID, First: "Hannah", Last: "Whitlock", Grants: []models.RosterGrant{{Role: "teacher"}, {Role: "district_admin"}}},
		}, &models.Seen{})
		return err
	})
	newcomer, teacher := c.id("5f0000000000000000000001"), c.id(sandbox.TeacherUserID)
	if got := append(roles(newcomer), roles(teacher)...); !slices.Equal(got, []string{"staff", "teacher", "district_admin", "teacher"}) {
		t.Errorf("accounts made later: %v", got)
	}
	undo(t, admin, receipt)
	after := slices.DeleteFunc(c.accounts(), func(a string) bool { return strings.HasPrefix(a, fmt.Sprint(newcomer, " ")) })
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("undone, accounts differ (-before +after):\n%s", diff)
	}
	if got := roles(newcomer); !slices.Equal(got, []string{""}) {
		t.Errorf("whoever came meanwhile has the accounts %q", got)
	}
	// There and back again: the same accounts, none made twice.
	_, receipt = set(t, admin, "strategy", url.Values{"value": {"per_role"}})
	if got := roles(seed); !slices.Equal(got, []string{"staff", "teacher"}) {
		t.Errorf("again: %v", got)
	}
	undo(t, admin, receipt)
}

// TestCalendarIsChangedAndUndone: what is no day of every year, or no zone, stays in the form.
func TestCalendarIsChangedAndUndone(t *testing.T) {
	c := newConsole(t)
	admin := c.signedIn(sandbox.DistrictAdminUserID)
	was := c.decided().District
	for what, answers := range map[string]url.Values{
		"no such day": {"zone": {"America/Denver"}, "month": {"2"}, "day": {"30"}}, "leap day": {"zone": {"America/Denver"}, "month": {"2"}, "day": {"29"}},
		"no such zone": {"zone": {"Mars/Olympus"}, "month": {"6"}, "day": {"5"}}, "local": {"zone": {"Local"}, "month": {"6"}, "day": {"5"}},
		"words": {"zone": {"America/Denver"}, "month": {"June"}, "day": {"5"}}, "a path": {"zone": {"../../etc/passwd"}, "month": {"6"}, "day": {"5"}}, "nothing": {},
	} {
		if a := admin.send(adminBase+"settings/calendar/preview", answers); a.StatusCode != http.StatusUnprocessableEntity || a.doc(t).Find("main .problem").Length() != 1 {
			t.Errorf("%s: status %d", what, a.StatusCode)
		}
	}
	_, receipt := set(t, admin, "calendar", url.Values{"zone": {"America/Denver"}, "month": {"5"}, "day": {"29"}})
	if d := c.decided().District; d.TimeZone != "America/Denver" || d.SchoolYearEnd != "05-29" {
		t.Errorf("set to %s, %s", d.TimeZone, d.SchoolYearEnd)
	}
	undo(t, admin, receipt)
	if d := c.decided().District; d.TimeZone != was.TimeZone || d.SchoolYearEnd != was.SchoolYearEnd {
		t.Errorf("undone: %s, %s", d.TimeZone, d.SchoolYearEnd)
	}
}

// TestSettingsAreForThoseWhoManageThem: others change nothing, whatever they send, and another district stays as it is.
func TestSettingsAreForThoseWhoManageThem(t *testing.T) {
	c := newConsole(t)
	admin, lead := c.signedIn(sandbox.DistrictAdminUserID), c.holding(sandbox.TechLeadUserID)
	at := adminBase + "settings/combining"
	form := fields(t, admin.get(at), at+"/preview")
	form["value"] = []string{"least_privileged"}
	plan := fields(t, admin.send(at+"/preview", form), at)
	foreign := "/d/" + sandbox.OtherDistrictID + "/district_admin/settings/combining"
	for what, status := range map[string]int{
		"tech lead":      lead.send("/d/"+sandbox.SeedDistrictID+"/staff/settings/combining", plan).StatusCode,
		"as an admin":    lead.send(at, plan).StatusCode,
		"other district": admin.send(foreign, plan).StatusCode,
	} {
		if status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("%s: status %d", what, status)
		}
	}
	if got := c.decided().District.Combining; got != access.MostPrivileged {
		t.Errorf("the district combines by %s", got)
	}
	if a := admin.send(at, plan); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d", a.StatusCode)
	}
	if got := c.ask(`SELECT combining FROM districts WHERE district_id <> $1`, c.district); !slices.Equal(got, []string{"most_privileged"}) {
		t.Errorf("the other district: %v", got)
	}
	for _, bad := range []string{"", "everything"} {
		if a := admin.send(at+"/preview", url.Values{"value": {bad}}); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("value %q: status %d", bad, a.StatusCode)
		}
	}
	if a := admin.send(at+"/preview", url.Values{"value": {"least_privileged"}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("what is set already: status %d", a.StatusCode)
	}
}
