package roster

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallpass/clever/sandbox"
	"hallpass/models"
)

func TestFirstSyncBringsEverythingIn(t *testing.T) {
	w := newWorld(t, change{})
	run := w.sync()
	for _, typ := range []models.RosterType{models.RosterSchools, models.RosterTerms, models.RosterUsers, models.RosterSections} {
		p := of(run, typ)
		if !p.Done || p.Read == 0 || p.Created != p.Read-p.Problems || p.Updated+p.Revived+p.Ended+p.Unchanged != 0 {
			t.Errorf("%s: %+v", typ, p)
		}
	}
	t.Logf("%+v", run.Progress)
	stored, err := models.SyncRun{}, error(nil)
	err = w.system().Read(t.Context(), func(tx *models.Tx) error { stored, err = tx.SyncRun(t.Context(), run.ID); return err })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(run.Progress, stored.Progress); d != "" {
		t.Errorf("progress given and stored differ: %s", d)
	}
	w.is("0", `SELECT count(*) FROM users WHERE ended_at IS NOT NULL`)
	w.is("true", `SELECT count(*) = (SELECT count(*) FROM user_search WHERE current) FROM users`)
	w.is("true", `SELECT synced_at IS NOT NULL FROM districts`)
	w.is("v3.1", `SELECT version FROM event_cursors`)
	w.is("sync.requested,sync.finished", `SELECT string_agg(action, ',' ORDER BY id) FROM audit_entries`)
}

func TestSeedPersonIsExact(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	w.is("Danny D Brakus", `SELECT first_name || ' ' || middle_name || ' ' || last_name FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	w.is("2", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.SeedUserID)
	const grant = `SELECT g.role || '|' || g.sis_id || '|' || g.legacy_id || '|' || g.labels::text || '|' || s.clever_id || '|' || gs.is_primary
		FROM users u JOIN role_grants g ON g.user_id = u.id JOIN role_grant_schools gs ON gs.grant_id = g.id JOIN schools s ON s.id = gs.school_id
		WHERE u.clever_id = $1 AND g.role = $2 AND g.ended_at IS NULL AND gs.ended_at IS NULL AND g.source = 'clever'`
	w.is("teacher|42|"+sandbox.SeedTeacherLegacy+"|{}|"+sandbox.SeedTeacherSchool+"|true", grant, sandbox.SeedUserID, "teacher")
	w.is("staff|74002|"+sandbox.SeedStaffLegacy+"|{PortalOnly}|"+sandbox.SeedStaffSchool+"|false", grant, sandbox.SeedUserID, "staff")
	w.is("clever,legacy,legacy", `SELECT string_agg(kind, ',' ORDER BY kind) FROM identities i JOIN users u ON u.id = i.user_id WHERE u.clever_id = $1`, sandbox.SeedUserID)
	w.is("1", `SELECT count(*) FROM accounts a JOIN users u ON u.id = a.user_id WHERE u.clever_id = $1`, sandbox.SeedUserID)
	w.is("true", `SELECT s.school_ids = (SELECT array_agg(id ORDER BY id) FROM schools WHERE clever_id = ANY($2)) FROM user_search s JOIN users u ON u.id = s.user_id WHERE u.clever_id = $1`,
		sandbox.SeedUserID, []string{sandbox.SeedTeacherSchool, sandbox.SeedStaffSchool})
}

func TestPlantedCases(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	const roles = `SELECT string_agg(g.role || '×' || (SELECT count(*) FROM role_grant_schools s WHERE s.grant_id = g.id), ' ' ORDER BY g.role)
		FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1`
	w.is("staff×2 teacher×2", roles, sandbox.ThreeSchoolsUserID) // the second school of teaching is that of OutsideSectionID
	w.is("NULL", roles, sandbox.NoRolesUserID)
	w.is("0", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.NoRolesUserID)
	w.is("3", `SELECT role_count FROM users WHERE clever_id = $1`, sandbox.AllRolesUserID)
	w.is("1", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.role = $2`, sandbox.UnknownRoleUserID, sandbox.UnknownRole)
	w.is("true", `SELECT bool_or($2 = ANY(g.labels)) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1`, sandbox.UnknownLabelUserID, sandbox.UnknownLabel)
	w.is("500", `SELECT length(last_name) FROM users WHERE clever_id = $1`, sandbox.LongNameUserID)
	w.is("false||", `SELECT listed || '|' || name || '|' || name_key FROM schools WHERE clever_id = $1`, sandbox.UnsharedSchoolID)
	// A contact is found at the schools of its student.
	w.is("true", `SELECT c.school_ids <> '{}' AND c.school_ids = s.school_ids FROM user_search c, user_search s
		WHERE c.user_id = (SELECT id FROM users WHERE clever_id = $1) AND s.user_id = (SELECT id FROM users WHERE clever_id = $2)`, sandbox.ContactUserID, sandbox.StudentUserID)
	w.is("0", `SELECT count(*) FROM accounts a JOIN role_grants g ON g.user_id = a.user_id WHERE g.role IN ('student', 'contact')`)
	// Sections.
	w.is("true,false", `SELECT string_agg(t.is_primary::text, ',' ORDER BY is_primary DESC) FROM section_teachers t JOIN sections s ON s.id = t.section_id WHERE s.clever_id = $1`, sandbox.CoTaughtSectionID)
	w.is("NULL", `SELECT term_id FROM sections WHERE clever_id = $1`, sandbox.NullTermSectionID)
	w.is("0", `SELECT count(*) FROM section_teachers t JOIN sections s ON s.id = t.section_id WHERE s.clever_id = $1`, sandbox.NoTeacherSectionID)
	w.is("true", `SELECT bool_and(students = (SELECT count(*) FROM section_students m WHERE m.section_id = s.id)) FROM sections s`)
	// Counts agree with the rows.
	w.is("true", `SELECT people = (SELECT count(*) FROM users) FROM head_counts WHERE school_id = 0 AND role = ''`)
	w.is("true", `SELECT several = (SELECT count(*) FROM users WHERE role_count > 1) AND several > 0 FROM head_counts WHERE school_id = 0 AND role = ''`)
	w.is("true", `SELECT bool_and(h.people = (SELECT count(DISTINCT user_id) FROM role_grant_schools gs WHERE gs.school_id = h.school_id AND (h.role = '' OR gs.role = h.role))) FROM head_counts h WHERE school_id <> 0`)
}

func TestSecondSyncWritesNothing(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	before := w.marks("")
	// A new last_modified alone is no change: EditUser stamps one.
	if err := w.sandbox.EditUser(sandbox.TeacherUserID, func(map[string]any) {}); err != nil {
		t.Fatal(err)
	}
	run := w.sync()
	if d := cmp.Diff(before, w.marks("")); d != "" {
		t.Errorf("rows were written: %s", d)
	}
	for _, p := range run.Progress {
		if p.Unchanged != p.Read-p.Problems || p.Problems != 0 {
			t.Errorf("%+v", p)
		}
	}
}
