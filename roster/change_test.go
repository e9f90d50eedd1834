package roster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

func (w *world) edit(id string, fn func(user map[string]any)) {
	w.Helper()
	if err := w.sandbox.EditUser(id, fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func TestRenamedUserIsRenamedEverywhere(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		u["name"] = map[string]any{"first": "Zoë", "last": "Ångström"}
		u["email"] = "zoe@example.org"
	})
	p := of(w.sync(), models.RosterUsers)
	if p.Updated != 1 || p.Unchanged != p.Read-1 {
		t.Errorf("%+v", p)
	}
	w.is("Zoë||Ångström|zoe@example.org", `SELECT first_name || '|' || middle_name || '|' || last_name || '|' || email FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is(" zoe angstrom zoe@example.org", `SELECT doc FROM user_search WHERE user_id = (SELECT id FROM users WHERE clever_id = $1)`, sandbox.SeedUserID)
	w.is("1", `WITH u AS (SELECT id FROM users WHERE clever_id = $1)
		SELECT count(DISTINCT k) FROM (SELECT name_key k FROM users, u WHERE users.id = u.id
		UNION ALL SELECT name_key FROM role_grants g, u WHERE g.user_id = u.id
		UNION ALL SELECT name_key FROM role_grant_schools g, u WHERE g.user_id = u.id
		UNION ALL SELECT name_key FROM user_search s, u WHERE s.user_id = u.id) x`, sandbox.SeedUserID)
}

func TestRoleLostAndGained(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	const state = `SELECT string_agg(g.role || ':' || (g.ended_at IS NULL) || ':' || (SELECT count(*) FROM role_grant_schools s WHERE s.grant_id = g.id AND s.ended_at IS NULL), ' ' ORDER BY g.role)
		FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1`
	const since = `SELECT extract(epoch FROM g.since) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.role = 'staff'`
	first := w.text(since, sandbox.SeedUserID)
	var staff any
	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		roles := u["roles"].(map[string]any)
		staff = roles["staff"]
		delete(roles, "staff")
	})
	w.sync()
	w.is("staff:false:0 teacher:true:1", state, sandbox.SeedUserID)
	w.is("1", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is("false", `SELECT ended_at IS NULL FROM identities WHERE kind = 'legacy' AND value = $1`, sandbox.SeedStaffLegacy)
	w.is("true", `SELECT school_ids = ARRAY[(SELECT id FROM schools WHERE clever_id = $2)] FROM user_search WHERE user_id = (SELECT id FROM users WHERE clever_id = $1)`,
		sandbox.SeedUserID, sandbox.SeedTeacherSchool)

	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		u["roles"].(map[string]any)["staff"] = staff
		u["roles"].(map[string]any)["district_admin"] = map[string]any{"legacy_id": "67290af290b55408fa4b0aaa", "title": "Chief"}
	})
	w.sync()
	w.is("district_admin:true:0 staff:true:1 teacher:true:1", state, sandbox.SeedUserID)
	w.is("3", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is("true", `SELECT ended_at IS NULL FROM identities WHERE kind = 'legacy' AND value = $1`, sandbox.SeedStaffLegacy)
	if again := w.text(since, sandbox.SeedUserID); again <= first {
		t.Errorf("the role came back, yet is held since %s, first %s", again, first)
	}
	w.is("1", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.role = 'staff'`, sandbox.SeedUserID)
}

func TestSchoolsOfARoleChange(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	const at = `SELECT string_agg(s.clever_id || ':' || (gs.ended_at IS NULL) || ':' || gs.is_primary, ' ' ORDER BY s.clever_id)
		FROM role_grant_schools gs JOIN schools s ON s.id = gs.school_id JOIN users u ON u.id = gs.user_id WHERE u.clever_id = $1 AND gs.role = 'teacher'`
	other, unlisted := w.sandbox.SchoolID(2), "63850203bfb84605460ddddd"
	w.edit(sandbox.SeedUserID, func(u map[string]any) {
		teacher := u["roles"].(map[string]any)["teacher"].(map[string]any)
		teacher["school"], teacher["schools"] = other, []string{other, unlisted}
	})
	w.sync()
	want := []string{other + ":true:true", unlisted + ":true:false", sandbox.SeedTeacherSchool + ":false:true"}
	slices.Sort(want)
	w.is(strings.Join(want, " "), at, sandbox.SeedUserID)
	w.is("false", `SELECT listed FROM schools WHERE clever_id = $1`, unlisted)

	// The school comes into the list later, and is the same one.
	id := w.text(`SELECT id FROM schools WHERE clever_id = $1`, unlisted)
	w.must(w.sandbox.PutSchool(json.RawMessage(`{"id":"` + unlisted + `","district":"` + sandbox.SeedDistrictID + `","name":"Late School","sis_id":"9","school_number":"9","created":"2024-01-01T00:00:00Z","last_modified":"2024-01-01T00:00:00Z"}`)))
	w.sync()
	w.is(id+"|true|Late School", `SELECT id || '|' || listed || '|' || name FROM schools WHERE clever_id = $1`, unlisted)

	// Unshared again: ended, but who is there is still known.
	w.must(w.sandbox.RemoveSchool(unlisted))
	if p := of(w.sync(), models.RosterSchools); p.Ended != 1 {
		t.Errorf("%+v", p)
	}
	w.is("Late School|false", `SELECT name || '|' || (ended_at IS NULL) FROM schools WHERE clever_id = $1`, unlisted)
	before := w.marks("")
	w.sync()
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("an ended school is written at every sync: %s", d)
	}
	w.must(w.sandbox.RestoreSchool(unlisted))
}

