package merge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hallpass/dedupe"
	"hallpass/dedupe/merge"
	"hallpass/models"
)

// pair is a district of two employees, two admins, a student, a contact and a tech lead at school-1.
func pair(t *testing.T, name string) (s *stage, r merge.Request) {
	t.Helper()
	s = newStage(t)
	s.fresh(name)
	student, contact, lead := teacher("student", "school-1"), teacher("contact"), staff("lead", "school-1")
	student.Grants[0].Role, contact.Grants[0].Role = "student", "contact"
	lead.Grants[0].Labels = []string{"SchoolTechLead"}
	s.sync([]models.RosterUser{admin("first"), admin("second"), teacher("one", "school-1"), staff("two", "school-1"), staff("three", "school-2"), student, contact, lead}, nil)
	return s, merge.Request{Members: []int64{s.user("one"), s.user("two")}, Keep: s.user("one")}
}

func codes(reasons []dedupe.Reason) (list []dedupe.Code) {
	for _, r := range reasons {
		list = append(list, r.Code)
	}
	return list
}

// What must never be merged is refused in the plan, again when it is applied, and by the database if both are passed by.
func TestNeverMerged(t *testing.T) {
	s, r := pair(t, "never")
	one, first, lead := s.user("one"), s.user("first"), s.user("lead")
	for _, c := range []struct {
		by    int64
		other string
		want  dedupe.Code
	}{
		{first, "student", dedupe.StudentRole},
		{first, "contact", dedupe.ContactRole},
		{first, "first", dedupe.OwnRecord},
		{lead, "three", dedupe.OutOfReach},
		{lead, "first", dedupe.MoreThanOwn},
		{lead, "lead", dedupe.OwnRecord},
	} {
		r := merge.Request{Members: []int64{one, s.user(c.other)}, Keep: one}
		p, hash := s.look(c.by, r)
		if diff := cmp.Diff(true, strings.Contains(fmt.Sprint(codes(p.Refused)), string(c.want))); diff != "" {
			t.Errorf("with %s: refused for %v, want %s", c.other, codes(p.Refused), c.want)
		}
		_, err := s.apply(c.by, r, hash, token())
		if refused, ok := errors.AsType[merge.RefusedError](err); !ok || len(refused.Reasons) == 0 {
			t.Errorf("with %s: applied with %v", c.other, err)
		}
	}
	before := s.dump()
	for _, other := range []string{"student", "contact"} {
		err := s.as(first).Write(t.Context(), func(tx *models.Tx) error {
			_, err := tx.Merge(t.Context(), models.MergeOrder{Survivor: one, Losers: []int64{s.user(other)}, Plan: []byte("x")})
			return err
		})
		if never, ok := errors.AsType[models.NeverError](err); !ok || never.Rule != "role" {
			t.Errorf("the database merges a %s: %v", other, err)
		}
	}
	two := s.user("two")
	s.exec(`INSERT INTO pair_decisions (district_id, lo, hi, verdict, decided_at) VALUES ($1, least($2::bigint, $3::bigint), greatest($2::bigint, $3::bigint), 'different', now())`, s.district, one, two)
	err := s.as(first).Write(t.Context(), func(tx *models.Tx) error {
		_, err := tx.Merge(t.Context(), models.MergeOrder{Survivor: one, Losers: []int64{two}, Plan: []byte("x")})
		return err
	})
	if never, ok := errors.AsType[models.NeverError](err); !ok || never.Rule != "different" {
		t.Errorf("the database merges two who are different: %v", err)
	}
	if p, _ := s.look(first, r); fmt.Sprint(codes(p.Refused)) != "[decided_different]" {
		t.Errorf("refused for %v", codes(p.Refused))
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("a refusal leaves a trace:\n%s", diff)
	}
}

// Where a second person is needed, the first moves nothing, cannot agree with themselves, and a tech lead cannot agree
// to what gives more than a tech lead holds.
func TestSecondPerson(t *testing.T) {
	s, r := pair(t, "second")
	first, second, lead := s.user("first"), s.user("second"), s.user("lead")
	before := s.dump()
	_, hash := s.look(lead, r)
	d, err := s.apply(lead, r, hash, token())
	if err != nil || d.Merge.State != models.MergeProposed {
		t.Fatalf("a tech lead's merge is %q, %v", d.Merge.State, err)
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("a proposal moves:\n%s", diff)
	}
	r.Proposal = d.Merge.ID
	_, hash = s.look(lead, r)
	if _, err := s.apply(lead, r, hash, token()); err == nil || !strings.Contains(err.Error(), string(merge.SamePerson)) {
		t.Errorf("who proposed it agrees: %v", err)
	}
	if d, err = s.apply(second, r, hash, token()); err != nil || d.Merge.State != models.MergeDone || *d.Merge.MergedBy != second {
		t.Errorf("an admin agrees: %+v, %v", d.Merge, err)
	}
	if _, err := s.apply(first, r, hash, token()); !errors.Is(err, models.ErrConflict) {
		t.Errorf("another one agrees too: %v", err)
	}
}

