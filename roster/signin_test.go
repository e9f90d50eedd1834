package roster

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallpass/access"
	"hallpass/clever"
	"hallpass/clever/sandbox"
	"hallpass/models"
)

// arrive is a sign-in as handlers do it, with a session.
func (w *world) arrive(u clever.User, partial bool) (id int64, err error) {
	w.Helper()
	district, err := w.store.DistrictID(w.Context(), sandbox.SeedDistrictID)
	w.must(err)
	err = w.store.As(access.Visitor(district)).Write(w.Context(), func(tx *models.Tx) error {
		if id, err = SignIn(w.Context(), tx, u, partial); err != nil {
			return err
		}
		token := bytes.Repeat([]byte{byte(time.Now().UnixNano()), byte(id)}, 16)
		return tx.CreateSession(w.Context(), token, id, token, tx.Now().Add(time.Hour))
	})
	return id, err
}

// asSynced reads a person as a sync would.
func (w *world) asSynced(id string) clever.User {
	w.Helper()
	token, err := w.client.DistrictToken(w.Context(), sandbox.SeedDistrictID)
	w.must(err)
	u, err := w.client.User(w.Context(), token.Token, id)
	w.must(err)
	return u
}

func newcomer(id string) clever.User {
	u := clever.User{ID: id, District: sandbox.SeedDistrictID}
	u.Name.Last = "Newcomer"
	u.Roles.DistrictAdmin = &clever.DistrictAdminRole{}
	return u
}

// TestSignInDuringASyncIsNotEnded: people whom the list did not show when it was walked, but who signed in since the
// run began, stay: created, revived, and known ones alike. The next run judges anew.
func TestSignInDuringASyncIsNotEnded(t *testing.T) {
	w := newWorld(t, change{})
	w.sync()
	known, back := w.asSynced(sandbox.SeedUserID), w.asSynced(sandbox.TeacherUserID)
	w.must(w.sandbox.RemoveUser(back.ID))
	w.sync()
	w.must(w.sandbox.RemoveUser(known.ID))
	w.must(w.sandbox.RemoveUser(sandbox.StaffUserID))
	arrived := []clever.User{newcomer("ffffffffffffffffffffff01"), known, back}
	came := false
	run, err := Full(t.Context(), w.store, w.client, sandbox.SeedDistrictID, Options{Progress: func(p models.SyncProgress) {
		if p.Type == models.RosterUsers && p.Done && !came {
			came = true
			for _, u := range arrived {
				_, err := w.arrive(u, false)
				w.must(err)
			}
		}
	}})
	w.must(err)
	if n := of(run, models.RosterUsers).Ended; n != 1 {
		t.Errorf("%d people ended, want the one who did not sign in", n)
	}
	for _, u := range arrived {
		w.is("true", `SELECT ended_at IS NULL FROM users WHERE clever_id = $1`, u.ID)
		w.is("1", `SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.clever_id = $1 AND s.revoked_at IS NULL`, u.ID)
		w.is("0", `SELECT count(*) FROM role_grants g JOIN users u ON u.id = g.user_id WHERE u.clever_id = $1 AND g.ended_at IS NOT NULL`, u.ID)
	}
	if n := of(w.sync(), models.RosterUsers).Ended; n != len(arrived) {
		t.Errorf("the next run ended %d people, want %d", n, len(arrived))
	}
}

// TestPartialRecordsTeachNothing about people who are known.
func TestPartialRecordsTeachNothing(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
	w.sync()
	rows := func() map[string]string {
		m := map[string]string{}
		for _, table := range []string{"identities", "role_grants", "role_grant_schools", "contact_students", "user_search"} {
			m[table] = w.text(`SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM ` + table + ` t`)
		}
		m["users"] = w.text(`SELECT md5(string_agg((to_jsonb(t) - 'confirmed_at')::text, ',' ORDER BY id)) FROM users t`)
		return m
	}
	before := rows()
	for _, id := range []string{sandbox.SeedUserID, sandbox.ContactUserID, sandbox.AllRolesUserID} {
		_, err := w.arrive(clever.User{ID: id, District: sandbox.SeedDistrictID}, true)
		w.must(err)
	}
	if d := cmp.Diff(before, rows()); d != "" {
		t.Errorf("a partial record was written: %s", d)
	}
	id, err := w.arrive(newcomer("ffffffffffffffffffffff01"), true)
	w.must(err)
	w.is(fmt.Sprint(id), `SELECT user_id FROM role_grants WHERE role = 'district_admin' AND user_id = $1`, id)
}

// TestSignInsDoNotQueueBehindASync: who is known comes in at once and is left to the sync, who is not waits for some
// seconds.
func TestSignInsDoNotQueueBehindASync(t *testing.T) {
	w := newWorld(t, change{sandbox: func(o *sandbox.Options) { o.Users = 300 }})
	w.sync()
	district := w.text(`SELECT district_id FROM districts`)
	if _, err := w.look.Exec(t.Context(), `SELECT pg_advisory_lock(hashtext('hallpass roster'), ($1::text::bigint % 2147483648)::int)`, district); err != nil {
		t.Fatal(err)
	}
	changed := w.asSynced(sandbox.SeedUserID)
	changed.Name.Last = "Changed"
	_, err := w.arrive(changed, false) // waiting would end in ErrTooSlow: nobody lets go
	w.must(err)
	w.is("Brakus", `SELECT last_name FROM users WHERE clever_id = $1`, changed.ID)
	if _, err := w.arrive(newcomer("ffffffffffffffffffffff01"), false); !errors.Is(err, models.ErrTooSlow) {
		t.Errorf("a newcomer's wait ended with %v", err)
	}
	w.is("0", `SELECT count(*) FROM users WHERE last_name = 'Newcomer'`)
	if _, err := w.look.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	for _, u := range []clever.User{changed, newcomer("ffffffffffffffffffffff01")} {
		_, err := w.arrive(u, false)
		w.must(err)
		w.is(u.Name.Last, `SELECT last_name FROM users WHERE clever_id = $1`, u.ID)
	}
}