func TestRemovedUserEndsAndComesBack(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	id := w.text(`SELECT id FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	var user int64
	w.must(w.look.QueryRow(t.Context(), `SELECT id FROM users WHERE clever_id = $1`, sandbox.SeedUserID).Scan(&user))
	token := make([]byte, 32)
	w.must(w.system().Write(t.Context(), func(tx *models.Tx) error {
		return tx.CreateSession(t.Context(), token, user, token, time.Now().Add(time.Hour))
	}))
	w.must(w.sandbox.RemoveUser(sandbox.SeedUserID))
	run := w.sync()
	if p := of(run, models.RosterUsers); p.Ended != 1 || p.Updated != 0 {
		t.Errorf("%+v", p)
	}
	w.is("true|0", `SELECT (ended_at IS NOT NULL) || '|' || role_count FROM users WHERE id = $1::bigint`, id)
	w.is("0", `SELECT count(*) FROM role_grants WHERE user_id = $1::bigint AND ended_at IS NULL`, id)
	w.is("0", `SELECT count(*) FROM role_grant_schools WHERE user_id = $1::bigint AND ended_at IS NULL`, id)
	w.is("false", `SELECT current FROM user_search WHERE user_id = $1::bigint`, id)
	w.is("3", `SELECT count(*) FROM identities WHERE user_id = $1::bigint`, id)
	w.is("0", `SELECT count(*) FROM sessions WHERE user_id = $1::bigint AND revoked_at IS NULL`, id)
	w.is("0", `SELECT count(*) FROM section_teachers WHERE user_id = $1::bigint`, id)
	w.is("1", `SELECT teachers_not_shared FROM sections WHERE clever_id = $1`, sandbox.SeedUserSectionID)
	w.is("true", `SELECT people = (SELECT count(*) FROM users WHERE ended_at IS NULL) FROM head_counts WHERE school_id = 0 AND role = ''`)
	before := w.marks("")
	w.sync()
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("an ended user is written at every sync: %s", d)
	}

	w.must(w.sandbox.RestoreUser(sandbox.SeedUserID))
	if p := of(w.sync(), models.RosterUsers); p.Revived != 1 || p.Created != 0 {
		t.Errorf("%+v", p)
	}
	w.is(id, `SELECT id FROM users WHERE clever_id = $1 AND ended_at IS NULL`, sandbox.SeedUserID)
	w.is("2", `SELECT count(*) FROM role_grants WHERE user_id = $1::bigint AND ended_at IS NULL`, id)
	w.is("2", `SELECT count(*) FROM role_grant_schools WHERE user_id = $1::bigint AND ended_at IS NULL`, id)
	w.is("0", `SELECT count(*) FROM identities WHERE user_id = $1::bigint AND ended_at IS NOT NULL`, id)
	w.is("true", `SELECT current FROM user_search WHERE user_id = $1::bigint`, id)
	w.is("1", `SELECT count(*) FROM section_teachers t JOIN sections s ON s.id = t.section_id WHERE t.user_id = $1::bigint AND s.clever_id = '`+sandbox.SeedUserSectionID+`'`, id)
	w.is("1", `SELECT count(*) FROM accounts WHERE user_id = $1::bigint`, id)
	w.is("0", `SELECT count(*) FROM sessions WHERE user_id = $1::bigint AND revoked_at IS NULL`, id)
}

func TestRemovedSectionEndsAndComesBack(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.must(w.sandbox.RemoveSection(sandbox.CoTaughtSectionID))
	if p := of(w.sync(), models.RosterSections); p.Ended != 1 {
		t.Errorf("%+v", p)
	}
	w.must(w.sandbox.RestoreSection(sandbox.CoTaughtSectionID))
	if p := of(w.sync(), models.RosterSections); p.Revived != 1 {
		t.Errorf("%+v", p)
	}
	w.is("2", `SELECT count(*) FROM section_teachers t JOIN sections s ON s.id = t.section_id WHERE s.clever_id = $1 AND s.ended_at IS NULL`, sandbox.CoTaughtSectionID)
}

func TestGrantsGivenByHandAreLeftAlone(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	_, err := w.look.Exec(t.Context(), `WITH g AS (
		INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, since)
		SELECT district_id, id, id, 'staff', 'manual', name_key, now() FROM users WHERE clever_id = $1 RETURNING *)
		INSERT INTO role_grant_schools (district_id, grant_id, school_id, user_id, role, is_primary, name_key, since)
		SELECT g.district_id, g.id, (SELECT id FROM schools WHERE clever_id = $2), g.user_id, g.role, false, g.name_key, g.since FROM g`,
		sandbox.TeacherUserID, w.sandbox.SchoolID(3))
	w.must(err)
	w.edit(sandbox.TeacherUserID, func(u map[string]any) { u["name"] = map[string]any{"first": "New", "last": "Name"} })
	w.sync()
	const manual = `SELECT (g.ended_at IS NULL) || '|' || g.name_key || '|' || count(s.*) FROM role_grants g JOIN users u ON u.id = g.user_id
		LEFT JOIN role_grant_schools s ON s.grant_id = g.id AND s.ended_at IS NULL WHERE u.clever_id = $1 AND g.source = 'manual' GROUP BY g.ended_at, g.name_key`
	w.is("true|name\x01new\x01|1", manual, sandbox.TeacherUserID)
	w.is("2", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.TeacherUserID)
	w.is("true", `SELECT (SELECT id FROM schools WHERE clever_id = $2) = ANY(school_ids) FROM user_search WHERE user_id = (SELECT id FROM users WHERE clever_id = $1)`,
		sandbox.TeacherUserID, w.sandbox.SchoolID(3))
	w.must(w.sandbox.RemoveUser(sandbox.TeacherUserID))
	w.sync()
	w.is("true|name\x01new\x01|1", manual, sandbox.TeacherUserID)
	w.is("true|1", `SELECT (ended_at IS NOT NULL) || '|' || role_count FROM users WHERE clever_id = $1`, sandbox.TeacherUserID)
}

func TestContactFollowsItsStudents(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	other := w.sandbox.SchoolID(4)
	w.edit(sandbox.StudentUserID, func(u map[string]any) {
		student := u["roles"].(map[string]any)["student"].(map[string]any)
		student["school"], student["schools"] = other, []string{other}
	})
	w.sync()
	const at = `SELECT school_ids @> ARRAY[(SELECT id FROM schools WHERE clever_id = $2)] FROM user_search WHERE user_id = (SELECT id FROM users WHERE clever_id = $1)`
	w.is("true", at, sandbox.ContactUserID, other)
	// A change of the contact does not lose them on the way.
	w.edit(sandbox.ContactUserID, func(u map[string]any) { u["email"] = "new@example.org" })
	w.sync()
	w.is("true", at, sandbox.ContactUserID, other)
	w.edit(sandbox.ContactUserID, func(u map[string]any) {
		u["roles"].(map[string]any)["contact"].(map[string]any)["student_relationships"] = []any{}
	})
	w.sync()
	w.is("{}", `SELECT school_ids FROM user_search WHERE user_id = (SELECT id FROM users WHERE clever_id = $1)`, sandbox.ContactUserID)
	w.is("0", `SELECT count(*) FROM contact_students c JOIN users u ON u.id = c.contact_id WHERE u.clever_id = $1`, sandbox.ContactUserID)
}

func TestKnownLegacyIDStaysWhereItIs(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.edit(sandbox.StaffUserID, func(u map[string]any) {
		u["roles"].(map[string]any)["staff"].(map[string]any)["legacy_id"] = sandbox.SeedStaffLegacy
	})
	p := of(w.sync(), models.RosterUsers)
	if p.Problems != 1 || p.Updated != 1 {
		t.Errorf("%+v", p)
	}
	w.is(sandbox.SeedUserID, `SELECT u.clever_id FROM identities i JOIN users u ON u.id = i.user_id WHERE i.kind = 'legacy' AND i.value = $1`, sandbox.SeedStaffLegacy)
}

func TestTwoDistrictsDoNotTouchEachOther(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Districts = 2 }})
	w.sync()
	first := w.text(`SELECT district_id FROM districts WHERE clever_id = $1`, sandbox.SeedDistrictID)
	before := w.marks(" t WHERE district_id = " + first)
	run, err := Full(t.Context(), w.store, w.client, sandbox.OtherDistrictID, Options{})
	w.must(err)
	if of(run, models.RosterUsers).Created == 0 {
		t.Errorf("%+v", run.Progress)
	}
	if d := cmp.Diff(before, w.marks(" t WHERE district_id = "+first)); d != "" {
		t.Errorf("the first district's rows changed: %s", d)
	}
	w.is("0", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.district_id <> g.district_id`)
}