// Of two people who merge overlapping groups at once one does, and the other is told to look again.
func TestTwoMergeAtOnce(t *testing.T) {
	s, r := pair(t, "at-once")
	first, second := s.user("first"), s.user("second")
	// Imported people need no second person.
	a, b, c := s.imported(1), s.imported(2), s.imported(3)
	left, right := r, r
	left.Members, right.Members = []int64{a, b}, []int64{b, c}
	left.Keep, right.Keep = b, c
	_, l := s.look(first, left)
	_, h := s.look(second, right)
	scopes := []models.Scope{s.as(first), s.as(second)}
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, try := range []func(tx *models.Tx) error{
		func(tx *models.Tx) error { _, err := merge.Apply(t.Context(), tx, left, l, token()); return err },
		func(tx *models.Tx) error { _, err := merge.Apply(t.Context(), tx, right, h, token()); return err },
	} {
		wg.Go(func() { errs[i] = scopes[i].Write(t.Context(), try) })
	}
	wg.Wait()
	if won := errs[0] == nil; won == (errs[1] == nil) || !errors.Is(errors.Join(errs...), merge.ErrMoved) {
		t.Errorf("both or neither: %v, %v", errs[0], errs[1])
	}
}

// Whatever statement fails, nothing has changed: a trigger on every table raises at the nth statement that writes.
func TestFaultAtEveryStatement(t *testing.T) {
	s, r := pair(t, "faults")
	first := s.user("first")
	r.Members = []int64{s.imported(1), s.imported(2)}
	r.Keep = r.Members[0]
	s.exec(`CREATE SEQUENCE fault_at; CREATE TABLE fault_when (n bigint); INSERT INTO fault_when VALUES (0); GRANT ALL ON fault_when, fault_at TO PUBLIC`)
	s.exec(`CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('fault_at') = (SELECT n FROM fault_when) THEN RAISE EXCEPTION 'fault'; END IF; RETURN NULL; END $$`)
	rows, err := s.conn.Query(context.Background(), `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'river%' AND relname NOT LIKE 'goose%' AND relname <> 'fault_when'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		s.exec(`CREATE TRIGGER a_fault AFTER INSERT OR UPDATE OR DELETE ON ` + name + ` FOR EACH STATEMENT EXECUTE FUNCTION fault()`)
	}
	everything := func() string {
		var n string
		if err := s.conn.QueryRow(context.Background(), `SELECT concat_ws(' ', (SELECT count(*) FROM merges), (SELECT count(*) FROM merge_rows), (SELECT count(*) FROM merge_members), (SELECT count(*) FROM changes),
			(SELECT count(*) FROM audit_entries), (SELECT count(*) FROM pair_decisions))`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return s.dump() + n
	}
	// try runs a deed with a fault at each statement in turn, until one goes through.
	try := func(what string, deed func() error) {
		t.Helper()
		before := everything()
		for n := 1; ; n++ {
			s.exec(`SELECT setval('fault_at', 1, false)`)
			s.exec(`UPDATE fault_when SET n = $1`, n)
			err := deed()
			s.exec(`UPDATE fault_when SET n = 0`)
			if err == nil {
				if n < 10 {
					t.Errorf("%s went through with a fault at statement %d", what, n)
				}
				t.Logf("%s: %d statements that write", what, n-1)
				return
			}
			if diff := cmp.Diff(before, everything()); diff != "" {
				t.Fatalf("%s, fault at statement %d, leaves a trace:\n%s", what, n, diff)
			}
			if n > 200 {
				t.Fatalf("%s never goes through: %v", what, err)
			}
		}
	}
	var m models.Merge
	_, hash := s.look(first, r)
	try("merge", func() error {
		d, err := s.apply(first, r, hash, token())
		m = d.Merge
		return err
	})
	try("unmerge", func() error { _, _, err := s.unmerge(first, m.ID, nil); return err })
}
