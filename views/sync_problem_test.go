package views

import (
	"testing"
	"time"
)

// TestFailedSyncsSayWhoseTurnItIs: every reason has an owner and a next step of its own, in both languages.
func TestFailedSyncsSayWhoseTurnItIs(t *testing.T) {
	owners := map[string]syncOwner{
		"credentials": ownedByDistrict, "sharing": ownedByDistrict, "paused": ownedByDistrict,
		"rate": ownedByClever, "answer": ownedByClever,
		"app": ownedByUs, "reach": ownedByUs, "disk": ownedByUs, "stopped": ownedByUs, "support": ownedByUs,
		"retry": ownedByNobody, "": ownedByNobody, "<b>": ownedByNobody,
	}
	for _, lang := range []string{"en", "es"} {
		l := NewLocale(lang, time.Time{}, time.UTC)
		steps := map[string]string{}
		for next, owner := range owners {
			e := SyncError{Next: next}
			said := e.next(l)
			if e.owner() != owner || said == "" {
				t.Errorf("%s, %q: owner %q, next %q", lang, next, e.owner(), said)
			}
			if other, taken := steps[said]; taken && owner != ownedByNobody {
				t.Errorf("%s: %q and %q both say %q", lang, next, other, said)
			}
			steps[said] = next
			if words := owner.words(l); (words == "") != (owner == ownedByNobody) {
				t.Errorf("%s: %q is called %q", lang, owner, words)
			}
		}
	}
}

// TestProblemsOfARunAreToldApart, and those of runs from before they were are not lost.
func TestProblemsOfARunAreToldApart(t *testing.T) {
	r := SyncRun{Types: []SyncType{
		{Type: "schools", Problems: 2},
		{Type: "terms"},
		{Type: "users", Problems: 6, Unusable: 1, Claimed: 2, Unknown: 3},
	}}
	want := []struct {
		of    string
		owner syncOwner
		count int
	}{{"schools", ownedByNobody, 2}, {"users", ownedByClever, 1}, {"users", ownedByDistrict, 2}, {"users", ownedByClever, 3}}
	got := r.problems()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		if g := got[i]; g.of != w.of || g.owner != w.owner || g.count != w.count {
			t.Errorf("problem %d is %+v, want %+v", i, g, w)
		}
	}
}
