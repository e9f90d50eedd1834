package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"hallpass/clever/sandbox"
	"hallpass/views"
)

// Two admins press at the same moment, one to merge the people of a case and one to say that they are different: one of
// them does it, and the other is told in words and has done nothing.
func TestTwoOperatorsOnOneCase(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	one := c.imported(danny, "teacher", c.legacyOf(danny, "teacher"))
	c.suggest()
	first, second := c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)
	path := fmt.Sprintf("%sdistrict_admin/duplicates/%d", seedHome, c.caseOf(one))
	different := formOf(t, second.get(path))
	different.Set("verdict", "different")
	plan := views.MergeAnswers{Members: []int64{danny, one}, Keep: danny}.Path(sandbox.SeedDistrictID, "district_admin")
	action, merge := buttonOf(t, first.get(plan))

	var merged, said answer
	var both sync.WaitGroup
	both.Go(func() { merged = first.post(action, merge) })
	both.Go(func() { said = second.submit(path+"/decide", different) })
	both.Wait()
	merges := c.rows(`SELECT count(*) FROM merges WHERE district_id = $1 AND state = 'merged'`, c.district)[0]
	answers := c.rows(`SELECT count(*) FROM pair_decisions WHERE district_id = $1 AND verdict = 'different' AND ended_at IS NULL`, c.district)[0]
	switch {
	case merges == "1" && answers == "0":
		if merged.StatusCode != http.StatusSeeOther || said.StatusCode != http.StatusConflict || !strings.Contains(said.says(t, "main"), "Nothing was changed.") {
			t.Errorf("merged: status %d; the other one: %d, %s", merged.StatusCode, said.StatusCode, said.says(t, "main"))
		}
	case merges == "0" && answers == "1":
		if said.StatusCode != http.StatusOK || merged.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(merged.doc(t).Find(".problem").Text(), "different people") {
			t.Errorf("said: status %d; the other one: %d, %s", said.StatusCode, merged.StatusCode, merged.doc(t).Find("main").Text())
		}
	default:
		t.Errorf("%s merges and %s answers: one was to win", merges, answers)
	}
}

// Two admins press the same button at the same moment: there is one merge, and both are led to where it is told.
func TestTwoOperatorsOneMerge(t *testing.T) {
	c := newConsole(t)
	danny := c.id(sandbox.TeacherUserID)
	one := c.imported(danny, "teacher", c.legacyOf(danny, "teacher"))
	operators := []*browser{c.signedIn(sandbox.DistrictAdminUserID), c.signedIn(sandbox.AllRolesUserID)}
	plan := views.MergeAnswers{Members: []int64{danny, one}, Keep: danny}.Path(sandbox.SeedDistrictID, "district_admin")
	got := make([]answer, len(operators))
	var all sync.WaitGroup
	for i, b := range operators {
		action, fields := buttonOf(t, b.get(plan))
		all.Go(func() { got[i] = b.post(action, fields) })
	}
	all.Wait()
	winners := 0
	for i, a := range got {
		to := a.Header.Get("Location")
		if a.StatusCode != http.StatusSeeOther {
			t.Errorf("status %d: %s", a.StatusCode, a.doc(t).Find("main").Text())
			continue
		}
		if strings.Contains(to, "/merges/") {
			winners++
		} else if text := operators[i].get(to).doc(t).Find("main").Text(); !strings.Contains(text, "This record was merged") {
			t.Errorf("the other one is led to %s: %s", to, text)
		}
	}
	if n := c.rows(`SELECT count(*) FROM merges WHERE district_id = $1`, c.district)[0]; n != "1" || winners != 1 {
		t.Errorf("%s merges, %d winners", n, winners)
	}
}

// Who reviews duplicates at a school finds the cases whose people all work there, and hears only that there are others.
func TestALeadsQueueIsTheirSchools(t *testing.T) {
	c := newConsole(t)
	lead := c.id(sandbox.TechLeadUserID)
	teacher := func(where string) (id int64) {
		t.Helper()
		err := c.look().QueryRow(t.Context(), `WITH mine AS (SELECT school_id FROM role_grant_schools WHERE district_id = $1 AND user_id = $2 AND ended_at IS NULL)
			SELECT min(g.user_id) FROM role_grants g WHERE g.district_id = $1 AND g.role = 'teacher' AND g.ended_at IS NULL AND g.user_id <> $2
			 AND NOT EXISTS (SELECT FROM role_grants o WHERE o.district_id = $1 AND o.user_id = g.user_id AND o.role = 'district_admin' AND o.ended_at IS NULL)
			 AND (SELECT bool_and(s.school_id `+where+` (SELECT school_id FROM mine)) FROM role_grant_schools s WHERE s.district_id = $1 AND s.user_id = g.user_id AND s.ended_at IS NULL)`,
			c.district, lead).Scan(&id)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	here, elsewhere := teacher("IN"), teacher("NOT IN")
	mine, theirs := c.imported(here, "teacher", c.legacyOf(here, "teacher")), c.imported(elsewhere, "teacher", c.legacyOf(elsewhere, "teacher"))
	c.suggest()
	b := c.signedIn(sandbox.TechLeadUserID)
	base := seedHome + "staff/duplicates"
	list := b.get(base)
	found := list.doc(t).Find(".pairs tbody a").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("href", "") })
	if links := strings.Join(found, " "); !strings.Contains(links, fmt.Sprintf("/duplicates/%d", c.caseOf(mine))) || strings.Contains(links, fmt.Sprintf("/duplicates/%d", c.caseOf(theirs))) {
		t.Errorf("of the cases %d and %d the queue has %v", c.caseOf(mine), c.caseOf(theirs), found)
	}
	if text := list.says(t, "main"); !strings.Contains(text, "waits for somebody else") && !strings.Contains(text, "wait for somebody else") {
		t.Errorf("the queue says nothing of the others: %s", text)
	}
	if a := b.get(fmt.Sprintf("%s/%d", base, c.caseOf(mine))); a.StatusCode != http.StatusOK {
		t.Errorf("one's own case: status %d", a.StatusCode)
	}
	for _, path := range []string{
		fmt.Sprintf("%s/%d", base, c.caseOf(theirs)), fmt.Sprintf("%sstaff/merges/new?member=%d&member=%d", seedHome, elsewhere, theirs),
	} {
		if a := b.get(path); a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", path, a.StatusCode)
		}
	}
}
