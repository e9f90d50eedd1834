package models

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"hallpass/access"
)

// countedSlice is how many people with a role that rules can speak of a simulation counts in one statement at least. Tests,
// whose districts are small, make it smaller.
var countedSlice = 10_000

// mostSlices is about how many statements a large district takes: each looks through more than its own people.
const mostSlices = 3

// MoreThanOneSlice reports whether a simulation has more people to weigh than one statement counts, so that it takes
// long enough to say how far it has come.
func (tx *Tx) MoreThanOneSlice(ctx context.Context) (bool, error) {
	n, err := scan[struct{ N int }](ctx, tx, `SELECT count(*) AS n FROM (
		SELECT FROM role_grants g WHERE g.district_id = @district AND g.role IN ('teacher', 'staff', 'district_admin') AND g.ended_at IS NULL
		 LIMIT `+fmt.Sprint(countedSlice+1)+`) g`, map[string]any{"district": tx.actor.District})
	if err != nil {
		return false, fmt.Errorf("size of simulation: %w", err)
	}
	return n[0].N > countedSlice, nil
}

// working is heldNow, one row for each grant, with whether the role reaches anywhere: a teacher without sections and staff
// without schools hold a role and gain nothing by it.
const working = `
	SELECT g.user_id, g.role, g.name_key, ` + labelled + `,
	       CASE g.role WHEN 'teacher' THEN EXISTS (SELECT FROM section_teachers t JOIN sections s ON s.district_id = t.district_id AND s.id = t.section_id
	                                      WHERE t.district_id = g.district_id AND t.user_id = g.user_id AND s.ended_at IS NULL)
	                   WHEN 'staff' THEN EXISTS (SELECT FROM role_grant_schools gs WHERE gs.district_id = g.district_id AND gs.grant_id = g.id AND gs.ended_at IS NULL)
	                   ELSE true END AS placed,
	       count(*) OVER (PARTITION BY g.user_id) AS grants
	  FROM ` + heldNow + ` AND g.user_id > @from AND g.user_id <= @to`

// likePeople are the people with one role grant and no override who are alike to every rule.
type likePeople struct {
	Role     access.Role
	Labels   []string
	Placed   bool
	People   int
	Examples []int64
	Keys     []string // the names that the examples are in the order of
}

// simple counts the people with one role grant and no override. Where a role reaches does not matter to them, only
// whether it reaches anywhere, so one invented place stands for all.
func (s *simulation) simple(ctx context.Context) error {
	ends, err := s.slices(ctx)
	if err != nil {
		return err
	}
	s.tell()
	alike := map[string]*likePeople{}
	defer delete(s.args, "from")
	defer delete(s.args, "to")
	from := int64(0)
	for _, to := range ends {
		s.args["from"], s.args["to"] = from, to
		rows, err := scan[likePeople](ctx, s.tx, `WITH working AS (`+working+`)
			SELECT role, labels, placed, count(*) AS people, (array_agg(user_id ORDER BY name_key, user_id))[1:`+fmt.Sprint(maxExamples)+`] AS examples,
			       (array_agg(name_key ORDER BY name_key, user_id))[1:`+fmt.Sprint(maxExamples)+`] AS keys
			  FROM working w WHERE w.grants = 1 AND w.user_id NOT IN (`+overridden+`)
			 GROUP BY role, labels, placed`, s.args)
		if err != nil {
			return fmt.Errorf("people with one role: %w", err)
		}
		for _, r := range rows {
			s.People += r.People
			key := fmt.Sprint(r.Role, r.Labels, r.Placed)
			if alike[key] == nil {
				alike[key] = &likePeople{Role: r.Role, Labels: r.Labels, Placed: r.Placed}
			}
			alike[key].join(r)
		}
		s.tell()
		from = to
	}
	for _, p := range inOrder(alike) {
		f := access.Facts{Now: s.tx.now, Grants: []access.Grant{{Role: p.Role, Labels: p.Labels}}}
		if p.Placed {
			f.Grants[0].Schools = []int64{1}
			f.Teaches = []access.Place{access.AtSection(1, 1)}
		}
		s.add(f, p.People, p.Examples)
	}
	return nil
}

// slices are the ids at which slices of the people who hold a role that rules can speak of end; it counts them too.
func (s *simulation) slices(ctx context.Context) ([]int64, error) {
	rows, err := scan[struct {
		N    int
		Ends []int64
	}](ctx, s.tx, `SELECT coalesce(max(n), 0) AS n, coalesce(array_agg(user_id ORDER BY user_id) FILTER (WHERE n % greatest(`+fmt.Sprint(countedSlice)+`, total / `+fmt.Sprint(mostSlices)+`) = 0 OR last), '{}') AS ends
		  FROM (SELECT g.user_id, row_number() OVER w AS n, lead(g.user_id) OVER w IS NULL AS last, count(*) OVER () AS total FROM `+heldNow+` GROUP BY g.user_id WINDOW w AS (ORDER BY g.user_id)) p`, s.args)
	if err != nil {
		return nil, fmt.Errorf("slices of people: %w", err)
	}
	s.of = rows[0].N
	return rows[0].Ends, nil
}

// join counts more of the same, and keeps the first by name as examples.
func (p *likePeople) join(more likePeople) {
	p.People += more.People
	ids, keys := slices.Concat(p.Examples, more.Examples), slices.Concat(p.Keys, more.Keys)
	by := make([]int, len(ids))
	for i := range by {
		by[i] = i
	}
	slices.SortFunc(by, func(i, j int) int { return cmp.Or(cmp.Compare(keys[i], keys[j]), cmp.Compare(ids[i], ids[j])) })
	p.Examples, p.Keys = nil, nil
	for _, i := range by[:min(len(by), maxExamples)] {
		p.Examples, p.Keys = append(p.Examples, ids[i]), append(p.Keys, keys[i])
	}
}

// inOrder are all that are alike, by role and labels, those whose role reaches somewhere first: the examples of a group
// are of the first that are added to it.
func inOrder(alike map[string]*likePeople) (list []*likePeople) {
	for _, p := range alike {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *likePeople) int {
		byPlace := 0
		if a.Placed != b.Placed {
			byPlace = 1
			if a.Placed {
				byPlace = -1
			}
		}
		return cmp.Or(cmp.Compare(a.Role, b.Role), slices.Compare(a.Labels, b.Labels), byPlace)
	})
	return list
}
