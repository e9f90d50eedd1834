package models_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// The guard against a change that leaves nobody to manage a district is right when overrides, ended people and roles
// by hand that ran out have the last word.
func TestAnyoneMay(t *testing.T) {
	store, url, here, _ := two(t)
	conn := connect(t, url)
	run := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, pgx.NamedArgs{"d": here}); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want bool, why string) {
		t.Helper()
		modelstest.Read(t, store, here, func(tx *models.Tx) error {
			got, err := tx.AnyoneMay(t.Context(), access.SettingsManage)
			if err == nil && got != want {
				t.Errorf("%s: anyone may is %v", why, got)
			}
			return err
		})
	}
	const teacher = `(SELECT id FROM users WHERE district_id = @d AND clever_id = 'here-teacher')`
	expect(false, "nobody is a district admin")
	run(`INSERT INTO role_grants (district_id, user_id, record_id, role, source, name_key, since) VALUES (@d, ` + teacher + `, ` + teacher + `, 'district_admin', 'manual', '', now())`)
	expect(true, "a district admin by hand")
	run(`UPDATE role_grants SET ends_at = now() - interval '1 minute' WHERE district_id = @d AND source = 'manual'`)
	expect(false, "the role by hand ran out")
	run(`UPDATE role_grants SET ends_at = now() + interval '1 day' WHERE district_id = @d AND source = 'manual'`)
	expect(true, "the role by hand has not run out yet")
	run(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, created_by, created_at)
		 VALUES (@d, ` + teacher + `, 'settings.manage', false, 'district', 'other', 'x', 'none', ` + teacher + `, now())`)
	expect(false, "an override denies it")
	run(`UPDATE overrides SET ended_at = now() WHERE district_id = @d AND NOT allow`)
	expect(true, "the override that denies has ended")
	run(`UPDATE users SET ended_at = now() WHERE district_id = @d AND clever_id = 'here-teacher'`)
	expect(false, "the person has ended")
	run(`INSERT INTO overrides (district_id, user_id, permission, allow, place_kind, reason, note, end_kind, end_role, created_by, created_at)
		 VALUES (@d, (SELECT id FROM users WHERE district_id = @d AND clever_id = 'here-contact'), 'settings.manage', true, 'district', 'other', 'x', 'role', 'contact', ` + teacher + `, now())`)
	expect(true, "an override allows it while Clever lists the role")
	run(`UPDATE role_grants SET ended_at = now() WHERE district_id = @d AND role = 'contact'`)
	expect(false, "Clever has dropped the role")
}
