package models_test

import (
	"context"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hallpass/access"
	"hallpass/models"
	"hallpass/models/modelstest"
)

// account is one that the app hangs data on, and whether it is in use.
type account struct {
	user int64
	role string
}

func accountsOf(t testing.TB, conn *pgx.Conn, district int64) map[account]bool {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT user_id, role, retired_at IS NULL FROM accounts WHERE district_id = $1`, district)
	if err != nil {
		t.Fatal(err)
	}
	found := map[account]bool{}
	for rows.Next() {
		var a account
		var used bool
		if err := rows.Scan(&a.user, &a.role, &used); err != nil {
			t.Fatal(err)
		}
		found[a] = used
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// fitted is what became of accounts, counted from what was there before and after.
func fitted(before, after map[account]bool, to access.Strategy) (p models.AccountPlan) {
	people, separate := map[int64]bool{}, map[int64]int{}
	for a, used := range after {
		was, there := before[a]
		switch {
		case !there:
			p.Made++
		case used && !was:
			p.Back++
		case was && !used:
			p.Retired++
		}
		if !there || used != was {
			people[a.user] = true
		}
		if a.role != "" && (to == access.PerRole && used || to == access.Consolidated && was) {
			separate[a.user]++
		}
	}
	for _, n := range separate {
		if n > 1 {
			p.Several++
		}
	}
	p.People = len(people)
	return p
}

// TestAccountsAreFittedAsForetold: whatever roles come and go between two strategies, as many accounts are made, brought
// back and retired as the preview says; and fitted back, exactly those are in use that were.
func TestAccountsAreFittedAsForetold(t *testing.T) {
	url := modelstest.URL(t)
	store := modelstest.Open(t, url, time.Now)
	conn := connect(t, url)
	defer conn.Close(context.WithoutCancel(t.Context()))
	moved := 0
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue { // nobody asked for more; a district takes a moment to write
		if err := flag.Set(checks.Name, "25"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(checks.Name, before) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHamlet(t, rt, store, url)
		var now access.Strategy
		fit := func(to access.Strategy) (plan models.AccountPlan) {
			h.write(t, func(ctx context.Context, tx *models.Tx) (err error) {
				if plan, err = tx.PlanAccounts(ctx, to); err != nil {
					return err
				}
				if err = tx.SetStrategy(ctx, to); err != nil {
					return err
				}
				return tx.FitAccounts(ctx, to)
			})
			now = to
			return plan
		}
		fit(access.Consolidated)
		for range rapid.IntRange(1, 3).Draw(rt, "moves") {
			// Roles come and go under the strategy that holds, as a sync or somebody's deed has them.
			who := rapid.SliceOfNDistinct(rapid.SampledFrom(h.people), 1, 4, rapid.ID).Draw(rt, "who")
			if rapid.Bool().Draw(rt, "go") {
				ids(t, conn, `UPDATE role_grants SET ended_at = now() WHERE district_id = $1 AND user_id = ANY($2) AND role = $3 AND ended_at IS NULL RETURNING id`,
					h.district, who, rapid.SampledFrom([]string{"teacher", "staff"}).Draw(rt, "role"))
			} else {
				ids(t, conn, `UPDATE role_grants SET ended_at = NULL WHERE district_id = $1 AND user_id = ANY($2) AND ended_at IS NOT NULL RETURNING id`, h.district, who)
			}
			h.write(t, func(ctx context.Context, tx *models.Tx) error {
				for _, id := range h.people {
					if err := tx.EnsureAccounts(ctx, id); err != nil {
						return err
					}
				}
				return nil
			})
			before, was := accountsOf(t, conn, h.district), now
			to := access.PerRole
			if was == access.PerRole {
				to = access.Consolidated
			}
			plan := fit(to)
			after := accountsOf(t, conn, h.district)
			plan.Examples = nil
			if diff := cmp.Diff(fitted(before, after, to), plan); diff != "" {
				rt.Fatalf("from %s to %s (-measured +foretold):\n%s", was, to, diff)
			}
			moved += plan.People
			if to == access.Consolidated || !rapid.Bool().Draw(rt, "back") { // accounts of roles that ended stay folded
				continue
			}
			fit(was)
			if diff := cmp.Diff(inUse(before), inUse(accountsOf(t, conn, h.district))); diff != "" {
				rt.Fatalf("fitted back, others are in use:\n%s", diff)
			}
		}
	})
	if moved == 0 {
		t.Error("no account moved: the test tests nothing")
	}
}

func inUse(accounts map[account]bool) (list [][2]any) {
	for a, used := range accounts {
		if used {
			list = append(list, [2]any{a.user, a.role})
		}
	}
	slices.SortFunc(list, func(a, b [2]any) int {
		if a[0] != b[0] {
			return int(a[0].(int64) - b[0].(int64))
		}
		if a[1].(string) < b[1].(string) {
			return -1
		}
		return 1
	})
	return list
}
